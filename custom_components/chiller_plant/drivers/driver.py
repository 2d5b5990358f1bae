"""What every protocol offers, whatever it speaks on the wire.

A driver serves the points of one connection of the plant file. It converts
between the wire and the units of the product, keeps nothing but its link, and
reports what did not answer instead of raising, so that one silent device does
not blank the rest.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..plant.model import Point, PointKey, Value


class DriverError(Exception):
    """A link, a device or a point could not do what was asked.

    The text is for people: it names the connection, the device or the point
    and what to do.
    """


class DeviceSilent(DriverError):
    """The device did not answer within its time."""


class PointRefused(DriverError):
    """The device answered, and refused this point or this value."""


@dataclass(slots=True)
class ReadReport:
    """What one reading brought.

    `values` are in the units of the point's role. A point is either in
    `values` or in `failures`; a device that did not answer at all is in
    `silent_devices` (by device key), and all of its points are in `failures`.
    """

    values: dict[PointKey, Value] = field(default_factory=dict)
    failures: dict[PointKey, str] = field(default_factory=dict)
    silent_devices: dict[str, str] = field(default_factory=dict)
    overridden: dict[PointKey, str] = field(default_factory=dict)
    """Points in `values` that the device says are not its process's or its
    programs' own: put out of effect by hand. The text says how."""


@dataclass(slots=True)
class Traffic:
    """What a device costs and how it behaves; counts since the driver began."""

    requests: int = 0
    timeouts: int = 0
    refusals: int = 0
    points: int = 0
    """Values that it sent, read or reported by itself."""
    waiting: int = 0
    """Requests that wait for their turn now."""
    latency: float | None = None
    """Smoothed seconds from a request to its answer."""
    subscriptions: int = 0
    """Points that it reports by itself now."""


class Driver(Protocol):
    """One connection of the plant file, spoken.

    Construction does no I/O. `read` never raises for what a device did;
    `write` and `release` raise `DeviceSilent` or `PointRefused` and are never
    retried by the driver, so that a start is never sent twice.
    """

    async def connect(self) -> None:
        """Open the link. Raise `DriverError` when it cannot work at all."""

    async def close(self) -> None:
        """Close the link and everything that was started. Never raises."""

    async def read(self, points: Iterable[Point]) -> ReadReport:
        """Read these points, batched as well as each device allows."""

    async def write(self, point: Point, value: Value) -> None:
        """Command a point; `value` is in the unit of its role."""

    async def release(self, point: Point) -> None:
        """Give a point back.

        NULL at our priority (BACnet); the point's release value (Modbus;
        nothing is written where it has none).
        """

    def watch(
        self, points: Iterable[Point], heard: Callable[[ReadReport], None]
    ) -> None:
        """Have devices report these points by themselves, where they can.

        Replaces what was watched before; no points end it. `heard` is called
        in the event loop with what was reported. Whatever happens to a device,
        it is asked again to report once it can be.
        """

    @property
    def assured(self) -> frozenset[PointKey]:
        """Points of which no report is lost, so that a rare reading is enough.

        Their device repeats a report until it is acknowledged. One that is only
        sent may be lost on its way, and its point is read as ever.
        """

    async def overrides(self, points: Iterable[Point]) -> Mapping[PointKey, str]:
        """Return those of these points whose command is without effect, and why.

        A slot of a higher priority than ours is in use, or nobody can tell:
        such a point is not in the answer. Never raises for what a device did.
        """

    def call_when_heard(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with the key of a device that announces itself.

        A device does when it has started: one that was silent can be asked at
        once. Replaces who was called before.
        """

    def traffic(self) -> Mapping[str, Traffic]:
        """Return what each device (by key) costs."""

    def diagnostics(self) -> Mapping[str, object]:
        """Return what a person who searches a fault wants to know."""
