"""What a device and the stack can bear: sizes, queues, slowness, mistaken identity."""

import asyncio
from dataclasses import replace
import time

import pytest

from custom_components.chiller_plant.drivers.bacnet import BacnetDriver
from custom_components.chiller_plant.drivers.bacnet_network import BacnetNetworks
from custom_components.chiller_plant.drivers.driver import DeviceSilent
from tests.drivers.bacnet_peers import (
    device,
    i_am,
    independent_client,
    slot,
    slow_wire,
    station,
)
from tests.drivers.points import bacnet_connection, bacnet_driver, on_bacnet
from tests.ports import udp_port
from tests.waiting import eventually

READ, READ_SEVERAL, WRITE = 12, 14, 15
START = on_bacnet("run_command", "binary-output,1", release=False)
INPUTS = [on_bacnet("load", f"analog-input,{number}") for number in range(1, 41)]


async def test_hundreds_of_requests_to_one_device_freeze_nothing_and_lose_no_command() -> (
    None
):
    async with (
        device() as controller,
        slow_wire(controller, 0.002) as wire,
        bacnet_driver(wire.as_declared) as driver,
        independent_client() as other,
    ):
        await driver.read(INPUTS[:1])
        wire.requests.clear()
        polls = [asyncio.create_task(driver.read(INPUTS[:1])) for _ in range(400)]
        await asyncio.sleep(0)
        commands = [
            # Two are on the wire at a time, so the last two are alike.
            asyncio.create_task(driver.write(START, number % 2 == 0 or number > 254))
            for number in range(257)
        ]
        # The loop goes on meanwhile.
        turns = 0
        while not all(task.done() for task in (*polls, *commands)):
            await asyncio.sleep(0.005)
            turns += 1
        outcomes = await asyncio.gather(*commands, return_exceptions=True)
        reports = await asyncio.gather(*polls)
        held = await slot(other, controller, "binary-output,1", 10)

    assert turns > 10
    assert outcomes == [None] * 257
    assert wire.requests.count(WRITE) == 257
    assert held == 1
    assert wire.most_in_flight == 2
    refused = [report for report in reports if not report.values]
    # As many as may wait were read, and what was on the wire already.
    assert 256 <= len(reports) - len(refused) <= 258
    assert all(
        report.silent_devices["controller"].endswith(
            "too many requests are waiting for it"
        )
        for report in refused
    )
    # Two polls were ahead of the commands; all others came after them.
    first, last = wire.requests.index(WRITE), 257 + wire.requests.index(WRITE)
    assert first <= 2
    assert wire.requests[first:last].count(WRITE) >= 255


async def test_what_was_too_much_is_not_tried_again_after_a_restart() -> None:
    async with (
        device(inputs=40, rpm_max_result_elements=12) as controller,
        slow_wire(controller, 0) as wire,
        bacnet_driver(wire.as_declared) as driver,
    ):
        await driver.read(INPUTS)
        wire.lose_answers = True
        silent = await driver.read(INPUTS)
        wire.lose_answers = False
        wire.requests.clear()
        back = await driver.read(INPUTS)

    assert set(silent.silent_devices) == {"controller"}
    assert len(back.values) == 40
    # One to see that it is the same; then eight that it can answer.
    assert wire.requests == [READ] + [READ_SEVERAL] * 8


async def test_device_that_is_too_slow_is_silent_and_its_late_answers_are_lost() -> (
    None
):
    async with (
        device(inputs=40) as controller,
        slow_wire(controller, 0) as wire,
        bacnet_driver(wire.as_declared) as driver,
    ):
        await driver.read(INPUTS)
        wire.delay = 3.0
        slow = await driver.read(INPUTS[:1])
        wire.delay = 0
        # The late ones arrive in the midst of these.
        reports = []
        end = time.monotonic() + 3.5
        while time.monotonic() < end:
            reports.append(await driver.read(INPUTS[20:]))

    assert "controller" in slow.silent_devices
    expected = {point.key: float(n) for n, point in enumerate(INPUTS[20:], 21)}
    assert [report.values for report in reports] == [expected] * len(reports)


async def test_answer_from_elsewhere_is_no_answer() -> None:
    async with (
        device() as controller,
        slow_wire(controller, 0) as wire,
        bacnet_driver(wire.as_declared) as driver,
    ):
        await driver.read(INPUTS[:1])
        wire.answers_from_elsewhere = True
        report = await driver.read(INPUTS[:1])

    assert report.failures[INPUTS[0].key].endswith("does not answer: no answer")


async def test_a_dead_device_holds_up_no_command_to_another() -> None:
    async with device("127.0.0.51") as alive, device("127.0.0.55") as dead:
        declared = [
            replace(dead.as_declared, key=f"dead_{n}", address=f"127.0.0.{100 + n}:9")
            for n in range(20)
        ]
        lost = [
            on_bacnet("load", "analog-input,1", device=each.key, key=each.key)
            for each in declared
        ]
        async with bacnet_driver(alive.as_declared, *declared) as driver:
            await driver.read([START])
            polling = asyncio.create_task(driver.read(lost))
            # They have all that polls may have.
            await asyncio.sleep(0.2)
            await driver.write(START, True)
            assert not polling.done()
            report = await polling

    assert len(report.silent_devices) == 20


async def test_device_that_was_replaced_is_not_commanded() -> None:
    port = udp_port()
    async with (
        station() as peer,
        bacnet_driver(peer.as_declared, local_port=port) as driver,
    ):
        known = driver.device("controller")
        assert known is not None
        known.known = True
        # At the same address, another one announces itself.
        peer.send(i_am(6667), ("127.0.0.1", port))
        await eventually(lambda: not known.known)
        with pytest.raises(DeviceSilent):
            await driver.write(START, True)

    # It was asked who it is, and nothing else.
    assert [frame[9] for frame in peer.received] == [READ]


async def test_plants_that_share_a_port_share_its_limits() -> None:
    networks = BacnetNetworks()
    async with device(inputs=40) as controller, slow_wire(controller, 0.01) as wire:
        first = bacnet_connection([wire.as_declared])
        second = replace(first, key="other")
        drivers = [
            BacnetDriver(each, networks.network(each)) for each in (first, second)
        ]
        for driver in drivers:
            await driver.connect()
        try:
            for driver in drivers:
                await driver.read(INPUTS)
            reports = await asyncio.gather(
                *(driver.read(INPUTS) for driver in drivers for _ in range(5))
            )
        finally:
            for driver in drivers:
                await driver.close()

    assert all(len(report.values) == 40 for report in reports)
    assert wire.most_in_flight == 2
