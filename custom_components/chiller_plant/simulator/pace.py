"""How simulated time follows real time."""

LONGEST_CATCH_UP = 2.0
"""Real seconds that may be made up for at once."""

_LAGGING_TIME = 10.0


class Pace:
    """How much time passes in the world; never chases what it has lost.

    A machine too slow for the speed gets a slower world, not a longer queue.
    """

    def __init__(self, speed: float) -> None:
        """Take simulated seconds for each real one."""
        self.speed = speed
        self.lost = 0.0
        """Simulated seconds that were left out."""
        self._last: float | None = None
        self._lost_at: float | None = None

    def due(self, now: float) -> float:
        """Return the simulated seconds to go on by at this real time."""
        elapsed = 0.0 if self._last is None else now - self._last
        self._last = now
        if elapsed > LONGEST_CATCH_UP:
            self.lost += (elapsed - LONGEST_CATCH_UP) * self.speed
            self._lost_at = now
            elapsed = LONGEST_CATCH_UP
        return max(0.0, elapsed) * self.speed

    @property
    def keeps_up(self) -> bool:
        """Whether nothing was left out lately."""
        if self._lost_at is None or self._last is None:
            return True
        return self._last - self._lost_at > _LAGGING_TIME
