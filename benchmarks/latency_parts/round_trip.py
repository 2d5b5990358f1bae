"""The least that it could take: bacpypes3 alone reads a point and writes another."""

from time import perf_counter
from typing import Any

from bacpypes3.app import Application
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import Null, ObjectIdentifier, Real

from benchmarks.bus_parts.child import serve

_LOWEST_PRIORITY = 16
"""Nothing of the product is put out of effect by it."""


class _Client:
    """A bare application and its two points."""

    async def begin(self, port: int) -> None:
        """Start an application on a port of its own."""
        self._application: Any = Application.from_object_list(
            [
                DeviceObject(
                    objectIdentifier=("device", 4190099),
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

    async def measure(
        self,
        read_from: str,
        read: tuple[str, int],
        write_to: str,
        write: tuple[str, int],
        value: float,
        times: int,
    ) -> list[float]:
        """Read and write one after the other; return the seconds of each pair."""
        source, target = Address(read_from), Address(write_to)
        wanted, told = ObjectIdentifier(tuple(read)), ObjectIdentifier(tuple(write))
        spent = []
        for number in range(times):
            began = perf_counter()
            await self._application.read_property(source, wanted, "present-value")
            await self._application.write_property(
                target,
                told,
                "present-value",
                Real(value + number % 2),
                priority=_LOWEST_PRIORITY,
            )
            spent.append(perf_counter() - began)
        await self._application.write_property(
            target, told, "present-value", Null(()), priority=_LOWEST_PRIORITY
        )
        return spent


if __name__ == "__main__":
    client = _Client()
    serve({"begin": client.begin, "measure": client.measure})
