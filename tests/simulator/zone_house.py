"""A house for the tests of zones: zones, water at a pressure, air outside."""

import numpy as np

from custom_components.chiller_plant.simulator.arrays import Array, Flags
from custom_components.chiller_plant.simulator.weather_series import (
    YEAR_START,
    Air,
    WeatherSeries,
)
from custom_components.chiller_plant.simulator.zones import Zones, ZoneSpec

PRESSURE = 100.0
WARD = ZoneSpec(cooling_load=800.0, floor_area=8000.0)
OUTSIDE = WeatherSeries.steady(28.0, 23.0)
MONDAY = YEAR_START + 4.0 * 86_400.0
"""Midnight before 5 January 2026."""

STEP = 10.0


class House:
    """Zones that always have water at the pressure they are sized for."""

    def __init__(
        self,
        *specs: ZoneSpec,
        scenarios: int = 1,
        weather: WeatherSeries = OUTSIDE,
        water: Array | float = 6.7,
        load: Array | float = 0.7,
    ) -> None:
        """Begin at noon of a Monday; `water` in °C, `load` of the rated one."""
        self.zones = Zones(specs or (WARD,), scenarios, PRESSURE)
        shape = self.zones.temperature.shape
        self.weather = weather
        self.time: Array = np.full(scenarios, MONDAY + 12.0 * 3600.0)
        self.water: Array = np.broadcast_to(water, scenarios).astype(np.float64)
        self.load: Array = np.broadcast_to(load, scenarios).astype(np.float64)
        self.setpoint: Array = np.full(shape, 24.0)
        self.occupied: Flags = np.ones(shape, dtype=np.bool_)
        self.fixed = False
        self.heating: Array | float = 1.0
        self.air: Air = weather.at(self.time)
        self.flow: Array = np.zeros(shape)
        self.worst_residual = 0.0
        """Largest error of any zone's energy balance so far, kW."""
        self.worst_coil = 0.0
        """The same of any coil's."""

    def step(self, seconds: float = STEP) -> None:
        zones = self.zones
        self.air = self.weather.at(self.time)
        self.flow = zones.conductance * np.sqrt(PRESSURE)
        cold = zones.stored_cold.copy()
        zones.step(
            seconds,
            time=self.time,
            setpoint=self.setpoint,
            occupied=self.occupied,
            load_share=self.load,
            weather_factor=np.ones_like(self.load),
            air=self.air,
            water_flow=self.flow,
            water_entering=self.water,
            fixed=self.fixed,
            heating_available=self.heating,
        )
        self.time = self.time + seconds
        self.worst_residual = max(self.worst_residual, np.abs(zones.residual).max())
        coil = zones.water_cooling - zones.cooling
        kept = (zones.stored_cold - cold) / seconds
        self.worst_coil = max(self.worst_coil, np.abs(coil - kept).max())

    def run(self, hours: float, step: float = STEP) -> None:
        for _ in range(round(hours * 3600.0 / step)):
            self.step(step)
