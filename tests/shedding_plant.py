"""Events on the simulated plant, side by side with the same hours without one.

What the load is without the event is read from the first scenario in the same minute,
so nothing but the shedding is tried. Each of the others can have something go wrong.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from appdaemon.apps.chiller_control.control.decision import Command, Decision, Inputs
from appdaemon.apps.chiller_control.control.demand_response.measures import Measure
from appdaemon.apps.chiller_control.control.demand_response.precooling import (
    Coming,
    PrecooledZone,
    Precooling,
    PrecoolSettings,
)
from appdaemon.apps.chiller_control.control.demand_response.requested_load import (
    RequestedLoad,
)
from appdaemon.apps.chiller_control.control.demand_response.shedding import Shedding
from appdaemon.apps.chiller_control.control.demand_response.shedding_terms import Demand
from benchmarks.demand_response import event_days
from benchmarks.demand_response_parts.events import HOUR, site_measures
from benchmarks.demand_response_parts.site import METER, site
from benchmarks.energy_parts.closed_loop import ClosedLoop, Guest, plan_of
from benchmarks.energy_parts.controls import CONTROL_INTERVAL, CONTROLS
from custom_components.chiller_plant.demand_response.measures import precooled_zones
from custom_components.chiller_plant.simulator.weather_series import WeatherSeries
from custom_components.chiller_plant.simulator.worlds import Worlds

FROM, BEGINS, ENDS, UNTIL = 8.0, 14.0, 15.5, 18.5
"""Hours of the day: plants run from then on, the event is, it is looked on until."""
ZONES = tuple(f"zone_{number}.temperature" for number in (1, 2, 3))
LOOKED_AT = (
    METER, *ZONES, "chiller_1.run_status", "chiller_2.run_status",
    "chiller_1.load", "chiller_2.load", "chiller_1.demand_limit",
)  # fmt: skip
MIDNIGHT = event_days(28, 1)[0]

type See = Callable[[float, Inputs], Inputs]
"""What the engine sees at an hour of the day, in place of what there is."""


@dataclass
class Event:
    """One event, and what goes wrong in it."""

    share: float
    cooling_only: bool = False
    precool: float = 0.0
    """K."""
    see: See = field(default=lambda hour, inputs: inputs)
    happens: Callable[[float, Worlds, int], None] = field(
        default=lambda hour, worlds, scenario: None
    )
    guests: tuple[Guest, ...] = ()
    decisions: list[tuple[float, Decision]] = field(default_factory=list)
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """Hour, share of the load without the event, and `LOOKED_AT`; a row each minute."""
    commands: list[tuple[float, str, object]] = field(default_factory=list)
    """What reached a machine: hour, point, value."""

    def between(self, since: float, until: float) -> np.ndarray:
        """Return the rows of some hours."""
        hours = self.rows[:, 0]
        found: np.ndarray = self.rows[(hours > since) & (hours <= until)]
        return found

    def fives(self) -> list[float]:
        """Return how far the load is off its target from minute 15 on, in shares."""
        rows = self.between(BEGINS + 0.25, ENDS)
        shares = rows[: len(rows) // 5 * 5, 1].reshape(-1, 5).mean(axis=1)
        return [float(share / (1.0 - self.share) - 1.0) for share in shares]

    def starts(self) -> int:
        """Return how often chillers were started from two hours before it on."""
        running = self.between(BEGINS - 2.0, UNTIL)[:, 6:8] > 0.5
        return int((running[1:] & ~running[:-1]).sum())

    def levels(self, since: float, until: float) -> Iterator[dict[str, int]]:
        """Return how far measures were used, by name."""
        for hour, decision in self.decisions:
            if since < hour <= until:
                shown = decision.attributes["measures"]
                assert isinstance(shown, list)
                yield {item["name"]: item["level"] for item in shown}


class Answer:
    """Keeps one event as a controller beside those of the plant."""

    def __init__(
        self, event: Event, measures: list[Measure], zones: list[PrecooledZone]
    ) -> None:
        """Take what may be used."""
        self.event = event
        self.usual = 0.0
        precooling = None
        if event.precool:
            precooling = Precooling(
                PrecoolSettings(setpoint_drop=event.precool), zones, self._coming
            )
        self.shedding = Shedding(measures, METER, self._demand, precooling=precooling)
        self.points = self.shedding.points

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide on what it is let see."""
        hour = (now - MIDNIGHT) / HOUR
        decision = self.shedding.step(now, self.event.see(hour, inputs))
        self.event.decisions.append((hour, decision))
        return decision

    def _coming(self, now: float) -> Coming | None:
        begins = MIDNIGHT + BEGINS * HOUR
        return Coming(begins, MIDNIGHT + ENDS * HOUR, 32.0) if now < begins else None

    def _demand(self, now: float) -> Demand:
        hour = (now - MIDNIGHT) / HOUR
        if not BEGINS <= hour < ENDS:
            return Demand(self.usual, None)
        share = self.event.share
        asked = RequestedLoad((1.0 - share) * self.usual, share * self.usual, "less")
        return Demand(self.usual, asked)


@dataclass(frozen=True)
class Holding:
    """Somebody who commands the same all the time from the event's begin on."""

    commands: tuple[Command, ...]
    points: frozenset[str] = frozenset()

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Command it."""
        begun = now >= MIDNIGHT + BEGINS * HOUR
        return Decision(self.commands if begun else (), "on", {"message": ""})


def blind_from(hour: float, *points: str) -> See:
    """Return an engine's eyes for which points are lost from an hour on."""

    def see(now: float, inputs: Inputs) -> Inputs:
        if now < hour:
            return inputs
        lost = dict.fromkeys(points)
        return replace(inputs, values={**inputs.values, **lost})

    return see


def run(events: Mapping[str, Event], seed: int = 1) -> Event:
    """Let all events happen; return the same hours without one."""
    plant = site()
    control = CONTROLS["guideline36"](plant)
    zones = [PrecooledZone(**zone) for zone in precooled_zones(plant)]
    plan = plan_of(plant, control)
    answers = [
        Answer(event, site_measures(plant, cooling_only=event.cooling_only), zones)
        for event in events.values()
    ]
    without = Event(0.0)
    all_events = [without, *events.values()]
    loops = [
        ClosedLoop(plant, plan),
        *(
            ClosedLoop(
                plant, plan, [Guest("demand_response", 50, answer), *event.guests]
            )
            for answer, event in zip(answers, events.values(), strict=True)
        ),
    ]
    start = np.full(len(loops), MIDNIGHT + FROM * HOUR)
    worlds = Worlds(plant, start, WeatherSeries.tropical(seed), longest_step=10.0)
    seen: list[list[list[float]]] = [[] for _ in loops]
    for _ in range(round((UNTIL - FROM) * HOUR / CONTROL_INTERVAL)):
        worlds.advance(CONTROL_INTERVAL)
        now = float(worlds.time[0])
        hour = (now - MIDNIGHT) / HOUR
        looked = worlds.read(LOOKED_AT)
        for answer in answers:
            answer.usual = float(looked[0, 0])
        for index, loop in enumerate(loops):
            event = all_events[index]
            event.happens(hour, worlds, index)
            row = loop.columns.rows(worlds)[index]
            loop.step(now, row, partial(_give, worlds, index, hour, event))
            share = looked[index, 0] / looked[0, 0]
            seen[index].append([hour, share, *looked[index].tolist()])
    for event, rows in zip(all_events, seen, strict=True):
        event.rows = np.array(rows)
    return without


def _give(
    worlds: Worlds, index: int, hour: float, event: Event, key: str, value: float
) -> None:
    event.commands.append((hour, key, value))
    worlds.command(index, key, value)
