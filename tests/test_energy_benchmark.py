"""The energy benchmark, a day of it: the plant is cooled, and by the rules."""

import argparse
from functools import partial
from itertools import pairwise
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.energy import _CASES, _cases, _site
from benchmarks.energy_parts.closed_loop import ClosedLoop, plan_of
from benchmarks.energy_parts.controls import CONTROL_INTERVAL, CONTROLS
from benchmarks.energy_parts.figures import by_component, figures_of
from benchmarks.energy_parts.outcome import OPTIMUM, outcome_of, outcome_of_bound
from benchmarks.energy_parts.recording import BIN, COMPONENTS, Recorder
from benchmarks.energy_parts.year import (
    DAYS_A_YEAR,
    chunks_of,
    doubts_of,
    run_days,
    weather_of,
)
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.plant.roles import EquipmentType
from custom_components.chiller_plant.simulator.weather_series import DAY, YEAR_START
from custom_components.chiller_plant.simulator.worlds import Worlds

ROOT = Path(__file__).parents[1]
SITE = ROOT / "examples" / "three_chillers" / "plant.yaml"
READ = {
    "chiller_curves",
    "minimum_lift",
    "differential_pressure_minimum",
    "differential_pressure_maximum",
}
"""What a form takes from the plant file."""
MORNING = 4 * 3600.0
"""Local time from which the rising load needs one chiller after another."""


class Day:
    """Some hours of the plant under one way of control, minute by minute."""

    def __init__(self, control: str, hours: float) -> None:
        self.plant: Plant = load_plant(SITE)
        weather = weather_of("tropical", self.plant)
        self.worlds = Worlds(self.plant, np.array([YEAR_START + MORNING]), weather)
        plan = plan_of(self.plant, CONTROLS[control](self.plant))
        self.loop = ClosedLoop(self.plant, plan)
        self.recorder = Recorder(self.plant, self.worlds, hours * 3600.0)
        self.keys = tuple(
            key
            for key, point in self.plant.points.items()
            if point.address is not None and point.role.quantity.is_boolean
        )
        seen = []
        columns = self.loop.columns
        self.recorder.begin()
        for minute in range(1, round(hours * 60) + 1):
            self.worlds.advance(CONTROL_INTERVAL)
            self.recorder.look(minute * CONTROL_INTERVAL)
            seen.append(self.worlds.read(self.keys)[0] > 0.5)
            self.loop.step(
                float(self.worlds.time[0]),
                columns.rows(self.worlds)[0],
                partial(self.worlds.command, 0),
            )
        self.seen = np.array(seen)

    def of(self, kind: EquipmentType, role: str) -> np.ndarray:
        """Return a truth value of all machines of a kind (minutes, machines)."""
        wanted = [f"{item.key}.{role}" for item in self.plant.of_type(kind)]
        return self.seen[:, [self.keys.index(key) for key in wanted]]


@pytest.fixture(scope="module", params=sorted(CONTROLS))
def day(request: pytest.FixtureRequest) -> Day:
    """Return sixteen hours, from the first chiller to the third and back."""
    return Day(request.param, 16.0)


def _runs(on: np.ndarray) -> list[tuple[int, int]]:
    """Return the beginning and the end of each time that a machine was on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def test_the_load_of_a_day_needs_more_than_one_chiller(day: Day):
    running = day.of(EquipmentType.CHILLER, "run_status").sum(axis=1)

    assert running.max() == 3
    assert running[-1] < 3


def test_no_chiller_runs_without_pumps_and_towers(day: Day):
    running = day.of(EquipmentType.CHILLER, "run_status").sum(axis=1)

    for kind in (
        EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
        EquipmentType.CONDENSER_WATER_PUMP,
        EquipmentType.COOLING_TOWER,
    ):
        assert (day.of(kind, "run_status").sum(axis=1) >= running).all(), kind


def test_no_chiller_runs_without_proven_flow(day: Day):
    running = day.of(EquipmentType.CHILLER, "run_status")

    for role in ("chilled_water_flow_status", "condenser_water_flow_status"):
        assert day.of(EquipmentType.CHILLER, role)[running].all(), role


def test_no_chiller_is_short_cycled(day: Day):
    rules = day.plant.of_type(EquipmentType.CHILLER)[0].interlocks
    chillers = day.of(EquipmentType.CHILLER, "run_status")
    last = len(chillers)

    for chiller in chillers.T:
        runs = _runs(chiller)
        for begin, end in runs:
            if begin > 0 and end < last:
                assert (end - begin) * CONTROL_INTERVAL >= rules.minimum_run_time
        for (_, end), (begin, _) in pairwise(runs):
            assert (begin - end) * CONTROL_INTERVAL >= rules.minimum_off_time
    starts = [begin for chiller in chillers.T for begin, _ in _runs(chiller) if begin]
    gaps = np.diff(sorted(starts)) * CONTROL_INTERVAL
    assert (gaps >= rules.change_time - CONTROL_INTERVAL).all()


def test_nothing_fails_to_start_trips_or_disobeys(day: Day):
    told = {kind.value for kind in day.loop.notices}

    assert not told & {"forced_stop", "start_failed", "write_failed", "mismatch"}
    for kind in (EquipmentType.CHILLER, EquipmentType.CONDENSER_WATER_PUMP):
        assert not day.of(kind, "alarm").any()


def test_the_zones_stay_comfortable(day: Day):
    assert day.worlds.unmet[0] == 0.0


def test_starts_are_counted_as_they_are_seen(day: Day):
    chillers = day.of(EquipmentType.CHILLER, "run_status")
    seen = [len(_runs(chiller)) for chiller in chillers.T]
    rows = day.recorder.rows[0]
    names = day.recorder.names
    counted = [
        int(rows[:, names.index(f"starts_{n + 1}")].sum()) for n in range(len(seen))
    ]

    assert counted == seen
    assert sum(counted) >= 2


def test_what_is_recorded_adds_up_to_what_the_plant_took(day: Day):
    rows, names = day.recorder.rows[0].astype(float), day.recorder.names

    for name in COMPONENTS:
        recorded = rows[:, names.index(name)].sum() * BIN / 3600.0
        assert recorded == pytest.approx(day.worlds.energy[name][0], rel=1e-5)
    cooled = rows[:, names.index("cooling_load")].sum() * BIN / 3600.0
    assert cooled == pytest.approx(day.worlds.cooling_energy[0], rel=1e-5)
    assert 0.5 < sum(e[0] for e in day.worlds.energy.values()) / (cooled / 3.51685) < 1


def test_a_command_goes_to_a_machine_only_through_the_desk():
    plant = load_plant(SITE)
    loop = ClosedLoop(plant, plan_of(plant, CONTROLS["fixed"](plant)))
    columns = loop.columns
    row = [key not in columns.booleans and 0.0 for key in columns.keys]
    given: list[tuple[str, bool | float]] = []

    for minute in range(1, 4):
        loop.step(YEAR_START + 60.0 * minute, row, lambda *order: given.append(order))

    # Nothing proves flow: valves are told to open, no chiller to start.
    started = {key for key, value in given if value is True}
    assert any("valve" in key for key in started)
    assert not [key for key in started if key.startswith("chiller_") and "run" in key]


@pytest.mark.parametrize("days", [1, 7, 41, 100, DAYS_A_YEAR])
def test_chunks_are_so_many_days_and_none_twice(days: int):
    chunks = chunks_of(days)
    numbers = [
        round((chunk.start - YEAR_START) / DAY) + offset
        for chunk in chunks
        for offset in range(chunk.days)
    ]

    assert len(numbers) == len(set(numbers)) == days
    assert min(numbers) == 0
    assert max(numbers) < DAYS_A_YEAR


def test_a_day_in_two_ways_comes_to_figures_and_the_bound_is_below():
    runs = [run_days(SITE, "tropical", control, 1) for control in ("fixed", "ours")]
    outcomes = {run.control: outcome_of(run) for run in runs}
    outcomes[OPTIMUM] = outcome_of_bound(SITE, "tropical", runs[1])
    figures = {figure.key: figure.value for figure in figures_of(outcomes, 1)}

    assert all(len(item.load) == 24 for item in outcomes.values())
    assert outcomes[OPTIMUM].left_out == 0
    assert (
        figures["energy.kw_per_rt.optimum"]
        < figures["energy.kw_per_rt.ours"]
        < figures["energy.kw_per_rt.fixed"]
    )
    assert figures["energy.ratio.ours_to_fixed"] == pytest.approx(
        figures["energy.kw_per_rt.ours"] / figures["energy.kw_per_rt.fixed"]
    )
    # Saving by cooling less would show here.
    cooled = [item.cooling for item in outcomes.values()]
    assert cooled == pytest.approx([cooled[0]] * 3, rel=0.02)
    # A part of a year says nothing about how long a year takes.
    assert "energy.year_wall_s" not in figures
    assert [row[0] for row in by_component(outcomes)[1:]] == list(outcomes)


@pytest.mark.parametrize(("site", "weather"), _CASES)
def test_the_plant_file_says_all_that_the_model_asks(site: str, weather: str):
    assert doubts_of(_site(site), weather, list(CONTROLS)) == ()


def test_forms_differ_between_plants_only_by_what_the_plant_files_say():
    plants = [load_plant(_site(site)) for site in ("three_chillers", "vane_chillers")]
    one, other = (
        {
            item.name: {
                key: value for key, value in item.config.items() if key not in READ
            }
            for item in CONTROLS["ours"](plant)
        }
        for plant in plants
    )

    assert one == other
    read = {
        key: value
        for item in CONTROLS["ours"](plants[1])
        for key, value in item.config.items()
        if key in READ
    }
    assert read["chiller_curves"] == "york_yt_1758_vanes"
    assert read["differential_pressure_maximum"] == 105.0


def test_cases_have_figures_of_their_own_and_the_first_keeps_the_short_keys():
    arguments = argparse.Namespace(site=None, weather=None, days=8)
    keys = [case.key for case in _cases(arguments)]

    assert keys[0] == "energy"
    assert keys[1:] == [
        "energy.three_chillers.desert",
        "energy.vane_chillers.tropical",
    ]
    arguments.site = SITE
    assert [case.key for case in _cases(arguments)] == ["energy"]
    assert figures_of({}, 8, keys[1]) == []


def test_a_plant_that_cannot_be_run_is_refused_in_words(tmp_path: Path):
    path = tmp_path / "plant.yaml"
    text = SITE.read_text(encoding="utf-8")
    path.write_text(text.replace("type: cooling_tower", "type: heat_source"))

    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.energy", "--site", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 2
    assert "cooling_tower" in result.stderr
    assert "Traceback" not in result.stderr
