"""Days of the site in virtual time, each with or without an event.

Days go by side by side, each a scenario with a command desk and controllers of its
own, as in the energy benchmark. What is kept is what a recorder would have: the
meter and the weather station once a minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
import gc

import numpy as np

from benchmarks.energy_parts.closed_loop import ClosedLoop, Guest, plan_of
from benchmarks.energy_parts.controls import CONTROL_INTERVAL, CONTROLS
from custom_components.chiller_plant.plant.demand_response.outdoor_air import MEASURED
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.roles import EquipmentType
from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.weather_series import DAY, WeatherSeries
from custom_components.chiller_plant.simulator.worlds import Worlds

from .site import METER, WEATHER

WARM_UP = 36 * 3600.0
"""Seconds before midnight with which a day begins, so that it does not matter from
what: after 12 hours the structure still makes 2 % of the next day's load."""
_CONTROL = "guideline36"
_INNER_STEP = 10.0


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of one scenario, a row each minute."""

    time: Array
    """Epoch seconds, local time taken for UTC."""
    meter: Array
    """kW."""
    zones: Array
    """°C, a column each zone."""
    outdoor: Array
    """What the weather station measures, a column each of `MEASURED`."""

    def outside(self, since: float, until: float) -> list[float]:
        """Return the mean weather, in the order of `MEASURED`."""
        seen = (self.time > since) & (self.time <= until)
        means: list[float] = self.outdoor[seen].mean(axis=0).tolist()
        return means

    def mean(self, since: float, until: float) -> float:
        """Return the mean load, kW."""
        # A row is what was read at the end of its minute.
        seen = (self.time > since) & (self.time <= until)
        return float(self.meter[seen].mean())


def watch(
    plant: Plant,
    weather: WeatherSeries,
    starts: Sequence[float],
    days: int,
    guests: Mapping[int, Guest],
    *,
    warm_up: float = WARM_UP,
) -> list[Watched]:
    """Run scenarios from the midnights `starts` on; `guests` sit in some of them."""
    plan = plan_of(plant, CONTROLS[_CONTROL](plant))
    worlds = Worlds(
        plant,
        np.array(starts) - warm_up,
        weather,
        longest_step=_INNER_STEP,
    )
    loops = [
        ClosedLoop(plant, plan, [guests[index]] if index in guests else [])
        for index in range(len(starts))
    ]
    # Guests read more than the others.
    columns = [loop.columns for loop in loops]
    zones = tuple(
        f"{item.key}.temperature" for item in plant.of_type(EquipmentType.ZONE)
    )
    steps = round((warm_up + days * DAY) / CONTROL_INTERVAL)
    read = (METER, *(f"{WEATHER}.{role}" for role in MEASURED), *zones)
    inside = 2 + len(MEASURED)
    seen = np.zeros((len(starts), steps, 1 + len(read)))
    gc.collect()
    gc.disable()
    try:
        for step in range(steps):
            worlds.advance(CONTROL_INTERVAL)
            times = worlds.time
            seen[:, step, 0] = times
            seen[:, step, 1:] = worlds.read(read)
            for kind in {item.keys: item for item in columns}.values():
                rows = kind.rows(worlds)
                for index, loop in enumerate(loops):
                    if columns[index].keys == kind.keys:
                        give = partial(worlds.command, index)
                        loop.step(float(times[index]), rows[index], give)
    finally:
        gc.enable()
    return [
        Watched(
            seen[index, :, 0],
            seen[index, :, 1],
            seen[index, :, inside:],
            seen[index, :, 2:inside],
        )
        for index in range(len(starts))
    ]
