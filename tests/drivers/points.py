"""Points, connections and addresses for the tests of the drivers."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from modbus_connection import ModbusTcpParams, ModbusUnit
from modbus_connection.tmodbus import ModbusConnection as Link

from custom_components.chiller_plant.drivers.bacnet import BacnetDriver
from custom_components.chiller_plant.drivers.bacnet_network import BacnetNetworks
from custom_components.chiller_plant.drivers.modbus import ModbusDriver
from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    BacnetDevice,
    ModbusAddress,
    ModbusConnection,
    ModbusDevice,
    Point,
    RegisterKind,
)
from custom_components.chiller_plant.plant.roles import ROLES, EquipmentType
from tests.ports import udp_port

CLIENT = "127.0.0.1"


def point(role: str, address: Any, *, key: str | None = None, **rest: Any) -> Point:
    """Return a point of a chiller or a pump with this role."""
    for kind in (EquipmentType.CHILLER, EquipmentType.PRIMARY_CHILLED_WATER_PUMP):
        if role in ROLES[kind]:
            rest.setdefault("writable", True)
            return Point(key or role, "machine", ROLES[kind][role], address, **rest)
    raise ValueError(role)


def on_bacnet(
    role: str, target: str, *, device: str = "controller", **rest: Any
) -> Point:
    """Return a point at `analog-input,1` and the like."""
    kind, _, instance = target.partition(",")
    address = BacnetAddress("bms", device, kind, int(instance))
    return point(role, address, key=rest.pop("key", target), **rest)


def on_modbus(
    role: str,
    kind: str,
    place: int,
    *,
    device: str = "drive",
    key: str | None = None,
    point_settings: dict[str, Any] | None = None,
    **address: Any,
) -> Point:
    """Return a point at a place of a table."""
    spot = ModbusAddress("drives", device, RegisterKind(kind), place, **address)
    return point(
        role, spot, key=key or f"{device} {kind} {place}", **point_settings or {}
    )


def bacnet_connection(
    devices: Iterable[BacnetDevice], *, local_port: int | None = None, **rest: Any
) -> BacnetConnection:
    settings = {
        "key": "bms",
        "local_address": f"{CLIENT}/8",
        "local_port": local_port or udp_port(),
        "instance": 4190001,
        "write_priority": 10,
        "devices": {device.key: device for device in devices},
    }
    return BacnetConnection(**(settings | rest))


@asynccontextmanager
async def bacnet_driver(
    *devices: BacnetDevice, report_lifetime: float = 600.0, **rest: Any
) -> AsyncIterator[BacnetDriver]:
    """Connect a driver to these devices."""
    connection = bacnet_connection(devices, **rest)
    driver = BacnetDriver(
        connection,
        BacnetNetworks().network(connection),
        report_lifetime=report_lifetime,
    )
    await driver.connect()
    try:
        yield driver
    finally:
        await driver.close()


@asynccontextmanager
async def modbus_driver(
    host: str,
    port: int,
    units: Mapping[str, int | ModbusDevice] | None = None,
) -> AsyncIterator[ModbusDriver]:
    """Connect a driver to these units, lent as Home Assistant lends them."""
    devices = {
        key: unit if isinstance(unit, ModbusDevice) else ModbusDevice(key, unit)
        for key, unit in (units or {"drive": 1}).items()
    }
    link = Link(ModbusTcpParams(host=host, port=port))

    async def lend(unit: int) -> ModbusUnit:
        return link.for_unit(unit)

    driver = ModbusDriver(ModbusConnection("drives", host, port, devices), lend)
    await driver.connect()
    try:
        yield driver
    finally:
        await driver.close()
        await link.close()
