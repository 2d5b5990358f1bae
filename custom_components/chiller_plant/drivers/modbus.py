"""Modbus TCP: near registers in one request, one request at a time, commands first.

The connection is not ours: Home Assistant lends units on one that every
integration shares, because many devices take only a few. So that this file
needs no Home Assistant, the driver is given the function that lends::

    async def unit_for(unit: int) -> ModbusUnit:
        return async_get_unit(
            hass, entry, ModbusTcpParams(host=connection.host, port=connection.port), unit
        )

with `async_get_unit` of `homeassistant.components.modbus` (a callback, the
same in 2026.10 and 2026.11; the integration needs `modbus` in `dependencies`).
A unit is lent until the config entry unloads, also when its set-up fails; the
last one out closes the connection. `async_get_unit` raises
`HomeAssistantError` when the host and port are in use with other settings.
For a config flow, which has no entry yet, use the driver within
`async with async_get_temporary_unit(hass, params, unit)` of each unit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
import dataclasses
from time import monotonic

from modbus_connection import (
    IllegalDataAddressError,
    IllegalDataValueError,
    IllegalFunctionError,
    ModbusExceptionError,
    ModbusUnit,
    ServerDeviceFailureError,
)

from ..plant.model import (
    ModbusAddress,
    ModbusConnection,
    Point,
    PointKey,
    RegisterKind,
    Value,
)
from .driver import DeviceSilent, DriverError, PointRefused, ReadReport, Traffic
from .lanes import Lane
from .modbus_link import ModbusLink, Request, Unit, in_words
from .register_blocks import Block, BlockPlan, Item
from .registers import BIT_KINDS, encode

_NOT_THERE = (
    IllegalDataAddressError,
    IllegalDataValueError,
    IllegalFunctionError,
    ServerDeviceFailureError,
)
"""How a unit refuses a block for one of its registers."""


class ModbusDriver:
    """The points of one Modbus TCP connection; see `driver.Driver`."""

    def __init__(
        self,
        connection: ModbusConnection,
        unit_for: Callable[[int], Awaitable[ModbusUnit]],
    ) -> None:
        """Speak for `connection` through the units that `unit_for` lends."""
        self._connection = connection
        self._unit_for = unit_for
        self._server = f"{connection.host}:{connection.port}"
        self._link = ModbusLink(self._server)
        self._units: dict[str, Unit] = {}

    async def connect(self) -> None:
        """Borrow the units; the link opens with the first request."""
        for key, device in self._connection.devices.items():
            if key in self._units:
                continue
            lent = await self._unit_for(device.unit)
            unit = Unit(
                key,
                lent,
                f"unit {device.unit} at {self._server}",
                BlockPlan(device.ranges),
                device.message_spacing,
            )
            self._link.add(unit)
            self._units[key] = unit

    async def close(self) -> None:
        """Ask nothing more of the connection, which belongs to who lent it."""
        for unit in self._units.values():
            self._link.remove(unit)
        self._units.clear()

    async def read(self, points: Iterable[Point]) -> ReadReport:
        """Read these points, the units beside each other.

        May be called again before it has come to its end; the requests of all
        calls take turns.
        """
        report = ReadReport()
        wanted: dict[str, list[Item]] = {}
        for point in points:
            address = _address(point)
            wanted.setdefault(address.device, []).append((address, point))
        await asyncio.gather(
            *(self._read_unit(key, items, report) for key, items in wanted.items())
        )
        return report

    async def write(self, point: Point, value: Value) -> None:
        """Command a point; the other bits of its register stay as they are."""
        address = _address(point)
        if (unit := self._units.get(address.device)) is None:
            raise DeviceSilent(self._not_open(address.device))
        if (
            address.kind in {RegisterKind.DISCRETE_INPUT, RegisterKind.INPUT}
            or address.bits is not None
        ):
            what = "bits of " if address.bits else ""
            raise PointRefused(
                f"{point.key}: {what}{address.kind} {address.address} of {unit} can "
                "only be read; a command needs a coil or a holding register"
            )
        if point.role.quantity.is_boolean and value not in {0, 1}:
            raise PointRefused(f"{point.key}: {value} is neither on nor off")
        try:
            async with self._link.turn(unit, Lane.COMMAND):
                await self._write(unit, point, address, value)
        except DeviceSilent as error:
            raise type(error)(f"{point.key}: {error}") from error
        except ModbusExceptionError as error:
            raise PointRefused(
                f"{point.key}: {unit} refused {value} for {address.kind} "
                f"{address.address}: {in_words(error)}"
            ) from error

    async def release(self, point: Point) -> None:
        """Write the point's release value, where it has one."""
        if point.release is not None:
            await self.write(point, point.release)

    def watch(
        self, points: Iterable[Point], heard: Callable[[ReadReport], None]
    ) -> None:
        """Leave it to be read: Modbus devices only answer."""

    @property
    def assured(self) -> frozenset[PointKey]:
        """Return no points: all are to be read."""
        return frozenset()

    async def overrides(self, points: Iterable[Point]) -> Mapping[PointKey, str]:
        """Return nothing: Modbus has no priorities."""
        return {}

    def call_when_heard(self, heard: Callable[[str], None]) -> None:
        """Never call: Modbus devices only answer."""

    def traffic(self) -> Mapping[str, Traffic]:
        """Return what each device costs."""
        return {
            key: dataclasses.replace(unit.traffic) for key, unit in self._units.items()
        }

    def diagnostics(self) -> Mapping[str, object]:
        """Return what is known of the link and each unit."""
        return {
            "host": self._connection.host,
            "port": self._connection.port,
            "connected": any(unit.lent.connected for unit in self._units.values()),
            "devices": {
                unit.key: {
                    "unit": unit.text,
                    **dataclasses.asdict(unit.traffic),
                    "last_failure": unit.last_failure,
                    "refused_registers": sorted(
                        f"{kind} {address}" for kind, address in unit.plan.refused
                    ),
                }
                for unit in self._units.values()
            },
        }

    def _not_open(self, key: str) -> str:
        return f"device {key}: connection {self._connection.key} is not open"

    async def _read_unit(self, key: str, items: list[Item], report: ReadReport) -> None:
        if (unit := self._units.get(key)) is None:
            _miss(report, key, items, self._not_open(key))
            return
        planned = unit.plan.plan(items, monotonic())
        try:
            for block in planned.blocks:
                await self._read_block(unit, block, report)
        except DeviceSilent as error:
            _miss(report, key, items, str(error))
        for (address, point), reason in planned.known:
            report.failures.setdefault(point.key, _failure(unit, address, reason))

    async def _read_block(self, unit: Unit, block: Block, report: ReadReport) -> bool:
        """Read a block, in halves if the unit refuses it.

        Returns whether a refusal was explained: by a value that the unit does
        not have, or by a cut between two that it has.
        """
        try:
            answer = await self._link.read(unit, _reading(unit.lent, block))
        except ModbusExceptionError as error:
            if len(block.places) > 1 and isinstance(error, _NOT_THERE):
                first, second = block.halves()
                explained = [
                    await self._read_block(unit, half, report)
                    for half in (first, second)
                ]
                if not any(explained):
                    unit.plan.cut(first, second)
                return True
            reason = in_words(error)
            if isinstance(error, _NOT_THERE):
                unit.plan.refuse(block, reason, monotonic())
            for address, point in block.items:
                report.failures[point.key] = _failure(unit, address, reason)
            return True
        if len(answer) < block.count:
            raise await self._link.rubbish(unit, "it sent fewer registers than asked")
        unit.plan.accept(block)
        for (address, point), part, decode in block.cuts:
            try:
                report.values[point.key] = decode(answer[part])
                unit.traffic.points += 1
            except ValueError as error:
                report.failures[point.key] = _failure(unit, address, str(error))
        return False

    async def _write(
        self, unit: Unit, point: Point, address: ModbusAddress, value: Value
    ) -> None:
        lent, place = unit.lent, address.address
        several = address.write_function == "multiple"

        async def send(request: Request) -> list[int]:
            answer: list[int] = await self._link.send(unit, request)
            return answer

        if address.kind in BIT_KINDS:
            on = bool(value)
            if several:
                await send(lambda: lent.write_coils(place, [on]))
            else:
                await send(lambda: lent.write_coil(place, on))
            return
        if address.bit is not None:
            # The other bits are commands too (reverse, reset), not ours to change.
            (word,) = await send(lambda: lent.read_holding_registers(place, 1))
            mask = 1 << address.bit
            words = [word | mask if value else word & ~mask]
        else:
            words = encode(point, address, value)
        if several or len(words) > 1:
            await send(lambda: lent.write_registers(place, words))
        else:
            await send(lambda: lent.write_register(place, words[0]))


def _address(point: Point) -> ModbusAddress:
    if not isinstance(point.address, ModbusAddress):
        raise DriverError(f"{point.key} has no Modbus address")
    return point.address


def _reading(unit: ModbusUnit, block: Block) -> Request:
    match block.kind:
        case RegisterKind.COIL:
            read: Callable[[int, int], Awaitable[object]] = unit.read_coils
        case RegisterKind.DISCRETE_INPUT:
            read = unit.read_discrete_inputs
        case RegisterKind.HOLDING:
            read = unit.read_holding_registers
        case RegisterKind.INPUT:
            read = unit.read_input_registers
    return lambda: read(block.start, block.count)


def _failure(unit: Unit, address: ModbusAddress, reason: str) -> str:
    return f"{unit}: {address.kind} {address.address}: {reason}"


def _miss(report: ReadReport, key: str, items: Iterable[Item], reason: str) -> None:
    """Report what a silent device did not bring."""
    answered = False
    for _, point in items:
        if point.key in report.values:
            answered = True
        else:
            report.failures.setdefault(point.key, reason)
    if not answered:
        report.silent_devices[key] = reason
