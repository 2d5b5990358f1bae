"""What is known before a start, and what was measured after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, Literal, TypeAlias

Mode: TypeAlias = Literal["cooling", "heating"]

DAY_OFF = 30.0
"""Hours without the plant from which on a day counts as one after a day off: a
night is shorter, a night with a whole day longer."""

LONGEST = 12 * 60.0
"""Minutes; what takes longer is no recovery."""

COLDEST, WARMEST = -60.0, 80.0
"""°C; what is beyond was not measured in or around a building."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """A building that is about to be brought to its setpoint; °C and hours."""

    zone: float
    setpoint: float
    outdoor: float | None = None
    """Dry bulb; None where there is no sensor, or none that is good."""
    off_hours: float = 12.0
    """How long the plant has been off."""
    mode: Mode = "cooling"

    @property
    def distance(self) -> float:
        """K that the zone has to go; 0 when it is there."""
        way = self.zone - self.setpoint
        return max(0.0, way if self.mode == "cooling" else -way)

    @property
    def load(self) -> float:
        """K by which outdoors works against the plant; 0 where it is not known."""
        if self.outdoor is None:
            return 0.0
        way = self.outdoor - self.setpoint
        return way if self.mode == "cooling" else -way

    @property
    def after_day_off(self) -> bool:
        """Whether the building had more than a night to drift."""
        return self.off_hours >= DAY_OFF


@dataclass(frozen=True, slots=True)
class Recovery:
    """A start and what came of it."""

    conditions: Conditions
    minutes: float
    """From the start until the zone was at its setpoint."""
    at: float = 0.0
    """Epoch seconds of the start."""
    predicted: float | None = None
    """Minutes that were expected, without margin."""
    reached: bool = True
    """False: it was not there yet after `minutes`, so that it takes longer."""

    @property
    def usable(self) -> bool:
        """Whether anything can be learnt from it."""
        conditions = self.conditions
        outdoor = 0.0 if conditions.outdoor is None else conditions.outdoor
        temperatures = (conditions.zone, conditions.setpoint, outdoor)
        # What is not a number is not between two either.
        return (
            all(COLDEST <= value <= WARMEST for value in temperatures)
            and isfinite(self.at)
            and 0.0 <= conditions.off_hours < inf
            and 0.0 < self.minutes <= LONGEST
            and conditions.distance > 0.0
        )


def recovery_from(data: Mapping[str, Any]) -> Recovery | None:
    """Read one that was kept, None if it makes no sense."""
    try:
        outdoor, predicted = data.get("outdoor"), data.get("predicted")
        recovery = Recovery(
            Conditions(
                zone=float(data["zone"]),
                setpoint=float(data["setpoint"]),
                outdoor=None if outdoor is None else float(outdoor),
                off_hours=float(data["off_hours"]),
                mode="heating" if data.get("heating") else "cooling",
            ),
            minutes=float(data["minutes"]),
            at=float(data["at"]),
            predicted=None if predicted is None else float(predicted),
            reached=bool(data.get("reached", True)),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return recovery if recovery.usable else None
