"""The actions that give out the plan of a plant as text, and take it in again."""

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

from .automation_config import CannotAdd
from .const import DOMAIN
from .data import ChillerPlantConfigEntry
from .plan_exchange import async_export, async_import
from .plant.plant_file import PlantFileError

SERVICE_EXPORT_PLAN = "export_plan"
SERVICE_IMPORT_PLAN = "import_plan"
_FILE = "plan.yaml"

_PLANT = {vol.Required("plant"): cv.string}
_EXPORT_SCHEMA = vol.Schema(_PLANT)
_IMPORT_SCHEMA = vol.Schema(
    {
        **_PLANT,
        vol.Required("yaml"): cv.string,
        vol.Optional("create_automations", default=False): cv.boolean,
        vol.Optional("update_automations", default=False): cv.boolean,
    }
)


@callback
def async_setup_exchange_services(hass: HomeAssistant) -> None:
    """Register the actions; they are there before any plant is."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_EXPORT_PLAN,
        _async_export,
        schema=_EXPORT_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    # It may write automations, which is for administrators alone.
    service.async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_IMPORT_PLAN,
        _async_import,
        schema=_IMPORT_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


def _entry(call: ServiceCall) -> ChillerPlantConfigEntry:
    return service.async_get_config_entry(call.hass, DOMAIN, call.data["plant"])


async def _async_export(call: ServiceCall) -> ServiceResponse:
    """Return profiles, dates, types of days and automations as YAML."""
    return {"yaml": await async_export(call.hass, _entry(call))}


async def _async_import(call: ServiceCall) -> ServiceResponse:
    """Take a plan, all of it or nothing, and say what changed."""
    try:
        taken = await async_import(
            call.hass,
            _entry(call),
            call.data["yaml"],
            _FILE,
            create=call.data["create_automations"],
            update=call.data["update_automations"],
        )
    except PlantFileError as error:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="plan_refused",
            translation_placeholders={"problems": str(error)},
        ) from error
    except CannotAdd as error:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="automations_not_made",
            translation_placeholders={"error": str(error)},
        ) from error
    return {
        "changed": list(taken.changed),
        "created_automations": list(taken.created),
        "updated_automations": list(taken.updated),
        "different_automations": list(taken.different),
        "left_out": list(taken.left_out),
    }
