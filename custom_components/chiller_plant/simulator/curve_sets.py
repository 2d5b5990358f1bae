"""The chillers that the simulator knows: published curves, with their ranges.

Each machine has two fits of the same measurements. `eir` is a function of the
*entering* condenser water and does not see condenser flow: it must not judge a
controller that throttles condenser pumps. `reformulated` is a function of the
*leaving* condenser water and serves everywhere else.

Coefficients and ranges: CoolTools project (Pacific Gas and Electric), as
published in the data set Chillers.idf of EnergyPlus (U.S. Department of
Energy); equations in its Engineering Reference, "Chiller:Electric:EIR" and
"Chiller:Electric:ReformulatedEIR".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

type Model = Literal["eir", "reformulated"]
type Range = tuple[float, float]
type Biquadratic = tuple[float, float, float, float, float, float]
"""1, x, x², y, y², xy."""

type PartLoad = tuple[float, ...]
"""Three coefficients 1, p, p², or ten: 1, x, x², p, p², xp, x³, p³, x²p, xp²."""


@dataclass(frozen=True, slots=True)
class CurveSet:
    """One fit of one machine; temperatures in °C, capacity in kW, flows in l/s.

    x is the leaving chilled water, y the entering (`eir`) or leaving
    (`reformulated`) condenser water, p the load as a share of the capacity that
    is available at x and y.
    """

    name: str
    kind: Model
    capacity_kw: float
    coefficient_of_performance: float
    supply: float
    """Leaving chilled water at the rating point."""

    condenser: float
    """y at the rating point."""

    chilled_water_flow: float
    condenser_water_flow: float
    capacity: Biquadratic
    """Available capacity as a share of `capacity_kw`."""

    input_ratio: Biquadratic
    """Power for each cooling at full load, as a share of that at the rating."""

    part_load: PartLoad
    """Power at p as a share of that at p = 1; its x is the condenser water."""

    part_load_range: Range
    supply_range: Range
    condenser_range: Range
    part_load_condenser_range: Range
    """Condenser water over which `part_load` was fitted."""

    source: str
    motor_efficiency: float = 1.0
    """Share of the power that the condenser takes away: all of it if hermetic."""


_EVERY_TEMPERATURE = (-100.0, 200.0)
"""Range of a part-load curve that does not ask for the condenser water."""


def _fit(
    kind: Model,
    name: str,
    rating: tuple[float, float, float, float, float, float],
    curves: tuple[Biquadratic, Biquadratic, PartLoad],
    ranges: tuple[Range, Range, Range, Range],
) -> CurveSet:
    """Name the columns of the table below."""
    prefix = "ElectricEIRChiller" if kind == "eir" else "ReformEIRChiller"
    source = f"EnergyPlus Chillers.idf (CoolTools), {prefix} {name}"
    return CurveSet(name, kind, *rating, *curves, *ranges, source)


# A rating is capacity kW, COP, leaving chilled water °C, condenser water °C,
# chilled-water flow l/s, condenser-water flow l/s; ranges are of part-load
# ratio, leaving chilled water, condenser water, condenser water of `part_load`.
_CARRIER_1407 = "Carrier 19XR 1407kW/6.04COP/VSD"
_YORK_1758 = "York YT 1758kW/6.28COP/Vanes"
_TRANE_1442 = "Trane CVHE 1442kW/6.61COP/VSD"
_CARRIER_1213 = "Carrier 19XR 1213kW/7.78COP/Vanes"

CURVE_SETS: Mapping[str, tuple[CurveSet, CurveSet]] = {
    "carrier_19xr_1407_vsd": (
        _fit(
            "eir",
            _CARRIER_1407,
            (1406.6, 6.04, 6.67, 29.44, 60.57, 75.71),
            (
                (
                    1.042261,
                    0.002644821,
                    -0.001468026,
                    0.01366256,
                    -0.0008302334,
                    0.001573579,
                ),
                (
                    1.02634,
                    -0.01612819,
                    -0.001092591,
                    -0.01784393,
                    0.0007961842,
                    -9.586049e-05,
                ),
                (0.118888, 0.6723542, 0.2068754),
            ),
            ((0.20, 1.04), (4.44, 10.0), (12.78, 32.22), _EVERY_TEMPERATURE),
        ),
        _fit(
            "reformulated",
            _CARRIER_1407,
            (1406.6, 6.04, 6.67, 34.63, 60.57, 75.71),
            (
                (
                    0.9006457,
                    -0.01139681,
                    -0.001480623,
                    0.02770949,
                    -0.0009617215,
                    0.001812986,
                ),
                (
                    1.174615,
                    -0.01237741,
                    -0.001147159,
                    -0.02996332,
                    0.0008901939,
                    -0.0002302077,
                ),
                (
                    -0.5839828,
                    0.04640814,
                    -7.366007e-05,
                    -0.1926398,
                    2.597682,
                    -0.04268655,
                    0.0,
                    -0.866639,
                    0.0,
                    0.0,
                ),
            ),
            ((0.20, 1.04), (4.44, 10.0), (18.11, 37.42), (19.35, 34.63)),
        ),
    ),
    "york_yt_1758_vanes": (
        _fit(
            "eir",
            _YORK_1758,
            (1758.3, 6.28, 6.67, 29.44, 75.71, 94.64),
            (
                (
                    0.7079149,
                    -0.002006276,
                    -0.002596043,
                    0.03005922,
                    -0.001056423,
                    0.002045705,
                ),
                (
                    0.5605391,
                    -0.01377994,
                    6.569542e-05,
                    0.01321951,
                    0.0002686074,
                    -0.0005011451,
                ),
                (0.1861223, 0.5482049, 0.2647377),
            ),
            ((0.20, 1.06), (4.44, 8.89), (15.56, 35.0), _EVERY_TEMPERATURE),
        ),
        _fit(
            "reformulated",
            _YORK_1758,
            (1758.3, 6.28, 6.67, 34.60, 75.71, 94.64),
            (
                (
                    0.5062633,
                    -0.009373882,
                    -0.002822764,
                    0.04202164,
                    -0.001092132,
                    0.002074549,
                ),
                (
                    0.5699849,
                    -0.009813327,
                    0.0004223116,
                    0.004842283,
                    0.0004078201,
                    -0.0007615896,
                ),
                (
                    0.2911331,
                    -0.004317969,
                    1.448369e-05,
                    0.6226793,
                    0.07992053,
                    0.003393326,
                    0.0,
                    0.0191954,
                    0.0,
                    0.0,
                ),
            ),
            ((0.20, 1.06), (4.44, 8.89), (20.46, 39.72), (20.33, 34.60)),
        ),
    ),
    "trane_cvhe_1442_vsd": (
        _fit(
            "eir",
            _TRANE_1442,
            (1441.8, 6.61, 5.56, 23.89, 50.47, 50.47),
            (
                (
                    0.4007341,
                    0.001148568,
                    0.0001049504,
                    0.05574667,
                    -0.001646131,
                    0.0013232,
                ),
                (
                    0.6287646,
                    -0.03024605,
                    0.0006137016,
                    0.01805826,
                    0.0001640653,
                    -0.0001113802,
                ),
                (0.09299787, 0.3244475, 0.5818753),
            ),
            ((0.10, 1.07), (4.44, 8.89), (12.78, 35.0), _EVERY_TEMPERATURE),
        ),
        _fit(
            "reformulated",
            _TRANE_1442,
            (1441.8, 6.61, 5.56, 31.76, 50.47, 50.47),
            (
                (
                    -0.2660651,
                    -0.02114972,
                    -0.0003928472,
                    0.0957391,
                    -0.002015949,
                    0.002030045,
                ),
                (
                    0.6807134,
                    -0.02285082,
                    0.0008153057,
                    0.0009280487,
                    0.000495054,
                    -0.0006106817,
                ),
                (
                    -0.5842314,
                    0.05001539,
                    -0.0001157444,
                    -0.003287848,
                    1.916917,
                    -0.04340928,
                    0.0,
                    -0.4222738,
                    0.0,
                    0.0,
                ),
            ),
            ((0.10, 1.06), (4.44, 8.89), (19.72, 41.41), (17.21, 30.50)),
        ),
    ),
    # Condenser water of cold climates only: most of the tropics is clipped.
    "carrier_19xr_1213_vanes": (
        _fit(
            "eir",
            _CARRIER_1213,
            (1213.2, 7.78, 6.11, 12.78, 32.43, 47.82),
            (
                (
                    0.9070437,
                    -0.007437456,
                    -0.0009695325,
                    0.01529092,
                    -0.001069664,
                    0.001994583,
                ),
                (
                    1.002142,
                    -0.02505239,
                    0.0005169707,
                    0.006321862,
                    0.0005116807,
                    -0.0004794244,
                ),
                (0.2847744, 0.4027863, 0.3114896),
            ),
            ((0.17, 1.02), (6.11, 12.78), (12.78, 23.89), _EVERY_TEMPERATURE),
        ),
        _fit(
            "reformulated",
            _CARRIER_1213,
            (1213.2, 7.78, 6.11, 19.63, 32.43, 47.82),
            (
                (
                    0.7578317,
                    -0.02467497,
                    -0.001185171,
                    0.03095499,
                    -0.001160103,
                    0.002330164,
                ),
                (
                    1.009816,
                    -0.01640134,
                    0.0007295439,
                    -0.005050832,
                    0.0006901476,
                    -0.0009104064,
                ),
                (
                    0.2257912,
                    0.003697616,
                    -2.645195e-05,
                    0.7936322,
                    -0.4424994,
                    -0.002424456,
                    0.0,
                    0.4078706,
                    0.0,
                    0.0,
                ),
            ),
            (
                (0.17, 1.03),
                (6.11, 12.78),
                (19.63, 30.97),
                (14.10, 29.98),
            ),
        ),
    ),
}
"""Name → (entering, leaving condenser-water form) of the same machine."""


def curve_set(name: str, model: Model) -> CurveSet:
    """Return one form of a machine; ValueError tells what there is."""
    if name not in CURVE_SETS:
        known = ", ".join(CURVE_SETS)
        raise ValueError(f"no chiller curves {name!r}; there are {known}")
    eir, reformulated = CURVE_SETS[name]
    return eir if model == "eir" else reformulated
