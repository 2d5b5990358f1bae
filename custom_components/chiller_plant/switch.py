"""What an operator turns on and off."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import ChillerPlantConfigEntry
from .demand_response.entity import async_follow_demand_response
from .demand_response.switch import TakePartSwitch
from .entity import PointEntity, async_add_gently, points_of

# Orders are queued by the command desk, not by the platform.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the commands that are on or off."""
    data = entry.runtime_data
    await async_add_gently(
        async_add_entities,
        (
            PointSwitch(data, equipment, point)
            for equipment, point in points_of(data.plant, boolean=True, writable=True)
        ),
    )
    async_follow_demand_response(
        entry, async_add_entities, lambda data: [TakePartSwitch(data)]
    )


class PointSwitch(PointEntity, SwitchEntity):
    """One command that is on or off.

    It shows what the device says, not what was asked: while an interlock holds
    a command back, the switch stays where the equipment is.
    """

    @property
    @override
    def is_on(self) -> bool | None:
        """The last reading."""
        value = self.reading.good
        return None if value is None else bool(value)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Ask for it as the operator."""
        await self.async_operate((self.point, True))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Ask for it as the operator."""
        await self.async_operate((self.point, False))
