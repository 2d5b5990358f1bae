"""What all entities of a plant share: their device, their point, who commands it."""

import asyncio
from collections.abc import Hashable, Iterable, Iterator
from itertools import batched
from typing import Any, override

from homeassistant.const import UnitOfVolumeFlowRate
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import PlantCoordinator, command_topic
from .data import ChillerPlantData
from .plant.arbiter import commandable
from .plant.model import Equipment, Plant, Point, Value
from .plant.reading import Reading
from .plant.roles import EquipmentType, Quantity
from .publisher import Topic

TRADE_NAMES = {
    EquipmentType.PLANT: "Chiller plant",
    EquipmentType.CHILLER: "Chiller",
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP: "PCHP",
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP: "SCHP",
    EquipmentType.CONDENSER_WATER_PUMP: "CDP",
    EquipmentType.COOLING_TOWER: "CT",
    EquipmentType.VALVE: "Valve",
    EquipmentType.ZONE: "Zone",
    EquipmentType.HEAT_SOURCE: "Heat source",
    EquipmentType.METER: "Meter",
    EquipmentType.WEATHER_STATION: "Weather station",
    EquipmentType.SHEDDABLE_CIRCUIT: "Sheddable circuit",
    EquipmentType.THERMAL_STORAGE: "Thermal storage",
    EquipmentType.BATTERY: "Battery",
}
"""What people call each type; the blueprints choose devices by it."""

_AT_ONCE = 20

ATTR_HOLD = "hold"
ATTR_OWNER = "owner"
ATTR_OWNER_PRIORITY = "owner_priority"
ATTR_QUALITY = "quality"
ATTR_QUALITY_REASON = "quality_reason"
ATTR_REQUESTED_VALUE = "requested_value"


def native_unit(quantity: Quantity) -> str | None:
    """Return Home Assistant's spelling of a quantity's unit."""
    if quantity is Quantity.FLOW:
        return UnitOfVolumeFlowRate.LITERS_PER_SECOND
    return quantity.unit


def plant_identifier(plant: Plant) -> tuple[str, str]:
    """Return what the plant's device is known by."""
    return (DOMAIN, plant.key)


def equipment_identifier(plant: Plant, equipment: Equipment) -> tuple[str, str]:
    """Return what the device of one piece of equipment is known by."""
    if equipment.type is EquipmentType.PLANT:
        return plant_identifier(plant)
    return (DOMAIN, f"{plant.key}.{equipment.key}")


def plant_device_info(plant: Plant) -> DeviceInfo:
    """Return the device that all equipment hangs off."""
    return DeviceInfo(
        identifiers={plant_identifier(plant)}, name=plant.name, model="Chiller plant"
    )


def equipment_device_info(data: ChillerPlantData, equipment: Equipment) -> DeviceInfo:
    """Return the device of one piece of equipment."""
    if equipment.type is EquipmentType.PLANT:
        return plant_device_info(data.plant)
    return DeviceInfo(
        identifiers={equipment_identifier(data.plant, equipment)},
        name=equipment.name,
        manufacturer=equipment.manufacturer,
        model=equipment.model,
        # Lets a selector offer the equipment of one type only.
        model_id=TRADE_NAMES[equipment.type],
        via_device_id=data.plant_device_id,
    )


def points_of(
    plant: Plant, *, boolean: bool, writable: bool
) -> Iterator[tuple[Equipment, Point]]:
    """Yield the points that one platform shows."""
    for equipment in plant.equipment.values():
        for point in equipment.points.values():
            if point.role.quantity.is_boolean is boolean and (
                commandable(point) is writable
            ):
                yield equipment, point


async def async_add_gently(
    add: AddConfigEntryEntitiesCallback, entities: Iterable[Entity]
) -> None:
    """Add entities a few at a time, and let everything else go on in between.

    Thousands at once stop Home Assistant for seconds.
    """
    for some in batched(entities, _AT_ONCE, strict=False):
        add(list(some))
        await asyncio.sleep(0)


def point_attributes(coordinator: PlantCoordinator, point: Point) -> dict[str, Any]:
    """Return how far a point can be trusted, and who commands it."""
    reading = coordinator.reading(point.key)
    attributes: dict[str, Any] = {ATTR_QUALITY: reading.quality.value}
    if reading.detail is not None:
        attributes[ATTR_QUALITY_REASON] = reading.detail
    if commandable(point):
        status = coordinator.desk.status(point.key)
        attributes |= {
            ATTR_OWNER: status.owner,
            ATTR_OWNER_PRIORITY: status.priority,
            ATTR_REQUESTED_VALUE: status.value,
            ATTR_HOLD: coordinator.hold(point),
        }
    return attributes


class PlantEntity(Entity):
    """An entity of the plant or of one piece of its equipment.

    It is woken when one of its topics changed, and writes its state when that
    changed what it shows.
    """

    _attr_has_entity_name = True
    _attr_should_poll = False
    _topics: tuple[Topic, ...] = ()
    """What it shows something of; see `coordinator`."""

    def __init__(
        self, data: ChillerPlantData, equipment: Equipment | None, key: str
    ) -> None:
        """`key` tells it apart from the others of its equipment."""
        self.coordinator = data.coordinator
        owner = "plant" if equipment is None else equipment.key
        self._attr_translation_key = key
        self._attr_unique_id = f"{data.plant.key}.{owner}.{key}"
        self._attr_device_info = (
            plant_device_info(data.plant)
            if equipment is None
            else equipment_device_info(data, equipment)
        )
        self._written: Hashable = None

    @property
    @override
    def available(self) -> bool:
        """Whether the plant is being looked at."""
        return self.coordinator.last_update_success

    @property
    def shown(self) -> Hashable:
        """All that changes in what it shows."""
        raise NotImplementedError

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what it shows."""
        await super().async_added_to_hass()
        self._written = self.shown
        self.async_on_remove(
            self.coordinator.publisher.listen(self._topics, self._changed)
        )

    @callback
    def _changed(self) -> None:
        if (shown := self.shown) != self._written:
            self._written = shown
            self.async_write_ha_state()

    async def async_update(self) -> None:
        """Read again what it shows, because somebody asked for that."""
        await self.coordinator.async_request_refresh()

    async def async_operate(self, *commands: tuple[Point, Value]) -> None:
        """Ask for values as the operator who touched this entity."""
        await self.coordinator.async_operate(commands, self._context)


class PointEntity(PlantEntity):
    """An entity that shows one point."""

    def __init__(
        self, data: ChillerPlantData, equipment: Equipment, point: Point
    ) -> None:
        """Name it by the point's role."""
        super().__init__(data, equipment, point.role.name)
        self.point = point
        self._topics = point_topics(point)

    @property
    def reading(self) -> Reading:
        """What is known of the point."""
        return self.coordinator.reading(self.point.key)

    @property
    def number(self) -> float | None:
        """The last reading, unless it cannot be trusted.

        The wire often carries single precision: 6.7 comes as 6.69999980926514.
        """
        value = self.reading.good
        return None if value is None else round(float(value), 4)

    @property
    @override
    def available(self) -> bool:
        """Whether the point's own device answers."""
        return super().available and self.coordinator.is_available(self.point)

    @property
    @override
    def shown(self) -> Hashable:
        """The value, how far it can be trusted, and who commands it."""
        return self.available, self.number, *self.extra_state_attributes.values()

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """How far the value can be trusted, and who commands the point."""
        return point_attributes(self.coordinator, self.point)

    @override
    async def async_update(self) -> None:
        """Read the point again, because somebody asked for that."""
        await self.coordinator.async_update_points([self.point])


def point_topics(point: Point) -> tuple[Topic, ...]:
    """Return what `point_attributes` and the value of a point follow from."""
    if commandable(point):
        return point.key, command_topic(point.key)
    return (point.key,)
