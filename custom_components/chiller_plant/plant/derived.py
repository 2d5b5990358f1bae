"""What follows from the points: loads, efficiency, run hours, starts.

A figure is None unless every reading that it needs is good; none is made up
from what is left. Loads and powers are in kW, differences in K, efficiency in
kW/RT (and as COP, kW/kW).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
import math

from .model import Equipment, Plant, PointKey
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


class Derivation:
    """What follows from the readings of one plant, and from which.

    The plant's load is that of a meter with `cooling_power` that measures the
    plant, else that of the plant's own flow and temperatures, else the sum of
    its chillers: which of them, the plant file decides, not the readings. So it
    is decided once, and a plant of a thousand zones costs what its machines do.
    """

    def __init__(self, plant: Plant) -> None:
        """Decide where each figure comes from."""
        chillers = plant.of_type(EquipmentType.CHILLER)
        self._chillers = {
            chiller.key: _Sources(
                water=_water_side(chiller),
                load=_meter(plant, (chiller,), "cooling_power"),
                power=_component_power(plant, (chiller,)),
                capacity=chiller.ratings.get("cooling_capacity"),
            )
            for chiller in chillers
        }
        self._components = {
            component: _component_power(plant, equipment)
            for component, kind in _COMPONENTS.items()
            if (equipment := plant.of_type(kind))
        }
        own = plant.of_type(EquipmentType.PLANT)
        capacities = [
            capacity
            for chiller in chillers
            if (capacity := chiller.ratings.get("cooling_capacity", 0.0)) > 0
        ]
        power = _meter(plant, own, "power")
        self._plant = _Sources(
            water=_water_side(own[0]) if own else None,
            load=_meter(plant, own, "cooling_power"),
            power=None if power is None else (power,),
            capacity=min(capacities, default=None),
        )
        self._load_of_chillers = not own or not _has_water_side(own[0])
        used = {key for keys in self._components.values() for key in keys}
        for sources in (self._plant, *self._chillers.values()):
            used |= {*(sources.water or ()), *(sources.power or ()), sources.load or ""}
        self.inputs = frozenset(used & plant.points.keys())
        """The points that anything follows from."""

    def of(self, readings: Readings) -> PlantPerformance:
        """Return what follows from these readings. Never raises for a reading."""
        chillers = {}
        for key, sources in self._chillers.items():
            load, difference = sources.load_and_difference(readings)
            power = _sum(_good(readings, point) for point in sources.power or ())
            chillers[key] = _performance(load, difference, power, sources.capacity)
        components = {
            component: _sum(_good(readings, point) for point in points)
            for component, points in self._components.items()
        }
        own = self._plant
        load, difference = own.load_and_difference(readings)
        if own.load is None and self._load_of_chillers:
            load = _sum(performance.cooling_load for performance in chillers.values())
        if own.power is None:
            power = _sum(components.values())
        else:
            power = _sum(_good(readings, point) for point in own.power)
        return PlantPerformance(
            plant=_performance(load, difference, power, own.capacity),
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


@dataclass(frozen=True, slots=True)
class _Sources:
    """The points that the figures of a chiller, or of the plant, come from."""

    water: tuple[PointKey, PointKey, PointKey] | None
    """Flow, supply and return of its chilled water."""
    load: PointKey | None
    """What measures its load directly; goes before the water."""
    power: tuple[PointKey, ...] | None
    capacity: float | None
    """kW; that of the smallest chiller for the plant."""

    def load_and_difference(
        self, readings: Readings
    ) -> tuple[float | None, float | None]:
        """Return the load, kW, and the temperature difference, K."""
        load = difference = None
        if self.water is not None:
            flow, supply, back = (_good(readings, point) for point in self.water)
            if supply is not None and back is not None:
                difference = back - supply
            load = cooling_load(flow, supply, back)
        if self.load is not None:
            load = _good(readings, self.load)
        return load, difference


def _water_side(item: Equipment) -> tuple[PointKey, PointKey, PointKey]:
    return (
        f"{item.key}.chilled_water_flow",
        f"{item.key}.chilled_water_supply_temperature",
        f"{item.key}.chilled_water_return_temperature",
    )


def _has_water_side(item: Equipment) -> bool:
    return {
        "chilled_water_flow",
        "chilled_water_supply_temperature",
        "chilled_water_return_temperature",
    } <= set(item.points)


def _component_power(
    plant: Plant, equipment: tuple[Equipment, ...]
) -> tuple[PointKey, ...]:
    """Return the points whose sum is the power of these machines, kW.

    A meter goes before the machine's own figure; it may measure several of
    them, but nothing else. One that has neither makes the sum unknown.
    """
    remaining = {item.key for item in equipment}
    powers: list[PointKey] = []
    for meter in plant.of_type(EquipmentType.METER):
        measured = set(meter.measures)
        if measured and measured <= remaining and "power" in meter.points:
            remaining -= measured
            powers.append(f"{meter.key}.power")
    powers.extend(f"{item.key}.power" for item in equipment if item.key in remaining)
    return tuple(powers)


def _meter(
    plant: Plant, equipment: tuple[Equipment, ...], role: str
) -> PointKey | None:
    """Return the point of the first meter with it that measures just these."""
    keys = {item.key for item in equipment}
    for meter in plant.of_type(EquipmentType.METER):
        if keys and set(meter.measures) == keys and role in meter.points:
            return f"{meter.key}.{role}"
    return None


def _good(readings: Readings, point: PointKey) -> float | None:
    value = readings.get(point, MISSING).good
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

    def reset(self) -> None:
        """Count from zero again; a machine that runs goes on running."""
        self._run_seconds = 0.0
        self._starts = 0

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
