"""The statistics of a sensor, and the device that may have recorded what is missing."""

from collections.abc import Callable
from dataclasses import dataclass

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.components.recorder.models import (
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.components.sensor.const import UNIT_CONVERTERS
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er

from .const import DOMAIN
from .coordinator import PlantCoordinator
from .drivers.bacnet_device import Device
from .entity import native_unit
from .lookup import point_of_entity
from .plant.model import BacnetAddress, Point
from .plant.roles import Quantity


@dataclass(frozen=True, slots=True)
class Target:
    """The statistics of a sensor."""

    entity_id: str
    point: Point
    coordinator: PlantCoordinator
    metadata: StatisticMetaData
    convert: Callable[[float], float]
    """From our unit to that of the statistics."""

    @property
    def counts(self) -> bool:
        """Whether it is a counter, of which sums are kept."""
        return self.metadata["has_sum"]


async def async_target(hass: HomeAssistant, entity_id: str) -> Target:
    """Return the statistics of a sensor. Raise `ServiceValidationError`."""
    if RECORDER not in hass.config.components:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_recorder"
        )
    registered = er.async_get(hass).async_get(entity_id)
    if (
        registered is None
        or registered.domain != "sensor"
        or (found := point_of_entity(hass, entity_id)) is None
    ):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_a_measured_point",
            translation_placeholders={"entity_id": entity_id},
        )
    entry, point = found
    if not isinstance(point.address, BacnetAddress):
        raise _not_on_bacnet(entity_id)
    quantity = point.role.quantity
    stored = await get_instance(hass).async_add_executor_job(
        lambda: get_metadata(hass, statistic_ids={entity_id})
    )
    ours = native_unit(quantity)
    converter = UNIT_CONVERTERS.get(registered.device_class or "") or (
        UNIT_CONVERTERS.get(registered.original_device_class or "")
    )
    if entity_id in stored:
        # As it was begun: what is there must not be mixed with another unit.
        metadata = stored[entity_id][1]
        unit = metadata["unit_of_measurement"]
    else:
        unit = registered.unit_of_measurement
        counts = quantity is Quantity.ENERGY
        metadata = StatisticMetaData(
            mean_type=StatisticMeanType.NONE
            if counts
            else StatisticMeanType.ARITHMETIC,
            has_sum=counts,
            name=None,
            source=RECORDER,
            statistic_id=entity_id,
            unit_class=None if converter is None else converter.UNIT_CLASS,
            unit_of_measurement=unit,
        )
    convert: Callable[[float], float] = float
    if unit != ours:
        if converter is None or not {unit, ours} <= converter.VALID_UNITS:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="statistics_of_another_unit",
                translation_placeholders={
                    "entity_id": entity_id,
                    "unit": str(unit),
                    "expected": str(ours),
                },
            )
        convert = converter.converter_factory(ours, unit)
    return Target(entity_id, point, entry.runtime_data.coordinator, metadata, convert)


def holder(target: Target, key: str | None) -> Device:
    """Return the device that holds the log. Raise `ServiceValidationError`."""
    point = target.point
    assert point.address is not None
    links = target.coordinator.links
    key = key or point.address.device
    if key not in links.devices:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_device",
            translation_placeholders={
                "device": key,
                "devices": ", ".join(sorted(links.devices)),
            },
        )
    if (device := links.bacnet_device(key)) is None:
        raise _not_on_bacnet(target.entity_id)
    return device


def _not_on_bacnet(entity_id: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="not_on_bacnet",
        translation_placeholders={"entity_id": entity_id},
    )
