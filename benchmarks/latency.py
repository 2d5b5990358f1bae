"""How soon a changed reading becomes a command: `scripts/bench latency`.

The whole product as processes, on a site's own configuration: a simulated
device reports another value on BACnet/IP, and a drive gets another speed on
Modbus TCP. Beside it, in the same run: what a bare client needs to read and
write the same devices, and how long the loop itself waits for its turn.
"""

import argparse
import asyncio
from collections.abc import Callable, Sequence
import json
from pathlib import Path
import signal
import sys
import tempfile
import time
from typing import Any

from .bus_parts.child import REPOSITORY
from .bus_parts.result import Figure, Result
from .latency_parts.figures import measure, worst
from .latency_parts.sites import site_of
from .shared.machine import machine
from .shared.page import PAGE, table, write_rows

SITES = ("kspo", "1000", "5000")
_TIMES = 52
"""How often each of the six readings of a site changes: 312 changes for a p99."""
_MOST_SECONDS = 420


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench latency", description=__doc__)
    parser.add_argument(
        "site",
        nargs="*",
        choices=[[], *SITES],
        help="the KSPO site, or a plant of so many points (default: all)",
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
    """Run sites one after the other; return what they brought, or why nothing."""
    results: dict[str, Result] = {}
    failures: dict[str, str] = {}
    for name in names:
        began = time.monotonic()
        say(f"{name} ...")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            try:
                async with asyncio.timeout(_MOST_SECONDS):
                    results[name] = await measure(
                        site_of(name), Path(folder), times=_TIMES
                    )
            except Exception as error:  # noqa: BLE001, the other sites can be measured still
                failures[name] = f"{type(error).__name__}: {error}"
        say(f"{name}: {time.monotonic() - began:.0f} s")
    return results, failures


def main() -> int:
    """Run; return 0 when everything that was asked for could be measured."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    results, failures = asyncio.run(_run(arguments.site or SITES, say))
    figures: list[Figure] = worst(list(results.values()))
    figures += [figure for result in results.values() for figure in result.figures]
    if arguments.markdown and figures:
        write_rows("latency", machine(), figures)
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
