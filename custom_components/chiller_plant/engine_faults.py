"""Tells people which automation the control engine fails to carry out, and why.

A controller that fails is tried again every cycle, so only a failure that lasts
is worth an issue.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import DOMAIN

FAULT = "fault"
"""The state that the engine reports of an automation that it fails to run."""
LASTING = 30
"""Seconds of failing before that is an issue."""
_LONGEST = 500


class EngineFaults:
    """The automations of one plant that the engine has trouble with."""

    def __init__(self, hass: HomeAssistant, entry_id: str, plant_name: str) -> None:
        """Begin without any."""
        self._hass = hass
        self._entry_id = entry_id
        self._plant_name = plant_name
        self._failing: dict[str, datetime] = {}
        """Since when each automation fails."""
        self._told: set[str] = set()

    @callback
    def reported(
        self, automation_id: str, name: str, state: str, attributes: dict[str, Any]
    ) -> None:
        """Hear what the engine says of an automation."""
        if state != FAULT:
            self._over(automation_id)
            return
        now = dt_util.utcnow()
        since = self._failing.setdefault(automation_id, now)
        if (now - since).total_seconds() < LASTING:
            return
        self._told.add(automation_id)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue(automation_id),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="engine_fault",
            translation_placeholders={
                "automation": name,
                "plant": self._plant_name,
                "error": str(attributes.get("message") or "-")[:_LONGEST],
            },
        )

    @callback
    def keep(self, planned: Collection[str]) -> None:
        """Forget those that are not to run any more."""
        for automation_id in self._failing.keys() - set(planned):
            self._over(automation_id)

    @callback
    def _over(self, automation_id: str) -> None:
        self._failing.pop(automation_id, None)
        if automation_id in self._told:
            self._told.discard(automation_id)
            ir.async_delete_issue(self._hass, DOMAIN, self._issue(automation_id))

    def _issue(self, automation_id: str) -> str:
        return f"engine_fault_{self._entry_id}_{automation_id}"
