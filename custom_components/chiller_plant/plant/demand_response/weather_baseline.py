"""The load without an event by the weather that there was in it.

The utilities' means of like days do not know that it rained. What people outside
measure is not changed by what a site sheds, so it may be used for the event itself: as
ERCOT's statistical regression baseline does ("Demand Response Baseline
Methodologies": load by weather, calendar and daylight, fitted to the event's day),
this fits the load of like days to the weather of their hours and to what the load was
before the event was announced.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean

from .load_days import MINUTES, EventHours, LoadDay

LEAST_DAYS = 10
_RIDGE = 0.01
"""Share of the variance that is added to it, so that few days do not say much."""
_BEYOND = 0.2
"""How far outside of all like days a load is believed, as a share of them."""
_LONGEST_LOOK = 8 * MINUTES
"""Before the event: what the load was earlier says nothing about it."""


def weathered(
    event: EventHours, days: Sequence[LoadDay], today: LoadDay
) -> tuple[dict[int, float], list[LoadDay], int | None]:
    """Return the load of the event's hours, the days, and the hour it was fitted to.

    `days` are the days to compare with. The hour is the last that was over when the
    event was announced, by its time of day; None where no day knows one. Raises
    ValueError with the reason if the weather cannot say it.
    """
    if not any(day.weather for day in days):
        raise ValueError("no weather station has a past here")
    if any(hour not in today.weather for hour in event.hours):
        raise ValueError("the weather of the event is not known yet")
    width = len(today.weather[event.hours[0]])
    used = [
        day
        for day in days
        if all(len(day.weather.get(hour, ())) == width for hour in event.hours)
    ]
    fitted = _last_clean(event, used, today)
    if fitted is not None:
        used = [day for day in used if fitted in day.hours]
    if len(used) < LEAST_DAYS:
        raise ValueError(
            f"the weather of {len(used)} like days is known, {LEAST_DAYS} are needed"
        )
    hours = event.hours
    # What differs between the hours of a day is taken off: it says nothing about
    # how one day differs from another.
    means = [
        [fmean(column) for column in zip(*rows, strict=True)]
        for rows in ([_row(day, hour, fitted) for day in used] for hour in hours)
    ]
    loads = [fmean(day.hours[hour] for day in used) for hour in hours]
    rows = []
    rests = []
    for day in used:
        for hour, mean, load in zip(hours, means, loads, strict=True):
            here = _row(day, hour, fitted)
            rows.append(
                [value - usual for value, usual in zip(here, mean, strict=True)]
            )
            rests.append(day.hours[hour] - load)
    slopes = _ridge(rows, rests)
    found = {}
    for hour, mean, load in zip(hours, means, loads, strict=True):
        here = _row(today, hour, fitted)
        said = load + sum(
            slope * (value - usual)
            for slope, value, usual in zip(slopes, here, mean, strict=True)
        )
        seen = [day.hours[hour] for day in used]
        low, high = min(seen), max(seen)
        found[hour] = min(
            max(said, low - _BEYOND * abs(low)), high + _BEYOND * abs(high)
        )
    return found, used, fitted


def _last_clean(
    event: EventHours, days: Sequence[LoadDay], today: LoadDay
) -> int | None:
    clean = min(event.clean_until, event.start)
    known = [
        hour
        for hour in today.hours
        if hour + MINUTES <= clean
        and hour >= event.start - _LONGEST_LOOK
        and sum(hour in day.hours for day in days) >= LEAST_DAYS
    ]
    return max(known, default=None)


def _row(day: LoadDay, hour: int, fitted: int | None) -> list[float]:
    row = list(day.weather[hour])
    if fitted is not None:
        row.append(day.hours[fitted])
    return row


def _ridge(rows: Sequence[Sequence[float]], rests: Sequence[float]) -> list[float]:
    """Return what each column does to the rest, in least squares.

    Columns are measured by their spread; one that does not change does nothing.
    """
    count, width = len(rows), len(rows[0])
    spreads = [
        sqrt(sum(row[place] ** 2 for row in rows) / count) for place in range(width)
    ]
    used = [place for place in range(width) if spreads[place] > 1e-9]
    scaled = [[row[place] / spreads[place] for place in used] for row in rows]
    size = len(used)
    matrix = [
        [
            sum(row[i] * row[j] for row in scaled) + (_RIDGE * count if i == j else 0.0)
            for j in range(size)
        ]
        + [sum(row[i] * rest for row, rest in zip(scaled, rests, strict=True))]
        for i in range(size)
    ]
    # Positive definite by what is added, so that no pivot is ever zero.
    for i in range(size):
        for j in range(i + 1, size):
            share = matrix[j][i] / matrix[i][i]
            matrix[j] = [
                below - share * above
                for above, below in zip(matrix[i], matrix[j], strict=True)
            ]
    solved = [0.0] * size
    for i in reversed(range(size)):
        rest = matrix[i][size] - sum(
            matrix[i][j] * solved[j] for j in range(i + 1, size)
        )
        solved[i] = rest / matrix[i][i]
    slopes = [0.0] * width
    for place, value in zip(used, solved, strict=True):
        slopes[place] = value / spreads[place]
    return slopes
