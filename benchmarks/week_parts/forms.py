"""What an automation tells the integration, worked out from its blueprint.

The forms of a site are Home Assistant automations. Here the blueprint's own
inputs, defaults and templates are put together as Home Assistant would, so
that the week is run by the very files that an integrator imports.
"""

from ast import literal_eval
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from homeassistant.helpers.template import TemplateEnvironment
from homeassistant.util import slugify
from scripts.demonstration.filled_forms import Input, inputs_of, load_blueprint

REPOSITORY = Path(__file__).parents[2]
BLUEPRINTS = REPOSITORY / "blueprints" / "automation"
_DURATION = {"days", "hours", "minutes", "seconds", "milliseconds"}


@dataclass(frozen=True, slots=True)
class Form:
    """An automation as it registers: names are those of the plant file."""

    id: str
    entity_id: str
    name: str
    control_type: str
    metadata: Mapping[str, Any]
    config: Mapping[str, Any]


def forms_of(site: Path) -> tuple[Form, ...]:
    """Return the automations of a site's folder.

    Raise `ValueError` for an input that the form does not have, or that lacks.
    """
    automations = yaml.safe_load((site / "automations.yaml").read_text("utf-8"))
    return tuple(_form(item) for item in automations)


def _form(automation: Mapping[str, Any]) -> Form:
    name = automation["alias"]
    form = automation["use_blueprint"]
    blueprint = load_blueprint(BLUEPRINTS / form["path"])
    values = {
        key: item.get("default", _REQUIRED)
        for key, item in inputs_of(blueprint).items()
    }
    given = form["input"]
    if unknown := given.keys() - values.keys():
        raise ValueError(f"{name}: the form has no {', '.join(sorted(unknown))}")
    values |= given
    if missing := [key for key, value in values.items() if value is _REQUIRED]:
        raise ValueError(f"{name}: {', '.join(missing)} is not filled in")
    variables = _filled(blueprint.get("variables", {}), values, {})
    (action,) = blueprint["actions"]
    data = _filled(action["data"], values, variables | {"this": _This(automation)})
    return Form(
        id=automation["id"],
        entity_id=data["automation"],
        name=name,
        control_type=data["control_type"],
        metadata=data["metadata"],
        config={key: _seconds(value) for key, value in data["config"].items()},
    )


_REQUIRED = object()


class _This:
    """The automation's own state, of which blueprints want the entity id."""

    def __init__(self, automation: Mapping[str, Any]) -> None:
        self.entity_id = f"automation.{slugify(automation['alias'])}"


def _filled(value: Any, inputs: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    if isinstance(value, Input):
        return inputs[value]
    if isinstance(value, dict):
        return {key: _filled(item, inputs, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, inputs, variables) for item in value]
    if isinstance(value, str) and "{{" in value:
        text = TemplateEnvironment(None).from_string(value).render(**variables)
        with suppress(ValueError, SyntaxError):
            # As Home Assistant takes what a template gives.
            return literal_eval(text)
        return text
    return value


def _seconds(value: Any) -> Any:
    """Turn a duration into seconds, as the integration does."""
    if isinstance(value, dict) and value.keys() <= _DURATION:
        return timedelta(**value).total_seconds()
    return value
