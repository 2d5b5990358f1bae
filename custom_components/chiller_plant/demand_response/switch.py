"""The switch by which a person takes a plant out of demand response."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity

from ..data import ChillerPlantData
from .entity import DemandResponseEntity


class TakePartSwitch(DemandResponseEntity, SwitchEntity):
    """Whether the plant takes part at all.

    Turned off during an event, what is shed is given back as after one.
    """

    def __init__(self, data: ChillerPlantData) -> None:
        """Show the decision."""
        super().__init__(data, "demand_response")

    @property
    @override
    def is_on(self) -> bool:
        """What was decided."""
        return self._room.settings.take_part

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Take part from now on."""
        self._room.take_part(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Take part in nothing from now on."""
        self._room.take_part(False)
