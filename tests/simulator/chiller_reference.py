"""Operating points that EnergyPlus 25.2 found for machines of the curve sets.

Made by running EnergyPlus with each machine alone on a loop. Its water carries
4.162 kW for each l/s and kelvin, ours 4.186: at the flow of the plate, leaving
condenser water is 0.02 to 0.04 K warmer there.
"""

from typing import NamedTuple

import numpy as np

from custom_components.chiller_plant.simulator.chiller_performance import (
    ChillerPerformance,
    Solution,
    published_rating,
)
from custom_components.chiller_plant.simulator.curve_sets import Model


class Point(NamedTuple):
    """kW, °C, condenser flow as a share of the plate's, kW."""

    curves: str
    load: float
    supply: float
    condenser_entering: float
    condenser_flow: float
    power: float


class EirPoint(NamedTuple):
    """A point, with what else EnergyPlus said about it."""

    point: Point
    condenser_leaving: float
    part_load: float
    """Power at this load as a share of that at full load."""

    full_load: tuple[float, float] | None
    """Available capacity, and input ratio at full load, as shares of the rating."""


_CARRIER_1407 = "carrier_19xr_1407_vsd"
_CARRIER_1213 = "carrier_19xr_1213_vanes"
_YORK_1758 = "york_yt_1758_vanes"

_EIR = {
    _CARRIER_1407: (
        (1404.2, 6.67, 29.44, 236.02, 34.645, 1.01139, 0.98624, 1.01607),
        (1053.5, 6.67, 26.00, 159.70, 29.851, 0.69631, 1.06147, 0.92781),
        (702.7, 6.67, 22.00, 101.90, 24.553, 0.45848, 1.12424, 0.84888),
        (351.5, 6.67, 18.33, 58.95, 19.632, 0.27354, 1.15846, 0.79887),
        (1264.0, 7.50, 31.00, 214.63, 35.692, 0.91823, 0.97106, 1.03360),
        (843.1, 9.00, 28.00, 124.79, 31.072, 0.55794, 1.07534, 0.89311),
        (702.7, 6.67, 30.00, 121.29, 32.615, 0.51901, 0.97213, 1.03222),
        (210.9, 6.67, 29.44, 46.42, 30.257, 0.26163),
    ),
    _CARRIER_1213: (
        (1209.9, 6.11, 12.78, 154.62, 19.598, 0.99435, 1.00187, 0.99530),
        (968.4, 6.67, 15.56, 129.33, 21.049, 0.80459, 1.00026, 1.03054),
        (726.7, 7.22, 18.33, 106.32, 22.498, 0.64363, 0.98766, 1.07256),
        (484.7, 8.00, 21.00, 84.75, 23.850, 0.50355, 0.96997, 1.11268),
        (303.1, 10.0, 23.89, 69.91, 25.758, 0.40963, 0.96703, 1.13184),
    ),
    _YORK_1758: (
        (1755.2, 6.67, 29.44, 279.11, 34.605, 1.05441, 0.95007, 0.99513),
        (1404.6, 6.67, 31.00, 229.94, 35.150, 0.86305, 0.91864, 1.03586),
        (1053.8, 6.67, 32.00, 178.95, 35.129, 0.67141, 0.89579, 1.06266),
        (702.8, 6.67, 28.00, 119.15, 30.087, 0.45551, 0.97452, 0.95869),
        (439.4, 8.00, 30.00, 91.00, 31.346, 0.34534, 0.96768, 0.97256),
    ),
}

EIR_POINTS = tuple(
    EirPoint(
        Point(curves, load, supply, entering, 1.0, power),
        leaving,
        part_load,
        (full[0], full[1]) if full else None,
    )
    for curves, rows in _EIR.items()
    for load, supply, entering, power, leaving, part_load, *full in rows
)

REFORMULATED_POINTS = tuple(
    Point(_CARRIER_1407, *row)
    for row in (
        (1404.2, 6.67, 29.44, 1.0, 235.25),
        (1053.5, 6.67, 26.00, 1.0, 152.61),
        (702.7, 6.67, 22.00, 1.0, 84.11),
        (351.5, 6.67, 20.00, 1.0, 51.69),
        (1264.0, 7.50, 30.00, 1.0, 207.90),
        (843.1, 9.00, 28.00, 1.0, 127.25),
        (702.7, 6.67, 30.00, 1.0, 137.76),
        (421.7, 6.67, 29.44, 1.0, 125.82),
        (1053.5, 6.67, 26.00, 0.6, 169.33),
        (702.7, 6.67, 26.00, 0.6, 122.58),
        (843.1, 9.00, 28.00, 0.6, 141.51),
    )
)
"""The three at 60 % flow show what a throttled condenser pump costs."""


def solve(point: Point, model: Model) -> Solution:
    """Return what the model says of this point, with the plate's flow."""
    rating = published_rating(point.curves, model)
    return ChillerPerformance([rating]).power(
        np.array([point.load]),
        np.array([point.supply]),
        np.array([point.condenser_entering]),
        np.array([point.condenser_flow * rating.condenser_water_flow]),
    )


def relative_error(point: Point, model: Model) -> float:
    """Return how far the power is from EnergyPlus, as a share of its value."""
    return abs(float(solve(point, model).power[0]) / point.power - 1.0)


def largest_error_eir() -> float:
    """Return the largest relative error of the EIR form over all its points."""
    return max(relative_error(row.point, "eir") for row in EIR_POINTS)


def largest_error_reformulated() -> float:
    """Return the largest relative error of the reformulated form."""
    return max(relative_error(point, "reformulated") for point in REFORMULATED_POINTS)
