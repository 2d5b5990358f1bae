"""Many evenings in all buildings: stopping at the hour, and as early as comfort lasts.

The loop is closed as in the mornings: what was measured after a stop is learnt from, and
a building that leaves comfort before its hours end has its plant back.
"""

from dataclasses import dataclass

import numpy as np

from appdaemon.apps.chiller_control.control.optimal_start.drift import (
    Drift,
    DriftSelector,
    enough_for,
    towards,
)
from appdaemon.apps.chiller_control.control.optimal_start.recovery import (
    Conditions,
    Recovery,
)
from appdaemon.apps.chiller_control.control.optimal_start.selector import HISTORY
from custom_components.chiller_plant.simulator.arrays import Array, Flags
from custom_components.chiller_plant.simulator.weather_series import DAY, HOUR

from .buildings import BUILDINGS, SETPOINT, Site
from .mornings import Timetable

LIMIT = SETPOINT + 1.0
EARLIEST = 60.0
"""Minutes before the hours end."""

MARGIN = 1.0
_AHEAD = 180.0
"""Minutes before opening at which every plant starts: mornings are not the question."""

_SHORTEST = 5.0
_WATCHED = 150.0
_STEP, _NIGHT_STEP = 60.0, 180.0


@dataclass(frozen=True, slots=True)
class Evening:
    """What came of one stop; minutes."""

    adaptive: bool
    building: int
    day: int
    saved: float
    """For which the plant stood before the hours ended."""
    missed: float
    """Degree-minutes above the limit in the last of the hours."""
    resumed: bool
    """Whether the plant had to go on again."""


def evenings(days: int, seed: int = 1) -> list[Evening]:
    """Run so many days, in each building without and with adaptive stops."""
    return _Run(days, seed).run()


class _Run:
    """The state of all scenarios: the first half without, the second with."""

    def __init__(self, days: int, seed: int) -> None:
        self._days = days
        self._site = Site(2, days, seed)
        self._table = Timetable(days, seed)
        size = self._site.scenarios
        self._adaptive: Flags = np.arange(size) >= len(BUILDINGS)
        self._history: list[list[Drift]] = [[] for _ in range(size)]
        self._selectors = [DriftSelector() for _ in range(size)]
        self._running: Array = np.zeros(size)
        self._off_at: Array = np.full(size, np.nan)
        self._coast: Flags = np.zeros(size, dtype=np.bool_)
        self._resumed: Flags = np.zeros(size, dtype=np.bool_)
        self._saved: Array = np.zeros(size)
        self._missed: Array = np.zeros(size)
        self._way: list[Conditions | None] = [None] * size

    def run(self) -> list[Evening]:
        found = []
        for day in range(self._days):
            self._site.new_day()
            works = self._table.works[day][self._site.building]
            self._saved[:] = self._missed[:] = 0.0
            self._coast[:] = self._resumed[:] = False
            self._day(day, works)
            found += [
                Evening(
                    bool(self._adaptive[row]),
                    int(self._site.building[row]),
                    day,
                    float(self._saved[row]),
                    float(self._missed[row]),
                    bool(self._resumed[row]),
                )
                for row in np.flatnonzero(works)
            ]
        return found

    def _day(self, day: int, works: Flags) -> None:
        begin, second = day * DAY, 0.0
        building = self._site.building
        opening = self._table.opening[building]
        closing = self._table.closing[day][building]
        first = float(opening.min()) - 60.0 * _AHEAD
        last = float(closing.max()) + 60.0 * _WATCHED
        while second < DAY:
            step = _STEP if first <= second < last else _NIGHT_STEP
            step = min(step, DAY - second)
            hours = works & (second >= opening - 60.0 * _AHEAD) & (second < closing)
            self._decide(begin + second, second, closing, hours)
            on = hours & ~self._coast
            stopped = (self._running > 0.0) & ~on
            for row in np.flatnonzero(stopped):
                self._watch(row, begin + second)
            self._running = np.where(on, self._running + step, 0.0)
            self._site.step(step, begin + second, self._running)
            second += step
            over = np.maximum(self._site.temperature - LIMIT, 0.0)
            there = works & (second > closing - HOUR) & (second <= closing)
            self._missed += np.where(there, over * step / 60.0, 0.0)
            self._saved += np.where(hours & self._coast, step / 60.0, 0.0)
            self._measure(begin + second, begin + closing, on)

    def _decide(self, now: float, second: float, closing: Array, hours: Flags) -> None:
        temperature = self._site.temperature
        back = self._coast & hours & (temperature > LIMIT)
        self._resumed |= back
        self._coast &= ~back
        ahead = (closing - second) / 60.0
        asked = hours & self._adaptive & ~self._coast & ~self._resumed
        asked &= (ahead <= EARLIEST) & (ahead >= _SHORTEST) & (self._running > 0.0)
        for row in np.flatnonzero(asked):
            estimate = self._selectors[row].estimate(self._conditions(row))
            if estimate is not None and enough_for(estimate, MARGIN) >= ahead[row]:
                self._coast[row] = True

    def _conditions(self, row: int) -> Conditions:
        return towards(
            round(float(self._site.temperature[row]), 1),
            LIMIT,
            round(float(self._site.air.dry_bulb[row]), 1),
            "cooling",
        )

    def _watch(self, row: int, now: float) -> None:
        conditions = self._conditions(row)
        self._way[row] = conditions if conditions.distance > 0.0 else None
        self._off_at[row] = now

    def _measure(self, now: float, closing: Array, on: Flags) -> None:
        """Learn what came of a stop, as soon as that is known."""
        for row, conditions in enumerate(self._way):
            if conditions is None:
                continue
            off_at = float(self._off_at[row])
            coasting = off_at < closing[row]
            reached = bool(self._site.temperature[row] >= LIMIT)
            last = closing[row] if coasting else off_at + 60.0 * _WATCHED
            if not reached and not on[row] and now < last:
                continue
            self._way[row] = None
            recovery = Recovery(
                conditions, (now - off_at) / 60.0, at=off_at, reached=reached
            )
            if recovery.usable:
                history = self._history[row]
                history.append(Drift(recovery, coasting))
                del history[:-HISTORY]
                self._selectors[row] = DriftSelector(history)
