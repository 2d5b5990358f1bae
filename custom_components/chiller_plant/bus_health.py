"""Looks after how each controller and unit behaves on its bus.

Figures of the bus change with every request. They are looked at one device
after the other, each twice a minute, so that a site of a hundred devices does
not write a thousand states with every round. Only a device that falls silent,
or is back, is told at once.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from time import monotonic

from homeassistant.core import callback

from .coordinator import DeviceStatus, PlantCoordinator
from .publisher import Topic

_PERIOD = 30.0
"""Seconds between two looks at the figures of a device."""
_LAST_ANSWER_STEP = 300.0
"""Seconds by which the last answer of a device that answers is moved on."""


def bus_topic(device: str) -> Topic:
    """Return what changes with the health of a device."""
    return ("bus", device)


class BusHealth:
    """The health of the devices of one plant, by their keys."""

    def __init__(self, coordinator: PlantCoordinator) -> None:
        """Look at each of them once."""
        self._coordinator = coordinator
        self._status: dict[str, DeviceStatus] = {}
        self._last_answer: dict[str, float] = {}
        self._looked = deque((monotonic(), key) for key in coordinator.links.devices)
        for _, device in self._looked:
            self._look(device)
        self._at_most = ceil(
            len(self._looked) * coordinator.plant.poll_interval / _PERIOD
        )

    @callback
    def async_start(self) -> Callable[[], None]:
        """Go on looking with each round; return what ends that."""
        return self._coordinator.async_add_listener(self._look_at_some)

    def __getitem__(self, device: str) -> DeviceStatus:
        """Return how a device was when it was last looked at."""
        return self._status[device]

    def last_answer(self, device: str) -> datetime | None:
        """Return when a device last sent a value.

        To the second for one that is silent; one that answers has done so
        within the last minutes.
        """
        moment = self._last_answer.get(device)
        return None if moment is None else datetime.fromtimestamp(moment, UTC)

    @callback
    def _look_at_some(self) -> None:
        time = monotonic()
        silent = self._coordinator.silent
        for device, status in self._status.items():
            if status.silent_reason != silent.get(device):
                self._look(device)
        for _ in range(self._at_most):
            looked, device = self._looked[0]
            if time - looked < _PERIOD:
                return
            self._looked.popleft()
            self._looked.append((time, device))
            self._look(device)

    def _look(self, device: str) -> None:
        status = self._coordinator.device_status(device)
        self._status[device] = status
        if (last := status.last_good) is not None:
            shown = self._last_answer.get(device)
            if (
                shown is None
                or status.silent_reason is not None
                or abs(last - shown) >= _LAST_ANSWER_STEP
            ):
                self._last_answer[device] = last
        self._coordinator.publisher.touch((bus_topic(device),))
