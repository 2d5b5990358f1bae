"""Says again what a device with a watchdog would otherwise forget.

Drives and chillers fall back to their own control when nobody writes to them
for a while, however often they are read. So what the desk holds on such a
device is written again, in good time and never anything else: not what
somebody at the device has changed, not what may never have arrived, and no
start of a compressor that does not say itself that it is commanded to run.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers.event import async_track_time_interval

from .plant.arbiter import commandable
from .plant.command_desk import CommandDesk, Order
from .plant.model import Plant, Point, PointKey
from .plant.reading import Readings
from .plant.roles import EquipmentType

if TYPE_CHECKING:
    from .coordinator import PlantCoordinator

_SHARE = 3
"""A command is written this often within the time of a watchdog, at least."""
_LOOKS = 4
"""How often it is looked whether one is due, within the time between two."""
_COMPRESSORS = (EquipmentType.CHILLER, EquipmentType.HEAT_SOURCE)


class CommandRefresh:
    """Which commands are due to be said again; times in seconds of one clock."""

    def __init__(self, plant: Plant) -> None:
        """Nothing was written yet."""
        self._plant = plant
        self._every = {
            point.key: timeout / _SHARE
            for point in plant.points.values()
            if commandable(point) and (timeout := _watchdog(plant, point)) is not None
        }
        self._written: dict[PointKey, float] = {}
        shortest = min(self._every.values(), default=None)
        self.tick = None if shortest is None else shortest / _LOOKS
        """Seconds between two looks; None: no device has a watchdog."""

    def wrote(self, now: float, point: PointKey) -> None:
        """Note that the wire took what the desk holds, said for the first time or again."""
        if point in self._every:
            self._written[point] = now

    def due(
        self,
        now: float,
        desk: CommandDesk,
        readings: Readings,
        silent: Collection[str],
        points: Iterable[PointKey] | None = None,
    ) -> tuple[Order, ...]:
        """Return what is to be written again now, of these points (None: of all)."""
        found = []
        for key in self._every if points is None else points:
            point = self._plant.points[key]
            if point.address is None or point.address.device in silent:
                continue
            if not self._is_time(now, key):
                continue
            if (value := desk.undisputed(key)) is None:
                continue
            if self._starts_compressor(point):
                reading = readings.get(key)
                if reading is None or reading.good != value:
                    continue
            found.append(
                Order(point, value, "written again for its watchdog", "integration")
            )
        return tuple(found)

    def _is_time(self, now: float, point: PointKey) -> bool:
        """Whether the next look, if it came late, could be too late."""
        if self.tick is None or (written := self._written.get(point)) is None:
            return True
        age = now - written
        # A clock that was set back tells nothing.
        return age < 0 or age + 1.5 * self.tick >= self._every[point]

    def _starts_compressor(self, point: Point) -> bool:
        equipment = self._plant.equipment[point.equipment]
        return point.role.name == "run_command" and equipment.type in _COMPRESSORS


def _watchdog(plant: Plant, point: Point) -> float | None:
    if point.address is None:
        return None
    connection = plant.connections.get(point.address.connection)
    if connection is None:
        return None
    return connection.devices[point.address.device].watchdog_timeout


def async_keep_commands(
    hass: HomeAssistant, coordinator: PlantCoordinator
) -> CALLBACK_TYPE:
    """Have commands said again from now on; return what ends it."""
    commander = coordinator.commander
    if (tick := commander.refresh.tick) is None:
        return _nothing

    def readings() -> Readings:
        return coordinator.data.readings

    async def async_look(_moment: datetime) -> None:
        await commander.async_refresh(readings, coordinator.silent)

    return async_track_time_interval(hass, async_look, timedelta(seconds=tick))


def _nothing() -> None:
    """End nothing."""
