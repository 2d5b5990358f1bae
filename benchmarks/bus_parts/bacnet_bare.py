"""bacpypes3 as it comes: ReadPropertyMultiple, the same objects in a batch."""

import asyncio
from typing import Any

from bacpypes3.app import Application
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier

from .bacnet_client import Client


class _Bare(Client):
    """An application, and requests beside each other up to a number."""

    async def start(self, port: int, first_instance: int) -> None:
        """Start an application."""
        self._application: Any = Application.from_object_list(
            [
                DeviceObject(
                    objectIdentifier=("device", 4190002),
                    objectName="bare",
                    vendorIdentifier=999,
                    maxApduLengthAccepted=1476,
                ),
                NetworkPortObject(
                    f"127.0.0.1/8:{port}",
                    objectIdentifier=("network-port", 1),
                    objectName="port",
                ),
            ]
        )
        await self.use(self.inputs, 16)
        await asyncio.sleep(0.2)

    async def use(self, batch: int, in_flight: int) -> None:
        """Ask for so many objects at once, so many requests at a time."""
        self._batch = batch
        self._in_flight = in_flight

    async def sweep(self, devices: int) -> int:
        """Read devices beside each other."""
        gate = asyncio.Semaphore(self._in_flight)
        brought = 0

        async def read(address: Address, first: int) -> None:
            nonlocal brought
            last = min(first + self._batch, self.inputs + 1)
            wanted = [
                item
                for instance in range(first, last)
                for item in (
                    ObjectIdentifier(("analog-input", instance)),
                    ["present-value", "status-flags"],
                )
            ]
            async with gate:
                found = await self._application.read_property_multiple(address, wanted)
            brought += sum(float(value) > 0 for *_, value in found[::2])

        async with asyncio.TaskGroup() as group:
            for address in self.addresses[:devices]:
                for first in range(1, self.inputs + 1, self._batch):
                    group.create_task(read(Address(address), first))
        return brought


if __name__ == "__main__":
    bare = _Bare()
    bare.serve(use=bare.use)
