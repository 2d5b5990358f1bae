"""Our network, as a client that takes in reports."""

from custom_components.chiller_plant.drivers.bacnet_network import BacnetNetworks
from custom_components.chiller_plant.drivers.bacnet_notification import Notification

from .points import bacnet_connection
from .reports_client import ReportsClient


class _Ours(ReportsClient):
    """The stack that all our drivers of one address share, and one who listens."""

    async def start(self, port: int) -> None:
        """Open it."""
        connection = bacnet_connection([], port)
        self._network = BacnetNetworks().network(connection)
        await self._network.open(connection)
        self._network.listen_cov(self._hear)

    def _hear(self, notification: Notification) -> bool:
        answer = notification.answer
        self.heard += answer is not None and float(answer.value) >= 0
        return True


if __name__ == "__main__":
    _Ours().serve()
