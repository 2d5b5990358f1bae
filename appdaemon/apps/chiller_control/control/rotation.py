"""Who is next: the rules by which machines of a kind take turns.

Guideline 36-2021 §5.1.15 shares the work by *staging* run hours, which can be
set back when a machine is replaced. Others share it by starts, by the calendar,
or not at all; the rules are here, what is done with them is the controllers'.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from .decision import ControlRefused
from .form_times import date_of, time_of


def by_least(
    order: Sequence[str], amounts: Mapping[str, float], tolerance: float
) -> tuple[str, ...]:
    """Return the order with the least amount first, changed only where it must be.

    Neighbours change places when the first has more than `tolerance` more than
    the second: two that run side by side do not swap with each reading. What
    has no known amount keeps its place.
    """
    result = list(order)
    changed = True
    while changed:
        changed = False
        for index, (one, other) in enumerate(pairwise(result)):
            if one in amounts and other in amounts:
                if amounts[one] > amounts[other] + tolerance:
                    result[index : index + 2] = other, one
                    changed = True
                    break
    return tuple(result)


def next_by_least(
    order: Sequence[str],
    amounts: Mapping[str, float],
    tolerance: float,
    growing: Mapping[str, bool],
) -> float | None:
    """Return by how much the growing ones grow until `by_least` changes the order.

    None if it does not change while the same ones grow.
    """
    rests = [
        max(0.0, tolerance - (amounts[one] - amounts[other]))
        for one, other in pairwise(order)
        if one in amounts
        and other in amounts
        and growing.get(one, False)
        and not growing.get(other, False)
    ]
    return min(rests, default=None)


class RotationSchedule:
    """A change every so many days, from a first day on, at a time of the day.

    How often it has happened follows from the clock alone: sequences of several
    profiles take the same turn, and none is lost to a restart.
    """

    def __init__(self, config: Mapping[str, Any], days: float) -> None:
        """Read it; raise ControlRefused if it cannot be."""
        self._days = int(days)
        if self._days != days or self._days < 1:
            raise ControlRefused(
                f"rotation_days is {days:g}; whole days are needed", "rotation_days"
            )
        self._start = date_of(config.get("rotation_start"), "rotation_start")
        self._time = time_of(config.get("rotation_time"), "rotation_time")

    def at(self, now: float, zone: tzinfo) -> tuple[int, float]:
        """Return how many changes there have been, and when the next one is.

        Wall-clock times at the plant, compared as instants (epoch seconds): a
        night in which the clocks change has one change, not two and not none.
        """
        today = datetime.fromtimestamp(now, zone).date()
        count = max(0, (today - self._start).days // self._days)
        while count and self.moment(count, zone) > now:
            count -= 1
        while self.moment(count + 1, zone) <= now:
            count += 1
        return count, self.moment(count + 1, zone)

    def moment(self, count: int, zone: tzinfo) -> float:
        """Return when a change is, by its number; the first one has the number 1."""
        day = self._start + timedelta(days=count * self._days)
        return datetime.combine(day, self._time, zone).timestamp()
