"""The actions that command points, and that give them back."""

import math
from typing import Any

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import config_validation as cv, service

from .commander import refusal
from .const import DOMAIN, OPERATOR
from .coordinator import PlantCoordinator
from .data import ChillerPlantConfigEntry
from .lookup import point_of_entity
from .plant.arbiter import PRIORITIES, Band, CommandRefused, Request, commandable
from .plant.model import Point

SERVICE_COMMAND = "command"
SERVICE_RELEASE = "release"

ATTR_LEASE = "lease"
ATTR_PLANT = "plant"
ATTR_PRIORITY = "priority"
ATTR_REASON = "reason"
ATTR_SOURCE = "source"
ATTR_VALUE = "value"

_SOURCE = vol.All(cv.string, vol.Length(min=1, max=255))


def _number(value: Any) -> float:
    """Take a number only: a text that looks like one is a mistake in a template."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
    ):
        raise vol.Invalid("expected true, false or a number")
    return float(value)


_COMMAND_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_ENTITY_ID): cv.entity_ids,
        vol.Required(ATTR_VALUE): vol.Any(bool, _number),
        vol.Optional(ATTR_PRIORITY, default=int(Band.OPERATOR)): vol.All(
            vol.Coerce(int), vol.In(sorted(PRIORITIES))
        ),
        vol.Optional(ATTR_SOURCE, default=OPERATOR): _SOURCE,
        vol.Optional(ATTR_LEASE): vol.All(
            vol.Coerce(float), vol.Range(min=1, max=86_400)
        ),
        vol.Optional(ATTR_REASON, default=""): vol.All(cv.string, vol.Length(max=255)),
    }
)

_RELEASE_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_ENTITY_ID): cv.entity_ids,
        vol.Optional(ATTR_PLANT): cv.string,
        vol.Optional(ATTR_SOURCE, default=OPERATOR): _SOURCE,
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions; they are there before any plant is."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_COMMAND,
        _async_command,
        schema=_COMMAND_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_RELEASE,
        _async_release,
        schema=_RELEASE_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_command(call: ServiceCall) -> ServiceResponse:
    """Request a value for points, and say what became of each."""
    targets = [
        (entity_id, *_commandable(call.hass, entity_id))
        for entity_id in call.data[ATTR_ENTITY_ID]
    ]
    await _async_check_permission(call, [entity_id for entity_id, *_ in targets])
    plants: dict[str, tuple[PlantCoordinator, list[Request]]] = {}
    for _, entry, point in targets:
        _, requests = plants.setdefault(
            entry.entry_id, (entry.runtime_data.coordinator, [])
        )
        requests.append(_request(point, call.data))
    for coordinator, requests in plants.values():
        try:
            await coordinator.async_request(requests)
        except CommandRefused as refused:
            raise refusal(refused) from refused
    return {
        "commands": [
            {
                "entity_id": entity_id,
                "point": point.key,
                "owner": status.owner,
                "owner_priority": status.priority,
                "value": status.value,
                "hold": entry.runtime_data.coordinator.hold(point),
            }
            for entity_id, entry, point in targets
            for status in (entry.runtime_data.coordinator.desk.status(point.key),)
        ]
    }


async def _async_release(call: ServiceCall) -> ServiceResponse:
    """Drop what a source commands: of some points, or of a whole plant."""
    source = call.data[ATTR_SOURCE]
    released: list[str] = []
    if ATTR_ENTITY_ID in call.data:
        entity_ids = call.data[ATTR_ENTITY_ID]
        await _async_check_permission(call, entity_ids)
        plants: dict[str, tuple[PlantCoordinator, list[str]]] = {}
        for entity_id in entity_ids:
            entry, point = _commandable(call.hass, entity_id)
            _, points = plants.setdefault(
                entry.entry_id, (entry.runtime_data.coordinator, [])
            )
            points.append(point.key)
        for coordinator, points in plants.values():
            released += await coordinator.async_release(source=source, points=points)
    else:
        found: ChillerPlantConfigEntry = service.async_get_config_entry(
            call.hass, DOMAIN, call.data.get(ATTR_PLANT)
        )
        released += await found.runtime_data.coordinator.async_release(source=source)
    return {"released": list(released)}


def _request(point: Point, data: dict[str, Any]) -> Request:
    return Request(
        point=point.key,
        value=data[ATTR_VALUE],
        priority=data[ATTR_PRIORITY],
        source=data[ATTR_SOURCE],
        reason=data[ATTR_REASON],
        lease=data.get(ATTR_LEASE),
    )


def _commandable(
    hass: HomeAssistant, entity_id: str
) -> tuple[ChillerPlantConfigEntry, Point]:
    """Return the point behind an entity, if there is one that takes commands."""
    if (found := point_of_entity(hass, entity_id)) is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_a_point",
            translation_placeholders={"entity_id": entity_id},
        )
    if not commandable(found[1]):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_commandable",
            translation_placeholders={"entity_id": entity_id},
        )
    return found


async def _async_check_permission(call: ServiceCall, entity_ids: list[str]) -> None:
    """Refuse a user who may not touch the entity itself."""
    if (user_id := call.context.user_id) is None:
        return
    if (user := await call.hass.auth.async_get_user(user_id)) is None:
        raise UnknownUser(context=call.context)
    for entity_id in entity_ids:
        if not user.permissions.check_entity(entity_id, POLICY_CONTROL):
            raise Unauthorized(
                context=call.context, entity_id=entity_id, permission=POLICY_CONTROL
            )
