"""What a plant does for a portfolio, as Home Assistant tells of it.

Several plants share what a utility asks for. Home Assistant splits it and says what
each of them is to shed; where it says nothing, nothing is asked of this one: never
what is asked of all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .event_book import given_event
from .grid_event import GridEvent
from .requested_load import RequestedLoad

SMALL = 0.1
"""kW that nobody sheds for."""


@dataclass(frozen=True, slots=True)
class Share:
    """What this plant is to shed in an event."""

    since: float
    until: float
    kw: float
    of_kw: float
    """What all plants are to shed together."""


@dataclass(frozen=True, slots=True)
class PortfolioPart:
    """The part that one plant has in a portfolio."""

    source: str | None
    """Whom events that others heard of come from."""
    events: tuple[GridEvent, ...]
    leads: bool
    """Whether its own events are shared with others."""
    shares: Mapping[str, Share]
    """By the key of the event."""
    figures: Mapping[str, str]
    """The entities that show what all plants take and could shed together: `power`,
    `baseline` and `available`, kW. Empty where others lead."""

    def is_shared(self, event: GridEvent) -> bool:
        """Whether what an event asks for is asked of several plants."""
        return self.leads or event.source == self.source

    def load(self, key: str, now: float, baseline_kw: float) -> RequestedLoad | None:
        """Return what this plant is asked for now; None while that is nothing."""
        share = self.shares.get(key)
        if share is None or not share.since <= now < share.until or share.kw < SMALL:
            return None
        target = max(baseline_kw - share.kw, 0.0)
        return RequestedLoad(
            target,
            baseline_kw - target,
            f"{share.kw:.1f} kW of the {share.of_kw:.1f} kW that its portfolio sheds",
        )


def parse_portfolio(data: Mapping[str, Any]) -> PortfolioPart:
    """Read it; KeyError, TypeError or ValueError if it is none."""
    source = data.get("source")
    return PortfolioPart(
        None if source is None else str(source),
        tuple(given_event(row) for row in data["events"]),
        bool(data["leads"]),
        {
            key: Share(
                float(row["since"]),
                float(row["until"]),
                float(row["kw"]),
                float(row["of_kw"]),
            )
            for key, row in data["shares"].items()
        },
        {str(name): str(entity) for name, entity in data["figures"].items()},
    )
