"""Which dates were given which profile, with everything a calendar can repeat.

Recurrence is RFC 5545, expanded by the library that Home Assistant's own
calendars use. Entries are whole days: a date is a local date and nothing else,
so that daylight saving time has no say in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event
from ical.exceptions import CalendarParseError
from ical.store import EventStore
from ical.types import Range, Recur

from .plant.profiles import DayEntry

_PRODUCT = "-//chiller_plant//profiles 1.0//EN"
MAXIMUM_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One entry on its days; `end` is the day after the last."""

    uid: str
    profile: str
    start: date
    end: date
    description: str | None
    rule: str | None
    recurrence_id: str | None
    created: float

    @property
    def entry(self) -> DayEntry:
        """What the resolution of a date wants to know of it.

        One day changed out of a series was meant for that very date.
        """
        return DayEntry(
            uid=self.uid,
            profile=self.profile,
            start=self.start,
            end=self.end,
            recurring=self.rule is not None,
            created=self.created,
        )


class DayCalendar:
    """The entries of one plant.

    Methods that name an entry that is not there raise
    `ical.exceptions.EventStoreError`.
    """

    def __init__(self, calendar: Calendar | None = None) -> None:
        """Start empty, or with what was kept."""
        self._calendar = calendar or Calendar()
        self._calendar.prodid = _PRODUCT

    @classmethod
    def from_ics(cls, text: str) -> DayCalendar:
        """Read what `as_ics` wrote. Raise ValueError for anything else."""
        if not text:
            return cls()
        # The parser takes a text that was cut off for an empty calendar.
        if not text.rstrip().endswith("END:VCALENDAR"):
            raise ValueError("the calendar is cut off")
        try:
            return cls(IcsCalendarStream.calendar_from_ics(text))
        except CalendarParseError as error:
            raise ValueError(str(error)) from error

    def as_ics(self) -> str:
        """Return the calendar as text."""
        return IcsCalendarStream.calendar_to_ics(self._calendar)

    def __len__(self) -> int:
        """Return the number of entries; a series is one."""
        return len(self._calendar.events)

    def add(self, event: Event) -> None:
        """Add an entry made by `day_event`. Raise ValueError if it has no day."""
        _require_a_day(event)
        EventStore(self._calendar).add(event)

    def edit(
        self, uid: str, event: Event, recurrence_id: str | None, *, onwards: bool
    ) -> None:
        """Change an entry; of a series one day, the days from one on, or all."""
        _require_a_day(event)
        EventStore(self._calendar).edit(
            uid, event, recurrence_id=recurrence_id, recurrence_range=_range(onwards)
        )

    def delete(self, uid: str, recurrence_id: str | None, *, onwards: bool) -> None:
        """Delete an entry; of a series one day, the days from one on, or all."""
        EventStore(self._calendar).delete(
            uid, recurrence_id=recurrence_id, recurrence_range=_range(onwards)
        )

    def between(self, start: date, end: date) -> Iterator[Occurrence]:
        """Yield what lies on the days from `start` to before `end`."""
        timeline = self._calendar.timeline_tz(UTC)
        for event in timeline.overlapping(_midnight(start), _midnight(end)):
            yield _occurrence(event)

    def on(self, day: date) -> list[Occurrence]:
        """Return what lies on one day."""
        return list(self.between(day, day + timedelta(days=1)))

    def next_after(self, day: date) -> Occurrence | None:
        """Return the first entry that starts after a day."""
        timeline = self._calendar.timeline_tz(UTC)
        # Whatever started before is passed over, at most every entry once.
        for event in islice(timeline.start_after(_midnight(day)), MAXIMUM_ENTRIES):
            if (occurrence := _occurrence(event)).start > day:
                return occurrence
        return None

    def uses_from(self, profile: str, day: date) -> bool:
        """Whether a day from this one on is given this profile."""
        timeline = self._calendar.timeline_tz(UTC)
        series = {event.uid for event in self._calendar.events if event.rrule}
        for event in self._calendar.events:
            if event.summary != profile or event.uid in series:
                continue
            if _occurrence(event).end > day:
                return True
        horizon = _midnight(day + timedelta(days=2 * 366))
        return any(
            event.summary == profile
            for event in timeline.overlapping(_midnight(day), horizon)
            if event.uid in series
        )


def day_event(
    profile: str, start: date, end: date, description: str | None, rule: str | None
) -> Event:
    """Make an entry. Raise ValueError if the rule cannot be understood."""
    recurrence = Recur.from_rrule(rule) if rule else None
    if recurrence is not None and isinstance(recurrence.until, datetime):
        # The last day of a series of days is a day.
        recurrence.until = recurrence.until.date()
    return Event(
        summary=profile,
        start=start,
        end=end,
        description=description,
        rrule=recurrence,
    )


def _require_a_day(event: Event) -> None:
    # To look for a day that never comes (30 February) takes seconds, again and
    # again.
    if event.rrule and next(iter(event.as_rrule() or ()), None) is None:
        raise ValueError("this rule never comes to a day")


def _range(onwards: bool) -> Range:
    return Range.THIS_AND_FUTURE if onwards else Range.NONE


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _occurrence(event: Event) -> Occurrence:
    changed = event.last_modified or event.created or event.dtstamp
    start = _day(event.start)
    return Occurrence(
        uid=event.uid,
        profile=event.summary or "",
        start=start,
        end=max(_day(event.end), start + timedelta(days=1)),
        description=event.description,
        rule=event.rrule.as_rrule_str() if event.rrule else None,
        recurrence_id=event.recurrence_id,
        created=changed.timestamp() if isinstance(changed, datetime) else 0.0,
    )


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value
