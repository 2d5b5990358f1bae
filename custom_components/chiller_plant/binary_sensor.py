"""What runs, flows, is open or has failed."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bus_sensor import connectivity_sensors
from .data import ChillerPlantConfigEntry, ChillerPlantData
from .demand_response.binary_sensor import ConnectionSensor
from .demand_response.entity import async_follow_connections
from .engine_sensor import EngineSensor
from .entity import PointEntity, async_add_gently, points_of
from .plant.model import Equipment, Point
from .plant.roles import Quantity

PARALLEL_UPDATES = 0

_DEVICE_CLASSES = {
    "open_status": BinarySensorDeviceClass.OPENING,
    "run_status": BinarySensorDeviceClass.RUNNING,
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the states that nobody commands."""
    data = entry.runtime_data
    await async_add_gently(
        async_add_entities,
        [
            EngineSensor(data),
            *connectivity_sensors(data),
            *(
                PointBinarySensor(data, equipment, point)
                for equipment, point in points_of(
                    data.plant, boolean=True, writable=False
                )
            ),
        ],
    )
    async_follow_connections(entry, async_add_entities, ConnectionSensor)


class PointBinarySensor(PointEntity, BinarySensorEntity):
    """One true or false reading."""

    def __init__(
        self, data: ChillerPlantData, equipment: Equipment, point: Point
    ) -> None:
        """Take the device class from the role."""
        super().__init__(data, equipment, point)
        self._attr_device_class = (
            BinarySensorDeviceClass.PROBLEM
            if point.role.quantity is Quantity.PROBLEM
            else _DEVICE_CLASSES.get(point.role.name)
        )

    @property
    @override
    def is_on(self) -> bool | None:
        """The last reading."""
        value = self.reading.good
        return None if value is None else bool(value)
