"""A Modbus TCP server of the plant file: several units behind one port."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
import socket
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from ..plant.model import (
    ModbusAddress,
    ModbusConnection,
    Point,
    PointKey,
    RegisterKind,
    Value,
)
from .serving import no_address
from .wire_format import from_registers, mask, to_registers

_KIND_OF_FUNCTION = {
    1: RegisterKind.COIL,
    5: RegisterKind.COIL,
    15: RegisterKind.COIL,
    2: RegisterKind.DISCRETE_INPUT,
    3: RegisterKind.HOLDING,
    6: RegisterKind.HOLDING,
    16: RegisterKind.HOLDING,
    22: RegisterKind.HOLDING,
    23: RegisterKind.HOLDING,
    4: RegisterKind.INPUT,
}

_BIT_TABLES = (RegisterKind.COIL, RegisterKind.DISCRETE_INPUT)
_ROUNDING = 1e-6


def _modbus(point: Point) -> ModbusAddress:
    if not isinstance(point.address, ModbusAddress):
        raise TypeError(f"{point.key} has no Modbus address")
    return point.address


def _span(point: Point) -> range:
    address = _modbus(point)
    places = 1 if address.kind in _BIT_TABLES else address.type.registers
    return range(address.address, address.address + places)


@dataclass(slots=True)
class _Unit:
    """The four tables of one unit; what is not in them does not exist.

    A declared range exists as a whole, other registers where a point names them.
    """

    points: list[Point] = field(default_factory=list)
    words: dict[tuple[RegisterKind, int], int] = field(default_factory=dict)
    writable: set[tuple[RegisterKind, int]] = field(default_factory=set)

    def add(self, point: Point, value: Value) -> None:
        self.points.append(point)
        kind = _modbus(point).kind
        for address in _span(point):
            self.words.setdefault((kind, address), 0)
            if point.role.commandable and point.writable:
                self.writable.add((kind, address))
        self.show(point, value)

    def show(self, point: Point, value: Value) -> None:
        """Lay a value into its registers, leaving its neighbours' bits."""
        address = _modbus(point)
        place = (address.kind, address.address)
        if address.kind in _BIT_TABLES:
            self.words[place] = int(bool(value))
            return
        words = to_registers(point, value)
        if (part := mask(point)) is not None:
            words = (self.words[place] & ~part | words[0],)
        for at, word in zip(_span(point), words, strict=True):
            self.words[address.kind, at] = word

    def told(self, point: Point) -> Value:
        """Return what lies in a point's registers."""
        address = _modbus(point)
        words = [self.words[address.kind, at] for at in _span(point)]
        if address.kind in _BIT_TABLES:
            return bool(words[0])
        return from_registers(point, words)

    def believable(self) -> bool:
        """Return whether every commandable register is within its limits."""
        for point in self.points:
            if not point.role.commandable or point.role.quantity.is_boolean:
                continue
            value = self.told(point)
            if not (
                isfinite(value)
                and (point.low is None or value >= point.low - _ROUNDING)
                and (point.high is None or value <= point.high + _ROUNDING)
            ):
                return False
        return True


class _Units:
    """What the library asks for the registers of its units.

    Takes the place of the library's own store, which rounds coils up to whole
    registers and answers for a unit that is not there.
    """

    def __init__(self) -> None:
        self.units: dict[int, _Unit] = {}

    def device_ids(self) -> list[int]:
        """Return the units behind this server."""
        return list(self.units)

    def _unit(self, number: int) -> _Unit:
        if number not in self.units:
            raise NoSuchIdException(f"unit {number}")  # type: ignore[no-untyped-call]
        return self.units[number]

    async def async_getValues(
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | list[bool] | ExcCodes:
        """Read; a register that the plant file does not name is refused."""
        unit = self._unit(device_id)
        kind = _KIND_OF_FUNCTION[func_code]
        places = [(kind, at) for at in range(address, address + count)]
        if any(place not in unit.words for place in places):
            return ExcCodes.ILLEGAL_ADDRESS
        words = [unit.words[place] for place in places]
        if kind in (RegisterKind.COIL, RegisterKind.DISCRETE_INPUT):
            return [bool(word) for word in words]
        return words

    async def async_setValues(
        self,
        device_id: int,
        func_code: int,
        address: int,
        values: Sequence[int] | Sequence[bool],
    ) -> ExcCodes | None:
        """Write; only what a client may command."""
        unit = self._unit(device_id)
        kind = _KIND_OF_FUNCTION[func_code]
        places = [(kind, at) for at in range(address, address + len(values))]
        if any(place not in unit.writable for place in places):
            return ExcCodes.ILLEGAL_ADDRESS
        before = dict(unit.words)
        unit.words.update(zip(places, (int(value) for value in values), strict=True))
        if not unit.believable():
            unit.words = before
            return ExcCodes.ILLEGAL_VALUE
        return None


class ModbusServer:
    """One connection of the plant file, served on its host and port."""

    def __init__(
        self,
        connection: ModbusConnection,
        points: Iterable[Point],
        values: Mapping[PointKey, Value],
    ) -> None:
        """Take the points behind this connection and what they show at first."""
        self.name = connection.key
        self.on_wire = False
        self._address = (connection.host, connection.port)
        self._store = _Units()
        for device in connection.devices.values():
            unit = self._store.units.setdefault(device.unit, _Unit())
            for item in device.ranges:
                for place in range(item.first, item.last + 1):
                    unit.words[item.kind, place] = 0
        for point in points:
            number = connection.devices[_modbus(point).device].unit
            self._store.units[number].add(point, values[point.key])
        self._server: ModbusTcpServer | None = None

    async def start(self) -> None:
        """Go on the wire. Raise `ServerError` when the address is taken."""
        if self.on_wire:
            return
        unused = SimDevice(0, [SimData(0, datatype=DataType.REGISTERS)])
        server = ModbusTcpServer(unused, address=self._address)
        store: Any = self._store
        server.context = store
        await _listen(server, self.name, self._address)
        self._server = server
        self.on_wire = True

    async def stop(self) -> None:
        """Go off the wire and drop all clients; keep what was written."""
        if self._server is None:
            return
        self.on_wire = False
        server, self._server = self._server, None
        await server.shutdown()  # type: ignore[no-untyped-call]

    def commands(self) -> Mapping[PointKey, Value]:
        """Return what lies in everything that can be commanded."""
        return {
            point.key: unit.told(point)
            for unit in self._store.units.values()
            for point in unit.points
            if point.role.commandable and point.writable
        }

    def publish(self, values: Mapping[PointKey, Value]) -> None:
        """Show new values of what cannot be commanded."""
        for unit in self._store.units.values():
            for point in unit.points:
                if not (point.role.commandable and point.writable):
                    unit.show(point, values[point.key])


async def _listen(server: ModbusTcpServer, name: str, address: tuple[str, int]) -> None:
    # The library only logs why it could not listen: ask first.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise no_address(name, address, error) from error
    try:
        await server.serve_forever(background=True)
    except RuntimeError as error:
        raise no_address(name, address, OSError(str(error))) from error
