"""Trim & respond: a setpoint that sinks until somebody asks for more.

Guideline 36-2021 §5.1.14.3. Each step the setpoint is trimmed a little; as soon
as more than a few requests are there it is moved back, further the more there
are. It needs no model of what it resets, and nothing that is tuned to a plant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TrimSettings:
    """How a setpoint is reset; in units of the setpoint, times in seconds.

    `trim` and `respond` have opposite signs. The defaults are those of the
    chilled-water plant reset (§5.20.5.2), in percent.
    """

    initial: float = 100.0
    minimum: float = 0.0
    maximum: float = 100.0
    delay: float = 900.0
    interval: float = 300.0
    ignored: float = 2.0
    trim: float = -2.0
    respond: float = 3.0
    respond_maximum: float = 7.0


class TrimAndRespond:
    """One setpoint under reset."""

    def __init__(self, settings: TrimSettings) -> None:
        """Begin at the initial setpoint, with nothing running."""
        self.settings = settings
        self.value = settings.initial
        self._next: float | None = None

    @property
    def next_at(self) -> float | None:
        """When it is moved next; None while what it resets is off."""
        return self._next

    def stop(self) -> None:
        """Go back to the initial setpoint: what it resets is off."""
        self.value = self.settings.initial
        self._next = None

    def begin(self, now: float, value: float | None = None) -> None:
        """Begin at `value` where it is known; else wait out the delay."""
        if value is None:
            self.value = self.settings.initial
            self._next = now + self.settings.delay
        else:
            self.value = self._within(value)
            self._next = now + self.settings.interval

    def hold(self, now: float) -> None:
        """Keep the value, and do not count this time."""
        self._next = max(self._next or 0.0, now + self.settings.interval)

    def step(self, now: float, requests: float, *, may_trim: bool = True) -> float:
        """Trim or respond when it is time; return the setpoint.

        After a silence it moves once, not as often as it might have.
        """
        settings = self.settings
        if self._next is None:
            self.begin(now)
        elif now >= self._next:
            change = 0.0
            if requests > settings.ignored:
                asked = abs(settings.respond) * (requests - settings.ignored)
                change = min(asked, abs(settings.respond_maximum))
                change = settings.trim + (change if settings.respond > 0 else -change)
            elif may_trim:
                change = settings.trim
            self.value = self._within(self.value + change)
            self._next = now + settings.interval
        return self.value

    def _within(self, value: float) -> float:
        return min(max(value, self.settings.minimum), self.settings.maximum)

    def resume(self) -> dict[str, float | None]:
        """Return what must outlive a restart; JSON types."""
        return {"value": self.value, "next": self._next}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from `resume`; raises KeyError, TypeError, ValueError."""
        value, following = float(data["value"]), data["next"]
        self._next = None if following is None else float(following)
        self.value = self._within(value)
