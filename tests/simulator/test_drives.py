"""Motors, fans, pumps and valves as fleets over scenarios."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.simulator.arrays import Array, Flags
from custom_components.chiller_plant.simulator.drives import (
    RAMP_TIME,
    STROKE_TIME,
    Drives,
    Fans,
    Fault,
    Pumps,
    Valves,
)
from custom_components.chiller_plant.simulator.pump_curves import PumpCurves

SHARES = st.floats(0.0, 1.0)


def flags(*rows: list[bool]) -> Flags:
    """Return commands (scenarios, machines)."""
    return np.array(rows, dtype=np.bool_)


def at(*rows: list[float]) -> Array:
    """Return numbers (scenarios, machines)."""
    return np.array(rows, dtype=np.float64)


def one_pump(flow: float = 60.0, head: float = 250.0, power: float = 20.0) -> Pumps:
    """Return a fleet of one pump in one scenario."""
    return Pumps([flow], [head], [power], scenarios=1)


def turned(pumps: Pumps, speed: float, flow: float) -> Pumps:
    """Return the pumps at a speed and with a flow, both of all."""
    pumps.speed[:] = speed
    pumps.take_flow(np.full_like(pumps.speed, flow))
    return pumps


def test_a_drive_ramps_and_reports_its_motor() -> None:
    drives = Drives([10.0], scenarios=1)
    drives.step(RAMP_TIME / 2, run=flags([True]), speed=at([1.0]))
    assert drives.speed[0, 0] == pytest.approx(0.5)
    assert drives.running[0, 0]
    drives.step(RAMP_TIME, run=flags([False]), speed=at([1.0]))
    assert not drives.running[0, 0]


def test_drives_that_come_from_different_speeds_end_exactly_alike() -> None:
    drives = Drives([10.0, 10.0], scenarios=1)
    drives.speed[:] = [0.123, 0.987]
    for _ in range(20):
        drives.step(3.7, run=flags([True, True]), speed=at([0.7, 0.7]))
    assert drives.speed[0, 0] == drives.speed[0, 1] == 0.7


@settings(deadline=None)
@given(
    commands=st.lists(
        st.tuples(st.booleans(), st.floats(-1.0, 2.0), st.sampled_from(Drives.FAULTS)),
        min_size=1,
        max_size=30,
    ),
    seconds=st.floats(0.1, 10.0),
)
def test_no_drive_is_faster_than_its_ramp_or_its_rating(
    commands: list[tuple[bool, float, Fault]], seconds: float
) -> None:
    drives = Drives([10.0], scenarios=1)
    for run, speed, fault in commands:
        before = drives.speed.copy()
        drives.fault[:] = fault
        drives.step(seconds, run=flags([run]), speed=at([speed]))
        assert abs(drives.speed - before)[0, 0] <= seconds / RAMP_TIME + 1e-12
        assert 0.0 <= drives.speed[0, 0] <= 1.0


def test_a_tripped_drive_stays_off_until_it_is_reset() -> None:
    drives = Drives([10.0], scenarios=1)
    on, off, full = flags([True]), flags([False]), at([1.0])
    drives.settle(on, full)
    drives.fault[0, 0] = Fault.TRIP
    drives.step(RAMP_TIME, run=on, speed=full)
    assert drives.alarm[0, 0]
    assert not drives.running[0, 0]
    drives.fault[0, 0] = Fault.NONE
    drives.step(RAMP_TIME, run=on, speed=full)
    assert drives.alarm[0, 0]
    drives.step(1.0, run=off, speed=full)
    assert not drives.alarm[0, 0]
    drives.step(RAMP_TIME, run=on, speed=full)
    assert drives.running[0, 0]


def test_a_drive_that_does_not_start_gives_no_alarm() -> None:
    drives = Drives([10.0], scenarios=1)
    drives.fault[0, 0] = Fault.FAIL_TO_START
    drives.settle(flags([True]), at([1.0]))
    assert not drives.running[0, 0]
    assert not drives.alarm[0, 0]


def test_a_drive_in_hand_runs_at_its_own_speed_whatever_it_is_told() -> None:
    drives = Drives([10.0, 10.0], scenarios=1)
    drives.fault[0, 0] = Fault.HAND
    drives.hand_speed[0, 0] = 0.8
    drives.settle(flags([False, False]), at([0.3, 0.3]))
    assert drives.speed[0].tolist() == [0.8, 0.0]
    assert drives.remote[0].tolist() == [False, True]


def test_a_fault_is_that_of_one_machine_in_one_scenario() -> None:
    drives = Drives([10.0, 10.0], scenarios=2)
    drives.fault[1, 0] = Fault.TRIP
    both = flags([True, True], [True, True])
    drives.settle(both, np.ones((2, 2)))
    assert drives.running.tolist() == [[True, True], [False, True]]
    assert drives.alarm.tolist() == [[False, False], [True, False]]


def test_faults_have_the_words_that_people_use() -> None:
    assert [fault.word for fault in Fault] == [
        "none",
        "fail_to_start",
        "trip",
        "hand",
        "stuck",
    ]
    assert all(Fault.of(fault.word) is fault for fault in Fault)
    with pytest.raises(KeyError):
        Fault.of("tired")


@pytest.mark.parametrize("fleet", [Fans([1.0], 1), one_pump(), Valves(1, 1)])
def test_what_a_fleet_declares_to_be_seen_is_there(
    fleet: Fans | Pumps | Valves,
) -> None:
    for name in fleet.OBSERVABLES:
        assert getattr(fleet, name).shape == (1, 1)


@settings(deadline=None)
@given(speed=SHARES)
def test_a_fan_takes_the_cube_of_its_speed(speed: float) -> None:
    fans = Fans([20.0, 10.0], scenarios=1)
    fans.settle(flags([True, True]), at([speed, 1.0]))
    assert fans.power[0, 0] == pytest.approx(20.0 * speed**3)
    assert fans.power[0, 1] == pytest.approx(10.0)


def test_a_valve_takes_its_time() -> None:
    valves = Valves(1, scenarios=1)
    valves.step(STROKE_TIME / 2, position=at([1.0]))
    assert valves.position[0, 0] == pytest.approx(0.5)
    assert not valves.is_open[0, 0]
    valves.step(STROKE_TIME / 2, position=at([1.0]))
    assert valves.is_open[0, 0]


def test_a_stuck_valve_stays_where_it_is() -> None:
    valves = Valves(2, scenarios=1)
    valves.settle(at([0.4, 0.4]))
    valves.fault[0, 0] = Fault.STUCK
    valves.settle(at([1.0, 1.0]))
    assert valves.position[0].tolist() == [0.4, 1.0]


def test_head_and_flow_of_a_pump_curve_are_each_other_s_inverse() -> None:
    curves = PumpCurves([60.0], [250.0])
    for speed in (0.4, 0.7, 1.0):
        for share in (0.1, 0.6, 1.0, 1.5):
            flow = at([60.0 * share * speed])
            head = curves.head_at(flow, at([speed]))
            assert curves.flow_at(head, at([speed])) == pytest.approx(flow)


def test_a_check_valve_lets_no_flow_back() -> None:
    curves = PumpCurves([60.0], [250.0])
    assert curves.flow_at(at([300.0]), at([0.5]))[0, 0] == 0.0


@settings(deadline=None)
@given(speed=st.floats(0.05, 1.0), share=st.floats(0.0, 1.5))
def test_affinity_laws_of_head_and_shaft(speed: float, share: float) -> None:
    full = turned(one_pump(), 1.0, 60.0 * share)
    slow = turned(one_pump(), speed, 60.0 * share * speed)
    assert slow.head[0, 0] == pytest.approx(full.head[0, 0] * speed**2)
    assert slow.shaft_power[0, 0] == pytest.approx(full.shaft_power[0, 0] * speed**3)


def test_the_rated_point_takes_the_rated_power() -> None:
    pumps = turned(one_pump(), 1.0, 60.0)
    assert pumps.power[0, 0] == pytest.approx(20.0)
    assert pumps.head[0, 0] == pytest.approx(250.0)
    assert pumps.shaft_power[0, 0] == pytest.approx(20.0 * 0.93 * 0.97)


@settings(deadline=None)
@given(speed=st.floats(0.03, 1.0), share=st.floats(0.0, 2.2))
def test_a_pump_never_gives_the_water_more_than_it_takes(
    speed: float, share: float
) -> None:
    # Given a pump of 80 % efficiency at its rated point
    rated = 60.0 * 250.0 / 1000.0 / 0.8 / 0.93 / 0.97
    pumps = turned(one_pump(power=rated), speed, 60.0 * share * speed)
    hydraulic = pumps.flow[0, 0] * pumps.head[0, 0] / 1000.0
    assert hydraulic <= 0.8 * pumps.shaft_power[0, 0] + 1e-9
    assert pumps.shaft_power[0, 0] < pumps.power[0, 0]


@settings(deadline=None)
@given(
    speed=st.floats(0.05, 1.0),
    low=st.floats(0.0, 1.5),
    high=st.floats(0.0, 1.5),
)
def test_more_flow_at_the_same_speed_takes_no_less_power(
    speed: float, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    little = turned(one_pump(), speed, 60.0 * low * speed).power[0, 0]
    much = turned(one_pump(), speed, 60.0 * high * speed).power[0, 0]
    assert little <= much + 1e-9


def test_a_slow_pump_takes_more_than_the_cube_and_less_than_a_standard_allows() -> None:
    # ASHRAE 90.1, variable speed with pressure reset: .0205x + .4101x² + .5753x³
    for speed in (0.4, 0.5, 0.6, 0.8):
        share = turned(one_pump(), speed, 60.0 * speed).power[0, 0] / 20.0
        allowed = 0.0205 * speed + 0.4101 * speed**2 + 0.5753 * speed**3
        assert speed**3 < share < allowed


def test_flow_outside_the_power_curve_is_clipped_and_flagged() -> None:
    pumps = Pumps([60.0] * 4, [250.0] * 4, [20.0] * 4, scenarios=1)
    pumps.speed[:] = 1.0
    pumps.take_flow(at([0.0, 3.0, 60.0, 90.0]))
    assert pumps.clipped[0].tolist() == [False, True, False, True]
    edge = turned(one_pump(), 1.0, 84.0).power[0, 0]
    assert pumps.power[0, 3] == pytest.approx(edge)


def test_a_pump_against_a_closed_valve_takes_about_half_its_power() -> None:
    pumps = turned(one_pump(), 1.0, 0.0)
    assert pumps.power[0, 0] == pytest.approx(0.47 * 20.0, rel=0.05)


def test_a_pump_that_stands_takes_nothing() -> None:
    pumps = turned(one_pump(), 0.0, 0.0)
    assert pumps.power[0, 0] == pumps.shaft_power[0, 0] == 0.0


def test_some_pumps_of_a_fleet_take_a_flow_and_the_others_keep_theirs() -> None:
    pumps = turned(Pumps([60.0] * 3, [250.0] * 3, [20.0] * 3, scenarios=1), 1.0, 60.0)
    pumps.take_flow(at([30.0]), np.array([1]))
    assert pumps.flow[0].tolist() == [60.0, 30.0, 60.0]
    assert pumps.power[0, 1] < pumps.power[0, 0] == pytest.approx(20.0)


def test_scenarios_do_not_know_of_each_other() -> None:
    random = np.random.default_rng(4)
    run = random.random((7, 3)) < 0.7
    speed = random.random((7, 3))
    fault = random.choice(np.array(Drives.FAULTS, dtype=np.int8), (7, 3))
    together = Pumps([60.0] * 3, [250.0] * 3, [20.0] * 3, scenarios=7)
    together.fault[:] = fault
    together.step(17.0, run=run, speed=speed)
    together.take_flow(60.0 * together.speed)
    for scenario in range(7):
        own = slice(scenario, scenario + 1)
        alone = Pumps([60.0] * 3, [250.0] * 3, [20.0] * 3, scenarios=1)
        alone.fault[:] = fault[own]
        alone.step(17.0, run=run[own], speed=speed[own])
        alone.take_flow(60.0 * alone.speed)
        assert np.array_equal(alone.speed, together.speed[own])
        assert np.array_equal(alone.alarm, together.alarm[own])
        assert np.array_equal(alone.power, together.power[own])
