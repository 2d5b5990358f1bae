"""A hot and dry year of weather with a mild winter, made from a seed.

The other end of what towers are built for: the wet bulb is low, and moves
through 15 K in a year where the tropics move through 7. What suits one climate
only shows here. Months have the temperatures of Riyadh.
"""

from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .psychrometrics import dew_point_of
from .weather_noise import (
    HOURS_A_YEAR,
    clear_sky,
    day_shape,
    persistent,
    persistent_days,
)

# Riyadh, 1985 to 2010: mean daily maximum, mean and mean daily minimum in °C, and
# mean relative humidity in %, by month (Presidency of Meteorology and
# Environment of Saudi Arabia, surface annual climatological report; Jeddah
# Regional Climate Centre South West Asia; whole degrees).
MAXIMA = (20, 23, 28, 33, 39, 43, 43, 44, 41, 36, 28, 22)
MEANS = (14, 17, 22, 27, 33, 36, 37, 37, 33, 28, 22, 16)
MINIMA = (9, 11, 15, 21, 26, 28, 29, 29, 26, 21, 16, 11)
HUMIDITIES = (47, 36, 32, 28, 17, 11, 10, 12, 14, 20, 36, 47)

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LATITUDE = 24.7
_LEAST_DEPRESSION = 0.3
"""K between dry bulb and dew point."""


@dataclass(frozen=True, slots=True)
class DesertYear:
    """Hourly °C, °C and W/m² on the horizontal from midnight of 1 January."""

    dry_bulb: Array
    dew_point: Array
    solar: Array


def desert_year(seed: int) -> DesertYear:
    """Return the year that belongs to a seed."""
    random = np.random.default_rng(seed)
    hour = np.arange(HOURS_A_YEAR, dtype=np.float64)
    shape = day_shape(hour)
    span = np.ptp(shape[:24])
    swing = _through_the_year(
        [(high - low) / span for high, low in zip(MAXIMA, MINIMA, strict=True)]
    )
    mean = _through_the_year(MEANS)
    days = 2.0 * persistent_days(random, 0.7)
    dry_bulb = mean + swing * shape + days
    dry_bulb += 0.4 * persistent(random, HOURS_A_YEAR, 0.75)
    # The moisture is the month's, whatever the hour: it comes and goes with winds.
    usual = dew_point_of(np.array(MEANS, dtype=np.float64), np.array(HUMIDITIES) / 100)
    dew_point = _through_the_year(usual.tolist())
    dew_point += 3.0 * persistent_days(random, 0.75)
    dew_point += 0.8 * persistent(random, HOURS_A_YEAR, 0.85)
    # Few clouds, most of them in winter when the air is moist.
    haze = 1.0 / (1.0 + np.exp(2.2 - 0.9 * persistent_days(random, 0.5)))
    return DesertYear(
        dry_bulb=dry_bulb,
        dew_point=np.minimum(dew_point, dry_bulb - _LEAST_DEPRESSION),
        solar=clear_sky(hour, _LATITUDE) * (1.0 - 0.75 * haze),
    )


def _through_the_year(months: list[float] | tuple[float, ...]) -> Array:
    """Return a value for each hour so that each month has its own mean.

    Straight lines between the middles of the months have means a little off;
    a few corrections put them right.
    """
    wanted = np.array(months, dtype=np.float64)
    ends = np.cumsum(DAYS) * 24
    middles = ends - np.array(DAYS) * 12.0
    hour = np.arange(HOURS_A_YEAR) + 0.5
    knots = wanted.copy()
    values = wanted.repeat(np.array(DAYS) * 24)
    for _ in range(4):
        values = np.interp(hour, middles, knots, period=HOURS_A_YEAR)
        means = np.array([part.mean() for part in np.split(values, ends[:-1])])
        knots += wanted - means
    return values
