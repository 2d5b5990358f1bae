"""Chillers and their cooling tower in steady operation, very many at once.

The tower's water makes the chillers' power, their heat the tower's range. With
the flow given, heat alone says how warm the tower's water is (range gives
approach, approach gives temperature), so that one number is sought for each
operating point: the power. Each turn is ten to fifty times closer, a secant
does the rest. Chillers are alike, and so are cells.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .arrays import Array, Flags
from .chiller_performance import ChillerPerformance
from .tower_performance import DESIGN_SCALE, LEAST_AIR, RANGE_RANGE, Characteristic
from .water import HEAT_CAPACITY

_BLOCK = 8192
"""Points that are solved together: their arrays stay in a core's own cache."""

_EVALUATIONS = 8
_CONVERGED = 1e-7
"""Share of the power."""

_STEEPEST = 0.9
"""Bound of the secant's slope, where clipped curves have kinks."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cooling tower cell: l/s, kW, and its `tower_performance.design_scale`."""

    water_flow: float
    fan_power: float
    scale: float = DESIGN_SCALE


class Coupled(NamedTuple):
    """Steady operating points."""

    chiller_power: Array
    """kW of all chillers together."""

    fan_power: Array
    """kW of all fans together."""

    condenser_entering: Array
    condenser_leaving: Array
    """Condenser water at the chillers, °C."""

    part_load_ratio: Array
    """Load as a share of the available capacity."""

    feasible: Flags
    """Whether machines can do what is asked; other numbers mean little if not."""

    clipped: Flags
    """Whether a curve was asked for something outside its published limits."""


def solve(
    performance: ChillerPerformance,
    cell: Cell,
    *,
    load: Array | float,
    wet_bulb: Array | float,
    chillers: Array | float,
    cells: Array | float,
    fan_speed: Array | float,
    condenser_flow_ratio: Array | float,
    supply: Array | float,
    pump_heat: Array | float = 0.0,
) -> Coupled:
    """Return the steady points of `chillers` alike and `cells` alike.

    `performance` is that of one machine. `load` is the kW of all running
    chillers together, `supply` their leaving water in °C,
    `condenser_flow_ratio` the share of its design flow that each gets; the
    cells share it. `pump_heat` is what the condenser pumps add, kW. Fans turn
    at `LEAST_AIR` or more. Everything broadcasts.
    """
    given = np.broadcast_arrays(
        *(
            np.asarray(value, dtype=np.float64)
            for value in (
                load,
                wet_bulb,
                chillers,
                cells,
                fan_speed,
                condenser_flow_ratio,
                supply,
                pump_heat,
            )
        )
    )
    shape = given[0].shape
    flat = [value.reshape(-1) for value in given]
    count = flat[0].size
    numbers = np.empty((5, count))
    flags = np.empty((2, count), dtype=np.bool_)
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        found = _solve(performance, cell, *(value[block] for value in flat))
        for into, value in zip(numbers, found[:5], strict=True):
            into[block] = value
        for marks, flag in zip(flags, found[5:], strict=True):
            marks[block] = flag
    chiller_power, fan_power, entering, leaving, ratio = (
        value.reshape(shape) for value in numbers
    )
    feasible, clipped = (value.reshape(shape) for value in flags)
    return Coupled(
        chiller_power, fan_power, entering, leaving, ratio, feasible, clipped
    )


def _solve(
    performance: ChillerPerformance,
    cell: Cell,
    load: Array,
    wet_bulb: Array,
    chillers: Array,
    cells: Array,
    fan_speed: Array,
    condenser_flow_ratio: Array,
    supply: Array,
    pump_heat: Array,
) -> Coupled:
    flow = condenser_flow_ratio * performance.condenser_water_flow
    total_flow = flow * chillers
    possible = (
        (total_flow > 0.0) & (cells > 0.0) & (load >= 0.0) & (fan_speed >= LEAST_AIR)
    )
    number = np.maximum(chillers, 1.0)
    tower = Characteristic(
        wet_bulb,
        np.maximum(total_flow, 1e-6) / (np.maximum(cells, 1.0) * cell.water_flow),
        np.maximum(fan_speed, LEAST_AIR),
        cell.scale,
    )
    per_chiller = 1.0 / (HEAT_CAPACITY * np.maximum(flow, 1e-6))
    seen_per_heat = performance.sees_leaving * per_chiller
    pump_range = pump_heat / number * per_chiller
    load = load / number
    rejected = performance.motor_efficiency
    power = load / performance.coefficient_of_performance
    before, found_before = power, power
    for turn in range(_EVALUATIONS):
        heat = load + rejected * power
        approach, held = tower.approach(heat * per_chiller + pump_range)
        entering = wet_bulb + approach
        point = performance.part_load(
            performance.full_load(supply, entering + seen_per_heat * heat), load
        )
        found = point.power
        error = found - power
        if turn > 0 and np.all(np.abs(error) <= _CONVERGED * found):
            break
        following = found
        if turn > 0:
            moved = power - before
            slope = (found - found_before) / np.where(moved == 0.0, 1.0, moved)
            slope = np.minimum(np.maximum(slope, -_STEEPEST), _STEEPEST)
            following = power + error / (1.0 - slope)
        before, found_before, power = power, found, following
    range_ = (load + rejected * found) * per_chiller
    possible &= point.part_load_ratio <= performance.maximum_load_ratio
    possible &= range_ + pump_range <= RANGE_RANGE[1]
    return Coupled(
        found * number,
        cells * cell.fan_power * fan_speed**3,
        entering,
        entering + range_,
        point.part_load_ratio,
        possible,
        held | point.clipped,
    )
