"""What came of events as a table that any spreadsheet opens."""

from collections.abc import Iterable
import csv
from io import StringIO
from typing import Any

from ..plant.demand_response.record import COLUMNS, EventRecord

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(records: Iterable[EventRecord]) -> str:
    """Return records as CSV with a header; times are ISO 8601 in UTC."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for record in records:
        told = record.told()
        writer.writerow([_cell(told[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Return a value as it is written; a text of others must not become a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
