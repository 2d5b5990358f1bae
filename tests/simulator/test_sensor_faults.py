"""Sensors that do not tell the truth, on command."""

import numpy as np
import pytest

from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.sensor_faults import KINDS
from custom_components.chiller_plant.simulator.weather_series import WeatherSeries
from custom_components.chiller_plant.simulator.worlds import Worlds
from tests.simulator.plants import EXAMPLE

TEMPERATURE = "weather.outdoor_temperature"
FLOW = "plant.chilled_water_flow"
STATUS = "chiller_1.run_status"
TRUTH = 30.0


def steady(scenarios: int = 1, seed: int = 0) -> Worlds:
    """Return the example under a sky that does not move."""
    return Worlds(
        load_plant(EXAMPLE),
        [8 * 3600.0] * scenarios,
        WeatherSeries.steady(TRUTH, 22.0),
        seed=seed,
    )


def shown(worlds: Worlds, key: str = TEMPERATURE, moments: int = 200) -> np.ndarray:
    """Return what a sensor of the first scenario shows at some moments."""
    seen = []
    for _ in range(moments):
        worlds.advance(1.0)
        seen.append(worlds.read([key])[0, 0])
    return np.array(seen)


def test_sensors_tell_the_truth_unless_told_otherwise() -> None:
    assert set(shown(steady(), moments=5)) == {TRUTH}


def test_noise_scatters_around_the_truth() -> None:
    worlds = steady()
    worlds.sensor_fault(TEMPERATURE, "noise", 0.5)
    seen = shown(worlds)
    assert seen.mean() == pytest.approx(TRUTH, abs=0.15)
    assert seen.std() == pytest.approx(0.5, rel=0.2)


def test_a_bias_is_added_and_leaves_others_alone() -> None:
    worlds = steady(2)
    worlds.sensor_fault(TEMPERATURE, "bias", -1.5, scenario=0)
    worlds.advance(1.0)
    assert worlds.read([TEMPERATURE])[:, 0].tolist() == [TRUTH - 1.5, TRUTH]


def test_a_coarse_sensor_shows_whole_steps() -> None:
    worlds = steady()
    worlds.sensor_fault(FLOW, "resolution", 5.0)
    assert {value % 5.0 for value in shown(worlds, FLOW, 50)} == {0.0}


def test_a_share_of_the_readings_drops_out() -> None:
    worlds = steady()
    worlds.sensor_fault(TEMPERATURE, "drop_out", 0.25)
    seen = shown(worlds)
    assert (seen == 0.0).mean() == pytest.approx(0.25, abs=0.1)
    assert set(seen) == {0.0, TRUTH}


def test_a_share_of_the_readings_is_wild() -> None:
    worlds = steady()
    worlds.sensor_fault(TEMPERATURE, "spike", 0.1)
    seen = shown(worlds)
    wild = np.abs(seen - TRUTH) > 10.0
    assert wild.mean() == pytest.approx(0.1, abs=0.06)
    assert np.all(seen[~wild] == TRUTH)


def test_a_frozen_sensor_shows_what_it_showed_until_it_is_repaired() -> None:
    worlds = steady()
    worlds.advance(30.0)
    before = worlds.read([FLOW, STATUS])
    worlds.sensor_fault(FLOW, "frozen", 1.0)
    worlds.sensor_fault(STATUS, "frozen", 1.0)
    worlds.advance(1800.0)
    assert worlds.read([FLOW, STATUS]).tolist() == before.tolist()
    worlds.repair_sensor(FLOW)
    worlds.repair_sensor(STATUS)
    worlds.advance(1.0)
    after = worlds.read([FLOW, STATUS])
    assert after[0, 0] != before[0, 0]
    assert after[0, 1] == 1.0


def test_the_same_seed_shows_the_same_faults() -> None:
    seen = []
    for seed in (7, 7, 8):
        worlds = steady(seed=seed)
        worlds.sensor_fault(TEMPERATURE, "noise", 0.5)
        seen.append(shown(worlds, moments=20).tolist())
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_asking_twice_shows_the_same() -> None:
    worlds = steady()
    worlds.sensor_fault(TEMPERATURE, "noise", 0.5)
    worlds.advance(1.0)
    assert worlds.values() == worlds.values()


@pytest.mark.parametrize(
    ("key", "kind", "amount", "error"),
    [
        (TEMPERATURE, "drop_out", 1.5, ValueError),
        (TEMPERATURE, "noise", -1.0, ValueError),
        (STATUS, "bias", 1.0, ValueError),
        (TEMPERATURE, "mood", 1.0, KeyError),
        ("chiller_1.run_command", "bias", 1.0, KeyError),
    ],
)
def test_nonsense_is_refused(
    key: str, kind: str, amount: float, error: type[Exception]
) -> None:
    with pytest.raises(error):
        steady().sensor_fault(key, kind, amount)


def test_every_kind_says_what_its_number_means() -> None:
    assert all(KINDS.values())
