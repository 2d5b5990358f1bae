"""What follows from the points is right, or it is not there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.derived import (
    Component,
    Derivation,
    PlantPerformance,
    RunCounter,
    cooling_load,
)
from custom_components.chiller_plant.plant.model import Plant, PointKey, Value
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.plant.reading import Quality, Reading, Readings

NOW = 1_790_000_000.0
PLANT = load_plant(Path(__file__).parents[2] / "examples/two_chillers/plant.yaml")

RUNNING: dict[PointKey, Value] = {
    "chiller_1.chilled_water_flow": 60.0,
    "chiller_1.chilled_water_supply_temperature": 6.7,
    "chiller_1.chilled_water_return_temperature": 11.7,
    "chiller_2.chilled_water_flow": 0.0,
    "chiller_2.chilled_water_supply_temperature": 12.0,
    "chiller_2.chilled_water_return_temperature": 11.0,
    "plant.chilled_water_flow": 60.0,
    "plant.chilled_water_supply_temperature": 6.8,
    "plant.chilled_water_return_temperature": 11.8,
    "chiller_1_power.power": 210.0,
    "chiller_2_power.power": 0.0,
    "plant_power.power": 260.0,
    "pchp_1.power": 12.0,
    "pchp_2.power": 0.0,
    "schp_1.power": 10.0,
    "schp_2.power": 0.0,
    "cdp_1.power": 20.0,
    "cdp_2.power": 0.0,
    "ct_1.power": 8.0,
    "ct_2.power": 0.0,
}


def readings(**changes: Value | None) -> Readings:
    """Good readings; `chiller_1__load=None` makes one stale."""
    values: dict[PointKey, Value | None] = {**RUNNING}
    values |= {key.replace("__", "."): value for key, value in changes.items()}
    return {
        key: Reading(5.0, Quality.STALE, NOW - 60)
        if value is None
        else Reading(value, Quality.GOOD, NOW)
        for key, value in values.items()
    }


def derive(plant: Plant, known: Readings) -> PlantPerformance:
    """Return what follows from these readings of a plant."""
    return Derivation(plant).of(known)


def without(plant: Plant, *keys: str, **fields: Any) -> Plant:
    """Return the plant without some equipment."""
    kept = {k: item for k, item in plant.equipment.items() if k not in keys}
    return replace(plant, equipment=kept, **fields)


def test_the_load_is_that_of_the_water() -> None:
    # 60 l/s over 5 K: about 1258 kW, which every engineer knows as 357 RT.
    performance = derive(PLANT, readings())
    assert performance.chillers["chiller_1"].cooling_load == pytest.approx(1258, abs=1)
    assert performance.plant.cooling_load == pytest.approx(1258, abs=1)
    assert performance.plant.cooling_load_rt == pytest.approx(357.8, abs=0.5)
    assert performance.plant.temperature_difference == pytest.approx(5.0)


def test_efficiency_is_power_over_load() -> None:
    performance = derive(PLANT, readings())
    chiller = performance.chillers["chiller_1"]
    assert chiller.power == 210
    assert chiller.efficiency == pytest.approx(0.587, abs=0.001)
    assert chiller.coefficient_of_performance == pytest.approx(5.99, abs=0.01)
    assert performance.plant.power == 260
    assert performance.plant.efficiency == pytest.approx(0.727, abs=0.001)


def test_an_idle_chiller_has_no_load_and_no_efficiency() -> None:
    idle = derive(PLANT, readings()).chillers["chiller_2"]
    assert (idle.cooling_load, idle.power) == (0.0, 0.0)
    assert idle.efficiency is None
    assert idle.coefficient_of_performance is None


def test_power_is_told_apart_by_component() -> None:
    assert derive(PLANT, readings()).components == {
        Component.CHILLERS: 210.0,
        Component.PRIMARY_CHILLED_WATER_PUMPS: 12.0,
        Component.SECONDARY_CHILLED_WATER_PUMPS: 10.0,
        Component.CONDENSER_WATER_PUMPS: 20.0,
        Component.COOLING_TOWERS: 8.0,
    }


def test_without_a_plant_meter_the_components_are_added_up() -> None:
    performance = derive(without(PLANT, "plant_power"), readings())
    assert performance.plant.power == pytest.approx(260.0)


def test_a_component_without_any_meter_leaves_the_plants_power_unknown() -> None:
    performance = derive(without(PLANT, "plant_power", "chiller_2_power"), readings())
    assert performance.components[Component.CHILLERS] is None
    assert performance.plant.power is None
    assert performance.plant.efficiency is None
    assert performance.plant.cooling_load is not None


def test_without_a_flow_meter_the_plant_cools_what_its_chillers_cool() -> None:
    performance = derive(without(PLANT, "plant"), readings())
    assert performance.plant.cooling_load == pytest.approx(1258, abs=1)


def test_a_bad_reading_is_not_replaced_by_another_source() -> None:
    performance = derive(PLANT, readings(plant__chilled_water_flow=None))
    assert performance.plant.cooling_load is None
    assert performance.plant.temperature_difference == pytest.approx(5.0)
    performance = derive(PLANT, readings(plant_power__power=None))
    assert performance.plant.power is None


def test_a_meter_goes_before_the_machines_own_figure() -> None:
    meter = PLANT.equipment["chiller_1_power"]
    pumps = replace(meter, key="pumps", measures=("pchp_1", "pchp_2"))
    plant = replace(PLANT, equipment={**PLANT.equipment, "pumps": pumps})
    performance = derive(plant, readings(pumps__power=13.0))
    assert performance.components[Component.PRIMARY_CHILLED_WATER_PUMPS] == 13.0


def test_at_a_trickle_of_load_there_is_no_efficiency_rather_than_a_wild_one() -> None:
    performance = derive(PLANT, readings(plant__chilled_water_flow=1.0))
    assert performance.plant.cooling_load == pytest.approx(21, abs=0.1)
    assert performance.plant.efficiency is None


def test_with_nothing_known_everything_is_none() -> None:
    performance = derive(PLANT, {})
    assert performance.plant.cooling_load is None
    assert performance.plant.cooling_load_rt is None
    assert set(performance.components.values()) == {None}


@given(
    st.fixed_dictionaries(
        {key.replace(".", "__"): st.none() | st.floats(-1000, 1000) for key in RUNNING}
    )
)
def test_figures_are_sane_or_none_whatever_is_read(values: dict[str, Any]) -> None:
    performance = derive(PLANT, readings(**values))
    for item in (performance.plant, *performance.chillers.values()):
        assert item.cooling_load is None or item.cooling_load >= 0
        if item.efficiency is not None:
            assert item.coefficient_of_performance is not None
            assert item.cooling_load is not None and item.cooling_load > 50
            assert item.efficiency * item.coefficient_of_performance == pytest.approx(
                3.51685, rel=1e-4
            )


@given(st.floats(0, 300), st.floats(0, 30), st.floats(-20, 20))
def test_a_colder_return_is_no_load(flow: float, supply: float, rise: float) -> None:
    load = cooling_load(flow, supply, supply + rise)
    assert load is not None
    assert load >= 0
    if rise <= 0:
        assert load == 0


def test_run_hours_and_starts_are_counted() -> None:
    counter = RunCounter(maximum_gap=15)
    for n in range(0, 3601, 5):
        counter.observe(NOW + n, running=n >= 1800)
    assert counter.starts == 1
    assert counter.run_hours == pytest.approx(0.5)


def test_an_outage_adds_no_hours() -> None:
    counter = RunCounter(maximum_gap=15)
    counter.observe(NOW, running=True)
    counter.observe(NOW + 10, running=None)
    counter.observe(NOW + 12, running=True)
    counter.observe(NOW + 3612, running=True)
    assert counter.run_hours == 0
    counter.observe(NOW + 3617, running=True)
    assert counter.run_hours == pytest.approx(5 / 3600)


def test_a_machine_found_running_has_not_been_seen_to_start() -> None:
    counter = RunCounter(maximum_gap=15)
    counter.observe(NOW, running=True)
    assert counter.starts == 0


def test_a_restart_keeps_the_counts_and_adds_nothing_for_the_time_between() -> None:
    counter = RunCounter(maximum_gap=15)
    counter.observe(NOW, running=False)
    counter.observe(NOW + 5, running=True)
    counter.observe(NOW + 15, running=True)

    resumed = RunCounter(maximum_gap=15)
    resumed.restore(counter.as_dict())
    resumed.observe(NOW + 20, running=True)

    assert resumed.starts == 1
    assert resumed.run_hours == pytest.approx(10 / 3600)
    resumed.observe(NOW + 25, running=True)
    assert resumed.run_hours == pytest.approx(15 / 3600)


@pytest.mark.parametrize(
    "garbage",
    [
        {},
        {"run_seconds": "x", "starts": 1.5, "running": 1},
        {"run_seconds": float("nan"), "starts": True, "running": None},
        {"run_seconds": -1, "starts": -1},
    ],
)
def test_garbage_in_the_store_counts_as_nothing(garbage: dict[str, object]) -> None:
    counter = RunCounter(maximum_gap=15)
    counter.restore(garbage)
    assert (counter.run_hours, counter.starts) == (0, 0)


@given(
    st.lists(
        st.tuples(st.floats(-50, 50), st.none() | st.booleans(), st.booleans()),
        max_size=60,
    )
)
def test_never_more_is_counted_than_could_have_been(
    steps: list[tuple[float, bool | None, bool]],
) -> None:
    """Clock set to and fro, gaps, restarts: hours and starts stay certain."""
    counter, now, on_time, rises = RunCounter(maximum_gap=15), NOW, 0.0, 0
    last: bool | None = None
    for wait, running, restart in steps:
        now += wait
        if restart:
            fresh = RunCounter(maximum_gap=15)
            fresh.restore(counter.as_dict())
            counter = fresh
        before = counter.run_hours
        counter.observe(now, running)
        on_time += max(wait, 0.0) if last else 0.0
        rises += bool(running) and last is False
        if running is not None:
            last = running
        assert before <= counter.run_hours <= before + 15 / 3600
    assert counter.starts == rises
    assert counter.run_hours * 3600 <= on_time + 1e-6


def test_a_counter_set_back_counts_on_from_zero() -> None:
    counter = RunCounter(maximum_gap=15)
    for now, running in ((0, False), (10, True), (20, True)):
        counter.observe(now, running)
    counter.reset()
    assert (counter.run_hours, counter.starts) == (0, 0)
    counter.observe(30, True)
    assert counter.run_hours * 3600 == pytest.approx(10)
    assert counter.starts == 0, "it went on running"
