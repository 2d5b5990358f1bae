"""Devices on networks behind routers: found, asked one at a time, never late."""

import asyncio
from dataclasses import replace
from itertools import pairwise
import time

from bacpypes3.pdu import Address
import pytest

from custom_components.chiller_plant.drivers import bacnet_routes
from custom_components.chiller_plant.drivers.bacnet_network import parse_station
from custom_components.chiller_plant.drivers.driver import DeviceSilent, ReadReport
from custom_components.chiller_plant.plant.model import BacnetDevice
from custom_components.chiller_plant.plant.roles import PollTier
from tests.drivers.bacnet_peers import station
from tests.drivers.mstp_trunk import CONFIRMED_REPORT, READ_MULTIPLE, WRITE, mstp_trunk
from tests.drivers.points import bacnet_driver, on_bacnet
from tests.ports import udp_port
from tests.waiting import eventually

INPUTS = [on_bacnet("load", f"analog-input,{number}") for number in range(1, 21)]
SETPOINT = on_bacnet("chilled_water_supply_temperature_setpoint", "analog-value,1")


def at(address: str, instance: int = 2001) -> BacnetDevice:
    return BacnetDevice("controller", address, instance)


async def test_device_behind_a_router_is_read_and_commanded() -> None:
    port = udp_port()
    async with (
        mstp_trunk(port, request_time=0.01) as trunk,
        bacnet_driver(at("2:1"), local_port=port) as driver,
    ):
        report = await driver.read(INPUTS)
        await driver.write(SETPOINT, 6.5)
        setpoint = await driver.read([SETPOINT])
        frames = await trunk.frames()

    assert report.values == {point.key: float(n) for n, point in enumerate(INPUTS, 1)}
    assert setpoint.values == {SETPOINT.key: 6.5}
    # Eighteen objects fit into an answer of 480 octets; the third is the setpoint.
    assert [frame.service for frame in frames].count(READ_MULTIPLE) == 3
    assert [frame.service for frame in frames].count(WRITE) == 1
    assert all(frame.began is not None for frame in frames)


async def test_router_that_is_named_need_not_be_found() -> None:
    # It does not hear our broadcasts, for it listens on the port of others.
    async with mstp_trunk(udp_port(), request_time=0.01) as trunk:
        router = f"{trunk.settings.host}:{trunk.settings.port}"
        async with bacnet_driver(at(f"2:1@{router}")) as driver:
            report = await driver.read(INPUTS)
            found = driver.diagnostics()["routers"]

    assert len(report.values) == len(INPUTS)
    assert found == {"2": router}


async def test_reports_from_behind_a_router_are_acknowledged() -> None:
    """Routers drop what they cannot queue; what is not confirmed is then lost."""
    port = udp_port()
    setpoint = replace(SETPOINT, tier=PollTier.FAST)
    heard: list[float] = []

    def hear(report: ReadReport) -> None:
        heard.extend(report.values.values())

    async with (
        mstp_trunk(port, request_time=0.01) as trunk,
        bacnet_driver(at("2:1"), local_port=port) as driver,
    ):
        driver.watch([setpoint], hear)
        await driver.read([setpoint])
        await eventually(lambda: driver.assured == {setpoint.key})
        before = (await trunk.acknowledged()).get(CONFIRMED_REPORT, 0)
        await driver.write(setpoint, 6.5)
        await eventually(lambda: heard[-1:] == [6.5])

        async def acknowledged() -> bool:
            return (await trunk.acknowledged()).get(CONFIRMED_REPORT, 0) > before

        await eventually(acknowledged)


async def test_one_trunk_carries_one_request_and_a_command_waits_for_no_more() -> None:
    port = udp_port()
    async with mstp_trunk(port, devices=3, request_time=0.05) as trunk:
        devices = [
            replace(each, key=f"unit_{n}") for n, each in enumerate(trunk.devices)
        ]
        polls = [
            on_bacnet("load", f"analog-input,{number}", device=each.key, key=key)
            for each in devices
            for number in range(1, 21)
            if (key := f"{each.key}.{number}")
        ]
        command = replace(
            SETPOINT, address=replace(SETPOINT.address, device=devices[0].key)
        )
        async with bacnet_driver(*devices, local_port=port) as driver:
            await driver.read(polls)
            await trunk.frames()
            polling = asyncio.create_task(driver.read(polls))
            await asyncio.sleep(0.02)
            given = time.monotonic()
            await driver.write(command, 6.5)
            report = await polling
            frames = await trunk.frames()

    assert len(report.values) == len(polls)
    ahead = [
        frame
        for frame in frames
        if frame.service != WRITE
        and frame.ended > given
        and frame.arrived
        < next(each.arrived for each in frames if each.service == WRITE)
    ]
    assert len(ahead) <= 1
    # Nothing had to wait in the router, so nothing can be lost there.
    assert all(later.arrived >= earlier.ended for earlier, later in pairwise(frames))


async def test_command_is_not_sent_when_its_router_answers_too_late() -> None:
    port = udp_port()
    async with station() as router, bacnet_driver(at("7:1"), local_port=port) as driver:
        begin = time.monotonic()
        with pytest.raises(DeviceSilent, match="no router .* network 7; write its"):
            await driver.write(SETPOINT, 6.5)
        # Others that wait for the same network are not kept for as long each.
        with pytest.raises(DeviceSilent, match=SETPOINT.key):
            await driver.write(SETPOINT, 6.5)
        assert time.monotonic() - begin < 10

        # I-Am-Router-To-Network 7.
        router.send(bytes.fromhex("810a0000 0180 01 0007"), ("127.0.0.1", port))
        await eventually(lambda: "7" in driver.diagnostics()["routers"])
        await asyncio.sleep(0.2)

    assert router.received == []


async def test_device_moves_behind_another_router(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bacnet_routes, "_DOUBT", 0.5)
    port = udp_port()
    async with bacnet_driver(at("2:1"), local_port=port) as driver:
        async with mstp_trunk(port, request_time=0.01):
            assert (await driver.read(INPUTS)).values
        assert (await driver.read(INPUTS)).silent_devices
        async with mstp_trunk(port, request_time=0.01, host="127.0.0.58"):

            async def is_back() -> bool:
                return bool((await driver.read(INPUTS)).values)

            await eventually(is_back, timeout=60)


@pytest.mark.parametrize(
    ("text", "address", "router"),
    [
        ("2:17@10.0.0.1:47809", "2:17", "10.0.0.1:47809"),
        ("2:0x0a0b@10.0.0.1", "2:0x0a0b", "10.0.0.1"),
        ("10.0.0.5:47809", "10.0.0.5:47809", None),
    ],
)
def test_address_with_its_router(text, address, router) -> None:
    assert parse_station(text) == (Address(address), router and Address(router))


@pytest.mark.parametrize("text", ["10.0.0.5@10.0.0.1", "2:17@", "2:17@router", "@"])
def test_what_is_no_address_with_a_router(text) -> None:
    with pytest.raises(ValueError):
        parse_station(text)
