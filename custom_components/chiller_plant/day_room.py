"""Which profile today has, and what was decided for this one day alone.

It is worked out when it is asked for, from the date that it is then: a restart
at midnight, a night of 25 hours or another time zone can leave nothing behind
but a decision for a day that is over, and that counts for nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .actions import async_report_action
from .holidays import HolidayWatch
from .plant.profiles import (
    DayCopy,
    DayEntry,
    DayOverride,
    DayResolution,
    Difference,
    Profile,
    differences,
    purged,
    resolve_day,
)
from .profile_store import Decisions

if TYPE_CHECKING:
    from .plan import PlanRoom

_DAYS_KNOWN = 32
"""Days whose entries are kept: more than anybody looks at at a time."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be different about one automation today."""

    automation: str
    priority: int | None = None
    """None leaves the one it has."""
    config: Mapping[str, Any] = field(default_factory=dict)
    out: bool = False
    """Whether it is not to run today."""


class DayRoom:
    """The days of one plant."""

    def __init__(self, room: PlanRoom) -> None:
        """Prepare; nothing is read yet."""
        self._room = room
        self._hass = room.hass
        self.holidays = HolidayWatch(room)
        self._entries: dict[date, list[DayEntry]] = {}
        self._midnight: CALLBACK_TYPE | None = None
        self._to_tell: list[DayCopy] = []

    @property
    def _decisions(self) -> Decisions:
        return self._room.store.decisions

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Forget what was decided for days that are over, and await midnight."""
        self._purge()
        self._await_midnight()
        unsubscribe = [
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._clock_changed),
            self.holidays.async_start(),
        ]

        @callback
        def async_stop() -> None:
            for stop in unsubscribe:
                stop()
            if self._midnight is not None:
                self._midnight()
                self._midnight = None

        return async_stop

    # What a day is.

    @property
    def day_types(self) -> Mapping[str, str]:
        """The profile of each type of day: the plant file's, unless decided."""
        return {**self._room.plant.day_types, **self._decisions.day_types}

    def resolve(
        self,
        day: date,
        *,
        override: DayOverride | None = None,
        copy: DayCopy | None = None,
    ) -> DayResolution:
        """Return the profile of a day, and where it comes from."""
        if day not in self._entries:
            if len(self._entries) > _DAYS_KNOWN:
                self._entries.clear()
            entries = self._decisions.calendar.on(day)
            self._entries[day] = [item.entry for item in entries]
        return resolve_day(
            day,
            self._entries[day],
            self.day_types,
            override,
            self._decisions.profiles,
            copy=copy,
            holiday=self.holidays.known(day) is True,
        )

    def of(self, day: date) -> DayResolution:
        """Return the profile of a day with all that was decided for it."""
        decisions = self._decisions
        return self.resolve(day, override=decisions.override, copy=decisions.copy)

    @property
    def today(self) -> DayResolution:
        """The profile of today, and where it comes from."""
        return self.of(dt_util.now().date())

    @property
    def by_calendar(self) -> DayResolution:
        """What today is without what was decided for it alone."""
        return self.resolve(dt_util.now().date())

    @property
    def copy(self) -> DayCopy | None:
        """What was edited for today, None if nothing was."""
        return self._decisions.copy if self.today.kind == "edited" else None

    @property
    def profile(self) -> Profile:
        """What runs today."""
        if (copy := self.copy) is not None:
            return Profile(copy.profile, copy.automations)
        return self._decisions.profiles[self.today.profile]

    def config_of(self, automation: str, usual: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration that an automation has today."""
        edited = self.copy.config.get(automation, {}) if self.copy else {}
        # What its form does not have any more, it cannot be given either.
        return {**usual, **{key: edited[key] for key in edited if key in usual}}

    @property
    def differences(self) -> tuple[Difference, ...]:
        """In what today differs from its profile."""
        if (copy := self.copy) is None:
            return ()
        decisions = self._decisions
        configs = {key: item.config for key, item in decisions.registrations.items()}
        return differences(copy, decisions.profiles[copy.profile], configs)

    @property
    def told_differences(self) -> list[dict[str, Any]]:
        """`differences` for people and other programs."""
        registrations = self._decisions.registrations
        return [
            {
                "automation": item.automation,
                "name": known.name if known else item.automation,
                "kind": item.kind,
                **({} if item.key is None else {"key": item.key}),
                "before": item.before,
                "after": item.after,
            }
            for item in self.differences
            for known in (registrations.get(item.automation),)
        ]

    def is_needed(self, profile: str) -> bool:
        """Whether what was decided for today is about this profile."""
        today = dt_util.now().date()
        decided = (self._decisions.override, self._decisions.copy)
        return any(
            item is not None and item.day >= today and item.profile == profile
            for item in decided
        )

    # What is decided for today.

    async def async_choose(self, profile: str | None) -> None:
        """Give today a profile, whatever the calendar says; None hands back.

        What was edited for today is gone by it.
        """
        decisions, copy = self._decisions, self.copy
        decisions.override = (
            None if profile is None else DayOverride(dt_util.now().date(), profile)
        )
        decisions.copy = None
        if copy is not None:
            self._tell("today_discarded", copy, "another profile was chosen for today")
        await self._room.async_decided()

    async def async_decide(
        self, day_types: Mapping[str, str], holiday_source: str | None
    ) -> None:
        """Decide on types of days, and who knows which days are holidays."""
        decisions = self._decisions
        usual = self._room.plant.day_types
        decisions.day_types = {
            day: profile
            for day, profile in day_types.items()
            if usual.get(day) != profile
        }
        if decisions.holiday_source != holiday_source:
            decisions.holiday_source, decisions.holidays = holiday_source, {}
        self.holidays.ask()
        await self._room.async_decided()

    async def async_edit(self, edits: Sequence[Edit]) -> None:
        """Change today's profile for today only."""
        decisions = self._decisions
        today = self.today
        members = dict(self.profile.automations)
        config = {
            key: dict(item) for key, item in (self.copy or _NOTHING).config.items()
        }
        for edit in edits:
            if edit.out:
                members.pop(edit.automation, None)
                config.pop(edit.automation, None)
                continue
            if edit.priority is not None:
                members[edit.automation] = edit.priority
            usual = decisions.registrations[edit.automation].config
            values = {**config.get(edit.automation, {}), **edit.config}
            config[edit.automation] = {
                key: value for key, value in values.items() if usual.get(key) != value
            }
        before = decisions.copy
        decisions.copy = DayCopy(
            dt_util.now().date(),
            today.profile,
            members,
            {key: values for key, values in config.items() if values},
        )
        if decisions.copy != before:
            self._tell("today_edited", decisions.copy, self._summary())
        await self._room.async_decided()

    async def async_discard(self) -> bool:
        """Drop what was edited for today; return whether there was anything."""
        if (copy := self.copy) is None:
            return False
        self._decisions.copy = None
        self._tell("today_discarded", copy, "discarded by hand")
        await self._room.async_decided()
        return True

    @callback
    def forget(self, automation: str) -> None:
        """Drop an automation that is gone from what was edited."""
        if (copy := self._decisions.copy) is None:
            return
        self._decisions.copy = replace(
            copy,
            automations=_without(copy.automations, automation),
            config=_without(copy.config, automation),
        )

    def _summary(self) -> str:
        texts = []
        for item in self.told_differences:
            match item["kind"]:
                case "added":
                    texts.append(f"{item['name']} runs with priority {item['after']}")
                case "removed":
                    texts.append(f"{item['name']} does not run")
                case "priority":
                    texts.append(
                        f"{item['name']}: priority {item['before']} → {item['after']}"
                    )
                case _:
                    texts.append(
                        f"{item['name']}: {item['key']} {item['before']}"
                        f" → {item['after']}"
                    )
        return "; ".join(texts)[:300] or "nothing differs"

    @callback
    def _tell(self, action: str, copy: DayCopy, why: str) -> None:
        reason = {
            "today_edited": f"{copy.profile} is edited for {copy.day} only: {why}",
            "today_discarded": f"The edited {copy.profile} of {copy.day} is gone: {why}",
            "today_purged": f"The edited {copy.profile} of {copy.day} is gone: {why}",
        }[action]
        told = {"event": action, "reason": reason, "at": dt_util.utcnow().timestamp()}
        async_report_action(self._hass, self._room, told, None)

    # What time does.

    @callback
    def changed(self) -> None:
        """Work out anew what days are: something may have changed."""
        self._entries.clear()

    @callback
    def async_ready(self) -> None:
        """Tell what ended while nobody could be told."""
        for copy in self._to_tell:
            self._tell("today_purged", copy, "its day is over")
        self._to_tell.clear()

    @callback
    def _await_midnight(self) -> None:
        # Not a time pattern: where clocks change at midnight, there is a day a
        # year that has no 00:00.
        if self._midnight is not None:
            self._midnight()
        tomorrow = dt_util.now().date() + timedelta(days=1)
        self._midnight = async_track_point_in_utc_time(
            self._hass, self._async_midnight, dt_util.start_of_local_day(tomorrow)
        )

    async def _async_midnight(self, _now: datetime) -> None:
        self._midnight = None
        await self._async_another_day()

    async def _clock_changed(self, _event: Event[Any]) -> None:
        # Another time zone may be another day.
        await self._async_another_day()

    async def _async_another_day(self) -> None:
        self._await_midnight()
        was_decided = self._purge()
        self.async_ready()
        self._room.changed()
        self.holidays.ask()
        if was_decided:
            await self._room.store.async_save()

    def _purge(self) -> bool:
        """Forget what was decided for days that are over; say whether there was any."""
        decisions, today = self._decisions, dt_util.now().date()
        before = decisions.override, decisions.copy
        decisions.override = purged(decisions.override, today)
        decisions.copy = purged(decisions.copy, today)
        if before[1] is not None and decisions.copy is None:
            self._to_tell.append(before[1])
        return before != (decisions.override, decisions.copy)


_NOTHING = DayCopy(date.min, "", {})


def _without[T](items: Mapping[str, T], key: str) -> dict[str, T]:
    return {name: item for name, item in items.items() if name != key}
