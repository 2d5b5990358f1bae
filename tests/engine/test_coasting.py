"""A plant that stopped early: chillers off, and water goes on until the hours end."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from adaptive_building import CONFIG, MONDAY, STOPS, zone
from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.chiller_plant_schedule import ChillerPlantSchedule
from chiller_control.control.decision import (
    ControlRefused,
    Decision,
    Event,
    Inputs,
    Value,
)
from chiller_control.control.plan import Plan, parse_plan
from chiller_control.control.planned import occurrence
from factories import BANGKOK, SmallPlant, automation, plan_data, staging
from pump_main import PumpMain, pump_plan
import pytest

PUMPS = "chilled_water_pumps"
CHILLED = ("pchp_1", "pchp_2", "schp_1", "schp_2")
OTHERS = ("chiller_1", "chiller_2", "cdp_1", "cdp_2", "ct_1", "ct_2")


def schedule(coast_with: str = PUMPS, **fields: Any) -> dict[str, Any]:
    config = CONFIG | {
        "adaptive_start": False,
        "adaptive_stop": True,
        "coast_with": coast_with,
    }
    return automation(
        "chiller_plant_schedule", name="hours", config=config, **fields
    ) | {"history": STOPS}


class Evening:
    """Schedule and staging of one plant, an hour before its hours end."""

    def __init__(self, coast_with: str = PUMPS, **fields: Any) -> None:
        self.hours = schedule(coast_with, **fields)
        self.plant = SmallPlant(2, 900.0)
        self.plant.now = (MONDAY + timedelta(hours=16, minutes=50)).timestamp()
        self.zone = 23.5
        self.rises = 0.0
        """K an hour while no chiller runs."""
        self.events: list[Event] = []
        self.states: list[str] = []
        self.reasons: dict[str, str] = {}
        self.decisions: dict[str, Decision] = {}
        self.resume: dict[str, Any] = {}
        self.begin()

    def begin(self) -> None:
        """Start the engine, with what was reported if anything was."""
        items = [self.hours, staging(2)]
        for item in items:
            kept = self.resume.get(item["id"])
            item["reported"] = kept and {"attributes": {"resume": kept}}
        data = deepcopy(plan_data(*items))
        data["equipment"]["east"] = zone("east")
        plan: Plan = parse_plan(data)
        first, second = plan.automations
        self.schedule = ChillerPlantSchedule(plan, first)
        self.staging = ChillerAddSubtract(plan, second)

    @property
    def inputs(self) -> Inputs:
        seen = self.plant.inputs
        return replace(seen, values={**seen.values, "east.temperature": self.zone})

    def cycle(self) -> None:
        now = self.plant.now
        commands: dict[str, Value] = {}
        for name, controller in (("hours", self.schedule), ("staging", self.staging)):
            decision = controller.step(now, self.inputs)
            self.decisions[name] = decision
            self.events += decision.events
            attributes = json.loads(json.dumps(dict(decision.attributes)))
            self.resume[name] = attributes.get("resume", {})
            for command in decision.commands:
                commands[command.point] = command.value
                self.reasons[command.point] = command.reason
        self.states.append(self.decisions["staging"].state)
        self.plant.commands = commands
        self.plant.run(10.0)
        if not self.plant.running("chiller_", "run_status"):
            self.zone += self.rises * 10.0 / 3600.0

    def until(self, hour: int, minute: int = 0) -> "Evening":
        end = (MONDAY + timedelta(hours=hour, minutes=minute)).timestamp()
        while self.plant.now < end:
            self.cycle()
        return self

    def until_off(self) -> datetime:
        """Go on until the schedule stops the plant; return when it did."""
        while (
            self.decisions.get("hours") is None or self.decisions["hours"].state == "on"
        ):
            self.cycle()
            assert self.plant.now < (MONDAY + timedelta(hours=19)).timestamp()
        return datetime.fromtimestamp(self.plant.now, BANGKOK)

    def on(self, *machines: str) -> set[str]:
        return {
            item
            for item in machines
            if self.plant.values.get(f"{item}.run_status") is True
        }

    def why(self, event: str) -> list[str]:
        return [item.reason for item in self.events if item.event == event]


def test_pumps_run_on_to_the_end_of_the_hours_and_nothing_else_does() -> None:
    evening = Evening()
    stopped = evening.until_off()
    assert stopped < MONDAY + timedelta(hours=17, minutes=45)
    evening.until(17, 52)
    assert not evening.on(*OTHERS)
    assert {item[:4] for item in evening.on(*CHILLED)} == {"pchp", "schp"}
    staging_says = evening.decisions["staging"]
    assert staging_says.state == "coasting"
    assert "until 18:00" in str(staging_says.attributes["message"])
    assert "pumps go on" in str(evening.decisions["hours"].attributes["message"])
    (began,) = evening.why("coast_began")
    assert "until 18:00" in began
    evening.until(18, 10)
    assert not evening.on(*CHILLED)
    assert evening.decisions["staging"].state == "off"
    assert evening.why("coast_ended") == ["Pumps stop: the hours are over"]


def test_no_pump_runs_without_an_open_way_for_its_water() -> None:
    evening = Evening()
    evening.until_off()
    evening.until(17, 55)
    valves = [
        key.partition(".")[0]
        for key, value in evening.plant.values.items()
        if key.endswith("open_status") and value is True
    ]
    assert valves
    evening.until(18, 15)
    assert not evening.plant.running("", "open_status")


def test_nothing_runs_on_where_that_was_not_chosen() -> None:
    evening = Evening("nothing")
    evening.until_off()
    evening.until(17, 52)
    assert not evening.on(*CHILLED, *OTHERS)
    assert not evening.why("coast_began")
    assert "coasting" not in evening.states


def test_chillers_stay_off_unless_comfort_is_lost_and_then_start_in_order() -> None:
    evening = Evening()
    evening.zone = 24.0
    evening.until_off()
    evening.until(17, 35)
    assert evening.decisions["staging"].state == "coasting"
    assert not evening.on("chiller_1", "chiller_2")
    evening.zone = 25.2
    evening.until(17, 50)
    assert evening.decisions["hours"].state == "on"
    assert evening.on("chiller_1", "chiller_2")
    assert evening.on("cdp_1", "cdp_2")
    assert "wanted otherwise" in evening.why("coast_ended")[0]
    evening.until(18, 10)
    assert not evening.on(*CHILLED, *OTHERS)
    assert len(evening.why("coast_began")) == 1


def test_a_plant_that_a_person_disables_is_off_with_its_pumps() -> None:
    evening = Evening()
    evening.zone = 24.9
    evening.until(17, 20)
    assert evening.on(*CHILLED)
    evening.plant.taken = {"plant.enable_command": "operator"}
    evening.plant.holds = {"plant.enable_command": ""}
    evening.plant.values["plant.enable_command"] = False
    evening.until(17, 40)
    assert not evening.on(*CHILLED, *OTHERS)


def test_the_schedule_itself_may_be_of_a_higher_priority() -> None:
    evening = Evening(priority=9)
    evening.until_off()
    evening.plant.taken = {"plant.enable_command": "automation.hours"}
    evening.until(17, 52)
    assert evening.decisions["staging"].state == "coasting"


def test_a_restart_of_the_engine_leaves_the_pumps_running() -> None:
    evening = Evening()
    evening.until_off()
    evening.until(17, 40)
    before = evening.on(*CHILLED)
    assert before
    evening.begin()
    while evening.plant.now < (MONDAY + timedelta(hours=17, minutes=55)).timestamp():
        evening.cycle()
        assert evening.on(*CHILLED) == before
        assert not evening.on("chiller_1", "chiller_2")
    evening.until(18, 10)
    assert not evening.on(*CHILLED)


def test_a_stop_that_a_person_moved_is_no_early_one() -> None:
    end = MONDAY + timedelta(hours=18)
    moved = {
        "id": occurrence("stop", end.timestamp()),
        "at": (end - timedelta(minutes=20)).timestamp(),
    }
    evening = Evening()
    evening.hours["amendments"] = [moved]
    evening.begin()
    evening.until(17, 55)
    assert not evening.on(*CHILLED)


@pytest.mark.parametrize(
    ("coast_with", "enable", "runs"),
    [
        (PUMPS, [], True),
        (PUMPS, ["plant.enable_command"], True),
        (PUMPS, ["chiller_1.run_status"], False),
        ("nothing", [], False),
    ],
    ids=["water", "plant", "something_else", "nothing"],
)
def test_secondary_pumps_bring_what_is_stored_to_the_zones(
    coast_with: str, enable: list[str], runs: bool
) -> None:
    data = pump_plan(enable=enable)
    data["automations"].append(schedule(coast_with))
    data["equipment"]["east"] = zone("east")
    main = PumpMain(data)
    main.now = datetime(2026, 11, 23, 17, 10, tzinfo=UTC).timestamp()
    main.values["plant.enable_command"] = True
    main.run(300)
    assert main.running
    main.values["chiller_1.run_status"] = main.values["plant.enable_command"] = False
    main.run(900)
    assert bool(main.running) is runs
    main.run(2400)
    assert not main.running, "the hours are over"


def test_pumps_that_stood_are_not_started_to_coast() -> None:
    data = pump_plan()
    data["automations"].append(schedule())
    data["equipment"]["east"] = zone("east")
    main = PumpMain(data)
    main.now = datetime(2026, 11, 23, 17, 10, tzinfo=UTC).timestamp()
    main.values["chiller_1.run_status"] = main.values["plant.enable_command"] = False
    main.run(600)
    assert not main.running


def test_a_form_that_asks_for_something_unknown_is_refused() -> None:
    data = deepcopy(plan_data(schedule("music")))
    data["equipment"]["east"] = zone("east")
    plan = parse_plan(data)
    with pytest.raises(ControlRefused, match="coast_with is 'music'"):
        ChillerPlantSchedule(plan, plan.automations[0])
