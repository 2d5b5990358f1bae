"""What each role of the vocabulary shows of the simulated machines.

A row a role: a new role in `plant/roles.py` is a new row here. All points of all
scenarios are read together into one matrix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType

import numpy as np

from ..plant.model import ModbusAddress, Point, PointKey, RegisterType
from ..plant.roles import EquipmentType
from ..plant.units import to_internal
from .arrays import Array
from .layout import Columns, Layout
from .sensor_faults import SensorFaults
from .wire_format import raw_limits

_ANALOG_STEP = 0.01
"""How finely a BACnet controller's analog objects tell a value."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where the values of a role are, and in how many units of it."""

    fleet: str
    """Of `Machines`."""

    observable: str
    """One of the fleet's `OBSERVABLES`."""

    scale: float = 1.0


def _drive(fleet: str) -> dict[str, Row]:
    return {
        "run_status": Row(fleet, "running"),
        "alarm": Row(fleet, "alarm"),
        "power": Row(fleet, "power"),
        "speed": Row(fleet, "speed", 100.0),
        "remote_mode": Row(fleet, "remote"),
    }


def _storage(fleet: str) -> dict[str, Row]:
    return {
        "run_status": Row(fleet, "running"),
        "power": Row(fleet, "power"),
        "state_of_charge": Row(fleet, "charge", 100.0),
    }


_SUPPLY = "chilled_water_supply_temperature"
_RETURN = "chilled_water_return_temperature"

SENSORS: Mapping[EquipmentType, Mapping[str, Row]] = MappingProxyType(
    {
        EquipmentType.PLANT: {
            _SUPPLY: Row("model", "supply_temperature"),
            _RETURN: Row("model", "return_temperature"),
            "chilled_water_flow": Row("model", "secondary_flow"),
            "chilled_water_differential_pressure": Row(
                "model", "lowest_differential_pressure"
            ),
            "condenser_water_supply_temperature": Row(
                "model", "condenser_supply_temperature"
            ),
            "condenser_water_return_temperature": Row(
                "model", "condenser_return_temperature"
            ),
        },
        EquipmentType.CHILLER: {
            "run_status": Row("model.chillers", "running"),
            "alarm": Row("model.chillers", "alarm"),
            "power": Row("model.chillers", "power"),
            "remote_mode": Row("model", "remote"),
            _SUPPLY: Row("model.chillers", "supply_temperature"),
            _RETURN: Row("model", "primary_return_temperature"),
            "chilled_water_flow": Row("model", "chilled_water_flow"),
            "chilled_water_flow_status": Row(
                "model.chillers", "evaporator_flow_proven"
            ),
            "condenser_water_entering_temperature": Row(
                "model", "condenser_supply_temperature"
            ),
            "condenser_water_leaving_temperature": Row(
                "model.chillers", "condenser_leaving_temperature"
            ),
            "condenser_water_flow_status": Row(
                "model.chillers", "condenser_flow_proven"
            ),
            "load": Row("model.chillers", "load", 100.0),
        },
        EquipmentType.PRIMARY_CHILLED_WATER_PUMP: _drive("model.primary_pumps"),
        EquipmentType.SECONDARY_CHILLED_WATER_PUMP: _drive("model.secondary_pumps"),
        EquipmentType.CONDENSER_WATER_PUMP: _drive("model.condenser_pumps"),
        EquipmentType.COOLING_TOWER: {
            **_drive("model.towers.fans"),
            "leaving_water_temperature": Row("model.towers", "leaving_temperature"),
        },
        EquipmentType.VALVE: {
            "open_status": Row("model.valves", "is_open"),
            "position": Row("model.valves", "position", 100.0),
        },
        EquipmentType.ZONE: {
            "temperature": Row("model.zones", "temperature"),
            "relative_humidity": Row("model.zones", "relative_humidity"),
            "cooling_valve_position": Row("model.zones", "valve", 100.0),
            "supply_air_temperature": Row("model.zones", "supply_air_temperature"),
            "chilled_water_differential_pressure": Row(
                "model", "zone_differential_pressure"
            ),
        },
        EquipmentType.HEAT_SOURCE: {
            "run_status": Row("boilers", "running"),
            "alarm": Row("model", "never"),
            "remote_mode": Row("model", "remote"),
            "power": Row("boilers", "power"),
            "supply_temperature": Row("boilers", "supply_temperature"),
        },
        EquipmentType.METER: {
            "power": Row("meters", "power"),
            "energy": Row("meters", "energy"),
            "cooling_power": Row("meters", "cooling_power"),
            "cooling_energy": Row("meters", "cooling_energy"),
        },
        EquipmentType.WEATHER_STATION: {
            "outdoor_temperature": Row("model.outdoor", "dry_bulb"),
            "relative_humidity": Row("model.outdoor", "relative_humidity"),
            "wet_bulb_temperature": Row("model.outdoor", "wet_bulb"),
            "solar_irradiance": Row("model.outdoor", "solar"),
        },
        EquipmentType.SHEDDABLE_CIRCUIT: {
            "run_status": Row("circuits", "running"),
            "power": Row("circuits", "power"),
        },
        EquipmentType.THERMAL_STORAGE: _storage("tanks"),
        EquipmentType.BATTERY: _storage("batteries"),
    }
)


@dataclass(frozen=True, slots=True)
class _Block:
    """One role of the machines of a kind that have it."""

    read: attrgetter[Array]
    machines: Columns
    scale: float
    first: int
    past: int


class Sensors:
    """All points on a wire that are read, as finely as their devices tell them."""

    def __init__(self, layout: Layout, scenarios: int, seed: int = 0) -> None:
        """Find the points and where their values come from."""
        points: list[Point] = []
        self._blocks: list[_Block] = []
        for kind, items in layout.machines.items():
            for role, row in SENSORS[kind].items():
                having = [
                    (layout.column[item.key], item.points[role])
                    for item in items
                    if role in item.points and item.points[role].address is not None
                ]
                if not having:
                    continue
                self._blocks.append(
                    _Block(
                        attrgetter(f"{row.fleet}.{row.observable}"),
                        np.array([column for column, _ in having], dtype=np.intp),
                        row.scale,
                        len(points),
                        len(points) + len(having),
                    )
                )
                points += [point for _, point in having]
        self.points: Mapping[PointKey, int] = {
            point.key: column for column, point in enumerate(points)
        }
        """Column of every point."""
        self.faults = SensorFaults(
            [point.role.quantity for point in points], scenarios, seed
        )
        self._fineness = Fineness(points)
        self.matrix: Array = np.zeros((scenarios, len(points)))
        """(scenarios, points), true as 1: what the sensors show."""

    def look(self, machines: object) -> None:
        """Read all sensors."""
        true = np.empty_like(self.matrix)
        for block in self._blocks:
            value = block.read(machines)
            if value.ndim == 1:
                value = value[:, np.newaxis]
            elif value.ndim == 2:
                value = value[:, block.machines]
            np.multiply(value, block.scale, out=true[:, block.first : block.past])
        if self.faults.any:
            self.faults.apply(true, self.matrix)
        self.matrix = self._fineness.rounded(true)


class Fineness:
    """How finely the devices of points tell their values."""

    def __init__(self, points: Sequence[Point]) -> None:
        """Take the points, a column each."""
        rows = np.array([_fineness(point) for point in points]).reshape(-1, 4)
        self._origin, self._per_unit, self._lowest, self._highest = rows.T.copy()
        self._floats = np.array(
            [
                column
                for column, point in enumerate(points)
                if isinstance(point.address, ModbusAddress)
                and point.address.type is RegisterType.FLOAT32
                and not point.role.quantity.is_boolean
            ],
            dtype=np.intp,
        )
        self._whole = np.flatnonzero(np.isinf(self._per_unit))
        self._per_unit[self._whole] = 1.0

    def rounded(self, values: Array) -> Array:
        """Return values (scenarios, points) as the devices tell them."""
        raw: Array = values - self._origin
        raw *= self._per_unit
        np.rint(raw, out=raw)
        np.minimum(raw, self._highest, out=raw)
        np.maximum(raw, self._lowest, out=raw)
        raw /= self._per_unit
        raw += self._origin
        if self._whole.size:
            raw[:, self._whole] = values[:, self._whole]
        if self._floats.size:
            raw[:, self._floats] = raw[:, self._floats].astype(np.float32)
        return raw


def _fineness(point: Point) -> tuple[float, float, float, float]:
    """Return origin, steps in a unit, lowest and highest step of a point.

    Infinitely many steps: a floating-point number.
    """
    everything = (-np.inf, np.inf)
    if point.role.quantity.is_boolean:
        return (0.0, 1.0, *everything)
    address = point.address
    if not isinstance(address, ModbusAddress):
        return (0.0, 1.0 / _ANALOG_STEP, *everything)
    limits = raw_limits(point)

    def ours(raw: float) -> float:
        wire = raw * address.scale + address.offset
        return to_internal(point.role.quantity, point.wire_unit, wire)

    origin = ours(0.0)
    if limits is None:
        return (origin, np.inf, *everything)
    per_unit = 1.0 / (ours(1.0) - origin)
    # A step of 0.1 is ten in a unit: so it is shown as 0.3, not as 0.30000000000000004.
    near = round(per_unit)
    return (origin, near if abs(near - per_unit) < 1e-9 else per_unit, *limits)
