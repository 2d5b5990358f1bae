"""Whether each start and stop of a chiller was told of, with its condition and reason."""

from dataclasses import dataclass, field
from datetime import datetime
import re

import numpy as np

from .house import Told
from .site_run import Record
from .wire_judge import chillers

_LONGEST_CHANGE = 2400.0
"""Seconds from the decision to the command: the start sequence and what the
interlocks make it wait for."""
_STARTS = frozenset({"plant_start", "stage_up", "handover", "chiller_excluded"})
_STOPS = frozenset({"plant_stop", "stage_down", "handover", "chiller_excluded"})
_MEASURED = frozenset({"stage_up", "stage_down"})
"""Changes that a measurement leads to: their reason names it with its limit."""
_CONDITION = re.compile(r"\d.*\blimit\b|\d.* above |\d.*setpoint")


@dataclass(slots=True)
class StageVerdict:
    """Each change of a stage, and those that nobody can explain."""

    changes: list[str] = field(default_factory=list)
    without_reason: list[str] = field(default_factory=list)


def judge_stages(record: Record) -> StageVerdict:
    """Find for each command to a chiller the event that tells of it."""
    verdict = StageVerdict()
    told = [item for item in record.told if item.event["event"] in _STARTS | _STOPS]
    for key in chillers(record):
        on = record.column(f"{key}.run_command") > 0.5
        for row in np.flatnonzero(np.diff(on.astype(np.int8))) + 1:
            at = float(record.times[row])
            local = datetime.fromtimestamp(at, record.zone)
            word = "on" if on[row] else "off"
            event = _event_of(told, key, at, started=bool(on[row]))
            reason = str(event.event.get("reason", "")) if event else ""
            line = f"{local:%a %d %b %H:%M:%S} {key} {word}: {reason}"
            verdict.changes.append(line)
            if event is None or not _explains(event, reason):
                verdict.without_reason.append(line)
    verdict.changes.sort()
    return verdict


def _event_of(told: list[Told], key: str, at: float, *, started: bool) -> Told | None:
    """Return the latest event before a change that is about this chiller."""
    kinds = _STARTS if started else _STOPS
    for item in reversed(told):
        about = item.event.get("equipment")
        if (
            item.event["event"] in kinds
            and about in (key, None)
            and at - _LONGEST_CHANGE <= item.at <= at
        ):
            return item
    return None


def _explains(event: Told, reason: str) -> bool:
    if event.event["event"] in _MEASURED:
        return bool(_CONDITION.search(reason))
    return bool(reason)
