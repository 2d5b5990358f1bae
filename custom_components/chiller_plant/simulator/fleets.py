"""Makes the fleets of a plant from its name plates.

Where the plant file says nothing, usual figures are taken and noted.
"""

from collections.abc import Sequence

import numpy as np

from ..plant.roles import EquipmentType
from .air_side import Boilers
from .arrays import Array
from .chiller_performance import ChillerRating
from .drives import Pumps
from .layout import Layout, SimulationError
from .networks import Circuit
from .settings import SimulationSettings
from .storages import Storages
from .towers import CoolingTowers
from .zones import ZoneSpec

TOWER_STATIC_HEAD = 35.0
"""kPa that the condenser pumps lift the water to the tower's basins."""

_PUMP_FLOW = 60.0
_PUMP_HEAD = 200.0
_PUMP_POWER = 18.0
_TOWER_FLOW = 75.71
_FAN_POWER = 22.0
_ZONE_LOAD = 500.0
_ZONE_AREA = 10.0
"""m² of floor for each kW of cooling."""

_BOILER_AUXILIARY = 2.0
_CIRCUIT_POWER = 50.0
_STORAGE_POWER = 100.0
_STORAGE_HOURS = 2.0
_STORAGE_EFFICIENCY = {
    EquipmentType.BATTERY: 0.88,
    EquipmentType.THERMAL_STORAGE: 0.95,
}
"""Share of what is charged that comes out again."""


def chiller_ratings(
    layout: Layout, settings: SimulationSettings
) -> list[ChillerRating]:
    """Return the name plates of the chillers."""
    usual = ChillerRating()
    items = layout.machines[EquipmentType.CHILLER]
    plates = layout.name_plates
    capacity = plates.array(items, "cooling_capacity", usual.capacity)
    scale = capacity / usual.capacity
    columns = (
        capacity,
        plates.array(
            items, "coefficient_of_performance", usual.coefficient_of_performance
        ),
        plates.array(
            items, "chilled_water_flow", scale * usual.chilled_water_flow, derived=True
        ),
        plates.array(
            items,
            "condenser_water_flow",
            scale * usual.condenser_water_flow,
            derived=True,
        ),
        plates.array(
            items, "minimum_load_ratio", usual.minimum_load_ratio, derived=True
        ),
    )
    rows = np.transpose(columns).tolist()
    return [
        ChillerRating(
            capacity=size,
            coefficient_of_performance=efficiency,
            chilled_water_flow=chilled,
            condenser_water_flow=condenser,
            minimum_load_ratio=least,
            curves=settings.chiller_curves,
            model=settings.chiller_model,
        )
        for size, efficiency, chilled, condenser, least in rows
    ]


def pumps(layout: Layout, kind: EquipmentType, scenarios: int) -> Pumps:
    """Return the pumps of a kind."""
    items = layout.machines[kind]
    plates = layout.name_plates
    return Pumps(
        plates.array(items, "flow", _PUMP_FLOW),
        plates.array(items, "head", _PUMP_HEAD),
        plates.array(items, "power", _PUMP_POWER),
        scenarios,
    )


def chilled_circuit(
    layout: Layout, ratings: Sequence[ChillerRating], fleet: Pumps
) -> Circuit:
    """Return the primary pumps' headers and the chillers on them."""
    groups = layout.chilled_water
    return Circuit(
        fleet,
        groups.pump_index,
        [rating.chilled_water_flow for rating in ratings],
        pump_group=groups.pump_group,
        branch_group=groups.user_group,
    )


def condenser_circuit(
    layout: Layout, ratings: Sequence[ChillerRating], fleet: Pumps
) -> Circuit:
    """Return the condenser pumps' headers and the chillers on them."""
    groups = layout.condenser_water
    return Circuit(
        fleet,
        groups.pump_index,
        [rating.condenser_water_flow for rating in ratings],
        TOWER_STATIC_HEAD,
        pump_group=groups.pump_group,
        branch_group=groups.user_group,
    )


def towers(layout: Layout, scenarios: int, temperature: float) -> CoolingTowers:
    """Return the tower cells, with basins of this temperature."""
    items = layout.machines[EquipmentType.COOLING_TOWER]
    plates = layout.name_plates
    return CoolingTowers(
        plates.array(items, "water_flow", _TOWER_FLOW),
        plates.array(items, "fan_power", _FAN_POWER),
        scenarios,
        temperature,
    )


def zone_specs(layout: Layout) -> list[ZoneSpec]:
    """Return what is known of the zones."""
    items = layout.machines[EquipmentType.ZONE]
    loads = layout.name_plates.array(items, "cooling_load", _ZONE_LOAD)
    areas = layout.name_plates.array(
        items, "floor_area", _ZONE_AREA * loads, derived=True
    )
    specs = []
    for item, load, area in zip(items, loads.tolist(), areas.tolist(), strict=True):
        try:
            specs.append(
                ZoneSpec.from_ratings(
                    {**item.ratings, "cooling_load": load, "floor_area": area}
                )
            )
        except ValueError as error:
            raise SimulationError(
                f"{layout.plant.key}: equipment.{item.key}.ratings: {error}"
            ) from error
    return specs


def boilers(layout: Layout, scenarios: int, heat: float) -> Boilers:
    """Return the heat sources; together they are sized for `heat` kW."""
    items = layout.machines[EquipmentType.HEAT_SOURCE]
    plates = layout.name_plates
    share = max(heat, 1.0) / max(len(items), 1)
    return Boilers(
        plates.array(items, "heating_capacity", share, derived=True),
        plates.array(items, "power", _BOILER_AUXILIARY),
        scenarios,
    )


def circuit_powers(layout: Layout) -> Array:
    """Return the power of the circuits that can be shed, kW."""
    return layout.name_plates.array(
        layout.machines[EquipmentType.SHEDDABLE_CIRCUIT], "power", _CIRCUIT_POWER
    )


def storages(layout: Layout, kind: EquipmentType, scenarios: int) -> Storages:
    """Return the storages of a kind, cold or electric."""
    items = layout.machines[kind]
    plates = layout.name_plates
    power = plates.array(items, "power", _STORAGE_POWER)
    return Storages(
        plates.array(items, "capacity", _STORAGE_HOURS * power),
        power,
        scenarios,
        efficiency=_STORAGE_EFFICIENCY[kind],
    )
