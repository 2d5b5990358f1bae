"""What the control engine is told of demand response, apart from its own book.

Whatever is in here changes the revision, by which the engine knows that there is
something new to fetch: so nothing is, that changes by itself.
"""

from typing import TYPE_CHECKING, Any

from ..plant.demand_response.event_baseline import AFTER
from ..plant.model import PointKey
from .measures import points_of, precooled_zones

if TYPE_CHECKING:
    from .room import DemandResponseRoom

BASELINE_KEPT = AFTER
"""Seconds after an event in which what is given back is held against its baseline."""


def for_engine(room: DemandResponseRoom, now: float) -> dict[str, Any]:
    """Return what was decided, secrets of connections included; no event book."""
    rows = room.measures()
    precooled = precooled_zones(room.plant) if room.settings.precool else []
    telemetry = _telemetry(room)
    wanted = {
        *telemetry.values(),
        *(key for row in rows for key in points_of(row)),
        *(zone[role] for zone in precooled for role in ("setpoint", "temperature")),
    }
    meter = room.meter
    if meter is not None:
        wanted.add(meter)
    settings = room.settings.as_dict()
    if settings["precool"] is not None:
        settings["precool"]["zones"] = precooled
    return {
        "plant": {
            "key": room.plant.key,
            "name": room.plant.name,
            "entry_id": room.entry.entry_id,
            "command_lease": room.plant.command_lease,
            "poll_interval": room.plant.poll_interval,
        },
        "settings": {**settings, "meter": meter},
        "connections": [item.as_dict() for item in room.connections],
        "measures": rows,
        "points": {
            key: room.plan.told_point(room.plant.points[key]) for key in sorted(wanted)
        },
        "telemetry": telemetry,
        "portfolio": room.portfolio.for_engine(now),
        "forecast": room.forecast.for_engine(now),
        "decisions": {
            key: decision.as_dict()
            for key, decision in room.decisions.items()
            if (event := room.events.get(key)) is not None and not event.over(now)
        },
        "baselines": {
            key: said.told()
            for key, said in room.baselines.items()
            if (event := room.events.get(key)) is None
            or event.stopped + BASELINE_KEPT > now
        },
    }


def _telemetry(room: DemandResponseRoom) -> dict[str, PointKey]:
    """Return what is reported to utilities, by its name in reports."""
    if (meter := room.meter) is None:
        return {}
    equipment = room.plant.equipment[room.plant.points[meter].equipment]
    found = {"power": meter}
    # That of all plants together is not known: meters count from days of their own.
    if "energy" in equipment.points and not room.portfolio.leads:
        found["energy"] = equipment.points["energy"].key
    return found
