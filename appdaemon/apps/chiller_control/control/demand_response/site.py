"""What the integration says of demand response at one plant, in types.

All that people decided, all that may be done, and what was known before a
restart, as `chiller_plant.get_demand_response` answers. Powers are kW, times
epoch seconds or seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from ..plan import PlanPoint
from .event_book import Opt
from .measures import Comfort, Measure
from .portfolio_part import PortfolioPart, parse_portfolio
from .precooling import Forecast, PrecooledZone, PrecoolSettings, parse_forecast
from .requested_load import DEFAULT_LEVELS, Terms
from .shedding_terms import SheddingSettings

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection to a utility's server."""

    id: str
    name: str
    protocol: str
    """`2.0b`, `3.0` or `3.1`."""
    report_interval: float
    fields: Mapping[str, Any]
    """What else the protocol needs; holds secrets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered to an event."""

    opt: Opt
    why: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The load that there would be without the event."""

    method: str
    confidence: str
    eligible: bool
    kw: tuple[tuple[float, float, float], ...]
    """From, until, kW."""

    def at(self, now: float) -> float | None:
        """Return it at a time; None where it is not known."""
        for begin, end, kw in self.kw:
            if begin <= now < end:
                return kw
        return None


@dataclass(frozen=True, slots=True)
class Site:
    """Demand response of one plant."""

    entry_id: str
    key: str
    name: str
    revision: str
    command_lease: float
    poll_interval: float
    take_part: bool
    opt: Opt
    meter: str | None
    priority: int
    terms: Terms
    shedding: SheddingSettings
    precool: PrecoolSettings | None
    """None: nothing is cooled ahead of events."""
    precooled: tuple[PrecooledZone, ...]
    forecast: Forecast
    """Outdoor temperature of hours of events that are to come, as far as it is known."""
    connections: tuple[Connection, ...]
    measures: tuple[Measure, ...]
    points: Mapping[str, PlanPoint]
    telemetry: Mapping[str, str]
    """Points that are reported to utilities, by the name in reports."""
    answers: Mapping[str, Answer]
    """What people answered, by the key of the event."""
    baselines: Mapping[str, Baseline]
    portfolio: PortfolioPart | None
    """None: what an event asks for is asked of this plant alone."""
    book: Any
    """The event book as it was last kept."""
    resume: Mapping[str, Any]


def parse_site(data: Mapping[str, Any]) -> Site:
    """Read the answer; KeyError, TypeError or ValueError if it is none."""
    plant, settings = data["plant"], data["settings"]
    levels = settings.get("levels") or DEFAULT_LEVELS
    precool = settings.get("precool")
    portfolio = data.get("portfolio")
    first, second, third = (float(share) for share in levels)
    return Site(
        entry_id=plant["entry_id"],
        key=plant["key"],
        name=plant.get("name") or plant["key"],
        revision=str(data["revision"]),
        command_lease=float(plant["command_lease"]),
        poll_interval=float(plant["poll_interval"]),
        take_part=bool(settings["take_part"]),
        opt=_opt(settings["opt"]),
        meter=settings.get("meter"),
        priority=int(settings["priority"]),
        terms=Terms(
            (first, second, third),
            tuple(
                sorted(
                    (float(price), int(level))
                    for price, level in settings.get("prices") or ()
                )
            ),
            settings.get("capacity_kw"),
        ),
        shedding=_known(SheddingSettings, settings.get("shedding") or {}),
        precool=None if precool is None else _known(PrecoolSettings, precool),
        precooled=tuple(
            _known(PrecooledZone, zone) for zone in (precool or {}).get("zones") or ()
        ),
        forecast=parse_forecast(data.get("forecast")),
        connections=tuple(_connection(item) for item in data["connections"]),
        measures=tuple(_measure(item) for item in data["measures"]),
        points={key: _point(key, item) for key, item in data["points"].items()},
        telemetry=dict(data.get("telemetry") or {}),
        answers={
            key: Answer(_opt(item["opt"]), _why(item))
            for key, item in (data.get("decisions") or {}).items()
        },
        baselines={
            key: _baseline(item) for key, item in (data.get("baselines") or {}).items()
        },
        portfolio=None if portfolio is None else parse_portfolio(portfolio),
        book=data.get("book"),
        resume=data.get("resume") or {},
    )


def _opt(value: object) -> Opt:
    if value == "in":
        return "in"
    if value == "out":
        return "out"
    raise ValueError(f"opt {value!r} is neither 'in' nor 'out'")


def _why(answer: Mapping[str, Any]) -> str:
    said = str(answer.get("why") or "")
    by = str(answer.get("by") or "")
    return f"{by}: {said}" if by and said else said or f"by {by or 'hand'}"


def _connection(data: Mapping[str, Any]) -> Connection:
    rest = dict(data)
    return Connection(
        str(rest.pop("id")),
        str(rest.pop("name")),
        str(rest.pop("protocol")),
        float(rest.pop("report_interval")),
        rest,
    )


def _measure(data: Mapping[str, Any]) -> Measure:
    return _known(
        Measure,
        {
            **data,
            "points": tuple(data["points"]),
            "loads": tuple(data.get("loads") or ()),
            "comfort": tuple(
                Comfort(item["point"], float(item["warmest"]))
                for item in data.get("comfort") or ()
            ),
        },
    )


def _point(key: str, data: Mapping[str, Any]) -> PlanPoint:
    return PlanPoint(
        key=key,
        entity_id=data.get("entity_id"),
        writable=bool(data.get("writable")),
        boolean=bool(data.get("boolean")),
        low=data.get("low"),
        high=data.get("high"),
        unit=data.get("unit"),
    )


def _baseline(data: Mapping[str, Any]) -> Baseline:
    return Baseline(
        str(data.get("method") or ""),
        str(data.get("confidence") or ""),
        bool(data.get("eligible")),
        tuple(
            (float(begin), float(end), float(kw)) for begin, end, kw in data["kw"] or ()
        ),
    )


def _known(kind: type[_T], data: Mapping[str, Any]) -> _T:
    """Make one of the fields that this engine knows: Home Assistant may be newer."""
    names = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: value for key, value in data.items() if key in names})
