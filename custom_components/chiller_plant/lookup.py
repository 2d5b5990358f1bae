"""Finds what an entity or a device of Home Assistant is in the plant, and back.

People name things in Home Assistant; the plant knows equipment and points.
Unique ids and identifiers are written in `entity`, read only here.
"""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .const import DOMAIN
from .data import ChillerPlantConfigEntry
from .plant.arbiter import commandable
from .plant.model import Equipment, Plant, Point
from .plant.roles import EquipmentType


@callback
def loaded_entry(
    hass: HomeAssistant, entry_id: str | None
) -> ChillerPlantConfigEntry | None:
    """Return the plant if it is ours and running."""
    if entry_id is None:
        return None
    entry: ChillerPlantConfigEntry | None = hass.config_entries.async_get_entry(
        entry_id
    )
    if (
        entry is None
        or entry.domain != DOMAIN
        or entry.state is not ConfigEntryState.LOADED
    ):
        return None
    return entry


@callback
def point_of_entity(
    hass: HomeAssistant, entity_id: str
) -> tuple[ChillerPlantConfigEntry, Point] | None:
    """Return the point that an entity shows; None if it shows none."""
    registered = er.async_get(hass).async_get(entity_id)
    if registered is None or registered.platform != DOMAIN:
        return None
    if (entry := loaded_entry(hass, registered.config_entry_id)) is None:
        return None
    plant = entry.runtime_data.plant
    point = plant.points.get(registered.unique_id.removeprefix(f"{plant.key}."))
    return None if point is None else (entry, point)


@callback
def entity_of_point(hass: HomeAssistant, plant: Plant, point: Point) -> str | None:
    """Return the entity id of a point; None if its entity is not registered."""
    return er.async_get(hass).async_get_entity_id(
        platform_of_point(point), DOMAIN, f"{plant.key}.{point.key}"
    )


@callback
def entity_of_figure(
    hass: HomeAssistant, plant: Plant, equipment: Equipment, figure: str
) -> str | None:
    """Return the entity id of a sensor of equipment that shows no point."""
    return er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{plant.key}.{equipment.key}.{figure}"
    )


@callback
def entity_of_automation(
    hass: HomeAssistant, plant: Plant, automation_id: str
) -> str | None:
    """Return the entity id of the sensor that shows what an automation does."""
    return er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{plant.key}.plant.automation.{automation_id}"
    )


def platform_of_point(point: Point) -> str:
    """Return the platform that shows a point."""
    if point.role.quantity.is_boolean:
        return "switch" if commandable(point) else "binary_sensor"
    return "number" if commandable(point) else "sensor"


@callback
def equipment_of_device(
    hass: HomeAssistant, device_id: str
) -> tuple[ChillerPlantConfigEntry, Equipment] | None:
    """Return the equipment that a device is; None if it is none of a plant's."""
    if (device := dr.async_get(hass).async_get(device_id)) is None:
        return None
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        plant: Plant = entry.runtime_data.plant
        for domain, identifier in device.identifiers:
            if domain != DOMAIN:
                continue
            if identifier == plant.key:
                plants = plant.of_type(EquipmentType.PLANT)
                return (entry, plants[0]) if plants else None
            key = identifier.removeprefix(f"{plant.key}.")
            if key != identifier and key in plant.equipment:
                return entry, plant.equipment[key]
    return None


@callback
def device_of_equipment(
    hass: HomeAssistant, entry_id: str, plant: Plant, equipment: Equipment
) -> str | None:
    """Return the device id of a piece of equipment; None if it has no device."""
    identifier = (DOMAIN, f"{plant.key}.{equipment.key}")
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    return next(
        (device.id for device in devices if identifier in device.identifiers), None
    )
