"""Which dates were given which profile, with everything a calendar can repeat.

Recurrence is RFC 5545, expanded by the library that Home Assistant's own
calendars use. Entries are whole days: a date is a local date and nothing else,
so that daylight saving time has no say in it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
import re

from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event
from ical.exceptions import CalendarError, CalendarParseError
from ical.store import EventStore
from ical.types import Range, Recur

from .plant.plan_file import CalendarRow
from .plant.profiles import DayEntry

_PRODUCT = "-//chiller_plant//profiles 1.0//EN"
MAXIMUM_ENTRIES = 500
MAXIMUM_DESCRIPTION = 1000
"""Characters; more could be given out in a plan file, but not taken in again."""
_RULE = re.compile(
    r"(?=(?:.*;)?FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)(?:;|$))"
    r"[A-Z]+=[^;=]+(?:;[A-Z]+=[^;=]+)*"
)


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

    @classmethod
    def from_rows(cls, rows: Iterable[CalendarRow]) -> DayCalendar:
        """Make a calendar of what a plan file says.

        Raises `ValueError` or `ical.exceptions.CalendarError` for a row that is
        no entry; `row_problem` tells which.
        """
        made = cls()
        made._calendar.events.extend(_event_of(row) for row in rows)
        return made

    @property
    def rows(self) -> tuple[CalendarRow, ...]:
        """What a plan file says of the calendar, in the order of days.

        A series of which nothing is left is no more.
        """
        rows = [_row(event) for event in self._calendar.events if _comes(event)]
        return tuple(
            sorted(
                rows,
                key=lambda row: (
                    row.first_day,
                    row.last_day,
                    row.profile,
                    row.uid or "",
                    row.instead_of or date.min,
                ),
            )
        )

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
    """Make an entry. Raise ValueError if it cannot be understood, or kept."""
    if description is not None and len(description) > MAXIMUM_DESCRIPTION:
        raise ValueError(
            f"the description has {len(description)} characters; allowed are"
            f" {MAXIMUM_DESCRIPTION}"
        )
    recurrence = None
    if rule:
        if not _RULE.fullmatch(rule):
            raise ValueError(
                f"'{rule}' is no rule of days, as FREQ=WEEKLY;BYDAY=MO is one"
            )
        recurrence = Recur.from_rrule(rule)
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


def row_problem(row: CalendarRow) -> str | None:
    """Say what is wrong with a row of a plan file, None if it is an entry."""
    try:
        event = _event_of(row)
        _require_a_day(event)
    except (CalendarError, ValueError) as error:
        # A validator of the library says a line for us and two for programmers.
        said = str(error).splitlines()
        return said[2].partition(" [")[0].strip() if len(said) > 2 else said[0]
    return None


def _event_of(row: CalendarRow) -> Event:
    event = day_event(
        row.profile,
        row.first_day,
        row.last_day + timedelta(days=1),
        row.description,
        row.rule,
    )
    known: dict[str, object] = {"exdate": list(row.without)}
    if row.uid is not None:
        known["uid"] = row.uid
    if row.created is not None:
        known |= {"created": row.created, "dtstamp": row.created}
    if row.instead_of is not None:
        known["recurrence_id"] = row.instead_of.strftime("%Y%m%d")
    changed = event.copy_and_validate(update=known)
    assert isinstance(changed, Event)
    return changed


def _row(event: Event) -> CalendarRow:
    shown = _occurrence(event)
    replaced = event.recurrence_id
    return CalendarRow(
        profile=shown.profile,
        first_day=shown.start,
        last_day=shown.end - timedelta(days=1),
        rule=shown.rule,
        without=tuple(sorted(_day(day) for day in event.exdate)),
        instead_of=None if not replaced else date.fromisoformat(str(replaced)[:8]),
        description=shown.description or None,
        uid=shown.uid,
        created=datetime.fromtimestamp(int(shown.created), UTC),
    )


def _require_a_day(event: Event) -> None:
    # To look for a day that never comes (30 February) takes seconds, again and
    # again.
    if not _comes(event):
        raise ValueError("this rule never comes to a day")


def _comes(event: Event) -> bool:
    """Whether an entry has a day."""
    return not event.rrule or next(iter(event.as_rrule() or ()), None) is not None


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
