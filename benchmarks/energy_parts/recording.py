"""What is kept of a run: means of five minutes, for figures and pictures.

Energies, starts and unmet kelvin hours are differences of the model's own
counters, so nothing is lost between two looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from custom_components.chiller_plant.plant.model import Plant, PointKey
from custom_components.chiller_plant.plant.roles import EquipmentType
from custom_components.chiller_plant.plant.units import KW_PER_RT
from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.worlds import Worlds

COMPONENTS = (
    "chillers",
    "primary_pumps",
    "secondary_pumps",
    "condenser_pumps",
    "towers",
)
BIN = 300.0
"""Seconds of one mean."""
BINS_AN_HOUR = round(3600.0 / BIN)

_PLANT_POINTS = (
    "chilled_water_supply_temperature",
    "chilled_water_return_temperature",
    "chilled_water_flow",
    "chilled_water_differential_pressure",
    "condenser_water_supply_temperature",
    "condenser_water_return_temperature",
)
_RUNNING = {
    "chillers_running": EquipmentType.CHILLER,
    "cells_running": EquipmentType.COOLING_TOWER,
    "condenser_pumps_running": EquipmentType.CONDENSER_WATER_PUMP,
}
_SPEEDS = {
    "fan_speed": EquipmentType.COOLING_TOWER,
    "condenser_pump_speed": EquipmentType.CONDENSER_WATER_PUMP,
    "secondary_pump_speed": EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
}
_SETPOINT = "chilled_water_supply_temperature_setpoint"


class Recorder:
    """Looks at all scenarios after each step and keeps means."""

    def __init__(self, plant: Plant, worlds: Worlds, seconds: float) -> None:
        """Begin to record a run of at most `seconds`."""
        self._worlds = worlds
        self._chillers = len(plant.of_type(EquipmentType.CHILLER))
        own = plant.of_type(EquipmentType.PLANT)[0].key
        zones = [item.key for item in plant.of_type(EquipmentType.ZONE)]
        keys: list[PointKey] = [f"{own}.{role}" for role in _PLANT_POINTS]
        self._groups: dict[str, slice] = {}

        def group(name: str, points: Sequence[PointKey]) -> None:
            self._groups[name] = slice(len(keys), len(keys) + len(points))
            keys.extend(points)

        for name, kind in _RUNNING.items():
            group(name, [f"{item.key}.run_status" for item in plant.of_type(kind)])
        for name, kind in _SPEEDS.items():
            group(name, [f"{item.key}.speed" for item in plant.of_type(kind)])
        group(_SETPOINT, [f"{plant.of_type(EquipmentType.CHILLER)[0].key}.{_SETPOINT}"])
        group("warmest_zone", [f"{key}.temperature" for key in zones])
        group("widest_valve", [f"{key}.cooling_valve_position" for key in zones])
        group("most_humid_zone", [f"{key}.relative_humidity" for key in zones])
        self._keys = tuple(keys)
        self.names = (
            *COMPONENTS,
            "cooling_load",
            "unmet",
            *(f"starts_{number + 1}" for number in range(self._chillers)),
            "wet_bulb",
            "dry_bulb",
            "air_fans",
            *_PLANT_POINTS,
            *self._groups,
        )
        bins = round(seconds / BIN)
        self._rows = np.full(
            (len(worlds.time), bins, len(self.names)), np.nan, dtype=np.float32
        )
        self._sum = np.zeros((len(worlds.time), len(self.names)))
        self._looks = 0
        self._bin = 0
        self._before = self._counters()

    def _counters(self) -> Array:
        worlds = self._worlds
        return np.column_stack(
            [
                *(worlds.energy[name] for name in COMPONENTS),
                worlds.cooling_energy,
                worlds.unmet,
                worlds.starts,
            ]
        )

    def begin(self) -> None:
        """Count from now on: what was before was warm-up."""
        self._before = self._counters()

    def look(self, elapsed: float) -> None:
        """Take what is seen now; `elapsed` seconds since `begin`."""
        seen = self._worlds.read(self._keys)
        model = self._worlds.model
        columns = [
            model.outdoor.wet_bulb,
            model.outdoor.dry_bulb,
            model.zones.fan_power.sum(axis=1),
            *seen[:, : len(_PLANT_POINTS)].T,
        ]
        for name, part in self._groups.items():
            values = seen[:, part]
            if name in _RUNNING:
                columns.append(values.sum(axis=1))
            elif name in _SPEEDS:
                turning = (values > 1.0).sum(axis=1)
                columns.append(values.sum(axis=1) / np.maximum(turning, 1))
            else:
                columns.append(values.max(axis=1))
        counted = self._before.shape[1]
        self._sum[:, counted:] += np.column_stack(columns)
        self._looks += 1
        if elapsed % BIN > 0.5:
            return
        counters = self._counters()
        change = counters - self._before
        change[:, : len(COMPONENTS) + 1] *= 3600.0 / BIN
        self._sum[:, counted:] /= self._looks
        self._sum[:, :counted] = change
        if self._bin < self._rows.shape[1]:
            self._rows[:, self._bin] = self._sum
        self._before = counters
        self._sum[:] = 0.0
        self._looks = 0
        self._bin += 1

    @property
    def rows(self) -> np.ndarray:
        """The means (scenarios, bins, names), float32."""
        return self._rows


@dataclass(frozen=True)
class Run:
    """One way of control over all its days, in the order of time."""

    control: str
    names: tuple[str, ...]
    time: Array
    """Local seconds at the end of each bin."""
    rows: np.ndarray
    """(bins, names), float32."""
    notices: Mapping[str, int]
    """What the command desks told, by kind."""
    clipped_hours: Mapping[str, float]
    """Hours in which curves were asked for more than was published, by component."""
    wall_seconds: float
    cpu_seconds: float
    memory_mb: float
    """Of all processes together, at most."""

    def __getitem__(self, name: str) -> Array:
        """Return one quantity, in kW, K h, starts, °C, kPa, l/s, % or a number."""
        values: Array = self.rows[:, self.names.index(name)].astype(np.float64)
        return values

    @property
    def days(self) -> float:
        """How many days were counted."""
        return len(self.time) * BIN / 86_400.0

    @property
    def cooling(self) -> float:
        """Heat that the chilled water brought back, kWh."""
        return float(self["cooling_load"].sum() * BIN / 3600.0)

    @property
    def energy(self) -> dict[str, float]:
        """Electricity by component, kWh."""
        return {name: float(self[name].sum() * BIN / 3600.0) for name in COMPONENTS}

    @property
    def kw_per_rt(self) -> dict[str, float]:
        """Electricity over cooling, by component."""
        tons = self.cooling / KW_PER_RT
        return {name: value / tons for name, value in self.energy.items()}

    @property
    def air_fans(self) -> float:
        """Electricity of the air handlers' fans, kWh; no part of the plant's."""
        return float(self["air_fans"].sum() * BIN / 3600.0)

    @property
    def starts(self) -> dict[str, int]:
        """Starts by chiller."""
        return {
            name.replace("starts", "chiller"): round(float(self[name].sum()))
            for name in self.names
            if name.startswith("starts_")
        }

    @property
    def unmet(self) -> float:
        """Kelvin hours by which zones were too warm."""
        return float(self["unmet"].sum())

    def hourly(self, name: str) -> Array:
        """Return the means of whole hours."""
        values = self[name]
        whole = len(values) // BINS_AN_HOUR * BINS_AN_HOUR
        means: Array = values[:whole].reshape(-1, BINS_AN_HOUR).mean(axis=1)
        return means
