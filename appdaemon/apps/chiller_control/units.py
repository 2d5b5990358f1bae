"""Readings in the unit that the controllers compute in.

People may let Home Assistant show a temperature in °F; a controller that took
that number for °C would stop the plant.
"""

_LINEAR: dict[tuple[str, str], tuple[float, float]] = {
    ("°F", "°C"): (5 / 9, -160 / 9),
    ("K", "°C"): (1.0, -273.15),
    ("°F", "K"): (5 / 9, 0.0),
    ("°C", "K"): (1.0, 0.0),
    ("Pa", "kPa"): (0.001, 0.0),
    ("hPa", "kPa"): (0.1, 0.0),
    ("mbar", "kPa"): (0.1, 0.0),
    ("bar", "kPa"): (100.0, 0.0),
    ("psi", "kPa"): (6.894757, 0.0),
    ("m³/h", "l/s"): (1 / 3.6, 0.0),
    ("L/min", "l/s"): (1 / 60, 0.0),
    ("gal/min", "l/s"): (0.0630902, 0.0),
    ("W", "kW"): (0.001, 0.0),
    ("MW", "kW"): (1000.0, 0.0),
    ("Wh", "kWh"): (0.001, 0.0),
    ("MWh", "kWh"): (1000.0, 0.0),
    ("s", "h"): (1 / 3600, 0.0),
    ("min", "h"): (1 / 60, 0.0),
    ("d", "h"): (24.0, 0.0),
    ("w", "h"): (168.0, 0.0),
}
"""Factor and offset from what is shown to what is computed with. Between °C
or °F and K it is a difference of temperatures."""


def to_unit(value: float, shown: str | None, wanted: str | None) -> float | None:
    """Return a reading in the wanted unit, None if that is not known how."""
    if shown is None or wanted is None or shown.casefold() == wanted.casefold():
        return value
    linear = _LINEAR.get((shown, wanted))
    return None if linear is None else value * linear[0] + linear[1]
