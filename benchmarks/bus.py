"""How the bus layer does beside what others do, all in one run: `scripts/bench bus`.

Figures are ratios to a peer, or against a bound, that the same run measured on
the same machine: what somebody else measured on another is not comparable.
Everything is on loopback; devices and clients are processes of their own.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
import sys

from .bus_parts import bacnet, large_house, modbus, mstp, recovery, reports
from .bus_parts.result import Result
from .shared.parts_run import run_parts

_PARTS: dict[str, Callable[[Path], Awaitable[Result]]] = {
    "bacnet": bacnet.measure,
    "reports": reports.measure,
    "mstp": mstp.measure,
    "modbus": modbus.measure,
    "recovery": recovery.measure,
    "ha": large_house.measure,
}
_MOST_SECONDS = 900


def main() -> int:
    """Run; return 0 when everything that was asked for could be measured."""
    return run_parts(
        "bus",
        __doc__,
        [*_PARTS],
        lambda part, folder: _PARTS[part](folder),
        parts_are="only these",
        most_seconds=_MOST_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
