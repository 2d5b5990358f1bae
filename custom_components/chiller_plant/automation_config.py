"""Reads how automations are configured, and makes those that an import brings.

The form of an automation names devices and entities of this Home Assistant; in a
plan file they are equipment and points, so that it fits another one. New
automations are added to `automations.yaml`, the file of Home Assistant's own
editor, behind what is there; of one that is to be changed the form is put in the
place of its form. Nothing else in the file is touched, and it is all or nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import voluptuous as vol

from homeassistant.components.automation import (
    DATA_COMPONENT,
    DOMAIN as AUTOMATION_DOMAIN,
)
from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.config import AUTOMATION_CONFIG_PATH
from homeassistant.const import CONF_ALIAS, CONF_ID, SERVICE_RELOAD
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util.file import write_utf8_file_atomic
from homeassistant.util.yaml import dump, load_yaml

from .automation_text import with_forms
from .blueprint_form import Form, async_form_of_blueprint
from .data import ChillerPlantConfigEntry
from .lookup import (
    device_of_equipment,
    entity_of_point,
    equipment_of_device,
    point_of_entity,
)
from .plant.plan_file import AutomationRow
from .profile_store import Registration

_BLUEPRINT = "use_blueprint"
_PLANT = "config_entry"


class CannotAdd(Exception):
    """Automations cannot be made; nothing was changed."""


async def async_row(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, item: Registration
) -> AutomationRow:
    """Return an automation as a plan file says it."""
    made = _form_of(hass, item.entity_id)
    if made is None:
        return AutomationRow(item.id, item.name, item.control_type)
    path = str(made["path"])
    form = await async_form_of_blueprint(hass, path)
    inputs = {
        str(key): _portable(hass, entry, form.field(str(key)).kind, value)
        for key, value in made.get("input", {}).items()
        if form.field(str(key)).kind != _PLANT
    }
    return AutomationRow(item.id, item.name, item.control_type, path, inputs)


def _form_of(hass: HomeAssistant, entity_id: str) -> Mapping[str, Any] | None:
    """Return blueprint and inputs of an automation, None if it has no blueprint."""
    if DATA_COMPONENT not in hass.data:
        return None
    automation = hass.data[DATA_COMPONENT].get_entity(entity_id)
    # What Home Assistant shows of an automation has the blueprint filled in; only
    # this still has the form, wherever the automation was written down.
    filled_in = getattr(automation, "_blueprint_inputs", None)
    made = filled_in.get(_BLUEPRINT) if isinstance(filled_in, Mapping) else None
    return made if isinstance(made, Mapping) else None


def _portable(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, kind: str, value: Any
) -> Any:
    """Return an answer of a form with equipment and points by their keys."""
    if isinstance(value, Mapping):
        return {
            str(key): _portable(hass, entry, kind, each) for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_portable(hass, entry, kind, each) for each in value]
    if not isinstance(value, str):
        plain = value is None or isinstance(value, bool | int | float)
        return value if plain else str(value)
    if kind == "device":
        found = equipment_of_device(hass, value)
        if found is not None and found[0] is entry:
            return found[1].key
    elif kind == "entity":
        shown = point_of_entity(hass, value)
        if shown is not None and shown[0] is entry:
            return shown[1].key
    return str(value)


def _local(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, kind: str, value: Any
) -> Any:
    """Return an answer of a form as this Home Assistant names things."""
    plant = entry.runtime_data.plant
    if isinstance(value, Mapping):
        return {key: _local(hass, entry, kind, each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_local(hass, entry, kind, each) for each in value]
    if kind == "device" and value in plant.equipment:
        equipment = plant.equipment[value]
        return device_of_equipment(hass, entry.entry_id, plant, equipment) or value
    if kind == "entity" and value in plant.points:
        return entity_of_point(hass, plant, plant.points[value]) or value
    return value


async def async_config_of(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, row: AutomationRow
) -> dict[str, Any]:
    """Return the configuration of an automation that is to be made.

    Raises `CannotAdd` where Home Assistant would not take it.
    """
    if row.blueprint is None or ".." in row.blueprint or row.blueprint[:1] == "/":
        raise CannotAdd("it is not said which blueprint it is made from")
    form: Form = await async_form_of_blueprint(hass, row.blueprint)
    if not form.fields:
        raise CannotAdd(f"the blueprint {row.blueprint} is not installed")
    inputs = {
        **{
            key: entry.entry_id for key in form.fields if form.field(key).kind == _PLANT
        },
        **{
            key: _local(hass, entry, form.field(key).kind, value)
            for key, value in row.inputs.items()
        },
    }
    config = {
        CONF_ID: row.id,
        CONF_ALIAS: row.name,
        _BLUEPRINT: {"path": row.blueprint, "input": inputs},
    }
    try:
        await async_validate_config_item(hass, row.id, dict(config))
    except (HomeAssistantError, vol.Invalid, ValueError) as error:
        raise CannotAdd(" ".join(str(error).split())) from error
    return config


async def async_write(
    hass: HomeAssistant,
    made: Sequence[Mapping[str, Any]],
    changed: Mapping[str, Mapping[str, Any]],
) -> None:
    """Make automations, and give others (by id) another configuration.

    If one of them does not appear, nothing is done. Raises `CannotAdd`.
    """
    path = Path(hass.config.path(AUTOMATION_CONFIG_PATH))
    before = await hass.async_add_executor_job(_write, path, made, changed)
    await hass.services.async_call(AUTOMATION_DOMAIN, SERVICE_RELOAD, blocking=True)
    registry = er.async_get(hass)
    for config in (*made, *changed.values()):
        entity_id = registry.async_get_entity_id(
            AUTOMATION_DOMAIN, AUTOMATION_DOMAIN, config[CONF_ID]
        )
        form = None if entity_id is None else _form_of(hass, entity_id)
        if form is not None and form.get("input") == config[_BLUEPRINT]["input"]:
            continue
        await hass.async_add_executor_job(_put_back, path, before)
        await hass.services.async_call(AUTOMATION_DOMAIN, SERVICE_RELOAD, blocking=True)
        raise CannotAdd(
            f"{config[CONF_ALIAS]} did not appear after it was written to"
            f" {AUTOMATION_CONFIG_PATH}; configuration.yaml must have the line"
            f" 'automation: !include {AUTOMATION_CONFIG_PATH}'"
        )


def _write(
    path: Path,
    made: Sequence[Mapping[str, Any]],
    changed: Mapping[str, Mapping[str, Any]],
) -> str | None:
    """Write the file, and return what it was before; None if it was not there."""
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        known = (load_yaml(str(path)) or []) if before is not None else []
    except (HomeAssistantError, OSError, ValueError) as error:
        raise CannotAdd(f"{path.name} cannot be read: {error}") from error
    if not isinstance(known, list):
        raise CannotAdd(f"{path.name} holds no list of automations")
    there = {item.get(CONF_ID) for item in known if isinstance(item, Mapping)}
    for key, config in changed.items():
        if key not in there:
            raise CannotAdd(
                f"{config[CONF_ALIAS]} is not in {path.name}; change it where it is"
                " written"
            )
    wanted = [
        {**item, _BLUEPRINT: changed[item[CONF_ID]][_BLUEPRINT]}
        if isinstance(item, Mapping) and item.get(CONF_ID) in changed
        else item
        for item in known
    ]
    wanted += made
    # Written into what is there: comments and secrets of others stay.
    text = with_forms(before or "", {key: changed[key][_BLUEPRINT] for key in changed})
    text = f"{text.rstrip()}\n" if known else ""
    if made:
        text += dump(list(made))
    try:
        write_utf8_file_atomic(str(path), text)
        if load_yaml(str(path)) == wanted:
            return before
        _put_back(path, before)
    except (HomeAssistantError, OSError) as error:
        _put_back(path, before)
        raise CannotAdd(f"{path.name} cannot be written: {error}") from error
    raise CannotAdd(f"{path.name} is not written as a list that can be added to")


def _put_back(path: Path, before: str | None) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    else:
        write_utf8_file_atomic(str(path), before)
