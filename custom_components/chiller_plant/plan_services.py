"""The actions by which automations and the control engine meet the plan."""

from collections.abc import Callable
import json
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

from .action_table import async_register
from .actions import async_report_action
from .automations import automation_id
from .blueprint_form import async_form_of
from .const import DOMAIN
from .data import ChillerPlantConfigEntry
from .form_check import read_answers
from .plan import BY_CALENDAR, PlanRoom
from .profile_store import PRIORITY, Registration

SERVICE_APPLY_AUTOMATION = "apply_automation"
SERVICE_REPORT_STATE = "report_state"
SERVICE_GET_PLAN = "get_plan"
SERVICE_SAVE_PROFILE = "save_profile"
SERVICE_DELETE_PROFILE = "delete_profile"

MAXIMUM_PROFILES = 50
MAXIMUM_EVENTS = 20
# Home Assistant's recorder keeps attributes of up to 16 kB.
MAXIMUM_ATTRIBUTES = 12_000
MAXIMUM_CONFIGURATION = 16_000
# Beyond what any form holds; an answer that is too long is told with its field.
MAXIMUM_FORM = 200_000


def at_most(size: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what refuses data that is longer than this as text."""

    def validate(value: dict[str, Any]) -> dict[str, Any]:
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise vol.Invalid(f"not plain data: {error}") from error
        if len(text) > size:
            raise vol.Invalid(f"{len(text)} characters of data; allowed are {size}")
        return value

    return validate


def as_plain_data(value: dict[str, Any]) -> dict[str, Any]:
    """Write out the dates that YAML makes of what a form has as a text.

    What is no number is left for `read_answers` to refuse, which names the field:
    what is refused here is in a log that nobody reads.
    """
    plain: dict[str, Any] = json.loads(
        json.dumps(value, default=str), parse_constant=str
    )
    return plain


_PLANT = {vol.Required("plant"): cv.string}
_NAME = vol.All(cv.string, str.strip, vol.Length(min=1, max=100))
_SCHEMAS = {
    SERVICE_APPLY_AUTOMATION: vol.Schema(
        {
            **_PLANT,
            vol.Required("automation"): cv.entity_domain("automation"),
            vol.Required("control_type"): cv.slug,
            vol.Optional("metadata", default=dict): {cv.slug: object},
            vol.Optional("config", default=dict): vol.All(
                {cv.slug: object}, as_plain_data, at_most(MAXIMUM_FORM)
            ),
        }
    ),
    SERVICE_REPORT_STATE: vol.Schema(
        {
            **_PLANT,
            vol.Optional("automation"): cv.string,
            vol.Inclusive("state", "report"): vol.All(cv.string, vol.Length(max=255)),
            vol.Optional("attributes", default=dict): vol.All(
                {cv.string: object}, at_most(MAXIMUM_ATTRIBUTES)
            ),
            # Text, because AppDaemon drops every null on its way to us.
            vol.Optional("planned"): vol.All(cv.string, vol.Length(max=40_000)),
            vol.Optional("events", default=list): vol.All(
                [
                    vol.All(
                        vol.Schema(
                            {
                                vol.Required("event"): cv.slug,
                                vol.Required("reason"): vol.All(
                                    cv.string, vol.Length(max=500)
                                ),
                                vol.Optional("at"): vol.Any(None, vol.Coerce(float)),
                            },
                            extra=vol.ALLOW_EXTRA,
                        ),
                        at_most(4_000),
                    )
                ],
                vol.Length(max=MAXIMUM_EVENTS),
            ),
        }
    ),
    # The engine asks before it knows anything, also which plants there are.
    SERVICE_GET_PLAN: vol.Schema(
        {
            vol.Optional("plant"): cv.string,
            vol.Optional("engine_version"): vol.All(cv.string, vol.Length(max=40)),
            vol.Optional("revision"): vol.All(cv.string, vol.Length(max=40)),
        }
    ),
    SERVICE_SAVE_PROFILE: vol.Schema(
        {
            **_PLANT,
            vol.Required("name"): _NAME,
            vol.Optional("automations"): [
                {
                    vol.Required("automation"): cv.string,
                    vol.Required("priority"): PRIORITY,
                }
            ],
        }
    ),
    SERVICE_DELETE_PROFILE: vol.Schema({**_PLANT, vol.Required("name"): _NAME}),
}


@callback
def async_setup_plan_services(hass: HomeAssistant) -> None:
    """Register the actions; they are there before any plant is."""
    async_register(
        hass,
        _SCHEMAS,
        (SERVICE_APPLY_AUTOMATION, _async_apply, SupportsResponse.OPTIONAL),
        (SERVICE_REPORT_STATE, _async_report, SupportsResponse.OPTIONAL),
        (SERVICE_GET_PLAN, _async_get_plan, SupportsResponse.ONLY),
        (SERVICE_SAVE_PROFILE, _async_save_profile, SupportsResponse.OPTIONAL),
        (SERVICE_DELETE_PROFILE, _async_delete_profile, SupportsResponse.NONE),
    )


def _entry(call: ServiceCall) -> ChillerPlantConfigEntry:
    return service.async_get_config_entry(call.hass, DOMAIN, call.data.get("plant"))


def _room(call: ServiceCall) -> PlanRoom:
    return _entry(call).runtime_data.plan


def _refused(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


async def _async_get_plan(call: ServiceCall) -> ServiceResponse:
    """Tell the engine what runs today and where everything is."""
    room = _room(call)
    if (version := call.data.get("engine_version")) is not None:
        room.engine.introduced(version)
    await room.recoveries.async_wait()
    if call.data.get("revision") == (revision := room.revision):
        # Who asks has it already, and asks every minute.
        return {"revision": revision}
    return room.as_dict()


async def _async_apply(call: ServiceCall) -> ServiceResponse:
    """Take an automation into the plan as it is configured now."""
    entry = _entry(call)
    room = entry.runtime_data.plan
    entity_id: str = call.data["automation"]
    key = automation_id(call.hass, entity_id)
    state = call.hass.states.get(entity_id)
    if state is None:
        raise _refused("automation_not_found", automation=entity_id)
    form = await async_form_of(call.hass, entity_id)
    answers = read_answers(
        call.hass, entry, form, call.data["metadata"], call.data["config"]
    )
    refused = "; ".join(str(problem) for problem in answers.problems)
    for other in call.hass.config_entries.async_loaded_entries(DOMAIN):
        if other is not entry:
            # It may have been another plant's before it was edited.
            await other.runtime_data.plan.async_forget(key, deleted=True)
    room.refusals.learn(key, form)
    await room.async_register(
        Registration(
            id=key,
            entity_id=entity_id,
            name=state.name,
            control_type=call.data["control_type"],
            # What cannot be right is kept of neither: the rest would be half a form.
            metadata={} if refused else answers.metadata,
            config={} if refused else answers.config,
            refused=refused,
        )
    )
    if refused:
        room.refusals.refuse(key, state.name, *answers.problems)
        raise _refused(
            "form_refused",
            automation=state.name,
            plant=room.plant.name,
            problems=refused,
        )
    return {
        "id": key,
        "profiles": [
            {"name": profile.name, "priority": profile.automations[key]}
            for profile in room.profiles.values()
            if key in profile.automations
        ],
    }


async def _async_report(call: ServiceCall) -> ServiceResponse:
    """Hear the engine: its heartbeat, a state, and what it did."""
    room = _room(call)
    room.engine.beat()
    item = None
    if named := call.data.get("automation"):
        item = _registered(room, named)
        if "state" in call.data:
            room.report(item.id, call.data["state"], call.data["attributes"])
        if (planned := call.data.get("planned")) is not None:
            try:
                room.planned.take(item.id, planned)
            except vol.Invalid as error:
                raise _refused("planned_not_understood", error=str(error)) from error
    for event in call.data["events"]:
        async_report_action(
            call.hass,
            room,
            event,
            item,
        )
    return {"revision": room.revision}


def _registered(room: PlanRoom, named: str) -> Registration:
    """Find an automation by its id or entity id."""
    registrations = room.store.decisions.registrations
    for item in registrations.values():
        if named in (item.id, item.entity_id):
            return item
    raise _refused("automation_not_registered", automation=named, plant=room.plant.name)


async def _async_save_profile(call: ServiceCall) -> ServiceResponse:
    """Make a profile, or replace what is in it."""
    room = _room(call)
    name: str = call.data["name"]
    if name == BY_CALENDAR:
        raise _refused("profile_name_reserved", profile=name)
    # Two names that differ by case only would be one to whoever types them.
    name = room.profile_named(name) or name
    if name not in room.profiles and len(room.profiles) >= MAXIMUM_PROFILES:
        raise _refused("too_many_profiles", maximum=str(MAXIMUM_PROFILES))
    if "automations" in call.data:
        automations = {
            _registered(room, item["automation"]).id: item["priority"]
            for item in call.data["automations"]
        }
    else:
        known = room.profiles.get(name)
        automations = {} if known is None else dict(known.automations)
    await room.async_save_profile(name, automations)
    return {"name": name, "automations": automations}


async def _async_delete_profile(call: ServiceCall) -> None:
    """Forget a profile that no date needs."""
    room = _room(call)
    if (name := room.profile_named(call.data["name"])) is None:
        raise _refused(
            "unknown_profile",
            profile=call.data["name"],
            profiles=", ".join(room.profiles),
        )
    if (use := room.profile_use(name)) is not None:
        raise _refused(f"profile_used_by_{use}", profile=name, plant=room.plant.name)
    await room.async_delete_profile(name)
