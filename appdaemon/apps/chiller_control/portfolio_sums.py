"""What all plants of a portfolio take and could shed, as Home Assistant shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from .control.plan import PlanPoint
from .house import House
from .readings import value_of


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of now, kW; None where they are not known."""

    power: float | None
    baseline: float | None
    available: float | None
    used: float
    """What is shed, by estimate."""
    complete: bool
    """False where a plant is left out of the load."""


def read_sums(house: House, entities: Mapping[str, str]) -> Sums:
    """Return what the sensors of the portfolio show."""
    figures: dict[str, float | None] = dict.fromkeys(("power", "baseline", "available"))
    used, complete = 0.0, False
    for name in figures:
        entity = house.entity(entities[name]) if name in entities else None
        if entity is None:
            continue
        attributes = entity.get("attributes") or {}
        point = PlanPoint(name, entities[name], False, False, None, None, "kW")
        value = value_of(point, entity.get("state"), attributes)
        figures[name] = float(value) if isinstance(value, int | float) else None
        if name == "power":
            shed = attributes.get("used_kw")
            used = float(shed) if isinstance(shed, int | float) else 0.0
            complete = attributes.get("left_out") == {}
    return Sums(**figures, used=used, complete=complete)
