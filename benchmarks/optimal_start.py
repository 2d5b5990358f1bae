"""Whether the plant starts and stops when it should: `scripts/bench optimal_start`.

Six buildings of the simulator, 150 days each: mornings under our way of choosing the
start and under others, evenings with and without an early stop, each in a loop of its
own; and any recording of a real building (`--csv`, columns date, zone_start, outdoor,
minutes). The simulation takes minutes.
"""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
import json
import os
from pathlib import Path
import platform
from statistics import fmean
import sys
from typing import Any

import numpy as np

from appdaemon.apps.chiller_control.control.optimal_start.models import all_models

from .bus_parts.result import Figure
from .optimal_start_parts import recorded
from .optimal_start_parts.buildings import BUILDINGS
from .optimal_start_parts.evenings import EARLIEST as EARLIEST_STOP, evenings
from .optimal_start_parts.mornings import EARLIEST, mornings
from .optimal_start_parts.score import LEARNING, Score, score
from .optimal_start_parts.ways import WAYS, OneModel, Ours, Way
from .shared.page import PAGE, table, write_rows

DAYS = 150


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench optimal_start", description=__doc__
    )
    parser.add_argument(
        "part", nargs="*", choices=[[], *PARTS], help="only these (default: all)"
    )
    parser.add_argument("--days", type=int, default=DAYS, help="that are judged")
    parser.add_argument("--seed", type=int, default=1, help="of weather and machines")
    parser.add_argument("--csv", type=Path, help="a recording instead of the simulator")
    parser.add_argument(
        "--setpoint", type=float, default=24.0, help="of the recording, in its unit"
    )
    parser.add_argument(
        "--fahrenheit", action="store_true", help="the recording is in °F"
    )
    parser.add_argument("--json", action="store_true", help="figures for a program")
    parser.add_argument(
        "--markdown", action="store_true", help=f"write the table into {PAGE.name} too"
    )
    return parser.parse_args()


def _machine() -> str:
    return (
        f"{datetime.now(UTC):%d %b %Y}, one of {os.process_cpu_count()} cores"
        f" ({platform.machine()}), Python {platform.python_version()}, numpy"
        f" {np.__version__}"
    )


def starts(days: int, seed: int) -> tuple[list[Figure], dict[str, Any]]:
    """Return the figures of mornings, and the score of every way."""
    found = mornings(WAYS, days + LEARNING, seed)
    scores = {name: score(found, name) for name in WAYS}
    by_building = {
        item.name: {
            name: asdict(score([m for m in found if m.building == index], name))
            for name in WAYS
        }
        for index, item in enumerate(BUILDINGS)
    }

    def beside(what: str) -> str:
        return ", ".join(
            f"{name} {getattr(item, what):.3g}"
            for name, item in scores.items()
            if name != "ours"
        )

    ours = scores["ours"]
    rows: list[tuple[str, float, str, float | None, str]] = [
        ("mae_min", ours.error, "min", 18.0, "error"),
        ("late_10_pct", ours.late, "%", 5.0, "late"),
        ("missed_degree_min", ours.missed, "K min/d", None, "missed"),
        ("pre_run_min", ours.pre_run, "min/d", None, "pre_run"),
        ("monday_mae_min", ours.monday, "min", None, "monday"),
        ("day_off_mae_min", ours.day_off, "min", None, "day_off"),
        ("usual_mae_min", ours.usual, "min", None, "usual"),
    ]
    figures = [
        Figure(f"optimal_start.{key}", value, unit, most, "lower", beside(what))
        for key, value, unit, most, what in rows
    ]
    details = {
        "mornings": ours.mornings,
        "buildings": len(BUILDINGS),
        "earliest_min": EARLIEST,
        "ways": {name: _rounded(item) for name, item in scores.items()},
        "by_building": by_building,
    }
    return figures, details


def stops(days: int, seed: int) -> tuple[list[Figure], dict[str, Any]]:
    """Return the figures of evenings; without adaptive stops they stand beside."""
    found = [item for item in evenings(days + LEARNING, seed) if item.day >= LEARNING]
    ours = [item for item in found if item.adaptive]
    fixed = [item for item in found if not item.adaptive]
    missed = fmean(item.missed for item in fixed)
    figures = [
        Figure(
            "optimal_start.stop_saved_min",
            fmean(item.saved for item in ours),
            "min/d",
            None,
            "higher",
            f"{len(ours)} evenings, at most {EARLIEST_STOP:g} min before closing",
        ),
        Figure(
            "optimal_start.stop_missed_degree_min",
            fmean(item.missed for item in ours),
            "K min/d",
            None,
            "lower",
            f"at closing {missed:.3g}",
        ),
        Figure(
            "optimal_start.stop_resumed_pct",
            100.0 * fmean(item.resumed for item in ours),
            "%",
            None,
            "lower",
            "evenings on which the plant had to go on again",
        ),
    ]
    by_building = {
        item.name: round(fmean(e.saved for e in ours if e.building == index), 2)
        for index, item in enumerate(BUILDINGS)
    }
    return figures, {"evenings": len(ours), "stop_saved_by_building": by_building}


PARTS = {"start": starts, "stop": stops}


def _rounded(item: Score) -> dict[str, float]:
    return {key: round(value, 2) for key, value in asdict(item).items()}


def _alone(name: str) -> Way:
    return OneModel(next(model for model in all_models() if model.name == name))


def from_recording(
    path: Path, setpoint: float, *, fahrenheit: bool
) -> tuple[list[Figure], dict[str, Any]]:
    """Return the figures of a recording, and how well every way foresaw it."""
    recording = recorded.read(path, setpoint, fahrenheit=fahrenheit)
    # What is most likely is judged, not what is early enough: no margin.
    ways = WAYS | {"ours": partial(Ours, 0.0)}
    ways |= {model.name: partial(_alone, model.name) for model in all_models()}
    found = recorded.foresee(recording, ways)
    ours = found["ours"]
    others = ", ".join(
        f"{name} {item.error:.3g}" for name, item in found.items() if name != "ours"
    )
    figure = Figure(
        "optimal_start.recorded_mae_min",
        ours.error,
        "min",
        24.0,
        "lower",
        f"{ours.days} of {len(recording)} recoveries; {others}",
    )
    return [figure], {"recorded": {name: asdict(item) for name, item in found.items()}}


def main() -> int:
    """Run; return 0 when everything could be measured, whatever the verdicts."""
    arguments = _arguments()
    figures: list[Figure] = []
    details: dict[str, Any] = {}
    if arguments.csv is None:
        for name in arguments.part or PARTS:
            measured, found = PARTS[name](arguments.days, arguments.seed)
            figures += measured
            details |= found
    else:
        try:
            figures, details = from_recording(
                arguments.csv, arguments.setpoint, fahrenheit=arguments.fahrenheit
            )
        except (OSError, recorded.RecordingError) as error:
            print(error, file=sys.stderr)
            return 1
    if arguments.markdown:
        write_rows("optimal_start", _machine(), figures)
    if arguments.json:
        told: dict[str, Any] = {
            figure.key: round(figure.value, 9) for figure in figures
        }
        told["details"] = {"machine": _machine(), **details}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(f"{_machine()}\n\n{table(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
