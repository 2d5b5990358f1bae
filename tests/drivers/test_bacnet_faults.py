"""What must not break, block or leak when BACnet/IP goes wrong."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
import gc
import random
import socket
import sys
import time

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.drivers.bacnet import BacnetDriver
from custom_components.chiller_plant.drivers.bacnet_network import (
    BacnetNetworks,
    parse_address,
)
from custom_components.chiller_plant.drivers.driver import DeviceSilent, DriverError
from custom_components.chiller_plant.plant.model import BacnetDevice
from tests.drivers.bacnet_peers import device, rubbish_device
from tests.drivers.points import bacnet_connection, bacnet_driver, on_bacnet
from tests.ports import udp_port

SUPPLY = on_bacnet("chilled_water_supply_temperature", "analog-input,1")
START = on_bacnet("run_command", "binary-output,1")


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def test_silent_device_does_not_slow_the_others_and_is_heard_when_back() -> None:
    async with (
        device("127.0.0.51") as alive,
        device("127.0.0.55") as dying,
        bacnet_driver(
            replace(alive.as_declared, key="alive"),
            replace(dying.as_declared, key="dying"),
        ) as driver,
    ):
        here = on_bacnet("load", "analog-input,1", device="alive", key="here")
        there = on_bacnet("load", "analog-input,1", device="dying", key="there")
        assert set((await driver.read([here, there])).values) == {"here", "there"}

        await dying.stop()
        begin = time.monotonic()
        both = asyncio.create_task(driver.read([here, there]))
        await asyncio.sleep(0.1)
        quick = await driver.read([here])
        assert not both.done()
        report = await both
        assert time.monotonic() - begin < 6
        await dying.start()
        back = await driver.read([here, there])

    assert quick.values == report.values == {"here": 1.0}
    assert set(report.silent_devices) == {"dying"}
    assert report.failures["there"].startswith(
        f"dying ({dying.address}) does not answer"
    )
    assert set(back.values) == {"here", "there"}


async def test_nothing_is_left_after_closing_in_the_middle_of_a_request() -> None:
    before = others()
    nobody = BacnetDevice("controller", f"127.0.0.56:{udp_port()}", 1)
    connection = bacnet_connection([nobody])
    driver = BacnetDriver(connection, BacnetNetworks().network(connection))
    await driver.connect()
    reading = asyncio.create_task(driver.read([SUPPLY]))
    commanding = asyncio.create_task(driver.write(START, True))
    await asyncio.sleep(0.1)

    begin = time.monotonic()
    await driver.close()
    assert time.monotonic() - begin < 1.5

    report = await asyncio.wait_for(reading, 1)
    assert set(report.silent_devices) == {"controller"}
    with pytest.raises(DeviceSilent):
        await asyncio.wait_for(commanding, 1)
    assert others() == before
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", connection.local_port))
    # Timers of the stack would go off now.
    await asyncio.sleep(1.6)
    assert others() == before


async def test_two_plants_share_the_stack_of_one_port() -> None:
    async with device() as controller, AsyncExitStack() as stack:
        networks = BacnetNetworks()
        connection = bacnet_connection([controller.as_declared])
        drivers = [
            BacnetDriver(connection, networks.network(connection)) for _ in range(2)
        ]
        for driver in drivers:
            await driver.connect()
            stack.push_async_callback(driver.close)

        await drivers[0].close()
        report = await drivers[1].read([SUPPLY])
        assert report.values == {"analog-input,1": 1.0}
        await drivers[1].close()

        # A plant that was closed can be opened again.
        await drivers[0].connect()
        assert (await drivers[0].read([SUPPLY])).values == {"analog-input,1": 1.0}


async def test_two_plants_must_agree_on_what_they_share() -> None:
    networks, first = BacnetNetworks(), bacnet_connection([])
    second = replace(first, key="other", instance=4190002)
    driver = BacnetDriver(first, networks.network(first))
    await driver.connect()
    try:
        with pytest.raises(DriverError, match="connection other: .* another plant"):
            await BacnetDriver(second, networks.network(second)).connect()
    finally:
        await driver.close()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (
            "203.0.113.9/24",
            "this machine has no address 203.0.113.9/24; set local_address",
        ),
        ("127.0.0.1/8", "another program uses UDP port {port} on 127.0.0.1"),
    ],
)
async def test_address_that_cannot_be_used_is_said_at_once(address, text) -> None:
    before = others()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other_program:
        other_program.bind(("127.0.0.1", 0))
        port = other_program.getsockname()[1]
        connection = bacnet_connection([], local_address=address, local_port=port)
        driver = BacnetDriver(connection, BacnetNetworks().network(connection))
        with pytest.raises(DriverError) as error:
            await driver.connect()

    assert str(error.value).startswith("connection bms: " + text.format(port=port))
    assert others() == before
    await driver.close()


async def test_no_file_is_opened_in_the_event_loop() -> None:
    async with device() as controller:
        # Once in an executor: what is read there is kept.
        async with bacnet_driver(controller.as_declared):
            pass
        opened: list[object] = []
        listening = True

        def listen(event: str, details: tuple[object, ...]) -> None:
            if listening and event == "open":
                opened.append(details[0])

        sys.addaudithook(listen)
        async with bacnet_driver(controller.as_declared) as driver:
            await driver.read([SUPPLY])
            await driver.write(START, True)
        listening = False

    assert opened == []


@pytest.mark.parametrize(
    ("text", "network", "station"),
    [
        ("10.0.0.5:47809", None, "0a000005bac1"),
        ("10.0.0.5", None, "0a000005bac0"),
        ("2001:12", 2001, "0c"),
        ("2:192.168.1.5:47808", 2, "c0a80105bac0"),
        ("2:0x0a0b0c", 2, "0a0b0c"),
    ],
)
def test_addresses_keep_their_network(text, network, station) -> None:
    address = parse_address(text)

    assert address.addrNet == network
    assert address.addrAddr.hex() == station


@pytest.mark.parametrize(
    "text",
    ["controller.local:47808", "", "2:", "10.0.0.5:", "300.1.1.1", "2:300", "::1"],
)
async def test_what_is_no_address_is_said_with_its_device(text) -> None:
    connection = bacnet_connection([BacnetDevice("controller", text, 1)])
    driver = BacnetDriver(connection, BacnetNetworks().network(connection))

    with pytest.raises(DriverError, match="device controller: .* is not an address"):
        await driver.connect()


def _cut(request: bytes) -> list[bytes]:
    return [request[:7]]


def _mirror(request: bytes) -> list[bytes]:
    return [request]


def _noise(request: bytes) -> list[bytes]:
    return [random.randbytes(random.randrange(60)) for _ in range(5)]


def _ack_of_nonsense(request: bytes) -> list[bytes]:
    invoke, service = request[8], request[9]
    body = bytes([0x30, invoke, service]) + b"\x0c\xff\xff\x3e\x44\x00"
    return [b"\x81\x0a" + (6 + len(body)).to_bytes(2) + b"\x01\x00" + body]


def _segments_without_end(request: bytes) -> list[bytes]:
    body = bytes([0x3C, request[8], 0, 4, request[9]]) + b"\x0c\x00"
    return [b"\x81\x0a" + (6 + len(body)).to_bytes(2) + b"\x01\x00" + body]


async def test_rubbish_from_some_devices_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = [_cut, _mirror, _noise, _ack_of_nonsense, _segments_without_end]
    async with device() as controller, AsyncExitStack() as stack:
        rubbish = [
            await stack.enter_async_context(
                rubbish_device(answer, f"127.0.0.{100 + number}", f"rubbish_{number}")
            )
            for number, answer in enumerate(answers)
        ]
        driver = await stack.enter_async_context(
            bacnet_driver(controller.as_declared, *rubbish)
        )
        bad = [
            on_bacnet("load", "analog-input,1", device=peer.key, key=peer.key)
            for peer in rubbish
        ]
        for _ in range(2):
            begin = time.monotonic()
            report = await driver.read([SUPPLY, *bad])
            # No longer than the most patient request, however many talk rubbish.
            assert time.monotonic() - begin < 8
            assert report.values == {"analog-input,1": 1.0}
            assert set(report.failures) == {peer.key for peer in rubbish}
        await driver.write(START, True)

    gc.collect()
    # A device that talks nonsense all day must not fill the log of the house.
    assert [line for line in caplog.messages if "exception" in line.lower()] == []


@settings(max_examples=15, deadline=None)
@given(st.lists(st.binary(max_size=80), min_size=1, max_size=20))
def test_any_datagram_leaves_the_driver_working(datagrams: list[bytes]) -> None:
    async def story() -> None:
        async with device() as controller:
            port = udp_port()
            async with bacnet_driver(controller.as_declared, local_port=port) as driver:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    stranger.bind(("127.0.0.57", 0))
                    for datagram in datagrams:
                        stranger.sendto(b"\x81\x0a" + datagram, ("127.0.0.1", port))
                        stranger.sendto(datagram, ("127.0.0.1", port))
                report = await driver.read([SUPPLY])
        assert report.values == {"analog-input,1": 1.0}

    asyncio.run(story())
