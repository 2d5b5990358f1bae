"""Whether the control engine is there."""

from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.const import EntityCategory

from .data import ChillerPlantData
from .plan_entity import PlanEntity


class EngineSensor(PlanEntity, BinarySensorEntity):
    """The connection to the control engine."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _signals = ("engine",)

    def __init__(self, data: ChillerPlantData) -> None:
        """Show the plant's engine."""
        super().__init__(data, "control_engine")

    @property
    @override
    def is_on(self) -> bool:
        """Whether it was heard within a minute."""
        return self._room.engine.alive

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Which one it is."""
        return {"version": self._room.engine.version}
