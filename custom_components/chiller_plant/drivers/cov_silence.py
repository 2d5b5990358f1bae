"""When a device that reports has been still for too long to be believed.

What has died says nothing, and neither does a plant at rest. How long a device
usually is still is learned from its reports, all objects together; when it is
still for several times that, one question tells which of both it is. A question
to which nothing new came makes the next one later, until it reports again.
"""

from .bacnet_read_multiple import Place

_LEAST = 2.0
"""Seconds of stillness that are nothing special for any device."""
_MOST = 60.0
"""Of a device that usually is still for longer, the poll learns it sooner."""
_TIMES = 3.0
"""Of the longest pause of late."""
_FORGETTING = 0.95
"""What is left of the longest pause after one more report."""
_LEARNED = 4
"""Pauses that have to be known."""


class ReportSilence:
    """How long one device has been still; times are seconds of the caller."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.forget()

    def forget(self) -> None:
        """Begin to learn anew, as after the device was away."""
        self._last: tuple[float, Place] | None = None
        self._pause = 0.0
        self._known = 0
        self._doublings = 0

    def heard(self, now: float, name: Place) -> None:
        """Take in a report that was not asked for."""
        if self._last is not None:
            self._pause = max(now - self._last[0], self._pause * _FORGETTING)
            self._known += 1
        self._last = now, name
        self._doublings = 0

    def due(self) -> float | None:
        """Return when to ask; None: it has not said enough to be doubted."""
        if self._last is None or self._known < _LEARNED:
            return None
        patience = max(_LEAST, _TIMES * self._pause) * 2**self._doublings
        return self._last[0] + patience if patience <= _MOST else None

    def take_due(self, now: float) -> Place | None:
        """Return what to ask for now: what was reported last."""
        due = self.due()
        if due is None or now < due or self._last is None:
            return None
        self._doublings += 1
        return self._last[1]
