"""Staging on a plant that reacts: the story of a day, and what goes wrong in it."""

from typing import Any

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.decision import (
    DEMAND_RESPONSE,
    OPERATOR,
    ControlRefused,
    Inputs,
    Owner,
)
from factories import first, plan_of, staging
import pytest
from staging_day import Day, in_stage_two, started


def test_plant_starts_in_the_order_valve_pump_tower_chiller() -> None:
    day = started()
    order = [
        day.first_on(point)
        for point in (
            "chilled_water_valve_1.open_command",
            "pchp_1.run_command",
            "ct_1.run_command",
            "chiller_1.run_command",
        )
    ]
    assert order == sorted(order) and len(set(order)) == 4
    assert day.first_on("condenser_water_valve_1.open_command") == order[0]
    assert day.first_on("cdp_1.run_command") == order[1]
    assert day.first_on("schp_1.run_command") == order[1]
    assert day.happened("plant_start") == [
        "Plant start with Chiller 1: enabled for 30 s"
    ]


def test_what_the_stage_does_not_need_is_commanded_off() -> None:
    day = started()
    off = {item.point for item in day.decision.commands if item.value is False}
    assert {
        "chiller_2.run_command",
        "pchp_2.run_command",
        "schp_2.run_command",
        "cdp_2.run_command",
        "ct_2.run_command",
        "chilled_water_valve_2.open_command",
        "condenser_water_valve_2.open_command",
    } == off


def test_plant_waits_out_its_start_hold_after_it_is_enabled() -> None:
    day = Day()
    day.plant.values["plant.enable_command"] = False
    day.go(60)
    assert day.decision.state == "off"
    day.plant.values["plant.enable_command"] = True
    enabled = day.plant.now
    day.go(300, day.is_stage(1))
    assert day.first_on("chilled_water_valve_1.open_command") == enabled + 30


def test_load_stages_up_after_the_hold_and_says_why() -> None:
    day = started(load=1350)
    reached = day.plant.now
    day.go(4000, day.is_stage(2))
    (why,) = day.happened("stage_up")
    assert why == "Stage up: load 96 % of stage 1 for 15 min (limit 90 %)"
    assert day.first_on("chilled_water_valve_2.open_command") - reached >= 900
    assert day.first_on("ct_2.run_command") > day.first_on("pchp_2.run_command")
    assert day.first_on("chiller_2.run_command") > day.first_on("ct_2.run_command")
    (command,) = (
        item for item in day.decision.commands if item.point == "chiller_2.run_command"
    )
    assert command.reason == why


def test_warm_supply_stages_up_although_the_load_is_not_known() -> None:
    day = started(load=1900)
    day.plant.silent.add("plant.chilled_water_flow")
    day.go(4000, day.is_stage(2))
    (why,) = day.happened("stage_up")
    assert why.startswith("Stage up: supply ") and why.endswith("(limit 8.0 °C)")


@pytest.mark.parametrize("load", [1350, 1900], ids=["load", "warm water"])
def test_no_chiller_is_added_while_demand_response_limits_those_that_run(
    load: float,
) -> None:
    day = started(load=500)
    day.plant.owners["chiller_1.demand_limit"] = Owner(DEMAND_RESPONSE, "an event")
    day.plant.load = load
    day.go(4 * 3600)
    assert day.happened("stage_up") == []
    assert "limited by demand response: none added" in day.message
    del day.plant.owners["chiller_1.demand_limit"]
    given_back = day.plant.now
    day.go(4000, day.is_stage(2))
    assert day.first_on("chilled_water_valve_2.open_command") - given_back >= 900


def test_limit_that_a_person_sets_keeps_no_chiller_from_being_added() -> None:
    day = started(load=1350)
    day.plant.owners["chiller_1.demand_limit"] = Owner(OPERATOR, "somebody")
    day.go(4000, day.is_stage(2))


def test_unknown_load_keeps_the_stage_and_names_what_is_missing() -> None:
    day = in_stage_two()
    day.plant.load = 300
    day.plant.silent.add("plant.chilled_water_flow")
    day.go(4000)
    assert day.stage == 2 and day.decision.state == "holding"
    assert day.message == "Stage 2 held: plant.chilled_water_flow not good"


def test_unknown_supply_temperature_is_no_reason_to_stage_down() -> None:
    day = in_stage_two()
    day.plant.load = 300
    day.plant.silent.add("plant.chilled_water_supply_temperature")
    day.go(4000)
    assert day.stage == 2 and day.decision.state == "holding"


def test_low_load_stages_down_and_water_flows_on_for_a_while() -> None:
    day = in_stage_two()
    day.plant.load = 600
    day.go(4000, day.is_stage(1))
    (why,) = day.happened("stage_down")
    assert why == "Stage down: load 43 % of stage 1 for 15 min (limit 80 %)"
    stopped = day.last_off("chiller_2.run_command")
    day.go(600)
    assert day.last_off("ct_2.run_command") >= stopped + 180
    assert day.last_off("pchp_2.run_command") > day.last_off("ct_2.run_command")
    assert day.plant.running("chilled_water_valve", "open_status") == 1
    assert day.plant.values["chiller_1.run_status"] is True


def test_a_stage_lasts_its_minimum_time() -> None:
    day = started(load=1350, stage_hold=60, minimum_stage_time=1800)
    begun = day.plant.now
    day.go(4000, day.is_stage(2))
    assert day.first_on("chilled_water_valve_2.open_command") - begun >= 1800


def test_conditions_show_value_limit_and_remaining_time() -> None:
    day = started(load=1350)
    day.go(600)
    (load, supply, lower) = day.decision.attributes["conditions"]  # type: ignore[misc]
    assert load["label"] == "Load of this stage"
    assert load["value"] == pytest.approx(96, abs=1)
    assert (load["threshold"], load["met"], load["hold"]) == (90, True, 900)
    assert 250 < load["remaining"] < 350
    assert supply["met"] is False and supply["threshold"] == 8.0
    assert lower["value"] is None


def test_plant_stops_in_the_opposite_order() -> None:
    day = in_stage_two()
    day.plant.values["plant.enable_command"] = False
    day.go(1200)
    assert (
        day.decision.state == "off" and day.message == "Off: the plant is not enabled"
    )
    order = [
        day.last_off(point)
        for point in (
            "chiller_2.run_command",
            "chiller_1.run_command",
            "ct_1.run_command",
            "cdp_1.run_command",
            "condenser_water_valve_1.open_command",
        )
    ]
    assert order == sorted(order) and len(set(order)) == 5
    assert not any(
        day.plant.running("", role) for role in ("run_status", "open_status")
    )


def test_chiller_that_does_not_start_is_replaced() -> None:
    day = Day()
    day.plant.broken.add("chiller_1")
    day.go(900, day.is_stage(1))
    assert day.plant.values["chiller_2.run_status"] is True
    assert day.happened("equipment_failed") == ["Chiller 1 did not run within 5 min"]
    assert day.happened("chiller_excluded") == [
        "Chiller 2 replaces Chiller 1: Chiller 1 did not run within 5 min"
    ]
    chillers: Any = day.decision.attributes["chillers"]
    assert chillers["chiller_1"]["state"] == "excluded"


def test_pump_that_does_not_start_is_replaced_by_the_next_on_the_header() -> None:
    day = Day()
    day.plant.broken.add("cdp_1")
    day.go(900, day.is_stage(1))
    assert day.plant.values["chiller_1.run_status"] is True
    assert day.plant.values["cdp_2.run_status"] is True
    assert day.plant.commands["cdp_1.run_command"] is False
    assert day.why("cdp_1.run_command") == "CDP 1 did not run within 5 min"


def test_pump_that_trips_is_off_because_it_tripped() -> None:
    day = started()
    day.plant.broken.add("cdp_1")
    day.plant.values["cdp_1.run_status"] = False
    day.plant.values["cdp_1.alarm"] = True
    day.go(600, lambda: day.plant.values["cdp_2.run_status"] is True)
    assert day.plant.commands["cdp_1.run_command"] is False
    assert day.why("cdp_1.run_command") == "CDP 1 is in alarm"
    assert day.why("ct_2.run_command") == "Not needed now"


def test_chiller_without_a_pump_left_is_left_out_with_the_reason() -> None:
    day = started(load=1350)
    day.plant.values["pchp_2.alarm"] = True
    day.go(3000)
    assert day.stage == 1
    assert day.message == (
        "Stage 1: more is needed, but "
        "Chiller 2: no chilled-water pump is available for it"
    )


def test_chiller_is_not_started_while_a_running_one_lacks_its_tower() -> None:
    """On shared headers, water is enough only if it is for all."""
    day = started(3, load=1350)
    day.go(4000, lambda: bool(day.happened("stage_up")))
    day.plant.broken.add("ct_1")
    day.plant.values["ct_1.run_status"] = False
    day.go(250)
    assert day.plant.values["ct_2.run_status"] is True
    assert day.plant.commands["chiller_2.run_command"] is False
    day.go(300, lambda: day.plant.commands["chiller_2.run_command"] is True)
    assert day.plant.values["ct_3.run_status"] is True, "in the place of CT 1"


def test_chillers_that_tripped_together_start_again_one_after_the_other() -> None:
    day = in_stage_two()
    day.plant.log.clear()
    for n in (1, 2):
        day.plant.values[f"chiller_{n}.run_status"] = False
    day.step()
    assert {
        item.point: item.value
        for item in day.decision.commands
        if item.point.endswith(("_1.run_command", "_2.run_command"))
        and item.point.startswith("chiller")
    } == {"chiller_1.run_command": True, "chiller_2.run_command": False}
    day.go(120, day.is_stage(2))


def test_start_is_withdrawn_when_its_water_is_lost_before_it_ran() -> None:
    day = Day()
    day.go(600, lambda: day.plant.commands.get("chiller_1.run_command") is True)
    day.plant.broken.add("cdp_1")
    day.plant.values["cdp_1.run_status"] = False
    day.step()
    commands = {item.point: item.value for item in day.decision.commands}
    assert commands["chiller_1.run_command"] is False


def test_chiller_in_alarm_is_not_started() -> None:
    day = Day()
    day.plant.values["chiller_1.alarm"] = True
    day.go(600, day.is_stage(1))
    assert "chiller_1.run_command" not in [
        key for _, key, value in day.plant.log if value is True
    ]


def test_a_hold_of_the_interlocks_is_waited_for() -> None:
    day = Day()
    day.plant.holds["chiller_1.run_command"] = "minimum off time, 12 min left"
    day.go(1500)
    assert day.decision.state == "starting" and not day.happened("equipment_failed")
    assert "Chiller 1 is held: minimum off time, 12 min left" in day.message
    day.plant.holds.clear()
    day.go(60, day.is_stage(1))


def test_silent_chiller_is_not_stopped_nor_replaced() -> None:
    day = in_stage_two()
    day.plant.silent.update(
        {"chiller_1.run_status", "chiller_1.alarm", "pchp_1.run_status"}
    )
    before = dict(day.plant.commands)
    day.go(1200)
    assert day.plant.commands == before


def test_nothing_is_commanded_before_it_is_known_whether_the_plant_is_enabled() -> None:
    day = Day()
    day.plant.silent.add("plant.enable_command")
    assert day.step().commands == ()


def test_machine_that_never_spoke_is_not_switched_off() -> None:
    """It may be running on its own controls."""
    day = Day()
    day.plant.silent.update({"chiller_2.run_status", "pchp_2.run_status"})
    day.go(600, day.is_stage(1))
    assert not {"chiller_2.run_command", "pchp_2.run_command"} & set(day.plant.commands)


def test_chiller_that_an_operator_keeps_on_is_part_of_the_stage() -> None:
    day = started()
    day.plant.values["chiller_2.run_status"] = True
    day.plant.values["chiller_2.run_command"] = True
    inputs = day.plant.inputs
    taken = Inputs(inputs.values, {}, {"chiller_2.run_command": "Operator"})
    decision = day.controller.step(day.plant.now, taken)
    assert decision.attributes["target_stage"] == 2
    assert "Chiller 2" in str(decision.attributes["reason"])


def test_chiller_that_an_operator_keeps_off_is_replaced() -> None:
    day = started()
    day.plant.values["chiller_1.run_status"] = False
    day.plant.values["chiller_1.run_command"] = False
    inputs = day.plant.inputs
    taken = Inputs(inputs.values, {}, {"chiller_1.run_command": "Operator"})
    decision = day.controller.step(day.plant.now, taken)
    assert decision.events[0].reason == (
        "Chiller 2 replaces Chiller 1: kept off by Operator"
    )


def test_speeds_that_a_loop_drives_are_left_to_it() -> None:
    day = started()
    speeds = {
        item.point: item.value
        for item in day.decision.commands
        if item.point.endswith("speed_command")
    }
    assert speeds == {
        "pchp_1.speed_command": 100.0,
        "cdp_1.speed_command": 90.0,
        "ct_1.speed_command": 80.0,
    }


def test_chillers_follow_the_setpoint_of_the_plant() -> None:
    day = started()
    point = "chilled_water_supply_temperature_setpoint"
    assert day.plant.commands[f"plant.{point}"] == 7.0
    day.plant.values[f"plant.{point}"] = 9.0
    day.step()
    commands = {item.point: item.value for item in day.decision.commands}
    assert commands[f"chiller_1.{point}"] == commands[f"chiller_2.{point}"] == 9.0


@pytest.mark.parametrize(
    ("metadata", "config", "says"),
    [
        ({"chillers": []}, {}, "no chiller is chosen"),
        ({"chillers": ["pchp_1"]}, {}, "no chiller pchp_1"),
        ({}, {"stage_hold": "long"}, "stage_hold is not a number"),
        ({}, {"pump_speed": 130}, "pump_speed is 130; at most 100"),
    ],
)
def test_a_form_that_cannot_work_is_refused(
    metadata: dict[str, Any], config: dict[str, Any], says: str
) -> None:
    data = staging(**config)
    data["metadata"] |= metadata
    plan = plan_of(data)
    with pytest.raises(ControlRefused, match=says):
        ChillerAddSubtract(plan, first(plan))
