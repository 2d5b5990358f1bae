"""Secondary pumps: how many, which, how fast, and what they do when something fails."""

from typing import Any

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.decision import ControlRefused
from chiller_control.control.plan import parse_plan
from chiller_control.control.schp_staging import estimated_flow
from factories import staging
from hypothesis import given, settings, strategies as st
from pump_main import FLOW, PRESSURE, PUMPS, PumpMain, controller, pump_plan
import pytest


def main(**form: Any) -> PumpMain:
    return PumpMain(pump_plan(**form))


def started(demand: float = 40.0, **form: Any) -> PumpMain:
    """Return a main that has settled with one pump."""
    pumps = main(**form)
    pumps.demand = demand
    pumps.run(120)
    assert len(pumps.running) == 1
    return pumps


# Start, stop and the pressure


def test_one_pump_starts_when_chilled_water_is_made_and_holds_the_pressure() -> None:
    pumps = main()
    pumps.values["chiller_1.run_status"] = False
    pumps.run(60)
    assert pumps.running == set() and pumps.last is not None
    assert pumps.last.state == "disabled" and "no chilled water" in pumps.message
    pumps.values["pchp_2.run_status"] = True
    pumps.run(300)
    assert pumps.running == {"schp_1"}
    assert pumps.values[PRESSURE] == pytest.approx(100, abs=3)
    assert pumps.last.state == "controlling"


def test_pumps_stop_one_after_the_other_when_no_water_is_made() -> None:
    pumps = started(100)
    pumps.run(1200)
    assert len(pumps.running) == 2
    pumps.values["chiller_1.run_status"] = False
    pumps.switched.clear()
    pumps.run(60)
    assert pumps.running == set()
    (first, _, _), (second, _, _) = pumps.switched
    assert second > first
    assert pumps.last is not None and pumps.last.state == "disabled"


def test_pumps_go_on_while_it_is_not_known_whether_water_is_made() -> None:
    pumps = started()
    pumps.silent |= {key for key in pumps.values if key.startswith(("chiller", "pchp"))}
    pumps.run(60)
    assert pumps.running == {"schp_1"}


def test_nothing_is_commanded_before_it_is_known_what_runs() -> None:
    pumps = main()
    pumps.silent |= {f"{key}.run_status" for key in PUMPS}
    assert pumps.step().commands == ()
    assert "not known" in pumps.message


def test_the_setpoint_may_come_from_a_point_that_others_reset() -> None:
    point = "plant.chilled_water_supply_temperature_setpoint"
    pumps = main(setpoint_points=[point])
    pumps.values[point] = 60.0
    pumps.run(300)
    assert pumps.values[PRESSURE] == pytest.approx(60, abs=3)
    pumps.values[point] = 90.0
    pumps.run(300)
    assert pumps.values[PRESSURE] == pytest.approx(90, abs=3)


def test_of_several_sensors_the_one_that_demands_most_decides() -> None:
    data = pump_plan(sensors=[PRESSURE, "plant.chilled_water_return_temperature"])
    pumps = PumpMain(data)
    far = "plant.chilled_water_return_temperature"
    for _ in range(200):
        pumps.values[far] = 0.7 * (pumps.values[PRESSURE] or 0.0)
        pumps.step()
    assert pumps.values[far] == pytest.approx(100, abs=4)
    assert pumps.values[PRESSURE] == pytest.approx(143, abs=6)


def test_a_lost_sensor_goes_on_demanding_what_it_did() -> None:
    far = "plant.chilled_water_return_temperature"
    pumps = PumpMain(pump_plan(sensors=[PRESSURE, far], setpoint=50))
    for _ in range(200):
        pumps.values[far] = 0.7 * (pumps.values[PRESSURE] or 0.0)
        pumps.step()
    speed = pumps.attribute("speed")
    pumps.silent.add(far)
    pumps.run(600)
    assert pumps.attribute("speed") == pytest.approx(speed, abs=0.5)
    assert pumps.last is not None and pumps.last.state == "holding"
    assert f"{far} is not good" in pumps.message
    # The one that is left can still ask for more.
    pumps.demand = 120
    pumps.run(300)
    assert pumps.attribute("speed") > speed + 1


def test_a_pump_that_starts_without_any_pressure_runs_at_the_fallback_speed() -> None:
    pumps = main(fallback_speed=65)
    pumps.silent.add(PRESSURE)
    pumps.run(120)
    assert pumps.values["schp_1.speed"] == 65
    assert "65 % without a pressure" in pumps.message


def test_speed_never_goes_below_its_minimum() -> None:
    pumps = main(speed_minimum=45, setpoint=10)
    pumps.run(600)
    assert pumps.values["schp_1.speed"] == 45


# How many


def test_lag_pump_comes_when_the_flow_has_asked_for_it_for_ten_minutes() -> None:
    """Three design pumps of 60 l/s: the second above 30 % of 180 l/s."""
    pumps = started(40)
    pumps.run(900)
    assert len(pumps.running) == 1, "22 % of the design flow"
    pumps.demand = 60
    changed = pumps.now
    pumps.run(590)
    assert len(pumps.running) == 1
    assert pumps.attribute("next_change") is not None
    pumps.run(60)
    assert len(pumps.running) == 2
    at, event, reason = next(item for item in pumps.events if item[0] > changed)
    assert event == "pump_started" and at - changed >= 600
    assert "flow 33 % of design for 10 min (limit 30 %)" in reason


def test_lag_pump_goes_when_the_flow_did_not_need_it_for_ten_minutes() -> None:
    pumps = started(60)
    pumps.run(900)
    assert len(pumps.running) == 2
    pumps.demand = 50
    pumps.run(590)
    assert len(pumps.running) == 2
    pumps.run(60)
    assert len(pumps.running) == 1


def test_timers_start_again_when_the_number_changed() -> None:
    """A jump from 22 % to 80 % takes both pumps, ten minutes apart."""
    pumps = started(40, failsafe_pressure=150)
    pumps.demand = 140
    pumps.run(1500)
    assert len(pumps.running) == 3
    second, third = (
        at
        for at, event, reason in pumps.events
        if event == "pump_started" and "flow" in reason
    )
    assert third - second >= 600


def test_nothing_is_staged_while_the_flow_is_not_known() -> None:
    pumps = started(60)
    pumps.run(900)
    assert len(pumps.running) == 2
    pumps.demand = 30
    pumps.silent.add(FLOW)
    pumps.run(1800)
    assert len(pumps.running) == 2
    assert f"{FLOW} is not good" in pumps.message


def test_failsafe_adds_a_pump_that_the_flow_does_not_ask_for() -> None:
    """A meter that shows too little: full speed, and the pressure still short."""
    pumps = started(40, design_flow=600)
    pumps.demand = 110
    pumps.run(280)
    assert len(pumps.running) == 1
    pumps.run(120)
    assert len(pumps.running) == 2
    assert "short at full speed for 5 min" in pumps.events[-1][2]
    # The flow never asked for it, so the flow does not take it away again.
    pumps.run(3600)
    assert len(pumps.running) == 2
    # Slow pumps and a good pressure do.
    pumps.demand = 10
    pumps.values[PRESSURE] = 100.0
    pumps.data["automations"][0]["config"]["setpoint"] = 25
    pumps.restart()
    pumps.run(900)
    assert len(pumps.running) == 1


def test_without_a_flow_meter_only_speed_and_pressure_decide() -> None:
    data = pump_plan(setpoint=30)
    del data["equipment"]["plant"]["points"]["chilled_water_flow"]
    pumps = PumpMain(data)
    pumps.run(120)
    pumps.demand = 500
    pumps.run(900)
    assert len(pumps.running) == 3
    pumps.demand = 20
    pumps.run(2400)
    assert len(pumps.running) == 1


def test_where_no_meter_is_the_flow_is_estimated_from_speed_and_pressure() -> None:
    data = pump_plan(setpoint=80)
    del data["equipment"]["plant"]["points"]["chilled_water_flow"]
    for key in PUMPS:
        data["equipment"][key]["ratings"]["head"] = 160.0
    pumps = PumpMain(data)
    pumps.demand = 20
    pumps.run(300)
    assert pumps.attribute("flow_estimated")
    pumps.run(900)
    assert len(pumps.running) == 1, "at the speed that the setpoint alone needs"
    pumps.demand = 90
    pumps.run(900)
    assert len(pumps.running) == 2
    assert any("flow" in reason for _, _, reason in pumps.events[-1:])
    pumps.demand = 20
    pumps.run(900)
    assert len(pumps.running) == 1


@pytest.mark.parametrize(
    ("speed", "pressure", "pumps", "flow"),
    [(100, 125, 1.0, 100), (100, 312.5, 1.0, 0), (50, 78.1, 0.5, 0), (20, 90, 1, 0)],
)
def test_estimated_flow_is_that_of_the_design_at_design(
    speed: float, pressure: float, pumps: float, flow: float
) -> None:
    estimate = estimated_flow(speed, pressure, 250.0, pumps)
    assert estimate == pytest.approx(flow, abs=1)


def test_standby_pumps_do_not_count_as_design() -> None:
    pumps = started(40, standby_pumps=1)
    assert next(
        item["threshold"]
        for item in pumps.attribute("conditions")
        if item["name"] == "add_flow"
    ) == pytest.approx(47)


# Which


def test_least_run_hours_come_first_and_most_go_first() -> None:
    pumps = main()
    pumps.values |= {
        "schp_1.staging_run_hours": 30.0,
        "schp_2.staging_run_hours": 10.0,
        "schp_3.staging_run_hours": 20.0,
    }
    pumps.demand = 60
    pumps.run(60)
    assert pumps.running == {"schp_2"}
    pumps.run(900)
    assert pumps.running == {"schp_2", "schp_3"}
    pumps.demand = 20
    pumps.run(900)
    assert pumps.running == {"schp_2"}


def test_run_hours_stay_equal_where_one_pump_always_runs() -> None:
    pumps = main(rotation_hours=2)
    pumps.poll = 20
    pumps.run(3600 * 30)
    hours = [pumps.values[f"{key}.staging_run_hours"] for key in PUMPS]
    assert max(hours) - min(hours) < 3
    assert any("rotation" in reason for _, _, reason in pumps.events)
    # The new one is proven before the old one goes.
    starts = [at for at, event, _ in pumps.events if event == "pump_started"]
    stops = [at for at, event, _ in pumps.events if event == "pump_stopped"]
    assert len(starts) == len(stops) + 1
    assert all(start < stop for start, stop in zip(starts[1:], stops, strict=True))


def test_pumps_in_alarm_in_local_or_kept_off_are_passed_over() -> None:
    pumps = main()
    pumps.values["schp_1.alarm"] = True
    pumps.taken["schp_2.run_command"] = "Operator"
    pumps.run(60)
    assert pumps.running == {"schp_3"}
    assert pumps.attribute("pumps")["schp_1"]["unavailable"] == "in alarm"
    assert pumps.attribute("pumps")["schp_2"]["unavailable"] == "kept off by Operator"


def test_a_pump_that_does_not_prove_is_replaced() -> None:
    pumps = main()
    pumps.broken.add("schp_1")
    pumps.run(110)
    assert pumps.running == set() and "SCHP 1 to start" in pumps.message
    pumps.run(60)
    assert pumps.running == {"schp_2"}
    failed = [item for item in pumps.events if item[1] == "equipment_failed"]
    assert [reason for _, _, reason in failed] == ["SCHP 1 did not start within 2 min"]
    assert (
        "takes over: SCHP 1 did not start"
        in pumps.events[-2][2] + (pumps.events[-1][2])
    )


def test_the_next_pump_takes_over_from_one_that_stops_by_itself() -> None:
    pumps = started()
    speed = pumps.attribute("speed")
    pumps.broken.add("schp_1")
    pumps.run(12)
    assert pumps.running == set()
    pumps.run(14)
    assert pumps.running == {"schp_2"}
    assert pumps.values["schp_2.speed"] == pytest.approx(speed, abs=8), "not from slow"
    assert pumps.values["schp_1.run_command"] is False


def test_a_running_pump_in_alarm_goes_when_another_has_proven() -> None:
    pumps = started()
    pumps.values["schp_1.alarm"] = True
    pumps.run(60)
    assert pumps.running == {"schp_2"}
    (_, on, _), (_, off, _) = pumps.switched[-2:]
    assert (on, off) == ("schp_2.run_command", "schp_1.run_command")


def test_the_last_pump_is_tried_again_after_a_while() -> None:
    pumps = main()
    pumps.broken |= set(PUMPS)
    pumps.run(600)
    assert "No pump can run" in pumps.message or "to start" in pumps.message
    pumps.broken.clear()
    pumps.run(600)
    assert len(pumps.running) == 1


def test_a_pump_that_an_interlock_holds_is_not_called_failed_while_it_is_alone() -> (
    None
):
    pumps = main()
    for key in ("schp_2", "schp_3"):
        pumps.values[f"{key}.alarm"] = True
    pumps.holds["schp_1.run_command"] = "off for less than 3 min"
    pumps.run(600)
    assert "SCHP 1 is held: off for less than 3 min" in pumps.message
    assert not [item for item in pumps.events if item[1] == "equipment_failed"]
    pumps.holds.clear()
    pumps.run(30)
    assert pumps.running == {"schp_1"}


# Others


def test_speed_follows_an_operator_and_goes_on_from_there() -> None:
    pumps = started()
    pumps.taken["schp_1.speed_command"] = "Operator"
    pumps.values["schp_1.speed"] = 44.0
    pumps.run(300)
    assert pumps.last is not None and pumps.last.state == "overridden"
    assert "Operator" in pumps.message
    pumps.taken.clear()
    decision = pumps.step()
    commands = {item.point: item.value for item in decision.commands}
    assert commands["schp_1.speed_command"] == pytest.approx(44, abs=6)


def test_a_pump_that_an_operator_runs_counts_and_is_left_alone() -> None:
    pumps = started(60)
    pumps.taken["schp_3.run_command"] = "Operator"
    pumps.values["schp_3.run_status"] = True
    pumps.run(1200)
    assert pumps.running == {"schp_1", "schp_3"}
    assert pumps.attribute("pumps")["schp_3"]["state"] == "run_by_others"
    assert not any(point.startswith("schp_2") and on for _, point, on in pumps.switched)


def test_chiller_staging_leaves_the_pumps_of_a_group_alone() -> None:
    data = pump_plan(outputs=["schp_1", "schp_2"])
    data["automations"].append(staging(chillers=3))
    plan = parse_plan(data)
    points = ChillerAddSubtract(plan, plan.automations[1]).points
    assert "schp_3.run_command" in points
    assert not any(point.startswith(("schp_1", "schp_2")) for point in points)


def test_restart_of_the_engine_moves_nothing() -> None:
    pumps = started(60)
    pumps.run(900)
    running, speed = pumps.running, pumps.attribute("speed")
    pumps.switched.clear()
    pumps.restart()
    pumps.step()
    assert pumps.attribute("speed") == pytest.approx(speed, abs=1)
    pumps.run(30)
    assert pumps.running == running and pumps.switched == []


def test_hold_times_go_on_over_a_restart() -> None:
    pumps = started(40)
    pumps.demand = 60
    pumps.run(500)
    pumps.restart()
    pumps.run(150)
    assert len(pumps.running) == 2


def test_what_runs_is_taken_over_when_nothing_was_reported() -> None:
    pumps = main()
    for key in ("schp_2", "schp_3"):
        pumps.values[f"{key}.run_status"] = True
        pumps.values[f"{key}.speed"] = 57.0
    decision = pumps.step()
    commands = {item.point: item.value for item in decision.commands}
    assert commands == {
        "schp_1.run_command": False,
        "schp_2.run_command": True,
        "schp_3.run_command": True,
        "schp_2.speed_command": 57.0,
        "schp_3.speed_command": 57.0,
    }


def test_a_pump_that_runs_and_is_heard_of_later_goes_on_running() -> None:
    pumps = main()
    pumps.demand = 100
    pumps.silent.add("schp_2.run_status")
    pumps.values["schp_2.run_status"] = True
    pumps.values["schp_2.speed"] = 60.0
    pumps.run(4)
    pumps.silent.clear()
    pumps.run(300)
    assert "schp_2" in pumps.running
    assert not any(not on for _, _, on in pumps.switched), "nothing was switched off"


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_two_pumps_never_change_at_once(data: st.DataObject) -> None:
    pumps = main(rotation_hours=1)
    pumps.poll = 5
    for _ in range(30):
        pumps.demand = data.draw(st.sampled_from((10.0, 60.0, 150.0, 250.0)))
        change = data.draw(
            st.sampled_from(("break", "mend", "alarm", "silence", "stop", "nothing"))
        )
        key = data.draw(st.sampled_from(PUMPS))
        if change == "break":
            pumps.broken.add(key)
        elif change == "mend":
            pumps.broken.clear()
            pumps.silent.clear()
            pumps.values["chiller_1.run_status"] = True
        elif change == "alarm":
            pumps.values[f"{key}.alarm"] = not pumps.values[f"{key}.alarm"]
        elif change == "silence":
            pumps.silent.add(f"{key}.run_status")
        elif change == "stop":
            pumps.values["chiller_1.run_status"] = False
        for _ in range(data.draw(st.integers(1, 60))):
            known = len(pumps.switched)
            turning = pumps.running
            decision = pumps.step()
            moved = [
                point
                for _, point, on in pumps.switched[known:]
                if on or point.partition(".")[0] in turning & pumps.running
            ]
            assert len(moved) <= 1
            speeds = {
                item.value
                for item in decision.commands
                if item.point.endswith("speed_command")
            }
            assert len(speeds) <= 1, "all at one speed"
            assert all(30 <= float(speed) <= 100 for speed in speeds)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"outputs": []}, "no pump is chosen"),
        ({"outputs": ["pchp_1"]}, "PCHP 1 is no secondary"),
        ({"sensors": ["boiler.heat"]}, "no point boiler.heat"),
        ({"sensors": ["schp_1.run_status"]}, "not a measurement"),
        ({"setpoint": None}, "setpoint is missing"),
        ({"setpoint_points": ["schp_1.run_command"]}, "not a number"),
        ({"flow": "schp_1.run_status"}, "not a measurement"),
        ({"speed_minimum": 100}, "nothing is left"),
        ({"standby_pumps": 3}, "at most 2"),
        ({"gain": "much"}, "gain is not a number"),
        ({"enable": ["boiler.run_status"]}, "no point boiler.run_status"),
    ],
)
def test_a_form_that_cannot_work_is_refused(form: dict[str, Any], says: str) -> None:
    with pytest.raises(ControlRefused, match=says):
        controller(pump_plan(**form))


def test_pumps_of_two_types_are_two_groups() -> None:
    data = pump_plan()
    del data["equipment"]["schp_2"]["points"]["speed_command"]
    with pytest.raises(ControlRefused, match="one automation for each type"):
        controller(data)


def test_a_flow_meter_needs_a_design_flow() -> None:
    data = pump_plan()
    data["equipment"]["schp_2"]["ratings"] = {}
    with pytest.raises(ControlRefused, match="SCHP 2 has no rated flow"):
        controller(data)


def test_sensors_of_the_zones_that_the_pumps_serve_are_the_default() -> None:
    data = pump_plan(setpoint_points=[])
    data["equipment"]["zone_1"] = _zone("zone_1", ["schp_1", "schp_2"])
    data["equipment"]["zone_2"] = _zone("zone_2", ["schp_3"])
    data["automations"][0]["metadata"]["outputs"] = ["schp_1", "schp_2"]
    control, _ = controller(data)
    wanted = "zone_1.chilled_water_differential_pressure"
    assert wanted in control.points
    assert not any(point.startswith("zone_2") for point in control.points)
    assert FLOW not in control.points, "the plant's meter measures other pumps too"


def _zone(key: str, pumps: list[str]) -> dict[str, Any]:
    return {
        "type": "zone",
        "name": key,
        "ratings": {},
        "served_by": {"chilled_water_pumps": pumps},
        "points": {
            "chilled_water_differential_pressure": {
                "entity_id": f"sensor.{key}_pressure",
                "writable": False,
                "boolean": False,
                "low": 0.0,
                "high": 500.0,
                "unit": "kPa",
            }
        },
    }


def test_pumps_without_drives_are_staged_by_pressure() -> None:
    data = pump_plan(setpoint=100)
    for key in PUMPS:
        del data["equipment"][key]["points"]["speed_command"]
        del data["equipment"][key]["points"]["speed"]
    pumps = PumpMain(data)
    for key in PUMPS:
        pumps.values[f"{key}.speed"] = 100.0
    pumps.demand = 110
    pumps.run(400)
    assert len(pumps.running) == 2, "the pressure was short"
    assert all(item.point.endswith("run_command") for item in pumps.last.commands)
