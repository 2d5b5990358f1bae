"""What a plant can do to use less, from its plant file and what people decided.

A measure is a row for the control engine (`control/demand_response/measures.py`).
What one brings is an estimate to begin with; the loop against the meter has the
last word.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..plant.arbiter import commandable
from ..plant.model import Equipment, ModbusAddress, Plant, Point, PointKey
from ..plant.roles import EquipmentType
from .settings import (
    BATTERY,
    CHILLED_WATER,
    CIRCUIT,
    DEMAND_LIMIT,
    THERMAL_STORAGE,
    ZONE,
    DemandResponseSettings,
    KindSettings,
)

_USUAL_EFFICIENCY = 5.0
"""Cooling a kW of electricity where the plant file does not say."""
_ZONE_SHARE = 0.1
"""Share of a zone's electricity for cooling that 1 K brings for the first hours,
while what is stored in the building is used up."""
_WATER_SHARE = 0.03
"""Share of the chillers' power that 1 K of warmer chilled water brings."""
_LIMITED_SHARE = 0.7
"""Share of its power at which a chiller usually runs: limits above bring nothing."""

type Row = dict[str, Any]


def measures(
    plant: Plant, settings: DemandResponseSettings, powers: Mapping[str, float]
) -> list[Row]:
    """Return the measures that may be used, by order.

    `powers` are what circuits took when they last ran, kW, by equipment.
    """
    rows = [
        row
        for kind, build in _BUILDERS.items()
        if settings.kinds[kind].use
        for row in build(plant, settings, settings.kinds[kind], powers)
        if row["capacity_kw"] > 0.0
    ]
    return sorted(rows, key=lambda row: (row["order"], row["key"]))


def points_of(row: Row) -> Iterator[PointKey]:
    """Return the points that a measure commands or looks at."""
    yield from row["points"]
    yield from row["loads"]
    if row["charge"] is not None:
        yield row["charge"]
    for comfort in row["comfort"]:
        yield comfort["point"]


def _comes_back(point: Point) -> bool:
    """Whether a point may be commanded for a while: nothing is left in it afterwards.

    A Modbus register without a release value keeps what was last written: a circuit
    would stay off, and a setpoint would be a little higher after each event.
    """
    return commandable(point) and (
        point.release is not None or not isinstance(point.address, ModbusAddress)
    )


def precooled_zones(plant: Plant) -> list[dict[str, PointKey]]:
    """Return the zones that can be cooled ahead of an event."""
    return [
        {
            "name": zone.name,
            "setpoint": zone.points["temperature_setpoint"].key,
            "temperature": zone.points["temperature"].key,
        }
        for zone in _zones(plant)
    ]


def _row(
    kind: str,
    chosen: KindSettings,
    of: Equipment | None,
    name: str,
    does: str,
    points: list[Point],
    capacity: float,
    **more: Any,
) -> Row:
    return {
        "key": kind if of is None else f"{kind}:{of.key}",
        "name": name,
        "kind": does,
        "points": [point.key for point in points],
        "order": chosen.order,
        "capacity_kw": round(
            capacity if chosen.capacity_kw is None else chosen.capacity_kw, 1
        ),
        "levels": chosen.levels,
        "step": chosen.step,
        "bound": chosen.bound,
        "comfort": [],
        "own_zone": False,
        "charge": None,
        "reserve": chosen.reserve,
        "loads": [],
        "least_on": chosen.least_on,
        "longest_on": chosen.longest_on,
        "recovery": chosen.recovery,
        **more,
    }


def _circuits(
    plant: Plant,
    settings: DemandResponseSettings,
    chosen: KindSettings,
    powers: Mapping[str, float],
) -> Iterator[Row]:
    for circuit in plant.of_type(EquipmentType.SHEDDABLE_CIRCUIT):
        command = circuit.points.get("run_command")
        if command is None or not _comes_back(command):
            continue
        power = circuit.ratings.get("power", powers.get(circuit.key, 0.0))
        yield _row(
            CIRCUIT, chosen, circuit, f"{circuit.name} off", "switch_off", [command], power,
            levels=1, step=0.0, bound=None,
        )  # fmt: skip


def _zone_setpoints(
    plant: Plant,
    settings: DemandResponseSettings,
    chosen: KindSettings,
    powers: Mapping[str, float],
) -> Iterator[Row]:
    zones = _zones(plant)
    # Once for all: a campus has a thousand zones, and this is asked for often.
    efficiency = _efficiency(plant)
    share = _cooling_capacity(plant) / max(len(zones), 1)
    for zone in zones:
        load = zone.ratings.get("cooling_load", share)
        yield _row(
            ZONE,
            chosen,
            zone,
            f"{zone.name} warmer",
            "raise",
            [zone.points["temperature_setpoint"]],
            load / efficiency * _ZONE_SHARE * chosen.step,
            comfort=[_comfort(zone, settings)],
            own_zone=True,
        )


def _water(
    plant: Plant,
    settings: DemandResponseSettings,
    chosen: KindSettings,
    powers: Mapping[str, float],
) -> Iterator[Row]:
    role = "chilled_water_supply_temperature_setpoint"
    # The plant's own setpoint goes with those of the chillers: whoever adds
    # chillers for water that is too warm must know that it is meant to be.
    points = [
        point
        for item in plant.of_type(EquipmentType.PLANT, EquipmentType.CHILLER)
        if (point := item.points.get(role)) is not None and _comes_back(point)
    ]
    if any(point.address is not None for point in points):
        yield _row(
            CHILLED_WATER,
            chosen,
            None,
            "Chilled water warmer",
            "raise",
            points,
            _chiller_power(plant) * _LIMITED_SHARE * _WATER_SHARE * chosen.step,
            comfort=[_comfort(zone, settings) for zone in _measured_zones(plant)],
        )


def _limits(
    plant: Plant,
    settings: DemandResponseSettings,
    chosen: KindSettings,
    powers: Mapping[str, float],
) -> Iterator[Row]:
    points = [
        point
        for item in plant.of_type(EquipmentType.CHILLER)
        if (point := item.points.get("demand_limit")) is not None and _comes_back(point)
    ]
    if points:
        yield _row(
            DEMAND_LIMIT,
            chosen,
            None,
            "Chillers limited",
            "limit",
            points,
            _chiller_power(plant) * _LIMITED_SHARE * chosen.step / 100.0,
            loads=[
                item.points["load"].key
                for item in plant.of_type(EquipmentType.CHILLER)
                if "load" in item.points
            ],
            comfort=[_comfort(zone, settings) for zone in _measured_zones(plant)],
        )


def _thermal_storages(
    plant: Plant,
    settings: DemandResponseSettings,
    chosen: KindSettings,
    powers: Mapping[str, float],
) -> Iterator[Row]:
    # Cooling that the chillers need not make.
    yield from _storages(
        plant,
        EquipmentType.THERMAL_STORAGE,
        THERMAL_STORAGE,
        chosen,
        _efficiency(plant),
    )


def _batteries(
    plant: Plant,
    settings: DemandResponseSettings,
    chosen: KindSettings,
    powers: Mapping[str, float],
) -> Iterator[Row]:
    yield from _storages(plant, EquipmentType.BATTERY, BATTERY, chosen, 1.0)


def _storages(
    plant: Plant,
    equipment_type: EquipmentType,
    kind: str,
    chosen: KindSettings,
    per_kw: float,
) -> Iterator[Row]:
    for item in plant.of_type(equipment_type):
        setpoint = item.points.get("discharge_power_setpoint")
        if setpoint is None or not _comes_back(setpoint):
            continue
        most = item.ratings.get("power", setpoint.high or 0.0)
        step = chosen.step or most / chosen.levels
        charge = item.points.get("state_of_charge")
        yield _row(
            kind,
            chosen,
            item,
            f"{item.name} discharging",
            "discharge",
            [setpoint],
            step / per_kw,
            step=round(step, 3),
            bound=None,
            charge=None if charge is None else charge.key,
        )


_BUILDERS: Mapping[
    str,
    Callable[
        [Plant, DemandResponseSettings, KindSettings, Mapping[str, float]],
        Iterator[Row],
    ],
] = {
    CIRCUIT: _circuits,
    ZONE: _zone_setpoints,
    CHILLED_WATER: _water,
    DEMAND_LIMIT: _limits,
    THERMAL_STORAGE: _thermal_storages,
    BATTERY: _batteries,
}


def kinds_of(plant: Plant) -> list[str]:
    """Return the kinds of measures that a plant has equipment for."""
    usual = DemandResponseSettings()
    return [
        kind
        for kind, build in _BUILDERS.items()
        if any(build(plant, usual, usual.kinds[kind], {}))
    ]


def _comfort(zone: Equipment, settings: DemandResponseSettings) -> dict[str, Any]:
    return {"point": zone.points["temperature"].key, "warmest": settings.warmest}


def _measured_zones(plant: Plant) -> list[Equipment]:
    return [
        zone
        for zone in plant.of_type(EquipmentType.ZONE)
        if "temperature" in zone.points
    ]


def _zones(plant: Plant) -> list[Equipment]:
    """Return the zones whose setpoint can be commanded and that are measured."""
    return [
        zone
        for zone in _measured_zones(plant)
        if (point := zone.points.get("temperature_setpoint")) is not None
        and _comes_back(point)
    ]


def _cooling_capacity(plant: Plant) -> float:
    return sum(
        item.ratings.get("cooling_capacity", 0.0)
        for item in plant.of_type(EquipmentType.CHILLER)
    )


def _chiller_power(plant: Plant) -> float:
    """Return the chillers' rated electric power together, kW."""
    return sum(
        item.ratings.get(
            "power",
            item.ratings.get("cooling_capacity", 0.0)
            / item.ratings.get("coefficient_of_performance", _USUAL_EFFICIENCY),
        )
        for item in plant.of_type(EquipmentType.CHILLER)
    )


def _efficiency(plant: Plant) -> float:
    """Return the rated cooling for each kW of electricity."""
    power = _chiller_power(plant)
    return _cooling_capacity(plant) / power if power else _USUAL_EFFICIENCY
