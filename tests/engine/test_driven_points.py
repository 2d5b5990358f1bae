"""Machines chosen in a form: what they stand for, and who leaves them alone."""

from typing import Any

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.decision import ControlRefused, Inputs
from chiller_control.control.driven_points import driven_points
from chiller_control.control.smart_ct import SmartCT
from factories import first, staging
import pytest
from whole_plant import commands, form, readings, whole_plan

TOWERS = ["ct_1", "ct_2", "ct_3"]
PUMPS = ["cdp_1", "cdp_2", "cdp_3"]


def towers(outputs: list[str], **config: Any) -> dict[str, Any]:
    return form("smart_ct", {"outputs": outputs}, {"law": "fixed", **config})


def test_a_tower_is_its_fan_and_its_run_command_a_pump_its_speed() -> None:
    plan = whole_plan(towers(["ct_2", "cdp_1", "ct_2.speed_command"]))
    assert driven_points(plan, first(plan)) == (
        "ct_2.speed_command",
        "ct_2.run_command",
        "cdp_1.speed_command",
    )


def test_what_cannot_be_set_is_not_driven() -> None:
    plan = whole_plan(towers(["plant", "ct_1", "no_such_thing"]))
    plan.equipment["ct_1"].points.pop("speed_command")
    assert driven_points(plan, first(plan)) == ("ct_1.run_command", "no_such_thing")


@pytest.mark.parametrize("cells", ["chillers", "all"])
def test_chosen_machines_are_driven_as_their_points_are(cells: str) -> None:
    points = [f"{key}.speed_command" for key in (*TOWERS, *PUMPS)]
    if cells == "all":
        points += [f"{key}.run_command" for key in TOWERS]
    decisions = []
    for outputs in (points, TOWERS + PUMPS):
        plan = whole_plan(towers(outputs, cells=cells))
        controller = SmartCT(plan, first(plan))
        values = readings(running=1)
        decisions.append(commands(controller.step(1e9, Inputs(values, {}, {}))))
    assert decisions[0] == decisions[1]
    assert ("ct_3.run_command" in decisions[1]) == (cells == "all")


def test_a_chiller_is_no_output_of_a_tower_group() -> None:
    plan = whole_plan(towers(["ct_1", "chiller_1"]))
    with pytest.raises(ControlRefused, match="Chiller 1 is neither a tower nor"):
        SmartCT(plan, first(plan))


def test_staging_leaves_the_speeds_of_chosen_machines_alone() -> None:
    def sent(*others: dict[str, Any]) -> set[str]:
        plan = whole_plan(staging(), *others)
        controller = ChillerAddSubtract(plan, first(plan))
        values = readings(running=1)
        values["plant.enable_command"] = True
        wanted: set[str] = set()
        for second in range(0, 120, 10):
            decision = controller.step(1e9 + second, Inputs(values, {}, {}))
            wanted |= commands(decision).keys()
        return {point for point in wanted if point.endswith(".speed_command")}

    alone = sent()
    assert {"ct_1.speed_command", "cdp_1.speed_command"} <= alone
    beside = sent(towers(["ct_1", "ct_2", "cdp_1", "cdp_2"]))
    driven = {f"{key}.speed_command" for key in ("ct_1", "ct_2", "cdp_1", "cdp_2")}
    assert beside == alone - driven
