"""The simulated plant as its points: commands in, values out.

Servers and the in-process driver see nothing but this.
"""

from collections.abc import Mapping
from math import ceil

from ..plant.model import ModbusAddress, Plant, Point, PointKey, Value
from .drive import Fault
from .machines import Machines
from .sensors import readings
from .weather import OutdoorAir
from .wire_format import from_registers, to_registers

LONGEST_STEP = 4.0
"""Seconds; the coils' and the machines' own controllers need no finer."""

_ANALOG_RESOLUTION = 2
"""Decimals of a BACnet controller's analog objects."""

_UNCOMMANDED: Mapping[str, Value] = {
    "run_command": False,
    "open_command": False,
    "enable_command": True,
    "occupied_command": True,
    "position_command": 0.0,
    "speed_command": 100.0,
    "demand_limit": 100.0,
    "chilled_water_supply_temperature_setpoint": 6.7,
    "chilled_water_differential_pressure_setpoint": 120.0,
    "condenser_water_supply_temperature_setpoint": 29.4,
    "supply_temperature_setpoint": 45.0,
    "temperature_setpoint": 24.0,
}
"""What a machine does that nobody ever commanded, where its point has no
release value."""

_WITHOUT_POINT: Mapping[str, Value] = {
    **_UNCOMMANDED,
    "run_command": True,
    "open_command": True,
    "position_command": 100.0,
}
"""What a machine does that has no such point: it simply serves."""


def released_value(point: Point) -> Value:
    """Return what a commandable point falls back to with nobody commanding."""
    if point.release is not None:
        return point.release
    return _UNCOMMANDED[point.role.name]


class World:
    """One plant, living; its local time is seconds since any midnight."""

    def __init__(self, plant: Plant, time: float) -> None:
        """Begin at a local time. Raise `SimulationError` for an unfit plant."""
        self.plant = plant
        self.time = time
        self.machines = Machines(plant)
        self.model = self.machines.model
        self.points: dict[PointKey, Point] = {
            key: point
            for key, point in plant.points.items()
            if point.address is not None
        }
        """The points on a wire."""
        self.commands: dict[PointKey, Value] = {
            key: released_value(point)
            for key, point in self.points.items()
            if point.role.commandable
        }
        self.model.settle(self)
        self._run(0.0)

    def is_on(self, equipment: str, role: str) -> bool:
        """Return the true/false command that a machine has now."""
        return bool(self.commands.get(f"{equipment}.{role}", _WITHOUT_POINT[role]))

    def number(self, equipment: str, role: str) -> float:
        """Return the command that a machine has now, in the role's unit."""
        return float(self.commands.get(f"{equipment}.{role}", _WITHOUT_POINT[role]))

    def command(self, key: PointKey, value: Value) -> None:
        """Give a machine a command. Raise `KeyError` for no such point."""
        if key not in self.commands:
            raise KeyError(key)
        quantity = self.points[key].role.quantity
        self.commands[key] = bool(value) if quantity.is_boolean else float(value)

    def advance(self, seconds: float) -> None:
        """Go on for `seconds`, in equal steps that are short enough."""
        if seconds <= 0.0:
            return
        steps = ceil(seconds / LONGEST_STEP)
        for _ in range(steps):
            self._run(seconds / steps)

    def _run(self, seconds: float) -> None:
        self.machines.step(seconds, self.time, self)
        self.time += seconds

    def values(self) -> dict[PointKey, Value]:
        """Return every point on a wire, as finely as its device tells it."""
        result: dict[PointKey, Value] = {}
        seen: dict[str, Mapping[str, Value]] = {}
        for key, point in self.points.items():
            if point.role.commandable:
                result[key] = self.commands[key]
                continue
            if point.equipment not in seen:
                seen[point.equipment] = readings(self.machines, point.equipment)
            result[key] = quantised(point, seen[point.equipment][point.role.name])
        return result

    def fix_load(self, share: float | None) -> None:
        """Hold the load of every zone at a share of its rating, or let it go."""
        self.model.fixed_load = share

    def fix_weather(self, air: OutdoorAir | None) -> None:
        """Hold the outdoor air, or let it go."""
        self.machines.weather.fixed = air

    def fault(self, equipment: str, fault: Fault) -> None:
        """Give a machine a fault. Raise `KeyError` for one that has none."""
        self.machines.that_fail[equipment].fault = fault


def quantised(point: Point, value: Value) -> Value:
    """Return a value as finely as its point's device can tell it."""
    if isinstance(value, bool):
        return value
    if isinstance(point.address, ModbusAddress):
        return from_registers(point, to_registers(point, value))
    return round(value, _ANALOG_RESOLUTION)
