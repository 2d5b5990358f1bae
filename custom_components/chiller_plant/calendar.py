"""The dates that were given a profile, in Home Assistant's own calendar.

An event is one or more whole days, and its title is the profile's name. Only
what people entered is shown; every other day follows the plant's day types.
"""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, override

from ical.event import Event
from ical.exceptions import CalendarError

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
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .data import ChillerPlantConfigEntry, ChillerPlantData
from .day_calendar import MAXIMUM_ENTRIES, Occurrence, day_event
from .demand_response.calendar import DemandResponseCalendar
from .demand_response.entity import async_follow_demand_response
from .plan_entity import PlanEntity
from .planned_calendar import PlannedCalendar

PARALLEL_UPDATES = 0

_THIS_AND_FUTURE = "THISANDFUTURE"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the plant's calendars."""
    data = entry.runtime_data
    async_add_entities([ProfileCalendar(data), PlannedCalendar(data)])
    async_follow_demand_response(
        entry, async_add_entities, lambda data: [DemandResponseCalendar(data)]
    )


class ProfileCalendar(PlanEntity, CalendarEntity):
    """Which date gets which profile."""

    _attr_supported_features = (
        CalendarEntityFeature.CREATE_EVENT
        | CalendarEntityFeature.DELETE_EVENT
        | CalendarEntityFeature.UPDATE_EVENT
    )

    def __init__(self, data: ChillerPlantData) -> None:
        """Show the plant's dates."""
        super().__init__(data, "profiles")
        self._lock = asyncio.Lock()
        self._event: CalendarEvent | None = None

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """The entry that decides today, else the next one."""
        return self._event

    @override
    async def async_added_to_hass(self) -> None:
        """Know today before the state is written first."""
        await super().async_added_to_hass()
        self._find_event()

    @callback
    @override
    def _told(self, *_: object) -> None:
        self._find_event()
        super()._told()
        self.async_update_event_listeners()

    @callback
    def _find_event(self) -> None:
        today = dt_util.now().date()
        calendar = self._room.calendar
        uid = self._room.by_calendar.uid
        found = next((item for item in calendar.on(today) if item.uid == uid), None)
        found = found or calendar.next_after(today)
        self._event = None if found is None else _calendar_event(found)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what lies between two moments."""
        first = dt_util.as_local(start_date).date()
        # A range that ends at midnight does not touch the day that begins there.
        last = dt_util.as_local(end_date - timedelta(microseconds=1)).date()

        def between() -> list[CalendarEvent]:
            return [
                _calendar_event(item)
                for item in self._room.calendar.between(first, last + timedelta(days=1))
            ]

        # A series may be long: it is worked out beside the event loop.
        async with self._lock:
            return await hass.async_add_executor_job(between)

    @override
    async def async_create_event(self, **kwargs: Any) -> None:
        """Give days a profile."""
        event = self._day_event(kwargs)
        if len(self._room.calendar) >= MAXIMUM_ENTRIES:
            raise _refused("calendar_full", maximum=str(MAXIMUM_ENTRIES))
        await self._async_change(lambda: self._room.calendar.add(event))

    @override
    async def async_update_event(
        self,
        uid: str,
        event: dict[str, Any],
        recurrence_id: str | None = None,
        recurrence_range: str | None = None,
    ) -> None:
        """Change an entry: one day of a series, the days from one on, or all."""
        changed = self._day_event(event)
        await self._async_change(
            lambda: self._room.calendar.edit(
                uid,
                changed,
                recurrence_id,
                onwards=recurrence_range == _THIS_AND_FUTURE,
            )
        )

    @override
    async def async_delete_event(
        self,
        uid: str,
        recurrence_id: str | None = None,
        recurrence_range: str | None = None,
    ) -> None:
        """Delete an entry: one day of a series, the days from one on, or all."""
        await self._async_change(
            lambda: self._room.calendar.delete(
                uid, recurrence_id, onwards=recurrence_range == _THIS_AND_FUTURE
            )
        )

    async def _async_change(self, change: Callable[[], None]) -> None:
        async with self._lock:
            try:
                await self.hass.async_add_executor_job(change)
            except (CalendarError, ValueError) as error:
                raise _refused("calendar_change_failed", error=str(error)) from error
        await self._room.async_decided()

    def _day_event(self, data: dict[str, Any]) -> Event:
        """Check an entry as a person made it."""
        start, end = data[EVENT_START], data[EVENT_END]
        typed: str = data[EVENT_SUMMARY]
        profiles = ", ".join(self._room.profiles)
        if (profile := self._room.profile_named(typed)) is None:
            raise _refused("unknown_profile", profile=typed, profiles=profiles)
        if not _is_day(start) or not _is_day(end):
            raise _refused("whole_days_only", profile=profile)
        try:
            return day_event(
                profile,
                start,
                end,
                data.get(EVENT_DESCRIPTION),
                data.get(EVENT_RRULE),
            )
        except (CalendarError, ValueError) as error:
            raise _refused("calendar_change_failed", error=str(error)) from error


def _is_day(value: date) -> bool:
    return not isinstance(value, datetime)


def _refused(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


def _calendar_event(item: Occurrence) -> CalendarEvent:
    return CalendarEvent(
        summary=item.profile,
        start=item.start,
        end=item.end,
        description=item.description,
        uid=item.uid,
        rrule=item.rule,
        recurrence_id=item.recurrence_id,
    )
