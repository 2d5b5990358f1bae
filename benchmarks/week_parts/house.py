"""Home Assistant as the control engine sees it, in virtual time.

Readings with their owners and holds on one side, the command desk on the
other; what the engine reports is kept. Entities are called by the keys of
their points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appdaemon.apps.chiller_control.house import CallFailed
from custom_components.chiller_plant.counters import STAGING_RUN_HOURS, STAGING_STARTS
from custom_components.chiller_plant.plant.arbiter import CommandRefused, Request
from custom_components.chiller_plant.plant.command_desk import CommandDesk, NoticeKind
from custom_components.chiller_plant.plant.derived import RunCounter
from custom_components.chiller_plant.plant.model import Plant, PointKey, Value
from custom_components.chiller_plant.plant.reading import Quality, Reading
from custom_components.chiller_plant.simulator.commands import released_value
from custom_components.chiller_plant.simulator.worlds import Worlds

_PROOF = "run_status"
_LONGEST_GAP = 120.0
"""Seconds between two readings that a run counter bridges."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an automation told that it did."""

    at: float
    automation: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ordered:
    """A command that went to a machine; value None gave the point back."""

    at: float
    point: PointKey
    value: Value | None
    source: str


@dataclass(slots=True)
class VirtualHouse:
    """One plant: its readings, its desk, and what was told and ordered."""

    plant: Plant
    worlds: Worlds
    desk: CommandDesk = field(init=False)
    now: float = 0.0
    told: list[Told] = field(default_factory=list)
    ordered: list[Ordered] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    reported: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    """State and attributes that each automation last reported."""
    trouble: list[str] = field(default_factory=list)
    """Forced stops, failed starts and devices that did not follow."""
    counters: dict[str, RunCounter] = field(init=False)
    _held: dict[PointKey, Value | None] = field(init=False)
    _wired: tuple[PointKey, ...] = field(init=False)
    _booleans: tuple[bool, ...] = field(init=False)
    _readings: dict[PointKey, Reading] = field(default_factory=dict)
    _holds: Mapping[PointKey, str] = field(default_factory=dict)
    _shown: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing commanded."""
        self.desk = CommandDesk(self.plant)
        self._held = {
            key: point.release
            for key, point in self.plant.points.items()
            if point.address is None
        }
        self._wired = tuple(
            key for key, point in self.plant.points.items() if point.address is not None
        )
        self._booleans = tuple(
            self.plant.points[key].role.quantity.is_boolean for key in self._wired
        )
        self.counters = {
            item.key: RunCounter(_LONGEST_GAP)
            for item in self.plant.equipment.values()
            if _PROOF in item.points
        }

    # --- time

    def look(self, now: float) -> None:
        """Read the whole plant."""
        self.now = now
        row = self.worlds.read(self._wired)[0].tolist()
        good = Quality.GOOD
        readings = {
            key: Reading(value > 0.5 if boolean else value, good, now)
            for key, value, boolean in zip(
                self._wired, row, self._booleans, strict=True
            )
        }
        for key, value in self._held.items():
            if value is not None:
                readings[key] = Reading(value, good, now)
        self._readings = readings
        for key, counter in self.counters.items():
            counter.observe(now, bool(readings[f"{key}.{_PROOF}"].value))
        self._shown.clear()

    def act(self) -> None:
        """Let the desk's orders go to the machines."""
        for order in self.desk.step(self.now, self._readings):
            point, value = order.point, order.value
            if point.address is None:
                self._held[point.key] = point.release if value is None else value
            else:
                self.worlds.command(
                    0, point.key, released_value(point) if value is None else value
                )
            self.ordered.append(Ordered(self.now, point.key, value, order.source))
            self.desk.written(self.now, order)
        for notice in self.desk.drain_notices():
            if notice.kind in _TROUBLE:
                self.trouble.append(f"{notice.kind.value}: {notice.text}")
        self._holds = self.desk.held

    def value(self, key: PointKey) -> Value | None:
        """Return a reading."""
        reading = self._readings.get(key)
        return None if reading is None else reading.value

    def owner(self, key: PointKey) -> str | None:
        """Return who commands a point."""
        return self.desk.status(key).owner

    # --- what the engine sees and does

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        """Return state and attributes of an entity, None if there is none."""
        shown = self._shown.get(entity_id)
        if shown is None:
            shown = self._shown[entity_id] = self._show(entity_id)
        return shown

    def _show(self, key: str) -> Mapping[str, Any]:
        equipment, _, role = key.partition(".")
        if role == STAGING_RUN_HOURS:
            return {"state": self.counters[equipment].run_hours}
        if role == STAGING_STARTS:
            return {"state": self.counters[equipment].starts}
        value = self.value(key)
        state: object = "unknown" if value is None else value
        if isinstance(value, bool):
            state = "on" if value else "off"
        point = self.plant.points[key]
        if not point.role.commandable:
            return {"state": state}
        status = self.desk.status(key)
        return {
            "state": state,
            "attributes": {
                "owner": status.owner,
                "owner_priority": status.priority,
                "hold": self._holds.get(key),
            },
        }

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        """Do what the integration's action of that name does."""
        match action:
            case "command":
                self._command(data)
            case "release":
                self.desk.release(
                    self.now, source=data["source"], points=data.get("entity_id")
                )
            case "report_state":
                self._report(data)

    def _command(self, data: Mapping[str, Any]) -> None:
        keys: Sequence[str] = data["entity_id"]
        try:
            for key in keys:
                self.desk.request(
                    self.now,
                    Request(
                        key,
                        data["value"],
                        data["priority"],
                        data["source"],
                        data["reason"],
                        data["lease"],
                    ),
                )
        except CommandRefused as refused:
            raise CallFailed(str(refused)) from refused

    def _report(self, data: Mapping[str, Any]) -> None:
        automation = data.get("automation", "")
        if "state" in data:
            self.reported[automation] = (data["state"], data["attributes"])
        for event in data.get("events", ()):
            self.told.append(Told(event.get("at") or self.now, automation, event))

    def tell(self, message: str) -> None:
        """Keep what the engine complains of."""
        self.complaints.append(message)


_TROUBLE = frozenset(
    {
        NoticeKind.FORCED_STOP,
        NoticeKind.START_FAILED,
        NoticeKind.MISMATCH,
        NoticeKind.WRITE_FAILED,
        NoticeKind.LEASE_EXPIRED,
    }
)
