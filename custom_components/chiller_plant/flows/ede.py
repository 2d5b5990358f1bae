"""Imports a point list (EDE): what is in it, and where its devices are.

The format has no addresses, so a person writes them, or the devices are asked
for by their instance numbers.
"""

from dataclasses import replace
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    FileSelector,
    FileSelectorConfig,
    TextSelector,
    TextSelectorConfig,
)

from ..drivers.bacnet_discovery import discover
from ..plant.commissioning.ede import EdeResult, read_ede
from ..plant.commissioning.found import FoundDevice
from .discovery import (
    CONF_ADDRESSES,
    LISTEN,
    DiscoveryFlow,
    are_addresses,
    is_address,
    stripped,
)
from .files import take_files
from .lists import NOTHING, bullets, some
from .network import async_network_fields, open_network, settings_of
from .plant_file import Refused

CONF_UPLOAD = "point_list"
CONF_FIND = "find"
CONF_PLACES = "places"


class EdeFlow(DiscoveryFlow):
    """From an EDE file to objects that can be mapped."""

    _list: EdeResult

    async def async_step_ede(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the file."""
        errors: dict[str, str] = {}
        problems = ""
        if user_input is not None:
            try:
                files = await self.hass.async_add_executor_job(
                    take_files, self.hass, user_input[CONF_UPLOAD]
                )
                self._list = await self.hass.async_add_executor_job(read_ede, files)
            except (OSError, ValueError) as error:
                errors["base"], problems = "cannot_read_file", str(error)
            else:
                if self._list.object_count:
                    return await self.async_step_point_list()
                errors["base"], problems = "no_point_list", self._skipped()
        return self.async_show_form(
            step_id="ede",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_UPLOAD): FileSelector(
                        FileSelectorConfig(accept=".csv,.txt,.zip")
                    )
                }
            ),
            errors=errors,
            description_placeholders={"problems": problems},
        )

    async def async_step_point_list(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what is in the file and what was skipped; ask where we are."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._answers, self._refused = user_input, None
            settings = settings_of(user_input, errors)
            asked = stripped(user_input.get(CONF_ADDRESSES, ()))
            if not are_addresses(asked):
                errors[CONF_ADDRESSES] = "bad_address"
            if settings is not None and not errors:
                self._settings, self._asked = settings, asked
                if user_input[CONF_FIND]:
                    return await self.async_step_finding()
                return await self.async_step_places()
        refused = self._refusal(errors)
        schema = vol.Schema(
            {
                **await async_network_fields(self.hass),
                vol.Required(CONF_FIND, default=True): BooleanSelector(),
                vol.Optional(CONF_ADDRESSES): TextSelector(
                    TextSelectorConfig(multiple=True)
                ),
            }
        )
        return self.async_show_form(
            step_id="point_list",
            data_schema=self.add_suggested_values_to_schema(schema, self._answers),
            errors=errors,
            description_placeholders={
                "devices": bullets(
                    f"{device.name} (instance {device.instance}): "
                    f"{len(device.objects)} objects"
                    for device in self._list.devices
                ),
                "skipped_count": str(len(self._list.skipped)),
                "skipped": self._skipped() or NOTHING,
                "problems": refused.problems,
            },
        )

    def _skipped(self) -> str:
        """Return what was not taken from the file, and why."""
        return some(
            [
                *self._list.notes,
                *(
                    f"{item.file}, line {item.line}: {item.reason}"
                    for item in self._list.skipped
                ),
            ]
        )

    async def async_step_finding(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Listen for the devices of the list."""
        return self._show_progress("finding", self._async_find, "point_list", "places")

    async def _async_find(self) -> None:
        instances = [device.instance for device in self._list.devices]
        async with open_network(self.hass, self._settings) as network:
            self._heard = tuple(
                await discover(
                    network,
                    min(instances),
                    max(instances),
                    addresses=self._asked,
                    seconds=LISTEN,
                    progress=self._show_share,
                )
            )

    async def async_step_places(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where each device is, beginning with what was heard."""
        errors: dict[str, str] = {}
        problems = ""
        if user_input is not None:
            text = user_input[CONF_PLACES]
            try:
                self._devices, self._notes = self._placed(text)
            except Refused as refused:
                errors[CONF_PLACES], problems = refused.error, refused.problems
            else:
                return await self._async_propose()
        else:
            text = "\n".join(
                f"{device.instance} = {self._heard_at(device)}"
                for device in self._list.devices
            )
        missing = [
            device for device in self._list.devices if not self._heard_at(device)
        ]
        return self.async_show_form(
            step_id="places",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_PLACES, default=text): TextSelector(
                        TextSelectorConfig(multiline=True)
                    )
                }
            ),
            errors=errors,
            description_placeholders={
                "missing": bullets(
                    f"{device.name} (instance {device.instance})" for device in missing
                )
                or NOTHING,
                "problems": problems,
            },
        )

    def _heard_at(self, device: FoundDevice) -> str:
        """Return where a device was heard; empty where nowhere or twice."""
        places = [
            item.address for item in self._heard if item.instance == device.instance
        ]
        return places[0] if len(places) == 1 else ""

    def _placed(self, text: str) -> tuple[tuple[FoundDevice, ...], tuple[str, ...]]:
        """Return the devices with their addresses, and a note for each without."""
        places: dict[str, str] = {}
        for line in stripped(text.splitlines()):
            instance, address = (part.strip() for part in f"{line}=".split("=")[:2])
            if address and not is_address(address):
                raise Refused("bad_place", line)
            places[instance] = address
        known = {str(device.instance) for device in self._list.devices}
        if unknown := places.keys() - known:
            raise Refused("bad_place", ", ".join(sorted(unknown)))
        devices, notes = [], list(self._list.notes)
        for device in self._list.devices:
            if place := places.get(str(device.instance)):
                devices.append(replace(device, address=place))
            else:
                notes.append(f"{device.name} is left out: it has no address")
        if not devices:
            raise Refused("no_place")
        return tuple(devices), tuple(notes)
