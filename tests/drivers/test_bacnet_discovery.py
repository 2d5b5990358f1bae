"""Who is on a network and what they have, against stacks that we did not write.

Broadcasts cannot be heard on loopback, so devices are asked at their addresses.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bacpypes3.errors import UnrecognizedService
import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.drivers.bacnet_discovery import (
    DeviceHeard,
    discover,
)
from custom_components.chiller_plant.drivers.bacnet_inventory import objects_of
from custom_components.chiller_plant.drivers.bacnet_network import (
    BacnetNetwork,
    BacnetNetworks,
)
from custom_components.chiller_plant.drivers.driver import DeviceSilent
from custom_components.chiller_plant.plant.commissioning.found import FoundObject
from custom_components.chiller_plant.plant.plant_file import parse_plant
from custom_components.chiller_plant.simulator.simulation import Simulation
from tests.drivers.bacnet_peers import device, i_am, plain_device, slow_wire, station
from tests.drivers.points import bacnet_connection
from tests.integration.served_plant import MORNING, example_text

LISTEN = 0.5


@pytest.fixture
async def network(socket_enabled: None) -> AsyncIterator[BacnetNetwork]:
    """Be on the network without any plant."""
    connection = bacnet_connection([])
    found = BacnetNetworks().network(connection)
    await found.open(connection)
    yield found
    await found.close()


async def only(network: BacnetNetwork, address: str, **rest: Any) -> DeviceHeard:
    """Return the one device that is found at an address."""
    found = await discover(network, addresses=[address], seconds=LISTEN, **rest)
    assert len(found) == 1, found
    return found[0]


def by_name(objects: tuple[FoundObject, ...]) -> dict[str, FoundObject]:
    return {item.name: item for item in objects}


async def test_device_says_who_it_is(network: BacnetNetwork) -> None:
    async with device(inputs=3) as controller:
        found = await only(network, controller.address)
    assert found.instance == 1001
    assert found.address == controller.address
    assert found.name == "controller"
    assert found.vendor == "Rusty BACnet"
    assert found.objects == 10
    assert not found.twin
    assert found.trouble is None


async def test_only_instances_of_the_range_are_found(network: BacnetNetwork) -> None:
    async with device() as controller:
        for low, high, number in ((0, 1000, 0), (1001, 1001, 1), (1002, 9999, 0)):
            found = await discover(
                network, low, high, addresses=[controller.address], seconds=LISTEN
            )
            assert len(found) == number, (low, high)


async def test_two_devices_with_one_instance_are_both_shown_and_marked(
    network: BacnetNetwork,
) -> None:
    async with device("127.0.0.51") as one, device("127.0.0.54") as other:
        found = await discover(
            network, addresses=[one.address, other.address], seconds=LISTEN
        )
    assert {item.address for item in found} == {one.address, other.address}
    assert all(item.twin for item in found)


async def test_device_that_only_answers_reads_is_found_at_its_address(
    network: BacnetNetwork,
) -> None:
    async with device() as controller, deaf(controller.address) as address:
        found = await only(network, address)
    assert found.instance == 1001
    assert found.address == address
    assert found.name == "controller"


async def test_device_that_announces_itself_and_says_no_more_is_shown_with_its_trouble(
    network: BacnetNetwork,
) -> None:
    def announce(data: bytes) -> list[bytes]:
        who_is = data[6:8] == b"\x10\x08"
        return [i_am(77)] if who_is else []

    async with station(answer=announce) as silent:
        found = await only(network, silent.address)
    assert found.instance == 77
    assert found.name is None
    assert found.trouble is not None


async def test_nobody_is_no_error(network: BacnetNetwork) -> None:
    assert await discover(network, seconds=0.1) == []
    assert await discover(network, addresses=["127.0.0.55:9"], seconds=0.1) == []
    with pytest.raises(ValueError, match="elsewhere"):
        await discover(network, addresses=["elsewhere"])


@pytest.mark.parametrize(
    "segmentation",
    [rb.Segmentation.BOTH, rb.Segmentation.NONE],
    ids=["with", "without"],
)
async def test_objects_are_read_with_segmentation_and_without(
    network: BacnetNetwork, segmentation: rb.Segmentation
) -> None:
    seen: list[tuple[int, int]] = []
    async with device(inputs=300, segmentation_supported=segmentation) as controller:
        heard = await only(network, controller.address)
        inventory = await objects_of(
            network, heard, "ahu", lambda done, total: seen.append((done, total))
        )
    objects = by_name(inventory.device.objects)
    assert len(objects) == 306
    assert inventory.device.key == "ahu"
    assert inventory.device.instance == 1001
    assert objects["AI300"].present_value == 300.0
    assert objects["AI1"].unit == "°C"
    assert objects["AI1"].wire_unit == "degrees-celsius"
    assert objects["AI1"].identifier == "analog-input,1"
    assert objects["AI1"].device == "ahu"
    assert objects["AO1"].unit == "%"
    assert objects["BI1"].present_value is False
    assert objects["BI1"].states == ("Inactive", "Active")
    assert inventory.notes == ()
    done, total = seen[-1]
    assert done == total > 1000
    assert seen == sorted(seen, key=lambda item: (item[1], item[0]))


async def test_commandable_is_told_by_the_kind_of_the_object(
    network: BacnetNetwork,
) -> None:
    async with device() as controller:
        heard = await only(network, controller.address)
        inventory = await objects_of(network, heard, "ahu")
    objects = by_name(inventory.device.objects)
    assert objects["AI1"].commandable is False
    assert objects["AO1"].commandable is True
    # Some have a priority array and some do not; a failed read would not tell.
    assert objects["AV1"].commandable is None
    assert objects["AV2"].commandable is None


async def test_device_that_reads_one_property_at_a_time_is_read_so(
    network: BacnetNetwork,
) -> None:
    refusal = UnrecognizedService()
    async with plain_device([1.5, 2.5], refusal) as (declared, application):
        heard = await only(network, declared.address)
        inventory = await objects_of(network, heard, "plain")
    assert [item.present_value for item in inventory.device.objects] == [1.5, 2.5]
    # Once while it introduced itself, once while its objects were read.
    assert application.asked_at_once == 2


async def test_all_devices_of_the_example_are_read(network: BacnetNetwork) -> None:
    plant = parse_plant(example_text(), "plant.yaml")
    simulation = Simulation(plant, MORNING, 20.0)
    await simulation.start()
    try:
        addresses = {
            item.address: key for key, item in plant.connections["bms"].devices.items()
        }
        found = await discover(network, addresses=addresses, seconds=LISTEN)
        assert [item.instance for item in found] == [1001, 1002, 1003, 1004]
        inventories = [
            await objects_of(network, item, addresses[item.address]) for item in found
        ]
    finally:
        await simulation.stop()
    objects = by_name(
        tuple(item for each in inventories for item in each.device.objects)
    )
    expected = [
        point
        for point in plant.points.values()
        if point.address is not None and point.address.connection == "bms"
    ]
    assert objects.keys() == {point.key for point in expected}
    for point in expected:
        item = objects[point.key]
        assert (item.device, item.object_type, item.instance) == (
            point.address.device,
            point.address.object_type,
            point.address.object_instance,
        )
        assert item.unit == point.role.quantity.unit or item.unit in ("%", None)
        assert item.description


async def test_device_that_dies_while_it_is_read_is_said(
    network: BacnetNetwork,
) -> None:
    async with device(inputs=50) as controller:
        heard = await only(network, controller.address)
    with pytest.raises(DeviceSilent, match=f"controller \\({controller.address}\\)"):
        await objects_of(network, heard, "gone")


async def test_reading_that_is_given_up_leaves_nothing_on_the_wire(
    network: BacnetNetwork,
) -> None:
    async with (
        device(inputs=200, segmentation_supported=rb.Segmentation.NONE) as controller,
        slow_wire(controller, 0.2) as wire,
    ):
        heard = DeviceHeard(1001, wire.as_declared.address, "slow", longest_apdu=480)
        reading = asyncio.create_task(objects_of(network, heard, "slow"))
        async with asyncio.timeout(30):
            while len(wire.requests) < 3:
                await asyncio.sleep(0.02)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        sent = len(wire.requests)
        await asyncio.sleep(0.6)
        assert len(wire.requests) <= sent + 1


@asynccontextmanager
async def deaf(far: str, host: str = "127.0.0.56") -> AsyncIterator[str]:
    """Put something before a device that lets only requests through."""
    far_host, _, far_port = far.partition(":")
    asker: list[Any] = []
    loop = asyncio.get_running_loop()
    beyond, _ = await loop.create_datagram_endpoint(
        lambda: _Passage(lambda data, _: near.transport.sendto(data, asker[-1])),
        local_addr=(host, 0),
        remote_addr=(far_host, int(far_port)),
    )

    def pass_on(data: bytes, source: Any) -> None:
        if data[6] >> 4 == 0:
            asker.append(source)
            beyond.sendto(data)

    transport, near = await loop.create_datagram_endpoint(
        lambda: _Passage(pass_on), local_addr=(host, 0)
    )
    try:
        yield "{}:{}".format(*transport.get_extra_info("sockname"))
    finally:
        transport.close()
        beyond.close()


class _Passage(asyncio.DatagramProtocol):
    def __init__(self, received: Any) -> None:
        self.datagram_received = received  # type: ignore[method-assign]

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
