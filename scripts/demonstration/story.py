"""The story that the product must be able to tell, told by running it.

Each step does what a person would do and then looks, from outside, whether it
happened. A step that fails does not hide the ones after it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import time
from typing import Any


class StepFailed(Exception):
    """What should have happened did not; the text says what was seen."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table: what was expected, what was seen."""

    step: str
    seen: str
    seconds: float
    passed: bool


async def wait_until[T](
    look: Callable[[], Awaitable[T | None]],
    seconds: float,
    what: str,
    explain: Callable[[], Awaitable[Any]] | None = None,
) -> T:
    """Look twice a second until there is something to see; return it."""
    deadline = time.monotonic() + seconds
    while not (found := await look()):
        if time.monotonic() > deadline:
            detail = f"; {await explain()}" if explain else ""
            raise StepFailed(f"not within {seconds:.0f} s: {what}{detail}")
        await asyncio.sleep(0.5)
    return found


def table(findings: list[Finding]) -> str:
    """Return the findings as a table that fits a terminal."""
    width = max(len(finding.step) for finding in findings)
    rows = []
    for finding in findings:
        verdict = "ok    " if finding.passed else "FAILED"
        rows.append(
            f"{verdict}  {finding.step:<{width}}  {finding.seconds:5.0f} s  {finding.seen}"
        )
    return "\n".join(rows)
