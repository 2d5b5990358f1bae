"""What others computed for YorkCalc cells and for chillers on them."""

from typing import NamedTuple


class ApproachPoint(NamedTuple):
    """°C, K, shares of the design flows, K; the polynomial without scaling."""

    wet_bulb: float
    range: float
    water: float
    air: float
    approach: float


class MeasuredCell(NamedTuple):
    """A cell in a year of EnergyPlus 25.2: °C and share of the design air."""

    wet_bulb: float
    entering: float
    leaving: float
    air: float


class CoupledCase(NamedTuple):
    """kW, °C, counts, shares; then kW, kW, share, °C."""

    load: float
    wet_bulb: float
    chillers: int
    cells: int
    fan: float
    condenser_flow: float
    chiller_power: float
    fan_power: float
    part_load_ratio: float
    condenser_entering: float


_RANGES = (3.0, 4.0, 5.0, 5.56, 6.0, 7.0)
_BY_WET_BULB = {
    20.0: (3.08, 3.88, 4.64, 5.06, 5.38, 6.07),
    24.0: (2.56, 3.21, 3.83, 4.16, 4.42, 4.99),
    25.56: (2.39, 2.97, 3.54, 3.84, 4.08, 4.60),
    28.0: (2.16, 2.65, 3.12, 3.38, 3.57, 4.02),
}
APPROACHES = (
    *(
        ApproachPoint(wet_bulb, range_, 1.0, 1.0, approach)
        for wet_bulb, row in _BY_WET_BULB.items()
        for range_, approach in zip(_RANGES, row, strict=True)
    ),
    ApproachPoint(25.0, 5.0, 1.0, 1.0, 3.64),
    ApproachPoint(25.0, 5.0, 1.0, 0.8, 4.79),
    ApproachPoint(25.0, 5.0, 1.0, 0.6, 6.69),
    ApproachPoint(25.0, 5.0, 1.0, 0.4, 10.51),
    ApproachPoint(25.0, 5.0, 0.5, 1.0, 1.34),
    ApproachPoint(25.0, 5.0, 0.75, 1.0, 2.49),
    ApproachPoint(25.0, 5.0, 1.25, 1.0, 4.79),
)

CELLS = (
    MeasuredCell(23.64, 32.02, 27.38, 1.000),
    MeasuredCell(24.17, 34.38, 30.00, 0.651),
    MeasuredCell(20.57, 34.80, 31.00, 0.396),
    MeasuredCell(22.17, 35.38, 30.00, 0.624),
    MeasuredCell(25.23, 30.98, 27.80, 1.000),
)
"""Design approach 3.89 K at 25.56 °C and 5.56 K range; design water flow."""

COUPLED_WATER = 76.0
"""l/s of condenser water of each chiller and of each cell."""

COUPLED_FAN = 22.0
COUPLED_SUPPLY = 6.67

COUPLED = (
    CoupledCase(1400.0, 26.0, 1, 1, 1.0, 1.0, 235.9, 22.0, 1.012, 29.53),
    CoupledCase(2400.0, 25.0, 2, 2, 0.8, 1.0, 398.0, 22.5, 0.863, 29.33),
    CoupledCase(2400.0, 25.0, 2, 2, 0.6, 1.0, 419.6, 9.5, 0.905, 31.11),
    CoupledCase(1000.0, 24.0, 1, 2, 0.6, 0.8, 152.0, 9.5, 0.670, 26.05),
    CoupledCase(3900.0, 27.5, 3, 3, 1.0, 1.0, 674.8, 66.0, 0.966, 30.60),
)
"""Carrier 19XR 1407 kW VSD by its EIR curves, YorkCalc without scaling."""
