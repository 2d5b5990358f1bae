"""Adaptive starts on all kinds of days: free ones, long nights, silent sensors."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from adaptive_building import HOT, MONDAY, STARTS, Building, at, started, stopped
from factories import BANGKOK
import pytest


def test_weekend_counts_as_time_without_the_plant() -> None:
    building = Building(history=STARTS, config={"days": ["mon"]}, now=at(6))
    building.step()
    assert building.goes_on_at() == at(6), "nothing is known of a Monday: at once"


FRIDAY = MONDAY - timedelta(days=3)
WEEKEND = frozenset((FRIDAY + timedelta(days=days)).date() for days in (1, 2))


def test_friday_evening_tells_of_monday_and_of_no_start_that_will_not_happen() -> None:
    building = Building(history=STARTS, now=FRIDAY + timedelta(hours=17))
    building.step()
    assert building.told_hours() == ["Fri 18:00", "Sat", "Sun", "Mon"]
    building.idle_days = WEEKEND
    decision = building.until(19, day=-3)
    assert building.told_hours() == ["Mon"]
    assert decision.attributes["message"] == "Plant off until Mon 05:00"
    start = datetime.fromisoformat(str(decision.attributes["estimated_start"]))
    assert start.astimezone(BANGKOK) == MONDAY + timedelta(hours=5)
    assert decision.attributes["estimated_minutes"] == 180.0
    assert decision.attributes["sureness"] == "not known yet (20 recoveries)"


def test_weekend_of_another_profile_counts_as_days_off() -> None:
    history = [*STARTS, *(started(day, 150.0, off=62.0) for day in (22, 29))]
    building = Building(history=history, now=at(0), idle_days=WEEKEND)
    monday = building.step().attributes["estimated_minutes"]
    building = Building(history=history, now=at(0))
    tuesday = building.step().attributes["estimated_minutes"]
    assert isinstance(monday, float)
    assert isinstance(tuesday, float)
    assert monday > tuesday + 60.0


def test_weekend_on_which_another_schedule_ran_the_plant_is_no_time_off() -> None:
    sunday = stopped(29, 60.0) | {"at": (MONDAY - timedelta(hours=10)).timestamp()}
    days_off = [started(day, 150.0, off=62.0) for day in (15, 22)]
    minutes = []
    for history in ([*STARTS, *days_off], [*STARTS, *days_off, sunday]):
        building = Building(history=history, now=at(0), idle_days=WEEKEND)
        minutes.append(building.step().attributes["estimated_minutes"])
    nobody, somebody = minutes
    assert isinstance(nobody, float)
    assert isinstance(somebody, float)
    assert nobody > somebody + 60.0


NEW_YORK = ZoneInfo("America/New_York")
KATHMANDU = ZoneInfo("Asia/Kathmandu")


@pytest.mark.parametrize(
    ("night", "zone", "hour"),
    [
        (date(2027, 3, 14), NEW_YORK, 4),
        (date(2027, 11, 7), NEW_YORK, 4),
        (date(2027, 3, 14), NEW_YORK, 3),
        (date(2027, 11, 7), NEW_YORK, 2),
        (date(2027, 6, 1), KATHMANDU, 8),
    ],
    ids=["spring", "autumn", "spring_3", "autumn_2", "three_quarters_of_an_hour"],
)
def test_start_is_as_many_minutes_before_the_hours_when_clocks_change(
    night: date, zone: ZoneInfo, hour: int
) -> None:
    building = Building(
        history=STARTS,
        config={"start_time": f"{hour:02}:00:00", "earliest_start": 150},
        time_zone=zone,
        now=datetime.combine(night - timedelta(days=1), time(20), zone),
    )
    building.now = building.now.astimezone(UTC)
    begin = datetime.combine(night, time(hour), zone).astimezone(UTC)
    turned = []
    while building.now < begin + timedelta(minutes=30):
        before = building.decision and building.decision.state
        if building.step().state != before:
            turned.append(begin - building.now)
        building.now += timedelta(minutes=1)
    until_off, started = turned[-2:]
    assert timedelta(minutes=60) <= started <= timedelta(minutes=75)
    assert until_off > timedelta(hours=3)


def test_hours_that_begin_soon_after_midnight_are_started_for_the_day_before() -> None:
    building = Building(
        history=STARTS, config={"start_time": "00:30:00", "stop_time": "09:00:00"}
    )
    building.now = at(20)
    while building.step().state == "off":
        building.now += timedelta(minutes=1)
    assert at(23, 20) <= building.now <= at(23, 35)
    assert building.until(1, 0, day=1).state == "on", "and midnight stops nothing"
    (told,) = building.told("recovery")
    assert told["excluded"] is None


def test_such_hours_after_a_day_of_another_profile_are_started_at_midnight() -> None:
    building = Building(
        history=STARTS,
        config={"start_time": "00:30:00", "stop_time": "09:00:00"},
        idle_days=frozenset([MONDAY.date() - timedelta(days=1)]),
        now=MONDAY,
    )
    assert building.step().state == "on"


def test_a_day_without_hours_is_not_started_for() -> None:
    building = Building(
        history=STARTS, config={"days": ["tue"]}, now=at(0), temperatures=HOT
    )
    assert building.until(20).state == "off"
    building = Building(history=STARTS, config={"operation": "off"}, temperatures=HOT)
    assert building.until(20).state == "off"


def test_zones_that_fall_silent_after_the_start_stop_nothing() -> None:
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.temperatures = {"east": None, "west": None}
    assert building.until(11).state == "on"
    (told,) = building.told("recovery")
    assert "not measured" in str(told["excluded"])


def test_a_weather_station_that_falls_silent_does_not_make_it_a_cool_day() -> None:
    hot = [
        item | {"outdoor": 24.0 + load, "minutes": 20.0 + 10.0 * load, "zone": 27.0}
        for load in (6.0, 8.0, 7.0)
        for item in STARTS[:7]
    ]
    history = [
        item | {"at": (MONDAY - timedelta(days=30 - day)).timestamp()}
        for day, item in enumerate(hot)
    ]
    building = Building(history=history, now=at(5, 30), outdoor=31.0)
    known = building.step().attributes["likely_minutes"]
    building.outdoor = None
    unknown = building.step().attributes["likely_minutes"]
    assert unknown == pytest.approx(known, abs=8.0)
