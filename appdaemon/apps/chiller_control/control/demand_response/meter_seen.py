"""What the meter showed, and how far it may be believed.

One reading alone may be a spike, and a meter that shows the same whatever is done
shows nothing: both would have measures used that nobody needs.
"""

from collections import deque

from .measures import READ_BY_THEN

_TOGETHER = 30.0
"""Seconds within which the last reading counts beside the newest."""


class MeterSeen:
    """The readings of one meter, kW."""

    def __init__(self) -> None:
        """Begin without a reading."""
        self.read = float("-inf")
        """When it last showed something else."""
        self._shown: float | None = None
        self._last: deque[tuple[float, float]] = deque(maxlen=2)
        self._acted: float | None = None
        """When something was done first of which it shows nothing at all."""

    def see(self, now: float, load: float | None) -> None:
        """Take a reading."""
        if load != self._shown:
            self._shown, self.read = load, now
            self._acted = None
        if load is None:
            self._last.clear()
        else:
            self._last.append((now, load))

    def bounds(self, now: float) -> tuple[float, float]:
        """Return between what the load is for sure; a reading must be known."""
        loads = [load for at, load in self._last if now - at <= _TOGETHER]
        return min(loads), max(loads)

    def acted(self, now: float) -> None:
        """Note that something was done that it should show."""
        if self._acted is None:
            self._acted = now

    def stuck(self, now: float) -> bool:
        """Whether it showed nothing at all of what was done."""
        return self._acted is not None and now - self._acted >= READ_BY_THEN
