"""Shows what happened to the plant in the logbook, in the words it was told in."""

from collections.abc import Callable

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Event, HomeAssistant, callback

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
            LOGBOOK_ENTRY_ENTITY_ID: data.get(ATTR_ENTITY_ID),
        }

    async_describe_event(DOMAIN, EVENT_ACTION, describe)
