"""The options' way to say which profile each type of day has, and what a holiday is."""

from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ..holidays import CALENDAR, WORKDAY
from ..lookup import loaded_entry
from ..plant.profiles import DAYS, HOLIDAY

CONF_HOLIDAYS = "holidays"


class DaysFlow(OptionsFlow):
    """Shows what is decided, and takes what is decided anew."""

    async def async_step_days(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the profile of each type of day, and who knows the holidays."""
        entry = loaded_entry(self.hass, self.config_entry.entry_id)
        if entry is None:
            return self.async_abort(reason="plant_not_loaded")
        days = entry.runtime_data.plan.days
        if user_input is not None:
            chosen = dict(user_input)
            source = chosen.pop(CONF_HOLIDAYS, None)
            await days.async_decide(chosen, source)
            return self.async_abort(reason="days_decided")
        profiles = SelectSelector(
            SelectSelectorConfig(
                options=list(entry.runtime_data.plan.profiles),
                mode=SelectSelectorMode.DROPDOWN,
            )
        )
        known = EntitySelector(
            EntitySelectorConfig(
                filter=[
                    {"domain": CALENDAR},
                    {"domain": "binary_sensor", "integration": WORKDAY},
                ]
            )
        )
        schema = vol.Schema(
            {
                **{
                    vol.Required(day, default=days.day_types[day]): profiles
                    for day in DAYS
                },
                vol.Optional(HOLIDAY): profiles,
                vol.Optional(CONF_HOLIDAYS): known,
            }
        )
        return self.async_show_form(
            step_id="days",
            data_schema=self.add_suggested_values_to_schema(
                schema,
                {
                    HOLIDAY: days.day_types.get(HOLIDAY),
                    CONF_HOLIDAYS: days.holidays.source,
                },
            ),
            description_placeholders={"plant": self.config_entry.title},
        )
