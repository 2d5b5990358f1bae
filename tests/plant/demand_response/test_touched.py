"""The hours of events are no part of what other events are compared with."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.demand_response.event_baseline import (
    EventBaseline,
    EventTimes,
    event_baseline,
    mean_of,
)
from custom_components.chiller_plant.plant.demand_response.load_days import load_days
from custom_components.chiller_plant.plant.demand_response.touched import (
    touched_days,
    untouched,
)

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0
USUAL, SHED = 300.0, 30.0


def at(*when: int) -> float:
    return datetime(*when, tzinfo=BERLIN).timestamp()  # type: ignore[misc,arg-type]


def every_day(_day: date) -> bool:
    return False


def said_after(
    begins: float, hours: float, events: Sequence[tuple[float, float]], notice: float
) -> EventBaseline:
    """Return the baseline of an event, made when it is over.

    The load was shed in all events, and was ordinary otherwise.
    """
    ends = begins + hours * HOUR
    first = int((begins - 45 * 24 * HOUR) // HOUR)
    means = [
        (
            hour * HOUR,
            SHED
            if any(
                since < (hour + 1) * HOUR and hour * HOUR < to for since, to in events
            )
            else USUAL,
        )
        for hour in range(first, int(ends // HOUR))
    ]
    days = load_days(
        untouched(means, events), BERLIN, every_day, touched_days(events, BERLIN)
    )
    times = EventTimes(begins, ends, begins - notice)
    return event_baseline(times, days, every_day, BERLIN)


def test_days_are_named_until_the_last_minute_of_an_event() -> None:
    found = touched_days([(at(2026, 6, 23, 23, 30), at(2026, 6, 24, 0, 15))], BERLIN)
    assert sorted(found) == [date(2026, 6, 23), date(2026, 6, 24)]
    until_midnight = (at(2026, 6, 23, 22), at(2026, 6, 24))
    assert sorted(touched_days([until_midnight], BERLIN)) == [date(2026, 6, 23)]
    assert touched_days([(at(2026, 6, 23), at(2026, 6, 23))], BERLIN) == {}


def test_an_hour_that_an_event_touched_is_left_out_as_a_whole() -> None:
    noon = at(2026, 6, 24, 12)
    hours = [(noon + place * HOUR, USUAL) for place in range(4)]
    kept = untouched(hours, [(noon + 1800.0, noon + 2 * HOUR)])
    assert [start for start, _ in kept] == [noon + 2 * HOUR, noon + 3 * HOUR]


def test_an_event_of_the_small_hours_is_not_in_the_night_of_the_day_before() -> None:
    """On five mornings there was an event from one to two; tonight's goes until two."""
    tonight = at(2026, 6, 24, 22)
    small_hours = [
        (at(2026, 6, day, 1), at(2026, 6, day, 2)) for day in (12, 15, 18, 21, 24)
    ]
    said = said_after(tonight, 4.0, small_hours, notice=HOUR)
    assert said.mean(tonight, tonight + 4.0 * HOUR) == pytest.approx(USUAL)
    assert "2026-06-20" not in said.days, "its night had an event"
    assert "2026-06-22" in said.days


def test_a_day_is_not_fitted_to_an_event_in_its_morning() -> None:
    afternoon = at(2026, 6, 24, 15)
    morning = (at(2026, 6, 24, 9), at(2026, 6, 24, 13))
    said = said_after(afternoon, 2.0, [morning], notice=HOUR)
    assert said.mean(afternoon, afternoon + 2.0 * HOUR) == pytest.approx(USUAL)


def test_the_first_day_of_a_long_event_is_no_example_for_its_second() -> None:
    begins = at(2026, 6, 24, 6)
    said = said_after(begins, 60.0, [(begins, begins + 60.0 * HOUR)], notice=HOUR)
    assert said.mean(begins, begins + 60.0 * HOUR) == pytest.approx(USUAL)


_lengths = st.lists(st.floats(1.0, 7200.0), min_size=1, max_size=30)


@settings(deadline=None)
@given(_lengths, st.floats(-0.2, 1.2), st.floats(-0.2, 1.2))
def test_the_mean_of_spans_is_the_same_however_it_is_looked_for(
    lengths: list[float], since: float, until: float
) -> None:
    begin = datetime(2026, 6, 24, tzinfo=UTC).timestamp()
    spans = []
    for place, length in enumerate(lengths):
        spans.append((begin, begin + length, 100.0 + place))
        begin += length
    first, whole = spans[0][0], begin - spans[0][0]
    a, b = first + since * whole, first + until * whole
    known = [(max(s, a), min(e, b), kw) for s, e, kw in spans if min(e, b) > max(s, a)]
    seconds = sum(e - s for s, e, _ in known)
    found = mean_of(spans, a, b)
    if seconds < 0.999 * (b - a) or not seconds:
        assert found is None
    else:
        assert found == pytest.approx(sum((e - s) * kw for s, e, kw in known) / seconds)
