"""How the bus layer does beside what others do, all in one run: `scripts/bench bus`.

Figures are ratios to a peer, or against a bound, that the same run measured on
the same machine: what somebody else measured on another is not comparable.
Everything is on loopback; devices and clients are processes of their own.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
import json
from pathlib import Path
import signal
import sys
import tempfile
import time
from typing import Any

from .bus_parts import bacnet, large_house, modbus, mstp, recovery
from .bus_parts.child import REPOSITORY
from .bus_parts.result import Result
from .shared.machine import machine
from .shared.page import PAGE, table, write_rows

_PARTS: dict[str, Callable[[Path], Awaitable[Result]]] = {
    "bacnet": bacnet.measure,
    "mstp": mstp.measure,
    "modbus": modbus.measure,
    "recovery": recovery.measure,
    "ha": large_house.measure,
}
_MOST_SECONDS = 900


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench bus", description=__doc__)
    parser.add_argument(
        "part", nargs="*", choices=[[], *_PARTS], help="only these (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="figures for a program")
    parser.add_argument(
        "--markdown",
        action="store_true",
        help=f"write the table into {PAGE.relative_to(REPOSITORY)} too",
    )
    return parser.parse_args()


async def _run(
    names: Sequence[str], say: Callable[[str], None]
) -> tuple[dict[str, Result], dict[str, str]]:
    """Run parts one after the other; return what they brought, or why nothing."""
    results: dict[str, Result] = {}
    failures: dict[str, str] = {}
    for name in names:
        began = time.monotonic()
        say(f"{name} ...")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            try:
                async with asyncio.timeout(_MOST_SECONDS):
                    results[name] = await _PARTS[name](Path(folder))
            except Exception as error:  # noqa: BLE001, the other parts can be measured still
                failures[name] = f"{type(error).__name__}: {error}"
        say(f"{name}: {time.monotonic() - began:.0f} s")
    return results, failures


def main() -> int:
    """Run; return 0 when everything that was asked for could be measured."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    results, failures = asyncio.run(_run(arguments.part or [*_PARTS], say))
    figures = [figure for result in results.values() for figure in result.figures]
    if arguments.markdown and figures:
        write_rows("bus", machine(), figures)
    if arguments.json:
        told: dict[str, Any] = {
            figure.key: round(figure.value, 4) for figure in figures
        }
        told["details"] = {
            "machine": machine(),
            "failures": failures,
            "beside": {figure.key: figure.beside for figure in figures},
            **{name: result.details for name, result in results.items()},
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for name, result in results.items():
            print(f"\n{name}")
            for text, value in result.details.items():
                print(f"  {text}: {value}")
        print(f"\n{machine()}\n\n{table(figures)}")
    for name, reason in failures.items():
        say(f"\n{name} could not be measured: {reason}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
