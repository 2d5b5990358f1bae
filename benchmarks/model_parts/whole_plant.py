"""Whether the whole plant in motion keeps all heat, over a day of starts and stops.

What goes into the water from coils, pumps, compressors and through insulation
must leave at the tower or be in the water, at every step.
"""

import numpy as np

from benchmarks.bus_parts.child import REPOSITORY
from benchmarks.bus_parts.result import Figure, Result
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.plant_model import PlantModel
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY
from custom_components.chiller_plant.simulator.weather_series import (
    YEAR_START,
    WeatherSeries,
)
from custom_components.chiller_plant.simulator.worlds import Worlds

SITE = REPOSITORY / "examples" / "three_chillers" / "plant.yaml"
_STEP = 10.0
_HOURS = 24
_PIPES = (
    "primary_supply",
    "supply",
    "return_main",
    "primary_return",
    "condenser_supply",
    "condenser_return",
    "basin",
)


def _carried(flow: Array, rise: Array) -> Array:
    heat: Array = HEAT_CAPACITY * (flow * rise).sum(axis=1)
    return heat


def _held(model: PlantModel) -> Array:
    """Return the heat in the water of both loops, kJ."""
    return model.chilled_water_heat + model.condenser_water_heat


def _gained(model: PlantModel, entering: Array) -> Array:
    """Return kW that both loops took up in the last step.

    `entering` is the water that the evaporators drew in it.
    """
    chillers, zones = model.chillers, model.zones
    gained: Array = (
        _carried(
            model.distribution.flows,
            zones.return_temperature - model.supply.outlet_temperature[:, None],
        )
        - _carried(
            model.chilled_water_flow, entering[:, None] - chillers.supply_temperature
        )
        + _carried(
            model.condenser_water_flow,
            chillers.condenser_leaving_temperature
            - model.condenser_supply_temperature[:, None],
        )
        + model.distribution.heating
        + model.chilled_circuit.heating
        + model.condenser_circuit.heating
        + sum(getattr(model, name).ambient_gain for name in _PIPES)
        - model.towers.heat.sum(axis=1)
    )
    return gained


def balance(hours: int = _HOURS) -> tuple[float, float]:
    """Return unexplained heat as a share of what was rejected, and that in kWh.

    Four days of the year side by side; machines start and stop each hour. What
    is unexplained counts in each step, whichever its sign.
    """
    plant = load_plant(SITE)
    starts = YEAR_START + 86_400.0 * np.array([20.0, 110.0, 200.0, 290.0])
    worlds = Worlds(plant, starts, WeatherSeries.tropical(), longest_step=_STEP)
    model = worlds.model
    missing, rejected = np.zeros(4), np.zeros(4)
    for step in range(round(hours * 3600.0 / _STEP)):
        if step % 360 == 0:
            _command(worlds, step // 360)
        entering = model.primary_return_temperature.copy()
        before = _held(model)
        worlds.advance(_STEP)
        stored = _held(model) - before
        missing += np.abs(_STEP * _gained(model, entering) - stored)
        missing += _STEP * np.abs(model.chillers.residual).sum(axis=1)
        rejected += _STEP * model.towers.heat.sum(axis=1)
    return float((missing / rejected).max()), float(rejected.sum() / 3600.0)


def _command(worlds: Worlds, hour: int) -> None:
    """Change what runs, and how fast, from hour to hour."""
    running = (1, 1, 2, 3, 2, 3)[hour % 6]
    speed = (100.0, 70.0, 85.0, 60.0)[hour % 4]
    for number in (1, 2, 3):
        on = number <= running
        for key, value in {
            f"chiller_{number}.run_command": on,
            f"chilled_water_valve_{number}.open_command": on,
            f"condenser_water_valve_{number}.open_command": on,
            f"pchp_{number}.run_command": on,
            f"pchp_{number}.speed_command": 100.0,
            f"schp_{number}.run_command": on,
            f"schp_{number}.speed_command": speed,
            f"cdp_{number}.run_command": on,
            f"cdp_{number}.speed_command": max(speed, 75.0),
            f"ct_{number}.run_command": on,
            f"ct_{number}.speed_command": speed,
        }.items():
            worlds.command(slice(None), key, value)


def measure(hours: int = _HOURS) -> Result:
    """Run the days and weigh what came and went."""
    missing, rejected = balance(hours)
    return Result(
        [
            Figure(
                "model.max_plant_balance_error",
                missing,
                "",
                0.001,
                "lower",
                f"share of the heat rejected that no step explains, the worst of four"
                f" days of {hours} hours in steps of {_STEP:.0f} s with hourly starts"
                f" and stops; {rejected:,.0f} kWh together",
            )
        ]
    )
