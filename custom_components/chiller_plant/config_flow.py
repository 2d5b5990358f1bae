"""Asks which plant to run, and sees that it answers before it is accepted."""

from pathlib import Path
from typing import Any, override

import voluptuous as vol

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    TextSelector,
)

from .const import (
    CONF_PLANT_FILE,
    CONF_PLANT_FILE_NAME,
    CONF_SOURCE,
    DOMAIN,
    SOURCE_FILE,
    SOURCE_SIMULATED,
)
from .data import ChillerPlantConfigEntry
from .issues import raise_left_behind
from .links import async_try_links
from .plant.model import BacnetConnection, Plant
from .plant.plant_file import PlantFileError, parse_plant

CONF_PATH = "path"
CONF_UPLOAD = "plant_file"

EXAMPLE = Path(__file__).parent / "two_chillers.yaml"
_MAXIMUM_SIZE = 2_000_000
"""Bytes; a plant file of a thousand points has a tenth of that."""

_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_UPLOAD): FileSelector(
            FileSelectorConfig(accept=".yaml,.yml")
        ),
        vol.Optional(CONF_PATH): TextSelector(),
    }
)


class _Refused(Exception):
    """The form cannot be accepted; the key of its error, and what to show."""

    def __init__(self, error: str, problems: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.problems = problems


class ChillerPlantConfigFlow(ConfigFlow, domain=DOMAIN):
    """Import a plant file, or try the simulated plant."""

    VERSION = 1

    _plant: Plant
    _data: dict[str, Any]
    _silent: dict[str, str]

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the person choose where the plant comes from."""
        return self.async_show_menu(
            step_id="user", menu_options=[SOURCE_SIMULATED, SOURCE_FILE]
        )

    async def async_step_simulated(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Run the example on simulated equipment."""
        text, name = await self.hass.async_add_executor_job(_read, EXAMPLE)
        await self._async_load(SOURCE_SIMULATED, text, name)
        await self.async_set_unique_id(self._plant.key)
        self._abort_if_unique_id_configured()
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
                self._silent = await self._async_silent_devices()
            except _Refused as refused:
                errors["base"] = refused.error
                problems = refused.problems
            else:
                if self._silent:
                    return await self.async_step_silent()
                return await self._async_create()
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

    async def async_step_silent(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to go on although not every device answers."""
        if user_input is not None:
            return await self._async_create()
        return self.async_show_form(
            step_id="silent",
            description_placeholders={
                "answered": str(_device_count(self._plant) - len(self._silent)),
                "silent": _listed(self._silent),
            },
        )

    async def _async_create(self) -> ConfigFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            entry: ChillerPlantConfigEntry = self._get_reconfigure_entry()
            if entry.state is ConfigEntryState.LOADED:
                data = entry.runtime_data
                left = await data.coordinator.commander.async_leave(self._plant)
                raise_left_behind(self.hass, entry.entry_id, data.plant, left)
            return self.async_update_reload_and_abort(
                entry,
                title=self._plant.name,
                data=self._data,
            )
        return self.async_create_entry(title=self._plant.name, data=self._data)

    async def _async_take_file(self, user_input: dict[str, Any]) -> tuple[str, str]:
        upload, path = user_input.get(CONF_UPLOAD), user_input.get(CONF_PATH)
        if bool(upload) == bool(path):
            raise _Refused("one_file")
        try:
            if upload:
                return await self.hass.async_add_executor_job(
                    _take_upload, self.hass, upload
                )
            return await self.hass.async_add_executor_job(
                _take_path, self.hass, str(path)
            )
        except (OSError, ValueError) as error:
            raise _Refused("cannot_read_file", str(error)) from error

    async def _async_load(self, source: str, text: str, name: str) -> None:
        try:
            self._plant = await self.hass.async_add_executor_job(
                parse_plant, text, name
            )
        except PlantFileError as error:
            problems = "\n".join(f"- `{problem}`" for problem in error.problems)
            raise _Refused("invalid_plant_file", problems) from error
        self._data = {
            CONF_SOURCE: source,
            CONF_PLANT_FILE: text,
            CONF_PLANT_FILE_NAME: name,
        }

    async def _async_silent_devices(self) -> dict[str, str]:
        """Return the devices that do not answer, and why; refuse if none does."""
        paused = self._conflicting()
        if paused is not None:
            await self.hass.config_entries.async_unload(paused.entry_id)
        try:
            silent = await async_try_links(
                self.hass, self._plant, self._data[CONF_SOURCE]
            )
        finally:
            # A form that waits for an answer must not leave the plant alone.
            if paused is not None:
                await self.hass.config_entries.async_setup(paused.entry_id)
        if len(silent) == _device_count(self._plant):
            raise _Refused("cannot_connect", _listed(silent))
        return silent

    def _conflicting(self) -> ChillerPlantConfigEntry | None:
        """Return the running plant if it stands in the way of trying the new file.

        Both share one BACnet stack on a local port, unless the file changes
        what that stack calls itself.
        """
        if self.source != SOURCE_RECONFIGURE:
            return None
        entry: ChillerPlantConfigEntry = self._get_reconfigure_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return None
        old = _stacks(entry.runtime_data.plant)
        new = _stacks(self._plant)
        if all(old[port] == new[port] for port in old.keys() & new.keys()):
            return None
        return entry


def _stacks(plant: Plant) -> dict[tuple[str, int], tuple[str, int]]:
    """Return what the BACnet stack on each local port has to be."""
    return {
        (item.local_address.partition("/")[0], item.local_port): (
            item.local_address,
            item.instance,
        )
        for item in plant.connections.values()
        if isinstance(item, BacnetConnection)
    }


def _device_count(plant: Plant) -> int:
    return sum(len(connection.devices) for connection in plant.connections.values())


def _listed(silent: dict[str, str]) -> str:
    """Return a list; most reasons name the device themselves."""
    return "\n".join(
        f"- {reason}" if device in reason else f"- **{device}**: {reason}"
        for device, reason in silent.items()
    )


def _take_upload(hass: HomeAssistant, upload: str) -> tuple[str, str]:
    with process_uploaded_file(hass, upload) as path:
        return _read(path)


def _take_path(hass: HomeAssistant, path: str) -> tuple[str, str]:
    configuration = Path(hass.config.config_dir).resolve()
    found = (configuration / path).resolve()
    if not found.is_relative_to(configuration) and not hass.config.is_allowed_path(
        str(found)
    ):
        raise ValueError(
            f"{found} is neither in {configuration} nor in allowlist_external_dirs"
        )
    return _read(found)


def _read(path: Path) -> tuple[str, str]:
    if path.stat().st_size > _MAXIMUM_SIZE:
        raise ValueError(f"{path.name} is larger than {_MAXIMUM_SIZE} bytes")
    return path.read_text(encoding="utf-8"), path.name
