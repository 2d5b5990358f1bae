"""What the engine does with what is planned, and with what people change of it."""

from datetime import datetime
import json
from typing import Any

from chiller_control.control.chiller_plant_schedule import ChillerPlantSchedule
from chiller_control.control.plan import parse_plan
from chiller_control.engine import Engine
from factories import BANGKOK, SmallPlant, automation, plan_data
from test_engine import MemoryHouse

NOON = datetime(2026, 11, 23, 12, tzinfo=BANGKOK).timestamp()
"""A Monday."""


def hours(**fields: Any) -> dict[str, Any]:
    return automation(
        "chiller_plant_schedule",
        name="hours",
        config={
            "operation": "between_times",
            "start_time": "14:00",
            "stop_time": "18:00",
        },
    ) | {"amendments": [], **fields}


class Trial:
    """An engine for schedules, and a house that writes down what is called."""

    def __init__(self, *automations: dict[str, Any], idle: Any = ()) -> None:
        self.house = MemoryHouse(SmallPlant())
        self.made = 0
        self.revision = 0
        self.engine = Engine("chiller_plant_schedule", self.build, self.house, BANGKOK)
        self.now = NOON
        self.take(*automations, idle=idle)

    def build(self, plan: Any, item: Any) -> ChillerPlantSchedule:
        self.made += 1
        return ChillerPlantSchedule(plan, item)

    def take(self, *automations: dict[str, Any], idle: Any = ()) -> None:
        self.revision += 1
        data = plan_data(*automations, revision=str(self.revision))
        self.engine.take_plan(parse_plan(data | {"idle": list(idle)}))

    def cycle(self, seconds: float = 5) -> list[dict[str, Any]]:
        """Go on; return what was told to be planned, report by report."""
        before = len(self.house.calls)
        end = self.now + seconds
        while self.now < end:
            self.now += 5
            self.engine.cycle(self.now)
        return [
            json.loads(data["planned"])
            for name, data in self.house.calls[before:]
            if name == "report_state" and "planned" in data
        ]


def test_what_is_planned_is_told_once_and_again_when_it_changes() -> None:
    trial = Trial(hours())
    ((first, *others),) = trial.cycle()
    assert first == {
        "id": f"start@{NOON + 7200:.0f}",
        "kind": "start",
        "at": NOON + 7200,
        "original": NOON + 7200,
        "reason": "Plant start: hours 14:00 to 18:00",
        "until": NOON + 6 * 3600,
        "equipment": ["plant"],
        "from": False,
        "to": True,
        "earliest": NOON - 18 * 3600,
        "latest": NOON + 6 * 3600,
        "choices": [],
        "movable": True,
        "cancelled": False,
        "estimated": False,
    }
    assert len(others) == 13
    assert trial.cycle(6000) == []
    ((now_first, *_),) = trial.cycle(1300)
    assert now_first["kind"] == "stop", "the start has happened"


def test_a_change_reaches_the_controller_without_making_it_anew() -> None:
    trial = Trial(hours())
    ((start, *_),) = trial.cycle()
    change = {"id": start["id"], "at": NOON + 600, "by": "Jo"}
    trial.take(hours(amendments=[change]))
    ((moved, *_),) = trial.cycle()
    assert (moved["at"], moved["original"]) == (NOON + 600, start["at"])
    assert trial.made == 1
    assert trial.house.of("command")[-1]["value"] is False
    trial.cycle(600)
    assert trial.house.of("command")[-1]["value"] is True
    (event,) = [
        event
        for report in trial.house.of("report_state")
        for event in report.get("events", ())
    ]
    assert event["reason"] == "Plant on until 18:00 (changed by Jo)"
    assert (event["equipment"], event["from"], event["to"]) == ("plant", False, True)
    trial.take(hours())
    ((back, *_),) = trial.cycle()
    assert back["at"] == start["at"]
    assert trial.house.of("command")[-1]["value"] is False


def test_a_change_survives_a_restart_of_the_engine() -> None:
    change = {"id": f"start@{NOON + 7200:.0f}", "cancelled": True}
    trial = Trial(hours(amendments=[change]))
    trial.cycle(3 * 3600)
    assert not [item for item in trial.house.of("command") if item["value"]]


def test_automations_of_other_days_tell_what_they_will_do() -> None:
    trial = Trial(idle=[hours()])
    ((start, *_),) = trial.cycle()
    assert start["kind"] == "start"
    (report,) = trial.house.of("report_state")
    assert report["state"] == "idle"
    assert trial.cycle(600) == []
    assert trial.house.of("command") == []


def test_what_is_not_run_any_more_plans_nothing() -> None:
    trial = Trial(hours())
    trial.cycle()
    bad = hours()
    bad["config"] = {"operation": "sometimes"}
    trial.take(bad)
    assert trial.cycle() == [[]]
