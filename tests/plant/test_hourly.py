"""Hours made of records: means over time, and sums of counters that fit together."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.hourly import (
    HOUR,
    CountedHour,
    MeasuredHour,
    MeasuredHours,
    counted_hours,
)

DAY = 1_700_006_400  # At the top of an hour.


def hours(
    *records: tuple[float, float | None], now: float = 100 * HOUR
) -> list[MeasuredHour]:
    """Return the hours of records at so many seconds of the day."""
    book = MeasuredHours()
    found = [
        hour for at, value in records for hour in book.take(DAY + at, value)
    ] + list(book.finish(DAY + now))
    return [
        MeasuredHour((hour.start - DAY) // HOUR, hour.mean, hour.low, hour.high)
        for hour in found
    ]


def test_a_mean_is_over_time_and_not_over_records() -> None:
    # A log of changes: ten for 45 minutes, then twenty in three steps.
    found = hours((0, 10.0), (2700, 20.0), (3000, 20.0), (3300, 20.0), (HOUR, None))
    assert found == [MeasuredHour(0, 12.5, 10.0, 20.0)]


def test_the_value_from_before_counts_at_the_beginning_of_an_hour() -> None:
    found = hours((1800, 10.0), (HOUR + 1800, 20.0), (2 * HOUR, None))
    assert found == [
        MeasuredHour(0, 10.0, 10.0, 10.0),
        MeasuredHour(1, 15.0, 10.0, 20.0),
    ]


def test_an_hour_without_records_is_not_made_up() -> None:
    found = hours((0, 10.0), (5 * HOUR, 20.0), (6 * HOUR, None))
    assert [hour.start for hour in found] == [0, 5]


def test_what_was_not_recorded_does_not_count() -> None:
    found = hours((0, 10.0), (900, None), (2700, 30.0), (HOUR, None))
    assert found == [MeasuredHour(0, 20.0, 10.0, 30.0)]


def test_the_hour_that_is_not_over_is_left_out() -> None:
    records = ((0, 10.0), (HOUR, 10.0), (HOUR + 60, 11.0))
    assert [hour.start for hour in hours(*records, now=HOUR + 120)] == [0]
    assert [hour.start for hour in hours(*records, now=2 * HOUR)] == [0, 1]


@given(
    st.lists(
        st.tuples(st.floats(1.0, 10_000.0), st.one_of(st.none(), st.floats(-1e6, 1e6))),
        max_size=60,
    )
)
def test_a_mean_is_never_beyond_what_was_there_and_no_hour_comes_twice(
    steps: list[tuple[float, float | None]],
) -> None:
    at, records = 0.0, []
    for step, value in steps:
        at += step
        records.append((at, value))
    found = hours(*records, now=at + 2 * HOUR)
    assert all(hour.low <= hour.mean <= hour.high for hour in found)
    starts = [hour.start for hour in found]
    assert starts == sorted(set(starts))
    assert set(starts) == {
        int(at // HOUR) for at, value in records if value is not None
    }


def test_a_counter_before_all_that_is_known_is_counted_back() -> None:
    known = [CountedHour(3 * HOUR, 130.0, 5.0)]
    found = counted_hours({HOUR: 100.0, 2 * HOUR: 110.0}, known, (140.0, 15.0))
    assert found == [
        CountedHour(HOUR, 100.0, -25.0),
        CountedHour(2 * HOUR, 110.0, -15.0),
    ]


def test_a_gap_between_known_hours_goes_on_from_the_one_before() -> None:
    known = [CountedHour(HOUR, 100.0, 50.0), CountedHour(4 * HOUR, 130.0, 80.0)]
    found = counted_hours({2 * HOUR: 110.0, 3 * HOUR: 125.0}, known, (130.0, 80.0))
    assert [hour.sum for hour in found] == [60.0, 75.0]


def test_a_counter_that_was_set_to_zero_goes_on() -> None:
    states = {HOUR: 990.0, 2 * HOUR: 5.0, 3 * HOUR: 15.0}
    found = counted_hours(states, [], (20.0, 0.0))
    sums = [hour.sum for hour in found]
    assert [after - before for before, after in pairwise(sums)] == [5.0, 10.0]
    assert sums[-1] == -5.0


def test_nothing_known_and_nothing_missing_is_nothing() -> None:
    assert counted_hours({}, [], (20.0, 0.0)) == []


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.data())
def test_an_import_in_two_parts_is_the_import_in_one(
    states: list[float], data: st.DataObject
) -> None:
    everything = {place * HOUR: state for place, state in enumerate(states)}
    newest = (states[-1], 0.0)
    whole = counted_hours(everything, [], newest)
    first_part = data.draw(st.sets(st.sampled_from(sorted(everything)), min_size=1))
    # What was added first are hours of the whole, wherever it was interrupted.
    added = [hour for hour in whole if hour.start in first_part]
    rest = counted_hours(everything, added, newest)
    again = {hour.start: hour.sum for hour in (*added, *rest)}
    for hour in whole:
        assert again[hour.start] == pytest.approx(hour.sum, abs=1e-6 * 1e6)
