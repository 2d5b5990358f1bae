"""Whether a chiller engineer can believe the plant model: `scripts/bench model`.

Beside what EnergyPlus and others computed for the same machines, and against
physics that needs no reference. Nothing is on a bus; the whole takes half a
minute.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
import json
import os
import platform
import sys
from typing import Any

import numpy as np

from .bus_parts.result import Result
from .model_parts import accuracy, physics, speed, whole_plant
from .shared.page import PAGE, table, write_rows

PARTS: dict[str, Callable[[], Result]] = {
    "accuracy": accuracy.measure,
    "physics": physics.measure,
    "plant": whole_plant.measure,
    "speed": speed.measure,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench model", description=__doc__)
    parser.add_argument(
        "part", nargs="*", choices=[[], *PARTS], help="only these (default: all)"
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


def main() -> int:
    """Run; return 0 when everything could be measured, whatever the verdicts."""
    arguments = _arguments()
    figures = [
        figure for name in arguments.part or PARTS for figure in PARTS[name]().figures
    ]
    if arguments.markdown:
        write_rows("model", _machine(), figures)
    if arguments.json:
        told: dict[str, Any] = {
            figure.key: round(figure.value, 9) for figure in figures
        }
        told["details"] = {
            "machine": _machine(),
            "beside": {figure.key: figure.beside for figure in figures},
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(f"{_machine()}\n\n{table(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
