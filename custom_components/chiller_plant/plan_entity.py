"""What the entities of profiles, dates and reports share.

They stay there while the equipment is silent: a plan can be made for a plant
that cannot be reached.
"""

from typing import override

from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity

from .data import ChillerPlantData
from .entity import plant_device_info


class PlanEntity(Entity):
    """An entity of the plant's device that follows signals of the plan room."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _signals: tuple[str, ...] = ("plan",)

    def __init__(self, data: ChillerPlantData, key: str) -> None:
        """`key` tells it apart from the plant's other entities."""
        self._room = data.plan
        self._attr_translation_key = key
        self._attr_unique_id = f"{data.plant.key}.plant.{key}"
        self._attr_device_info = plant_device_info(data.plant)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the room."""
        for signal in self._signals:
            self.async_on_remove(
                async_dispatcher_connect(
                    self.hass, self._room.signal(signal), self._told
                )
            )

    @callback
    def _told(self, *_: object) -> None:
        self.async_write_ha_state()
