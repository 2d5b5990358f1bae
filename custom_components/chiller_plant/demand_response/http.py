"""What came of events, and what a plant could give, for other programs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from .export import as_csv
from .http_baseline import BaselineView
from .http_view import (
    API,
    View,
    moment_of,
    refused,
    rooms_of,
    rounded,
    unavailable,
    unknown,
    ven_of,
)
from .known_event import KnownEvent
from .performance_table import DatabaseAway
from .room import DemandResponseRoom

_CSV = f"{API}/performance.csv"


@callback
def async_setup_http(hass: HomeAssistant) -> None:
    """Register the addresses; they are there before any plant is."""
    for view in (PerformanceView, BaselineView, ShedCapacityView, CsvView):
        hass.http.register_view(view())


def csv_url(plant: str, since: float | None, until: float | None) -> str:
    """Return where the performance of a plant can be downloaded."""
    wanted = {"plant": plant, "since": since, "until": until}
    query = urlencode({key: item for key, item in wanted.items() if item is not None})
    return f"{_CSV}?{query}"


class PerformanceView(View):
    """What came of one event."""

    url = f"{API}/events/{{event_id}}/performance"
    name = f"api:{DOMAIN}:performance"

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        event_id = names["event_id"]
        rooms, complete = rooms_of(hass, query.get("plant"))
        now = dt_util.utcnow().timestamp()
        records = []
        waiting: list[tuple[DemandResponseRoom, KnownEvent]] = []
        away: DatabaseAway | None = None
        for room in rooms:
            known = [
                event
                for event in room.events.values()
                if event_id in (event.key, event.id)
            ]
            waiting += [(room, event) for event in known]
            try:
                records += await room.settlement.store.async_find(event=event_id)
            except DatabaseAway as error:
                away = error
        if away is not None:
            raise away
        keys = {(record.plant, record.event) for record in records} | {
            (room.plant.key, event.key) for room, event in waiting
        }
        if not keys:
            if not complete:
                raise unavailable("a plant that may know of it is not loaded")
            raise unknown(f"no event {event_id} is known")
        if len(keys) > 1:
            named = ", ".join(f"{event} of {plant}" for plant, event in sorted(keys))
            raise refused(
                f"there are several: {named}. Ask for one by its key and"
                " ?plant=<key of the plant>"
            )
        for room, event in waiting:
            # One that was cancelled, and then told of again, has an old record.
            if (why := room.settlement.cannot(event, now)) is not None:
                raise refused(f"event {event_id} is not settled: {why}")
        if not records:
            raise unavailable(f"event {event_id} is over and is being settled")
        if (why := records[0].unsettled) is not None:
            raise refused(f"event {event_id} cannot be settled: {why}")
        return self.json(records[0].told())


class ShedCapacityView(View):
    """How much less a plant could take now."""

    url = f"{API}/vens/{{ven_id}}/shed-capacity"
    name = f"api:{DOMAIN}:shed_capacity"

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        room, connection = ven_of(hass, names["ven_id"], query.get("plant"))
        if not room.settings.take_part:
            raise refused(f"{room.plant.name} does not take part in demand response")
        told = {
            "ven_id": connection.id,
            "ven": connection.name,
            "plant": room.plant.key,
            "state": room.state,
            "measures": [row["key"] for row in room.measures()],
        }
        if room.settings.portfolio.leads:
            return self.json(told | _of_all(room))
        if not room.heard:
            raise unavailable(
                "the control engine is silent: nobody knows what could be shed"
            )
        if room.available_kw is None:
            raise unavailable("the control engine has not estimated it yet")
        return self.json(told | {"available_kw": rounded(room.available_kw)})


def _of_all(room: DemandResponseRoom) -> dict[str, Any]:
    """Return what all plants of a portfolio could shed, and how old that is of each."""
    now = dt_util.utcnow().timestamp()
    room.portfolio.look(now)
    total = room.portfolio.lead.sums.more
    if total.kw is None:
        raise unavailable(
            "no plant of the portfolio tells what could be shed: their control"
            " engines are silent"
        )
    return {
        "available_kw": rounded(total.kw),
        "plants": [
            {
                "plant": plant.name,
                "available_kw": rounded(plant.offer.more_kw),
                "age": rounded(now - plant.offer.at),
            }
            for plant in room.portfolio.lead.plants(now)
            if plant.offer is not None and plant.offer.more_kw is not None
        ],
        "left_out": dict(total.left_out),
    }


class CsvView(View):
    """What came of all events, as CSV."""

    url = _CSV
    name = f"api:{DOMAIN}:performance_csv"

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        since, until = moment_of(query, "since"), moment_of(query, "until")
        if since is not None and until is not None and since >= until:
            raise refused("since is not before until")
        rooms, complete = rooms_of(hass, query.get("plant"))
        if not complete:
            raise unavailable("a plant is not loaded; ask for another by ?plant=")
        records = [
            record
            for room in rooms
            for record in await room.settlement.store.async_find(
                since=since, until=until
            )
        ]
        return web.Response(
            text=await hass.async_add_executor_job(as_csv, records),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": 'attachment; filename="performance.csv"'},
        )
