"""A hot and humid year of weather, made from a seed.

No typical-year file of the tropics may be passed on with this product, so this
makes one like them: the wet bulb has the percentiles of Singapore's typical
year, days resemble the day before, clouds take sun and warmth.
"""

from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .psychrometrics import dew_point_at
from .weather_noise import (
    HOURS_A_YEAR,
    clear_sky,
    day_shape,
    persistent,
    persistent_days,
)

MEAN_DRY_BULB = 27.5
DAILY_SWING = 3.0

# Wet bulb in °C at normal scores: the 1st, 10th, 50th, 90th and 99th percentile
# of Singapore's typical year, and where its ends are let run out.
_SCORES = (-3.7, -2.326, -1.282, 0.0, 1.282, 2.326, 3.7)
_WET_BULBS = (21.0, 22.0, 23.4, 25.4, 27.4, 28.7, 29.4)

_LEAST_DEPRESSION = 0.3
"""K between dry and wet bulb: outdoor air hardly ever is saturated."""

_LATITUDE = 1.35


@dataclass(frozen=True, slots=True)
class TropicalYear:
    """Hourly °C, °C and W/m² on the horizontal from midnight of 1 January."""

    dry_bulb: Array
    dew_point: Array
    solar: Array


def tropical_year(seed: int) -> TropicalYear:
    """Return the year that belongs to a seed."""
    random = np.random.default_rng(seed)
    hour = np.arange(HOURS_A_YEAR, dtype=np.float64)
    clouds = _clouds(random)
    dry_bulb = _dry_bulb(random, hour, clouds)
    # Warm air holds more: the hours are ranked by warmth and by moisture of
    # their own, and get the wet bulbs of the typical year in that order.
    moisture = 0.8 * persistent_days(random, 0.75) + 0.6 * persistent(
        random, HOURS_A_YEAR, 0.85
    )
    warmth = (dry_bulb - dry_bulb.mean()) / dry_bulb.std()
    score = _normal_scores(1.2 * warmth + moisture)
    wet_bulb = np.interp(score, _SCORES, _WET_BULBS)
    wet_bulb = np.minimum(wet_bulb, dry_bulb - _LEAST_DEPRESSION)
    return TropicalYear(
        dry_bulb=dry_bulb,
        dew_point=dew_point_at(dry_bulb, wet_bulb),
        solar=clear_sky(hour, _LATITUDE) * (1.0 - 0.75 * clouds**3.4),
    )


def _normal_scores(values: Array) -> Array:
    """Return what normal noise would be in the places of the values."""
    # The quantiles of the normal distribution from its integral, tabulated.
    grid = np.linspace(-4.0, 4.0, 4001)
    integral = np.cumsum(np.exp(-0.5 * grid * grid))
    ranks = np.empty(len(values))
    ranks[np.argsort(values)] = (np.arange(len(values)) + 0.5) / len(values)
    return np.asarray(np.interp(ranks, integral / integral[-1], grid))


def _clouds(random: np.random.Generator) -> Array:
    """Return the clouded share of the sky, 0 to 1."""
    score = 0.7 * persistent_days(random, 0.5) + 0.7 * persistent(
        random, HOURS_A_YEAR, 0.8
    )
    return np.asarray(1.0 / (1.0 + np.exp(-1.6 - 1.4 * score)))


def _dry_bulb(random: np.random.Generator, hour: Array, clouds: Array) -> Array:
    shape = day_shape(hour)
    cover = clouds.reshape(-1, 24).mean(axis=1).repeat(24)
    swing = DAILY_SWING * (1.0 - 0.8 * (cover - cover.mean()))
    season = 0.6 * np.cos(2.0 * np.pi * (hour / 24.0 - 140.0) / 365.0)
    days = 0.6 * persistent_days(random, 0.7)
    hours = 0.35 * persistent(random, HOURS_A_YEAR, 0.75)
    result = swing * shape + season + days + hours
    return np.asarray(MEAN_DRY_BULB + result - result.mean())
