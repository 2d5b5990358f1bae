"""BAC0 with its own `read`, started so that it works beside others."""

import asyncio
import logging
import time
from typing import Any

import BAC0

from .bacnet_client import Client

_IN_FLIGHT = 16


class _Network(BAC0.lite):  # type: ignore[misc]
    def i_am(self) -> None:
        """Announce ourselves once; BAC0 waits for what never becomes true."""
        self.this_application.app.i_am()


class _Bac0(Client):
    """Texts in, values out."""

    async def start(self, port: int, first_instance: int) -> None:
        """Start it, and keep its log out of what is measured."""
        for name in list(logging.root.manager.loggerDict):
            if name.startswith("BAC0_Root"):
                logging.getLogger(name).handlers.clear()
                logging.getLogger(name).setLevel(logging.ERROR)
        self._network: Any = _Network(
            ip="127.0.0.1",
            mask=8,
            port=port,
            deviceId=4190003,
            ping=False,
            timezone="UTC",
        )
        await asyncio.sleep(0.3)

    async def sweep(self, devices: int) -> int:
        """Read one point after the other, as its documentation shows."""
        brought = 0
        for address in self.addresses[:devices]:
            for instance in range(1, self.inputs + 1):
                brought += await self._read(address, instance)
        return brought

    async def _read(self, address: str, instance: int) -> bool:
        value = await self._network.read(
            f"{address} analogInput {instance} presentValue"
        )
        return value is not None

    async def poll(self) -> None:
        """Read everything, several at a time."""
        await self.beside()

    async def beside(self) -> dict[str, float]:
        """Read all points of all devices, 16 at a time."""
        gate = asyncio.Semaphore(_IN_FLIGHT)
        brought = failed = 0

        async def read(address: str, instance: int) -> None:
            nonlocal brought, failed
            async with gate:
                try:
                    brought += await self._read(address, instance)
                except Exception:  # noqa: BLE001, whatever BAC0 raises
                    failed += 1

        began = time.monotonic()
        await asyncio.gather(
            *(
                read(address, instance)
                for address in self.addresses
                for instance in range(1, self.inputs + 1)
            )
        )
        return {
            "seconds": time.monotonic() - began,
            "points": brought,
            "failed": failed,
        }

    async def write(self, value: float) -> None:
        """Command a point; the public `write` returns before anything was sent."""
        await self._network._write(  # noqa: SLF001
            f"{self.addresses[0]} analogValue 1 presentValue {value} - 10"
        )


if __name__ == "__main__":
    bac0 = _Bac0()
    bac0.serve(beside=bac0.beside, write=bac0.write)
