"""Watches the automations that registered.

Switched off or removed, they leave the plan at once.
"""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from homeassistant.const import (
    EVENT_HOMEASSISTANT_STARTED,
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    CoreState,
    Event,
    EventStateChangedData,
    HassJob,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later

from .profile_store import Registration

if TYPE_CHECKING:
    from .plan import PlanRoom

_AUTOMATION = "automation."
_HEARD_WITHIN = 30
"""Seconds in which an automation that was saved or started registers again. One
that does not is made from our blueprint no more."""


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
        self._awaited: set[str] = set()
        self._deadline: CALLBACK_TYPE | None = None

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
            if self._deadline is not None:
                self._deadline()
                self._deadline = None

        return async_stop

    @callback
    def ask_all(self) -> None:
        """Ask every automation to register again, and expect it to."""
        async_dispatcher_send(self._hass, self._room.signal("sync"))
        if self._hass.state is CoreState.running:
            self._await(*self._room.store.decisions.registrations)

    @callback
    def _await(self, *keys: str) -> None:
        self._awaited.update(keys)
        if self._deadline is not None:
            self._deadline()
        self._deadline = async_call_later(
            self._hass,
            _HEARD_WITHIN,
            HassJob(self._async_drop_unheard, cancel_on_shutdown=True),
        )

    @callback
    def heard_of(self, key: str) -> None:
        """Note that an automation registered."""
        self._awaited.discard(key)

    async def _async_drop_unheard(self, _now: datetime) -> None:
        self._deadline = None
        registrations = self._room.store.decisions.registrations
        for key in self._awaited & set(registrations):
            # One that is switched off cannot register; it is known all the same.
            if not self._hass.states.is_state(registrations[key].entity_id, STATE_OFF):
                await self._room.async_forget(key, deleted=False)
        self._awaited.clear()

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
        if item is None:
            return
        state = event.data["new_state"]
        if state is None or state.state == STATE_UNAVAILABLE:
            # It is being saved, or on its way out.
            self._await(item.id)
        if self.is_enabled(item) == item.enabled:
            return
        await self._async_remember()

    async def _async_started(self, _event: Event[Any]) -> None:
        self.ask_all()
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
