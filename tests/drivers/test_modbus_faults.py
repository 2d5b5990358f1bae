"""What must not break, block or leak when Modbus TCP goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
import random

import pytest

from custom_components.chiller_plant.drivers.driver import DeviceSilent
from custom_components.chiller_plant.drivers.modbus import ModbusDriver
from tests.drivers.libmodbus import libmodbus
from tests.drivers.points import modbus_driver, on_modbus
from tests.ports import tcp_port
from tests.waiting import eventually

EIGHT = {f"drive_{unit}": unit for unit in range(1, 9)}
SPEEDS = [on_modbus("speed", "input", 33, device=device) for device in EIGHT]
SPEED = on_modbus("speed", "input", 33)
COMMAND = on_modbus("speed_command", "holding", 2)


async def _all_answer(driver: ModbusDriver) -> bool:
    return len((await driver.read(SPEEDS)).values) == len(SPEEDS)


async def test_stalled_server_is_told_quickly_and_heard_when_back(
    libmodbus_program: Path,
) -> None:
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port, EIGHT) as driver,
    ):
        assert len((await driver.read(SPEEDS)).values) == 8
        server.freeze()
        report = await driver.read(SPEEDS)
        # Two were waited for, not all eight.
        assert sum(unit.requests for unit in driver.traffic().values()) == 8 + 2
        assert set(report.silent_devices) == set(EIGHT)
        assert len(report.failures) == 8
        with pytest.raises(DeviceSilent, match="drive_1 .* does not answer"):
            await driver.write(
                on_modbus("speed_command", "holding", 2, device="drive_1"), 5
            )
        server.thaw()
        await eventually(lambda: _all_answer(driver))


async def test_server_that_is_off_is_told_at_once_and_heard_when_back(
    libmodbus_program: Path,
) -> None:
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port, EIGHT) as driver,
    ):
        await driver.read(SPEEDS)
        await server.stop()
        for _ in range(3):
            report = await driver.read(SPEEDS)
            assert set(report.silent_devices) == set(EIGHT)
        with pytest.raises(DeviceSilent, match="no connection"):
            await driver.write(
                on_modbus("speed_command", "holding", 2, device="drive_3"), 5
            )
        await server.start()
        await eventually(lambda: _all_answer(driver))


async def test_silent_unit_does_not_blank_the_others(libmodbus_program: Path) -> None:
    async with (
        libmodbus(libmodbus_program, silent_unit=1) as server,
        modbus_driver(server.host, server.port, EIGHT) as driver,
    ):
        report = await driver.read(SPEEDS)

    assert set(report.silent_devices) == {"drive_1"}
    assert len(report.values) == 7


async def test_commands_go_on_while_a_unit_is_silent(libmodbus_program: Path) -> None:
    async with (
        libmodbus(libmodbus_program, silent_unit=1) as server,
        modbus_driver(server.host, server.port, EIGHT) as driver,
    ):
        poll = asyncio.create_task(driver.read(SPEEDS))
        await asyncio.sleep(0.1)
        await driver.write(
            on_modbus("speed_command", "holding", 2, device="drive_5"), 5
        )
        await server.heard()
        # It waited for the one request that was on the wire.
        assert [request[:2] for request in server.requests[:2]] == [(1, 4), (5, 6)]
        assert len((await poll).values) == 7


def _noise(request: bytes) -> bytes:
    return random.randbytes(random.randrange(1, 300))


def _half(request: bytes) -> bytes:
    return request[:4] + b"\x00\x05" + request[6:7] + b"\x04\x02"


def _other_request(request: bytes) -> bytes:
    return b"\x7f\x7f" + request[2:4] + b"\x00\x05" + request[6:7] + b"\x04\x02\x00\x01"


def _other_unit(request: bytes) -> bytes:
    return request[:4] + b"\x00\x05\x63\x04\x02\x00\x01"


def _other_function(request: bytes) -> bytes:
    return request[:4] + b"\x00\x05" + request[6:7] + b"\x03\x02\x00\x01"


def _too_short(request: bytes) -> bytes:
    return request[:4] + b"\x00\x03" + request[6:7] + b"\x04\x00"


def _too_long(request: bytes) -> bytes:
    return request[:4] + b"\x00\x09" + request[6:7] + b"\x04\x06" + bytes(6)


def _right(request: bytes) -> bytes:
    return request[:4] + b"\x00\x05" + request[6:7] + b"\x04\x02\x01\x00"


@asynccontextmanager
async def answering(
    host: str, answers: list[Callable[[bytes], bytes]]
) -> AsyncIterator[int]:
    """Listen, and answer with the first of `answers`; yields the port."""
    port = tcp_port()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.read(260):
                writer.write(answers[0](request))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, port)
    try:
        yield port
    finally:
        server.close()


@pytest.mark.parametrize(
    "rubbish",
    [
        _noise,
        _half,
        _other_request,
        _other_unit,
        _other_function,
        _too_short,
        _too_long,
    ],
)
async def test_rubbish_is_no_value_and_is_forgotten(rubbish) -> None:
    host, answers = "127.0.0.63", [rubbish]
    async with (
        answering(host, answers) as port,
        modbus_driver(host, port) as driver,
    ):
        report = await driver.read([SPEED])
        assert not report.values
        assert set(report.failures) == {SPEED.key}

        answers[0] = _right
        report = await driver.read([SPEED])

    assert report.values == {SPEED.key: 256}


async def test_server_that_hangs_up_on_every_request() -> None:
    host = "127.0.0.64"
    port = tcp_port()

    async def hang_up(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hang_up, host, port)
    try:
        async with modbus_driver(host, port, EIGHT) as driver:
            report = await driver.read(SPEEDS)
    finally:
        server.close()

    assert set(report.silent_devices) == set(EIGHT)


async def test_nothing_is_left_after_closing_in_the_middle_of_a_request(
    libmodbus_program: Path,
) -> None:
    async with libmodbus(libmodbus_program, silent_unit=1) as server:
        before = asyncio.all_tasks()
        async with modbus_driver(server.host, server.port) as driver:
            reading = asyncio.create_task(driver.read([SPEED]))
            commanding = asyncio.create_task(driver.write(COMMAND, 5))
            await asyncio.sleep(0.1)
        report = await asyncio.wait_for(reading, 5)
        with pytest.raises(DeviceSilent):
            await asyncio.wait_for(commanding, 5)
        assert asyncio.all_tasks() == before

    assert set(report.silent_devices) == {"drive"}


async def test_driver_that_is_not_open_says_so() -> None:
    async with modbus_driver("127.0.0.65", 502) as driver:
        await driver.close()
        report = await driver.read([SPEED])
        with pytest.raises(DeviceSilent, match="connection drives is not open"):
            await driver.write(COMMAND, 5)

    assert report.silent_devices == {
        "drive": "device drive: connection drives is not open"
    }
