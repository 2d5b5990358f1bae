"""What a person must repair: a silent device, a command that does not hold.

Issues go by themselves when what they tell of is over.
"""

from collections.abc import Collection

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

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
def raise_closed_connection(
    hass: HomeAssistant, entry_id: str, plant: Plant, connection: str, reason: str
) -> None:
    """Say which connection cannot be opened, where, and what to do."""
    found = plant.connections[connection]
    ir.async_create_issue(
        hass,
        DOMAIN,
        _closed_id(entry_id, connection),
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="closed_connection",
        translation_placeholders={
            "plant": plant.name,
            "connection": connection,
            "address": _local_address(found),
            "devices": ", ".join(found.devices),
            "reason": reason,
        },
    )


@callback
def clear_closed_connection(
    hass: HomeAssistant, entry_id: str, connection: str
) -> None:
    """Forget it: the connection is open."""
    ir.async_delete_issue(hass, DOMAIN, _closed_id(entry_id, connection))


@callback
def raise_mismatch(
    hass: HomeAssistant,
    entry_id: str,
    plant: Plant,
    point: Point,
    wanted: Value | None,
    found: Value,
    why: str | None,
) -> None:
    """Say that a device does not keep what was written to it, and why if known."""
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
            "reason": why or "the device does not say why",
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
def clear_all(hass: HomeAssistant, entry_id: str) -> None:
    """Forget all: nobody looks at the plant any more, so nobody can tell.

    Not what was left behind, which is told because nobody looks any more.
    """
    mine = tuple(f"{entry_id}.{kind}." for kind in ("closed", "silent", "mismatch"))
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(mine):
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def forget_those_of_disabled_plants(hass: HomeAssistant) -> None:
    """Forget all of a plant that is disabled while it could not even start.

    Nothing of it is unloaded then, so it is not asked to forget them itself.
    """

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and entry.disabled_by is not None:
            clear_all(hass, entry.entry_id)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


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


def _local_address(connection: Connection) -> str:
    match connection:
        case BacnetConnection():
            return f"{connection.local_address}, UDP port {connection.local_port}"
        case ModbusConnection():
            return f"{connection.host}:{connection.port}"


def _closed_id(entry_id: str, connection: str) -> str:
    return f"{entry_id}.closed.{connection}"


def _silent_id(entry_id: str, device: str) -> str:
    return f"{entry_id}.silent.{device}"


def _mismatch_id(entry_id: str, point: str) -> str:
    return f"{entry_id}.mismatch.{point}"


def _shown(value: Value | None) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "-" if value is None else f"{value:g}"
