"""The simulated trunk itself: it must be right before anything is judged by it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from bacpypes3.app import Application
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier, Real

from tests.drivers.mstp_trunk import READ, READ_MULTIPLE, WRITE, mstp_trunk
from tests.ports import udp_port


@asynccontextmanager
async def client() -> AsyncIterator[tuple[Application, int]]:
    port = udp_port()
    application = Application.from_object_list(
        [
            DeviceObject(objectIdentifier=("device", 3), objectName="client"),
            NetworkPortObject(
                f"127.0.0.1/8:{port}",
                objectIdentifier=("network-port", 1),
                objectName="port",
            ),
        ]
    )
    application.device_object.numberOfApduRetries = 0
    try:
        yield application, port
    finally:
        application.close()
        await asyncio.sleep(0)


async def test_devices_behind_the_router_answer_one_after_the_other():
    async with (
        client() as (application, port),
        mstp_trunk(port, devices=2, request_time=0.05) as trunk,
    ):
        first, second = (Address(device.address) for device in trunk.devices)
        value = ObjectIdentifier("analog-value,1")

        await application.write_property(
            first, value, "present-value", Real(7.5), None, 10
        )
        read = await asyncio.gather(
            application.read_property(first, value, "present-value"),
            application.read_property(second, value, "present-value"),
            application.read_property(
                second, ObjectIdentifier("analog-input,20"), "present-value"
            ),
        )
        await application.read_property_multiple(
            first, [value, ["present-value", "status-flags"]]
        )

        assert read == [7.5, 0.0, 20.0]
        frames = await trunk.frames()
        assert [frame.service for frame in frames] == [
            WRITE,
            READ,
            READ,
            READ,
            READ_MULTIPLE,
        ]
        assert all(before.ended <= after.began for before, after in pairwise(frames))
        assert all(frame.ended - frame.began >= 0.05 for frame in frames)


async def test_what_the_router_has_no_room_for_is_lost():
    async with (
        client() as (application, port),
        mstp_trunk(port, request_time=0.05, room=3) as trunk,
    ):
        target = Address(trunk.devices[0].address)
        value = ObjectIdentifier("analog-input,1")
        await application.read_property(target, value, "present-value")
        await trunk.frames()

        await asyncio.gather(
            *(
                application.read_property(target, value, "present-value")
                for _ in range(8)
            ),
            return_exceptions=True,
        )

        frames = await trunk.frames()
        assert len(frames) == 8
        assert sum(frame.began is None for frame in frames) == 4
