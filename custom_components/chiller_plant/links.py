"""The drivers of a plant: made from its connections, opened, read side by side.

A driver knows its protocol and nothing of Home Assistant. Here is where it
gets what Home Assistant shares: one BACnet stack for each local port, one
Modbus connection for each server.
"""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
)
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from modbus_connection import ModbusTcpParams, ModbusUnit

from homeassistant.components.modbus import async_get_temporary_unit, async_get_unit
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, SOURCE_SIMULATED
from .drivers.bacnet import BacnetDriver
from .drivers.bacnet_device import Device
from .drivers.bacnet_network import BacnetNetworks
from .drivers.driver import Driver, DriverError, ReadReport, Traffic
from .drivers.modbus import ModbusDriver
from .drivers.simulated import SimulatedPlant
from .plant.model import (
    BacnetConnection,
    Connection,
    ModbusConnection,
    Plant,
    Point,
    PointKey,
)

if TYPE_CHECKING:
    from .data import ChillerPlantConfigEntry

_NETWORKS: HassKey[BacnetNetworks] = HassKey(f"{DOMAIN}_bacnet_networks")
_TRY_TIMEOUT = 30.0
"""Seconds that a person waits in front of a form."""

SIMULATION_SPEED = 1.0
"""The simulated plant lives in real time: so do interlocks and leases."""

type Heard = Callable[[ReadReport], None]
type LendUnit = Callable[[ModbusConnection, int], Awaitable[ModbusUnit]]


class Links:
    """Every connection of one plant, each open or with the reason why not."""

    def __init__(self, plant: Plant, drivers: Mapping[str, Driver]) -> None:
        """Nothing is opened yet."""
        self._drivers = drivers
        self.closed: dict[str, str] = dict.fromkeys(drivers, "not opened yet")
        """Connections that are not open, and why."""
        self.devices = {
            device: connection.key
            for connection in plant.connections.values()
            for device in connection.devices
        }
        """The connection of each device."""
        self._opening: set[str] = set()
        self._watched: dict[str, list[Point]] = {}
        self._heard: Heard | None = None

    async def async_open(self) -> None:
        """Open what is not open; see `closed` for what could not be."""
        await asyncio.gather(*(self._async_open(key) for key in tuple(self.closed)))

    async def _async_open(self, connection: str) -> None:
        # Two attempts at the same time would each bind the same port.
        if connection in self._opening:
            return
        self._opening.add(connection)
        try:
            await self._drivers[connection].connect()
        except (DriverError, HomeAssistantError) as error:
            # Home Assistant lends no unit on a server that another integration
            # uses with other settings.
            self.closed[connection] = str(error)
        else:
            self.closed.pop(connection, None)
            self._watch(connection)
        finally:
            self._opening.discard(connection)

    async def async_reopen(self, device: str) -> None:
        """Open the connection of a device if it is not open."""
        if (connection := self.devices[device]) in self.closed:
            await self._async_open(connection)

    async def async_close(self) -> None:
        """Close all; the order does not matter."""
        await asyncio.gather(*(driver.close() for driver in self._drivers.values()))

    async def async_read(self, points: Iterable[Point]) -> ReadReport:
        """Read points that have an address, all connections at once."""
        report = ReadReport()
        wanted: dict[str, list[Point]] = {}
        for point in points:
            if point.address is None:
                continue
            connection = point.address.connection
            if (reason := self.closed.get(connection)) is None:
                wanted.setdefault(connection, []).append(point)
            else:
                report.failures[point.key] = reason
                report.silent_devices[point.address.device] = reason
        reports = await asyncio.gather(
            *(self._drivers[key].read(some) for key, some in wanted.items())
        )
        for part in reports:
            report.values |= part.values
            report.failures |= part.failures
            report.silent_devices |= part.silent_devices
        return report

    async def async_read_device(
        self, device: str, points: Collection[Point]
    ) -> ReadReport:
        """Read points of one device."""
        connection = self.devices[device]
        if (reason := self.closed.get(connection)) is None:
            return await self._drivers[connection].read(points)
        return ReadReport(
            failures={point.key: reason for point in points},
            silent_devices={device: reason},
        )

    def watch(self, points: Iterable[Point], heard: Heard) -> None:
        """Have devices report these points by themselves, where they can.

        The first ones first: a device may have room for a few only.
        """
        self._heard = heard
        for point in points:
            if point.address is not None:
                self._watched.setdefault(point.address.connection, []).append(point)
        for connection in self._drivers.keys() - self.closed.keys():
            self._watch(connection)

    def _watch(self, connection: str) -> None:
        if self._heard is not None and (points := self._watched.get(connection)):
            self._drivers[connection].watch(points, self._heard)

    @property
    def assured(self) -> frozenset[PointKey]:
        """Points of which no report is lost, so that a rare reading is enough."""
        return frozenset().union(*(one.assured for one in self._drivers.values()))

    def call_when_heard(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with the key of a device that announces itself."""
        for driver in self._drivers.values():
            driver.call_when_heard(heard)

    async def async_overrides(self, points: Iterable[Point]) -> dict[PointKey, str]:
        """Return those of these points whose command is without effect, and why."""
        wanted: dict[str, list[Point]] = {}
        for point in points:
            if (
                point.address is not None
                and point.address.connection not in self.closed
            ):
                wanted.setdefault(point.address.connection, []).append(point)
        found: dict[PointKey, str] = {}
        for answer in await asyncio.gather(
            *(self._drivers[key].overrides(some) for key, some in wanted.items())
        ):
            found |= answer
        return found

    def traffic(self) -> dict[str, Traffic]:
        """Return what each device costs."""
        found: dict[str, Traffic] = {}
        for driver in self._drivers.values():
            found |= driver.traffic()
        return found

    def driver_of(self, point: Point) -> Driver:
        """Return who writes a point. Raise `DriverError` if it cannot now."""
        if point.address is None:
            raise DriverError(f"{point.key} is held by the integration itself")
        connection = point.address.connection
        if (reason := self.closed.get(connection)) is not None:
            raise DriverError(reason)
        return self._drivers[connection]

    def bacnet_device(self, key: str) -> Device | None:
        """Return a device that speaks BACnet and can be reached now."""
        driver = self._drivers[self.devices[key]]
        return driver.device(key) if isinstance(driver, BacnetDriver) else None

    def diagnostics(self) -> dict[str, object]:
        """Return what each driver says of itself, by connection."""
        return {
            key: {"closed": self.closed.get(key), **driver.diagnostics()}
            for key, driver in self._drivers.items()
        }


async def async_open_links(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, plant: Plant, source: str
) -> Links:
    """Open the connections of a config entry, which owns what it borrows."""

    async def lend(connection: ModbusConnection, unit: int) -> ModbusUnit:
        return async_get_unit(hass, entry, _tcp(connection), unit)

    stack = AsyncExitStack()
    entry.async_on_unload(stack.aclose)
    links = await _async_make(hass, plant, source, lend, stack)
    await links.async_open()
    return links


@asynccontextmanager
async def async_temporary_links(
    hass: HomeAssistant, plant: Plant, source: str
) -> AsyncIterator[Links]:
    """Open the connections of a plant for a moment, without a config entry."""
    async with AsyncExitStack() as stack:

        async def lend(connection: ModbusConnection, unit: int) -> ModbusUnit:
            return await stack.enter_async_context(
                async_get_temporary_unit(hass, _tcp(connection), unit)
            )

        links = await _async_make(hass, plant, source, lend, stack)
        await links.async_open()
        yield links


async def async_try_links(
    hass: HomeAssistant, plant: Plant, source: str
) -> dict[str, str]:
    """Return the devices that do not answer, and why."""
    try:
        async with (
            asyncio.timeout(_TRY_TIMEOUT),
            async_temporary_links(hass, plant, source) as links,
        ):
            report = await links.async_read(plant.points.values())
            return dict(report.silent_devices)
    except TimeoutError:
        return {
            device: f"no answer within {_TRY_TIMEOUT:g} seconds"
            for connection in plant.connections.values()
            for device in connection.devices
        }


async def _async_make(
    hass: HomeAssistant,
    plant: Plant,
    source: str,
    lend: LendUnit,
    stack: AsyncExitStack,
) -> Links:
    if source == SOURCE_SIMULATED:
        # The weather of a whole year takes a moment to make or to read.
        simulated = await hass.async_add_executor_job(
            SimulatedPlant, plant, SIMULATION_SPEED, dt_util.now()
        )
        await simulated.start()
        stack.push_async_callback(simulated.close)
        drivers: dict[str, Driver] = {
            key: simulated.driver(key) for key in plant.connections
        }
    else:
        networks = bacnet_networks(hass)
        drivers = {
            key: _driver(connection, networks, lend)
            for key, connection in plant.connections.items()
        }
    links = Links(plant, drivers)
    stack.push_async_callback(links.async_close)
    return links


def _driver(connection: Connection, networks: BacnetNetworks, lend: LendUnit) -> Driver:
    match connection:
        case BacnetConnection():
            return BacnetDriver(connection, networks.network(connection))
        case ModbusConnection():
            return ModbusDriver(connection, lambda unit: lend(connection, unit))


@callback
def bacnet_networks(hass: HomeAssistant) -> BacnetNetworks:
    """Return the BACnet stacks that everybody in this Home Assistant shares."""
    return hass.data.setdefault(_NETWORKS, BacnetNetworks())


def _tcp(connection: ModbusConnection) -> ModbusTcpParams:
    return ModbusTcpParams(host=connection.host, port=connection.port)
