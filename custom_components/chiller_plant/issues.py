"""What a person must repair: a device that is silent, a command that does not hold.

Issues go by themselves when what they tell of is over.
"""

from collections.abc import Collection

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .plant.model import (
    BacnetAddress,
    BacnetConnection,
    Connection,
    ModbusAddress,
    ModbusConnection,
    Plant,
    Point,
    PointKey,
    Value,
)


@callback
def raise_silent_device(
    hass: HomeAssistant, entry_id: str, plant: Plant, device: str, reason: str
) -> None:
    """Say which device does not answer, where it should be, and what to do."""
    connection = next(
        connection
        for connection in plant.connections.values()
        if device in connection.devices
    )
    ir.async_create_issue(
        hass,
        DOMAIN,
        _silent_id(entry_id, device),
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="silent_device",
        translation_placeholders={
            "plant": plant.name,
            "device": device,
            "address": address_of(connection, device),
            "equipment": ", ".join(equipment_of(plant, device)) or "-",
            "reason": reason,
        },
    )


@callback
def clear_silent_device(hass: HomeAssistant, entry_id: str, device: str) -> None:
    """Forget it: the device answers again."""
    ir.async_delete_issue(hass, DOMAIN, _silent_id(entry_id, device))


@callback
def raise_mismatch(
    hass: HomeAssistant,
    entry_id: str,
    plant: Plant,
    point: Point,
    wanted: Value | None,
    found: Value,
) -> None:
    """Say that a device does not keep what was written to it."""
    equipment = plant.equipment[point.equipment]
    ir.async_create_issue(
        hass,
        DOMAIN,
        _mismatch_id(entry_id, point.key),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="mismatch",
        translation_placeholders={
            "plant": plant.name,
            "equipment": equipment.name,
            "point": point.key,
            "wanted": _shown(wanted),
            "found": _shown(found),
        },
    )


@callback
def clear_mismatch(hass: HomeAssistant, entry_id: str, point: str) -> None:
    """Forget it: the device has what was written to it."""
    ir.async_delete_issue(hass, DOMAIN, _mismatch_id(entry_id, point))


@callback
def raise_left_behind(
    hass: HomeAssistant, entry_id: str, plant: Plant, points: Collection[PointKey]
) -> None:
    """Say what we wrote, cannot take back, and will not remember."""
    if points:
        ir.async_create_issue(
            hass,
            DOMAIN,
            f"{entry_id}.left_behind",
            is_fixable=False,
            is_persistent=True,
            severity=ir.IssueSeverity.ERROR,
            translation_key="left_behind",
            translation_placeholders={
                "plant": plant.name,
                "points": "\n".join(
                    f"- {key}: {where_is(plant, plant.points[key])}" for key in points
                ),
            },
        )


@callback
def clear_all(hass: HomeAssistant, entry_id: str, plant: Plant) -> None:
    """Forget all: nobody looks at the plant any more, so nobody can tell."""
    for connection in plant.connections.values():
        for device in connection.devices:
            clear_silent_device(hass, entry_id, device)
    for point in plant.points:
        clear_mismatch(hass, entry_id, point)


def address_of(connection: Connection, device: str) -> str:
    """Return where a device is, as a person would look for it."""
    match connection:
        case BacnetConnection():
            found = connection.devices[device]
            return f"BACnet {found.address}, device {found.instance}"
        case ModbusConnection():
            unit = connection.devices[device].unit
            return f"Modbus {connection.host}:{connection.port}, unit {unit}"


def where_is(plant: Plant, point: Point) -> str:
    """Return where a point is, as a person would look for it."""
    match point.address:
        case BacnetAddress() as address:
            connection = plant.connections[address.connection]
            return (
                f"{address_of(connection, address.device)}, "
                f"{address.object_type} {address.object_instance}"
            )
        case ModbusAddress() as address:
            connection = plant.connections[address.connection]
            return (
                f"{address_of(connection, address.device)}, "
                f"{address.kind.value} {address.address}"
            )
        case None:
            return "-"


def equipment_of(plant: Plant, device: str) -> tuple[str, ...]:
    """Return the names of the equipment that has points in a device."""
    return tuple(
        equipment.name
        for equipment in plant.equipment.values()
        if any(
            point.address is not None and point.address.device == device
            for point in equipment.points.values()
        )
    )


def _silent_id(entry_id: str, device: str) -> str:
    return f"{entry_id}.silent.{device}"


def _mismatch_id(entry_id: str, point: str) -> str:
    return f"{entry_id}.mismatch.{point}"


def _shown(value: Value | None) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "-" if value is None else f"{value:g}"
