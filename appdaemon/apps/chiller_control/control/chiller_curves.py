"""Curves of chillers, as a form offers them.

Coefficients of the CoolTools project as published in EnergyPlus' Chillers.idf,
form "Chiller:Electric:ReformulatedEIR". Temperatures in °C.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Range: TypeAlias = tuple[float, float]


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
