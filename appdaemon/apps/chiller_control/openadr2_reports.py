"""What an OpenADR 2.0b server asked us to report, and what it has not been given yet.

Figures are read when they are due, whether or not the server can be reached, and
wait here with the time at which they were read: a report may carry intervals of the
past. What waits is bounded; the oldest is dropped and counted. Times are epoch
seconds.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeAlias

MOST_ROWS = 5_000
"""Figures of one request that wait for the server."""
MOST_REQUESTS = 20
MOST_A_MESSAGE = 200
SHORTEST = 1.0
LONGEST = 3600.0
"""Seconds between two figures: less is no telemetry, more is none either."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """A figure that is reported: `read()` gives it, or None where it is not known."""

    resource: str
    read: Callable[[], float | None]
    measurement: str = "powerReal"
    scale: str = "k"


@dataclass(frozen=True, slots=True)
class Status:
    """What a TELEMETRY_STATUS report says of a resource."""

    online: bool
    override: bool
    """A person has taken the load out of the hands of the automation."""


@dataclass(frozen=True, slots=True)
class StatusTelemetry:
    """A resource whose status is reported: `read()` gives it, None if not known."""

    resource: str
    read: Callable[[], Status | None]


Value: TypeAlias = float | Status


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, and when it was read."""

    at: float
    resource: str
    value: Value


@dataclass(slots=True)
class Request:
    """One report that a server wants."""

    id: str
    specifier: str
    resources: tuple[str, ...]
    every: float
    """Seconds between two figures."""
    back: float
    """Seconds between two messages; 0: one message, and then no more."""
    sample_at: float = 0.0
    send_at: float = 0.0
    live: bool = True
    """Whether the registration that it belongs to still stands."""
    rows: deque[Row] = field(default_factory=lambda: deque(maxlen=MOST_ROWS))


class ReportDesk:
    """The reports that are wanted of one site by one server."""

    def __init__(
        self, figures: Iterable[Telemetry], statuses: Iterable[StatusTelemetry]
    ) -> None:
        """Begin without requests."""
        self._read: dict[str, Callable[[], Value | None]] = {
            **{item.resource: item.read for item in figures},
            **{item.resource: item.read for item in statuses},
        }
        self._requests: dict[str, Request] = {}
        self.changes = 0
        self.dropped = 0
        """Figures that were given up because too many waited."""

    @property
    def waiting(self) -> int:
        """How many figures the server has not been given."""
        return sum(len(request.rows) for request in self._requests.values())

    def as_rows(self, most: int) -> list[Any]:
        """Return the newest of what waits, by request."""
        times = sorted(
            (row.at for request in self._requests.values() for row in request.rows),
            reverse=True,
        )
        oldest = times[most - 1] if len(times) > most else 0.0
        return [
            {
                "id": request.id,
                "specifier": request.specifier,
                "resources": request.resources,
                "every": request.every,
                "back": request.back,
                "rows": [
                    [row.at, row.resource, _plain(row.value)]
                    for row in request.rows
                    if row.at >= oldest
                ],
            }
            for request in self._requests.values()
            if request.rows
        ]

    def restore(self, rows: Any) -> None:
        """Put before all else what waited before a restart.

        The server will want the same again, and gets it under what it then asks.
        Raises KeyError, TypeError or ValueError for what cannot be understood.
        """
        found = {}
        for kept in rows:
            made = Request(
                str(kept["id"]),
                str(kept["specifier"]),
                tuple(name for name in kept["resources"] if name in self._read),
                float(kept["every"]),
                float(kept["back"]),
                live=False,
            )
            made.rows.extend(
                Row(float(at), str(name), _value(value))
                for at, name, value in kept["rows"]
            )
            found[made.id] = made
        self._requests = found | self._requests
        self.changes += 1

    def begin_anew(self) -> None:
        """Note that the server may have forgotten what it wanted.

        What it wanted is still read: it will want the same again.
        """
        for request in self._requests.values():
            request.live = False

    def want(
        self,
        identity: str,
        specifier: str,
        resources: Iterable[str],
        every: float,
        back: float,
        now: float,
    ) -> bool:
        """Take a request; False for one of things that are not known here."""
        known = tuple(name for name in resources if name in self._read)
        if not known:
            return False
        self._requests = {
            key: request
            for key, request in self._requests.items()
            if request.live or request.specifier != specifier or key == identity
        } | self._inherited(identity, specifier, known, every, back, now)
        while len(self._requests) > MOST_REQUESTS:
            del self._requests[next(iter(self._requests))]
        return True

    def _inherited(
        self,
        identity: str,
        specifier: str,
        resources: tuple[str, ...],
        every: float,
        back: float,
        now: float,
    ) -> dict[str, Request]:
        every = min(LONGEST, max(SHORTEST, every))
        made = Request(identity, specifier, resources, every, back, now, now)
        for request in self._requests.values():
            if request.id == identity or (
                request.specifier == specifier and not request.live
            ):
                made.rows.extend(
                    row for row in request.rows if row.resource in resources
                )
        return {identity: made}

    def given_up(self, identity: str) -> Request | None:
        """Forget a request; return what there was."""
        self.changes += 1
        return self._requests.pop(identity, None)

    def sample(self, now: float) -> None:
        """Read what is due. What is not known is not reported."""
        for request in self._requests.values():
            if now < request.sample_at or (not request.live and not request.back):
                continue
            for name in request.resources:
                value = self._read[name]()
                if value is None:
                    continue
                if len(request.rows) == MOST_ROWS:
                    self.dropped += 1
                request.rows.append(Row(now, name, value))
                self.changes += 1
            # On the clock's own marks, as servers ask for quarters of an hour.
            request.sample_at = (
                ceil((now + 0.001) / request.every) * request.every
                if request.back
                else float("inf")
            )

    def due(self, now: float) -> list[tuple[Request, list[Row]]]:
        """Return what is to be sent now, the oldest first."""
        return [
            (request, list(request.rows)[:MOST_A_MESSAGE])
            for request in self._requests.values()
            if request.live and request.rows and now >= request.send_at
        ]

    def sent(self, request: Request, rows: int, now: float) -> None:
        """Note that the server has so many of the rows of a request."""
        for _ in range(min(rows, len(request.rows))):
            request.rows.popleft()
        self.changes += 1
        if request.rows:
            return
        if request.back:
            request.send_at = (
                ceil((now + 0.001) / request.back) * request.back
                if request.back > request.every
                else now
            )
        else:
            self.given_up(request.id)


def _plain(value: Value) -> float | list[bool]:
    if isinstance(value, Status):
        return [value.online, value.override]
    return value


def _value(kept: Any) -> Value:
    if isinstance(kept, list):
        online, override = kept
        return Status(bool(online), bool(override))
    return float(kept)


def wanted(request: Mapping[str, Any]) -> tuple[str, str, list[str], float, float]:
    """Return identity, specifier, resources, seconds a figure and a message.

    Raises KeyError, TypeError, AttributeError for a request that is none.
    """
    specifier = request["report_specifier"]
    granularity = specifier.get("granularity")
    back = specifier.get("report_back_duration")
    every = granularity.total_seconds() if granularity else 0.0
    return (
        str(request["report_request_id"]),
        str(specifier["report_specifier_id"]),
        [str(item["r_id"]) for item in specifier["specifier_payloads"]],
        every,
        max(back.total_seconds(), every) if back and every else 0.0,
    )
