"""Keeps on disk what a restart must not forget: events, and what people answered.

The book of the engine and the answers of people are on disk before they count;
all else may be some seconds old. A file that cannot be understood is set aside
and said, never written over in silence.
"""

from typing import Any

import voluptuous as vol

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from .known_event import DECISION_SCHEMA, EVENT_SCHEMA, KnownEvent, OptDecision

_VERSION = 1
_DELAY = 5.0
"""Seconds that what the engine tells again anyway may be lost after a crash."""

_FILE = vol.Schema(
    {
        vol.Required("book"): [dict],
        vol.Required("decisions"): {str: DECISION_SCHEMA},
        vol.Required("events"): [EVENT_SCHEMA],
        vol.Required("resume"): vol.Any(None, dict),
        vol.Required("powers"): {str: vol.Any(int, float)},
        vol.Required("written"): int,
    }
)


class Memory:
    """One file a plant."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Begin with nothing; nothing is read yet."""
        self._file = _file(hass, entry_id)
        self._aside = _file(hass, entry_id, ".damaged")
        self._hass = hass
        self._entry_id = entry_id
        self._pending = False
        self._written = 0
        self.book: list[dict[str, Any]] = []
        self.decisions: dict[str, OptDecision] = {}
        self.events: dict[str, KnownEvent] = {}
        self.resume: dict[str, Any] | None = None
        self.powers: dict[str, float] = {}
        """What circuits took when they last ran, kW, by equipment."""

    @property
    def aside(self) -> str:
        """Where a file that could not be understood was put."""
        return str(self._aside.path)

    async def async_load(self) -> str | None:
        """Read what was kept; return what is wrong with it, None if nothing is."""
        stored = await self._file.async_load()
        if stored is None:
            return None
        try:
            kept = _FILE(stored)
        except vol.Invalid as error:
            await self._aside.async_save(stored)
            return str(error)
        self._written = kept["written"]
        self.book = kept["book"]
        self.decisions = {
            key: OptDecision(**row) for key, row in kept["decisions"].items()
        }
        self.events = {row["key"]: KnownEvent(**row) for row in kept["events"]}
        self.resume = kept["resume"]
        self.powers = kept["powers"]
        return None

    async def async_save(self) -> None:
        """Return when it is on disk. Raises OSError if it is not."""
        self._pending = False
        kept = self._as_dict()
        await self._file.async_save(kept)
        # A full disk is only logged by what writes the file: look what is there.
        try:
            there = await _file(self._hass, self._entry_id).async_load()
        except HomeAssistantError as error:
            raise OSError(str(error)) from error
        if there is None or there["written"] < kept["written"]:
            raise OSError(f"{self._file.path} could not be written")

    @callback
    def async_save_soon(self) -> None:
        """Write within a few seconds, and at the latest when Home Assistant stops."""
        # A second call would put the first one off, for ever if they keep coming.
        if not self._pending:
            self._pending = True
            self._file.async_delay_save(self._collected, _DELAY)

    @callback
    def _collected(self) -> dict[str, Any]:
        self._pending = False
        return self._as_dict()

    def _as_dict(self) -> dict[str, Any]:
        self._written += 1
        return {
            "written": self._written,
            "book": self.book,
            "decisions": {key: row.as_dict() for key, row in self.decisions.items()},
            "events": [event.as_dict() for event in self.events.values()],
            "resume": self.resume,
            "powers": self.powers,
        }


async def async_remove_memory(hass: HomeAssistant, entry_id: str) -> None:
    """Forget a plant that was removed."""
    await _file(hass, entry_id).async_remove()
    await _file(hass, entry_id, ".damaged").async_remove()


def _file(hass: HomeAssistant, entry_id: str, what: str = "") -> Store[dict[str, Any]]:
    key = f"{DOMAIN}.{entry_id}.demand_response{what}"
    return Store(hass, _VERSION, key, atomic_writes=True)
