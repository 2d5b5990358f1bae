"""What is measured, what follows from it, and who commands."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfPower, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .automation_sensor import async_follow_automations
from .bus_sensor import bus_sensors
from .const import OPERATOR
from .coordinator import COUNTERS, PERFORMANCE, command_topic
from .counters import STAGING, STAGING_RUN_HOURS, STAGING_STARTS
from .data import ChillerPlantConfigEntry, ChillerPlantData
from .demand_response.entity import async_follow_demand_response
from .demand_response.performance_sensor import performance_sensors
from .demand_response.portfolio_sensor import portfolio_sensors
from .demand_response.sensor import demand_response_sensors
from .entity import PlantEntity, PointEntity, async_add_gently, native_unit, points_of
from .plant.arbiter import commandable
from .plant.derived import Component, Performance, PlantPerformance
from .plant.model import Equipment, Point
from .plant.roles import EquipmentType, Quantity
from .recovery_sensor import async_follow_recoveries

PARALLEL_UPDATES = 0

REFRIGERATION_TON = "RT"
EFFICIENCY_UNIT = "kW/RT"


class _Scale(NamedTuple):
    """How a quantity is shown."""

    device_class: SensorDeviceClass | None
    state_class: SensorStateClass
    precision: int


_SCALES = {
    Quantity.TEMPERATURE: _Scale(
        SensorDeviceClass.TEMPERATURE, SensorStateClass.MEASUREMENT, 1
    ),
    Quantity.TEMPERATURE_DIFFERENCE: _Scale(
        SensorDeviceClass.TEMPERATURE_DELTA, SensorStateClass.MEASUREMENT, 1
    ),
    Quantity.PRESSURE_DIFFERENCE: _Scale(
        SensorDeviceClass.PRESSURE, SensorStateClass.MEASUREMENT, 0
    ),
    Quantity.FLOW: _Scale(
        SensorDeviceClass.VOLUME_FLOW_RATE, SensorStateClass.MEASUREMENT, 1
    ),
    Quantity.POWER: _Scale(SensorDeviceClass.POWER, SensorStateClass.MEASUREMENT, 1),
    Quantity.ENERGY: _Scale(
        SensorDeviceClass.ENERGY, SensorStateClass.TOTAL_INCREASING, 0
    ),
    Quantity.PERCENT: _Scale(None, SensorStateClass.MEASUREMENT, 0),
    Quantity.RELATIVE_HUMIDITY: _Scale(
        SensorDeviceClass.HUMIDITY, SensorStateClass.MEASUREMENT, 0
    ),
    Quantity.IRRADIANCE: _Scale(
        SensorDeviceClass.IRRADIANCE, SensorStateClass.MEASUREMENT, 0
    ),
    Quantity.COUNT: _Scale(None, SensorStateClass.MEASUREMENT, 0),
}


@dataclass(frozen=True, kw_only=True)
class PerformanceDescription(SensorEntityDescription):
    """A figure of the plant or of one chiller."""

    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT
    value_fn: Callable[[Performance], float | None]
    chiller_name: str | None = None
    """Translation key of a chiller's, if it is not that of the plant's."""
    chiller_enabled: bool = True


_PERFORMANCE = (
    PerformanceDescription(
        key="cooling_load",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=0,
        value_fn=lambda performance: performance.cooling_load,
    ),
    PerformanceDescription(
        key="cooling_load_refrigeration_tons",
        native_unit_of_measurement=REFRIGERATION_TON,
        suggested_display_precision=0,
        chiller_enabled=False,
        value_fn=lambda performance: performance.cooling_load_rt,
    ),
    PerformanceDescription(
        key="chilled_water_temperature_difference",
        device_class=SensorDeviceClass.TEMPERATURE_DELTA,
        native_unit_of_measurement=native_unit(Quantity.TEMPERATURE_DIFFERENCE),
        suggested_display_precision=1,
        value_fn=lambda performance: performance.temperature_difference,
    ),
    PerformanceDescription(
        key="total_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=1,
        chiller_name="electric_power",
        value_fn=lambda performance: performance.power,
    ),
    PerformanceDescription(
        key="efficiency",
        native_unit_of_measurement=EFFICIENCY_UNIT,
        suggested_display_precision=3,
        value_fn=lambda performance: performance.efficiency,
    ),
    PerformanceDescription(
        key="coefficient_of_performance",
        suggested_display_precision=2,
        # It says the same as the efficiency.
        chiller_enabled=False,
        value_fn=lambda performance: performance.coefficient_of_performance,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add all that is only read."""
    await async_add_gently(async_add_entities, _sensors(entry.runtime_data))
    async_follow_automations(entry, async_add_entities)
    async_follow_recoveries(entry, async_add_entities)
    async_follow_demand_response(entry, async_add_entities, demand_response_sensors)
    async_follow_demand_response(entry, async_add_entities, performance_sensors)
    async_follow_demand_response(
        entry,
        async_add_entities,
        portfolio_sensors,
        lambda room: room.portfolio.leads,
    )


def _sensors(data: ChillerPlantData) -> Iterator[SensorEntity]:
    plant = data.plant
    for equipment, point in points_of(plant, boolean=False, writable=False):
        yield PointSensor(data, equipment, point)
    for description in _PERFORMANCE:
        yield PerformanceSensor(data, None, description)
        for chiller in plant.of_type(EquipmentType.CHILLER):
            yield PerformanceSensor(data, chiller, description)
    for component in Component:
        if plant.of_type(component.equipment_type):
            yield ComponentPowerSensor(data, component)
    if plant.of_type(EquipmentType.CHILLER):
        yield StageSensor(data)
    for equipment in plant.equipment.values():
        if equipment.key in data.coordinator.counters:
            yield RunHoursSensor(data, equipment, "run_hours")
            yield StartsSensor(data, equipment, "starts")
            yield RunHoursSensor(data, equipment, STAGING_RUN_HOURS)
            yield StartsSensor(data, equipment, STAGING_STARTS)
        if any(commandable(point) for point in equipment.points.values()):
            yield CommandOwnerSensor(data, equipment)
    yield from bus_sensors(data)


class PointSensor(PointEntity, SensorEntity):
    """One number that is read."""

    def __init__(
        self, data: ChillerPlantData, equipment: Equipment, point: Point
    ) -> None:
        """Take unit and class from the role's quantity."""
        super().__init__(data, equipment, point)
        scale = _SCALES[point.role.quantity]
        self._attr_device_class = scale.device_class
        self._attr_state_class = scale.state_class
        self._attr_suggested_display_precision = scale.precision
        self._attr_native_unit_of_measurement = native_unit(point.role.quantity)

    @property
    @override
    def native_value(self) -> float | None:
        """The last reading, unless it cannot be trusted."""
        return self.number


class _FigureSensor(PlantEntity, SensorEntity):
    """A number that is worked out."""

    @property
    @override
    def shown(self) -> Hashable:
        """The number."""
        return self.available, self.native_value


class PerformanceSensor(_FigureSensor):
    """A figure that follows from the points of a chiller, or of the plant."""

    _topics = (PERFORMANCE,)
    entity_description: PerformanceDescription

    def __init__(
        self,
        data: ChillerPlantData,
        chiller: Equipment | None,
        description: PerformanceDescription,
    ) -> None:
        """None stands for the whole plant."""
        super().__init__(data, chiller, description.key)
        self.entity_description = description
        self._chiller = chiller
        if chiller is not None:
            self._attr_translation_key = description.chiller_name or description.key
            self._attr_entity_registry_enabled_default = description.chiller_enabled

    @property
    @override
    def native_value(self) -> float | None:
        """The figure, unknown if a reading that it needs is not good."""
        found: PlantPerformance = self.coordinator.data.performance
        value = self.entity_description.value_fn(
            found.plant if self._chiller is None else found.chillers[self._chiller.key]
        )
        return None if value is None else round(value, 4)


class ComponentPowerSensor(_FigureSensor):
    """What one part of the plant takes."""

    _topics = (PERFORMANCE,)
    _attr_device_class = SensorDeviceClass.POWER
    _attr_native_unit_of_measurement = UnitOfPower.KILO_WATT
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_suggested_display_precision = 1

    def __init__(self, data: ChillerPlantData, component: Component) -> None:
        """Name it by the component."""
        super().__init__(data, None, f"{component.value}_power")
        self._component = component

    @property
    @override
    def native_value(self) -> float | None:
        """The power, unknown if one of its machines' is."""
        value = self.coordinator.data.performance.components[self._component]
        return None if value is None else round(value, 4)


class StageSensor(_FigureSensor):
    """How many chillers run."""

    _attr_state_class = SensorStateClass.MEASUREMENT

    def __init__(self, data: ChillerPlantData) -> None:
        """Watch the chillers."""
        super().__init__(data, None, "stage")
        self._points = tuple(
            chiller.points["run_status"].key
            for chiller in data.plant.of_type(EquipmentType.CHILLER)
            if "run_status" in chiller.points
        )
        self._topics = self._points

    @property
    @override
    def native_value(self) -> int | None:
        """The count, unknown if the state of one chiller is."""
        running = [self.coordinator.reading(point).good for point in self._points]
        return None if None in running else sum(map(bool, running))


class _CounterSensor(_FigureSensor):
    _topics = (COUNTERS,)
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_state_class = SensorStateClass.TOTAL_INCREASING

    def __init__(self, data: ChillerPlantData, equipment: Equipment, key: str) -> None:
        super().__init__(data, equipment, key)
        counters = data.coordinator.counters
        self._counter = (
            counters.staging(equipment.key)
            if key in STAGING
            else counters[equipment.key]
        )


class RunHoursSensor(_CounterSensor):
    """How long a machine has run."""

    _attr_device_class = SensorDeviceClass.DURATION
    _attr_native_unit_of_measurement = UnitOfTime.HOURS
    _attr_suggested_display_precision = 1

    @property
    @override
    def native_value(self) -> float:
        """Hours, to a hundredth: more would be a new state each reading."""
        return round(self._counter.run_hours, 2)


class StartsSensor(_CounterSensor):
    """How often a machine has started."""

    @property
    @override
    def native_value(self) -> int:
        """The count."""
        return self._counter.starts


class CommandOwnerSensor(PlantEntity, SensorEntity):
    """Who commands a machine: the first of those who command its points."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset({"points"})

    def __init__(self, data: ChillerPlantData, equipment: Equipment) -> None:
        """Watch the points that take commands."""
        super().__init__(data, equipment, "command_owner")
        self._points = {
            role: point
            for role, point in equipment.points.items()
            if commandable(point)
        }
        self._topics = tuple(
            command_topic(point.key) for point in self._points.values()
        )

    @property
    @override
    def shown(self) -> Hashable:
        """The owner, and all that is known of each command."""
        return (
            self.available,
            self.native_value,
            *(
                value
                for point in self._points.values()
                for value in self._described(point).values()
            ),
        )

    @property
    @override
    def native_value(self) -> str:
        """The owner's name, `nobody` while the equipment is on its own."""
        desk = self.coordinator.desk
        statuses = (desk.status(point.key) for point in self._points.values())
        owned = [status for status in statuses if status.owner is not None]
        if not owned:
            return "nobody"
        first = max(owned, key=lambda status: status.priority or 1000)
        return owner_name(self.hass, str(first.owner))

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """What is held back, and each commanded point with its owner."""
        holds = map(self.coordinator.hold, self._points.values())
        return {
            "hold": next(filter(None, holds), None),
            "points": {
                role: self._described(point) for role, point in self._points.items()
            },
        }

    def _described(self, point: Point) -> dict[str, Any]:
        status = self.coordinator.desk.status(point.key)
        return {
            "owner": status.owner,
            "priority": status.priority,
            "value": status.value,
            "on_wire": status.on_wire,
            "reason": status.reason,
            "since": status.since,
            "lease_end": status.lease_end,
            "hold": self.coordinator.hold(point),
        }


def owner_name(hass: HomeAssistant, source: str) -> str:
    """Return who a source is: an automation by its name."""
    if source != OPERATOR and (state := hass.states.get(source)) is not None:
        return state.name[:255]
    return source[:255]
