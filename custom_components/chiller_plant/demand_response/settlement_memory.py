"""Keeps on disk what settles an event, until it is in the database.

A baseline must not move because today's statistics already contain the shed, and
what came of an event must not be lost because the database is away.
"""

from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from ..const import DOMAIN, LOGGER
from ..plant.demand_response.event_baseline import EventBaseline
from ..plant.demand_response.record import EventRecord
from .performance_left import async_left_rows

_VERSION = 1
_DELAY = 5.0


class SettlementMemory:
    """One file a plant."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, baselines: dict[str, EventBaseline]
    ) -> None:
        """`baselines` are those of the room, by event; nothing is read yet."""
        self._store = _store(hass, entry_id)
        self._baselines = baselines
        self._soon = False
        self.settled: dict[str, float] = {}
        """When the events ended that need nothing more, by event."""
        self.took: dict[str, float] = {}
        """When the events end that were acted on, by event."""
        self.pending: dict[str, EventRecord] = {}
        """What is not in the database yet, by event."""

    async def async_load(self) -> None:
        """Read what was kept; what cannot be understood is left out."""
        stored: dict[str, Any] = await self._store.async_load() or {}
        for key, row in stored.get("baselines", {}).items():
            try:
                self._baselines[key] = EventBaseline.restore(row)
            except (KeyError, TypeError, ValueError) as error:
                LOGGER.error("The baseline of %s is unreadable: %r", key, error)
        for row in stored.get("pending", ()):
            try:
                record = EventRecord(**row)
            except TypeError as error:
                LOGGER.error("The performance of an event is unreadable: %r", error)
            else:
                self.pending[record.event] = record
        for name in ("settled", "took"):
            getattr(self, name).update(
                {str(key): float(at) for key, at in stored.get(name, {}).items()}
            )

    async def async_save(self) -> None:
        """Return when it is on disk."""
        self._soon = False
        await self._store.async_save(self._as_dict())

    @callback
    def async_save_soon(self) -> None:
        """Write within a few seconds, and at the latest when it is closed."""
        self._soon = True
        self._store.async_delay_save(self._as_dict, _DELAY)

    async def async_close(self) -> None:
        """Write what is still to be written: later it may be of a removed plant."""
        if self._soon:
            await self.async_save()

    def forget(self, before: float) -> None:
        """Forget events that were over before a moment."""
        for kept in (self.settled, self.took):
            for key in [key for key, ended in kept.items() if ended < before]:
                del kept[key]
        for key in [key for key, it in self._baselines.items() if it.ends < before]:
            del self._baselines[key]

    def _as_dict(self) -> dict[str, Any]:
        return {
            "baselines": {key: item.as_dict() for key, item in self._baselines.items()},
            "pending": [item.as_dict() for item in self.pending.values()],
            "settled": self.settled,
            "took": self.took,
        }


async def async_remove_settlement(hass: HomeAssistant, entry_id: str) -> None:
    """Forget a plant that was removed, but not what came of its events."""
    memory = SettlementMemory(hass, entry_id, {})
    await memory.async_load()
    if memory.pending:
        await (await async_left_rows(hass)).async_keep(memory.pending.values())
    await _store(hass, entry_id).async_remove()


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}.settlement", atomic_writes=True)
