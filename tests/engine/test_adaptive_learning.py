"""What is measured of a start, and what is not learnt from."""

from datetime import timedelta

from adaptive_building import STARTS, Building, at
from chiller_control.control.decision import AT_THE_DEVICE, Owner
import pytest


def test_recovery_is_told_when_the_zone_is_there() -> None:
    building = Building(history=STARTS, now=at(6))
    building.until(9)
    (told,) = building.told("recovery")
    assert told["minutes"] == pytest.approx(54.0, abs=3.0), "2.7 K of 20 minutes"
    assert told["predicted"] == pytest.approx(61.0, abs=3.0)
    assert told["zone"] == 27.0 and told["outdoor"] == 28.0
    assert told["reached"] is True and told["excluded"] is None
    assert float(str(told["late_minutes"])) < 0.0


def test_recovery_that_was_told_is_what_the_next_plan_is_learnt_from() -> None:
    building = Building(now=at(2))
    building.until(9)
    (told,) = building.told("recovery")
    kept = {**told, "kind": "start", "at": told["started_at"]}
    building.history = [
        {**kept, "at": float(str(kept["at"])) + 86400.0 * day} for day in range(5)
    ]
    building.temperatures = {"east": 27.0, "west": 26.0}
    building.now = at(2) + timedelta(days=1)
    building.restart()
    estimated = building.until(5, 30, day=1).attributes["likely_minutes"]
    assert estimated == pytest.approx(told["minutes"], abs=5.0)


def test_a_building_that_is_not_there_in_time_is_told_so() -> None:
    building = Building(history=STARTS, now=at(6), minutes_a_kelvin=1000.0)
    building.until(11)
    (told,) = building.told("recovery")
    assert told["reached"] is False
    assert float(str(told["minutes"])) > 200.0


def test_day_on_which_somebody_commanded_the_plant_is_not_learnt_from() -> None:
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.taken = {"plant.enable_command": "operator"}
    building.until(9)
    (told,) = building.told("recovery")
    assert "operator" in str(told["excluded"])


OPERATOR = Owner(150, "operator")
EVENT = Owner(50, "demand_response")


@pytest.mark.parametrize(
    ("point", "owner", "says"),
    [
        ("east.temperature_setpoint", EVENT, "demand response"),
        ("chiller_1.run_command", EVENT, "demand response"),
        ("chiller_1.run_command", OPERATOR, "operator commanded chiller_1"),
        ("east.temperature_setpoint", OPERATOR, "operator commanded east"),
        ("east.temperature", AT_THE_DEVICE, "somebody at the device"),
    ],
)
def test_day_on_which_somebody_interfered_is_not_learnt_from(
    point: str, owner: Owner, says: str
) -> None:
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.until(7, 20)
    building.owners = {point: owner}
    building.until(7, 25)
    building.owners = {}
    building.restart()
    building.until(9)
    (told,) = building.told("recovery")
    assert says in str(told["excluded"])


def test_event_of_demand_response_that_began_before_the_start_is_seen_too() -> None:
    building = Building(history=STARTS, now=at(6))
    building.owners = {"east.temperature_setpoint": EVENT}
    building.goes_on_at()
    building.until(9)
    (told,) = building.told("recovery")
    assert "demand response" in str(told["excluded"])


@pytest.mark.parametrize(
    ("point", "owner"),
    [
        ("east.temperature_setpoint", OPERATOR),
        ("chiller_1.run_command", Owner(5, "automation.staging")),
        ("plant.chilled_water_supply_temperature_setpoint", Owner(100, "automation")),
    ],
    ids=["always_held_by_a_person", "automation", "custom_schedule"],
)
def test_what_is_so_every_day_is_how_the_plant_is_and_is_learnt_from(
    point: str, owner: Owner
) -> None:
    """Otherwise a site with one setpoint held for years would never learn."""
    building = Building(history=STARTS, now=at(6), owners={point: owner})
    building.goes_on_at()
    building.until(7, 20)
    building.restart()
    building.until(9)
    (told,) = building.told("recovery")
    assert told["excluded"] is None


def test_morning_on_which_the_plant_was_held_back_is_not_learnt_from() -> None:
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.holds = {"plant.enable_command": "does not answer"}
    building.until(9)
    (told,) = building.told("recovery")
    assert "does not answer" in str(told["excluded"])


def test_a_plant_that_somebody_ran_all_night_is_not_started_and_had_no_time_off() -> (
    None
):
    building = Building(history=STARTS, now=at(6), enabled=True)
    building.goes_on_at()
    building.until(9)
    assert building.told("recovery") == []
    monday = Building(history=STARTS, config={"days": ["mon"]}, now=at(4))
    monday.enabled = True
    monday.until(5, 30)
    minutes = monday.step().attributes["estimated_minutes"]
    assert minutes == pytest.approx(65.0, abs=8.0), "no Monday after days off"


def test_recovery_is_not_over_because_the_warmest_zone_fell_silent() -> None:
    """The other one is there soon; learnt from, tomorrow would be late."""
    building = Building(history=STARTS, now=at(6))
    building.temperatures = {"east": 28.0, "west": 24.8}
    building.goes_on_at()
    building.temperatures["east"] = None
    building.until(11)
    (told,) = building.told("recovery")
    assert "not measured" in str(told["excluded"])


def test_a_zone_that_is_silent_for_a_moment_spoils_nothing() -> None:
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.until(7, 10)
    east, building.temperatures["east"] = building.temperatures["east"], None
    building.until(7, 15)
    building.temperatures["east"] = east
    building.until(9)
    (told,) = building.told("recovery")
    assert told["excluded"] is None
    assert told["minutes"] == pytest.approx(54.0, abs=8.0)


def test_recovery_is_measured_through_a_restart_of_the_engine() -> None:
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.until(7, 20)
    building.restart()
    assert building.step().state == "on"
    building.until(9)
    (told,) = building.told("recovery")
    assert told["minutes"] == pytest.approx(54.0, abs=3.0)
    assert [event for event, _ in building.events].count("plant_on") == 1


def test_nothing_is_learnt_of_a_morning_that_the_engine_did_not_see() -> None:
    building = Building(history=STARTS, now=at(6))
    building.goes_on_at()
    building.now = at(9)
    building.temperatures = {"east": 24.0, "west": 24.0}
    building.restart()
    building.step()
    assert all(told["excluded"] for told in building.told("recovery"))


def test_of_a_plant_that_heats_too_a_cold_corner_does_not_end_a_cool_down() -> None:
    building = Building(history=STARTS, now=at(6), heats=True)
    building.goes_on_at()
    building.temperatures = {"east": 24.7, "west": 23.0}
    building.now += timedelta(minutes=5)
    building.step()
    assert building.told("recovery") == [], "east is not there yet"
