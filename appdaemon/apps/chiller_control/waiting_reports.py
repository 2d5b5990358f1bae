"""What waits for a utility's server, kept by Home Assistant over a restart.

The engine forgets everything when it or Home Assistant is started anew. Rows that
wait are handed over now and then, the more of them the more rarely, and at once
when none is left, so that nothing is told again that the server has.
"""

import asyncio
from dataclasses import dataclass
import json
import logging
from typing import Any, Protocol

from .house import NoAnswer

_LOGGER = logging.getLogger(__name__)

MOST_TEXT = 1_000_000
"""Characters that Home Assistant keeps for one connection."""
MOST_KEPT = 5_000
"""Rows that are kept for one connection, the newest."""
SHORTEST = 15.0
"""Seconds in which what waits is handed over again, and
for each row that waits so much longer: a disk is not to write without end."""
A_ROW = 0.05
ASK_PAUSE = 2.0


class Papers(Protocol):
    """What waits for one server."""

    changes: int
    """Another number whenever anything came or was sent."""

    @property
    def waiting(self) -> int:
        """How many rows wait."""

    def as_rows(self, most: int) -> list[Any]:
        """Return the newest of what waits, for JSON."""

    def restore(self, rows: Any) -> None:
        """Put before all else what waited before a restart.

        Raises KeyError, TypeError or ValueError for what cannot be understood.
        """


class Disk(Protocol):
    """Where Home Assistant keeps what the engine must not forget.

    Each raises any exception if it could not; NoAnswer where it may later.
    """

    async def keep_events(self, book: list[dict[str, Any]]) -> None:
        """Return when the event book is on disk."""

    async def keep_reports(self, connection: str, text: str) -> None:
        """Keep what waits for a connection's server."""

    async def kept_reports(self, connection: str) -> str:
        """Return what was kept last, nothing where nothing was."""


@dataclass(slots=True)
class Tray:
    """The papers of one connection, and what of them is on disk."""

    connection: str
    name: str
    papers: Papers
    disk: Disk
    _recalled: bool = False
    _seen: int = 0
    _kept: bool = False
    """Whether any row is on disk."""
    _kept_at: float = 0.0

    async def recall(self) -> None:
        """Return when what waited before a restart waits again."""
        while not self._recalled:
            try:
                text = await self.disk.kept_reports(self.connection)
            except NoAnswer:
                await asyncio.sleep(ASK_PAUSE)
                continue
            except Exception as error:  # noqa: BLE001 - the connection matters more
                _LOGGER.warning("%s: what waited is lost: %s", self.name, error)
                text = ""
            self._recalled, self._kept = True, bool(text)
            try:
                if text:
                    self.papers.restore(json.loads(text))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                _LOGGER.warning(
                    "%s: what waited is not understood: %r", self.name, error
                )

    def due(self, now: float) -> bool:
        """Whether what is on disk is to be written again."""
        waiting = self.papers.waiting
        if not waiting:
            # What is sent within the pause needs no disk.
            self._kept_at = now
        if not self._recalled or self.papers.changes == self._seen:
            return False
        if not waiting:
            return self._kept
        return now - self._kept_at >= max(SHORTEST, A_ROW * waiting)

    async def keep(self, now: float) -> None:
        """Have what waits kept; what fails is due again."""
        seen, waiting = self.papers.changes, self.papers.waiting
        if not self._recalled or seen == self._seen or not (waiting or self._kept):
            return
        self._kept_at = now
        try:
            await self.disk.keep_reports(self.connection, self._text())
        except Exception as error:  # noqa: BLE001 - tried again
            _LOGGER.debug("%s: what waits is not kept: %r", self.name, error)
        else:
            self._seen, self._kept = seen, bool(waiting)

    def _text(self) -> str:
        if not self.papers.waiting:
            return ""
        most = MOST_KEPT
        while True:
            rows = self.papers.as_rows(most)
            text = json.dumps(rows, separators=(",", ":"))
            if len(text) <= MOST_TEXT:
                return text
            most //= 2
