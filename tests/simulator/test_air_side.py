"""Air handlers: thermostat, VAV, valve, reheat, passive cooling; boilers."""

from dataclasses import replace

import numpy as np
import pytest

from custom_components.chiller_plant.simulator.air_side import (
    LEAST_AIR_SHARE,
    AirHandlers,
    Boilers,
)
from custom_components.chiller_plant.simulator.gains import Gains
from custom_components.chiller_plant.simulator.weather_series import WeatherSeries
from custom_components.chiller_plant.simulator.zones import ZoneSpec
from tests.simulator.zone_house import WARD, House


def handlers(eco: float = np.inf, reheat: float = 0.0) -> AirHandlers:
    return AirHandlers(
        1,
        eco_setpoint=np.array([eco]),
        reheat=np.array([reheat]),
        fan_power=np.array([60.0]),
    )


def hold(
    subject: AirHandlers,
    seconds: float,
    *,
    temperature: float = 24.0,
    supply: float = 13.0,
    setpoint: float = 24.0,
    occupied: bool = True,
) -> None:
    for _ in range(round(seconds / 10.0)):
        subject.step(
            10.0,
            setpoint=np.array([[setpoint]]),
            occupied=np.array([[occupied]]),
            temperature=np.array([[temperature]]),
            supply_air_temperature=np.array([[supply]]),
        )


def test_a_warm_zone_gets_more_air_and_a_cold_one_the_least() -> None:
    subject = handlers()
    hold(subject, 3600.0, temperature=25.0)
    assert subject.air_share[0, 0] == pytest.approx(1.0)
    hold(subject, 7200.0, temperature=23.0)
    assert subject.air_share[0, 0] == pytest.approx(LEAST_AIR_SHARE)


def test_warm_supply_air_opens_the_valve_within_its_stroke() -> None:
    subject = handlers()
    start = subject.valve[0, 0]
    hold(subject, 30.0, temperature=25.0, supply=25.0)
    assert subject.valve[0, 0] - start <= 0.5 + 1e-9
    hold(subject, 600.0, temperature=25.0, supply=25.0)
    assert subject.valve[0, 0] == pytest.approx(1.0)
    hold(subject, 1200.0, temperature=25.0, supply=10.0)
    assert subject.valve[0, 0] == pytest.approx(0.0)


def test_below_least_air_the_supply_air_is_let_warm_up() -> None:
    subject = handlers()
    hold(subject, 7200.0, temperature=23.0, supply=13.0)
    # Air of 13 °C is too cold now: the valve has shut.
    assert subject.valve[0, 0] == 0.0
    hold(subject, 3600.0, temperature=23.0, supply=19.0)
    assert subject.valve[0, 0] > 0.5


def test_fan_power_falls_nearly_with_the_cube_of_the_air() -> None:
    subject = handlers()
    hold(subject, 3600.0, temperature=26.0)
    assert subject.fan_power[0, 0] == pytest.approx(60.0, rel=0.01)
    hold(subject, 7200.0, temperature=23.0)
    assert 0.05 < subject.fan_power[0, 0] / 60.0 < 0.15
    hold(subject, 60.0, supply=24.0, occupied=False)
    assert subject.fan_power[0, 0] == 0.0


def test_a_stuck_valve_stays_where_it_is() -> None:
    subject = handlers()
    hold(subject, 600.0, temperature=25.0, supply=20.0)
    stood = subject.valve[0, 0]
    assert stood > 0.5
    subject.valve_stuck[:] = True
    hold(subject, 600.0, temperature=22.0, supply=10.0)
    assert subject.valve[0, 0] == stood
    subject.valve_stuck[:] = False
    hold(subject, 600.0, temperature=22.0, supply=10.0)
    assert subject.valve[0, 0] == 0.0


def test_when_eco_begins_the_valve_shuts_and_the_fan_uses_up_the_cold() -> None:
    subject = handlers(eco=28.0)
    hold(subject, 1800.0, temperature=24.5, supply=13.0)
    hold(subject, 60.0, supply=14.0, occupied=False)
    assert subject.valve[0, 0] == 0.0
    assert subject.coasts[0, 0]
    assert subject.air_share[0, 0] == pytest.approx(LEAST_AIR_SHARE)
    hold(subject, 10.0, supply=23.0, occupied=False)
    assert not subject.coasts[0, 0]
    assert subject.air_share[0, 0] == 0.0
    # A pipe that is cold later on does not start the fan again.
    hold(subject, 10.0, supply=14.0, occupied=False)
    assert subject.air_share[0, 0] == 0.0


def test_passive_cooling_gives_the_cold_of_the_coil_to_the_zone() -> None:
    house = House(WARD, load=0.8)
    house.run(hours=3.0)
    stored = house.zones.stored_cold[0, 0]
    assert stored > 10_000.0
    house.occupied[:] = False
    house.run(hours=0.25)
    assert house.zones.stored_cold[0, 0] < 0.4 * stored
    assert house.worst_coil < 1e-6
    assert house.zones.fan_power[0, 0] == 0.0


def test_eco_keeps_its_own_setpoint_between_two_limits() -> None:
    subject = handlers(eco=28.0)
    away = {"supply": 26.0, "occupied": False}
    hold(subject, 600.0, temperature=27.8, **away)
    assert subject.air_share[0, 0] == 0.0
    hold(subject, 60.0, temperature=28.6, **away)
    assert subject.cools[0, 0]
    hold(subject, 60.0, temperature=27.8, **away)
    assert subject.cools[0, 0]
    hold(subject, 60.0, temperature=27.4, **away)
    assert not subject.cools[0, 0]


def test_reheat_warms_a_zone_that_least_air_makes_too_cold() -> None:
    empty = Gains(
        people_density=0.0,
        lighting_density=0.0,
        equipment_density=0.0,
        window_share=0.0,
    )
    plain = ZoneSpec(800.0, 8000.0, gains=empty)
    house = House(
        plain,
        replace(plain, reheat=200.0),
        weather=WeatherSeries.steady(12.0, 8.0),
    )
    house.run(hours=16.0)
    zones = house.zones
    assert zones.temperature[0, 0] < zones.temperature[0, 1] - 0.5
    assert zones.reheat_power[0, 0] == 0.0
    assert zones.reheat_power[0, 1] > 5.0
    assert zones.temperature[0, 1] > 21.4
    assert house.worst_residual < 1e-6
    house.heating = np.array([0.0])
    house.run(hours=0.1)
    assert zones.reheat_power[0, 1] == 0.0


def boilers() -> Boilers:
    return Boilers(np.array([200.0, 100.0]), np.array([2.0, 1.0]), scenarios=2)


def heat(subject: Boilers, seconds: float, run: list[bool], demand: float) -> None:
    for _ in range(round(seconds / 10.0)):
        subject.step(
            10.0,
            run=np.array([run, run]),
            setpoint=np.full((2, 2), 60.0),
            demand=np.full(2, demand),
        )


def test_a_boiler_comes_to_its_setpoint_and_cools_when_it_is_off() -> None:
    subject = boilers()
    assert subject.heating_available.tolist() == [0.0, 0.0]
    heat(subject, 1800.0, [True, False], demand=0.0)
    assert subject.supply_temperature[0] == pytest.approx([60.0, 28.0], abs=0.5)
    assert subject.power[0].tolist() == [2.0, 0.0]
    assert subject.heating_available == pytest.approx([2.0 / 3.0] * 2)
    heat(subject, 1800.0, [False, False], demand=100.0)
    assert subject.supply_temperature[0, 0] < 40.0
    assert subject.fuel_power[0].tolist() == [0.0, 0.0]


def test_fuel_is_what_the_zones_take_and_what_is_lost() -> None:
    subject = boilers()
    heat(subject, 3600.0, [True, True], demand=150.0)
    lost = 0.00025 * 300.0 * 32.0
    assert subject.fuel_power.sum(axis=1) == pytest.approx(
        [(150.0 + lost) / 0.88] * 2, rel=0.02
    )


def test_a_boiler_that_is_too_small_lets_its_water_cool() -> None:
    subject = boilers()
    heat(subject, 1800.0, [True, True], demand=0.0)
    heat(subject, 3600.0, [True, False], demand=260.0)
    assert subject.supply_temperature[0, 0] < 55.0
    assert (subject.heating_available < 1.0).all()
    assert subject.fuel_power[0, 0] == pytest.approx(200.0 / 0.88)
    assert np.isfinite(subject.supply_temperature).all()
