"""The automations of an example as an integrator's Home Assistant would hold them.

An example names machines and points as its plant file does; a form in Home
Assistant holds ids. And where the plant's time runs faster than ours, the times
that a form gives run faster with it, its defaults too.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from .compressed_time import LEAST_PROOF_SECONDS

_LEAST = {
    "proof_timeout": LEAST_PROOF_SECONDS,
    # Seen while the start command is there, which is until the proof is overdue.
    "failure_time": 0.8 * LEAST_PROOF_SECONDS,
    "optimise_interval": 60.0,
}
"""Seconds: of times in which something must be seen, which takes a few polls whatever
the speed, and of searches, which take the same time to work out."""


class Input(str):
    """The name of an input that a blueprint puts in place."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):
    """Knows `!input`."""


_Loader.add_constructor("!input", lambda _, node: Input(node.value))


def load_blueprint(path: Path) -> dict[str, Any]:
    """Return a blueprint; what it takes from its form is an `Input`."""
    loaded: dict[str, Any] = yaml.load(path.read_text("utf-8"), _Loader)
    return loaded


def inputs_of(blueprint: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the inputs of a blueprint by name, sections opened."""

    def opened(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name, item in inputs.items():
            found |= opened(item["input"]) if "input" in item else {name: item}
        return found

    return opened(blueprint["blueprint"]["input"])


def filled_forms(
    example: Path,
    blueprints: Path,
    speed: float,
    identify: Callable[[str, str], str],
) -> dict[str, dict[str, Any]]:
    """Return the automations of an example by id, as the editor saves them.

    `identify` gives the id of what a selector (`config_entry`, `device`,
    `entity`) shows under a name of the plant file.
    """
    filled = {}
    for automation in yaml.safe_load((example / "automations.yaml").read_text("utf-8")):
        form = automation["use_blueprint"]
        inputs = inputs_of(load_blueprint(blueprints / form["path"]))
        values = _compressed(inputs, form["input"], speed)
        filled[automation["id"]] = {
            **{key: item for key, item in automation.items() if key != "id"},
            "use_blueprint": {
                "path": form["path"],
                "input": {
                    name: _identified(inputs[name], value, identify)
                    for name, value in values.items()
                },
            },
        }
    return filled


def _identified(
    item: Mapping[str, Any], value: Any, identify: Callable[[str, str], str]
) -> Any:
    (kind,) = item["selector"]
    if kind not in ("config_entry", "device", "entity"):
        return value
    if isinstance(value, list):
        return [identify(kind, name) for name in value]
    return identify(kind, value)


def _compressed(
    inputs: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], speed: float
) -> dict[str, Any]:
    """Return the inputs with all times of the form as they are at a speed."""
    values = dict(given)
    for name, item in inputs.items():
        value = given.get(name, item.get("default"))
        (kind,) = item["selector"]
        options = item["selector"][kind] or {}
        if kind == "duration":
            seconds = timedelta(**value).total_seconds() / speed
            values[name] = {"seconds": max(_LEAST.get(name, 1.0), round(seconds))}
        elif kind == "number" and (factor := _factor(options, speed)) != 1.0:
            values[name] = min(
                max(value * factor, options["min"] if value else 0.0), options["max"]
            )
    return values


def _factor(options: Mapping[str, Any], speed: float) -> float:
    """Return by what a number is multiplied where time runs faster."""
    unit = str(options.get("unit_of_measurement", ""))
    if unit in ("s", "h"):
        return 1.0 / speed
    return speed if unit.endswith("/min") else 1.0
