"""Takes a plant file: checks it, sees that its devices answer, makes it the plant.

Whatever a plant file comes from (an import, a discovery, an edit), it becomes a
plant in this one way.
"""

from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant

from ..const import CONF_PLANT_FILE, CONF_PLANT_FILE_NAME, CONF_SOURCE
from ..data import ChillerPlantConfigEntry
from ..issues import raise_left_behind
from ..links import async_try_links
from ..plant.model import BacnetConnection, Plant
from ..plant.plant_file import PlantFileError, parse_plant


class Refused(Exception):
    """A form cannot be accepted; the key of its error, and what to show."""

    def __init__(self, error: str, problems: str = "") -> None:
        """Keep both."""
        super().__init__(error)
        self.error = error
        self.problems = problems


async def async_parse(hass: HomeAssistant, text: str, name: str) -> Plant:
    """Return the plant of a file. Raise `Refused` with all of its problems."""
    try:
        return await hass.async_add_executor_job(parse_plant, text, name)
    except PlantFileError as error:
        problems = "\n".join(f"- `{problem}`" for problem in error.problems)
        raise Refused("invalid_plant_file", problems) from error


async def async_silent_devices(
    hass: HomeAssistant,
    plant: Plant,
    source: str,
    running: ChillerPlantConfigEntry | None,
) -> dict[str, str]:
    """Return the devices that do not answer, and why; refuse if none does.

    `running` is the plant that is to be changed.
    """
    paused = _conflicting(plant, running)
    if paused is not None:
        await hass.config_entries.async_unload(paused.entry_id)
    try:
        silent = await async_try_links(hass, plant, source)
    finally:
        # A form that waits for an answer must not leave the plant alone.
        if paused is not None:
            await hass.config_entries.async_setup(paused.entry_id)
    if silent and len(silent) == device_count(plant):
        raise Refused("cannot_connect", listed(silent))
    return silent


async def async_leave(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, changed: Plant
) -> None:
    """Give back what we command and the changed plant has no more."""
    if entry.state is ConfigEntryState.LOADED:
        data = entry.runtime_data
        left = await data.coordinator.commander.async_leave(changed)
        raise_left_behind(hass, entry.entry_id, data.plant, left)


def device_count(plant: Plant) -> int:
    """Return how many controllers and units a plant has."""
    return sum(len(connection.devices) for connection in plant.connections.values())


def listed(silent: dict[str, str]) -> str:
    """Return a list for people; most reasons name the device themselves."""
    return "\n".join(
        f"- {reason}" if device in reason else f"- **{device}**: {reason}"
        for device, reason in silent.items()
    )


class PlantFlow(ConfigFlow):
    """The end of every config flow: a plant file becomes a config entry."""

    _plant: Plant
    _data: dict[str, Any]
    _silent: dict[str, str]

    async def _async_load(self, source: str, text: str, name: str) -> None:
        """Take a plant file. Raise `Refused`, or abort where it cannot be."""
        self._plant = await async_parse(self.hass, text, name)
        self._data = {
            CONF_SOURCE: source,
            CONF_PLANT_FILE: text,
            CONF_PLANT_FILE_NAME: name,
        }
        await self.async_set_unique_id(self._plant.key)
        if self.source == SOURCE_RECONFIGURE:
            self._abort_if_unique_id_mismatch(
                reason="other_plant",
                description_placeholders={
                    "found": self._plant.key,
                    "expected": str(self._get_reconfigure_entry().unique_id),
                },
            )
        else:
            self._abort_if_unique_id_configured()

    async def _async_try(self) -> ConfigFlowResult:
        """Create the plant, or say first who is silent. Raise `Refused`."""
        running: ChillerPlantConfigEntry | None = None
        if self.source == SOURCE_RECONFIGURE:
            running = self._get_reconfigure_entry()
        self._silent = await async_silent_devices(
            self.hass, self._plant, self._data[CONF_SOURCE], running
        )
        if self._silent:
            return await self.async_step_silent()
        return await self._async_create()

    async def async_step_silent(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to go on although not every device answers."""
        if user_input is not None:
            return await self._async_create()
        return self.async_show_form(
            step_id="silent",
            description_placeholders={
                "answered": str(device_count(self._plant) - len(self._silent)),
                "silent": listed(self._silent),
            },
        )

    async def _async_create(self) -> ConfigFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            entry: ChillerPlantConfigEntry = self._get_reconfigure_entry()
            await async_leave(self.hass, entry, self._plant)
            return self.async_update_reload_and_abort(
                entry,
                title=self._plant.name,
                data=self._data,
            )
        return self.async_create_entry(title=self._plant.name, data=self._data)


def _conflicting(
    plant: Plant, entry: ChillerPlantConfigEntry | None
) -> ChillerPlantConfigEntry | None:
    """Return the running plant if it stands in the way of trying the new file.

    Both share one BACnet stack on a local port, unless the file changes what
    that stack calls itself.
    """
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        return None
    old = _stacks(entry.runtime_data.plant)
    new = _stacks(plant)
    if all(old[port] == new[port] for port in old.keys() & new.keys()):
        return None
    return entry


def _stacks(plant: Plant) -> dict[tuple[str, int], tuple[str, int, str | None]]:
    """Return what the BACnet stack on each local port has to be."""
    return {
        (item.local_address.partition("/")[0], item.local_port): (
            item.local_address,
            item.instance,
            item.bbmd,
        )
        for item in plant.connections.values()
        if isinstance(item, BacnetConnection)
    }
