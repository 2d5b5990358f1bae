"""Past load by day and time of day, as baselines look at it.

Statistics come in hours of UTC, people live by the clock on the wall: an hour is
known by the local time at which it began, so that half-hour time zones and days
of 23 or 25 hours compare like with like.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from statistics import fmean

from ..hourly import HOUR, hour_of
from .outdoor_air import Weather

MINUTES = HOUR // 60
"""The length of an hour, as times of day are counted."""
DAY_MINUTES = 24 * MINUTES
_NIGHT = 12 * MINUTES
"""How far into the next day a day goes on, for an event that passes midnight."""


@dataclass(frozen=True, slots=True)
class LoadDay:
    """The mean load of a local day, kW, by the time of day at which an hour began.

    Times of day are minutes after midnight on the wall; the hours of the night
    that follows are counted on from 24:00. An hour without a reading is not in it.
    """

    day: date
    off: bool
    """A weekend or a holiday: compared only with its own kind."""
    hours: Mapping[int, float]
    excluded: str | None = None
    """Why this day says nothing about an ordinary one: an event, an outage."""
    weather: Mapping[int, Weather] = field(default_factory=dict)
    """The weather of the hours in which it is known."""

    def covers(self, hours: Iterable[int]) -> bool:
        """Whether the load of all these hours is known."""
        return all(hour in self.hours for hour in hours)

    def mean(self, hours: Sequence[int]) -> float:
        """Return the mean load over hours that it covers, kW."""
        return fmean(self.hours[hour] for hour in hours)


def wall_time(at: float, zone: tzinfo) -> tuple[date, int]:
    """Return the local day of a moment, and its minutes after midnight."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return local.date(), local.hour * 60 + local.minute


def wall_minute(at: float, day: date, zone: tzinfo) -> int:
    """Return the minutes from midnight of a day, on the wall, to a moment."""
    found, minute = wall_time(at, zone)
    return minute + DAY_MINUTES * (found - day).days


def load_days(
    means: Iterable[tuple[float, float]],
    zone: tzinfo,
    is_off: Callable[[date], bool],
    excluded: Mapping[date, str],
    weather: Mapping[float, Weather] | None = None,
) -> list[LoadDay]:
    """Sort hourly means (epoch seconds of the hour's start, kW) into days.

    `weather` is known by when its hours began. The hour that a change of clocks
    repeats is the mean of both.
    """
    found: dict[date, dict[int, list[float]]] = {}
    for at, load in means:
        day, minute = wall_time(at, zone)
        found.setdefault(day, {}).setdefault(minute, []).append(load)
    own = {
        day: {minute: fmean(loads) for minute, loads in sorted(hours.items())}
        for day, hours in found.items()
    }
    outside: dict[date, dict[int, Weather]] = {}
    for at, air in (weather or {}).items():
        day, minute = wall_time(at, zone)
        outside.setdefault(day, {})[minute] = air
    # The day of an event may have weather before it has any load.
    return [
        LoadDay(
            day,
            is_off(day),
            _with_night(own, day),
            excluded.get(day),
            _with_night(outside, day),
        )
        for day in sorted(own.keys() | outside.keys())
    ]


def _with_night[T](known: Mapping[date, Mapping[int, T]], day: date) -> dict[int, T]:
    """Return the hours of a day and of the night that follows."""
    nothing: Mapping[int, T] = {}
    return {
        **known.get(day, nothing),
        **{
            DAY_MINUTES + minute: value
            for minute, value in known.get(day + timedelta(days=1), nothing).items()
            if minute < _NIGHT
        },
    }


@dataclass(frozen=True, slots=True)
class EventHours:
    """When an event takes place on its day."""

    day: date
    hours: tuple[int, ...]
    """The hours that it touches, by the time of day at which each begins."""
    clean_until: int
    """Minutes after midnight: from here on today's load may already answer to
    the event, and says nothing about what it would have been."""

    @property
    def start(self) -> int:
        """Minutes after midnight at which the first of its hours begins."""
        return self.hours[0]


def event_hours(
    start: float,
    end: float,
    zone: tzinfo,
    *,
    notified: float,
    first_action: float | None = None,
) -> EventHours:
    """Return the hours of an event from `start` to `end` (epoch seconds).

    The load is clean until it was announced. An event that was announced on a
    day before leaves it clean until the first action, at most until the start.
    Raises ValueError for an event that takes no time, or more than 12 hours.
    """
    if not end > start:
        raise ValueError("an event that ends before it begins has no hours")
    if end - start > _NIGHT * 60:
        raise ValueError("an event of more than 12 hours has no baseline")
    day, begin = wall_time(hour_of(start), zone)
    hours: list[int] = []
    at = hour_of(start)
    while at < end:
        minute = wall_minute(at, day, zone)
        if minute not in hours:
            hours.append(minute)
        at += HOUR
    known = wall_minute(notified, day, zone)
    if known < 0:
        known = begin if first_action is None else wall_minute(first_action, day, zone)
    return EventHours(day, tuple(hours), min(max(known, 0), begin))
