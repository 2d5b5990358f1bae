"""How warm it will be outdoors while events last, from a weather entity.

How far a building is worth cooling ahead of an event depends on the afternoon that
comes, and the plant's own weather station knows only the present. Whoever gives no
forecast, or a wrong one, is said; nothing waits for it, and without it zones are
cooled ahead as if nobody knew the weather.
"""

from asyncio import timeout
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any

from homeassistant.const import STATE_UNAVAILABLE, UnitOfTemperature
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import TemperatureConverter

from ..const import DOMAIN, LOGGER
from .known_event import KnownEvent

if TYPE_CHECKING:
    from .room import DemandResponseRoom

ASKED_EVERY = 1800.0
"""Seconds from one forecast to the next; services make a new one each hour or so."""
ASKED_AGAIN = 300.0
"""Seconds after which it is asked for again where there was none."""
ASKED_AT_MOST = 60.0
"""Seconds from one question to the next, however many events are announced."""
LONGEST_ANSWER = 30.0
KEPT = 6 * 3600.0
"""Seconds for which a forecast is used while no newer one is to be had."""
TOLD_AFTER = 900.0
"""Seconds without one before that is an issue: services start after us."""
MOST_HOURS = 72
"""Rows that the engine is told; events last some hours of some days."""
LONGEST_ROW = 3 * 3600.0
"""Seconds that a row without a following one stands for."""
_COLDEST, _WARMEST = -60.0, 60.0
"""°C that are believed."""
_LONGEST_TEXT = 200
_WEATHER, _GET_FORECASTS = "weather", "get_forecasts"


@dataclass(frozen=True, slots=True)
class Row:
    """Outdoor temperature of one hour; epoch seconds, °C."""

    begin: float
    end: float
    celsius: float


class Forecast:
    """The forecast of one plant's site."""

    def __init__(self, room: DemandResponseRoom) -> None:
        """Begin without one."""
        self._room = room
        self._entity_id: str | None = None
        self._rows: tuple[Row, ...] = ()
        self._got: float | None = None
        """When the rows were given."""
        self._asked: float | None = None
        self._due = 0.0
        self._asking = False
        self._failing: float | None = None
        self.trouble: str | None = None
        """Why there is no new forecast, in a sentence; None while there is."""

    @property
    def _hass(self) -> HomeAssistant:
        return self._room.hass

    @property
    def entity_id(self) -> str | None:
        """The weather entity that was chosen; None where none is needed."""
        precool = self._room.settings.precool
        return None if precool is None else precool.weather

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Ask anew when an event is announced or changed, until the result is called."""
        return async_dispatcher_connect(
            self._hass, self._room.event_signal, self._event_told
        )

    @callback
    def _event_told(self, what: str, _event: KnownEvent) -> None:
        if what != "over":
            self._due = 0.0

    @callback
    def look(self, now: float) -> None:
        """Ask for a forecast, if one is due (epoch seconds)."""
        if self.entity_id != self._entity_id:
            self._entity_id = self.entity_id
            self._rows, self._got, self._asked = (), None, None
            self._due, self._failing, self.trouble = 0.0, None, None
        if self._got is not None and now - self._got > KEPT:
            self._rows = ()
        if (
            self._entity_id is None
            or self._asking
            or now < self._due
            or (self._asked is not None and now - self._asked < ASKED_AT_MOST)
        ):
            return
        self._asking, self._asked = True, now
        self._room.entry.async_create_background_task(
            self._hass,
            self._async_ask(self._entity_id, now),
            f"{DOMAIN} forecast of {self._room.plant.key}",
        )

    async def _async_ask(self, entity_id: str, now: float) -> None:
        try:
            rows = await self._async_fetch(entity_id)
        except TimeoutError:
            self._failed(now, entity_id, f"no answer within {LONGEST_ANSWER:.0f} s")
        except Exception as error:  # noqa: BLE001 - the service is somebody else's
            self._failed(now, entity_id, str(error) or type(error).__name__)
        else:
            if entity_id == self._entity_id:
                if self.trouble is not None:
                    LOGGER.info("%s: %s tells again", self._room.plant.name, entity_id)
                self._rows, self._got = rows, now
                self._due = now + ASKED_EVERY
                self._failing, self.trouble = None, None
                self._room.changed()
        finally:
            self._asking = False

    async def _async_fetch(self, entity_id: str) -> tuple[Row, ...]:
        state = self._hass.states.get(entity_id)
        if state is None:
            raise LookupError("there is no such entity")
        if state.state == STATE_UNAVAILABLE:
            raise LookupError("it is unavailable")
        async with timeout(LONGEST_ANSWER):
            answer = await self._hass.services.async_call(
                _WEATHER,
                _GET_FORECASTS,
                {"type": "hourly"},
                target={"entity_id": entity_id},
                blocking=True,
                return_response=True,
            )
        told: Any = (answer or {}).get(entity_id) or {}
        unit = state.attributes.get("temperature_unit", UnitOfTemperature.CELSIUS)
        rows = hours_of(told.get("forecast") or (), unit)
        if not rows:
            raise LookupError("its forecast by the hour has no temperature in it")
        return rows

    @callback
    def _failed(self, now: float, entity_id: str, why: str) -> None:
        if entity_id != self._entity_id:
            return
        why = why[:_LONGEST_TEXT]
        if self.trouble is None:
            LOGGER.warning(
                "%s: %s gives no forecast for cooling ahead of events (%s); zones are"
                " cooled as if nobody knew the weather",
                self._room.plant.name,
                entity_id,
                why,
            )
            self._failing = now
        self.trouble = why
        self._due = now + ASKED_AGAIN
        self._room.changed()

    # What is known.

    def lasting_trouble(self, now: float) -> str | None:
        """Return why there has been no new forecast for long; None while there is."""
        if self._failing is None or now - self._failing < TOLD_AFTER:
            return None
        return self.trouble

    def outdoor(self, begin: float, end: float) -> float | None:
        """Return the mean temperature between two moments, °C; None: not known."""
        return mean_of(self._rows, begin, end)

    def for_engine(self, now: float) -> list[list[float]]:
        """Return begin, end and °C of the hours of events that are to come."""
        windows = [
            (event.begins, event.ends)
            for event in self._room.events.values()
            if event.begins > now and not event.over(now)
        ]
        wanted = [
            [row.begin, row.end, row.celsius]
            for row in self._rows
            if any(row.begin < end and row.end > begin for begin, end in windows)
        ]
        return wanted[:MOST_HOURS]


def hours_of(forecast: Iterable[Any], unit: str) -> tuple[Row, ...]:
    """Read the rows of a forecast; what makes no sense is left out."""
    convert = TemperatureConverter.converter_factory(unit, UnitOfTemperature.CELSIUS)
    found: dict[float, float] = {}
    for item in forecast:
        if not isinstance(item, Mapping):
            continue
        at = dt_util.parse_datetime(str(item.get("datetime")))
        value = item.get("temperature")
        if at is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        celsius = convert(float(value))
        if isfinite(celsius) and _COLDEST <= celsius <= _WARMEST:
            # A time without a zone is one of the place.
            at = at.replace(tzinfo=at.tzinfo or dt_util.get_default_time_zone())
            found[at.timestamp()] = round(celsius, 1)
    begins = sorted(found)
    if not begins:
        return ()
    ends = [min(after, begin + LONGEST_ROW) for begin, after in pairwise(begins)]
    ends.append(begins[-1] + 3600.0)
    return tuple(
        Row(begin, end, found[begin]) for begin, end in zip(begins, ends, strict=True)
    )


def mean_of(rows: Iterable[Row], begin: float, end: float) -> float | None:
    """Return the mean over a time, None unless most of it is known."""
    known = weighed = 0.0
    for row in rows:
        overlap = min(end, row.end) - max(begin, row.begin)
        if overlap > 0.0:
            known += overlap
            weighed += overlap * row.celsius
    return weighed / known if known > 0.5 * (end - begin) else None
