"""What is on the wire of each point because of us, as far as we can know.

A write that failed may have arrived all the same. Until a later one succeeds,
both the old and the new value are believed possible, and whoever protects a
machine reckons with the worse.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .model import ModbusAddress, Plant, Point, PointKey, Value
from .steady_time import number, past

RETRY_FIRST = 5.0
RETRY_LAST = 300.0
"""Seconds between two attempts to write what the wire did not take."""

_SENT_KEPT = 8


@dataclass(slots=True)
class Wire:
    """One commanded point. Times are steady ones (see `steady_time`)."""

    point: Point
    owned: bool = False
    """Written by us, and not released since."""
    value: Value | None = None
    """What was written last, or what a release left behind; None: unknown."""
    previous: Value | None = None
    at: float | None = None
    """When the wire took the last write or release."""
    on_at: float | None = None
    """When the wire last took something other than off, after it may have been off."""
    sent: list[Value | None] = field(default_factory=list)
    """What was sent since then, and nobody said that it arrived; None: a release."""
    failures: int = 0
    refused_at: float = 0.0
    refused_off: bool = False
    """What failed last was to switch it off."""
    ramp_at: float | None = None
    """Since when the value is on its way in steps."""
    differs_since: float | None = None
    """Since when the device reads back something else."""
    mismatch: Value | None = None
    """What it reads back, once that is no mere delay."""
    overridden: bool = False
    """Whether the last reading says that what is written is without effect."""
    rewrites: int = 0
    rewrite_at: float = 0.0

    @property
    def in_doubt(self) -> bool:
        """Whether something was sent that may have arrived, or not."""
        return bool(self.sent)

    @property
    def ours(self) -> bool:
        """Whether something of ours is, or may be, on the wire."""
        return self.owned or bool(self.sent)

    @property
    def undisputed(self) -> Value | None:
        """What of ours is on the wire beyond doubt.

        None: nothing is, or something was sent that nobody confirmed, or the
        device reads back something else.
        """
        agreed = self.differs_since is None and self.mismatch is None
        return self.value if self.owned and agreed and not self.in_doubt else None

    @property
    def is_settled(self) -> bool:
        """Whether what was written is on the wire, and nobody doubts it."""
        return (
            self.owned
            and not self.sent
            and self.mismatch is None
            and self.ramp_at is None
        )

    @property
    def agrees(self) -> bool:
        """Whether nothing is left of the device having read back something else."""
        return (
            self.differs_since is None and self.mismatch is None and not self.rewrites
        )

    def after_release(self) -> Value | None:
        """Return what a release leaves behind, None where that is unknown."""
        if self.point.release is None and isinstance(self.point.address, ModbusAddress):
            return self.value
        return self.point.release

    def offer(self, value: Value | None) -> None:
        """Note what is about to be sent."""
        if value in self.sent:
            self.sent.remove(value)
        self.sent.append(value)
        if len(self.sent) > _SENT_KEPT:
            # What may have stopped a machine is never forgotten.
            self.sent.remove(next(old for old in self.sent if old))

    def took(self, time: float, value: Value | None) -> None:
        """Note that the wire took a value, or a release (None)."""
        self.previous = self.value
        self.value = self.after_release() if value is None else value
        if self.value:
            left = self.after_release()
            maybe = [left if item is None else item for item in self.sent]
            if not self.previous or not all(maybe):
                self.on_at = time
        self.owned = value is not None
        self.sent.clear()
        self.at = time
        self.failures = 0
        if not self.owned:
            self.ramp_at = None
            self.agree()

    def refused(self, time: float, value: Value | None) -> None:
        """Note a failed write."""
        self.failures += 1
        self.refused_at = time
        self.refused_off = value is False
        self.ramp_at = None

    def wait(self, time: float, *, urgent: bool) -> float:
        """Return the seconds until the next attempt; 0: now."""
        if self.failures == 0:
            return 0.0
        pause = RETRY_FIRST * 2.0 ** min(self.failures - 1, 10)
        pause = RETRY_FIRST if urgent else min(pause, RETRY_LAST)
        return max(self.refused_at + pause - time, 0.0)

    def agree(self) -> None:
        """Note that the device reads back what was written."""
        self.differs_since = None
        self.mismatch = None
        self.rewrites = 0

    def confirmed(
        self, time: float, settle: float, read: Value | None
    ) -> list[Value | None]:
        """Return what the point may be commanded to, as far as we were told.

        `read` is its own good reading, which is believed once the last write
        had `settle` seconds to show in it; None in the answer: unknown.
        """
        settled = self.at is None or time - self.at >= settle
        if self.owned:
            return [self.value, read] if settled and read is not None else [self.value]
        if not settled:
            return [self.value]
        if read is not None:
            return [read]
        return [self.point.release if self.at is None else self.value, None]

    def possible(
        self, time: float, settle: float, read: Value | None
    ) -> list[Value | None]:
        """Return `confirmed` and what may have arrived unconfirmed."""
        values = self.confirmed(time, settle, read)
        if self.sent:
            left = self.after_release()
            values += [left if value is None else value for value in self.sent]
        return values

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {
            "owned": self.owned,
            "value": self.value,
            "previous": self.previous,
            "at": self.at,
            "on_at": self.on_at,
            "sent": list(self.sent),
            "failures": self.failures,
            "refused_at": self.refused_at,
            "refused_off": self.refused_off,
            "ramp_at": self.ramp_at,
            "differs_since": self.differs_since,
            "mismatch": self.mismatch,
            "rewrites": self.rewrites,
            "rewrite_at": self.rewrite_at,
        }

    def restore(self, time: float, data: dict[str, Any]) -> None:
        """Take what `as_dict` gave; what makes no sense counts as unknown."""
        boolean = self.point.role.quantity.is_boolean
        self.value = _value(boolean, data.get("value"))
        self.previous = _value(boolean, data.get("previous"))
        sent = data.get("sent")
        self.sent = []
        for value in (sent if isinstance(sent, list) else [])[-_SENT_KEPT:]:
            self.offer(_value(boolean, value))
        self.mismatch = _value(boolean, data.get("mismatch"))
        self.owned = data.get("owned") is True
        if self.owned and self.value is None:
            # Something of ours is there, and nobody knows what.
            self.offer(None)
        self.at = past(data.get("at"), time)
        self.on_at = past(data.get("on_at"), time)
        self.ramp_at = past(data.get("ramp_at"), time)
        self.differs_since = past(data.get("differs_since"), time)
        self.failures = _count(data.get("failures"))
        self.rewrites = _count(data.get("rewrites"))
        self.refused_at = past(data.get("refused_at"), time) or 0.0
        self.refused_off = data.get("refused_off") is True
        self.rewrite_at = _soon(data.get("rewrite_at"), time)


def _value(boolean: bool, value: object) -> Value | None:
    if boolean:
        return value if isinstance(value, bool) else None
    return number(value)


def _count(value: object) -> int:
    count = number(value)
    return 0 if count is None else int(min(max(count, 0.0), 1000.0))


def _soon(value: object, time: float) -> float:
    """Return a time to wait for, which is never far off."""
    wait = number(value)
    return time if wait is None else min(wait, time + RETRY_LAST)


class Wires:
    """The wires of a plant, in its order: a restart decides in the same order."""

    def __init__(self, plant: Plant) -> None:
        """Nothing was written yet."""
        self._points = plant.points
        self._wires = {
            key: Wire(point)
            for key, point in plant.points.items()
            if point.role.commandable
        }

    def __iter__(self) -> Iterator[tuple[PointKey, Wire]]:
        """Go over all points that can be commanded, or once were."""
        return iter(self._wires.items())

    def of(self, point: PointKey) -> Wire:
        """Return the wire of a point; KeyError where the plant has none."""
        wire = self._wires.get(point)
        if wire is None:
            wire = self._wires[point] = Wire(self._points[point])
        return wire

    def ours(self) -> Iterable[Wire]:
        """Return the wires on which something of ours is, or may be."""
        return [wire for wire in self._wires.values() if wire.owned or wire.sent]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {
            key: wire.as_dict()
            for key, wire in self._wires.items()
            if wire.ours or wire.at is not None
        }

    def restore(self, time: float, data: object) -> None:
        """Take what `as_dict` gave; leave out points that are gone.

        Called before anything was written.
        """
        for key, row in data.items() if isinstance(data, dict) else ():
            if key in self._points and isinstance(row, dict):
                self.of(key).restore(time, row)
