"""Watches the automations that registered.

Switched off or removed, they leave the plan at once.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from homeassistant.const import (
    EVENT_HOMEASSISTANT_STARTED,
    EVENT_STATE_CHANGED,
    STATE_ON,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import entity_registry as er

from .profile_store import Registration

if TYPE_CHECKING:
    from .plan import PlanRoom

_AUTOMATION = "automation."


def automation_id(hass: HomeAssistant, entity_id: str) -> str:
    """Return what an automation is known by for good: a renamed one stays itself."""
    registered = er.async_get(hass).async_get(entity_id)
    return entity_id if registered is None else registered.unique_id


class AutomationWatch:
    """Which registered automations are switched on."""

    def __init__(self, room: PlanRoom) -> None:
        """Watch for this plant."""
        self._room = room
        self._hass = room.hass

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to watch."""
        bus = self._hass.bus
        unsubscribe = [
            bus.async_listen(
                EVENT_STATE_CHANGED, self._state_changed, event_filter=_is_automation
            ),
            bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_registry_updated
            ),
        ]
        if self._hass.state is not CoreState.running:
            unsubscribe.append(
                bus.async_listen(EVENT_HOMEASSISTANT_STARTED, self._async_started)
            )

        @callback
        def async_stop() -> None:
            for stop in unsubscribe:
                stop()

        return async_stop

    def is_enabled(self, item: Registration) -> bool:
        """Whether an automation is switched on.

        While Home Assistant starts or stops, its automations are not there
        yet or no more; the engine is not to lose its plan for that.
        """
        if self._hass.state is not CoreState.running:
            return item.enabled
        state = self._hass.states.get(item.entity_id)
        return state is not None and state.state == STATE_ON

    def _of_entity(self, entity_id: str) -> Registration | None:
        registrations = self._room.store.decisions.registrations
        return next(
            (item for item in registrations.values() if item.entity_id == entity_id),
            None,
        )

    async def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        if self._hass.state is not CoreState.running:
            return
        item = self._of_entity(event.data["entity_id"])
        if item is None or self.is_enabled(item) == item.enabled:
            return
        await self._async_remember()

    async def _async_started(self, _event: Event[Any]) -> None:
        await self._async_remember()

    async def _async_remember(self) -> None:
        """Keep who is switched on, for the next start."""
        registrations = self._room.store.decisions.registrations
        for key, item in registrations.items():
            registrations[key] = replace(item, enabled=self.is_enabled(item))
        await self._room.async_decided()

    async def _async_registry_updated(
        self, event: Event[er.EventEntityRegistryUpdatedData]
    ) -> None:
        data = event.data
        if data["action"] == "create":
            return
        entity_id = data["entity_id"]
        if not entity_id.startswith(_AUTOMATION):
            if data["action"] == "update" and "entity_id" in data["changes"]:
                # Perhaps a point of ours has a new name; if not, nothing is said.
                self._room.changed()
            return
        if data["action"] == "remove":
            if (item := self._of_entity(entity_id)) is not None:
                await self._room.async_forget(item.id, deleted=True)
        elif old := data["changes"].get("entity_id"):
            if (item := self._of_entity(old)) is not None:
                await self._room.async_register(replace(item, entity_id=entity_id))


@callback
def _is_automation(data: EventStateChangedData) -> bool:
    return data["entity_id"].startswith(_AUTOMATION)
