"""Shows what happened to the plant in the logbook, in the words it was told in."""

from collections.abc import Callable

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .actions import EVENT_ACTION
from .const import DOMAIN


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[
        [str, str, Callable[[Event], dict[str, str | None]]], None
    ],
) -> None:
    """Describe our events."""

    @callback
    def describe(event: Event) -> dict[str, str | None]:
        data = event.data
        return {
            LOGBOOK_ENTRY_NAME: data.get("automation") or data.get("plant_name"),
            LOGBOOK_ENTRY_MESSAGE: data.get("reason"),
            LOGBOOK_ENTRY_ENTITY_ID: er.async_get(hass).async_get_entity_id(
                "event", DOMAIN, f"{data.get('plant')}.plant.actions"
            ),
        }

    async_describe_event(DOMAIN, EVENT_ACTION, describe)
