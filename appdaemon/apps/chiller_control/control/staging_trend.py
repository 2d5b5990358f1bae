"""Whether a load is on its way down or up, and how far it will come.

A stage is left for the next lower one only well below what that can carry, lest
the load comes back and a chiller starts again. In the evening it does not come
back: a load that has fallen steadily may be trusted to fall on. And a chiller
that the load will need anyway need not earn its start by saving power: where a
load has risen steadily, it may come as soon as it costs no more. Steadily is, in
each quarter of an hour, below (above) the one before; whoever has just changed a
stage has to wait until what that did to the water is over.

Further ahead is looked upwards: a chiller that came for nothing at least cost
nothing while it ran, one that left too soon has to start again.
"""

from collections import deque
from itertools import pairwise

QUARTER = 900.0
"""Seconds of one mean."""
QUARTERS = 3
FALL_AHEAD = 3600.0
RISE_AHEAD = 7200.0


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
    def falls_to(self) -> float | None:
        """The load in an hour if it falls on; None while it does not fall."""
        changes = self._changes()
        if not changes or max(changes) >= 0.0:
            return None
        pace = sum(changes) / len(changes) / QUARTER
        return max(0.0, self._means[-1] + pace * FALL_AHEAD)

    @property
    def rises_to(self) -> float | None:
        """The load in two hours if it rises on; None while it does not rise.

        At the slower of its paces: before its peak a load rises ever less.
        """
        changes = self._changes()
        if not changes or min(changes) <= 0.0:
            return None
        return self._means[-1] + min(changes) / QUARTER * RISE_AHEAD

    def _changes(self) -> list[float]:
        """Return the changes from each quarter to the next; none before all are seen."""
        if len(self._means) < QUARTERS:
            return []
        return [later - sooner for sooner, later in pairwise(self._means)]
