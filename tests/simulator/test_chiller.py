"""The simulated chiller: its curves, and that it protects itself."""

import itertools

import pytest

from custom_components.chiller_plant.simulator.chiller import (
    START_TO_START_TIME,
    Chiller,
    ChillerState,
)
from custom_components.chiller_plant.simulator.chiller_curves import (
    ChillerRating,
    available_capacity,
    electrical_power,
)
from custom_components.chiller_plant.simulator.drive import Fault

RATING = ChillerRating()


class Bench:
    """A chiller on a test bench with water at will."""

    def __init__(self) -> None:
        self.chiller = Chiller(RATING, water=12.0, condenser=29.0)
        self.flow = RATING.chilled_water_flow
        self.condenser_flow = RATING.condenser_water_flow
        self.run = True
        self.entering = 12.2
        self.condenser_entering = 29.0
        self.setpoint = 6.7
        self.demand_limit = 1.0

    def after(self, seconds: float, step: float = 2.0) -> Chiller:
        """Let time pass and return the chiller."""
        for _ in range(round(seconds / step)):
            self.chiller.step(
                step,
                run=self.run,
                setpoint=self.setpoint,
                demand_limit=self.demand_limit,
                chilled_water=(self.flow, self.entering),
                condenser_water=(self.condenser_flow, self.condenser_entering),
            )
        return self.chiller


@pytest.mark.parametrize(
    ("load", "supply", "entering", "flow", "power"),
    [
        (1404.2, 6.67, 29.44, 1.0, 235.25),
        (1053.5, 6.67, 26.00, 1.0, 152.61),
        (702.7, 6.67, 22.00, 1.0, 84.11),
        (351.5, 6.67, 20.00, 1.0, 51.69),
        (843.1, 9.00, 28.00, 1.0, 127.25),
        (702.7, 6.67, 30.00, 1.0, 137.76),
        (421.7, 6.67, 29.44, 1.0, 125.82),
        (1053.5, 6.67, 26.00, 0.6, 169.33),
    ],
)
def test_power_is_that_of_energyplus(
    load: float, supply: float, entering: float, flow: float, power: float
) -> None:
    """EnergyPlus 25.2, reformulated EIR, Carrier 19XR 1407 kW with drive."""
    found = electrical_power(
        RATING, load, supply, entering, flow * RATING.condenser_water_flow
    )
    assert found == pytest.approx(power, rel=0.002)


def test_power_rises_with_condenser_temperature() -> None:
    powers = [
        electrical_power(RATING, 1000.0, 6.7, entering, RATING.condenser_water_flow)
        for entering in range(20, 40)
    ]
    assert powers == sorted(powers)
    assert powers[-1] > 1.4 * powers[0]


def test_less_condenser_water_costs_power() -> None:
    powers = [
        electrical_power(RATING, 1000.0, 6.7, 28.0, share * RATING.condenser_water_flow)
        for share in (1.0, 0.8, 0.6, 0.5)
    ]
    assert powers == sorted(powers)


def test_a_chiller_of_half_the_size_takes_half_the_power() -> None:
    half = ChillerRating(703.5, 6.04, 30.285, 37.855)
    assert electrical_power(half, 500.0, 6.7, 29.0, 37.855) == pytest.approx(
        0.5 * electrical_power(RATING, 1000.0, 6.7, 29.0, 75.71)
    )


def test_it_starts_after_its_lubrication_and_holds_its_setpoint() -> None:
    bench = Bench()
    assert bench.after(50).state is ChillerState.STARTING
    assert bench.after(20).running
    chiller = bench.after(1200)
    assert chiller.supply_temperature == pytest.approx(6.7, abs=0.05)


def test_heat_into_the_condenser_is_cooling_plus_power() -> None:
    chiller = Bench().after(2400)
    rise = chiller.condenser_leaving_temperature - 29.0
    rejected = RATING.condenser_water_flow * 4.186 * rise
    assert rejected == pytest.approx(chiller.cooling + chiller.power, rel=0.002)


def test_it_loads_slowly_and_is_held_at_40_percent_at_first() -> None:
    bench = Bench()
    bench.after(62)
    assert bench.after(170).load <= 0.41
    assert 0.4 < bench.after(200).load < 0.8


@pytest.mark.parametrize("side", ["flow", "condenser_flow"])
def test_it_does_not_start_without_flow_and_says_so(side: str) -> None:
    bench = Bench()
    setattr(bench, side, 0.0)
    assert not bench.after(250).running
    assert not bench.chiller.alarm
    chiller = bench.after(100)
    assert chiller.alarm
    assert not chiller.running


@pytest.mark.parametrize("side", ["flow", "condenser_flow"])
def test_it_trips_when_flow_is_lost_and_is_reset_by_off(side: str) -> None:
    bench = Bench()
    bench.after(600)
    setattr(bench, side, 0.0)
    chiller = bench.after(10)
    assert chiller.alarm
    assert not chiller.running
    assert chiller.power == 0.0
    setattr(bench, side, 70.0)
    assert bench.after(2000).alarm, "an alarm must not go away by itself"
    bench.run = False
    assert not bench.after(4).alarm
    bench.run = True
    assert bench.after(120).running


def test_it_trips_on_hot_condenser_water() -> None:
    bench = Bench()
    bench.after(1800)
    bench.condenser_entering = 40.0
    assert bench.after(300).alarm


def test_it_unloads_before_it_stops_and_waits_before_it_starts_again() -> None:
    bench = Bench()
    bench.after(1000)
    bench.run = False
    assert bench.after(20).running
    assert not bench.after(40).running
    bench.run = True
    waited = 0.0
    while not bench.after(10).running:
        waited += 10.0
        assert waited < 2000.0
    assert waited > 200.0


def test_starts_are_never_closer_than_its_own_anti_recycle_time() -> None:
    bench = Bench()
    starts = []
    for second in range(0, 7200, 2):
        was = bench.chiller.running
        bench.run = second % 300 < 200
        if bench.after(2).running and not was:
            starts.append(second)
    assert len(starts) > 2
    assert all(
        later - earlier >= START_TO_START_TIME
        for earlier, later in itertools.pairwise(starts)
    )


def test_a_demand_limit_holds_its_load() -> None:
    bench = Bench()
    bench.demand_limit = 0.5
    chiller = bench.after(3000)
    capacity = available_capacity(
        RATING, chiller.supply_temperature, chiller.condenser_leaving_temperature
    )
    assert chiller.cooling == pytest.approx(0.5 * capacity, rel=0.01)


def test_a_chiller_that_fails_to_start_shows_neither_running_nor_alarm() -> None:
    bench = Bench()
    bench.chiller.fault = Fault.FAIL_TO_START
    chiller = bench.after(3000)
    assert not chiller.running
    assert not chiller.alarm


def test_a_trip_stays_until_the_fault_is_gone_and_it_was_told_off() -> None:
    bench = Bench()
    bench.after(600)
    bench.chiller.fault = Fault.TRIP
    assert not bench.after(2).running
    bench.run = False
    assert bench.after(60).alarm
    bench.chiller.fault = Fault.NONE
    assert not bench.after(4).alarm


def test_it_never_freezes_its_water() -> None:
    bench = Bench()
    bench.after(1800)
    for flow in (60.0, 35.0, 60.0, 32.0, 80.0):
        bench.flow = flow
        for _ in range(200):
            bench.after(2)
            assert bench.chiller.supply_temperature > 5.0
