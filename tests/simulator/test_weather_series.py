"""Hourly air, asked for at any time; the repeated day and the tropical year."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.simulator.weather_desert import (
    DAYS,
    MAXIMA,
    MEANS,
    MINIMA,
)
from custom_components.chiller_plant.simulator.weather_series import (
    DAY,
    HOUR,
    YEAR_START,
    Air,
    WeatherSeries,
)

YEAR = 365.0 * DAY
TROPICAL = WeatherSeries.tropical(seed=1)
DESERT = WeatherSeries.desert(seed=1)
FIELDS = tuple(Air.__slots__)


def at(series: WeatherSeries, *times: float) -> Air:
    return series.at(np.array(times))


def test_a_repeated_day_is_the_sinusoid_that_plant_files_describe() -> None:
    series = WeatherSeries.daily(mean_temperature=28.0, daily_swing=4.0, dew_point=23.0)
    air = at(series, 15.0 * HOUR, 3.0 * HOUR, 9.0 * HOUR, 40.0 * DAY + 15.0 * HOUR)
    assert air.dry_bulb == pytest.approx([32.0, 24.0, 28.0, 32.0])
    assert air.dew_point == pytest.approx([23.0] * 4)
    assert series.mean.dry_bulb == pytest.approx([28.0])


def test_a_dew_point_never_is_above_the_dry_bulb() -> None:
    series = WeatherSeries.daily(mean_temperature=25.0, daily_swing=4.0, dew_point=24.0)
    night = at(series, 3.0 * HOUR)
    assert night.dew_point[0] == pytest.approx(21.0)
    assert night.wet_bulb[0] == pytest.approx(21.0, abs=0.01)
    assert night.relative_humidity[0] == pytest.approx(100.0)


def test_air_that_is_held_stays() -> None:
    series = WeatherSeries.steady(30.0, 24.0)
    air = at(series, 0.0, 12345.6, YEAR_START)
    assert air.dry_bulb == pytest.approx([30.0] * 3)
    assert air.wet_bulb == pytest.approx([25.6] * 3, abs=0.1)
    assert air.solar == pytest.approx([0.0] * 3)


def test_between_two_hours_lies_the_air_between() -> None:
    before, half, after = (
        at(TROPICAL, YEAR_START + (100 + part) * HOUR) for part in (0.0, 0.5, 1.0)
    )
    for name in FIELDS:
        ends = getattr(before, name) + getattr(after, name)
        assert getattr(half, name) == pytest.approx(0.5 * ends)
    assert after.dry_bulb[0] == TROPICAL.hourly.dry_bulb[101]


@given(time=st.floats(-2.0 * YEAR, 80.0 * YEAR))
@settings(max_examples=50)
def test_a_year_begins_again_after_its_last_hour(time: float) -> None:
    here, later = at(TROPICAL, time), at(TROPICAL, time + YEAR)
    for name in FIELDS:
        assert getattr(here, name) == pytest.approx(getattr(later, name), abs=1e-3)


def test_the_last_hour_goes_over_into_the_first() -> None:
    end = at(TROPICAL, YEAR_START - 0.5 * HOUR)
    hours = TROPICAL.hourly.dry_bulb
    assert end.dry_bulb[0] == pytest.approx(0.5 * (hours[-1] + hours[0]))


def test_many_times_are_answered_as_each_of_them_alone() -> None:
    times = YEAR_START + np.array([0.0, 1e5, 2.5e6, 3e7, 1234.5])
    together = TROPICAL.at(times)
    for index, time in enumerate(times):
        alone = TROPICAL.at(times[index : index + 1])
        for name in FIELDS:
            assert getattr(together, name)[index] == getattr(alone, name)[0], time


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_a_tropical_year_has_the_wet_bulbs_of_singapore(seed: int) -> None:
    air = WeatherSeries.tropical(seed).hourly
    percentiles = np.percentile(air.wet_bulb, [1, 10, 50, 90, 99])
    assert percentiles == pytest.approx([22.0, 23.4, 25.4, 27.4, 28.7], abs=0.3)
    assert air.dry_bulb.mean() == pytest.approx(27.5, abs=0.1)
    assert air.dew_point.mean() == pytest.approx(24.2, abs=0.6)
    by_hour = air.dry_bulb.reshape(-1, 24).mean(axis=0)
    assert by_hour.max() - by_hour.min() == pytest.approx(6.0, abs=0.6)
    assert 13 <= by_hour.argmax() <= 15
    assert 3 <= by_hour.argmin() <= 6
    assert (air.wet_bulb < air.dry_bulb).all()


def test_a_tropical_day_resembles_the_day_before() -> None:
    for values in (TROPICAL.hourly.dry_bulb, TROPICAL.hourly.dew_point):
        days = values.reshape(-1, 24).mean(axis=1)
        assert np.corrcoef(days[:-1], days[1:])[0, 1] > 0.5
        assert np.corrcoef(days[:-40], days[40:])[0, 1] < 0.5


def test_the_tropical_sun_shines_by_day_and_clouds_take_some() -> None:
    sun = TROPICAL.hourly.solar.reshape(-1, 24)
    assert (sun[:, [0, 1, 2, 3, 4, 5, 20, 21, 22, 23]] < 1.0).all()
    # Singapore has about 1,600 to 1,700 kWh/m² a year.
    assert 1500.0 < sun.sum() / 1000.0 < 1900.0
    assert 0.1 < sun.sum(axis=1).std() / sun.sum(axis=1).mean() < 0.5


def test_a_seed_makes_its_year_again_and_another_makes_another() -> None:
    again, other = WeatherSeries.tropical(seed=1), WeatherSeries.tropical(seed=2)
    assert (again.hourly.dry_bulb == TROPICAL.hourly.dry_bulb).all()
    assert (again.hourly.solar == TROPICAL.hourly.solar).all()
    assert not (other.hourly.dry_bulb == TROPICAL.hourly.dry_bulb).any()
    assert other.source != TROPICAL.source


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_a_desert_year_has_the_months_of_riyadh(seed: int) -> None:
    air = WeatherSeries.desert(seed).hourly
    ends = np.cumsum(DAYS)[:-1]
    days = np.split(air.dry_bulb.reshape(-1, 24), ends)
    # A generated month has days of its own: 2 K of noise that lasts for days.
    assert [part.mean() for part in days] == pytest.approx(MEANS, abs=2.0)
    ranges = [np.subtract(*part.mean(axis=0)[[14, 5]]) for part in days]
    assert ranges == pytest.approx(
        np.subtract(MAXIMA, MINIMA).tolist(), rel=0.1, abs=0.5
    )
    assert air.dry_bulb.mean() == pytest.approx(np.mean(MEANS), abs=0.8)
    moisture = np.split(air.relative_humidity, 24 * ends)
    assert moisture[6].mean() < 0.4 * moisture[0].mean()
    assert (air.dew_point < air.dry_bulb).all()


def test_a_desert_year_is_dry_and_its_wet_bulb_moves_far() -> None:
    low, high = np.percentile(DESERT.hourly.wet_bulb, [1, 99])
    assert low < 8.0
    assert 19.0 < high < 24.0
    tropical = np.percentile(TROPICAL.hourly.wet_bulb, [1, 99])
    assert high - low > 1.8 * (tropical[1] - tropical[0])


def test_the_desert_sun_shines_more_than_the_tropical_one() -> None:
    sun = DESERT.hourly.solar.reshape(-1, 24)
    # Riyadh has about 2,200 kWh/m² a year, and twice as much in June as in December.
    assert 2000.0 < sun.sum() / 1000.0 < 2400.0
    assert 1.6 < sun[151:181].mean() / sun[334:].mean() < 2.4
