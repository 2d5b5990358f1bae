"""Recoveries that a real building has recorded, predicted one day ahead.

Nothing closes this loop: what was measured was measured with whatever start there was.
So it says how well minutes are foreseen, not what would have come of it.
"""

from collections.abc import Callable, Mapping
import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean

from appdaemon.apps.chiller_control.control.optimal_start.recovery import (
    Conditions,
    Mode,
    Recovery,
)

from .ways import Way

COLUMNS = ("date", "zone_start", "outdoor", "minutes")
FIRST = 7
"""Recoveries that are learnt from before any is judged."""

_NIGHT = 12.0


class RecordingError(ValueError):
    """A file that cannot be read; says which line."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How well one way foresaw a recording; minutes and shares in %."""

    days: int
    error: float
    late_15: float
    early_30: float
    monday: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """One day of a recording."""

    day: date
    recovery: Recovery


def read(path: Path, setpoint: float, *, fahrenheit: bool) -> list[Recorded]:
    """Read a recording; raise `RecordingError`. Days without minutes are left out."""

    def celsius(value: float) -> float:
        return (value - 32.0) / 1.8 if fahrenheit else value

    found: list[Recorded] = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if missing := set(COLUMNS) - set(reader.fieldnames or ()):
            raise RecordingError(
                f"{path.name}: no column {', '.join(sorted(missing))}; needed are"
                f" {', '.join(COLUMNS)}"
            )
        for number, row in enumerate(reader, 2):
            try:
                day = date.fromisoformat(row["date"].strip()[:10])
                zone, minutes = float(row["zone_start"]), float(row["minutes"])
                outdoor = float(row["outdoor"])
            except (AttributeError, TypeError, ValueError) as error:
                raise RecordingError(f"{path.name}, line {number}: {error}") from error
            if found and day <= found[-1].day:
                raise RecordingError(
                    f"{path.name}, line {number}: {day} does not follow {found[-1].day}"
                )
            idle = (day - found[-1].day).days - 1 if found else 0
            mode: Mode = "heating" if zone < setpoint else "cooling"
            recovery = Recovery(
                Conditions(
                    celsius(zone),
                    celsius(setpoint),
                    celsius(outdoor),
                    _NIGHT + 24.0 * idle,
                    mode,
                ),
                minutes,
            )
            if recovery.usable:
                found.append(Recorded(day, recovery))
    if len(found) <= FIRST:
        raise RecordingError(
            f"{path.name}: {len(found)} recoveries; more than {FIRST} are needed"
        )
    return found


def foresee(
    recording: list[Recorded], ways: Mapping[str, Callable[[], Way]]
) -> dict[str, Foreseen]:
    """Let every way predict each day from the days before."""
    longest = max(item.recovery.minutes for item in recording)
    result = {}
    for name, make in ways.items():
        way = make()
        errors: list[tuple[date, float]] = []
        for index, item in enumerate(recording):
            if index >= FIRST:
                said = way.minutes(item.recovery.conditions)
                said = longest if said is None else min(longest, max(10.0, said))
                errors.append((item.day, said - item.recovery.minutes))
            way.learn(item.recovery)
        mondays = [abs(error) for day, error in errors if day.weekday() == 0]
        result[name] = Foreseen(
            days=len(errors),
            error=fmean(abs(error) for _, error in errors),
            late_15=100.0 * fmean(error < -15.0 for _, error in errors),
            early_30=100.0 * fmean(error > 30.0 for _, error in errors),
            monday=fmean(mondays) if mondays else float("nan"),
        )
    return result
