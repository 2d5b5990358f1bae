"""Wet coils: what they take, how the air leaves them, what water they need."""

from hypothesis import assume, given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.simulator.coils import (
    DESIGN_MIXED_AIR,
    DESIGN_MIXED_HUMIDITY,
    DESIGN_SUPPLY_WATER,
    Coils,
    Duty,
)
from custom_components.chiller_plant.simulator.psychrometrics import (
    enthalpy,
    relative_humidity,
    saturated_humidity_ratio,
)
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY

COILS = Coils(np.array([880.0, 440.0]))

air_shares = st.floats(0.05, 1.2)
water_shares = st.floats(0.02, 1.5)
air_temperatures = st.floats(16.0, 36.0)
humidities = st.floats(0.2, 1.0)
waters = st.floats(4.0, 16.0)


def duty(
    air_share: float = 1.0,
    temperature: float = DESIGN_MIXED_AIR,
    ratio: float = DESIGN_MIXED_HUMIDITY,
    water_share: float = 1.0,
    water: float = DESIGN_SUPPLY_WATER,
    transfer: float = 1.0,
) -> Duty:
    return COILS.duty(
        air_share * COILS.design_air,
        np.full(2, temperature),
        np.full(2, ratio),
        water_share * COILS.design_water,
        np.full(2, water),
        transfer,
    )


def test_at_design_a_coil_does_what_it_was_chosen_for() -> None:
    result = duty()
    assert result.cooling == pytest.approx([880.0, 440.0], rel=0.06)
    assert result.leaving_temperature == pytest.approx([13.0, 13.0], abs=0.6)
    assert result.water_leaving == pytest.approx([12.3, 12.3], abs=0.5)
    humidity = relative_humidity(
        result.leaving_temperature, result.leaving_humidity_ratio
    )
    assert ((humidity > 90.0) & (humidity < 99.0)).all()
    air = COILS.design_air
    sensible = air * 1.025 * (DESIGN_MIXED_AIR - result.leaving_temperature)
    assert (
        (sensible / result.cooling > 0.65) & (sensible / result.cooling < 0.75)
    ).all()


@given(
    air_share=air_shares,
    temperature=air_temperatures,
    humidity=humidities,
    water_share=water_shares,
    water=waters,
)
@settings(max_examples=200, deadline=None)
def test_what_the_air_loses_the_water_gains(
    air_share: float,
    temperature: float,
    humidity: float,
    water_share: float,
    water: float,
) -> None:
    ratio = float(humidity * saturated_humidity_ratio(np.array(temperature)))
    result = duty(air_share, temperature, ratio, water_share, water)
    air = air_share * COILS.design_air
    lost = enthalpy(np.array(temperature), np.array(ratio)) - enthalpy(
        result.leaving_temperature, result.leaving_humidity_ratio
    )
    assert air * lost == pytest.approx(result.cooling, abs=1e-6)
    gained = HEAT_CAPACITY * water_share * COILS.design_water
    assert gained * (result.water_leaving - water) == pytest.approx(result.cooling)
    # Never colder than the water, never warmer than it came; never wetter.
    low, high = min(water, temperature), max(water, temperature)
    assert (result.leaving_temperature >= low - 0.01).all()
    assert (result.leaving_temperature <= high + 0.01).all()
    assert (result.water_leaving <= high + 0.01).all()
    assert (result.leaving_humidity_ratio <= ratio + 1e-12).all()


@given(
    air_share=air_shares,
    temperature=st.floats(20.0, 36.0),
    humidity=humidities,
    water_share=water_shares,
    water=waters,
)
@settings(max_examples=100, deadline=None)
def test_more_or_colder_water_and_more_air_take_more(
    air_share: float,
    temperature: float,
    humidity: float,
    water_share: float,
    water: float,
) -> None:
    ratio = float(humidity * saturated_humidity_ratio(np.array(temperature)))
    here = duty(air_share, temperature, ratio, water_share, water).cooling
    for other in (
        duty(air_share, temperature, ratio, 1.1 * water_share, water),
        duty(air_share, temperature, ratio, water_share, water - 0.5),
        duty(1.1 * air_share, temperature, ratio, water_share, water),
        duty(air_share, temperature + 0.5, ratio, water_share, water),
        duty(air_share, temperature, 0.99 * ratio, water_share, water - 1.0),
    ):
        assert (other.cooling >= here - 1e-6).all()
    worse = duty(air_share, temperature, ratio, water_share, water, transfer=0.8)
    assert (worse.cooling <= here + 1e-6).all()


def test_less_water_comes_back_warmer_and_a_fouled_coil_needs_more_of_it() -> None:
    rises = [duty(water_share=share).water_leaving[0] for share in (1.0, 0.6, 0.3)]
    assert rises[0] < rises[1] < rises[2]
    assert duty(transfer=0.6).water_leaving[0] < rises[0] - 0.8


def test_a_dry_coil_takes_no_moisture() -> None:
    result = duty(ratio=0.004, water=10.0)
    assert result.leaving_humidity_ratio == pytest.approx([0.004, 0.004])
    assert (result.cooling > 0.0).all()


def test_water_warmer_than_the_air_heats_it() -> None:
    result = duty(temperature=20.0, ratio=0.008, water=40.0)
    assert (result.cooling < -100.0).all()
    assert (result.leaving_temperature > 25.0).all()
    assert result.leaving_humidity_ratio == pytest.approx([0.008, 0.008])


@pytest.mark.parametrize(("air", "water"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_without_air_or_water_nothing_is_taken(air: float, water: float) -> None:
    result = duty(air_share=air, water_share=water)
    assert (result.cooling == 0.0).all()
    assert np.isfinite(result.leaving_temperature).all()
    assert np.isfinite(result.water_leaving).all()


@given(
    load_share=st.floats(0.05, 0.9),
    supply=st.floats(4.5, 12.0),
    sensible=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_water_that_is_needed_carries_the_load(
    load_share: float, supply: float, sensible: bool
) -> None:
    load = load_share * np.array([880.0, 440.0])
    flow, feasible = COILS.water_flow_needed(load, supply, sensible=sensible)
    assume(feasible.all())
    result = duty(water_share=float(flow[0] / COILS.design_water[0]), water=supply)
    carried = result.cooling
    if sensible:
        heat = 1.006 + 1.86 * DESIGN_MIXED_HUMIDITY
        carried = (
            COILS.design_air * heat * (DESIGN_MIXED_AIR - result.leaving_temperature)
        )
    assert carried == pytest.approx(load, rel=1e-3)
    more, _ = COILS.water_flow_needed(load, supply + 0.5, sensible=sensible)
    assert (more >= flow).all()


def test_what_cannot_be_carried_is_said_and_gets_the_open_branch() -> None:
    load = np.array([[400.0, 200.0], [2000.0, 200.0]])
    flow, feasible = COILS.water_flow_needed(load, np.array([[7.0], [7.0]]))
    assert feasible.tolist() == [[True, True], [False, True]]
    assert flow[1, 0] == pytest.approx(COILS.design_water[0])
    none, feasible = COILS.water_flow_needed(np.zeros(2), 7.0)
    assert none.tolist() == [0.0, 0.0]
    assert feasible.all()


@given(load_share=st.floats(0.05, 1.2), sensible=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_highest_supply_temperature_just_carries_the_load(
    load_share: float, sensible: bool
) -> None:
    load = load_share * np.array([880.0, 440.0])
    highest = COILS.highest_supply_temperature(load, sensible=sensible)
    _, feasible = COILS.water_flow_needed(load, highest - 0.01, sensible=sensible)
    _, too_warm = COILS.water_flow_needed(load, highest + 0.02, sensible=sensible)
    assert (feasible | (highest <= 4.5)).all()
    assert (~too_warm | (highest >= 17.99)).all()


def test_less_load_allows_warmer_water_and_less_flow_colder() -> None:
    loads = np.array([[0.3], [0.6], [0.9]]) * np.array([880.0, 440.0])
    highest = COILS.highest_supply_temperature(loads)
    assert (np.diff(highest, axis=0) < -1.0).all()
    choked = COILS.highest_supply_temperature(loads, 0.5 * COILS.design_water)
    assert (choked <= highest).all()
    assert choked[1, 0] < highest[1, 0] - 1.0
    # The sensible part alone is all that a temperature needs.
    part = COILS.highest_supply_temperature(0.7 * loads, sensible=True)
    assert (part[2] > highest[2] - 1.0).all()
