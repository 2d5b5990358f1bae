"""What would have been is made of days like this one, and of nothing an event touched."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.demand_response.baselines import (
    METHODS,
    NoBaseline,
    baseline,
    eligible_days,
    preferred_method,
)
from custom_components.chiller_plant.plant.demand_response.load_days import (
    EventHours,
    LoadDay,
    event_hours,
    load_days,
)
from custom_components.chiller_plant.plant.demand_response.placebo import (
    placebo,
    placebos,
)

BANGKOK = ZoneInfo("Asia/Bangkok")
KOLKATA = ZoneInfo("Asia/Kolkata")
HAVANA = ZoneInfo("America/Havana")
WEDNESDAY = date(2026, 6, 24)
AFTERNOON = (14 * 60, 15 * 60, 16 * 60)


def shape(hour: int) -> float:
    """Return the load of a building that works from eight to six."""
    return 300.0 if 8 <= hour < 18 else 60.0


def history(
    load: Callable[[date, int], float],
    *,
    last: date = WEDNESDAY,
    days: int = 45,
    excluded: dict[date, str] | None = None,
) -> list[LoadDay]:
    found = []
    for back in range(days, -1, -1):
        day = last - timedelta(days=back)
        hours = {hour * 60: load(day, hour) for hour in range(24)}
        # Outside it is another day, which says nothing about this site.
        air = {hour * 60: (20.0 + day.toordinal() * 7 % 11,) for hour in range(24)}
        why = (excluded or {}).get(day)
        found.append(LoadDay(day, day.weekday() >= 5, hours, why, air))
    return found


def event(day: date = WEDNESDAY, clean_until: int = 14 * 60) -> EventHours:
    return EventHours(day, AFTERNOON, clean_until)


def ordinary(day: date, hour: int) -> float:
    return shape(hour) if day.weekday() < 5 else 60.0


@pytest.mark.parametrize("method", METHODS)
def test_a_site_that_is_the_same_every_day_has_that_load_as_baseline(
    method: str,
) -> None:
    said = baseline(method, event(), history(ordinary))
    assert said.hours == pytest.approx(dict.fromkeys(AFTERNOON, 300.0))


def test_ten_of_ten_takes_the_last_ten_working_days_without_events() -> None:
    yesterday = WEDNESDAY - timedelta(days=1)
    days = history(ordinary, excluded={yesterday: "an event"})
    said = baseline("ten_of_ten", event(), days)
    assert len(said.days) == 10
    assert all(not day.off and day.day < yesterday for day in said.days)
    assert said.days[0].day == WEDNESDAY - timedelta(days=2)


def test_a_sunday_is_compared_with_four_days_off() -> None:
    sunday = date(2026, 6, 28)
    said = baseline("ten_of_ten", event(sunday), history(ordinary, last=sunday))
    assert [day.off for day in said.days] == [True] * 4
    assert said.hours[AFTERNOON[0]] == pytest.approx(60.0)


def test_a_hot_morning_raises_the_baseline_up_to_a_fifth() -> None:
    def hot(day: date, hour: int) -> float:
        return ordinary(day, hour) * (hotter if day == WEDNESDAY else 1.0)

    hotter = 1.1
    said = baseline("ten_of_ten", event(), history(hot))
    assert said.hours[AFTERNOON[0]] == pytest.approx(330.0)
    hotter = 1.5
    said = baseline("ten_of_ten", event(), history(hot))
    assert said.hours[AFTERNOON[0]] == pytest.approx(360.0)
    assert "limited from 1.50" in said.adjustment
    assert baseline("four_of_five", event(), history(hot)).hours[
        AFTERNOON[0]
    ] == pytest.approx(450.0)


@pytest.mark.parametrize("method", METHODS)
def test_cooling_ahead_of_an_event_does_not_raise_its_own_baseline(method: str) -> None:
    def cooled_ahead(day: date, hour: int) -> float:
        ahead = day == WEDNESDAY and 10 <= hour < 14
        return ordinary(day, hour) * (1.6 if ahead else 1.0)

    # Announced at ten; what happened until then is all that counts.
    said = baseline(method, event(clean_until=10 * 60), history(cooled_ahead))
    assert said.hours[AFTERNOON[0]] == pytest.approx(300.0)


def test_only_a_site_that_feeds_in_is_moved_below_nothing() -> None:
    def less_today(day: date, hour: int) -> float:
        usual = -20.0 if hour >= 14 else 50.0
        return usual - (80.0 if day == WEDNESDAY else 0.0)

    said = baseline("four_of_five", event(), history(less_today))
    assert set(said.hours.values()) == {-20.0}

    def calm_today(day: date, hour: int) -> float:
        return 50.0 - (80.0 if day == WEDNESDAY else 0.0)

    said = baseline("four_of_five", event(), history(calm_today))
    assert set(said.hours.values()) == {0.0}


def test_six_days_like_it_are_the_fewest_to_settle_by() -> None:
    for back, eligible in ((7, False), (8, True)):
        days = history(ordinary, days=back)
        tried = placebo(preferred_method(event(), days), event(), days)
        assert (len(eligible_days(event(), days)), tried.eligible) == (
            back - 2,
            eligible,
        )
        assert preferred_method(event(), days) == "ten_of_ten"


def test_the_highest_days_are_those_of_the_hours_of_the_event() -> None:
    monday = WEDNESDAY - timedelta(days=2)

    def one_low(day: date, hour: int) -> float:
        return 100.0 if day == monday and hour >= 14 else ordinary(day, hour)

    days = history(one_low)
    assert monday not in {
        day.day for day in baseline("four_of_five", event(), days).days
    }
    assert baseline("four_of_five", event(), days).hours[AFTERNOON[0]] == pytest.approx(
        300.0
    )
    assert baseline("ten_of_ten", event(), days).hours[AFTERNOON[0]] == pytest.approx(
        280.0
    )


def test_the_days_most_alike_make_the_match() -> None:
    warm = {WEDNESDAY - timedelta(days=back) for back in (1, 5, 8, 0)}

    def by_weather(day: date, hour: int) -> float:
        return ordinary(day, hour) * (1.3 if day in warm else 1.0)

    said = baseline("match_day", event(), history(by_weather))
    assert {day.day for day in said.days} == warm - {WEDNESDAY}
    assert said.hours[AFTERNOON[0]] == pytest.approx(390.0)


def test_too_few_days_are_answered_by_the_last_hour() -> None:
    assert preferred_method(event(), history(ordinary)) == "ten_of_ten"
    assert preferred_method(event(), history(ordinary, days=5)) == "last_hour"


def test_nothing_known_is_said_and_not_made_up() -> None:
    days = history(ordinary, days=0)
    with pytest.raises(NoBaseline, match="no day of the same kind"):
        baseline("ten_of_ten", event(), days)
    with pytest.raises(NoBaseline, match="nothing is known of 2026-06-24"):
        baseline("last_hour", event(), [])
    bare = [replace(days[0], hours={})]
    with pytest.raises(NoBaseline, match="no hour is known"):
        baseline("last_hour", event(), bare)


def test_an_event_known_the_day_before_leaves_the_morning_clean_until_it_acts() -> None:
    start = datetime(2026, 6, 24, 14, tzinfo=BANGKOK).timestamp()
    end = start + 2.5 * 3600
    day_ahead = start - 20 * 3600
    known = event_hours(start, end, BANGKOK, notified=day_ahead)
    assert (known.hours, known.clean_until) == ((840, 900, 960), 840)
    acted = event_hours(
        start, end, BANGKOK, notified=day_ahead, first_action=start - 7200
    )
    assert acted.clean_until == 720
    announced = event_hours(start, end, BANGKOK, notified=start - 3600)
    assert announced.clean_until == 780


def test_half_hour_zones_and_changes_of_clocks_keep_the_time_on_the_wall() -> None:
    begin = datetime(2026, 6, 1, tzinfo=KOLKATA).timestamp() + 1800
    means = [
        (begin + 3600 * hour, ordinary(WEDNESDAY, hour % 24)) for hour in range(24 * 24)
    ]
    days = load_days(means, KOLKATA, lambda day: False, {})
    start = datetime(2026, 6, 24, 14, tzinfo=KOLKATA).timestamp()
    asked = event_hours(start, start + 3600, KOLKATA, notified=start)
    assert asked.hours == (810, 870)
    assert baseline("ten_of_ten", asked, days).hours[870] == pytest.approx(300.0)

    # The hour from 0 to 1 is there twice on this day in Havana.
    begin = datetime(2026, 11, 1, tzinfo=HAVANA).timestamp()
    twice = load_days(
        [(begin, 10.0), (begin + 3600, 20.0), (begin + 7200, 30.0)],
        HAVANA,
        lambda day: True,
        {},
    )
    assert twice[0].hours == {0: 15.0, 60: 30.0}


def test_an_event_over_midnight_is_compared_with_nights() -> None:
    begin = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
    means = [(begin + 3600 * hour, float(hour % 24)) for hour in range(24 * 30)]
    days = load_days(means, UTC, lambda day: False, {})
    start = datetime(2026, 6, 24, 22, tzinfo=UTC).timestamp()
    asked = event_hours(start, start + 4 * 3600, UTC, notified=start)
    assert asked.hours == (1320, 1380, 1440, 1500)
    said = baseline("ten_of_ten", asked, days)
    assert said.hours == pytest.approx({1320: 22.0, 1380: 23.0, 1440: 0.0, 1500: 1.0})


def test_events_without_time_or_without_end_have_no_hours() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        event_hours(10.0, 10.0, UTC, notified=0.0)
    with pytest.raises(ValueError, match="more than 12 hours"):
        event_hours(0.0, 86400.0, UTC, notified=0.0)


def test_a_steady_site_is_sure_and_an_erratic_one_is_not_eligible() -> None:
    dice = Random(4)
    steady = placebo(
        "ten_of_ten",
        event(),
        history(lambda d, h: ordinary(d, h) * dice.gauss(1, 0.03)),
    )
    assert steady.confidence == "high"
    assert steady.eligible
    erratic = placebo(
        "ten_of_ten",
        event(),
        history(lambda d, h: ordinary(d, h) * dice.choice([0.1, 1.0, 2.5])),
    )
    assert erratic.confidence == "low"
    assert not erratic.eligible
    assert set(placebos(event(), history(ordinary))) == set(METHODS)
    short = placebo("last_hour", event(), history(ordinary, days=4))
    assert short.confidence == "unknown"
    assert not short.eligible


_loads = st.floats(0.0, 1000.0)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(_loads, min_size=24, max_size=24), min_size=12, max_size=12),
    st.sampled_from(sorted(METHODS)),
    st.integers(0, 14 * 60),
    st.floats(0.0, 1e4),
)
def test_load_after_the_announcement_never_changes_a_baseline(
    loads: list[list[float]], method: str, clean_until: int, afterwards: float
) -> None:
    days = [
        LoadDay(
            WEDNESDAY - timedelta(days=len(loads) - 1 - index),
            False,
            {hour * 60: load for hour, load in enumerate(hours)},
            weather={hour * 60: (load % 7.0,) for hour, load in enumerate(hours)},
        )
        for index, hours in enumerate(loads)
    ]
    asked = event(clean_until=clean_until)
    touched = {
        hour: afterwards if hour + 60 > clean_until else load
        for hour, load in days[-1].hours.items()
    }
    try:
        said = baseline(method, asked, days)
    except NoBaseline:
        with pytest.raises(NoBaseline):
            baseline(method, asked, [*days[:-1], replace(days[-1], hours=touched)])
        return
    again = baseline(method, asked, [*days[:-1], replace(days[-1], hours=touched)])
    assert again.hours == said.hours
    assert all(load >= 0.0 for load in said.hours.values())
    assert all(day.day < WEDNESDAY for day in said.days)
    assert len(eligible_days(asked, days)) == 11
