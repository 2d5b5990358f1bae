"""Secondary pumps: how many, which, how fast, and what they do when something fails."""

from typing import Any

from chiller_control.control.decision import ControlRefused
from chiller_control.control.schp_staging import estimated_flow
from pump_main import (
    FLOW,
    PRESSURE,
    PUMPS,
    PumpMain,
    controller,
    main,
    pump_plan,
    started,
)
import pytest

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
