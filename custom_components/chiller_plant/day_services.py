"""The actions that change today's profile for today only, and undo that."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util import dt as dt_util

from .blueprint_form import async_form_of
from .const import DOMAIN
from .data import ChillerPlantConfigEntry
from .day_room import Edit
from .form_check import read_answers
from .plan import PlanRoom
from .plan_services import MAXIMUM_CONFIGURATION, as_plain_data, at_most
from .plant.profiles import CUSTOM_SCHEDULE, CUSTOM_SCHEDULE_PRIORITY
from .profile_store import PRIORITY, Registration

SERVICE_EDIT_TODAY = "edit_today"
SERVICE_DISCARD_TODAY = "discard_today"

_PLANT = {vol.Required("plant"): cv.string}
_SCHEMAS = {
    SERVICE_EDIT_TODAY: vol.Schema(
        {
            **_PLANT,
            vol.Required("automations"): vol.All(
                [
                    {
                        vol.Required("automation"): cv.string,
                        vol.Optional("runs", default=True): cv.boolean,
                        vol.Optional("priority"): PRIORITY,
                        vol.Optional("config", default=dict): vol.All(
                            {cv.slug: object},
                            as_plain_data,
                            at_most(MAXIMUM_CONFIGURATION),
                        ),
                    }
                ],
                vol.Length(min=1, max=200),
            ),
        }
    ),
    SERVICE_DISCARD_TODAY: vol.Schema(_PLANT),
}


@callback
def async_setup_day_services(hass: HomeAssistant) -> None:
    """Register the actions; they are there before any plant is."""
    for name, handler in (
        (SERVICE_EDIT_TODAY, _async_edit_today),
        (SERVICE_DISCARD_TODAY, _async_discard_today),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            handler,
            schema=_SCHEMAS[name],
            supports_response=SupportsResponse.OPTIONAL,
        )


async def _async_edit_today(call: ServiceCall) -> ServiceResponse:
    """Change members, priorities and settings for today; all of it, or nothing."""
    entry: ChillerPlantConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data["plant"]
    )
    room = entry.runtime_data.plan
    edits = []
    for row in call.data["automations"]:
        item = _registered(room, row["automation"])
        if not row["runs"]:
            edits.append(Edit(item.id, out=True))
            continue
        priority = row.get("priority")
        if priority is None and item.id not in room.days.profile.automations:
            if item.control_type != CUSTOM_SCHEDULE:
                raise _refused(
                    "priority_missing",
                    automation=item.name,
                    profile=room.today.profile,
                )
            priority = CUSTOM_SCHEDULE_PRIORITY
        config = await _async_config(call.hass, entry, item, row["config"])
        edits.append(Edit(item.id, priority, config))
    await room.days.async_edit(edits)
    return _told(room)


async def _async_discard_today(call: ServiceCall) -> ServiceResponse:
    """Let today be again what it was."""
    entry: ChillerPlantConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data["plant"]
    )
    room = entry.runtime_data.plan
    if not await room.days.async_discard():
        raise _refused("nothing_edited", plant=room.plant.name)
    return _told(room)


def _told(room: PlanRoom) -> dict[str, Any]:
    return {
        "date": dt_util.now().date().isoformat(),
        "profile": room.today.profile,
        "source": room.today.kind,
        "differences": room.days.told_differences,
    }


def _registered(room: PlanRoom, named: str) -> Registration:
    for item in room.store.decisions.registrations.values():
        if named in (item.id, item.entity_id):
            return item
    raise _refused("automation_not_registered", automation=named, plant=room.plant.name)


async def _async_config(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    item: Registration,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what is to be set, judged as the automation's own form would."""
    for key in config:
        if key not in item.config:
            raise _refused(
                "unknown_setting",
                automation=item.name,
                setting=key,
                settings=", ".join(item.config) or "-",
            )
    form = await async_form_of(hass, item.entity_id)
    answers = read_answers(hass, entry, form, {}, config)
    problems = [str(problem) for problem in answers.problems]
    problems += [
        f"{form.field(key).label} ({form.field(key).shown(value)}): "
        f"on other days it is {form.field(key).shown(item.config[key])}"
        for key, value in answers.config.items()
        if not _alike(value, item.config[key])
    ]
    if problems:
        raise _refused(
            "form_refused",
            automation=item.name,
            plant=entry.runtime_data.plan.plant.name,
            problems="; ".join(problems),
        )
    return answers.config


def _alike(value: Any, usual: Any) -> bool:
    """Whether a value is of the kind that it is on other days."""
    if usual in (None, "") or value in (None, ""):
        return True
    numbers = (int, float)
    if isinstance(value, bool) or isinstance(usual, bool):
        return isinstance(value, bool) and isinstance(usual, bool)
    if isinstance(value, numbers) or isinstance(usual, numbers):
        return isinstance(value, numbers) and isinstance(usual, numbers)
    return isinstance(value, type(usual))


def _refused(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
