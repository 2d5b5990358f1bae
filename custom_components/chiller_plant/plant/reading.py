"""What is known of a point, and how far it can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .model import PointKey, Value


class Quality(StrEnum):
    """How far a value can be trusted; only `good` may be computed with."""

    GOOD = "good"
    STALE = "stale"
    MISSING = "missing"
    OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, slots=True)
class Reading:
    """The last value of a point, its quality, and when it was last good.

    `at` is in epoch seconds; None means never.
    """

    value: Value | None
    quality: Quality
    at: float | None = None

    @property
    def good(self) -> Value | None:
        """The value if it can be computed with, else None."""
        return self.value if self.quality is Quality.GOOD else None


MISSING = Reading(None, Quality.MISSING)

type Readings = Mapping[PointKey, Reading]
