"""How often a point is heard of, and so when its value is too old.

A point is not always read as often as its tier says: a slow bus takes longer,
and a device that reports by itself is read less. So the age that a value may
reach follows from the intervals that were seen.
"""

from .model import Plant
from .roles import PollTier

STALE_AFTER_POLLS = 3
"""A value survives two lost polls; equipment answers late often enough that
one must not blank it."""

_WEIGHT = 0.2
"""Of the newest interval in the smoothed one."""

_SLOWER = {
    PollTier.FAST: PollTier.NORMAL,
    PollTier.NORMAL: PollTier.SLOW,
    PollTier.SLOW: PollTier.SLOW,
}


def stale_after(poll_interval: float) -> float:
    """Return the age in seconds from which on a value is stale."""
    return STALE_AFTER_POLLS * poll_interval


class Sampling:
    """When one point was heard of, in seconds of a clock that never runs back."""

    __slots__ = ("_ceiling", "_floor", "_interval", "_own", "_slower", "heard_at")

    def __init__(self, plant: Plant, tier: PollTier) -> None:
        """Expect it as often as its tier says until other is seen."""
        self._own = plant.interval(tier)
        self._slower = max(self._own, plant.interval(_SLOWER[tier]))
        # What comes more rarely than the next tier does not do its own any
        # more, and is not to be believed for as long as it likes.
        self._ceiling = max(self._slower, 4 * self._own)
        self._floor = self._own
        self._interval = self._own
        self.heard_at: float | None = None
        """None: never."""

    @property
    def patience(self) -> float:
        """The age in seconds from which on the value is stale."""
        return STALE_AFTER_POLLS * max(self._interval, self._floor)

    def heard(self, time: float) -> float | None:
        """Note an answer or a report.

        Return the seconds since the one before, None if that was too long ago
        to tell what happened between (or never).
        """
        before, self.heard_at = self.heard_at, time
        if before is None:
            return None
        gap = time - before
        lasted = gap <= self.patience
        # A change reported by itself, or a look after a command, says nothing
        # of how often the point is heard of when nothing happens.
        if gap > self._floor / 2:
            seen = min(gap, self._ceiling)
            self._interval += _WEIGHT * (seen - self._interval)
        return gap if lasted else None

    def is_stale(self, time: float) -> bool:
        """Return whether what was heard last is too old."""
        return self.heard_at is None or time - self.heard_at > self.patience

    def reports(self, *, by_itself: bool) -> None:
        """Expect it less often while its device reports each change by itself.

        It is then read as seldom as a point of the next tier.
        """
        self._floor = self._slower if by_itself else self._own
