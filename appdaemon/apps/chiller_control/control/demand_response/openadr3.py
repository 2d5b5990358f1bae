"""Events of OpenADR 3.0.1 and 3.1 in our own words.

Intervals follow each other unless they have a period of their own; what such
periods leave open, nothing is asked for. Several values of one type share the time
of their interval evenly (User Guide 3.1, 7.3). CONTROL_LEVEL_OFFSET_PERCENT is
not read: the standard says of it both that a lower one and that a higher one asks
for less.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from math import ceil
import re
from typing import Any, TypeAlias

from .grid_event import (
    LONGEST_EVENT,
    MOST_INTERVALS,
    EventRefused,
    GridEvent,
    Interval,
    Signal,
    SignalKind,
    shown,
)

NO_PRIORITY = 1_000_000

_KINDS: Mapping[str, SignalKind] = {
    "SIMPLE": "simple",
    "DISPATCH_SETPOINT": "load_setpoint",
    "DISPATCH_SETPOINT_RELATIVE": "load_delta",
    "CONTROL_LEVEL_OFFSET": "level_offset",
    "PRICE": "price",
}
_FACTORS: Mapping[str, float] = {"W": 0.001, "KW": 1.0, "MW": 1000.0, "GW": 1e6}
_DURATION = re.compile(
    r"(?P<sign>[-+]?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_UNITS = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_FOR_EVER = "P9999Y"
_AT_ONCE = ("0000-01-01", "0000-00-00", "0001-01-01")
"""A start that means: as soon as the event is known, or after what was before."""


def seconds_of(duration: str) -> float:
    """Return an ISO 8601 duration in seconds. Raises ValueError.

    Months and years are refused: they are not a time until a day is named.
    """
    found = _DURATION.fullmatch(duration)
    if found is None or duration.endswith(("P", "T")):
        raise ValueError(f"{duration!r} is no duration of weeks, days, hours or less")
    total = sum(float(found[name] or 0) * unit for name, unit in _UNITS.items())
    return -total if found["sign"] == "-" else total


def grid_event(event: object, source: str) -> GridEvent:
    """Return an event in our words. Raises `EventRefused` naming what is wrong."""
    if not isinstance(event, Mapping):
        raise EventRefused("it is no event")
    try:
        return _read(event, source)
    except EventRefused:
        raise
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        OverflowError,
    ) as error:
        raise EventRefused(f"it cannot be read ({error!r})") from error


def _read(event: Mapping[str, Any], source: str) -> GridEvent:
    created = _moment(event["createdDateTime"])
    modified = _moment(event.get("modificationDateTime") or event["createdDateTime"])
    whole = event.get("intervalPeriod") or {}
    steps = _steps(event.get("intervals") or (), whole, created)
    start, end = steps[0][0], max(until for _, until, _ in steps)
    signals = _signals(steps, _factors(event.get("payloadDescriptors") or ()))
    duration = end - start
    if wanted := _optional_seconds(event.get("duration")):
        signals = tuple(_lasting(signal, duration, wanted) for signal in signals)
        duration = wanted
    priority = event.get("priority")
    return GridEvent(
        id=str(event["id"]),
        source=source,
        # There is no count of modifications: a later one has a later time.
        modification=int(modified * 1000.0),
        rank=NO_PRIORITY
        if priority is None
        else min(max(int(priority), 0), NO_PRIORITY),
        start=start,
        duration=duration,
        signals=signals,
        created=created,
        randomise=_optional_seconds(whole.get("randomizeStart")),
        comment=shown(str(event.get("eventName") or "")),
    )


_Step: TypeAlias = tuple[float, float, Mapping[str, Sequence[float]]]
"""From, until, and values by payload type."""


def _steps(
    intervals: Sequence[Mapping[str, Any]], whole: Mapping[str, Any], created: float
) -> list[_Step]:
    steps: list[_Step] = []
    at = _start(whole.get("start"), created)
    for interval in intervals:
        own = interval.get("intervalPeriod") or {}
        if own.get("start"):
            at = _start(own["start"], created if at is None else at)
        duration = _optional_seconds(own.get("duration") or whole.get("duration"))
        if duration < 0.0:
            raise EventRefused(f"an interval lasts {duration:g} s, which is no time")
        if at is None:
            raise EventRefused("it says nowhere when it begins")
        steps.append((at, at + duration, _payloads(interval["payloads"])))
        at += duration
    if not steps:
        raise EventRefused("it has no intervals")
    steps.sort(key=lambda step: step[0])
    for before, after in pairwise(steps):
        if after[0] < before[1] - 1.0:
            raise EventRefused("two of its intervals overlap")
    return steps


def _payloads(payloads: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[float]]:
    found: dict[str, Sequence[float]] = {}
    for payload in payloads:
        name = str(payload["type"])
        if name not in _KINDS:
            continue
        if name in found:
            raise EventRefused(f"an interval says {name} twice")
        found[name] = tuple(float(value) for value in payload["values"])
        if not found[name]:
            raise EventRefused(f"an interval has no value of its {name}")
    return found


def _signals(
    steps: Sequence[_Step], factors: Mapping[str, float]
) -> tuple[Signal, ...]:
    """Return what is said in every interval in which anything is.

    What only some say would leave the others without what they do say.
    """
    present = [name for name in _KINDS if any(name in step[2] for step in steps)]
    throughout = [
        name
        for name in present
        if all(name in step[2] or not step[2] for step in steps)
    ]
    if present and not throughout:
        raise EventRefused(
            f"its intervals ask for different things ({', '.join(present)}), none of"
            " which all of them do"
        )
    signals = []
    for name in throughout:
        factor = factors.get(name, 1.0)
        if name == "CONTROL_LEVEL_OFFSET":
            # There the higher asks for less, here and in 2.0b the lower does.
            factor = -1.0
        intervals: list[Interval] = []
        at = steps[0][0]
        for since, until, values in steps:
            if since > at:
                intervals.append(Interval(since - at, None))
            said = values.get(name, (None,))
            intervals.extend(
                Interval(
                    (until - since) / len(said),
                    None if value is None else factor * value,
                )
                for value in said
            )
            at = until
        signals.append(Signal(_KINDS[name], tuple(intervals)))
    return tuple(signals)


def _lasting(signal: Signal, whole: float, wanted: float) -> Signal:
    """Return a signal of `whole` seconds cut short, or gone through again and again."""
    if not 0.0 < wanted <= LONGEST_EVENT:
        raise EventRefused(
            f"its duration is {wanted / 86400:g} days; 7 are the most, and more than 0"
        )
    rounds = ceil(wanted / whole) if whole > 0.0 else 1
    if rounds * len(signal.intervals) > MOST_INTERVALS:
        raise EventRefused(f"repeated, it has over {MOST_INTERVALS} steps")
    intervals: list[Interval] = []
    left = wanted
    for interval in signal.intervals * rounds:
        if left <= 0.0:
            break
        intervals.append(Interval(min(interval.duration, left), interval.value))
        left -= interval.duration
    return Signal(signal.kind, tuple(intervals))


def _factors(descriptors: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return what a value is to be multiplied by to be kW, by payload type."""
    found: dict[str, float] = {}
    for descriptor in descriptors:
        name, unit = descriptor.get("payloadType"), descriptor.get("units")
        if name not in ("DISPATCH_SETPOINT", "DISPATCH_SETPOINT_RELATIVE") or not unit:
            continue
        if str(unit).upper() not in _FACTORS:
            raise EventRefused(f"its {name} is in {unit}, which is no unit of power")
        found[str(name)] = _FACTORS[str(unit).upper()]
    return found


def _start(value: str | None, at_once: float) -> float | None:
    if not value:
        return None
    return at_once if value.startswith(_AT_ONCE) else _moment(value)


def _moment(value: str) -> float:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return moment.timestamp()


def _optional_seconds(value: str | None) -> float:
    if value == _FOR_EVER:
        raise EventRefused(
            "it has no end: nobody could plan for when the load comes back"
        )
    return 0.0 if not value else seconds_of(value)
