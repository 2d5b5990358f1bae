"""Many scenarios of one plant: apart from each other, and as fast to ask as one."""

from operator import attrgetter

import numpy as np
import pytest

from custom_components.chiller_plant.plant.model import ModbusAddress
from custom_components.chiller_plant.plant.plant_file import load_plant, parse_plant
from custom_components.chiller_plant.plant.roles import ROLES, EquipmentType
from custom_components.chiller_plant.simulator.drives import Fault
from custom_components.chiller_plant.simulator.layout import SimulationError
from custom_components.chiller_plant.simulator.sensors import SENSORS
from custom_components.chiller_plant.simulator.weather_series import (
    YEAR_START,
    Air,
    WeatherSeries,
)
from custom_components.chiller_plant.simulator.wire_format import (
    from_registers,
    to_registers,
)
from custom_components.chiller_plant.simulator.worlds import Worlds
from tests.simulator.plants import EXAMPLE, THREE_CHILLERS, dedicated, start_all

HOUR = 3600.0
COMMANDS = {
    "chiller_2.run_command": True,
    "ct_1.speed_command": 45.0,
    "zone_1.temperature_setpoint": 25.0,
}


def three_chillers(times: list[float], **more: object) -> Worlds:
    """Return the plant of the energy benchmark."""
    return Worlds(load_plant(THREE_CHILLERS), times, **more)


def test_a_scenario_is_what_it_would_be_alone() -> None:
    times = [YEAR_START + hour * HOUR for hour in (1, 9, 15)]
    together = three_chillers(times)
    alone = three_chillers([times[1]])
    for worlds, scenario in ((together, 1), (alone, 0)):
        for key, value in COMMANDS.items():
            worlds.command(scenario, key, value)
        worlds.advance(2 * HOUR)
    assert together.values(1) == alone.values(0)
    assert together.values(0) != alone.values(0)


def test_many_values_are_read_as_one_by_one() -> None:
    worlds = three_chillers([8 * HOUR, 20 * HOUR])
    start_all(worlds)
    worlds.advance(HOUR)
    keys = ("plant_power.power", "chiller_1.run_status", "ct_2.speed_command")
    read = worlds.read(keys)
    assert read.shape == (2, 3)
    for scenario in (0, 1):
        values = worlds.values(scenario)
        assert read[scenario].tolist() == [float(values[key]) for key in keys]
    with pytest.raises(KeyError):
        worlds.read(["chiller_9.run_status"])


def test_each_scenario_can_be_told_its_own() -> None:
    worlds = three_chillers([8 * HOUR] * 3)
    speeds = np.array([30.0, 60.0, 90.0])
    worlds.command_all("schp_1.speed_command", speeds)
    assert worlds.read(["schp_1.speed_command"])[:, 0].tolist() == [30.0, 60.0, 90.0]
    worlds.advance(600.0)
    flows = worlds.model.secondary_flow
    assert flows[0] < flows[1] < flows[2]
    with pytest.raises(KeyError):
        worlds.command(0, "schp_1.speed", 50.0)


def test_values_are_those_that_their_devices_tell() -> None:
    """The same as the codec of the simulated wire makes of the true values."""
    worlds = three_chillers([8 * HOUR])
    start_all(worlds)
    worlds.advance(1234.5)
    values = worlds.values()
    for key, point in worlds.plant.points.items():
        if point.address is None or point.role.commandable:
            continue
        shown = values[key]
        if isinstance(point.address, ModbusAddress):
            told = from_registers(point, to_registers(point, shown))
            assert told == pytest.approx(shown, abs=1e-9), key
        elif not point.role.quantity.is_boolean:
            assert shown == round(shown, 2), key


def test_what_is_counted_is_what_the_meters_count() -> None:
    worlds = three_chillers([YEAR_START + 9 * HOUR, YEAR_START + 14 * HOUR])
    start_all(worlds)
    worlds.advance(3 * HOUR)
    total = sum(worlds.energy.values())
    assert worlds.read(["plant_power.energy"])[:, 0] == pytest.approx(total, rel=1e-4)
    assert worlds.starts.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert np.all(worlds.cooling_energy > 1000.0)
    assert np.all(worlds.unmet >= 0.0)
    assert np.all(worlds.model.water_used > 1000.0)


def test_a_plant_that_is_off_leaves_kelvin_hours_unmet() -> None:
    worlds = three_chillers([YEAR_START + 9 * HOUR] * 2)
    start_all(worlds)
    for key in worlds.commands.points:
        if key.endswith(".run_command"):
            worlds.command(1, key, False)
    worlds.advance(12 * HOUR)
    assert worlds.unmet[1] > worlds.unmet[0] + 3.0


def test_the_weather_may_be_another() -> None:
    cold = three_chillers([12 * HOUR], weather=WeatherSeries.steady(15.0, 8.0))
    assert cold.read(["weather.outdoor_temperature"])[0, 0] == 15.0


def test_a_fault_is_that_of_one_scenario() -> None:
    worlds = three_chillers([8 * HOUR] * 2)
    start_all(worlds)
    worlds.advance(600.0)
    worlds.fault("chiller_1", Fault.TRIP, scenario=1)
    worlds.foul("chiller_2", 3.0, scenario=0)
    worlds.advance(60.0)
    assert worlds.read(["chiller_1.alarm"])[:, 0].tolist() == [0.0, 1.0]
    power = worlds.read(["chiller_2_power.power"])[:, 0]
    assert power[0] > 1.02 * power[1]
    with pytest.raises(KeyError):
        worlds.fault("chiller_1", Fault.STUCK)
    with pytest.raises(KeyError):
        worlds.foul("ct_1", 1.0)


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (kind, role.name)
        for kind, roles in ROLES.items()
        for role in roles.values()
        if not role.commandable
    ],
)
def test_every_role_that_is_read_has_a_sensor(kind: EquipmentType, role: str) -> None:
    """And it shows what its fleet declares to be seen."""
    row = SENSORS[kind][role]
    fleet = attrgetter(row.fleet)(three_chillers([0.0]).machines)
    declared = Air.__slots__ if isinstance(fleet, Air) else fleet.OBSERVABLES
    assert row.observable in declared
    assert getattr(fleet, row.observable) is not None


def test_missing_ratings_are_named_where_they_matter() -> None:
    plant = dedicated(1)
    worlds = Worlds(plant, [0.0])
    assert worlds.assumed["ch1.cooling_capacity"] == 1407.0
    assert any("ch1.cooling_capacity" in doubt for doubt in worlds.doubts)
    with pytest.raises(SimulationError, match=r"p1\.head"):
        Worlds(plant, [0.0], complete=True)
    assert three_chillers([0.0], complete=True).assumed == {}


def test_a_plant_whose_ratings_fit_is_not_doubted() -> None:
    assert three_chillers([0.0]).doubts == ()


def test_towers_that_cannot_meet_the_load_are_said_and_seen() -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        "water_flow: 75.71, fan_power", "water_flow: 25, fan_power"
    )
    small = Worlds(parse_plant(text, "plant.yaml"), [12 * HOUR])
    assert any("towers" in doubt for doubt in small.doubts)
    start_all(small)
    small.fix_load(1.0)
    small.advance(3 * HOUR)
    assert small.model.clipped_seconds["towers"][0] > HOUR
    assert small.model.clipped_seconds["chillers"][0] > 0.0


@pytest.mark.parametrize(
    ("ratings", "named"),
    [
        ("cooling_load: -800", "zone_1.ratings.cooling_load"),
        ("cooling_load: 0", "zone_1.ratings.cooling_load"),
        ("cooling_load: 800, floor_area: 1", "zone_1.ratings: floor_area"),
    ],
)
def test_a_rating_that_cannot_be_is_named(ratings: str, named: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        "ratings: {cooling_load: 800, floor_area: 8000}", f"ratings: {{{ratings}}}", 1
    )
    with pytest.raises(SimulationError, match=named):
        Worlds(parse_plant(text, "plant.yaml"), [0.0])
