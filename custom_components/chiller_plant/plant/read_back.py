"""Whether the devices follow: what they read back, against what was written.

Somebody else may command a point, or the device may not follow. People are
told once, when it begins and when it is over.
"""

import math

from .model import ModbusAddress, Plant, Point, Value
from .notices import NoticeBoard, NoticeKind
from .reading import Quality, Reading, Readings
from .wire import Wire, Wires


class ReadBack:
    """Watches all that is on the wire because of us."""

    def __init__(
        self, plant: Plant, wires: Wires, board: NoticeBoard, settle: float
    ) -> None:
        """Give a device `settle` seconds to show what was written."""
        self._plant = plant
        self._wires = wires
        self._board = board
        self._settle = settle

    def compare(self, time: float, readings: Readings) -> None:
        """Note on each wire what its device reads back."""
        for key, wire in self._wires:
            if not wire.ours:
                continue
            reading = readings.get(key)
            if (
                reading is not None
                and reading.value == wire.value
                and reading.quality is Quality.GOOD
                and wire.agrees
                and not wire.overridden
            ):
                continue  # as nearly always
            value = reading.good if reading is not None else None
            wire.overridden = (
                reading is not None and reading.quality is Quality.OVERRIDDEN
            )
            if reading is None or value is None:
                continue
            if wire.sent or wire.point.address is None:
                continue
            if value == wire.value and wire.agrees:
                continue
            if not self._is_before(time, wire, reading):
                self._compare(time, wire, reading, value)

    def _is_before(self, time: float, wire: Wire, reading: Reading) -> bool:
        """Whether a reading is from before the last write, and says nothing of it.

        A setpoint may be read every five minutes only.
        """
        if wire.at is None or reading.at is None:
            return False
        return self._board.now - reading.at > time - wire.at

    def _compare(self, time: float, wire: Wire, reading: Reading, value: Value) -> None:
        age = time - wire.at if wire.at is not None else math.inf
        if _close(wire.point, value, wire.value) or (
            age < self._settle and _close(wire.point, value, wire.previous)
        ):
            if wire.mismatch is not None:
                self._board.post(
                    NoticeKind.MISMATCH_CLEARED,
                    wire.point,
                    f"{point_name(self._plant, wire.point)} follows its command again",
                    before=wire.mismatch,
                    after=value,
                )
            wire.agree()
            return
        if wire.differs_since is None:
            wire.differs_since = time
        if age < self._settle and time - wire.differs_since < self._settle:
            return
        if wire.mismatch is None:
            wire.rewrite_at = time
            self._tell(wire, reading, value)
        wire.mismatch = value

    def _tell(self, wire: Wire, reading: Reading, value: Value) -> None:
        why = reading.detail if wire.overridden else None
        why = why or "somebody else commands it, or the device does not follow"
        self._board.post(
            NoticeKind.MISMATCH,
            wire.point,
            f"{point_name(self._plant, wire.point)} reads back "
            f"{shown(wire.point, value)}, {shown(wire.point, wire.value)} was written: "
            f"{why}",
            before=wire.value,
            after=value,
        )


def point_name(plant: Plant, point: Point) -> str:
    """Return a point's name for people."""
    return (
        f"{plant.equipment[point.equipment].name} {point.role.name.replace('_', ' ')}"
    )


def shown(point: Point, value: Value | None) -> str:
    """Return a value for people."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g} {point.role.quantity.unit or ''}".rstrip()


def _close(point: Point, read: Value, written: Value | None) -> bool:
    """Whether a reading is the written value, as far as the wire can show it."""
    if written is None:
        return False
    if isinstance(read, bool) or isinstance(written, bool):
        return read == written
    step = 0.0
    if isinstance(point.address, ModbusAddress):
        # A wire unit may be larger than ours; none is more than ten times.
        step = abs(point.address.scale) * (10 if point.wire_unit else 1)
    return abs(read - written) <= max(0.1, 0.01 * abs(written), step)
