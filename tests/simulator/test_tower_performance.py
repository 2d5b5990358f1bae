"""Water leaves a cell as YorkCalc and thermodynamics have it."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.simulator.tower_performance import (
    DESIGN_APPROACH,
    DESIGN_RANGE,
    DESIGN_SCALE,
    DESIGN_WET_BULB,
    FREE_CONVECTION,
    LEAST_APPROACH,
    LEAST_PUBLISHED_RATIO,
    WET_BULB_RANGE,
    Characteristic,
    design_scale,
    leaving_temperature,
)
from tests.simulator.tower_reference import APPROACHES, CELLS, ApproachPoint

_entering = st.floats(10.0, 50.0)
_wet_bulb = st.floats(0.0, 30.0)
_water = st.floats(0.02, 2.0)
_air = st.floats(0.0, 1.0)

_PUBLISHED_WAVER = 0.02
"""K. Near freezing, with the most water to air of its limits, the published
polynomial itself rises by up to 17 mK where the air gets drier by 1 K."""


def leaving(
    entering: float, wet_bulb: float, water: float = 1.0, air: float = 1.0
) -> float:
    """Return what a cell makes of one stream of water."""
    return float(
        leaving_temperature(*(np.array(x) for x in (entering, wet_bulb, water, air)))[0]
    )


@pytest.mark.parametrize("point", APPROACHES)
def test_approach_is_that_of_the_published_polynomial(point: ApproachPoint) -> None:
    cell = Characteristic(
        np.array(point.wet_bulb), np.array(point.water), np.array(point.air), 1.0
    )
    approach, clipped = cell.approach(np.array(point.range))
    assert float(approach) == pytest.approx(point.approach, abs=0.006)
    assert bool(clipped) is (point.water / point.air < LEAST_PUBLISHED_RATIO)


@pytest.mark.parametrize("cell", CELLS)
def test_cell_cools_as_in_a_year_of_energyplus(cell) -> None:
    cold = leaving(cell.entering, cell.wet_bulb, 1.0, cell.air)
    assert cold == pytest.approx(cell.leaving, abs=0.03)


def test_cell_meets_its_design_approach() -> None:
    assert pytest.approx(1.0098, abs=5e-5) == DESIGN_SCALE
    entering = DESIGN_WET_BULB + DESIGN_APPROACH + DESIGN_RANGE
    assert leaving(entering, DESIGN_WET_BULB) == pytest.approx(
        DESIGN_WET_BULB + DESIGN_APPROACH, abs=1e-4
    )
    larger = design_scale(27.0, 5.0, 2.8)
    cold, _ = leaving_temperature(
        np.array(34.8), np.array(27.0), np.array(1.0), np.array(1.0), larger
    )
    assert float(cold) == pytest.approx(29.8, abs=1e-4)


def test_impossible_design_is_refused_with_what_is_possible() -> None:
    with pytest.raises(ValueError, match=r"0\.1 K approach.*possible are"):
        design_scale(25.0, 5.0, 0.1)


@settings(max_examples=300, deadline=None)
@given(_entering, _wet_bulb, _water, _air)
def test_water_never_leaves_below_the_wet_bulb_nor_warmer_than_it_came(
    entering: float, wet_bulb: float, water: float, air: float
) -> None:
    cold = leaving(entering, wet_bulb, water, air)
    assert cold <= entering
    assert cold >= min(wet_bulb, entering)


@settings(max_examples=300, deadline=None)
@given(_entering, _wet_bulb, _water, _air, st.floats(0.01, 1.0))
def test_more_air_less_water_and_drier_air_never_make_warmer_water(
    entering: float, wet_bulb: float, water: float, air: float, more: float
) -> None:
    cold = leaving(entering, wet_bulb, water, air) + 1e-9
    assert leaving(entering, wet_bulb, water, air + more) <= cold
    assert leaving(entering, wet_bulb, water / (1.0 + more), air) <= cold
    assert leaving(entering, wet_bulb - more, water, air) <= cold + _PUBLISHED_WAVER
    assert leaving(entering - more, wet_bulb, water, air) <= cold


@settings(max_examples=200, deadline=None)
@given(
    st.floats(10.0, 28.0), st.floats(0.3, 1.2), st.floats(0.25, 1.0), st.floats(1, 20)
)
def test_range_and_approach_are_each_other_s_inverse(
    wet_bulb: float, water: float, air: float, lift: float
) -> None:
    cell = Characteristic(np.array(wet_bulb), np.array(water), np.array(air))
    range_, _ = cell.range(np.array(lift))
    approach, _ = cell.approach(range_)
    assert float(range_ + approach) == pytest.approx(lift, abs=1e-9)


def test_standing_fan_leaves_free_convection() -> None:
    full = 35.0 - leaving(35.0, 25.0, air=1.0)
    still = 35.0 - leaving(35.0, 25.0, air=0.0)
    assert still == pytest.approx(FREE_CONVECTION * full)
    slow = [leaving(35.0, 25.0, air=share) for share in (0.0, 0.05, 0.1, 0.2, 0.3)]
    assert slow == sorted(slow, reverse=True)


def test_cell_without_water_returns_what_enters() -> None:
    cold, clipped = leaving_temperature(
        np.array(35.0), np.array(25.0), np.array(0.0), np.array(1.0)
    )
    assert float(cold) == 35.0
    assert not clipped


@pytest.mark.parametrize(
    ("entering", "wet_bulb", "water", "air", "flagged"),
    [
        (34.0, 25.0, 1.0, 1.0, False),
        (34.0, 25.0, 1.0, 0.5, False),
        (36.0, WET_BULB_RANGE[1] + 1.0, 1.0, 1.0, True),
        (34.0, 25.0, 1.6, 0.2, True),  # more water to the air than published
        (34.0, 25.0, 0.6, 1.0, True),  # less
        (34.0, 25.0, 0.6, 0.6, False),
        (26.5, 25.0, 1.0, 1.0, True),  # range below the published
        (60.0, 10.0, 0.5, 1.0, True),  # range above it
    ],
)
def test_what_lies_outside_the_published_limits_is_flagged(
    entering: float, wet_bulb: float, water: float, air: float, flagged: bool
) -> None:
    _, clipped = leaving_temperature(
        *(np.array(x) for x in (entering, wet_bulb, water, air))
    )
    assert bool(clipped) is flagged


def test_approach_is_not_believed_below_the_published_one() -> None:
    # Raw, the polynomial would promise 0.4 K here.
    cold = leaving(30.0, 25.0, 0.3, 1.0)
    assert cold == pytest.approx(25.0 + LEAST_APPROACH)


def _enthalpy(temperature: np.ndarray) -> np.ndarray:
    """Return that of saturated air at sea level, kJ/kg of dry air."""
    pressure = 0.61121 * np.exp(
        (18.678 - temperature / 234.5) * temperature / (257.14 + temperature)
    )
    ratio = 0.622 * pressure / (101.325 - pressure)
    return 1.006 * temperature + ratio * (2501.0 + 1.86 * temperature)


def _merkel_approach(wet_bulb: float, range_: float, water: float, air: float) -> float:
    """Integrate Merkel's equation for a counterflow cell of the same design."""

    def units(approach: float, span: float, wet: float, ratio: float) -> float:
        cold = wet + approach
        water_at = np.linspace(cold, cold + span, 60)
        air_at = _enthalpy(np.array(wet)) + 4.186 * 1.2 * ratio * (water_at - cold)
        force = _enthalpy(water_at) - air_at
        return (
            float(np.trapezoid(4.186 / force, water_at)) if force.min() > 0 else np.inf
        )

    # Transfer grows with water^0.4 and air^0.6, and is shared by the water.
    design = units(DESIGN_APPROACH, DESIGN_RANGE, DESIGN_WET_BULB, 1.0)
    offered = design * water**-0.6 * air**0.6
    low, high = 0.01, 60.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if units(middle, range_, wet_bulb, water / air) > offered:
            low = middle
        else:
            high = middle
    return high


@pytest.mark.parametrize("range_", [4.0, 5.0, 6.0])
@pytest.mark.parametrize("wet_bulb", [22.0, 25.0, 28.0])
@pytest.mark.parametrize(
    ("water", "air"), [(0.4, 1.0), (0.4, 0.6), (0.5, 1.0), (0.33, 0.5), (0.75, 1.0)]
)
def test_little_water_is_cooled_as_far_as_merkel_s_equation_says(
    wet_bulb: float, range_: float, water: float, air: float
) -> None:
    cell = Characteristic(np.array(wet_bulb), np.array(water), np.array(air))
    approach, _ = cell.approach(np.array(range_))
    merkel = _merkel_approach(wet_bulb, range_, water, air)
    assert float(approach) == pytest.approx(merkel, abs=0.6)
