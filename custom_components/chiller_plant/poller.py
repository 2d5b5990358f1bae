"""Reads the devices of a plant side by side, each at its own pace.

A device is asked for its points as often as their tiers want, and for all that
is due in one go; a second reading never begins before the first has ended. So a
controller that takes four seconds for an answer holds up nobody else, and one
that cannot keep up with its interval is read as fast as it answers, no faster.

What is read less often than every round is spread over the rounds: each device
has its own moment within the interval, and a device of many points several, so
that the bus is loaded evenly.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from itertools import islice
import logging
from math import ceil, floor
from typing import Any

from .drivers.driver import ReadReport
from .plant.model import Address, BacnetAddress, Plant, Point, PointKey
from .plant.roles import PollTier

_LOGGER = logging.getLogger(__package__)

PART = 200
"""Points that a device is asked for before the next look at what is urgent."""
_TOGETHER = 56
"""Points that fit into one request of most devices: fewer save nothing."""
_GOLDEN = 0.618033988749895
"""Spreads any number of devices evenly over an interval."""

_SLOWER = {
    PollTier.FAST: PollTier.NORMAL,
    PollTier.NORMAL: PollTier.SLOW,
    PollTier.SLOW: PollTier.SLOW,
}

type Read = Callable[[str, list[Point]], Awaitable[ReadReport]]
"""Reads points of one device (by key). Never raises for what a device did."""
type Deliver = Callable[[str, list[Point], ReadReport], None]
type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


@dataclass(slots=True)
class _Row:
    """When one point is read."""

    point: Point
    phase: float
    """Its moment within the interval, 0 to 1."""
    due: float = 0.0
    """Epoch seconds."""


@dataclass(slots=True)
class _Device:
    """What one device is asked for."""

    key: str
    fast: list[_Row] = field(default_factory=list)
    others: list[_Row] = field(default_factory=list)
    queue: dict[PointKey, Point] = field(default_factory=dict)
    """What is still to be read in this round, in this order."""
    running: bool = False
    """Whether it is being read: set before its task exists, which may be over by
    the time that it is known here."""
    task: asyncio.Task[None] | None = None
    began: float = 0.0
    """When this round began, in the seconds of the loop."""
    took: float | None = None
    """Seconds that the last round took."""
    late: int = 0
    """Rounds that were not begun because the one before had not ended."""
    warned: bool = False


class Poller:
    """What is read when."""

    def __init__(
        self, plant: Plant, read: Read, deliver: Deliver, spawn: Spawn
    ) -> None:
        """`deliver` gets what a part of a reading brought, in the event loop."""
        self._plant = plant
        self._read = read
        self._deliver = deliver
        self._spawn = spawn
        self._assured: frozenset[PointKey] = frozenset()
        self._last = 0.0
        keys = [
            key
            for connection in plant.connections.values()
            for key in connection.devices
        ]
        self._devices = {key: _Device(key) for key in keys}
        by_device: dict[str, list[Point]] = {key: [] for key in keys}
        for point in plant.points.values():
            if point.address is not None:
                by_device[point.address.device].append(point)
        self._rows: dict[PointKey, _Row] = {}
        for number, (key, points) in enumerate(by_device.items()):
            self._lay_out(self._devices[key], points, number * _GOLDEN)

    def _lay_out(self, device: _Device, points: list[Point], phase: float) -> None:
        for tier in PollTier:
            # Neighbours together: one request reads more of them.
            members = sorted(
                (point for point in points if point.tier is tier), key=_place
            )
            rounds = max(
                1, int(self._plant.interval(tier) // self._plant.poll_interval)
            )
            portions = min(rounds, ceil(len(members) / _TOGETHER))
            for position, point in enumerate(members):
                part = position * portions // len(members)
                row = _Row(point, (phase + part / portions) % 1.0)
                (device.fast if tier is PollTier.FAST else device.others).append(row)
                self._rows[point.key] = row

    # --- what is due

    def start_due(
        self, now: float, assured: frozenset[PointKey], skip: Collection[str]
    ) -> list[asyncio.Task[None]]:
        """Begin a round at `now` (epoch seconds); return what is being read.

        No report of `assured` points is lost, so they are read one tier slower.
        Devices in `skip`, and those that are being read, are not asked.
        """
        for key in self._assured - assured:
            self._rows[key].due = 0.0
        self._assured = assured
        if now < self._last:
            # The clock was set back: nothing waits until it has caught up.
            for row in self._rows.values():
                row.due = min(row.due, now)
        self._last = now
        tasks = []
        for device in self._devices.values():
            if device.key in skip:
                continue
            if device.running:
                self._note_late(device)
                continue
            for row in self._due(device, now):
                device.queue[row.point.key] = row.point
            if device.queue and (task := self._start(device)) is not None:
                tasks.append(task)
        return tasks

    def _due(self, device: _Device, now: float) -> list[_Row]:
        """Return what is to be read now, and note when it is next."""
        assured = self._assured
        due = [
            row for row in device.fast if row.point.key not in assured or row.due <= now
        ]
        due += [row for row in device.others if row.due <= now]
        for row in due:
            self._put_off(row, now)
        return due

    def _put_off(self, row: _Row, now: float) -> None:
        """Note when a point that is read now is read next."""
        tier = row.point.tier
        if row.point.key in self._assured:
            tier = _SLOWER[tier]
        interval = self._plant.interval(tier)
        offset = row.phase * interval
        row.due = offset + (floor((now - offset) / interval) + 1) * interval

    def start_all(self, now: float) -> list[asyncio.Task[None]]:
        """Begin to read every point of every device."""
        for device in self._devices:
            self.read_all(now, device)
        return [
            device.task for device in self._devices.values() if device.task is not None
        ]

    def hurry(self, points: Iterable[Point]) -> None:
        """Read these points before all else, now or when their device is free."""
        by_device: dict[str, list[Point]] = {}
        for point in points:
            if point.address is not None:
                by_device.setdefault(point.address.device, []).append(point)
        for key, some in by_device.items():
            self._want(self._devices[key], some)

    def read_all(self, now: float, device: str) -> None:
        """Read every point of one device, as after it was away."""
        found = self._devices[device]
        rows = (*found.fast, *found.others)
        for row in rows:
            self._put_off(row, now)
        self._want(found, (row.point for row in rows))

    def probe(self, device: str) -> None:
        """Ask a device that is free for one point, to hear whether it answers."""
        found = self._devices[device]
        if not found.running and (rows := found.fast or found.others):
            self._want(found, [rows[0].point])

    def spent(self, device: str) -> float:
        """Return the seconds since the reading of a device began."""
        return asyncio.get_running_loop().time() - self._devices[device].began

    def again(self, points: Iterable[Point]) -> None:
        """Ask for these points at the next round whatever their tier."""
        for point in points:
            self._rows[point.key].due = 0.0

    # --- reading

    def _want(self, device: _Device, points: Iterable[Point]) -> None:
        device.queue = {point.key: point for point in points} | device.queue
        if not device.running and device.queue:
            self._start(device)

    def _start(self, device: _Device) -> asyncio.Task[None] | None:
        device.began = asyncio.get_running_loop().time()
        device.running = True
        task = self._spawn(self._run(device), device.key)
        device.task = task if device.running else None
        return device.task

    async def _run(self, device: _Device) -> None:
        try:
            await self._read_queue(device)
        finally:
            device.took = asyncio.get_running_loop().time() - device.began
            device.running = False
            device.task = None

    async def _read_queue(self, device: _Device) -> None:
        while device.queue:
            part = list(islice(device.queue.values(), PART))
            for point in part:
                del device.queue[point.key]
            try:
                report = await self._read(device.key, part)
            except Exception as error:
                # A fault of ours in one driver must not blind the whole plant.
                _LOGGER.exception("%s could not be read", device.key)
                report = ReadReport(
                    failures={point.key: str(error) for point in part},
                    silent_devices={device.key: str(error)},
                )
            if device.key in report.silent_devices:
                self.again((*part, *device.queue.values()))
                device.queue.clear()
            self._deliver(device.key, part, report)

    def _note_late(self, device: _Device) -> None:
        running = asyncio.get_running_loop().time() - device.began
        if running < self._plant.poll_interval / 2:
            return  # a probe, or what somebody asked for just now
        device.late += 1
        if not device.warned:
            device.warned = True
            _LOGGER.warning(
                "%s: %s takes longer to be read than the poll interval of %g s and "
                "is read at its own pace; raise poll_interval, or give its points a "
                "slower tier",
                self._plant.name,
                device.key,
                self._plant.poll_interval,
            )

    def diagnostics(self) -> dict[str, dict[str, Any]]:
        """Return how reading each device goes."""
        return {
            device.key: {
                "points": len(device.fast) + len(device.others),
                "being_read": device.running,
                "seconds_for_last_round": device.took,
                "rounds_left_out": device.late,
            }
            for device in self._devices.values()
        }

    def close(self) -> None:
        """Stop reading."""
        for device in self._devices.values():
            device.queue.clear()
            if device.task is not None:
                device.task.cancel()


def _place(point: Point) -> tuple[str, int]:
    address: Address | None = point.address
    if address is None:
        return "", 0
    if isinstance(address, BacnetAddress):
        return address.object_type, address.object_instance
    return address.kind.value, address.address
