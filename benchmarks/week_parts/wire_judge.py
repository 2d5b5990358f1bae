"""Whether the machines were treated as they must be, judged from the wire alone.

What the devices said is looked at as an inspector would look at a trend log:
nothing here asks the interlocks, their history, or what anybody intended.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations, pairwise

import numpy as np

from custom_components.chiller_plant.plant.roles import EquipmentType

from .site_run import STEP, Record

_SLACK = 2 * STEP
"""Seconds by which a look every so often may be wrong about a time."""
_SHARED = ("chilled_water_pumps", "condenser_water_pumps", "cooling_towers")


def violations(record: Record) -> list[str]:
    """Return what was done to a machine that must not be, a sentence each."""
    return [
        *_short_cycles(record),
        *_starts(record),
        *_without_flow(record),
        *_without_service(record),
        *_at_once(record),
        *_beyond_limits(record),
    ]


def runs(on: np.ndarray) -> list[tuple[int, int]]:
    """Return the first row of each time that something was on, and the row after it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def chillers(record: Record) -> list[str]:
    """Return the keys of the chillers."""
    return [item.key for item in record.plant.of_type(EquipmentType.CHILLER)]


def _on(record: Record, key: str) -> np.ndarray:
    found: np.ndarray = record.column(key) > 0.5
    return found


def _at(record: Record, row: int) -> str:
    moment = datetime.fromtimestamp(float(record.times[row]), record.zone)
    return f"{moment:%a %d %b %H:%M:%S}"


def _short_cycles(record: Record) -> Iterator[str]:
    times, last = record.times, len(record.times)
    for key in chillers(record):
        rules = record.plant.equipment[key].interlocks
        seen = runs(_on(record, f"{key}.run_status"))
        for begin, end in seen:
            if begin > 0 and end < last:
                ran = times[end] - times[begin]
                if ran < rules.minimum_run_time - _SLACK:
                    yield f"{_at(record, end)}: {key} stopped after {ran:.0f} s"
        for (_, end), (begin, _) in pairwise(seen):
            stood = times[begin] - times[end]
            if stood < rules.minimum_off_time - _SLACK:
                yield f"{_at(record, begin)}: {key} started after {stood:.0f} s"


def _starts(record: Record) -> Iterator[str]:
    for key in chillers(record):
        most = record.plant.equipment[key].interlocks.maximum_starts_per_hour
        rows = [begin for begin, _ in runs(_on(record, f"{key}.run_command")) if begin]
        if most is None:
            continue
        for first, row in zip(rows, rows[most:], strict=False):
            if record.times[row] - record.times[first] < 3600.0 - _SLACK:
                yield f"{_at(record, row)}: {key} started {most + 1} times in an hour"


def _without_flow(record: Record) -> Iterator[str]:
    for key in chillers(record):
        rules = record.plant.equipment[key].interlocks
        running = _on(record, f"{key}.run_status")
        commanded = _on(record, f"{key}.run_command")
        for role in ("chilled_water_flow_status", "condenser_water_flow_status"):
            flow = _on(record, f"{key}.{role}")
            for begin, end in runs(running & ~flow):
                lasted = (end - begin) * STEP
                if lasted > rules.flow_loss_time + _SLACK:
                    yield f"{_at(record, begin)}: {key} ran {lasted:.0f} s without {role}"
            for begin, _ in runs(commanded):
                proof = max(0, begin - int(rules.flow_proof_time / STEP))
                if begin and not flow[proof:begin].all():
                    yield f"{_at(record, begin)}: {key} was started without {role}"


def _without_service(record: Record) -> Iterator[str]:
    running = {key: _on(record, f"{key}.run_status") for key in chillers(record)}
    for kind in _SHARED:
        served: dict[tuple[str, ...], list[str]] = {}
        for key in running:
            machines = record.plant.equipment[key].served_by.get(kind, ())
            served.setdefault(tuple(sorted(machines)), []).append(key)
        for machines, users in served.items():
            if not machines:
                continue
            wanted = np.sum([running[key] for key in users], axis=0)
            there = np.sum(
                [_on(record, f"{machine}.run_status") for machine in machines], axis=0
            )
            for begin, end in runs(there < wanted):
                if (end - begin) * STEP > _SLACK:
                    yield f"{_at(record, begin)}: fewer {kind} than chillers"
    for key, on in running.items():
        for valve in record.plant.equipment[key].served_by.get("valves", ()):
            shut = on & ~_on(record, f"{valve}.open_status")
            for begin, end in runs(shut):
                if (end - begin) * STEP > _SLACK:
                    yield f"{_at(record, begin)}: {key} ran with {valve} shut"


def _at_once(record: Record) -> Iterator[str]:
    """Yield moments in which a second chiller was told to change too soon."""
    rows = {}
    for key in chillers(record):
        on = _on(record, f"{key}.run_command")
        rows[key] = np.flatnonzero(np.diff(on.astype(np.int8))) + 1
    for one, other in combinations(rows, 2):
        wait = min(
            record.plant.equipment[key].interlocks.change_time for key in (one, other)
        )
        for row in rows[one]:
            for second in rows[other]:
                apart = abs(record.times[row] - record.times[second])
                if apart < wait - _SLACK:
                    later = int(max(row, second))
                    yield f"{_at(record, later)}: {one} and {other} {apart:.0f} s apart"


def _beyond_limits(record: Record) -> Iterator[str]:
    for key in record.keys:
        point = record.plant.points[key]
        if not point.role.commandable or point.role.quantity.is_boolean:
            continue
        values = record.column(key)
        # Registers carry a hundredth.
        if point.low is not None and values.min() < point.low - 0.02:
            yield f"{key} was commanded to {values.min():.2f}, below {point.low:g}"
        if point.high is not None and values.max() > point.high + 0.02:
            yield f"{key} was commanded to {values.max():.2f}, above {point.high:g}"
