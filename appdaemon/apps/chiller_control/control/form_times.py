"""Times and days as a form has them.

They come as texts, from an editor or from hands, and what cannot be understood
is told with the name of the field.
"""

from datetime import date, datetime, time
from typing import Any, TypeVar

from .decision import ControlRefused

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Day = TypeVar("_Day", bound=date)
_YEARS = range(1970, 2200)
"""What an instant is reckoned for; a year beyond is a slip of the finger."""


def days_of(value: Any, field: str) -> frozenset[int]:
    """Return chosen days of the week, Monday 0; all where none is chosen."""
    days = value or DAYS
    days = days if isinstance(days, list | tuple) else [days]
    unknown = [day for day in days if day not in DAYS]
    if unknown:
        raise ControlRefused(
            f"{field}: {unknown[0]!r} is not one of {', '.join(DAYS)}", field
        )
    return frozenset(DAYS.index(day) for day in days)


def time_of(value: Any, field: str) -> time:
    """Return a time of day at the plant."""
    try:
        return time.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        raise ControlRefused(
            f"{field} is not a time of day: {value!r}", field
        ) from None


def date_of(value: Any, field: str) -> date:
    """Return a date at the plant."""
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        raise ControlRefused(f"{field} is not a date: {value!r}", field) from None
    return _near(day, value, field)


def moment_of(value: Any, field: str) -> datetime:
    """Return a date and time of day at the plant, without an offset."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ControlRefused(
            f"{field} is not a date and time: {value!r}", field
        ) from None
    if moment.tzinfo is not None:
        raise ControlRefused(
            f"{field} is a local time, without an offset: {value!r}", field
        )
    return _near(moment, value, field)


def _near(day: _Day, value: Any, field: str) -> _Day:
    if day.year not in _YEARS:
        raise ControlRefused(f"{field} is too far away: {value!r}", field)
    return day
