"""Reports for a server of OpenADR 3, kept while it is away.

Nothing is lost until `MOST_ROWS` wait: 5,000 rows are three days of one event at a
row a minute. Then the oldest is dropped and counted. What the server refuses for
good would keep all that follows from it, so it is told and dropped.
"""

import asyncio
from collections import deque
from itertools import groupby
import logging
from typing import Any

import aiohttp

from .control.demand_response.event_reports import Row
from .openadr3_ven import ReportRow, ServerRefused, Ven3

_LOGGER = logging.getLogger(__name__)

MOST_ROWS = 5_000
MOST_A_REPORT = 100
RESOURCE = "plant"
"""The name of the site in reports."""
PAUSE = 5.0
LONGEST_PAUSE = 300.0
_FOR_GOOD = (400, 404, 409, 413, 422)


class Outbox:
    """The rows that one server has not been given yet, oldest first."""

    def __init__(self, ven: Ven3) -> None:
        """Begin with nothing to send."""
        self._ven = ven
        self._rows: deque[Row] = deque()
        self.changes = 0
        self._filled = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many rows the server has not been given."""
        return len(self._rows)

    def put(self, row: Row) -> None:
        """Take a row to send."""
        self._rows.append(row)
        self._bound()

    def as_rows(self, most: int) -> list[Any]:
        """Return the newest of what waits, by event."""
        rows = list(self._rows)[-most:]
        return [
            [key, [[row.start, row.duration, row.values] for row in of_event]]
            for key, of_event in groupby(rows, key=lambda row: row.key)
        ]

    def restore(self, rows: Any) -> None:
        """Put before all else what waited before a restart.

        Raises TypeError or ValueError for what cannot be understood.
        """
        waited = [
            Row(
                str(key),
                float(start),
                float(duration),
                {str(kind): _value(value) for kind, value in values.items()},
            )
            for key, of_event in rows
            for start, duration, values in of_event
        ]
        self._rows.extendleft(reversed(waited))
        self._bound()

    def _bound(self) -> None:
        while len(self._rows) > MOST_ROWS:
            self._rows.popleft()
            self._ven.health.dropped += 1
        self._count()

    def _count(self) -> None:
        self.changes += 1
        self._ven.health.waiting = len(self._rows)
        if self._rows:
            self._filled.set()
        else:
            self._filled.clear()

    async def run(self) -> None:
        """Send until cancelled; what waits goes on to wait."""
        pause = PAUSE
        await self._filled.wait()
        async with await self._ven.session() as session:
            while True:
                await self._filled.wait()
                if self._ven.health.stands != "registered":
                    # Whoever fetches events looks whether the server is back.
                    await asyncio.sleep(PAUSE)
                    continue
                wait = await self._send(session)
                if wait is None:
                    pause = PAUSE
                else:
                    await asyncio.sleep(max(pause, wait))
                    pause = min(2.0 * pause, LONGEST_PAUSE)

    async def _send(self, session: aiohttp.ClientSession) -> float | None:
        """Send the oldest rows that belong together; None when they are dealt with.

        Otherwise for how many seconds not to try again, as far as the server says.
        """
        first = self._rows[0]
        group: list[Row] = []
        for row in self._rows:
            if row.key != first.key or len(group) == MOST_A_REPORT:
                break
            group.append(row)
        try:
            await self._ven.report(
                session,
                first.key,
                RESOURCE,
                [ReportRow(row.start, row.duration, row.values) for row in group],
            )
        except ServerRefused as refused:
            self._ven.reports_trouble = f"reports are not taken: {refused}"
            if refused.status not in _FOR_GOOD:
                return refused.after
            self._ven.health.dropped += len(group)
            _LOGGER.warning(
                "%s: %d rows about %s are not sent, because the server never takes"
                " them: %s",
                self._ven.settings.name,
                len(group),
                first.key,
                refused,
            )
        except KeyError:
            # The event was forgotten, long after it was over.
            pass
        except (aiohttp.ClientError, TimeoutError):
            return 0.0
        else:
            self._ven.reports_trouble = ""
        for row in group:
            # While we waited, the oldest may have been dropped for newer ones.
            if self._rows and self._rows[0] is row:
                self._rows.popleft()
        self._count()
        return None


def _value(value: object) -> float | str:
    if isinstance(value, int | float):
        return float(value)
    return str(value)
