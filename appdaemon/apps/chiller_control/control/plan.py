"""The plan as the integration hands it out, in types.

The plan is what is to be done today: the automations of the active profile,
and the equipment with the entity of each point.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
import json
from math import isfinite, nan
from typing import Any

from .decision import ControlRefused
from .planned import Amendments, parse_amendments


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """A point, and the entity that shows it."""

    key: str
    entity_id: str | None
    """None while the entity is disabled: the point cannot be read or set."""
    writable: bool
    boolean: bool
    low: float | None
    high: float | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class PlanEquipment:
    """One machine of the plan; `points` by role."""

    key: str
    name: str
    type: str
    ratings: Mapping[str, float]
    served_by: Mapping[str, tuple[str, ...]]
    points: Mapping[str, PlanPoint]

    def point(self, role: str) -> str | None:
        """Return the key of a point, None if the machine has no such point."""
        point = self.points.get(role)
        return None if point is None else point.key

    def command(self, role: str) -> str | None:
        """Return the key of a point that may be commanded, else None."""
        point = self.points.get(role)
        return None if point is None or not point.writable else point.key


@dataclass(frozen=True, slots=True)
class PlanAutomation:
    """An automation of today's profile."""

    id: str
    entity_id: str
    name: str
    control_type: str
    priority: int
    metadata: Mapping[str, Any]
    config: Mapping[str, Any]
    resume: Mapping[str, Any]
    """What its controller last said it needs to go on; empty if nothing."""
    amendments: Amendments = field(default_factory=dict)
    """What people changed of what it is about to do."""
    history: tuple[Mapping[str, Any], ...] = ()
    """What came of it before, oldest first, for control types that learn."""
    idle_days: frozenset[date] = frozenset()
    """Days around today on which it is not in the profile, as far as that is told."""

    def names(self, key: str) -> tuple[str, ...]:
        """Return the equipment or point keys that a metadata field names."""
        value = self.metadata.get(key)
        if not value:
            return ()
        return (value,) if isinstance(value, str) else tuple(value)

    def number(
        self,
        key: str,
        default: float | None = None,
        *,
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> float:
        """Return a number of the config; raises ControlRefused."""
        value = self.config.get(key)
        if value is None or value == "":
            value = default
        if value is None or isinstance(value, bool):
            raise ControlRefused(f"{key} is missing", key)
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = nan
        if not isfinite(number):
            raise ControlRefused(f"{key} is not a number: {value!r:.80}", key)
        if minimum is not None and not number >= minimum:
            raise ControlRefused(
                f"{key} is {number:g}; at least {minimum:g} is needed", key
            )
        if maximum is not None and not number <= maximum:
            raise ControlRefused(
                f"{key} is {number:g}; at most {maximum:g} is allowed", key
            )
        return number


@dataclass(frozen=True, slots=True)
class Plan:
    """Today's plan of one plant."""

    entry_id: str
    plant: str
    command_lease: float
    poll_interval: float
    """Seconds between two readings of the plant."""
    revision: str
    automations: tuple[PlanAutomation, ...]
    idle: tuple[PlanAutomation, ...]
    """Those that may run, but not today."""
    equipment: Mapping[str, PlanEquipment]
    points: Mapping[str, PlanPoint]

    def of_type(self, equipment_type: str) -> tuple[PlanEquipment, ...]:
        """Return the equipment of a type, in the order of the plant file."""
        return tuple(
            item for item in self.equipment.values() if item.type == equipment_type
        )

    def name(self, key: str) -> str:
        """Return what people call a piece of equipment."""
        return self.equipment[key].name if key in self.equipment else key


def parse_plan(data: Mapping[str, Any]) -> Plan:
    """Read the answer of `chiller_plant.get_plan`; KeyError if it is none."""
    plant = data["plant"]
    equipment = {key: _equipment(key, item) for key, item in data["equipment"].items()}
    return Plan(
        entry_id=plant["entry_id"],
        plant=plant["key"],
        command_lease=float(plant["command_lease"]),
        poll_interval=float(plant["poll_interval"]),
        revision=str(data["revision"]),
        automations=tuple(_automation(item) for item in data["automations"]),
        idle=tuple(
            _automation({**item, "priority": 0}) for item in data.get("idle") or ()
        ),
        equipment=equipment,
        points={
            point.key: point
            for item in equipment.values()
            for point in item.points.values()
        },
    )


def _equipment(key: str, data: Mapping[str, Any]) -> PlanEquipment:
    served_by: Mapping[str, Sequence[str]] = data.get("served_by") or {}
    return PlanEquipment(
        key=key,
        name=data.get("name") or key,
        type=data["type"],
        ratings=dict(data.get("ratings") or {}),
        served_by={kind: tuple(keys) for kind, keys in served_by.items()},
        points={
            role: PlanPoint(
                key=f"{key}.{role}",
                entity_id=point.get("entity_id"),
                writable=bool(point.get("writable")),
                boolean=bool(point.get("boolean")),
                low=point.get("low"),
                high=point.get("high"),
                unit=point.get("unit"),
            )
            for role, point in (data.get("points") or {}).items()
        },
    )


def _automation(data: Mapping[str, Any]) -> PlanAutomation:
    reported = data.get("reported") or {}
    resume = (reported.get("attributes") or {}).get("resume")
    if isinstance(resume, str):
        # A report that somebody spoiled must not take the plan from all others.
        with suppress(ValueError):
            resume = json.loads(resume)
    return PlanAutomation(
        id=data["id"],
        entity_id=data["entity_id"],
        name=data.get("name") or data["entity_id"],
        control_type=data["control_type"],
        priority=int(data["priority"]),
        metadata=data.get("metadata") or {},
        config=data.get("config") or {},
        resume=resume if isinstance(resume, Mapping) else {},
        amendments=parse_amendments(data.get("amendments")),
        history=tuple(
            item for item in data.get("history") or () if isinstance(item, Mapping)
        ),
        idle_days=_days(data.get("idle_days")),
    )


def _days(data: Any) -> frozenset[date]:
    found = set()
    for item in data if isinstance(data, list) else ():
        with suppress(TypeError, ValueError):
            found.add(date.fromisoformat(item))
    return frozenset(found)
