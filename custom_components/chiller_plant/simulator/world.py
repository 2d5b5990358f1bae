"""The simulated plant as its points: commands in, values out.

Servers and the in-process driver see nothing but this: one scenario of `worlds`.
"""

from ..plant.model import Plant, Point, PointKey, Value
from .commands import released_value
from .drives import Fault
from .machines import Machines
from .plant_model import PlantModel
from .weather_series import WeatherSeries
from .worlds import Worlds

LONGEST_STEP = 5.0
"""Seconds; the coils' and the machines' own controllers need no finer."""


class World:
    """One plant, living; its local time is seconds since 1970, midnight."""

    def __init__(
        self, plant: Plant, time: float, *, longest_step: float = LONGEST_STEP
    ) -> None:
        """Begin at a local time. Raise `SimulationError` for an unfit plant."""
        self.plant = plant
        self.worlds = Worlds(plant, [time], longest_step=longest_step)
        """The same, as the only scenario of many."""
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

    @property
    def time(self) -> float:
        """Local time, s."""
        return float(self.worlds.time[0])

    @property
    def machines(self) -> Machines:
        """All that stands in the plant room."""
        return self.worlds.machines

    @property
    def model(self) -> PlantModel:
        """The physics."""
        return self.worlds.model

    def command(self, key: PointKey, value: Value) -> None:
        """Give a machine a command. Raise `KeyError` for no such point."""
        if key not in self.commands:
            raise KeyError(key)
        quantity = self.points[key].role.quantity
        given: Value = bool(value) if quantity.is_boolean else float(value)
        if given != self.commands[key]:
            self.commands[key] = given
            self.worlds.command(0, key, given)

    def advance(self, seconds: float) -> None:
        """Go on for `seconds`, in equal steps that are short enough."""
        self.worlds.advance(seconds)

    def values(self) -> dict[PointKey, Value]:
        """Return every point on a wire, as finely as its device tells it."""
        return self.worlds.values()

    def fix_load(self, share: float | None) -> None:
        """Hold the load of every zone at a share of its rating, or let it go."""
        self.worlds.fix_load(share)

    def fix_weather(self, weather: WeatherSeries | None) -> None:
        """Have other weather than usual, or the usual again."""
        self.worlds.fix_weather(weather)

    def fault(self, equipment: str, fault: Fault) -> None:
        """Give a machine a fault. Raise `KeyError` for one that cannot have it."""
        self.worlds.fault(equipment, fault)
