"""Staging in an order that changes while chillers run: no hot swap, no gap."""

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.chiller_sequence import ChillerSequence
from chiller_control.control.decision import Decision
from chiller_control.control.staging_order import NOT_IN_ORDER, ORDER_SETTLES
from factories import automation, first, plan_of, staging
import pytest
from staging_day import Day


def day_of(*places: float, load: float = 500.0, **config: object) -> Day:
    """Return a day on which a sequence gave these places."""
    day = Day(len(places), load, **config)
    give(day, *places)
    return day


def give(day: Day, *places: float) -> None:
    for number, place in enumerate(places, 1):
        day.plant.values[f"chiller_{number}.sequence_position"] = place


def running(day: Day) -> list[str]:
    return [
        f"chiller_{number}"
        for number in range(1, day.plant.chillers + 1)
        if day.plant.values[f"chiller_{number}.run_status"]
    ]


def switched(day: Day) -> list[tuple[str, object]]:
    return [
        (point.partition(".")[0], value)
        for _, point, value in day.plant.log
        if point.startswith("chiller_") and point.endswith(".run_command")
    ]


def stopped(day: Day, chiller: str) -> bool:
    """Whether a chiller was told to stop after it was told to run."""
    told = [value for key, value in switched(day) if key == chiller]
    return True in told and told[-1] is False


def test_first_in_the_order_is_started_first() -> None:
    day = day_of(3, 1, 2)
    day.go(600, day.is_stage(1))
    assert running(day) == ["chiller_2"]


def test_start_waits_for_a_sequence_that_has_not_spoken_yet() -> None:
    data = automation("chiller_sequence", metadata={"chillers": ["chiller_2"]})
    day = Day(2)
    plan = plan_of(staging(), data)
    day.controller = ChillerAddSubtract(plan, first(plan))
    day.go(40)
    assert not any(value for _, value in switched(day))
    give(day, 2, 1)
    day.go(600, day.is_stage(1))
    assert running(day) == ["chiller_2"]


def test_start_does_not_wait_for_ever() -> None:
    data = automation("chiller_sequence", metadata={"chillers": ["chiller_2"]})
    day = Day(2)
    plan = plan_of(staging(), data)
    day.controller = ChillerAddSubtract(plan, first(plan))
    day.go(600, day.is_stage(1))
    assert running(day) == ["chiller_1"]


def test_without_a_sequence_the_order_of_the_form_counts() -> None:
    day = day_of(0, 0, 0)
    day.go(600, day.is_stage(1))
    assert running(day) == ["chiller_1"]


def test_new_order_stops_nobody_who_is_in_it() -> None:
    day = day_of(1, 2, 3)
    day.go(600, day.is_stage(1))
    give(day, 3, 1, 2)
    day.go(4000)
    assert running(day) == ["chiller_1"] and day.decision.state == "running"
    assert not stopped(day, "chiller_1")


def test_new_order_counts_when_the_stage_changes() -> None:
    day = day_of(1, 2, 3, load=1350)
    day.go(600, day.is_stage(1))
    give(day, 3, 2, 1)
    day.go(4000, day.is_stage(2))
    assert running(day) == ["chiller_1", "chiller_3"], "the first that did not run"
    day.plant.load = 300
    day.go(4000, day.is_stage(1))
    assert running(day) == ["chiller_3"], "the last that ran"


def test_order_that_is_being_written_is_none() -> None:
    """A profile hands over: places are given back and given one by one."""
    day = day_of(1, 2, 3)
    day.go(600, day.is_stage(1))
    for places in ((0, 0, 0), (0, 1, 0), (0, 1, 2), (3, 1, 2)):
        give(day, *places)
        day.go(ORDER_SETTLES - 5)
    day.go(600)
    assert not day.happened("handover") and running(day) == ["chiller_1"]
    chillers = day.decision.attributes["chillers"]
    assert isinstance(chillers, dict)
    assert list(chillers) == ["chiller_2", "chiller_3", "chiller_1"]


def test_chiller_out_of_the_order_is_not_started() -> None:
    day = day_of(0, 1, 0, load=2600)
    day.go(600, day.is_stage(1))
    day.go(4000)
    assert running(day) == ["chiller_2"]
    assert "Chiller 1: not in the sequence" in day.message
    chillers = day.decision.attributes["chillers"]
    assert isinstance(chillers, dict)
    assert chillers["chiller_1"] == {"state": "excluded", "reason": NOT_IN_ORDER}


def test_chiller_that_lost_its_place_is_relieved_before_it_stops() -> None:
    day = day_of(1, 2, 3)
    day.go(600, day.is_stage(1))
    give(day, 0, 1, 2)
    cooled = 0
    end = day.plant.now + 2000
    while day.plant.now < end and not stopped(day, "chiller_1"):
        day.go(5)
        cooled = len(running(day))
        assert cooled >= 1
    assert running(day)[-1:] == ["chiller_2"], "the other one already runs"
    day.go(1000, day.is_stage(1))
    assert running(day) == ["chiller_2"]
    assert day.happened("handover") == [
        "Chiller 2 takes over from Chiller 1: not in the sequence"
    ]
    assert day.happened("stage_down") == ["Chiller 1 is taken off: not in the sequence"]


def test_stage_of_two_hands_over_only_what_it_must() -> None:
    day = day_of(1, 2, 3, load=1350)
    day.go(5000, day.is_stage(2))
    give(day, 0, 2, 1)
    day.go(60)
    day.go(2000, day.is_stage(2))
    assert running(day) == ["chiller_2", "chiller_3"]
    assert not stopped(day, "chiller_2")


def test_spare_that_does_not_start_leaves_no_gap() -> None:
    day = day_of(1, 2, 3, proof_timeout=60)
    day.go(600, day.is_stage(1))
    day.plant.broken.add("chiller_2")
    give(day, 0, 1, 2)
    end = day.plant.now + 3000
    while day.plant.now < end:
        day.go(5)
        assert running(day)
    assert running(day) == ["chiller_3"]


def test_last_one_that_can_run_is_not_stopped_for_an_order() -> None:
    day = day_of(1, 2, 3)
    day.go(600, day.is_stage(1))
    for spare in ("chiller_2", "chiller_3"):
        day.plant.values[f"{spare}.alarm"] = True
    give(day, 0, 1, 2)
    day.go(2000)
    assert running(day) == ["chiller_1"]
    assert not stopped(day, "chiller_1")


def test_operator_who_keeps_a_chiller_running_is_not_fought() -> None:
    day = day_of(1, 2, 3)
    day.go(600, day.is_stage(1))
    give(day, 0, 1, 2)
    day.plant.taken["chiller_1.run_command"] = "Operator"
    day.go(2000)
    assert running(day) == ["chiller_1"] and not day.happened("handover")


@pytest.mark.parametrize("moment", [5, 30, 60, 90, 120, 200])
def test_restart_in_the_middle_of_a_handover_goes_on_with_it(moment: int) -> None:
    day = day_of(1, 2, 3)
    day.go(600, day.is_stage(1))
    give(day, 0, 1, 2)
    day.go(moment)
    day.restart(silence=10)
    end = day.plant.now + 2000
    while day.plant.now < end:
        day.go(5)
        assert running(day) and "chiller_3" not in running(day)
    assert running(day) == ["chiller_2"]


def test_order_survives_a_restart() -> None:
    day = day_of(2, 1, 3, load=1350)
    day.go(600, day.is_stage(1))
    day.restart()
    day.step()
    chillers = day.decision.attributes["chillers"]
    assert isinstance(chillers, dict)
    assert list(chillers) == ["chiller_2", "chiller_1", "chiller_3"]


def test_sequence_and_staging_together_wear_the_chillers_alike() -> None:
    """Four working days: two at noon, one in the morning, none at night."""
    places = automation(
        "chiller_sequence",
        metadata={"chillers": ["chiller_1", "chiller_2", "chiller_3"]},
    )
    day = Day(3, stage_hold=300, minimum_stage_time=600)
    plan = plan_of(staging(3, **dict(first(day.plan).config)), places, chillers=3)
    staged = ChillerAddSubtract(plan, first(plan))
    sequence = ChillerSequence(plan, plan.automations[1])
    plant, most = day.plant, 0
    for step in range(4 * 24 * 120):
        hour = step // 120 % 24
        plant.values["plant.enable_command"] = 6 <= hour < 20
        plant.load = 2000.0 if 10 <= hour < 16 else 700.0
        decisions = [item.step(plant.now, plant.inputs) for item in (sequence, staged)]
        commands = tuple(command for item in decisions for command in item.commands)
        plant.take(Decision(commands, "", {}))
        plant.run(30)
        for key in running(day):
            hours = plant.values[f"{key}.staging_run_hours"]
            assert isinstance(hours, float)
            plant.values[f"{key}.staging_run_hours"] = hours + 30 / 3600
        most = max(most, len(running(day)))
    worked = [plant.values[f"chiller_{n}.staging_run_hours"] for n in (1, 2, 3)]
    assert most == 2 and min(worked) > 20
    # A turn is half a day: that is all that they can differ by.
    assert max(worked) - min(worked) <= 10
    starts = [key for key, value in switched(day) if value is True]
    assert len(starts) <= 2 * 4 + 1, "two a day: nobody is swapped for another"
    assert {starts.count(f"chiller_{n}") for n in (1, 2, 3)} <= {2, 3, 4}
