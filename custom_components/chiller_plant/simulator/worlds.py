"""The simulated plant as its points, in many scenarios at once.

Commands in, values out. What serves one plant (`world`) is one scenario of it;
an energy benchmark lets a hundred days go by side by side.
"""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ..plant.model import Plant, PointKey, Value
from .arrays import Array
from .commands import Commands
from .doubts import doubts
from .drives import Fault
from .layout import Columns, Layout
from .machines import Machines
from .plant_model import PlantModel
from .sensors import Sensors
from .settings import read_settings
from .weather_series import WeatherSeries

LONGEST_STEP = 10.0
"""Seconds; nothing that controls in minutes needs finer."""


class Worlds:
    """Scenarios of one plant; local times are seconds since 1970, midnight."""

    def __init__(
        self,
        plant: Plant,
        times: Array | Sequence[float],
        weather: WeatherSeries | None = None,
        *,
        longest_step: float = LONGEST_STEP,
        seed: int = 0,
        complete: bool = False,
    ) -> None:
        """Begin at a local time each, which is how many scenarios there are.

        Without `weather` that of the plant file is taken. `seed` is that of the
        sensors' faults. Raise `SimulationError` for a plant that cannot be
        simulated, with `complete` also for one whose file lacks a rating.
        """
        self.plant = plant
        self.time: Array = np.array(times, dtype=np.float64)
        self.layout = Layout(plant)
        settings = read_settings(plant)
        scenarios = len(self.time)
        self.machines = Machines(
            self.layout, settings, weather or settings.weather(), scenarios
        )
        if complete:
            self.layout.name_plates.require()
        self.commands = Commands(self.layout, scenarios)
        self.sensors = Sensors(self.layout, scenarios, seed)
        self._longest_step = longest_step
        keys = (*self.sensors.points, *self.commands.points)
        self._column = {key: column for column, key in enumerate(keys)}
        self._flags = tuple(
            (key, column)
            for key, column in self._column.items()
            if plant.points[key].role.quantity.is_boolean
        )
        self._read = len(self.sensors.points)
        self._shown: Array = np.zeros((scenarios, len(keys)))
        told = np.array(list(self.commands.points.values()), dtype=np.intp)
        self._shown[:, self._read :] = self.commands.matrix[:, told]
        self._columns: dict[tuple[PointKey, ...], Columns] = {}
        self.model.settle(self.commands)
        self._run(0.0)
        self._looked = False

    # --- time

    @property
    def model(self) -> PlantModel:
        """The physics."""
        return self.machines.model

    def advance(self, seconds: float) -> None:
        """Let all scenarios go on, in equal steps that are short enough."""
        if seconds <= 0.0:
            return
        steps = ceil(seconds / self._longest_step)
        for _ in range(steps):
            self._run(seconds / steps)

    def _run(self, seconds: float) -> None:
        self.machines.step(seconds, self.time, self.commands)
        self.time += seconds
        self._looked = False

    @property
    def assumed(self) -> Mapping[str, float]:
        """The ratings that the plant file does not say, as `chiller_1.power`."""
        return self.layout.name_plates.assumed

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is doubtful about this plant, a sentence each."""
        return doubts(self.layout, self.model)

    # --- points

    def command(self, scenario: int | slice, key: PointKey, value: Value) -> None:
        """Give a machine a command. Raise `KeyError` for a point that takes none."""
        self.commands.give(scenario, key, value)
        self._shown[scenario, self._column[key]] = value

    def command_all(self, key: PointKey, values: Array) -> None:
        """Give each scenario its own command. Raise `KeyError` as `command`."""
        self.commands.give(slice(None), key, values)
        self._shown[:, self._column[key]] = values

    def _look(self) -> Array:
        """Look at the sensors, once a moment."""
        if not self._looked:
            self.sensors.look(self.machines)
            self._shown[:, : self._read] = self.sensors.matrix
            self._looked = True
        return self._shown

    def values(self, scenario: int = 0) -> dict[PointKey, Value]:
        """Return every point on a wire, as finely as its device tells it."""
        row = self._look()[scenario].tolist()
        result: dict[PointKey, Value] = dict(zip(self._column, row, strict=True))
        for key, column in self._flags:
            result[key] = row[column] > 0.5
        return result

    def read(self, keys: Sequence[PointKey]) -> Array:
        """Return points (scenarios, keys), true as 1. Raise `KeyError` for none."""
        wanted = tuple(keys)
        if wanted not in self._columns:
            self._columns[wanted] = np.array(
                [self._column[key] for key in wanted], dtype=np.intp
            )
        return self._look()[:, self._columns[wanted]]

    # --- what has been counted

    @property
    def energy(self) -> Mapping[str, Array]:
        """Electricity since the beginning by component, kWh (scenarios,)."""
        return self.model.energy

    @property
    def power_by_component(self) -> Mapping[str, Array]:
        """Electricity now by component, kW (scenarios,)."""
        return self.model.power_by_component

    @property
    def cooling_load(self) -> Array:
        """Heat that the chilled water brings back now, kW (scenarios,)."""
        return self.model.cooling_load

    @property
    def cooling_energy(self) -> Array:
        """Heat that the chilled water brought back, kWh (scenarios,)."""
        return self.model.cooling_energy

    @property
    def starts(self) -> NDArray[np.int64]:
        """Starts of each chiller (scenarios, chillers)."""
        return self.model.chillers.starts

    @property
    def unmet(self) -> Array:
        """Kelvin hours by which occupied zones were too warm (scenarios,)."""
        total: Array = self.model.zones.unmet_kelvin_hours.sum(axis=1)
        return total

    # --- what can be done to it

    def fix_load(self, share: float | None) -> None:
        """Hold the load of every zone at a share of its rating, or let it go."""
        self.model.fixed_load = share

    def fix_weather(self, weather: WeatherSeries | None) -> None:
        """Have other weather than usual, or the usual again."""
        self.model.fixed_weather = weather

    def fault(
        self, equipment: str, fault: Fault, scenario: int | slice = slice(None)
    ) -> None:
        """Give a machine a fault. Raise `KeyError` for one that cannot have it."""
        self.machines.fault(scenario, equipment, fault)

    def foul(
        self, chiller: str, kelvin: float, scenario: int | slice = slice(None)
    ) -> None:
        """Make a condenser dirty. Raise `KeyError` for what is no chiller."""
        self.machines.foul(scenario, chiller, kelvin)

    def sensor_fault(
        self,
        key: PointKey,
        kind: str,
        amount: float,
        scenario: int | slice = slice(None),
    ) -> None:
        """Let a sensor show something else; see `sensor_faults.KINDS`.

        Raise `KeyError` for a point without a sensor or an unknown kind,
        `ValueError` for an amount that makes no sense. It shows from the next
        step on.
        """
        self.sensors.faults.set(scenario, self.sensors.points[key], kind, amount)

    def repair_sensor(self, key: PointKey, scenario: int | slice = slice(None)) -> None:
        """Let a sensor show the truth. Raise `KeyError` for none."""
        self.sensors.faults.clear(scenario, self.sensors.points[key])
