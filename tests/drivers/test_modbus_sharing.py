"""Many units on one link: whoever is dead costs the others as little as can be."""

import asyncio
from itertools import pairwise
from pathlib import Path
import socket
import time

from custom_components.chiller_plant.drivers.driver import DeviceSilent, ReadReport
from custom_components.chiller_plant.drivers.modbus import ModbusDriver
from custom_components.chiller_plant.plant.model import ModbusDevice, Point
from tests.drivers.libmodbus import libmodbus
from tests.drivers.modbus_peers import Asked, modbus_peer, silent
from tests.drivers.points import modbus_driver, on_modbus
from tests.ports import tcp_port
from tests.waiting import eventually

HOST = "127.0.0.68"
UNITS = {f"drive_{unit}": unit for unit in range(1, 9)}


def speeds(device: str, count: int = 3) -> list[Point]:
    """Return points of a device that take a request each."""
    return [
        on_modbus("speed", "holding", 100 * place, device=device)
        for place in range(count)
    ]


def right(device: str, unit: int) -> dict[str, float]:
    """Return what a good unit says of its `speeds`."""
    return {point.key: float(unit) for point in speeds(device)}


async def test_calls_beside_each_other_share_the_link_request_by_request() -> None:
    async def slowly(asked: Asked) -> bytes:
        await asyncio.sleep(0.01)
        return asked.right()

    async with (
        modbus_peer(HOST, slowly) as peer,
        modbus_driver(HOST, peer.port, UNITS) as driver,
    ):
        calls = [driver.read(speeds(device)) for device in UNITS]
        reading = asyncio.gather(*calls)
        await eventually(lambda: peer.asked)
        waiting = sum(unit.waiting for unit in driver.traffic().values())
        reports = await reading

    assert waiting == len(UNITS) - 1
    assert peer.connections == 1
    assert peer.most_at_a_time == 1
    assert len(peer.asked) == 3 * len(UNITS)
    for report, (device, unit) in zip(reports, UNITS.items(), strict=True):
        assert report.values == right(device, unit)
    # They take turns: nobody waits for all of another's requests.
    assert [asked.unit for asked in peer.asked[:8]] == list(UNITS.values())


async def test_a_dead_unit_is_asked_once_while_the_others_are_waiting() -> None:
    async with (
        modbus_peer(HOST, silent(1)) as peer,
        modbus_driver(HOST, peer.port, UNITS) as driver,
    ):
        reports = await asyncio.gather(*(driver.read(speeds(key)) for key in UNITS))

    assert list(reports[0].silent_devices) == ["drive_1"]
    assert len(reports[0].failures) == 3
    for report, (device, unit) in zip(reports[1:], [*UNITS.items()][1:], strict=True):
        assert report.values == right(device, unit)
    units = [asked.unit for asked in peer.asked]
    # Once, and once more when the others had all that they wanted; not for
    # each of its registers.
    assert units.count(1) == 2
    assert units[0] == 1
    others = len(units) - 2
    assert units.index(1, 1) >= min(others, 7)


async def test_dead_units_leave_half_of_the_link_to_the_others() -> None:
    """However often they are asked for, as when each of them is probed."""
    begun: list[tuple[float, int]] = []

    def script(asked: Asked) -> bytes:
        begun.append((time.monotonic(), asked.unit))
        return silent(1, 2)(asked)

    async with (
        modbus_peer(HOST, script) as peer,
        modbus_driver(HOST, peer.port, UNITS) as driver,
    ):
        for device in ("drive_1", "drive_2"):
            # One after the other, so that the server is not taken for dead.
            await driver.read(speeds("drive_4"))
            await driver.read(speeds(device))
        begun.clear()
        probes = [driver.read(speeds(f"drive_{unit}")[:1]) for unit in (1, 2)]
        probing = asyncio.gather(*probes)
        good = 0
        while not probing.done():
            good += len((await driver.read(speeds("drive_4"))).values)
            await asyncio.sleep(0.02)
        for report in await probing:
            assert len(report.silent_devices) == 1

    dead = [at for at, unit in begun if unit != 4]
    assert len(dead) == 2
    # Each waits 1.5 s for its answer, and then as long again for its turn.
    assert all(later - at >= 2.9 for at, later in pairwise(dead))
    assert good > 3


async def test_a_unit_that_is_back_is_heard_at_once_by_who_asks_for_it() -> None:
    async with (
        modbus_peer(HOST, silent(1)) as peer,
        modbus_driver(HOST, peer.port, UNITS) as driver,
    ):
        assert not (await driver.read(speeds("drive_1"))).values
        peer.script = Asked.right
        await eventually(lambda: _answers(driver, "drive_1"), timeout=10)
        asked = len(peer.asked)
        assert await _answers(driver, "drive_1")
        assert len(peer.asked) == asked + 3


async def _answers(driver: ModbusDriver, device: str) -> bool:
    return bool((await driver.read(speeds(device))).values)


async def test_units_of_a_dead_gateway_do_not_wait_for_each_other() -> None:
    """It accepts connections, and answers nobody."""
    units = {f"drive_{unit}": unit for unit in range(1, 21)}
    async with (
        modbus_peer(HOST, lambda asked: b"") as peer,
        modbus_driver(HOST, peer.port, units) as driver,
    ):
        reports = await asyncio.gather(*(driver.read(speeds(key)) for key in units))
        # For a moment nobody tries again, command or poll.
        command = on_modbus("speed_command", "holding", 2, device="drive_9")
        again, written = await asyncio.gather(
            driver.read(speeds("drive_9")),
            driver.write(command, 5),
            return_exceptions=True,
        )
        assert len(peer.asked) == 2
        assert isinstance(again, ReadReport) and isinstance(written, DeviceSilent)
        for text in (
            reports[-1].silent_devices["drive_20"],
            again.silent_devices["drive_9"],
            str(written),
        ):
            assert "was just found silent" in text
        for report, device in zip(reports, units, strict=True):
            assert report.silent_devices[device].startswith(f"{device} (unit ")

        peer.script = Asked.right
        await eventually(lambda: _answers(driver, "drive_9"))
        assert all([await _answers(driver, device) for device in units])


async def test_units_of_an_unreachable_server_wait_for_one_connection() -> None:
    """Its queue of connections is full, so that an attempt takes all its time."""
    units = {f"drive_{unit}": unit for unit in range(1, 21)}
    port = tcp_port()
    with socket.socket() as listener:
        listener.bind((HOST, port))
        listener.listen(0)
        taken = [socket.socket() for _ in range(3)]
        for one in taken:
            one.setblocking(False)
            one.connect_ex((HOST, port))
        try:
            async with modbus_driver(HOST, port, units) as driver:
                # One after the other they would take half a minute.
                async with asyncio.timeout(20):
                    reports = await asyncio.gather(
                        *(driver.read(speeds(key)) for key in units)
                    )
                requests = sum(unit.requests for unit in driver.traffic().values())
        finally:
            for one in taken:
                one.close()

    assert requests == 1
    for report, device in zip(reports, units, strict=True):
        assert "no connection to" in report.silent_devices[device]


async def test_an_answer_that_comes_too_late_is_not_taken_for_another() -> None:
    async def late(asked: Asked) -> bytes:
        if asked.unit == 1:
            await asyncio.sleep(2.0)
        return asked.right()

    async with (
        modbus_peer(HOST, late) as peer,
        modbus_driver(HOST, peer.port, UNITS) as driver,
    ):
        asking = asyncio.create_task(driver.read(speeds("drive_1")))
        for _ in range(25):
            for device, unit in (("drive_2", 2), ("drive_3", 3)):
                assert (await driver.read(speeds(device))).values == right(device, unit)
            await asyncio.sleep(0.1)
        assert not (await asking).values


async def test_two_lost_answers_in_a_row_open_a_new_link() -> None:
    """What is switched off leaves a link that looks whole for many minutes."""
    async with (
        modbus_peer(HOST) as peer,
        modbus_driver(HOST, peer.port) as driver,
    ):
        assert await _answers(driver, "drive")
        peer.script = lambda asked: b""
        assert not await _answers(driver, "drive")
        peer.script = Asked.right
        await eventually(lambda: _answers(driver, "drive"))
        assert peer.connections == 2


async def test_a_link_that_was_closed_while_idle_costs_nothing() -> None:
    async with (
        modbus_peer(HOST) as peer,
        modbus_driver(HOST, peer.port) as driver,
    ):
        for connections in (1, 2, 3):
            report = await driver.read(speeds("drive"))
            assert len(report.values) == 3
            assert peer.connections == connections
            peer.hang_up()


async def test_a_unit_gets_the_pause_that_it_needs_between_two_requests() -> None:
    begun: list[tuple[float, int]] = []

    def script(asked: Asked) -> bytes:
        begun.append((time.monotonic(), asked.unit))
        return asked.right()

    units = {"slow": ModbusDevice("slow", 1, message_spacing=0.2), "drive_2": 2}
    async with (
        modbus_peer(HOST, script) as peer,
        modbus_driver(HOST, peer.port, units) as driver,
    ):
        reports = await asyncio.gather(
            driver.read(speeds("slow")), driver.read(speeds("drive_2"))
        )

    assert all(len(report.values) == 3 for report in reports)
    for (at, unit), (later, following) in pairwise(begun):
        if 1 in {unit, following}:
            assert later - at >= 0.19


async def test_a_pause_longer_than_the_time_out_is_no_silence() -> None:
    units = {"slow": ModbusDevice("slow", 1, message_spacing=2.5)}
    async with (
        modbus_peer(HOST) as peer,
        modbus_driver(HOST, peer.port, units) as driver,
    ):
        report = await driver.read(speeds("slow", 2))

    assert len(report.values) == 2


async def test_a_server_that_is_away_for_three_seconds_is_read_when_it_is_back(
    libmodbus_program: Path,
) -> None:
    point = on_modbus("speed", "input", 7)
    async with (
        libmodbus(libmodbus_program) as server,
        modbus_driver(server.host, server.port) as driver,
    ):
        assert (await driver.read([point])).values
        await server.stop()
        gone = time.monotonic()
        while time.monotonic() - gone < 3:
            assert not (await driver.read([point])).values
            await asyncio.sleep(0.2)
        await server.start()

        async def heard() -> bool:
            return (await driver.read([point])).values == {point.key: 70}

        await eventually(heard)
