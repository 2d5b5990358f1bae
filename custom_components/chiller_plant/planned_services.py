"""The actions by which people and programs see and change what is planned."""

from typing import Any

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    entity_registry as er,
    service,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType

from .action_table import async_register
from .const import DOMAIN
from .data import ChillerPlantConfigEntry
from .lookup import equipment_of_device
from .planned import PlannedActions, local
from .planned_action import PlannedAction

SERVICE_GET = "get_planned_actions"
SERVICE_RESCHEDULE = "reschedule_action"
SERVICE_REASSIGN = "reassign_action"
SERVICE_CANCEL = "cancel_action"
SERVICE_RESTORE = "restore_action"

_PLANT: dict[vol.Marker, Any] = {vol.Required("plant"): cv.string}
_CHANGE: dict[vol.Marker, Any] = {
    **_PLANT,
    vol.Required("action"): cv.string,
    vol.Optional("reason", default=""): vol.All(cv.string, vol.Length(max=255)),
}
_SCHEMAS = {
    SERVICE_GET: vol.Schema(
        {
            **_PLANT,
            vol.Optional("automation"): cv.string,
            vol.Optional("equipment"): cv.string,
        }
    ),
    SERVICE_RESCHEDULE: vol.Schema({**_CHANGE, vol.Required("time"): cv.datetime}),
    SERVICE_REASSIGN: vol.Schema({**_CHANGE, vol.Required("equipment"): cv.string}),
    SERVICE_CANCEL: vol.Schema(_CHANGE),
    SERVICE_RESTORE: vol.Schema(_CHANGE),
}


@callback
def async_setup_planned_services(hass: HomeAssistant) -> None:
    """Register the actions; they are there before any plant is."""
    async_register(
        hass,
        _SCHEMAS,
        (SERVICE_GET, _async_get, SupportsResponse.ONLY),
        (SERVICE_RESCHEDULE, _async_reschedule, SupportsResponse.OPTIONAL),
        (SERVICE_REASSIGN, _async_reassign, SupportsResponse.OPTIONAL),
        (SERVICE_CANCEL, _async_cancel, SupportsResponse.OPTIONAL),
        (SERVICE_RESTORE, _async_restore, SupportsResponse.OPTIONAL),
    )


def _entry(call: ServiceCall) -> ChillerPlantConfigEntry:
    return service.async_get_config_entry(call.hass, DOMAIN, call.data["plant"])


async def _async_get(call: ServiceCall) -> ServiceResponse:
    """Tell what is planned; what is cancelled too, so that it can be restored."""
    entry = _entry(call)
    room = entry.runtime_data.plan
    wanted = call.data.get("automation")
    named = call.data.get("equipment")
    key = None if named is None else equipment_key(call.hass, entry, named)
    found: list[JsonValueType] = []
    for action in room.planned.all():
        item = room.store.decisions.registrations[action.automation]
        if wanted is not None and wanted not in (item.id, item.entity_id):
            continue
        if key is not None and key not in action.equipment:
            continue
        found.append({**_shown(room.planned, action), "automation": item.entity_id})
    return {"engine_heard": room.engine.alive, "actions": found}


async def _async_reschedule(call: ServiceCall) -> ServiceResponse:
    """Have one occurrence at another time."""
    actions, by = await _async_allowed(call)
    at = dt_util.as_local(call.data["time"])
    changed = await actions.async_reschedule(
        call.data["action"], at, by, call.data["reason"]
    )
    return _shown(actions, changed)


async def _async_reassign(call: ServiceCall) -> ServiceResponse:
    """Have one occurrence with other equipment."""
    actions, by = await _async_allowed(call)
    key = equipment_key(call.hass, _entry(call), call.data["equipment"])
    changed = await actions.async_reassign(
        call.data["action"], key, by, call.data["reason"]
    )
    return _shown(actions, changed)


async def _async_cancel(call: ServiceCall) -> ServiceResponse:
    """Have one occurrence not happen."""
    actions, by = await _async_allowed(call)
    changed = await actions.async_cancel(call.data["action"], by, call.data["reason"])
    return _shown(actions, changed)


async def _async_restore(call: ServiceCall) -> ServiceResponse:
    """Take back what was changed of one occurrence."""
    actions, by = await _async_allowed(call)
    changed = await actions.async_restore(call.data["action"], by, call.data["reason"])
    return _shown(actions, changed)


async def _async_allowed(call: ServiceCall) -> tuple[PlannedActions, str]:
    """Return the plant's planned actions and who asks, if that one may change them."""
    entry = _entry(call)
    actions = entry.runtime_data.plan.planned
    if (user_id := call.context.user_id) is None:
        return actions, "an automation"
    if (user := await call.hass.auth.async_get_user(user_id)) is None:
        raise UnknownUser(context=call.context)
    calendar = er.async_get(call.hass).async_get_entity_id(
        "calendar", DOMAIN, f"{entry.runtime_data.plant.key}.plant.planned_actions"
    )
    if calendar is not None and not user.permissions.check_entity(
        calendar, POLICY_CONTROL
    ):
        raise Unauthorized(
            context=call.context, entity_id=calendar, permission=POLICY_CONTROL
        )
    return actions, user.name or "somebody"


def equipment_key(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, named: str
) -> str:
    """Return the key of equipment that is named by its key or its device."""
    if named not in entry.runtime_data.plant.equipment:
        found = equipment_of_device(hass, named)
        if found is not None and found[0] is entry:
            return found[1].key
    return named


def _shown(actions: PlannedActions, action: PlannedAction) -> dict[str, Any]:
    def time(moment: float | None) -> str | None:
        return None if moment is None else local(moment).isoformat(timespec="seconds")

    changed = actions.amendment(action)
    return {
        "action": action.key,
        "kind": action.kind,
        "title": actions.title(action),
        "time": time(action.at),
        "planned_time": time(action.original),
        "estimated": action.estimated,
        "until": time(action.until),
        "equipment": list(action.equipment),
        "from": action.before,
        "to": action.after,
        "reason": action.reason,
        "earliest": time(action.earliest),
        "latest": time(action.latest),
        "choices": list(action.choices),
        "cancelled": action.cancelled,
        "changed_by": changed and changed.by,
        "changed_because": changed and changed.why,
        "changed_at": changed and time(changed.made),
    }
