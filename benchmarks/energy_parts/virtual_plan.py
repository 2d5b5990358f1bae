"""A plan as `chiller_plant.get_plan` hands it out, made of a plant file alone.

It goes through the engine's own `parse_plan`, so that a controller sees here
what it sees at a site.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appdaemon.apps.chiller_control.control.plan import Plan, parse_plan
from custom_components.chiller_plant.plant.model import Plant, Point


@dataclass(frozen=True, slots=True)
class Automation:
    """One filled-in form: what an operator would have made of a blueprint."""

    control_type: str
    name: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 5

    @property
    def source(self) -> str:
        """Who asks, as the arbiter knows it."""
        return f"automation.{self.name}"


def virtual_plan(
    plant: Plant, automations: Sequence[Automation], *, interval: float, lease: float
) -> Plan:
    """Return the plan of a plant; `interval` and `lease` in seconds."""
    return parse_plan(
        {
            "plant": {
                "key": plant.key,
                "name": plant.name,
                "entry_id": plant.key,
                "command_lease": lease,
                "poll_interval": interval,
            },
            "revision": "1",
            "automations": [
                {
                    "id": item.name,
                    "entity_id": item.source,
                    "name": item.name.replace("_", " ").capitalize(),
                    "control_type": item.control_type,
                    "priority": item.priority,
                    "metadata": item.metadata,
                    "config": item.config,
                }
                for item in automations
            ],
            "equipment": {
                item.key: {
                    "type": item.type.value,
                    "name": item.name,
                    "ratings": item.ratings,
                    "served_by": item.served_by,
                    "points": {
                        role: _point(point) for role, point in item.points.items()
                    },
                }
                for item in plant.equipment.values()
            },
        }
    )


def _point(point: Point) -> dict[str, Any]:
    return {
        "entity_id": point.key,
        "writable": point.writable,
        "boolean": point.role.quantity.is_boolean,
        "low": point.low,
        "high": point.high,
        "unit": point.role.quantity.unit,
    }
