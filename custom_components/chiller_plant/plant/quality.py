"""How far a value that came from the wire can be trusted.

One place decides it, so that every face and every controller sees the same:
what is not good is never computed with.
"""

import math

from .model import Point, Value
from .reading import MISSING, Quality, Reading

STALE_AFTER_POLLS = 3
"""A value survives two lost polls; equipment answers late often enough that
one must not blank it."""


def stale_after(poll_interval: float) -> float:
    """Return the age in seconds from which on a value is stale."""
    return STALE_AFTER_POLLS * poll_interval


def judge(
    point: Point,
    value: Value | None,
    previous: Reading,
    now: float,
    poll_interval: float,
) -> Reading:
    """Return the reading of a point after a poll.

    `value` is what this poll brought, in the unit of the role; None when the
    point did not answer. `previous` is its reading after the poll before
    (`MISSING` for the first). `now` is in epoch seconds. Never raises.

    - A value that is no finite number, or not a number or a truth value as the
      role wants it, or outside the limits of a point that is only read, is
      out of range. A commanded point is believed outside its limits: they
      bound our commands, and the equipment's own panel may go beyond them.
    - With no answer, the value stays until it is stale; an out-of-range one
      goes stale as well. A stale value is kept to be shown, not to compute
      with. A point that never answered is missing.
    """
    if value is not None:
        if (believed := _believed(point, value)) is not None:
            return Reading(believed, Quality.GOOD, now)
        return Reading(_shown(value), Quality.OUT_OF_RANGE, previous.at)
    return age(previous, now, poll_interval)


def age(reading: Reading, now: float, poll_interval: float) -> Reading:
    """Return a reading that nothing new was heard of, as it is at `now`.

    A reading from the future (the clock was set back) counts as old as it is
    far: it could else be believed until the clock has caught up.
    """
    if reading.quality in (Quality.MISSING, Quality.STALE):
        return reading
    if reading.at is None:
        return MISSING
    if abs(now - reading.at) > stale_after(poll_interval):
        return Reading(reading.value, Quality.STALE, reading.at)
    return reading


def _believed(point: Point, value: Value) -> Value | None:
    if point.role.quantity.is_boolean:
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not math.isfinite(value):
        return None
    if point.writable:
        return float(value)
    if point.low is not None and value < point.low:
        return None
    if point.high is not None and value > point.high:
        return None
    return float(value)


def _shown(value: Value) -> Value | None:
    """Return what may be shown of a value that is not believed."""
    return value if isinstance(value, bool) or math.isfinite(value) else None
