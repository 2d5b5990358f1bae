"""One link to a Modbus server, shared by its units: who may ask next, and when not.

A link takes one request at a time, so whoever waits for a unit that is dead
makes all the others wait. Therefore a unit that did not answer when it was
last asked waits in a line of its own and gets half of the link's time at most,
and what was found out about a server that cannot be reached is believed for a
moment by all who ask for its units.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from modbus_connection import (
    AcknowledgeError,
    GatewayPathUnavailableError,
    GatewayTargetError,
    ModbusConnectionError,
    ModbusError,
    ModbusExceptionError,
    ModbusTimeoutError,
    ModbusUnit,
    ServerDeviceBusyError,
)

from .driver import DeviceSilent, Traffic
from .lanes import Lane, LaneFull, Lanes
from .register_blocks import BlockPlan

_REQUEST_TIMEOUT = 1.5
# The shared connection may be told by others to be more patient than we are.
_PATIENCE = _REQUEST_TIMEOUT + 0.25
_DROP_TIMEOUT = 1.0
# Two units in a row that do not answer, and it is the server that is silent.
_SILENT_UNITS = 2
_BELIEVED = 1.0
"""Seconds for which nobody asks a server again that was just found silent."""
_BUSY_PAUSE = 0.3
_NEWEST = 0.2
"""How much the newest answer counts in the smoothed latency."""

_IN_WORDS = {
    1: "the unit does not know this kind of request",
    2: "the unit has no such register",
    3: "the unit does not take this value",
    4: "the unit failed at it",
    5: "the unit needs more time for it",
    6: "the unit is busy",
    7: "the unit cannot do it now",
    8: "the unit found its memory damaged",
    10: "the gateway has no way to the unit",
    11: "the unit does not answer its gateway",
}

type Request = Callable[[], Awaitable[Any]]


class ServerSilent(DeviceSilent):
    """The server itself cannot be reached, so neither can its other units."""


class GatewaySpoke(DeviceSilent):
    """The unit is silent, but the gateway before it said so."""


class LinkBusy(DeviceSilent):
    """More requests wait for the link than can be meant."""


@dataclass(slots=True)
class Unit:
    """A unit that was lent, and how it has behaved."""

    key: str
    lent: ModbusUnit
    text: str
    plan: BlockPlan = field(default_factory=BlockPlan)
    spacing: float = 0.0
    missed: bool = False
    """Whether it did not answer when it was last asked."""
    traffic: Traffic = field(default_factory=Traffic)
    last_failure: str | None = None

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.key} ({self.text})"


class ModbusLink:
    """The way to the units of one server. Requests are made by the unit lent."""

    def __init__(self, server: str) -> None:
        """`server` is what people call it: host and port."""
        self._server = server
        self._lanes = Lanes()
        self._doubtful = asyncio.Lock()
        self._rest_until = 0.0
        self._longest_gap = 0.0
        self._units = 0
        self._unanswered = 0
        self._silent_units: set[str] = set()
        self._found_silent: tuple[float, str] | None = None

    def add(self, unit: Unit) -> None:
        """Take in a unit, with the pace that it needs."""
        unit.lent.require_timeout(_REQUEST_TIMEOUT)
        if unit.spacing:
            unit.lent.set_message_spacing(unit.spacing)
        self._longest_gap = max(self._longest_gap, unit.spacing)
        self._units += 1

    def remove(self, unit: Unit) -> None:
        """Take back what was asked of the shared connection for a unit."""
        unit.lent.require_timeout(None)
        if unit.spacing:
            unit.lent.set_message_spacing(0)
        self._units -= 1

    async def read(self, unit: Unit, request: Request) -> Any:
        """Return the answer to a request that changes nothing.

        It is asked for once more where the answer was lost. Raises
        `DeviceSilent`, and `ModbusExceptionError` for a refusal.
        """
        if unit.missed:
            async with self._doubtful:
                return await self._read_doubtful(unit, request)
        try:
            async with self.turn(unit, Lane.POLL):
                return await self.send(unit, request)
        except AcknowledgeError, ServerDeviceBusyError:
            await asyncio.sleep(_BUSY_PAUSE)
        except ServerSilent, LinkBusy:
            raise
        except DeviceSilent:
            # Others wait for units that are dead already: that is enough.
            if self._doubtful.locked() or self._rest() > 0:
                raise
            async with self._doubtful:
                return await self._read_doubtful(unit, request)
        async with self.turn(unit, Lane.POLL):
            return await self.send(unit, request)

    async def _read_doubtful(self, unit: Unit, request: Request) -> Any:
        await asyncio.sleep(self._rest())
        begin = monotonic()
        try:
            async with self.turn(unit, Lane.POLL):
                begin = monotonic()
                return await self.send(unit, request, counts=False)
        except DeviceSilent:
            end = monotonic()
            if self._units > 1:
                self._rest_until = end + (end - begin)
            raise

    def _rest(self) -> float:
        """Return for how long no doubtful unit is asked."""
        return max(self._rest_until - monotonic(), 0.0)

    @asynccontextmanager
    async def turn(self, unit: Unit, lane: Lane) -> AsyncIterator[None]:
        """Hold the link for the requests of the body, commands first.

        Raises `LinkBusy`, and `ServerSilent` where that was found out since
        the turn was asked for, or shortly before.
        """
        asked = monotonic()
        unit.traffic.waiting += 1
        try:
            await self._lanes.acquire(lane)
        except LaneFull:
            raise LinkBusy(f"{unit}: too many requests are waiting for it") from None
        finally:
            unit.traffic.waiting -= 1
        try:
            if self._found_silent is not None:
                at, reason = self._found_silent
                if asked < at + _BELIEVED:
                    raise ServerSilent(
                        f"{unit} does not answer: {self._server} was just found "
                        f"silent; {reason}"
                    )
            yield
        finally:
            self._lanes.release()

    async def send(self, unit: Unit, request: Request, *, counts: bool = True) -> Any:
        """Send one request, once, while the link is held.

        Raises `DeviceSilent`, and `ModbusExceptionError` for a refusal. With
        `counts` false, no answer says nothing of the server.
        """
        unit.traffic.requests += 1
        was_connected = unit.lent.connected
        begin = monotonic()
        try:
            # What the units owe each other in quiet is waited for in there.
            async with asyncio.timeout(_PATIENCE + self._longest_gap):
                answer = await request()
        except (GatewayPathUnavailableError, GatewayTargetError) as error:
            self._heard()
            raise GatewaySpoke(self._missed(unit, in_words(error))) from error
        except ModbusExceptionError as error:
            self._answered(unit, begin)
            unit.traffic.refusals += 1
            unit.last_failure = in_words(error)
            raise
        except (ModbusTimeoutError, TimeoutError) as error:
            if not unit.lent.connected:
                raise self._no_connection(unit) from error
            # The library sends again what a busy unit refused, until it is told
            # to stop; and others may have had the link for all of the time.
            late = not isinstance(error, ModbusTimeoutError)
            reason = self._missed(
                unit, "no answer in time, or it is busy" if late else "no answer"
            )
            if counts and not late:
                self._silent_units.add(unit.key)
            self._unanswered += 1
            # A server that was switched off leaves a link that looks whole for
            # many minutes, and half an answer spoils the next.
            if self._unanswered > 1:
                await self._drop(unit)
            if counts and len(self._silent_units) >= _SILENT_UNITS:
                self._found_silent = (monotonic(), f"last tried: {reason}")
                raise ServerSilent(reason) from error
            raise DeviceSilent(reason) from error
        except (ModbusConnectionError, OSError) as error:
            if was_connected:
                text = self._missed(unit, "the connection was lost")
                raise DeviceSilent(text) from error
            raise self._no_connection(unit) from error
        except ModbusError as error:
            raise await self.rubbish(unit, str(error)) from error
        self._answered(unit, begin)
        return answer

    async def rubbish(self, unit: Unit, what: str) -> DeviceSilent:
        """Return what to raise for an answer that makes no sense."""
        await self._drop(unit)
        return DeviceSilent(self._missed(unit, f"what came makes no sense: {what}"))

    def _answered(self, unit: Unit, begin: float) -> None:
        self._heard()
        unit.missed = False
        took = monotonic() - begin
        latency = unit.traffic.latency
        unit.traffic.latency = (
            took if latency is None else latency + _NEWEST * (took - latency)
        )

    def _heard(self) -> None:
        self._unanswered = 0
        self._silent_units.clear()
        self._found_silent = None

    def _missed(self, unit: Unit, reason: str) -> str:
        unit.missed = True
        unit.traffic.timeouts += 1
        unit.last_failure = f"{unit} does not answer: {reason}"
        return unit.last_failure

    def _no_connection(self, unit: Unit) -> ServerSilent:
        unit.traffic.timeouts += 1
        reason = unit.last_failure = (
            f"{unit} does not answer: no connection to {self._server}"
        )
        self._found_silent = (monotonic(), f"last tried: {reason}")
        return ServerSilent(reason)

    async def _drop(self, unit: Unit) -> None:
        """Have the next request open a new link."""
        self._unanswered = 0
        with suppress(ModbusError, TimeoutError):
            async with asyncio.timeout(_DROP_TIMEOUT):
                await unit.lent.disconnect()


def in_words(error: ModbusExceptionError) -> str:
    """Return what an exception of a unit means, for people."""
    code = error.exception_code
    words = _IN_WORDS.get(code or 0, "the unit reports an error of its own")
    return f"{words} (Modbus exception {code})"
