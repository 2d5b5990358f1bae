"""What an event asks of this site, in kW.

An operator decides what a level or a price means here; a utility's kW mean kW.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .grid_event import GridEvent, is_more

DEFAULT_LEVELS = 0.1, 0.2, 0.4
"""Share of the baseline that levels 1 to 3 of SIMPLE take off."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What levels and prices mean at this site."""

    levels: tuple[float, float, float] = DEFAULT_LEVELS
    """Shares of the baseline."""
    prices: Sequence[tuple[float, int]] = ()
    """From which price on which level is kept, in rising order."""
    capacity_kw: float | None = None
    """The load of which a capacity signal is a share; None: of the baseline."""


@dataclass(frozen=True, slots=True)
class RequestedLoad:
    """What the load should be now."""

    target_kw: float
    reduction_kw: float
    """Against the baseline; below 0 where a load above it is allowed."""
    reason: str


def level_of_price(price: float, terms: Terms) -> int:
    """Return the level that a price stands for."""
    level = 0
    for least, meant in terms.prices:
        if price >= least:
            level = meant
    return level


def requested_load(
    event: GridEvent, site: str, now: float, baseline_kw: float, terms: Terms
) -> RequestedLoad | None:
    """Return what an event asks at a moment, None while it asks for nothing.

    The target moves from the baseline over the event's ramp. A target is never
    below 0 kW. A step that asks for more load asks for nothing that could be done.
    """
    signal = event.signal()
    elapsed = now - event.begins(site)
    if signal is None or not 0.0 <= elapsed < event.duration:
        return None
    value = signal.value_at(elapsed)
    if value is None or is_more(signal.kind, value):
        return None
    full, reason = _asked(signal.kind, value, baseline_kw, terms)
    if full is None:
        return None
    if elapsed < event.ramp:
        share = elapsed / event.ramp
        full = baseline_kw + share * (full - baseline_kw)
        reason += f", {100 * share:.0f} % of the way"
    target = max(full, 0.0)
    return RequestedLoad(target, baseline_kw - target, reason)


def not_possible(event: GridEvent, site: str, now: float) -> str | None:
    """Return what an event asks in vain for at a moment: more load."""
    signal = event.signal()
    elapsed = now - event.begins(site)
    if signal is None or elapsed >= event.duration:
        return None
    value = signal.value_at(elapsed)
    if value is None or not is_more(signal.kind, value):
        return None
    _, said = _asked(signal.kind, value, 0.0, Terms())
    return f"{said}: more load is not possible here"


def _asked(
    kind: str, value: float, baseline: float, terms: Terms
) -> tuple[float | None, str]:
    """Return the load in kW that a signal asks for, and what it says."""
    if kind == "load_setpoint":
        return value, f"a load of {value:g} kW"
    if kind == "load_delta":
        return baseline + value, f"{value:+g} kW"
    if kind == "load_multiplier":
        return baseline * value, f"{100 * value:g} % of the load"
    if kind == "capacity":
        whole = baseline if terms.capacity_kw is None else terms.capacity_kw
        return whole * value, f"{100 * value:g} % of the capacity"
    if kind == "percent_offset":
        return baseline * (1.0 + value / 100.0), f"{value:+g} % of the load"
    if kind == "level_offset":
        level = min(max(round(-value), 0), 3)
        said = f"level offset {value:g}"
    elif kind == "price":
        level = level_of_price(value, terms)
        said = f"a price of {value:g}, level {level}"
    else:
        level = int(value)
        said = f"level {level}"
    if level == 0:
        return None, said
    return baseline * (1.0 - terms.levels[level - 1]), said
