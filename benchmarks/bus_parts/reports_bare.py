"""bacpypes3 as it comes, as a client that takes in reports."""

import asyncio
from typing import Any

from bacpypes3.app import Application
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.primitivedata import Real

from .reports_client import ReportsClient


class _Listening(Application):  # type: ignore[misc]
    """Counts reports, as its users write it."""

    counts: ReportsClient

    async def do_UnconfirmedCOVNotificationRequest(self, apdu: Any) -> None:
        """Look at the present value."""
        value = apdu.listOfValues[0].value.cast_out(Real)
        self.counts.heard += float(value) >= 0


class _Bare(ReportsClient):
    """An application and nothing else."""

    async def start(self, port: int) -> None:
        """Start it."""
        self._application = _Listening.from_object_list(
            [
                DeviceObject(
                    objectIdentifier=("device", 4190003),
                    objectName="bare",
                    vendorIdentifier=999,
                ),
                NetworkPortObject(
                    f"127.0.0.1/8:{port}",
                    objectIdentifier=("network-port", 1),
                    objectName="port",
                ),
            ]
        )
        self._application.counts = self
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    _Bare().serve()
