"""When a plant needs another chiller, or one less.

Guideline 36-2021 §5.20.4: stage up on *efficiency* (the capacity requirement is
a large share of what the stage was designed for) or on the *failsafe* (the
supply is too warm), each for a time; stage down when the next lower stage could
carry the load, for a time, and the failsafe is not true.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from .decision import iso

AVERAGING_TIME = 300.0
"""Seconds over which the capacity requirement is averaged (§5.20.4.8)."""
WATER_KJ_PER_LITRE_KELVIN = 4.19


def capacity_requirement(
    flow: float | None, return_temperature: float | None, setpoint: float | None
) -> float | None:
    """Return the cooling in kW that brings the flow (l/s) to the setpoint (°C).

    Guideline 36 §5.20.4.8; never negative; None if an input is not known.
    """
    if flow is None or return_temperature is None or setpoint is None:
        return None
    warmer = return_temperature - setpoint
    return max(0.0, flow * WATER_KJ_PER_LITRE_KELVIN * warmer)


class RollingMean:
    """The mean of what was seen in the last `window` seconds."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._samples: deque[tuple[float, float]] = deque(maxlen=2000)

    def add(self, now: float, value: float) -> float:
        """Take one more sample and return the mean."""
        self._samples.append((now, value))
        while self._samples[0][0] < now - self._window:
            self._samples.popleft()
        return sum(value for _, value in self._samples) / len(self._samples)

    def clear(self) -> None:
        """Forget the samples: what they were taken of is over."""
        self._samples.clear()


@dataclass(slots=True)
class Condition:
    """Something that must be so for a time before it counts.

    `value` is None while it cannot be known; then the time starts again.
    """

    name: str
    label: str
    unit: str
    above: bool
    hold: float
    threshold: float = 0.0
    value: float | None = None
    since: float | None = None

    def observe(self, now: float, value: float | None, threshold: float) -> None:
        """Compare, and keep the time since which it is so."""
        self.value, self.threshold = value, threshold
        if not self.met:
            self.since = None
        elif self.since is None:
            self.since = now

    @property
    def met(self) -> bool:
        """Whether it is so at this moment."""
        if self.value is None:
            return False
        if self.above:
            return self.value > self.threshold
        return self.value < self.threshold

    def elapsed(self, now: float) -> bool:
        """Whether it has been so for long enough."""
        return self.since is not None and now - self.since >= self.hold

    def report(self, now: float) -> Mapping[str, object]:
        """Return it as an operator looks at it; times in seconds."""
        held = 0.0 if self.since is None else now - self.since
        return {
            "name": self.name,
            "label": self.label,
            "value": None if self.value is None else round(self.value, 2),
            "threshold": round(self.threshold, 2),
            "unit": self.unit,
            "compare": "above" if self.above else "below",
            "met": self.met,
            "since": iso(self.since),
            "hold": self.hold,
            "remaining": round(max(0.0, self.hold - held)) if self.met else None,
        }
