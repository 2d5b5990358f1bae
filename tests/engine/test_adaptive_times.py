"""The plant starts early enough and not earlier."""

from datetime import timedelta
from typing import Any

from adaptive_building import STARTS, Building, at, started
from chiller_control.control.decision import ControlRefused
from chiller_control.control.planned import Amendment, occurrence
from hypothesis import given, settings, strategies as st
import pytest


def test_without_history_the_plant_starts_as_early_as_it_may() -> None:
    building = Building(now=at(2))
    assert building.goes_on_at() == at(5)
    assert building.decision is not None
    assert "nothing learnt" in building.decision.commands[0].reason


def test_plant_starts_as_long_before_as_the_building_has_been_taking() -> None:
    building = Building(history=STARTS, now=at(2))
    begun = building.goes_on_at()
    assert at(6, 50) <= begun <= at(7, 0), "61 minutes and a small margin"
    assert building.decision is not None
    message = building.decision.attributes["message"]
    assert "min before the hours" in message and "20 recoveries" in message


def test_plant_that_was_started_stays_on_although_the_estimate_falls() -> None:
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.temperatures = {"east": 24.1, "west": 24.0}
    for _ in range(30):
        building.now += timedelta(minutes=1)
        assert building.step().state == "on"


@pytest.mark.parametrize(
    ("config", "stays"),
    [
        ({"start_time": "08:30:00"}, True),
        ({"start_time": "07:30:00"}, True),
        ({"comfort_temperature": 26.9}, True),
        ({"adaptive_start": False, "adaptive_stop": True}, True),
        ({"start_time": "13:00:00"}, False),
    ],
)
def test_plant_that_was_started_stays_on_although_the_form_is_changed(
    config: dict[str, Any], stays: bool
) -> None:
    """It would stop and start again in an hour; but not for hours far ahead."""
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.until(7)
    building.config = config
    building.restart()
    for _ in range(20):
        building.now += timedelta(minutes=1)
        assert (building.step().state == "on") is stays


def test_second_hours_of_a_day_are_not_taken_for_hours_that_were_moved() -> None:
    building = Building(history=STARTS, now=at(6))
    building.until(17, 59)
    building.config = {"stop_time": "18:00:00", "start_time": "20:00:00"}
    building.restart()
    building.temperatures = {"east": 24.0, "west": 24.0}
    building.now = at(18, 1)
    assert building.step().state == "off"


def test_estimate_is_made_anew_until_the_start() -> None:
    building = Building(history=STARTS, now=at(5, 30))
    before = building.step().attributes["estimated_minutes"]
    building.temperatures["east"] = 28.5
    after = building.step().attributes["estimated_minutes"]
    assert isinstance(before, float) and isinstance(after, float)
    assert after > before


def test_zones_that_have_their_temperature_need_the_latest_start_only() -> None:
    building = Building(
        history=STARTS, now=at(5), temperatures={"east": 24.2, "west": 24.0}
    )
    assert building.goes_on_at() == at(7, 50)


@pytest.mark.parametrize(("choice", "zone"), [("worst", 27.0), ("average", 26.5)])
def test_worst_zone_or_the_average_counts(choice: str, zone: float) -> None:
    building = Building(history=STARTS, now=at(6), config={"zone_choice": choice})
    assert building.step().attributes["zone_temperature"] == zone


def test_only_the_zones_that_were_named_count() -> None:
    building = Building(history=STARTS, now=at(6), metadata={"zones": ["west"]})
    assert building.step().attributes["zone_temperature"] == 26.0


def test_one_zone_that_cannot_be_measured_is_left_out() -> None:
    building = Building(now=at(6), temperatures={"east": None, "west": 26.0})
    assert building.step().attributes["zone_temperature"] == 26.0


def test_without_any_zone_the_plant_starts_as_early_as_it_may() -> None:
    building = Building(
        history=STARTS, now=at(4), temperatures={"east": None, "west": None}
    )
    assert building.goes_on_at() == at(5)
    assert building.decision is not None
    assert "no zone can be measured" in building.decision.commands[0].reason


def test_a_start_that_a_person_moved_stays_where_it_was_put() -> None:
    start = occurrence("start", at(8).timestamp())
    moved = Amendment(at=at(7, 30).timestamp(), by="Mali")
    building = Building(history=STARTS, now=at(5), amendments={start: moved})
    assert building.goes_on_at() == at(7, 30)


def test_a_start_that_a_person_cancelled_does_not_happen() -> None:
    start = occurrence("start", at(8).timestamp())
    building = Building(
        history=STARTS, now=at(5), amendments={start: Amendment(cancelled=True)}
    )
    assert building.until(12).state == "off"


def test_next_start_is_planned_where_it_is_expected() -> None:
    building = Building(history=STARTS, now=at(6))
    planned = building.step().planned
    start = next(item for item in planned if item.kind == "start")
    assert start.id == occurrence("start", at(8).timestamp())
    assert start.estimated
    assert at(6, 45).timestamp() <= start.at <= at(7).timestamp()
    assert building.step().planned is planned, "nothing new is told"
    building.until(7, 30)
    left = [item for item in building.step().planned if item.kind == "start"]
    assert start.at not in [item.at for item in left]


def test_evening_before_next_start_is_planned_by_what_mornings_are_like() -> None:
    building = Building(
        history=STARTS, now=at(20), temperatures={"east": 24.0, "west": 24.0}
    )
    planned = building.step().planned
    start = next(item for item in planned if item.kind == "start")
    tomorrow = timedelta(days=1)
    assert (at(6, 40) + tomorrow).timestamp() <= start.at
    assert start.at <= (at(7, 5) + tomorrow).timestamp()


def test_air_handlers_are_started_with_the_plant_and_left_alone_afterwards() -> None:
    building = Building(history=STARTS, now=at(6), config={"occupy_zones": True})
    assert [item.point for item in building.step().commands] == ["plant.enable_command"]
    building.goes_on_at()
    assert building.decision is not None
    assert {item.point for item in building.decision.commands} == {
        "plant.enable_command",
        "east.occupied_command",
        "west.occupied_command",
    }
    during = building.until(8, 1)
    assert [item.point for item in during.commands] == ["plant.enable_command"]


@given(
    st.lists(
        st.tuples(st.floats(1.0, 700.0), st.floats(0.1, 10.0), st.floats(1.0, 100.0)),
        max_size=30,
    ),
    st.floats(15.0, 45.0),
    st.floats(0.0, 5.0),
)
@settings(max_examples=25, deadline=None)
def test_start_is_within_its_bounds_whatever_was_learnt(
    days: list[tuple[float, float, float]], temperature: float, margin: float
) -> None:
    building = Building(
        history=[
            started(number, minutes, way=way, off=off)
            for number, (minutes, way, off) in enumerate(days)
        ],
        config={"start_margin": margin},
        temperatures={"east": temperature, "west": temperature},
        now=at(4, 55),
    )
    assert at(5) <= building.goes_on_at() <= at(7, 50)


# The form


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"zone_choice": "best"}, "zone_choice is 'best'"),
        ({"latest_start": 200}, "the latest start"),
        ({"earliest_start": 0}, "earliest_start is 0"),
        ({"comfort_temperature": 240}, "comfort_temperature is 240"),
    ],
)
def test_a_form_that_cannot_work_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ControlRefused, match=says):
        Building(config=config)


def test_zone_that_is_not_there_is_refused() -> None:
    with pytest.raises(ControlRefused, match="temperature of a zone"):
        Building(metadata={"zones": ["attic"]})
    Building(config={"adaptive_start": False}, metadata={"zones": ["attic"]})
