"""Keeps on disk what waits to be told outside, so that a restart does not lose it.

Nothing is promised by it, so it is written now and then, and when Home Assistant
stops: a machine that loses its power loses what came since. What waits is bounded
by whoever lets it wait.
"""

from collections.abc import Callable
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from ..const import DOMAIN, LOGGER

REPORTS: Final = "reports"
"""What the engine has for utilities, as it writes it."""
TELEMETRY: Final = "telemetry"
"""What is to be told over MQTT."""
_VERSION = 1


class Waiting:
    """One file a plant and kind."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        kind: str,
        collect: Callable[[], dict[str, Any]],
        delay: float,
    ) -> None:
        """Write what `collect()` returns, `delay` seconds after it is asked for."""
        self._file = _file(hass, entry_id, kind)
        self._kind = kind
        self._collect = collect
        self._delay = delay
        self._pending = False

    async def async_load(self, schema: vol.Schema) -> dict[str, Any] | None:
        """Return what waited when we ended; None where nothing did."""
        stored = await self._file.async_load()
        if stored is None:
            return None
        try:
            found: dict[str, Any] = schema(stored)
        except vol.Invalid as error:
            LOGGER.error(
                "What waited (%s) is unreadable and not told any more: %s",
                self._kind,
                error,
            )
            return None
        return found

    @callback
    def async_save_soon(self) -> None:
        """Write within the delay, and at the latest when Home Assistant stops."""
        # A second call would put the first one off, for ever if they keep coming.
        if not self._pending:
            self._pending = True
            self._file.async_delay_save(self._collected, self._delay)

    async def async_save(self) -> None:
        """Write what waits; a disk that is full is said in the log."""
        await self._file.async_save(self._collected())

    @callback
    def _collected(self) -> dict[str, Any]:
        self._pending = False
        return self._collect()


async def async_remove_waiting(hass: HomeAssistant, entry_id: str) -> None:
    """Forget a plant that was removed."""
    for kind in (REPORTS, TELEMETRY):
        await _file(hass, entry_id, kind).async_remove()


def _file(hass: HomeAssistant, entry_id: str, kind: str) -> Store[dict[str, Any]]:
    return Store(
        hass, _VERSION, f"{DOMAIN}.{entry_id}.{kind}_waiting", atomic_writes=True
    )
