"""Keeps what the engine has for utilities that are away.

The engine forgets all when it is started anew. What it hands over is its own matter:
it is given back as it is.
"""

from typing import TYPE_CHECKING, Any

import voluptuous as vol

from homeassistant.core import callback

from .waiting import REPORTS, Waiting

if TYPE_CHECKING:
    from .room import DemandResponseRoom

MOST_TEXT = 1_000_000
"""Characters that are kept for one connection."""
_DELAY = 5.0
_FILE = vol.Schema({str: vol.All(str, vol.Length(max=MOST_TEXT))})


class KeptReports:
    """What waits for each connection's server."""

    def __init__(self, room: DemandResponseRoom) -> None:
        """Begin with nothing; nothing is read yet."""
        self._room = room
        self._texts: dict[str, str] = {}
        self._file = Waiting(
            room.hass, room.entry.entry_id, REPORTS, self._as_dict, _DELAY
        )
        self._written = True

    async def async_load(self) -> None:
        """Read what was kept."""
        self._texts = await self._file.async_load(_FILE) or {}

    def of(self, connection: str) -> str:
        """Return what waits for a connection's server; nothing where nothing does."""
        return self._texts.get(connection, "")

    @callback
    def keep(self, connection: str, text: str) -> None:
        """Keep what waits now instead of what waited before."""
        if text:
            self._texts[connection] = text
        else:
            self._texts.pop(connection, None)
        self._written = False
        self._file.async_save_soon()

    async def async_save(self) -> None:
        """Write what is not written yet."""
        if not self._written:
            await self._file.async_save()

    def _as_dict(self) -> dict[str, Any]:
        self._written = True
        known = {connection.id for connection in self._room.connections}
        return {key: text for key, text in self._texts.items() if key in known}
