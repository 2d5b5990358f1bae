"""A start and stop sequence that rests misses nothing."""

import random
from typing import Any

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.decision import Decision, Inputs
from factories import SmallPlant, first, plan_of, staging
import pytest


class Pair:
    """One plant; beside the staging that drives it, one that never rests."""

    def __init__(self, chillers: int = 2, load: float = 500.0) -> None:
        plan = plan_of(staging(chillers), chillers=chillers)
        self.plant = SmallPlant(chillers, load)
        self.controller = ChillerAddSubtract(plan, first(plan))
        self.awake = ChillerAddSubtract(plan, first(plan))
        self.awake._rest = self.awake._sequence  # type: ignore[assignment]
        self.asked = 0
        sequence = self.controller._sequence
        step = sequence.step

        def counted(now: float, inputs: Inputs, *wanted: Any) -> Any:
            self.asked += 1
            return step(now, inputs, *wanted)

        sequence.step = counted  # type: ignore[method-assign]

    def step(self) -> Decision:
        now, inputs = self.plant.now, self.plant.inputs
        decision, other = (
            item.step(now, inputs) for item in (self.controller, self.awake)
        )
        assert decision.commands == other.commands
        assert decision.events == other.events
        assert dict(decision.attributes) == dict(other.attributes)
        self.plant.take(decision)
        self.plant.run(5)
        return decision

    def go(self, seconds: float) -> Decision:
        """Let time pass."""
        steps = int(seconds / 5)
        assert steps > 0
        return [self.step() for _ in range(steps)][-1]


def _disturb(chance: random.Random, plant: SmallPlant) -> None:
    statuses = [key for key in plant.values if key.endswith(("_status", ".alarm"))]
    commands = [key for key in plant.values if key.endswith("run_command")]
    point = chance.choice(statuses)
    if chance.random() < 0.5:
        plant.values[point] = not plant.values[point]
    elif chance.random() < 0.5:
        plant.silent ^= {point}
    machine = chance.choice(commands)
    for table in (plant.taken, plant.holds):
        if chance.random() < 0.2 and table.pop(machine, None) is None:
            table[machine] = "Operator"
    if chance.random() < 0.2:
        plant.values["plant.enable_command"] = chance.random() < 0.8
    plant.load = chance.choice((0.0, 500.0, 1200.0, 2500.0))


@pytest.mark.parametrize("seed", range(6))
def test_rested_sequence_says_what_an_awake_one_says(seed: int) -> None:
    chance = random.Random(seed)
    pair = Pair(2 + seed % 2)
    pair.go(600)
    for _ in range(30):
        _disturb(chance, pair.plant)
        pair.go(chance.choice((5, 30, 120, 900)))
    assert pair.asked > 0


def test_sequence_rests_while_nothing_changes_and_wakes_at_once() -> None:
    pair = Pair()
    pair.go(3000)
    asked = pair.asked
    pair.go(600)
    assert pair.asked == asked, "nothing was to be said anew"

    pair.plant.values["chiller_1.run_status"] = False
    pair.step()
    assert pair.asked == asked + 1


def test_commands_of_a_resting_sequence_are_the_same_object() -> None:
    pair = Pair()
    pair.go(3000)
    assert pair.step().commands is pair.step().commands
