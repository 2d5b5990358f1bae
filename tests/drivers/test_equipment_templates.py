"""Shipped templates on stacks that we did not write: the addresses are what they say."""

import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.plant.model import BacnetDevice, Equipment, Point
from tests.drivers.libmodbus import libmodbus
from tests.drivers.points import bacnet_driver, modbus_driver
from tests.plant.test_equipment_templates import plant_of
from tests.ports import udp_port

_HOST = "127.0.0.57"


def machine_of(key: str, **changes: str) -> Equipment:
    return plant_of(key, **changes).equipment["machine"]


def on_the_wire(machine: Equipment) -> dict[str, Point]:
    """Return its points by role, without what the integration itself holds."""
    return {
        role: point
        for role, point in machine.points.items()
        if point.address is not None
    }


async def test_a_carrier_30xv_is_read_and_commanded_by_its_template():
    machine = machine_of("carrier_30xv", variables='unit: "°F"')
    device = BacnetDevice("device", f"{_HOST}:{udp_port()}", 7)
    server = rb.BACnetServer(
        7,
        "30XV",
        interface=_HOST,
        port=int(device.address.partition(":")[2]),
        broadcast_address="127.255.255.255",
        share_port_by_address=True,
    )
    server.add_binary_value(0, "CHIL_S_S")
    for instance, name in (
        (3, "CAP_T"),
        (5, "CTRL_PNT"),
        (6, "DEM_LIM"),
        (8, "COOL_EWT"),
    ):
        server.add_analog_value(instance, name, 64)
    server.add_analog_value(9, "COOL_LWT", 64)
    await server.start()
    try:
        async with bacnet_driver(device, key="bus") as driver:
            points = on_the_wire(machine)
            setpoint = points["chilled_water_supply_temperature_setpoint"]
            await driver.write(setpoint, 7.0)
            await driver.write(points["demand_limit"], 80.0)
            await driver.write(points["run_command"], True)
            report = await driver.read(points.values())

            assert report.values[setpoint.key] == pytest.approx(7.0, abs=1e-4)
            assert report.values["machine.demand_limit"] == 80
            assert report.values["machine.run_command"] is True
            assert set(report.values) == {point.key for point in points.values()}

            async with rb.BACnetClient(
                interface="127.0.0.58",
                port=udp_port(),
                broadcast_address="127.255.255.255",
                share_port_by_address=True,
            ) as client:
                value = await client.read_property(
                    device.address,
                    rb.ObjectIdentifier(rb.ObjectType.ANALOG_VALUE, 5),
                    rb.PropertyIdentifier.PRESENT_VALUE,
                )
            # 7 °C as the machine has it.
            assert value.value == pytest.approx(44.6, abs=1e-3)
    finally:
        await server.stop()


async def test_a_trane_pic_is_read_and_commanded_by_its_template(libmodbus_program):
    machine = machine_of("trane_pic")
    async with (
        libmodbus(libmodbus_program, "127.0.0.67") as server,
        modbus_driver(server.host, server.port, {"device": 1}) as driver,
    ):
        points = on_the_wire(machine)
        await driver.write(points["chilled_water_supply_temperature_setpoint"], 7.0)
        await driver.write(points["run_command"], True)
        report = await driver.read(points.values())
        await server.heard()

        # 40002 with the document's offset 1, and (7 + 45) * 10.
        assert (1, 6, 1, 520) in server.requests
        assert any(request[:3] == (1, 5, 0) for request in server.requests)
        values = report.values
        assert values["machine.chilled_water_supply_temperature_setpoint"] == (
            pytest.approx(7.0)
        )
        # The server's input registers hold ten times their address.
        assert values["machine.load"] == 20
        assert values["machine.chilled_water_supply_temperature"] == pytest.approx(-41)
        assert values["machine.run_status"] is True
        assert values["machine.run_command"] is True


async def test_a_yaskawa_z1000_is_started_by_one_bit(libmodbus_program):
    machine = machine_of("yaskawa_z1000", variables="speed_scale: 0.02")
    async with (
        libmodbus(libmodbus_program, "127.0.0.68") as server,
        modbus_driver(server.host, server.port, {"device": 1}) as driver,
    ):
        points = on_the_wire(machine)
        await driver.write(points["run_command"], True)
        await driver.write(points["speed_command"], 80.0)
        report = await driver.read(points.values())
        await server.heard()

        writes = [request for request in server.requests if request[1] in (6, 16, 22)]
        assert (1, 6, 1, 1) in writes
        # 40 Hz of 50 in hundredths.
        assert (1, 6, 2, 4000) in writes
        assert report.values["machine.run_command"] is True
        assert report.values["machine.speed_command"] == pytest.approx(80)
        # The output frequency is the holding register 0041H.
        assert any(
            function == 3 and first <= 0x41 < first + count
            for _, function, first, count in server.requests
        )
        assert report.values["machine.speed"] == 0
