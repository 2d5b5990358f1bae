"""How well each controller and unit can be reached, as diagnostic entities."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfTime

from .bus_entity import BusEntity, is_bacnet
from .bus_health import BusHealth
from .data import ChillerPlantData
from .plant.model import Connection
from .plant.reading import Quality


@dataclass(frozen=True, kw_only=True)
class BusDescription(SensorEntityDescription):
    """A figure of one controller or unit.

    What changes with every look is there for who searches a fault, and
    disabled until then.
    """

    entity_registry_enabled_default: bool = False
    bacnet_only: bool = False
    value_fn: Callable[[BusHealth, str], float | datetime | None]
    attributes_fn: Callable[[BusHealth, str], dict[str, Any]] | None = None


def _latency(bus: BusHealth, device: str) -> float | None:
    seconds = bus[device].traffic.latency
    return None if seconds is None else round(1000 * seconds, 1)


def _not_good(bus: BusHealth, device: str) -> int:
    counts = bus[device].quality
    return sum(counts.values()) - counts.get(Quality.GOOD, 0)


def _by_quality(bus: BusHealth, device: str) -> dict[str, Any]:
    counts = bus[device].quality
    return {"points": sum(counts.values())} | {
        quality.value: counts.get(quality, 0)
        for quality in Quality
        if quality is not Quality.GOOD
    }


_FIGURES = (
    BusDescription(
        key="last_answer",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=True,
        value_fn=lambda bus, device: bus.last_answer(device),
    ),
    BusDescription(
        key="points_not_good",
        state_class=SensorStateClass.MEASUREMENT,
        entity_registry_enabled_default=True,
        value_fn=_not_good,
        attributes_fn=_by_quality,
    ),
    BusDescription(
        key="timeouts",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_registry_enabled_default=True,
        value_fn=lambda bus, device: bus[device].traffic.timeouts,
    ),
    BusDescription(
        key="latency",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value_fn=_latency,
    ),
    BusDescription(
        key="requests_waiting",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda bus, device: bus[device].traffic.waiting,
    ),
    BusDescription(
        key="points_per_second",
        native_unit_of_measurement="points/s",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda bus, device: round(bus[device].points_per_second, 1),
    ),
    BusDescription(
        key="subscriptions",
        state_class=SensorStateClass.MEASUREMENT,
        bacnet_only=True,
        value_fn=lambda bus, device: bus[device].traffic.subscriptions,
    ),
)


def bus_sensors(data: ChillerPlantData) -> Iterator[SensorEntity]:
    """Yield the figures of every controller and unit of a plant."""
    for connection in data.plant.connections.values():
        for device in connection.devices:
            for figure in _FIGURES:
                if is_bacnet(connection) or not figure.bacnet_only:
                    yield BusSensor(data, connection, device, figure)


def connectivity_sensors(data: ChillerPlantData) -> Iterator[BinarySensorEntity]:
    """Yield whether each controller and unit of a plant answers."""
    for connection in data.plant.connections.values():
        for device in connection.devices:
            yield ConnectivitySensor(data, connection, device, "connectivity")


class BusSensor(BusEntity, SensorEntity):
    """One figure of a controller or unit."""

    entity_description: BusDescription

    def __init__(
        self,
        data: ChillerPlantData,
        connection: Connection,
        device: str,
        description: BusDescription,
    ) -> None:
        """Name it by the figure."""
        super().__init__(data, connection, device, description.key)
        self.entity_description = description

    @property
    @override
    def shown(self) -> Hashable:
        """The figure, and what it is made of."""
        attributes = self.extra_state_attributes or {}
        return self.available, self.native_value, *attributes.values()

    @property
    @override
    def native_value(self) -> float | datetime | None:
        """The figure, as last looked at."""
        return self.entity_description.value_fn(self._bus, self._device)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """What the figure is made of."""
        attributes_fn = self.entity_description.attributes_fn
        return None if attributes_fn is None else attributes_fn(self._bus, self._device)


class ConnectivitySensor(BusEntity, BinarySensorEntity):
    """Whether a controller or unit answers."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY

    @property
    @override
    def shown(self) -> Hashable:
        """Whether, and why not."""
        return self.available, self._bus[self._device].silent_reason

    @property
    @override
    def is_on(self) -> bool:
        """Whether it answers."""
        return self._bus[self._device].silent_reason is None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Why it does not."""
        return {"reason": self._bus[self._device].silent_reason}
