"""Hours made of records: what was, on average, and how far a counter went."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

HOUR = 3600


@dataclass(frozen=True, slots=True)
class MeasuredHour:
    """What a measurement was in an hour that began at `start` (epoch seconds)."""

    start: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CountedHour:
    """What a counter showed at the end of an hour, and its sum until then."""

    start: int
    state: float
    sum: float


def hour_of(at: float) -> int:
    """Return when the hour of a moment began."""
    return int(at // HOUR) * HOUR


class MeasuredHours:
    """Means over time, of records that come in the order of time.

    A value holds until the next record, at most for an hour; None ends it. An
    hour without a value of its own is not made up.
    """

    def __init__(self) -> None:
        """Begin before the first record."""
        self._last: tuple[float, float] | None = None
        self._start: int | None = None
        self._values: list[float] = []
        self._own = False
        self._weighed = 0.0
        self._seconds = 0.0

    def take(self, at: float, value: float | None) -> Iterator[MeasuredHour]:
        """Take in a record; return the hours that it ends."""
        if self._last is not None:
            yield from self._hold(at)
        self._last = None
        if value is not None:
            start = hour_of(at)
            if start != self._start:
                yield from self._end()
                self._start = start
            self._values.append(value)
            self._own = True
            self._last = at, value

    def finish(self, now: float) -> Iterator[MeasuredHour]:
        """Return the last hour, if it is over."""
        if self._last is not None:
            yield from self._hold(now)
            self._last = None
        if self._start is not None and self._start + HOUR <= now:
            yield from self._end()

    def _hold(self, until: float) -> Iterator[MeasuredHour]:
        """Let the last value count until then, or for an hour."""
        assert self._last is not None
        at, value = self._last
        until = min(until, at + HOUR)
        while at < until:
            start = hour_of(at)
            if start != self._start:
                yield from self._end()
                self._start = start
            seconds = min(until, start + HOUR) - at
            self._weighed += value * seconds
            self._seconds += seconds
            if not self._values:
                self._values.append(value)
            at += seconds

    def _end(self) -> Iterator[MeasuredHour]:
        if self._start is not None and self._own:
            values = self._values
            mean = (
                self._weighed / self._seconds
                if self._seconds
                else sum(values) / len(values)
            )
            # A sum of many products may be rounded beyond what was there.
            low, high = min(values), max(values)
            yield MeasuredHour(self._start, min(max(mean, low), high), low, high)
        self._values = []
        self._own = False
        self._weighed = self._seconds = 0.0


def counted_hours(
    states: Mapping[int, float],
    known: Iterable[CountedHour],
    newest: tuple[float, float],
) -> list[CountedHour]:
    """Return the hours of a counter that are not `known`, with their sums.

    `states` are what it showed at the end of each hour. `newest` is what it
    shows now, and the sum at that. Sums go on from the known hour before,
    so that nothing is counted twice; where there is none they are counted back
    from the next one, and before that may be less than zero. A counter that
    shows less than before was set to zero in between.
    """
    there = {hour.start: hour for hour in known}
    points = sorted(
        [(start, state, None) for start, state in states.items() if start not in there]
        + [(hour.start, hour.state, hour.sum) for hour in there.values()]
    )
    points.append((hour_of(2**40), newest[0], newest[1]))
    first = next(place for place, point in enumerate(points) if point[2] is not None)
    sums: list[float | None] = [point[2] for point in points]
    for place in range(first - 1, -1, -1):
        after = sums[place + 1]
        assert after is not None
        sums[place] = after - _step(points[place][1], points[place + 1][1])
    for (before, here), place in zip(
        pairwise(points), range(1, len(points)), strict=True
    ):
        if sums[place] is None:
            so_far = sums[place - 1]
            assert so_far is not None
            sums[place] = so_far + _step(before[1], here[1])
    return [
        CountedHour(start, state, total)
        for (start, state, _), total in zip(points[:-1], sums, strict=False)
        if start not in there and total is not None
    ]


def _step(before: float, after: float) -> float:
    return after - before if after >= before else after
