"""How cold a cooling tower cell makes its water, in steady operation.

YorkCalc: the approach as a polynomial of wet bulb, range and liquid-to-gas
ratio (EnergyPlus Engineering Reference, "CoolingTower:VariableSpeed"; the same
coefficients and limits as in the Modelica Buildings Library). Everything
broadcasts. Where a limit held a value, the result is flagged.
"""

import numpy as np

from .arrays import Array, Flags

# approach = Σ c · wet_bulb^j · range^k · ratio^l; rows l, columns k, depth j.
_YORKCALC = np.array(
    [
        [
            [-0.359741205, -0.055053608, 0.0023850432],
            [0.173926877, -0.0248473764, 0.00048430224],
            [-0.005589849456, 0.0005770079712, -1.342427256e-5],
        ],
        [
            [2.84765801111111, -0.121765149, 0.0014599242],
            [1.680428651, -0.0166920786, -0.0007190532],
            [-0.025485194448, 4.87491696e-5, 2.719234152e-5],
        ],
        [
            [-0.0653766255555556, -0.002278167, 0.0002500254],
            [-0.0910565458, 0.00318176316, 3.8621772e-5],
            [-0.0034285382352, 8.56589904e-6, -1.516821552e-6],
        ],
    ]
)

WET_BULB_RANGE = (-34.4, 29.44)
RANGE_RANGE = (1.11, 22.2)
LEAST_APPROACH = 1.11
"""Published limits, °C and K."""

LEAST_PUBLISHED_RATIO = 0.75
LIQUID_TO_GAS_RANGE = (0.4, 8.0)
"""The upper limit is published, as is 0.75 for the least water of the tests.
Down to 0.4 the polynomial is used and flagged: it stays within 0.6 K of an
integration of Merkel's equation, as it does (within 1.1 K) inside the published
limits, so that more cells with less water each may be judged by it."""

DESIGN_WET_BULB = 25.56
DESIGN_RANGE = 5.56
DESIGN_APPROACH = 3.89

LEAST_AIR = 0.2
"""Share of the design air flow below which the polynomial is not used."""

FREE_CONVECTION = 0.125
"""Share of the range with full air that is left without a fan."""


_BY_WET_BULB = [np.ascontiguousarray(_YORKCALC[:, :, power]) for power in range(3)]


def _terms(wet_bulb: Array, ratio: Array) -> tuple[Array, Array, Array]:
    """Return the approach as constant, slope and square of the range."""
    shape = (3, 3, *(1,) * wet_bulb.ndim)
    constant, linear, square = (table.reshape(shape) for table in _BY_WET_BULB)
    by_ratio = constant + wet_bulb * (linear + wet_bulb * square)
    terms = by_ratio[0] + ratio * (by_ratio[1] + ratio * by_ratio[2])
    return terms[0], terms[1], terms[2]


def _held(value: Array, limits: tuple[float, float]) -> Array:
    held: Array = np.minimum(np.maximum(value, limits[0]), limits[1])
    return held


def design_scale(
    wet_bulb: float = DESIGN_WET_BULB,
    range_: float = DESIGN_RANGE,
    approach: float = DESIGN_APPROACH,
) -> float:
    """Return the liquid-to-gas ratio that stands for design flows.

    With it a cell meets its design approach, K, at its design wet bulb, °C, and
    range, K. Raises ValueError where no ratio does.
    """
    limits = LIQUID_TO_GAS_RANGE
    low, high = limits
    wet = np.asarray(wet_bulb)

    def reached(ratio: float) -> float:
        constant, slope, square = _terms(wet, np.asarray(ratio))
        return float(constant + range_ * (slope + range_ * square))

    if not reached(low) < approach < reached(high):
        raise ValueError(
            f"a cooling tower cannot be designed for {approach:g} K approach and"
            f" {range_:g} K range at {wet_bulb:g} °C wet bulb: possible are"
            f" {reached(low):.1f} to {reached(high):.1f} K approach"
        )
    for _ in range(50):
        middle = 0.5 * (low + high)
        if reached(middle) < approach:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


DESIGN_SCALE = design_scale()


class Characteristic:
    """A cell at given wet bulb, water and air: approach by range, or back.

    Below the published range, effectiveness is constant, so that a cell with
    little to do nears the wet bulb and never passes it.
    """

    def __init__(
        self,
        wet_bulb: Array,
        water_ratio: Array,
        air_ratio: Array,
        scale: Array | float = DESIGN_SCALE,
    ) -> None:
        """Take °C, and shares of the design flows; air at least `LEAST_AIR`."""
        wet = _held(wet_bulb, WET_BULB_RANGE)
        asked = scale * water_ratio / air_ratio
        ratio = _held(asked, LIQUID_TO_GAS_RANGE)
        self.clipped: Flags = (
            (wet != wet_bulb) | (ratio != asked) | (asked < LEAST_PUBLISHED_RATIO)
        )
        """Where wet bulb or liquid-to-gas ratio lie outside what is published."""
        self._constant, self._slope, self._square = _terms(wet, ratio)
        least = RANGE_RANGE[0]
        self._least: Array = np.maximum(
            self._constant + least * (self._slope + least * self._square),
            LEAST_APPROACH,
        )

    def approach(self, range_: Array) -> tuple[Array, Flags]:
        """Return the approach in K at a range in K, and where it was held."""
        held = _held(range_, RANGE_RANGE)
        found = self._constant + held * (self._slope + held * self._square)
        approach = np.maximum(found, LEAST_APPROACH)
        flags = self.clipped | (held != range_) | (approach != found)
        approach = np.where(
            range_ < RANGE_RANGE[0], self._least * (range_ / RANGE_RANGE[0]), approach
        )
        return approach, flags

    def range(self, lift: Array) -> tuple[Array, Flags]:
        """Return the range in K of water `lift` K above the wet bulb."""
        offset = self._constant - lift
        slope = 1.0 + self._slope
        root = slope * slope - 4.0 * self._square * offset
        found = -2.0 * offset / (slope + np.sqrt(np.maximum(root, 0.0)))
        least = RANGE_RANGE[0]
        # What leaves at least the published approach, or half the lift.
        held = np.minimum(found, np.maximum(lift - LEAST_APPROACH, 0.5 * lift))
        held = np.minimum(held, RANGE_RANGE[1])
        small = lift < least + self._least
        held = np.where(small, lift * (least / (least + self._least)), held)
        held = np.maximum(held, 0.0)
        return held, self.clipped | (held != found)


def leaving_temperature(
    entering: Array,
    wet_bulb: Array,
    water_ratio: Array,
    air_ratio: Array,
    scale: Array | float = DESIGN_SCALE,
) -> tuple[Array, Flags]:
    """Return the leaving water of a cell in °C, and where limits held it.

    `water_ratio` and `air_ratio` are shares of the design flows, `scale` is
    `design_scale` of the cell. Between `LEAST_AIR` and a standing fan, heat
    falls in proportion to free convection. Without water, entering is returned.
    """
    entering = np.asarray(entering)
    wet_bulb = np.asarray(wet_bulb)
    wet = water_ratio > 0.0
    lift = entering - wet_bulb
    air = np.maximum(air_ratio, LEAST_AIR)
    range_, clipped = Characteristic(wet_bulb, water_ratio, air, scale).range(lift)
    slow = air_ratio < LEAST_AIR
    if np.count_nonzero(slow & wet):
        still, _ = Characteristic(
            wet_bulb, water_ratio, np.ones_like(air), scale
        ).range(lift)
        still = FREE_CONVECTION * still
        turning = np.maximum(air_ratio, 0.0) / LEAST_AIR
        range_ = np.where(
            slow, still + np.maximum(range_ - still, 0.0) * turning, range_
        )
    return entering - range_ * wet, clipped & wet
