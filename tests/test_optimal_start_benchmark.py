"""The benchmark of optimal start measures what it says, and would see a worse way."""

import json
from pathlib import Path
import sys

import pytest

from appdaemon.apps.chiller_control.control.optimal_start.selector import FIRST_DAYS
from benchmarks import optimal_start
from benchmarks.optimal_start_parts import recorded
from benchmarks.optimal_start_parts.buildings import BUILDINGS
from benchmarks.optimal_start_parts.evenings import EARLIEST, evenings
from benchmarks.optimal_start_parts.mornings import LATEST, Morning, mornings
from benchmarks.optimal_start_parts.score import score
from benchmarks.optimal_start_parts.ways import Fixed, LastFive, Ours


def a_morning(day: int, *, started: float, reached: float) -> Morning:
    return Morning("way", 0, day, False, False, started, reached, 1.0, None)


def recording(path: Path, *rows: str) -> Path:
    file = path / "recording.csv"
    file.write_text("\n".join(("date,zone_start,outdoor,minutes", *rows)))
    return file


def test_loop_is_closed_and_a_later_start_is_later_there() -> None:
    found = mornings({"long": lambda: Fixed(150.0), "short": lambda: Fixed(30.0)}, 3)
    by_day = {(m.way, m.building, m.day): m for m in found}
    assert {m.building for m in found} == set(range(len(BUILDINGS)))
    for (way, building, day), morning in by_day.items():
        if way == "long":
            later = by_day["short", building, day]
            assert morning.started < later.started
            assert morning.reached < later.reached
            assert morning.missed <= later.missed
        if day == 0:
            continue  # The zones begin at their setpoint.
        recovery = morning.recovery
        assert recovery is not None
        assert recovery.minutes == pytest.approx(morning.reached - morning.started)


def test_without_a_history_ours_starts_as_early_as_is_allowed() -> None:
    found = mornings({"ours": lambda: Ours(1.0)}, 2)
    assert found
    assert all(morning.started < -290.0 for morning in found)


def test_score_counts_early_and_late_alike_and_late_ones_by_themselves() -> None:
    days = [
        a_morning(0, started=-10.0, reached=500.0),
        a_morning(20, started=-60.0, reached=-20.0),
        a_morning(21, started=-40.0, reached=12.0),
    ]
    judged = score(days, "way")
    assert judged.mornings == 2
    assert judged.error == 16.0
    assert judged.late == 50.0
    assert judged.pre_run == 50.0


def test_recording_is_predicted_one_day_ahead(tmp_path: Path) -> None:
    rows = [f"2024-01-{day:02},27.0,30.0,{day * 10}" for day in range(1, 13)]
    days = recorded.read(recording(tmp_path, *rows), 24.0, fahrenheit=False)
    found = recorded.foresee(days, {"last": LastFive, "fixed": lambda: Fixed(100.0)})
    assert found["last"].days == 5
    # The mean of the five days before is 30 minutes behind a rise of ten a day.
    assert found["last"].error == pytest.approx(30.0)
    assert found["fixed"].error == pytest.approx(10.0 * (2 + 1 + 0 + 1 + 2) / 5)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2024-02-01,warm,30,50", "line 10: could not convert"),
        ("yesterday,27,30,50", "line 10: Invalid isoformat"),
        ("2024-01-01,27,30,50", "does not follow"),
        ("2024-02-01,27", "line 10:"),
    ],
)
def test_recording_that_cannot_be_read_names_its_line(
    tmp_path: Path, row: str, says: str
) -> None:
    rows = [f"2024-01-{day:02},27.0,30.0,60" for day in range(1, 9)]
    with pytest.raises(recorded.RecordingError, match=says):
        recorded.read(recording(tmp_path, *rows, row), 24.0, fahrenheit=False)


def test_recording_without_a_column_or_days_is_refused(tmp_path: Path) -> None:
    with pytest.raises(recorded.RecordingError, match="more than 7 are needed"):
        recorded.read(recording(tmp_path, "2024-01-01,27,30,50"), 24, fahrenheit=False)
    file = tmp_path / "other.csv"
    file.write_text("date,minutes\n2024-01-01,50\n")
    with pytest.raises(recorded.RecordingError, match="no column outdoor, zone_start"):
        recorded.read(file, 24.0, fahrenheit=False)


def test_json_of_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"2024-01-{day:02},{78 + day % 3},90,{60 + day % 3}" for day in range(1, 25)
    ]
    file = recording(tmp_path, *rows)
    arguments = ["--csv", str(file), "--setpoint", "75", "--fahrenheit", "--json"]
    monkeypatch.setattr(sys, "argv", ["optimal_start", *arguments])
    assert optimal_start.main() == 0
    told = json.loads(capsys.readouterr().out)
    assert told["optimal_start.recorded_mae_min"] < 3.0
    assert told["details"]["recorded"]["tutorial"]["error"] > 10.0
    monkeypatch.setattr(sys, "argv", ["optimal_start", "--csv", str(tmp_path / "no")])
    assert optimal_start.main() == 1


def test_nobody_starts_later_than_is_allowed() -> None:
    found = mornings({"never": lambda: Fixed(0.0)}, 2)
    assert all(morning.started >= -LATEST - 3.0 for morning in found)


def test_plant_is_stopped_early_only_where_drift_is_known_and_comfort_lasts() -> None:
    found = evenings(7)
    assert {item.building for item in found} == set(range(len(BUILDINGS)))
    fixed = [item for item in found if not item.adaptive]
    ours = [item for item in found if item.adaptive]
    assert len(fixed) == len(ours)
    assert all(item.saved == 0.0 and not item.resumed for item in fixed)
    assert all(item.saved == 0.0 for item in ours if item.day < FIRST_DAYS)
    assert any(item.saved > 5.0 for item in ours)
    assert all(item.saved <= EARLIEST + 1.0 for item in ours)
    # A degree for ten minutes is what being asked back in time costs at most.
    assert sum(item.missed for item in ours) <= sum(item.missed for item in fixed) + 10
