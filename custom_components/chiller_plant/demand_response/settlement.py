"""What each event is held against, and what came of it.

The baseline of an event is made as soon as it is known, anew every hour until the
event begins, and held while it lasts. When the event is over and its weather is known,
that may say better what the load would have been. The meter's readings are
held against it, once; again if they were not all written yet.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
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
from ..plant.demand_response.record import SUM, EventRecord
from ..plant.demand_response.requested import Terms, requested_kw
from ..plant.demand_response.touched import touched_days, untouched
from ..plant.hourly import HOUR, hour_of
from ..plant.roles import EquipmentType
from .event_record import event_record, with_figures
from .known_event import KEPT, KnownEvent
from .meter_history import MeterHistory, NoHistory, kilowatts, mean_of
from .performance_store import PerformanceStore
from .performance_table import DatabaseAway
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
_LONGEST = 14 * _DAY
"""Of an event and its recovery."""
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

    async def async_stop(self) -> None:
        """Let go; all that counts is on disk."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._task is not None:
            self._task.cancel()
        self.store.async_stop()
        await self._memory.async_close()

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
        self._note_who_took_part()
        self.store.async_begin()
        if (self._task is None or self._task.done()) and self._due():
            self._task = self._room.entry.async_create_background_task(
                self._hass, self._async_work(), f"{self._room.plant.name} settlement"
            )

    def _note_who_took_part(self) -> None:
        """Remember events that were acted on: their days are not ordinary ones.

        Whoever opts out later has still shed until then.
        """
        now = _now()
        took = self._memory.took
        for key, event in self._room.events.items():
            if (
                key not in took
                and event.begins - self._lead <= now < event.stopped
                and not event.test
                and self._room.settings.take_part
                and self._opt(event) == "in"
            ):
                took[key] = event.ends
                self._memory.async_save_soon()

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
        if said is None or not self._is_of(said, event):
            return True
        if said.final:
            return False
        made = self._made.get(event.key, 0.0)
        return now >= event.begins or hour_of(now - COMPILED) != hour_of(
            made - COMPILED
        )

    def _is_of(self, said: EventBaseline, event: KnownEvent) -> bool:
        """Return whether a baseline is of this time, and of what is measured now."""
        return (said.begins, said.ends, said.meter) == (
            event.begins,
            event.ends,
            self._room.meter,
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
        return replace(found, final=now >= event.begins, meter=self._room.meter)

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
        touched = await self._async_touched(first)
        known = load_days(
            untouched(hours, touched),
            zone,
            off.__contains__,
            touched_days(touched, zone),
            weather,
        )
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
        why = f"{why}; the load when the event was announced"
        return replace(found, why=why, meter=self._room.meter)

    def _reading(self, meter: str) -> float | None:
        state = self._hass.states.get(meter)
        return None if state is None else kilowatts(state)

    def _times(self, event: KnownEvent) -> EventTimes:
        return EventTimes(
            event.begins,
            event.ends,
            min(event.received or event.begins, event.begins),
            event.begins - self._lead,
        )

    @property
    def _lead(self) -> float:
        """Seconds before an event from which on it may change the load."""
        precool = self._room.settings.precool
        return 0.0 if precool is None else precool.lead

    async def _async_touched(self, since: float) -> list[tuple[float, float]]:
        """Return the times from then on in which an event changed the load."""
        room = self._room
        found = [
            (
                min(max(event.begins - self._lead, event.received), event.begins),
                event.stopped + event.recovery,
            )
            for event in room.events.values()
            if event.stopped > event.begins
            and (self._opt(event) == "in" or event.key in self._memory.took)
        ]
        try:
            # A plant that was removed and added again knows its events from here.
            kept = await self.store.async_find(since=since - _LONGEST)
        except DatabaseAway:
            kept = []
        return found + [
            (record.begins, record.ends + record.recovery)
            for record in kept
            if record.event not in room.events and record.method != SUM
        ]

    # After it.

    async def _async_settle(self, event: KnownEvent) -> None:
        now = _now()
        said = await self._async_settled_by(event, now)
        record = await self._async_record(event, said, now)
        self._memory.settled[event.key] = event.stopped
        self._memory.forget(now - KEPT)
        for kept in (self._made, self._again, self._wait):
            for key in kept.keys() - self._room.events.keys():
                del kept[key]
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
        if (
            held is not None
            and held.final
            and self._is_of(held, event)
            and said.method != WEATHER
        ):
            return held
        self._baselines[event.key] = said
        return said

    async def _async_record(
        self, event: KnownEvent, said: EventBaseline, now: float
    ) -> EventRecord:
        room = self._room
        meter = self.meter
        record = event_record(
            room.plant.key,
            event,
            said,
            meter,
            self._opt(event),
            [other for other in room.events.values() if self._shares(event, other)],
            now,
        )
        samples = None
        if meter is not None:
            samples = await MeterHistory(self._hass, meter).async_samples(
                event.begins, event.stopped
            )
        return await self._hass.async_add_executor_job(
            with_figures, record, said, self._request(event, said), samples
        )

    def _request(
        self, event: KnownEvent, said: EventBaseline
    ) -> Callable[[], float | None]:
        """Return what works out how much less was asked for, kW."""
        settings = self._room.settings
        share = self._room.portfolio.member.mean(event)
        if share is not None:
            return lambda: share
        booked = self._booked(event.key)
        return partial(
            requested_kw,
            event.begins,
            event.stopped,
            # Of a long event the engine tells only the first steps beside the book.
            booked.get("signals") or event.signals,
            float(booked.get("ramp", 0.0)),
            said,
            Terms(settings.levels, settings.prices, settings.capacity_kw),
        )

    def _booked(self, key: str) -> Mapping[str, Any]:
        """Return an event as the engine's book has it, with its ramp."""
        for entry in self._room.book:
            event: Mapping[str, Any] = entry.get("event", {})
            if f"{event.get('source')}:{event.get('id')}" == key:
                return event
        return {}

    def _opt(self, event: KnownEvent) -> str:
        """Return the answer to an event; "in" is what both sides say."""
        both = (event.opt, self._room.opt_of(event))
        return "out" if "out" in both else "in"

    def _shares(self, event: KnownEvent, other: KnownEvent) -> bool:
        """Return whether the same load may be paid for by two events."""
        return (
            other.key != event.key
            and other.stopped > other.begins
            and not other.test
            and self._opt(other) == "in"
            and other.begins < event.stopped
            and event.begins < other.stopped
        )


def _now() -> float:
    return dt_util.utcnow().timestamp()
