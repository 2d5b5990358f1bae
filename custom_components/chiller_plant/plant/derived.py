"""What follows from the points: loads, efficiency, run hours, starts.

A figure is None unless every reading that it needs is good; none is made up
from what is left. Loads and powers are in kW, differences in K, efficiency in
kW/RT (and as COP, kW/kW).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
import math

from .model import Equipment, Plant
from .reading import MISSING, Readings
from .roles import EquipmentType
from .units import KW_PER_RT

# Water at 10 °C and 0.1 MPa, between the supply and return of chilled water
# (IAPWS-95: 999.70 kg/m³, 4.1952 kJ/(kg K)). From 5 to 15 °C the product
# changes by 0.3 %, less than what flow meters are good for.
WATER_DENSITY = 0.99970
"""kg/l."""
WATER_HEAT_CAPACITY = 4.1952
"""kJ/(kg K)."""

# Below this share of the smallest chiller's capacity the quotients say nothing
# of the plant: standby power over noise of the flow meter.
_LOWEST_LOAD_RATIO = 0.05
_LOWEST_LOAD = 10.0  # kW, where no chiller has a rating
_LOWEST_POWER = 0.1  # kW


class Component(StrEnum):
    """The parts of a plant that its power is told apart by."""

    CHILLERS = "chillers"
    PRIMARY_CHILLED_WATER_PUMPS = "primary_chilled_water_pumps"
    SECONDARY_CHILLED_WATER_PUMPS = "secondary_chilled_water_pumps"
    CONDENSER_WATER_PUMPS = "condenser_water_pumps"
    COOLING_TOWERS = "cooling_towers"

    @property
    def equipment_type(self) -> EquipmentType:
        """The type of its equipment."""
        return _COMPONENTS[self]


_COMPONENTS = {
    Component.CHILLERS: EquipmentType.CHILLER,
    Component.PRIMARY_CHILLED_WATER_PUMPS: EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
    Component.SECONDARY_CHILLED_WATER_PUMPS: EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
    Component.CONDENSER_WATER_PUMPS: EquipmentType.CONDENSER_WATER_PUMP,
    Component.COOLING_TOWERS: EquipmentType.COOLING_TOWER,
}


@dataclass(frozen=True, slots=True)
class Performance:
    """How much a chiller, or the plant, cools and what it takes for it."""

    cooling_load: float | None
    """kW."""
    temperature_difference: float | None
    """Return minus supply of the chilled water, K."""
    power: float | None
    """Electric, kW."""
    efficiency: float | None
    """kW/RT; None at loads too small to tell."""
    coefficient_of_performance: float | None

    @property
    def cooling_load_rt(self) -> float | None:
        """The cooling load in tons of refrigeration."""
        return None if self.cooling_load is None else self.cooling_load / KW_PER_RT


@dataclass(frozen=True, slots=True)
class PlantPerformance:
    """The plant, its chillers by key, and the power of its components, kW."""

    plant: Performance
    chillers: Mapping[str, Performance]
    components: Mapping[Component, float | None]
    """Only the components that the plant has."""


def derive(plant: Plant, readings: Readings) -> PlantPerformance:
    """Return what follows from these readings. Never raises for a reading.

    The plant's load is that of a meter with `cooling_power` that measures the
    plant, else that of the plant's own flow and temperatures, else the sum of
    its chillers: which of them, the plant file decides, not the readings.
    """
    chillers = {
        chiller.key: _chiller(plant, chiller, readings)
        for chiller in plant.of_type(EquipmentType.CHILLER)
    }
    components = {
        component: _component_power(plant, plant.of_type(kind), readings)
        for component, kind in _COMPONENTS.items()
        if plant.of_type(kind)
    }
    own = plant.of_type(EquipmentType.PLANT)
    load, difference = _water_side(own[0], readings) if own else (None, None)
    if (meter := _meter(plant, own, "cooling_power")) is not None:
        load = _good(readings, meter, "cooling_power")
    elif not own or not _has_water_side(own[0]):
        load = _sum(performance.cooling_load for performance in chillers.values())
    if (meter := _meter(plant, own, "power")) is not None:
        power = _good(readings, meter, "power")
    else:
        power = _sum(components.values())
    capacities = [
        capacity
        for chiller in plant.of_type(EquipmentType.CHILLER)
        if (capacity := chiller.ratings.get("cooling_capacity", 0.0)) > 0
    ]
    return PlantPerformance(
        plant=_performance(load, difference, power, min(capacities, default=None)),
        chillers=chillers,
        components=components,
    )


def cooling_load(
    flow: float | None, supply: float | None, back: float | None
) -> float | None:
    """Return the heat that water takes up, kW, at least 0.

    `flow` in l/s, `supply` and `back` (return) in °C; None if any is None. A
    return that is colder than the supply is no load (Guideline 36 5.20.4
    limits its required capacity the same way).
    """
    if flow is None or supply is None or back is None:
        return None
    return max(0.0, WATER_DENSITY * WATER_HEAT_CAPACITY * flow * (back - supply))


def _chiller(plant: Plant, chiller: Equipment, readings: Readings) -> Performance:
    load, difference = _water_side(chiller, readings)
    if (meter := _meter(plant, (chiller,), "cooling_power")) is not None:
        load = _good(readings, meter, "cooling_power")
    power = _component_power(plant, (chiller,), readings)
    return _performance(
        load, difference, power, chiller.ratings.get("cooling_capacity")
    )


def _performance(
    load: float | None,
    difference: float | None,
    power: float | None,
    capacity: float | None,
) -> Performance:
    efficiency = cop = None
    lowest = _LOWEST_LOAD_RATIO * capacity if capacity else _LOWEST_LOAD
    if load is not None and power is not None and load >= lowest:
        if power >= _LOWEST_POWER:
            efficiency = power / (load / KW_PER_RT)
            cop = load / power
    return Performance(load, difference, power, efficiency, cop)


def _water_side(
    item: Equipment, readings: Readings
) -> tuple[float | None, float | None]:
    """Return load and temperature difference of a machine's chilled water."""
    flow = _good(readings, item, "chilled_water_flow")
    supply = _good(readings, item, "chilled_water_supply_temperature")
    back = _good(readings, item, "chilled_water_return_temperature")
    difference = None if supply is None or back is None else back - supply
    return cooling_load(flow, supply, back), difference


def _has_water_side(item: Equipment) -> bool:
    return {
        "chilled_water_flow",
        "chilled_water_supply_temperature",
        "chilled_water_return_temperature",
    } <= set(item.points)


def _component_power(
    plant: Plant, equipment: tuple[Equipment, ...], readings: Readings
) -> float | None:
    """Return the power of these machines together, kW.

    A meter goes before the machine's own figure; it may measure several of
    them, but nothing else. None if one of them has neither.
    """
    remaining = {item.key for item in equipment}
    powers: list[float | None] = []
    for meter in plant.of_type(EquipmentType.METER):
        measured = set(meter.measures)
        if measured and measured <= remaining and "power" in meter.points:
            remaining -= measured
            powers.append(_good(readings, meter, "power"))
    powers.extend(
        _good(readings, item, "power") for item in equipment if item.key in remaining
    )
    return _sum(powers)


def _meter(
    plant: Plant, equipment: tuple[Equipment, ...], role: str
) -> Equipment | None:
    """Return the first meter with this point that measures just these."""
    keys = {item.key for item in equipment}
    for meter in plant.of_type(EquipmentType.METER):
        if keys and set(meter.measures) == keys and role in meter.points:
            return meter
    return None


def _good(readings: Readings, item: Equipment, role: str) -> float | None:
    value = readings.get(f"{item.key}.{role}", MISSING).good
    return None if value is None or isinstance(value, bool) else value


def _sum(values: Iterable[float | None]) -> float | None:
    """Return the sum, None for none at all or if any is not known."""
    total = 0.0
    count = 0
    for value in values:
        if value is None:
            return None
        total += value
        count += 1
    return total if count else None


class RunCounter:
    """Run hours and starts of one machine, from its proven state.

    Both are what was certainly seen: time counts only between two readings
    that follow each other within `maximum_gap` seconds, so that an outage, a
    restart or a clock that was set adds nothing; a start is a machine last
    seen off and now seen on.
    """

    def __init__(self, maximum_gap: float) -> None:
        """Start at zero."""
        self._maximum_gap = maximum_gap
        self._run_seconds = 0.0
        self._starts = 0
        self._running: bool | None = None
        self._seen_at: float | None = None
        """When it was last seen; None while it is not known."""

    @property
    def run_hours(self) -> float:
        """Hours that the machine was seen running."""
        return self._run_seconds / 3600

    @property
    def starts(self) -> int:
        """How often it was seen to start."""
        return self._starts

    def observe(self, now: float, running: bool | None) -> None:
        """Take the state at `now` (epoch seconds); None if it is not known."""
        if running is None:
            self._seen_at = None
            return
        if self._running and self._seen_at is not None:
            elapsed = now - self._seen_at
            if 0 < elapsed <= self._maximum_gap:
                self._run_seconds += elapsed
        if running and self._running is False:
            self._starts += 1
        self._running = running
        self._seen_at = now

    def as_dict(self) -> dict[str, object]:
        """Return what must survive a restart, in JSON types."""
        return {
            "run_seconds": self._run_seconds,
            "starts": self._starts,
            "running": self._running,
        }

    def restore(self, data: Mapping[str, object]) -> None:
        """Continue from `as_dict` of before; what makes no sense is left out.

        The time since then is not known, so it is not counted.
        """
        seconds = data.get("run_seconds")
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            if math.isfinite(seconds) and seconds >= 0:
                self._run_seconds = float(seconds)
        starts = data.get("starts")
        if isinstance(starts, int) and not isinstance(starts, bool) and starts >= 0:
            self._starts = starts
        running = data.get("running")
        self._running = running if isinstance(running, bool) else None
        self._seen_at = None
