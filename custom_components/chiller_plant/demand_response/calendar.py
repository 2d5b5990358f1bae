"""The events of utilities in Home Assistant's own calendar.

What is over stays there for a year. Deleting an event that is not over opts out
of it; the utility's event itself cannot be deleted from here.
"""

from datetime import datetime
from typing import override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityFeature,
    CalendarEvent,
)
from homeassistant.components.websocket_api import current_connection
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..data import ChillerPlantData
from .entity import DemandResponseEntity
from .known_event import KnownEvent
from .words import asked, title

_STANDS = {
    "far": "Announced.",
    "near": "Begins within the hour.",
    "active": "Runs now.",
    "recovery": "Over; the load comes back.",
    "completed": "Over.",
    "cancelled": "Cancelled.",
}


class DemandResponseCalendar(DemandResponseEntity, CalendarEntity):
    """What was asked for, what is, and what will be."""

    _attr_supported_features = CalendarEntityFeature.DELETE_EVENT

    def __init__(self, data: ChillerPlantData) -> None:
        """Show the plant's events."""
        super().__init__(data, "demand_response")

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """The event that runs, else the next one that is taken part in."""
        event = self._room.next_event()
        return None if event is None else self._entry(event)

    @override
    def _shows(self) -> object:
        event = self.event
        return None if event is None else (event.start, event.end, event.summary)

    @callback
    @override
    def _told(self, *_: object) -> None:
        super()._told()
        self.async_update_event_listeners()

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what lies between two moments."""
        first, last = start_date.timestamp(), end_date.timestamp()
        return [
            self._entry(event)
            for event in sorted(
                self._room.events.values(), key=lambda event: event.begins
            )
            if event.begins < last and event.ends > first
        ]

    @override
    async def async_delete_event(
        self,
        uid: str,
        recurrence_id: str | None = None,
        recurrence_range: str | None = None,
    ) -> None:
        """Opt out of the event."""
        connection = current_connection.get()
        by = None if connection is None else connection.user.name
        await self._room.async_opt(uid, "out", "in the calendar", by or "somebody")

    def _entry(self, event: KnownEvent) -> CalendarEvent:
        opt = self._room.opt_of(event)
        stands = event.stands(dt_util.utcnow().timestamp())
        return CalendarEvent(
            summary=title(event, opt),
            start=_local(event.begins),
            end=_local(max(event.ends, event.begins + 1.0)),
            description="\n".join(self._lines(event, opt, stands)),
            uid=event.key,
        )

    def _lines(self, event: KnownEvent, opt: str, stands: str) -> list[str]:
        decision = self._room.decisions.get(event.key)
        lines = [
            f"{event.source} asks for {asked(event.signals)}.",
            _STANDS[stands],
            "Taken part in." if opt == "in" else "Not taken part in.",
        ]
        if decision is not None:
            because = f": {decision.why}" if decision.why else ""
            lines.append(f"Decided by {decision.by}{because}.")
        elif event.why:
            lines.append(f"Decided {event.why}.")
        if event.asked_now and stands == "active":
            lines.append(f"Now: {event.asked_now}.")
        if event.recovery:
            lines.append(f"The load comes back within {event.recovery / 60:.0f} min.")
        if event.test:
            lines.append("A test: nothing is done.")
        if event.comment:
            lines.append(event.comment)
        return lines


def _local(moment: float) -> datetime:
    return dt_util.as_local(dt_util.utc_from_timestamp(moment))
