"""Tells people which form cannot be carried out, in the words of that form.

A form is judged twice: here, when the automation registers, by its own
blueprint and the plant; and by the control engine, whose controllers know which
numbers go together. Both are one issue, one state, and the same words.
"""

from collections.abc import Collection, Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .blueprint_form import Form, Problem
from .const import DOMAIN
from .profile_store import Registration

REFUSED = "refused"
"""The state of an automation that cannot be run as its form is filled in."""
IDLE = "idle"
"""What the engine says of one that could be run, but not today."""
_LONGEST = 500
_MOST = 10


class Refusals:
    """The automations of one plant that cannot be run."""

    def __init__(self, hass: HomeAssistant, entry_id: str, plant_name: str) -> None:
        """Begin without any."""
        self._hass = hass
        self._entry_id = entry_id
        self._plant_name = plant_name
        self._forms: dict[str, Form] = {}
        self._told: dict[str, tuple[Problem, ...]] = {}

    def of(self, automation_id: str) -> tuple[Problem, ...]:
        """Return what is wrong with an automation's form."""
        return self._told.get(automation_id, ())

    @callback
    def learn(self, automation_id: str, form: Form) -> None:
        """Keep the form of an automation, to speak of its fields by their labels."""
        self._forms[automation_id] = form

    @callback
    def by_engine(self, item: Registration, attributes: Mapping[str, Any]) -> None:
        """Hear that the engine refuses an automation, and which fields it is about."""
        form = self._forms.get(item.id, Form())
        named = attributes.get("fields")
        keys = tuple(str(key) for key in named) if isinstance(named, list) else ()
        text = form.in_its_words(str(attributes.get("message") or "-"), keys)[:_LONGEST]
        about = [form.field(key) for key in keys]
        values = {**item.metadata, **item.config}
        self.refuse(
            item.id,
            item.name,
            Problem(
                keys[0] if keys else "",
                " / ".join(field.label for field in about) or "Form",
                ", ".join(field.shown(values.get(field.key)) for field in about),
                text,
                "Change one of them" if len(about) > 1 else "Correct the form",
            ),
        )

    @callback
    def refuse(self, automation_id: str, name: str, *problems: Problem) -> None:
        """Say what is wrong with an automation's form."""
        if self._told.get(automation_id) == problems:
            return
        self._told[automation_id] = problems
        # An automation that has no id in its YAML cannot be opened by its id.
        page = "dashboard" if "." in automation_id else f"edit/{automation_id}"
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue(automation_id),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="automation_refused",
            translation_placeholders={
                "automation": name,
                "plant": self._plant_name,
                "problems": "\n".join(
                    f"- **{item.label}**{f' ({item.value})' if item.value else ''}: "
                    f"{item.reason}. {item.remedy}."
                    for item in problems[:_MOST]
                ),
                "edit": f"/config/automation/{page}",
            },
        )

    @callback
    def clear(self, automation_id: str) -> None:
        """Forget it: the form was corrected, or is not to be run."""
        if self._told.pop(automation_id, None) is not None:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue(automation_id))

    @callback
    def forget(self, automation_id: str) -> None:
        """Forget an automation altogether."""
        self.clear(automation_id)
        self._forms.pop(automation_id, None)

    @callback
    def keep(self, wanted: Collection[str]) -> None:
        """Forget those that nobody wants to run any more."""
        for automation_id in self._told.keys() - set(wanted):
            self.clear(automation_id)

    def _issue(self, automation_id: str) -> str:
        return f"automation_refused_{self._entry_id}_{automation_id}"
