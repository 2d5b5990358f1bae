"""Stands between what is wanted and the machines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Plant, Point, PointKey, Value
from .notices import NoticeBoard
from .reading import Readings
from .wire import Wires


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is about to be sent."""

    point: Point
    value: Value | None
    """None: a release."""
    target: Value | None
    """What the point is then commanded to; None: not known."""
    at_once: bool = False
    """A safety request or a forced stop, which waits for nothing."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why something is not sent yet. `code` stays while the text counts down."""

    code: str
    text: str


class Interlocks:
    """The rules that no request gets around."""

    def __init__(
        self, plant: Plant, wires: Wires, board: NoticeBoard, settle: float
    ) -> None:
        """Watch this plant."""

    def observe(self, time: float, readings: Readings) -> None:
        """Look at the plant; done before anything is judged."""

    def pins(self) -> Mapping[PointKey, Hold]:
        """Return the run commands that are held off whoever wants them on."""
        return {}

    def judge(self, changes: Iterable[Change]) -> dict[PointKey, Hold | None]:
        """Decide which changes may be sent now, in the order of sending."""
        return {change.point.key: None for change in changes}

    def took(self, time: float, point: Point, value: Value | None) -> None:
        """Note that the wire took a value; called before the wire notes it."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {}

    def restore(self, time: float, data: object) -> None:
        """Take what `as_dict` gave."""
