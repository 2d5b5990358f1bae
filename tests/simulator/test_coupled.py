"""Chillers and cooling tower meet where both are satisfied."""

import numpy as np
import pytest

from custom_components.chiller_plant.simulator.chiller_performance import (
    ChillerPerformance,
    ChillerRating,
)
from custom_components.chiller_plant.simulator.coupled import Cell, Coupled, solve
from custom_components.chiller_plant.simulator.tower_performance import (
    leaving_temperature,
)
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY
from tests.simulator.tower_reference import (
    COUPLED,
    COUPLED_FAN,
    COUPLED_SUPPLY,
    COUPLED_WATER,
    CoupledCase,
)

RATING = ChillerRating()
MACHINE = ChillerPerformance([RATING])
CELL = Cell(75.71, 22.0)


def random_points(count: int = 20000) -> dict[str, np.ndarray]:
    """Return operating points of a tropical plant of three chillers."""
    generator = np.random.default_rng(4)
    chillers = generator.integers(1, 4, count).astype(float)
    return {
        "load": chillers * RATING.capacity * generator.uniform(0.05, 0.95, count),
        "wet_bulb": generator.uniform(18.0, 28.5, count),
        "chillers": chillers,
        "cells": generator.integers(1, 4, count).astype(float),
        "fan_speed": generator.uniform(0.25, 1.0, count),
        "condenser_flow_ratio": generator.uniform(0.5, 1.05, count),
        "supply": generator.uniform(5.0, 9.9, count),
        "pump_heat": generator.uniform(0.0, 40.0, count),
    }


def point(**changes: float) -> Coupled:
    """Return two chillers on two cells at a usual load, with changes."""
    usual = {
        "load": 2200.0,
        "wet_bulb": 25.0,
        "chillers": 2.0,
        "cells": 2.0,
        "fan_speed": 0.8,
        "condenser_flow_ratio": 1.0,
        "supply": 6.7,
    }
    return solve(MACHINE, CELL, **(usual | changes))


@pytest.mark.parametrize("case", COUPLED)
def test_coupled_reference_cases(case: CoupledCase) -> None:
    rating = ChillerRating(1406.6, condenser_water_flow=COUPLED_WATER, model="eir")
    found = solve(
        ChillerPerformance([rating]),
        Cell(COUPLED_WATER, COUPLED_FAN, scale=1.0),
        load=case.load,
        wet_bulb=case.wet_bulb,
        chillers=case.chillers,
        cells=case.cells,
        fan_speed=case.fan,
        condenser_flow_ratio=case.condenser_flow,
        supply=COUPLED_SUPPLY,
    )
    assert float(found.chiller_power) == pytest.approx(case.chiller_power, rel=0.001)
    assert float(found.fan_power) == pytest.approx(case.fan_power, abs=0.06)
    assert float(found.part_load_ratio) == pytest.approx(case.part_load_ratio, abs=1e-3)
    assert float(found.condenser_entering) == pytest.approx(
        case.condenser_entering, abs=0.01
    )
    assert found.feasible


@pytest.mark.parametrize("model", ["eir", "reformulated"])
def test_machines_alone_agree_with_what_they_were_found_to_do_together(model) -> None:
    given = random_points()
    machine = ChillerPerformance([ChillerRating(model=model)])
    found = solve(machine, CELL, **given)
    good = found.feasible
    assert good.mean() > 0.9

    flow = given["condenser_flow_ratio"] * RATING.condenser_water_flow
    alone = machine.power(
        given["load"] / given["chillers"],
        given["supply"],
        found.condenser_entering,
        flow,
    )
    total = found.chiller_power / given["chillers"]
    assert alone.power[good] == pytest.approx(total[good], rel=1e-4)
    assert alone.condenser_leaving[good] == pytest.approx(
        found.condenser_leaving[good], abs=1e-3
    )

    water = flow * given["chillers"]
    to_tower = found.condenser_leaving + given["pump_heat"] / (water * HEAT_CAPACITY)
    cold, _ = leaving_temperature(
        to_tower,
        given["wet_bulb"],
        water / given["cells"] / CELL.water_flow,
        given["fan_speed"],
    )
    assert cold[good] == pytest.approx(found.condenser_entering[good], abs=2e-3)


def test_heat_of_load_and_power_is_what_the_water_carries() -> None:
    given = random_points()
    found = solve(MACHINE, CELL, **given)
    flow = given["condenser_flow_ratio"] * RATING.condenser_water_flow
    carried = (
        flow
        * given["chillers"]
        * HEAT_CAPACITY
        * (found.condenser_leaving - found.condenser_entering)
    )
    assert carried == pytest.approx(given["load"] + found.chiller_power, rel=1e-9)


def test_shape_is_that_of_what_was_given() -> None:
    given = random_points(24)
    flat = solve(MACHINE, CELL, **given)
    block = solve(MACHINE, CELL, **{k: v.reshape(2, 3, 4) for k, v in given.items()})
    assert block.chiller_power.shape == (2, 3, 4)
    assert block.chiller_power.reshape(-1) == pytest.approx(flat.chiller_power)


def test_throttled_condenser_water_costs_chiller_power() -> None:
    full, throttled = point(), point(condenser_flow_ratio=0.6)
    assert throttled.chiller_power > 1.03 * full.chiller_power


def test_machine_of_entering_water_is_deceived_by_throttling() -> None:
    # Why the reformulated machine judges controllers: less flow warms the
    # entering water hardly, here it even cools it.
    machine = ChillerPerformance([ChillerRating(model="eir")])
    powers = [
        float(
            solve(
                machine,
                CELL,
                load=2200.0,
                wet_bulb=25.0,
                chillers=2.0,
                cells=2.0,
                fan_speed=0.8,
                condenser_flow_ratio=ratio,
                supply=6.7,
            ).chiller_power
        )
        for ratio in (1.0, 0.6)
    ]
    assert powers[1] < powers[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"load": 4000.0},  # more than two chillers can
        {"chillers": 0.0},
        {"cells": 0.0},
        {"fan_speed": 0.1},
        {"condenser_flow_ratio": 0.0},
        {"load": -10.0},
    ],
)
def test_what_the_machines_cannot_do_is_said(changes: dict[str, float]) -> None:
    found = point(**changes)
    assert not found.feasible
    assert np.isfinite(found.chiller_power)


def test_tower_that_is_far_too_small_is_flagged() -> None:
    found = point(cells=1.0, fan_speed=0.2, load=2700.0)
    assert found.clipped or not found.feasible


def test_idle_chiller_takes_nothing() -> None:
    assert float(point(load=0.0).chiller_power) == 0.0
