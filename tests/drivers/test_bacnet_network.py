"""What devices say unasked, and who is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bacpypes3.apdu import SubscribeCOVRequest
from bacpypes3.pdu import Address
import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.drivers.bacnet_network import (
    BacnetNetwork,
    BacnetNetworks,
)
from custom_components.chiller_plant.drivers.bacnet_notification import Notification
from custom_components.chiller_plant.drivers.lanes import Lane
from tests.drivers.bacnet_peers import device, i_am, station
from tests.drivers.points import bacnet_connection, bacnet_driver
from tests.ports import udp_port
from tests.waiting import eventually


@asynccontextmanager
async def open_network(**rest: Any) -> AsyncIterator[BacnetNetwork]:
    """Open a network without any driver."""
    connection = bacnet_connection([], **rest)
    network = BacnetNetworks().network(connection)
    await network.open(connection)
    try:
        yield network
    finally:
        await network.close()


async def subscribe(network: BacnetNetwork, address: str, *, confirmed: bool) -> None:
    request = SubscribeCOVRequest(
        subscriberProcessIdentifier=7,
        monitoredObjectIdentifier=("analog-input", 1),
        issueConfirmedNotifications=confirmed,
        lifetime=60,
        destination=Address(address),
    )
    await network.request(Address(address), Lane.POLL, lambda app: app.request(request))


@pytest.mark.parametrize("confirmed", [True, False])
async def test_report_of_a_change_reaches_who_listens(confirmed) -> None:
    heard: list[Notification] = []

    def listener(notification: Notification) -> bool:
        heard.append(notification)
        return True

    async with open_network() as network, device() as controller:
        stop = network.listen_cov(listener)
        await subscribe(network, controller.address, confirmed=confirmed)
        await controller.measure("analog-input,1", rb.PropertyValue.real(6.75))
        await eventually(lambda: len(heard) >= 2)
        stop()
        count = len(heard)
        await controller.measure("analog-input,1", rb.PropertyValue.real(9.0))
        await asyncio.sleep(0.2)

    assert len(heard) == count
    assert heard[-1].process == 7
    assert heard[-1].answer == (6.75, (False, False, False, False), None)
    assert str(heard[-1].source) == controller.address


# Confirmed notification 9 of process 7 from device 6666, AI1: present value 1.0.
_REPORT = bytes.fromhex(
    "810a00260104 0005 09 01 0907 1c02001a0a 2c00000001 3900 4e0955 2e443f800000 2f4f"
)


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        (True, "20 09 01"),
        # Error: class services, code unknown-subscription.
        (False, "50 09 01 9105 914f"),
    ],
)
async def test_a_device_is_told_that_nobody_knows_its_report(known, answer) -> None:
    port = udp_port()
    async with open_network(local_port=port) as network, station() as controller:
        network.listen_cov(lambda notification: False)
        network.listen_cov(lambda notification: known)
        controller.send(_REPORT, ("127.0.0.1", port))
        await eventually(lambda: controller.received)

    assert controller.received[0][6:] == bytes.fromhex(answer)


async def test_who_is_there_is_asked_of_one_station() -> None:
    async with open_network() as network, device() as controller:
        address = Address(controller.address)
        here = await network.who_is(0, 4194302, address)
        elsewhere = await network.who_is(0, 1000, address, 0.2)

    assert [(each.instance, each.address) for each in here] == [(1001, address)]
    assert here[0].longest_apdu == 1476
    assert here[0].segmentation == "no-segmentation"
    assert elsewhere == []


async def test_two_devices_that_claim_one_number_are_both_found() -> None:
    port = udp_port()
    async with (
        open_network(local_port=port) as network,
        station() as one,
        station("127.0.0.58") as other,
    ):
        asking = asyncio.create_task(network.who_is(0, 100, seconds=1))
        await asyncio.sleep(0)
        for peer in (one, other, one):
            peer.send(i_am(42), ("127.0.0.1", port))
        one.send(i_am(101), ("127.0.0.1", port))
        found = await asking

    assert sorted((each.instance, str(each.address)) for each in found) == [
        (42, other.address),
        (42, one.address),
    ]


async def test_device_that_announces_itself_is_told_of() -> None:
    port, heard = udp_port(), []
    async with station() as controller, station("127.0.0.58") as stranger:
        declared = controller.as_declared
        async with bacnet_driver(declared, local_port=port) as driver:
            driver.call_when_heard(heard.append)
            # The same number at another place, another number at this place.
            stranger.send(i_am(declared.instance), ("127.0.0.1", port))
            controller.send(i_am(7), ("127.0.0.1", port))
            controller.send(i_am(declared.instance), ("127.0.0.1", port))
            await eventually(lambda: heard)

    assert heard == [declared.key]
