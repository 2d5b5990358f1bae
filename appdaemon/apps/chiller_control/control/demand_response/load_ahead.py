"""What the load may be while something is given back after an event.

What is given back now takes its load for a while, and the load that there usually is
may fall meanwhile: in the evening by half within an hour. So the least of it counts
over the time in which it shows.
"""

from collections.abc import Callable

from .shedding_terms import Demand

SHOWS = 1200.0
"""Seconds in which what is given back takes the load that it takes."""
ROOMS_SHOW = 2400.0
"""The same of rooms that get colder: their structure is cooled too."""
_SMOOTHED = 1800
"""Seconds to both sides over which a baseline is smoothed. It is told by the hour,
and where the load falls the end of an hour is well below its mean."""
_SAMPLED = 600
"""Seconds between two looks at it."""


def least_ahead(
    demand: Callable[[float], Demand | None], now: float, ahead: float
) -> float | None:
    """Return the least baseline from now on for `ahead` seconds, kW.

    None where none is known. Times at which something is asked for do not count: the
    load is not to come back then.
    """
    known = [
        load
        for later in range(0, int(ahead) + 1, _SAMPLED)
        if (load := _smoothed(demand, now + later)) is not None
    ]
    return min(known, default=None)


def _smoothed(demand: Callable[[float], Demand | None], at: float) -> float | None:
    known = [
        said.baseline_kw
        for other in range(-_SMOOTHED, _SMOOTHED + 1, _SAMPLED)
        if (said := demand(at + other)) is not None
        and said.asked is None
        and said.baseline_kw > 0.0
    ]
    return sum(known) / len(known) if known else None
