"""Points of our drivers, without a plant file."""

from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    BacnetDevice,
    ModbusAddress,
    Point,
    RegisterKind,
)
from custom_components.chiller_plant.plant.roles import ROLES, EquipmentType

_CHILLER = ROLES[EquipmentType.CHILLER]
_MEASURED = _CHILLER["chilled_water_supply_temperature"]
_COMMANDED = _CHILLER["chilled_water_supply_temperature_setpoint"]


def bacnet_inputs(device: str, number: int) -> list[Point]:
    """Return the points at analog inputs 1 to `number` of a device."""
    return [
        Point(
            f"{device} {instance}",
            device,
            _MEASURED,
            BacnetAddress("bms", device, "analog-input", instance),
        )
        for instance in range(1, number + 1)
    ]


def bacnet_command(device: str) -> Point:
    """Return the point at analog value 1 of a device, which can be commanded."""
    address = BacnetAddress("bms", device, "analog-value", 1)
    return Point(f"{device} command", device, _COMMANDED, address, writable=True)


def bacnet_connection(devices: list[BacnetDevice], local_port: int) -> BacnetConnection:
    """Return a connection to these devices from loopback."""
    return BacnetConnection(
        "bms",
        "127.0.0.1/8",
        local_port,
        4190001,
        10,
        {device.key: device for device in devices},
    )


def registers(device: str, first: int, number: int) -> list[Point]:
    """Return points at holding registers of a unit, one each."""
    return [
        Point(
            f"{device} {place}",
            device,
            _MEASURED,
            ModbusAddress("drives", device, RegisterKind.HOLDING, place, scale=0.1),
        )
        for place in range(first, first + number)
    ]


def register_command(device: str, place: int) -> Point:
    """Return the point at a holding register that can be commanded."""
    address = ModbusAddress("drives", device, RegisterKind.HOLDING, place, scale=0.1)
    return Point(f"{device} command", device, _COMMANDED, address, writable=True)
