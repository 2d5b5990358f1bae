"""What a way of control came to, in the form in which all are compared."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.plant.units import KW_PER_RT
from custom_components.chiller_plant.simulator.arrays import Array

from .controls import COLDEST_SUPPLY, WARMEST_SUPPLY
from .optimum import bound
from .recording import COMPONENTS, Run
from .secondary import secondary_table
from .year import weather_of

OPTIMUM = "optimum"
SUPPLIES = np.linspace(COLDEST_SUPPLY, WARMEST_SUPPLY, 7)
"""°C that the bound tries."""


@dataclass(frozen=True)
class Outcome:
    """Energy by component for the cooling that was done; hour by hour too."""

    control: str
    load: Array
    """kW, mean of each hour, at the chilled-water main."""
    wet_bulb: Array
    power: dict[str, Array]
    """kW by component, mean of each hour."""
    run: Run | None = None
    """None: a bound, which nobody drove."""
    left_out: int = 0
    """Hours of a bound in which nothing was feasible."""

    @property
    def cooling(self) -> float:
        """Heat, kWh."""
        return float(self.load.sum())

    @property
    def energy(self) -> float:
        """Electricity, kWh."""
        return float(sum(values.sum() for values in self.power.values()))

    @property
    def kw_per_rt(self) -> dict[str, float]:
        """Electricity over cooling by component."""
        tons = self.cooling / KW_PER_RT
        return {name: float(self.power[name].sum()) / tons for name in COMPONENTS}

    @property
    def total(self) -> float:
        """Electricity over cooling, kW/RT."""
        return sum(self.kw_per_rt.values())

    def details(self) -> dict[str, object]:
        """Return JSON types."""
        told: dict[str, object] = {
            "kwh": {
                name: round(float(self.power[name].sum()), 1) for name in COMPONENTS
            },
            "cooling_kwh": round(self.cooling, 1),
            "kw_per_rt": {key: round(item, 5) for key, item in self.kw_per_rt.items()},
            "infeasible_hours": self.left_out,
        }
        if self.run is not None:
            told |= {
                "unmet_kh": round(self.run.unmet, 3),
                "air_handler_fans_kwh": round(self.run.air_fans, 1),
                "most_humid_zone_mean_percent": round(
                    float(self.run["most_humid_zone"].mean()), 1
                ),
                "most_humid_zone_95th_percent": round(
                    float(np.percentile(self.run["most_humid_zone"], 95)), 1
                ),
                "starts": self.run.starts,
                "notices": dict(self.run.notices),
                "clipped_hours": {
                    key: round(item, 1) for key, item in self.run.clipped_hours.items()
                },
                "wall_s": round(self.run.wall_seconds, 1),
                "cpu_s": round(self.run.cpu_seconds, 1),
                "memory_mb": round(self.run.memory_mb, 1),
            }
        return told


def outcome_of(run: Run) -> Outcome:
    """Return what a run came to."""
    return Outcome(
        run.control,
        run.hourly("cooling_load"),
        run.hourly("wet_bulb"),
        {name: run.hourly(name) for name in COMPONENTS},
        run,
    )


def outcome_of_bound(site: Path, weather: str, run: Run) -> Outcome:
    """Return the least that the loads of a run could have taken."""
    plant = load_plant(site)
    load = run.hourly("cooling_load")
    wet_bulb = run.hourly("wet_bulb")
    table = secondary_table(plant, weather_of(weather, plant), SUPPLIES)
    power, flow = table.at(load)
    found = bound(
        plant,
        load,
        wet_bulb,
        supplies=SUPPLIES,
        secondary_power=power,
        secondary_flow=flow,
    )
    return Outcome(
        OPTIMUM,
        load,
        wet_bulb,
        {name: found.power[name] for name in COMPONENTS},
        left_out=int(np.sum(~found.feasible & (load > 0.0))),
    )
