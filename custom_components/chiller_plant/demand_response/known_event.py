"""An event of a utility as people see it, and what the engine says of it.

The engine's event book is the truth while it runs; what it last told is kept, so
that the calendar, a phone and a settlement know of an event also without it.
"""

from dataclasses import asdict, dataclass, field
import json
import math
import re
from typing import Any, Literal

import voluptuous as vol

from homeassistant.helpers import config_validation as cv

type Stands = Literal["far", "near", "active", "recovery", "completed", "cancelled"]
OVER: tuple[Stands, ...] = ("completed", "cancelled")
NEAR = 3600.0
"""Seconds before its start from which on an event is near."""

IDLE = "idle"
PRECOOLING = "precooling"
SHEDDING = "shedding"
RECOVERING = "recovering"
OFF = "off"
NOT_READY = "not_ready"
FAULT = "fault"
NO_ENGINE = "no_engine"
REPORTED = (IDLE, PRECOOLING, SHEDDING, RECOVERING, OFF, NOT_READY, FAULT)
"""The states that the engine reports."""
STATES = (*REPORTED, NO_ENGINE)

MAXIMUM_REPORT = 300_000
"""Characters; most of it is how long each measure was used, of up to 1,500 zones."""
MAXIMUM_BOOK = 500_000
"""Characters: 200 events of the usual size are a fifth of it."""
MAXIMUM_ATTRIBUTES = 12_000
"""Home Assistant's recorder keeps attributes of up to 16 kB."""
MAXIMUM_ACTIONS = 40
MOST_CONNECTIONS = 20
MOST_EVENTS = 200
KEPT = 366 * 86400.0
"""Seconds after its end for which an event is known."""
_LAST_MOMENT = 7_258_118_400.0
"""2200: what is beyond cannot be shown in a calendar."""
_LONGEST_RECOVERY = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """One event; times are epoch seconds as they hold at this site."""

    key: str
    """`<connection's name>:<id>`."""
    id: str
    source: str
    """The name of the connection that told of it."""
    begins: float
    ends: float
    recovery: float = 0.0
    """Seconds after its end in which the load comes back."""
    name: str = ""
    status: str = "far"
    """Where it stood when the engine told of it; see `stands`."""
    opt: str = "in"
    why: str = ""
    """Why the site takes part or does not."""
    test: bool = False
    comment: str = ""
    received: float = 0.0
    cancelled: float | None = None
    signals: list[dict[str, Any]] = field(default_factory=list)
    """`{"kind", "intervals": [{"duration", "value"}]}`, the most exact first."""
    asked_now: str | None = None
    """What is asked for at this moment, in words."""

    def stands(self, now: float) -> Stands:
        """Return where it stands, also while nobody tells."""
        if self.cancelled is not None:
            return "cancelled"
        if now >= self.ends + self.recovery:
            return "completed"
        if now >= self.ends:
            return "recovery"
        if now >= self.begins:
            return "active"
        return "near" if now >= self.begins - NEAR else "far"

    def over(self, now: float) -> bool:
        """Whether nothing can be changed of it any more."""
        return self.stands(now) in OVER

    @property
    def stopped(self) -> float:
        """When it ended, before its recovery; a cancelled one when it was."""
        return self.ends if self.cancelled is None else min(self.cancelled, self.ends)

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OptDecision:
    """What a person decided of one event."""

    opt: str
    why: str
    by: str
    at: float

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types."""
        return asdict(self)


def finite_number(value: Any) -> float:
    """Take a number; raises `vol.Invalid` for what is none."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
    ):
        raise vol.Invalid("expected a number")
    return float(value)


def epoch_seconds(value: Any) -> float:
    """Take a time; raises `vol.Invalid` for what is none."""
    moment = finite_number(value)
    if not 0.0 <= moment <= _LAST_MOMENT:
        raise vol.Invalid("expected epoch seconds of this century or the next")
    return moment


def _in_order(event: dict[str, Any]) -> dict[str, Any]:
    if event["ends"] < event["begins"]:
        raise vol.Invalid("it ends before it begins")
    return event


def text_of(longest: int) -> Any:
    """Return what takes a text of so many characters."""
    return vol.All(str, vol.Length(max=longest))


_KEY = vol.All(str, vol.Length(min=1, max=255))
_OPT = vol.In(("in", "out"))
_NUMBER_OR_NONE = vol.Any(None, finite_number)
_MOMENT_OR_NONE = vol.Any(None, epoch_seconds)
_SIGNAL = {
    vol.Required("kind"): text_of(40),
    vol.Required("intervals"): [
        {
            vol.Required("duration"): vol.All(finite_number, vol.Range(min=0.0)),
            vol.Required("value"): _NUMBER_OR_NONE,
        }
    ],
}
EVENT_SCHEMA = vol.All(
    {
        vol.Required("key"): _KEY,
        vol.Required("id"): _KEY,
        vol.Required("source"): _KEY,
        vol.Required("begins"): epoch_seconds,
        vol.Required("ends"): epoch_seconds,
        vol.Optional("recovery"): vol.All(
            finite_number, vol.Range(0.0, _LONGEST_RECOVERY)
        ),
        vol.Optional("name"): text_of(255),
        vol.Optional("status"): text_of(20),
        vol.Optional("opt"): _OPT,
        vol.Optional("why"): text_of(500),
        vol.Optional("test"): bool,
        vol.Optional("comment"): text_of(2000),
        vol.Optional("received"): epoch_seconds,
        vol.Optional("cancelled"): _MOMENT_OR_NONE,
        vol.Optional("signals"): [_SIGNAL],
        vol.Optional("asked_now"): vol.Any(None, text_of(255)),
    },
    _in_order,
)
DECISION_SCHEMA = vol.Schema(
    {
        vol.Required("opt"): _OPT,
        vol.Required("why"): str,
        vol.Required("by"): str,
        vol.Required("at"): epoch_seconds,
    }
)
_CONNECTION = vol.Schema(
    {
        vol.Required("id"): _KEY,
        vol.Required("stands"): text_of(20),
        vol.Optional("since"): _MOMENT_OR_NONE,
        vol.Optional("heard"): _MOMENT_OR_NONE,
        vol.Optional("why"): text_of(500),
        vol.Optional("registrations"): int,
        vol.Optional("skew"): _NUMBER_OR_NONE,
        vol.Optional("waiting"): int,
        vol.Optional("dropped"): int,
    }
)
_ACTION = vol.Schema(
    {
        vol.Required("event"): cv.slug,
        vol.Required("reason"): text_of(500),
        vol.Optional("at"): _MOMENT_OR_NONE,
    },
    extra=vol.ALLOW_EXTRA,
)
_REPORT = vol.Schema(
    {
        vol.Required("state"): vol.In(REPORTED),
        vol.Optional("attributes", default=dict): dict,
        vol.Optional("resume", default=None): vol.Any(None, dict),
        vol.Optional("available_kw", default=None): _NUMBER_OR_NONE,
        vol.Optional("connections", default=list): vol.All(
            [_CONNECTION], vol.Length(max=MOST_CONNECTIONS)
        ),
        vol.Optional("events", default=list): vol.All(
            [EVENT_SCHEMA], vol.Length(max=MOST_EVENTS)
        ),
        vol.Optional("actions", default=list): vol.All(
            [_ACTION], vol.Length(max=MAXIMUM_ACTIONS)
        ),
        # Packages that the engine would need and does not have.
        vol.Optional("missing", default=list): vol.All(
            [text_of(60)], vol.Length(max=10)
        ),
    }
)


_NO_TEXT = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)


def _as_text(found: Any) -> Any:
    """Return the same with texts that any file and any database takes.

    Half of a pair is no character, and NUL none of PostgreSQL's: what a utility calls
    an event must not keep others from being written.
    """
    if isinstance(found, str):
        return found.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(found, list):
        return [_as_text(item) for item in found]
    if isinstance(found, dict):
        return {_as_text(key): _as_text(item) for key, item in found.items()}
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def from_json(text: str, longest: int) -> Any:
    """Return what a JSON text says; raises `vol.Invalid` with the reason."""
    if len(text) > longest:
        raise vol.Invalid(f"{len(text)} characters; at most {longest} are")
    try:
        found = json.loads(text, parse_constant=_no_number)
        if _NO_TEXT.search(text):
            found = _as_text(found)
    except ValueError as error:
        raise vol.Invalid(f"not JSON: {error}") from error
    except RecursionError as error:
        raise vol.Invalid("nested too deeply") from error
    return found


def parse_report(text: str) -> dict[str, Any]:
    """Return what the engine told; raises `vol.Invalid` with the reason."""
    report: dict[str, Any] = _REPORT(from_json(text, MAXIMUM_REPORT))
    if len(json.dumps(report["attributes"])) > MAXIMUM_ATTRIBUTES:
        raise vol.Invalid(f"attributes: over {MAXIMUM_ATTRIBUTES} characters")
    return report


def parse_book(text: str) -> list[dict[str, Any]]:
    """Return the engine's event book; raises `vol.Invalid` with the reason."""
    book = from_json(text, MAXIMUM_BOOK)
    if not isinstance(book, list) or not all(isinstance(row, dict) for row in book):
        raise vol.Invalid("not a list of events")
    if len(book) > MOST_EVENTS:
        raise vol.Invalid(f"{len(book)} events; at most {MOST_EVENTS} are kept")
    return book
