"""Pumps, pipes, towers, valves and the air outside."""

import pytest

from custom_components.chiller_plant.simulator.drive import (
    RAMP_TIME,
    Drive,
    Fan,
    Fault,
    Valve,
)
from custom_components.chiller_plant.simulator.hydraulics import (
    PumpCurve,
    coil_conductance,
    operating_point,
    parallel_resistance,
)
from custom_components.chiller_plant.simulator.tower import (
    TowerCell,
    leaving_temperature,
)
from custom_components.chiller_plant.simulator.water import Pipe, decouple, mix
from custom_components.chiller_plant.simulator.weather import (
    OutdoorAir,
    Weather,
    wet_bulb,
)

CURVE = PumpCurve(60.0, 250.0)
DESIGN = 250.0 / 60.0**2


def test_a_pump_meets_its_rated_point() -> None:
    point = operating_point([(CURVE, 1.0)], DESIGN)
    assert point.flow == pytest.approx(60.0, rel=1e-3)
    assert point.head == pytest.approx(250.0, rel=1e-3)


@pytest.mark.parametrize("speed", [0.3, 0.5, 0.8])
def test_affinity_laws_hold_in_a_system_without_static_head(speed: float) -> None:
    point = operating_point([(CURVE, speed)], DESIGN)
    assert point.flow == pytest.approx(60.0 * speed, rel=1e-3)
    assert point.head == pytest.approx(250.0 * speed**2, rel=1e-3)


def test_two_pumps_give_more_than_one_and_less_than_twice() -> None:
    one = operating_point([(CURVE, 1.0)], DESIGN).flow
    two = operating_point([(CURVE, 1.0), (CURVE, 1.0)], DESIGN).flow
    assert one < two < 2 * one


def test_a_slow_pump_beside_a_fast_one_gives_nothing_and_takes_none_back() -> None:
    point = operating_point([(CURVE, 1.0), (CURVE, 0.4)], 4 * DESIGN)
    assert point.flows[1] == 0.0


def test_static_head_stops_a_pump_that_is_too_slow() -> None:
    assert operating_point([(CURVE, 0.2)], DESIGN, static=35.0).flow == 0.0


def test_closed_branches_let_nothing_through() -> None:
    closed = parallel_resistance([0.0, 0.0])
    assert operating_point([(CURVE, 1.0)], closed).flow == 0.0


def test_pump_power_is_rated_at_the_rated_point_and_falls_with_the_cube() -> None:
    assert CURVE.power_share(60.0, 1.0) == pytest.approx(1.0)
    assert CURVE.power_share(30.0, 0.5) == pytest.approx(0.125, rel=0.06)


def test_an_equal_percentage_valve_opens_its_coil_steadily() -> None:
    passed = [coil_conductance(40.0, 120.0, y / 20) for y in range(21)]
    assert passed == sorted(passed)
    assert passed[0] == 0.0
    assert passed[20] * 120.0**0.5 == pytest.approx(40.0)


def test_supply_warms_when_the_secondary_takes_more_than_the_primary() -> None:
    supply, returned = decouple(60.0, 6.7, 80.0, 12.7)
    assert supply == pytest.approx((60 * 6.7 + 20 * 12.7) / 80)
    assert returned == 12.7


def test_return_is_cooled_when_the_primary_gives_more_than_is_taken() -> None:
    supply, returned = decouple(80.0, 6.7, 60.0, 12.7)
    assert supply == 6.7
    assert returned == pytest.approx((60 * 12.7 + 20 * 6.7) / 80)


@pytest.mark.parametrize("flows", [(0.0, 0.0), (0.0, 50.0), (50.0, 0.0)])
def test_a_decoupler_with_a_dead_side_stays_between_its_temperatures(
    flows: tuple[float, float],
) -> None:
    for temperature in decouple(flows[0], 6.7, flows[1], 12.7):
        assert 6.7 <= temperature <= 12.7


def test_a_pipe_keeps_its_heat_at_any_flow_and_step() -> None:
    for flow in (0.0, 1.0, 1000.0):
        pipe = Pipe(1000.0, 20.0, nodes=3)
        for _ in range(1000):
            pipe.step(5.0, flow, 10.0)
            assert 9.99 <= pipe.outlet_temperature <= 20.1


def test_streams_mix_by_their_flows() -> None:
    assert mix([(10.0, 20.0), (30.0, 12.0)], 0.0) == pytest.approx(14.0)
    assert mix([(0.0, 20.0)], 7.0) == 7.0


@pytest.mark.parametrize(
    ("bulb", "span", "approach"),
    [
        (20.0, 5.0, 4.64),
        (24.0, 4.0, 3.21),
        (25.56, 5.56, 3.84),
        (25.56, 3.0, 2.39),
        (28.0, 7.0, 4.02),
    ],
)
def test_a_tower_approaches_the_wet_bulb_as_yorkcalc_says(
    bulb: float, span: float, approach: float
) -> None:
    leaving = leaving_temperature(bulb + approach + span, bulb, 1.0, 1.0)
    # The reference is the bare polynomial; ours is scaled by 1 % of its water.
    assert leaving - bulb == pytest.approx(approach, abs=0.08)


def test_more_air_cools_more_and_so_does_less_water() -> None:
    by_air = [leaving_temperature(35.0, 25.0, 1.0, air / 20) for air in range(21)]
    assert by_air == sorted(by_air, reverse=True)
    by_water = [
        leaving_temperature(35.0, 25.0, water / 20, 0.8) for water in range(6, 30)
    ]
    assert by_water == sorted(by_water)
    assert min(by_air + by_water) > 25.0


def test_without_a_fan_a_cell_still_cools_a_little() -> None:
    full = 35.0 - leaving_temperature(35.0, 25.0, 1.0, 1.0)
    still = 35.0 - leaving_temperature(35.0, 25.0, 1.0, 0.0)
    assert still == pytest.approx(0.125 * full)


def test_water_colder_than_the_wet_bulb_is_left_alone() -> None:
    assert leaving_temperature(20.0, 25.0, 1.0, 1.0) == 20.0


def test_a_fan_takes_the_cube_of_its_speed() -> None:
    fan = Fan(20.0)
    powers = {}
    for share in (0.5, 1.0):
        for _ in range(100):
            fan.step(1.0, True, share)
        powers[share] = fan.power
    assert powers[1.0] == pytest.approx(20.0)
    assert powers[0.5] == pytest.approx(20.0 / 8.0)


def test_a_cell_opens_its_own_valve_when_it_is_asked_for() -> None:
    cell = TowerCell(75.0, 20.0, 30.0)
    for _ in range(60):
        cell.step(2.0, True, 0.5)
    assert cell.valve.is_open
    for _ in range(60):
        cell.step(2.0, False, 0.5)
    assert cell.valve.position == 0.0
    assert not cell.fan.running


def test_a_drive_ramps_and_reports_its_motor() -> None:
    drive = Drive(10.0)
    drive.step(RAMP_TIME / 2, True, 1.0)
    assert drive.speed == pytest.approx(0.5)
    assert drive.running
    drive.step(RAMP_TIME, False, 1.0)
    assert not drive.running


def test_a_tripped_drive_stays_off_until_it_is_reset() -> None:
    drive = Drive(10.0)
    drive.settle(True, 1.0)
    drive.fault = Fault.TRIP
    drive.step(RAMP_TIME, True, 1.0)
    assert drive.alarm
    assert not drive.running
    drive.fault = Fault.NONE
    drive.step(RAMP_TIME, True, 1.0)
    assert drive.alarm
    drive.step(1.0, False, 1.0)
    assert not drive.alarm
    drive.step(RAMP_TIME, True, 1.0)
    assert drive.running


def test_a_valve_takes_its_time() -> None:
    valve = Valve()
    valve.step(30.0, 1.0)
    assert not valve.is_open
    valve.step(30.0, 1.0)
    assert valve.is_open


def test_wet_bulb_lies_between_dew_point_and_dry_bulb() -> None:
    # Psychrometric chart at sea level: 32 °C, 50 % relative humidity.
    air = OutdoorAir(32.0, 20.3)
    assert air.relative_humidity == pytest.approx(50.0, abs=0.7)
    assert air.wet_bulb == pytest.approx(23.6, abs=0.3)
    assert wet_bulb(24.0, 24.0) == pytest.approx(24.0, abs=0.01)


def test_the_afternoon_is_warmest() -> None:
    weather = Weather(29.0, 4.0, 24.0)
    assert weather.at(15 * 3600.0).dry_bulb == pytest.approx(33.0)
    assert weather.at(3 * 3600.0).dry_bulb == pytest.approx(25.0)
    weather.fixed = OutdoorAir(20.0, 10.0)
    assert weather.at(15 * 3600.0).dry_bulb == 20.0
