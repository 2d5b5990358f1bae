"""What happens to the plant, as it happens, with the reason."""

from typing import Any, override

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .actions import ACTIONS
from .data import ChillerPlantConfigEntry, ChillerPlantData
from .plan_entity import PlanEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the plant's actions."""
    async_add_entities([ActionEvent(entry.runtime_data)])


class ActionEvent(PlanEntity, EventEntity):
    """Everything that the automations and the command desk did."""

    _attr_event_types = list(ACTIONS)
    _signals = ()

    def __init__(self, data: ChillerPlantData) -> None:
        """Tell of the plant's actions."""
        super().__init__(data, "actions")

    @override
    async def async_added_to_hass(self) -> None:
        """Hear what is told."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass, self._room.signal("told"), self._action_told
            )
        )

    @callback
    def _action_told(self, action: str, data: dict[str, Any]) -> None:
        self._trigger_event(action, data)
        self.async_write_ha_state()
