"""What chillers take in steady operation, against EnergyPlus and against physics."""

from hypothesis import assume, given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.chiller_performance import (
    ChillerPerformance,
    ChillerRating,
    Solution,
    published_rating,
)
from custom_components.chiller_plant.simulator.curve_sets import (
    CURVE_SETS,
    Model,
    curve_set,
)
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY
from tests.simulator.chiller_reference import (
    EIR_POINTS,
    REFORMULATED_POINTS,
    EirPoint,
    Point,
    largest_error_eir,
    largest_error_reformulated,
    relative_error,
    solve,
)

CARRIER = "carrier_19xr_1407_vsd"
MODELS: tuple[Model, ...] = ("eir", "reformulated")
EVERY_FIT = [(name, model) for name in CURVE_SETS for model in MODELS]
RATING = published_rating(CARRIER)
CAPACITY = RATING.capacity
FLOW = RATING.condenser_water_flow
GREATEST = curve_set(CARRIER, "reformulated").part_load_range[1]

shares = st.floats(0.2, 1.0)
supplies = st.floats(4.44, 10.0)
entering_waters = st.floats(18.0, 31.0)


def steady(
    load: float | Array,
    supply: float | Array = 6.67,
    entering: float | Array = 28.0,
    flow: float | Array = FLOW,
    rating: ChillerRating = RATING,
    fouling: float = 0.0,
) -> Solution:
    """Return steady points, one a row, of one machine."""
    columns = np.broadcast_arrays(load, supply, entering, flow)
    return ChillerPerformance([rating]).power(
        *(np.asarray(column, float).reshape(-1, 1) for column in columns),
        fouling=fouling,
    )


@pytest.mark.parametrize("row", EIR_POINTS, ids=lambda row: f"{row.point[:4]}")
def test_eir_power_is_that_of_energyplus(row: EirPoint) -> None:
    assert relative_error(row.point, "eir") < 0.001


@pytest.mark.parametrize(
    "point", REFORMULATED_POINTS, ids=lambda point: f"{point[1:5]}"
)
def test_reformulated_power_is_that_of_energyplus(point: Point) -> None:
    assert relative_error(point, "reformulated") < 0.003


def test_the_largest_errors_are_those_that_the_benchmark_reports() -> None:
    assert len(EIR_POINTS) == 18
    assert len(REFORMULATED_POINTS) == 11
    assert 0.0 < largest_error_eir() < 0.001
    assert 0.0 < largest_error_reformulated() < 0.003


@pytest.mark.parametrize("row", EIR_POINTS, ids=lambda row: f"{row.point[:4]}")
def test_leaving_condenser_water_is_that_of_energyplus(row: EirPoint) -> None:
    """Within the 0.6 % by which the two waters carry different heat."""
    found = solve(row.point, "eir").condenser_leaving[0]
    assert found == pytest.approx(row.condenser_leaving, abs=0.05)


@pytest.mark.parametrize(
    "row",
    [row for row in EIR_POINTS if row.full_load],
    ids=lambda row: f"{row.point[:4]}",
)
def test_each_curve_is_that_of_energyplus(row: EirPoint) -> None:
    point = row.point
    rating = published_rating(point.curves, "eir")
    performance = ChillerPerformance([rating])
    full = performance.full_load(
        np.array([point.supply]), np.array([point.condenser_entering])
    )
    share = full.capacity[0] / rating.capacity
    input_ratio = full.power[0] / full.capacity[0] * rating.coefficient_of_performance
    part = performance.part_load(full, np.array([point.load]))
    assert (share, input_ratio) == pytest.approx(row.full_load, abs=2e-5)
    assert part.power[0] / full.power[0] == pytest.approx(row.part_load, abs=2e-4)


def test_below_its_least_load_a_machine_cycles() -> None:
    """EnergyPlus: CR .760 at 15 % of the rated load."""
    point = EIR_POINTS[7].point
    found = solve(point, "eir")
    assert found.cycling_ratio[0] == pytest.approx(0.760, abs=0.001)
    half = steady(
        0.5 * point.load, entering=29.44, rating=published_rating(CARRIER, "eir")
    )
    assert half.power[0, 0] == pytest.approx(0.5 * found.power[0])


@pytest.mark.parametrize(("name", "model"), EVERY_FIT)
def test_a_machine_at_its_rating_takes_what_its_plate_says(
    name: str, model: Model
) -> None:
    """The fits miss their own rating point by up to 6 %: not worse than published."""
    fit = curve_set(name, model)
    performance = ChillerPerformance([published_rating(name, model)])
    full = performance.full_load(np.array([fit.supply]), np.array([fit.condenser]))
    assert full.capacity[0] == pytest.approx(fit.capacity_kw, rel=0.06)
    power = fit.capacity_kw / fit.coefficient_of_performance
    assert full.power[0] == pytest.approx(power, rel=0.06)
    assert not full.clipped[0] or model == "reformulated"


@pytest.mark.parametrize(("name", "model"), EVERY_FIT)
def test_curves_are_positive_all_over_their_range(name: str, model: Model) -> None:
    fit = curve_set(name, model)
    performance = ChillerPerformance([published_rating(name, model)])
    supply, condenser, share = (
        grid.reshape(-1, 1)
        for grid in np.meshgrid(
            np.linspace(*fit.supply_range, 12),
            np.linspace(*fit.condenser_range, 24),
            np.linspace(*fit.part_load_range, 12),
        )
    )
    full = performance.full_load(supply, condenser)
    part = performance.part_load(full, share * full.capacity)
    assert full.capacity.min() > 0.5 * fit.capacity_kw
    assert part.power.min() > 0.1 * full.power.min()


@pytest.mark.parametrize("value", [0.0, -1407.0, float("nan"), float("inf")])
def test_a_plate_that_no_machine_can_have_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="cannot have a capacity of"):
        ChillerRating(capacity=value)


def test_a_plate_that_unloads_further_than_its_curves_cycles_where_they_end() -> None:
    """Never the part-load curve below its range: this one ends at 20 %."""
    promised = steady(
        0.1 * CAPACITY, rating=ChillerRating(1406.6, minimum_load_ratio=0.1)
    )
    published = steady(0.1 * CAPACITY, rating=ChillerRating(1406.6))
    assert promised.power[0, 0] == published.power[0, 0]
    assert promised.cycling_ratio[0, 0] < 0.6


def test_unknown_curves_are_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(ValueError, match="no chiller curves 'carrier'.*york_yt_1758"):
        ChillerPerformance([ChillerRating(curves="carrier")])


@settings(max_examples=200, deadline=None)
@given(share=shares, supply=supplies, entering=entering_waters)
def test_power_rises_with_condenser_temperature(
    share: float, supply: float, entering: float
) -> None:
    found = steady(share * CAPACITY, supply, np.array([entering, entering + 0.5]))
    assume((found.part_load_ratio < GREATEST).all())
    assert found.power[1, 0] > found.power[0, 0]


@settings(max_examples=200, deadline=None)
@given(share=st.floats(0.5, 1.0), supply=st.floats(4.44, 9.5), entering=entering_waters)
def test_power_falls_with_warmer_supply(
    share: float, supply: float, entering: float
) -> None:
    """From half load up: below, the published curves of this machine turn round."""
    found = steady(share * CAPACITY, np.array([supply, supply + 0.5]), entering)
    assume((found.part_load_ratio < GREATEST).all())
    assert found.power[1, 0] < found.power[0, 0]


@settings(max_examples=200, deadline=None)
@given(
    share=shares, supply=supplies, entering=entering_waters, flow=st.floats(0.4, 0.95)
)
def test_less_condenser_water_costs_power(
    share: float, supply: float, entering: float, flow: float
) -> None:
    water = np.array([flow * FLOW, FLOW])
    found = steady(share * CAPACITY, supply, entering, water)
    assume((found.part_load_ratio < GREATEST).all())
    assert found.power[0, 0] > found.power[1, 0]


def test_the_entering_form_does_not_see_condenser_flow() -> None:
    """Why no controller may be judged by it; see the head of curve_sets."""
    power = steady(
        1000.0,
        flow=np.array([0.5 * FLOW, FLOW]),
        rating=published_rating(CARRIER, "eir"),
    ).power
    assert power[0, 0] == power[1, 0]


@settings(max_examples=200, deadline=None)
@given(
    fit=st.sampled_from(EVERY_FIT),
    share=st.floats(0.05, 1.3),
    supply=st.floats(2.0, 16.0),
    entering=st.floats(5.0, 45.0),
    flow=st.floats(0.05, 1.2),
)
def test_heat_to_the_condenser_is_cooling_and_power_anywhere(
    fit: tuple[str, Model], share: float, supply: float, entering: float, flow: float
) -> None:
    rating = published_rating(*fit)
    water = flow * rating.condenser_water_flow
    load = share * rating.capacity
    found = steady(load, supply, entering, water, rating)
    heat = water * HEAT_CAPACITY * (found.condenser_leaving[0, 0] - entering)
    efficiency = curve_set(*fit).motor_efficiency
    expected = load + efficiency * found.power[0, 0]
    assert heat == pytest.approx(expected, rel=0.001)


@settings(max_examples=200, deadline=None)
@given(
    fit=st.sampled_from(EVERY_FIT),
    share=st.floats(0.05, 1.3),
    supply=st.floats(2.0, 16.0),
    entering=st.floats(5.0, 42.0),
    flow=st.floats(0.3, 1.2),
)
def test_the_fixed_point_is_one(
    fit: tuple[str, Model], share: float, supply: float, entering: float, flow: float
) -> None:
    """The curves at the leaving water that was found give the power that was found."""
    rating = published_rating(*fit)
    load = np.array([[share * rating.capacity]])
    found = steady(load, supply, entering, flow * rating.condenser_water_flow, rating)
    performance = ChillerPerformance([rating])
    seen = found.condenser_leaving if fit[1] == "reformulated" else entering
    full = performance.full_load(np.array([[supply]]), np.asarray(seen).reshape(1, 1))
    again = performance.part_load(full, load).power
    assert found.power[0, 0] == pytest.approx(again[0, 0], rel=1e-4)


@pytest.mark.parametrize(
    ("load", "supply", "entering", "flow", "clipped"),
    [
        (1000.0, 6.7, 26.0, FLOW, False),
        (1000.0, 4.0, 26.0, FLOW, True),
        (1000.0, 10.5, 26.0, FLOW, True),
        (1000.0, 6.7, 36.0, FLOW, True),
        (300.0, 6.7, 15.0, FLOW, True),
        (1500.0, 6.7, 26.0, FLOW, False),
        (1700.0, 6.7, 26.0, FLOW, True),
        (100.0, 6.7, 24.0, FLOW, False),
        (100.0, 6.7, 20.0, 0.04 * FLOW, True),
    ],
)
def test_what_leaves_the_published_range_is_flagged(
    load: float, supply: float, entering: float, flow: float, clipped: bool
) -> None:
    assert steady(load, supply, entering, flow).clipped[0, 0] == clipped


@pytest.mark.parametrize(("water", "edge"), [(18.5, 19.35), (36.0, 34.63)])
def test_a_part_load_curve_has_a_narrower_range_of_its_own(
    water: float, edge: float
) -> None:
    """Within the temperature curves, beyond the part-load curve: its edge holds."""
    performance = ChillerPerformance([RATING])
    supply = np.full((2, 1), 6.67)
    full = performance.full_load(supply, np.array([[water], [edge]]))
    share = performance.part_load(full, 0.5 * full.capacity).power / full.power
    assert full.clipped[:, 0].tolist() == [True, False]
    assert share[0, 0] == pytest.approx(share[1, 0])


def test_supply_below_the_range_costs_what_its_edge_costs() -> None:
    power = steady(1000.0, np.array([3.0, 4.44])).power
    assert power[0, 0] == power[1, 0]


def test_heat_is_never_free_above_the_condenser_range() -> None:
    entering = np.arange(25.0, 50.0)
    found = steady(1000.0, 6.7, entering)
    assert (np.diff(found.power[:, 0]) > 0.0).all()
    assert found.clipped[-1, 0]
    assert found.power[-1, 0] > 1.4 * found.power[0, 0]


def test_a_load_beyond_the_capacity_is_said_to_be_one() -> None:
    found = steady(1.2 * CAPACITY, 6.67, 30.0)
    assert found.part_load_ratio[0, 0] > 1.04
    assert found.clipped[0, 0]


def test_a_fouled_condenser_costs_as_much_as_water_that_much_warmer() -> None:
    dirty = steady(1000.0, entering=27.0, fouling=2.0)
    warm = steady(1000.0, entering=29.0)
    assert dirty.power[0, 0] == pytest.approx(warm.power[0, 0])
    assert dirty.condenser_leaving[0, 0] == pytest.approx(
        warm.condenser_leaving[0, 0] - 2.0
    )


def test_a_chiller_of_half_the_size_takes_half_the_power() -> None:
    whole = ChillerRating()
    half = ChillerRating(703.5, 6.04, 30.285, 37.855)
    assert steady(500.0, flow=37.855, rating=half).power[0, 0] == pytest.approx(
        0.5 * steady(1000.0, flow=75.71, rating=whole).power[0, 0]
    )


def test_machines_of_different_makes_stand_side_by_side() -> None:
    """One array of all fits gives each what it takes alone."""
    ratings = [published_rating(name, model) for name, model in EVERY_FIT]
    loads = np.array([[0.7 * rating.capacity for rating in ratings]] * 5)
    supply = np.linspace(5.0, 9.0, 5)[:, np.newaxis]
    flow = np.array([0.8 * rating.condenser_water_flow for rating in ratings])
    for fleet in (ChillerPerformance(ratings), ChillerPerformance(ratings, 5)):
        together = fleet.power(loads, supply, np.full((5, 1), 22.0), flow)
        assert together.power.shape == (5, len(ratings))
        for number, rating in enumerate(ratings):
            alone = steady(loads[:, number], supply[:, 0], 22.0, flow[number], rating)
            assert together.power[:, number] == pytest.approx(
                alone.power[:, 0], rel=1e-5
            )
