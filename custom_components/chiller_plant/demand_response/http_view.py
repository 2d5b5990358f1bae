"""What all addresses for other programs share: refusals, and who is meant.

Every address wants Home Assistant's own authentication. What is not known is 404,
what cannot be answered for the asker's sake is 422 with the reason, what cannot be
answered now is 503 with what is away.
"""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from math import isfinite

from aiohttp import web

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from .meter_history import NoHistory
from .performance_table import DatabaseAway
from .room import DemandResponseRoom
from .settings import Connection

API = f"/api/{DOMAIN}"


class CannotAnswer(Exception):
    """What is wrong, for people, and the status that says so to programs."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        """Take both."""
        super().__init__(message)
        self.status = status


class View(HomeAssistantView):
    """Answers in JSON; refusals too."""

    async def get(self, request: web.Request, **names: str) -> web.Response:
        """Answer, or say why not."""
        hass: HomeAssistant = request.app[KEY_HASS]
        try:
            return await self._answer(hass, request.query, **names)
        except CannotAnswer as error:
            return self.json_message(str(error), error.status)
        except (DatabaseAway, NoHistory) as error:
            return self.json_message(str(error), HTTPStatus.SERVICE_UNAVAILABLE)

    async def _answer(
        self, hass: HomeAssistant, query: Mapping[str, str], **names: str
    ) -> web.Response:
        raise NotImplementedError


def rooms_of(
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
            raise unavailable("no plant is set up")
        raise unknown(f"no plant {plant} is known")
    loaded = [
        entry.runtime_data.demand_response
        for entry in entries
        if entry.state is ConfigEntryState.LOADED
    ]
    if not loaded:
        raise unavailable("the plant is not loaded" if plant else "no plant is loaded")
    return loaded, len(loaded) == len(entries)


def ven_of(
    hass: HomeAssistant, ven_id: str, plant: str | None
) -> tuple[DemandResponseRoom, Connection]:
    """Return the connection to a utility that is meant."""
    rooms, complete = rooms_of(hass, plant)
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
            raise refused(f"{ven_id} is the name of several; ask for one of {ids}")
    if not complete:
        raise unavailable("a plant that may have it is not loaded")
    raise unknown(f"no VEN {ven_id} is known")


def moment_of(query: Mapping[str, str], name: str) -> float | None:
    """Return a moment that is given as ISO 8601 or as seconds of the epoch."""
    text = query.get(name)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        # In the first and the last hours of the calendar UTC has no such time.
        with suppress(ValueError, OverflowError):
            if (found := dt_util.parse_datetime(text)) is not None:
                return dt_util.as_utc(found).timestamp()
    else:
        if isfinite(seconds) and 0.0 <= seconds < 2**33:
            return seconds
    raise refused(f"{name} is no moment: {text} (ISO 8601, or seconds of the epoch)")


def iso(moment: float) -> str:
    """Return a moment of the epoch in ISO 8601, UTC."""
    return dt_util.utc_from_timestamp(moment).isoformat()


def rounded(value: float | None) -> float | None:
    """Return a figure as it is told."""
    return None if value is None else round(value, 3)


def unknown(message: str) -> CannotAnswer:
    """Return that there is no such thing: 404."""
    return CannotAnswer(HTTPStatus.NOT_FOUND, message)


def refused(message: str) -> CannotAnswer:
    """Return that the question cannot be answered: 422."""
    return CannotAnswer(HTTPStatus.UNPROCESSABLE_ENTITY, message)


def unavailable(message: str) -> CannotAnswer:
    """Return that it cannot be answered now: 503."""
    return CannotAnswer(HTTPStatus.SERVICE_UNAVAILABLE, message)
