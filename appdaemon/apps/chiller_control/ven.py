"""What connections to utilities have in common, whichever protocol they speak.

Needs none of the packages that only one of the protocols does.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .control.demand_response.event_book import EventBook
from .control.demand_response.grid_event import shown

MOST_SHOWN = 255
"""Characters of an id that are shown where it is no good."""

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


def refusal(source: str, identity: str, why: str, book: EventBook) -> Refusal:
    """Return what to say of an event that was not taken as it was told."""
    entry = book.entries.get(f"{source}:{identity}")
    if (
        entry is not None
        and entry.cancelled is None
        and entry.opt == "in"
        and "counts" not in why
    ):
        why += "; what was known of it before goes on"
    return Refusal(source, shown(identity)[:MOST_SHOWN], why)
