"""How much less an event asked for, over its whole time.

The control engine asks the same question of every moment, to act on it; what is
settled must not depend on an engine that was away. A test holds the two together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from .event_baseline import EventBaseline

SPECIFIC_FIRST = (
    "load_setpoint",
    "load_delta",
    "load_multiplier",
    "capacity",
    "percent_offset",
    "level_offset",
    "simple",
    "price",
)
AS_USUAL: Mapping[str, float] = {
    "load_delta": 0.0,
    "load_multiplier": 1.0,
    "percent_offset": 0.0,
    "level_offset": 0.0,
}
"""Above which a signal asks for more load, which is nobody's: nothing is asked then."""
_STEP = 60.0
"""Seconds; ramps and steps of a signal are not finer."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What levels and prices mean at this site."""

    levels: Sequence[float]
    """Shares of the baseline that levels 1 to 3 take off."""
    prices: Sequence[tuple[float, int]]
    """From which price on which level is kept, in rising order."""
    capacity_kw: float | None
    """The load of which a capacity signal is a share; None: of the baseline."""


def requested_kw(
    begins: float,
    until: float,
    signals: Sequence[Mapping[str, Any]],
    ramp: float,
    said: EventBaseline,
    terms: Terms,
) -> float | None:
    """Return the mean reduction that was asked for from `begins` to `until`, kW.

    `signals` are those of the book. None if there is no signal or no baseline.
    """
    signal = _most_exact(signals)
    if signal is None or not until > begins:
        return None
    ends = list(accumulate(float(item["duration"]) for item in signal["intervals"]))
    values = [item["value"] for item in signal["intervals"]]
    asked = 0.0
    at = begins
    place = 0
    while at < until:
        end = min(at + _STEP, until)
        middle = (at + end) / 2.0 - begins
        while place < len(ends) and middle >= ends[place]:
            place += 1
        load = said.mean(at, end)
        if load is None:
            return None
        if place < len(values) and values[place] is not None:
            full = _load_asked(signal["kind"], float(values[place]), load, terms)
            if middle < ramp:
                full = load + middle / ramp * (full - load)
            asked += (end - at) * (load - max(full, 0.0))
        at = end
    return asked / (until - begins)


def reduction_at(
    elapsed: float,
    signals: Sequence[Mapping[str, Any]],
    ramp: float,
    load: float,
    terms: Terms,
) -> float | None:
    """Return what is asked for so many seconds after the start, kW less than `load`.

    None while nothing is.
    """
    signal = _most_exact(signals)
    if signal is None:
        return None
    end = 0.0
    for item in signal["intervals"]:
        end += float(item["duration"])
        if elapsed < end:
            if item["value"] is None:
                return None
            full = _load_asked(signal["kind"], float(item["value"]), load, terms)
            if elapsed < ramp:
                full = load + elapsed / ramp * (full - load)
            return load - max(full, 0.0)
    return None


def _most_exact(signals: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next(
        (item for kind in SPECIFIC_FIRST for item in signals if item["kind"] == kind),
        None,
    )


def _load_asked(kind: str, value: float, load: float, terms: Terms) -> float:
    """Return the load in kW that a signal asks for, given what it would be."""
    if kind in AS_USUAL and value > AS_USUAL[kind]:
        return load
    match kind:
        case "load_setpoint":
            return value
        case "load_delta":
            return load + value
        case "load_multiplier":
            return load * value
        case "capacity":
            whole = load if terms.capacity_kw is None else terms.capacity_kw
            return whole * value
        case "percent_offset":
            return load * (1.0 + value / 100.0)
        case "level_offset":
            level = min(max(round(-value), 0), len(terms.levels))
        case "price":
            level = max(
                (place for place, row in enumerate(terms.prices) if value >= row[0]),
                default=-1,
            )
            level = terms.prices[level][1] if level >= 0 else 0
        case _:
            level = int(value)
    return load if level == 0 else load * (1.0 - terms.levels[level - 1])
