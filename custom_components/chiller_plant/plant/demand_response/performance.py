"""What a site gave in an event, as it is settled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..hourly import HOUR
from .event_baseline import EventBaseline

MOST_HOLD = 900.0
"""Seconds for which a reading of the meter stands for the load."""
LEAST_COVERED = 0.9
"""Share of the event that must be measured before it may be settled."""


@dataclass(frozen=True, slots=True)
class Performance:
    """The figures of one event; kW are means over its whole time."""

    baseline_kw: float
    requested_kw: float
    """How much less was asked for."""
    target_kw: float
    """What the load should have been."""
    actual_kw: float | None
    """None if the meter said nothing."""
    achieved_kw: float | None
    shed_percent: float | None
    """What was achieved of what was requested; None if nothing was."""
    energy_kwh: float | None
    """Energy that was not used."""
    confidence: str
    eligible: bool
    samples: int
    covered: float
    """Share of the event in which the load is known."""
    method: str


def performance(
    start: float,
    end: float,
    requested_kw: float,
    said: EventBaseline,
    samples: Sequence[tuple[float, float | None]],
) -> Performance:
    """Settle an event from `start` to `end`, epoch seconds.

    `samples` are the meter's readings in kW in the order of time, from before
    the start if there is one; None is a reading that was lost. A reading holds
    until the next one, at most `MOST_HOLD`. What is not known is not made up:
    achieved load is judged only where it was measured. Raises KeyError if the
    baseline is of another time, or there is none.
    """
    held = list(_held(samples, start, end))
    known = sum(until - since for since, until, _ in held)
    base_all = _mean_of(said, [(start, end)])
    used: float | None = None
    achieved: float | None = None
    if known > 0.0:
        used = sum((until - since) * load for since, until, load in held) / known
        achieved = _mean_of(said, [(a, b) for a, b, _ in held]) - used
    return Performance(
        baseline_kw=base_all,
        requested_kw=requested_kw,
        target_kw=max(base_all - requested_kw, 0.0),
        actual_kw=used,
        achieved_kw=achieved,
        shed_percent=(
            100.0 * achieved / requested_kw
            if achieved is not None and requested_kw > 0.0
            else None
        ),
        energy_kwh=None if achieved is None else achieved * known / HOUR,
        confidence=said.confidence,
        eligible=said.eligible and known >= LEAST_COVERED * (end - start),
        samples=sum(
            1 for at, load in samples if start <= at < end and load is not None
        ),
        covered=known / (end - start),
        method=said.method,
    )


def _held(
    samples: Sequence[tuple[float, float | None]], start: float, end: float
) -> Iterable[tuple[float, float, float]]:
    """Yield (since, until, kW) within the event."""
    for index, (at, load) in enumerate(samples):
        if load is None:
            continue
        until = min(at + MOST_HOLD, end)
        if index + 1 < len(samples):
            until = min(until, samples[index + 1][0])
        since = max(at, start)
        if until > since:
            yield since, until, load


def _mean_of(said: EventBaseline, spans: Iterable[tuple[float, float]]) -> float:
    """Return the mean of the baseline over spans of time, kW."""
    total = weighed = 0.0
    for since, until in spans:
        load = said.mean(since, until)
        if load is None:
            raise KeyError(f"there is no baseline from {since:.0f} to {until:.0f}")
        total += (until - since) * load
        weighed += until - since
    return total / weighed
