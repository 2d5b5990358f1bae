"""Demand response of a site between its events, its meter and its calls."""

import json

from chiller_control.control.demand_response.grid_event import Interval, Signal
from chiller_control.control.demand_response.site import parse_site
import pytest
from shed_site import METER, baseline, site_data
from shedding_trial import BEGIN, HOUR, NOW, STEP, Trial, grid_event


def test_event_is_shed_for_and_given_back() -> None:
    trial = Trial(grid_event())
    trial.run(595)
    assert not trial.house.of("command"), "it has not begun"
    assert trial.report["state"] == "idle"
    trial.run(900)
    assert trial.load.power == pytest.approx(400.0, abs=25.0)
    command = trial.house.of("command")[0]
    assert (command["source"], command["priority"]) == ("demand_response:plant", 50)
    assert command["lease"] == 60.0
    assert trial.report["state"] == "shedding"
    assert trial.report["attributes"]["target_kw"] == 400.0
    (event,) = trial.report["events"]
    assert (event["status"], event["asked_now"]) == ("active", "level 2")
    trial.run(HOUR)
    assert not trial.load.commands
    assert trial.report["state"] == "idle"
    assert [item for item in trial.actions if item.startswith("event_")] == [
        "event_received",
        "event_begun",
        "event_completed",
    ]
    shed = [item for item in trial.actions if item.startswith("shed_")]
    assert shed.count("shed_more") == shed.count("shed_less") > 0


def test_commands_are_refreshed_within_their_lease() -> None:
    trial = Trial(grid_event())
    trial.run(700)
    before = len(trial.house.of("command"))
    trial.run(60)
    again = trial.house.of("command")[before:]
    counts = [
        sum(f"switch.{name}_run_command" in data["entity_id"] for data in again)
        for name in trial.off
    ]
    assert counts
    assert min(counts) >= 2


def test_restart_in_mid_event_moves_nothing_and_tells_nothing_twice() -> None:
    trial = Trial(grid_event())
    trial.run(1200)
    before, resume = dict(trial.load.commands), trial.report["resume"]
    assert before
    trial.house.calls.clear()
    trial.sections["resume"] = json.loads(json.dumps(resume))
    trial.begin()
    trial.run(STEP)
    assert trial.load.commands == before
    assert not trial.house.of("release")
    assert "event_begun" not in trial.actions
    assert trial.report["state"] == "shedding"


def test_what_ran_out_while_nobody_was_there_is_shed_again_and_no_more() -> None:
    trial = Trial(grid_event())
    trial.run(1200)
    before, resume = dict(trial.load.commands), trial.report["resume"]
    trial.load.commands.clear()
    trial.sections["resume"] = json.loads(json.dumps(resume))
    trial.now += 120.0
    trial.begin()
    trial.run(STEP)
    assert "started anew" in trial.report["attributes"]["message"]
    trial.run(60)
    assert trial.load.commands == before


def test_silent_meter_holds_what_is_shed_and_says_so() -> None:
    trial = Trial(grid_event())
    trial.run(1200)
    before = dict(trial.load.commands)
    trial.load.meter_works = False
    trial.run(600)
    assert trial.load.commands == before
    assert trial.report["state"] == "shedding"
    assert METER in trial.report["attributes"]["message"]
    assert trial.news[-1].figures["power"] is None
    trial.load.meter_works = True
    trial.run(300)
    assert trial.load.power == pytest.approx(400.0, abs=25.0)


def test_nothing_is_shed_while_no_baseline_is_known_and_that_is_said() -> None:
    trial = Trial(grid_event(), known=False)
    trial.run(900)
    assert not trial.load.commands
    assert trial.report["state"] == "not_ready"
    assert "baseline is not known" in trial.report["attributes"]["message"]
    assert trial.report["attributes"]["target_kw"] is None
    trial.take(baselines={"grid:e1": baseline(BEGIN)})
    trial.run(600)
    assert trial.load.power == pytest.approx(400.0, abs=25.0)


def test_baseline_that_is_gone_for_a_moment_ends_nothing() -> None:
    trial = Trial(grid_event())
    trial.run(1200)
    before = dict(trial.load.commands)
    empty = baseline(BEGIN) | {"kw": [], "method": "none"}
    trial.take(baselines={"grid:e1": empty})
    trial.run(300)
    trial.take(baselines={})
    trial.run(300)
    assert trial.load.commands == before
    assert trial.report["state"] == "shedding"


def test_restart_before_the_baseline_is_back_holds_what_is_shed() -> None:
    trial = Trial(grid_event())
    trial.run(1200)
    before = dict(trial.load.commands)
    trial.sections |= {"resume": trial.report["resume"], "baselines": {}}
    trial.begin()
    trial.run(600)
    assert trial.load.commands == before
    assert trial.report["state"] == "shedding"
    assert "stays as it is" in trial.report["attributes"]["message"]


def test_without_a_meter_nothing_is_shed_and_what_is_shed_comes_back() -> None:
    trial = Trial(grid_event())
    trial.run(1200)
    assert trial.load.commands
    trial.take(settings={"meter": None})
    trial.run(300)
    assert "no meter is chosen" in trial.report["attributes"]["message"]
    trial.run(HOUR + 1200)
    assert not trial.load.commands
    other = Trial(grid_event(), settings={"meter": None})
    other.run(1200)
    assert other.report["state"] == "not_ready"
    assert not other.load.commands


def test_test_event_is_told_and_not_shed_for() -> None:
    trial = Trial(grid_event(test=True))
    trial.run(1200)
    assert not trial.load.commands
    assert trial.report["state"] == "idle"
    assert trial.report["events"][0]["test"]
    assert "event_begun" in trial.actions


def test_test_event_of_a_higher_rank_hides_no_real_one() -> None:
    trial = Trial(grid_event("a", test=True, rank=0), grid_event("b"))
    trial.run(1200)
    assert trial.load.power == pytest.approx(400.0, abs=25.0)


def test_first_in_rank_counts_of_events_that_overlap() -> None:
    strict = grid_event("b", 3.0, rank=0, start=BEGIN + 900, duration=900)
    trial = Trial(grid_event("a", 1.0, source="grid", rank=2), strict)
    trial.run(1200)
    assert trial.report["attributes"]["target_kw"] == 450.0
    trial.run(900)
    assert trial.report["attributes"]["target_kw"] == 300.0
    trial.run(900)
    assert trial.report["attributes"]["target_kw"] == 450.0


def test_price_of_all_day_does_not_hide_an_emergency_of_the_same_rank() -> None:
    price = grid_event(
        "price",
        start=NOW - HOUR,
        duration=10 * HOUR,
        signals=(Signal("price", (Interval(10 * HOUR, 20.0),)),),
    )
    trial = Trial(price, grid_event("e1"))
    trial.run(900)
    assert trial.report["attributes"]["target_kw"] == 400.0


def test_first_in_rank_that_asks_for_nothing_is_kept_too() -> None:
    nothing = grid_event("calm", 0.0, rank=0)
    trial = Trial(nothing, grid_event("e1", rank=5))
    trial.run(900)
    assert not trial.load.commands
    assert trial.report["state"] == "idle"


def test_price_above_what_an_operator_set_is_shed_for() -> None:
    dear = (Signal("price", (Interval(HOUR, 120.0),)),)
    trial = Trial(grid_event(signals=dear))
    trial.run(900)
    assert trial.report["attributes"]["target_kw"] == 450.0
    assert trial.report["events"][0]["asked_now"] == "a price of 120, level 1"


def test_opted_out_in_mid_event_is_given_back_one_after_the_other() -> None:
    trial = Trial(grid_event())
    trial.run(1200)
    used = len(trial.load.commands)
    assert used > 1
    trial.book.opt("grid:e1", "out", "by the operator")
    trial.run(30)
    assert trial.report["state"] == "recovering"
    assert 0 < len(trial.load.commands) < used
    trial.run(600)
    assert not trial.load.commands


def test_site_without_utilities_looks_at_nothing_and_says_that_it_is_there() -> None:
    trial = Trial()
    trial.shedding.take(parse_site(site_data()))
    trial.run(30)
    assert trial.report["state"] == "idle"
    assert trial.report["available_kw"] is None
    assert trial.house.looked == 0


def test_site_that_takes_no_part_says_so() -> None:
    trial = Trial(settings={"take_part": False})
    trial.run(30)
    assert trial.report["state"] == "off"
    assert trial.news[-1].overridden


def test_person_who_commands_a_circuit_goes_before_an_event() -> None:
    trial = Trial(grid_event())
    owner = {"owner": "Operator", "owner_priority": 150}
    trial.load.attributes["switch.heaters_run_command"] = owner
    trial.run(900)
    assert "heaters" not in trial.off
    assert trial.news[-1].overridden


PRECOOL = {
    "lead": 7200.0,
    "setpoint_drop": 1.0,
    "coldest": 22.0,
    "weather": "weather.town",
    "zones": [
        {
            "name": "Zone 1",
            "setpoint": "zone_1.temperature_setpoint",
            "temperature": "zone_1.temperature",
        }
    ],
}


def test_forecast_that_the_integration_tells_decides_how_far_it_is_cooled() -> None:
    begins = NOW + 2 * HOUR
    setpoint = "number.zone_1_temperature_setpoint"
    lowest = {}
    for outdoor in (16.0, 24.0, 33.0):
        trial = Trial(
            grid_event(start=begins),
            settings={"precool": PRECOOL},
            forecast=[[begins - HOUR, begins, 40.0], [begins, begins + HOUR, outdoor]],
        )
        trial.run(2 * HOUR - 60.0)
        lowest[outdoor] = trial.load.commands.get(setpoint, 24.0)
        why = [
            json.loads(call["report"])
            for call in trial.house.of("report_demand_response")
        ]
        assert f"{outdoor:.0f} °C" in json.dumps(why, ensure_ascii=False), outdoor
    assert lowest[16.0] == 24.0
    assert lowest[33.0] == 23.0 < lowest[24.0] == 23.5


def test_event_is_prepared_for_and_everything_told_of_it_is_json() -> None:
    trial = Trial(
        grid_event(start=NOW + 2 * HOUR),
        settings={"precool": PRECOOL, "shedding": {"release_interval": 60.0}},
    )
    setpoint = "number.zone_1_temperature_setpoint"
    states = set()
    while trial.now < NOW + 2 * HOUR:
        trial.run(300)
        states.add(trial.report["state"])
    assert "precooling" in states
    assert "precool_begun" in trial.actions
    trial.run(600)
    assert trial.report["state"] == "shedding"
    assert trial.load.commands.get(setpoint, 24.0) >= 24.0
