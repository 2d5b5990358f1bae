"""A site with three SCHP zones: each has its own pumps and its own pressure."""

from math import isfinite
from pathlib import Path

from modbus_connection import ModbusTcpParams, ModbusUnit
from modbus_connection.tmodbus import ModbusConnection as Link
import numpy as np
import pytest

from custom_components.chiller_plant.drivers.modbus import ModbusDriver
from custom_components.chiller_plant.plant.model import ModbusConnection
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.simulation import Simulation
from custom_components.chiller_plant.simulator.worlds import Worlds
from tests.simulator.plants import KSPO, SEVEN, served_example, start_all

ZONES = ("arena", "gymnasium", "offices")
PRESSURE = "chilled_water_differential_pressure"


def kspo(*times: float) -> Worlds:
    """Return the site, everything commanded on."""
    worlds = Worlds(load_plant(KSPO), times, complete=True)
    start_all(worlds)
    return worlds


def test_a_zone_feels_its_own_pumps_only() -> None:
    worlds = kspo(SEVEN)
    worlds.fix_load(0.6)
    worlds.advance(3600.0)
    points = [f"{zone}.{PRESSURE}" for zone in ZONES]
    before = worlds.read(points)[0]
    assert np.all(before > 40.0)
    for number in (1, 2):
        worlds.command(0, f"schp_gymnasium_{number}.speed_command", 35.0)
    worlds.advance(60.0)
    after = worlds.read(points)[0]
    assert after[1] < 0.4 * before[1]
    assert after[[0, 2]] == pytest.approx(before[[0, 2]], rel=0.05)


@pytest.mark.parametrize("zone", ZONES)
def test_each_zone_s_pressure_can_be_held(zone: str) -> None:
    worlds = kspo(SEVEN)
    worlds.fix_load(0.7)
    speed = 60.0
    for _ in range(120):
        pressure = worlds.read([f"{zone}.{PRESSURE}"])[0, 0]
        speed = max(25.0, min(100.0, speed + 0.05 * (80.0 - pressure)))
        for number in (1, 2):
            worlds.command(0, f"schp_{zone}_{number}.speed_command", speed)
        worlds.advance(30.0)
    assert pressure == pytest.approx(80.0, abs=3.0)
    assert 30.0 < speed < 95.0


def test_a_day_left_to_itself_cools_and_stays_in_range() -> None:
    """The lead chiller on its own controls, from the hours of a whole day."""
    worlds = Worlds(load_plant(KSPO), [hour * 3600.0 for hour in (0, 6, 12, 18)])
    for hour in range(24):
        worlds.advance(3600.0)
        for scenario in range(4):
            for key, value in worlds.values(scenario).items():
                assert isfinite(value), f"{hour}: {key}"
                if key.endswith("temperature"):
                    assert 3.0 < value < 45.0, f"hour {hour}: {key} = {value}"
                if key.endswith(PRESSURE):
                    assert 0.0 <= value < 400.0, f"hour {hour}: {key} = {value}"
    assert worlds.read(["chiller_1.run_status"]).tolist() == [[1.0]] * 4
    kilowatts_per_ton = 3.517 * sum(worlds.energy.values()) / worlds.cooling_energy
    assert np.all(kilowatts_per_ton > 0.5)
    assert np.all(kilowatts_per_ton < 1.3)


async def test_it_is_served_and_its_pumps_are_commanded_on_the_wire(
    tmp_path: Path,
) -> None:
    plant = load_plant(served_example(tmp_path, KSPO))
    simulation = Simulation(plant, SEVEN, 60.0)
    connection = plant.connections["drives"]
    assert isinstance(connection, ModbusConnection)
    await simulation.start()
    link = Link(ModbusTcpParams(host=connection.host, port=connection.port))

    async def lend(unit: int) -> ModbusUnit:
        return link.for_unit(unit)

    driver = ModbusDriver(connection, lend)
    try:
        await driver.connect()
        speed = plant.points["schp_arena_2.speed_command"]
        await driver.write(plant.points["schp_arena_2.run_command"], True)
        await driver.write(speed, 70.0)
        simulation.move(0.0)
        simulation.move(1.5)
        status = plant.points["schp_arena_2.run_status"]
        report = await driver.read([status, speed])
        assert report.values == {status.key: True, speed.key: 70.0}
    finally:
        await driver.close()
        await link.close()
        await simulation.stop()
