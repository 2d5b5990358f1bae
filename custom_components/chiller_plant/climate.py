"""Zones as thermostats: what the people in them feel, and may ask for."""

from collections.abc import Hashable
from typing import Any, override

from homeassistant.components.climate import (
    ATTR_HVAC_MODE,
    ClimateEntity,
    ClimateEntityFeature,
    HVACAction,
    HVACMode,
)
from homeassistant.const import ATTR_TEMPERATURE, UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import ChillerPlantConfigEntry, ChillerPlantData
from .entity import PlantEntity, async_add_gently, point_attributes, point_topics
from .plant.arbiter import commandable
from .plant.model import Equipment, Point
from .plant.roles import EquipmentType

PARALLEL_UPDATES = 0

_SHOWN = (
    "temperature",
    "temperature_setpoint",
    "relative_humidity",
    "occupied_command",
    "cooling_valve_position",
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the zones whose temperature is known."""
    data = entry.runtime_data
    await async_add_gently(
        async_add_entities,
        (
            ZoneClimate(data, zone)
            for zone in data.plant.of_type(EquipmentType.ZONE)
            if "temperature" in zone.points
        ),
    )


class ZoneClimate(PlantEntity, ClimateEntity):
    """One zone."""

    _attr_name = None
    # Home Assistant 2026.11 calls the native ones by that name, 2026.10 does not.
    _attr_temperature_unit = _attr_native_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_target_temperature_step = 0.5

    def __init__(self, data: ChillerPlantData, zone: Equipment) -> None:
        """Offer what the zone has points for."""
        super().__init__(data, zone, "zone")
        self._zone = zone
        self._attr_supported_features = ClimateEntityFeature(0)
        self._setpoint = zone.points.get("temperature_setpoint")
        if self._setpoint is not None and commandable(self._setpoint):
            self._attr_supported_features |= ClimateEntityFeature.TARGET_TEMPERATURE
            if self._setpoint.low is not None:
                self._attr_min_temp = self._setpoint.low
            if self._setpoint.high is not None:
                self._attr_max_temp = self._setpoint.high
        self._occupied: Point | None = zone.points.get("occupied_command")
        if self._occupied is None or not commandable(self._occupied):
            self._attr_hvac_modes = [HVACMode.COOL]
        else:
            self._attr_hvac_modes = [HVACMode.COOL, HVACMode.OFF]
            self._attr_supported_features |= (
                ClimateEntityFeature.TURN_ON | ClimateEntityFeature.TURN_OFF
            )
        self._topics = tuple(
            topic
            for role in _SHOWN
            if role in zone.points
            for topic in point_topics(zone.points[role])
        )

    @property
    @override
    def available(self) -> bool:
        """Whether the zone's temperature is known."""
        return super().available and self.coordinator.is_available(
            self._zone.points["temperature"]
        )

    @property
    @override
    def shown(self) -> Hashable:
        """What the thermostat shows, and who commands it."""
        return (
            self.available,
            self.hvac_mode,
            self.hvac_action,
            self.current_humidity,
            self.native_current_temperature,
            self.native_target_temperature,
            *(self.extra_state_attributes or {}).values(),
        )

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return who commands the zone's temperature."""
        if self._setpoint is None:
            return None
        return point_attributes(self.coordinator, self._setpoint)

    def _number(self, role: str) -> float | None:
        point = self._zone.points.get(role)
        value = None if point is None else self.coordinator.reading(point.key).good
        return None if value is None else round(float(value), 4)

    @property
    def native_current_temperature(self) -> float | None:
        """In °C."""
        return self._number("temperature")

    @property
    def native_target_temperature(self) -> float | None:
        """In °C."""
        return self._number("temperature_setpoint")

    current_temperature = native_current_temperature
    target_temperature = native_target_temperature

    @property
    @override
    def current_humidity(self) -> float | None:
        """In whole %: the thermostat card shows what it gets."""
        humidity = self._number("relative_humidity")
        return None if humidity is None else round(humidity)

    @property
    @override
    def hvac_mode(self) -> HVACMode | None:
        """Off while the zone is not occupied."""
        if self._occupied is None:
            return HVACMode.COOL
        occupied = self.coordinator.reading(self._occupied.key).good
        if occupied is None:
            return None
        return HVACMode.COOL if occupied else HVACMode.OFF

    @property
    @override
    def hvac_action(self) -> HVACAction | None:
        """Whether chilled water flows."""
        if self.hvac_mode is HVACMode.OFF:
            return HVACAction.OFF
        valve = self._number("cooling_valve_position")
        if valve is None:
            return None
        return HVACAction.COOLING if valve > 0 else HVACAction.IDLE

    @override
    async def async_update(self) -> None:
        """Read the zone again, because somebody asked for that."""
        await self.coordinator.async_update_points(self._zone.points.values())

    @override
    async def async_set_temperature(self, **kwargs: Any) -> None:
        """Ask for a setpoint, and a mode if one came with it, as the operator."""
        if ATTR_TEMPERATURE in kwargs and self._setpoint is not None:
            await self.async_operate((self._setpoint, kwargs[ATTR_TEMPERATURE]))
        if (mode := kwargs.get(ATTR_HVAC_MODE)) is not None:
            await self.async_set_hvac_mode(mode)

    @override
    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Ask for the zone to be served, or not, as the operator."""
        if self._occupied is not None:
            await self.async_operate((self._occupied, hvac_mode is HVACMode.COOL))

    @override
    async def async_turn_on(self) -> None:
        """Ask for the zone to be served."""
        await self.async_set_hvac_mode(HVACMode.COOL)

    @override
    async def async_turn_off(self) -> None:
        """Ask for the zone not to be served."""
        await self.async_set_hvac_mode(HVACMode.OFF)
