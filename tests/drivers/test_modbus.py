"""Modbus TCP against libmodbus and pymodbus, judged by a client of pymodbus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
import pytest

from custom_components.chiller_plant.drivers.driver import PointRefused
from custom_components.chiller_plant.plant.model import (
    ModbusDevice,
    RegisterKind,
    RegisterRange,
    RegisterType,
)
from tests.drivers.libmodbus import Server, libmodbus
from tests.drivers.points import modbus_driver, on_modbus
from tests.ports import tcp_port
from tests.waiting import eventually

RUN = on_modbus("run_command", "holding", 1, bit=0, point_settings={"release": True})
SPEED = on_modbus("speed_command", "holding", 2, scale=0.01)


@asynccontextmanager
async def independent_client(server: Server) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(server.host, port=server.port, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


def _reads(server: Server) -> list[tuple[int, ...]]:
    return [request for request in server.requests if request[1] <= 4]


async def test_values_of_all_tables_are_read_in_one_request_each(
    libmodbus_program: Path,
) -> None:
    points = [
        *(on_modbus("speed", "input", place, scale=0.1) for place in range(5, 25)),
        on_modbus("run_status", "discrete_input", 3),
        on_modbus("alarm", "discrete_input", 10),
        on_modbus("run_command", "coil", 7),
        RUN,
        SPEED,
    ]
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        report = await driver.read(points)
        await server.heard()

    assert not report.failures
    assert report.values["drive input 24"] == pytest.approx(24.0)
    assert report.values["drive discrete_input 3"] is True
    assert report.values["drive discrete_input 10"] is False
    assert report.values["drive coil 7"] is False
    assert report.values[RUN.key] is False
    assert sorted(_reads(server)) == [
        (1, 1, 7, 1),
        (1, 2, 3, 8),
        (1, 3, 1, 2),
        (1, 4, 5, 20),
    ]


async def test_command_of_a_bit_leaves_the_others_alone(
    libmodbus_program: Path,
) -> None:
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port) as driver,
        independent_client(server) as other,
    ):
        await other.write_register(1, 0b1000_0000_0000_1010)
        await driver.write(RUN, True)
        assert (await other.read_holding_registers(1)).registers == [
            0b1000_0000_0000_1011
        ]
        await driver.write(RUN, False)
        assert (await other.read_holding_registers(1)).registers == [
            0b1000_0000_0000_1010
        ]


async def test_commands_of_two_bits_at_once_lose_neither(
    libmodbus_program: Path,
) -> None:
    bits = [on_modbus("run_command", "holding", 1, bit=bit) for bit in range(8)]
    async with (
        libmodbus(libmodbus_program, delay=3) as server,
        modbus_driver(server.host, server.port) as driver,
        independent_client(server) as other,
    ):
        await asyncio.gather(*(driver.write(bit, True) for bit in bits))
        assert (await other.read_holding_registers(1)).registers == [0xFF]


@pytest.mark.parametrize(
    ("settings", "value", "kind", "order", "raw"),
    [
        ({"scale": 0.01}, 66.5, "UINT16", "big", 6650),
        ({"type": RegisterType.INT16, "offset": 40.0}, -2.0, "INT16", "big", -42),
        ({"type": RegisterType.UINT32}, 70000, "UINT32", "big", 70000),
        (
            {"type": RegisterType.INT32, "word_order": "little"},
            -5,
            "INT32",
            "little",
            -5,
        ),
        ({"type": RegisterType.FLOAT32}, 12.5, "FLOAT32", "big", 12.5),
        (
            {"type": RegisterType.FLOAT32, "word_order": "little"},
            12.5,
            "FLOAT32",
            "little",
            12.5,
        ),
    ],
)
async def test_number_is_written_as_declared(
    libmodbus_program: Path, settings, value, kind, order, raw
) -> None:
    command = on_modbus("speed_command", "holding", 20, **settings)
    data_type = AsyncModbusTcpClient.DATATYPE[kind]
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port) as driver,
        independent_client(server) as other,
    ):
        await driver.write(command, value)
        words = (
            await other.read_holding_registers(20, count=data_type.value[1])
        ).registers
        report = await driver.read([command])

    seen = AsyncModbusTcpClient.convert_from_registers(
        words, data_type, word_order=order
    )
    assert seen == raw
    assert report.values[command.key] == pytest.approx(value)


@pytest.mark.parametrize(
    ("kind", "settings", "value", "request_"),
    [
        ("holding", {}, 7, (1, 6, 20, 7)),
        ("holding", {"write_function": "multiple"}, 7, (1, 16, 20, 1)),
        ("holding", {"type": RegisterType.UINT64}, 7, (1, 16, 20, 4)),
        ("coil", {}, True, (1, 5, 20, 0xFF00)),
        ("coil", {"write_function": "multiple"}, True, (1, 15, 20, 1)),
        ("holding", {"bit": 2}, True, (1, 6, 20, 4)),
        ("holding", {"bit": 2, "write_function": "multiple"}, True, (1, 16, 20, 1)),
        ("holding", {"states": ((3, False), (9, True))}, True, (1, 6, 20, 9)),
    ],
)
async def test_command_is_written_with_the_declared_function(
    libmodbus_program: Path, kind, settings, value, request_
) -> None:
    role = "run_command" if isinstance(value, bool) else "speed_command"
    command = on_modbus(role, kind, 20, **settings)
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        await driver.write(command, value)
        report = await driver.read([command])
        await server.heard()

    assert server.writes == [request_]
    assert report.values == {command.key: value}


async def test_enumeration_out_of_range_is_a_failure_that_names_the_number(
    libmodbus_program: Path,
) -> None:
    status = on_modbus("run_status", "input", 5, states=((1, False), (2, True)))
    field = on_modbus("alarm", "input", 7, bits=(0, 2), states=((1, False), (6, True)))
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        report = await driver.read([status, field])

    # Input registers hold ten times their address.
    assert report.values == {field.key: True}
    assert report.failures[status.key] == (
        f"drive (unit 1 at {server.host}:{server.port}): input 5: 50 is none of the "
        "states that the plant file lists (1, 2)"
    )


async def test_declared_ranges_are_read_across_their_gaps(
    libmodbus_program: Path,
) -> None:
    drive = ModbusDevice(
        "drive", 1, ranges=(RegisterRange(RegisterKind.HOLDING, 0, 99),)
    )
    points = [on_modbus("speed", "holding", place) for place in (0, 50, 99, 101, 103)]
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port, {"drive": drive}) as driver,
    ):
        report = await driver.read(points)
        await server.heard()

    assert len(report.values) == 5
    assert _reads(server) == [(1, 3, 0, 100), (1, 3, 101, 1), (1, 3, 103, 1)]


async def test_release_writes_the_release_value_or_nothing(
    libmodbus_program: Path,
) -> None:
    coil = on_modbus("run_command", "coil", 4, point_settings={"release": False})
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        await driver.write(coil, True)
        await driver.write(SPEED, 50)
        for point in (RUN, SPEED, coil):
            await driver.release(point)
        report = await driver.read([RUN, SPEED, coil])

    assert report.values == {RUN.key: True, SPEED.key: 50, coil.key: False}


@pytest.mark.parametrize(
    ("command", "value", "why"),
    [
        (SPEED, 1000, "does not fit register 2"),
        (SPEED, -1, "does not fit register 2"),
        (RUN, 0.5, "neither on nor off"),
        (on_modbus("speed_command", "input", 2), 5, "can only be read"),
        (on_modbus("run_command", "discrete_input", 2), True, "can only be read"),
        (on_modbus("speed_command", "holding", 9000), 5, "has no such register"),
        (
            on_modbus("run_command", "holding", 9000, bit=1),
            True,
            "has no such register",
        ),
    ],
)
async def test_refused_command_says_why_and_writes_nothing(
    libmodbus_program: Path, command, value, why
) -> None:
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port) as driver,
        independent_client(server) as other,
    ):
        with pytest.raises(PointRefused, match=why) as refused:
            await driver.write(command, value)
        assert (await other.read_holding_registers(0, count=20)).registers == [0] * 20

    assert str(refused.value).startswith(f"{command.key}: ")


async def test_register_that_is_missing_is_lost_alone_and_searched_for_once(
    libmodbus_program: Path,
) -> None:
    points = [on_modbus("speed", "holding", place) for place in range(1, 17)]
    async with (
        libmodbus(libmodbus_program, missing=(5,)) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        first = await driver.read(points)
        await server.heard()
        searched = len(_reads(server))
        await server.forget()
        second = await driver.read(points)
        await server.heard()
        refused = driver.diagnostics()["devices"]

    assert first.failures == second.failures
    assert list(first.failures) == ["drive holding 5"]
    assert (
        "has no such register (Modbus exception 2)" in first.failures["drive holding 5"]
    )
    assert len(first.values) == len(second.values) == 15
    assert not first.silent_devices
    assert searched <= 2 * 4 + 1
    # Not even the missing one costs a request any more.
    assert _reads(server) == [(1, 3, 1, 4), (1, 3, 6, 11)]
    assert refused["drive"]["refused_registers"] == ["holding 5"]  # type: ignore[index]


async def test_register_that_is_missing_between_two_values_costs_none(
    libmodbus_program: Path,
) -> None:
    points = [on_modbus("speed", "holding", place) for place in (1, 2, 3, 6, 7)]
    async with (
        libmodbus(libmodbus_program, missing=(4, 5)) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        first = await driver.read(points)
        await server.forget()
        second = await driver.read(points)
        await server.heard()

    assert not first.failures
    assert first.values == second.values
    assert _reads(server) == [(1, 3, 1, 3), (1, 3, 6, 2)]


async def test_command_waits_for_one_request_while_a_thousand_registers_are_read(
    libmodbus_program: Path,
) -> None:
    points = [on_modbus("speed", "holding", place) for place in range(1000)]
    async with (
        libmodbus(libmodbus_program, delay=50) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        poll = asyncio.create_task(driver.read(points))
        await eventually(lambda: len(server.requests) >= 2)
        asked = len(server.requests)
        await driver.write(SPEED, 50)
        assert not poll.done()
        assert len((await poll).values) == 1000
        await server.heard()

    # At most the one that was on the wire, and one that the test was late for.
    assert [request[1] for request in server.requests].index(6) <= asked + 1
    assert len(_reads(server)) == 8


async def test_units_of_a_server_of_pymodbus() -> None:
    host = "127.0.0.62"
    port = tcp_port()
    server = ModbusTcpServer(
        [
            SimDevice(
                unit,
                simdata=[
                    SimData(0, values=[unit] * 40, datatype=DataType.REGISTERS),
                ],
            )
            for unit in (1, 2, 3)
        ],
        address=(host, port),
    )
    await server.serve_forever(background=True)
    units = {f"pump_{unit}": unit for unit in (1, 2, 3)}
    points = [on_modbus("speed", "holding", 33, device=device) for device in units]
    try:
        async with modbus_driver(host, port, units) as driver:
            await driver.write(
                on_modbus("speed_command", "holding", 33, device="pump_2"), 77
            )
            report = await driver.read(points)
    finally:
        await server.shutdown()

    assert list(report.values.values()) == [1, 77, 3]
