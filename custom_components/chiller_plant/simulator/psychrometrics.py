"""Moist air, for arrays.

What a step needs is written for numpy here; what is only needed where a
series of weather is made comes from psychrolib (ASHRAE Handbook Fundamentals
2017, chapter 1), which also judges these functions in the tests.

Temperatures in °C, pressures in kPa, humidity ratios in kg of water per kg of
dry air, enthalpies in kJ per kg of dry air above dry air at 0 °C.
"""

import numpy as np
import psychrolib

from .arrays import Array

ATMOSPHERE = 101.325
"""Air pressure at sea level, kPa."""

AIR_HEAT = 1.006
VAPOUR_HEAT = 1.86
EVAPORATION_HEAT = 2501.0
"""kJ/(kg K) of dry air and vapour, kJ/kg to evaporate water at 0 °C."""

_COLDEST, _WARMEST, _GRID = -5.0, 60.0, 1301


def saturation_pressure(temperature: Array) -> Array:
    """Return the saturation pressure over water in kPa.

    Tetens' form, fitted to ASHRAE's equation: within 0.07 % of it from 0 to
    60 °C. Below freezing it is
    that of supercooled water, not of ice.
    """
    return 0.6108 * np.exp(17.2755 * temperature / (temperature + 237.3))


def humidity_ratio(vapour_pressure: Array, pressure: float = ATMOSPHERE) -> Array:
    """Return the humidity ratio at a vapour pressure in kPa."""
    return 0.621945 * vapour_pressure / (pressure - vapour_pressure)


def saturated_humidity_ratio(temperature: Array, pressure: float = ATMOSPHERE) -> Array:
    """Return the humidity ratio of saturated air."""
    return humidity_ratio(saturation_pressure(temperature), pressure)


def enthalpy(temperature: Array, ratio: Array) -> Array:
    """Return the enthalpy of air with a humidity ratio."""
    return AIR_HEAT * temperature + ratio * (
        EVAPORATION_HEAT + VAPOUR_HEAT * temperature
    )


def temperature_at(air_enthalpy: Array, ratio: Array) -> Array:
    """Return the dry-bulb temperature of air; the inverse of `enthalpy`."""
    return (air_enthalpy - EVAPORATION_HEAT * ratio) / (AIR_HEAT + VAPOUR_HEAT * ratio)


def relative_humidity(
    temperature: Array, ratio: Array, pressure: float = ATMOSPHERE
) -> Array:
    """Return the relative humidity in %, at most 100."""
    vapour = pressure * ratio / (0.621945 + ratio)
    return np.minimum(100.0, 100.0 * vapour / saturation_pressure(temperature))


def saturated_enthalpy(temperature: Array) -> Array:
    """Return the enthalpy of saturated air at sea level."""
    return enthalpy(temperature, saturated_humidity_ratio(temperature))


_GRID_TEMPERATURES = np.linspace(_COLDEST, _WARMEST, _GRID)
_GRID_ENTHALPIES = saturated_enthalpy(_GRID_TEMPERATURES)


def saturation_temperature(air_enthalpy: Array) -> Array:
    """Return where saturated air has an enthalpy; -5 to 60 °C, at sea level.

    The inverse of `saturated_enthalpy`, from a table in steps of 0.05 K.
    """
    return np.asarray(np.interp(air_enthalpy, _GRID_ENTHALPIES, _GRID_TEMPERATURES))


def _each(function: str, *operands: Array | float) -> Array:
    """Call psychrolib for each element, in its units (Pa for pressures)."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    arrays = np.broadcast_arrays(*operands)
    call = getattr(psychrolib, function)
    values = [
        call(*(float(value) for value in row))
        for row in zip(*(array.flat for array in arrays), strict=True)
    ]
    return np.array(values, dtype=np.float64).reshape(arrays[0].shape)


def wet_bulb(
    dry_bulb: Array, dew_point: Array, pressure: Array | float = ATMOSPHERE
) -> Array:
    """Return the wet-bulb temperature, element by element: not for a step.

    The dew point counts as the dry bulb where it is above it.
    """
    return _each(
        "GetTWetBulbFromTDewPoint",
        dry_bulb,
        np.minimum(dew_point, dry_bulb),
        np.multiply(pressure, 1000.0),
    )


def dew_point_at(
    dry_bulb: Array, wet_bulb_temperature: Array, pressure: Array | float = ATMOSPHERE
) -> Array:
    """Return the dew point of air with a wet bulb: not for a step either."""
    return _each(
        "GetTDewPointFromTWetBulb",
        dry_bulb,
        np.minimum(wet_bulb_temperature, dry_bulb),
        np.multiply(pressure, 1000.0),
    )


def dew_point_of(dry_bulb: Array, humidity: Array) -> Array:
    """Return the dew point of air of a relative humidity (0 to 1): not for a step."""
    return _each("GetTDewPointFromRelHum", dry_bulb, humidity)


def humidity_ratio_at(dew_point: Array, pressure: Array | float = ATMOSPHERE) -> Array:
    """Return the humidity ratio of outdoor air, over ice too: not for a step."""
    return _each("GetHumRatioFromTDewPoint", dew_point, np.multiply(pressure, 1000.0))


def relative_humidity_at(dry_bulb: Array, dew_point: Array) -> Array:
    """Return the relative humidity of outdoor air in %: not for a step."""
    return 100.0 * _each("GetRelHumFromTDewPoint", dry_bulb, dew_point)
