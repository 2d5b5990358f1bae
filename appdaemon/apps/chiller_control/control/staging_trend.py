"""Whether a load is on its way down, and how far it will be in an hour.

A stage is left for the next lower one only well below what that can carry, lest
the load comes back and a chiller starts again. In the evening it does not come
back: a load that has fallen steadily may be trusted to fall on. Steadily is, in
each quarter of an hour, below the one before; whoever has just changed a stage
has to wait until what that did to the water is over.
"""

from collections import deque
from itertools import pairwise

QUARTER = 900.0
"""Seconds of one mean."""
QUARTERS = 3
AHEAD = 3600.0


class LoadTrend:
    """The means of the last quarters of an hour."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._means: deque[float] = deque(maxlen=QUARTERS)
        self._since: float | None = None
        self._at: float | None = None
        self._sum = self._weight = 0.0

    def clear(self) -> None:
        """Forget: what was seen is over."""
        self._means.clear()
        self._since = self._at = None

    def observe(self, now: float, load: float) -> None:
        """Take the load of this moment, in any unit."""
        if self._at is None or not 0.0 <= now - self._at <= QUARTER:
            self.clear()
        if self._since is None or self._at is None:
            self._since = self._at = now
            self._sum = self._weight = 0.0
            return
        self._sum += load * (now - self._at)
        self._weight += now - self._at
        self._at = now
        if now - self._since >= QUARTER:
            self._means.append(self._sum / self._weight)
            self._since, self._sum, self._weight = now, 0.0, 0.0

    @property
    def ahead(self) -> float | None:
        """The load in an hour if it falls on; None while it does not fall."""
        if len(self._means) < QUARTERS:
            return None
        if any(later >= sooner for sooner, later in pairwise(self._means)):
            return None
        first, last = self._means[0], self._means[-1]
        fallen = (first - last) / ((QUARTERS - 1) * QUARTER)
        return max(0.0, last - fallen * AHEAD)
