"""What entities show, as the values that controllers compute with."""

from collections.abc import Iterable, Mapping
from datetime import date, tzinfo
from math import isfinite
from typing import Any

from .control.decision import AT_THE_DEVICE, Inputs, Owner, Value
from .control.plan import PlanPoint
from .control.planned import Amendments
from .house import House
from .units import to_unit


def read(
    house: House,
    points: Mapping[str, PlanPoint],
    wanted: Iterable[str],
    priority: int,
    time_zone: tzinfo,
    amendments: Amendments | None = None,
    idle_days: frozenset[date] = frozenset(),
) -> Inputs:
    """Return the wanted points as they are now, for who commands at `priority`."""
    values: dict[str, Value | None] = {}
    holds: dict[str, str] = {}
    taken: dict[str, str] = {}
    owners: dict[str, Owner] = {}
    for key in wanted:
        point = points.get(key)
        entity = (
            house.entity(point.entity_id)
            if point is not None and point.entity_id is not None
            else None
        )
        if point is None or entity is None:
            values[key] = None
            continue
        attributes = entity.get("attributes") or {}
        values[key] = value_of(point, entity.get("state"), attributes)
        if hold := attributes.get("hold"):
            holds[key] = str(hold)
        owner_priority = attributes.get("owner_priority")
        if owner_priority is not None:
            owner = str(attributes.get("owner") or "somebody else")
            owners[key] = Owner(owner_priority, owner)
            if owner_priority > priority:
                taken[key] = owner
        if attributes.get("quality") == "overridden":
            owners[key] = AT_THE_DEVICE
    return Inputs(values, holds, taken, time_zone, amendments or {}, idle_days, owners)


def value_of(
    point: PlanPoint, state: object, attributes: Mapping[str, Any]
) -> Value | None:
    """Return what an entity shows as the point's value, None if it is not good.

    What somebody set by hand is computed with: it is there for that.
    """
    if attributes.get("quality", "good") not in ("good", "overridden"):
        return None
    if point.boolean:
        return {"on": True, "off": False}.get(str(state))
    try:
        number = float(str(state))
    except ValueError:
        return None
    if not isfinite(number):
        return None
    return to_unit(number, attributes.get("unit_of_measurement"), point.unit)
