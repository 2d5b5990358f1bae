"""How soon a changed reading becomes a command: `scripts/bench latency`.

The whole product as processes, on a site's own configuration: a simulated
device reports another value on BACnet/IP, and a drive gets another speed on
Modbus TCP. Beside it, in the same run: what a bare client needs to read and
write the same devices, and how long the loop itself waits for its turn.
"""

import sys

from .latency_parts.figures import measure, worst
from .latency_parts.sites import site_of
from .shared.parts_run import run_parts

SITES = ("kspo", "1000", "5000")
_TIMES = 52
"""How often each of the six readings of a site changes: 312 changes for a p99."""
_MOST_SECONDS = 420


def main() -> int:
    """Run; return 0 when everything that was asked for could be measured."""
    return run_parts(
        "latency",
        __doc__,
        SITES,
        lambda site, folder: measure(site_of(site), folder, times=_TIMES),
        parts_are="the KSPO site, or a plant of so many points",
        most_seconds=_MOST_SECONDS,
        summary=worst,
    )


if __name__ == "__main__":
    sys.exit(main())
