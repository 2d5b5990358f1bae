"""The options' way to say which plants share what a utility asks for.

Also what all forms of demand response share: whom they ask, and where it is kept.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

from ..const import DOMAIN
from ..demand_response.portfolio import plants_of
from ..demand_response.room import DemandResponseRoom
from ..demand_response.settings import CONF_DEMAND_RESPONSE
from ..lookup import loaded_entry

_MOST_SITES = 50
_LONGEST_TOPIC = 100


class PortfolioFlow(OptionsFlow):
    """Shows who takes part in a portfolio, and takes it anew."""

    async def async_step_portfolio(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which plants share what the utility of this one asks for."""
        if (room := self._demand_response()) is None:
            return self.async_abort(reason="plant_not_loaded")
        errors: dict[str, str] = {}
        known = room.settings.portfolio
        shown: Mapping[str, Any] = {
            "plants": list(known.plants),
            "sites": list(known.sites),
            "site": known.site,
            "prefix": known.prefix,
        }
        if user_input is not None:
            shown = user_input
            prefix = user_input["prefix"].strip().strip("/")
            site = (user_input.get("site") or "").strip() or None
            sites = list(dict.fromkeys(name.strip() for name in user_input["sites"]))
            if not is_topic(prefix):
                errors["prefix"] = "not_a_topic"
            elif site is not None and not is_topic(site, level=True):
                errors["site"] = "not_a_site"
            elif not all(is_topic(name, level=True) for name in sites):
                errors["sites"] = "not_a_site"
            elif len(sites) > _MOST_SITES or site in sites:
                errors["sites"] = "sites_not_possible"
            else:
                return self._decide(
                    portfolio={
                        "plants": user_input.get("plants", []),
                        "sites": sites,
                        "site": site,
                        "prefix": prefix,
                    }
                )
        return self.async_show_form(
            step_id="portfolio",
            data_schema=self.add_suggested_values_to_schema(
                _portfolio(self._possible_plants(known.plants)), shown
            ),
            errors=errors,
        )

    def _possible_plants(self, chosen: Iterable[str]) -> list[SelectOptionDict]:
        """Return the other plants that are in no other portfolio.

        One that is already chosen stays in the list, or it could not be taken out.
        """
        own = self.config_entry.entry_id
        others = [
            entry
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            if entry.entry_id != own
        ]
        taken = {key for entry in others for key in plants_of(entry)}
        leading = {entry.entry_id for entry in others if plants_of(entry)}
        possible = [
            SelectOptionDict(value=entry.entry_id, label=entry.title)
            for entry in others
            if entry.entry_id in chosen
            or (own not in taken and entry.entry_id not in taken | leading)
        ]
        gone = set(chosen) - {entry.entry_id for entry in others}
        return possible + [
            SelectOptionDict(value=key, label=key) for key in sorted(gone)
        ]

    def _demand_response(self) -> DemandResponseRoom | None:
        entry = loaded_entry(self.hass, self.config_entry.entry_id)
        return None if entry is None else entry.runtime_data.demand_response

    def _known(self) -> Mapping[str, Any]:
        known: Mapping[str, Any] = self.config_entry.options.get(
            CONF_DEMAND_RESPONSE, {}
        )
        return known

    def _decide(self, **decided: Any) -> ConfigFlowResult:
        """Keep what was decided; the room hears of it and tells the engine."""
        self.hass.config_entries.async_update_entry(
            self.config_entry,
            options={
                **self.config_entry.options,
                CONF_DEMAND_RESPONSE: {**self._known(), **decided},
            },
        )
        return self.async_abort(reason="demand_response_decided")


def is_topic(text: str, *, level: bool = False) -> bool:
    """Return whether this can be part of a topic, or one level of it."""
    forbidden = "+#\0 /" if level else "+#\0 "
    return 0 < len(text) <= _LONGEST_TOPIC and not any(
        sign in text for sign in forbidden
    )


def _portfolio(possible: list[SelectOptionDict]) -> vol.Schema:
    plants: dict[vol.Marker, Any] = {
        vol.Optional("plants", default=list): SelectSelector(
            SelectSelectorConfig(
                options=possible, multiple=True, mode=SelectSelectorMode.LIST
            )
        )
    }
    return vol.Schema(
        {
            # A heading above nothing to choose from would only be asked about.
            **(plants if possible else {}),
            vol.Optional("sites", default=list): TextSelector(
                TextSelectorConfig(multiple=True)
            ),
            vol.Optional("site"): TextSelector(),
            vol.Required("prefix"): TextSelector(),
        }
    )
