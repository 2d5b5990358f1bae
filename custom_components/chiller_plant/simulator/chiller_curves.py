"""How much a chiller can cool, and what that takes.

Reformulated EIR model: curves over the leaving chilled-water and the *leaving*
condenser-water temperature, so that throttled condenser flow costs what it
costs in reality (EnergyPlus Engineering Reference,
"Chiller:Electric:ReformulatedEIR"). One curve set: Carrier 19XR, 1407 kW, COP
6.04, with variable-speed drive; other sizes scale it by their ratings.
"""

from dataclasses import dataclass

from .water import HEAT_CAPACITY

type _Biquadratic = tuple[float, float, float, float, float, float]

_CAPACITY: _Biquadratic = (
    0.9006457,
    -0.01139681,
    -0.001480623,
    0.02770949,
    -0.0009617215,
    0.001812986,
)
_INPUT_RATIO: _Biquadratic = (
    1.174615,
    -0.01237741,
    -0.001147159,
    -0.02996332,
    0.0008901939,
    -0.0002302077,
)
# Input ratio over leaving condenser water x and part-load ratio p:
# 1, x, x², p, p², xp, x³, p³, x²p, xp².
_PART_LOAD = (
    -0.5839828,
    0.04640814,
    -7.366007e-5,
    -0.1926398,
    2.597682,
    -0.04268655,
    0.0,
    -0.866639,
    0.0,
    0.0,
)

_EVAPORATOR_RANGE = (4.44, 10.0)
_CONDENSER_RANGE = (18.1, 37.4)
_PART_LOAD_CONDENSER_RANGE = (19.35, 34.63)
_BEYOND_RANGE = 0.025
"""Rise of input for each kelvin of condenser water above the curves' range:
an extrapolation, so that heat is never free there."""

_CONVERGED = 1e-4
"""Share of the power; each turn is five to twenty times closer."""

MAXIMUM_PART_LOAD = 1.04


@dataclass(frozen=True, slots=True)
class ChillerRating:
    """Name-plate data: kW, dimensionless and l/s."""

    capacity: float = 1407.0
    coefficient_of_performance: float = 6.04
    chilled_water_flow: float = 60.57
    condenser_water_flow: float = 75.71
    minimum_load_ratio: float = 0.2


def _clip(value: float, bounds: tuple[float, float]) -> float:
    return max(bounds[0], min(bounds[1], value))


def _biquadratic(c: _Biquadratic, x: float, y: float) -> float:
    return c[0] + c[1] * x + c[2] * x * x + c[3] * y + c[4] * y * y + c[5] * x * y


def available_capacity(
    rating: ChillerRating, supply: float, condenser_leaving: float
) -> float:
    """Return the full-load capacity in kW at these leaving temperatures."""
    return rating.capacity * max(
        0.1,
        _biquadratic(
            _CAPACITY,
            _clip(supply, _EVAPORATOR_RANGE),
            _clip(condenser_leaving, _CONDENSER_RANGE),
        ),
    )


def _power(
    rating: ChillerRating, load: float, supply: float, condenser_leaving: float
) -> float:
    capacity = available_capacity(rating, supply, condenser_leaving)
    ratio = load / capacity
    unloaded = max(ratio, rating.minimum_load_ratio)
    cycling = min(ratio / rating.minimum_load_ratio, 1.0)
    y = _clip(condenser_leaving, _CONDENSER_RANGE)
    x = _clip(condenser_leaving, _PART_LOAD_CONDENSER_RANGE)
    c = _PART_LOAD
    part_load = (
        c[0]
        + c[1] * x
        + c[2] * x * x
        + c[3] * unloaded
        + c[4] * unloaded**2
        + c[5] * x * unloaded
        + c[7] * unloaded**3
    )
    beyond = 1.0 + _BEYOND_RANGE * max(0.0, condenser_leaving - _CONDENSER_RANGE[1])
    return (
        capacity
        / rating.coefficient_of_performance
        * _biquadratic(_INPUT_RATIO, _clip(supply, _EVAPORATOR_RANGE), y)
        * max(part_load, 0.05)
        * cycling
        * beyond
    )


def electrical_power(
    rating: ChillerRating,
    load: float,
    supply: float,
    condenser_entering: float,
    condenser_flow: float,
) -> float:
    """Return kW taken to cool `load` kW; the condenser takes both away."""
    flow = max(condenser_flow, 0.05 * rating.condenser_water_flow)
    power = load / rating.coefficient_of_performance
    for _ in range(8):
        leaving = condenser_entering + (load + power) / (flow * HEAT_CAPACITY)
        correction = _power(rating, load, supply, leaving) - power
        power += correction
        if abs(correction) < _CONVERGED * power:
            break
    return power
