"""What connections to utilities have in common, whichever protocol they speak.

Needs none of the packages that only one of the protocols does.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Stands: TypeAlias = Literal["connecting", "registered", "lost"]


@dataclass(slots=True)
class Health:
    """How the connection stands, for people."""

    stands: Stands = "connecting"
    since: float = 0.0
    heard: float | None = None
    """When the server last answered."""
    why: str = ""
    registrations: int = 0
    skew: float | None = None
    """By how much the server's clock is ahead of ours, where it says its time."""
    waiting: int = 0
    """Figures that the server has not been given yet."""
    dropped: int = 0
    """Figures that it will never be given: too many waited."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken part in."""

    source: str
    event_id: str
    why: str
