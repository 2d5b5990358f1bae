"""The benchmark of demand response measures what it says, and would see a worse site."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import demand_response
from benchmarks.demand_response import event_days, figures_of
from benchmarks.demand_response_parts.days import Watched, watch
from benchmarks.demand_response_parts.events import (
    CASES,
    HOUR,
    Answering,
    Case,
    Means,
    is_off,
    played,
    site_measures,
)
from benchmarks.demand_response_parts.judge import outcome, trusted
from benchmarks.demand_response_parts.site import METER, site
from benchmarks.energy_parts.closed_loop import Guest
from custom_components.chiller_plant.plant.demand_response.outdoor_air import MEASURED
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.simulator.weather_series import (
    DAY,
    YEAR_START,
    WeatherSeries,
)

ROOT = Path(__file__).parents[1]
DAYS = 28
MIDNIGHT = event_days(DAYS, 1)[0]


@pytest.fixture(name="plant", scope="module")
def the_plant() -> Plant:
    return site()


def hours(load: float, days: int = DAYS) -> Means:
    return [(YEAR_START + HOUR * hour, load) for hour in range(24 * days)]


def a_day(load: float, *, zone: float = 24.0) -> Watched:
    time = MIDNIGHT + 60.0 * np.arange(1, 24 * 60 + 1)
    return Watched(
        time,
        np.full(len(time), load),
        np.full((len(time), 2), zone),
        np.full((len(time), len(MEASURED)), 25.0),
    )


def told(plant: Plant, case: Case) -> Answering:
    return played(plant, [case], [MIDNIGHT], hours(500.0), [30.0])[0]


def judged(plant: Plant, case: Case, seen: Watched, without: Watched):
    answering = told(plant, case)
    answering.baseline = answering.settled_by(hours(500.0))
    return outcome(answering, seen, without, hours(500.0, 27))


def test_the_site_has_what_the_events_need(plant: Plant) -> None:
    assert METER in plant.points
    keys = {
        item.key.partition(":")[0] for item in site_measures(plant, cooling_only=False)
    }
    assert keys == {
        "battery",
        "circuit",
        "thermal_storage",
        "zone",
        "chilled_water",
        "demand_limit",
    }
    cooling = {
        item.key.partition(":")[0] for item in site_measures(plant, cooling_only=True)
    }
    assert cooling == {"zone", "chilled_water", "demand_limit"}
    assert {case.precool for case in CASES} == {False, True}
    assert len({case.notice for case in CASES}) > 3


def test_events_are_on_the_last_weekdays_of_the_history() -> None:
    days = [datetime.fromtimestamp(at, UTC).date() for at in event_days(DAYS, 6)]
    assert not any(is_off(day) for day in days)
    assert days == sorted(days)
    assert (event_days(DAYS, 6)[-1] - YEAR_START) / DAY < DAYS


def test_a_load_at_its_target_is_no_error_and_one_beside_it_is(plant: Plant) -> None:
    case = Case(0.2, 14, 2, 2)
    without = a_day(500.0)
    good = judged(plant, case, a_day(400.0), without)
    assert good.target_error == pytest.approx(0.0, abs=1e-9)
    assert good.achieved == pytest.approx(100.0)
    assert good.comfort_violation == 0.0
    assert judged(plant, case, a_day(440.0), without).target_error == pytest.approx(0.1)
    warm = judged(plant, case, a_day(400.0, zone=26.5), without)
    # Two zones half a kelvin too warm, for two hours and the four after.
    assert warm.comfort_violation == pytest.approx(2 * 0.5 * 6.0, rel=0.01)


def test_a_peak_after_the_event_is_seen(plant: Plant) -> None:
    seen = a_day(400.0)
    after = (seen.time > MIDNIGHT + 16.5 * HOUR) & (seen.time <= MIDNIGHT + 17 * HOUR)
    peak = replace(seen, meter=np.where(after, 650.0, seen.meter))
    case = Case(0.2, 14, 2, 2)
    assert judged(plant, case, peak, a_day(500.0)).rebound == pytest.approx(1.3)
    assert judged(plant, case, seen, a_day(500.0)).rebound == pytest.approx(0.8)


def test_settlement_is_held_against_the_day_without_the_event(plant: Plant) -> None:
    """The morning says 500 kW; without the event it would have been 450."""
    seen = a_day(500.0)
    kept = (seen.time > MIDNIGHT + 14 * HOUR) & (seen.time <= MIDNIGHT + 16 * HOUR)
    shed = replace(seen, meter=np.where(kept, 400.0, seen.meter))
    found = judged(plant, Case(0.2, 14, 2, 2), shed, a_day(450.0))
    assert found.achieved == pytest.approx(50.0)
    assert found.settled == pytest.approx(100.0, abs=1.0)
    assert found.performance_error == pytest.approx(50.0 / 450.0, abs=0.003)


def test_every_method_is_tried_on_ordinary_days() -> None:
    means = [(at, load + 20.0 * ((at // DAY) % 3)) for at, load in hours(500.0)]
    tried = trusted(means, YEAR_START + 14 * HOUR, YEAR_START + 17 * HOUR)
    assert set(tried) == {
        "ten_of_ten",
        "four_of_five",
        "five_of_ten",
        "match_day",
        "last_hour",
    }
    assert tried["last_hour"].cvrmse == pytest.approx(0.0, abs=1e-9)
    assert tried["ten_of_ten"].days > 10


def test_a_real_event_moves_the_meter_of_the_simulated_site(plant: Plant) -> None:
    """The morning is the same, then the load falls to what is asked for."""
    weather = WeatherSeries.tropical(1)
    ordinary = watch(plant, weather, [MIDNIGHT], 1, {}, warm_up=6 * HOUR)[0]
    means = [
        (
            midnight + HOUR * hour,
            ordinary.mean(MIDNIGHT + HOUR * hour, MIDNIGHT + HOUR * (hour + 1)),
        )
        for midnight in (YEAR_START + DAY * day for day in range(27))
        for hour in range(24)
    ]
    answering = played(plant, [Case(0.25, 10, 1, 2)], [MIDNIGHT], means, [30.0])[0]
    guest = Guest("demand_response:x", 50, answering)
    seen = watch(plant, weather, [MIDNIGHT], 1, {0: guest}, warm_up=6 * HOUR)[0]
    found = outcome(answering, seen, ordinary, means)
    before = seen.mean(MIDNIGHT, answering.begins)
    assert before == pytest.approx(ordinary.mean(MIDNIGHT, answering.begins))
    assert found.late_error < 0.05
    assert found.target_error < 0.05
    assert found.comfort_violation == 0.0
    assert found.rebound < 1.2
    assert found.performance_error < 0.02
    figures = {item.key: item for item in figures_of([found], means)}
    assert figures["dr.target_error"].kept
    assert "dr.baseline_cvrmse.ten_of_ten" in figures


def test_too_short_a_history_is_refused_in_words() -> None:
    result = subprocess.run(
        [sys.executable, "-m", demand_response.__name__, "--days", "5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 2
    assert "28 days" in result.stderr
    assert "Traceback" not in result.stderr
