"""What is kept of an event for ever, and shown of it everywhere."""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

_MOMENTS = ("begins", "ends", "received", "cancelled", "settled_at")
_DECIMALS = 3
SUM = "sum"
"""The method of the total of a portfolio."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event at one plant, as it was settled.

    Times are epoch seconds, powers kW as means over the whole event; what was not
    known is None.
    """

    plant: str
    event: str
    """The event's key: what tells it from the events of other utilities."""
    event_id: str
    """What the utility calls it."""
    source: str
    """The connection that told of it."""
    name: str
    begins: float
    ends: float
    """When it ended, earlier than announced if it was cancelled."""
    recovery: float
    """Seconds."""
    received: float
    cancelled: float | None
    opt: str
    test: bool
    meter: str | None
    """The entity that measured."""
    method: str
    why: str
    """How the baseline came about, and what keeps it from being settled."""
    confidence: str
    eligible: bool
    relative_error: float | None
    bias: float | None
    baseline_kw: float | None
    requested_kw: float | None
    target_kw: float | None
    actual_kw: float | None
    achieved_kw: float | None
    shed_percent: float | None
    energy_kwh: float | None
    samples: int
    covered: float
    """Share of the event in which the load is known."""
    settled_at: float

    @property
    def unsettled(self) -> str | None:
        """Why there are no figures; None if there are."""
        if self.baseline_kw is None:
            return f"there is no baseline: {self.why}"
        if self.actual_kw is None:
            return "the meter said nothing during the event"
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types, as it is kept."""
        return asdict(self)

    def told(self) -> dict[str, Any]:
        """Return it in JSON types, as people and programs are told."""
        return {
            key: (
                round(value, _DECIMALS)
                if isinstance(value, float) and key not in _MOMENTS
                else _iso(value)
                if key in _MOMENTS and value is not None
                else value
            )
            for key, value in asdict(self).items()
        }


COLUMNS = tuple(field.name for field in fields(EventRecord))


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(round(moment), UTC).isoformat()
