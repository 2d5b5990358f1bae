"""What `Shedding` is told: how it may work, and what is asked of the site."""

from dataclasses import dataclass

from .requested_load import RequestedLoad


@dataclass(frozen=True, slots=True)
class SheddingSettings:
    """How the loop against the meter works; times in seconds."""

    deadband: float = 0.02
    """Share of the baseline by which the load may be off."""
    comfort_return: float = 0.5
    """K below the warmest temperature from which on a zone may be used again."""
    comfort_interval: float = 120.0
    """Between two steps back for comfort of what touches many zones."""
    release_interval: float = 180.0
    """Between two steps back after the event."""
    rebound: float = 1.05
    """Share of the baseline above which nothing more is given back."""
    longest_recovery: float = 7200.0
    """After the event for which the load is waited for."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of the site now."""

    baseline_kw: float
    asked: RequestedLoad | None
    """None while nothing is asked: measures are given back."""
    why: str = ""
