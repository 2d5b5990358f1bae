"""What the events came to, and how good the baselines are that they are held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

import numpy as np

from custom_components.chiller_plant.plant.demand_response.baselines import METHODS
from custom_components.chiller_plant.plant.demand_response.event_baseline import (
    EventBaseline,
)
from custom_components.chiller_plant.plant.demand_response.load_days import (
    EventHours,
    event_hours,
    load_days,
)
from custom_components.chiller_plant.plant.demand_response.outdoor_air import (
    MEASURED,
    SUN,
    weather_by_hour,
)
from custom_components.chiller_plant.plant.demand_response.performance import (
    performance,
)
from custom_components.chiller_plant.plant.demand_response.placebo import (
    Placebo,
    placebos,
)

from .days import Watched
from .events import HOUR, SETTINGS, Answering, Means, Outside, is_off

_QUARTER = 900.0
_FIVE = 300.0
RECOVERY = 4 * HOUR
"""Seconds after an event in which the load is looked at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One event, beside the same day without it. Loads in kW."""

    name: str
    method: str
    confidence: str
    baseline: float
    truth: float
    """What the load was on the same day without the event."""
    target: float
    actual: float
    target_error: float
    """Mean of |load - target| / target from 15 minutes after its begin, of means
    over five minutes."""
    late_error: float
    """The same of the five minutes after the first fifteen."""
    comfort_violation: float
    """K h above the warmest temperature until the recovery is over."""
    warmest: float
    rebound: float
    """Highest mean over 15 minutes after the event, over what it would have been."""
    risen: float
    """The same of the two hours before it: cooling ahead."""
    settled: float
    achieved: float
    without_sun: float
    """What is settled where the weather station has no pyranometer."""
    without_weather: float
    """The same where there is no weather station."""

    @property
    def performance_error(self) -> float:
        """What the settled reduction is off by, over the load."""
        return self.off(self.settled)

    def off(self, settled: float) -> float:
        """Return what a settled reduction is off by, over the load."""
        return abs(settled - self.achieved) / self.truth


def outcome(
    site: Answering,
    seen: Watched,
    without: Watched,
    means: Means,
    outside: Outside | None = None,
) -> Outcome:
    """Judge one event; `means` and `outside` are the hours of the days before it."""
    begins, ends = site.begins, site.ends
    fives = np.arange(begins, ends - _FIVE + 1.0, _FIVE)
    off = [
        abs(seen.mean(at, at + _FIVE) / site.target(at) - 1.0) for at in fives.tolist()
    ]
    midnight = begins - site.case.begins * HOUR
    today = [
        (at, seen.mean(at, at + HOUR))
        for at in np.arange(midnight, midnight + 24 * HOUR, HOUR).tolist()
    ]
    load = [*means, *today]
    weather = _with_today(outside or {}, seen, midnight)
    said = site.settled_by(load, weather)
    cloudy = {role: hours for role, hours in weather.items() if role != SUN}
    baseline, truth = said.mean(begins, ends), without.mean(begins, ends)
    assert baseline is not None
    settled = performance(
        begins,
        ends,
        site.case.share * baseline,
        said,
        list(zip(seen.time.tolist(), seen.meter.tolist(), strict=True)),
    )
    assert settled.achieved_kw is not None
    assert settled.actual_kw is not None
    kept = (seen.time > begins) & (seen.time <= ends + RECOVERY)
    above = np.maximum(seen.zones[kept] - SETTINGS.warmest, 0.0)
    return Outcome(
        site.case.name,
        said.method,
        said.confidence,
        baseline,
        truth,
        settled.target_kw,
        settled.actual_kw,
        float(np.mean(off[3:])),
        off[3],
        float(above.sum()) / 60.0,
        float(seen.zones[kept].max()),
        _peak(seen, without, ends, ends + RECOVERY),
        _peak(seen, without, begins - 2 * HOUR, begins),
        settled.achieved_kw,
        truth - seen.mean(begins, ends),
        _shed(site.settled_by(load, cloudy), seen, begins, ends),
        _shed(site.settled_by(load), seen, begins, ends),
    )


def _shed(said: EventBaseline, seen: Watched, begins: float, ends: float) -> float:
    baseline = said.mean(begins, ends)
    assert baseline is not None
    return baseline - seen.mean(begins, ends)


def _with_today(outside: Outside, seen: Watched, midnight: float) -> Outside:
    """Return the weather until the end of a day; nothing where there was none before."""
    found = {role: dict(hours) for role, hours in outside.items()}
    for at in np.arange(midnight, midnight + 24 * HOUR, HOUR).tolist():
        means = seen.outside(at, at + HOUR)
        for role, value in zip(MEASURED, means, strict=True):
            if role in found:
                found[role][at] = value
    return found


def _peak(seen: Watched, without: Watched, since: float, until: float) -> float:
    quarters = np.arange(since, until, _QUARTER).tolist()
    return max(
        seen.mean(at, at + _QUARTER) / without.mean(at, at + _QUARTER)
        for at in quarters
        if at + _QUARTER <= seen.time[-1]
    )


def trusted(
    means: Means, begins: float, ends: float, outside: Outside | None = None
) -> Mapping[str, Placebo]:
    """Try every method on the days of a history; the event is of its last weekday.

    Each of those days is taken for a day with an event that was told when it began.
    """
    days = load_days(means, UTC, is_off, {}, weather_by_hour(outside or {}))
    last = max(day.day for day in days if not day.off)
    one = event_hours(begins, ends, UTC, notified=begins)
    return placebos(EventHours(last, one.hours, one.clean_until), days)


def worst(outcomes: Sequence[Outcome], what: str) -> float:
    """Return the largest of something over all events."""
    return max(float(getattr(item, what)) for item in outcomes)


METHOD_NAMES = tuple(METHODS)
