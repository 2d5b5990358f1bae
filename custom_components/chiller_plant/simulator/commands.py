"""What every machine is told, in columns.

One matrix of all commands of all scenarios; what a machine without such a point
does is in it too, so that the physics never asks whether there is one.
"""

from collections.abc import Mapping

import numpy as np

from ..plant.model import Point, PointKey, Value
from ..plant.roles import ROLES, EquipmentType
from .arrays import Array, Flags
from .layout import Layout

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
"""What a machine does that has no such point: it simply serves. Commands that no
machine hears are not listed."""


def released_value(point: Point) -> Value:
    """Return what a commandable point falls back to with nobody commanding."""
    if point.release is not None:
        return point.release
    return _UNCOMMANDED.get(point.role.name, 0.0)


class Commands:
    """The commands of all machines in all scenarios, in the units of the roles."""

    def __init__(self, layout: Layout, scenarios: int) -> None:
        """Begin with what every point falls back to."""
        self.points: dict[PointKey, int] = {}
        """Column of every point on a wire that takes commands."""
        first: list[float] = []
        blocks: dict[tuple[EquipmentType, str], tuple[int, int]] = {}
        for kind, items in layout.machines.items():
            for role in ROLES[kind].values():
                if not role.commandable:
                    continue
                begin = len(first)
                for item in items:
                    point = item.points.get(role.name)
                    if point is None or point.address is None:
                        first.append(float(_WITHOUT_POINT.get(role.name, 0.0)))
                        continue
                    self.points[point.key] = len(first)
                    first.append(float(released_value(point)))
                blocks[kind, role.name] = (begin, len(first))
        self.matrix: Array = np.tile(np.array(first, dtype=np.float64), (scenarios, 1))
        """(scenarios, commands), true as 1."""
        self.modulating: Flags = np.array(
            [
                "position_command" in item.points and "open_command" not in item.points
                for item in layout.machines[EquipmentType.VALVE]
            ],
            dtype=np.bool_,
        )
        """The valves that have only a position to be told."""
        self._views = {
            place: self.matrix[:, begin:end] for place, (begin, end) in blocks.items()
        }

    def number(self, kind: EquipmentType, role: str) -> Array:
        """Return a command of all machines of a kind, in the unit of its role."""
        return self._views[kind, role]

    def is_on(self, kind: EquipmentType, role: str) -> Flags:
        """Return a true/false command of all machines of a kind."""
        return self._views[kind, role] > 0.5

    def give(self, scenario: int | slice, key: PointKey, value: Value | Array) -> None:
        """Give a command. Raise `KeyError` for a point that takes none."""
        self.matrix[scenario, self.points[key]] = value
