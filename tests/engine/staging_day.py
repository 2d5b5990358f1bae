"""A day of staging on a small plant that reacts, moved by the test."""

from collections.abc import Callable
import json
from typing import Any

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.decision import Decision, Event
from factories import SmallPlant, first, loop, plan_of, staging


class Day:
    """A staging automation and its plant, moved by the test."""

    def __init__(self, chillers: int = 2, load: float = 500, **config: Any) -> None:
        self.plan = plan_of(staging(chillers, **config), loop(), chillers=chillers)
        self.plant = SmallPlant(chillers, load)
        self.controller = ChillerAddSubtract(self.plan, first(self.plan))
        self.events: list[Event] = []
        self.decision = Decision((), "", {})

    def restart(self, silence: float = 0.0) -> None:
        """Begin anew with what was last reported, as it comes back as JSON."""
        data = staging(self.plant.chillers)
        data["config"] = dict(first(self.plan).config)
        attributes = json.loads(json.dumps(dict(self.decision.attributes)))
        data["reported"] = {"state": "", "attributes": attributes, "at": 0}
        plan = plan_of(data, loop(), chillers=self.plant.chillers)
        self.controller = ChillerAddSubtract(plan, first(plan))
        self.plant.now += silence

    def step(self) -> Decision:
        self.decision = self.controller.step(self.plant.now, self.plant.inputs)
        self.events += self.decision.events
        return self.decision

    def go(self, seconds: float, until: Callable[[], bool] | None = None) -> "Day":
        end = self.plant.now + seconds
        while self.plant.now < end:
            self.plant.take(self.step())
            if until is not None and until():
                return self
            self.plant.run(5)
        assert until is None, f"not within {seconds} s: {self.message}"
        return self

    @property
    def message(self) -> str:
        return str(self.decision.attributes["message"])

    @property
    def stage(self) -> object:
        return self.decision.attributes["stage"]

    def is_stage(self, stage: int) -> Callable[[], bool]:
        return lambda: (
            self.stage == stage
            and self.decision.state
            in (
                "running",
                "holding",
                "off",
            )
        )

    def first_on(self, point: str) -> float:
        return next(
            at for at, key, value in self.plant.log if (key, value) == (point, True)
        )

    def last_off(self, point: str) -> float:
        return [
            at for at, key, value in self.plant.log if (key, value) == (point, False)
        ][-1]

    def why(self, point: str) -> str:
        return next(
            item.reason for item in self.decision.commands if item.point == point
        )

    def happened(self, event: str) -> list[str]:
        return [item.reason for item in self.events if item.event == event]


def started(chillers: int = 2, load: float = 500, **config: Any) -> Day:
    """Return a plant in its first stage."""
    day = Day(chillers, load, **config)
    return day.go(600, day.is_stage(1))


def in_stage_two(**config: Any) -> Day:
    """Return a plant that was staged up by its load."""
    day = started(load=1350, **config)
    return day.go(4000, day.is_stage(2))
