"""What an operator sets: setpoints, speeds, limits."""

from typing import NamedTuple, override

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberMode
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import ChillerPlantConfigEntry, ChillerPlantData
from .entity import PointEntity, async_add_gently, native_unit, points_of
from .plant.model import Equipment, Point
from .plant.roles import Quantity

PARALLEL_UPDATES = 0


class _Scale(NamedTuple):
    """How a quantity is set; the limits serve where the plant file has none."""

    device_class: NumberDeviceClass | None
    low: float
    high: float
    step: float


_SCALES = {
    Quantity.TEMPERATURE: _Scale(NumberDeviceClass.TEMPERATURE, -50, 150, 0.1),
    Quantity.TEMPERATURE_DIFFERENCE: _Scale(
        NumberDeviceClass.TEMPERATURE_DELTA, -50, 50, 0.1
    ),
    Quantity.PRESSURE_DIFFERENCE: _Scale(NumberDeviceClass.PRESSURE, 0, 1000, 1),
    Quantity.FLOW: _Scale(NumberDeviceClass.VOLUME_FLOW_RATE, 0, 1000, 0.1),
    Quantity.POWER: _Scale(NumberDeviceClass.POWER, 0, 100_000, 1),
    Quantity.ENERGY: _Scale(NumberDeviceClass.ENERGY, 0, 1e9, 1),
    Quantity.PERCENT: _Scale(None, 0, 100, 0.1),
    Quantity.RELATIVE_HUMIDITY: _Scale(NumberDeviceClass.HUMIDITY, 0, 100, 0.1),
    Quantity.IRRADIANCE: _Scale(NumberDeviceClass.IRRADIANCE, 0, 2000, 1),
    Quantity.COUNT: _Scale(None, 0, 1000, 1),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the commands that are numbers."""
    data = entry.runtime_data
    await async_add_gently(
        async_add_entities,
        (
            PointNumber(data, equipment, point)
            for equipment, point in points_of(data.plant, boolean=False, writable=True)
        ),
    )


class PointNumber(PointEntity, NumberEntity):
    """One command that is a number."""

    _attr_mode = NumberMode.BOX

    def __init__(
        self, data: ChillerPlantData, equipment: Equipment, point: Point
    ) -> None:
        """Take unit and limits from role and plant file."""
        super().__init__(data, equipment, point)
        scale = _SCALES[point.role.quantity]
        self._attr_device_class = scale.device_class
        self._attr_native_unit_of_measurement = native_unit(point.role.quantity)
        self._attr_native_min_value = scale.low if point.low is None else point.low
        self._attr_native_max_value = scale.high if point.high is None else point.high
        self._attr_native_step = scale.step

    @property
    @override
    def native_value(self) -> float | None:
        """The last reading; a place in an order is a whole number."""
        if self.number is not None and self.point.role.quantity is Quantity.COUNT:
            return round(self.number)
        return self.number

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Ask for it as the operator."""
        await self.async_operate((self.point, value))
