"""Tells people what keeps demand response from working, and what to do.

What lasts only a moment is on the entities; here is what nobody would want to
learn from a settlement.
"""

from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN

if TYPE_CHECKING:
    from .room import DemandResponseRoom

LOST_AFTER = 900.0
"""Seconds without a connection before that is an issue."""
SILENT_AFTER = 300.0
"""Seconds for which the meter may say nothing while an event is near or runs."""
MOST_REFUSED = 10
"""Refused events that are told at a time: a server may send the same for ever."""
_LONGEST = 500
_REGISTERED = "registered"


class Troubles:
    """The issues of one plant's demand response."""

    def __init__(self, room: DemandResponseRoom) -> None:
        """Begin without any."""
        self._room = room
        self._raised: set[str] = set()
        self._lost: dict[str, float] = {}
        """Since when each connection is not there, by its id."""
        self._silent: float | None = None
        self._refused: dict[str, None] = {}
        """The issues of refused events, the oldest first."""

    @property
    def _hass(self) -> HomeAssistant:
        return self._room.hass

    @callback
    def look(self, now: float) -> None:
        """Raise what has lasted too long, and forget what is over."""
        self._look_at_connections(now)
        self._look_at_meter(now)
        self._raise_if(
            "engine_lacks",
            bool(self._room.missing) and self._room.heard,
            "engine_lacks_package",
            packages=", ".join(self._room.missing),
        )
        why = self._room.forecast.lasting_trouble(now)
        self._raise_if(
            "no_forecast",
            why is not None,
            "no_forecast",
            ir.IssueSeverity.WARNING,
            weather=self._room.forecast.entity_id or "",
            why=why or "",
        )

    @callback
    def damaged(self, error: str, path: str) -> None:
        """Say that what was kept could not be read."""
        self._raise_if("damaged", True, "events_damaged", error=error, path=path)

    @callback
    def refused(self, action: dict[str, Any]) -> None:
        """Say which event cannot be taken part in, and why."""
        key = str(action.get("grid_event") or action["reason"])
        issue = f"refused_{key}"
        self._refused.pop(issue, None)
        self._refused[issue] = None
        while len(self._refused) > MOST_REFUSED:
            oldest = next(iter(self._refused))
            del self._refused[oldest]
            self._raise_if(oldest, False, "event_refused")
        self._raise_if(
            issue,
            True,
            "event_refused",
            event=key[:_LONGEST],
            reason=str(action["reason"])[:_LONGEST],
        )

    @callback
    def accepted(self, key: str) -> None:
        """Forget that an event was refused: it was corrected."""
        self._refused.pop(f"refused_{key}", None)
        self._raise_if(f"refused_{key}", False, "event_refused")

    @callback
    def clear(self) -> None:
        """Forget all: nobody looks any more."""
        for issue in list(self._raised):
            self._raise_if(issue, False, "")

    def _look_at_connections(self, now: float) -> None:
        current = {connection.id: connection for connection in self._room.connections}
        for gone in self._lost.keys() - current.keys():
            del self._lost[gone]
        for issue in [item for item in self._raised if item.startswith("lost_")]:
            if issue.removeprefix("lost_") not in current:
                self._raise_if(issue, False, "utility_lost")
        # While the engine is silent, its own issue says what is missing.
        if not self._room.heard:
            return
        for key, connection in current.items():
            health = self._room.connection_health.get(key, {})
            if health.get("stands") == _REGISTERED:
                self._lost.pop(key, None)
                self._raise_if(f"lost_{key}", False, "utility_lost")
                continue
            since = self._lost.setdefault(key, now)
            if now - since >= LOST_AFTER:
                self._raise_if(
                    f"lost_{key}",
                    True,
                    "utility_lost",
                    utility=connection.name,
                    minutes=f"{LOST_AFTER / 60:.0f}",
                    why=str(health.get("why") or "-")[:_LONGEST],
                )

    def _look_at_meter(self, now: float) -> None:
        room = self._room
        event = room.next_event() if room.settings.take_part else None
        meter = room.meter
        self._raise_if("no_meter", event is not None and meter is None, "no_meter")
        if (
            event is None
            or meter is None
            or event.stands(now) == "far"
            or room.coordinator.reading(meter).good is not None
        ):
            self._silent = None
            self._raise_if("meter_silent", False, "meter_silent")
            return
        if self._silent is None:
            self._silent = now
        if now - self._silent >= SILENT_AFTER:
            self._raise_if("meter_silent", True, "meter_silent", meter=meter)

    def _raise_if(
        self,
        issue: str,
        wanted: bool,
        translation_key: str,
        severity: ir.IssueSeverity = ir.IssueSeverity.ERROR,
        **placeholders: str,
    ) -> None:
        issue_id = f"demand_response_{self._room.entry.entry_id}_{issue}"
        if not wanted:
            if issue in self._raised:
                self._raised.discard(issue)
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        self._raised.add(issue)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=severity,
            translation_key=translation_key,
            translation_placeholders={
                "plant": self._room.plant.name,
                **placeholders,
            },
        )
