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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Range: TypeAlias = tuple[float, float]

WATER = 4.186
"""kJ/(l K)."""


@dataclass(frozen=True, slots=True)
class ChillerCurves:
    """Curves of a machine, as shares of its rated capacity and power.

    x is the leaving chilled water, y the leaving condenser water, p the load
    as a share of the available capacity.
    """

    capacity: tuple[float, ...]
    """1, x, x², y, y², xy."""
    input_ratio: tuple[float, ...]
    """The same, of power for each cooling at full load."""
    part_load: tuple[float, ...]
    """1, y, y², p, p², yp, p³: power at p as a share of that at p = 1."""
    supply: Range
    condenser: Range
    part_load_condenser: Range
    part_load_ratio: Range


CHILLER_CURVES: Mapping[str, ChillerCurves] = {
    "carrier_19xr_1407_vsd": ChillerCurves(
        capacity=(
            *(0.9006457, -0.01139681, -0.001480623),
            *(0.02770949, -0.0009617215, 0.001812986),
        ),
        input_ratio=(
            *(1.174615, -0.01237741, -0.001147159),
            *(-0.02996332, 0.0008901939, -0.0002302077),
        ),
        part_load=(
            *(-0.5839828, 0.04640814, -7.366007e-5),
            *(-0.1926398, 2.597682, -0.04268655, -0.866639),
        ),
        supply=(4.44, 10.0),
        condenser=(18.11, 37.42),
        part_load_condenser=(19.35, 34.63),
        part_load_ratio=(0.20, 1.04),
    ),
    "york_yt_1758_vanes": ChillerCurves(
        capacity=(
            *(0.5062633, -0.009373882, -0.002822764),
            *(0.04202164, -0.001092132, 0.002074549),
        ),
        input_ratio=(
            *(0.5699849, -0.009813327, 0.0004223116),
            *(0.004842283, 0.0004078201, -0.0007615896),
        ),
        part_load=(
            *(0.2911331, -0.004317969, 1.448369e-5),
            *(0.6226793, 0.07992053, 0.003393326, 0.0191954),
        ),
        supply=(4.44, 8.89),
        condenser=(20.46, 39.72),
        part_load_condenser=(20.33, 34.60),
        part_load_ratio=(0.20, 1.06),
    ),
    "trane_cvhe_1442_vsd": ChillerCurves(
        capacity=(
            *(-0.2660651, -0.02114972, -0.0003928472),
            *(0.0957391, -0.002015949, 0.002030045),
        ),
        input_ratio=(
            *(0.6807134, -0.02285082, 0.0008153057),
            *(0.0009280487, 0.000495054, -0.0006106817),
        ),
        part_load=(
            *(-0.5842314, 0.05001539, -0.0001157444),
            *(-0.003287848, 1.916917, -0.04340928, -0.4222738),
        ),
        supply=(4.44, 8.89),
        condenser=(19.72, 41.41),
        part_load_condenser=(17.21, 30.50),
        part_load_ratio=(0.10, 1.06),
    ),
}
"""By name, as a form offers them. Their rated powers and capacities come from
the plant file: what is taken from here is how they change."""

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
    clipped: Flags


def full_load(curves: ChillerCurves, supply: Array, leaving: Array) -> FullLoad:
    """Return capacity and power at full load."""
    x = np.minimum(np.maximum(supply, curves.supply[0]), curves.supply[1])
    y = np.minimum(np.maximum(leaving, curves.condenser[0]), curves.condenser[1])
    low, high = curves.part_load_condenser
    z = np.minimum(np.maximum(leaving, low), high)
    capacity = _biquadratic(curves.capacity, x, y)
    power = capacity * _biquadratic(curves.input_ratio, x, y)
    power *= 1.0 + _BEYOND_RANGE * np.maximum(leaving - curves.condenser[1], 0.0)
    return FullLoad(capacity, power, z, (x != supply) | (y != leaving) | (z != leaving))


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


def _biquadratic(c: tuple[float, ...], x: Array, y: Array) -> Array:
    return c[0] + x * (c[1] + c[2] * x) + y * (c[3] + c[4] * y + c[5] * x)


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


SHUT_OFF = 1.25
"""Head of a pump at no flow, as a share of its rated head."""

_EFFICIENCY_FALL = 0.9
_RATED_CONVERTER = 0.97
_LEAST_CONVERTER = 0.90


def pump_speed(flow: Array | float, static_share: float) -> Array:
    """Return the speed that drives a share of the design flow.

    All shares of the rated ones; `static_share` is the part of the rated head
    that does not go with the flow: the lift to the towers' basins.
    """
    friction = SHUT_OFF - static_share
    speed: Array = np.sqrt((friction * flow * flow + static_share) / SHUT_OFF)
    return speed


def pump_flow(speed: float, static_share: float) -> float:
    """Return the share of the design flow at a speed; 0 if it cannot lift it."""
    spare = SHUT_OFF * speed * speed - static_share
    return float(np.sqrt(max(0.0, spare) / (SHUT_OFF - static_share)))


def pump_power(flow: Array, static_share: float) -> Array:
    """Return the power of a pump at a share of its flow, as a share of rated.

    Hydraulic power over the efficiencies of pump and frequency converter.
    """
    speed = pump_speed(flow, static_share)
    head = static_share + (1.0 - static_share) * flow * flow
    away = 1.0 - flow / speed
    efficiency = 1.0 - _EFFICIENCY_FALL * away * away
    converter = _LEAST_CONVERTER + (_RATED_CONVERTER - _LEAST_CONVERTER) / 0.7 * (
        np.maximum(speed, 0.3) - 0.3
    )
    power: Array = flow * head / efficiency * _RATED_CONVERTER / converter
    return power
