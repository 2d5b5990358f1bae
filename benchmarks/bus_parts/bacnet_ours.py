"""Our driver, as a client that is compared."""

from typing import Any

from custom_components.chiller_plant.drivers.bacnet import BacnetDriver
from custom_components.chiller_plant.drivers.bacnet_network import BacnetNetworks
from custom_components.chiller_plant.plant.model import BacnetDevice

from .bacnet_client import Client
from .points import bacnet_command, bacnet_connection, bacnet_inputs


class _Ours(Client):
    """The driver with a stack of its own."""

    async def start(self, port: int, first_instance: int) -> None:
        """Connect."""
        devices = [
            BacnetDevice(f"unit_{number}", address, first_instance + number)
            for number, address in enumerate(self.addresses)
        ]
        connection = bacnet_connection(devices, port)
        self._points = [bacnet_inputs(device.key, self.inputs) for device in devices]
        self._command = bacnet_command(devices[0].key)
        self._driver = BacnetDriver(connection, BacnetNetworks().network(connection))
        await self._driver.connect()

    async def sweep(self, devices: int) -> int:
        """Read as the coordinator does: a device's points in one go, all beside."""
        points = [point for each in self._points[:devices] for point in each]
        report = await self._driver.read(points)
        if report.failures:
            raise RuntimeError(str(next(iter(report.failures.items()))))
        return len(report.values)

    async def write(self, value: float) -> None:
        """Command a point."""
        await self._driver.write(self._command, value)

    async def batch(self) -> int:
        """Return how many objects the driver asks for in one request."""
        devices: Any = self._driver.diagnostics()["devices"]
        return int(next(iter(devices.values()))["objects_per_request"])


if __name__ == "__main__":
    ours = _Ours()
    ours.serve(batch=ours.batch, write=ours.write)
