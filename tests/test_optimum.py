"""The bound that controls are held against is the best there is, and can be reached."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.energy_parts import optimum
from benchmarks.energy_parts.optimum import COMPONENTS, Bound, bound
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import load_plant, parse_plant
from custom_components.chiller_plant.simulator.weather_series import WeatherSeries
from custom_components.chiller_plant.simulator.worlds import Worlds

SITE = Path(__file__).parents[1] / "examples" / "three_chillers" / "plant.yaml"
NOON = 12 * 3600.0
SUPPLIES = np.array([6.7, 7.5, 8.3, 9.1])


@pytest.fixture(scope="module")
def plant() -> Plant:
    return load_plant(SITE)


def hours(count: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return loads, kW, and wet bulbs of hours of all kinds."""
    generator = np.random.default_rng(7)
    return generator.uniform(300.0, 3900.0, count), generator.uniform(22, 28.5, count)


def secondary(load: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return power and flow of coils that need more water when it is warmer."""
    flow = np.maximum(load, 0.0)[:, None] / 4.186 / (5.6 - 0.35 * (SUPPLIES - 6.7))
    power = 60.0 * (flow / 181.7) ** 2.2
    comfortable = 10.0 - 3.0 * load / 4200.0
    return np.where(comfortable[:, None] >= SUPPLIES, power, np.inf), flow


def solved(plant: Plant, load: np.ndarray, wet_bulb: np.ndarray) -> Bound:
    power, flow = secondary(load)
    return bound(
        plant,
        load,
        wet_bulb,
        supplies=SUPPLIES,
        secondary_power=power,
        secondary_flow=flow,
    )


def searched(plant: Plant, load: float, wet_bulb: float) -> float:
    """Return the least kW over a grid that leaves out nothing."""
    machines = optimum._machines(plant)
    power, flow = secondary(np.array([load]))
    given = optimum._Hours(
        np.array([wet_bulb]), np.full((1, len(SUPPLIES)), load), power, flow, SUPPLIES
    )
    columns = np.arange(0, len(machines.primary.speed), 3)
    best = np.inf
    for row in range(machines.chillers):
        enough = machines.primary.flow[row] >= 0.52 * 60.57
        for cells in range(1, machines.cells + 1):
            for supply in np.flatnonzero(np.isfinite(power[0])):
                tried = optimum._try(
                    machines,
                    given,
                    np.array(0),
                    optimum._Choice(
                        np.array(row),
                        np.array(float(cells)),
                        np.array(supply),
                        columns[enough[columns]][:, None, None],
                        columns[:, None],
                        np.linspace(0.2, 1.0, 25),
                    ),
                )
                best = min(best, float(tried.total.min()))
    return best


def test_nothing_that_was_searched_takes_less(plant: Plant) -> None:
    load, wet_bulb = hours()
    found = solved(plant, load, wet_bulb)
    assert found.feasible.all()
    for hour, kilowatts in enumerate(found.total):
        best = searched(plant, float(load[hour]), float(wet_bulb[hour]))
        # The search steps by 3 % of speed, so it may be the one that misses.
        assert 0.997 * best < kilowatts < 1.001 * best, (load[hour], best)


def test_settings_are_such_as_the_plant_has(plant: Plant) -> None:
    load, wet_bulb = hours(60)
    found = solved(plant, load, wet_bulb)
    assert set(found.chillers) <= {1.0, 2.0, 3.0}
    assert set(found.cells) <= {1.0, 2.0, 3.0}
    assert np.isin(found.supply, SUPPLIES).all()
    assert (found.fan_speed >= 0.2).all() and (found.fan_speed <= 1.0).all()
    assert (found.condenser_flow >= 0.5).all()
    assert (found.primary_flow / found.chillers >= 0.5 * 60.57).all()
    assert (found.part_load_ratio <= 1.0401).all()
    assert (found.condenser_entering > wet_bulb).all()
    assert found.total == pytest.approx(sum(found.power[name] for name in COMPONENTS))


def test_comfort_is_respected(plant: Plant) -> None:
    load = np.array([1500.0, 3900.0])
    found = solved(plant, load, np.array([25.0, 25.0]))
    assert found.supply[0] > 6.7
    assert found.supply[1] == 6.7
    # Where nobody minds, warm water is better.
    power, flow = secondary(load)
    careless = bound(
        plant,
        load,
        np.array([25.0, 25.0]),
        supplies=SUPPLIES,
        secondary_power=np.where(np.isfinite(power), power, 40.0),
        secondary_flow=flow,
    )
    assert careless.total[1] < found.total[1]


def test_what_makes_it_harder_costs_more(plant: Plant) -> None:
    load = np.array([1200.0, 1400.0, 1400.0, 1400.0])
    wet_bulb = np.array([24.0, 24.0, 26.0, 26.0])
    power, flow = secondary(load)
    power[3] += 5.0
    found = bound(
        plant,
        load,
        wet_bulb,
        supplies=SUPPLIES,
        secondary_power=power,
        secondary_flow=flow,
    )
    assert (np.diff(found.total) > 0.0).all()


def test_water_that_is_short_is_paid_by_colder_chillers(plant: Plant) -> None:
    load = np.array([2400.0])
    found = bound(
        plant,
        load,
        np.array([25.0]),
        supplies=np.array([8.0]),
        secondary_power=np.array([20.0]),
        secondary_flow=np.array([230.0]),  # more than all primary pumps move
    )
    assert found.feasible.all()
    assert found.primary_flow[0] < 230.0
    returned = 8.0 + load[0] / (4.186 * 230.0)
    mixed = (
        found.primary_flow * found.chiller_supply
        + (230.0 - found.primary_flow) * returned
    ) / 230.0
    assert mixed == pytest.approx([8.0], abs=1e-6)


def test_hours_without_load_take_nothing(plant: Plant) -> None:
    found = solved(plant, np.array([0.0, 900.0, -5.0]), np.array([25.0, 25.0, 25.0]))
    assert found.total[[0, 2]].tolist() == [0.0, 0.0]
    assert found.chillers.tolist() == [0.0, 1.0, 0.0]
    assert found.feasible.all()


def test_load_beyond_the_machines_is_flagged_with_everything_on(plant: Plant) -> None:
    found = solved(plant, np.array([900.0, 6000.0]), np.array([25.0, 28.0]))
    assert found.feasible.tolist() == [True, False]
    assert found.chillers[1] == 3.0
    assert found.cells[1] == 3.0
    assert found.fan_speed[1] == 1.0
    assert np.isfinite(found.total).all()


def test_hours_do_not_depend_on_which_are_solved_with_them(plant: Plant) -> None:
    load, wet_bulb = hours(90)
    together = solved(plant, load, wet_bulb)
    alone = solved(plant, load[50:52], wet_bulb[50:52])
    assert alone.total == pytest.approx(together.total[50:52], rel=1e-6)


def test_plant_of_unlike_chillers_is_refused() -> None:
    text = SITE.read_text(encoding="utf-8")
    at = text.index("\n  chiller_1:\n    ") + len("\n  chiller_1:\n    ")
    unlike = parse_plant(
        text[:at]
        + "ratings: {cooling_capacity: 700, coefficient_of_performance: 5.0}\n    "
        + text[at:],
        "unlike.yaml",
    )
    with pytest.raises(ValueError, match="chillers are alike"):
        solved(unlike, *hours())


@pytest.mark.parametrize(
    ("share", "chillers", "cells", "fan", "condenser", "primary", "supply"),
    [
        (0.30, 1, 2, 0.5, 0.8, 0.7, 7.5),
        (0.55, 2, 3, 0.6, 0.8, 0.8, 7.0),
        (0.85, 3, 3, 0.8, 0.8, 1.0, 6.7),
        (0.85, 3, 3, 1.0, 1.0, 1.0, 6.7),
    ],
)
def test_plant_that_is_held_at_settings_takes_what_the_bound_says_of_them(
    plant: Plant,
    share: float,
    chillers: int,
    cells: int,
    fan: float,
    condenser: float,
    primary: float,
    supply: float,
) -> None:
    worlds = Worlds(plant, [NOON], WeatherSeries.steady(30.0, 24.0))
    worlds.fix_load(share)
    for number in (1, 2, 3):
        on = number <= chillers
        for key, value in {
            f"chiller_{number}.run_command": on,
            f"chiller_{number}.chilled_water_supply_temperature_setpoint": supply,
            f"chilled_water_valve_{number}.open_command": on,
            f"condenser_water_valve_{number}.open_command": on,
            f"pchp_{number}.run_command": on,
            f"pchp_{number}.speed_command": 100.0 * primary,
            f"schp_{number}.run_command": on,
            f"schp_{number}.speed_command": 80.0,
            f"cdp_{number}.run_command": on,
            f"cdp_{number}.speed_command": 100.0 * condenser,
            f"ct_{number}.run_command": number <= cells,
            f"ct_{number}.speed_command": 100.0 * fan,
        }.items():
            worlds.command(0, key, value)
    worlds.advance(6 * 3600.0)

    model = worlds.model
    power = {key: float(value[0]) for key, value in worlds.power_by_component.items()}
    machines = optimum._machines(plant)

    def column(speed: float) -> np.ndarray:
        return np.array(round((speed - 0.25) * 100.0))

    said = optimum._try(
        machines,
        optimum._Hours(
            model.outdoor.wet_bulb,
            worlds.cooling_load[:, None],
            np.array([[power["secondary_pumps"]]]),
            model.distribution.flow[:, None],
            model.supply.inlet_temperature,
        ),
        np.array(0),
        optimum._Choice(
            np.array(chillers - 1),
            np.array(float(cells)),
            np.array(0),
            column(primary),
            column(condenser),
            np.array(fan),
        ),
    )
    assert power["primary_pumps"] == pytest.approx(float(said.primary_power))
    assert power["condenser_pumps"] == pytest.approx(float(said.condenser_power))
    assert power["towers"] == pytest.approx(float(said.solution.fan_power))
    # Pipes take up some heat on the way: the plant needs a little more.
    total = sum(power.values())
    assert float(said.total) < total < 1.008 * float(said.total)
