"""Brings what came of events into the database, however long that is away."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN, LOGGER
from ..plant.demand_response.record import SUM, EventRecord
from .performance_left import async_left_rows
from .performance_table import DatabaseAway, async_with_database, read, write
from .settlement_memory import SettlementMemory

if TYPE_CHECKING:
    from .room import DemandResponseRoom

_FIRST_RETRY, _LAST_RETRY = 5.0, 300.0
"""Seconds between tries to reach a database that is away."""
_MOST_PENDING = 1000
_NEWEST = 400
"""More than the events that a room knows: what is older is never settled anew."""


class PerformanceStore:
    """The records of one plant."""

    def __init__(self, room: DemandResponseRoom, memory: SettlementMemory) -> None:
        """Prepare; nothing is read yet."""
        self._room = room
        self._hass = room.hass
        self._memory = memory
        self._task: asyncio.Task[None] | None = None
        self._read = False
        self._away: str | None = None
        self.latest: EventRecord | None = None
        """The newest event of all."""
        self.newest_total: EventRecord | None = None
        """The newest event of the portfolio that this plant leads."""
        self.known: set[str] = set()
        """The events that are in the database."""

    @property
    def read(self) -> bool:
        """Whether it is known what the database has."""
        return self._read

    @callback
    def async_begin(self) -> None:
        """Read what is there, and write what could not be written before."""
        for record in self._memory.pending.values():
            self._show(record)
        if self._memory.pending or not self._read:
            self._begin()

    @callback
    def async_stop(self) -> None:
        """Let go; what is pending is on disk."""
        if self._task is not None:
            self._task.cancel()
        ir.async_delete_issue(self._hass, DOMAIN, self._issue)

    async def async_keep(self, record: EventRecord) -> None:
        """Return when a record is on disk; the database gets it when it can."""
        pending = self._memory.pending
        pending.pop(record.event, None)
        pending[record.event] = record
        while len(pending) > _MOST_PENDING:
            gone = pending.pop(next(iter(pending)))
            LOGGER.error("The performance of %s was given up", gone.event)
        await self._memory.async_save()
        self._show(record)
        self._begin()

    async def async_find(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        event: str | None = None,
        limit: int | None = None,
    ) -> list[EventRecord]:
        """Return records, the newest first (see `performance_table.read`).

        Raises `DatabaseAway`.
        """
        found = await async_with_database(
            self._hass,
            partial(
                read,
                plant=self._room.plant.key,
                since=since,
                until=until,
                event=event,
                limit=limit,
            ),
        )
        waiting = [
            record
            for record in self._memory.pending.values()
            if (since is None or record.begins >= since)
            and (until is None or record.begins < until)
            and (event is None or event in (record.event, record.event_id))
        ]
        merged = {record.event: record for record in (*found, *waiting)}
        ordered = sorted(merged.values(), key=lambda item: item.begins, reverse=True)
        return ordered[:limit]

    @callback
    def _show(self, record: EventRecord) -> None:
        if record.method == SUM:
            if _is_newer(record, self.newest_total):
                self.newest_total = record
        elif _is_newer(record, self.latest):
            self.latest = record

    @callback
    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._room.entry.async_create_background_task(
                self._hass,
                self._async_catch_up(),
                f"{self._room.plant.name} performance of events",
            )

    async def _async_catch_up(self) -> None:
        """Write and read until the database has all, and we know what it has."""
        wait = _FIRST_RETRY
        while self._memory.pending or not self._read:
            try:
                # Before: this plant may have been removed and added again.
                await (await async_left_rows(self._hass)).async_write()
                await self._async_write()
                await self._async_read()
            except DatabaseAway as error:
                self._review(str(error))
                await asyncio.sleep(wait)
                wait = min(2.0 * wait, _LAST_RETRY)
            else:
                wait = _FIRST_RETRY
                self._review(None)

    async def _async_write(self) -> None:
        records: Sequence[EventRecord] = tuple(self._memory.pending.values())
        if not records:
            return
        await async_with_database(self._hass, partial(write, records=records))
        for record in records:
            # It may have been settled anew meanwhile.
            if self._memory.pending.get(record.event) is record:
                del self._memory.pending[record.event]
            self.known.add(record.event)
        await self._memory.async_save()

    async def _async_read(self) -> None:
        if self._read:
            return
        found = await async_with_database(
            self._hass, partial(read, plant=self._room.plant.key, limit=_NEWEST)
        )
        self.known |= {record.event for record in found}
        self._read = True
        for record in found:
            self._show(record)
        self._room.changed()

    # A database that is away is worth a repair only while something waits for it.

    @property
    def _issue(self) -> str:
        return f"performance_not_written_{self._room.entry.entry_id}"

    @callback
    def _review(self, away: str | None) -> None:
        if away is not None and away != self._away:
            LOGGER.warning("%s: %s", self._room.plant.name, away)
        self._away = away
        if away is None or not self._memory.pending:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="performance_not_written",
            translation_placeholders={
                "plant": self._room.plant.name,
                "events": "\n".join(
                    f"- {record.name or record.event_id}"
                    for record in list(self._memory.pending.values())[-20:]
                ),
                "reason": away,
            },
        )


def _is_newer(record: EventRecord, known: EventRecord | None) -> bool:
    return known is None or (record.ends, record.begins) >= (known.ends, known.begins)
