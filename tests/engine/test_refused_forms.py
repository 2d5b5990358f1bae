"""Forms that no controller can carry out: each says why, and which field it is about.

The field's name is the blueprint's: whoever tells a person looks its label up.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from chiller_control.control.decision import ControlRefused
from chiller_control.control.plan import PlanAutomation, parse_plan
from chiller_control.engine import Engine
from factories import BANGKOK, SmallPlant, automation, plan_data
import pytest
from test_engine import MemoryHouse
import yaml

BLUEPRINTS = Path(__file__).parents[2] / "blueprints" / "automation" / "chiller_plant"
CHILLERS = {"chillers": ["chiller_1", "chiller_2"]}
PRESSURE = "plant.chilled_water_differential_pressure"
LOOP = {"measurement": PRESSURE, "outputs": ["schp_1.speed_command"]}
TUNED = {"setpoint": 100, "gain": 0.1}
PUMPS = {"outputs": ["schp_1", "schp_2"]}
TOWERS = {"outputs": ["ct_1", "ct_2"]}
POINT = {"point": "chiller_1.chilled_water_supply_temperature_setpoint"}
RESET = {"outputs": ["plant.chilled_water_supply_temperature_setpoint"]}

WRONG: list[tuple[str, dict[str, Any], dict[str, Any], set[str]]] = [
    ("chiller_sequence", {}, {}, {"chillers"}),
    ("chiller_sequence", {"chillers": ["ct_1"]}, {}, {"chillers"}),
    (
        "chiller_sequence",
        CHILLERS,
        {"method": "schedule", "rotation_days": 2.5, "rotation_start": "2026-01-05"},
        {"rotation_days"},
    ),
    (
        "chiller_plant_schedule",
        {},
        {"operation": "between_times", "start_time": "08:00", "stop_time": "08:00"},
        {"start_time", "stop_time"},
    ),
    ("chiller_plant_schedule", {}, {"operation": "sometimes"}, {"operation"}),
    ("chiller_add_subtract", {}, {}, {"chillers"}),
    (
        "chiller_add_subtract",
        CHILLERS,
        {"minimum_lift": 30, "design_lift": 20},
        {"design_lift", "minimum_lift"},
    ),
    (
        "chiller_add_subtract",
        CHILLERS,
        {"stage_up_threshold": 70, "stage_down_threshold": 75},
        {"stage_down_threshold", "stage_up_threshold"},
    ),
    (
        "dynamic_setpoint",
        RESET,
        {"supply_temperature_minimum": 12, "supply_temperature_maximum": 9},
        {"supply_temperature_minimum", "supply_temperature_maximum"},
    ),
    (
        "dynamic_setpoint",
        RESET,
        {"method": "load", "load_low": 90, "load_high": 40},
        {"load_low", "load_high"},
    ),
    ("dynamic_setpoint", RESET, {"method": "outdoor_air"}, {"method"}),
    ("smart_ct", {}, {}, {"towers"}),
    ("smart_ct", TOWERS, {"load_tiers": ["70", "40"]}, {"load_tiers"}),
    (
        "smart_ct",
        TOWERS,
        {"setpoint_minimum": 28, "setpoint_maximum": 24},
        {"setpoint_maximum"},
    ),
    ("schp_control", {"outputs": ["pchp_1"]}, {}, {"pumps"}),
    (
        "schp_control",
        PUMPS,
        {"setpoint": 80, "standby_pumps": 2},
        {"standby_pumps"},
    ),
    (
        "schp_control",
        PUMPS,
        {"setpoint": 80, "design_flow": 90, "speed_minimum": 90, "speed_maximum": 60},
        {"speed_minimum", "speed_maximum"},
    ),
    ("pid_control", {"measurement": PRESSURE}, TUNED, {"outputs"}),
    (
        "pid_control",
        LOOP,
        {**TUNED, "output_minimum": 80, "output_maximum": 60},
        {"output_minimum", "output_maximum"},
    ),
    ("custom_schedule", POINT, {"value": "90", "repeat": "weekly"}, {"value"}),
    (
        "custom_schedule",
        POINT,
        {
            "value": "7",
            "repeat": "once",
            "begin": "2026-11-24 12:00:00",
            "end": "2026-11-24 11:00:00",
        },
        {"begin", "end"},
    ),
]


def build(control_type: str) -> Any:
    """Return what makes the controller, from where the app takes it."""
    name = "".join(
        {"ct": "CT", "schp": "SCHP"}.get(part, part.title())
        for part in control_type.split("_")
    )
    return getattr(import_module(f"chiller_control.control.{control_type}"), name)


def inputs(control_type: str) -> set[str]:
    """Return the names of the fields of a form."""
    text = (BLUEPRINTS / f"{control_type}.yaml").read_text()
    # `!input` stands where a value is put in; here only the questions count.
    form = yaml.safe_load(text.partition("\nmode:")[0])["blueprint"]["input"]
    found: set[str] = set()
    for key, item in form.items():
        found |= set(item["input"]) if "input" in item else {key}
    return found


@pytest.mark.parametrize(("control_type", "metadata", "config", "fields"), WRONG)
def test_a_wrong_form_is_refused_with_the_fields_that_it_is_about(
    control_type: str,
    metadata: dict[str, Any],
    config: dict[str, Any],
    fields: set[str],
) -> None:
    item = automation(control_type, metadata=metadata, config=config)
    plan = parse_plan(plan_data(item))
    wanted: PlanAutomation = plan.automations[0]

    with pytest.raises(ControlRefused) as refused:
        build(control_type)(plan, wanted)

    assert set(refused.value.fields) == fields
    assert fields <= inputs(control_type)
    assert str(refused.value)


def test_every_kind_of_control_is_tried_with_two_wrong_forms() -> None:
    kinds = [control_type for control_type, *_ in WRONG]
    forms = {
        path
        for path in BLUEPRINTS.glob("*.yaml")
        if "control_type:" in path.read_text()
    }
    assert set(kinds) == {path.stem for path in forms}
    assert all(kinds.count(kind) >= 2 for kind in kinds)


def test_a_form_that_is_not_for_today_is_judged_and_not_run() -> None:
    house = MemoryHouse(SmallPlant())
    engine = Engine("pid_control", build("pid_control"), house, BANGKOK)
    wrong = automation("pid_control", name="wrong", metadata=LOOP, config={})
    right = automation("pid_control", name="right", metadata=LOOP, config=TUNED)
    other = automation("custom_schedule", name="other", metadata={}, config={})
    idle = [
        {key: value for key, value in item.items() if key != "priority"}
        for item in (wrong, right, other)
    ]
    engine.take_plan(parse_plan({**plan_data(), "idle": idle}))

    for now in range(0, 12, 2):
        engine.cycle(float(now))

    reports = [data for data in house.of("report_state") if "state" in data]
    assert [(data["automation"], data["state"]) for data in reports] == [
        ("automation.wrong", "refused"),
        ("automation.right", "idle"),
    ]
    assert reports[0]["attributes"] == {
        "message": "setpoint is missing",
        "fields": ["setpoint"],
    }
    assert house.commanded() == []
    # Who is told of it anew does not have to remember.
    engine.cycle(20.0)
    assert house.of("report_state")[-1]["automation"] == "automation.wrong"
