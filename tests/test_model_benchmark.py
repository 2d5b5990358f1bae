"""The benchmark of the plant model measures what it says, and would see a worse one."""

from collections.abc import Callable
from pathlib import Path
import sys

import pytest

from benchmarks import model
from benchmarks.bus_parts.result import Figure, Result
from benchmarks.model_parts import accuracy, physics, speed, whole_plant
from benchmarks.shared import page
from custom_components.chiller_plant.simulator import tower_performance


def by_key(result: Result) -> dict[str, Figure]:
    return {figure.key: figure for figure in result.figures}


@pytest.mark.parametrize("measure", [accuracy.measure, physics.measure])
def test_model_keeps_every_bound(measure: Callable[[], Result]) -> None:
    for figure in measure().figures:
        assert figure.kept, f"{figure.key}: {figure.value}"


def test_speed_is_that_of_different_points_on_one_core() -> None:
    (figure,) = speed.measure(points=20_000).figures
    assert figure.key == "model.solves_per_s"
    assert figure.bound == 500_000.0
    assert figure.value > 0.0


def test_worse_tower_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    worse = [table * 1.05 for table in tower_performance._BY_WET_BULB]
    monkeypatch.setattr(tower_performance, "_BY_WET_BULB", worse)
    figures = by_key(accuracy.measure())
    assert figures["model.max_error_approach_k"].kept is False


def test_heat_that_goes_nowhere_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = physics.solve

    def leaky(*arguments, **keywords):
        found = honest(*arguments, **keywords)
        return found._replace(condenser_leaving=found.condenser_leaving - 0.02)

    monkeypatch.setattr(physics, "solve", leaky)
    assert physics.balance() > 0.001


def test_plant_in_motion_keeps_its_heat_and_a_leak_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing, rejected = whole_plant.balance(hours=2)
    assert missing < 1e-6
    assert rejected > 1000.0
    honest = whole_plant._gained
    monkeypatch.setattr(
        whole_plant,
        "_gained",
        lambda model, entering: (
            honest(model, entering) - 0.002 * model.towers.heat.sum(axis=1)
        ),
    )
    assert whole_plant.balance(hours=1)[0] > 0.001


def test_rows_of_a_benchmark_replace_its_own_and_leave_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "benchmarks.md"
    there.write_text(
        "# Page\n<!-- model: begin -->\n| `model.kept` | 1 | – | – | old |\n"
        "| `model.new` | 1 | – | – | old |\n<!-- model: end -->\ntail\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(page, "PAGE", there)
    page.write_rows(
        "model", "this machine", [Figure("model.new", 2.0, "K", 1.0, "lower", "now")]
    )
    text = there.read_text(encoding="utf-8")
    assert "| `model.kept` | 1 | – | – | old |" in text
    assert "| `model.new` | 2 K | ≤ 1 | NOT kept | now |" in text
    assert text.startswith("# Page\n") and text.endswith("tail\n")
    with pytest.raises(ValueError, match="no marks for the table of energy"):
        page.write_rows("energy", "this machine", [])


def test_json_tells_the_figures_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["model", "accuracy", "--json"])
    assert model.main() == 0
    told = capsys.readouterr().out
    for key in (
        "model.max_error_eir",
        "model.max_error_reformulated",
        "model.max_error_approach_k",
        "model.max_error_coupled",
    ):
        assert f'"{key}"' in told
    assert "solves_per_s" not in told
