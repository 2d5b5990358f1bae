"""What the generated years of weather are made with: noise that lasts, and the sun."""

import numpy as np

from .arrays import Array

HOURS_A_YEAR = 8760

_SOLAR_NOON = 13.0


def persistent(random: np.random.Generator, length: int, persistence: float) -> Array:
    """Return normal noise of which each value resembles the one before."""
    noise = random.standard_normal(length)
    result = np.empty(length)
    fresh = np.sqrt(1.0 - persistence**2)
    value = noise[0]
    for index in range(length):
        value = persistence * value + fresh * noise[index]
        result[index] = value
    return result


def persistent_days(random: np.random.Generator, persistence: float) -> Array:
    """Return such noise by the day, for each hour, without steps at midnight."""
    days = HOURS_A_YEAR // 24
    daily = persistent(random, days, persistence)
    day = (np.arange(HOURS_A_YEAR) - 12.0) / 24.0
    return np.asarray(np.interp(day, np.arange(days), daily))


def day_shape(hour: Array) -> Array:
    """Return how warm an hour of the day is: about -1 to 1, 0 on average.

    Up within eight hours from sunrise on, down within sixteen.
    """
    angle = 2.0 * np.pi * hour / 24.0
    shape = np.cos(angle - 2.0 * np.pi * 14.6 / 24.0) + 0.18 * np.cos(
        2.0 * (angle - 2.0 * np.pi * 13.3 / 24.0)
    )
    shape -= shape.mean()
    return np.asarray(shape)


def clear_sky(hour: Array, latitude: float) -> Array:
    """Return the sun on the horizontal under a clear sky (Haurwitz 1945), W/m²."""
    north = np.radians(latitude)
    day = hour / 24.0
    declination = np.radians(23.45) * np.sin(2.0 * np.pi * (day + 284.0) / 365.0)
    angle = 2.0 * np.pi * (hour - _SOLAR_NOON) / 24.0
    height = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(
        declination
    ) * np.cos(angle)
    height = np.maximum(height, 1e-3)
    return np.asarray(1098.0 * height * np.exp(-0.057 / height))
