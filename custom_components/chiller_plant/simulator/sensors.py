"""What each role of the vocabulary shows of the simulated machines.

A row a role: a new role in `plant/roles.py` is a new row here.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..plant.model import Value
from ..plant.roles import EquipmentType

if TYPE_CHECKING:
    from .drive import Drive
    from .world import World

type _Sensor = Callable[[World, str], Value]


def equipment_power(world: World, key: str) -> float:
    """Return the electrical power of a machine, or of the plant, in kW."""
    model = world.model
    equipment = world.plant.equipment[key]
    match equipment.type:
        case EquipmentType.PLANT:
            return model.power
        case EquipmentType.CHILLER:
            return model.chillers[key].power
        case EquipmentType.COOLING_TOWER:
            return model.towers[key].fan.power
        case EquipmentType.HEAT_SOURCE:
            return world.heat_sources[key].power
        case EquipmentType.SHEDDABLE_CIRCUIT:
            return world.circuits[key].power
    return model.pumps[key].power if key in model.pumps else 0.0


def _drive_rows(drive: Callable[[World, str], Drive]) -> dict[str, _Sensor]:
    return {
        "run_status": lambda world, key: drive(world, key).running,
        "alarm": lambda world, key: drive(world, key).alarm,
        "power": lambda world, key: drive(world, key).power,
        "speed": lambda world, key: 100.0 * drive(world, key).speed,
    }


_PUMP = _drive_rows(lambda world, key: world.model.pumps[key])

_SENSORS: Mapping[EquipmentType, Mapping[str, _Sensor]] = {
    EquipmentType.PLANT: {
        "chilled_water_supply_temperature": lambda w, _: (
            w.model.supply.inlet_temperature
        ),
        "chilled_water_return_temperature": lambda w, _: (
            w.model.return_main.outlet_temperature
        ),
        "chilled_water_flow": lambda w, _: w.model.distribution.flow,
        "chilled_water_differential_pressure": lambda w, _: (
            w.model.distribution.differential_pressure
        ),
        "condenser_water_supply_temperature": lambda w, _: (
            w.model.condenser_supply.outlet_temperature
        ),
        "condenser_water_return_temperature": lambda w, _: (
            w.model.condenser_return.outlet_temperature
        ),
    },
    EquipmentType.CHILLER: {
        "run_status": lambda w, k: w.model.chillers[k].running,
        "alarm": lambda w, k: w.model.chillers[k].alarm,
        "power": lambda w, k: w.model.chillers[k].power,
        "chilled_water_supply_temperature": lambda w, k: (
            w.model.chillers[k].supply_temperature
        ),
        "chilled_water_return_temperature": lambda w, _: (
            w.model.primary_return.outlet_temperature
        ),
        "chilled_water_flow": lambda w, k: w.model.chilled_flows[k],
        "chilled_water_flow_status": lambda w, k: (
            w.model.chillers[k].evaporator_switch.made
        ),
        "condenser_water_entering_temperature": lambda w, _: (
            w.model.condenser_supply.outlet_temperature
        ),
        "condenser_water_leaving_temperature": lambda w, k: (
            w.model.chillers[k].condenser_leaving_temperature
        ),
        "condenser_water_flow_status": lambda w, k: (
            w.model.chillers[k].condenser_switch.made
        ),
        "load": lambda w, k: 100.0 * w.model.chillers[k].load,
        "remote_mode": lambda _w, _k: True,
    },
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP: _PUMP,
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP: _PUMP,
    EquipmentType.CONDENSER_WATER_PUMP: _PUMP,
    EquipmentType.COOLING_TOWER: {
        **_drive_rows(lambda world, key: world.model.towers[key].fan),
        "leaving_water_temperature": lambda w, k: w.model.towers[k].leaving_temperature,
    },
    EquipmentType.VALVE: {
        "open_status": lambda w, k: w.model.valves[k].is_open,
        "position": lambda w, k: 100.0 * w.model.valves[k].position,
    },
    EquipmentType.ZONE: {
        "temperature": lambda w, k: w.model.zones[k].temperature,
        "relative_humidity": lambda w, k: w.model.zones[k].relative_humidity,
        "cooling_valve_position": lambda w, k: 100.0 * w.model.zones[k].valve,
        "supply_air_temperature": lambda w, k: w.model.zones[k].supply_air_temperature,
    },
    EquipmentType.HEAT_SOURCE: {
        "run_status": lambda w, k: w.heat_sources[k].running,
        "alarm": lambda _w, _k: False,
        "power": lambda w, k: w.heat_sources[k].power,
        "supply_temperature": lambda w, k: w.heat_sources[k].supply_temperature,
    },
    EquipmentType.METER: {
        "power": lambda w, k: w.meters[k].power,
        "energy": lambda w, k: w.meters[k].energy,
        "cooling_power": lambda w, k: w.meters[k].cooling_power,
        "cooling_energy": lambda w, k: w.meters[k].cooling_energy,
    },
    EquipmentType.WEATHER_STATION: {
        "outdoor_temperature": lambda w, _: w.model.outdoor.dry_bulb,
        "relative_humidity": lambda w, _: w.model.outdoor.relative_humidity,
        "wet_bulb_temperature": lambda w, _: w.model.outdoor.wet_bulb,
    },
    EquipmentType.SHEDDABLE_CIRCUIT: {
        "run_status": lambda w, k: w.circuits[k].running,
        "power": lambda w, k: w.circuits[k].power,
    },
}


def readings(world: World, key: str) -> Mapping[str, Value]:
    """Return everything that can be read of one machine, by role."""
    equipment = world.plant.equipment[key]
    rows = _SENSORS[equipment.type]
    return {
        role: rows[role](world, key)
        for role, point in equipment.points.items()
        if not point.role.commandable and point.address is not None
    }
