"""The model that the towers are steered by, and the search over it."""

from dataclasses import replace
from itertools import product
from time import perf_counter

from chiller_control.control.chiller_curves import CHILLER_CURVES
from chiller_control.control.near_optimal import NearOptimal, near_optimal
from chiller_control.control.plant_equations import (
    WATER,
    approach_of,
    full_load,
    part_load,
    pump_power,
)
from chiller_control.control.plant_ratings import PlantRatings, pump_speed
from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

RATINGS = PlantRatings(
    chillers=3,
    capacity=1407.0,
    coefficient_of_performance=6.04,
    condenser_flow=75.71,
    minimum_load_ratio=0.2,
    cells=3,
    cell_flow=75.71,
    fan_power=22.0,
    pump_power=26.0,
    primary_pump_power=9.0,
    static_share=35.0 / 190.0,
)
MODEL = NearOptimal(RATINGS)

# Load kW, leaving chilled water °C, entering condenser water °C, share of its
# design flow, and the kW that EnergyPlus 25.2 makes of it.
REFORMULATED = [
    (1404.2, 6.67, 29.44, 1.0, 235.25),
    (1053.5, 6.67, 26.0, 1.0, 152.61),
    (702.7, 6.67, 22.0, 1.0, 84.11),
    (351.5, 6.67, 20.0, 1.0, 51.69),
    (1264.0, 7.5, 30.0, 1.0, 207.90),
    (843.1, 9.0, 28.0, 1.0, 127.25),
    (702.7, 6.67, 30.0, 1.0, 137.76),
    (421.7, 6.67, 29.44, 1.0, 125.82),
    (1053.5, 6.67, 26.0, 0.6, 169.33),
    (702.7, 6.67, 26.0, 0.6, 122.58),
    (843.1, 9.0, 28.0, 0.6, 141.51),
]


def chiller_power(load: float, supply: float, entering: float, flow: float) -> float:
    """Return the kW of the reference machine, solved without the model."""
    curves, rated = CHILLER_CURVES["carrier_19xr_1407_vsd"], 1406.6
    leaving = entering + 5.0
    power = 0.0
    for _ in range(60):
        full = full_load(curves, np.array(supply), np.array(leaving))
        share, _ratio = part_load(curves, full, load / rated, 0.2)
        power = float(share) * rated / 6.04
        leaving = entering + (load + power) / (flow * 75.71 * WATER)
    return power


@pytest.mark.parametrize(("load", "supply", "entering", "flow", "power"), REFORMULATED)
def test_chiller_takes_what_the_reference_says(
    load: float, supply: float, entering: float, flow: float, power: float
) -> None:
    assert chiller_power(load, supply, entering, flow) == pytest.approx(power, rel=3e-3)


APPROACHES = {
    20.0: (3.08, 3.88, 4.64, 5.06, 5.38, 6.07),
    24.0: (2.56, 3.21, 3.83, 4.16, 4.42, 4.99),
    25.56: (2.39, 2.97, 3.54, 3.84, 4.08, 4.60),
    28.0: (2.16, 2.65, 3.12, 3.38, 3.57, 4.02),
}


@pytest.mark.parametrize("wet_bulb", APPROACHES)
def test_tower_approaches_the_wet_bulb_as_published(wet_bulb: float) -> None:
    one = np.array(1.0)
    approach = approach_of(wet_bulb, one, one).at(np.array([3, 4, 5, 5.56, 6, 7.0]))
    # The scale that meets the design approach is a few hundredths of a kelvin.
    assert approach == pytest.approx(np.array(APPROACHES[wet_bulb]), abs=0.1)


def test_slower_fans_approach_less() -> None:
    air = np.array([1.0, 0.8, 0.6, 0.4])
    approach = approach_of(25.0, np.ones(4), air).at(np.full(4, 5.0))
    assert approach == pytest.approx(np.array([3.64, 4.79, 6.69, 10.51]), abs=0.16)


@given(st.floats(0.3, 1.0), st.floats(0.0, 0.6))
def test_pump_speed_meets_the_head_of_its_flow(flow: float, static: float) -> None:
    speed = pump_speed(flow, static)
    head_of_pump = 1.25 * speed**2 - 0.25 * flow**2
    assert head_of_pump == pytest.approx(static + (1.0 - static) * flow**2)


def test_pump_takes_its_rated_power_at_its_rated_flow_and_much_less_below() -> None:
    shares = pump_power(np.array([1.0, 0.6]), 0.18)
    assert shares[0] == pytest.approx(1.0, abs=0.01)
    assert 0.2 < shares[1] < 0.45


def solve(load: float, wet_bulb: float, supply: float = 7.0, **kwargs: float) -> float:
    """Return the model's power at one candidate."""
    candidate = {"chillers": 2, "cells": 2.0, "fan_speed": 0.7, "flow": 0.9} | kwargs
    steady = MODEL.evaluate(
        load,
        wet_bulb,
        supply,
        int(candidate["chillers"]),
        *(np.array(candidate[name]) for name in ("cells", "fan_speed", "flow")),
    )
    return float(steady.chillers)


def test_the_fixed_point_closes_chiller_and_tower() -> None:
    steady = MODEL.evaluate(
        2400.0, 25.0, 7.0, 2, np.array(2.0), np.array(0.8), np.array(0.9)
    )
    leaving, entering = float(steady.leaving), float(steady.entering)
    each = 1200.0
    rejected = 2 * (each + float(steady.chillers) / 2)
    carried = 2 * 0.9 * RATINGS.condenser_flow * WATER
    assert rejected == pytest.approx(carried * (leaving - entering), rel=1e-4)
    approach = approach_of(25.0, np.array(0.9), np.array(0.8))
    assert entering - 25.0 == pytest.approx(
        float(approach.at(np.array(leaving - entering))), abs=0.01
    )
    full = full_load(CHILLER_CURVES[RATINGS.curves], np.array(7.0), np.array(leaving))
    share, _ = part_load(
        CHILLER_CURVES[RATINGS.curves], full, each / RATINGS.capacity, 0.2
    )
    expected = 2 * float(share) * RATINGS.capacity / 6.04
    assert float(steady.chillers) == pytest.approx(expected, rel=1e-4)


@given(st.floats(1600, 2600), st.floats(19, 27), st.floats(0.3, 0.9))
def test_what_cools_the_condenser_better_spares_the_chillers(
    load: float, wet_bulb: float, fan: float
) -> None:
    power = solve(load, wet_bulb, fan_speed=fan)
    assert solve(load, wet_bulb, fan_speed=fan + 0.1) < power
    assert solve(load, wet_bulb, fan_speed=fan, cells=3.0) < power
    assert solve(load, wet_bulb + 1.0, fan_speed=fan) > power
    assert solve(load, wet_bulb, supply=6.5, fan_speed=fan) > power


FINE_FAN = np.linspace(0.2, 1.0, 161)[:, None]
FINE_FLOW = np.linspace(0.6, 1.0, 81)


def enumerated(
    load: float, wet_bulb: float, supply: float, chillers: int, cells: range
) -> float:
    """Return the least power of a fine grid over everything that is allowed."""
    best = np.inf
    for count in cells:
        steady = MODEL.evaluate(
            load,
            wet_bulb,
            supply,
            chillers,
            np.array(float(count)),
            FINE_FAN,
            FINE_FLOW,
        )
        allowed = np.where(steady.beyond <= 0.0, steady.power, np.inf)
        best = min(best, float(allowed.min()))
    return best


@given(
    st.sampled_from([1, 2, 3]),
    st.floats(0.3, 0.95),
    st.floats(18, 28),
    st.floats(6, 9.5),
)
@settings(max_examples=25, deadline=None)
def test_search_finds_what_an_enumeration_finds(
    chillers: int, share: float, wet_bulb: float, supply: float
) -> None:
    load = share * chillers * RATINGS.capacity
    best = MODEL.best(load, wet_bulb, supply, chillers)
    least = enumerated(load, wet_bulb, supply, chillers, range(1, 4))
    assert best.feasible
    assert best.power <= least * 1.001


def test_optimum_keeps_every_limit() -> None:
    for chillers, share, wet_bulb in product((1, 2, 3), (0.25, 0.6, 1.0), (15, 22, 28)):
        best = MODEL.best(share * chillers * 1407.0, wet_bulb, 7.0, chillers)
        assert 0.2 <= best.fan_speed <= 1.0
        assert 0.6 <= best.condenser_flow <= 1.0
        assert 1 <= best.cells <= 3
        if best.feasible:
            assert best.leaving - 7.0 >= RATINGS.minimum_lift - 1e-6
            assert best.part_load_ratio <= 1.02 + 1e-9
            water = chillers * best.condenser_flow / best.cells
            assert water >= RATINGS.minimum_cell_flow - 1e-9


def test_cold_weather_is_met_with_less_air_rather_than_with_too_little_lift() -> None:
    best = MODEL.best(900.0, 5.0, 9.0, 1)
    assert best.feasible
    assert best.leaving - 9.0 >= RATINGS.minimum_lift


def test_a_load_that_cannot_be_carried_is_flagged_and_everything_runs() -> None:
    best = MODEL.best(2400.0, 28.0, 6.7, 1)
    assert not best.feasible
    assert best.cells == 3 and best.fan_speed > 0.9


def test_more_than_the_curves_know_is_flagged() -> None:
    assert MODEL.best(1400.0, 31.0, 7.0, 1).clipped
    assert not MODEL.best(900.0, 24.0, 7.0, 1).clipped


def test_towers_run_harder_where_chillers_have_more_to_do() -> None:
    low, high = (MODEL.best(load, 25.0, 7.0, 2) for load in (1200.0, 2700.0))
    assert high.fan_speed > low.fan_speed
    assert high.condenser_flow > low.condenser_flow


@pytest.mark.parametrize("wet_bulb", [22.0, 28.0])
@pytest.mark.parametrize("chillers", [1, 2])
def test_break_even_is_where_one_chiller_more_is_cheaper_or_needed(
    wet_bulb: float, chillers: int
) -> None:
    load = MODEL.break_even(wet_bulb, 7.0, chillers)
    step = 0.015 * RATINGS.capacity

    def fewer_is_better(at: float) -> bool:
        fewer = MODEL.best(at, wet_bulb, 7.0, chillers)
        more = MODEL.best(at, wet_bulb, 7.0, chillers + 1)
        return fewer.feasible and fewer.power <= more.power

    assert fewer_is_better(load - step)
    assert not fewer_is_better(load + step)


def test_hotter_weather_needs_another_chiller_earlier() -> None:
    loads = [MODEL.break_even(wet_bulb, 7.0, 1) for wet_bulb in (20.0, 24.0, 28.0)]
    assert loads == sorted(loads, reverse=True)


def test_points_of_the_grid_are_searched_once() -> None:
    model = near_optimal(RATINGS)
    one = model.best_near(1500.0, 25.01, 7.02, 2, (2, 3))
    assert model.best_near(1505.0, 24.95, 6.98, 2, (2, 3)) is one
    assert model.best_near(1700.0, 25.0, 7.0, 2, (2, 3)) is not one
    assert near_optimal(replace(RATINGS)) is model, "equal plants share what is found"
    assert model.break_even_near(25.2, 7.1, 1, 0.0) == model.break_even(25.0, 7.0, 1)


def test_a_search_is_cheap_enough_for_a_site() -> None:
    """A bound for a slow machine; what it takes is in the documentation."""
    MODEL.best(2400.0, 25.0, 7.0, 2)
    taken = []
    for load in range(1000, 2600, 200):
        began = perf_counter()
        MODEL.best(float(load), 25.0, 7.0, 2)
        taken.append(perf_counter() - began)
    assert min(taken) < 0.1


@pytest.mark.parametrize("name", CHILLER_CURVES)
def test_every_curve_set_is_one_at_its_rating(name: str) -> None:
    rating = {
        "carrier_19xr_1407_vsd": (6.67, 34.63),
        "york_yt_1758_vanes": (6.67, 34.60),
        "trane_cvhe_1442_vsd": (5.56, 31.76),
    }[name]
    curves = CHILLER_CURVES[name]
    full = full_load(curves, np.array(rating[0]), np.array(rating[1]))
    power, _ = part_load(curves, full, float(full.capacity), 0.2)
    assert float(full.capacity) == pytest.approx(1.0, abs=0.06)
    assert float(power) == pytest.approx(1.0, abs=0.07)


def test_a_chiller_more_must_save_what_is_asked() -> None:
    # Cold condenser water: two machines at half load beat one at full.
    any_saving, some, much = (
        MODEL.break_even(12.0, 9.0, 1, saving) for saving in (0.0, 6.0, 20.0)
    )
    assert any_saving < some < much
    step = 0.015 * RATINGS.capacity

    def saved(load: float) -> float:
        fewer, more = (MODEL.best(load, 12.0, 9.0, chillers) for chillers in (1, 2))
        return fewer.power - more.power

    assert saved(some - step) < 6.0 < saved(some + step)
