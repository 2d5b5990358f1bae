"""Simulated chillers in time: that they start, carry, protect themselves."""

import itertools
from typing import Any

import numpy as np
import pytest

from custom_components.chiller_plant.simulator.arrays import Array, Flags
from custom_components.chiller_plant.simulator.chiller_performance import (
    ChillerPerformance,
    ChillerRating,
    published_rating,
)
from custom_components.chiller_plant.simulator.chillers import (
    START_TO_START_TIME,
    Chillers,
    ChillerState,
)
from custom_components.chiller_plant.simulator.drives import Fault

RATING = ChillerRating()
FULL_FLOW = RATING.chilled_water_flow


class Bench:
    """Chillers on a test bench with water at will; the stories are of the first."""

    def __init__(
        self, scenarios: int = 1, ratings: tuple[ChillerRating, ...] = (RATING,)
    ) -> None:
        self.chillers = Chillers(ratings, scenarios, water=12.0, condenser=29.0)
        shape = (scenarios, len(ratings))
        self.run: Flags = np.ones(shape, dtype=np.bool_)
        self.flow: Array = np.full(shape, FULL_FLOW)
        self.condenser_flow: Array = np.full(shape, RATING.condenser_water_flow)
        self.entering: Array = np.full((scenarios, 1), 12.2)
        self.condenser_entering: Array = np.full((scenarios, 1), 29.0)
        self.setpoint: Array = np.full((scenarios, 1), 6.7)
        self.demand_limit: Array = np.ones(shape)

    def after(self, seconds: float, step: float = 2.0) -> Bench:
        """Let time pass."""
        for _ in range(round(seconds / step)):
            self.chillers.step(
                step,
                run=self.run,
                setpoint=self.setpoint,
                demand_limit=self.demand_limit,
                chilled_water_flow=self.flow,
                chilled_water_entering=self.entering,
                condenser_water_flow=self.condenser_flow,
                condenser_water_entering=self.condenser_entering,
            )
        return self

    def of(self, name: str) -> Any:
        """Return what is seen of the first chiller of the first scenario."""
        return getattr(self.chillers, name)[0, 0]

    def steady_power(self) -> float:
        """Return what the performance says of the present water and load."""
        return float(
            ChillerPerformance([RATING])
            .power(
                self.chillers.cooling[:, :1],
                self.chillers.supply_temperature[:, :1],
                self.condenser_entering,
                self.condenser_flow[:, :1],
                self.chillers.fouling[:, :1],
            )
            .power[0, 0]
        )


def test_it_starts_after_its_lubrication_and_holds_its_setpoint() -> None:
    bench = Bench()
    assert bench.after(50).of("state") == ChillerState.STARTING
    assert bench.of("power") == 0.0
    assert bench.after(20).of("running")
    assert bench.after(1200).of("supply_temperature") == pytest.approx(6.7, abs=0.05)


@pytest.mark.parametrize("seconds", [1.0, 5.0, 10.0])
def test_its_power_settles_at_that_of_steady_operation(seconds: float) -> None:
    """No step solves for the leaving water, and yet it gets there."""
    bench = Bench().after(3600, seconds)
    assert bench.of("power") == pytest.approx(bench.steady_power(), rel=1e-4)
    bench.condenser_flow[:] *= 0.6
    assert bench.after(1200, seconds).of("power") == pytest.approx(
        bench.steady_power(), rel=1e-4
    )


def test_heat_into_the_condenser_is_cooling_plus_power() -> None:
    bench = Bench().after(2400)
    rise = bench.of("condenser_leaving_temperature") - 29.0
    rejected = RATING.condenser_water_flow * 4.186 * rise
    assert rejected == pytest.approx(bench.of("cooling") + bench.of("power"), rel=0.001)


def test_no_step_loses_heat_whatever_happens() -> None:
    """Start, throttled flow, lost flow, trip, stop: the balance closes."""
    bench = Bench(3)
    bench.flow[1] *= 0.55
    bench.run[2] = False
    for second in range(0, 5400, 10):
        if second == 2000:
            bench.condenser_flow[:] *= 0.7
        if second == 3000:
            bench.flow[0] = 0.0
        if second == 4000:
            bench.run[:] = False
        bench.after(10, 10.0)
        assert np.abs(bench.chillers.residual).max() < 1e-3 * RATING.capacity / 100


def test_it_loads_slowly_and_is_held_at_40_percent_at_first() -> None:
    bench = Bench().after(62)
    assert bench.after(170).of("load") <= 0.41
    assert 0.4 < bench.after(200).of("load") < 0.8


@pytest.mark.parametrize("side", ["flow", "condenser_flow"])
def test_it_does_not_start_without_flow_and_says_so(side: str) -> None:
    bench = Bench()
    getattr(bench, side)[:] = 0.0
    assert not bench.after(250).of("running")
    assert not bench.of("alarm")
    assert bench.after(100).of("alarm")
    assert not bench.of("running")
    assert bench.of("starts") == 0


def test_a_flow_switch_does_not_flutter() -> None:
    bench = Bench()
    seen = []
    for share in (0.45, 0.49, 0.51, 0.45, 0.41, 0.39, 0.45, 0.49, 0.51):
        bench.flow[:] = share * FULL_FLOW
        seen.append(bool(bench.after(2).of("evaporator_flow_proven")))
    assert seen == [False, False, True, True, True, False, False, False, True]
    assert bench.of("condenser_flow_proven")


@pytest.mark.parametrize("side", ["flow", "condenser_flow"])
def test_it_trips_when_flow_is_lost_and_is_reset_by_off(side: str) -> None:
    bench = Bench().after(600)
    getattr(bench, side)[:] = 0.0
    assert bench.after(10).of("alarm")
    assert not bench.of("running")
    assert bench.of("power") == 0.0
    getattr(bench, side)[:] = 70.0
    assert bench.after(2000).of("alarm"), "an alarm must not go away by itself"
    bench.run[:] = False
    assert not bench.after(4).of("alarm")
    bench.run[:] = True
    assert bench.after(120).of("running")


def test_a_stumble_of_the_flow_is_no_trip() -> None:
    bench = Bench().after(600)
    bench.flow[:] = 0.0
    bench.after(2)
    bench.flow[:] = FULL_FLOW
    assert bench.after(60).of("running")


def test_it_trips_on_hot_condenser_water() -> None:
    bench = Bench().after(1800)
    bench.condenser_entering[:] = 40.0
    assert bench.after(300).of("alarm")


def test_it_trips_before_its_water_freezes() -> None:
    """A setpoint that no plant should send: it goes off on its own."""
    bench = Bench().after(1800)
    bench.setpoint[:] = 1.5
    bench.entering[:] = 7.0
    coldest = 99.0
    for _ in range(900):
        coldest = min(coldest, bench.after(2).of("supply_temperature"))
    assert bench.of("alarm")
    assert 2.0 < coldest < 2.6


def test_it_keeps_its_water_near_the_setpoint_when_flow_jumps() -> None:
    bench = Bench().after(1800)
    for flow in (60.0, 35.0, 60.0, 32.0, 80.0):
        bench.flow[:] = flow
        for _ in range(200):
            assert bench.after(2).of("supply_temperature") > 5.0
    assert not bench.of("alarm")


def test_it_unloads_before_it_stops_and_waits_before_it_starts_again() -> None:
    bench = Bench().after(1000)
    bench.run[:] = False
    assert bench.after(20).of("running")
    assert bench.of("state") == ChillerState.UNLOADING
    assert not bench.after(40).of("running")
    bench.run[:] = True
    waited = 0.0
    while not bench.after(10).of("running"):
        waited += 10.0
        assert waited < 2000.0
    assert waited > 200.0


def test_starts_are_never_closer_than_its_own_anti_recycle_time() -> None:
    bench = Bench()
    starts = []
    for second in range(0, 7200, 2):
        was = bench.of("running")
        bench.run[:] = second % 300 < 200
        if bench.after(2).of("running") and not was:
            starts.append(second)
    assert len(starts) > 2
    assert bench.of("starts") == len(starts)
    assert all(
        later - earlier >= START_TO_START_TIME
        for earlier, later in itertools.pairwise(starts)
    )


def test_it_counts_the_seconds_that_its_compressor_turns() -> None:
    bench = Bench()
    turned = 0.0
    for second in range(0, 2000, 2):
        bench.run[:] = second < 1000
        turned += 2.0 * bench.after(2).of("running")
    assert bench.of("run_seconds") == turned
    assert 900.0 < turned < 1100.0


def test_a_demand_limit_holds_its_load() -> None:
    bench = Bench()
    bench.demand_limit[:] = 0.5
    bench.after(3000)
    capacity, _ = bench.chillers.performance.available_capacity(
        bench.chillers.supply_temperature, bench.chillers.condenser_leaving_temperature
    )
    assert bench.of("cooling") == pytest.approx(0.5 * capacity[0, 0], rel=0.01)


def test_it_never_carries_more_than_all_that_it_can() -> None:
    bench = Bench()
    bench.entering[:] = 18.0
    bench.after(3000)
    capacity, _ = bench.chillers.performance.available_capacity(
        bench.chillers.supply_temperature, bench.chillers.condenser_leaving_temperature
    )
    assert bench.of("cooling") == pytest.approx(capacity[0, 0], rel=0.001)
    assert bench.of("supply_temperature") > 7.5


def test_an_idling_compressor_takes_power_and_a_stopped_one_none() -> None:
    bench = Bench().after(1200)
    bench.entering[:] = 6.5
    bench.after(600)
    assert bench.of("cooling") == pytest.approx(0.0, abs=1.0)
    assert bench.of("power") == pytest.approx(0.02 * 1407.0 / 6.04, rel=0.05)
    bench.run[:] = False
    assert bench.after(60).of("power") == 0.0


def test_a_chiller_that_fails_to_start_shows_neither_running_nor_alarm() -> None:
    bench = Bench()
    bench.chillers.fault[:] = Fault.FAIL_TO_START
    bench.after(3000)
    assert not bench.of("running")
    assert not bench.of("alarm")
    bench.chillers.fault[:] = Fault.NONE
    assert bench.after(60).of("running")


def test_a_trip_stays_until_the_fault_is_gone_and_it_was_told_off() -> None:
    bench = Bench().after(600)
    bench.chillers.fault[:] = Fault.TRIP
    assert not bench.after(2).of("running")
    bench.run[:] = False
    assert bench.after(60).of("alarm")
    bench.chillers.fault[:] = Fault.NONE
    assert not bench.after(4).of("alarm")


def test_fouling_costs_power_and_does_not_warm_the_water_by_itself() -> None:
    bench = Bench(2)
    bench.entering[:] = 11.0
    bench.chillers.fouling[1] = 3.0
    chillers = bench.after(3600).chillers
    assert chillers.power[1, 0] > 1.06 * chillers.power[0, 0]
    warmer = chillers.condenser_leaving_temperature
    assert 0.0 < warmer[1, 0] - warmer[0, 0] < 0.2
    assert bench.of("power") == pytest.approx(bench.steady_power(), rel=1e-3)


def test_curves_outside_their_range_are_flagged_while_it_runs() -> None:
    bench = Bench().after(1800)
    assert not bench.of("clipped")
    bench.condenser_entering[:] = 36.0
    assert bench.after(300).of("clipped")
    bench.run[:] = False
    assert not bench.after(60).of("clipped")


def test_an_entering_fit_follows_the_entering_water() -> None:
    """Both forms in one fleet; only the leaving one sees a throttled pump."""
    eir = published_rating("carrier_19xr_1407_vsd", "eir")
    leaving = published_rating("carrier_19xr_1407_vsd")
    bench = Bench(1, (eir, leaving))
    bench.entering[:] = 11.0
    bench.after(3600)
    before = bench.chillers.power.copy()
    bench.condenser_flow[:] *= 0.6
    after = bench.after(3600).chillers.power
    assert after[0, 0] == pytest.approx(before[0, 0], rel=1e-6)
    assert after[0, 1] > 1.05 * before[0, 1]


def _storm(bench: Bench, numbers: range, seconds: int) -> dict[str, Array]:
    """Let each scenario have a life of its own, drawn from its number."""
    lives = [np.random.default_rng(number) for number in numbers]
    seen: dict[str, list[Array]] = {name: [] for name in Chillers.OBSERVABLES}
    for _ in range(seconds // 100):
        for row, life in enumerate(lives):
            bench.run[row] = life.random(bench.run.shape[1]) < 0.85
            bench.flow[row] = FULL_FLOW * (life.random(bench.run.shape[1]) + 0.35)
            bench.condenser_flow[row] = 75.0 * (life.random(bench.run.shape[1]) + 0.35)
            bench.entering[row] = life.uniform(8.0, 15.0)
            bench.condenser_entering[row] = life.uniform(20.0, 40.0)
            bench.chillers.fault[row] = life.integers(0, 12, bench.run.shape[1]) == 0
        bench.after(100, 5.0)
        for name, values in seen.items():
            values.append(np.array(getattr(bench.chillers, name)))
    return {name: np.array(values) for name, values in seen.items()}


def test_scenarios_do_not_leak_into_each_other() -> None:
    ratings = (RATING, published_rating("york_yt_1758_vanes"), RATING)
    together = _storm(Bench(7, ratings), range(7), 20_000)
    assert together["alarm"].any()
    assert together["starts"][-1].sum() > 20
    for number in (0, 3, 6):
        alone = _storm(Bench(1, ratings), range(number, number + 1), 20_000)
        for name, values in alone.items():
            np.testing.assert_array_equal(values[:, 0], together[name][:, number], name)


def test_it_may_begin_in_the_middle_of_its_work() -> None:
    """A warm start: what was told to run carries its load at once."""
    bench = Bench(1, (RATING, RATING))
    bench.run[0, 1] = False
    bench.entering[:] = 11.3
    bench.chillers.settle(bench.run, supply=6.7, load=0.83)
    first = (bench.of("cooling"), bench.of("power"))
    assert bench.chillers.running.tolist() == [[True, False]]
    assert bench.chillers.power[0, 1] == 0.0
    bench.after(10)
    assert (bench.of("cooling"), bench.of("power")) == pytest.approx(first, rel=0.02)
    assert bench.after(1200).of("running")
    assert bench.of("starts") == 0
    assert bench.of("cooling") == pytest.approx(first[0], rel=0.02)
    bench.run[:] = [[False, True]]
    bench.after(100)
    assert bench.chillers.running.tolist() == [[False, True]]


def test_what_it_declares_can_be_seen_of_every_machine() -> None:
    bench = Bench(2, (RATING, RATING, RATING)).after(10)
    for name in Chillers.OBSERVABLES:
        assert getattr(bench.chillers, name).shape == (2, 3), name
