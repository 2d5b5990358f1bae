"""What an operator sets off: a return to automatic control, a count from zero."""

from collections.abc import Hashable
from typing import override

from homeassistant.components.button import ButtonEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import OPERATOR
from .data import ChillerPlantConfigEntry, ChillerPlantData
from .entity import PlantEntity, async_add_gently
from .plant.arbiter import commandable
from .plant.model import Equipment
from .plant.roles import EquipmentType

PARALLEL_UPDATES = 0

_KEY = "return_to_automatic"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add one for each piece of equipment that can be commanded, one for all."""
    data = entry.runtime_data
    await async_add_gently(
        async_add_entities,
        [
            ReturnToAutomatic(data, None),
            *(
                ReturnToAutomatic(data, equipment)
                for equipment in data.plant.equipment.values()
                if equipment.type is not EquipmentType.PLANT
                and any(commandable(point) for point in equipment.points.values())
            ),
            *(
                ResetStaging(data, equipment)
                for equipment in data.plant.equipment.values()
                if equipment.key in data.coordinator.counters
            ),
        ],
    )


class ReturnToAutomatic(PlantEntity, ButtonEntity):
    """Drops the operator's commands of one piece of equipment, or of all."""

    def __init__(self, data: ChillerPlantData, equipment: Equipment | None) -> None:
        """None stands for the whole plant."""
        super().__init__(
            data, equipment, _KEY if equipment else "return_all_to_automatic"
        )
        points = data.plant.points if equipment is None else equipment.points
        self._points = tuple(
            point.key for point in points.values() if commandable(point)
        )

    @property
    @override
    def shown(self) -> Hashable:
        """Nothing but whether it can be pressed."""
        return self.available

    @override
    async def async_press(self) -> None:
        """Release what the operator holds."""
        await self.coordinator.async_release(source=OPERATOR, points=self._points)


class ResetStaging(PlantEntity, ButtonEntity):
    """Counts a machine's staging run hours and starts from zero again.

    For a machine that was replaced or overhauled: rotation by run hours takes
    it for as old as the others that are set back with it.
    """

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, data: ChillerPlantData, equipment: Equipment) -> None:
        """Take the machine."""
        super().__init__(data, equipment, "reset_staging")
        self._equipment = equipment.key

    @property
    @override
    def shown(self) -> Hashable:
        """Nothing but whether it can be pressed."""
        return self.available

    @override
    async def async_press(self) -> None:
        """Set them back."""
        await self.coordinator.async_reset_staging(self._equipment)
