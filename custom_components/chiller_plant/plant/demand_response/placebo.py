"""How sure a baseline is, told by days on which there was no event.

Each past day is taken for the day of the event: the baseline is made of what was
known then, and compared with what was. A site whose load cannot be foretold is
not eligible, which is an answer too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import sqrt
from statistics import fmean
from typing import Literal

from .baselines import (
    METHODS,
    WEATHER,
    NoBaseline,
    baseline,
    eligible_days,
    preferred_method,
)
from .load_days import EventHours, LoadDay

type Confidence = Literal["high", "medium", "low", "unknown"]

HIGH, MEDIUM = 0.10, 0.20
"""Relative root mean square error; 20 % is the limit of AEMO and PJM, beyond
which a site is not eligible."""
FEWEST_DAYS = 5
MOST_DAYS = 30
_CLEARLY = 0.9
"""Share of the error of the usual method that another may have to be taken."""


@dataclass(frozen=True, slots=True)
class Placebo:
    """How far a method was off on days without an event."""

    method: str
    days: int
    relative_error: float
    """Root of the mean square error over mean load (RRMSE)."""
    cvrmse: float
    """The same with n - 1 (ASHRAE Guideline 14)."""
    bias: float
    """Mean error over mean load, above 0 where the baseline is too high (NMBE)."""

    @property
    def confidence(self) -> Confidence:
        """What a person may make of it."""
        if self.days < FEWEST_DAYS:
            return "unknown"
        if self.relative_error <= HIGH:
            return "high"
        return "medium" if self.relative_error <= MEDIUM else "low"

    @property
    def eligible(self) -> bool:
        """Whether an event may be settled by it."""
        return self.confidence in ("high", "medium")


def placebo(method: str, event: EventHours, days: Sequence[LoadDay]) -> Placebo:
    """Try a method on the last days like the day of the event.

    Load is compared in the event's own hours. Raises `NoBaseline` if there is
    no day to try it on.
    """
    tried = _tried(method, event, days)
    errors = [said - was for pairs in tried.values() for said, was in pairs]
    loads = [was for pairs in tried.values() for _, was in pairs]
    mean = fmean(loads) if loads else 0.0
    if not mean > 0.0:
        raise NoBaseline(f"there is no day to try {method} on")
    squares = sum(error * error for error in errors)
    count = len(errors)
    return Placebo(
        method,
        len(tried),
        sqrt(squares / count) / mean,
        sqrt(squares / max(count - 1, 1)) / mean,
        fmean(errors) / mean,
    )


def chosen_method(event: EventHours, days: Sequence[LoadDay]) -> str:
    """Return the method that is best for an event here, by the site's own past.

    That is the utilities' usual one for as many days as there are, or the one that
    knows the weather, where it was clearly closer on the same days, told as early.
    """
    usual = preferred_method(event, days)
    weather = _tried(WEATHER, event, days)
    others = _tried(usual, event, days)
    both = weather.keys() & others.keys()
    if len(both) < FEWEST_DAYS:
        return usual
    off = [
        sum((said - was) ** 2 for day in both for said, was in tried[day])
        for tried in (weather, others)
    ]
    return WEATHER if off[0] < _CLEARLY**2 * off[1] else usual


def _tried(
    method: str, event: EventHours, days: Sequence[LoadDay]
) -> dict[date, list[tuple[float, float]]]:
    """Return what a method said of the hours of past days, and what they were."""
    found: dict[date, list[tuple[float, float]]] = {}
    for day in eligible_days(event, days)[:MOST_DAYS]:
        try:
            said = baseline(method, replace(event, day=day.day), days)
        except NoBaseline:
            continue
        found[day.day] = [(said.hours[hour], day.hours[hour]) for hour in event.hours]
    return found


def placebos(event: EventHours, days: Sequence[LoadDay]) -> dict[str, Placebo]:
    """Try all methods; those that cannot be tried are left out."""
    found: dict[str, Placebo] = {}
    for method in METHODS:
        try:
            found[method] = placebo(method, event, days)
        except NoBaseline:
            continue
    return found
