"""Typical-year files in the EnergyPlus format (EPW).

Eight lines of headings, then a line an hour; columns and what stands for a
missing value are those of the EnergyPlus Auxiliary Programs manual, chapter
"Weather Converter Program". Short gaps are interpolated and told; whatever else
is wrong with a file is an error that names the line and the field.
"""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from .arrays import Array

LONGEST_GAP = 6
"""Hours in a row that may be interpolated."""

_HEADINGS = 8
_HOURS = (8760, 8784)
_MOST_BYTES = 16_000_000


class WeatherError(ValueError):
    """Weather that cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours of a file that had no value and were interpolated."""

    field: str
    line: int
    """The first line without a value."""
    hours: int


@dataclass(frozen=True, slots=True)
class TypicalYear:
    """Hourly °C, °C, W/m² on the horizontal and kPa from 1 o'clock on."""

    dry_bulb: Array
    dew_point: Array
    solar: Array
    pressure: Array
    source: str
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class _Field:
    """A column: from `missing` on there is no value; °C, Pa or W/m²."""

    column: int
    name: str
    missing: float
    lowest: float
    highest: float


_DRY_BULB = _Field(6, "dry bulb temperature", 99.9, -70.0, 70.0)
_DEW_POINT = _Field(7, "dew point temperature", 99.9, -70.0, 70.0)
_PRESSURE = _Field(9, "atmospheric station pressure", 999999.0, 31000.0, 120000.0)
_SOLAR = _Field(13, "global horizontal radiation", 9999.0, 0.0, 1600.0)
_FIELDS = (_DRY_BULB, _DEW_POINT, _PRESSURE, _SOLAR)
_COLUMNS = 1 + max(field.column for field in _FIELDS)


def read_epw(path: Path) -> TypicalYear:
    """Read a typical year. Raise `WeatherError` for a file that is unfit."""
    rows, place = _rows(path)
    gaps: list[Gap] = []
    columns = {field: _column(path, field, rows, gaps) for field in _FIELDS}
    solar = columns[_SOLAR]
    return TypicalYear(
        dry_bulb=columns[_DRY_BULB],
        dew_point=columns[_DEW_POINT],
        # A record's sun is that of the hour before it: at the full hour there
        # is the mean of this one and the next.
        solar=0.5 * (solar + np.roll(solar, -1)),
        pressure=columns[_PRESSURE] / 1000.0,
        source=f"{path.name} ({place})",
        gaps=tuple(gaps),
    )


def _rows(path: Path) -> tuple[list[list[str]], str]:
    """Return the hours of the file, split, and the name of the place."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise WeatherError(
                f"{path}: larger than {_MOST_BYTES // 1_000_000} MB; this is no"
                " typical year"
            )
        lines = path.read_text(encoding="latin-1").splitlines()
    except OSError as error:
        raise WeatherError(f"{path}: cannot be read: {error.strerror}") from error
    if not lines or not lines[0].upper().startswith("LOCATION,"):
        raise WeatherError(
            f"{path}: line 1: LOCATION is needed; this is not an EPW file"
        )
    while lines and not lines[-1].strip():
        lines.pop()
    place = lines[0].split(",")[1].strip() or "place unknown"
    rows = [line.split(",") for line in lines[_HEADINGS:]]
    if len(rows) not in _HOURS:
        raise WeatherError(
            f"{path}: {len(rows)} hours after the {_HEADINGS} lines of headings; a"
            " year of 8760 or 8784 is needed"
        )
    _check_order(path, rows)
    return rows, place


def _check_order(path: Path, rows: list[list[str]]) -> None:
    first = [part.strip().lstrip("0") for part in rows[0][1:3]]
    if first != ["1", "1"]:
        raise WeatherError(
            f"{path}: line {_HEADINGS + 1}: fields month and day:"
            f" {'/'.join(first)!r}; a year from 1 January on is needed"
        )
    for index, row in enumerate(rows):
        line = index + _HEADINGS + 1
        if len(row) < _COLUMNS:
            raise WeatherError(
                f"{path}: line {line}: {len(row)} columns where at least {_COLUMNS} are"
                " needed"
            )
        hour = index % 24 + 1
        if row[3].strip().lstrip("0") != str(hour):
            raise WeatherError(
                f"{path}: line {line}: field hour: {row[3].strip()!r} where {hour}"
                " follows; one line for every hour is needed"
            )


def _column(path: Path, field: _Field, rows: list[list[str]], gaps: list[Gap]) -> Array:
    """Return a column, its short gaps closed and noted in `gaps`."""
    values = np.array(
        [
            _value(path, field, index + _HEADINGS + 1, row[field.column])
            for index, row in enumerate(rows)
        ]
    )
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        raise WeatherError(f"{path}: field {field.name}: no hour has a value")
    # The year is closed to a ring: a gap at its end goes on at its beginning.
    following = np.append(known[1:], known[0] + len(values))
    for last, after in zip(known, following, strict=True):
        missing = int(after - last - 1)
        if missing == 0:
            continue
        line = (int(last) + 1) % len(values) + _HEADINGS + 1
        if missing > LONGEST_GAP:
            raise WeatherError(
                f"{path}: line {line}: field {field.name}: {missing} hours without a"
                f" value; at most {LONGEST_GAP} in a row can be interpolated"
            )
        gaps.append(Gap(field.name, line, missing))
    hours = np.arange(len(values))
    return np.asarray(np.interp(hours, known, values[known], period=len(values)))


def _value(path: Path, field: _Field, line: int, text: str) -> float:
    """Return a value, NaN for one that is missing."""
    text = text.strip()
    try:
        value = float(text) if text else field.missing
    except ValueError:
        value = float("inf")
    if value >= field.missing and isfinite(value):
        return float("nan")
    if not field.lowest <= value <= field.highest:
        raise WeatherError(
            f"{path}: line {line}: field {field.name}: {text!r} is not between"
            f" {field.lowest:g} and {field.highest:g}"
        )
    return value
