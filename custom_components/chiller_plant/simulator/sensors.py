"""What each role of the vocabulary shows of the simulated machines.

A row a role: a new role in `plant/roles.py` is a new row here.
"""

from collections.abc import Callable, Mapping

from ..plant.model import Value
from ..plant.roles import EquipmentType
from .drive import Drive
from .machines import Machines

type _Sensor = Callable[[Machines, str], Value]


def _drive_rows(drive: Callable[[Machines, str], Drive]) -> dict[str, _Sensor]:
    return {
        "run_status": lambda m, k: drive(m, k).running,
        "alarm": lambda m, k: drive(m, k).alarm,
        "power": lambda m, k: drive(m, k).power,
        "speed": lambda world, key: 100.0 * drive(world, key).speed,
        "remote_mode": lambda _m, _k: True,
    }


_PUMP = _drive_rows(lambda m, k: m.model.pumps[k])

_SENSORS: Mapping[EquipmentType, Mapping[str, _Sensor]] = {
    EquipmentType.PLANT: {
        "chilled_water_supply_temperature": lambda m, _: (
            m.model.supply.inlet_temperature
        ),
        "chilled_water_return_temperature": lambda m, _: (
            m.model.return_main.outlet_temperature
        ),
        "chilled_water_flow": lambda m, _: m.model.distribution.flow,
        "chilled_water_differential_pressure": lambda m, _: (
            m.model.distribution.differential_pressure
        ),
        "condenser_water_supply_temperature": lambda m, _: (
            m.model.condenser_supply.outlet_temperature
        ),
        "condenser_water_return_temperature": lambda m, _: (
            m.model.condenser_return.outlet_temperature
        ),
    },
    EquipmentType.CHILLER: {
        "run_status": lambda m, k: m.model.chillers[k].running,
        "alarm": lambda m, k: m.model.chillers[k].alarm,
        "power": lambda m, k: m.model.chillers[k].power,
        "chilled_water_supply_temperature": lambda m, k: (
            m.model.chillers[k].supply_temperature
        ),
        "chilled_water_return_temperature": lambda m, _: (
            m.model.primary_return.outlet_temperature
        ),
        "chilled_water_flow": lambda m, k: m.model.chilled_flows[k],
        "chilled_water_flow_status": lambda m, k: (
            m.model.chillers[k].evaporator_switch.made
        ),
        "condenser_water_entering_temperature": lambda m, _: (
            m.model.condenser_supply.outlet_temperature
        ),
        "condenser_water_leaving_temperature": lambda m, k: (
            m.model.chillers[k].condenser_leaving_temperature
        ),
        "condenser_water_flow_status": lambda m, k: (
            m.model.chillers[k].condenser_switch.made
        ),
        "load": lambda m, k: 100.0 * m.model.chillers[k].load,
        "remote_mode": lambda _m, _k: True,
    },
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP: _PUMP,
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP: _PUMP,
    EquipmentType.CONDENSER_WATER_PUMP: _PUMP,
    EquipmentType.COOLING_TOWER: {
        **_drive_rows(lambda m, k: m.model.towers[k].fan),
        "leaving_water_temperature": lambda m, k: m.model.towers[k].leaving_temperature,
    },
    EquipmentType.VALVE: {
        "open_status": lambda m, k: m.model.valves[k].is_open,
        "position": lambda m, k: 100.0 * m.model.valves[k].position,
    },
    EquipmentType.ZONE: {
        "temperature": lambda m, k: m.model.zones[k].temperature,
        "relative_humidity": lambda m, k: m.model.zones[k].relative_humidity,
        "cooling_valve_position": lambda m, k: 100.0 * m.model.zones[k].valve,
        "supply_air_temperature": lambda m, k: m.model.zones[k].supply_air_temperature,
    },
    EquipmentType.HEAT_SOURCE: {
        "run_status": lambda m, k: m.heat_sources[k].running,
        "alarm": lambda _m, _k: False,
        "remote_mode": lambda _m, _k: True,
        "power": lambda m, k: m.heat_sources[k].power,
        "supply_temperature": lambda m, k: m.heat_sources[k].supply_temperature,
    },
    EquipmentType.METER: {
        "power": lambda m, k: m.meters[k].power,
        "energy": lambda m, k: m.meters[k].energy,
        "cooling_power": lambda m, k: m.meters[k].cooling_power,
        "cooling_energy": lambda m, k: m.meters[k].cooling_energy,
    },
    EquipmentType.WEATHER_STATION: {
        "outdoor_temperature": lambda m, _: m.model.outdoor.dry_bulb,
        "relative_humidity": lambda m, _: m.model.outdoor.relative_humidity,
        "wet_bulb_temperature": lambda m, _: m.model.outdoor.wet_bulb,
    },
    EquipmentType.SHEDDABLE_CIRCUIT: {
        "run_status": lambda m, k: m.circuits[k].running,
        "power": lambda m, k: m.circuits[k].power,
    },
}


def readings(machines: Machines, key: str) -> Mapping[str, Value]:
    """Return everything that can be read of one machine, by role."""
    equipment = machines.plant.equipment[key]
    rows = _SENSORS[equipment.type]
    return {
        role: rows[role](machines, key)
        for role, point in equipment.points.items()
        if not point.role.commandable and point.address is not None
    }
