"""What a plant does beside its rounds."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.core import HomeAssistant, callback

from .data import ChillerPlantConfigEntry


class Jobs:
    """The jobs of one plant; of each kind at most one waits for its time."""

    def __init__(
        self, hass: HomeAssistant, entry: ChillerPlantConfigEntry, name: str
    ) -> None:
        """`name` is the plant's, for those who look for a task."""
        self._hass = hass
        self._entry = entry
        self._name = name
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closed = False

    @callback
    def after(
        self, seconds: float, job: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Run a job once after a while, however often this is called until then."""
        name = job.__name__
        if name in self._timers or self._closed:
            return

        def start() -> None:
            del self._timers[name]
            self.spawn(job(), name)

        self._timers[name] = self._hass.loop.call_later(seconds, start)

    @callback
    def spawn(self, job: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a job now, at the longest until the entry is unloaded."""
        return self._entry.async_create_background_task(
            self._hass, job, f"{self._name} {name}"
        )

    @callback
    def close(self) -> None:
        """Let nothing begin any more."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
