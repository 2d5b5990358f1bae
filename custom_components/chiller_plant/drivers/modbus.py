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
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from modbus_connection import (
    GatewayPathUnavailableError,
    GatewayTargetError,
    IllegalDataAddressError,
    IllegalDataValueError,
    IllegalFunctionError,
    ModbusConnectionError,
    ModbusError,
    ModbusExceptionError,
    ModbusTimeoutError,
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
from .lanes import Lane, LaneFull, Lanes
from .register_blocks import Block, BlockPlan, Item
from .registers import BIT_KINDS, decode, encode

_REQUEST_TIMEOUT = 1.5
# The shared connection may be told by others to be more patient than we are.
_PATIENCE = _REQUEST_TIMEOUT + 0.25
_DROP_TIMEOUT = 1.0
# Two units in a row that do not answer, and it is the server that is silent.
_SILENT_UNITS = 2

_NOT_THERE = (
    IllegalDataAddressError,
    IllegalDataValueError,
    IllegalFunctionError,
    ServerDeviceFailureError,
)
"""How a unit refuses a block for one of its registers."""

_IN_WORDS = {
    1: "the unit does not know this kind of request",
    2: "the unit has no such register",
    3: "the unit does not take this value",
    4: "the unit failed at it",
    6: "the unit is busy",
}


@dataclass(slots=True)
class _Device:
    """A unit that was lent, and how it has behaved."""

    key: str
    unit: ModbusUnit
    text: str
    plan: BlockPlan = field(default_factory=BlockPlan)
    missed: bool = False
    """Whether it did not answer when it was last asked."""
    requests: int = 0
    silences: int = 0
    last_failure: str | None = None

    def __str__(self) -> str:
        return f"{self.key} ({self.text})"


class _ServerSilent(DeviceSilent):
    """The server itself cannot be reached, so neither can its other units."""


class _GatewaySpoke(DeviceSilent):
    """The unit is silent, but the gateway before it said so."""


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
        self._lanes = Lanes()
        self._devices: dict[str, _Device] = {}

    async def connect(self) -> None:
        """Borrow the units; the link opens with the first request."""
        server = f"{self._connection.host}:{self._connection.port}"
        for key, device in self._connection.devices.items():
            if key in self._devices:
                continue
            unit = await self._unit_for(device.unit)
            unit.require_timeout(_REQUEST_TIMEOUT)
            text = f"unit {device.unit} at {server}"
            self._devices[key] = _Device(key, unit, text)

    async def close(self) -> None:
        """Ask nothing more of the connection, which belongs to who lent it."""
        for device in self._devices.values():
            device.unit.require_timeout(None)
        self._devices.clear()

    async def read(self, points: Iterable[Point]) -> ReadReport:
        """Read these points, unit by unit; the ones that answered last first."""
        report = ReadReport()
        wanted: dict[str, list[Item]] = {}
        for point in points:
            address = _address(point)
            wanted.setdefault(address.device, []).append((address, point))
        silent_in_a_row = 0
        server_silent: str | None = None
        for key, items in sorted(wanted.items(), key=self._missed):
            if (device := self._devices.get(key)) is None:
                _miss(report, key, items, self._not_open(key))
                continue
            if server_silent is not None:
                _miss(report, key, items, server_silent)
                continue
            try:
                await self._read_device(device, items, report)
                device.missed = False
                silent_in_a_row = 0
            except DeviceSilent as error:
                device.missed = True
                spoke = isinstance(error, _GatewaySpoke)
                silent_in_a_row = 0 if spoke else silent_in_a_row + 1
                _miss(report, key, items, str(error))
                if isinstance(error, _ServerSilent) or silent_in_a_row >= _SILENT_UNITS:
                    server_silent = (
                        f"{device.text.partition(' at ')[2]} does not answer; last "
                        f"tried: {error}"
                    )
        return report

    async def write(self, point: Point, value: Value) -> None:
        """Command a point; the other bits of its register stay as they are."""
        address = _address(point)
        if (device := self._devices.get(address.device)) is None:
            raise DeviceSilent(self._not_open(address.device))
        if address.kind in {RegisterKind.DISCRETE_INPUT, RegisterKind.INPUT}:
            raise PointRefused(
                f"{point.key}: {address.kind} {address.address} of {device} can only "
                "be read; a command needs a coil or a holding register"
            )
        if point.role.quantity.is_boolean and value not in {0, 1}:
            raise PointRefused(f"{point.key}: {value} is neither on nor off")
        try:
            async with self._lanes.turn(Lane.COMMAND):
                await self._write(device, point, address, value)
        except LaneFull:
            raise DeviceSilent(
                f"{point.key}: too many commands are waiting for {device}"
            ) from None
        except ModbusExceptionError as error:
            raise PointRefused(
                f"{point.key}: {device} refused {value} for {address.kind} "
                f"{address.address}: {_in_words(error)}"
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
    def watched(self) -> frozenset[PointKey]:
        """Return no points: all are to be read."""
        return frozenset()

    async def overrides(self, points: Iterable[Point]) -> Mapping[PointKey, str]:
        """Return nothing: Modbus has no priorities."""
        return {}

    def call_when_heard(self, heard: Callable[[str], None]) -> None:
        """Never call: Modbus devices only answer."""

    def traffic(self) -> Mapping[str, Traffic]:
        """Return what each device costs."""
        return {}

    def diagnostics(self) -> Mapping[str, object]:
        """Return what is known of the link and each unit."""
        return {
            "host": self._connection.host,
            "port": self._connection.port,
            "connected": any(
                device.unit.connected for device in self._devices.values()
            ),
            "devices": {
                device.key: {
                    "unit": device.text,
                    "requests": device.requests,
                    "silences": device.silences,
                    "last_failure": device.last_failure,
                    "refused_registers": sorted(
                        f"{kind} {address}" for kind, address in device.plan.refused
                    ),
                }
                for device in self._devices.values()
            },
        }

    def _missed(self, wanted: tuple[str, list[Item]]) -> bool:
        device = self._devices.get(wanted[0])
        return device is not None and device.missed

    def _not_open(self, key: str) -> str:
        return f"device {key}: connection {self._connection.key} is not open"

    async def _read_device(
        self, device: _Device, items: list[Item], report: ReadReport
    ) -> None:
        for block in device.plan.blocks(items):
            await self._read_block(device, block, report)

    async def _read_block(
        self, device: _Device, block: Block, report: ReadReport
    ) -> bool:
        """Read a block, in halves if the unit refuses it.

        Returns whether a refusal was explained: by a value that the unit does
        not have, or by a cut between two that it has.
        """
        try:
            async with self._lanes.turn(Lane.POLL):
                answer = await self._ask(device, _reading(device.unit, block))
        except ModbusExceptionError as error:
            if len(block.places) > 1 and isinstance(error, _NOT_THERE):
                first, second = block.halves()
                explained = [
                    await self._read_block(device, half, report)
                    for half in (first, second)
                ]
                if not any(explained):
                    device.plan.cut(first, second)
                return True
            if isinstance(error, _NOT_THERE):
                device.plan.refuse(block)
            reason = _in_words(error)
            for address, point in block.items:
                report.failures[point.key] = (
                    f"{device}: {address.kind} {address.address}: {reason}"
                )
            return True
        if len(answer) < block.count:
            raise DeviceSilent(self._note(device, "it sent fewer registers than asked"))
        device.plan.accept(block)
        for address, point in block.items:
            try:
                report.values[point.key] = decode(
                    point, address, block.raw(address, answer)
                )
            except ValueError as error:
                report.failures[point.key] = (
                    f"{device}: {address.kind} {address.address}: {error}"
                )
        return False

    async def _write(
        self, device: _Device, point: Point, address: ModbusAddress, value: Value
    ) -> None:
        unit, place = device.unit, address.address
        if address.kind in BIT_KINDS:
            await self._ask(device, unit.write_coil(place, bool(value)))
        elif address.bit is not None:
            # The other bits are commands too (reverse, reset), not ours to change.
            (word,) = await self._ask(device, unit.read_holding_registers(place, 1))
            mask = 1 << address.bit
            word = word | mask if value else word & ~mask
            await self._ask(device, unit.write_register(place, word))
        else:
            words = encode(point, address, value)
            if len(words) == 1:
                await self._ask(device, unit.write_register(place, words[0]))
            else:
                await self._ask(device, unit.write_registers(place, words))

    async def _ask(self, device: _Device, request: Coroutine[Any, Any, Any]) -> Any:
        """Send one request.

        Raises `DeviceSilent`, and `ModbusExceptionError` for an answer that
        is a refusal.
        """
        device.requests += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                return await request
        except (GatewayPathUnavailableError, GatewayTargetError) as error:
            text = self._note(device, "its gateway cannot reach it")
            raise _GatewaySpoke(text) from error
        except ModbusExceptionError as error:
            device.last_failure = _in_words(error)
            raise
        except ModbusConnectionError as error:
            raise _ServerSilent(self._note(device, "no connection")) from error
        except (ModbusTimeoutError, TimeoutError) as error:
            if not device.unit.connected:
                raise _ServerSilent(self._note(device, "no connection")) from error
            await self._drop(device)
            raise DeviceSilent(self._note(device, "no answer")) from error
        except ModbusError as error:
            await self._drop(device)
            text = self._note(device, f"what came makes no sense: {error}")
            raise DeviceSilent(text) from error

    def _note(self, device: _Device, reason: str) -> str:
        device.silences += 1
        device.last_failure = f"{device} does not answer: {reason}"
        return device.last_failure

    async def _drop(self, device: _Device) -> None:
        """Have the next request open a new link.

        What is left of an answer on this one would be taken for the next
        answer, and a server that was switched off leaves a link that looks
        whole for many minutes.
        """
        with suppress(ModbusError, TimeoutError):
            async with asyncio.timeout(_DROP_TIMEOUT):
                await device.unit.disconnect()


def _address(point: Point) -> ModbusAddress:
    if not isinstance(point.address, ModbusAddress):
        raise DriverError(f"{point.key} has no Modbus address")
    return point.address


def _reading(
    unit: ModbusUnit, block: Block
) -> Coroutine[Any, Any, list[int] | list[bool]]:
    match block.kind:
        case RegisterKind.COIL:
            return unit.read_coils(block.start, block.count)
        case RegisterKind.DISCRETE_INPUT:
            return unit.read_discrete_inputs(block.start, block.count)
        case RegisterKind.HOLDING:
            return unit.read_holding_registers(block.start, block.count)
        case RegisterKind.INPUT:
            return unit.read_input_registers(block.start, block.count)


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


def _in_words(error: ModbusExceptionError) -> str:
    code = error.exception_code
    words = _IN_WORDS.get(code or 0, "the unit reports an error")
    return f"{words} (Modbus exception {code})"
