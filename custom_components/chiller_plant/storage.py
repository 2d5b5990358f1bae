"""Keeps what must not be forgotten when Home Assistant dies: who commands what.

A slot of a BACnet priority array stays where it was left for ever. So what we
own on the bus is on the disk before it is on the bus; all else may be a few
seconds old.
"""

from collections.abc import Callable
from typing import Any, TypedDict

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_VERSION = 1
_DELAY = 10
"""Seconds that leases, values and counters may be lost after a crash."""
_QUALITY_DELAY = 900
"""Seconds after which what was learned of the points is written: there is a row
for each, and it is learned over days."""


class StoredPlant(TypedDict):
    """What is kept of one plant."""

    commands: dict[str, Any]
    """The command desk's own."""
    counters: dict[str, Any]
    """Run hours and starts."""


class PlantStore:
    """One file a plant, written by `collect`'s answer."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, collect: Callable[[], StoredPlant]
    ) -> None:
        """Prepare; nothing is read yet."""
        self._store = _store(hass, entry_id)
        self._collect = collect
        self._pending = False

    async def async_load(self) -> StoredPlant | None:
        """Return what was kept, None for a new plant."""
        return await self._store.async_load()

    async def async_save_now(self) -> None:
        """Return when it is on the disk."""
        self._pending = False
        await self._store.async_save(self._collect())

    @callback
    def async_save_soon(self) -> None:
        """Write within a few seconds, and at the latest when Home Assistant stops."""
        # A second call would put the first one off, for ever if they keep coming.
        if not self._pending:
            self._pending = True
            self._store.async_delay_save(self._collect_delayed, _DELAY)

    @callback
    def _collect_delayed(self) -> StoredPlant:
        self._pending = False
        return self._collect()


class QualityStore:
    """What was learned of the points' behaviour, in a file of its own."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, collect: Callable[[], dict[str, Any]]
    ) -> None:
        """Prepare; nothing is read yet."""
        self._store = _quality_store(hass, entry_id)
        self._collect = collect
        self._pending = False

    async def async_load(self) -> dict[str, Any] | None:
        """Return what was kept, None for a new plant."""
        return await self._store.async_load()

    async def async_save_now(self) -> None:
        """Return when it is on the disk."""
        self._pending = False
        await self._store.async_save(self._collect())

    @callback
    def async_save_some_time(self) -> None:
        """Write within a quarter of an hour, or when Home Assistant stops."""
        if not self._pending:
            self._pending = True
            self._store.async_delay_save(self._collect_delayed, _QUALITY_DELAY)

    @callback
    def _collect_delayed(self) -> dict[str, Any]:
        self._pending = False
        return self._collect()


def _quality_store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}.quality", atomic_writes=True)


def _store(hass: HomeAssistant, entry_id: str) -> Store[StoredPlant]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True)


async def async_load_stored(hass: HomeAssistant, entry_id: str) -> StoredPlant | None:
    """Return what was kept of a plant that is not loaded."""
    return await _store(hass, entry_id).async_load()


async def async_remove_stored(hass: HomeAssistant, entry_id: str) -> None:
    """Forget a plant that was removed."""
    await _store(hass, entry_id).async_remove()
    await _quality_store(hass, entry_id).async_remove()
