"""Staging goes on with what it finds: a plant that runs, its own last report."""

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from factories import first, plan_of, staging
from staging_day import Day, in_stage_two, started


def test_what_runs_already_is_taken_over() -> None:
    """Control begins on a plant that runs its second chiller."""
    day = in_stage_two()
    wanted = dict(day.plant.commands)
    day.controller = ChillerAddSubtract(day.plan, first(day.plan))
    day.plant.log.clear()
    day.go(300)
    assert day.plant.log == [] and day.plant.commands == wanted


def test_plant_that_is_enabled_again_keeps_what_still_runs() -> None:
    day = in_stage_two()
    day.plant.values["plant.enable_command"] = False
    day.go(5)
    day.plant.values["plant.enable_command"] = True
    day.plant.log.clear()
    day.go(600, day.is_stage(1))
    assert ("chiller_1.run_command", False) not in [
        (point, value) for _, point, value in day.plant.log
    ]


def test_restart_changes_nothing_and_keeps_the_times() -> None:
    day = started(load=1350)
    day.go(600)
    before = day.decision
    day.restart()
    after = day.step()
    assert after.commands == before.commands
    for then, now in zip(
        before.attributes["conditions"], after.attributes["conditions"], strict=True
    ):
        assert now["since"] == then["since"]
    day.go(330, lambda: bool(day.happened("stage_up")))


def test_restart_in_the_middle_of_a_start_goes_on_with_it() -> None:
    day = Day()
    day.go(600, lambda: day.plant.commands["chiller_1.run_command"] is True)
    day.plant.run(5)
    day.restart()
    day.step()
    assert {item.point: item.value for item in day.decision.commands} == (
        day.plant.commands
    )
    day.go(60, day.is_stage(1))
    assert (
        len(
            [
                1
                for _, key, value in day.plant.log
                if key == "chiller_1.run_command" and value
            ]
        )
        == 1
    )


def test_after_a_long_silence_the_plant_itself_says_what_stage_it_is_in() -> None:
    day = in_stage_two()
    day.plant.values["chiller_2.run_status"] = False
    day.plant.values["chiller_2.run_command"] = False
    day.plant.load = 500
    day.restart(silence=3600)
    day.go(600, day.is_stage(1))
    assert day.plant.commands["chiller_2.run_command"] is False


def test_report_of_another_version_does_not_hinder_a_start() -> None:
    day = started()
    data = staging()
    data["reported"] = {"state": "", "attributes": {"resume": {"at": "noon"}}}
    plan = plan_of(data)
    day.controller = ChillerAddSubtract(plan, first(plan))
    day.go(60)
    assert day.stage == 1 and day.plant.values["chiller_1.run_status"] is True
