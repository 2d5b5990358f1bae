"""Zones: balances at every step, comfort, moisture, and what is in them."""

from dataclasses import replace

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.simulator.gains import (
    Gains,
    ZoneGains,
    load_share,
    weather_factor,
)
from custom_components.chiller_plant.simulator.weather_series import (
    DAY,
    HOUR,
    YEAR_START,
    WeatherSeries,
)
from custom_components.chiller_plant.simulator.zones import Zones, ZoneSpec
from tests.simulator.zone_house import MONDAY, OUTSIDE, WARD, House

OFFICE = ZoneSpec(cooling_load=800.0, floor_area=8000.0, gains=Gains())
TROPICAL = WeatherSeries.tropical(seed=1)

# What the zones of the demonstration always did: share of the rated load and
# supply water, then zone, supply air, valve, and the water's rise.
STEADY = (
    (0.50, 6.7, 24.0, 13.0, 0.64, 7.6),
    (0.50, 9.0, 24.0, 13.0, 0.80, 4.4),
    (0.70, 6.7, 24.0, 13.0, 0.78, 6.4),
    (0.70, 12.0, 24.0, 16.4, 1.00, 3.6),
    (0.85, 6.7, 24.0, 13.0, 0.885, 5.7),
    (0.85, 12.0, 24.8, 16.9, 1.00, 3.9),
    (1.00, 6.7, 24.0, 13.0, 1.00, 5.1),
    (1.00, 9.0, 24.7, 14.9, 1.00, 4.8),
    (1.10, 6.7, 24.4, 13.4, 1.00, 5.4),
)


def test_zones_settle_where_the_story_of_the_demonstration_has_them() -> None:
    loads, waters, temperatures, airs, valves, rises = np.array(STEADY).T
    house = House(scenarios=len(STEADY), load=loads, water=waters)
    house.run(hours=5.0)
    zones = house.zones
    assert zones.temperature[:, 0] == pytest.approx(temperatures, abs=0.2)
    assert zones.supply_air_temperature[:, 0] == pytest.approx(airs, abs=0.5)
    assert zones.valve[:, 0] == pytest.approx(valves, abs=0.05)
    assert zones.return_temperature[:, 0] - waters == pytest.approx(rises, abs=0.85)
    # The share is what the coil has to do, as long as the zone is at 24 °C.
    there = temperatures == 24.0
    assert zones.cooling[there, 0] == pytest.approx(800.0 * loads[there], rel=0.01)
    assert ((zones.relative_humidity > 45.0) & (zones.relative_humidity < 65.0)).all()


def test_at_the_rated_load_two_thirds_of_the_cooling_are_sensible() -> None:
    house = House(load=1.0)
    house.run(hours=5.0)
    zones = house.zones
    flow = zones.air_share * zones.coils.design_air
    fresh = 0.15 * (house.air.dry_bulb - zones.temperature)
    mixed = zones.temperature + fresh
    sensible = flow * 1.02 * (mixed - zones.supply_air_temperature)
    assert 0.65 < (sensible / zones.cooling)[0, 0] < 0.75


def test_energy_is_kept_at_every_step_of_a_working_day() -> None:
    house = House(
        WARD,
        OFFICE,
        replace(OFFICE, eco_setpoint=27.0, reheat=60.0),
        scenarios=3,
        weather=TROPICAL,
        water=np.array([6.0, 9.0, 40.0]),
        load=np.array([0.2, 0.8, 0.5]),
    )
    house.time = house.time - 8.0 * HOUR
    for hour in range(18):
        house.occupied[:] = 7 <= hour + 4 < 17
        house.setpoint[1] = 22.0 + hour % 4
        house.run(hours=1.0, step=5.0 + hour % 3)
    assert house.worst_residual < 1e-6
    assert house.worst_coil < 1e-6
    assert np.isfinite(house.zones.temperature).all()


@given(
    loads=st.lists(st.floats(0.0, 1.3), min_size=3, max_size=3),
    water=st.floats(4.0, 35.0),
    dry_bulb=st.floats(15.0, 40.0),
    depression=st.floats(0.0, 20.0),
    step=st.floats(0.5, 10.0),
    occupied=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_whatever_comes_energy_is_kept_and_nothing_runs_away(
    loads: list[float],
    water: float,
    dry_bulb: float,
    depression: float,
    step: float,
    occupied: bool,
) -> None:
    weather = WeatherSeries.steady(dry_bulb, dry_bulb - depression, solar=500.0)
    house = House(
        WARD, OFFICE, scenarios=3, weather=weather, water=water, load=np.array(loads)
    )
    house.run(hours=0.05, step=step)
    house.occupied[:] = occupied
    house.run(hours=0.3, step=step)
    zones = house.zones
    assert house.worst_residual < 1e-6
    assert house.worst_coil < 1e-6
    assert ((zones.temperature > 10.0) & (zones.temperature < 45.0)).all()
    assert (zones.supply_air_temperature > 3.9).all()
    assert ((zones.humidity_ratio > 0.0) & (zones.humidity_ratio < 0.05)).all()
    warmest = np.maximum(zones.temperature, dry_bulb) + 0.5
    assert (zones.return_temperature <= np.maximum(warmest, water + 0.01)).all()


def test_seven_scenarios_are_seven_times_one() -> None:
    loads = np.array([0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 1.2])
    waters = np.array([6.0, 7.0, 9.0, 11.0, 14.0, 6.7, 25.0])
    specs = (WARD, replace(OFFICE, eco_setpoint=26.0, reheat=40.0))
    together = House(*specs, scenarios=7, weather=TROPICAL, load=loads, water=waters)
    together.run(hours=0.5)
    together.occupied[:] = False
    together.run(hours=0.5)
    for index in range(7):
        alone = House(
            *specs, weather=TROPICAL, load=loads[[index]], water=waters[[index]]
        )
        alone.run(hours=0.5)
        alone.occupied[:] = False
        alone.run(hours=0.5)
        for name in Zones.OBSERVABLES:
            ours = getattr(together.zones, name)[index]
            assert ours == pytest.approx(getattr(alone.zones, name)[0], rel=1e-9), name


def test_zones_with_and_without_gains_do_not_mind_each_other() -> None:
    mixed = House(WARD, OFFICE, weather=TROPICAL)
    shared, own = House(WARD, weather=TROPICAL), House(OFFICE, weather=TROPICAL)
    for house in (mixed, shared, own):
        house.run(hours=0.5)
    assert mixed.zones.temperature[0, 0] == shared.zones.temperature[0, 0]
    assert mixed.zones.cooling[0, 1] == pytest.approx(own.zones.cooling[0, 0])


def test_a_warmer_setpoint_sheds_load() -> None:
    house = House(scenarios=2)
    house.setpoint[1] = 26.0
    house.run(hours=5.0)
    assert house.zones.temperature[:, 0] == pytest.approx([24.0, 26.0], abs=0.1)
    assert house.zones.cooling[1, 0] < 0.85 * house.zones.cooling[0, 0]


def test_nobody_there_takes_no_water_and_warms_slowly() -> None:
    house = House()
    house.run(hours=1.0)
    house.occupied[:] = False
    house.run(hours=0.1)
    zones = house.zones
    assert house.flow[0, 0] == 0.0
    assert zones.cooling[0, 0] < 5.0
    assert zones.fan_power[0, 0] == 0.0
    house.run(hours=2.0)
    assert 24.2 < zones.temperature[0, 0] < 27.0
    assert zones.unmet[0, 0] == 0.0


def test_without_cold_water_a_zone_warms_and_stays_within_reason() -> None:
    house = House(water=30.0)
    house.run(hours=12.0)
    assert 30.0 < house.zones.temperature[0, 0] < 42.0


def test_hot_water_heats_the_zone_and_is_cooled_by_it() -> None:
    house = House(water=40.0, load=0.0)
    house.zones.air.valve[:] = 1.0
    house.run(hours=0.1)
    zones = house.zones
    assert zones.water_cooling[0, 0] < -10.0
    assert zones.return_temperature[0, 0] < 39.0
    assert zones.supply_air_temperature[0, 0] > zones.temperature[0, 0]


def test_warm_water_makes_unmet_hours_only_while_somebody_is_there() -> None:
    house = House(WARD, replace(WARD, comfort_limit=28.0), water=14.0, load=1.0)
    house.run(hours=3.0)
    zones = house.zones
    assert zones.temperature[0, 0] > 25.5
    assert zones.unmet[0, 0] == pytest.approx(zones.temperature[0, 0] - 25.0)
    assert zones.unmet[0, 1] == 0.0
    counted = zones.unmet_kelvin_hours[0, 0]
    assert 0.5 < counted < 3.0 * zones.unmet[0, 0]
    house.occupied[:] = False
    house.run(hours=0.5)
    assert zones.unmet_kelvin_hours[0, 0] == counted


def test_warmer_water_dries_less() -> None:
    house = House(scenarios=3, load=0.6, water=np.array([6.7, 10.0, 13.0]))
    house.run(hours=5.0)
    humidity = house.zones.relative_humidity[:, 0]
    assert humidity[0] + 0.1 < humidity[1] + 0.1 < humidity[2]
    assert humidity[2] > humidity[0] + 5.0


def test_a_fixed_load_is_the_load_of_every_zone_whatever_is_in_it() -> None:
    house = House(WARD, OFFICE, weather=TROPICAL, load=0.6)
    house.fixed = True
    house.run(hours=5.0)
    assert house.zones.cooling[0] == pytest.approx([480.0, 480.0], rel=0.015)


def test_an_office_is_busy_on_mondays_and_quiet_on_sundays() -> None:
    gains = ZoneGains([Gains()], np.array([1000.0]))
    times = MONDAY + HOUR * np.array([10.0, 3.0, 12.5])
    assert gains.occupancy(times)[:, 0] == pytest.approx([0.95, 0.0, 0.7])
    assert gains.occupancy(times - DAY)[0, 0] == pytest.approx(0.95 * 0.25)
    busy = gains.at(times, OUTSIDE.at(times))
    quiet = gains.at(times - DAY, OUTSIDE.at(times))
    assert busy.latent[0, 0] == pytest.approx(1000.0 / 9.0 * 0.95 * 0.055)
    assert quiet.sensible[0, 0] < 0.6 * busy.sensible[0, 0]


def test_sun_and_people_and_envelope_load_an_office() -> None:
    bright = WeatherSeries.steady(32.0, 24.0, solar=800.0)
    dull = WeatherSeries.steady(32.0, 24.0, solar=0.0)
    cool = WeatherSeries.steady(24.0, 20.0, solar=0.0)
    loads = []
    for weather in (bright, dull, cool):
        house = House(OFFICE, weather=weather)
        house.run(hours=4.0)
        loads.append(house.zones.cooling[0, 0])
    assert loads[0] > loads[1] + 50.0
    assert loads[1] > loads[2] + 100.0
    # An office of 8,000 m² in the tropics: 50 to 120 W/m².
    assert 400.0 < loads[1] < loads[0] < 960.0


def test_in_eco_an_office_is_held_at_its_eco_setpoint() -> None:
    house = House(
        replace(OFFICE, eco_setpoint=26.0),
        OFFICE,
        weather=WeatherSeries.steady(33.0, 24.0, solar=600.0),
    )
    house.occupied[:] = False
    house.run(hours=8.0)
    highest = lowest = house.zones.temperature.copy()
    for _ in range(720):
        house.step()
        highest = np.maximum(highest, house.zones.temperature)
        lowest = np.minimum(lowest, house.zones.temperature)
    assert highest[0, 0] < 27.0
    assert lowest[0, 0] > 25.0
    assert lowest[0, 1] > 27.0


def test_the_structure_keeps_a_zone_cool_for_hours_when_eco_begins() -> None:
    house = House(weather=WeatherSeries.steady(32.0, 24.0))
    house.run(hours=10.0)
    house.occupied[:] = False
    house.run(hours=1.0)
    zones = house.zones
    assert zones.structure_temperature[0, 0] < zones.temperature[0, 0]
    # Without structure the gains would warm the air alone.
    gain = 0.3 * 0.7 * 800.0
    alone = gain * 3600.0 / (50.0 * 8000.0)
    assert zones.temperature[0, 0] - 24.0 < 0.75 * alone


def test_load_profile_and_weather_factor_are_those_of_the_plant_file() -> None:
    profile = [0.25] * 8 + [0.5, 1.0] + [0.75] * 14
    times = np.array([8.5 * HOUR, 9.0 * HOUR, 23.5 * HOUR, MONDAY + 8.5 * HOUR])
    assert load_share(profile, times) == pytest.approx([0.75, 1.0, 0.5, 0.75])
    series = WeatherSeries.daily(28.0, 4.0, 23.0)
    usual = weather_factor(series.mean, series.mean)
    assert usual == pytest.approx([1.0])
    air = series.at(HOUR * np.array([15.0, 3.0]))
    hot, mild = weather_factor(air, series.mean)
    assert 1.0 < hot < 1.5
    assert 0.5 < mild < 1.0
    cold = WeatherSeries.steady(-10.0, -12.0).at(np.array([0.0]))
    assert weather_factor(cold, series.mean) == pytest.approx([-0.5])


def test_ratings_of_a_plant_file_make_the_zone() -> None:
    plain = ZoneSpec.from_ratings({"cooling_load": 800.0, "floor_area": 8000.0})
    assert plain == WARD
    assert ZoneSpec.from_ratings({}) == ZoneSpec(500.0, 5000.0)
    rich = ZoneSpec.from_ratings(
        {"cooling_load": 300.0, "people_density": 6.0, "eco_setpoint": 28.0}
    )
    assert rich.gains == Gains(people_density=6.0)
    assert rich.eco_setpoint == 28.0


@pytest.mark.parametrize(
    ("ratings", "told"),
    [
        ({"cooling_load": -5.0}, "cooling_load: -5.0 kW is no rated load"),
        ({"cooling_load": float("nan")}, "cooling_load"),
        ({"cooling_load": 500.0, "floor_area": 10.0}, "floor_area: 10 m² is too li"),
        ({"people_density": -1.0}, "people_density: -1.0 is no number from 0 on"),
        ({"infiltration": float("nan")}, "infiltration"),
        ({"reheat": -1.0}, "reheat: -1.0"),
        ({"eco_setpoint": float("nan")}, "eco_setpoint: nan"),
    ],
)
def test_ratings_that_cannot_be_are_refused(
    ratings: dict[str, float], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        ZoneSpec.from_ratings(ratings)


def test_observables_are_arrays_of_scenarios_and_zones() -> None:
    house = House(WARD, OFFICE, scenarios=3)
    house.step()
    for name in Zones.OBSERVABLES:
        assert getattr(house.zones, name).shape == (3, 2), name
    assert YEAR_START % DAY == 0.0
