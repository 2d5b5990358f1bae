"""What staging never does, whatever the plant does to it."""

import json

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.decision import Decision, Inputs, Value
from factories import SmallPlant, first, plan_of, staging
from hypothesis import given, settings, strategies as st

CHILLERS = 3
MACHINES = [
    f"{kind}_{n}"
    for kind in (
        "chiller",
        "pchp",
        "cdp",
        "ct",
        "schp",
        "chilled_water_valve",
        "condenser_water_valve",
    )
    for n in range(1, CHILLERS + 1)
]
WHIMS = st.one_of(
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 40)),
    st.tuples(st.just("load"), st.just(""), st.integers(0, 4500)),
    st.tuples(st.just("enable"), st.just(""), st.integers(0, 3)),
    st.tuples(
        st.sampled_from(["break", "mend", "silence", "speak", "hold", "alarm", "trip"]),
        st.sampled_from(MACHINES),
        st.just(0),
    ),
)
CONFIG = {"stage_hold": 60, "minimum_stage_time": 60, "stop_flow_delay": 60}


def fresh(resume: object = None, **config: object) -> ChillerAddSubtract:
    data = staging(CHILLERS, **CONFIG, **config)
    if resume is not None:
        attributes = json.loads(json.dumps({"resume": resume}))
        data["reported"] = {"state": "", "attributes": attributes, "at": 0}
    plan = plan_of(data, chillers=CHILLERS)
    return ChillerAddSubtract(plan, first(plan))


def do(plant: SmallPlant, what: str, machine: str, number: int) -> None:
    status = "open_status" if "valve" in machine else "run_status"
    command = "open_command" if "valve" in machine else "run_command"
    match what:
        case "load":
            plant.load = float(number)
        case "enable":
            plant.values["plant.enable_command"] = number > 0
        case "break":
            plant.broken.add(machine)
        case "mend":
            plant.broken.discard(machine)
            plant.values[f"{machine}.alarm"] = False
        case "silence":
            plant.silent.add(f"{machine}.{status}")
        case "speak":
            plant.silent.discard(f"{machine}.{status}")
            plant.holds.pop(f"{machine}.{command}", None)
        case "hold":
            plant.holds[f"{machine}.{command}"] = "held"
        case "alarm":
            plant.values[f"{machine}.alarm"] = True
        case "trip":
            plant.values[f"{machine}.{status}"] = False


def proven(inputs: Inputs, kind: str, role: str) -> int:
    return sum(inputs.on(f"{kind}_{n}.{role}") is True for n in range(1, CHILLERS + 1))


def commands_of(decision: Decision) -> dict[str, Value]:
    return {item.point: item.value for item in decision.commands}


def running(commands: dict[str, Value]) -> set[int]:
    return {
        n for n in range(1, CHILLERS + 1) if commands.get(f"chiller_{n}.run_command")
    }


@given(st.lists(WHIMS, max_size=40), st.sampled_from([0.0, 1350.0, 4000.0]))
@settings(max_examples=150, deadline=None)
def test_chiller_starts_only_with_proven_water_and_one_at_a_time(
    whims: list[tuple[str, str, int]], load: float
) -> None:
    plant = SmallPlant(CHILLERS, load)
    controller = fresh()
    before: dict[str, Value] = {}
    if load:
        for _ in range(60):
            decision = controller.step(plant.now, plant.inputs)
            before = commands_of(decision)
            plant.take(decision)
            plant.run(5)
    for what, machine, number in whims:
        do(plant, what, machine, number)
        for _ in range(number if what == "wait" else 1):
            inputs = plant.inputs
            known = {
                n: inputs.on(f"chiller_{n}.run_status") for n in range(1, CHILLERS + 1)
            }
            decision = controller.step(plant.now, inputs)
            commands = commands_of(decision)
            begun = running(commands) - running(before)
            begun = {n for n in begun if known[n] is False}
            assert len(begun) <= 1
            changed = {
                n for n in running(commands) ^ running(before) if known[n] is not None
            }
            # One that tripped is let go while another starts: that is no change.
            tripped = {n for n in changed - begun if known[n] is False}
            assert len(changed - tripped) <= 1
            for n in begun:
                assert inputs.on(f"chilled_water_valve_{n}.open_status")
                assert inputs.on(f"condenser_water_valve_{n}.open_status")
                needed = 1 + sum(state is True for state in known.values())
                for kind in ("pchp", "cdp", "ct"):
                    assert proven(inputs, kind, "run_status") >= needed
                assert inputs.on("plant.enable_command")
                assert not inputs.on(f"chiller_{n}.alarm")
            plant.take(decision)
            before = commands
            plant.run(5)


@given(st.lists(WHIMS, max_size=30), st.integers(0, 6))
@settings(max_examples=80, deadline=None)
def test_restart_at_any_moment_wants_the_same(
    whims: list[tuple[str, str, int]], pause: int
) -> None:
    """But for the load, whose mean of five minutes is begun anew."""
    plant = SmallPlant(CHILLERS)
    controller = fresh(stage_up_threshold=200, stage_down_threshold=0)
    resume: object = None
    steps = pause
    for what, machine, number in whims:
        do(plant, what, machine, 0 if what == "load" else number)
        for _ in range(number if what == "wait" else 1):
            inputs = plant.inputs
            decision = controller.step(plant.now, inputs)
            steps += 1
            if resume is not None and steps % 7 == 0:
                again = fresh(
                    resume, stage_up_threshold=200, stage_down_threshold=0
                ).step(plant.now, inputs)
                assert commands_of(again) == commands_of(decision)
            resume = decision.attributes.get("resume")
            plant.take(decision)
            plant.run(5)


@given(st.lists(WHIMS, max_size=40))
@settings(max_examples=40, deadline=None)
def test_plant_that_is_mended_cools_again(whims: list[tuple[str, str, int]]) -> None:
    plant = SmallPlant(CHILLERS)
    controller = fresh()
    for what, machine, number in whims:
        do(plant, what, machine, number)
        for _ in range(number if what == "wait" else 1):
            plant.take(controller.step(plant.now, plant.inputs))
            plant.run(5)
    plant.broken.clear()
    plant.silent.clear()
    plant.holds.clear()
    for machine in MACHINES:
        if f"{machine}.alarm" in plant.values:
            plant.values[f"{machine}.alarm"] = False
    plant.values["plant.enable_command"] = True
    plant.load = 800.0
    # Longer than what failed is left out for.
    for _ in range(180):
        plant.take(controller.step(plant.now, plant.inputs))
        plant.run(30)
    assert plant.running("chiller_", "run_status") >= 1
