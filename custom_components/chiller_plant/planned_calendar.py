"""What the plant is about to do, in Home Assistant's own calendar.

Each entry is one occurrence: moving it moves that one, deleting it cancels
that one, and with the name of other equipment in its title that one happens
with it. Nothing that is done here changes an automation.
"""

from datetime import datetime, timedelta
from typing import Any, override

from homeassistant.components.calendar import (
    EVENT_DESCRIPTION,
    EVENT_END,
    EVENT_RRULE,
    EVENT_START,
    EVENT_SUMMARY,
    CalendarEntity,
    CalendarEntityFeature,
    CalendarEvent,
)
from homeassistant.components.websocket_api import current_connection
from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .data import ChillerPlantData
from .plan_entity import PlanEntity
from .planned import local
from .planned_action import PlannedAction

LENGTH = timedelta(minutes=15)
"""How long an entry is shown: what happens at a moment has no length."""


class PlannedCalendar(PlanEntity, CalendarEntity):
    """The next starts, stops, turns, stage changes and windows."""

    _attr_supported_features = (
        CalendarEntityFeature.DELETE_EVENT | CalendarEntityFeature.UPDATE_EVENT
    )
    _signals = ("plan", "planned", "engine")

    def __init__(self, data: ChillerPlantData) -> None:
        """Show what is planned."""
        super().__init__(data, "planned_actions")
        self._actions = data.plan.planned
        self._next: CalendarEvent | None = None
        self._stop_waiting: Any = None

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """The next one."""
        return self._next

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Whether the engine is there to say it."""
        return {"engine_heard": self._room.engine.alive}

    @override
    async def async_added_to_hass(self) -> None:
        """Know the next one before the state is written first."""
        await super().async_added_to_hass()
        self.async_on_remove(self._wait_no_more)
        self._find_next()

    @callback
    @override
    def _told(self, *_: object) -> None:
        self._find_next()
        super()._told()
        self.async_update_event_listeners()

    @callback
    def _find_next(self) -> None:
        coming = next(
            (item for item in self._actions.all() if not item.cancelled), None
        )
        self._next = None if coming is None else self._event_of(coming)
        self._wait_no_more()
        if self._next is not None:
            # What has happened makes room for what follows, also while the
            # engine that would say so is away.
            self._stop_waiting = async_track_point_in_utc_time(
                self.hass, self._told_later, self._next.end_datetime_local
            )

    async def _told_later(self, _now: datetime) -> None:
        self._stop_waiting = None
        self._told()

    @callback
    def _wait_no_more(self) -> None:
        if self._stop_waiting is not None:
            self._stop_waiting()
            self._stop_waiting = None

    @override
    async def async_get_events(
        self, hass: Any, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what is planned between two moments."""
        events = [
            self._event_of(item) for item in self._actions.all() if not item.cancelled
        ]
        return [
            item
            for item in events
            if item.start_datetime_local < end_date
            and item.end_datetime_local > start_date
        ]

    def _event_of(self, action: PlannedAction) -> CalendarEvent:
        start = local(action.at)
        return CalendarEvent(
            summary=self._actions.title(action),
            start=start,
            end=start + LENGTH,
            description=self._description(action) + self._remark(),
            uid=action.key,
        )

    def _description(self, action: PlannedAction) -> str:
        lines = [action.reason]
        if action.estimated:
            lines.append("The time is an estimate.")
        if (changed := self._actions.amendment(action)) is not None:
            because = f": {changed.why}" if changed.why else ""
            lines.append(f"Changed by {changed.by}{because}.")
            if action.at != action.original:
                original = local(action.original)
                lines.append(f"Planned at {original:%a %d %b %H:%M}.")
        return "\n".join(lines)

    def _remark(self) -> str:
        if self._room.engine.alive:
            return ""
        heard = self._room.engine.last_beat
        since = ""
        if heard is not None:
            since = f" on {dt_util.as_local(heard):%a %d %b at %H:%M}"
        return f"\nThe control engine is not heard; this is what it last said{since}."

    @override
    async def async_delete_event(
        self,
        uid: str,
        recurrence_id: str | None = None,
        recurrence_range: str | None = None,
    ) -> None:
        """Have it not happen this once."""
        await self._actions.async_cancel(uid, _person())

    @override
    async def async_update_event(
        self,
        uid: str,
        event: dict[str, Any],
        recurrence_id: str | None = None,
        recurrence_range: str | None = None,
    ) -> None:
        """Have it at another time, or with other equipment."""
        action = self._actions.find(uid)
        shown = self._event_of(action)
        said = {"action": shown.summary}
        start, end = event[EVENT_START], event[EVENT_END]
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            raise _refused("action_is_a_moment", **said)
        if event.get(EVENT_RRULE):
            raise _refused("action_happens_once", **said)
        start = dt_util.as_local(start)
        moved = abs(start.timestamp() - action.at) >= 60
        equipment = self._named(action, event[EVENT_SUMMARY])
        description = event.get(EVENT_DESCRIPTION) or ""
        if description and not description.startswith(action.reason):
            raise _refused("action_text_is_not_yours", **said)
        if not moved and equipment is None:
            raise _refused("action_unchanged", **said)
        if moved:
            await self._actions.async_reschedule(uid, start, _person())
        if equipment is not None:
            await self._actions.async_reassign(uid, equipment, _person())

    def _named(self, action: PlannedAction, title: str) -> str | None:
        """Return other equipment that a changed title names; None if it is as shown."""
        if title.strip() == self._actions.title(action):
            return None
        typed = title.casefold()
        named = [
            key
            for key in action.choices
            if key not in action.equipment
            and self._actions.name(key).casefold() in typed
        ]
        # "Chiller 12" has "Chiller 1" in it.
        named = [
            key
            for key in named
            if not any(
                key != other
                and self._actions.name(key).casefold()
                in self._actions.name(other).casefold()
                for other in named
            )
        ]
        if len(named) != 1:
            raise _refused(
                "action_title_names_nothing",
                action=self._actions.title(action),
                choices=", ".join(map(self._actions.name, action.choices)) or "-",
            )
        return named[0]


def _person() -> str:
    """Return who uses the calendar, for people."""
    connection = current_connection.get()
    name = None if connection is None else connection.user.name
    return name or "somebody"


def _refused(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
