"""What the load would have been without the event, by the utilities' methods.

Each method takes the days before, newest first, all of the same kind and with
known load in the hours of the event, and what is known of the day itself:

- `ten_of_ten`: CAISO's mean of the last ten weekdays (four days of a weekend),
  scaled by 0.8 to 1.2 to the load of the same morning; AEMO's wholesale demand
  response uses the same days.
- `four_of_five`: PJM's economic baseline, the highest four of the last five,
  moved by the difference of the same morning.
- `five_of_ten`: NYISO's and ConEd's customer baseline load, the highest five of
  the last ten, scaled by 0.8 to 1.2.
- `match_day`: the three days that were most alike until the event was announced.
- `last_hour`: the last hour before the event was announced.
- `weather`: the load of like days fitted to the weather, see `weather_baseline`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from .load_days import MINUTES, EventHours, LoadDay
from .weather_baseline import weathered

LOOK_BACK = timedelta(days=45)
ENOUGH_DAYS = 10
FEW_DAYS = 5
_DAYS_OFF = 4
_SCALE = 0.8, 1.2
_LONGEST_LOOK = 8 * 60
"""Minutes before the event: what the load was earlier says nothing about it."""
WEATHER = "weather"
"""The method that knows what the weather of the event was."""
_LEAST_ALIKE = 3
"""Hours that a day must share with today to be called alike."""


class NoBaseline(ValueError):
    """A method that cannot say what the load would have been, and why."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The load without the event, kW, by the time of day of each of its hours."""

    method: str
    day: date
    hours: Mapping[int, float]
    shape: Mapping[int, float]
    """The same for all hours of which anything is known."""
    days: tuple[LoadDay, ...]
    """The days that it was made of, newest first."""
    adjustment: str
    """What the same day's load before the event changed, for people."""


def eligible_days(event: EventHours, days: Sequence[LoadDay]) -> list[LoadDay]:
    """Return the days that an event may be compared with, newest first."""
    today = _today(event, days)
    return [
        day
        for day in sorted(days, key=lambda item: item.day, reverse=True)
        if event.day - LOOK_BACK <= day.day < event.day
        and day.off == today.off
        and day.excluded is None
        and day.covers(event.hours)
    ]


def baseline(method: str, event: EventHours, days: Sequence[LoadDay]) -> Baseline:
    """Return the baseline of an event by a method of `METHODS`.

    `days` includes the day of the event, as far as it is known. Raises
    `NoBaseline`, and KeyError for an unknown method.
    """
    return METHODS[method](event, eligible_days(event, days), _today(event, days))


def preferred_method(event: EventHours, days: Sequence[LoadDay]) -> str:
    """Return the method for as many days as there are.

    Yesterday alone, or the last samples, are off by 30 to 45 % on real meters;
    the order here is what those meters bore out.
    """
    return "ten_of_ten" if len(eligible_days(event, days)) >= FEW_DAYS else "last_hour"


def _today(event: EventHours, days: Sequence[LoadDay]) -> LoadDay:
    for day in days:
        if day.day == event.day:
            return day
    raise NoBaseline(f"nothing is known of {event.day:%Y-%m-%d}, the day of the event")


def _ten_of_ten(event: EventHours, days: Sequence[LoadDay], today: LoadDay) -> Baseline:
    used = _newest(days, _DAYS_OFF if today.off else ENOUGH_DAYS)
    plain = _mean_day(used)
    hours = _hours_before(event, today, plain, gap=60, count=3)
    return _scaled("ten_of_ten", event, used, plain, today, hours)


def _four_of_five(
    event: EventHours, days: Sequence[LoadDay], today: LoadDay
) -> Baseline:
    used = _highest(_newest(days, 5), event, 4)
    plain = _mean_day(used)
    hours = _hours_before(event, today, plain, gap=60, count=3)
    if not hours:
        return _plain("four_of_five", event, used, plain)
    moved = fmean(today.hours[hour] - plain[hour] for hour in hours)
    return _said(
        "four_of_five",
        event,
        used,
        # Only a site that feeds in may be moved below nothing.
        {hour: max(load + moved, min(load, 0.0)) for hour, load in plain.items()},
        f"moved by {moved:+.1f} kW to the load of {_named(hours)}",
    )


def _five_of_ten(
    event: EventHours, days: Sequence[LoadDay], today: LoadDay
) -> Baseline:
    used = _highest(_newest(days, ENOUGH_DAYS), event, 5)
    plain = _mean_day(used)
    hours = _hours_before(event, today, plain, gap=120, count=2)
    return _scaled("five_of_ten", event, used, plain, today, hours)


def _match_day(event: EventHours, days: Sequence[LoadDay], today: LoadDay) -> Baseline:
    known = [hour for hour in today.hours if hour + MINUTES <= event.clean_until]

    def unlikeness(day: LoadDay) -> float:
        shared = [hour for hour in known if hour in day.hours]
        if len(shared) < _LEAST_ALIKE:
            return float("inf")
        return fmean((day.hours[hour] - today.hours[hour]) ** 2 for hour in shared)

    ranked = sorted((unlikeness(day), -day.day.toordinal(), day) for day in days)
    used = [day for unlike, _, day in ranked[:3] if unlike < float("inf")]
    if not used:
        raise NoBaseline(
            f"fewer than {_LEAST_ALIKE} hours of the day are known before the event"
            " was announced, so that no day can be called alike"
        )
    return _plain("match_day", event, used, _mean_day(used))


def _last_hour(event: EventHours, days: Sequence[LoadDay], today: LoadDay) -> Baseline:
    clean = min(event.clean_until, event.start)
    known = [
        hour
        for hour in today.hours
        if hour + MINUTES <= clean and hour >= event.start - _LONGEST_LOOK
    ]
    if not known:
        raise NoBaseline("no hour is known shortly before the event was announced")
    last = max(known)
    load = today.hours[last]
    return _said(
        "last_hour",
        event,
        (),
        dict.fromkeys(event.hours, load),
        f"the load of {_named([last])}",
    )


def _weather(event: EventHours, days: Sequence[LoadDay], today: LoadDay) -> Baseline:
    try:
        said, used, fitted = weathered(event, days, today)
    except ValueError as error:
        raise NoBaseline(str(error)) from error
    # Around the event it is a mean of the same days, as much higher as in it.
    plain = _mean_day(used)
    usual = sum(plain[hour] for hour in event.hours)
    low, high = _SCALE
    ratio = min(max(sum(said.values()) / usual, low), high) if usual > 0.0 else 1.0
    shape = {hour: load * ratio for hour, load in plain.items()} | said
    told = "fitted to the weather"
    if fitted is not None:
        told += f" and to the load of {_named([fitted])}"
    return _said(WEATHER, event, used, shape, told)


METHODS: Mapping[str, Callable[[EventHours, Sequence[LoadDay], LoadDay], Baseline]] = {
    "ten_of_ten": _ten_of_ten,
    "four_of_five": _four_of_five,
    "five_of_ten": _five_of_ten,
    "match_day": _match_day,
    "last_hour": _last_hour,
    WEATHER: _weather,
}


def _newest(days: Sequence[LoadDay], count: int) -> list[LoadDay]:
    if not days:
        raise NoBaseline(
            f"no day of the same kind in the last {LOOK_BACK.days} days was free of"
            " events and outages"
        )
    return list(days[:count])


def _highest(days: Sequence[LoadDay], event: EventHours, count: int) -> list[LoadDay]:
    ranked = sorted(days, key=lambda day: day.mean(event.hours), reverse=True)[:count]
    return sorted(ranked, key=lambda day: day.day, reverse=True)


def _mean_day(days: Sequence[LoadDay]) -> dict[int, float]:
    """Return the mean of the hours that are known on all of these days."""
    shared = set(days[0].hours).intersection(*(day.hours for day in days[1:]))
    return {hour: fmean(day.hours[hour] for day in days) for hour in sorted(shared)}


def _hours_before(
    event: EventHours,
    today: LoadDay,
    plain: Mapping[int, float],
    *,
    gap: int,
    count: int,
) -> list[int]:
    """Return the hours by which the baseline is fitted to the day.

    They end `gap` minutes before the event, and never after it was announced:
    whoever cools ahead of an event would raise his own baseline.
    """
    until = min(event.start - gap, event.clean_until)
    hours = [
        hour
        for hour in plain
        if hour in today.hours
        and hour + MINUTES <= until
        and hour >= event.start - _LONGEST_LOOK
    ]
    return hours[-count:]


def _scaled(
    method: str,
    event: EventHours,
    used: Sequence[LoadDay],
    plain: Mapping[int, float],
    today: LoadDay,
    hours: Sequence[int],
) -> Baseline:
    expected = sum(plain[hour] for hour in hours)
    if not expected > 0.0:
        return _plain(method, event, used, plain)
    low, high = _SCALE
    asked = sum(today.hours[hour] for hour in hours) / expected
    ratio = min(max(asked, low), high)
    limited = "" if ratio == asked else f", limited from {asked:.2f}"
    return _said(
        method,
        event,
        used,
        {hour: load * ratio for hour, load in plain.items()},
        f"scaled by {ratio:.2f}{limited} to the load of {_named(hours)}",
    )


def _plain(
    method: str,
    event: EventHours,
    used: Sequence[LoadDay],
    plain: Mapping[int, float],
) -> Baseline:
    return _said(method, event, used, plain, "not fitted to the day")


def _said(
    method: str,
    event: EventHours,
    used: Sequence[LoadDay],
    shape: Mapping[int, float],
    adjustment: str,
) -> Baseline:
    return Baseline(
        method,
        event.day,
        {hour: shape[hour] for hour in event.hours},
        shape,
        tuple(used),
        adjustment,
    )


def _named(hours: Sequence[int]) -> str:
    first, last = hours[0], hours[-1] + MINUTES
    return f"{first // 60:02d}:{first % 60:02d} to {last // 60:02d}:{last % 60:02d}"
