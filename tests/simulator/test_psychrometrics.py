"""Moist air: our arrays against psychrolib, number by number."""

from hypothesis import given, strategies as st
import numpy as np
import psychrolib
import pytest

from custom_components.chiller_plant.simulator.psychrometrics import (
    dew_point_at,
    enthalpy,
    humidity_ratio,
    humidity_ratio_at,
    relative_humidity,
    relative_humidity_at,
    saturated_enthalpy,
    saturated_humidity_ratio,
    saturation_pressure,
    saturation_temperature,
    temperature_at,
    wet_bulb,
)

SEA_LEVEL = 101_325.0
temperatures = st.floats(0.0, 50.0)
shares = st.floats(0.05, 1.0)


@pytest.fixture(autouse=True)
def _in_si_units() -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)


@given(temperature=temperatures)
def test_saturation_pressure_is_that_of_ashrae(temperature: float) -> None:
    ours = saturation_pressure(np.array(temperature))
    theirs = psychrolib.GetSatVapPres(temperature) / 1000.0
    assert float(ours) == pytest.approx(theirs, rel=7e-4)


@given(temperature=temperatures)
def test_saturated_air_holds_what_ashrae_says(temperature: float) -> None:
    ours = saturated_humidity_ratio(np.array(temperature))
    theirs = psychrolib.GetSatHumRatio(temperature, SEA_LEVEL)
    assert float(ours) == pytest.approx(theirs, rel=8e-4)


@given(temperature=temperatures, share=shares)
def test_enthalpy_and_relative_humidity_are_those_of_psychrolib(
    temperature: float, share: float
) -> None:
    ratio = psychrolib.GetHumRatioFromRelHum(temperature, share, SEA_LEVEL)
    ours = enthalpy(np.array(temperature), np.array(ratio))
    theirs = psychrolib.GetMoistAirEnthalpy(temperature, ratio) / 1000.0
    assert float(ours) == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    humidity = relative_humidity(np.array(temperature), np.array(ratio))
    assert float(humidity) == pytest.approx(100.0 * share, rel=1e-3)


@given(temperature=temperatures, share=shares)
def test_temperature_follows_back_from_enthalpy(
    temperature: float, share: float
) -> None:
    ratio = share * saturated_humidity_ratio(np.array(temperature))
    back = temperature_at(enthalpy(np.array(temperature), ratio), ratio)
    assert float(back) == pytest.approx(temperature, abs=1e-9)


@given(temperature=temperatures)
def test_saturation_temperature_follows_back_from_enthalpy(temperature: float) -> None:
    back = saturation_temperature(saturated_enthalpy(np.array(temperature)))
    assert float(back) == pytest.approx(temperature, abs=2e-3)


@given(temperature=st.floats(-10.0, 45.0), depression=st.floats(0.0, 15.0))
def test_wet_bulb_lies_between_dew_point_and_dry_bulb(
    temperature: float, depression: float
) -> None:
    dew_point = np.array([temperature - depression])
    result = wet_bulb(np.array([temperature]), dew_point)
    assert dew_point[0] - 0.01 <= result[0] <= temperature + 0.01


def test_wet_bulb_and_dew_point_are_psychrolibs_in_any_shape() -> None:
    dry_bulb = np.array([[20.0, 27.5, 35.0], [24.0, 30.0, 5.0]])
    dew_point = np.array([[10.0, 24.0, 24.0], [24.0, 12.0, -3.0]])
    result = wet_bulb(dry_bulb, dew_point)
    assert result.shape == dry_bulb.shape
    assert result[0, 1] == psychrolib.GetTWetBulbFromTDewPoint(27.5, 24.0, SEA_LEVEL)
    assert dew_point_at(dry_bulb, result) == pytest.approx(dew_point, abs=0.02)


def test_a_dew_point_above_the_dry_bulb_is_saturated_air() -> None:
    assert wet_bulb(np.array([20.0]), np.array([22.0]))[0] == pytest.approx(20.0)


def test_outdoor_air_on_a_mountain_holds_more_vapour_for_each_kilogram() -> None:
    low, high = humidity_ratio_at(np.array([15.0, 15.0]), np.array([101.325, 84.0]))
    assert high > 1.15 * low
    vapour = saturation_pressure(np.array(15.0))
    assert humidity_ratio(vapour, 84.0) == pytest.approx(high, rel=1e-3)


def test_relative_humidity_of_outdoor_air_is_right_in_frost_too() -> None:
    result = relative_humidity_at(np.array([-5.0, 30.0]), np.array([-5.0, 24.0]))
    assert result[0] == pytest.approx(100.0)
    assert result[1] == pytest.approx(70.3, abs=0.2)
