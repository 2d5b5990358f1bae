"""A plant as the text of a plant file: reading the text gives the same plant."""

from collections import Counter
from collections.abc import Mapping
import dataclasses
from typing import Any

from ..model import (
    Address,
    BacnetAddress,
    BacnetConnection,
    BacnetDevice,
    Connection,
    Equipment,
    InterlockSettings,
    ModbusAddress,
    ModbusDevice,
    Plant,
    Point,
    RegisterKind,
)
from ..plant_file.days import WEEKDAYS, WEEKENDS
from ..plant_file.interlock_defaults import DEFAULTS
from ..plant_file.wire_values import BACNET_INPUTS, BACNET_PORT, MODBUS_PORT
from ..profiles import HOLIDAY
from .yaml_text import block, flow, scalar

_READ_ONLY = (RegisterKind.INPUT, RegisterKind.DISCRETE_INPUT)


def plant_to_text(plant: Plant) -> str:
    """Return a plant file that says what this plant is.

    Templates are gone: every machine is written out. What has its usual value is
    left out.
    """
    lines = ["plant:"]
    lines += block(
        {
            "key": plant.key,
            "name": plant.name,
            "poll_interval": plant.poll_interval,
            "normal_poll_interval": plant.normal_poll_interval,
            "slow_poll_interval": plant.slow_poll_interval,
            "command_lease": plant.command_lease,
        },
        2,
    )
    lines += ["", "connections:" if plant.connections else "connections: {}"]
    for connection in plant.connections.values():
        lines += connection_lines(connection)
    lines += ["", "equipment:" if plant.equipment else "equipment: {}"]
    for item in plant.equipment.values():
        lines += equipment_lines(item)
    lines += [
        "",
        f"profiles: {flow(plant.profiles)}",
        f"day_types: {flow(_days(plant.day_types))}",
    ]
    if plant.simulation:
        lines += ["", "simulation:", *block(plant.simulation, 2)]
    return "\n".join(lines) + "\n"


def connection_lines(connection: Connection) -> list[str]:
    """Return the lines of a connection and its devices."""
    keys: dict[str, object] = {"protocol": str(connection.protocol)}
    if isinstance(connection, BacnetConnection):
        keys["local_address"] = connection.local_address
        keys |= _unless("local_port", connection.local_port, BACNET_PORT)
        keys["instance"] = connection.instance
        keys["write_priority"] = connection.write_priority
        keys |= _unless("bbmd", connection.bbmd, None)
        keys |= _unless("bbmd_lifetime", connection.bbmd_lifetime, 300)
    else:
        keys["host"] = connection.host
        keys |= _unless("port", connection.port, MODBUS_PORT)
    lines = [f"  {scalar(connection.key)}:", *block(keys, 4)]
    devices = connection.devices
    lines.append("    devices:" if devices else "    devices: {}")
    lines.extend(
        f"      {scalar(key)}: {flow(_device(device))}"
        for key, device in devices.items()
    )
    return lines


def _device(device: BacnetDevice | ModbusDevice) -> dict[str, object]:
    keys: dict[str, object]
    if isinstance(device, BacnetDevice):
        keys = {"address": device.address, "instance": device.instance}
    else:
        keys = {"unit": device.unit}
        keys |= _unless("message_spacing", device.message_spacing, 0.0)
        ranges: dict[str, list[list[int]]] = {}
        for each in device.ranges:
            ranges.setdefault(str(each.kind), []).append([each.first, each.last])
        keys |= _unless("ranges", ranges, {})
    return keys | _unless("watchdog_timeout", device.watchdog_timeout, None)


def equipment_lines(item: Equipment) -> list[str]:
    """Return the lines of one machine."""
    device = usual_device(point.address for point in item.points.values())
    usual = DEFAULTS.get(item.type, InterlockSettings())
    interlocks = {
        each.name: getattr(item.interlocks, each.name)
        for each in dataclasses.fields(item.interlocks)
        if getattr(item.interlocks, each.name) != getattr(usual, each.name)
    }
    keys: dict[str, object] = {"type": str(item.type), "name": item.name}
    keys |= _unless("manufacturer", item.manufacturer, None)
    keys |= _unless("model", item.model, None)
    keys |= _unless("device", device, None)
    keys |= _unless("ratings", dict(item.ratings), {})
    keys |= _unless("served_by", dict(item.served_by), {})
    keys |= _unless("measures", item.measures, ())
    keys |= _unless("interlocks", interlocks, {})
    lines = [f"  {scalar(item.key)}:", *block(keys, 4)]
    if item.points:
        lines.append("    points:")
        lines.extend(
            f"      {name}: {flow(point_keys(point, device))}"
            for name, point in item.points.items()
        )
    return lines


def usual_device(addresses: Any) -> str | None:
    """Return the device that most of these addresses are on."""
    devices = Counter(address.device for address in addresses if address is not None)
    return devices.most_common(1)[0][0] if devices else None


def point_keys(point: Point, device: str | None) -> dict[str, object]:
    """Return the keys of a point; `device` is that of its equipment."""
    address = point.address
    keys: dict[str, object] = {}
    if address is not None:
        keys |= _unless("device", address.device, device)
        keys |= (
            _bacnet(address) if isinstance(address, BacnetAddress) else _modbus(address)
        )
        keys |= _unless("states", {str(n): value for n, value in address.states}, {})
    keys |= _unless("unit", point.wire_unit, None)
    if point.low is not None or point.high is not None:
        keys["limits"] = [point.low, point.high]
    if point.role.commandable:
        keys |= _unless("writable", point.writable, not _is_read_only(address))
    keys |= _unless("release", point.release, None)
    keys |= _unless("ramp", point.ramp, None)
    keys |= _unless("poll", str(point.tier), str(point.role.tier))
    keys |= _unless("frozen_after", point.frozen_after, None)
    return keys


def _is_read_only(address: Address | None) -> bool:
    if isinstance(address, BacnetAddress):
        return address.object_type in BACNET_INPUTS
    if isinstance(address, ModbusAddress):
        return address.kind in _READ_ONLY or address.bits is not None
    return False


def _bacnet(address: BacnetAddress) -> dict[str, object]:
    keys: dict[str, object] = {
        "object": f"{address.object_type},{address.object_instance}"
    }
    return keys | _unless("priority_array", address.priority_array, True)


def _modbus(address: ModbusAddress) -> dict[str, object]:
    keys: dict[str, object] = {
        "register": str(address.kind),
        "address": address.address,
    }
    for name, value, usual in (
        ("type", str(address.type), "uint16"),
        ("word_order", address.word_order, "big"),
        ("scale", address.scale, 1.0),
        ("offset", address.offset, 0.0),
        ("bit", address.bit, None),
        ("bits", address.bits, None),
        ("write_function", address.write_function, "single"),
    ):
        keys |= _unless(name, value, usual)
    return keys


def _days(day_types: Mapping[str, str]) -> dict[str, str]:
    """Return weekdays and weekends where their days are alike, else each day."""
    days: dict[str, str] = {}
    for group, members in (("weekdays", WEEKDAYS), ("weekends", WEEKENDS)):
        given = {day: day_types[day] for day in members if day in day_types}
        if len(given) == len(members) and len(set(given.values())) == 1:
            days[group] = day_types[members[0]]
        else:
            days |= given
    if HOLIDAY in day_types:
        days[HOLIDAY] = day_types[HOLIDAY]
    return days


def _unless(key: str, value: object, usual: object) -> dict[str, object]:
    return {} if value == usual else {key: value}
