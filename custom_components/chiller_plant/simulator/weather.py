"""Outdoor air: what the towers reject into and what loads the zones."""

from dataclasses import dataclass
from functools import cached_property
from math import cos, exp, pi

ATMOSPHERE = 101.325
"""Air pressure, kPa."""

WARMEST_HOUR = 15.0
SECONDS_A_DAY = 86_400.0
SECONDS_AN_HOUR = 3_600.0


def saturation_pressure(temperature: float) -> float:
    """Return the saturation pressure of water vapour in kPa (Magnus)."""
    return 0.61094 * exp(17.625 * temperature / (temperature + 243.04))


def humidity_ratio(vapour_pressure: float) -> float:
    """Return kg of water per kg of dry air at a vapour pressure in kPa."""
    return 0.622 * vapour_pressure / (ATMOSPHERE - vapour_pressure)


def enthalpy(temperature: float, dew_point: float) -> float:
    """Return the enthalpy of moist air in kJ per kg of dry air."""
    ratio = humidity_ratio(saturation_pressure(min(dew_point, temperature)))
    return 1.006 * temperature + ratio * (2501.0 + 1.86 * temperature)


def wet_bulb(temperature: float, dew_point: float) -> float:
    """Return the wet-bulb temperature in °C (psychrometer equation)."""
    low, high = min(dew_point, temperature), temperature
    vapour = saturation_pressure(low)
    for _ in range(24):
        middle = 0.5 * (low + high)
        seen = saturation_pressure(middle) - 6.62e-4 * ATMOSPHERE * (
            temperature - middle
        )
        if seen < vapour:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@dataclass(frozen=True)
class OutdoorAir:
    """The air outside, temperatures in °C."""

    dry_bulb: float
    dew_point: float

    @cached_property
    def wet_bulb(self) -> float:
        """Wet-bulb temperature, °C."""
        return wet_bulb(self.dry_bulb, self.dew_point)

    @cached_property
    def relative_humidity(self) -> float:
        """Relative humidity, %."""
        vapour = saturation_pressure(min(self.dew_point, self.dry_bulb))
        return 100.0 * vapour / saturation_pressure(self.dry_bulb)

    @cached_property
    def enthalpy(self) -> float:
        """Enthalpy, kJ per kg of dry air."""
        return enthalpy(self.dry_bulb, self.dew_point)


class Weather:
    """A day like every other: a sinusoid around a mean, one dew point.

    `fixed` holds the air as it is.
    """

    def __init__(
        self,
        mean_temperature: float = 29.0,
        daily_swing: float = 4.0,
        dew_point: float = 24.0,
    ) -> None:
        """Take °C, the amplitude in K, and °C."""
        self.mean_temperature = mean_temperature
        self.daily_swing = daily_swing
        self.dew_point = dew_point
        self.mean = OutdoorAir(mean_temperature, min(dew_point, mean_temperature))
        """The air of an average hour."""
        self.fixed: OutdoorAir | None = None
        self._minute = -1
        self._air = self.mean

    def at(self, time: float) -> OutdoorAir:
        """Return the air of a minute, by local time in seconds since midnight."""
        if self.fixed is not None:
            return self.fixed
        minute = int(time // 60.0)
        if minute != self._minute:
            self._minute = minute
            hour = minute / 60.0 % 24.0
            dry_bulb = self.mean_temperature + self.daily_swing * cos(
                2.0 * pi * (hour - WARMEST_HOUR) / 24.0
            )
            self._air = OutdoorAir(dry_bulb, min(self.dew_point, dry_bulb))
        return self._air
