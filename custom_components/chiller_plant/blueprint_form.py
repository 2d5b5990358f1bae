"""What the form of an automation asks for, and whether an answer can be right.

Home Assistant's editor offers what fits, but keeps nobody from saving what does
not: forms are also written as YAML, copied from another plant, or left behind by
a machine that was replaced. So an answer is held against the blueprint that the
automation was made from. Its selectors are the rules: a new kind of control
brings its own, and needs none here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, nan
import re
from typing import Any

import voluptuous as vol

from homeassistant.components.automation import blueprint_in_automation
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.errors import BlueprintException
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import selector

_EMPTY: tuple[Any, ...] = ("", None, [], ())
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that cannot be right, in the words of the form."""

    field: str
    label: str
    value: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        """Return it as a sentence, without the remedy."""
        value = f" ({self.value})" if self.value else ""
        return f"{self.label}{value}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Field:
    """A question of a form."""

    key: str
    label: str
    kind: str
    """The type of its selector; empty if it has none."""
    selector: Mapping[str, Any] = field(default_factory=dict)
    has_default: bool = True

    @property
    def filters(self) -> list[Mapping[str, Any]]:
        """Return what devices or entities must be like: one of these."""
        found = self.selector.get("filter", [])
        return list(found) if isinstance(found, list) else [found]

    def shown(self, value: Any) -> str:
        """Return an answer as the form shows it."""
        if isinstance(value, list | tuple):
            return ", ".join(self.shown(item) for item in value)[:_SHOWN]
        for option in self.selector.get("options", ()):
            if isinstance(option, Mapping) and option.get("value") == value:
                return str(option["label"])
        unit = self.selector.get("unit_of_measurement")
        text = "" if value is None else str(value)
        return f"{text} {unit}"[:_SHOWN] if unit and text else text[:_SHOWN]

    def problem(self, value: Any, reason: str, remedy: str) -> Problem:
        """Say that an answer cannot be right."""
        return Problem(self.key, self.label, self.shown(value), reason, remedy)

    def check(self, value: Any) -> Problem | None:
        """Judge an answer that names no machine."""
        if value in _EMPTY:
            if self.has_default:
                return None
            return self.problem("", "nothing is chosen", "Choose what it asks for")
        match self.kind:
            case "number":
                return self._check_number(value)
            case "select":
                return self._check_choice(value)
            case "duration":
                return self._check_duration(value)
            case "boolean" if not isinstance(value, bool):
                # The selector itself would take anything for a yes.
                return self.problem(value, "it is neither on nor off", "Switch it anew")
            case "device" | "entity" | "":
                return None
        accept: Any = selector({self.kind: dict(self.selector)})
        try:
            accept(value)
        except vol.Invalid as error:
            return self.problem(
                value, f"it is not understood ({error})", "Enter it anew"
            )
        return None

    def _check_number(self, value: Any) -> Problem | None:
        low, high = self.selector.get("min"), self.selector.get("max")
        unit = self.selector.get("unit_of_measurement") or ""
        span = f"{low:g} to {high:g} {unit}".strip() if low is not None else ""
        remedy = f"Enter a number from {span}" if span else "Enter a number"
        try:
            number = nan if isinstance(value, bool) else float(value)
        except TypeError, ValueError, OverflowError:
            number = nan
        if not isfinite(number):
            return self.problem(value, "it is not a number", remedy)
        if low is not None and not number >= low:
            return self.problem(value, f"at least {low:g} {unit}".strip(), remedy)
        if high is not None and not number <= high:
            return self.problem(value, f"at most {high:g} {unit}".strip(), remedy)
        return None

    def _check_choice(self, value: Any) -> Problem | None:
        # Not a set: what is written by hand may be of any type.
        options = [
            option["value"] if isinstance(option, Mapping) else option
            for option in self.selector.get("options", ())
        ]
        several = bool(self.selector.get("multiple"))
        if several and not isinstance(value, list | tuple):
            return self.problem(
                value, "one is chosen where several can be", "Make it a list"
            )
        for item in value if several else [value]:
            if item not in options:
                return self.problem(
                    item, "the form does not offer it", "Choose what the form offers"
                )
        return None

    def _check_duration(self, value: Any) -> Problem | None:
        try:
            cv.positive_time_period_dict(value)
        except vol.Invalid, OverflowError:
            return self.problem(
                value, "it is not a duration", "Enter hours, minutes and seconds"
            )
        return None


@dataclass(frozen=True, slots=True)
class Form:
    """The questions of the blueprint that an automation was made from."""

    fields: Mapping[str, Field] = field(default_factory=dict)

    def field(self, key: str) -> Field:
        """Return a question; one that no form asks is called by its key."""
        return self.fields.get(key) or Field(key, _spelled(key), "")

    def in_its_words(self, text: str, keys: tuple[str, ...]) -> str:
        """Return a text with the labels of these fields instead of their keys."""
        for key in keys:
            if key in self.fields:
                label = f'"{self.fields[key].label}"'
                parts = re.split(rf"\b{re.escape(key)}\b", text, maxsplit=1)
                text = label.join(parts)
        return text


async def async_form_of(hass: HomeAssistant, automation: str) -> Form:
    """Return the form of an automation (entity id), empty if it was made by hand."""
    path = blueprint_in_automation(hass, automation)
    return Form() if path is None else await async_form_of_blueprint(hass, path)


async def async_form_of_blueprint(hass: HomeAssistant, path: str) -> Form:
    """Return the form of a blueprint, empty if there is none of this path."""
    try:
        blueprint = await async_get_blueprints(hass).async_get_blueprint(path)
    except BlueprintException:
        return Form()
    return Form({key: _field(key, item) for key, item in blueprint.inputs.items()})


def _field(key: str, item: Mapping[str, Any] | None) -> Field:
    found = item or {}
    kind, config = next(iter((found.get("selector") or {}).items()), ("", {}))
    return Field(
        key,
        found.get("name") or _spelled(key),
        kind,
        config or {},
        has_default="default" in found,
    )


def _spelled(key: str) -> str:
    return key.replace("_", " ").capitalize()
