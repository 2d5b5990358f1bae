"""An independent look at the wire: what the devices themselves say.

Nothing here is shared with the product but the addresses: BACnet is read with
another stack (rusty-bacnet), Modbus with another client (pymodbus) than those
that Home Assistant uses.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
import contextlib
from dataclasses import dataclass
import logging
import socket
import time
from typing import Any, Self

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from rusty_bacnet import (
    BACnetClient,
    BacnetError,
    ObjectIdentifier,
    ObjectType,
    PropertyIdentifier,
)

from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    ModbusAddress,
    ModbusConnection,
    Plant,
    Point,
    PointKey,
    RegisterKind,
    Value,
)

from .process import free_port

_RECORD_SECONDS = 0.25
# A device that was stopped on purpose is no news.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
_BACNET_NULL = "null"


@dataclass(frozen=True, slots=True)
class Change:
    """A point was seen to have another value than a moment before."""

    at: float
    point: PointKey
    value: Value


class Wire:
    """Reads points and priority arrays from the devices of a plant."""

    def __init__(self, plant: Plant) -> None:
        """Take the addresses from the plant."""
        self._plant = plant
        self._bacnet = BACnetClient(
            "127.0.0.1",
            free_port("0.0.0.0", socket.SOCK_DGRAM),
            "127.255.255.255",
            apdu_timeout_ms=1000,
        )
        self._modbus: dict[str, AsyncModbusTcpClient] = {
            key: AsyncModbusTcpClient(
                connection.host,
                port=connection.port,
                timeout=1,
                retries=0,
                reconnect_delay_max=1,
            )
            for key, connection in plant.connections.items()
            if isinstance(connection, ModbusConnection)
        }

    async def __aenter__(self) -> Self:
        """Open the links."""
        await self._bacnet.__aenter__()
        for client in self._modbus.values():
            await client.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the links."""
        for client in self._modbus.values():
            client.close()
        await self._bacnet.__aexit__(None, None, None)

    async def read(self, keys: Iterable[PointKey]) -> dict[PointKey, Value]:
        """Read points; those that do not answer are left out."""
        values: dict[PointKey, Value] = {}
        by_device: defaultdict[str, list[Point]] = defaultdict(list)
        for key in keys:
            point = self._plant.points[key]
            match point.address:
                case BacnetAddress(device=device):
                    by_device[device].append(point)
                case ModbusAddress():
                    with contextlib.suppress(ValueError):
                        values[key] = await self._read_register(point.address)
        for points in by_device.values():
            values |= await self._read_objects(points)
        return values

    async def priority_array(self, key: PointKey) -> list[object]:
        """Return the sixteen slots of a commandable object; None is NULL."""
        address = self._plant.points[key].address
        assert isinstance(address, BacnetAddress)
        array = await self._bacnet.read_property(
            self._host(address), _identifier(address), PropertyIdentifier.PRIORITY_ARRAY
        )
        return [
            None if getattr(slot, "tag", None) == _BACNET_NULL else slot
            for slot in array.value
        ]

    def _host(self, address: BacnetAddress) -> str:
        connection = self._plant.connections[address.connection]
        assert isinstance(connection, BacnetConnection)
        return connection.devices[address.device].address

    async def _read_objects(self, points: list[Point]) -> dict[PointKey, Value]:
        addresses = [p.address for p in points if isinstance(p.address, BacnetAddress)]
        present_value = PropertyIdentifier.PRESENT_VALUE
        try:
            answers = await self._bacnet.read_property_multiple(
                self._host(addresses[0]),
                [
                    (_identifier(address), [(present_value, None)])
                    for address in addresses
                ],
            )
        except BacnetError:
            return {}
        values: dict[PointKey, Value] = {}
        for point, answer in zip(points, answers, strict=True):
            raw: Any = answer["results"][0]["value"]
            if raw is not None:
                boolean = point.role.quantity.is_boolean
                values[point.key] = bool(raw.value) if boolean else float(raw.value)
        return values

    async def _read_register(self, address: ModbusAddress) -> Value:
        """Read one register or bit; ValueError when it does not answer."""
        client = self._modbus[address.connection]
        connection = self._plant.connections[address.connection]
        assert isinstance(connection, ModbusConnection)
        unit = connection.devices[address.device].unit
        read = (
            client.read_input_registers
            if address.kind is RegisterKind.INPUT
            else client.read_holding_registers
        )
        try:
            answer = await read(
                address.address, count=address.type.registers, device_id=unit
            )
        except ModbusException as error:
            # The library takes our own end for a failure: whoever reads would go on.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from error
            raise ValueError(str(error)) from error
        if answer.isError():
            raise ValueError(str(answer))
        raw = client.convert_from_registers(
            answer.registers,
            client.DATATYPE[address.type.name],
            word_order=address.word_order,
        )
        # A text or a list has no register type of a plant file.
        assert isinstance(raw, int | float)
        if address.bit is not None:
            return bool(int(raw) >> address.bit & 1)
        return raw * address.scale + address.offset


def _identifier(address: BacnetAddress) -> ObjectIdentifier:
    name = address.object_type.replace("-", "_").upper()
    return ObjectIdentifier(getattr(ObjectType, name), address.object_instance)


class WireRecorder:
    """Writes down every change of some points, several times a second."""

    def __init__(self, wire: Wire, keys: Iterable[PointKey]) -> None:
        """Choose what is recorded."""
        self._wire = wire
        self._keys = tuple(keys)
        self._task: asyncio.Task[None] | None = None
        self.values: dict[PointKey, Value] = {}
        self.changes: list[Change] = []

    async def __aenter__(self) -> Self:
        """Start recording."""
        self._task = asyncio.create_task(self._record())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop recording."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _record(self) -> None:
        while True:
            values = await self._wire.read(self._keys)
            now = time.time()
            self.changes += [
                Change(now, key, value)
                for key, value in values.items()
                if key in self.values and self.values[key] != value
            ]
            self.values |= values
            await asyncio.sleep(_RECORD_SECONDS)

    def first_change(
        self, point: PointKey, value: Value, since: float
    ) -> Change | None:
        """Return when the point first took this value after a time."""
        return next(
            (
                change
                for change in self.changes
                if change.point == point
                and change.value == value
                and change.at >= since
            ),
            None,
        )
