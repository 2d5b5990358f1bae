"""Which times of the past say nothing of an ordinary load: those of events."""

from collections.abc import Iterable, Sequence
from datetime import date, tzinfo

from ..hourly import HOUR
from .load_days import wall_time

type Times = Sequence[tuple[float, float]]
"""(since, until), epoch seconds."""


def touched_days(times: Times, zone: tzinfo) -> dict[date, str]:
    """Return the local days that events touched, and that it was one."""
    found: dict[date, str] = {}
    for since, until in times:
        at = since
        while at < until:
            found[wall_time(at, zone)[0]] = "an event"
            at += HOUR
        if until > since:
            found[wall_time(until - 1.0, zone)[0]] = "an event"
    return found


def untouched(
    means: Iterable[tuple[float, float]], times: Times
) -> list[tuple[float, float]]:
    """Return the hours (start, mean) that no event touched.

    Where a day is compared until deep into its night, or fitted to its morning, an
    event of the next day or an earlier one of the same must not be in it.
    """
    return [
        (at, mean)
        for at, mean in means
        if not any(since < at + HOUR and at < until for since, until in times)
    ]
