"""Brings into the database what plants left that were removed while it was away.

What came of an event is kept for ever, whatever becomes of its plant: it may have to be
settled by long after. So these rows wait in a file that belongs to no plant.
"""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..plant.demand_response.record import EventRecord
from .performance_table import DatabaseAway, async_with_database, write

ISSUE = "performance_left"
MOST = 1000
_VERSION = 1
_FIRST_RETRY, _LAST_RETRY = 5.0, 300.0
"""Seconds between tries to reach a database that is away."""


class LeftRows:
    """The rows that no plant is there for any more; made once for all plants."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; nothing is read yet."""
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.{ISSUE}", atomic_writes=True
        )
        self._rows: dict[tuple[str, str], EventRecord] = {}
        self._loaded = False
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def async_load(self) -> None:
        """Read what was left before this start, and begin to write it; only once."""
        async with self._lock:
            if self._loaded:
                return
            stored = await self._store.async_load() or {}
            for row in stored.get("rows", ()):
                try:
                    record = EventRecord(**row)
                except TypeError as error:
                    LOGGER.error("The performance of an event is unreadable: %r", error)
                else:
                    self._rows[record.plant, record.event] = record
            self._loaded = True
        self._begin()

    async def async_keep(self, records: Iterable[EventRecord]) -> None:
        """Return when they are on disk; the database gets them when it can."""
        async with self._lock:
            for record in records:
                key = record.plant, record.event
                self._rows.pop(key, None)
                self._rows[key] = record
            while len(self._rows) > MOST:
                plant, event = next(iter(self._rows))
                del self._rows[plant, event]
                LOGGER.error("The performance of %s at %s was given up", event, plant)
            await self._async_save()
        self._begin()

    async def async_write(self) -> None:
        """Write all that waits. Raises `DatabaseAway`."""
        async with self._lock:
            if not self._rows:
                return
            rows = tuple(self._rows.values())
            await async_with_database(self._hass, partial(write, records=rows))
            self._rows.clear()
            await self._async_save()
        ir.async_delete_issue(self._hass, DOMAIN, ISSUE)

    async def _async_save(self) -> None:
        if self._rows:
            rows = [record.as_dict() for record in self._rows.values()]
            await self._store.async_save({"rows": rows})
        else:
            await self._store.async_remove()

    @callback
    def _begin(self) -> None:
        if self._rows and (self._task is None or self._task.done()):
            self._task = self._hass.async_create_background_task(
                self._async_catch_up(), "performance of events at removed plants"
            )

    async def _async_catch_up(self) -> None:
        wait = _FIRST_RETRY
        while self._rows:
            try:
                await self.async_write()
            except DatabaseAway as error:
                self._complain(str(error))
                await asyncio.sleep(wait)
                wait = min(2.0 * wait, _LAST_RETRY)

    @callback
    def _complain(self, reason: str) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            ISSUE,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=ISSUE,
            translation_placeholders={
                "events": "\n".join(
                    f"- {record.plant}: {record.name or record.event_id}"
                    for record in list(self._rows.values())[-20:]
                ),
                "reason": reason,
            },
        )


_LEFT: HassKey[LeftRows] = HassKey(f"{DOMAIN}_{ISSUE}")


async def async_left_rows(hass: HomeAssistant) -> LeftRows:
    """Return the rows of removed plants, with those of earlier starts."""
    if _LEFT not in hass.data:
        hass.data[_LEFT] = LeftRows(hass)
    found = hass.data[_LEFT]
    await found.async_load()
    return found
