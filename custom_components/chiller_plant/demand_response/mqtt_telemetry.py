"""The load and what demand response does, told over MQTT to head-ends that want it.

Home Assistant's own MQTT integration is the way to the broker; without it a plant
is the same. Samples wait here while the broker is away, because the integration's
client keeps only what it was given while it was connected; a restart does not lose
them. The topics and their contents are in docs/demand-response.md.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import voluptuous as vol

from homeassistant.core import CALLBACK_TYPE, CoreState, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..plant.reading import Quality
from .mqtt_way import async_publish, is_connected, is_set_up
from .waiting import TELEMETRY, Waiting

if TYPE_CHECKING:
    from .room import DemandResponseRoom

PREFIX = "chiller_plant"
INTERVAL = 60.0
"""Seconds between two samples where nobody said otherwise."""
MOST_HELD = 5_000
"""Samples that wait for the broker: over three days of one a minute."""
WRITTEN_EVERY = 300.0
"""Seconds that a machine without power loses of what waits; every minute would wear
out the card of a small one."""
_LOOK_EVERY = timedelta(seconds=5)
_FAREWELL = 3.0
"""Seconds in which the broker has to take that we are gone."""
_COUNT = vol.All(int, vol.Range(min=0))
_FILE = vol.Schema(
    {
        vol.Required("topic"): str,
        vol.Required("n"): _COUNT,
        vol.Required("dropped"): _COUNT,
        vol.Required("samples"): [dict],
    }
)


class MqttTelemetry:
    """What one plant tells over MQTT."""

    def __init__(self, room: DemandResponseRoom) -> None:
        """Prepare; nothing is told yet."""
        self._hass = room.hass
        self._room = room
        self._chosen: Mapping[str, Any] | None = None
        self._topic = ""
        self._held: deque[dict[str, Any]] = deque()
        self._waiting = Waiting(
            room.hass, room.entry.entry_id, TELEMETRY, self._as_dict, WRITTEN_EVERY
        )
        self._dropped = 0
        self._sequence = 0
        self._shown: tuple[object, ...] | None = None
        self._told: dict[str, Any] | None = None
        """The state that the broker has."""
        self._task: asyncio.Task[None] | None = None
        self._following: CALLBACK_TYPE | None = None
        self._timers: list[CALLBACK_TYPE] = []
        self._complained = False

    @property
    def waiting(self) -> int:
        """How many samples the broker has not been given."""
        return len(self._held)

    @property
    def dropped(self) -> int:
        """How many samples it will never be given, because too many waited."""
        return self._dropped

    async def async_start(self) -> None:
        """Tell from now on, if and as the plant's options say."""
        if (kept := await self._waiting.async_load(_FILE)) is not None:
            self._sequence, self._dropped = kept["n"], kept["dropped"]
            if self._room.settings.mqtt is not None:
                self._topic = kept["topic"]
                self._held.extend(kept["samples"][-MOST_HELD:])
        self._following = async_dispatcher_connect(
            self._hass, self._room.signal, self._changed
        )
        self._changed()

    async def async_stop(self) -> None:
        """Tell no more, and say so if the broker is there."""
        if self._following is not None:
            self._following()
        chosen, topic = self._chosen, self._end()
        if chosen is not None:
            await self._waiting.async_save()
        await self._async_leave(topic)

    @callback
    def _changed(self) -> None:
        """Follow the options, and tell at once what a head-end waits for."""
        if (chosen := self._room.settings.mqtt) != self._chosen:
            topic = self._end()
            if topic and (chosen is None or self._topic_of(chosen) != topic):
                self._in_background(self._async_leave(topic))
            if chosen is not None:
                self._begin(chosen)
            elif self._held:
                self._held.clear()
                self._waiting.async_save_soon()
        if self._chosen is None:
            return
        shown = (
            self._room.state,
            self._room.next_event(),
            self._room.attributes.get("target_kw"),
        )
        if shown != self._shown:
            self._shown = shown
            self._sample(dt_util.utcnow())

    def _begin(self, chosen: Mapping[str, Any]) -> None:
        self._chosen = chosen
        if (topic := self._topic_of(chosen)) != self._topic:
            # What waits was meant for whoever listened there.
            self._held.clear()
            self._topic = topic
        self._shown = self._told = None
        self._timers += [
            async_track_time_interval(
                self._hass,
                self._sample,
                timedelta(seconds=self._interval),
                cancel_on_shutdown=True,
            ),
            async_track_time_interval(
                self._hass, self._look, _LOOK_EVERY, cancel_on_shutdown=True
            ),
        ]

    def _end(self) -> str:
        """Stop telling; return the topic under which a farewell is due."""
        for cancel in self._timers:
            cancel()
        self._timers.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        topic = "" if self._chosen is None else self._topic
        self._chosen, self._complained = None, False
        return topic

    async def _async_leave(self, topic: str) -> None:
        if not topic or not self._connected():
            return
        gone = {**self._state(), "online": False, "at": _iso(_now())}
        await async_publish(
            self._hass, f"{topic}/state", gone, retain=True, within=_FAREWELL
        )

    def _as_dict(self) -> dict[str, Any]:
        return {
            "topic": self._topic,
            "n": self._sequence,
            "dropped": self._dropped,
            "samples": list(self._held),
        }

    @property
    def _interval(self) -> float:
        return float((self._chosen or {}).get("interval", INTERVAL))

    def _topic_of(self, chosen: Mapping[str, Any]) -> str:
        return f"{chosen.get('prefix', PREFIX)}/{self._room.plant.key}"

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._room.entry.async_create_background_task(
            self._hass, work, f"telemetry of {self._room.plant.name} over MQTT"
        )

    # What is told.

    @callback
    def _sample(self, now: datetime) -> None:
        if len(self._held) >= MOST_HELD:
            self._held.popleft()
            if not self._dropped:
                LOGGER.warning(
                    "%s: the MQTT broker has been away for so long that the oldest"
                    " samples for it are dropped",
                    self._room.plant.name,
                )
            self._dropped += 1
        self._sequence += 1
        self._held.append({**self._figures(now), "n": self._sequence})
        self._waiting.async_save_soon()
        self._send()

    def _figures(self, now: datetime) -> dict[str, Any]:
        room = self._room
        event = room.next_event()
        meter = room.meter
        power = quality = measured = None
        if meter is not None:
            reading = room.coordinator.reading(meter)
            quality = str(reading.quality)
            if reading.quality is not Quality.MISSING:
                power, measured = reading.value, _iso(reading.at)
        engine = room.attributes if room.heard else {}
        return {
            "at": _iso(now.timestamp()),
            "plant": room.plant.key,
            "power_kw": power,
            "measured_at": measured,
            "quality": quality,
            "baseline_kw": engine.get("baseline_kw"),
            "target_kw": engine.get("target_kw"),
            "available_kw": room.available_kw if room.heard else None,
            "state": room.state,
            "event": (
                event.id
                if event is not None and event.stands(now.timestamp()) == "active"
                else None
            ),
        }

    def _state(self) -> dict[str, Any]:
        room = self._room
        event = room.next_event()
        return {
            "plant": room.plant.key,
            "name": room.plant.name,
            "online": True,
            "state": room.state,
            "interval": self._interval,
            "available_kw": room.available_kw if room.heard else None,
            "event": None
            if event is None
            else {
                "id": event.id,
                "utility": event.source,
                "begins": _iso(event.begins),
                "ends": _iso(event.ends),
                "opt": room.opt_of(event),
                "test": event.test,
            },
            "dropped": self._dropped,
        }

    # How it is told.

    @callback
    def _look(self, now: datetime) -> None:
        self._send()

    @callback
    def _send(self) -> None:
        if self._task is not None and not self._task.done():
            return
        if not self._connected():
            self._told = None
            return
        if self._held or self._state() != self._told:
            self._task = self._in_background(self._async_send(self._topic))

    async def _async_send(self, topic: str) -> None:
        """Give the broker all that waits, the oldest first."""
        while self._held:
            sample = self._held[0]
            if not await async_publish(self._hass, f"{topic}/telemetry", sample):
                return
            # While the broker took it, the oldest may have been dropped.
            if self._held and self._held[0] is sample:
                self._held.popleft()
        state = self._state()
        if state != self._told and await async_publish(
            self._hass, f"{topic}/state", {**state, "at": _iso(_now())}, retain=True
        ):
            self._told = state

    def _connected(self) -> bool:
        if (
            not is_set_up(self._hass)
            and not self._complained
            and self._hass.state is CoreState.running
        ):
            self._complained = True
            LOGGER.warning(
                "%s: telemetry over MQTT is wanted, but the MQTT integration is"
                " not set up; set it up, or switch the telemetry off in the"
                " plant's options",
                self._room.plant.name,
            )
        return is_connected(self._hass)


def _now() -> float:
    return dt_util.utcnow().timestamp()


def _iso(at: float | None) -> str | None:
    if at is None:
        return None
    return (
        datetime.fromtimestamp(at, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
