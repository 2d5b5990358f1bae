"""Knows whether the control engine is there, and says so when it is missed.

Every report of the engine is its heartbeat. Monitoring and operating a plant
work without it; automatic control does not, and nobody should find that out
from the building's temperature.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from .const import DOMAIN

ALIVE_FOR = 60
"""Seconds after a heartbeat in which the engine is believed to be there."""
MISSED_AFTER = 120
"""Seconds without an engine, while it has something to do, before that is an issue."""
_LOOK_EVERY = timedelta(seconds=10)


class EngineWatch:
    """The heartbeat of one plant's control engine."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, plant_name: str, signal: str
    ) -> None:
        """`signal` is sent when the engine comes or goes."""
        self._hass = hass
        self._plant_name = plant_name
        self._issue = f"engine_missing_{entry_id}"
        self._signal = signal
        self._has_work: Callable[[], bool] = bool
        self._last_beat: datetime | None = None
        self._missed_since: datetime | None = None
        self._was_alive = False

    @callback
    def async_start(self, has_work: Callable[[], bool]) -> CALLBACK_TYPE:
        """Begin to look; `has_work` says whether an engine is needed at all."""
        self._has_work = has_work
        stop = async_track_time_interval(
            self._hass, self._look, _LOOK_EVERY, cancel_on_shutdown=True
        )

        @callback
        def async_stop() -> None:
            stop()
            ir.async_delete_issue(self._hass, DOMAIN, self._issue)

        return async_stop

    @property
    def last_beat(self) -> datetime | None:
        """When the engine was last heard, in UTC."""
        return self._last_beat

    @property
    def alive(self) -> bool:
        """Whether the engine was heard lately."""
        return (
            self._last_beat is not None
            and (dt_util.utcnow() - self._last_beat).total_seconds() <= ALIVE_FOR
        )

    @callback
    def beat(self) -> None:
        """Note that the engine was heard."""
        self._last_beat = dt_util.utcnow()
        self._look(self._last_beat)

    @callback
    def _look(self, now: datetime) -> None:
        alive = self.alive
        if alive != self._was_alive:
            self._was_alive = alive
            async_dispatcher_send(self._hass, self._signal)
        if alive or not self._has_work():
            if self._missed_since is not None:
                self._missed_since = None
                ir.async_delete_issue(self._hass, DOMAIN, self._issue)
            return
        if self._missed_since is None:
            self._missed_since = self._last_beat or now
        if (now - self._missed_since).total_seconds() > MISSED_AFTER:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue,
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key="engine_missing",
                translation_placeholders={"plant": self._plant_name},
            )
