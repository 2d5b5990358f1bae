"""The steady physics that the near-optimal search looks ahead with.

Own equations in the engine's room, because the engine cannot import the
simulator and must not: a plant is steered by what its ratings and published
curves say of it, not by the model that it is tested on.

Chillers by DOE-2's reformulated form (EnergyPlus Engineering Reference,
"Chiller:Electric:ReformulatedEIR"; coefficients of the CoolTools project in
EnergyPlus' Chillers.idf). Not by the plain one: that sees the entering
condenser water only, and a search over it throttles the condenser pumps for
nothing. Tower cells by YorkCalc (ibid., "CoolingTower:VariableSpeed"). Pumps
by the affinity laws against friction and the lift to the towers.

Temperatures in °C, heat and power in kW, flows in l/s, pressures in kPa.
Everything broadcasts.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .chiller_curves import ChillerCurves
from .plant_ratings import SHUT_OFF

Array: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

WATER = 4.186
"""kJ/(l K)."""


_BEYOND_RANGE = 0.025
"""Rise of input for each kelvin of condenser water above the curves' range: no
measurement, but without it hotter water would cost nothing there."""


class FullLoad(NamedTuple):
    """What two water temperatures make of a machine."""

    capacity: Array
    """Available cooling as a share of the rated one."""
    power: Array
    """Power at full load as a share of the rated one."""
    condenser: Array
    """The condenser water that the part-load curve is asked for."""


class FullLoadAt:
    """Machines that make chilled water of one temperature, at full load.

    A search asks for many temperatures of the condenser water: what the chilled
    water alone decides is worked out once.
    """

    def __init__(self, curves: ChillerCurves, supply: Array | float) -> None:
        """Take the chilled water."""
        self._curves = curves
        x = np.minimum(np.maximum(supply, curves.supply[0]), curves.supply[1])
        self._beyond = x != supply
        self._capacity = _Biquadratic(curves.capacity, x)
        self._input_ratio = _Biquadratic(curves.input_ratio, x)

    def at(self, leaving: Array) -> FullLoad:
        """Return capacity and power with this leaving condenser water."""
        curves = self._curves
        y = np.minimum(np.maximum(leaving, curves.condenser[0]), curves.condenser[1])
        low, high = curves.part_load_condenser
        z = np.minimum(np.maximum(leaving, low), high)
        capacity = self._capacity.at(y)
        power = capacity * self._input_ratio.at(y)
        power *= 1.0 + _BEYOND_RANGE * np.maximum(leaving - curves.condenser[1], 0.0)
        return FullLoad(capacity, power, z)

    def clipped(self, leaving: Array) -> Flags:
        """Whether the curves are asked for what was not published."""
        lows, highs = zip(
            self._curves.condenser, self._curves.part_load_condenser, strict=True
        )
        beyond: Flags = self._beyond | (leaving < max(lows)) | (leaving > min(highs))
        return beyond


def full_load(curves: ChillerCurves, supply: Array, leaving: Array) -> FullLoad:
    """Return capacity and power at full load."""
    return FullLoadAt(curves, supply).at(leaving)


def part_load(
    curves: ChillerCurves, full: FullLoad, load: Array | float, least: float
) -> tuple[Array, Array]:
    """Return the power that a load takes, and its part-load ratio.

    Both powers and loads as shares of the rated ones. Below `least` a machine
    cycles: its power then goes with the time that it runs.
    """
    ratio = load / full.capacity
    p = np.minimum(np.maximum(ratio, least), curves.part_load_ratio[1])
    a, b, c, d, e, f, g = curves.part_load
    z = full.condenser
    share = a + z * (b + c * z) + p * (d + f * z + p * (e + g * p))
    power = full.power * share
    power *= np.minimum(ratio / least, 1.0)
    return power, ratio


class _Biquadratic:
    """A curve of two temperatures of which the first is known."""

    def __init__(self, c: tuple[float, ...], x: Array) -> None:
        self._constant = c[0] + x * (c[1] + c[2] * x)
        self._linear, self._square, self._mixed = c[3], c[4], c[5] * x

    def at(self, y: Array) -> Array:
        value: Array = y * (self._linear + self._square * y + self._mixed)
        return self._constant + value


# Approach = Σ c · wet bulb^j · range^k · (water/air)^l; for l, for k, for j.
_YORKCALC = np.array(
    (
        -0.359741205,
        -0.055053608,
        0.0023850432,
        0.173926877,
        -0.0248473764,
        0.00048430224,
        -0.005589849456,
        0.0005770079712,
        -1.342427256e-5,
        2.84765801111111,
        -0.121765149,
        0.0014599242,
        1.680428651,
        -0.0166920786,
        -0.0007190532,
        -0.025485194448,
        4.87491696e-5,
        2.719234152e-5,
        -0.0653766255555556,
        -0.002278167,
        0.0002500254,
        -0.0910565458,
        0.00318176316,
        3.8621772e-5,
        -0.0034285382352,
        8.56589904e-6,
        -1.516821552e-6,
    )
).reshape(3, 3, 3)

DESIGN_SCALE = 1.0098
"""Water ratio at which the polynomial meets its design approach of 3.9 K at
25.6 °C wet bulb and 5.6 K range."""

LEAST_AIR = 0.2
"""Fan speed below which the polynomial is not used."""

_WET_BULB_RANGE = (-1.0, 28.5)
_RATIO_RANGE = (0.3, 8.0)


class Approach(NamedTuple):
    """A tower's approach as a quadratic of its range, in K."""

    constant: Array
    linear: Array
    square: Array
    clipped: Flags

    def at(self, water_range: Array) -> Array:
        """Return the approach at a range."""
        return self.constant + water_range * (self.linear + self.square * water_range)


def approach_of(wet_bulb: Array | float, water: Array, air: Array) -> Approach:
    """Return the approach of cells with these shares of design water and air."""
    wet = np.asarray(wet_bulb, dtype=np.float64)
    believed = np.minimum(np.maximum(wet, _WET_BULB_RANGE[0]), _WET_BULB_RANGE[1])
    asked = DESIGN_SCALE * water / air
    ratio = np.minimum(np.maximum(asked, _RATIO_RANGE[0]), _RATIO_RANGE[1])
    # By power of the ratio and of the range.
    c = (
        _YORKCALC[..., 0]
        + believed[..., None, None] * _YORKCALC[..., 1]
        + (believed * believed)[..., None, None] * _YORKCALC[..., 2]
    )
    constant, linear, square = (
        c[..., 0, k] + ratio * (c[..., 1, k] + ratio * c[..., 2, k]) for k in range(3)
    )
    clipped = (asked != ratio) | (wet != believed) | (air < LEAST_AIR)
    return Approach(constant, linear, square, clipped)


_EFFICIENCY_FALL = 0.9
_RATED_CONVERTER = 0.97
_LEAST_CONVERTER = 0.90


def pump_power(flow: Array, static_share: float) -> Array:
    """Return the power of a pump at a share of its flow, as a share of rated.

    Hydraulic power over the efficiencies of pump and frequency converter.
    """
    speed = np.sqrt(((SHUT_OFF - static_share) * flow * flow + static_share) / SHUT_OFF)
    head = static_share + (1.0 - static_share) * flow * flow
    away = 1.0 - flow / speed
    efficiency = 1.0 - _EFFICIENCY_FALL * away * away
    converter = _LEAST_CONVERTER + (_RATED_CONVERTER - _LEAST_CONVERTER) / 0.7 * (
        np.maximum(speed, 0.3) - 0.3
    )
    power: Array = flow * head / efficiency * _RATED_CONVERTER / converter
    return power
