"""What the plants of a portfolio say to each other, in one house or over a broker.

A plant offers what it could shed; who leads asks each of them for its share. What is
asked for holds for a short time only, so that a plant whose leader is gone goes back
to nothing. Powers are kW, times epoch seconds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import voluptuous as vol

from .known_event import epoch_seconds, finite_number, from_json, text_of

VALID = 180.0
"""Seconds for which what is asked for holds, unless it is asked for again."""
AGAIN = 60.0
"""Seconds after which it is asked for again."""
STALE = 120.0
"""Seconds after which an offer is worth nothing."""
MOST_EVENTS = 50
MOST_SIGNALS = 8
MOST_BASELINES = 10
"""Events of which an offer tells the baseline: those that come next."""
MOST_SPANS = 400
LAST_RANK = 1_000_000
_LONGEST = 200_000
_CONFIDENCE = vol.All(finite_number, vol.Range(0.0, 1.0))
_AMOUNT = vol.All(finite_number, vol.Range(0.0, 1e7))
_POWER_OR_NONE = vol.Any(None, vol.All(finite_number, vol.Range(-1e7, 1e7)))
_KEY = vol.All(str, vol.Length(min=1, max=200))
_LONGEST_NAME = 40
_NAME = vol.All(str, vol.Length(min=1, max=_LONGEST_NAME))


@dataclass(frozen=True, slots=True)
class Offer:
    """What one plant could shed, and what it does."""

    at: float
    available_kw: float
    """All that it could shed, with what it sheds already."""
    confidence: float
    """How sure that is, 0 to 1."""
    burden: float
    """Hours of full shedding that it bore lately."""
    delivered_kw: float | None
    """Its baseline less its meter; None without an event, or where it is not known."""
    baseline_kw: float | None
    load_kw: float | None
    """What its meter says, with or without an event; None while it says nothing."""
    more_kw: float | None
    """What it could shed in addition now; None where its engine says nothing."""
    used_kw: float
    """What it sheds now, by estimate."""
    of: str | None = None
    """The portfolio that it listens to now."""
    out: tuple[str, ...] = ()
    """The portfolio's events that it takes no part in."""
    complete: bool = True
    """False where it leads plants of its own, and not all of them are in its load."""
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Its baselines by event of the portfolio, as `EventBaseline.told` has them."""

    @property
    def frame(self) -> tuple[object, ...]:
        """What who leads needs to know at once when it changes."""
        return (
            self.of,
            self.out,
            self.complete,
            self.baselines,
            self.available_kw > 0.0,
            self.load_kw is None,
            self.delivered_kw is None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class AskedEvent:
    """One event of a portfolio, as one of its plants is told."""

    id: str
    """The same at all plants."""
    name: str
    begins: float
    ends: float
    recovery: float
    rank: int
    """0 goes before 1."""
    signals: list[dict[str, Any]]
    """What all plants are asked for."""
    kw: float | None
    """What this plant is asked for now; None while nothing is."""
    of_kw: float | None
    """What all plants are asked for now."""

    @property
    def frame(self) -> tuple[object, ...]:
        """What does not change with the share."""
        return (
            self.name,
            self.begins,
            self.ends,
            self.recovery,
            self.rank,
            self.signals,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """All that one plant is asked for."""

    portfolio: str
    """The name of the plant that leads."""
    at: float
    valid_until: float
    events: tuple[AskedEvent, ...]

    @property
    def source(self) -> str:
        """Where its events come from, as people read it."""
        return f"Portfolio of {self.portfolio}"

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types."""
        return asdict(self)


def name_of(plant: str) -> str:
    """Return what the portfolio that a plant leads is called."""
    return plant[:_LONGEST_NAME]


def _signal_schema() -> vol.Schema:
    interval = vol.Schema(
        {
            vol.Required("duration"): vol.All(
                finite_number, vol.Range(0.0, 7 * 86400.0)
            ),
            vol.Required("value"): vol.Any(None, finite_number),
        }
    )
    return vol.Schema(
        {
            vol.Required("kind"): text_of(40),
            vol.Required("intervals"): vol.All([interval], vol.Length(min=1, max=1000)),
        }
    )


_SPAN = vol.ExactSequence([epoch_seconds, epoch_seconds, finite_number])
_BASELINE = vol.Schema(
    {
        vol.Required("method"): text_of(40),
        vol.Required("confidence"): text_of(20),
        vol.Required("eligible"): bool,
        vol.Required("why"): text_of(500),
        vol.Required("kw"): vol.All([_SPAN], vol.Length(max=MOST_SPANS)),
    }
)
_OFFER = vol.Schema(
    {
        vol.Required("at"): epoch_seconds,
        vol.Required("available_kw"): _AMOUNT,
        vol.Required("confidence"): _CONFIDENCE,
        vol.Required("burden"): _AMOUNT,
        vol.Required("delivered_kw"): _POWER_OR_NONE,
        vol.Required("baseline_kw"): _POWER_OR_NONE,
        vol.Required("load_kw"): _POWER_OR_NONE,
        vol.Required("more_kw"): vol.Any(None, _AMOUNT),
        vol.Required("used_kw"): _AMOUNT,
        vol.Optional("of", default=None): vol.Any(None, _NAME),
        vol.Optional("complete", default=True): bool,
        vol.Optional("baselines", default=dict): vol.All(
            {_KEY: _BASELINE}, vol.Length(max=MOST_BASELINES)
        ),
        vol.Optional("out", default=list): vol.All([_KEY], vol.Length(max=MOST_EVENTS)),
    }
)
_EVENT = vol.Schema(
    {
        vol.Required("id"): _KEY,
        vol.Optional("name", default=""): text_of(200),
        vol.Required("begins"): epoch_seconds,
        vol.Required("ends"): epoch_seconds,
        vol.Optional("recovery", default=0.0): vol.All(
            finite_number, vol.Range(0.0, 7 * 86400.0)
        ),
        vol.Optional("rank", default=1): vol.All(int, vol.Range(0, LAST_RANK)),
        vol.Required("signals"): vol.All(
            [_signal_schema()], vol.Length(min=1, max=MOST_SIGNALS)
        ),
        vol.Required("kw"): vol.Any(None, _AMOUNT),
        vol.Required("of_kw"): vol.Any(None, _AMOUNT),
    }
)
_REQUEST = vol.Schema(
    {
        vol.Required("portfolio"): _NAME,
        vol.Required("at"): epoch_seconds,
        vol.Required("valid_until"): epoch_seconds,
        vol.Required("events"): vol.All([_EVENT], vol.Length(max=MOST_EVENTS)),
    }
)


def parse_offer(said: str) -> Offer:
    """Return an offer; raises `vol.Invalid` with the reason."""
    row: dict[str, Any] = _OFFER(from_json(said, _LONGEST))
    return Offer(**{**row, "out": tuple(row["out"])})


def parse_request(said: str) -> Request:
    """Return a request; raises `vol.Invalid` with the reason."""
    return request_of(from_json(said, _LONGEST))


def request_of(data: Mapping[str, Any]) -> Request:
    """Return what `as_dict` gave; raises `vol.Invalid` with the reason."""
    row: dict[str, Any] = _REQUEST(data)
    return Request(
        **{**row, "events": tuple(AskedEvent(**event) for event in row["events"])}
    )
