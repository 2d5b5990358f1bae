"""What the entities of a controller or unit share: it is a device of its own.

A chiller and the controller that speaks for it are two things: the machine may
be well while its controller is silent, and one controller may serve several
machines.
"""

from homeassistant.const import EntityCategory
from homeassistant.helpers.device_registry import DeviceInfo

from .bus_health import bus_topic
from .const import DOMAIN
from .data import ChillerPlantData
from .entity import PlantEntity
from .plant.model import BacnetConnection, Connection, Plant

_BACNET = "BACnet device"
_MODBUS = "Modbus unit"


def bus_identifier(plant: Plant, device: str) -> tuple[str, str]:
    """Return what the device of a controller or unit is known by."""
    return (DOMAIN, f"{plant.key}.bus.{device}")


def bus_device_name(plant: Plant, connection: Connection, device: str) -> str:
    """Return the key of a device as people write it, unlike any machine's name."""
    words = device.replace("_", " ")
    name = words[:1].upper() + words[1:]
    machines = {plant.name, *(item.name for item in plant.equipment.values())}
    if name.casefold() not in {machine.casefold() for machine in machines}:
        return name
    return f"{name} {'controller' if is_bacnet(connection) else 'unit'}"


def is_bacnet(connection: Connection) -> bool:
    """Return whether the devices of a connection speak BACnet."""
    return isinstance(connection, BacnetConnection)


def _number(connection: Connection, device: str) -> str:
    """Return the number by which a device is known on its bus."""
    if isinstance(connection, BacnetConnection):
        return f"instance {connection.devices[device].instance}"
    return f"unit {connection.devices[device].unit}"


class BusEntity(PlantEntity):
    """A diagnostic entity of one controller or unit."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(
        self, data: ChillerPlantData, connection: Connection, device: str, key: str
    ) -> None:
        """`device` is its key in the plant file."""
        super().__init__(data, None, key)
        plant = data.plant
        self._bus = data.bus
        self._device = device
        self._topics = (bus_topic(device),)
        self._attr_unique_id = f"{plant.key}.bus.{device}.{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={bus_identifier(plant, device)},
            name=bus_device_name(plant, connection, device),
            model=_BACNET if is_bacnet(connection) else _MODBUS,
            # Unlike that of any equipment: the forms of the blueprints, which
            # choose by it, must not offer it.
            model_id=_number(connection, device),
            via_device_id=data.plant_device_id,
        )
