"""What a command is on the wire: once, at our priority or at none, as it is meant."""

import asyncio
from dataclasses import replace

import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.drivers.driver import DeviceSilent, PointRefused
from tests.drivers.bacnet_peers import (
    device,
    identifier,
    independent_client,
    slot,
    slow_wire,
    station,
)
from tests.drivers.points import bacnet_driver, on_bacnet

START = on_bacnet("run_command", "binary-output,1", release=False)
SUPPLY = on_bacnet("chilled_water_supply_temperature", "analog-input,1")
SETPOINT = on_bacnet("chilled_water_supply_temperature_setpoint", "analog-value,1")
MODES = ((1, False), (2, True), (3, True))

READ_SEVERAL, WRITE = 14, 15
_ACK_OF_APDU = bytes.fromhex("0c02001a0a 193e 3e 2205c4 3f")
"""Device 6666 takes 1476 octets."""


def at(point, **address):
    return replace(point, address=replace(point.address, **address))


def raw_device(answer_write):
    """Return what a device of 1476 octets says; `answer_write` to a command."""

    def answer(frame: bytes) -> list[bytes]:
        if len(frame) < 10 or frame[6] >> 4:
            return []
        invoke, service = frame[8], frame[9]
        head = b"\x81\x0a\x00\x00\x01\x00"
        if service == WRITE:
            return [head + reply for reply in answer_write(invoke)]
        if frame[-1] == 62:
            return [head + bytes([0x30, invoke, service]) + _ACK_OF_APDU]
        # Error: class property, code unknown-property.
        return [head + bytes([0x50, invoke, service, 0x91, 2, 0x91, 32])]

    return answer


def writes(frames):
    return [frame for frame in frames if len(frame) > 9 and frame[9] == WRITE]


async def test_command_whose_answer_is_lost_is_sent_once() -> None:
    mute = raw_device(lambda invoke: [])
    async with station(answer=mute) as peer, bacnet_driver(peer.as_declared) as driver:
        with pytest.raises(DeviceSilent) as silent:
            await driver.write(START, True)
        with pytest.raises(DeviceSilent):
            await driver.release(START)
        # Whatever would repeat it has had its time.
        await asyncio.sleep(3)
        traffic = driver.traffic()["controller"]

    assert len(writes(peer.received)) == 2
    text = f"{START.key}: controller ({peer.address}) does not answer"
    assert str(silent.value).startswith(text)
    assert traffic.timeouts == 2


async def test_device_that_restarts_during_a_command_gets_it_once() -> None:
    async with (
        device() as controller,
        slow_wire(controller, 0.01) as wire,
        bacnet_driver(wire.as_declared) as driver,
    ):
        await driver.read([SUPPLY])
        wire.lose_answers = True
        writing = asyncio.create_task(driver.write(START, True))
        await asyncio.sleep(0.2)
        await controller.stop()
        await controller.start()
        wire.lose_answers = False
        with pytest.raises(DeviceSilent, match=f"{START.key}: controller"):
            await writing
        after = await driver.read([START])

    assert wire.requests.count(WRITE) == 1
    assert after.values == {START.key: False}


async def test_reading_that_is_lost_is_asked_once_more() -> None:
    async with (
        device() as controller,
        slow_wire(controller, 0) as wire,
        bacnet_driver(wire.as_declared) as driver,
    ):
        await driver.read([SUPPLY])
        wire.requests.clear()
        wire.lose = [READ_SEVERAL]
        once = await driver.read([SUPPLY])
        asked = list(wire.requests)
        wire.requests.clear()
        wire.lose = [READ_SEVERAL, READ_SEVERAL]
        twice = await driver.read([SUPPLY])

    assert once.values == {SUPPLY.key: 1.0}
    # And nobody had to ask again who it is.
    assert asked == wire.requests == [READ_SEVERAL] * 2
    assert set(twice.silent_devices) == {"controller"}


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        # Class property, code write-access-denied.
        ("50 {} 0f 9102 9128", "the device does not let it be written"),
        # Class property, code value-out-of-range.
        ("50 {} 0f 9102 9125", "the value is outside the object's range"),
        # Parameter out of range: the priority.
        ("60 {} 06", "does not understand the request (parameter-out-of-range)"),
        ("71 {} 03", "gave up (preempted-by-higher-priority-task)"),
    ],
)
async def test_command_that_a_device_refuses_is_said_once(reply, text) -> None:
    def refuse(invoke: int) -> list[bytes]:
        return [bytes.fromhex(reply.format(f"{invoke:02x}"))]

    refusing = raw_device(refuse)
    async with (
        station(answer=refusing) as peer,
        bacnet_driver(peer.as_declared) as driver,
    ):
        with pytest.raises(PointRefused) as refused:
            await driver.write(START, True)

    assert text in str(refused.value)
    assert str(refused.value).startswith(f"{START.key}: controller ({peer.address})")
    assert "binary-output,1 at priority 10" in str(refused.value)
    assert len(writes(peer.received)) == 1


async def test_object_without_a_priority_array_gets_its_release_value() -> None:
    plain = at(START, priority_array=False)
    done = raw_device(lambda invoke: [bytes([0x20, invoke, WRITE])])
    async with station(answer=done) as peer, bacnet_driver(peer.as_declared) as driver:
        await driver.write(plain, True)
        await driver.release(plain)
        await driver.release(replace(plain, release=None))

    # Present value: enumerated 1, then 0; no priority behind it, and never NULL.
    assert [frame[10:] for frame in writes(peer.received)] == [
        bytes.fromhex("0c01000001 1955 3e 9101 3f"),
        bytes.fromhex("0c01000001 1955 3e 9100 3f"),
    ]


@pytest.mark.parametrize("kind", ["multi-state-value", "analog-value"])
async def test_modes_are_commanded_and_read_by_their_numbers(kind) -> None:
    mode = at(on_bacnet("run_command", f"{kind},1", release=False), states=MODES)
    async with (
        device(modes=True) as controller,
        bacnet_driver(controller.as_declared) as driver,
        independent_client() as other,
    ):
        read = []
        for value in (True, False):
            await driver.write(mode, value)
            held = await slot(other, controller, mode.key, 10)
            read.append((held, (await driver.read([mode])).values[mode.key]))
        await driver.release(mode)
        released = await slot(other, controller, mode.key, 10)

    assert read == [(2, True), (1, False)]
    assert released is None


async def test_mode_that_is_not_listed_is_said_with_those_that_are() -> None:
    mode = at(on_bacnet("run_status", "multi-state-input,1"), states=MODES)
    without = on_bacnet("alarm", "multi-state-input,1", key="without")
    async with (
        device(modes=True) as controller,
        bacnet_driver(controller.as_declared) as driver,
    ):
        await controller.measure("multi-state-input,1", rb.PropertyValue.unsigned(3))
        known = await driver.read([mode])
        await controller.measure("multi-state-input,1", rb.PropertyValue.unsigned(4))
        report = await driver.read([mode, without])

    assert known.values == {mode.key: True}
    assert not report.values
    assert report.failures[mode.key].endswith(
        "multi-state-input,1: 4 is none of its states (1 off, 2 on, 3 on)"
    )
    assert "needs its states in the plant file" in report.failures["without"]


async def test_slot_that_goes_before_ours_is_found() -> None:
    limit = on_bacnet("demand_limit", "analog-output,1")
    points = [START, SETPOINT, limit, on_bacnet("load", "binary-value,1")]
    points += [on_bacnet("load", "analog-value,9"), replace(SUPPLY, writable=False)]
    async with (
        device() as controller,
        bacnet_driver(controller.as_declared) as driver,
        independent_client() as other,
    ):

        async def hold(target: str, value: rb.PropertyValue, priority: int) -> None:
            await other.write_property(
                controller.address,
                identifier(target),
                rb.PropertyIdentifier.PRESENT_VALUE,
                value,
                priority=priority,
            )

        await driver.write(SETPOINT, 7.0)
        assert await driver.overrides(points) == {}
        await hold("binary-output,1", rb.PropertyValue.enumerated(1), 8)
        await hold("analog-value,1", rb.PropertyValue.real(5.5), 1)
        await hold("analog-output,1", rb.PropertyValue.real(50.0), 11)
        found = await driver.overrides(points)
        await controller.stop()
        dead = await driver.overrides(points)

    who = f"controller ({controller.address})"
    assert found == {
        START.key: f"{who}: priority 8 holds on, which goes before ours (10)",
        SETPOINT.key: f"{who}: priority 1 holds 5.5, which goes before ours (10)",
    }
    assert dead == {}


async def test_value_that_a_hand_holds_at_the_device_is_said() -> None:
    def held(frame: bytes) -> list[bytes]:
        if frame[9] != READ_SEVERAL:
            return raw_device(lambda invoke: [])(frame)
        # AI1: 6.5, and the third of its flags is set.
        body = "0c00000001 1e 2955 4e 4440d00000 4f 296f 4e 820420 4f 1f"
        head = b"\x81\x0a\x00\x00\x01\x00" + bytes([0x30, frame[8], READ_SEVERAL])
        return [head + bytes.fromhex(body)]

    async with station(answer=held) as peer, bacnet_driver(peer.as_declared) as driver:
        report = await driver.read([SUPPLY])

    assert report.values == {SUPPLY.key: 6.5}
    assert report.overridden == {SUPPLY.key: "overridden at the device"}


async def test_a_device_tells_what_it_costs() -> None:
    async with device(inputs=60) as controller:
        inputs = [on_bacnet("load", f"analog-input,{n}") for n in range(1, 61)]
        async with bacnet_driver(controller.as_declared) as driver:
            await driver.read([*inputs, on_bacnet("load", "analog-input,99")])
            traffic = driver.traffic()["controller"]
            told = driver.diagnostics()["devices"]["controller"]

    # Two to meet it, two batches.
    assert (traffic.requests, traffic.points) == (4, 60)
    assert (traffic.timeouts, traffic.refusals, traffic.waiting) == (0, 0, 0)
    assert traffic.latency is not None and 0 < traffic.latency < 2
    assert told["objects_per_request"] == 56
    assert told["requests_at_a_time"] == 2
