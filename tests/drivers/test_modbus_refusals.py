"""What a Modbus unit may say instead of what was asked for."""

from pathlib import Path
import struct

import pytest

from custom_components.chiller_plant.drivers.driver import DeviceSilent, PointRefused
from tests.drivers.libmodbus import libmodbus
from tests.drivers.modbus_peers import Asked, Hangup, modbus_peer
from tests.drivers.points import modbus_driver, on_modbus
from tests.waiting import eventually

HOST = "127.0.0.67"
SPEED = on_modbus("speed", "holding", 2)
COMMAND = on_modbus("speed_command", "holding", 2, key="pump.speed_command")
IN_WORDS = {
    1: "the unit does not know this kind of request",
    2: "the unit has no such register",
    3: "the unit does not take this value",
    4: "the unit failed at it",
    5: "the unit needs more time for it",
    7: "the unit cannot do it now",
    8: "the unit found its memory damaged",
    9: "the unit reports an error of its own",
    10: "the gateway has no way to the unit",
    11: "the unit does not answer its gateway",
}


@pytest.mark.parametrize("code", IN_WORDS)
async def test_every_exception_is_told_with_device_register_and_reason(
    libmodbus_program: Path, code: int
) -> None:
    async with (
        libmodbus(libmodbus_program, exceptions={2: code}) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        good = on_modbus("speed", "input", 5)
        report = await driver.read([SPEED, good])
        with pytest.raises((PointRefused, DeviceSilent)) as refused:
            await driver.write(COMMAND, 5)
        await server.heard()

    if code < 10:
        assert report.values == {good.key: 50}
    reason = f"{IN_WORDS[code]} (Modbus exception {code})"
    assert reason in report.failures[SPEED.key]
    assert (
        f"drive (unit 1 at {server.host}:{server.port})" in report.failures[SPEED.key]
    )
    assert str(refused.value).startswith("pump.speed_command: drive (unit 1 at ")
    assert reason in str(refused.value)
    # A gateway that speaks is no unit that answers.
    assert (refused.type is PointRefused) == (code < 10)
    if code < 10:
        assert "holding 2: " in report.failures[SPEED.key]
        assert "refused 5 for holding 2: " in str(refused.value)
    assert len(server.writes) == 1


async def test_a_unit_that_is_busy_too_long_is_told_to_be_so(
    libmodbus_program: Path,
) -> None:
    async with (
        libmodbus(libmodbus_program, exceptions={2: 6}) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        report = await driver.read([SPEED])
        with pytest.raises(DeviceSilent, match=r"^pump\.speed_command: .* it is busy$"):
            await driver.write(COMMAND, 5)

    assert report.silent_devices["drive"].endswith("no answer in time, or it is busy")


async def test_a_command_that_a_busy_unit_refuses_first_is_carried_out_once() -> None:
    """The library below us sends again what was refused so; it was not done."""
    left = [6]
    done = []

    def soon(asked: Asked) -> bytes:
        if left:
            return asked.exception(left.pop())
        done.append(asked)
        return asked.right()

    async with (
        modbus_peer(HOST, soon) as peer,
        modbus_driver(HOST, peer.port) as driver,
    ):
        await driver.write(COMMAND, 5)

    assert len(done) == 1


@pytest.mark.parametrize("code", [5, 11])
async def test_what_passes_soon_is_asked_once_more_and_never_written_twice(
    code: int,
) -> None:
    left = [code]

    def soon(asked: Asked) -> bytes:
        return asked.exception(left.pop()) if left else asked.right()

    async with (
        modbus_peer(HOST, soon) as peer,
        modbus_driver(HOST, peer.port) as driver,
    ):
        report = await driver.read([SPEED])
        assert report.values == {SPEED.key: 1}
        assert len(peer.asked) == 2

        left.append(code)
        with pytest.raises((PointRefused, DeviceSilent), match=f"exception {code}"):
            await driver.write(COMMAND, 5)
        assert len(peer.writes) == 1


async def test_refusals_timeouts_and_points_are_counted_for_each_unit() -> None:
    def script(asked: Asked) -> bytes:
        if asked.unit == 2:
            return asked.exception(2)
        return b"" if asked.unit == 3 else asked.right()

    units = {"good": 1, "refusing": 2, "dead": 3}
    points = [
        on_modbus("speed", "holding", place, device=device)
        for device in units
        for place in (1, 2)
    ]
    async with (
        modbus_peer(HOST, script) as peer,
        modbus_driver(HOST, peer.port, units) as driver,
    ):
        await driver.read(points)
        traffic = driver.traffic()

    good, refusing, dead = (traffic[device] for device in units)
    assert (good.requests, good.points, good.timeouts, good.refusals) == (1, 2, 0, 0)
    assert good.latency is not None and 0 < good.latency < 5
    assert (refusing.requests, refusing.points, refusing.refusals) == (3, 0, 3)
    assert (dead.requests, dead.points, dead.timeouts) == (2, 0, 2)
    assert dead.latency is None
    assert all(item.waiting == 0 for item in traffic.values())


# --- answers that were lost


def _in_the_middle(asked: Asked) -> bytes:
    raise Hangup(asked.right()[:8])


def _before(asked: Asked) -> bytes:
    raise Hangup


def _garbage(asked: Asked) -> bytes:
    return asked.frame(b"\x03\x01")


def _nothing(asked: Asked) -> bytes:
    return b""


def _other_transaction(asked: Asked) -> bytes:
    other = struct.pack(">H", asked.transaction ^ 0x55)
    return other + asked.right()[2:]


def _other_unit(asked: Asked) -> bytes:
    return asked.frame(asked.right()[7:], unit=99)


LOST = [_in_the_middle, _before, _garbage, _nothing, _other_transaction, _other_unit]


@pytest.mark.parametrize("lose", LOST)
async def test_a_read_whose_answer_is_lost_is_sent_once_more(lose) -> None:
    async with (
        modbus_peer(HOST) as peer,
        modbus_driver(HOST, peer.port) as driver,
    ):
        await driver.read([SPEED])
        left = [lose]
        peer.asked.clear()
        peer.script = lambda asked: (left.pop() if left else Asked.right)(asked)
        report = await driver.read([SPEED])

        assert report.values == {SPEED.key: 1}
        assert len(peer.asked) == 2


@pytest.mark.parametrize("lose", LOST)
async def test_a_write_whose_answer_is_lost_is_never_sent_again(lose) -> None:
    async with (
        modbus_peer(HOST) as peer,
        modbus_driver(HOST, peer.port) as driver,
    ):
        await driver.read([SPEED])
        peer.script = lose
        with pytest.raises(DeviceSilent, match=r"^pump\.speed_command: drive \(unit 1"):
            await driver.write(COMMAND, 5)
        assert len(peer.writes) == 1

        # What came too late or was half there spoils nothing.
        peer.script = Asked.right
        await eventually(lambda: _reads(driver, 1))
        assert len(peer.writes) == 1


async def _reads(driver, value: float) -> bool:
    values = (await driver.read([SPEED])).values
    # A wrong value would be worse than none.
    assert values in ({}, {SPEED.key: value})
    return bool(values)
