"""Equipment that falls back to its own control unless it is commanded again."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_components.chiller_plant.coordinator import PlantCoordinator
from homeassistant.core import HomeAssistant
from tests.drivers.bacnet_peers import device, slow_wire
from tests.drivers.libmodbus import Server, build, libmodbus
from tests.integration.served_plant import operate, set_up
from tests.ports import udp_port
from tests.waiting import eventually

# The drive waits this long; its plant file says half of that, so that a machine
# that is busy with other tests does not fail this one.
DRIVE_WAITS = 6.0
DECLARED = "watchdog_timeout: 3"
SPEED = "number.pump_speed_command"


@pytest.fixture(name="program", scope="module")
def libmodbus_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("libmodbus"))


def drive_plant(server: Server, watchdog: str = DECLARED) -> str:
    """Return a plant of one pump, whose drive is the server."""
    return f"""
plant: {{key: small, name: Small, poll_interval: 1}}
connections:
  drives:
    protocol: modbus_tcp
    host: {server.host}
    port: {server.port}
    devices:
      drive:
        unit: 1
        {watchdog}
equipment:
  pump:
    type: primary_chilled_water_pump
    name: Pump
    device: drive
    points:
      speed_command: {{register: holding, address: 2}}
      speed: {{register: input, address: 0, poll: fast}}
      # How often the drive has come to run by itself.
      power: {{register: input, address: 1, poll: fast}}
"""


async def started(hass: HomeAssistant, text: str) -> PlantCoordinator:
    """Set the plant up."""
    entry = await set_up(hass, text)
    coordinator: PlantCoordinator = entry.runtime_data.coordinator
    return coordinator


def reads(
    coordinator: PlantCoordinator, point: str, value: float
) -> Callable[[], bool]:
    return lambda: coordinator.reading(point).good == value


async def test_a_drive_that_is_only_read_falls_back_to_its_own_speed(
    hass: HomeAssistant, program: Path
) -> None:
    """Why commands are said again: many polls, one write, and the drive gives up."""
    async with libmodbus(program, watchdog=int(1000 * DRIVE_WAITS)) as server:
        coordinator = await started(hass, drive_plant(server, watchdog=""))
        await operate(hass, SPEED, 55)
        await eventually(reads(coordinator, "pump.speed", 55))
        await eventually(reads(coordinator, "pump.speed", 20))
        assert len(server.writes) == 1
        assert len(server.requests) > 5
        # It reads back what was written, so that nothing else would notice.
        assert coordinator.desk.status("pump.speed_command").mismatch is None


async def test_a_drive_with_a_watchdog_is_commanded_again_until_it_is_released(
    hass: HomeAssistant, program: Path
) -> None:
    async with libmodbus(program, watchdog=int(1000 * DRIVE_WAITS)) as server:
        coordinator = await started(hass, drive_plant(server))
        await operate(hass, SPEED, 55)
        await eventually(reads(coordinator, "pump.speed", 55))
        await asyncio.sleep(1.5 * DRIVE_WAITS)
        assert coordinator.reading("pump.speed").good == 55
        assert coordinator.reading("pump.power").good == 0
        assert len(server.writes) > 4
        assert {request[3] for request in server.writes} == {55}

        await coordinator.async_release(source=None)
        await server.forget()
        # Nothing holds it any more: it goes back to its own control.
        await eventually(reads(coordinator, "pump.speed", 20))
        assert server.writes == []


async def test_a_drive_that_was_off_gets_its_command_when_it_is_back(
    hass: HomeAssistant, program: Path
) -> None:
    async with libmodbus(program, watchdog=int(1000 * DRIVE_WAITS)) as server:
        coordinator = await started(hass, drive_plant(server))
        await operate(hass, SPEED, 55)
        await eventually(reads(coordinator, "pump.speed", 55))
        await server.stop()
        await eventually(lambda: "drive" in coordinator.silent)
        await server.start()
        # It has forgotten all, which its watchdog does not tell but its reading does.
        await eventually(lambda: "drive" not in coordinator.silent)
        await eventually(reads(coordinator, "pump.speed", 55))


async def test_a_bacnet_device_with_a_watchdog_is_commanded_again(
    hass: HomeAssistant,
) -> None:
    async with device() as far, slow_wire(far, 0.0) as wire:
        coordinator = await started(
            hass,
            f"""
plant: {{key: small, name: Small, poll_interval: 1}}
connections:
  bms:
    protocol: bacnet_ip
    local_address: 127.0.0.1/8
    local_port: {udp_port()}
    instance: 4190001
    devices:
      controller:
        address: {wire.as_declared.address}
        instance: {wire.as_declared.instance}
        {DECLARED}
equipment:
  pump:
    type: primary_chilled_water_pump
    name: Pump
    device: controller
    points:
      speed_command: {{object: "analog-value,1", release: 20}}
""",
        )
        await operate(hass, SPEED, 55)
        await eventually(lambda: wire.requests.count(15) >= 5)
        await coordinator.async_release(source=None)
        written = wire.requests.count(15)
        await asyncio.sleep(3)
        assert wire.requests.count(15) == written
