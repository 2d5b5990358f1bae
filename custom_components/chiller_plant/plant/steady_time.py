"""Time that machines are protected by: it only runs forward, and never leaps.

The clock of the house can be set. A minimum off time must neither last for
ever nor be over at once because of that.
"""

import math

from .model import Plant


class SteadyClock:
    """Seconds during which the plant was watched, out of epoch seconds.

    A longer gap between two looks (a clock that was set, a restart) counts for
    `longest_gap` seconds only: a machine may then wait longer than it must,
    but a compressor is never started early.
    """

    def __init__(self, plant: Plant) -> None:
        """Start at zero."""
        self.longest_gap = max(60.0, 12 * plant.poll_interval)
        self.time = 0.0
        self._last: float | None = None

    def advance(self, now: float) -> float:
        """Return the steady time at this moment."""
        if self._last is not None:
            self.time += min(max(now - self._last, 0.0), self.longest_gap)
        self._last = now
        return self.time

    def as_dict(self) -> dict[str, float | None]:
        """Return JSON types."""
        return {"time": self.time, "last": self._last}

    def restore(self, data: object) -> None:
        """Take what `as_dict` gave, or start at zero."""
        if not isinstance(data, dict):
            return
        self.time = max(number(data.get("time")) or 0.0, 0.0)
        self._last = number(data.get("last"))


def number(value: object) -> float | None:
    """Return a finite number out of stored data, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def past(value: object, time: float) -> float | None:
    """Return a stored steady time, which cannot lie after `time`."""
    stored = number(value)
    return None if stored is None else min(stored, time)


def duration(seconds: float) -> str:
    """Return a wait for people: `7 min 30 s`."""
    whole = max(math.ceil(seconds - 1e-6), 0)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    words = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(words[:2]) or "0 s"
