"""How far the model is from what others computed for the same machines."""

import numpy as np

from benchmarks.bus_parts.result import Figure, Result
from custom_components.chiller_plant.simulator.chiller_performance import (
    ChillerPerformance,
    ChillerRating,
)
from custom_components.chiller_plant.simulator.coupled import Cell, solve
from custom_components.chiller_plant.simulator.tower_performance import (
    Characteristic,
    leaving_temperature,
)
from tests.simulator.chiller_reference import (
    EIR_POINTS,
    REFORMULATED_POINTS,
    largest_error_eir,
    largest_error_reformulated,
)
from tests.simulator.tower_reference import (
    APPROACHES,
    CELLS,
    COUPLED,
    COUPLED_FAN,
    COUPLED_SUPPLY,
    COUPLED_WATER,
)


def _error_of_approaches() -> float:
    given = np.array(APPROACHES).T
    cell = Characteristic(given[0], given[2], given[3], 1.0)
    return float(np.abs(cell.approach(given[1])[0] - given[4]).max())


def _error_of_cells() -> float:
    wet_bulb, entering, leaving, air = np.array(CELLS).T
    found, _ = leaving_temperature(entering, wet_bulb, np.ones_like(air), air)
    return float(np.abs(found - leaving).max())


def _errors_of_coupled() -> tuple[float, float]:
    """Return that of the power as a share, and that of the water in K."""
    machine = ChillerPerformance(
        [ChillerRating(1406.6, condenser_water_flow=COUPLED_WATER, model="eir")]
    )
    given = np.array(COUPLED).T
    found = solve(
        machine,
        Cell(COUPLED_WATER, COUPLED_FAN, scale=1.0),
        load=given[0],
        wet_bulb=given[1],
        chillers=given[2],
        cells=given[3],
        fan_speed=given[4],
        condenser_flow_ratio=given[5],
        supply=COUPLED_SUPPLY,
    )
    power = np.abs(found.chiller_power / given[6] - 1.0)
    fans = np.abs(found.fan_power - given[7]) / given[6]
    water = np.abs(found.condenser_entering - given[9])
    return float(np.maximum(power, fans).max()), float(water.max())


def measure() -> Result:
    """Compare with every reference point there is."""
    cells = _error_of_cells()
    approaches = _error_of_approaches()
    coupled, water = _errors_of_coupled()
    return Result(
        [
            Figure(
                "model.max_error_eir",
                largest_error_eir(),
                "",
                0.001,
                "lower",
                f"share of the power, {len(EIR_POINTS)} points of EnergyPlus 25.2,"
                " three machines",
            ),
            Figure(
                "model.max_error_reformulated",
                largest_error_reformulated(),
                "",
                0.003,
                "lower",
                f"share of the power, {len(REFORMULATED_POINTS)} points of EnergyPlus"
                " 25.2, three of them at 60 % condenser flow",
            ),
            Figure(
                "model.max_error_approach_k",
                max(approaches, cells),
                "K",
                0.1,
                "lower",
                f"{len(APPROACHES)} points of the YorkCalc table: {approaches:.3f} K;"
                f" {len(CELLS)} hours of an EnergyPlus year: {cells:.3f} K",
            ),
            Figure(
                "model.max_error_coupled",
                coupled,
                "",
                0.005,
                "lower",
                f"share of the power, {len(COUPLED)} cases of chillers on a tower;"
                f" entering condenser water within {water:.3f} K",
            ),
        ]
    )
