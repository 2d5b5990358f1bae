"""Many mornings in all buildings, each under every way of starting.

The loop is closed: a start that was chosen decides when the zone is there, that alone
is learnt from, and what the building stores carries over into the next night.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from appdaemon.apps.chiller_control.control.optimal_start.models import TOLERANCE
from appdaemon.apps.chiller_control.control.optimal_start.recovery import (
    Conditions,
    Recovery,
)
from custom_components.chiller_plant.simulator.arrays import Array, Flags
from custom_components.chiller_plant.simulator.weather_series import DAY, HOUR

from .buildings import BUILDINGS, SETPOINT, Site
from .ways import Way

EARLIEST = 300.0
"""Minutes before opening: what nobody may start before."""

LATEST = 10.0
_WATCHED = 150.0
"""Minutes after opening in which a zone is waited for."""

_STEP, _NIGHT_STEP = 60.0, 180.0
_FIRST_WEEKDAY = 3
"""The year of the weather begins on a Thursday."""

_SENSOR_NOISE = 0.05
_HOLIDAYS = 0.03
"""Share of working days on which nobody comes."""

_LATE_CLOSING = 0.1
"""Share of days on which the plant runs two hours longer."""


@dataclass(frozen=True, slots=True)
class Morning:
    """What came of one start; minutes, with 0 at opening."""

    way: str
    building: int
    day: int
    after_day_off: bool
    monday: bool
    started: float
    reached: float
    missed: float
    """Degree-minutes above what was promised, in the first two hours."""
    recovery: Recovery | None
    """What was measured; None where nothing had to be done."""


class Timetable:
    """When buildings open, for all ways alike."""

    def __init__(self, days: int, seed: int) -> None:
        """Draw holidays and late closings of so many days."""
        random = np.random.default_rng(seed + 1000)
        count = len(BUILDINGS)
        weekday = (np.arange(days) + _FIRST_WEEKDAY) % 7
        off = np.array([np.isin(weekday, item.days_off) for item in BUILDINGS]).T
        off |= random.random((days, count)) < _HOLIDAYS
        self.works: Flags = ~off
        late = 2.0 * (random.random((days, count)) < _LATE_CLOSING)
        self.opening = np.array([item.opening for item in BUILDINGS]) * HOUR
        self.closing = np.array([item.closing for item in BUILDINGS]) + late
        self.closing *= HOUR
        self.monday = weekday == 0


def mornings(
    ways: Mapping[str, Callable[[], Way]], days: int, seed: int = 1
) -> list[Morning]:
    """Run all ways in all buildings for so many days."""
    return _Run(ways, days, seed).run()


class _Run:
    """The state of all scenarios."""

    def __init__(
        self, ways: Mapping[str, Callable[[], Way]], days: int, seed: int
    ) -> None:
        self._names = [name for name in ways for _ in BUILDINGS]
        self._ways = [make() for make in ways.values() for _ in BUILDINGS]
        self._days = days
        self._site = Site(len(ways), days, seed)
        self._table = Timetable(days, seed)
        self._noise = np.random.default_rng(seed + 2000)
        size = self._site.scenarios
        self._running: Array = np.zeros(size)
        self._stopped: Array = np.full(size, -12.0 * HOUR)
        self._started: Array = np.full(size, np.nan)
        self._reached: Array = np.full(size, np.nan)
        self._missed: Array = np.zeros(size)
        self._conditions: list[Conditions | None] = [None] * size
        self._found: list[Morning] = []

    def run(self) -> list[Morning]:
        for day in range(self._days):
            self._site.new_day()
            works = self._table.works[day][self._site.building]
            self._started[:] = self._reached[:] = np.nan
            self._missed[:] = 0.0
            self._conditions = [None] * len(works)
            self._day(day, works)
            self._learn(day, works)
        return self._found

    def _day(self, day: int, works: Flags) -> None:
        begin, second = day * DAY, 0.0
        building = self._site.building
        opening = self._table.opening[building]
        closing = self._table.closing[day][building]
        first = float(opening.min()) - 60.0 * EARLIEST
        last = float(closing.max())
        while second < DAY:
            step = _STEP if first <= second < last else _NIGHT_STEP
            step = min(step, DAY - second)
            if second >= first:
                self._start(begin, second, opening, works)
            stopping = (self._running > 0.0) & (second >= closing)
            self._stopped[stopping] = begin + second
            self._running[stopping] = 0.0
            on = ~np.isnan(self._started) & (second < closing)
            self._running = np.where(on, self._running + step, 0.0)
            before = self._site.temperature.copy()
            self._site.step(step, begin + second, self._running)
            second += step
            self._watch(second, step, before, opening)

    def _start(self, begin: float, second: float, opening: Array, works: Flags) -> None:
        ahead = (opening - second) / 60.0
        open_to = works & np.isnan(self._started) & (ahead <= EARLIEST) & (ahead >= 0.0)
        # Every third minute is enough to ask.
        if not open_to.any() or second % (3.0 * _STEP):
            return
        measured = (
            self._site.temperature
            + self._noise.normal(0.0, _SENSOR_NOISE, len(BUILDINGS))[
                self._site.building
            ]
        )
        for row in np.flatnonzero(open_to):
            conditions = Conditions(
                zone=round(float(measured[row]), 1),
                setpoint=SETPOINT,
                outdoor=round(float(self._site.air.dry_bulb[row]), 1),
                off_hours=float(begin + second - self._stopped[row]) / HOUR,
            )
            wanted = self._ways[row].minutes(conditions)
            wanted = EARLIEST if wanted is None else max(LATEST, wanted)
            if ahead[row] <= wanted + 1.5:
                self._started[row] = second
                self._conditions[row] = conditions

    def _watch(self, second: float, step: float, before: Array, opening: Array) -> None:
        now, aim = self._site.temperature, SETPOINT + TOLERANCE
        there = (now <= aim) & np.isnan(self._reached) & ~np.isnan(self._started)
        fall = np.maximum(before - now, 1e-9)
        part = np.clip((before - aim) / fall, 0.0, 1.0)
        exact = second - step + part * step
        self._reached[there] = np.maximum(exact, self._started)[there]
        since = (second - opening) / 60.0
        counted = (since > 0.0) & (since <= 120.0)
        self._missed += np.where(counted, np.maximum(now - aim, 0.0) * step / 60.0, 0.0)

    def _learn(self, day: int, works: Flags) -> None:
        opening = self._table.opening[self._site.building]
        for row in np.flatnonzero(works):
            conditions = self._conditions[row]
            assert conditions is not None
            limit = opening[row] + 60.0 * _WATCHED
            late = not self._reached[row] <= limit
            reached = float(limit if late else self._reached[row])
            minutes = (reached - float(self._started[row])) / 60.0
            recovery = Recovery(
                conditions, minutes, at=day * DAY + self._started[row], reached=not late
            )
            if recovery.usable:
                self._ways[row].learn(recovery)
            self._found.append(
                Morning(
                    way=self._names[row],
                    building=int(self._site.building[row]),
                    day=day,
                    after_day_off=conditions.after_day_off,
                    monday=bool(self._table.monday[day]),
                    started=float(self._started[row] - opening[row]) / 60.0,
                    reached=(reached - float(opening[row])) / 60.0,
                    missed=float(self._missed[row]),
                    recovery=recovery if recovery.usable else None,
                )
            )
