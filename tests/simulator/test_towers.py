"""Cells of a cooling tower: what they are told, what they do, what they drink."""

import numpy as np
import pytest

from custom_components.chiller_plant.simulator.drives import Fault
from custom_components.chiller_plant.simulator.towers import CoolingTowers
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY

FLOW, FAN = 75.71, 22.0


def towers(scenarios: int = 1, cells: int = 3, running: int | None = None, **more):
    """Return cells of which `running` have been on at full speed for long."""
    fleet = CoolingTowers([FLOW] * cells, [FAN] * cells, scenarios, 28.0, **more)
    on = np.arange(cells) < (cells if running is None else running)
    run = np.broadcast_to(on, (scenarios, cells))
    fleet.settle(run, run.astype(float))
    return fleet


def cool(fleet: CoolingTowers, flow: float, entering: float, wet_bulb: float) -> None:
    scenarios = len(fleet.flow)
    fleet.cool(
        fleet.share_out(np.full(scenarios, flow)),
        np.full(scenarios, entering),
        np.full(scenarios, wet_bulb),
    )


def test_declared_fields_are_there() -> None:
    fleet = towers(scenarios=2)
    cool(fleet, 150.0, 34.0, 25.0)
    for name in CoolingTowers.OBSERVABLES:
        assert getattr(fleet, name).shape == (2, 3), name


def test_heat_that_is_rejected_is_that_which_the_water_lost() -> None:
    fleet = towers(scenarios=2, running=2)
    cool(fleet, 150.0, 34.0, 25.0)
    mixed = (fleet.flow * fleet.leaving_temperature).sum(axis=1) / 150.0
    lost = 150.0 * HEAT_CAPACITY * (34.0 - mixed)
    assert fleet.heat.sum(axis=1) == pytest.approx(lost)
    assert (fleet.heat[:, 2] == 0.0).all()


def test_fan_power_goes_with_the_cube_of_the_speed() -> None:
    fleet = towers()
    run = np.full((1, 3), True)
    for _ in range(30):
        fleet.step(5.0, run=run, speed=np.full((1, 3), 0.5))
    assert fleet.power == pytest.approx(FAN / 8.0)


def test_cell_that_is_started_opens_its_valve_and_takes_its_share_of_water() -> None:
    fleet = towers(running=1)
    assert fleet.share_out(np.array([90.0])) == pytest.approx(np.array([[90, 0, 0]]))
    run = np.array([[True, True, False]])
    for _ in range(6):
        fleet.step(5.0, run=run, speed=np.ones((1, 3)))
    assert fleet.valve_position[0, 1] == pytest.approx(0.5)
    assert fleet.share_out(np.array([90.0])) == pytest.approx(np.array([[60, 30, 0]]))


def test_water_finds_its_way_when_every_valve_is_shut() -> None:
    fleet = towers(running=0)
    assert fleet.share_out(np.array([90.0])) == pytest.approx(np.full((1, 3), 30.0))


def test_larger_cell_gets_more_water() -> None:
    fleet = CoolingTowers([50.0, 100.0], [15.0, 30.0], 1, 28.0)
    run = np.full((1, 2), True)
    fleet.settle(run, np.ones((1, 2)))
    assert fleet.share_out(np.array([90.0])) == pytest.approx(np.array([[30.0, 60.0]]))


def test_more_cells_cool_the_same_water_further() -> None:
    one, three = towers(running=1), towers(running=3)
    cool(one, FLOW, 34.0, 25.0)
    cool(three, FLOW, 34.0, 25.0)
    assert three.leaving_temperature.max() < one.leaving_temperature[0, 0]


def test_fan_that_tripped_leaves_free_convection_until_it_is_reset() -> None:
    fleet = towers()
    run, speed = np.full((1, 3), True), np.ones((1, 3))
    cool(fleet, 3 * FLOW, 35.0, 25.0)
    before = fleet.heat[0].copy()
    fleet.fans.fault[0, 1] = Fault.TRIP
    for _ in range(20):
        fleet.step(5.0, run=run, speed=speed)
    cool(fleet, 3 * FLOW, 35.0, 25.0)
    assert fleet.alarm.tolist() == [[False, True, False]]
    assert fleet.power[0, 1] == 0.0
    assert fleet.heat[0, 1] == pytest.approx(0.125 * before[1])
    assert fleet.heat[0, 0] == pytest.approx(before[0])


def test_stuck_valve_keeps_the_cell_dry() -> None:
    fleet = towers(running=0)
    fleet.valves.fault[0, 0] = Fault.STUCK
    for _ in range(20):
        fleet.step(5.0, run=np.full((1, 3), True), speed=np.ones((1, 3)))
    cool(fleet, 90.0, 34.0, 25.0)
    assert fleet.flow[0].tolist() == [0.0, 45.0, 45.0]
    assert fleet.heat[0, 0] == 0.0
    assert fleet.leaving_temperature[0, 0] == 28.0


def test_clogged_fill_warms_the_water_but_never_beyond_what_entered() -> None:
    fleet = towers()
    cool(fleet, 3 * FLOW, 34.0, 25.0)
    clean = fleet.leaving_temperature[0].copy()
    fleet.fouling[0] = (0.0, 1.5, 50.0)
    cool(fleet, 3 * FLOW, 34.0, 25.0)
    assert fleet.leaving_temperature[0] == pytest.approx(
        [clean[0], clean[1] + 1.5, 34.0]
    )


def test_water_use_follows_heat_flow_and_cycles_of_concentration() -> None:
    fleet = towers(cells=1, cycles_of_concentration=5.0)
    cool(fleet, FLOW, 35.0, 25.0)
    evaporation = fleet.heat[0, 0] * 0.85 / 2450.0
    drift = 5e-5 * FLOW
    assert fleet.evaporation[0, 0] == pytest.approx(evaporation)
    assert fleet.drift[0, 0] == pytest.approx(drift)
    # Salts that come in with the make-up leave with blowdown and drift.
    assert fleet.water_use[0, 0] == pytest.approx(
        5.0 * (fleet.blowdown[0, 0] + fleet.drift[0, 0])
    )


def test_each_scenario_has_its_own_water() -> None:
    fleet = CoolingTowers([FLOW] * 2, [FAN] * 2, 2, np.array([24.0, 29.0]))
    assert fleet.leaving_temperature.tolist() == [[24.0, 24.0], [29.0, 29.0]]
    fleet.settle(np.full((2, 2), True), np.ones((2, 2)))
    fleet.cool(
        fleet.share_out(np.array([2 * FLOW, 1.8 * FLOW])),
        np.array([34.0, 38.0]),
        np.array([25.0, 28.0]),
    )
    alone = towers(cells=2)
    cool(alone, 2 * FLOW, 34.0, 25.0)
    assert fleet.leaving_temperature[0] == pytest.approx(alone.leaving_temperature[0])
    assert fleet.clipped.tolist() == [[False, False], [False, False]]
