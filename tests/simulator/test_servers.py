"""The servers, as seen by clients that share no code with them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ctypes import (
    CDLL,
    POINTER,
    c_char_p,
    c_int,
    c_uint8,
    c_uint16,
    c_void_p,
    get_errno,
)
from ctypes.util import find_library
from pathlib import Path
import socket
from typing import Any

import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.plant.model import (
    BacnetConnection,
    ModbusConnection,
    Plant,
)
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.serving import ServerError
from custom_components.chiller_plant.simulator.simulation import Simulation
from tests.ports import udp_port
from tests.simulator.plants import SEVEN, served_example
from tests.waiting import PATIENCE, eventually

_KINDS = {
    "AI": rb.ObjectType.ANALOG_INPUT,
    "AV": rb.ObjectType.ANALOG_VALUE,
    "BI": rb.ObjectType.BINARY_INPUT,
    "BO": rb.ObjectType.BINARY_OUTPUT,
    "BV": rb.ObjectType.BINARY_VALUE,
}
PRESENT_VALUE = rb.PropertyIdentifier.PRESENT_VALUE


def obj(name: str) -> rb.ObjectIdentifier:
    """Return `AI1` as rusty-bacnet wants it."""
    return rb.ObjectIdentifier(_KINDS[name[:2]], int(name[2:]))


def on_free_addresses(folder: Path) -> Plant:
    """Return the example on free addresses (no fixture: those have no sockets)."""
    return load_plant(served_example(folder))


@asynccontextmanager
async def served(plant: Plant, speed: float = 30.0) -> AsyncIterator[Simulation]:
    """Serve a plant while time passes."""
    simulation = Simulation(plant, SEVEN, speed)
    await simulation.start()
    task = asyncio.create_task(simulation.run())
    try:
        yield simulation
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await simulation.stop()


def device_address(plant: Plant, device: str) -> str:
    """Return where a BACnet device of the plant is."""
    connection = plant.connections["bms"]
    assert isinstance(connection, BacnetConnection)
    return connection.devices[device].address


@asynccontextmanager
async def bacnet_client() -> AsyncIterator[rb.BACnetClient]:
    """Return a client of rusty-bacnet on loopback."""
    async with rb.BACnetClient(
        "127.0.9.1",
        udp_port(),
        broadcast_address="127.255.255.255",
        share_port_by_address=True,
        apdu_timeout_ms=1000,
    ) as client:
        yield client


_MODBUS = CDLL(find_library("modbus") or "libmodbus.so.5", use_errno=True)
_MODBUS.modbus_new_tcp.restype = c_void_p
_MODBUS.modbus_new_tcp.argtypes = [c_char_p, c_int]
_MODBUS.modbus_strerror.restype = c_char_p
for _name, _kinds in {
    "modbus_connect": [c_void_p],
    "modbus_close": [c_void_p],
    "modbus_free": [c_void_p],
    "modbus_set_slave": [c_void_p, c_int],
    "modbus_read_registers": [c_void_p, c_int, c_int, POINTER(c_uint16)],
    "modbus_read_input_registers": [c_void_p, c_int, c_int, POINTER(c_uint16)],
    "modbus_read_bits": [c_void_p, c_int, c_int, POINTER(c_uint8)],
    "modbus_write_register": [c_void_p, c_int, c_uint16],
    "modbus_write_registers": [c_void_p, c_int, c_int, POINTER(c_uint16)],
}.items():
    getattr(_MODBUS, _name).argtypes = _kinds

ILLEGAL_ADDRESS = 112345678 + 2
ILLEGAL_VALUE = 112345678 + 3
NO_SUCH_UNIT = 112345678 + 11


class ModbusError(Exception):
    """What libmodbus says, as its own error number."""


class ModbusClient:
    """A client of libmodbus; every call blocks."""

    def __init__(self, connection: ModbusConnection) -> None:
        self._link = c_void_p(
            _MODBUS.modbus_new_tcp(connection.host.encode(), connection.port)
        )
        self._checked(_MODBUS.modbus_connect(self._link))

    @staticmethod
    def _checked(result: int) -> None:
        if result < 0:
            raise ModbusError(get_errno())

    def close(self) -> None:
        _MODBUS.modbus_close(self._link)
        _MODBUS.modbus_free(self._link)

    def read(self, unit: int, address: int, count: int, kind: str = "") -> list[int]:
        _MODBUS.modbus_set_slave(self._link, unit)
        words = (c_uint16 * count)()
        call = getattr(_MODBUS, f"modbus_read_{kind}registers")
        self._checked(call(self._link, address, count, words))
        return list(words)

    def read_bits(self, unit: int, address: int, count: int) -> list[int]:
        _MODBUS.modbus_set_slave(self._link, unit)
        bits = (c_uint8 * count)()
        self._checked(_MODBUS.modbus_read_bits(self._link, address, count, bits))
        return list(bits)

    def write(self, unit: int, address: int, *words: int) -> None:
        _MODBUS.modbus_set_slave(self._link, unit)
        if len(words) == 1:
            result = _MODBUS.modbus_write_register(self._link, address, words[0])
        else:
            values = (c_uint16 * len(words))(*words)
            result = _MODBUS.modbus_write_registers(
                self._link, address, len(words), values
            )
        self._checked(result)


@contextmanager
def modbus_client(plant: Plant, connection: str) -> Iterator[ModbusClient]:
    """Connect libmodbus to a connection of the plant."""
    target = plant.connections[connection]
    assert isinstance(target, ModbusConnection)
    client = ModbusClient(target)
    try:
        yield client
    finally:
        client.close()


async def off_loop(call: Any, *arguments: Any) -> Any:
    """Run a blocking call beside the servers' event loop."""
    return await asyncio.to_thread(call, *arguments)


async def test_a_bacnet_client_reads_names_units_and_values(tmp_path: Path) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant), bacnet_client() as client:
        at = device_address(plant, "plant_controller")

        async def read(name: str, prop: rb.PropertyIdentifier) -> Any:
            return (await client.read_property(at, obj(name), prop)).value

        assert await read("AI1", rb.PropertyIdentifier.OBJECT_NAME) == (
            "plant.chilled_water_supply_temperature"
        )
        assert "supply temperature" in await read(
            "AI1", rb.PropertyIdentifier.DESCRIPTION
        )
        assert await read("AI1", rb.PropertyIdentifier.UNITS) == 62  # degrees-Celsius
        assert await read("AI4", rb.PropertyIdentifier.UNITS) == 54  # kilopascals
        assert 5.0 < await read("AI1", PRESENT_VALUE) < 30.0
        with pytest.raises(rb.BacnetProtocolError):
            await read("AI99", PRESENT_VALUE)


async def test_a_bacnet_client_reads_many_properties_at_once(tmp_path: Path) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant), bacnet_client() as client:
        answers = await client.read_property_multiple(
            device_address(plant, "chiller_1_controller"),
            [(obj(name), [(PRESENT_VALUE, None)]) for name in ("AI1", "AI5", "BI1")],
        )
        assert len(answers) == 3


async def test_a_bacnet_device_answers_a_unicast_who_is(tmp_path: Path) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant), bacnet_client() as client:
        await client.who_is_directed(device_address(plant, "zone_controller"))

        async def found() -> bool:
            devices = await client.discovered_devices()
            return any(item.object_identifier.instance == 1004 for item in devices)

        await eventually(found)


async def test_a_command_is_taken_at_its_priority_and_handed_back_by_null(
    tmp_path: Path,
) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant) as simulation, bacnet_client() as client:
        at = device_address(plant, "chiller_1_controller")
        setpoint = obj("AV1")

        async def value() -> float:
            return float(
                (await client.read_property(at, setpoint, PRESENT_VALUE)).value
            )

        async def slot(priority: int) -> Any:
            return await client.read_property(
                at, setpoint, rb.PropertyIdentifier.PRIORITY_ARRAY, priority
            )

        assert await value() == pytest.approx(6.7)
        await client.write_property(
            at, setpoint, PRESENT_VALUE, rb.PropertyValue.real(9.0), 10
        )
        assert await value() == pytest.approx(9.0)
        assert (await slot(10)).value == pytest.approx(9.0)
        assert (await slot(8)).value is None
        await client.write_property(
            at, setpoint, PRESENT_VALUE, rb.PropertyValue.real(8.0), 8
        )
        assert await value() == pytest.approx(8.0)

        async def obeyed() -> bool:
            return simulation.world.commands[
                "chiller_1.chilled_water_supply_temperature_setpoint"
            ] == pytest.approx(8.0)

        await eventually(obeyed)
        for priority in (8, 10):
            await client.write_property(
                at, setpoint, PRESENT_VALUE, rb.PropertyValue.null(), priority
            )
        assert await value() == pytest.approx(6.7)
        default = await client.read_property(
            at, setpoint, rb.PropertyIdentifier.RELINQUISH_DEFAULT
        )
        assert default.value == pytest.approx(6.7)


async def test_a_run_command_that_is_handed_back_runs_the_lead_chiller(
    tmp_path: Path,
) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant), bacnet_client() as client:
        lead = device_address(plant, "chiller_1_controller")
        lag = device_address(plant, "chiller_2_controller")
        for at, default in ((lead, 1), (lag, 0)):
            command = obj("BO1")
            await client.write_property(
                at, command, PRESENT_VALUE, rb.PropertyValue.enumerated(1 - default), 10
            )
            answer = await client.read_property(at, command, PRESENT_VALUE)
            assert answer.value == 1 - default
            await client.write_property(
                at, command, PRESENT_VALUE, rb.PropertyValue.null(), 10
            )
            answer = await client.read_property(at, command, PRESENT_VALUE)
            assert answer.value == default


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("AI1", rb.PropertyValue.real(1.0), "a measurement"),
        ("BI1", rb.PropertyValue.enumerated(1), "a status"),
        ("AV1", rb.PropertyValue.real(99.0), "beyond its limit"),
        ("AV1", rb.PropertyValue.real(float("nan")), "no number"),
    ],
)
async def test_a_bacnet_write_that_makes_no_sense_is_refused(
    tmp_path: Path, name: str, value: rb.PropertyValue, why: str
) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant), bacnet_client() as client:
        at = device_address(plant, "chiller_1_controller")
        before = (await client.read_property(at, obj(name), PRESENT_VALUE)).value
        with pytest.raises(rb.BacnetProtocolError):
            await client.write_property(at, obj(name), PRESENT_VALUE, value, 10)
        after = (await client.read_property(at, obj(name), PRESENT_VALUE)).value
        assert after == pytest.approx(before, abs=0.5), why


async def test_changes_of_value_are_notified(tmp_path: Path) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant), bacnet_client() as client:
        at = device_address(plant, "zone_controller")
        setpoint = obj("AV11")
        notifications = await client.cov_notifications()
        await client.subscribe_cov(at, 7, setpoint, False, 60)
        await client.write_property(
            at, setpoint, PRESENT_VALUE, rb.PropertyValue.real(25.5), 10
        )
        async with asyncio.timeout(PATIENCE):
            async for item in notifications:
                values = [entry["value"].value for entry in item.values]
                if values[0] == pytest.approx(25.5):
                    break
        await client.unsubscribe_cov(at, 7, setpoint)


async def test_a_bacnet_device_off_the_wire_is_silent_and_returns_as_it_was(
    tmp_path: Path,
) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant) as simulation, bacnet_client() as client:
        at = device_address(plant, "chiller_1_controller")
        other = device_address(plant, "zone_controller")
        await client.write_property(
            at, obj("AV1"), PRESENT_VALUE, rb.PropertyValue.real(8.5), 10
        )
        server = simulation.servers["chiller_1_controller"]
        await server.stop()
        with pytest.raises((rb.BacnetTimeoutError, rb.BacnetAbortError)):
            await client.read_property(at, obj("AV1"), PRESENT_VALUE)
        await client.read_property(other, obj("AI11"), PRESENT_VALUE)
        await server.start()
        answer = await client.read_property(at, obj("AV1"), PRESENT_VALUE)
        assert answer.value == pytest.approx(8.5)


async def test_a_modbus_client_reads_scaled_registers_and_shared_bits(
    tmp_path: Path,
) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant) as simulation:
        with modbus_client(plant, "drives") as client:
            command, reference = await off_loop(client.read, 1, 1, 2)
            assert (command, reference) == (1, 10000)
            status, speed, power = await off_loop(client.read, 1, 32, 3)
            assert status == 0b0001
            assert speed == 10000
            shown = float(simulation.world.values()["pchp_1.power"])
            assert power / 10 == pytest.approx(shown, abs=0.3)
            assert (await off_loop(client.read, 2, 32, 1)) == [0]
        with modbus_client(plant, "meters") as client:
            words = await off_loop(client.read, 3, 0, 4, "input_")
            assert len(words) == 4
            assert words[0] != 0


async def test_a_modbus_client_starts_a_pump(tmp_path: Path) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant):
        with modbus_client(plant, "drives") as client:
            await off_loop(client.write, 2, 1, 1, 5000)

            async def at_half_speed() -> bool:
                status, speed = await off_loop(client.read, 2, 32, 2)
                return bool(status & 1) and speed == 5000

            await eventually(at_half_speed)
            await off_loop(client.write, 2, 1, 0)

            async def stopped() -> bool:
                (status,) = await off_loop(client.read, 2, 32, 1)
                return not status & 1

            await eventually(stopped)


@pytest.mark.parametrize(
    ("call", "arguments", "refusal"),
    [
        ("read", (1, 0, 1), ILLEGAL_ADDRESS),
        ("read", (1, 1, 3), ILLEGAL_ADDRESS),
        ("read", (1, 32, 3, "input_"), ILLEGAL_ADDRESS),
        ("read_bits", (1, 0, 1), ILLEGAL_ADDRESS),
        ("write", (1, 33, 100), ILLEGAL_ADDRESS),
        ("write", (1, 2, 12000), ILLEGAL_VALUE),
        ("read", (99, 1, 1), NO_SUCH_UNIT),
    ],
)
async def test_a_modbus_request_that_makes_no_sense_is_refused(
    tmp_path: Path, call: str, arguments: tuple[Any, ...], refusal: int
) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant):
        with modbus_client(plant, "drives") as client:
            with pytest.raises(ModbusError) as refused:
                await off_loop(getattr(client, call), *arguments)
            assert refused.value.args[0] == refusal
            assert await off_loop(client.read, 1, 2, 1) == [10000]


async def test_a_modbus_server_off_the_wire_refuses_and_returns_as_it_was(
    tmp_path: Path,
) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant) as simulation:
        server = simulation.servers["drives"]
        with modbus_client(plant, "drives") as client:
            await off_loop(client.write, 3, 2, 6600)
            await server.stop()
            with pytest.raises(ModbusError):
                await off_loop(client.read, 3, 2, 1)
        with pytest.raises(ModbusError), modbus_client(plant, "drives"):
            pass
        await server.start()
        with modbus_client(plant, "drives") as client:
            assert await off_loop(client.read, 3, 2, 1) == [6600]


async def test_a_taken_bacnet_address_is_named_and_nothing_is_left_on_the_wire(
    tmp_path: Path,
) -> None:
    plant = on_free_addresses(tmp_path)
    host, _, port = device_address(plant, "zone_controller").partition(":")
    simulation = Simulation(plant, SEVEN, 1.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((host, int(port)))
        with pytest.raises(ServerError, match=rf"zone_controller: {host}:{port} is al"):
            await simulation.start()
    assert not any(server.on_wire for server in simulation.servers.values())


async def test_a_taken_modbus_address_is_named(tmp_path: Path) -> None:
    plant = on_free_addresses(tmp_path)
    meters = plant.connections["meters"]
    assert isinstance(meters, ModbusConnection)
    simulation = Simulation(plant, SEVEN, 1.0)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind((meters.host, meters.port))
        other.listen()
        with pytest.raises(ServerError, match=rf"meters: .*{meters.port} is already"):
            await simulation.start()
    assert not any(server.on_wire for server in simulation.servers.values())


async def test_two_simulators_of_one_plant_do_not_share_its_addresses(
    tmp_path: Path,
) -> None:
    plant = on_free_addresses(tmp_path)
    async with served(plant):
        with pytest.raises(ServerError, match="already in use"):
            await Simulation(plant, SEVEN, 1.0).start()
