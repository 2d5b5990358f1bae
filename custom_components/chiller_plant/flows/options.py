"""What a person can do with a plant that is set up."""

from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig

from ..const import CONF_PLANT_FILE, CONF_PLANT_FILE_NAME, CONF_SOURCE
from ..plant.model import Plant
from .days import DaysFlow
from .demand_response import DemandResponseFlow
from .installing import InstallFlow
from .plan_exchange import PlanExchangeFlow
from .plant_file import (
    Refused,
    async_leave,
    async_parse,
    async_silent_devices,
    device_count,
    listed,
)
from .point_test import PointTestFlow

CONF_TEXT = "text"


class PlantOptionsFlow(
    DaysFlow, DemandResponseFlow, PlanExchangeFlow, InstallFlow, PointTestFlow
):
    """The menu of a plant."""

    _text: str
    _changed: Plant
    _silent: dict[str, str]

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the person choose what to do."""
        return self.async_show_menu(
            step_id="init",
            menu_options=[
                "days",
                "plan",
                "demand_response",
                "test_point",
                "plant_file",
                "install",
            ],
        )

    async def async_step_plant_file(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the plant file, to be copied or changed."""
        entry = self.config_entry
        errors: dict[str, str] = {}
        problems = ""
        text = entry.data[CONF_PLANT_FILE]
        if user_input is not None:
            if user_input[CONF_TEXT].strip() == text.strip():
                return self.async_abort(reason="unchanged")
            text = user_input[CONF_TEXT]
            try:
                return await self._async_try(text)
            except Refused as refused:
                errors["base"], problems = refused.error, refused.problems
        return self.async_show_form(
            step_id="plant_file",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_TEXT, default=text): TextSelector(
                        TextSelectorConfig(multiline=True)
                    )
                }
            ),
            errors=errors,
            description_placeholders={"plant": entry.title, "problems": problems},
        )

    async def _async_try(self, text: str) -> ConfigFlowResult:
        entry = self.config_entry
        plant = await async_parse(self.hass, text, entry.data[CONF_PLANT_FILE_NAME])
        if plant.key != entry.unique_id:
            raise Refused("other_plant", f"{plant.key}, {entry.unique_id}")
        self._text, self._changed = text, plant
        self._silent = await async_silent_devices(
            self.hass, plant, entry.data[CONF_SOURCE], entry
        )
        if self._silent:
            return await self.async_step_silent()
        return await self._async_change()

    async def async_step_silent(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to go on although not every device answers."""
        if user_input is not None:
            return await self._async_change()
        return self.async_show_form(
            step_id="silent",
            description_placeholders={
                "answered": str(device_count(self._changed) - len(self._silent)),
                "silent": listed(self._silent),
            },
        )

    async def _async_change(self) -> ConfigFlowResult:
        entry = self.config_entry
        await async_leave(self.hass, entry, self._changed)
        self.hass.config_entries.async_update_entry(
            entry,
            title=self._changed.name,
            data={**entry.data, CONF_PLANT_FILE: self._text},
        )
        self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_abort(reason="plant_changed")
