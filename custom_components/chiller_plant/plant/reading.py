"""What is known of a point, and how far it can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .model import PointKey, Value


class Quality(StrEnum):
    """How far a value can be trusted."""

    GOOD = "good"
    STALE = "stale"
    MISSING = "missing"
    OUT_OF_RANGE = "out_of_range"
    FROZEN = "frozen"
    """Answered, but without the least change for longer than can be meant."""
    OVERRIDDEN = "overridden"
    """Put out of effect at the device: by hand, or by a higher priority."""


_BELIEVED = frozenset({Quality.GOOD, Quality.OVERRIDDEN})


@dataclass(frozen=True, slots=True)
class Reading:
    """The last value of a point, its quality, and when it was last good.

    `at` is in epoch seconds; None means never.
    """

    value: Value | None
    quality: Quality
    at: float | None = None
    detail: str | None = None
    """Why it is overridden, frozen or out of range, for people."""

    @property
    def good(self) -> Value | None:
        """The value if it can be computed with, else None.

        What somebody set by hand is computed with: it is there for that.
        """
        return self.value if self.quality in _BELIEVED else None


MISSING = Reading(None, Quality.MISSING)

type Readings = Mapping[PointKey, Reading]
