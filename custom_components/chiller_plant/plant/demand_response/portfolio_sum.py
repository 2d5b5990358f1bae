"""What several plants take and could shed together, as one utility is told.

A sum says whom it holds. Who is left out of the load is left out of the baseline too,
and the other way round: what is between the two is what is settled. Powers are kW,
times epoch seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .event_baseline import Spans

NOT_HEARD = "it is not heard"
NO_METER = "its meter says nothing"
NO_BASELINE = "its baseline is not known"
NO_ENGINE = "its control engine says nothing"
IN_PART = "not all of its plants are known"


@dataclass(frozen=True, slots=True)
class Part:
    """One plant of a portfolio, as it stands now."""

    name: str
    heard: bool = True
    load_kw: float | None = None
    baseline_kw: float | None = None
    """What its load would be now; None while no event runs too."""
    more_kw: float | None = None
    """What it could shed in addition."""
    complete: bool = True
    """False where it has plants of its own, and one of them is left out."""


@dataclass(frozen=True, slots=True)
class Total:
    """A sum; None where there is nobody to add."""

    kw: float | None = None
    plants: tuple[str, ...] = ()
    """Whom it holds."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Whom it does not, or not as a whole, and why."""


def load_and_baseline(parts: Sequence[Part], *, event: bool) -> tuple[Total, Total]:
    """Return what all take, and what all would take if there were no `event`."""
    needs_baseline = event and any(part.baseline_kw is not None for part in parts)
    held: list[tuple[Part, float]] = []
    left_out: dict[str, str] = {}
    for part in parts:
        if not part.heard:
            left_out[part.name] = NOT_HEARD
        elif part.load_kw is None:
            left_out[part.name] = NO_METER
        elif needs_baseline and part.baseline_kw is None:
            left_out[part.name] = NO_BASELINE
        else:
            held.append((part, part.load_kw))
            if not part.complete:
                left_out[part.name] = IN_PART
    names = tuple(part.name for part, _ in held)
    load = Total(sum(kw for _, kw in held) if held else None, names, left_out)
    known = [part.baseline_kw for part, _ in held if part.baseline_kw is not None]
    if not needs_baseline:
        return load, Total()
    return load, Total(sum(known) if known else None, names, left_out)


def more(parts: Iterable[Part]) -> Total:
    """Return what all could shed in addition."""
    known: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for part in parts:
        if not part.heard:
            left_out[part.name] = NOT_HEARD
        elif part.more_kw is None:
            left_out[part.name] = NO_ENGINE
        else:
            known[part.name] = part.more_kw
    return Total(sum(known.values()) if known else None, tuple(known), left_out)


def kw_at(spans: Iterable[Sequence[float]], now: float) -> float | None:
    """Return what (since, until, kW) say of a moment; None where they say nothing."""
    return next((kw for since, until, kw in spans if since <= now < until), None)


def sum_of(every: Sequence[Sequence[Sequence[float]]]) -> Spans:
    """Return the sum of (since, until, kW) of several, where all of them are known."""
    edges = sorted({edge for spans in every for row in spans for edge in row[:2]})
    found: list[tuple[float, float, float]] = []
    for since, until in pairwise(edges):
        loads = [kw_at(spans, since) for spans in every]
        known = [kw for kw in loads if kw is not None]
        if len(known) == len(loads):
            found.append((since, until, sum(known)))
    return tuple(found)
