"""What events came to, as an energy manager reads it."""

from collections.abc import Mapping, Sequence
from typing import Any

_NAMES = {
    "event_id": "Event",
    "source": "Asked by",
    "baseline_kw": "Baseline",
    "requested_kw": "Requested",
    "target_kw": "Target",
    "actual_kw": "Actual",
    "achieved_kw": "Achieved",
    "shed_percent": "Of what was requested",
    "energy_kwh": "Energy",
    "confidence": "Confidence",
    "eligible": "Eligible",
    "samples": "Samples",
    "method": "Method",
    "why": "Because",
}
_UNITS = {"shed_percent": "%", "energy_kwh": "kWh"}


def performance_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table with a column for each event."""
    wide = max(map(len, _NAMES.values()))
    columns = [[_said(row, key) for key in _NAMES] for row in rows]
    widths = [max(map(len, column[:-1])) for column in columns]
    lines = []
    for number, name in enumerate(_NAMES.values()):
        # What a sentence says of each event goes below, not beside the other's.
        if number == len(_NAMES) - 1:
            told = dict.fromkeys(column[number] for column in columns)
            lines += [f"  {name:<{wide}}  {why}" for why in told]
            break
        cells = "  ".join(
            f"{column[number]:<{width}}"
            for column, width in zip(columns, widths, strict=True)
        )
        lines.append(f"  {name:<{wide}}  {cells}".rstrip())
    return "\n".join(lines)


def _said(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not known"}[value]
    if isinstance(value, float):
        unit = _UNITS.get(key, "kW" if key.endswith("_kw") else "")
        return f"{value:.1f} {unit}"
    return str(value).replace("_", " ") if key == "method" else str(value)
