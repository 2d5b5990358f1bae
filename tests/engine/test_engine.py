"""The engine between plan and calls, with an in-memory house and time of its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.pid_control import PidControl
from chiller_control.control.plan import Plan, PlanPoint, parse_plan
from chiller_control.engine import Engine
from chiller_control.house import CallFailed, NoAnswer
from chiller_control.readings import value_of
from factories import BANGKOK, SmallPlant, equipment, loop, plan_data, staging
import pytest


class MemoryHouse:
    """Entities from a small plant; calls are written down, or refused."""

    def __init__(self, plant: SmallPlant) -> None:
        self.plant = plant
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.log: list[str] = []
        self.refuses: str | None = None
        self.answers = True
        self.attributes: dict[str, dict[str, Any]] = {}
        self.points = {
            point["entity_id"]: f"{key}.{role}"
            for key, item in equipment().items()
            for role, point in item["points"].items()
        }

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        state = self.plant.states().get(entity_id)
        return state and {
            "state": state,
            "attributes": {"quality": "good"} | self.attributes.get(entity_id, {}),
        }

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        if not self.answers:
            raise NoAnswer("no answer within 5 s")
        self.calls.append((action, dict(data)))
        if self.refuses and self.refuses in str(data.get("entity_id")):
            raise CallFailed("not within its limits")
        if action == "command":
            for entity_id in data["entity_id"]:
                self.plant.commands[self.points[entity_id]] = data["value"]

    def tell(self, message: str) -> None:
        self.log.append(message)

    def commanded(self) -> list[str]:
        return [
            entity
            for action, data in self.calls
            if action == "command"
            for entity in data["entity_id"]
        ]

    def of(self, action: str) -> list[dict[str, Any]]:
        return [data for name, data in self.calls if name == action]


def plan(*automations: dict[str, Any], revision: str = "1") -> Plan:
    return parse_plan(plan_data(*automations, revision=revision))


class Trial:
    """An engine for one control type in a house that a test looks into."""

    def __init__(
        self, *automations: dict[str, Any], controller: Any = PidControl
    ) -> None:
        self.plant = SmallPlant()
        self.plant.values |= {"schp_1.run_status": True, "schp_1.speed": 60.0}
        self.plant.values["plant.chilled_water_differential_pressure"] = 120.0
        self.house = MemoryHouse(self.plant)
        control_type = (
            "pid_control" if controller is PidControl else "chiller_add_subtract"
        )
        self.engine = Engine(control_type, controller, self.house, BANGKOK)
        self.engine.take_plan(plan(*automations))
        self.now = 1000.0
        self.cycle()

    def cycle(self, seconds: float = 0) -> list[tuple[str, dict[str, Any]]]:
        """Cycle each five seconds; return the calls that it made."""
        before = len(self.house.calls)
        end = self.now + seconds
        while True:
            self.now = min(self.now + 5, end) if seconds else self.now
            self.engine.cycle(self.now)
            if self.now >= end:
                return self.house.calls[before:]


def test_command_says_who_why_how_much_and_how_long() -> None:
    (command,) = Trial(loop()).house.of("command")
    assert command == {
        "entity_id": ["number.schp_1_speed_command", "number.schp_2_speed_command"],
        "value": 60.0,
        "priority": 5,
        "source": "automation.pressure",
        "lease": 60.0,
        "reason": "Pressure holds plant.chilled_water_differential_pressure "
        "at its setpoint",
    }


def test_unchanged_command_is_sent_again_after_a_third_of_its_lease() -> None:
    trial = Trial(loop())
    assert [name for name, _ in trial.cycle(15)] == ["report_state"]
    assert [name for name, _ in trial.cycle(5)] == ["command"]


def test_changed_command_is_sent_at_once() -> None:
    trial = Trial(loop())
    trial.plant.values["plant.chilled_water_differential_pressure"] = 90.0
    trial.cycle(5)
    assert trial.house.of("command")[-1]["value"] > 60


def test_command_that_is_refused_does_not_keep_the_others_back() -> None:
    trial = Trial(loop())
    trial.house.refuses = "schp_1"
    trial.plant.values["plant.chilled_water_differential_pressure"] = 90.0
    calls = [data["entity_id"] for name, data in trial.cycle(5) if name == "command"]
    assert calls == [
        ["number.schp_1_speed_command", "number.schp_2_speed_command"],
        ["number.schp_1_speed_command"],
        ["number.schp_2_speed_command"],
    ]
    trial.cycle(60)
    assert len([line for line in trial.house.log if "['number.schp_1" in line]) == 0
    assert [line for line in trial.house.log if "not within" in line] == [
        "command failed for automation.pressure: not within its limits"
    ] * 2, "once for the group, once for the point, and not in every cycle"


def test_house_that_does_not_answer_is_asked_once_a_cycle() -> None:
    trial = Trial(staging(), controller=ChillerAddSubtract)
    trial.house.answers = False
    assert trial.cycle(60) == []
    assert len(trial.house.log) <= 2
    trial.house.answers = True
    assert trial.cycle(5), "what was not sent is sent as soon as somebody answers"


def test_output_that_is_not_wanted_any_more_is_released() -> None:
    trial = Trial(loop())
    trial.cycle(20)
    trial.plant.values["schp_1.run_status"] = False
    calls = dict(trial.cycle(5))
    assert calls["release"] == {
        "source": "automation.pressure",
        "entity_id": ["number.schp_1_speed_command", "number.schp_2_speed_command"],
    }
    assert not [name for name, _ in trial.cycle(60) if name == "release"]


def test_automation_that_leaves_the_plan_releases_all_it_had() -> None:
    trial = Trial(loop())
    trial.engine.take_plan(plan(revision="2"))
    calls = [call for call in trial.cycle(20) if call[0] == "release"]
    assert calls == [("release", {"source": "automation.pressure", "plant": "entry"})]
    assert {name for name, _ in trial.cycle(60)} == {"report_state"}, "a heartbeat"


def test_who_comes_commands_before_who_leaves_releases() -> None:
    trial = Trial(loop())
    other = loop() | {"entity_id": "automation.weekend", "id": "weekend"}
    trial.engine.take_plan(plan(other, revision="2"))
    calls = [
        (name, data["source"])
        for name, data in trial.cycle(20)
        if name in ("command", "release")
    ]
    assert calls[0] == ("command", "automation.weekend")
    assert ("release", "automation.pressure") in calls


def test_output_is_kept_until_automations_of_other_kinds_took_the_plan() -> None:
    trial = Trial(loop())
    smaller = loop()
    smaller["metadata"] = smaller["metadata"] | {"outputs": ["schp_1.speed_command"]}
    slow = replace(plan(smaller, revision="2"), poll_interval=5.0)
    trial.engine.take_plan(slow)
    assert "release" not in dict(trial.cycle(10)), "another app may be as slow as we"
    trial.cycle(10)
    assert trial.house.of("release")[-1]["entity_id"] == ["number.schp_2_speed_command"]


def test_release_is_tried_again_until_it_is_heard() -> None:
    trial = Trial(loop())
    trial.engine.take_plan(plan(revision="2"))
    trial.cycle(5)
    trial.house.answers = False
    trial.cycle(20)
    trial.house.answers = True
    assert "release" in dict(trial.cycle(5))


def test_output_outlives_the_wait_of_another_app_for_a_slow_home_assistant() -> None:
    trial = Trial(loop())
    fast = replace(plan(revision="2"), poll_interval=1.0)
    trial.engine.take_plan(fast)
    assert "release" not in dict(trial.cycle(10)), "it takes its plan within five"
    trial.cycle(5)
    assert trial.house.of("release")


def test_wait_for_others_ends_before_the_lease_of_what_is_kept() -> None:
    trial = Trial(loop())
    trial.engine.take_plan(replace(plan(revision="2"), command_lease=15.0))
    trial.cycle(10)
    assert trial.house.of("release")


def test_new_priority_is_sent_at_once_and_the_loop_goes_on() -> None:
    trial = Trial(loop())
    changed = loop() | {"priority": 7}
    trial.plant.values["schp_1.speed"] = 99.0
    trial.engine.take_plan(plan(changed, revision="2"))
    trial.cycle(5)
    command = trial.house.of("command")[-1]
    assert (command["priority"], command["value"]) == (7, 60.0)


def test_changed_setting_begins_anew_from_what_the_pumps_do() -> None:
    trial = Trial(loop())
    trial.plant.values["schp_1.speed"] = 71.0
    trial.engine.take_plan(plan(loop(gain=0.4), revision="2"))
    trial.cycle(5)
    assert trial.house.of("command")[-1]["value"] == 71.0


def test_staging_keeps_its_times_when_its_settings_change() -> None:
    trial = Trial(staging(), controller=ChillerAddSubtract)
    for _ in range(40):
        trial.plant.run(5)
        trial.cycle(5)
    since = trial.house.of("report_state")[-1]["attributes"]["stage_since"]
    assert since is not None
    trial.engine.take_plan(plan(staging(stage_up_threshold=85), revision="2"))
    trial.cycle(5)
    report = trial.house.of("report_state")[-1]["attributes"]
    assert report["stage_since"] == since
    assert report["conditions"][0]["threshold"] == 85


def test_automation_that_cannot_work_is_refused_and_says_why() -> None:
    bad = loop(action="sideways") | {"entity_id": "automation.bad", "id": "bad"}
    trial = Trial(bad, loop())
    reports = {item["automation"]: item for item in trial.house.of("report_state")}
    assert reports["automation.bad"]["state"] == "refused"
    assert "'reverse' or 'direct'" in reports["automation.bad"]["attributes"]["message"]
    assert reports["automation.pressure"]["state"] == "controlling"
    assert trial.house.of("command")[0]["source"] == "automation.pressure"


def test_automation_that_fails_does_not_stop_the_others() -> None:
    broken = plan_data(staging(), staging() | {"entity_id": "automation.b", "id": "b"})
    # A rating that is no number is nothing that a plant file could say.
    broken["equipment"]["chiller_2"]["ratings"]["cooling_capacity"] = "large"
    broken["automations"][1]["metadata"] = {"chillers": ["chiller_1"]}
    trial = Trial(controller=ChillerAddSubtract)
    trial.engine.take_plan(parse_plan(broken | {"revision": "2"}))
    trial.plant.values |= {"chiller_2.run_status": True, "chiller_2.run_command": True}
    trial.cycle(5)
    reports = {
        item["automation"]: item
        for item in trial.house.of("report_state")
        if "automation" in item
    }
    assert reports["automation.staging"]["state"] == "fault"
    assert "TypeError" in reports["automation.staging"]["attributes"]["message"]
    assert reports["automation.b"]["state"] != "fault"
    assert {item["source"] for item in trial.house.of("command")} == {"automation.b"}
    assert len([line for line in trial.house.log if "TypeError" in line]) == 1


def test_state_is_reported_on_change_and_every_fifteen_seconds() -> None:
    trial = Trial(loop())
    times = [
        trial.now - 1000 for _ in range(12) if "report_state" in dict(trial.cycle(5))
    ]
    assert times == [15, 30, 45, 60]
    trial.plant.silent.add("plant.chilled_water_differential_pressure")
    trial.plant.values["plant.chilled_water_differential_pressure"] = None
    report = dict(trial.cycle(5))["report_state"]
    assert report["state"] == "holding"
    (event,) = report["events"]
    assert (event["event"], event["at"]) == ("loop_holding", trial.now)


def test_events_wait_until_somebody_listens() -> None:
    trial = Trial(loop())
    trial.house.answers = False
    trial.plant.values["plant.chilled_water_differential_pressure"] = None
    trial.cycle(60)
    trial.house.answers = True
    report = dict(trial.cycle(5))["report_state"]
    assert [item["event"] for item in report["events"]] == ["loop_holding"]


def test_owner_of_a_higher_priority_is_followed() -> None:
    trial = Trial(loop())
    owner = {"owner": "Operator", "owner_priority": 150}
    for number in (1, 2):
        trial.house.attributes[f"number.schp_{number}_speed_command"] = owner
    trial.cycle(5)
    report = trial.house.of("report_state")[-1]
    assert report["state"] == "overridden"
    assert "Operator" in report["attributes"]["message"]


def test_point_without_an_enabled_entity_is_told_and_the_rest_goes_on() -> None:
    data = plan_data(loop(), revision="2")
    data["equipment"]["schp_2"]["points"]["speed_command"]["entity_id"] = None
    trial = Trial()
    trial.engine.take_plan(parse_plan(data))
    trial.cycle(5)
    assert trial.house.commanded() == ["number.schp_1_speed_command"]
    assert "schp_2.speed_command" in trial.house.log[0]


@pytest.mark.parametrize(
    ("state", "attributes", "value"),
    [
        ("7.5", {"unit_of_measurement": "°C"}, 7.5),
        ("45.5", {"unit_of_measurement": "°F"}, 7.5),
        ("7.5", {"unit_of_measurement": "furlong"}, None),
        ("7.5", {"quality": "stale"}, None),
        ("7.5", {"quality": "missing"}, None),
        ("7.5", {"quality": "out_of_range"}, None),
        ("7.5", {"quality": "frozen"}, None),
        ("7.5", {"quality": "overridden", "unit_of_measurement": "°C"}, 7.5),
        ("unavailable", {}, None),
        ("unknown", {}, None),
        ("nan", {}, None),
        ("inf", {}, None),
        ("", {}, None),
        (None, {}, None),
    ],
)
def test_only_good_numbers_are_computed_with(
    state: str | None, attributes: dict[str, Any], value: float | None
) -> None:
    point = PlanPoint("plant.t", "sensor.t", False, False, None, None, "°C")
    assert value_of(point, state, attributes) == pytest.approx(value)


@pytest.mark.parametrize(
    ("state", "value"), [("on", True), ("off", False), ("unavailable", None)]
)
def test_only_on_and_off_are_states(state: str, value: bool | None) -> None:
    point = PlanPoint("a.alarm", "binary_sensor.a", False, True, None, None, None)
    assert value_of(point, state, {}) is value


def test_loop_is_worked_out_as_often_as_its_form_says_and_never_less() -> None:
    def interval(*automations: dict[str, Any], poll: float = 5.0) -> float:
        trial = Trial(loop())
        read = replace(plan(*automations, revision="2"), poll_interval=poll)
        trial.engine.take_plan(read)
        return trial.engine.interval

    other = loop(interval=2) | {"entity_id": "automation.b", "id": "b"}
    assert interval(loop(interval=5)) == 5
    assert interval(loop(interval=1)) == 1
    assert interval(loop(interval=10), other) == 2
    assert interval(loop(interval=10)) == 5, "the plan is looked at as before"
    assert interval(loop(interval=0.1)) == 1, "the least that a form takes"
    assert interval(staging()) == 5
    assert interval(loop(interval=1), poll=0.5) == 0.5
