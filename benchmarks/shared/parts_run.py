"""Runs the parts of a benchmark of processes, and tells what they brought."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
import json
from pathlib import Path
import signal
import sys
import tempfile
import time
from typing import Any

from benchmarks.bus_parts.child import REPOSITORY
from benchmarks.bus_parts.result import Figure, Result

from .machine import machine
from .page import PAGE, table, write_rows

type Measure = Callable[[str, Path], Awaitable[Result]]
"""Measures a part, by its name, with a folder of its own."""
type Summary = Callable[[Sequence[Result]], list[Figure]]
"""Returns figures over all parts, which come first."""


def run_parts(
    name: str,
    description: str | None,
    parts: Sequence[str],
    measure: Measure,
    *,
    parts_are: str,
    most_seconds: float,
    summary: Summary = lambda results: [],
) -> int:
    """Read the command line, run, tell; return 0 when everything could be measured.

    A part takes at most `most_seconds`. What it fails with keeps no other part
    from being measured.
    """
    parser = argparse.ArgumentParser(
        prog=f"scripts/bench {name}", description=description
    )
    parser.add_argument(
        "part", nargs="*", choices=[[], *parts], help=f"{parts_are} (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="figures for a program")
    parser.add_argument(
        "--markdown",
        action="store_true",
        help=f"write the table into {PAGE.relative_to(REPOSITORY)} too",
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results, failures = asyncio.run(
        _run(arguments.part or parts, measure, most_seconds)
    )
    figures = summary(list(results.values()))
    figures += [figure for result in results.values() for figure in result.figures]
    if arguments.markdown and figures:
        write_rows(name, machine(), figures)
    if arguments.json:
        print(_as_json(figures, results, failures))
    else:
        for part, result in results.items():
            print(f"\n{part}")
            for text, value in result.details.items():
                print(f"  {text}: {value}")
        print(f"\n{machine()}\n\n{table(figures)}")
    for part, reason in failures.items():
        _say(f"\n{part} could not be measured: {reason}")
    return 1 if failures else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def _run(
    parts: Sequence[str], measure: Measure, most_seconds: float
) -> tuple[dict[str, Result], dict[str, str]]:
    """Run parts one after the other; return what they brought, or why nothing."""
    results: dict[str, Result] = {}
    failures: dict[str, str] = {}
    for part in parts:
        began = time.monotonic()
        _say(f"{part} ...")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            try:
                async with asyncio.timeout(most_seconds):
                    results[part] = await measure(part, Path(folder))
            except Exception as error:  # noqa: BLE001, the other parts can be measured still
                failures[part] = f"{type(error).__name__}: {error}"
        _say(f"{part}: {time.monotonic() - began:.0f} s")
    return results, failures


def _as_json(
    figures: Sequence[Figure],
    results: Mapping[str, Result],
    failures: Mapping[str, str],
) -> str:
    told: dict[str, Any] = {figure.key: round(figure.value, 4) for figure in figures}
    told["details"] = {
        "machine": machine(),
        "failures": failures,
        "beside": {figure.key: figure.beside for figure in figures},
        **{part: result.details for part, result in results.items()},
    }
    return json.dumps(told, indent=2, ensure_ascii=False)
