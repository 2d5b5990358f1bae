"""What the recorder knows of a meter: its hours of the past, and every reading.

Hours are long-term statistics, which outlive the recorder's purge; those that are
not compiled yet are made of its five minutes. A load that does not change writes no
new state: there, the five minutes show that somebody went on looking.
"""

from asyncio import shield
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from statistics import fmean
from typing import Any, Literal

from sqlalchemy.exc import SQLAlchemyError

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance, history
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, UnitOfPower, UnitOfTemperature
from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import PowerConverter, TemperatureConverter

from ..plant.demand_response.performance import MOST_HOLD
from ..plant.hourly import HOUR, hour_of

_FIVE_MINUTES = 300.0
_MOST_OF_AN_HOUR = 10
"""Of its twelve five minutes."""
_UNITS: dict[str, str] = {
    PowerConverter.UNIT_CLASS: UnitOfPower.KILO_WATT,
    TemperatureConverter.UNIT_CLASS: UnitOfTemperature.CELSIUS,
}
_LATELY = 24 * HOUR
"""How far back an hour is looked at that closely; of older ones parts are purged."""
_WRITE_TIMEOUT = 10.0

type Samples = list[tuple[float, float | None]]


class NoHistory(Exception):
    """The recorder cannot be asked now; says why, for people."""


class MeterHistory:
    """The history of one entity, in kW or °C."""

    def __init__(self, hass: HomeAssistant, entity_id: str) -> None:
        """Nothing is read yet."""
        self._hass = hass
        self._entity_id = entity_id

    async def async_hours(
        self, since: float, until: float
    ) -> list[tuple[float, float]]:
        """Return (start, mean) of the hours between, in order. Raises `NoHistory`."""
        return await self._async_ask(self._hours, since, until)

    async def async_parts(
        self, since: float, until: float
    ) -> list[tuple[float, float]]:
        """Return the same, also of hours of which only a part is known."""
        return await self._async_ask(partial(self._hours, least=1), since, until)

    async def async_samples(self, since: float, until: float) -> Samples:
        """Return the readings between, and what held before. Raises `NoHistory`.

        None is a reading that was lost.
        """
        return await self._async_ask(self._samples, since, until)

    async def _async_ask[T](
        self, work: Callable[[float, float], T], since: float, until: float
    ) -> T:
        if RECORDER not in self._hass.config.components:
            raise NoHistory("Home Assistant's recorder does not run")
        instance = get_instance(self._hass)
        # Others wait for the same: who is unloaded meanwhile must not take it along.
        if not await shield(instance.async_db_ready):
            raise NoHistory("the recorder has no database")
        try:
            return await instance.async_add_executor_job(work, since, until)
        except (SQLAlchemyError, RuntimeError) as error:
            raise NoHistory(f"the recorder's database is away: {error}") from error

    def _hours(
        self, since: float, until: float, least: int = _MOST_OF_AN_HOUR
    ) -> list[tuple[float, float]]:
        found = dict(self._means(since, until, "hour"))
        parts: dict[int, list[float]] = {}
        for start, mean in self._means(since, until, "5minute"):
            parts.setdefault(hour_of(start), []).append(mean)
        for hour, means in parts.items():
            if len(means) >= least:
                found.setdefault(float(hour), fmean(means))
            elif hour >= until - _LATELY:
                # Home Assistant makes an hour of whatever there was of it: ten
                # minutes after a start would stand for the load before the event.
                found.pop(float(hour), None)
        return sorted(
            (start, mean) for start, mean in found.items() if start + HOUR <= until
        )

    def _means(
        self, since: float, until: float, period: Literal["hour", "5minute"]
    ) -> list[tuple[float, float]]:
        rows = statistics_during_period(
            self._hass,
            dt_util.utc_from_timestamp(since),
            dt_util.utc_from_timestamp(until),
            {self._entity_id},
            period,
            _UNITS,
            {"mean"},
        )
        return [
            (float(row["start"]), float(mean))
            for row in rows.get(self._entity_id, ())
            if (mean := row.get("mean")) is not None
        ]

    def _samples(self, since: float, until: float) -> Samples:
        begin = since - MOST_HOLD
        states = history.state_changes_during_period(
            self._hass,
            dt_util.utc_from_timestamp(begin),
            dt_util.utc_from_timestamp(until),
            self._entity_id,
            # What held before then may be of a Home Assistant that was stopped.
            include_start_time_state=False,
        ).get(self._entity_id, [])
        read = [(state.last_updated_timestamp, kilowatts(state)) for state in states]
        return _filled(read, self._means(begin, until, "5minute"))


def kilowatts(state: State) -> float | None:
    """Return the power that a state shows, kW; None if it shows none."""
    try:
        value = float(state.state)
    except ValueError:
        return None
    if not isfinite(value):
        return None
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit not in PowerConverter.VALID_UNITS:
        return value
    return PowerConverter.convert(value, unit, UnitOfPower.KILO_WATT)


def mean_of(
    samples: Sequence[tuple[float, float | None]], until: float
) -> float | None:
    """Return the mean of readings over time, kW; None if there is none."""
    total = seconds = 0.0
    for place, (at, load) in enumerate(samples):
        end = samples[place + 1][0] if place + 1 < len(samples) else until
        held = min(end, until, at + MOST_HOLD) - at
        if load is not None and held > 0.0:
            total += held * load
            seconds += held
    return total / seconds if seconds > 0.0 else None


def _filled(read: Samples, means: list[tuple[float, float]]) -> Samples:
    """Put the five minutes in where no state was written for longer than it holds."""
    times = [at for at, _ in read]
    found: list[tuple[float, Any]] = list(read)
    for start, mean in means:
        place = bisect_right(times, start)
        before = times[place - 1] if place else None
        if place and read[place - 1][1] is None:
            continue
        after = times[place] if place < len(times) else None
        if after is not None and after < start + _FIVE_MINUTES:
            continue
        if before is None or start - before >= _FIVE_MINUTES:
            found.append((start, mean))
    return sorted(found, key=lambda row: row[0])
