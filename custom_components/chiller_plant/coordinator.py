"""Keeps what is known of the whole plant up to date, and acts on it.

Every device is read at its own pace (`poller`), what it says is judged
(`observations`), the commander does what is to be done, and those who show a
thing that changed are told (`publisher`). One silent device makes its own
points unavailable and nothing else.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import floor, inf
from typing import override

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .bus_issues import BusIssues
from .commander import Commander, now, refusal
from .const import CONF_SOURCE, DOMAIN, LOGGER, OPERATOR, SOURCE_SIMULATED
from .counters import Counters
from .data import ChillerPlantConfigEntry
from .drivers.driver import ReadReport, Traffic
from .drivers.health import Change
from .jobs import Jobs
from .links import Links
from .observations import Observations
from .outranked import OutrankedCommands
from .plant.arbiter import Band, commandable
from .plant.command_desk import CommandDesk, CommandRefused, Notice, Request
from .plant.derived import Derivation, PlantPerformance
from .plant.model import Plant, Point, PointKey, Value
from .plant.reading import MISSING, Quality, Reading, Readings
from .plant.roles import EquipmentType, PollTier
from .poller import Poller
from .publisher import Publisher, Topic
from .silent_devices import SilentDevices
from .storage import PlantStore, QualityStore, StoredPlant

_LOOK_AGAIN = 1.0
"""Seconds after a command until its equipment is read again."""
_SOON = 0.02
"""Seconds in which what devices report by themselves is gathered."""
_CATCH_UP_AT_MOST_EACH = 0.2
"""Seconds; the first report after a while does not wait for others."""
_DERIVE_AT_MOST_EACH = 1.0
"""Seconds."""
_FIRST_READING = 20.0
"""Seconds that a plant may take until it is shown; slow devices follow."""
_SHARE_OF_INTERVAL = 0.8
"""How much of an interval a round waits for the devices that it reads."""

PERFORMANCE: Topic = ("performance",)
"""Changed figures of the plant or of a chiller."""
COUNTERS: Topic = ("counters",)
"""Run hours and starts may have changed."""


def command_topic(point: PointKey) -> Topic:
    """Return what changes with who commands a point, and how far that has got."""
    return ("command", point)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole plant, as known now.

    `readings` change in place: whoever looks at them looks at once.
    """

    readings: Readings
    performance: PlantPerformance


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """How one controller or unit behaves."""

    silent_reason: str | None
    """Why it is left out; None: it answers."""
    last_good: float | None
    """When it last sent a value, in epoch seconds."""
    points_per_second: float
    """Values that it sends, smoothed over a minute."""
    traffic: Traffic
    quality: Mapping[Quality, int]
    """How many of its points are of each quality."""


class PlantCoordinator(DataUpdateCoordinator[Snapshot]):
    """One plant: what is known of it, and what is asked of it."""

    config_entry: ChillerPlantConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ChillerPlantConfigEntry,
        plant: Plant,
        links: Links,
        tell: Callable[[Notice], None],
    ) -> None:
        """`tell` takes what happens to commands. Nothing is read yet."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=plant.name,
            update_interval=timedelta(seconds=plant.poll_interval),
        )
        self.plant = plant
        self.links = links
        self.store = PlantStore(hass, entry.entry_id, self._collect)
        self.commander = Commander(plant, links, self.store, tell)
        self.counters = Counters(plant)
        self.observations = Observations(plant)
        self.quality_store = QualityStore(
            hass, entry.entry_id, self.observations.judge.as_dict
        )
        self._jobs = Jobs(hass, entry, plant.name)
        self.poller = Poller(plant, self._async_read, self._deliver, self._jobs.spawn)
        self.silent = SilentDevices(
            plant.name, links.devices, self._jobs, self.poller.probe
        )
        """Devices that do not answer, and why."""
        self.publisher = Publisher()
        self.issues = BusIssues(hass, entry.entry_id, plant, links)
        self._derivation = Derivation(plant)
        self._derive_due = True
        self._derived_at = 0.0
        self._held = tuple(
            point for point in plant.points.values() if point.address is None
        )
        self._outranked = OutrankedCommands(
            plant, links, self.silent, self._jobs, self._async_take_outranked
        )
        self._acted_on = frozenset(
            point.key
            for point in plant.points.values()
            if commandable(point)
            or plant.equipment[point.equipment].type not in _WITHOUT_INTERLOCKS
        )
        self._heard = False
        """Whether any device ever answered."""
        self._reasons: dict[str, str] = {}
        """Why devices did not answer the first time."""
        self._traffic: Mapping[str, Traffic] | None = None
        self._look_again: set[str] = set()
        self._act_soon = False
        self._caught_up = -inf
        self._origin = hass.loop.time()

    @property
    def desk(self) -> CommandDesk:
        """Who commands what."""
        return self.commander.desk

    @override
    async def _async_setup(self) -> None:
        if (learned := await self.quality_store.async_load()) is not None:
            self.observations.judge.restore(learned)
        if (stored := await self.store.async_load()) is None:
            return
        self.commander.restore(stored["commands"])
        self.counters.restore(stored["counters"])
        if self.config_entry.data[CONF_SOURCE] == SOURCE_SIMULATED:
            await self.commander.async_recall()

    def _collect(self) -> StoredPlant:
        return {
            "commands": self.desk.as_dict(),
            "counters": self.counters.as_dict(),
        }

    @callback
    def async_start(self) -> None:
        """Go on by itself, after the first reading, until `async_shutdown`."""
        # Commands have leases whether or not anybody looks at an entity.
        self.config_entry.async_on_unload(self.async_add_listener(_nothing))
        reported = [
            point
            for tier in (PollTier.FAST, PollTier.NORMAL)
            for point in self.plant.points.values()
            if point.address is not None and point.tier is tier
        ]
        self.links.watch(reported, self._reported)
        self.links.call_when_heard(self.silent.heard)

    # --- reading

    @override
    async def _async_update_data(self) -> Snapshot:
        """Read what is due and answers, then do what is to be done."""
        if not self._heard:
            await self._async_read_all()
        else:
            moment = now()
            assured = self.links.assured
            self.observations.judge.reported(assured)
            tasks = self.poller.start_due(moment, assured, self.silent)
            await _async_wait(tasks, _SHARE_OF_INTERVAL * self.plant.poll_interval)
            self.issues.async_show(self.silent)
        moment = now()
        self._traffic = None
        self._touch(self.observations.age(moment))
        self.counters.observe(moment, self.observations.readings)
        self.publisher.touch((COUNTERS,))
        self.store.async_save_soon()
        self.quality_store.async_save_some_time()
        await self._async_act()
        self._outranked.look_at_some()
        self._derive()
        await self.publisher.async_publish()
        self._keep_pace()
        return self.data

    async def _async_read_all(self) -> None:
        """Read every point for the first time; raise if there is no plant."""
        await _async_wait(self.poller.start_all(now()), _FIRST_READING)
        self.issues.async_show(self.silent)
        if not self._heard and self.links.devices:
            reasons = dict.fromkeys(
                self.links.devices, f"no answer within {_FIRST_READING:g} s"
            )
            reasons |= self._reasons
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="nothing_answers",
                translation_placeholders={
                    "plant": self.plant.name,
                    "reasons": "; ".join(
                        f"{device}: {reason}" for device, reason in reasons.items()
                    ),
                },
            )
        self._heard = True

    @callback
    def _keep_pace(self) -> None:
        """Have the next round begin an interval after this one began.

        The base class counts from the end of a round, in whole seconds.
        """
        interval = self.plant.poll_interval
        time = self.hass.loop.time()
        rounds = floor((time - self._origin) / interval) + 1
        following = self._origin + rounds * interval
        self.update_interval = timedelta(seconds=following - int(time))

    async def async_reset_staging(self, equipment: str) -> None:
        """Count a machine's staging run hours and starts from zero again."""
        self.counters.reset_staging([equipment])
        self.store.async_save_soon()
        self.publisher.touch((COUNTERS,))
        await self.publisher.async_publish()

    async def async_update_points(self, points: Iterable[Point]) -> None:
        """Read these points again whatever their tier."""
        self.poller.again(points)
        await self.async_request_refresh()

    async def _async_read(self, device: str, points: list[Point]) -> ReadReport:
        if device in self.silent:
            await self.links.async_reopen(device)
        return await self.links.async_read_device(device, points)

    @callback
    def _deliver(self, device: str, points: list[Point], report: ReadReport) -> None:
        """Take what reading a part of a device brought."""
        moment = now()
        self._take(moment, points, report)
        reason = report.silent_devices.get(device)
        if reason is None:
            self._heard = True
            self._reasons.pop(device, None)
        else:
            self._reasons[device] = reason
        self._observe(moment, device, reason)

    @callback
    def _reported(self, report: ReadReport) -> None:
        """Take what devices report by themselves."""
        points = [self.plant.points[key] for key in report.values]
        self._take(now(), points, report)

    @callback
    def _take(self, moment: float, points: Iterable[Point], report: ReadReport) -> None:
        changed = self.observations.take(moment, points, report)
        if not changed:
            return
        self._touch(changed)
        self._act_soon = self._act_soon or not self._acted_on.isdisjoint(changed)
        if self.data is not None:
            self._catch_up_soon()

    @callback
    def _catch_up_soon(self) -> None:
        rest = self._caught_up + _CATCH_UP_AT_MOST_EACH - self.hass.loop.time()
        self._jobs.after(max(_SOON, rest), self._async_catch_up)

    async def _async_catch_up(self) -> None:
        """Act on what came in since the last round, and show it."""
        self._caught_up = self.hass.loop.time()
        if self._act_soon:
            await self._async_act()
        if now() - self._derived_at >= _DERIVE_AT_MOST_EACH:
            self._derive()
        await self.publisher.async_publish()

    # --- what is known

    @callback
    def _touch(self, points: Collection[PointKey], *, first: bool = False) -> None:
        self.publisher.touch(points, first=first)
        if not self._derive_due:
            self._derive_due = not self._derivation.inputs.isdisjoint(points)

    @callback
    def _current(self) -> Readings:
        """Return all readings, with what the integration itself holds as of now."""
        moment = now()
        held = {}
        for point in self._held:
            value = self.commander.held_value(point)
            held[point.key] = (
                MISSING if value is None else Reading(value, Quality.GOOD, moment)
            )
        self._touch(self.observations.hold(held), first=True)
        return self.observations.readings

    @callback
    def _derive(self) -> None:
        """Work out what follows from the readings, if one of them changed."""
        if not self._derive_due and self.data is not None:
            return
        self._derive_due = False
        self._derived_at = now()
        readings = self.observations.readings
        performance = self._derivation.of(readings)
        if self.data is None or performance != self.data.performance:
            self.publisher.touch((PERFORMANCE,))
            self.data = Snapshot(readings, performance)

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell those who want to know of every round, in slices as all others."""
        self.publisher.queue(update for update, _ in self._listeners.values())
        self._jobs.spawn(self.publisher.async_publish(), "publish")

    def reading(self, point: PointKey) -> Reading:
        """Return what is known of a point."""
        return self.observations.readings[point]

    def hold(self, point: Point) -> str | None:
        """Return why what is asked of a point is not done yet."""
        status = self.desk.status(point.key)
        if point.address is None or status.owner is None:
            return status.hold
        return status.hold or self.silent.get(point.address.device)

    def is_available(self, point: Point) -> bool:
        """Return whether a point has something to show."""
        if point.address is not None and point.address.device in self.silent:
            return False
        return self.reading(point.key).quality not in (Quality.MISSING, Quality.STALE)

    def device_status(self, device: str) -> DeviceStatus:
        """Return how a device (by key) behaves."""
        if self._traffic is None:
            self._traffic = self.links.traffic()
        return DeviceStatus(
            silent_reason=self.silent.get(device),
            last_good=self.observations.last_good(device),
            points_per_second=self.observations.points_per_second(now(), device),
            traffic=self._traffic.get(device) or Traffic(),
            quality=self.observations.qualities(device),
        )

    # --- devices that do not answer

    @callback
    def _observe(self, moment: float, device: str, reason: str | None) -> None:
        change = self.silent.observe(moment, device, reason, self.poller.spent(device))
        if change is None:
            return
        if change is Change.CAME_BACK:
            # Whatever it says may have changed while it was away.
            self.poller.read_all(moment, device)
        points = self.observations.points_of(device)
        self.publisher.touch(points)
        self.publisher.touch(map(command_topic, points))
        self._act_soon = True
        self._catch_up_soon()

    # --- commands

    async def async_request(self, requests: Sequence[Request]) -> None:
        """Ask for all of these values, or raise `CommandRefused` and for none."""
        self.commander.request(requests)
        await self._async_act()
        await self._async_show_commands()

    async def async_release(
        self, *, source: str | None, points: Collection[PointKey] | None = None
    ) -> tuple[PointKey, ...]:
        """Let go what a source asked for; return the points that it let go."""
        released = self.commander.release(source, points)
        await self._async_act()
        await self._async_show_commands()
        return released

    async def _async_show_commands(self) -> None:
        """Show what was commanded before whoever asked for it goes on."""
        await self.publisher.async_publish_first()
        if self.publisher.pending:
            self._catch_up_soon()

    async def async_operate(
        self, commands: Sequence[tuple[Point, Value]], context: Context | None
    ) -> None:
        """Ask for values as the person who touched an entity."""
        user = None
        if context is not None and context.user_id is not None:
            user = await self.hass.auth.async_get_user(context.user_id)
        reason = "set in Home Assistant"
        if user is not None and user.name:
            reason += f" by {user.name}"
        try:
            await self.async_request(
                [
                    Request(point.key, value, Band.OPERATOR, OPERATOR, reason)
                    for point, value in commands
                ]
            )
        except CommandRefused as refused:
            raise refusal(refused) from refused

    async def _async_act(self) -> None:
        self._act_soon = False
        written = await self.commander.async_step(self._current, self.silent)
        self._current()
        changed = map(command_topic, self.commander.drain_changed())
        self.publisher.touch(changed, first=True)
        self._show_mismatches()
        self._look_again |= {
            point.equipment for point in written if point.address is not None
        }
        if self._look_again:
            self._jobs.after(_LOOK_AGAIN, self._async_look)
        if self.commander.unfinished:
            self._act_soon = True
            self._catch_up_soon()

    async def _async_look(self) -> None:
        """Read the equipment that was just commanded, for those who watch it."""
        equipment, self._look_again = self._look_again, set()
        self.poller.hurry(
            point
            for key in equipment
            for point in self.plant.equipment[key].points.values()
            if point.address is not None and point.address.device not in self.silent
        )

    @callback
    def _show_mismatches(self) -> None:
        found = self.commander.mismatches
        self.issues.async_show_mismatches(found, self.observations.judge, self.reading)
        self._outranked.look_at_new(found)

    async def _async_take_outranked(
        self, asked: Sequence[Point], found: Mapping[PointKey, str]
    ) -> None:
        self._touch(self.observations.outranked(now(), asked, found))
        await self.publisher.async_publish()

    # --- end

    @override
    async def async_shutdown(self) -> None:
        """Stop reading and commanding; leave the plant as it is."""
        await super().async_shutdown()
        self._jobs.close()
        self.poller.close()
        await self.commander.async_stop()


_WITHOUT_INTERLOCKS = frozenset(
    {EquipmentType.ZONE, EquipmentType.METER, EquipmentType.WEATHER_STATION}
)


async def _async_wait(tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


def _nothing() -> None:
    """Listen to nothing in particular."""
