"""Repairs automations that are in no profile: asks for the profiles to put them in.

A plant begins with many of them. So the form goes on with the next one, and
offers for each what it most likely is: the profiles chosen before, and the
priority that its kind of control has in a whole plant.
"""

from typing import Any

import voluptuous as vol

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
)

from .lookup import loaded_entry
from .plant.profiles import (
    CUSTOM_SCHEDULE,
    CUSTOM_SCHEDULE_PRIORITY,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
)

_USUAL_PRIORITY = {
    "chiller_plant_schedule": 1,
    "chiller_sequence": 1,
    "chiller_add_subtract": 1,
    "dynamic_setpoint": 2,
    "pid_control": 2,
    "schp_control": 2,
    "smart_ct": 3,
}
"""What docs/control-types.md says of a whole plant, and why."""
_DEFAULT_PRIORITY = 5


class AssignProfileFlow(RepairsFlow):
    """Puts automations into profiles, one after the other."""

    def __init__(self, entry_id: str, automation_id: str) -> None:
        """For an automation of a plant."""
        self._entry_id = entry_id
        self._automation_id = automation_id
        self._chosen: list[str] = []

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Go straight to the form."""
        return await self.async_step_assign()

    async def async_step_assign(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for profiles and the priority in them."""
        entry = loaded_entry(self.hass, self._entry_id)
        if entry is None:
            return self.async_abort(reason="plant_not_loaded")
        room = entry.runtime_data.plan
        item = room.store.decisions.registrations.get(self._automation_id)
        if item is None:
            return self.async_abort(reason="automation_gone")
        if user_input is not None:
            priority = int(user_input.get("priority", CUSTOM_SCHEDULE_PRIORITY))
            self._chosen = user_input["profiles"]
            await room.async_assign(item.id, self._chosen, priority)
            if not (waiting := room.unassigned()):
                return self.async_create_entry(data={})
            item = waiting[0]
            self._automation_id = item.id
        usual = _USUAL_PRIORITY.get(item.control_type, _DEFAULT_PRIORITY)
        ranked = {
            vol.Required("priority", default=usual): NumberSelector(
                NumberSelectorConfig(
                    min=LOWEST_PRIORITY,
                    max=HIGHEST_PRIORITY,
                    mode=NumberSelectorMode.SLIDER,
                )
            )
        }
        return self.async_show_form(
            step_id="assign",
            data_schema=vol.Schema(
                {
                    vol.Required("profiles", default=self._chosen): vol.All(
                        SelectSelector(
                            SelectSelectorConfig(
                                options=list(room.profiles), multiple=True
                            )
                        ),
                        vol.Length(min=1),
                    ),
                    # A custom schedule wins over all others: there is no rank to ask.
                    **({} if item.control_type == CUSTOM_SCHEDULE else ranked),
                }
            ),
            description_placeholders={
                "automation": item.name,
                "plant": room.plant.name,
                "others": str(sum(other is not item for other in room.unassigned())),
            },
        )
