"""What a site can do to use less, each within its own limits.

A measure goes in levels: a circuit is on or off, a setpoint is raised by steps, a
demand limit is lowered by steps. How much a level brings is an estimate; the
meter has the last word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..decision import Command, Inputs, Value

Kind: TypeAlias = Literal["switch_off", "raise", "limit", "discharge"]
"""`switch_off` commands off. `raise` adds steps to what a setpoint was. `limit`
takes steps off 100 %. `discharge` asks a storage for steps of power."""

SETTLING: Mapping[Kind, float] = {
    "switch_off": 60.0,
    "raise": 600.0,
    "limit": 240.0,
    "discharge": 60.0,
}
"""Seconds until the meter shows what a level brought."""


@dataclass(frozen=True, slots=True)
class Comfort:
    """A zone that a measure touches: its temperature and the warmest allowed, °C."""

    point: str
    warmest: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that can be done; times in seconds."""

    key: str
    name: str
    kind: Kind
    points: tuple[str, ...]
    order: int
    """Those with a lower number are used first and given back last."""
    capacity_kw: float
    """Estimate for one level."""
    levels: int = 1
    step: float = 0.0
    """K, % or kW for one level."""
    bound: float | None = None
    """The highest value of a setpoint that is raised, the lowest limit in %."""
    comfort: tuple[Comfort, ...] = ()
    own_zone: bool = False
    """It touches one zone only and is given back whole where that gets too warm."""
    least_on: float = 300.0
    longest_on: float | None = None
    recovery: float = 0.0
    """Time after it was given back before it may be used again."""


@dataclass(slots=True)
class Use:
    """How far a measure is used, and since when."""

    level: int = 0
    changed: float = float("-inf")
    begun: float | None = None
    given_back: float = float("-inf")
    before: dict[str, float] = field(default_factory=dict)
    """What setpoints were before the first level."""
    burden: float = 0.0
    """Level times seconds so far: who has borne most is asked last."""
    moved_kw: float = 0.0
    """What the last change of level is expected to bring."""

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types."""
        return {
            "level": self.level,
            "changed": self.changed,
            "begun": self.begun,
            "before": dict(self.before),
            "burden": self.burden,
        }

    @classmethod
    def restored(cls, stored: Mapping[str, Any], measure: Measure) -> "Use":
        """Take back what `as_dict` gave. Raises KeyError, TypeError, ValueError."""
        begun = stored["begun"]
        return cls(
            level=min(max(int(stored["level"]), 0), measure.levels),
            changed=float(stored["changed"]),
            begun=None if begun is None else float(begun),
            before={str(key): float(value) for key, value in stored["before"].items()},
            burden=float(stored["burden"]),
        )


def remember(measure: Measure, use: Use, inputs: Inputs) -> str | None:
    """Keep what setpoints are before the first level; say why that cannot be."""
    if measure.kind != "raise":
        return None
    for point in measure.points:
        value = inputs.number(point)
        if value is None:
            return f"{point} is not known"
        use.before[point] = value
    return None


def commands(measure: Measure, use: Use) -> tuple[Command, ...]:
    """Return what the measure commands at its level; nothing at level 0."""
    if use.level == 0:
        return ()
    reason = f"{measure.name}, step {use.level} of {measure.levels}"
    return tuple(
        Command(point, _value(measure, use, point), reason) for point in measure.points
    )


def _value(measure: Measure, use: Use, point: str) -> Value:
    moved = measure.step * use.level
    if measure.kind == "switch_off":
        return False
    if measure.kind == "raise":
        raised = use.before[point] + moved
        if measure.bound is None:
            return raised
        # A setpoint that was above its bound already is never lowered by this.
        return max(min(raised, measure.bound), use.before[point])
    if measure.kind == "limit":
        return max(100.0 - moved, measure.bound or 0.0)
    return moved
