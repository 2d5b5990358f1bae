"""The way of a reset between warm water and pressure, and what pressure costs."""

from chiller_control.control.decision import Inputs
from chiller_control.control.plan import Plan, parse_plan
from chiller_control.control.reset_path import TRAVEL_TIME, PressurePrice, ResetPath
from hypothesis import given, strategies as st
import pytest
from whole_plant import readings, whole_plan_data

shares = st.floats(0.0, 1.0)
resets = st.floats(0.0, 100.0)


def path(split: float = 60.0, knee: float = 1.0) -> ResetPath:
    found = ResetPath(split)
    found.knee = knee
    return found


def test_with_the_knee_at_the_top_pressure_comes_first_as_in_guideline_36() -> None:
    way = path(split=50.0)
    assert way.at(0.0) == (0.0, 0.0)
    assert way.at(50.0) == (0.0, 1.0)
    assert way.at(75.0) == (0.5, 1.0)
    assert way.at(100.0) == (1.0, 1.0)


def test_from_the_knee_on_water_gets_colder_and_then_pressure_goes_on() -> None:
    way = path(split=60.0, knee=0.5)
    assert way.at(30.0) == (0.0, 0.5)
    assert way.at(50.0) == (0.5, 0.5)
    assert way.at(70.0) == (1.0, 0.5)
    assert way.at(85.0) == (1.0, pytest.approx(0.75))
    assert way.at(100.0) == (1.0, 1.0)


@pytest.mark.parametrize(("split", "ends"), [(0.0, (0.5, 1.0)), (100.0, (1.0, 0.5))])
def test_a_plant_with_one_setpoint_has_one_way(
    split: float, ends: tuple[float, float]
) -> None:
    assert path(split).at(50.0) == ends


@given(st.floats(1.0, 99.0), shares, resets)
def test_the_setpoints_tell_the_reset_again(
    split: float, knee: float, reset: float
) -> None:
    way = path(split, knee)
    assert way.reset_of(*way.at(reset)) == pytest.approx(reset, abs=1e-6)


@given(st.floats(1.0, 99.0), shares, resets, resets)
def test_a_higher_reset_is_never_warmer_nor_pumped_less(
    split: float, knee: float, one: float, other: float
) -> None:
    way = path(split, knee)
    low, high = sorted((one, other))
    assert way.at(low) <= way.at(high)
    assert way.at(low)[1] <= way.at(high)[1]


def test_setpoints_that_mean_no_reset_are_taken_for_too_much() -> None:
    way = path(split=50.0)
    # Half cold at no pressure: as on the way, at all the pressure before.
    assert way.reset_of(0.5, 0.0) == pytest.approx(75.0)
    assert way.reset_of(None, None) is None
    assert way.reset_of(0.0, 0.4) == pytest.approx(20.0)


def test_dear_pressure_is_exchanged_for_colder_water_from_what_is_pumped() -> None:
    way = path(split=60.0)
    cold, pressure = way.at(45.0)
    assert (cold, pressure) == (0.0, 0.75)
    way.trade(60.0, 45.0, price=2.0)
    assert way.knee == pytest.approx(0.75 - 60.0 / TRAVEL_TIME)
    assert way.at(45.0)[0] > 0.0
    assert way.at(45.0)[1] < 0.75


def test_cheap_pressure_takes_the_place_of_cold_water_again() -> None:
    way = path(split=60.0, knee=0.5)
    for _ in range(100):
        way.trade(60.0, 50.0, price=0.3)
    assert way.knee > 0.8
    assert way.at(50.0)[0] == 0.0, "nothing is left to exchange"


def test_the_knee_stays_where_there_is_nothing_to_exchange() -> None:
    way = path(split=60.0, knee=0.5)
    way.trade(60.0, 10.0, price=0.2)
    assert way.knee == 0.5, "the water is as warm as it may be"
    way.trade(60.0, 100.0, price=3.0)
    assert way.knee == 0.5, "the water is as cold as it may be"
    way.trade(60.0, 50.0, price=1.05)
    assert way.knee == 0.5, "near enough"


@given(shares, resets, st.floats(0.0, 50.0), st.floats(0.0, 900.0))
def test_the_knee_stays_in_its_range(
    knee: float, reset: float, price: float, seconds: float
) -> None:
    way = path(60.0, knee)
    way.trade(seconds, reset, price)
    assert 0.0 <= way.knee <= 1.0


def plant(power: float | None = 20.0) -> Plan:
    data = whole_plan_data()
    for item in data["equipment"].values():
        if item["type"] == "secondary_chilled_water_pump" and power is not None:
            item["ratings"]["power"] = power
    return parse_plan(data)


RUNNING = {"chiller_1": True, "chiller_2": False, "chiller_3": False}


def price(values: dict[str, object], plan: Plan | None = None) -> PressurePrice:
    found = PressurePrice(plan or plant(), ("chiller_1", "chiller_2", "chiller_3"), 5.0)
    # The mean of five minutes of the same.
    for now in range(0, 360, 60):
        found.observe(float(now), Inputs(values), RUNNING)  # type: ignore[arg-type]
    return found


def test_pumps_are_weighed_by_what_they_take_of_the_chillers_power() -> None:
    values = readings(running=1)
    found = price(values)
    # One pump of 20 kW at 80 %; 45 l/s that come back 5 K warmer at a COP of 6.04.
    expected = 100 * 20 * 0.8**3 / (45.0 * 4.19 * 5.0 / 6.04)
    assert found.share == pytest.approx(expected, rel=1e-3)
    assert found.observe(360.0, Inputs(values), RUNNING) == pytest.approx(
        expected / 5.0, rel=1e-3
    )
    assert not found.short


def test_more_water_than_the_primary_pumps_bring_is_worth_nothing() -> None:
    values = readings(running=1) | {"plant.chilled_water_flow": 70.0}
    found = price(values)
    assert found.short
    assert (found.observe(360.0, Inputs(values), RUNNING) or 0.0) >= 2.0
    # 60.57 l/s is what the chiller gets: near to it the pressure goes no further.
    values["plant.chilled_water_flow"] = 59.0
    values["schp_1.speed"] = 40.0
    assert price(values).observe(360.0, Inputs(values), RUNNING) == 1.0
    two = RUNNING | {"chiller_2": True}
    assert (found.observe(420.0, Inputs(values), two) or 9.0) < 1.0


@pytest.mark.parametrize(
    "lost",
    [
        "plant.chilled_water_flow",
        "plant.chilled_water_return_temperature",
        "schp_1.speed",
    ],
)
def test_without_a_reading_there_is_no_price(lost: str) -> None:
    values = readings(running=1)
    found = price(values)
    assert found.observe(360.0, Inputs(values | {lost: None}), RUNNING) is None


def test_without_the_pumps_ratings_there_is_no_price() -> None:
    found = price(readings(running=1), plant(power=None))
    assert not found.is_known
    assert found.points == frozenset()
