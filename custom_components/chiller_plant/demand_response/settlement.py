"""What each event is held against, and what came of it.

The baseline of an event is made as soon as it is known, anew every hour until the
event begins, and held while it lasts. When the event is over and its weather is known,
that may say better what the load would have been. The meter's readings are
held against it, once; again if they were not all written yet.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..lookup import entity_of_point
from ..plant.demand_response.baselines import LOOK_BACK, WEATHER
from ..plant.demand_response.event_baseline import (
    EventBaseline,
    EventTimes,
    day_of,
    event_baseline,
    no_baseline,
    without_outages,
)
from ..plant.demand_response.load_days import load_days
from ..plant.demand_response.outdoor_air import MEASURED, Weather, weather_by_hour
from ..plant.demand_response.performance import performance
from ..plant.demand_response.record import EventRecord
from ..plant.demand_response.requested import Terms, requested_kw
from ..plant.hourly import HOUR, hour_of
from ..plant.roles import EquipmentType
from .known_event import KnownEvent
from .meter_history import MeterHistory, NoHistory, kilowatts, mean_of
from .performance_store import PerformanceStore
from .settlement_memory import SettlementMemory

if TYPE_CHECKING:
    from .room import DemandResponseRoom

LATEST = 300.0
"""Seconds before an event was heard of whose mean stands where all else is unknown."""
COMPILED = 60.0
"""Seconds after an hour in which the recorder makes its statistics."""
AGAIN_AFTER = 420.0
"""Seconds after an event in which its last five minutes are compiled."""
WHOLE = 0.999
_DAY = 86400.0
_FIRST_RETRY, _LAST_RETRY = 30.0, 600.0


class Settlement:
    """Baselines and performance of one plant."""

    def __init__(self, room: DemandResponseRoom) -> None:
        """Prepare; nothing is read yet."""
        self._room = room
        self._hass = room.hass
        self._baselines: dict[str, EventBaseline] = room.baselines
        self._memory = SettlementMemory(room.hass, room.entry.entry_id, room.baselines)
        self.store = PerformanceStore(room, self._memory)
        self._made: dict[str, float] = {}
        """When each provisional baseline was made."""
        self._again: dict[str, float] = {}
        """When to settle once more what was not wholly covered."""
        self._wait: dict[str, tuple[float, float]] = {}
        """Until when not to try an event again, and how long that was."""
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: CALLBACK_TYPE | None = None

    async def async_start(self) -> None:
        """Read what was kept, and follow the room."""
        await self._memory.async_load()
        self._unsubscribe = async_dispatcher_connect(
            self._hass, self._room.signal, self._review
        )
        self._review()

    @callback
    def async_stop(self) -> None:
        """Let go; all that counts is on disk."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._task is not None:
            self._task.cancel()
        self.store.async_stop()

    @property
    def meter(self) -> str | None:
        """The entity of the meter; None if there is none."""
        key = self._room.meter
        if key is None:
            return None
        plant = self._room.plant
        return entity_of_point(self._hass, plant, plant.points[key])

    def cannot(self, event: KnownEvent, now: float) -> str | None:
        """Say why an event is not settled; None if it is to be."""
        if event.stopped <= event.begins:
            return "it was cancelled before it began"
        if not event.over(now):
            return "it is not over yet"
        return None

    @callback
    def _review(self) -> None:
        """Do what is due, one thing after another, beside everything else."""
        if not self._room.used or self._unsubscribe is None:
            return
        self.store.async_begin()
        if (self._task is None or self._task.done()) and self._due():
            self._task = self._room.entry.async_create_background_task(
                self._hass, self._async_work(), f"{self._room.plant.name} settlement"
            )

    def _due(self) -> list[KnownEvent]:
        now = _now()
        return [
            event
            for key, event in self._room.events.items()
            if self._wait.get(key, (0.0, 0.0))[0] <= now
            and (self._to_foresee(event, now) or self._to_settle(event, now))
        ]

    def _to_foresee(self, event: KnownEvent, now: float) -> bool:
        if event.over(now) or not event.ends > event.begins:
            return False
        said = self._baselines.get(event.key)
        if said is None or not _is_of(said, event):
            return True
        if said.final:
            return False
        made = self._made.get(event.key, 0.0)
        return now >= event.begins or hour_of(now - COMPILED) != hour_of(
            made - COMPILED
        )

    def _to_settle(self, event: KnownEvent, now: float) -> bool:
        if self.cannot(event, now) is not None:
            return False
        if self._memory.settled.get(event.key) == event.stopped:
            return self._again.get(event.key, now + 1.0) <= now
        # One that we forgot, or never heard of in time, may have been settled long
        # ago, when the recorder still knew more of it.
        return event.key in self._baselines or (
            self.store.read and event.key not in self.store.known
        )

    async def _async_work(self) -> None:
        while events := self._due():
            for event in events:
                try:
                    await self._async_do(event)
                except NoHistory as error:
                    _, waited = self._wait.get(event.key, (0.0, 0.0))
                    wait = min(max(2.0 * waited, _FIRST_RETRY), _LAST_RETRY)
                    self._wait[event.key] = _now() + wait, wait
                    if not waited:
                        LOGGER.warning(
                            "%s, %s: %s", self._room.plant.name, event.key, error
                        )
                else:
                    self._wait.pop(event.key, None)

    async def _async_do(self, event: KnownEvent) -> None:
        if self._to_foresee(event, _now()):
            await self._async_foresee(event)
        if self._to_settle(event, _now()):
            await self._async_settle(event)

    # Before and during an event.

    async def _async_foresee(self, event: KnownEvent) -> None:
        now = _now()
        trouble: NoHistory | None = None
        try:
            said = await self._async_baseline(event, now)
        except NoHistory as error:
            # Whoever sheds by it cannot wait; who settles by it can.
            trouble = error
            said = self._live(event, str(error))
        self._made[event.key] = now
        if said != self._baselines.get(event.key):
            self._baselines[event.key] = said
            await self._memory.async_save()
            self._room.baselines_changed()
        if trouble is not None:
            raise trouble

    async def _async_baseline(self, event: KnownEvent, now: float) -> EventBaseline:
        """Return the baseline of an event, as it is known now."""
        times = self._times(event)
        meter = self.meter
        if meter is None:
            found = no_baseline(times, "the plant has no meter")
        else:
            method = self._room.settings.baseline_method
            found = await self.async_baseline_of(times, meter, method, now)
        return replace(found, final=now >= event.begins)

    async def async_baseline_of(
        self, times: EventTimes, meter: str, method: str | None, now: float
    ) -> EventBaseline:
        """Return the baseline of any time. Raises `NoHistory`, ValueError."""
        zone = dt_util.get_default_time_zone()
        history = MeterHistory(self._hass, meter)
        first = hour_of(times.begins) - LOOK_BACK.total_seconds() - 2 * _DAY
        hours = await history.async_hours(first, min(now, times.ends))
        samples = await history.async_samples(times.received - LATEST, times.received)
        latest = mean_of(
            [row for row in samples if row[0] >= times.received - LATEST],
            times.received,
        )
        if latest is None and now < times.begins:
            latest = self._reading(meter)
        span = range(int((times.ends - first) // _DAY) + 2)
        start = day_of(first, zone)
        days = [start + timedelta(days=number) for number in span]
        off = await self._room.plan.days.holidays.async_days_off(days)
        # The weather of a part of an event says nothing about all of it.
        weather = await self._async_weather(
            first, times.ends if now >= times.ends else hour_of(now)
        )
        known = load_days(hours, zone, off.__contains__, self._excluded(times), weather)
        return await self._hass.async_add_executor_job(
            partial(
                event_baseline,
                times,
                without_outages(known),
                off.__contains__,
                zone,
                method=method,
                latest=latest,
            )
        )

    async def _async_weather(self, since: float, until: float) -> dict[float, Weather]:
        """Return the weather of each hour, as far as a weather station knew it."""
        plant = self._room.plant
        found = {}
        for station in plant.of_type(EquipmentType.WEATHER_STATION):
            for role in MEASURED:
                point = station.points.get(role)
                if point is None or role in found:
                    continue
                entity_id = entity_of_point(self._hass, plant, point)
                if entity_id is not None:
                    history = MeterHistory(self._hass, entity_id)
                    end = hour_of(until + HOUR - 1.0)
                    found[role] = dict(await history.async_parts(since, end))
        return weather_by_hour(found)

    def _live(self, event: KnownEvent, why: str) -> EventBaseline:
        """Return the load as it is now, where nothing else is to be had."""
        times = self._times(event)
        load = None if self.meter is None else self._reading(self.meter)
        if load is None or _now() >= event.begins:
            return self._baselines.get(event.key) or no_baseline(times, why)
        zone = dt_util.get_default_time_zone()
        found = event_baseline(times, (), lambda _day: False, zone, latest=load)
        return replace(found, why=f"{why}; the load when the event was announced")

    def _reading(self, meter: str) -> float | None:
        state = self._hass.states.get(meter)
        return None if state is None else kilowatts(state)

    def _times(self, event: KnownEvent) -> EventTimes:
        precool = self._room.settings.precool
        lead = 0.0 if precool is None else precool.lead
        return EventTimes(
            event.begins,
            event.ends,
            min(event.received or event.begins, event.begins),
            event.begins - lead,
        )

    def _excluded(self, times: EventTimes) -> Mapping[date, str]:
        """Return the days that an event touched, other than the one in question."""
        zone = dt_util.get_default_time_zone()
        found: dict[date, str] = {}
        for event in self._room.events.values():
            if event.begins == times.begins or event.stopped <= event.begins:
                continue
            if self._room.opt_of(event) == "out":
                continue
            at = event.begins
            while at < event.stopped + event.recovery:
                found[day_of(at, zone)] = "an event"
                at += HOUR
        return found

    # After it.

    async def _async_settle(self, event: KnownEvent) -> None:
        now = _now()
        said = await self._async_settled_by(event, now)
        record = await self._async_record(event, said, now)
        self._memory.settled[event.key] = event.stopped
        self._again.pop(event.key, None)
        again = event.stopped + AGAIN_AFTER
        if record.covered < WHOLE and now < again:
            self._again[event.key] = again
        await self.store.async_keep(record)
        self._room.changed()

    async def _async_settled_by(self, event: KnownEvent, now: float) -> EventBaseline:
        """Return what an event is settled by.

        That is what was held while it lasted, unless its weather says it better.
        """
        held = self._baselines.get(event.key)
        said = await self._async_baseline(event, now)
        if held is not None and held.final and said.method != WEATHER:
            return held
        self._baselines[event.key] = said
        return said

    async def _async_record(
        self, event: KnownEvent, said: EventBaseline, now: float
    ) -> EventRecord:
        room = self._room
        meter = self.meter
        opt = room.opt_of(event)
        record = EventRecord(
            plant=room.plant.key,
            event=event.key,
            event_id=_storable(event.id),
            source=_storable(event.source),
            name=_storable(event.name),
            begins=event.begins,
            ends=event.stopped,
            recovery=event.recovery,
            received=event.received,
            cancelled=event.cancelled,
            opt=opt,
            test=event.test,
            meter=meter,
            method=said.method,
            why=_storable(f"opted out; {said.why}" if opt == "out" else said.why),
            confidence=said.confidence,
            eligible=False,
            relative_error=said.relative_error,
            bias=said.bias,
            baseline_kw=None,
            requested_kw=None,
            target_kw=None,
            actual_kw=None,
            achieved_kw=None,
            shed_percent=None,
            energy_kwh=None,
            samples=0,
            covered=0.0,
            settled_at=now,
        )
        requested = room.portfolio.member.mean(event)
        if requested is None:
            requested = requested_kw(
                event.begins,
                event.stopped,
                event.signals,
                self._ramp(event.key),
                said,
                Terms(
                    room.settings.levels,
                    room.settings.prices,
                    room.settings.capacity_kw,
                ),
            )
        if meter is None or said.mean(event.begins, event.stopped) is None:
            return record
        samples = await MeterHistory(self._hass, meter).async_samples(
            event.begins, event.stopped
        )
        found = performance(
            event.begins, event.stopped, requested or 0.0, said, samples
        )
        return replace(
            record,
            eligible=found.eligible and opt == "in",
            baseline_kw=found.baseline_kw,
            requested_kw=requested,
            target_kw=found.target_kw,
            actual_kw=found.actual_kw,
            achieved_kw=found.achieved_kw,
            shed_percent=found.shed_percent,
            energy_kwh=found.energy_kwh,
            samples=found.samples,
            covered=found.covered,
        )

    def _ramp(self, key: str) -> float:
        """Return the seconds in which an event was to be reached, from the book."""
        for entry in self._room.book:
            event: Mapping[str, Any] = entry.get("event", {})
            if f"{event.get('source')}:{event.get('id')}" == key:
                return float(event.get("ramp", 0.0))
        return 0.0


def _is_of(said: EventBaseline, event: KnownEvent) -> bool:
    return (said.begins, said.ends) == (event.begins, event.ends)


def _storable(text: str) -> str:
    """Return what any database takes: PostgreSQL refuses NUL in a text."""
    return text.replace("\0", "")


def _now() -> float:
    return dt_util.utcnow().timestamp()
