"""Where demand response of one plant comes together inside Home Assistant.

The control engine runs the connections and the measures, and keeps nothing. The
event book, the answers of people, and what is settled are kept here; the engine
fetches them, and tells what it makes of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..actions import async_report_demand_response
from ..const import DOMAIN, LOGGER
from ..plant.model import Plant, PointKey
from ..plant.roles import EquipmentType
from ..revision import revision_of
from .for_engine import for_engine
from .forecast import Forecast
from .kept_reports import KeptReports
from .known_event import KEPT, NO_ENGINE, OFF, KnownEvent, OptDecision
from .measures import measures
from .memory import Memory
from .mqtt_telemetry import MqttTelemetry
from .portfolio import Portfolio
from .settings import (
    CONF_DEMAND_RESPONSE,
    EVENT_CHANGED,
    Connection,
    DemandResponseSettings,
    likeliest_meter,
    read_connections,
    read_settings,
)
from .settlement import Settlement
from .troubles import Troubles

if TYPE_CHECKING:
    from ..coordinator import PlantCoordinator
    from ..plan import PlanRoom

DEMAND_RESPONSE = "demand_response"
"""What the engine watch knows the engine's part in it by."""
NAME = "Demand response"
SILENT_AFTER = 60.0
"""Seconds without a report after which nobody is believed to run it."""
LOOK_EVERY = timedelta(seconds=10)
MOST_KEPT = 300
LEARNT = 0.1
"""Share by which a circuit's power must differ from what is known of it."""


class DemandResponseRoom:
    """Settings, connections, events, answers and baselines of one plant."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        plant: Plant,
        plan: PlanRoom,
        coordinator: PlantCoordinator,
    ) -> None:
        """Prepare; nothing is read yet."""
        self.hass = hass
        self.entry = entry
        self.plant = plant
        self.plan = plan
        self.coordinator = coordinator
        self.signal = f"{DOMAIN}_{entry.entry_id}_demand_response"
        """Sent whenever anything here changed."""
        self.event_signal = f"{self.signal}_event"
        """Sent with (what, event): `announced`, `changed` or `over`."""
        self.settings: DemandResponseSettings = read_settings(entry, plant)
        self.connections: tuple[Connection, ...] = read_connections(entry)
        self.reported_state: str | None = None
        self.attributes: dict[str, Any] = {}
        self.connection_health: dict[str, dict[str, Any]] = {}
        """What the engine last said of each connection, by its id."""
        self.available_kw: float | None = None
        self.missing: list[str] = []
        """Packages that the engine does not have."""
        self.baselines: dict[str, Any] = {}
        self.memory = Memory(hass, entry.entry_id)
        self.kept_reports = KeptReports(self)
        self.settlement = Settlement(self)
        self.troubles = Troubles(self)
        self.telemetry = MqttTelemetry(self)
        self.portfolio = Portfolio(self)
        self.forecast = Forecast(self)
        self._heard: float | None = None
        self._announced: str | None = None
        self._stood: dict[str, str] = {}
        self._unsubscribe: list[CALLBACK_TYPE] = []

    async def async_start(self) -> None:
        """Read what was kept, and watch the world from now on."""
        if (damage := await self.memory.async_load()) is not None:
            LOGGER.error(
                "%s: what was kept of demand response is unreadable (%s); it was set"
                " aside, and events are known again when the utility tells of them",
                self.plant.name,
                damage,
            )
            self.troubles.damaged(damage, self.memory.aside)
        await self.kept_reports.async_load()
        await self.portfolio.async_start()
        now = _now()
        self._stood = {key: item.stands(now) for key, item in self.events.items()}
        self._awaited()
        self._unsubscribe += [
            async_track_time_interval(
                self.hass, self._look, LOOK_EVERY, cancel_on_shutdown=True
            ),
            async_dispatcher_connect(
                self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
            ),
            self.forecast.async_start(),
        ]
        await self.settlement.async_start()
        await self.telemetry.async_start()

    async def async_stop(self) -> None:
        """Stop watching, and write what is still to be written."""
        await self.portfolio.async_stop()
        await self.telemetry.async_stop()
        await self.kept_reports.async_save()
        await self.settlement.async_stop()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        self.troubles.clear()
        if not self.used:
            return
        try:
            await self.memory.async_save()
        except OSError as error:
            LOGGER.error("%s: %s", self.plant.name, error)

    # What is known.

    @property
    def used(self) -> bool:
        """Whether this plant has anything to do with demand response."""
        return bool(
            self.settings.configured
            or self.connections
            or self.events
            or self.portfolio.used
        )

    @property
    def book(self) -> list[dict[str, Any]]:
        """The engine's event book, as it last kept it."""
        return self.memory.book

    @property
    def events(self) -> dict[str, KnownEvent]:
        """The events by key, those of the last year too."""
        return self.memory.events

    @property
    def decisions(self) -> dict[str, OptDecision]:
        """What people answered, by the key of the event."""
        return self.memory.decisions

    @property
    def meter(self) -> PointKey | None:
        """The point that measures the load, kW."""
        return self.settings.meter or likeliest_meter(self.plant)

    @property
    def heard(self) -> bool:
        """Whether the engine told of itself lately."""
        return self._heard is not None and _now() - self._heard <= SILENT_AFTER

    @property
    def state(self) -> str:
        """What demand response does now: one of `known_event.STATES`."""
        if not self.settings.take_part:
            return OFF
        if not self.heard or self.reported_state is None:
            return NO_ENGINE
        return self.reported_state

    def opt_of(self, event: KnownEvent) -> str:
        """Return the answer to an event: a person's counts before the engine knows."""
        decision = self.decisions.get(event.key)
        return event.opt if decision is None else decision.opt

    def next_event(self) -> KnownEvent | None:
        """Return the event that runs or comes next and is taken part in."""
        now = _now()
        coming = [
            event
            for event in self.events.values()
            if event.stands(now) in ("far", "near", "active")
            and self.opt_of(event) == "in"
        ]
        return min(coming, key=lambda event: event.begins, default=None)

    def measures(self) -> list[dict[str, Any]]:
        """Return what may be done, as the engine gets it."""
        return measures(self.plant, self.settings, self.memory.powers)

    def as_dict(self) -> dict[str, Any]:
        """Return all that the engine needs, secrets included."""
        return {
            **for_engine(self, _now()),
            "revision": self.revision,
            "book": self.book,
            "resume": self.memory.resume,
        }

    @property
    def revision(self) -> str:
        """Changes whenever anything that people or settlement decide does."""
        return revision_of(for_engine(self, _now()))

    def diagnostics(self) -> dict[str, Any]:
        """Return what somebody who searches a fault wants to see; holds secrets."""
        return {
            **for_engine(self, _now()),
            "state": self.state,
            "attributes": self.attributes,
            "health": list(self.connection_health.values()),
            "missing": self.missing,
            "events": [event.as_dict() for event in self.events.values()],
        }

    # What the engine says.

    async def async_keep_book(self, book: list[dict[str, Any]]) -> None:
        """Return when the engine's event book is on disk."""
        before, self.memory.book = self.memory.book, book
        try:
            await self.memory.async_save()
        except OSError as error:
            self.memory.book = before
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="book_not_kept",
                translation_placeholders={"error": str(error)},
            ) from error

    @callback
    def take(self, report: Mapping[str, Any]) -> None:
        """Take what the engine tells (see `parse_report`)."""
        self._heard = _now()
        self.reported_state = report["state"]
        self.attributes = dict(report["attributes"])
        self.available_kw = report["available_kw"]
        self.connection_health = {row["id"]: row for row in report["connections"]}
        self.missing = list(report["missing"])
        keep = report["resume"] != self.memory.resume
        self.memory.resume = report["resume"]
        for row in report["events"]:
            keep |= self._take_event(KnownEvent(**row))
        for action in report["actions"]:
            async_report_demand_response(self.hass, self.plan, action)
            if action["event"] == "event_refused":
                self.troubles.refused(action)
        if keep:
            self.memory.async_save_soon()
        self.plan.engine.reported(
            DEMAND_RESPONSE, NAME, report["state"], self.attributes
        )
        self._look_at_events()
        self.portfolio.look(self._heard)
        self.changed()

    def _take_event(self, event: KnownEvent) -> bool:
        before = self.events.get(event.key)
        self.events[event.key] = event
        if before is None:
            self.troubles.accepted(event.key)
            self._tell("announced", event)
        elif (before.begins, before.ends, before.cancelled, before.signals) != (
            event.begins,
            event.ends,
            event.cancelled,
            event.signals,
        ):
            self.troubles.accepted(event.key)
            self._tell("changed", event)
        return before != event

    # What people decide.

    async def async_opt(self, key: str, opt: str, why: str, by: str) -> KnownEvent:
        """Take part in an event or not; on disk before it counts.

        Raises ServiceValidationError with the reason.
        """
        event = self.events.get(key)
        if event is None:
            raise _refused("unknown_event", event=key, plant=self.plant.name)
        if event.over(_now()):
            raise _refused("event_over", event=event.name or event.id)
        if opt == "in" and not self.settings.take_part:
            raise _refused("takes_no_part", plant=self.plant.name)
        before = self.decisions.get(key)
        self.decisions[key] = OptDecision(opt, why, by, _now())
        try:
            await self.memory.async_save()
        except OSError as error:
            if before is None:
                del self.decisions[key]
            else:
                self.decisions[key] = before
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="decision_not_kept",
                translation_placeholders={"error": str(error)},
            ) from error
        because = f": {why}" if why else ""
        async_report_demand_response(
            self.hass,
            self.plan,
            {
                "event": f"event_opted_{opt}",
                "reason": f"{event.name or event.id}: opted {opt} by {by}{because}",
                "at": _now(),
                "grid_event": key,
                "source": by,
            },
        )
        self.portfolio.look(_now())
        self.changed()
        return event

    @callback
    def take_part(self, wanted: bool) -> None:
        """Take part in demand response at all, or not."""
        options = self.entry.options
        self.hass.config_entries.async_update_entry(
            self.entry,
            options={
                **options,
                CONF_DEMAND_RESPONSE: {
                    **options.get(CONF_DEMAND_RESPONSE, {}),
                    "take_part": wanted,
                },
            },
        )

    # What changes.

    @callback
    def async_ready(self) -> None:
        """Tell the engine that the plant is loaded."""
        self._announced = None
        self.changed()

    @callback
    def changed(self) -> None:
        """Show it, and tell the engine if there is something to fetch."""
        async_dispatcher_send(self.hass, self.signal)
        revision = self.revision
        if revision == self._announced:
            return
        self._announced = revision
        self.hass.bus.async_fire(
            EVENT_CHANGED,
            {
                "entry_id": self.entry.entry_id,
                "plant": self.plant.key,
                "revision": revision,
            },
        )

    baselines_changed = changed

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.entry_id != self.entry.entry_id:
            return
        settings = read_settings(entry, self.plant)
        connections = read_connections(entry)
        if (settings, connections) == (self.settings, self.connections):
            return
        self.settings, self.connections = settings, connections
        self.portfolio.look(_now())
        self.sources_changed()
        self.changed()

    @callback
    def sources_changed(self) -> None:
        """Have the events of a connection that is gone be over: nobody may end them."""
        self._awaited()
        utilities = {connection.name for connection in self.connections}
        if (portfolio := self.portfolio.member.source) is not None:
            utilities.add(portfolio)
        now = _now()
        for key, event in self.events.items():
            if event.source not in utilities and not event.over(now):
                self.events[key] = replace(event, cancelled=now)
                self.memory.async_save_soon()

    @callback
    def _awaited(self) -> None:
        """Have the engine missed where it has something to do."""
        wanted = self.connections or self.portfolio.used
        if wanted and self.settings.take_part:
            self.plan.besides[DEMAND_RESPONSE] = NAME
        else:
            self.plan.besides.pop(DEMAND_RESPONSE, None)

    @callback
    def _look(self, moment: datetime) -> None:
        if not self.used:
            return
        self._learn()
        self._look_at_events()
        self.portfolio.look(moment.timestamp())
        self.forecast.look(moment.timestamp())
        self.troubles.look(moment.timestamp())
        self.changed()

    @callback
    def _learn(self) -> None:
        """Remember what circuits take while they run."""
        for circuit in self.plant.of_type(EquipmentType.SHEDDABLE_CIRCUIT):
            power = circuit.points.get("power")
            if power is None or "power" in circuit.ratings:
                continue
            value = self.coordinator.reading(power.key).good
            known = self.memory.powers.get(circuit.key, 0.0)
            if (
                isinstance(value, float)
                and value > 0.0
                and abs(value - known) > LEARNT * max(value, known)
            ):
                self.memory.powers[circuit.key] = round(value, 2)
                self.memory.async_save_soon()

    @callback
    def _look_at_events(self) -> None:
        """Notice what the clock alone brings about, and forget what is long over."""
        now = _now()
        for key, event in list(self.events.items()):
            if event.stopped + event.recovery + KEPT < now:
                self._forget(key)
        if len(self.events) > MOST_KEPT:
            oldest = sorted(self.events.values(), key=lambda event: event.stopped)
            for event in oldest[: len(self.events) - MOST_KEPT]:
                self._forget(event.key)
        for key, event in self.events.items():
            stands, stood = event.stands(now), self._stood.get(key)
            self._stood[key] = stands
            if stands != stood and event.over(now):
                self._tell("over", event)

    def _forget(self, key: str) -> None:
        for kept in (self.events, self.decisions, self.baselines, self._stood):
            kept.pop(key, None)
        self.portfolio.member.forget(key)

    @callback
    def _tell(self, what: str, event: KnownEvent) -> None:
        async_dispatcher_send(self.hass, self.event_signal, what, event)


def _now() -> float:
    return dt_util.utcnow().timestamp()


def _refused(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
