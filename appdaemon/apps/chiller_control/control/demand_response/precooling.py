"""Cools a building ahead of an event that is known, so that it can coast through it.

How far follows from the outdoor temperature that is forecast and from how fast the
building warmed in events before; how early from how fast its zones were cooled. Both
are learned here and survive in `resume`. The load never passes its limit for it, no
zone is made colder than people stand, and when the event begins every setpoint is
what it was before.

What this adds to the load is never in a baseline: the hours by which one is fitted to
the day end when the event is announced.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypeAlias

from ..decision import Command, Event, Inputs, duration

_HOUR = 3600.0
_LEAST_TAUGHT = 1800.0
"""Seconds that a change of temperature must have been watched for."""
_SLOWEST, _FASTEST = 0.1, 10.0
"""K/h that a zone may be believed to change by."""
_SOONER = 0.4
"""Share of the time between two steps after which one is taken back."""
_NEWEST = 0.3
"""Share of the newest lesson in what is learned."""
_LEAST_WORTH = 0.1
"""Share of the worth of a hot event that a mild one is taken for when rates are
compared: what a building warms by comes from people and machines, too."""

Forecast: TypeAlias = tuple[tuple[float, float, float], ...]
"""From, until (epoch seconds), °C outdoors."""


@dataclass(frozen=True, slots=True)
class PrecoolSettings:
    """What an operator allows; times in seconds."""

    lead: float = 7200.0
    """Before an event from which on zones may be cooled."""
    latest: float = 900.0
    """Before an event from which on it is too late to begin."""
    setpoint_drop: float = 1.5
    """K by which setpoints are lowered at most."""
    coldest: float = 22.0
    """°C below which no setpoint is lowered."""
    step: float = 0.1
    """K by which setpoints are lowered at a time."""
    step_interval: float = 120.0
    rise: float = 0.15
    """Share by which the load may rise over what it was when this began."""
    peak_kw: float | None = None
    """Load above which it never rises for this."""
    mild: float = 18.0
    """°C outdoors at which a building keeps cool by itself."""
    hot: float = 30.0
    """°C outdoors from which on the whole drop is worth it."""


@dataclass(frozen=True, slots=True)
class PrecooledZone:
    """A zone by its name and its points."""

    name: str
    setpoint: str
    temperature: str


@dataclass(frozen=True, slots=True)
class Coming:
    """The next event that is taken part in; epoch seconds."""

    begins: float
    ends: float
    outdoor: float | None = None
    """Mean temperature that is forecast for the event, °C; None: not known."""


@dataclass(frozen=True, slots=True)
class Lead:
    """How far to cool, and from when on."""

    drop: float
    """K."""
    start: float
    why: str


@dataclass(slots=True)
class Learned:
    """How fast the zones change, K/h; None where nothing was seen yet."""

    cooling: float | None = None
    warming: float | None = None
    worth: float | None = None
    """Of the events in which it warmed so, as `worth_of`; None: not known."""


def worth_of(outdoor: float, settings: PrecoolSettings) -> float:
    """Return how far it is worth to cool ahead: 0 on a mild day, 1 on a hot one."""
    share = (outdoor - settings.mild) / (settings.hot - settings.mild)
    return min(max(share, 0.0), 1.0)


def outdoor_of(forecast: Forecast, begins: float, ends: float) -> float | None:
    """Return the mean of a forecast over an event, °C.

    None unless most of the event is known.
    """
    known = weighed = 0.0
    for begin, end, outdoor in forecast:
        overlap = min(end, ends) - max(begin, begins)
        if overlap > 0.0:
            known += overlap
            weighed += overlap * outdoor
    return weighed / known if known > 0.5 * (ends - begins) else None


def parse_forecast(data: object) -> Forecast:
    """Read the rows of a forecast; none if it is none."""
    try:
        return tuple(
            (float(begin), float(end), float(outdoor))
            for begin, end, outdoor in data or ()  # type: ignore[attr-defined]
        )
    except (TypeError, ValueError):
        return ()


def lead_of(coming: Coming, learned: Learned, settings: PrecoolSettings) -> Lead | None:
    """Return how an event is prepared for; None where it is not worth it."""
    drop = settings.setpoint_drop
    why = f"{drop:.1f} K at most"
    hours = (coming.ends - coming.begins) / _HOUR
    worth = 1.0
    if coming.outdoor is not None:
        worth = worth_of(coming.outdoor, settings)
    if learned.warming is not None:
        warming = learned.warming
        if coming.outdoor is not None:
            # It was learned in other weather; where nobody knows in which, in heat.
            then = 1.0 if learned.worth is None else learned.worth
            warming *= max(worth, _LEAST_WORTH) / max(then, _LEAST_WORTH)
        if warming * hours < drop:
            drop = warming * hours
            why = f"it warms by {warming:.1f} K in an hour of an event"
    drop = min(drop, settings.setpoint_drop * worth)
    if coming.outdoor is not None:
        why += f", {coming.outdoor:.0f} °C outdoors are forecast"
    if drop < settings.step:
        return None
    # The steps take their time, and what the structure takes up needs the air to
    # have been cold for a while.
    rate = learned.cooling or _HOUR * settings.step / settings.step_interval
    taken = _HOUR * drop / rate + 0.5 * (coming.ends - coming.begins)
    return Lead(drop, coming.begins - min(taken, settings.lead), why)


class Precooling:
    """Lowers the setpoints of zones until an event begins."""

    def __init__(
        self,
        settings: PrecoolSettings,
        zones: Sequence[PrecooledZone],
        coming: Callable[[float], Coming | None],
    ) -> None:
        """Take the zones and who knows the next event."""
        self._settings = settings
        self._zones = tuple(zones)
        self._coming = coming
        self._learned = Learned()
        self._begins: float | None = None
        """When the event begins that is prepared for; None while none is."""
        self._before: dict[str, float] = {}
        self._level = 0.0
        self._changed = float("-inf")
        self._limit: float | None = None
        self._seen: tuple[float, float] | None = None
        """Since when temperatures are watched, and their mean then."""
        self._foreseen: float | None = None
        """°C outdoors that were forecast for the event that came or is to come."""

    @property
    def points(self) -> frozenset[str]:
        """What it reads."""
        return frozenset(
            point for zone in self._zones for point in (zone.setpoint, zone.temperature)
        )

    @property
    def resume(self) -> dict[str, Any]:
        """What it needs to go on after a restart, in JSON types."""
        return {
            "cooling": self._learned.cooling,
            "warming": self._learned.warming,
            "worth": self._learned.worth,
            "foreseen": self._foreseen,
            "begins": self._begins,
            "before": dict(self._before),
            "level": self._level,
            "limit": self._limit,
        }

    def step(
        self, now: float, meter: float | None, inputs: Inputs
    ) -> tuple[tuple[Command, ...], str | None, tuple[Event, ...]]:
        """Return commands, what is going on if anything is, and what happened."""
        coming = self._coming(now)
        if coming is None or now >= coming.begins:
            return (), None, self._stopped(now, inputs, "the event is not kept")
        self._foreseen = coming.outdoor
        lead = lead_of(coming, self._learned, self._settings)
        if lead is None:
            stopped = self._stopped(now, inputs, "it is not worth it any more")
            return (), _too_mild(coming), stopped
        events: list[Event] = []
        if self._begins is None:
            if now < lead.start:
                return (), f"Cooling ahead begins in {duration(lead.start - now)}.", ()
            if coming.begins - now < self._settings.latest:
                return (), "The event was told too late to cool ahead.", ()
            if meter is None and self._settings.peak_kw is None:
                return (), "Nothing is cooled ahead without the meter.", ()
            events.append(self._begun(now, coming, lead, meter, inputs))
        self._begins = coming.begins
        self._move(now, meter, lead.drop)
        told = self._commands(inputs)
        message = (
            f"Cooling ahead by {self._level:.1f} of {lead.drop:.1f} K, for an event in"
            f" {duration(coming.begins - now)}."
        )
        return told, message, tuple(events)

    def end(self, now: float, inputs: Inputs) -> dict[str, tuple[float, float]]:
        """Stop because the event begins.

        Return what each setpoint was before, and by how much it was lowered.
        """
        if self._begins is None:
            return {}
        given = {
            point: (before, before - self._lowered(before))
            for point, before in self._before.items()
        }
        self._learn_cooling(now, inputs)
        self._forget()
        return given

    def watch(self, now: float, inputs: Inputs, *, kept: bool) -> None:
        """Learn how fast zones warm while an event is kept."""
        mean = self._mean(inputs)
        if not kept:
            if self._begins is None:
                self._seen = None
            return
        if mean is None:
            return
        if self._seen is None:
            self._seen = (now, mean)
            return
        since, first = self._seen
        if now - since >= _LEAST_TAUGHT:
            rate = _HOUR * (mean - first) / (now - since)
            self._learned.warming = _taught(self._learned.warming, rate)
            if self._foreseen is not None:
                worth = worth_of(self._foreseen, self._settings)
                self._learned.worth = _mixed(self._learned.worth, worth)
            self._seen = (now, mean)

    def _begun(
        self,
        now: float,
        coming: Coming,
        lead: Lead,
        meter: float | None,
        inputs: Inputs,
    ) -> Event:
        limits = [] if meter is None else [meter * (1.0 + self._settings.rise)]
        if self._settings.peak_kw is not None:
            limits.append(self._settings.peak_kw)
        self._limit = min(limits)
        self._before = {}
        for zone in self._zones:
            setpoint = inputs.number(zone.setpoint)
            if setpoint is not None:
                self._before[zone.setpoint] = setpoint
        mean = self._mean(inputs)
        self._seen = None if mean is None else (now, mean)
        self._level = 0.0
        self._changed = float("-inf")
        return Event(
            "precool_begun",
            f"An event begins in {duration(coming.begins - now)}: {lead.why}",
            {
                "equipment": sorted({_equipment(point) for point in self._before}),
                "to": round(lead.drop, 1),
            },
        )

    def _move(self, now: float, meter: float | None, drop: float) -> None:
        if meter is None or self._limit is None:
            return
        # A peak is not waited for as long.
        waits = self._settings.step_interval
        if meter > self._limit:
            waits *= _SOONER
        if now - self._changed < waits:
            return
        level = self._level
        if meter > self._limit:
            level = max(level - self._settings.step, 0.0)
        elif meter < self._limit * (1.0 - 0.25 * self._settings.rise):
            level = min(level + self._settings.step, drop)
        if level != self._level:
            self._level, self._changed = level, now

    def _commands(self, inputs: Inputs) -> tuple[Command, ...]:
        if not self._level:
            return ()
        return tuple(
            Command(
                zone.setpoint,
                self._lowered(self._before[zone.setpoint]),
                "Cooled ahead of an event",
            )
            for zone in self._zones
            if zone.setpoint in self._before
            and zone.setpoint not in inputs.taken
            and zone.setpoint not in inputs.holds
            and inputs.number(zone.temperature) is not None
        )

    def _lowered(self, before: float) -> float:
        # A setpoint that was colder already is never raised by this.
        return min(max(before - self._level, self._settings.coldest), before)

    def _stopped(self, now: float, inputs: Inputs, why: str) -> tuple[Event, ...]:
        if self._begins is None:
            return ()
        equipment = sorted({_equipment(point) for point in self._before})
        self._forget()
        return (Event("precool_ended", why, {"equipment": equipment}),)

    def _learn_cooling(self, now: float, inputs: Inputs) -> None:
        mean = self._mean(inputs)
        if self._seen is None or mean is None or not self._level:
            return
        since, first = self._seen
        if now - since >= _LEAST_TAUGHT:
            rate = _HOUR * (first - mean) / (now - since)
            self._learned.cooling = _taught(self._learned.cooling, rate)

    def _mean(self, inputs: Inputs) -> float | None:
        known = [
            value
            for zone in self._zones
            if (value := inputs.number(zone.temperature)) is not None
        ]
        return fmean(known) if known else None

    def _forget(self) -> None:
        self._begins = None
        self._before = {}
        self._level = 0.0
        self._limit = None
        self._seen = None

    def restore(self, resume: Mapping[str, Any]) -> None:
        """Take back what `resume` was; what cannot be understood is left out."""
        try:
            self._learned = Learned(
                _rate(resume.get("cooling")),
                _rate(resume.get("warming")),
                _within(resume.get("worth"), 0.0, 1.0),
            )
            self._foreseen = _within(resume.get("foreseen"), -60.0, 60.0)
            if resume.get("begins") is None or resume.get("limit") is None:
                return
            before = {str(key): float(at) for key, at in resume["before"].items()}
            level, limit = float(resume["level"]), float(resume["limit"])
            self._begins = float(resume["begins"])
        except (AttributeError, KeyError, TypeError, ValueError):
            return
        self._before, self._level, self._limit = before, level, limit


def _taught(known: float | None, rate: float) -> float:
    return _mixed(known, min(max(rate, _SLOWEST), _FASTEST))


def _mixed(known: float | None, newest: float) -> float:
    return newest if known is None else known + _NEWEST * (newest - known)


def _rate(value: object) -> float | None:
    return _within(value, _SLOWEST, _FASTEST)


def _within(value: object, low: float, high: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(max(float(value), low), high)


def _too_mild(coming: Coming) -> str:
    if coming.outdoor is None:
        return "Nothing is cooled ahead: the building hardly warms in an event."
    return (
        f"Nothing is cooled ahead: {coming.outdoor:.0f} °C outdoors are forecast for"
        " the event, and it is not worth it."
    )


def _equipment(point: str) -> str:
    return point.partition(".")[0]
