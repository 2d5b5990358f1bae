"""Outdoor air, hour by hour: what the towers reject into and what loads the zones.

A series is made once, from a typical-year file, a generator or a few numbers;
the model asks it for the air at any times. After its last hour it begins again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from .arrays import Array
from .psychrometrics import (
    ATMOSPHERE,
    enthalpy,
    humidity_ratio_at,
    relative_humidity_at,
    wet_bulb,
)
from .weather_desert import desert_year
from .weather_epw import Gap, WeatherError, read_epw
from .weather_tropical import tropical_year

__all__ = ["DAY", "HOUR", "YEAR_START", "Air", "Gap", "WeatherError", "WeatherSeries"]

HOUR = 3_600.0
DAY = 86_400.0
YEAR_START = 1_767_225_600.0
"""Midnight of 1 January 2026, as local seconds."""

WARMEST_HOUR = 15.0


@dataclass(slots=True)
class Air:
    """The air outside, one element a scenario.

    Temperatures in °C, relative humidity in %, humidity ratio in kg/kg,
    enthalpy in kJ/kg, solar radiation on the horizontal in W/m².
    """

    dry_bulb: Array
    dew_point: Array
    wet_bulb: Array
    relative_humidity: Array
    humidity_ratio: Array
    enthalpy: Array
    solar: Array


class WeatherSeries:
    """Hourly outdoor air that can be asked for at any time."""

    def __init__(
        self,
        dry_bulb: Array,
        dew_point: Array,
        solar: Array,
        *,
        start: float = YEAR_START,
        pressure: Array | float = ATMOSPHERE,
        source: str = "",
        gaps: Sequence[Gap] = (),
    ) -> None:
        """Take hourly °C, °C, W/m², the local seconds of the first hour, and kPa.

        A dew point above the dry bulb counts as saturated air.
        """
        dew_point = np.minimum(dew_point, dry_bulb)
        ratio = humidity_ratio_at(dew_point, pressure)
        air = Air(
            dry_bulb=dry_bulb,
            dew_point=dew_point,
            wet_bulb=wet_bulb(dry_bulb, dew_point, pressure),
            relative_humidity=relative_humidity_at(dry_bulb, dew_point),
            humidity_ratio=ratio,
            enthalpy=enthalpy(dry_bulb, ratio),
            solar=solar,
        )
        self.start = start
        self.source = source
        self.gaps = tuple(gaps)
        """What was missing in the file and is interpolated."""
        self.hourly = air
        """The hours themselves."""
        self._rows = np.array([getattr(air, name) for name in Air.__slots__])
        self.mean = Air(*(row.mean(keepdims=True) for row in self._rows))
        """The air of an average hour, arrays of one element."""

    @property
    def hours(self) -> int:
        """How many hours the series has before it begins again."""
        return int(self._rows.shape[1])

    def at(self, time: Array) -> Air:
        """Return the air at local times in seconds, between hours too."""
        hour = (time - self.start) / HOUR
        whole = np.floor(hour)
        index = whole.astype(np.int64)
        before = self._rows[:, index % self.hours]
        after = self._rows[:, (index + 1) % self.hours]
        return Air(*(before + (hour - whole) * (after - before)))

    @classmethod
    def steady(cls, dry_bulb: float, dew_point: float, solar: float = 0.0) -> Self:
        """Hold the air as it is."""
        hour = np.ones(1)
        return cls(
            dry_bulb * hour, dew_point * hour, solar * hour, source="fixed by hand"
        )

    @classmethod
    def daily(
        cls,
        mean_temperature: float = 29.0,
        daily_swing: float = 4.0,
        dew_point: float = 24.0,
    ) -> Self:
        """Repeat one day: a sinusoid around a mean, one dew point, no clouds.

        Takes °C, the amplitude in K, and °C.
        """
        hour = np.arange(24.0)
        dry_bulb = mean_temperature + daily_swing * np.cos(
            2.0 * np.pi * (hour - WARMEST_HOUR) / 24.0
        )
        sun = 850.0 * np.maximum(0.0, np.sin(np.pi * (hour - 6.0) / 12.0))
        return cls(
            dry_bulb, np.full(24, dew_point), sun, start=0.0, source="a repeated day"
        )

    @classmethod
    def tropical(cls, seed: int = 1) -> Self:
        """Make a hot and humid year; the same seed makes the same year."""
        year = tropical_year(seed)
        return cls(
            year.dry_bulb,
            year.dew_point,
            year.solar,
            source=f"generated tropical year, seed {seed}",
        )

    @classmethod
    def desert(cls, seed: int = 1) -> Self:
        """Make a hot and dry year; the same seed makes the same year."""
        year = desert_year(seed)
        return cls(
            year.dry_bulb,
            year.dew_point,
            year.solar,
            source=f"generated desert year, seed {seed}",
        )

    @classmethod
    def from_epw(cls, path: Path) -> Self:
        """Read a typical year. Raise `WeatherError` for a file that is unfit."""
        year = read_epw(path)
        return cls(
            year.dry_bulb,
            year.dew_point,
            year.solar,
            # The first record is the air at 1 o'clock.
            start=YEAR_START + HOUR,
            pressure=year.pressure,
            source=year.source,
            gaps=year.gaps,
        )
