"""Testing one point from the options of a plant, seen from the other end of the wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_homeassistant_custom_component.common import MockConfigEntry
import rusty_bacnet as rb

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.drivers.bacnet_peers import Device, device, independent_client, slot
from tests.drivers.libmodbus import Server, build, libmodbus
from tests.integration.forms import Walk, open_options
from tests.integration.served_plant import ServedPlant, operate, set_up
from tests.ports import udp_port
from tests.waiting import eventually

PLANT = """
plant: {{key: bench, name: Bench, poll_interval: 1}}
connections:
  bms:
    protocol: bacnet_ip
    local_address: 127.0.0.1/8
    local_port: {local_port}
    instance: 4190009
    write_priority: 10
    devices:
      controller: {{address: "{controller}", instance: 1001}}
  drives:
    protocol: modbus_tcp
    host: {host}
    port: {port}
    devices:
      drive: {{unit: 1}}
equipment:
  zone:
    type: zone
    name: Ward
    device: controller
    points:
      temperature: {{object: "analog-input,1"}}
      temperature_setpoint: {{object: "analog-value,1", limits: [18, 30]}}
  fan:
    type: cooling_tower
    name: Tower
    device: drive
    points:
      speed_command: {{register: holding, address: 2, scale: 0.01, release: 50}}
"""
SETPOINT = "zone.temperature_setpoint"


@dataclass
class Bench:
    """A plant of two devices, and the devices."""

    entry: MockConfigEntry
    controller: Device
    drive: Server

    async def walk(self, hass: HomeAssistant, point: str) -> Walk:
        """Open the dialog and choose a point."""
        walk = await open_options(hass, self.entry.entry_id, "test_point")
        await walk.submit(point=point)
        return walk


@asynccontextmanager
async def bench(hass: HomeAssistant, folder: Path) -> AsyncIterator[Bench]:
    """Run a plant on a controller of rusty-bacnet and a drive of libmodbus."""
    program = await hass.async_add_executor_job(build, folder)
    async with device() as controller, libmodbus(program) as drive:
        text = PLANT.format(
            local_port=udp_port(),
            controller=controller.address,
            host=drive.host,
            port=drive.port,
        )
        entry = await set_up(hass, text)
        yield Bench(entry, controller, drive)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_point_is_read_on_the_wire(hass: HomeAssistant, tmp_path: Path) -> None:
    async with bench(hass, tmp_path) as plant:
        walk = await plant.walk(hass, "zone.temperature")
        assert walk.told["point"] == "Ward: temperature"
        assert plant.controller.address in walk.told["where"]
        assert walk.told["where"].endswith("analog-input 1")
        assert walk.told["value"] == "1 °C"
        assert walk.told["owner"] == "nobody"
        assert walk.shown["menu_options"] == ["read", "test_point", "finish"]

        await plant.controller.measure("analog-input,1", rb.PropertyValue.real(21.5))
        await walk.choose("read")
        await walk.wait()
        assert walk.told["result"] == "Read now: 21.5 °C."

        await plant.controller.stop()
        await walk.choose("read")
        await walk.wait()
        assert "could not be read" in walk.told["result"]
        assert plant.controller.address in walk.told["result"]
        await plant.controller.start()


async def test_command_is_written_read_back_and_released(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    async with bench(hass, tmp_path) as plant, independent_client() as client:
        walk = await plant.walk(hass, SETPOINT)
        await walk.choose("write")
        await walk.submit(value=22.5, confirm=False)
        assert walk.errors == {"confirm": "not_confirmed"}
        assert await slot(client, plant.controller, "analog-value,1", 10) is None

        await walk.submit(value=35, confirm=True)
        assert walk.errors == {"value": "refused"}
        assert "18" in walk.told["problems"]
        assert await slot(client, plant.controller, "analog-value,1", 10) is None

        await walk.submit(value=22.5, confirm=True)
        await walk.wait()
        assert walk.told["result"] == "Written. The device reads back 22.5 °C."
        assert walk.told["owner"] == "this test"
        assert await slot(client, plant.controller, "analog-value,1", 10) == 22.5
        assert "release" in walk.shown["menu_options"]

        await walk.choose("release")
        await walk.wait()
        assert walk.told["result"].startswith("Released. It reads")
        assert walk.told["owner"] == "nobody"
        assert await slot(client, plant.controller, "analog-value,1", 10) is None
        assert "release" not in walk.shown["menu_options"]


async def test_modbus_register_is_written_once_and_given_its_release_value(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    async with bench(hass, tmp_path) as plant:
        walk = await plant.walk(hass, "fan.speed_command")
        assert walk.told["where"].endswith("unit 1, holding 2")
        await walk.choose("write")
        await walk.submit(value=80, confirm=True)
        await walk.wait()
        assert walk.told["result"] == "Written. The device reads back 80 %."
        await walk.choose("release")
        await walk.wait()
        assert walk.told["result"] == "Released. It reads 50 %."
        await plant.drive.heard()
        assert plant.drive.writes == [(1, 6, 2, 8000), (1, 6, 2, 5000)]


async def test_dialog_that_is_closed_leaves_a_lease_that_takes_the_command_back(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    async with bench(hass, tmp_path) as plant:
        walk = await plant.walk(hass, SETPOINT)
        await walk.choose("write")
        await walk.submit(value=22.5, confirm=True)
        walk.close()
        desk = plant.entry.runtime_data.coordinator.desk
        status = desk.status(SETPOINT)
        assert status.owner == "point_test"
        assert status.priority == 150
        assert status.since is not None
        assert status.lease_end == status.since + 60


async def test_test_that_is_finished_gives_back_to_who_commanded_before(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    async with bench(hass, tmp_path) as plant, independent_client() as client:
        await operate(hass, "number.ward_temperature_setpoint", 25.0)
        walk = await plant.walk(hass, SETPOINT)
        assert walk.told["owner"] == "operator"
        await walk.choose("write")
        await walk.submit(value=22.5, confirm=True)
        await walk.wait()
        await walk.choose("finish")
        assert walk.shown["type"] is FlowResultType.ABORT
        assert walk.shown["reason"] == "test_over"

        async def back() -> bool:
            found = await slot(client, plant.controller, "analog-value,1", 10)
            return bool(found == 25.0)

        await eventually(back)


async def test_interlock_that_holds_a_test_back_says_why(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    before = served.commanded("chiller_2.run_command")
    walk = await open_options(hass, entry.entry_id, "test_point")
    await walk.submit(point="Chiller 22: run command")
    assert walk.errors == {"point": "unknown_point"}
    # As the field offers it.
    await walk.submit(point="Chiller 2: run command")
    await walk.choose("write")
    await walk.submit(value=True, confirm=True)
    await walk.wait()
    assert "held back" in walk.told["result"]
    assert "Chilled-water valve 2 is not proven open" in walk.told["result"]
    assert walk.told["hold"] in walk.told["result"]
    assert before is False
    assert served.commanded("chiller_2.run_command") is False
    await walk.choose("finish")
    assert walk.shown["reason"] == "test_over"
    status = entry.runtime_data.coordinator.desk.status("chiller_2.run_command")
    assert status.owner is None


async def test_plant_that_does_not_run_cannot_be_tested(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    walk = await open_options(hass, entry.entry_id, "test_point")
    await walk.submit(point="zone_1.temperature_setpoint")
    await walk.choose("write")
    await hass.config_entries.async_unload(entry.entry_id)
    await walk.submit(value=20, confirm=True)
    assert walk.shown["type"] is FlowResultType.ABORT
    assert walk.shown["reason"] == "plant_not_loaded"
