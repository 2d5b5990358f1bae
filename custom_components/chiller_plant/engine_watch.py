"""Knows whether the control engine is there, and says so when it is missed.

Every report of the engine is its heartbeat. Monitoring and operating a plant
work without it; automatic control does not, and nobody should find that out
from the building's temperature. The same holds for an engine that is not the
one that this version came with, and for one that runs only some automations.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from awesomeversion import AwesomeVersion, AwesomeVersionException

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .engine_faults import EngineFaults

ALIVE_FOR = 60
"""Seconds after a heartbeat in which the engine is believed to be there."""
MISSED_AFTER = 120
"""Seconds without an engine, while it has something to do, before that is an issue."""
_LOOK_EVERY = timedelta(seconds=10)

type Planned = Mapping[str, str]
"""The names of the automations that are to run, by their ids."""


class EngineWatch:
    """The heartbeat of one plant's control engine."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, plant_name: str, signal: str
    ) -> None:
        """`signal` is sent when the engine comes or goes."""
        self._hass = hass
        self._plant_name = plant_name
        self._missing, self._outdated, self._partly = (
            f"engine_{kind}_{entry_id}" for kind in ("missing", "outdated", "partly")
        )
        self._signal = signal
        self._faults = EngineFaults(hass, entry_id, plant_name)
        self._planned: Callable[[], Planned] = dict
        self._shipped = ""
        self.version: str | None = None
        """What the engine last said of itself."""
        self._last_beat: datetime | None = None
        self._missed_since: datetime | None = None
        self._awaited: dict[str, datetime] = {}
        """Since when each planned automation owes a report."""
        self._was_alive = False

    @callback
    def async_start(
        self, planned: Callable[[], Planned], shipped: str
    ) -> CALLBACK_TYPE:
        """Begin to look; `shipped` is the version of the engine that we carry."""
        self._planned = planned
        self._shipped = shipped
        stop = async_track_time_interval(
            self._hass, self._look, _LOOK_EVERY, cancel_on_shutdown=True
        )

        @callback
        def async_stop() -> None:
            stop()
            self._faults.keep(())
            for issue in (self._missing, self._outdated, self._partly):
                ir.async_delete_issue(self._hass, DOMAIN, issue)

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
        self._look_for_engine(self._last_beat)

    @callback
    def reported(
        self, automation_id: str, name: str, state: str, attributes: dict[str, Any]
    ) -> None:
        """Note what the engine says of an automation."""
        self._awaited[automation_id] = dt_util.utcnow()
        self._faults.reported(automation_id, name, state, attributes)

    @callback
    def introduced(self, version: str) -> None:
        """Note which engine it is."""
        if version != self.version:
            self.version = version
            async_dispatcher_send(self._hass, self._signal)
        if not _is_older(version, self._shipped):
            ir.async_delete_issue(self._hass, DOMAIN, self._outdated)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._outdated,
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="engine_outdated",
            translation_placeholders={
                "plant": self._plant_name,
                "running": version,
                "shipped": self._shipped,
            },
        )

    @callback
    def _look(self, now: datetime) -> None:
        self._look_for_engine(now)
        planned = self._planned()
        self._faults.keep(planned)
        self._awaited = {
            key: self._awaited.get(key, now) if self.alive else now for key in planned
        }
        unheard = [
            name
            for key, name in planned.items()
            if (now - self._awaited[key]).total_seconds() > MISSED_AFTER
        ]
        if not unheard:
            ir.async_delete_issue(self._hass, DOMAIN, self._partly)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._partly,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="engine_partly",
            translation_placeholders={
                "plant": self._plant_name,
                "automations": "\n".join(f"- {name}" for name in sorted(unheard)),
            },
        )

    @callback
    def _look_for_engine(self, now: datetime) -> None:
        alive = self.alive
        if alive != self._was_alive:
            self._was_alive = alive
            async_dispatcher_send(self._hass, self._signal)
        if alive or not self._planned():
            if self._missed_since is not None:
                self._missed_since = None
                ir.async_delete_issue(self._hass, DOMAIN, self._missing)
            return
        if self._missed_since is None:
            self._missed_since = self._last_beat or now
        if (now - self._missed_since).total_seconds() > MISSED_AFTER:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._missing,
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key="engine_missing",
                translation_placeholders={"plant": self._plant_name},
            )


def _is_older(version: str, than: str) -> bool:
    try:
        return AwesomeVersion(version) < than
    except AwesomeVersionException:
        return version != than
