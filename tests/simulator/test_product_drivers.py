"""The product's own drivers against the simulated plant: one plant file, both ends."""

from pathlib import Path

from modbus_connection import ModbusTcpParams, ModbusUnit
from modbus_connection.tmodbus import ModbusConnection as Link
import pytest

from custom_components.chiller_plant.drivers.bacnet import BacnetDriver
from custom_components.chiller_plant.drivers.bacnet_network import BacnetNetworks
from custom_components.chiller_plant.drivers.driver import ReadReport
from custom_components.chiller_plant.drivers.modbus import ModbusDriver
from custom_components.chiller_plant.plant.model import (
    BacnetConnection,
    ModbusConnection,
    Plant,
    Point,
)
from custom_components.chiller_plant.plant.plant_file import load_plant, parse_plant
from custom_components.chiller_plant.simulator.modbus_server import ModbusServer
from custom_components.chiller_plant.simulator.simulation import Simulation
from tests.ports import tcp_port, udp_port
from tests.simulator.plants import SEVEN, served_example


def _points(plant: Plant, connection: str) -> list[Point]:
    return [
        point
        for point in plant.points.values()
        if point.address and point.address.connection == connection
    ]


def _on_free_addresses(folder: Path) -> Plant:
    file = served_example(folder)
    text = file.read_text(encoding="utf-8")
    ours = udp_port()
    file.write_text(
        text.replace("local_port: 47809", f"local_port: {ours}"), encoding="utf-8"
    )
    return load_plant(file)


async def test_the_drivers_read_every_point_as_the_simulator_shows_it(
    tmp_path: Path,
) -> None:
    plant = _on_free_addresses(tmp_path)
    simulation = Simulation(plant, SEVEN, 1.0)
    simulation.world.advance(1800.0)
    await simulation.start()
    simulation.move(0.0)
    shown = simulation.world.values()
    read: dict[str, bool | float] = {}
    try:
        for connection in plant.connections.values():
            if isinstance(connection, BacnetConnection):
                driver = BacnetDriver(connection, BacnetNetworks().network(connection))
                await driver.connect()
                report = await driver.read(_points(plant, connection.key))
                setpoint = "chiller_1.chilled_water_supply_temperature_setpoint"
                await driver.write(plant.points[setpoint], 8.0)
                again = await driver.read([plant.points[setpoint]])
                assert again.values[setpoint] == pytest.approx(8.0)
                await driver.release(plant.points[setpoint])
                again = await driver.read([plant.points[setpoint]])
                assert again.values[setpoint] == pytest.approx(6.7)
                await driver.close()
            else:
                report = await _read_modbus(plant, connection)
            assert not report.failures
            read |= report.values
    finally:
        await simulation.stop()
    assert set(read) == set(shown)
    for key, value in shown.items():
        assert read[key] == pytest.approx(value, rel=1e-5, abs=1e-5), key


async def _read_modbus(plant: Plant, connection: ModbusConnection) -> ReadReport:
    link = Link(ModbusTcpParams(host=connection.host, port=connection.port))

    async def lend(unit: int) -> ModbusUnit:
        return link.for_unit(unit)

    driver = ModbusDriver(connection, lend)
    await driver.connect()
    report = await driver.read(_points(plant, connection.key))
    await driver.close()
    await link.close()
    return report


_FORMS = """
plant: {{key: forms, name: Forms}}
connections:
  drives:
    protocol: modbus_tcp
    host: 127.0.0.66
    port: {port}
    devices:
      drive: {{unit: 1, ranges: {{holding: [[0, 60]]}}}}
equipment:
  pump:
    type: primary_chilled_water_pump
    name: Pump
    device: drive
    points:
      run_command: {{register: holding, address: 9, states: {{3: false, 7: true}}}}
      speed_command:
        {{register: holding, address: 20, type: uint64, word_order: little, scale: 0.01}}
      run_status:
        {{register: holding, address: 60, bits: [4, 6], states: {{1: false, 5: true}}}}
      alarm: {{register: holding, address: 60, bit: 9}}
      speed: {{register: holding, address: 59, bits: [0, 6]}}
      power: {{register: input, address: 5, type: float64, unit: W}}
"""


async def test_every_form_of_a_value_is_understood_at_both_ends() -> None:
    plant = parse_plant(_FORMS.format(port=tcp_port()), "plant.yaml")
    connection = plant.connections["drives"]
    assert isinstance(connection, ModbusConnection)
    values: dict[str, bool | float] = {
        "pump.run_command": False,
        "pump.speed_command": 80.0,
        "pump.run_status": True,
        "pump.alarm": True,
        "pump.speed": 93.0,
        "pump.power": 7.25,
    }
    server = ModbusServer(connection, plant.points.values(), values)
    await server.start()
    link = Link(ModbusTcpParams(host=connection.host, port=connection.port))

    async def lend(unit: int) -> ModbusUnit:
        return link.for_unit(unit)

    driver = ModbusDriver(connection, lend)
    await driver.connect()
    try:
        report = await driver.read(plant.points.values())
        assert (report.values, report.failures) == (values, {})
        # Two tables, each in one request: a range has no gaps.
        assert driver.traffic()["drive"].requests == 2

        await driver.write(plant.points["pump.run_command"], True)
        await driver.write(plant.points["pump.speed_command"], 41.5)
        assert server.commands() == {
            "pump.run_command": True,
            "pump.speed_command": 41.5,
        }
    finally:
        await driver.close()
        await link.close()
        await server.stop()
