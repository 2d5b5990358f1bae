"""Smart CT: its laws, its cells, its pumps, and what it does without readings."""

from dataclasses import replace
import json
from typing import Any

from chiller_control.control.decision import ControlRefused, Inputs, Value
from chiller_control.control.smart_ct import SmartCT
from chiller_control.control.tower_laws import BraunLaw, LiftLaw, wet_bulb
from factories import first
from hypothesis import given, settings, strategies as st
import pytest
from tower_group import CELLS, FANS, PUMPS, SETPOINT, WATER, Towers, model
from whole_plant import commands, readings

# Laws


def test_fixed_setpoint_is_held_by_the_fans() -> None:
    towers = Towers(law="fixed", condenser_water_setpoint=27.0)
    begun = towers.step()
    assert begun[SETPOINT] == 27.0
    assert begun["ct_1.speed_command"] == 80.0, "it begins from what the fan does"
    towers.go(5)
    assert towers.fan > 80.0, "28.0 °C is too warm"
    towers.put(**{WATER.replace(".", "__"): 25.0}).go(10)
    assert towers.fan < 80.0


def test_all_fans_run_alike() -> None:
    wanted = Towers(law="fixed").go(5)
    assert len({wanted[fan] for fan in FANS}) == 1


def test_wet_bulb_approach_follows_the_weather_within_its_limits() -> None:
    towers = Towers(law="wet_bulb_approach", approach=4.0, setpoint_maximum=29.0)
    assert towers.step()[SETPOINT] == 29.0
    towers.put(weather__wet_bulb_temperature=20.0)
    assert towers.step()[SETPOINT] == 24.0
    towers.put(weather__wet_bulb_temperature=5.0)
    assert towers.step()[SETPOINT] == 18.0


def test_lift_law_is_guideline_36() -> None:
    law = LiftLaw(12.0, 28.0)
    # A = 1.1 · (28 - 12) = 17.6, B = 28 - 17.6 = 10.4.
    assert law.lift(1.0) == 28.0
    assert law.lift(0.5) == pytest.approx(17.6 * 0.5 + 10.4)
    assert law.lift(0.0) == 12.0
    assert LiftLaw.fan_cap(0.0) == 0.7 and LiftLaw.fan_cap(0.5) == 1.0


def test_lift_law_sets_the_supply_by_the_return_and_the_range() -> None:
    towers = Towers(law="lift", design_return_temperature=35.0)
    wanted = towers.go(6)
    lift = LiftLaw(12.0, 35.0 - 6.7).lift(0.7)
    assert wanted[SETPOINT] == pytest.approx(7.0 + lift - 4.5, abs=0.06)
    towers.put(chiller_1__load=5.0).go(60)
    assert towers.fan <= 73.0, "the fans are capped at little load"


def test_braun_law_runs_the_fans_by_load_alone() -> None:
    law = BraunLaw.of(chiller_power=231.0, fan_power=22.0)
    assert law.knee == pytest.approx(0.707, abs=0.005)
    towers = Towers(law="braun", running=3)
    for load, least, most in ((30.0, 20.0, 45.0), (95.0, 75.0, 100.0)):
        towers.put(**{f"chiller_{n}__load": load for n in (1, 2, 3)})
        towers.go(20)
        assert least <= towers.fan <= most


def test_model_runs_more_cells_slower_and_pumps_slower() -> None:
    towers = model()
    towers.go(15)
    assert towers.cells == set(CELLS), "all three for one chiller"
    assert 30.0 < towers.fan < 60.0
    assert 65.0 < towers.pump < 85.0
    optimum = towers.decision.attributes["optimum"]
    assert isinstance(optimum, dict) and optimum["feasible"]
    assert "3 cells" in towers.message


def test_model_searches_again_only_when_something_moved() -> None:
    towers = model()
    towers.step()
    first_search = towers.decision.attributes["optimum"]
    towers.put(chiller_1__load=71.0).go(5)
    assert towers.decision.attributes["optimum"] == first_search
    towers.put(chiller_1__load=90.0).step()
    assert towers.decision.attributes["optimum"] != first_search


def test_a_bias_of_the_wet_bulb_sensor_moves_the_fans_little() -> None:
    right, wrong = model(), model().put(weather__wet_bulb_temperature=26.5)
    right.go(15), wrong.go(15)
    assert wrong.fan == pytest.approx(right.fan, abs=4.0)


# Speeds


def test_speeds_move_no_faster_than_their_rates() -> None:
    towers = model(fan_rate=5, pump_rate=4)
    towers.step()
    fan, pump = towers.fan, towers.pump
    for _ in range(20):
        towers.step()
        assert abs(towers.fan - fan) <= 5.05 and abs(towers.pump - pump) <= 4.05
        fan, pump = towers.fan, towers.pump


def test_commands_are_the_same_object_until_one_of_them_moves() -> None:
    towers = model()
    towers.go(30)
    settled = towers.decision.commands
    towers.step()
    assert towers.decision.commands is settled
    towers.put(weather__wet_bulb_temperature=18.0).go(30)
    assert towers.decision.commands != settled
    settled = towers.decision.commands
    towers.running(2).go(30)
    assert towers.decision.commands != settled


def test_pumps_keep_the_flow_that_the_flow_switches_need() -> None:
    """60 % of the flow takes more than 60 % of the speed: water is lifted too."""
    towers = model(condenser_flow_minimum=60)
    towers.put(chiller_1__load=22.0).go(30)
    assert towers.pump == pytest.approx(67.4, abs=0.5)


def test_pumps_run_fast_while_a_chiller_starts() -> None:
    towers = model()
    towers.go(20)
    assert towers.pump < 90.0
    towers.put(chiller_2__run_command=True).step()
    assert towers.pump == 100.0
    towers.running(2).go(20)
    assert towers.pump < 90.0


def test_too_little_lift_holds_back_the_fans_and_then_the_pumps() -> None:
    towers = Towers([*FANS, *PUMPS], law="fixed", condenser_water_setpoint=18.0)
    towers.go(30)
    assert towers.fan == 100.0 and towers.pump == 100.0
    towers.put(plant__condenser_water_return_temperature=16.0).go(10)
    assert towers.fan < 100.0
    towers.go(60)
    assert towers.fan == 20.0 and towers.pump < 75.0
    conditions = towers.decision.attributes["conditions"]
    assert isinstance(conditions, list)
    lift = next(item for item in conditions if item["name"] == "minimum_lift")
    assert lift["met"] and lift["value"] == 9.0 and lift["threshold"] == 12.0


def stopping_fans() -> Towers:
    """Fans whose drives take no speed at all as a command."""
    towers = Towers(law="fixed", fan_speed_minimum=10)
    equipment = dict(towers.plan.equipment)
    for key in ("ct_1", "ct_2", "ct_3"):
        points = dict(equipment[key].points)
        points["speed_command"] = replace(points["speed_command"], low=0.0)
        equipment[key] = replace(equipment[key], points=points)
    plan = replace(towers.plan, equipment=equipment)
    towers.controller = SmartCT(plan, first(plan))
    return towers


def test_fans_stop_at_their_slowest_and_start_when_the_water_is_warm() -> None:
    towers = stopping_fans().put(**{WATER.replace(".", "__"): 26.0})
    towers.go(40)
    assert towers.fan == 0.0
    assert "off" in towers.message
    towers.put(**{WATER.replace(".", "__"): 29.8}).go(3)
    assert towers.fan == 0.0, "not before it is 0.6 K too warm"
    towers.put(**{WATER.replace(".", "__"): 30.2}).go(2)
    assert towers.fan > 0.0


def test_fans_that_must_turn_are_never_stopped() -> None:
    towers = Towers(law="fixed").put(**{WATER.replace(".", "__"): 24.0})
    towers.go(60)
    assert towers.fan == 20.0


# Cells


def test_without_run_commands_in_its_outputs_it_leaves_cells_to_staging() -> None:
    wanted = Towers(FANS, law="fixed", cells="all").go(5)
    assert not wanted.keys() & set(CELLS)


def test_cells_are_only_ever_commanded_on() -> None:
    towers = model()
    for load in (90, 30, 15, 60, 100, 20):
        towers.put(chiller_1__load=float(load))
        for _ in range(20):
            wanted = towers.step()
            assert all(wanted.get(cell, True) is True for cell in CELLS)


def test_there_are_never_fewer_cells_than_chillers() -> None:
    towers = Towers([*FANS, *CELLS], running=2, law="fixed", cells="load_tiers")
    towers.put(chiller_1__load=10.0, chiller_2__load=10.0).go(5)
    assert len(towers.cells) == 2


def test_load_tiers_add_cells() -> None:
    towers = Towers(
        [*FANS, *CELLS],
        running=1,
        law="fixed",
        cells="load_tiers",
        load_tiers=[10, 20],
        cell_hold=0,
    )
    counts = []
    for load in (20.0, 45.0, 75.0):
        towers.put(chiller_1__load=load).go(2)
        counts.append(len(towers.cells))
    assert counts == [1, 2, 3]


def test_cells_change_no_sooner_than_the_hold_but_for_another_chiller() -> None:
    towers = Towers(
        [*FANS, *CELLS],
        running=1,
        law="fixed",
        cells="load_tiers",
        load_tiers=[10, 20],
        cell_hold=900,
    )
    towers.put(chiller_1__load=20.0).go(1)
    towers.put(chiller_1__load=75.0).go(14)
    assert len(towers.cells) == 1
    towers.go(3)
    assert len(towers.cells) == 3
    towers.put(chiller_1__load=20.0).go(2)
    assert len(towers.cells) == 3
    short = Towers(
        [*FANS, *CELLS],
        running=1,
        law="fixed",
        cells="load_tiers",
        load_tiers=[90, 95],
        cell_hold=9000,
    )
    short.go(2)
    assert len(short.cells) == 1
    short.running(2).go(1)
    assert len(short.cells) == 2


def test_cells_share_no_less_water_than_they_need() -> None:
    towers = Towers([*FANS, *CELLS], law="fixed", cells="all", minimum_cell_flow=50)
    towers.go(5)
    assert len(towers.cells) == 2, "one pump's water does for two"


def test_a_cell_in_alarm_is_replaced() -> None:
    towers = Towers([*FANS, *CELLS], law="fixed", cells="all")
    towers.go(2)
    towers.put(ct_2__alarm=True).go(2)
    assert towers.cells == {"ct_1.run_command", "ct_3.run_command"}


def test_with_no_chiller_running_the_towers_are_stagings() -> None:
    towers = model()
    towers.go(5)
    wanted = towers.running(0).step()
    assert towers.decision.state == "off"
    assert not wanted.keys() & set(CELLS)
    assert towers.fan == 20.0 and towers.pump == 100.0, "ready for a start"


def test_a_chiller_that_never_starts_does_not_keep_the_pumps_fast() -> None:
    towers = model()
    towers.put(chiller_2__run_command=True).go(25)
    assert towers.pump == 100.0
    towers.go(25)
    assert towers.pump < 90.0


def test_a_load_beyond_the_model_is_said_and_met_with_all_there_is() -> None:
    towers = model().put(chiller_1__load=125.0, weather__wet_bulb_temperature=28.0)
    towers.go(20)
    assert "more load than the model finds a way to carry" in towers.message
    assert towers.fan == 100.0 and len(towers.cells) == 3


# Readings that are not good


def test_wet_bulb_is_computed_where_its_sensor_is_lost() -> None:
    assert wet_bulb(30.0, 70.0) == pytest.approx(25.5, abs=0.3)
    towers = model().put(weather__wet_bulb_temperature=None)
    towers.go(10)
    assert towers.decision.state == "controlling"
    assert "wet bulb from temperature and humidity" in towers.message


def test_last_wet_bulb_serves_for_a_while_and_then_a_fixed_setpoint() -> None:
    towers = model()
    towers.go(10)
    lost = {
        f"weather__{role}": None
        for role in ("wet_bulb_temperature", "relative_humidity")
    }
    towers.put(**lost).go(20)
    assert towers.decision.state == "controlling"
    assert "as it last was" in towers.message
    towers.go(20)
    assert towers.decision.state == "holding"
    assert towers.message.startswith("wet bulb not known")
    assert commands(towers.decision)[SETPOINT] == 29.4
    assert towers.go(15)["cdp_1.speed_command"] == 100.0
    assert "towers_holding" in towers.events
    towers.put(weather__wet_bulb_temperature=25.5).go(15)
    assert towers.decision.state == "controlling" and towers.pump < 90.0


def test_load_comes_from_the_water_where_chillers_do_not_say() -> None:
    towers = model().put(chiller_1__load=None)
    towers.step()
    load = 45.0 * 4.19 * 5.0
    assert towers.decision.attributes["load"] == pytest.approx(load, abs=1.0)


def test_fans_hold_while_the_water_is_not_known() -> None:
    towers = Towers(law="fixed", condenser_water_setpoint=28.0)
    towers.go(5)
    before = towers.fan
    towers.put(**{WATER.replace(".", "__"): None}).go(30)
    assert towers.decision.state == "holding"
    assert "condenser-water temperature not known" in towers.message
    assert towers.fan == before
    towers.put(**{WATER.replace(".", "__"): 28.0}).step()
    assert towers.fan == pytest.approx(before, abs=0.1), "no bump"


def test_fans_run_full_where_nothing_was_ever_known() -> None:
    towers = Towers(law="fixed").put(**{WATER.replace(".", "__"): None})
    for n in (1, 2, 3):
        towers.put(**{f"ct_{n}__speed": None, f"ct_{n}__run_status": None})
    towers.step()
    assert towers.fan == 100.0


def test_silence_of_a_chiller_is_not_its_stop() -> None:
    towers = model()
    towers.go(10)
    before = towers.cells
    towers.put(chiller_1__run_status=None).go(10)
    assert towers.decision.state == "controlling"
    assert towers.cells == before


# Others


def test_it_follows_an_operator_and_goes_on_from_there() -> None:
    towers = Towers(law="fixed", condenser_water_setpoint=28.0)
    towers.go(5)
    towers.taken = dict.fromkeys(FANS, "Operator")
    for n in (1, 2, 3):
        towers.values[f"ct_{n}.speed"] = 35.0
    towers.now += 60
    inputs = Inputs(towers.values, {}, towers.taken)
    following = towers.controller.step(towers.now, inputs)
    assert following.state == "overridden"
    assert "Operator" in str(following.attributes["message"])
    towers.taken = {}
    towers.step()
    assert towers.fan == pytest.approx(35.0, abs=1.0)


@pytest.mark.parametrize("config", [{"law": "fixed"}, {"law": "model", "cells": "all"}])
def test_restart_goes_on_where_it_was(config: dict[str, Any]) -> None:
    outputs = [*FANS, *CELLS, *PUMPS]
    one, other = Towers(outputs, **config), Towers(outputs, **config)
    one.go(12), other.go(12)
    other.restart(20.0)
    wanted = other.step(40.0)
    assert wanted.keys() == one.step().keys()
    # The loop starts anew, where the other one makes a step.
    assert other.fan == pytest.approx(one.fan, abs=3.0)
    assert other.pump == pytest.approx(one.pump, abs=0.1)
    assert other.cells == one.cells


def test_restart_with_nonsense_begins_from_the_drives() -> None:
    towers = Towers(law="fixed")
    automation = replace(first(towers.plan), resume={"at": towers.now, "cells": 7})
    towers.controller = SmartCT(towers.plan, automation)
    assert towers.step()["ct_1.speed_command"] == 80.0


@pytest.mark.parametrize(
    ("outputs", "config", "says"),
    [
        ([], {}, "no cooling tower"),
        (PUMPS, {}, "no cooling tower"),
        (["ct_1.speed"], {}, "not a point that can be set"),
        (["schp_1.speed_command"], {}, "neither fan speed"),
        (["cdp_1.run_command"], {}, "neither fan speed"),
        (CELLS, {"law": "braun"}, "fan speed to set"),
        (FANS, {"law": "magic"}, "law is 'magic'"),
        (FANS, {"cells": "some"}, "cells is 'some'"),
        (FANS, {"load_tiers": [70, 40]}, "do not rise"),
        (FANS, {"condenser_flow_minimum": 40}, "at least 55"),
        (FANS, {"design_return_temperature": 15}, "not above minimum_lift"),
        (FANS, {"chiller_curves": "mine"}, "chiller_curves is 'mine'"),
    ],
)
def test_a_form_that_cannot_work_is_refused(
    outputs: list[str], config: dict[str, Any], says: str
) -> None:
    with pytest.raises(ControlRefused, match=says):
        Towers(outputs, **config)


CHANGES = st.dictionaries(
    st.sampled_from(sorted(readings())),
    st.one_of(st.none(), st.booleans(), st.floats(-60, 160)),
    max_size=8,
)


@given(
    st.sampled_from(["fixed", "wet_bulb_approach", "lift", "braun", "model"]),
    st.lists(st.tuples(CHANGES, st.floats(0, 2000)), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_no_reading_drives_anything_beyond_its_limits(
    law: str, changes: list[tuple[dict[str, Value | None], float]]
) -> None:
    towers = Towers([*FANS, *CELLS, *PUMPS], law=law, cells="all")
    base = dict(towers.values)
    for change, passed in changes:
        for key, value in change.items():
            if value is None or isinstance(value, bool) == isinstance(base[key], bool):
                towers.values[key] = value
        wanted = towers.step(passed)
        for point, value in wanted.items():
            if point in CELLS:
                assert value is True
            elif point == SETPOINT:
                assert 18.0 <= float(value) <= 32.0
            else:
                assert 20.0 <= float(value) <= 100.0
        chillers = sum(
            towers.values[f"chiller_{n}.run_status"] is True for n in (1, 2, 3)
        )
        usable = sum(towers.values[f"ct_{n}.alarm"] is not True for n in (1, 2, 3))
        if towers.decision.state in ("controlling", "holding"):
            assert len(towers.cells) >= min(chillers, usable)
        json.dumps(dict(towers.decision.attributes))
        assert towers.message
