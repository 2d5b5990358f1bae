"""A simulated plant inside the process, for anybody without hardware.

The same world that the simulator serves on sockets, without the sockets: one
`SimulatedPlant` moves it, and its drivers show each connection's part of it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from time import monotonic

from ..plant.model import BacnetAddress, Plant, Point, PointKey, Value
from ..simulator.commands import released_value
from ..simulator.layout import SimulationError
from ..simulator.pace import Pace
from ..simulator.world import World
from .driver import Driver, DriverError, PointRefused, ReadReport, Traffic

TICK = 1.0
"""Real seconds between two moves of the world."""


class SimulatedPlant:
    """One world for all connections of a plant."""

    def __init__(
        self, plant: Plant, speed: float = 1.0, start: datetime | None = None
    ) -> None:
        """Take the plant, the speed in times real time, and the local time.

        Raises `DriverError` for a plant that cannot be simulated.
        """
        local = start or datetime.now().astimezone()
        try:
            self._world = World(plant, local.replace(tzinfo=UTC).timestamp())
        except SimulationError as error:
            raise DriverError(str(error)) from error
        self._pace = Pace(speed)
        self._values = self._world.values()
        self._task: asyncio.Task[None] | None = None

    @property
    def world(self) -> World:
        """The world itself, for what no driver can ask."""
        return self._world

    def driver(self, connection: str) -> Driver:
        """Return the driver of one connection, by its key."""
        return _SimulatedDriver(self, connection)

    async def start(self) -> None:
        """Let time pass from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="simulated plant")

    async def close(self) -> None:
        """Let the world stand still."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def running(self) -> bool:
        """Whether time passes."""
        return self._task is not None and not self._task.done()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._values = await loop.run_in_executor(None, self._move)
            await asyncio.sleep(TICK)

    def _move(self) -> dict[PointKey, Value]:
        self._world.advance(self._pace.due(monotonic()))
        return self._world.values()

    def value(self, point: Point) -> Value | None:
        """Return what a point shows; a command shows at once, as in a device."""
        if point.key in self._world.commands:
            return self._world.commands[point.key]
        return self._values.get(point.key)

    def diagnostics(self) -> Mapping[str, object]:
        """Return what a person who searches a fault wants to know."""
        return {
            "running": self.running,
            "speed": self._pace.speed,
            "keeps_up": self._pace.keeps_up,
            "seconds_left_out": self._pace.lost,
            "local_time": self._world.time,
        }


class _SimulatedDriver:
    """One connection's part of a simulated plant."""

    def __init__(self, simulated: SimulatedPlant, connection: str) -> None:
        self._simulated = simulated
        self._connection = connection

    async def connect(self) -> None:
        """Raise `DriverError` where the simulated plant stands still."""
        if not self._simulated.running:
            raise DriverError(
                f"{self._connection}: the simulated plant is not running; reload the"
                " plant to start it again"
            )

    async def close(self) -> None:
        """Nothing is open: the plant is closed by whoever started it."""

    async def read(self, points: Iterable[Point]) -> ReadReport:
        """Read these points."""
        report = ReadReport()
        for point in points:
            value = self._simulated.value(point) if self._serves(point) else None
            if value is None:
                report.failures[point.key] = (
                    f"{point.key} is not on connection {self._connection}"
                )
            else:
                report.values[point.key] = value
        return report

    async def write(self, point: Point, value: Value) -> None:
        """Command a point, within its limits as a device would."""
        self._must_take_commands(point)
        if not isinstance(value, bool) and not (
            isfinite(value)
            and (point.low is None or value >= point.low)
            and (point.high is None or value <= point.high)
        ):
            raise PointRefused(
                f"{point.key}: {value} is outside {point.low} to {point.high}"
            )
        self._simulated.world.command(point.key, value)

    async def release(self, point: Point) -> None:
        """Let a point fall back, as its device would."""
        self._must_take_commands(point)
        if point.release is not None or isinstance(point.address, BacnetAddress):
            self._simulated.world.command(point.key, released_value(point))

    def watch(
        self, points: Iterable[Point], heard: Callable[[ReadReport], None]
    ) -> None:
        """Leave it to be read: simulated equipment is asked at no cost."""

    @property
    def assured(self) -> frozenset[PointKey]:
        """Return no points: all are to be read."""
        return frozenset()

    async def overrides(self, points: Iterable[Point]) -> Mapping[PointKey, str]:
        """Return nothing: nobody stands at simulated equipment."""
        return {}

    def call_when_heard(self, heard: Callable[[str], None]) -> None:
        """Never call: simulated devices are always there."""

    def traffic(self) -> Mapping[str, Traffic]:
        """Return what each device costs."""
        return {}

    def diagnostics(self) -> Mapping[str, object]:
        """Return what a person who searches a fault wants to know."""
        return self._simulated.diagnostics()

    def _serves(self, point: Point) -> bool:
        return (
            point.address is not None and point.address.connection == self._connection
        )

    def _must_take_commands(self, point: Point) -> None:
        if not self._serves(point) or not (point.role.commandable and point.writable):
            raise PointRefused(
                f"{point.key} takes no commands on connection {self._connection}"
            )
