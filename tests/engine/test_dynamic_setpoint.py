"""Dynamic setpoint: what it resets, when it stands still, what it does without readings."""

from dataclasses import replace
import json
from typing import Any

from chiller_control.control.decision import ControlRefused, Decision, Inputs, Value
from chiller_control.control.dynamic_setpoint import DynamicSetpoint
from chiller_control.control.plan import Plan, parse_plan
from factories import first
from hypothesis import given, settings, strategies as st
import pytest
from whole_plant import commands, form, readings, whole_plan, whole_plan_data

TEMPERATURE = "plant.chilled_water_supply_temperature_setpoint"
PRESSURE = "plant.chilled_water_differential_pressure_setpoint"
CONFIG = {"supply_temperature_maximum": 10.0, "ignored_requests": 0}


class Reset:
    """A dynamic setpoint and its readings, moved by the test minute by minute."""

    def __init__(
        self,
        metadata: dict[str, Any] | None = None,
        plan: Plan | None = None,
        **config: Any,
    ) -> None:
        self.form = form("dynamic_setpoint", metadata or {}, CONFIG | config)
        self.plan = plan or whole_plan(self.form)
        self.controller = DynamicSetpoint(self.plan, first(self.plan))
        self.values = readings()
        self.values[TEMPERATURE] = 6.7
        self.values[PRESSURE] = 100.0
        self.now = 1_700_000_000.0
        self.taken: dict[str, str] = {}
        self.decision = Decision((), "", {})
        self.events: list[str] = []

    def put(self, **values: Value | None) -> "Reset":
        self.values |= {key.replace("__", "."): v for key, v in values.items()}
        return self

    def go(self, minutes: float) -> "Reset":
        for _ in range(round(minutes)):
            self.now += 60.0
            inputs = Inputs(self.values, {}, self.taken)
            self.decision = self.controller.step(self.now, inputs)
            self.events += [event.event for event in self.decision.events]
            for point, value in commands(self.decision).items():
                if point not in self.taken:
                    self.values[point] = value
        return self

    def restart(self, silence: float = 0.0) -> "Reset":
        attributes = json.loads(json.dumps(dict(self.decision.attributes)))
        self.form["reported"] = {"state": "", "attributes": attributes, "at": 0}
        self.plan = whole_plan(self.form)
        self.controller = DynamicSetpoint(self.plan, first(self.plan))
        self.now += silence
        return self

    @property
    def temperature(self) -> float:
        return float(self.values[TEMPERATURE] or 0)

    @property
    def pressure(self) -> float:
        return float(self.values[PRESSURE] or 0)

    @property
    def reset(self) -> float:
        return float(str(self.decision.attributes["reset"]))


def test_water_is_warmed_first_and_then_the_pressure_is_lowered() -> None:
    plant = Reset().go(120)
    assert 6.7 < plant.temperature < 10.0
    assert plant.pressure == 100.0
    plant.go(60)
    assert plant.temperature == 10.0
    plant.go(60)
    assert plant.temperature == 10.0
    assert plant.pressure < 100.0
    plant.go(600)
    assert (plant.temperature, plant.pressure) == (10.0, 35.0)


def test_requests_raise_the_pressure_first_and_then_cool_the_water() -> None:
    plant = Reset().go(800)
    plant.put(**{f"zone_{n}__cooling_valve_position": 98.0 for n in (1, 2, 3)})
    plant.go(30)
    assert plant.temperature == 10.0 and plant.pressure > 35.0
    plant.go(30)
    assert plant.pressure == 100.0 and plant.temperature < 10.0
    plant.go(120)
    assert plant.temperature == 6.7


def test_requests_are_reported_with_threshold_and_time() -> None:
    plant = Reset().put(zone_1__cooling_valve_position=98.0).go(2)
    (condition,) = plant.decision.attributes["conditions"]  # type: ignore[misc]
    assert condition["value"] == 1 and condition["threshold"] == 0
    assert condition["met"] is True
    assert 0 < condition["remaining"] <= 300
    assert plant.decision.attributes["message"] == "1 request (0 ignored): reset 100 %"


def test_setpoints_that_are_there_are_the_beginning() -> None:
    plant = Reset()
    plant.values |= {TEMPERATURE: 8.35, PRESSURE: 100.0}
    plant.go(1)
    assert plant.temperature == pytest.approx(8.35, abs=0.01)
    assert plant.reset == pytest.approx(75.0, abs=0.2)
    low = Reset()
    low.values |= {TEMPERATURE: 10.0, PRESSURE: 50.0}
    low.go(1)
    assert (low.temperature, low.pressure) == (10.0, pytest.approx(50.0, abs=0.1))


def test_a_plant_that_starts_waits_at_the_coldest_before_it_saves() -> None:
    plant = Reset()
    plant.values |= readings(running=0) | {TEMPERATURE: 9.0}
    plant.go(30)
    assert plant.decision.state == "off"
    assert plant.temperature == 6.7
    plant.values |= {"chiller_1.run_status": True, "chiller_1.run_command": True}
    plant.go(14)
    assert plant.reset == 100.0
    plant.go(6)
    assert plant.reset == 98.0


def test_setpoints_stand_still_while_the_stage_changes_and_a_while_after() -> None:
    plant = Reset().go(60)
    before = plant.reset
    plant.put(chiller_2__run_command=True)
    plant.put(**{f"zone_{n}__cooling_valve_position": 100.0 for n in (1, 2, 3)})
    plant.go(5)
    assert plant.decision.state == "frozen" and plant.reset == before
    plant.put(chiller_2__run_status=True).go(9)
    assert plant.reset == before
    plant.go(15)
    assert plant.decision.state == "controlling" and plant.reset > before


def test_a_chiller_that_never_starts_does_not_freeze_the_setpoints_for_ever() -> None:
    plant = Reset().go(30).put(chiller_2__run_command=True).go(29)
    assert plant.decision.state == "frozen"
    before = plant.reset
    plant.go(30)
    assert plant.decision.state == "controlling" and plant.reset < before


def test_water_is_not_warmed_further_while_the_plant_cannot_make_it() -> None:
    plant = Reset().go(60)
    before = plant.reset
    plant.put(plant__chilled_water_supply_temperature=plant.temperature + 3).go(60)
    assert plant.reset == before
    plant.put(zone_1__cooling_valve_position=98.0).go(10)
    assert plant.reset > before


def test_a_silent_zone_stops_the_saving_and_is_named() -> None:
    plant = Reset().go(60)
    before = plant.reset
    silent = {
        f"zone_2__{role}": None
        for role in ("cooling_valve_position", "supply_air_temperature", "temperature")
    }
    plant.put(**silent).go(60)
    assert plant.reset == before
    assert "zone_2 is silent" in str(plant.decision.attributes["message"])
    plant.put(zone_1__cooling_valve_position=98.0).go(10)
    assert plant.reset > before, "it still answers the others"


def test_reset_holds_when_no_zone_reports_and_goes_on_without_a_bump() -> None:
    plant = Reset().go(60)
    before, temperature = plant.reset, plant.temperature
    lost = {key: None for key in plant.values if key.startswith("zone_")}
    kept = {key: value for key, value in plant.values.items() if key in lost}
    plant.values |= lost
    plant.go(90)
    assert plant.decision.state == "holding"
    assert "no zone reports" in str(plant.decision.attributes["message"])
    assert plant.reset == before
    plant.values |= kept
    plant.go(1)
    assert plant.temperature == pytest.approx(temperature, abs=0.1)
    assert plant.events[-2:] == ["setpoint_holding", "setpoint_controlling"]


def test_setpoints_move_no_faster_than_their_rates() -> None:
    plant = Reset(temperature_rate=0.05, trim=50).go(15)
    before = plant.temperature
    for _ in range(20):
        plant.go(1)
        assert plant.temperature - before <= 0.05 + 0.011
        before = plant.temperature


def test_commands_are_the_same_object_until_a_setpoint_moves() -> None:
    reset = Reset().go(300)
    settled = reset.decision.commands
    reset.go(1)
    assert reset.decision.commands is settled
    reset.put(zone_1__cooling_valve_position=99.0).go(60)
    assert reset.decision.commands != settled


def test_it_follows_an_operator_and_goes_on_from_there() -> None:
    plant = Reset().go(10)
    plant.taken = {TEMPERATURE: "Operator", PRESSURE: "Operator"}
    plant.values |= {TEMPERATURE: 9.0, PRESSURE: 100.0}
    plant.go(30)
    assert plant.decision.state == "overridden"
    assert "Operator" in str(plant.decision.attributes["message"])
    plant.taken = {}
    plant.go(1)
    assert plant.temperature == pytest.approx(9.0, abs=0.05)


def test_restart_goes_on_where_it_was() -> None:
    one = Reset().go(70)
    other = Reset().go(70).restart(30.0)
    other.now = one.now
    for _ in range(60):
        assert one.go(1).temperature == other.go(1).temperature
        assert one.pressure == other.pressure


def test_long_silence_begins_from_the_setpoints_that_are_there() -> None:
    plant = Reset().go(100)
    temperature = plant.temperature
    plant.restart(silence=7200.0).go(1)
    assert plant.temperature == pytest.approx(temperature, abs=0.05)


def test_outdoor_air_resets_the_temperature_only() -> None:
    plant = Reset(method="outdoor_air").put(weather__outdoor_temperature=22.0).go(60)
    assert (plant.temperature, plant.pressure) == (10.0, 100.0)
    plant.put(weather__outdoor_temperature=27.0).go(60)
    assert plant.temperature == pytest.approx(8.35)
    plant.put(weather__outdoor_temperature=35.0).go(60)
    assert plant.temperature == 6.7
    plant.put(weather__outdoor_temperature=None).go(60)
    assert plant.decision.state == "holding" and plant.temperature == 6.7


def test_load_resets_the_temperature_by_its_mean() -> None:
    plant = Reset(method="load", load_low=10, load_high=50)
    plant.put(plant__chilled_water_flow=45.0).go(60)
    load = 45.0 * 4.19 * 5.0 / (3 * 1407.0)
    share = (load - 0.10) / 0.40
    assert plant.temperature == pytest.approx(10.0 - share * 3.3, abs=0.02)
    plant.put(plant__chilled_water_flow=None).go(5)
    assert plant.decision.state == "holding"


def test_only_what_the_outputs_name_is_reset() -> None:
    plant = Reset({"outputs": [PRESSURE]}).go(400)
    assert set(commands(plant.decision)) == {PRESSURE}
    assert plant.pressure == 35.0


@pytest.mark.parametrize(
    ("metadata", "config", "says"),
    [
        ({}, {"method": "guess"}, "method is 'guess'"),
        (
            {},
            {"supply_temperature_maximum": 5},
            "supply_temperature_minimum is above supply_temperature_maximum",
        ),
        ({}, {"trim": "much"}, "trim is not a number"),
        ({}, {"valve_request_off": 99}, "at most 95"),
        ({"zones": ["zone_9"]}, {}, "no zone_9"),
        ({"chillers": ["pchp_1"]}, {}, "no chiller pchp_1"),
        ({"outputs": ["chiller_1.load"]}, {}, "not a setpoint"),
        ({}, {"method": "outdoor_air", "outdoor_temperature_low": 40}, "not below"),
    ],
)
def test_a_form_that_cannot_work_is_refused(
    metadata: dict[str, Any], config: dict[str, Any], says: str
) -> None:
    with pytest.raises(ControlRefused, match=says):
        Reset(metadata, **config)


def test_a_plant_without_zones_or_weather_needs_another_method() -> None:
    for method, says in (
        ("trim_and_respond", "no zone is there"),
        ("outdoor_air", "no weather station"),
    ):
        automation = form("dynamic_setpoint", {}, {"method": method})
        plan = whole_plan(automation, zones=0, weather=False)
        with pytest.raises(ControlRefused, match=says):
            DynamicSetpoint(plan, first(plan))


READINGS = st.dictionaries(
    st.sampled_from(sorted(readings())),
    st.one_of(st.none(), st.booleans(), st.floats(-50, 150)),
    max_size=8,
)


@given(st.lists(st.tuples(READINGS, st.floats(0, 4000)), max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_reading_drives_a_setpoint_beyond_its_limits(
    changes: list[tuple[dict[str, Value | None], float]],
) -> None:
    plant = Reset()
    base = dict(plant.values)
    for change, passed in changes:
        plant.values = {
            key: value
            if isinstance(value, bool) == isinstance(base[key], bool) or value is None
            else None
            for key, value in (base | change).items()
        }
        plant.now += passed
        decision = plant.controller.step(plant.now, Inputs(plant.values))
        for point, value in commands(decision).items():
            low, high = {TEMPERATURE: (6.7, 10.0), PRESSURE: (35.0, 100.0)}[point]
            assert low <= float(value) <= high
        json.dumps(dict(decision.attributes))
        assert decision.attributes["message"]


def test_a_setpoint_beyond_the_limits_is_brought_back_at_once() -> None:
    plant = Reset()
    plant.values |= {TEMPERATURE: 14.0, PRESSURE: 0.0}
    plant.go(1)
    assert 6.7 <= plant.temperature <= 10.0
    assert 35.0 <= plant.pressure <= 100.0


def test_restart_with_nonsense_begins_anew() -> None:
    plant = Reset().go(5)
    broken: dict[str, Any] = {"at": plant.now, "reset": "much"}
    automation = replace(first(plant.plan), resume=broken)
    controller = DynamicSetpoint(plant.plan, automation)
    decision = controller.step(plant.now, Inputs(plant.values))
    assert decision.state == "controlling"


class PumpedReset(Reset):
    """A reset of a plant whose secondary pumps say what they take."""

    def __init__(self, **config: Any) -> None:
        self.form = form("dynamic_setpoint", {}, CONFIG | config)
        data = whole_plan_data(self.form)
        for item in data["equipment"].values():
            if item["type"] == "secondary_chilled_water_pump":
                item["ratings"]["power"] = 20.0
        super().__init__(plan=parse_plan(data), **config)

    def warm(self) -> "PumpedReset":
        for n in (1, 2, 3):
            self.values[f"zone_{n}.cooling_valve_position"] = 100.0
        return self


def test_water_gets_colder_where_pumps_take_more_than_that_costs() -> None:
    # One pump at 98 % takes 12 % of what the chiller does.
    plant = PumpedReset(trim=0, respond=1, valve_request_on=95)
    plant.values[TEMPERATURE], plant.values[PRESSURE] = 10.0, 60.0
    plant.values["schp_1.speed"] = 98.0
    plant.warm().go(60)
    share = plant.decision.attributes["pump_share"]
    assert isinstance(share, float)
    assert share > 10.0
    assert plant.temperature < 9.5
    assert plant.pressure < 70.0
    first_way = PumpedReset(trim=0, respond=1, valve_request_on=95, pump_share=100)
    first_way.values[TEMPERATURE], first_way.values[PRESSURE] = 10.0, 60.0
    first_way.values["schp_1.speed"] = 98.0
    first_way.warm().go(30)
    assert first_way.temperature == 10.0
    assert first_way.pressure > plant.pressure + 8.0


def test_no_more_is_asked_for_while_water_is_short_and_does_not_come() -> None:
    plant = PumpedReset(trim=0, respond=1, valve_request_on=95)
    plant.values[TEMPERATURE], plant.values[PRESSURE] = 10.0, 60.0
    plant.values["plant.chilled_water_flow"] = 75.0
    plant.values["plant.chilled_water_supply_temperature"] = 12.0
    plant.values["plant.chilled_water_return_temperature"] = 16.0
    plant.warm().go(60)
    held = plant.reset
    plant.go(30)
    assert plant.reset == held
    assert "more water than" in str(plant.decision.attributes["message"])
    # With another chiller there is water enough: it is asked for again.
    for point in ("run_status", "run_command"):
        plant.values[f"chiller_2.{point}"] = True
    plant.go(60)
    assert plant.reset > held


def test_the_way_survives_a_restart() -> None:
    plant = PumpedReset(trim=0, respond=1, valve_request_on=95)
    plant.values[TEMPERATURE], plant.values[PRESSURE] = 10.0, 60.0
    plant.values["schp_1.speed"] = 98.0
    plant.warm().go(60)
    before = plant.temperature, plant.pressure
    data = json.loads(json.dumps(dict(plant.decision.attributes)))
    assert 0.0 <= data["resume"]["knee"] < 1.0
    plant.restart(60.0).go(1)
    assert plant.temperature == pytest.approx(before[0], abs=0.3)
    assert plant.pressure == pytest.approx(before[1], abs=6.0)
