"""Puts together what is kept of an event that is over."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..plant.demand_response.event_baseline import EventBaseline
from ..plant.demand_response.performance import LEAST_COVERED, performance
from ..plant.demand_response.record import EventRecord
from .known_event import KnownEvent


def event_record(
    plant: str,
    event: KnownEvent,
    said: EventBaseline,
    meter: str | None,
    opt: str,
    others: Iterable[KnownEvent],
    now: float,
) -> EventRecord:
    """Return the record of an event, without figures.

    `others` are events of which the same load may be paid for too.
    """
    why = ["opted out"] if opt == "out" else []
    why.append(said.why)
    if named := ", ".join(f"{item.source}: {item.name or item.id}" for item in others):
        why.append(f"the same load counts for {named}")
    return EventRecord(
        plant=plant,
        event=event.key,
        event_id=event.id,
        source=event.source,
        name=event.name,
        begins=event.begins,
        ends=event.stopped,
        recovery=event.recovery,
        received=event.received,
        cancelled=event.cancelled,
        opt=opt,
        test=event.test,
        meter=meter,
        method=said.method,
        why="; ".join(why),
        confidence=said.confidence,
        eligible=False,
        relative_error=said.relative_error,
        bias=said.bias,
        baseline_kw=None,
        requested_kw=None,
        target_kw=None,
        actual_kw=None,
        achieved_kw=None,
        shed_percent=None,
        energy_kwh=None,
        samples=0,
        covered=0.0,
        settled_at=now,
    )


def with_figures(
    record: EventRecord,
    said: EventBaseline,
    ask: Callable[[], float | None],
    samples: Sequence[tuple[float, float | None]] | None,
) -> EventRecord:
    """Return the record with what was asked for, and what the meter read.

    `samples` is None without a meter. Takes a while for an event of days.
    """
    requested = ask()
    if samples is None or said.mean(record.begins, record.ends) is None:
        return replace(record, requested_kw=requested)
    found = performance(record.begins, record.ends, requested or 0.0, said, samples)
    why = record.why
    if found.covered < LEAST_COVERED:
        why += f"; the meter covered {100 * found.covered:.0f} % of the event"
    return replace(
        record,
        why=why,
        eligible=found.eligible and record.opt == "in",
        baseline_kw=found.baseline_kw,
        requested_kw=requested,
        target_kw=None if requested is None else found.target_kw,
        actual_kw=found.actual_kw,
        achieved_kw=found.achieved_kw,
        shed_percent=found.shed_percent,
        energy_kwh=found.energy_kwh,
        samples=found.samples,
        covered=found.covered,
    )
