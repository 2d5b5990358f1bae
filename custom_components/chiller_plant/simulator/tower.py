"""Cooling tower cells.

YorkCalc: the approach as a polynomial of wet bulb, range and the ratio of
water to air (EnergyPlus Engineering Reference, "CoolingTower:VariableSpeed").
"""

from .drive import Fan, Valve
from .water import HEAT_CAPACITY

# approach = Σ c · WB^j · range^k · (water/air)^l; for l, for k, for j.
_YORKCALC = (
    (
        (-0.359741205, -0.055053608, 0.0023850432),
        (0.173926877, -0.0248473764, 0.00048430224),
        (-0.005589849456, 0.0005770079712, -1.342427256e-5),
    ),
    (
        (2.84765801111111, -0.121765149, 0.0014599242),
        (1.680428651, -0.0166920786, -0.0007190532),
        (-0.025485194448, 4.87491696e-5, 2.719234152e-5),
    ),
    (
        (-0.0653766255555556, -0.002278167, 0.0002500254),
        (-0.0910565458, 0.00318176316, 3.8621772e-5),
        (-0.0034285382352, 8.56589904e-6, -1.516821552e-6),
    ),
)

_DESIGN_SCALE = 1.0098
"""Water ratio at which the polynomial meets its design approach of 3.9 K at
25.6 °C wet bulb and 5.6 K range."""

_LEAST_AIR = 0.2
"""Fan speed below which the polynomial is not used."""

_FREE_CONVECTION = 0.125
"""Share of the full-speed heat rejection that is left without a fan."""

_WET_BULB_RANGE = (-1.0, 28.5)
_RATIO_RANGE = (0.3, 6.0)


def leaving_temperature(
    entering: float, wet_bulb: float, water_ratio: float, air_ratio: float
) -> float:
    """Return the leaving water temperature of a cell, °C.

    `water_ratio` and `air_ratio` are shares of the design flows.
    """
    if entering <= wet_bulb or water_ratio <= 0.0:
        return entering
    if air_ratio >= _LEAST_AIR:
        return entering - _range(entering, wet_bulb, water_ratio, air_ratio)
    free = _FREE_CONVECTION * _range(entering, wet_bulb, water_ratio, 1.0)
    least = _range(entering, wet_bulb, water_ratio, _LEAST_AIR)
    return entering - free - max(0.0, least - free) * air_ratio / _LEAST_AIR


def _range(entering: float, wet_bulb: float, water: float, air: float) -> float:
    """Solve entering - range = wet_bulb + approach(range) for the range."""
    believed = max(_WET_BULB_RANGE[0], min(_WET_BULB_RANGE[1], wet_bulb))
    ratio = max(_RATIO_RANGE[0], min(_RATIO_RANGE[1], _DESIGN_SCALE * water / air))
    terms = [0.0, 0.0, 0.0]
    for power, rows in enumerate(_YORKCALC):
        for index, (constant, linear, square) in enumerate(rows):
            terms[index] += (
                constant + linear * believed + square * believed**2
            ) * ratio**power
    lift = entering - wet_bulb
    # terms[2]·R² + (1 + terms[1])·R + terms[0] - lift = 0, smallest positive R.
    slope, offset = 1.0 + terms[1], terms[0] - lift
    if offset >= 0.0:
        # Colder than any range explains: the cell can only near the wet bulb.
        return 0.0
    root = slope * slope - 4.0 * terms[2] * offset
    if root <= 0.0:
        return 0.95 * lift
    return float(max(0.0, min(0.95 * lift, -2.0 * offset / (slope + root**0.5))))


class TowerCell:
    """A cell with its fan and the water valve that its own control opens."""

    def __init__(self, water_flow: float, fan_power: float, temperature: float) -> None:
        """Take the design water flow in l/s and fan power in kW."""
        self.design_flow = water_flow
        self.fan = Fan(fan_power)
        self.valve = Valve()
        self.flow = 0.0
        self.leaving_temperature = temperature
        self.heat = 0.0
        """Heat rejected, kW."""

    def step(self, seconds: float, run: bool, speed: float) -> None:
        """Move fan and valve; a cell that is asked for gets water."""
        self.fan.step(seconds, run, speed)
        self.valve.step(seconds, 1.0 if run else 0.0)

    def cool(self, flow: float, entering: float, wet_bulb: float) -> None:
        """Cool `flow` l/s of water that enters at `entering` °C."""
        self.flow = flow
        if flow <= 1e-3:
            self.heat = 0.0
            return
        self.leaving_temperature = leaving_temperature(
            entering, wet_bulb, flow / self.design_flow, self.fan.speed
        )
        self.heat = flow * HEAT_CAPACITY * (entering - self.leaving_temperature)
