"""The events that are played, and who answers them on their days.

Book, baseline, target, measures, pre-cooling and the loop against the meter are the
product's own, with the measures that it offers for this plant file until somebody
decides otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from statistics import fmean

from appdaemon.apps.chiller_control.control.decision import Decision, Inputs
from appdaemon.apps.chiller_control.control.demand_response.event_book import EventBook
from appdaemon.apps.chiller_control.control.demand_response.grid_event import (
    GridEvent,
    Interval,
    Signal,
)
from appdaemon.apps.chiller_control.control.demand_response.measures import (
    Comfort,
    Measure,
)
from appdaemon.apps.chiller_control.control.demand_response.precooling import (
    Coming,
    PrecooledZone,
    Precooling,
    PrecoolSettings,
)
from appdaemon.apps.chiller_control.control.demand_response.requested_load import (
    Terms,
    requested_load,
)
from appdaemon.apps.chiller_control.control.demand_response.shedding import Shedding
from appdaemon.apps.chiller_control.control.demand_response.shedding_terms import Demand
from custom_components.chiller_plant.demand_response.measures import (
    measures,
    precooled_zones,
)
from custom_components.chiller_plant.demand_response.settings import (
    CHILLED_WATER,
    DEMAND_LIMIT,
    ZONE,
    DemandResponseSettings,
    Precool,
)
from custom_components.chiller_plant.plant.demand_response.event_baseline import (
    EventBaseline,
    EventTimes,
    event_baseline,
)
from custom_components.chiller_plant.plant.demand_response.load_days import load_days
from custom_components.chiller_plant.plant.demand_response.outdoor_air import (
    weather_by_hour,
)
from custom_components.chiller_plant.plant.model import Plant

from .site import METER

HOUR = 3600.0
SETTINGS = DemandResponseSettings()
_ONLY_COOLING = (ZONE, CHILLED_WATER, DEMAND_LIMIT)

type Means = list[tuple[float, float]]
"""(start of an hour, mean kW)."""
type Outside = Mapping[str, Mapping[float, float]]
"""What a weather station measured, by role and by the start of an hour."""


@dataclass(frozen=True, slots=True)
class Case:
    """One event: how much, when, how long, how soon it is told."""

    share: float
    """Of the baseline that is to be taken off."""
    begins: float
    """Hours after midnight."""
    hours: float
    notice: float
    """Hours before it begins at which it is told."""
    precool: bool = False
    cooling_only: bool = False
    """Only measures of zones and chillers: no circuit, battery or tank."""

    @property
    def name(self) -> str:
        """What people call it."""
        parts = [
            f"{100 * self.share:.0f} % for {self.hours:g} h at {self.begins:g}:00",
            f"told {self.notice:g} h before",
        ]
        if self.precool:
            parts.append("pre-cooled")
        if self.cooling_only:
            parts.append("cooling only")
        return ", ".join(parts)


CASES = (
    Case(0.30, 13, 2, 2),
    Case(0.10, 14, 2, 24, cooling_only=True),
    Case(0.15, 13, 3, 24, cooling_only=True, precool=True),
    Case(0.20, 14, 3, 24, precool=True),
    Case(0.10, 14, 2, 4),
    Case(0.35, 15, 1, 0.25),
    Case(0.15, 10, 4, 24),
    Case(0.25, 14, 4, 4),
    Case(0.15, 14, 2, 0.5, cooling_only=True),
    Case(0.10, 15, 2, 24, cooling_only=True, precool=True),
    Case(0.30, 13, 2, 4, precool=True),
    Case(0.15, 16, 2, 6, precool=True),
)
"""Sizes, lengths and notices of every kind; some known in time to cool ahead."""


def is_off(day: date) -> bool:
    """Whether it is a weekend."""
    return day.weekday() >= 5


def site_measures(plant: Plant, *, cooling_only: bool) -> list[Measure]:
    """Return what the product offers for the plant."""
    return [
        Measure(
            **{
                **row,
                "points": tuple(row["points"]),
                "loads": tuple(row["loads"]),
                "comfort": tuple(Comfort(**item) for item in row["comfort"]),
            }
        )
        for row in measures(plant, SETTINGS, {})
        if not cooling_only or row["key"].partition(":")[0] in _ONLY_COOLING
    ]


@dataclass(slots=True)
class _Hours:
    """Hourly means as a recorder makes them, from `since` on."""

    since: float
    means: Means = field(default_factory=list)
    _hour: float | None = None
    _seen: list[float] = field(default_factory=list)

    def see(self, now: float, load: float | None) -> None:
        """Take a reading, that of the minute that ends now."""
        if now <= self.since:
            return
        hour = (now - 1.0) // HOUR * HOUR
        if self._hour is not None and hour != self._hour and self._seen:
            self.means.append((self._hour, fmean(self._seen)))
            self._seen = []
        self._hour = hour
        if load is not None:
            self._seen.append(load)


class Answering:
    """A site that keeps one event; a controller beside those of the plant."""

    def __init__(
        self, plant: Plant, case: Case, midnight: float, before: Means, outdoor: float
    ) -> None:
        """Take the hours of the days before, and what is forecast outdoors in °C."""
        begins = midnight + case.begins * HOUR
        self.case = case
        self.received = begins - case.notice * HOUR
        self.event = GridEvent(
            id=case.name,
            source="utility",
            modification=0,
            rank=1,
            start=begins,
            duration=case.hours * HOUR,
            signals=(
                Signal(
                    "percent_offset",
                    (Interval(case.hours * HOUR, -100.0 * case.share),),
                ),
            ),
            created=self.received,
        )
        self.levels: list[tuple[float, str, dict[str, int]]] = []
        """When what was used changed: (time, state, levels by name)."""
        self.events: list[str] = []
        self.first_action: float | None = None
        self.baseline: EventBaseline | None = None
        """Made as soon as it is asked for, of what was known then."""
        self._site = plant.key
        self._outdoor = outdoor
        self._book = EventBook(plant.key)
        self._today = _Hours(midnight, list(before))
        precooling = None
        if case.precool:
            chosen = Precool()
            precooling = Precooling(
                PrecoolSettings(
                    chosen.lead, 900.0, chosen.setpoint_drop, chosen.coldest
                ),
                [PrecooledZone(**zone) for zone in precooled_zones(plant)],
                self._coming,
            )
        self.shedding = Shedding(
            site_measures(plant, cooling_only=case.cooling_only),
            METER,
            self._demand,
            precooling=precooling,
        )

    @property
    def begins(self) -> float:
        """Epoch seconds."""
        return self.event.start

    @property
    def ends(self) -> float:
        """Epoch seconds."""
        return self.event.start + self.event.duration

    @property
    def points(self) -> frozenset[str]:
        """What it reads."""
        return self.shedding.points

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide as the control engine does."""
        self._today.see(now, inputs.number(METER))
        if now >= self.received:
            self._book.receive(self.event, now)
        decision = self.shedding.step(now, inputs)
        self.events += [item.event for item in decision.events]
        if decision.commands and self.first_action is None:
            self.first_action = now
        shown = decision.attributes["measures"]
        assert isinstance(shown, list)
        levels = {item["name"]: item["level"] for item in shown if item["level"]}
        last = self.levels[-1][1:] if self.levels else ("idle", {})
        if (decision.state, levels) != last:
            self.levels.append((now, decision.state, levels))
        return decision

    def settled_by(self, means: Means, outside: Outside | None = None) -> EventBaseline:
        """Return the baseline as it is made from these hours.

        What it was outside in the event is not known before it is over.
        """
        return event_baseline(
            EventTimes(self.begins, self.ends, self.received, self.first_action),
            load_days(means, UTC, is_off, {}, weather_by_hour(outside or {})),
            is_off,
            UTC,
        )

    def _coming(self, now: float) -> Coming | None:
        entry = self._book.next(now)
        if entry is None:
            return None
        return Coming(self.begins, self.ends, self._outdoor)

    def _demand(self, now: float) -> Demand | None:
        if now < max(self.received, self.begins - HOUR):
            return None
        if self.baseline is None:
            self.baseline = self.settled_by(self._today.means)
        known = self.baseline.mean(now, now + 1.0)
        if known is None:
            return None
        entry = self._book.current(now)
        if entry is None:
            return Demand(known, None)
        return Demand(
            known, requested_load(entry.event, self._site, now, known, Terms())
        )

    def target(self, now: float) -> float:
        """Return the load that was asked for then, kW."""
        assert self.baseline is not None
        known = self.baseline.mean(now, now + 1.0)
        assert known is not None
        return known * (1.0 - self.case.share)


def played(
    plant: Plant,
    cases: Sequence[Case],
    midnights: Sequence[float],
    history: Means,
    outdoor: Sequence[float],
) -> list[Answering]:
    """Return who answers each case on its day, with the days before it known."""
    return [
        Answering(
            plant,
            case,
            midnight,
            [item for item in history if item[0] < midnight],
            warmth,
        )
        for case, midnight, warmth in zip(cases, midnights, outdoor, strict=True)
    ]
