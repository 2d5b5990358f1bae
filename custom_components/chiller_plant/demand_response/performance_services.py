"""The actions that tell what came of events."""

from datetime import timedelta
from typing import Any

import voluptuous as vol

from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..data import ChillerPlantConfigEntry
from ..plant.demand_response.record import EventRecord
from .export import as_csv
from .http import csv_url
from .performance_table import DatabaseAway

SERVICE_GET_PERFORMANCE = "get_performance"
SERVICE_EXPORT_PERFORMANCE = "export_performance"
_MOST = 1000
_DOWNLOAD = timedelta(hours=1)
"""How long the address of the file holds: it opens in a browser without a token."""

_PERIOD: dict[vol.Marker, Any] = {
    vol.Required("plant"): cv.string,
    vol.Optional("since"): cv.datetime,
    vol.Optional("until"): cv.datetime,
}
_GET_SCHEMA = vol.Schema(
    {
        **_PERIOD,
        vol.Optional("event"): cv.string,
        vol.Optional("limit", default=100): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=_MOST)
        ),
    }
)
_EXPORT_SCHEMA = vol.Schema(_PERIOD)


@callback
def async_setup_performance_services(hass: HomeAssistant) -> None:
    """Register the actions; they are there before any plant is."""
    for name, handler, schema in (
        (SERVICE_GET_PERFORMANCE, _async_get, _GET_SCHEMA),
        (SERVICE_EXPORT_PERFORMANCE, _async_export, _EXPORT_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            handler,
            schema=schema,
            supports_response=SupportsResponse.ONLY,
        )


async def _async_get(call: ServiceCall) -> ServiceResponse:
    """Return what came of events, the newest first."""
    limit: int = call.data["limit"]
    found = await _async_found(call, call.data.get("event"), limit + 1)
    return {
        "performance": [record.told() for record in found[:limit]],
        "more": len(found) > limit,
    }


async def _async_export(call: ServiceCall) -> ServiceResponse:
    """Return what came of all events as CSV, and where it can be downloaded."""
    found = await _async_found(call, None, None)
    since, until = _period(call)
    return {
        "csv": await call.hass.async_add_executor_job(as_csv, found),
        "url": async_sign_path(
            call.hass,
            csv_url(_entry(call).runtime_data.plant.key, since, until),
            _DOWNLOAD,
        ),
    }


async def _async_found(
    call: ServiceCall, event: str | None, limit: int | None
) -> list[EventRecord]:
    since, until = _period(call)
    store = _entry(call).runtime_data.demand_response.settlement.store
    try:
        return await store.async_find(
            since=since, until=until, event=event, limit=limit
        )
    except DatabaseAway as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="performance_database_away",
            translation_placeholders={"error": str(error)},
        ) from error


def _period(call: ServiceCall) -> tuple[float | None, float | None]:
    try:
        since, until = (
            None if moment is None else dt_util.as_utc(moment).timestamp()
            for moment in (call.data.get("since"), call.data.get("until"))
        )
        if since is None or until is None or since < until:
            return since, until
    except OverflowError:
        # In the first and the last hours of the calendar UTC has no such time.
        pass
    raise ServiceValidationError(
        translation_domain=DOMAIN, translation_key="bad_period"
    )


def _entry(call: ServiceCall) -> ChillerPlantConfigEntry:
    return service.async_get_config_entry(call.hass, DOMAIN, call.data["plant"])
