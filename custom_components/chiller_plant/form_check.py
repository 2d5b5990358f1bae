"""Takes a filled-in form: machines by their keys, durations in seconds, or refusals.

People choose devices and entities; the plan names equipment and points. What
cannot be translated is told with the reason: gone, of another plant, of another
kind, disabled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)

from .blueprint_form import Field, Form, Problem
from .data import ChillerPlantConfigEntry
from .entity import TRADE_NAMES
from .lookup import (
    entity_of_point,
    equipment_of_device,
    platform_of_point,
    point_of_entity,
)
from .plant.model import Equipment, Plant, Point

_LONGEST = 4_000
"""Characters of one answer."""
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
_DURATION = {"days", "hours", "minutes", "seconds", "milliseconds"}


@dataclass(slots=True)
class Answers:
    """What the control engine gets of a form, and what is wrong with it."""

    metadata: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_answers(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    form: Form,
    metadata: Mapping[str, Any],
    config: Mapping[str, Any],
) -> Answers:
    """Judge a form by its own blueprint and by the plant that it is for."""
    answers = Answers()
    machines = _Machines(hass, entry)
    for key, value in metadata.items():
        question = form.field(key)
        if (problem := question.check(value)) is not None:
            answers.problems.append(problem)
            continue
        found: list[str] = []
        several = isinstance(value, list | tuple)
        for item in value if several else [value]:
            name = machines.name(question, item)
            if several and not name:
                name = question.problem("", "one of the answers is empty", "Remove it")
            if isinstance(name, str):
                found.append(name)
            else:
                answers.problems.append(name)
        answers.metadata[key] = found if several else "".join(found)
    for key, value in config.items():
        question = form.field(key)
        if (problem := question.check(value)) is not None:
            answers.problems.append(problem)
        elif len(str(value)) > _LONGEST:
            answers.problems.append(
                question.problem("", "it is too long to be right", "Enter less")
            )
        elif value in _NO_NUMBERS:
            answers.problems.append(
                question.problem(value, "it is not a number", "Enter a number")
            )
        elif isinstance(value, dict) and value.keys() <= _DURATION:
            answers.config[key] = cv.time_period_dict(value).total_seconds()
        else:
            answers.config[key] = value
    # What several fields hand on together is told by the fields themselves.
    told = {
        problem.value for problem in answers.problems if problem.field in form.fields
    }
    answers.problems = [
        problem
        for problem in answers.problems
        if problem.field in form.fields or problem.value not in told
    ]
    return answers


class _Machines:
    """The equipment and points of one plant, by what people choose."""

    def __init__(self, hass: HomeAssistant, entry: ChillerPlantConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self._plant: Plant = entry.runtime_data.plant

    def name(self, question: Field, value: Any) -> str | Problem:
        """Return the key of what was chosen, empty for nothing, or what is wrong."""
        chosen = str(value or "")
        if not chosen:
            return ""
        if (equipment := self._plant.equipment.get(chosen)) is not None:
            return self._equipment(question, equipment)
        if (point := self._plant.points.get(chosen)) is not None:
            return self._point(question, point)
        if (shown := point_of_entity(self._hass, chosen)) is not None:
            if shown[0] is self._entry:
                return self._point(question, shown[1])
            return self._of_another(question, self._called(chosen), shown[0])
        if (device := equipment_of_device(self._hass, chosen)) is not None:
            if device[0] is self._entry:
                return self._equipment(question, device[1])
            return self._of_another(question, device[1].name, device[0])
        return self._unknown(question, chosen)

    def _equipment(self, question: Field, equipment: Equipment) -> str | Problem:
        kind = TRADE_NAMES[equipment.type]
        wanted = [
            str(item["model_id"]) for item in question.filters if "model_id" in item
        ]
        if question.kind == "entity":
            return question.problem(
                equipment.name,
                "it is a machine, not one of its points",
                "Choose a point",
            )
        if wanted and kind not in wanted:
            return question.problem(
                equipment.name,
                f"it is of the kind {kind}, and {' or '.join(wanted)} is asked for",
                f"Choose only {' or '.join(wanted)}",
            )
        return equipment.key

    def _point(self, question: Field, point: Point) -> str | Problem:
        entity_id = entity_of_point(self._hass, self._plant, point)
        registered = (
            er.async_get(self._hass).async_get(entity_id) if entity_id else None
        )
        if registered is None or question.kind != "entity":
            return point.key
        called = self._called(registered.entity_id)
        if registered.disabled_by is not None:
            return question.problem(
                called, "its entity is disabled", "Enable the entity in its settings"
            )
        has = {
            "integration": registered.platform,
            "domain": platform_of_point(point),
            "device_class": registered.device_class or registered.original_device_class,
            "unit_of_measurement": registered.unit_of_measurement,
        }
        if question.filters and not any(_fits(item, has) for item in question.filters):
            return question.problem(
                called,
                "it is not of the kind that this field takes",
                "Choose one that the form offers",
            )
        return point.key

    def _of_another(
        self, question: Field, called: str, owner: ChillerPlantConfigEntry
    ) -> Problem:
        return question.problem(
            called,
            f"it belongs to {owner.runtime_data.plant.name}, not to {self._plant.name}",
            f"Choose what belongs to {self._plant.name}",
        )

    def _unknown(self, question: Field, chosen: str) -> Problem:
        registered = er.async_get(self._hass).async_get(chosen)
        device = dr.async_get(self._hass).async_get(chosen)
        if registered is None and device is None:
            reason = f"{self._plant.name} has nothing of this name (any more)"
        else:
            reason = f"it is neither equipment nor a point of {self._plant.name}"
        called = (device.name_by_user or device.name) if device else None
        return question.problem(
            called or self._called(chosen), reason, "Choose one that the form offers"
        )

    def _called(self, entity_id: str) -> str:
        state = self._hass.states.get(entity_id)
        return entity_id if state is None else state.name


def _fits(wanted: Mapping[str, Any], has: Mapping[str, Any]) -> bool:
    for key, value in has.items():
        if key in wanted:
            allowed = wanted[key] if isinstance(wanted[key], list) else [wanted[key]]
            if value not in allowed:
                return False
    return True
