"""The plant starts early enough and not earlier, and stops when comfort lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
import json
from typing import Any

from chiller_control.control.chiller_plant_schedule import ChillerPlantSchedule
from chiller_control.control.decision import ControlRefused, Decision, Inputs
from chiller_control.control.plan import PlanAutomation, parse_plan
from chiller_control.control.planned import Amendment, occurrence
from factories import BANGKOK, automation, first, plan_data
from hypothesis import given, settings, strategies as st
import pytest

ZONES = ("east", "west")
MONDAY = datetime(2026, 11, 23, tzinfo=BANGKOK)
CONFIG = {
    "operation": "between_times",
    "start_time": "08:00:00",
    "stop_time": "18:00:00",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "adaptive_start": True,
    "adaptive_stop": False,
    "comfort_temperature": 24.0,
    "earliest_start": 180,
    "latest_start": 10,
    "earliest_stop": 60,
    "start_margin": 1.0,
}


def zone(key: str) -> dict[str, Any]:
    def point(role: str, *, boolean: bool = False) -> dict[str, Any]:
        return {
            "entity_id": f"sensor.{key}_{role}",
            "writable": boolean,
            "boolean": boolean,
            "low": None,
            "high": None,
            "unit": "°C",
        }

    return {
        "type": "zone",
        "name": key.title(),
        "ratings": {},
        "served_by": {},
        "points": {
            "temperature": point("temperature"),
            "occupied_command": point("occupied_command", boolean=True),
        },
    }


def weather() -> dict[str, Any]:
    station = zone("roof") | {"type": "weather_station"}
    station["points"] = {"outdoor_temperature": station["points"]["temperature"]}
    return station


def started(day: int, minutes: float, *, way: float = 3.0, off: float = 14.0) -> dict:
    """Return a start as the integration keeps it."""
    return {
        "kind": "start",
        "at": (MONDAY - timedelta(days=30 - day)).timestamp(),
        "minutes": minutes,
        "zone": 24.0 + way,
        "setpoint": 24.0,
        "outdoor": 28.0,
        "off_hours": off,
        "heating": False,
        "reached": True,
    }


def stopped(day: int, minutes: float) -> dict[str, Any]:
    return started(day, minutes) | {
        "kind": "stop",
        "zone": 24.0,
        "setpoint": 25.0,
        "off_hours": 0.0,
        "heating": True,
        "coasting": True,
    }


STARTS = [started(day, 60.0 + day % 3) for day in range(1, 21)]
STOPS = [stopped(day, 40.0 + day % 3) for day in range(1, 21)]


@dataclass
class Building:
    """A schedule and two zones that it is to keep comfortable."""

    history: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    temperatures: dict[str, float | None] = field(
        default_factory=lambda: {"east": 27.0, "west": 26.0}
    )
    outdoor: float | None = 28.0
    taken: dict[str, str] = field(default_factory=dict)
    amendments: dict[str, Amendment] = field(default_factory=dict)
    idle_days: frozenset[date] = frozenset()
    """Days on which another profile runs."""
    now: datetime = MONDAY
    minutes_a_kelvin: float = 20.0
    """What the building takes once the plant is on."""
    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    decision: Decision | None = None
    resume: str = "{}"

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start the engine anew with what was reported, as the integration keeps it."""
        item = automation(
            "chiller_plant_schedule",
            config=CONFIG | self.config,
            metadata=self.metadata,
            reported={"attributes": {"resume": self.resume}},
        ) | {"history": self.history}
        data = plan_data(item)
        data["equipment"] |= {key: zone(key) for key in ZONES} | {"roof": weather()}
        plan = parse_plan(data)
        self.automation: PlanAutomation = first(plan)
        self.schedule = ChillerPlantSchedule(plan, self.automation)

    def step(self) -> Decision:
        values: dict[str, Any] = {
            f"{key}.temperature": value for key, value in self.temperatures.items()
        }
        values["roof.outdoor_temperature"] = self.outdoor
        self.decision = decision = self.schedule.step(
            self.now.timestamp(),
            Inputs(
                values,
                taken=self.taken,
                time_zone=BANGKOK,
                amendments=self.amendments,
                idle_days=self.idle_days,
            ),
        )
        self.resume = json.dumps(decision.attributes.get("resume", {}))
        self.events += [(item.event, item.data) for item in decision.events]
        return decision

    def until(self, hour: int, minute: int = 0, *, day: int = 0) -> Decision:
        """Go on minute by minute; the zones cool while the plant is on."""
        end = MONDAY + timedelta(days=day, hours=hour, minutes=minute)
        decision = self.step()
        while self.now < end:
            self.now += timedelta(minutes=1)
            decision = self.step()
            change = -1.0 / self.minutes_a_kelvin if decision.state == "on" else 0.0
            for key, value in self.temperatures.items():
                if value is not None:
                    self.temperatures[key] = max(23.9, value + change)
        return decision

    def goes_on_at(self, *, latest: int = 9) -> datetime:
        """Return when the plant is started."""
        while self.step().state == "off":
            self.now += timedelta(minutes=1)
            assert self.now < MONDAY + timedelta(hours=latest)
        return self.now

    def told_hours(self) -> list[str]:
        """Return what is planned within three days, as a person reads it."""
        assert self.decision is not None
        told = []
        for item in self.decision.planned:
            when = datetime.fromtimestamp(item.at, BANGKOK)
            if item.kind == "stop" and when.date() == self.now.date():
                told.append(f"{when:%a %H:%M}")
            elif item.kind == "start" and when < self.now + timedelta(days=3):
                told.append(f"{when:%a}")
        return told

    def told(self, name: str) -> list[Mapping[str, object]]:
        return [data for event, data in self.events if event == name]


def at(hour: int, minute: int = 0) -> datetime:
    return MONDAY + timedelta(hours=hour, minutes=minute)


# The start


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


# What is learnt


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


# The stop


def stopping(**fields: Any) -> Building:
    config = {"adaptive_stop": True, "adaptive_start": False}
    return Building(
        history=STOPS,
        config=config,
        temperatures={"east": 24.0, "west": 23.9},
        now=at(16, 30),
        **fields,
    )


def test_plant_stops_when_comfort_lasts_to_the_end_of_the_hours() -> None:
    building = stopping()
    building.minutes_a_kelvin = 1e9
    assert building.until(17, 15).state == "on"
    decision = building.until(17, 40)
    assert decision.state == "off"
    assert "before the end of the hours" in str(decision.attributes["message"])
    assert building.until(18, 30).state == "off"
    (off,) = building.told("plant_off")
    assert off["to"] is False


def test_plant_goes_on_again_when_comfort_is_lost_and_that_is_learnt() -> None:
    building = stopping()
    building.until(17, 35)
    while building.step().state == "on":
        building.now += timedelta(minutes=1)
    building.now += timedelta(minutes=5)
    building.temperatures["east"] = 25.1
    decision = building.step()
    assert decision.state == "on"
    (told,) = building.told("drift")
    assert told["reached"] is True and told["coasting"] is True
    building.temperatures["east"] = 24.0
    for _ in range(10):
        building.now += timedelta(minutes=1)
        assert building.step().state == "on", "it is not risked twice"


def test_without_history_the_plant_stops_at_its_hour_and_the_drift_is_measured() -> (
    None
):
    building = stopping()
    building.history = []
    building.restart()
    assert building.until(17, 59).state == "on"
    assert building.until(18, 1).state == "off"
    building.temperatures["east"] = 25.2
    building.until(18, 40)
    (told,) = building.told("drift")
    assert told["coasting"] is False and told["reached"] is True


def test_a_stop_that_a_person_moved_is_not_made_earlier() -> None:
    stop = occurrence("stop", at(18).timestamp())
    building = stopping(amendments={stop: Amendment(at=at(19).timestamp())})
    assert building.until(18, 55).state == "on"
    assert building.until(19, 1).state == "off"


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
