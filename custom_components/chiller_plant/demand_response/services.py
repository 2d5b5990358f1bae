"""The actions by which the control engine and people meet demand response."""

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
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    entity_registry as er,
    service,
)
from homeassistant.util import dt as dt_util

from ..action_table import async_register
from ..const import DOMAIN
from .kept_reports import MOST_TEXT
from .known_event import KnownEvent, parse_book, parse_report
from .room import DemandResponseRoom
from .words import asked, title

SERVICE_GET = "get_demand_response"
SERVICE_KEEP = "keep_events"
SERVICE_KEEP_REPORTS = "keep_reports"
SERVICE_REPORTS = "get_reports"
SERVICE_REPORT = "report_demand_response"
SERVICE_OPT = "opt_event"
SERVICE_EVENTS = "get_events"

# The engine asks before it knows anything, also which plants there are.
_MAYBE_PLANT: dict[vol.Marker, Any] = {vol.Optional("plant"): cv.string}
_SCHEMAS = {
    SERVICE_GET: vol.Schema(
        {
            **_MAYBE_PLANT,
            vol.Optional("engine_version"): vol.All(cv.string, vol.Length(max=40)),
        }
    ),
    # Text, because AppDaemon drops every null on its way to us.
    SERVICE_KEEP: vol.Schema({**_MAYBE_PLANT, vol.Required("book"): cv.string}),
    SERVICE_KEEP_REPORTS: vol.Schema(
        {
            **_MAYBE_PLANT,
            vol.Required("connection"): cv.string,
            vol.Required("reports"): vol.All(cv.string, vol.Length(max=MOST_TEXT)),
        }
    ),
    SERVICE_REPORTS: vol.Schema(
        {**_MAYBE_PLANT, vol.Required("connection"): cv.string}
    ),
    SERVICE_REPORT: vol.Schema({**_MAYBE_PLANT, vol.Required("report"): cv.string}),
    SERVICE_OPT: vol.Schema(
        {
            **_MAYBE_PLANT,
            vol.Optional("event"): cv.string,
            vol.Required("opt"): vol.In(("in", "out")),
            vol.Optional("reason", default=""): vol.All(
                cv.string, str.strip, vol.Length(max=255)
            ),
        }
    ),
    SERVICE_EVENTS: vol.Schema(
        {**_MAYBE_PLANT, vol.Optional("past", default=True): cv.boolean}
    ),
}


@callback
def async_setup_demand_response_services(hass: HomeAssistant) -> None:
    """Register the actions; they are there before any plant is."""
    async_register(
        hass,
        _SCHEMAS,
        (SERVICE_GET, _async_get, SupportsResponse.ONLY),
        (SERVICE_KEEP, _async_keep, SupportsResponse.NONE),
        (SERVICE_KEEP_REPORTS, _async_keep_reports, SupportsResponse.NONE),
        (SERVICE_REPORTS, _async_reports, SupportsResponse.ONLY),
        (SERVICE_REPORT, _async_report, SupportsResponse.OPTIONAL),
        (SERVICE_OPT, _async_opt, SupportsResponse.OPTIONAL),
        (SERVICE_EVENTS, _async_events, SupportsResponse.ONLY),
    )


def _room(call: ServiceCall) -> DemandResponseRoom:
    entry = service.async_get_config_entry(call.hass, DOMAIN, call.data.get("plant"))
    room: DemandResponseRoom = entry.runtime_data.demand_response
    return room


async def _async_get(call: ServiceCall) -> ServiceResponse:
    """Tell the engine what it needs, secrets of connections included."""
    room = _room(call)
    if (user_id := call.context.user_id) is not None:
        user = await call.hass.auth.async_get_user(user_id)
        if user is None:
            raise UnknownUser(context=call.context)
        if not user.is_admin:
            raise Unauthorized(context=call.context)
    if (version := call.data.get("engine_version")) is not None:
        room.plan.engine.introduced(version)
    return room.as_dict()


async def _async_keep(call: ServiceCall) -> None:
    """Keep the engine's event book; on disk when it returns."""
    room = _room(call)
    try:
        book = parse_book(call.data["book"])
    except vol.Invalid as error:
        raise _not_understood("events", error) from error
    await room.async_keep_book(book)


async def _async_keep_reports(call: ServiceCall) -> None:
    """Keep what waits for a utility's server."""
    room, connection = _connected(call)
    room.kept_reports.keep(connection, call.data["reports"])


async def _async_reports(call: ServiceCall) -> ServiceResponse:
    """Tell the engine what waited for a utility's server."""
    room, connection = _connected(call)
    return {"reports": room.kept_reports.of(connection)}


def _connected(call: ServiceCall) -> tuple[DemandResponseRoom, str]:
    room, wanted = _room(call), call.data["connection"]
    if wanted not in {connection.id for connection in room.connections}:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_connection",
            translation_placeholders={"connection": wanted, "plant": room.plant.name},
        )
    return room, wanted


async def _async_report(call: ServiceCall) -> ServiceResponse:
    """Hear what the engine makes of demand response."""
    room = _room(call)
    room.plan.engine.beat()
    try:
        report = parse_report(call.data["report"])
    except vol.Invalid as error:
        raise _not_understood("report", error) from error
    room.take(report)
    return {"revision": room.revision}


async def _async_opt(call: ServiceCall) -> ServiceResponse:
    """Take part in an event, or not."""
    room = _room(call)
    by = await _async_allowed(call, room)
    opt = call.data["opt"]
    key = call.data.get("event") or _first_to_answer(room, opt)
    return _shown(room, await room.async_opt(key, opt, call.data["reason"], by))


def _first_to_answer(room: DemandResponseRoom, opt: str) -> str:
    """Return the event that runs or comes next and is answered otherwise.

    A button on a dashboard cannot name one.
    """
    now = dt_util.utcnow().timestamp()
    found = [
        event
        for event in room.events.values()
        if event.stands(now) in ("far", "near", "active") and room.opt_of(event) != opt
    ]
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="nothing_to_answer",
            translation_placeholders={"plant": room.plant.name},
        )
    return min(found, key=lambda event: event.begins).key


async def _async_events(call: ServiceCall) -> ServiceResponse:
    """Tell which events are known."""
    room = _room(call)
    now = dt_util.utcnow().timestamp()
    found = sorted(room.events.values(), key=lambda event: event.begins)
    return {
        "engine_heard": room.heard,
        "take_part": room.settings.take_part,
        "events": [
            _shown(room, event)
            for event in found
            if call.data["past"] or not event.over(now)
        ],
    }


async def _async_allowed(call: ServiceCall, room: DemandResponseRoom) -> str:
    """Return who asks, if that one may answer for events."""
    if (user_id := call.context.user_id) is None:
        return "an automation"
    if (user := await call.hass.auth.async_get_user(user_id)) is None:
        raise UnknownUser(context=call.context)
    switch = er.async_get(call.hass).async_get_entity_id(
        "switch", DOMAIN, f"{room.plant.key}.plant.demand_response"
    )
    if switch is not None and not user.permissions.check_entity(switch, POLICY_CONTROL):
        raise Unauthorized(
            context=call.context, entity_id=switch, permission=POLICY_CONTROL
        )
    return user.name or "somebody"


def _shown(room: DemandResponseRoom, event: KnownEvent) -> dict[str, Any]:
    def time(moment: float | None) -> str | None:
        if not moment:
            return None
        local = dt_util.as_local(dt_util.utc_from_timestamp(moment))
        return local.isoformat(timespec="seconds")

    decision = room.decisions.get(event.key)
    return {
        "event": event.key,
        "id": event.id,
        "utility": event.source,
        "name": event.name,
        "title": title(event, room.opt_of(event)),
        "asked": asked(event.signals),
        "begins": time(event.begins),
        "ends": time(event.ends),
        "recovery_minutes": round(event.recovery / 60.0, 1),
        "status": event.stands(dt_util.utcnow().timestamp()),
        "opt": room.opt_of(event),
        "why": event.why if decision is None else decision.why,
        "opted_by": decision and decision.by,
        "test": event.test,
        "comment": event.comment,
        "received": time(event.received),
        "cancelled": time(event.cancelled),
        "asked_now": event.asked_now,
        "signals": event.signals,
    }


def _not_understood(what: str, error: vol.Invalid) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=f"{what}_not_understood",
        translation_placeholders={"error": str(error)},
    )
