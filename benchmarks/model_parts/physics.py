"""Whether heat goes somewhere and powers move the way they must."""

import numpy as np

from benchmarks.bus_parts.result import Figure, Result
from custom_components.chiller_plant.simulator.arrays import Array, Flags
from custom_components.chiller_plant.simulator.chiller_performance import (
    ChillerPerformance,
    ChillerRating,
    Solution,
    published_rating,
)
from custom_components.chiller_plant.simulator.coupled import solve
from custom_components.chiller_plant.simulator.curve_sets import CURVE_SETS, Model
from custom_components.chiller_plant.simulator.drives import Fans
from custom_components.chiller_plant.simulator.tower_performance import (
    leaving_temperature,
)
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY

from .points import CELL, MACHINE, RATING, random_points

_POINTS = 20_000
_STEP = 0.1
"""K by which a temperature is moved."""

_MODELS: tuple[Model, ...] = ("eir", "reformulated")
_HALF = 0.5
"""Part-load ratio below which the fits themselves are not monotone in the
supply temperature: published so, and kept as published."""


def balance() -> float:
    """Return the largest share of heat that chillers reject and cells do not.

    The cells are asked alone, with the water that the coupled solution sends.
    """
    given = random_points(_POINTS)
    found = solve(MACHINE, CELL, **given)
    flow = (
        given["condenser_flow_ratio"]
        * RATING.condenser_water_flow
        * given["chillers"]
        * HEAT_CAPACITY
    )
    warm = found.condenser_leaving + given["pump_heat"] / flow
    cold, _ = leaving_temperature(
        warm,
        given["wet_bulb"],
        flow / HEAT_CAPACITY / given["cells"] / CELL.water_flow,
        given["fan_speed"],
    )
    rejected = flow * (warm - cold)
    received = given["load"] + found.chiller_power + given["pump_heat"]
    error: Array = np.abs(rejected / received - 1.0)
    return float(error[found.feasible].max())


def _cost(
    rating: ChillerRating, seed: int, *, supply_rise: float, condenser_rise: float
) -> tuple[Solution, Solution]:
    """Solve points of a machine, and the same with temperatures moved."""
    generator = np.random.default_rng(seed)
    machine = ChillerPerformance([rating])
    load = rating.capacity * generator.uniform(0.2, 1.0, _POINTS)
    supply = generator.uniform(4.5, 9.9, _POINTS)
    entering = generator.uniform(14.0, 34.0, _POINTS)
    flow = np.full(_POINTS, rating.condenser_water_flow)
    return (
        machine.power(load, supply, entering, flow),
        machine.power(load, supply + supply_rise, entering + condenser_rise, flow),
    )


def _compared(before: Solution, after: Solution) -> Flags:
    return ~(before.clipped | after.clipped)


def monotone() -> tuple[int, int, int, int]:
    """Return how many of how many points move wrongly.

    Then how many of how many do so with warmer supply below half load.
    """
    wrong = tried = low_wrong = low_tried = 0
    for seed, (key, model) in enumerate(
        (key, model) for key in CURVE_SETS for model in _MODELS
    ):
        rating = published_rating(key, model)
        before, warmer = _cost(rating, seed, supply_rise=0.0, condenser_rise=_STEP)
        fair = _compared(before, warmer)
        wrong += int(np.count_nonzero(fair & (warmer.power < before.power)))
        tried += int(np.count_nonzero(fair))
        before, relieved = _cost(rating, seed, supply_rise=_STEP, condenser_rise=0.0)
        fair = _compared(before, relieved)
        bad = fair & (relieved.power > before.power)
        low = before.part_load_ratio < _HALF
        wrong += int(np.count_nonzero(bad & ~low))
        tried += int(np.count_nonzero(fair & ~low))
        low_wrong += int(np.count_nonzero(bad & low))
        low_tried += int(np.count_nonzero(fair & low))
    for changed, sign in (
        ({"air": 0.02}, -1.0),
        ({"water": 0.02}, 1.0),
        ({"wet_bulb": _STEP}, 1.0),
        ({"entering": _STEP}, 1.0),
    ):
        cells = _cells(changed)
        wrong += int(np.count_nonzero(sign * (cells[1] - cells[0]) < -1e-9))
        tried += _POINTS
    return wrong, tried, low_wrong, low_tried


def _cells(changed: dict[str, float]) -> tuple[Array, Array]:
    generator = np.random.default_rng(3)
    given = {
        "entering": generator.uniform(20.0, 45.0, _POINTS),
        "wet_bulb": generator.uniform(5.0, 29.0, _POINTS),
        "water": generator.uniform(0.1, 1.5, _POINTS),
        "air": generator.uniform(0.0, 0.98, _POINTS),
    }
    after = {name: value + changed.get(name, 0.0) for name, value in given.items()}
    return (
        leaving_temperature(*given.values())[0],
        leaving_temperature(*after.values())[0],
    )


def fan_law() -> float:
    """Return the largest departure of fan power from the cube, as a share."""
    speeds = np.linspace(0.1, 1.0, 10)
    fans = Fans([CELL.fan_power] * 10, 1)
    fans.settle(np.ones((1, 10), dtype=np.bool_), speeds[None, :])
    return float(np.abs(fans.power[0] / (CELL.fan_power * speeds**3) - 1.0).max())


def measure() -> Result:
    """Look at balances and directions."""
    wrong, tried, low_wrong, low_tried = monotone()
    return Result(
        [
            Figure(
                "model.max_balance_error",
                balance(),
                "",
                0.001,
                "lower",
                f"share of the heat rejected, {_POINTS:,} points of chillers and cells"
                " solved together, each then asked alone",
            ),
            Figure(
                "model.monotone_violations",
                float(wrong),
                "",
                0.0,
                "lower",
                f"of {tried:,} pairs: power over condenser and supply water (from half"
                " load), cells over air, water and both temperatures; below half load"
                f" the published fits cost more with warmer supply at {low_wrong:,} of"
                f" {low_tried:,}",
            ),
            Figure(
                "model.max_fan_law_error",
                fan_law(),
                "",
                0.001,
                "lower",
                "share of the power, fan speeds of 10 to 100 %",
            ),
        ]
    )
