"""The load that an event is held against, from an hour before it to six after.

Whatever the load is known by, there is an answer that says what it is worth: the
method that was asked for, then the one that fits the days there are, then the last
hour, then the last five minutes, which nobody may settle by.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from statistics import median
from typing import Any

from ..hourly import HOUR, hour_of
from .baselines import Baseline, NoBaseline, baseline, preferred_method
from .load_days import (
    DAY_MINUTES,
    EventHours,
    LoadDay,
    event_hours,
    wall_minute,
    wall_time,
)
from .placebo import Confidence, Placebo, chosen_method, placebo

BEFORE = 1.0 * HOUR
AFTER = 6.0 * HOUR
"""Seconds around an event for which the load is told too: what comes before it
and how it recovers is judged by the same."""
LATEST = "last_five_minutes"
NONE = "none"
_LONGEST_PART = 12.0 * HOUR
_SURER: Sequence[Confidence] = ("unknown", "low", "medium", "high")

type Spans = tuple[tuple[float, float, float], ...]
"""(since, until, kW), epoch seconds, one after another."""


def mean_of(
    spans: Sequence[Sequence[float]], since: float, until: float
) -> float | None:
    """Return the mean of (since, until, kW) over a time; None if not known for all.

    The spans come in the order of time.
    """
    total = weighed = 0.0
    # Asked for every reading of a week of hours: none may look at all of them.
    place = bisect_right(spans, since, key=_end)
    while place < len(spans) and spans[place][0] < until:
        begin, end, load = spans[place]
        seconds = min(until, end) - max(since, begin)
        total += seconds * load
        weighed += seconds
        place += 1
    return total / weighed if weighed >= 0.999 * (until - since) > 0.0 else None


def _end(span: Sequence[float]) -> float:
    return span[1]


@dataclass(frozen=True, slots=True)
class EventTimes:
    """When an event takes place, epoch seconds."""

    begins: float
    ends: float
    received: float
    """When it was first heard of."""
    first_action: float | None = None
    """When the site first does something about it, if that is before it begins."""


@dataclass(frozen=True, slots=True)
class EventBaseline:
    """What the load would be without an event, and how sure that is."""

    begins: float
    ends: float
    received: float
    method: str
    """One of `METHODS`, `last_five_minutes`, or `none` if nothing is known."""
    confidence: Confidence
    eligible: bool
    """Whether an event may be settled by it."""
    why: str
    """How it came about, for people."""
    spans: Spans
    days: tuple[str, ...] = ()
    """The days that it was made of, as ISO dates."""
    relative_error: float | None = None
    """How far the method was off on days without an event (RRMSE)."""
    bias: float | None = None
    """Above 0 where the method is too high (NMBE)."""
    trials: int = 0
    """Days on which it was tried."""
    final: bool = False
    """Whether it stays as it is, whatever else becomes known."""
    meter: str | None = None
    """The point whose past it was made of."""

    def mean(self, since: float, until: float) -> float | None:
        """Return the mean load over a time, kW; None if it is not known for all."""
        return mean_of(self.spans, since, until)

    def told(self) -> dict[str, Any]:
        """Return it as the control engine is told."""
        return {
            "method": self.method,
            "confidence": self.confidence,
            "eligible": self.eligible,
            "why": self.why,
            "kw": [list(span) for span in self.spans],
        }

    def as_dict(self) -> dict[str, Any]:
        """Return all of it in JSON types."""
        return asdict(self)

    @classmethod
    def restore(cls, data: Mapping[str, Any]) -> EventBaseline:
        """Take back what `as_dict` gave. Raises KeyError, TypeError, ValueError."""
        return cls(
            **{
                **data,
                "spans": tuple(
                    (float(since), float(until), float(load))
                    for since, until, load in data["spans"]
                ),
                "days": tuple(data["days"]),
            }
        )


def event_baseline(
    times: EventTimes,
    days: Sequence[LoadDay],
    is_off: Callable[[date], bool],
    zone: tzinfo,
    *,
    method: str | None = None,
    latest: float | None = None,
) -> EventBaseline:
    """Return the baseline of an event.

    `days` are what is known of the past and of today, `method` what an operator or
    a contract chose, otherwise the past decides; `latest` the mean load of the five
    minutes before the event was heard of, kW. Raises ValueError for an event that takes no time.
    """
    pieces = _parts(times, zone)
    parts = [
        event_hours(
            since,
            until,
            zone,
            notified=times.received,
            first_action=min(times.first_action or times.begins, times.begins),
        )
        for since, until in pieces
    ]
    known = _with_days(days, parts, is_off)
    refused: list[str] = []
    for name in dict.fromkeys(
        method
        for method in (
            method,
            chosen_method(parts[0], known),
            preferred_method(parts[0], known),
            "last_hour",
        )
        if method is not None
    ):
        try:
            said = [baseline(name, part, known) for part in parts]
        except NoBaseline as error:
            refused.append(f"{name}: {error}")
            continue
        trusts = [_trust(name, part, known) for part in parts]
        starts = [since for since, _ in pieces]
        return _judged(
            times, said, trusts, tuple(_spans(times, starts, said, zone)), refused
        )
    begin, end = times.begins - BEFORE, times.ends + AFTER
    if latest is not None:
        return EventBaseline(
            times.begins,
            times.ends,
            times.received,
            LATEST,
            "unknown",
            False,
            _and(refused, "the mean of the five minutes before it was announced"),
            ((begin, end, latest),),
        )
    return no_baseline(times, _and(refused, "the meter says nothing"))


def no_baseline(times: EventTimes, why: str) -> EventBaseline:
    """Return that nothing is known, and why."""
    return EventBaseline(
        times.begins, times.ends, times.received, NONE, "unknown", False, why, ()
    )


def without_outages(days: Sequence[LoadDay]) -> list[LoadDay]:
    """Return the days; those on which the meter read nothing at all are excluded."""
    highest = {
        day.day: max(
            (load for at, load in day.hours.items() if at < DAY_MINUTES), default=0.0
        )
        for day in days
    }
    if not highest or not median(highest.values()) > 0.0:
        return list(days)
    return [
        day
        if highest[day.day] > 0.0 or day.excluded is not None
        else replace(day, excluded="an outage")
        for day in days
    ]


def _parts(times: EventTimes, zone: tzinfo) -> list[tuple[float, float]]:
    """Return the parts of an event that are compared with one day each.

    A night belongs to the day before it, unless the event is of days.
    """
    if not times.ends > times.begins:
        raise ValueError("an event that ends before it begins has no baseline")
    if times.ends - times.begins <= _LONGEST_PART:
        return [(times.begins, times.ends)]
    found = []
    since = times.begins
    while since < times.ends:
        tomorrow = day_of(since, zone) + timedelta(days=1)
        midnight = datetime.combine(tomorrow, time(), zone).timestamp()
        # The first hour that begins on that day.
        until = min(since + _LONGEST_PART, hour_of(midnight + HOUR - 1.0), times.ends)
        found.append((since, until))
        since = until
    return found


def _with_days(
    days: Sequence[LoadDay], parts: Iterable[EventHours], is_off: Callable[[date], bool]
) -> list[LoadDay]:
    """Add the days of the event of which nothing is known yet."""
    known = {day.day: day for day in days}
    for part in parts:
        known.setdefault(part.day, LoadDay(part.day, is_off(part.day), {}))
    return list(known.values())


def _judged(
    times: EventTimes,
    said: Sequence[Baseline],
    trusts: Sequence[Placebo | None],
    spans: Spans,
    refused: Sequence[str],
) -> EventBaseline:
    # As sure as of its least sure part.
    tried = [trust for trust in trusts if trust is not None]
    worst = max(tried, key=lambda trust: trust.relative_error, default=None)
    first = said[0]
    told = f"{first.method}, {first.adjustment}"
    if worst is not None:
        told += (
            f"; off by {100 * worst.relative_error:.0f} % on {worst.days} days"
            " without an event"
        )
    else:
        told += "; there is no day to try it on"
    return EventBaseline(
        times.begins,
        times.ends,
        times.received,
        first.method,
        "unknown"
        if len(tried) < len(trusts)
        else min((trust.confidence for trust in tried), key=_SURER.index),
        all(trust is not None and trust.eligible for trust in trusts),
        _and(refused, told),
        spans,
        tuple(dict.fromkeys(day.day.isoformat() for item in said for day in item.days)),
        None if worst is None else worst.relative_error,
        None if worst is None else worst.bias,
        0 if worst is None else worst.days,
    )


def _trust(method: str, part: EventHours, days: Sequence[LoadDay]) -> Placebo | None:
    try:
        return placebo(method, part, days)
    except NoBaseline:
        return None


def _spans(
    times: EventTimes, starts: Sequence[float], said: Sequence[Baseline], zone: tzinfo
) -> Iterator[tuple[float, float, float]]:
    at, end = times.begins - BEFORE, times.ends + AFTER
    while at < end:
        hour = hour_of(at)
        # The part that this hour belongs to; the first and the last go on around it.
        item = said[max(bisect_right(starts, at) - 1, 0)]
        until = min(hour + HOUR, end)
        yield at, until, _load(item, wall_minute(hour, item.day, zone))
        at = until


def _load(said: Baseline, minute: int) -> float:
    """Return the load at a time of day, or at the nearest that is known."""
    found = said.shape.get(minute)
    if found is not None:
        return found
    # The same time of another day is nearer than the edge of what is known.
    known = said.shape.get(minute % DAY_MINUTES)
    if known is not None:
        return known
    return said.shape[min(said.shape, key=lambda hour: abs(hour - minute))]


def _and(refused: Sequence[str], told: str) -> str:
    return "; ".join([*refused, told])


def day_of(at: float, zone: tzinfo) -> date:
    """Return the local day of a moment."""
    return wall_time(at, zone)[0]
