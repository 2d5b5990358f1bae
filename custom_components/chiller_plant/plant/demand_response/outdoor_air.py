"""What the weather did to a building's load, hour by hour.

A building answers to the air outside now and to that of the hours before, which its
structure and its moisture remember; so each quantity counts twice.
"""

from collections.abc import Mapping
from math import exp
from statistics import fmean

from ..hourly import HOUR

TEMPERATURE = "outdoor_temperature"
HUMIDITY = "relative_humidity"
WET_BULB = "wet_bulb_temperature"
SUN = "solar_irradiance"
MEASURED = (TEMPERATURE, HUMIDITY, WET_BULB, SUN)
"""The roles of a weather station that are looked at."""

_REMEMBERED = 12
"""Hours."""
_LEAST_KNOWN = 9
"""Of those."""

type Weather = tuple[float, ...]
"""Each quantity of an hour, and its mean over the hours until then."""


def enthalpy(temperature: float, relative_humidity: float) -> float:
    """Return the enthalpy of air, kJ/kg, from °C and %; at sea level.

    ASHRAE Handbook Fundamentals, chapter 1; saturation after Tetens.
    """
    vapour = (
        0.6108
        * exp(17.2755 * temperature / (temperature + 237.3))
        * min(max(relative_humidity, 0.0), 100.0)
        / 100.0
    )
    ratio = 0.621945 * vapour / (101.325 - vapour)
    return 1.006 * temperature + ratio * (2501.0 + 1.86 * temperature)


def weather_by_hour(
    measured: Mapping[str, Mapping[float, float]],
) -> dict[float, Weather]:
    """Return the weather of each hour, by when it began (epoch seconds).

    `measured` are hourly means by role, °C, % and W/m². Moist air counts by its
    enthalpy where that is known, otherwise by its temperature. An hour in which
    a quantity that is measured here is not known is left out.
    """
    nothing: Mapping[float, float] = {}
    dry = measured.get(TEMPERATURE, nothing)
    moist = measured.get(HUMIDITY, nothing)
    wet = measured.get(WET_BULB, nothing)
    sun = measured.get(SUN, nothing)
    if dry and moist:
        air = {at: enthalpy(dry[at], moist[at]) for at in dry.keys() & moist.keys()}
    elif wet:
        # Lines of one wet bulb nearly are those of one enthalpy.
        air = {at: enthalpy(degrees, 100.0) for at, degrees in wet.items()}
    else:
        air = dict(dry)
    found: dict[float, Weather] = {}
    series = [item for item in (air, sun) if item]
    for at in series[0] if series else ():
        row: list[float] = []
        for item in series:
            before = [
                item[hour]
                for back in range(_REMEMBERED)
                if (hour := at - back * HOUR) in item
            ]
            if at not in item or len(before) < _LEAST_KNOWN:
                break
            row += item[at], fmean(before)
        else:
            found[at] = tuple(row)
    return found
