"""What the automations are about to do, and what people change of it.

The control engine tells what each automation plans; only here is it known on
which days that automation runs. What a person changes of one occurrence is
kept here, is on disk before it counts, and goes to the engine with the plan:
so neither a restart of Home Assistant nor one of the engine loses it. It is
forgotten when the occurrence is over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import voluptuous as vol

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .actions import async_report_action
from .const import DOMAIN, LOGGER
from .planned_action import FILE_SCHEMA, Amendment, PlannedAction, parse_planned

if TYPE_CHECKING:
    from .plan import PlanRoom
    from .profile_store import Registration

MAXIMUM_AMENDMENTS = 200
FARTHEST = 31 * 86400.0
"""Seconds ahead that an occurrence can be put off to."""
_VERSION = 1
_SAVE_DELAY = 30
"""Seconds that what the engine told may be lost after a crash: it tells it again."""
_KEPT = 3600.0
"""Seconds after an occurrence is over until what was changed of it is forgotten."""

_TITLES = {
    "start": "{what}: start",
    "stop": "{what}: stop",
    "rotation": "{what} takes the lead",
    "stage_up": "{what} is added",
    "stage_down": "{what} is taken off",
    "window_begin": "{what}: window begins",
    "window_end": "{what}: window ends",
}


class PlannedActions:
    """The occurrences of one plant, and what was changed of them."""

    def __init__(self, room: PlanRoom) -> None:
        """Prepare; nothing is read yet."""
        self._room = room
        self._hass = room.hass
        self._file = _file(room.hass, room.entry_id)
        self._texts: dict[str, str] = {}
        self._planned: dict[str, tuple[PlannedAction, ...]] = {}
        self._amendments: dict[str, Amendment] = {}

    async def async_load(self) -> None:
        """Read what was kept; a damaged file costs what was in it, and is said."""
        try:
            stored = FILE_SCHEMA(await self._file.async_load() or _nothing())
            for automation, text in stored["planned"].items():
                self._planned[automation] = parse_planned(automation, text)
                self._texts[automation] = text
        except vol.Invalid as error:
            LOGGER.error(
                "%s: what was changed of planned actions is unreadable (%s) and is"
                " forgotten; they happen as the automations have them",
                self._room.plant.name,
                error,
            )
            return
        for row in stored["amendments"]:
            amendment = Amendment(**row)
            self._amendments[f"{amendment.automation}/{amendment.id}"] = amendment
        self._purge()

    async def async_close(self) -> None:
        """Write what is still to be written."""
        await self._file.async_save(self._as_dict())

    # What the engine says.

    @callback
    def take(self, automation: str, text: str) -> None:
        """Take what the engine says that an automation is about to do."""
        if self._texts.get(automation) == text:
            return
        self._planned[automation] = parse_planned(automation, text)
        self._texts[automation] = text
        self._purge()
        self._file.async_delay_save(self._as_dict, _SAVE_DELAY)
        self._told()

    @callback
    def forget(self, automation: str) -> None:
        """Forget an automation that is gone."""
        self._texts.pop(automation, None)
        self._planned.pop(automation, None)
        for key, item in list(self._amendments.items()):
            if item.automation == automation:
                del self._amendments[key]

    def amendments_of(self, automation: str) -> list[dict[str, Any]]:
        """Return what was changed, as the engine gets it with the plan."""
        return [
            {
                "id": item.id,
                **({} if item.at is None else {"at": item.at}),
                **({} if item.equipment is None else {"equipment": item.equipment}),
                **({"cancelled": True} if item.cancelled else {}),
                "by": item.by,
            }
            for item in self._amendments.values()
            if item.automation == automation
        ]

    # What people see.

    def all(self) -> list[PlannedAction]:
        """Return what is to come, the first one first; what is cancelled too."""
        now = _now()
        found = [item for item in self._known() if item.cancelled or item.at > now]
        return sorted(found, key=lambda item: (item.at, item.key))

    def _known(self) -> Iterator[PlannedAction]:
        registrations = self._room.store.decisions.registrations
        for automation, actions in self._planned.items():
            item = registrations.get(automation)
            if (
                item is None
                or item.refused
                or not self._room.automations.is_enabled(item)
            ):
                continue
            for action in actions:
                if self.runs_on(automation, _day(action.original)):
                    yield self._amended(action)

    def _amended(self, action: PlannedAction) -> PlannedAction:
        changed = self._amendments.get(action.key)
        if changed is None:
            # The engine has not heard yet that a change was taken back.
            return replace(action, at=action.original, cancelled=False)
        return replace(
            action,
            at=action.original if changed.at is None else changed.at,
            equipment=(changed.equipment,) if changed.equipment else action.equipment,
            cancelled=changed.cancelled,
        )

    def find(self, key: str) -> PlannedAction:
        """Return an occurrence by its key; raises what tells that there is none."""
        for action in self._known():
            if action.key == key:
                return action
        raise _refused("unknown_action", action=key)

    def amendment(self, action: PlannedAction) -> Amendment | None:
        """Return what was changed of an occurrence."""
        return self._amendments.get(action.key)

    def runs_on(self, automation: str, day: date) -> bool:
        """Whether an automation is in the profile of a day."""
        if day == dt_util.now().date():
            return self._room.is_planned(automation)
        profile = self._room.days.of(day).profile
        return automation in self._room.profiles[profile].automations

    def title(self, action: PlannedAction) -> str:
        """Say in a few words what happens."""
        text = _TITLES.get(action.kind)
        if text is None:
            text = "{what}: " + action.kind.replace("_", " ")
        what = ", ".join(self.name(key) for key in action.equipment)
        return text.format(what=what or self._automation(action).name)

    def name(self, equipment: str) -> str:
        """Return what people call a piece of equipment."""
        found = self._room.plant.equipment.get(equipment)
        return equipment if found is None else found.name

    def _automation(self, action: PlannedAction) -> Registration:
        return self._room.store.decisions.registrations[action.automation]

    # What people change.

    async def async_reschedule(
        self, key: str, at: datetime, by: str, why: str = ""
    ) -> PlannedAction:
        """Have it at another time; raises ServiceValidationError with the reason."""
        action = self.find(key)
        moment = at.timestamp()
        said = {"action": self.title(action), "time": _said(moment)}
        if not action.movable:
            raise _refused("action_not_movable", **said)
        if moment <= _now():
            raise _refused("action_in_past", **said)
        if action.earliest is not None and moment < action.earliest:
            raise _refused("action_too_early", limit=_said(action.earliest), **said)
        if action.latest is not None and moment >= action.latest:
            raise _refused("action_too_late", limit=_said(action.latest), **said)
        if moment > _now() + FARTHEST:
            raise _refused("action_too_late", limit=_said(_now() + FARTHEST), **said)
        if not self.runs_on(action.automation, _day(moment)):
            raise _refused(
                "action_not_on_day",
                automation=self._automation(action).name,
                profile=self._room.days.of(_day(moment)).profile,
                **said,
            )
        text = f"moved from {_said(action.at)} to {_said(moment)}"
        change = {"at": moment, "cancelled": False}
        return await self._async_amend(
            "action_rescheduled", action, text, action.at, moment, by, why, change
        )

    async def async_reassign(
        self, key: str, equipment: str, by: str, why: str = ""
    ) -> PlannedAction:
        """Have it with other equipment; raises ServiceValidationError."""
        action = self.find(key)
        if equipment not in action.choices:
            raise _refused(
                "equipment_not_for_action",
                action=self.title(action),
                equipment=self.name(equipment),
                choices=", ".join(map(self.name, action.choices)) or "-",
            )
        before = list(action.equipment)
        text = f"given to {self.name(equipment)}"
        change = {"equipment": equipment}
        return await self._async_amend(
            "action_reassigned", action, text, before, equipment, by, why, change
        )

    async def async_cancel(self, key: str, by: str, why: str = "") -> PlannedAction:
        """Have it not happen this once."""
        action = self.find(key)
        return await self._async_amend(
            "action_cancelled",
            action,
            f"at {_said(action.at)} cancelled",
            action.at,
            "cancelled",
            by,
            why,
            {"cancelled": True},
        )

    async def async_restore(self, key: str, by: str, why: str = "") -> PlannedAction:
        """Have it happen as the automation has it."""
        action = self.find(key)
        if self._amendments.pop(key, None) is None:
            raise _refused("action_not_changed", action=self.title(action))
        after = self._amended(action)
        text = f"as planned again, at {_said(after.at)}"
        before = "cancelled" if action.cancelled else action.at
        await self._async_keep()
        self._report("action_restored", after, text, before, after.at, by, why)
        return after

    async def _async_amend(
        self,
        event: str,
        action: PlannedAction,
        text: str,
        before: Any,
        after: Any,
        by: str,
        why: str,
        change: Mapping[str, Any],
    ) -> PlannedAction:
        self._purge()
        known = self._amendments.get(action.key)
        if known is None and len(self._amendments) >= MAXIMUM_AMENDMENTS:
            raise _refused("too_many_amendments", maximum=str(MAXIMUM_AMENDMENTS))
        title = self.title(action)
        row = {
            "at": known and known.at,
            "equipment": known and known.equipment,
            "cancelled": known is not None and known.cancelled,
            **change,
        }
        ends = (action.original, action.at, action.until, row["at"])
        self._amendments[action.key] = Amendment(
            action.automation,
            action.id,
            action.kind,
            action.original,
            **row,
            by=by,
            why=why,
            made=_now(),
            expires=max(end for end in ends if end is not None) + _KEPT,
        )
        await self._async_keep()
        self._report(event, action, text, before, after, by, why, title)
        return self._amended(action)

    async def _async_keep(self) -> None:
        """Have it on disk, then show it and tell the engine."""
        await self._file.async_save(self._as_dict())
        self._told()
        self._room.changed()

    def _report(
        self,
        event: str,
        action: PlannedAction,
        text: str,
        before: Any,
        after: Any,
        by: str,
        why: str,
        title: str | None = None,
    ) -> None:
        because = f": {why}" if why else ""
        equipment = list(action.equipment)
        async_report_action(
            self._hass,
            self._room,
            {
                "event": event,
                "reason": f"{title or self.title(action)} {text} by {by}{because}",
                "at": _now(),
                "equipment": equipment[0] if len(equipment) == 1 else equipment,
                "from": _iso(before),
                "to": _iso(after),
                "source": by,
                "planned_action": action.key,
            },
            self._automation(action),
        )

    @callback
    def _told(self) -> None:
        async_dispatcher_send(self._hass, self._room.signal("planned"))

    def _purge(self) -> None:
        """Forget what was changed of occurrences that are over."""
        now = _now()
        known = {item.key for actions in self._planned.values() for item in actions}
        for key, item in list(self._amendments.items()):
            # What is estimated may come long after it was expected.
            if item.expires < now and key not in known:
                del self._amendments[key]

    def _as_dict(self) -> dict[str, Any]:
        return {
            "amendments": [asdict(item) for item in self._amendments.values()],
            "planned": self._texts,
        }


async def async_remove_planned(hass: HomeAssistant, entry_id: str) -> None:
    """Forget a plant that was removed."""
    await _file(hass, entry_id).async_remove()


def _file(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}.planned", atomic_writes=True)


def _nothing() -> dict[str, Any]:
    return {"amendments": [], "planned": {}}


def _now() -> float:
    return dt_util.utcnow().timestamp()


def local(moment: float) -> datetime:
    """Return epoch seconds as a local time."""
    return dt_util.as_local(dt_util.utc_from_timestamp(moment))


def _day(moment: float) -> date:
    return local(moment).date()


def _said(moment: float) -> str:
    when = local(moment)
    today = dt_util.now().date()
    return f"{when:%H:%M}" if when.date() == today else f"{when:%a %d %b %H:%M}"


def _iso(value: Any) -> Any:
    """Return a time as it is told; anything else as it is."""
    return local(value).isoformat(timespec="seconds") if _is_time(value) else value


def _is_time(value: Any) -> bool:
    return isinstance(value, float)


def _refused(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
