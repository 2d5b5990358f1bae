"""What a part of a benchmark hands back: figures with a bound, and what is behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, and what it must be at least or at most."""

    key: str
    value: float
    unit: str
    bound: float | None
    """None: nobody has set one; what it is compared with stands beside it."""
    better: Literal["higher", "lower"]
    beside: str
    """What the same run measured beside it, for people."""

    @property
    def kept(self) -> bool | None:
        """Whether the figure keeps its bound; None: there is none."""
        if self.bound is None:
            return None
        if self.better == "higher":
            return self.value >= self.bound
        return self.value <= self.bound


@dataclass(slots=True)
class Result:
    """What one part measured."""

    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


def middle(values: Sequence[float]) -> float:
    """Return the median, which one bad moment of the machine does not move."""
    return float(median(values))


def paired(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median ratio of what was measured one right after the other."""
    return middle([mine / peer for mine, peer in zip(ours, theirs, strict=True)])


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Say the middle and the range of what was measured several times."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return (
        f"{middle(values):.{digits}f} ({min(values):.{digits}f}"
        f" to {max(values):.{digits}f})"
    )
