"""Asks which plant to run, and sees that it answers before it is accepted.

What each way to a plant asks is in `flows`; here is where they begin.
"""

from pathlib import Path
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    TextSelector,
)

from .const import DOMAIN, SOURCE_FILE, SOURCE_SIMULATED
from .demand_response.settings import SUBENTRY_UTILITY
from .flows.ede import EdeFlow
from .flows.files import read_text, take_path, take_upload
from .flows.options import PlantOptionsFlow
from .flows.plant_file import Refused
from .flows.utility import UtilityFlow

CONF_PATH = "path"
CONF_UPLOAD = "plant_file"

EXAMPLE = Path(__file__).parent / "two_chillers.yaml"

_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_UPLOAD): FileSelector(
            FileSelectorConfig(accept=".yaml,.yml")
        ),
        vol.Optional(CONF_PATH): TextSelector(),
    }
)


class ChillerPlantConfigFlow(EdeFlow, domain=DOMAIN):
    """Import a plant file, make one of what is on a network, or try one."""

    VERSION = 1

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return what a person can do with a plant that is set up."""
        return PlantOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to a plant."""
        return {SUBENTRY_UTILITY: UtilityFlow}

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the person choose where the plant comes from."""
        return self.async_show_menu(
            step_id="user",
            menu_options=[SOURCE_SIMULATED, "discover", "ede", SOURCE_FILE],
        )

    async def async_step_simulated(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Run the example on simulated equipment."""
        text, name = await self.hass.async_add_executor_job(read_text, EXAMPLE)
        await self._async_load(SOURCE_SIMULATED, text, name)
        return await self._async_create()

    async def async_step_file(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Import a plant file."""
        return await self._async_step_import("file", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Import a changed file of the same plant."""
        return await self._async_step_import("reconfigure", user_input)

    async def _async_step_import(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        problems = ""
        if user_input is not None:
            try:
                text, name = await self._async_take_file(user_input)
                await self._async_load(SOURCE_FILE, text, name)
                return await self._async_try()
            except Refused as refused:
                errors["base"] = refused.error
                problems = refused.problems
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                _SCHEMA, {CONF_PATH: (user_input or {}).get(CONF_PATH)}
            ),
            errors=errors,
            description_placeholders={
                "problems": problems,
                "plant": (
                    self._get_reconfigure_entry().title
                    if self.source == SOURCE_RECONFIGURE
                    else ""
                ),
            },
        )

    async def _async_take_file(self, user_input: dict[str, Any]) -> tuple[str, str]:
        upload, path = user_input.get(CONF_UPLOAD), user_input.get(CONF_PATH)
        if bool(upload) == bool(path):
            raise Refused("one_file")
        try:
            if upload:
                return await self.hass.async_add_executor_job(
                    take_upload, self.hass, upload
                )
            return await self.hass.async_add_executor_job(
                take_path, self.hass, str(path)
            )
        except (OSError, ValueError) as error:
            raise Refused("cannot_read_file", str(error)) from error
