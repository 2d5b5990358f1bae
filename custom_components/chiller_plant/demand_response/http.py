"""What came of events, and what a plant could give, for other programs.

Every address wants Home Assistant's own authentication. What is not known is 404,
what cannot be answered for the asker's sake is 422 with the reason, what cannot be
answered now is 503 with what is away.
"""

from collections.abc import Mapping
from http import HTTPStatus
from math import isfinite
from urllib.parse import urlencode

from aiohttp import web

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..plant.demand_response.baselines import METHODS
from ..plant.demand_response.event_baseline import NONE, EventBaseline, EventTimes
from ..plant.hourly import HOUR, hour_of
from .export import as_csv
from .known_event import KnownEvent
from .meter_history import NoHistory
from .performance_table import DatabaseAway
from .room import DemandResponseRoom
from .settings import Connection

_API = f"/api/{DOMAIN}"
_CSV = f"{_API}/performance.csv"
_LONGEST = 7 * 24 * HOUR
_FARTHEST = 7 * 24 * HOUR
"""Seconds from now to the beginning of what a baseline is wanted for."""


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


class _CannotAnswer(Exception):
    """What is wrong, for people, and the status that says so to programs."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _View(HomeAssistantView):
    """Answers in JSON; refusals too."""

    async def get(self, request: web.Request, **names: str) -> web.Response:
        """Answer, or say why not."""
        hass: HomeAssistant = request.app[KEY_HASS]
        try:
            return await self._answer(hass, request.query, **names)
        except _CannotAnswer as error:
            return self.json_message(str(error), error.status)
        except (DatabaseAway, NoHistory) as error:
            return self.json_message(str(error), HTTPStatus.SERVICE_UNAVAILABLE)

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        raise NotImplementedError


class PerformanceView(_View):
    """What came of one event."""

    url = f"{_API}/events/{{event_id}}/performance"
    name = f"api:{DOMAIN}:performance"

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        event_id = names["event_id"]
        rooms, complete = _rooms(hass, query.get("plant"))
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
                raise _unavailable("a plant that may know of it is not loaded")
            raise _unknown(f"no event {event_id} is known")
        if len(keys) > 1:
            named = ", ".join(f"{event} of {plant}" for plant, event in sorted(keys))
            raise _refused(
                f"there are several: {named}. Ask for one by its key and"
                " ?plant=<key of the plant>"
            )
        if records:
            if (why := records[0].unsettled) is not None:
                raise _refused(f"event {event_id} cannot be settled: {why}")
            return self.json(records[0].told())
        room, event = waiting[0]
        why = room.settlement.cannot(event, now)
        raise _refused(
            f"event {event_id} is not settled: {why}"
            if why
            else f"event {event_id} is over and is being settled"
        )


class BaselineView(_View):
    """What the load would be without an event."""

    url = f"{_API}/vens/{{ven_id}}/baseline"
    name = f"api:{DOMAIN}:baseline"

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        room, connection = _ven(hass, names["ven_id"], query.get("plant"))
        meter = room.settlement.meter
        if meter is None:
            raise _refused(f"{room.plant.name} has no meter to make a baseline of")
        event = _event_of(room, connection, query)
        if event is not None:
            said = room.baselines.get(event.key)
            if said is None:
                raise _unavailable(f"the baseline of {event.id} is being made")
        else:
            said = await _async_made(room, meter, query)
        if said.method == NONE:
            raise _refused(f"there is no baseline: {said.why}")
        return self.json(
            {
                "ven_id": connection.id,
                "ven": connection.name,
                "plant": room.plant.key,
                "event": event and event.key,
                "begins": _iso(said.begins),
                "ends": _iso(said.ends),
                "mean_kw": _rounded(said.mean(said.begins, said.ends)),
                "method": said.method,
                "confidence": said.confidence,
                "eligible": said.eligible,
                "why": said.why,
                "final": said.final,
                "days": list(said.days),
                "relative_error": _rounded(said.relative_error),
                "bias": _rounded(said.bias),
                "trials": said.trials,
                "intervals": [
                    {"begins": _iso(since), "ends": _iso(until), "kw": _rounded(load)}
                    for since, until, load in said.spans
                ],
            }
        )


class ShedCapacityView(_View):
    """How much less a plant could take now."""

    url = f"{_API}/vens/{{ven_id}}/shed-capacity"
    name = f"api:{DOMAIN}:shed_capacity"

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        room, connection = _ven(hass, names["ven_id"], query.get("plant"))
        if not room.settings.take_part:
            raise _refused(f"{room.plant.name} does not take part in demand response")
        if not room.heard:
            raise _unavailable(
                "the control engine is silent: nobody knows what could be shed"
            )
        if room.available_kw is None:
            raise _unavailable("the control engine has not estimated it yet")
        return self.json(
            {
                "ven_id": connection.id,
                "ven": connection.name,
                "plant": room.plant.key,
                "available_kw": _rounded(room.available_kw),
                "state": room.state,
                "measures": [row["key"] for row in room.measures()],
            }
        )


class CsvView(_View):
    """What came of all events, as CSV."""

    url = _CSV
    name = f"api:{DOMAIN}:performance_csv"

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        since, until = _moment(query, "since"), _moment(query, "until")
        if since is not None and until is not None and since >= until:
            raise _refused("since is not before until")
        rooms, complete = _rooms(hass, query.get("plant"))
        if not complete:
            raise _unavailable("a plant is not loaded; ask for another by ?plant=")
        records = [
            record
            for room in rooms
            for record in await room.settlement.store.async_find(
                since=since, until=until
            )
        ]
        return web.Response(
            text=as_csv(records),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": 'attachment; filename="performance.csv"'},
        )


def _rooms(
    hass: HomeAssistant, plant: str | None
) -> tuple[list[DemandResponseRoom], bool]:
    """Return the rooms of the plants that are meant, and whether they are all."""
    entries: list[ConfigEntry] = [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.disabled_by is None
        and (plant is None or plant in (entry.entry_id, entry.unique_id))
    ]
    if not entries:
        if plant is None:
            raise _unavailable("no plant is set up")
        raise _unknown(f"no plant {plant} is known")
    loaded = [
        entry.runtime_data.demand_response
        for entry in entries
        if entry.state is ConfigEntryState.LOADED
    ]
    if not loaded:
        raise _unavailable("the plant is not loaded" if plant else "no plant is loaded")
    return loaded, len(loaded) == len(entries)


def _ven(
    hass: HomeAssistant, ven_id: str, plant: str | None
) -> tuple[DemandResponseRoom, Connection]:
    """Return the connection to a utility that is meant."""
    rooms, complete = _rooms(hass, plant)
    pairs = [(room, item) for room in rooms for item in room.connections]
    for pick in (
        [pair for pair in pairs if pair[1].id == ven_id],
        [
            pair
            for pair in pairs
            if ven_id
            in (
                pair[1].name,
                pair[1].fields.get("ven_name"),
                pair[1].fields.get("ven_id"),
            )
        ],
    ):
        if len(pick) == 1:
            return pick[0]
        if pick:
            ids = ", ".join(f"{item.id} of {room.plant.key}" for room, item in pick)
            raise _refused(f"{ven_id} is the name of several; ask for one of {ids}")
    if not complete:
        raise _unavailable("a plant that may have it is not loaded")
    raise _unknown(f"no VEN {ven_id} is known")


def _event_of(
    room: DemandResponseRoom, connection: Connection, query: Mapping[str, str]
) -> KnownEvent | None:
    """Return the event whose baseline is wanted; None if it is of another time."""
    if (wanted := query.get("event")) is not None:
        for event in room.events.values():
            if event.source == connection.name and wanted in (event.key, event.id):
                return event
        raise _unknown(f"no event {wanted} of {connection.name} is known")
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
        raise _refused(f"method is none of {', '.join(METHODS)}")
    start = _moment(query, "start")
    start = float(hour_of(now)) if start is None else start
    end = _moment(query, "end")
    end = start + HOUR if end is None else end
    if not start < end <= start + _LONGEST:
        raise _refused("end is not within seven days after start")
    if abs(start - now) > _FARTHEST:
        raise _refused("start is more than seven days from now")
    times = EventTimes(start, end, min(now, start))
    return await room.settlement.async_baseline_of(times, meter, method, now)


def _moment(query: Mapping[str, str], name: str) -> float | None:
    """Return a moment that is given as ISO 8601 or as seconds of the epoch."""
    text = query.get(name)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            found = dt_util.parse_datetime(text)
        except ValueError:
            found = None
        if found is not None:
            return dt_util.as_utc(found).timestamp()
    else:
        if isfinite(seconds) and 0.0 <= seconds < 2**33:
            return seconds
    raise _refused(f"{name} is no moment: {text} (ISO 8601, or seconds of the epoch)")


def _iso(moment: float) -> str:
    return dt_util.utc_from_timestamp(moment).isoformat()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _unknown(message: str) -> _CannotAnswer:
    return _CannotAnswer(HTTPStatus.NOT_FOUND, message)


def _refused(message: str) -> _CannotAnswer:
    return _CannotAnswer(HTTPStatus.UNPROCESSABLE_ENTITY, message)


def _unavailable(message: str) -> _CannotAnswer:
    return _CannotAnswer(HTTPStatus.SERVICE_UNAVAILABLE, message)
