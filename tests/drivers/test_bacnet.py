"""BACnet/IP against devices and a client that we did not write."""

import asyncio
from dataclasses import replace
import math

from bacpypes3.errors import ExecutionError, UnrecognizedService
import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.drivers.driver import DeviceSilent, PointRefused
from tests.drivers.bacnet_peers import (
    device,
    identifier,
    independent_client,
    plain_device,
    rubbish_device,
    slot,
    slow_wire,
)
from tests.drivers.points import bacnet_driver, on_bacnet

SUPPLY = on_bacnet("chilled_water_supply_temperature", "analog-input,1")
START = on_bacnet("run_command", "binary-output,1", release=False)
SETPOINT = on_bacnet("chilled_water_supply_temperature_setpoint", "analog-value,1")
LIMIT = on_bacnet("demand_limit", "analog-output,1")


async def test_values_of_all_kinds_of_objects_are_read() -> None:
    async with device() as controller, bacnet_driver(controller.as_declared) as driver:
        await controller.measure("analog-input,1", rb.PropertyValue.real(6.75))
        await controller.measure("binary-input,1", rb.PropertyValue.enumerated(1))
        kinds = ["analog-output", "analog-value", "binary-output", "binary-value"]

        report = await driver.read(
            [
                SUPPLY,
                on_bacnet("run_status", "binary-input,1"),
                *(
                    on_bacnet("load" if "analog" in kind else "alarm", f"{kind},1")
                    for kind in kinds
                ),
            ]
        )

    assert report.values == {
        "analog-input,1": 6.75,
        "binary-input,1": True,
        "analog-output,1": 0.0,
        "analog-value,1": 0.0,
        "binary-output,1": False,
        "binary-value,1": False,
    }
    assert [
        type(report.values[key]) for key in ("analog-value,1", "binary-value,1")
    ] == [
        float,
        bool,
    ]
    assert not report.failures
    assert not report.silent_devices


async def test_two_points_may_share_an_object() -> None:
    again = replace(SUPPLY, key="again", wire_unit="°F")
    async with device() as controller, bacnet_driver(controller.as_declared) as driver:
        await controller.measure("analog-input,1", rb.PropertyValue.real(50.0))
        report = await driver.read([SUPPLY, again])

    assert report.values == pytest.approx({"analog-input,1": 50.0, "again": 10.0})


@pytest.mark.parametrize(
    ("command", "value", "in_the_slot"),
    [
        (START, True, 1),
        (SETPOINT, 6.5, 6.5),
        (replace(SETPOINT, wire_unit="°F"), 10.0, 50.0),
        (LIMIT, 80, 80.0),
        (on_bacnet("run_command", "binary-value,1"), True, 1),
        (on_bacnet("demand_limit", "analog-value,1"), 1e-5, pytest.approx(1e-5)),
    ],
)
async def test_command_takes_our_slot_and_release_gives_it_back(
    command, value, in_the_slot
) -> None:
    target = command.key
    async with (
        device() as controller,
        bacnet_driver(controller.as_declared, write_priority=10) as driver,
        independent_client() as other,
    ):
        await driver.write(command, value)
        assert await slot(other, controller, target, 10) == in_the_slot
        assert await slot(other, controller, target, 16) is None
        assert (await driver.read([command])).values[target] == pytest.approx(value)

        # Somebody else holds a lower slot: it wins as soon as we let go.
        binary = target.startswith("binary")
        theirs = (
            rb.PropertyValue.enumerated(0) if binary else rb.PropertyValue.real(3.0)
        )
        await other.write_property(
            controller.address,
            identifier(target),
            rb.PropertyIdentifier.PRESENT_VALUE,
            theirs,
            priority=15,
        )
        await driver.release(command)
        assert await slot(other, controller, target, 10) is None
        assert await slot(other, controller, target, 15) == (0 if binary else 3.0)


async def test_unknown_object_fails_alone() -> None:
    missing = on_bacnet("load", "analog-input,99")
    async with device() as controller, bacnet_driver(controller.as_declared) as driver:
        report = await driver.read([SUPPLY, missing])

    assert report.values == {"analog-input,1": 1.0}
    assert not report.silent_devices
    assert report.failures == {
        "analog-input,99": f"controller ({controller.address}): analog-input,99: "
        "the device has no such object (object, unknown-object)"
    }


@pytest.mark.parametrize(
    ("command", "value", "why"),
    [
        (SUPPLY, 5.0, "the device does not let it be written"),
        (on_bacnet("demand_limit", "analog-value,2"), 5.0, "write-access-denied"),
        (on_bacnet("demand_limit", "analog-output,9"), 5.0, "has no such object"),
        (SETPOINT, math.nan, "not a number that can be sent"),
        (SETPOINT, 1e39, "not a number that can be sent"),
        (START, 0.5, "neither on nor off"),
        (on_bacnet("demand_limit", "multi-state-value,1"), 2, "needs its states"),
    ],
)
async def test_refused_command_says_why(command, value, why) -> None:
    async with device() as controller, bacnet_driver(controller.as_declared) as driver:
        with pytest.raises(PointRefused, match=why) as refused:
            await driver.write(command, value)

    assert str(refused.value).startswith(f"{command.key}: ")


async def test_value_that_the_device_does_not_trust_is_not_used() -> None:
    async with (
        device(inputs=2) as controller,
        bacnet_driver(controller.as_declared) as driver,
        independent_client() as other,
    ):
        await other.write_property(
            controller.address,
            identifier("analog-input,2"),
            rb.PropertyIdentifier.OUT_OF_SERVICE,
            rb.PropertyValue.boolean(True),
        )
        report = await driver.read([SUPPLY, on_bacnet("load", "analog-input,2")])

    assert report.values == {"analog-input,1": 1.0}
    assert report.failures["analog-input,2"].endswith(
        "it is out of service at the device"
    )


async def test_nothing_is_commanded_in_the_wrong_device() -> None:
    async with device() as controller, independent_client() as other:
        wrong = replace(controller.as_declared, instance=1002)
        async with bacnet_driver(wrong) as driver:
            with pytest.raises(PointRefused, match="is not device instance 1002"):
                await driver.write(START, True)
            report = await driver.read([SUPPLY])

        assert await slot(other, controller, "binary-output,1", 10) is None
    assert "check the device's address" in report.failures["analog-input,1"]
    assert not report.silent_devices


async def test_answer_that_is_too_long_is_asked_for_in_halves_from_then_on() -> None:
    inputs = [on_bacnet("load", f"analog-input,{number}") for number in range(1, 41)]
    # Twelve results are six objects with value and flags.
    async with (
        device(inputs=40, rpm_max_result_elements=12) as controller,
        slow_wire(controller, 0) as wire,
        bacnet_driver(wire.as_declared) as driver,
    ):
        first = await driver.read(inputs)
        wire.requests.clear()
        second = await driver.read(inputs)

    expected = {f"analog-input,{number}": float(number) for number in range(1, 41)}
    assert first.values == second.values == expected
    assert wire.requests == [14] * 8


@pytest.mark.parametrize(
    ("said", "asked_at_once"),
    [
        # It does not know the service: never asked again.
        (UnrecognizedService(), 1),
        # One object spoils it for all: tried again every time.
        (ExecutionError("object", "unknown-object"), 2),
    ],
)
async def test_device_that_reads_one_at_a_time(said, asked_at_once) -> None:
    inputs = [on_bacnet("load", f"analog-input,{number}") for number in (1, 2, 3)]
    async with (
        plain_device([1.5, math.nan, 3.5], said) as (declared, plain),
        bacnet_driver(declared) as driver,
    ):
        for _ in range(2):
            report = await driver.read(inputs)

    assert report.values == {"analog-input,1": 1.5, "analog-input,3": 3.5}
    assert "not a number" in report.failures["analog-input,2"]
    assert not report.silent_devices
    assert plain.asked_at_once == asked_at_once


async def test_flags_cost_a_device_without_read_multiple_little_and_are_still_seen():
    points = [on_bacnet("load", f"analog-input,{number}") for number in (1, 2, 3, 4)]
    async with (
        plain_device([1.5, 2.5, 3.5, 4.5], UnrecognizedService()) as (declared, plain),
        bacnet_driver(declared) as driver,
    ):
        for _ in range(8):
            assert not (await driver.read(points)).failures
        assert plain.asked["present-value"] == 32
        assert plain.asked["status-flags"] == 8

        under_repair = plain.get_object_name("AI2")
        under_repair.outOfService = True
        reports = [await driver.read(points) for _ in range(4)]
        assert "out of service" in reports[-1].failures["analog-input,2"]
        # Seen once, it is looked after until it is over.
        under_repair.outOfService = False
        assert not (await driver.read(points)).failures


async def test_device_that_is_busy_is_left_in_peace_until_the_next_reading() -> None:
    inputs = [on_bacnet("load", f"analog-input,{number}") for number in (1, 2, 3)]
    services = []

    def busy(request: bytes) -> list[bytes]:
        invoke, service = request[8], request[9]
        services.append(service)
        if service == 14:
            # Abort by the server: preempted by higher-priority task.
            return [bytes([0x81, 0x0A, 0, 9, 1, 0, 0x71, invoke, 3])]
        # Error: class property, code unknown-property.
        return [
            bytes([0x81, 0x0A, 0, 13, 1, 0, 0x50, invoke, service, 0x91, 2, 0x91, 32])
        ]

    async with (
        rubbish_device(busy, "127.0.0.54", "controller") as declared,
        bacnet_driver(declared) as driver,
    ):
        report = await driver.read(inputs)

    assert len(report.failures) == 3
    assert "gave up (preempted-by-higher-priority-task)" in str(report.failures)
    assert not report.silent_devices
    assert services.count(14) == 1


async def test_command_overtakes_the_polls_that_wait() -> None:
    inputs = [on_bacnet("load", f"analog-input,{number}") for number in range(1, 31)]
    async with (
        device(inputs=30, rpm_max_result_elements=2) as controller,
        slow_wire(controller, 0.02) as wire,
        bacnet_driver(wire.as_declared) as driver,
    ):
        await driver.read(inputs)
        wire.requests.clear()
        poll = asyncio.create_task(driver.read(inputs))
        await asyncio.sleep(0.05)
        await driver.write(START, True)
        polled_before_the_command = len(wire.requests) - 1
        assert not poll.done()
        report = await poll

    assert len(report.values) == 30
    assert wire.requests.count(15) == 1
    # Two that were on the wire at the time, and what 50 ms let through before.
    assert polled_before_the_command <= 9
    assert wire.most_in_flight == 2


async def test_command_to_a_silent_device_is_not_repeated_later() -> None:
    async with device() as controller, bacnet_driver(controller.as_declared) as driver:
        await driver.read([SUPPLY])
        await controller.stop()
        with pytest.raises(DeviceSilent, match="controller .* does not answer"):
            await driver.write(START, True)
        await controller.start()
        await asyncio.sleep(2)
        report = await driver.read([START])

    assert report.values == {"binary-output,1": False}
