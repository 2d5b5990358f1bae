"""What the load would be without an event, for other programs.

At a plant that leads a portfolio it is that of all its plants together.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..lookup import loaded_entry
from ..plant.demand_response.baselines import METHODS
from ..plant.demand_response.event_baseline import (
    NONE,
    EventBaseline,
    EventTimes,
    mean_of,
)
from ..plant.hourly import HOUR, hour_of
from .http_view import (
    API,
    View,
    iso,
    moment_of,
    refused,
    rounded,
    unavailable,
    unknown,
    ven_of,
)
from .known_event import KnownEvent
from .portfolio_result import summed_baseline
from .room import DemandResponseRoom
from .settings import Connection

_LONGEST = 7 * 24 * HOUR
_FARTHEST = 7 * 24 * HOUR
"""Seconds from now to the beginning of what a baseline is wanted for."""


class BaselineView(View):
    """What the load would be without an event."""

    url = f"{API}/vens/{{ven_id}}/baseline"
    name = f"api:{DOMAIN}:baseline"

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        room, connection = ven_of(hass, names["ven_id"], query.get("plant"))
        event = _event_of(room, connection, query)
        rooms = [room]
        if room.settings.portfolio.leads:
            if event is not None:
                return self.json(_of_all(room, connection, event))
            rooms = _led_by(room)
        made = [await _async_baseline(item, event, query) for item in rooms]
        told = _told(room, connection, event, made[0])
        if room.settings.portfolio.leads:
            parts = [
                (item.plant.name, said.told() if said.spans else None)
                for item, said in zip(rooms, made, strict=True)
            ]
            # A site tells of events only; of any other time it is asked itself.
            parts += [(site, None) for site in room.settings.portfolio.sites]
            first = made[0]
            told |= _summed(parts, first.begins, first.ends) | _UNTRIED
        elif made[0].method == NONE:
            raise refused(f"there is no baseline: {made[0].why}")
        return self.json(told)


_UNTRIED: dict[str, Any] = {
    "days": [],
    "relative_error": None,
    "bias": None,
    "trials": 0,
}
"""What is known of one meter only, and not of a sum."""


def _told(
    room: DemandResponseRoom,
    connection: Connection,
    event: KnownEvent | None,
    said: EventBaseline,
) -> dict[str, Any]:
    """Return a baseline as programs are told."""
    return {
        "ven_id": connection.id,
        "ven": connection.name,
        "plant": room.plant.key,
        "event": event and event.key,
        "begins": iso(said.begins),
        "ends": iso(said.ends),
        "mean_kw": rounded(said.mean(said.begins, said.ends)),
        "method": said.method,
        "confidence": said.confidence,
        "eligible": said.eligible,
        "why": said.why,
        "final": said.final,
        "days": list(said.days),
        "relative_error": rounded(said.relative_error),
        "bias": rounded(said.bias),
        "trials": said.trials,
        "intervals": _intervals(said.spans),
    }


def _intervals(spans: Iterable[Sequence[float]]) -> list[dict[str, Any]]:
    return [
        {"begins": iso(since), "ends": iso(until), "kw": rounded(load)}
        for since, until, load in spans
    ]


def _of_all(
    room: DemandResponseRoom, connection: Connection, event: KnownEvent
) -> dict[str, Any]:
    """Return the baseline of an event at all plants of a portfolio together."""
    now = dt_util.utcnow().timestamp()
    parts = room.portfolio.lead.baselines(event.key, now)
    return {
        "ven_id": connection.id,
        "ven": connection.name,
        "plant": room.plant.key,
        "event": event.key,
        "begins": iso(event.begins),
        "ends": iso(event.ends),
        "final": False,
        **_UNTRIED,
        **_summed(parts, event.begins, event.ends),
    }


def _summed(
    parts: Sequence[tuple[str, Mapping[str, Any] | None]], begins: float, ends: float
) -> dict[str, Any]:
    """Return the sum of the baselines of several plants, and what each of them says."""
    said, left_out = summed_baseline(parts)
    if said is None:
        raise unavailable("no plant of the portfolio has a baseline of this time")
    return {
        "mean_kw": rounded(mean_of(said["kw"], begins, ends)),
        "method": said["method"],
        "confidence": said["confidence"],
        "eligible": said["eligible"],
        "why": said["why"],
        "intervals": _intervals(said["kw"]),
        "plants": [
            {
                "plant": name,
                "mean_kw": rounded(mean_of(item["kw"], begins, ends)),
                **{
                    key: item[key]
                    for key in ("method", "confidence", "eligible", "why")
                },
            }
            for name, item in parts
            if item is not None
        ],
        "left_out": left_out,
    }


def _led_by(room: DemandResponseRoom) -> list[DemandResponseRoom]:
    """Return the rooms of the plants of this Home Assistant in a portfolio."""
    found = [room]
    for entry_id in room.settings.portfolio.plants:
        entry = loaded_entry(room.hass, entry_id)
        if entry is None:
            raise unavailable("a plant of the portfolio is not loaded")
        found.append(entry.runtime_data.demand_response)
    return found


async def _async_baseline(
    room: DemandResponseRoom, event: KnownEvent | None, query: Mapping[str, str]
) -> EventBaseline:
    """Return the baseline of one plant."""
    meter = room.settlement.meter
    if meter is None:
        raise refused(f"{room.plant.name} has no meter to make a baseline of")
    if event is None:
        return await _async_made(room, meter, query)
    said: EventBaseline | None = room.baselines.get(event.key)
    if said is None:
        raise unavailable(f"the baseline of {event.id} is being made")
    return said


def _event_of(
    room: DemandResponseRoom, connection: Connection, query: Mapping[str, str]
) -> KnownEvent | None:
    """Return the event whose baseline is wanted; None if it is of another time."""
    if (wanted := query.get("event")) is not None:
        for event in room.events.values():
            if event.source == connection.name and wanted in (event.key, event.id):
                return event
        raise unknown(f"no event {wanted} of {connection.name} is known")
    if "start" in query or "end" in query or "method" in query:
        return None
    coming = room.next_event()
    return coming if coming is not None and coming.source == connection.name else None


async def _async_made(
    room: DemandResponseRoom, meter: str, query: Mapping[str, str]
) -> EventBaseline:
    """Return the baseline of a time that is asked for; of this hour if none is."""
    now = dt_util.utcnow().timestamp()
    method = query.get("method", room.settings.baseline_method)
    if method is not None and method not in METHODS:
        raise refused(f"method is none of {', '.join(METHODS)}")
    start = moment_of(query, "start")
    start = float(hour_of(now)) if start is None else start
    end = moment_of(query, "end")
    end = start + HOUR if end is None else end
    if not start < end <= start + _LONGEST:
        raise refused("end is not within seven days after start")
    if abs(start - now) > _FARTHEST:
        raise refused("start is more than seven days from now")
    times = EventTimes(start, end, min(now, start))
    return await room.settlement.async_baseline_of(times, meter, method, now)
