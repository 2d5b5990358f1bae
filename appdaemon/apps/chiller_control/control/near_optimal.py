"""At which fan speed, cells and condenser flow a plant takes the least power.

A search over a steady model of the plant's own ratings: chillers, tower cells
and condenser pumps that wait for each other. Each candidate is one fixed point
of the leaving condenser water: it decides the chillers' power, their heat makes
the towers' range, the range its approach, and the sum is the leaving water
again. Power moves the heat little, so that a few rounds are enough, for all
candidates at once.

Laws with few coefficients (approach, lift, Braun) come close where they were
fitted; in the tropics, where the wet bulb hardly falls, the lift law does not.
The model also says what a law cannot: when one chiller more is cheaper.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import inf
from typing import NamedTuple

import numpy as np

from .chiller_curves import CHILLER_CURVES
from .plant_equations import (
    WATER,
    Array,
    Flags,
    FullLoadAt,
    approach_of,
    part_load,
    pump_power,
)
from .plant_ratings import Optimum, PlantRatings, pump_speed

ROUNDS = 5
FAN_STEPS = 11
FLOW_STEPS = 6
_FINER = (0.5, 0.2)
"""Two looks around the best candidate, at these shares of the step before."""

_NOT_ALLOWED = 1.0e6
"""kW added where a limit is passed, and for each unit by which: what is not
allowed never wins, and of that the least wrong."""

HIGHEST_LEAVING = 40.0
"""°C of leaving condenser water that machines trip a little above."""

LARGEST_LOAD = 1.02
"""Part-load ratio that a steady point may have, of what is available; the
curves go to 1.04 and more."""


LOAD_GRID = 0.02
"""Of a chiller's capacity: loads nearer to each other are not told apart."""
WET_BULB_GRID = 0.25
SUPPLY_GRID = 0.25
MEMORY = 20_000
"""Points of the grid that are remembered, at most."""


class Steady(NamedTuple):
    """Steady operation of candidates; shapes as they were asked for."""

    power: Array
    """kW of chillers, their primary and condenser pumps, and fans."""
    chillers: Array
    pumps: Array
    fans: Array
    leaving: Array
    """Condenser water that leaves the chillers, °C."""
    entering: Array
    part_load_ratio: Array
    beyond: Array
    """How far limits are passed, 0 where none is."""
    clipped: Flags


class NearOptimal:
    """The search over one plant."""

    def __init__(self, ratings: PlantRatings) -> None:
        """Lay out the candidates."""
        self.ratings = ratings
        self._optima: dict[tuple[int, int, int, int, tuple[int, ...]], Optimum] = {}
        self._break_evens: dict[tuple[int, int, int, float], float] = {}
        self._curves = CHILLER_CURVES[ratings.curves]
        self._rated_power = ratings.capacity / ratings.coefficient_of_performance
        self._fan_speeds = np.linspace(
            ratings.fan_minimum, ratings.fan_maximum, FAN_STEPS
        )
        steps = FLOW_STEPS if ratings.flow_minimum < 1.0 else 1
        self._flows = np.linspace(1.0, ratings.flow_minimum, steps)
        self._fan_step = (ratings.fan_maximum - ratings.fan_minimum) / (FAN_STEPS - 1)
        self._flow_step = (1.0 - ratings.flow_minimum) / max(1, steps - 1)

    def evaluate(
        self,
        load: float,
        wet_bulb: float,
        supply: float,
        chillers: int,
        cells: Array,
        fan_speed: Array,
        flow: Array,
    ) -> Steady:
        """Return steady operation at `load` kW of the plant.

        `flow` is each pump's share of a chiller's rated condenser flow.
        """
        ratings, curves = self.ratings, self._curves
        share = load / (chillers * ratings.capacity)
        per_chiller = flow * ratings.condenser_flow
        water = chillers * per_chiller / (cells * ratings.cell_flow)
        carried = per_chiller * WATER
        approach = approach_of(wet_bulb, water, fan_speed)
        machines = FullLoadAt(curves, supply)
        chilled = share * ratings.capacity
        water_range = chilled * 1.18 / carried
        for _ in range(ROUNDS):
            leaving = wet_bulb + approach.at(water_range) + water_range
            full = machines.at(leaving)
            power, ratio = part_load(curves, full, share, ratings.minimum_load_ratio)
            power = power * self._rated_power
            water_range = (chilled + power) / carried
        fans = cells * ratings.fan_power * fan_speed**3
        pumps = chillers * ratings.pump_power * pump_power(flow, ratings.static_share)
        primary = chillers * ratings.primary_pump_power
        beyond = np.maximum(ratio - LARGEST_LOAD, 0.0)
        beyond = beyond + np.maximum(leaving - HIGHEST_LEAVING, 0.0)
        beyond += np.maximum(supply + ratings.minimum_lift - leaving, 0.0)
        beyond += np.maximum(ratings.minimum_cell_flow - water, 0.0)
        return Steady(
            chillers * power + fans + pumps + primary,
            chillers * power,
            pumps,
            fans,
            leaving,
            leaving - water_range,
            ratio,
            beyond,
            approach.clipped | machines.clipped(leaving),
        )

    def best(
        self,
        load: float,
        wet_bulb: float,
        supply: float,
        chillers: int,
        cells: Sequence[int] | None = None,
    ) -> Optimum:
        """Return the cheapest way for so many chillers to carry `load` kW.

        `cells` are the numbers of cells that may run; all if not given.
        """
        counts = cells or range(1, self.ratings.cells + 1)
        found = self._cheapest(
            load,
            wet_bulb,
            supply,
            chillers,
            np.array(counts, dtype=np.float64)[:, None, None],
            self._fan_speeds[:, None],
            self._flows,
        )
        fan_step, flow_step = self._fan_step, self._flow_step
        around = np.array((-1.0, -0.5, 0.0, 0.5, 1.0))
        for finer in _FINER:
            fan_step, flow_step = (
                fan_step * finer * 1.6,
                flow_step * finer * 1.6,
            )
            found = self._cheapest(
                load,
                wet_bulb,
                supply,
                chillers,
                np.array(float(found.cells)),
                np.clip(
                    found.fan_speed + fan_step * around[:, None],
                    self.ratings.fan_minimum,
                    self.ratings.fan_maximum,
                ),
                np.clip(
                    found.condenser_flow + flow_step * around,
                    self.ratings.flow_minimum,
                    1.0,
                ),
            )
        return found

    def _cheapest(
        self,
        load: float,
        wet_bulb: float,
        supply: float,
        chillers: int,
        cells: Array,
        fan_speed: Array,
        flow: Array,
    ) -> Optimum:
        steady = self.evaluate(load, wet_bulb, supply, chillers, cells, fan_speed, flow)
        cost = steady.power + _NOT_ALLOWED * ((steady.beyond > 0.0) + steady.beyond)
        at = np.unravel_index(int(np.argmin(cost)), cost.shape)

        def of(values: Array | Flags) -> float:
            alike = values.shape == cost.shape
            return float((values if alike else np.broadcast_to(values, cost.shape))[at])

        best_flow = of(flow)
        return Optimum(
            chillers=chillers,
            cells=round(of(cells)),
            fan_speed=of(fan_speed),
            condenser_flow=best_flow,
            pump_speed=pump_speed(best_flow, self.ratings.static_share),
            power=of(steady.power),
            entering=of(steady.entering),
            leaving=of(steady.leaving),
            part_load_ratio=of(steady.part_load_ratio),
            feasible=of(steady.beyond) <= 0.0,
            clipped=bool(of(steady.clipped)),
        )

    def break_even(
        self, wet_bulb: float, supply: float, chillers: int, saving: float = 0.0
    ) -> float:
        """Return the load in kW above which one chiller more saves so many kW.

        Or above which these cannot carry it. Found between the load of one
        chiller less and the most that is available, to 1 % of a chiller.
        """
        low = 0.3 * chillers * self.ratings.capacity
        high = 1.2 * chillers * self.ratings.capacity
        while high - low > 0.01 * self.ratings.capacity:
            load = 0.5 * (low + high)
            fewer = self.best(load, wet_bulb, supply, chillers)
            enough = fewer.feasible
            if enough and saving < inf:
                more = self.best(load, wet_bulb, supply, chillers + 1)
                worth = more.power < fewer.power - saving
                enough = not (more.feasible and worth)
            if enough:
                low = load
            else:
                high = load
        return 0.5 * (low + high)

    def best_near(
        self,
        load: float,
        wet_bulb: float,
        supply: float,
        chillers: int,
        cells: tuple[int, ...],
    ) -> Optimum:
        """Return `best` at the nearest point of a grid, remembered.

        A plant comes back to the same points day after day; the grid is finer
        than what its sensors can tell.
        """
        at = (
            max(1, round(load / (LOAD_GRID * self.ratings.capacity))),
            round(wet_bulb / WET_BULB_GRID),
            round(supply / SUPPLY_GRID),
            chillers,
            cells,
        )
        found = self._optima.get(at)
        if found is None:
            if len(self._optima) >= MEMORY:
                self._optima.clear()
            found = self._optima[at] = self.best(
                at[0] * LOAD_GRID * self.ratings.capacity,
                at[1] * WET_BULB_GRID,
                at[2] * SUPPLY_GRID,
                chillers,
                cells,
            )
        return found

    def break_even_near(
        self, wet_bulb: float, supply: float, chillers: int, saving: float
    ) -> float:
        """Return `break_even` at whole °C, remembered."""
        at = (round(wet_bulb), round(supply), chillers, saving)
        found = self._break_evens.get(at)
        if found is None:
            if len(self._break_evens) >= MEMORY:
                self._break_evens.clear()
            found = self._break_evens[at] = self.break_even(
                float(at[0]), float(at[1]), chillers, saving
            )
        return found


@lru_cache(maxsize=8)
def near_optimal(ratings: PlantRatings) -> NearOptimal:
    """Return the search over a plant; the same for all who ask for the same."""
    return NearOptimal(ratings)
