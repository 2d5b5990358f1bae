"""Whether a measurement is frozen: still answered, but no longer measured.

A dead sensor often keeps its last value, and so does a gateway that has lost
what is behind it. But much that is healthy is still for long: a plant that is
off for the winter, a room over a holiday, a sensor that tells half degrees. A
sensor taken from the control by mistake can leave a hospital without cooling in
the morning, a frozen one is at worst what every plant without this check has.
So in doubt it is not frozen:

- Judged is only what physics keeps moving: temperatures, humidities, flows,
  pressures and powers that are read. No commands, states, counters, nor speeds
  and positions, which rightly stand still.
- Only stillness while something must move it counts: a machine's measurements
  while it runs, the plant's while a chiller runs. A plant that is off learns
  nothing and freezes nothing, however long. Rooms and weather move by
  themselves; there a week must have been seen, with its nights and its weekend.
- Judged is against the point's own past: the longest stillness that ended by
  itself, three times over. A mistake ends with the first change and is not made
  again, because that stillness is then the longest.
- Zero, or a limit of the range, is rest: it does not count.

`frozen_after` in the plant file replaces all but the last of these.
"""

import math

from .model import Point
from .roles import Quantity
from .steady_time import number

type Row = list[float | None]
"""What is kept: seconds proven lively, the longest stillness, that of now, and
the value that stands."""

RUNNING_PROOF = 48 * 3600.0
"""Seconds of lively measuring until a machine's or the plant's is judged."""
CALENDAR_PROOF = 7 * 24 * 3600.0
"""The same where day, night and weekend make the difference."""
SHORTEST = 3600.0
"""Nothing is frozen before; stillness up to this counts as lively."""
FACTOR = 3.0
"""How much longer than the longest stillness that ended by itself."""
_LONGEST = 400 * 24 * 3600.0
"""A year with its winter; more is not counted, nor believed when restored."""

MOVING = frozenset(
    {
        Quantity.TEMPERATURE,
        Quantity.TEMPERATURE_DIFFERENCE,
        Quantity.PRESSURE_DIFFERENCE,
        Quantity.FLOW,
        Quantity.POWER,
        Quantity.RELATIVE_HUMIDITY,
    }
)
"""What does not stand still while the plant works."""


def is_judged(point: Point) -> bool:
    """Return whether a point can be found frozen at all."""
    role = point.role
    if role.commandable or point.writable or point.address is None:
        return False
    if point.frozen_after is not None:
        measures = not role.quantity.is_boolean and role.quantity is not Quantity.ENERGY
        return measures and point.frozen_after > 0
    return role.quantity in MOVING


class Stillness:
    """How long one measurement has not changed, and what is usual for it."""

    __slots__ = (
        "_high",
        "_limit",
        "_longest",
        "_low",
        "_proof",
        "_proven",
        "_resting",
        "_stated",
        "_still",
        "_value",
    )

    def __init__(self, point: Point, proof: float) -> None:
        """`proof` is the lively time that is needed before judging."""
        self._low = -math.inf if point.low is None else point.low
        self._high = math.inf if point.high is None else point.high
        self._stated = point.frozen_after
        self._proof = proof
        self._proven = 0.0
        self._longest = 0.0
        self._still = 0.0
        self._value: float | None = None
        self._resting = True
        self._limit = math.inf
        self._judge_by_past()

    @property
    def limit(self) -> float:
        """Stillness in seconds from which on it is frozen; infinite: never."""
        return self._limit

    @property
    def counts_always(self) -> bool:
        """Whether stillness counts whatever runs."""
        return self._stated is not None

    def observe(self, value: float, seconds: float) -> bool:
        """Take a value, `seconds` of stillness after the one before.

        Return whether the measurement is frozen.
        """
        if value == self._value:
            if self._resting:
                return False
            self._still += seconds
            return self._still > self._limit
        if self._value is not None and not self._resting:
            still = min(self._still + seconds, _LONGEST)
            if still <= SHORTEST:
                self._proven = min(self._proven + still, self._proof)
            self._longest = max(self._longest, still)
            self._judge_by_past()
        self._begin(value)
        return False

    def forget(self) -> None:
        """Begin anew: what stood still was not the measurement's own."""
        self._value = None
        self._still = 0.0
        self._resting = True

    def as_row(self) -> Row:
        """Return what a restart must not forget."""
        return [
            round(self._proven),
            round(self._longest),
            round(self._still),
            self._value,
        ]

    def restore(self, row: object) -> None:
        """Take what `as_row` gave; what makes no sense is left out."""
        if not isinstance(row, (list, tuple)) or len(row) != 4:
            return
        proven, longest, still = (number(item) for item in row[:3])
        if proven is None or longest is None or still is None:
            return
        if not all(0 <= item <= _LONGEST for item in (proven, longest, still)):
            return
        self._proven = min(proven, self._proof)
        self._longest = longest
        self._judge_by_past()
        value = number(row[3])
        if value is not None:
            self._begin(value)
            self._still = still

    def _begin(self, value: float) -> None:
        self._value = value
        self._still = 0.0
        self._resting = value == 0 or value <= self._low or value >= self._high

    def _judge_by_past(self) -> None:
        if self._stated is not None:
            self._limit = self._stated
        elif self._proven >= self._proof:
            self._limit = max(SHORTEST, FACTOR * self._longest)
