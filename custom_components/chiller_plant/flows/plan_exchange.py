"""The options' way to see, copy and change all that was decided, as one text."""

from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    FileSelector,
    FileSelectorConfig,
    TextSelector,
    TextSelectorConfig,
)

from ..automation_config import CannotAdd
from ..data import ChillerPlantConfigEntry
from ..lookup import loaded_entry
from ..plan_exchange import Taken, async_export, async_import
from ..plant.plant_file import PlantFileError
from .files import take_upload
from .plant_file import Refused

CONF_PLAN = "plan"
CONF_UPLOAD = "plan_file"
CONF_CREATE = "create_automations"
CONF_UPDATE = "update_automations"
_FILE = "plan.yaml"
_SHOWN = 30


class PlanExchangeFlow(OptionsFlow):
    """Shows the plan; what comes back changed, or as a file, is taken."""

    _shown_plan: str

    async def async_step_plan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the plan, to be copied or changed."""
        entry = loaded_entry(self.hass, self.config_entry.entry_id)
        if entry is None:
            return self.async_abort(reason="plant_not_loaded")
        errors: dict[str, str] = {}
        problems = ""
        text = await async_export(self.hass, entry)
        if user_input is None:
            self._shown_plan = text
        else:
            changed = user_input[CONF_PLAN]
            upload = user_input.get(CONF_UPLOAD)
            if upload is None and changed.strip() == self._shown_plan.strip():
                return self.async_abort(reason="unchanged")
            now, text = text, changed
            try:
                if upload is None:
                    self._refuse_if_another(now)
                taken = await self._async_take(
                    entry,
                    changed,
                    upload,
                    create=user_input[CONF_CREATE],
                    update=user_input[CONF_UPDATE],
                )
            except Refused as refused:
                errors["base"], problems = refused.error, refused.problems
            else:
                return self.async_abort(
                    reason="plan_taken", description_placeholders=_told(taken)
                )
        return self.async_show_form(
            step_id="plan",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_PLAN, default=text): TextSelector(
                        TextSelectorConfig(multiline=True)
                    ),
                    vol.Optional(CONF_UPLOAD): FileSelector(
                        FileSelectorConfig(accept=".yaml,.yml")
                    ),
                    vol.Required(CONF_CREATE, default=False): BooleanSelector(),
                    vol.Required(CONF_UPDATE, default=False): BooleanSelector(),
                }
            ),
            errors=errors,
            description_placeholders={"plant": entry.title, "problems": problems},
        )

    def _refuse_if_another(self, now: str) -> None:
        """Refuse once what would undo a decision made since the plan was shown."""
        if now != self._shown_plan:
            self._shown_plan = now
            raise Refused("plan_changed_meanwhile")

    async def _async_take(
        self,
        entry: ChillerPlantConfigEntry,
        text: str,
        upload: str | None,
        *,
        create: bool,
        update: bool,
    ) -> Taken:
        name = _FILE
        try:
            if upload is not None:
                text, name = await self.hass.async_add_executor_job(
                    take_upload, self.hass, upload
                )
            return await async_import(
                self.hass, entry, text, name, create=create, update=update
            )
        except PlantFileError as error:
            problems = "\n".join(f"- `{problem}`" for problem in error.problems)
            raise Refused("plan_refused", problems) from error
        except CannotAdd as error:
            raise Refused("automations_not_made", str(error)) from error
        except (OSError, ValueError) as error:
            raise Refused("cannot_read_file", str(error)) from error


def _told(taken: Taken) -> dict[str, str]:
    lines = [f"- `{line}`" for line in taken.changed[:_SHOWN]]
    if (more := len(taken.changed) - _SHOWN) > 0:
        lines.append(f"- … {more} more")
    return {
        "changed": "\n".join(lines) or "-",
        "created": ", ".join(taken.created) or "-",
        "updated": ", ".join(taken.updated) or "-",
        "different": ", ".join(taken.different) or "-",
        "left_out": ", ".join(taken.left_out) or "-",
    }
