"""A load that follows the weather is told by the weather of the event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.plant.demand_response import outdoor_air
from custom_components.chiller_plant.plant.demand_response.baselines import (
    Baseline,
    NoBaseline,
    baseline,
)
from custom_components.chiller_plant.plant.demand_response.event_baseline import (
    EventTimes,
    event_baseline,
)
from custom_components.chiller_plant.plant.demand_response.load_days import (
    EventHours,
    LoadDay,
    load_days,
)
from custom_components.chiller_plant.plant.demand_response.outdoor_air import (
    enthalpy,
    weather_by_hour,
)
from custom_components.chiller_plant.plant.demand_response.placebo import (
    chosen_method,
    placebo,
)
from custom_components.chiller_plant.simulator import psychrometrics

WEDNESDAY = date(2026, 6, 24)
AFTERNOON = (14 * 60, 15 * 60, 16 * 60)
HOUR = 3600.0

type Air = dict[tuple[date, int], tuple[float, float]]


def some_air(seed: int = 1) -> Air:
    """Return air and sun that are others every hour, but alike within a day."""
    dice = Random(seed)
    found: Air = {}
    for back in range(45, -1, -1):
        day = WEDNESDAY - timedelta(days=back)
        warm, bright = dice.uniform(60, 90), dice.uniform(0, 800)
        for hour in range(24):
            found[day, hour] = (
                warm + dice.uniform(-3, 3),
                max(bright + dice.uniform(-150, 150), 0.0),
            )
    return found


def followed(day: date, hour: int, air: Air) -> float:
    heat, sun = air[day, hour]
    return 200.0 + 5.0 * hour + 3.0 * heat + 0.1 * sun


def past(air: Air, load: Callable[[date, int, Air], float] = followed) -> list[LoadDay]:
    return [
        LoadDay(
            day,
            day.weekday() >= 5,
            {hour * 60: load(day, hour, air) for hour in range(24)},
            weather={hour * 60: air[day, hour] for hour in range(24)},
        )
        for day in sorted({day for day, _ in air})
    ]


def event(clean_until: int = 12 * 60) -> EventHours:
    return EventHours(WEDNESDAY, AFTERNOON, clean_until)


def told(days: list[LoadDay]) -> Baseline:
    return baseline("weather", event(), days)


def test_a_load_that_follows_the_weather_is_told_by_it() -> None:
    air = some_air()
    said = told(past(air))
    for hour in AFTERNOON:
        was = followed(WEDNESDAY, hour // 60, air)
        assert said.hours[hour] == pytest.approx(was, rel=0.01)
    assert said.adjustment == "fitted to the weather and to the load of 11:00 to 12:00"
    usual = baseline("ten_of_ten", event(), past(air))
    off = [
        abs(found.hours[14 * 60] - followed(WEDNESDAY, 14, air))
        for found in (said, usual)
    ]
    assert off[0] < 0.2 * off[1]


def test_what_was_unusual_in_the_morning_counts_too() -> None:
    """A floor is empty on every other day, which no weather tells."""

    def half_empty(day: date, hour: int, air: Air) -> float:
        return followed(day, hour, air) - (60.0 if day.toordinal() % 2 else 0.0)

    air = some_air(2)
    said = told(past(air, half_empty))
    was = half_empty(WEDNESDAY, 15, air)
    assert said.hours[15 * 60] == pytest.approx(was, rel=0.03)


def test_the_site_itself_says_which_method_is_the_better_one() -> None:
    air = some_air()
    days = past(air)
    assert chosen_method(event(), days) == "weather"
    assert (
        placebo("weather", event(), days).relative_error
        < 0.3 * placebo("ten_of_ten", event(), days).relative_error
    )
    # Where the weather does nothing, nothing is said by it.
    dice = Random(3)
    steady = past(air, lambda day, hour, _: 300.0 + dice.uniform(-20, 20))
    assert chosen_method(event(), steady) == "ten_of_ten"
    few = [day for day in days if day.day > WEDNESDAY - timedelta(days=20)]
    assert chosen_method(event(), few) == "ten_of_ten"


def test_few_days_or_no_weather_are_said() -> None:
    air = some_air()
    days = past(air)
    with pytest.raises(NoBaseline, match="no weather station"):
        told([replace(day, weather={}) for day in days])
    with pytest.raises(NoBaseline, match="7 like days is known, 10 are needed"):
        told(days[-10:])
    unknown = [*days[:-1], replace(days[-1], weather={})]
    with pytest.raises(NoBaseline, match="not known yet"):
        told(unknown)
    # A pyranometer that was not there before.
    half = [
        replace(day, weather={at: row[:1] for at, row in day.weather.items()})
        for day in days[:-1]
    ]
    with pytest.raises(NoBaseline, match="0 like days"):
        told([*half, days[-1]])


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 1000),
    st.floats(-1e3, 1e3),
    st.floats(-1e4, 1e4),
    st.integers(0, 14 * 60),
)
def test_however_odd_the_weather_a_load_like_that_was_there_before(
    seed: int, heat: float, sun: float, clean_until: int
) -> None:
    air = some_air(seed)
    for hour in range(24):
        air[WEDNESDAY, hour] = heat, sun
    days = past(air, lambda day, hour, _: 100.0 + (day.toordinal() * seed) % 50)
    said = baseline("weather", event(clean_until), days)
    for load in said.hours.values():
        assert 0.8 * 100.0 <= load <= 1.2 * 150.0


def test_an_event_is_settled_by_its_weather_when_that_is_known() -> None:
    """A storm in the afternoon, of which the morning knew nothing."""
    air = some_air(5)
    for hour in range(12, 24):
        air[WEDNESDAY, hour] = 62.0, 30.0
    means = []
    weather = {}
    for (day, hour), row in air.items():
        at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()
        means.append((at, followed(day, hour, air)))
        weather[at] = row
    begins = datetime(2026, 6, 24, 14, tzinfo=UTC).timestamp()
    ends = begins + 3 * HOUR
    times = EventTimes(begins, ends, begins - HOUR)

    def held(known_until: float) -> tuple[str, float]:
        days = load_days(
            [row for row in means if row[0] + HOUR <= known_until],
            UTC,
            lambda day: day.weekday() >= 5,
            {},
            {at: row for at, row in weather.items() if at + HOUR <= known_until},
        )
        found = event_baseline(times, days, lambda day: day.weekday() >= 5, UTC)
        mean = found.mean(begins, ends)
        assert mean is not None
        return found.method, mean

    truth = sum(followed(WEDNESDAY, hour, air) for hour in (14, 15, 16)) / 3
    method, before = held(begins)
    assert method == "ten_of_ten"
    assert before > 1.03 * truth
    method, after = held(ends)
    assert method == "weather"
    assert after == pytest.approx(truth, rel=0.02)


def test_enthalpy_is_that_of_moist_air() -> None:
    for temperature, humidity in ((5.0, 90.0), (25.0, 50.0), (33.0, 70.0)):
        vapour = psychrometrics.saturation_pressure(np.array(temperature))
        ratio = psychrometrics.humidity_ratio(vapour * humidity / 100.0)
        known = psychrometrics.enthalpy(np.array(temperature), ratio)
        assert enthalpy(temperature, humidity) == pytest.approx(float(known), rel=1e-6)
    assert enthalpy(30.0, 120.0) == enthalpy(30.0, 100.0)


def test_each_quantity_counts_now_and_over_the_hours_before() -> None:
    hours = [hour * HOUR for hour in range(24)]
    found = weather_by_hour(
        {
            outdoor_air.TEMPERATURE: {at: at / HOUR for at in hours},
            outdoor_air.SUN: dict.fromkeys(hours, 500.0),
        }
    )
    assert found[20 * HOUR] == pytest.approx((20.0, 14.5, 500.0, 500.0))
    # Before that too few hours are known.
    assert min(found) == 8 * HOUR


def test_moisture_counts_where_it_is_measured() -> None:
    hours = [hour * HOUR for hour in range(24)]
    dry = dict.fromkeys(hours, 30.0)
    air = weather_by_hour(
        {outdoor_air.TEMPERATURE: dry, outdoor_air.HUMIDITY: dict.fromkeys(hours, 60.0)}
    )
    assert air[23 * HOUR] == pytest.approx((enthalpy(30.0, 60.0),) * 2)
    wet = weather_by_hour({outdoor_air.WET_BULB: dict.fromkeys(hours, 23.8)})
    assert wet[23 * HOUR][0] == pytest.approx(enthalpy(30.0, 60.0), rel=0.01)
    assert weather_by_hour({}) == {}


def test_an_hour_of_which_the_sun_is_not_known_has_no_weather() -> None:
    hours = [hour * HOUR for hour in range(24)]
    sun = {at: 100.0 for at in hours if at != 15 * HOUR}
    found = weather_by_hour(
        {outdoor_air.TEMPERATURE: dict.fromkeys(hours, 30.0), outdoor_air.SUN: sun}
    )
    assert 15 * HOUR not in found
    assert 16 * HOUR in found
