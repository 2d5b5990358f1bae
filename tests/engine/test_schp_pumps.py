"""Which secondary pumps run, what replaces those that fail, and what a restart leaves."""

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.plan import parse_plan
from factories import staging
from hypothesis import given, settings, strategies as st
from pump_main import PUMPS, main, pump_plan, started
import pytest

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
