"""Reads the whole plant into one snapshot, and lets the commander act on it.

One silent device makes its own points unavailable and nothing else; it is
probed apart, so that the others are not read later because of it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import override

from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from . import issues
from .commander import Commander, now
from .const import CONF_SOURCE, DOMAIN, LOGGER, OPERATOR, SOURCE_SIMULATED
from .counters import Counters
from .data import ChillerPlantConfigEntry
from .drivers.driver import ReadReport
from .drivers.health import Change, Health
from .links import Links
from .plant.arbiter import Band
from .plant.command_desk import CommandDesk, CommandRefused, Notice, Request
from .plant.derived import PlantPerformance, derive
from .plant.model import Plant, Point, PointKey, Value
from .plant.quality import judge
from .plant.reading import MISSING, Quality, Reading, Readings
from .storage import PlantStore, StoredPlant

_LOOK_AGAIN = 1.0
"""Seconds after a command until its equipment is read again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole plant, as last read."""

    readings: Readings
    performance: PlantPerformance


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
        self.health = Health(links.devices)
        self.silent: dict[str, str] = {}
        """Devices that do not answer, and why."""
        self._readings: Readings = dict.fromkeys(plant.points, MISSING)
        self._on_wire = tuple(
            point for point in plant.points.values() if point.address is not None
        )
        self._held = tuple(
            point for point in plant.points.values() if point.address is None
        )
        self._heard = False
        """Whether any device ever answered."""
        self._probing: set[str] = set()
        self._mismatches: set[PointKey] = set()
        self._look_again: set[str] = set()
        self._cancel_look: CALLBACK_TYPE | None = None

    @property
    def desk(self) -> CommandDesk:
        """Who commands what."""
        return self.commander.desk

    @override
    async def _async_setup(self) -> None:
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

    # --- reading

    @override
    async def _async_update_data(self) -> Snapshot:
        """Read everything that answers, then do what is to be done."""
        asked = self.links.devices.keys() - self.health.silent
        report = await self.links.async_read(self._points_of_devices(asked))
        moment = now()
        for device in asked:
            self._observe(moment, device, report.silent_devices.get(device))
        silent = report.silent_devices
        if not self._heard and silent and len(silent) == len(self.links.devices):
            self._raise_not_ready(report)
        self._heard = True
        self._take(report, self._on_wire)
        for device in self.health.probes_due(moment):
            self._start_probe(device)
        self.counters.observe(moment, self._readings)
        self.store.async_save_soon()
        await self._async_act()
        return self._snapshot()

    def _raise_not_ready(self, report: ReadReport) -> None:
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="nothing_answers",
            translation_placeholders={
                "plant": self.plant.name,
                "reasons": "; ".join(
                    f"{device}: {reason}"
                    for device, reason in report.silent_devices.items()
                ),
            },
        )

    def _points_of_devices(self, devices: Collection[str]) -> list[Point]:
        return [
            point
            for point in self._on_wire
            if point.address is not None and point.address.device in devices
        ]

    @callback
    def _take(self, report: ReadReport, points: Iterable[Point]) -> None:
        """Judge what was read of these points, or was not."""
        moment = now()
        readings = dict(self._readings)
        for point in points:
            readings[point.key] = judge(
                point,
                report.values.get(point.key),
                readings[point.key],
                moment,
                self.plant.poll_interval,
            )
        self._readings = readings

    @callback
    def _snapshot(self) -> Snapshot:
        moment = now()
        held: dict[PointKey, Reading] = {}
        for point in self._held:
            value = self.commander.held_value(point)
            held[point.key] = (
                MISSING if value is None else Reading(value, Quality.GOOD, moment)
            )
        self._readings = {**self._readings, **held}
        return Snapshot(self._readings, derive(self.plant, self._readings))

    @callback
    def _publish(self) -> None:
        """Show what is known now, without waiting for the next full reading."""
        self.data = self._snapshot()
        self.async_update_listeners()

    def reading(self, point: PointKey) -> Reading:
        """Return what is known of a point."""
        return self.data.readings[point]

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
        return self.reading(point.key).quality in (Quality.GOOD, Quality.OUT_OF_RANGE)

    # --- devices that do not answer

    @callback
    def _observe(self, moment: float, device: str, reason: str | None) -> None:
        change = self.health.observe(moment, device, answered=reason is None)
        if change is Change.WENT_SILENT:
            self.silent[device] = str(reason)
            LOGGER.warning(
                "%s: %s does not answer and is left out until it does: %s",
                self.plant.name,
                device,
                reason,
            )
            issues.raise_silent_device(
                self.hass, self.config_entry.entry_id, self.plant, device, str(reason)
            )
        elif change is Change.CAME_BACK:
            self.silent.pop(device, None)
            LOGGER.info("%s: %s answers again", self.plant.name, device)
            issues.clear_silent_device(self.hass, self.config_entry.entry_id, device)

    @callback
    def _start_probe(self, device: str) -> None:
        if device in self._probing:
            return
        self._probing.add(device)
        self.config_entry.async_create_background_task(
            self.hass, self._async_probe(device), f"{self.name} probe {device}"
        )

    async def _async_probe(self, device: str) -> None:
        """Ask a silent device for one point, and for all if it answers."""
        try:
            if self.links.devices[device] in self.links.closed:
                await self.links.async_open()
            points = self._points_of_devices((device,))
            report = await self.links.async_read(points[:1])
            self._observe(now(), device, report.silent_devices.get(device))
            if device in self.silent:
                return
            self._take(await self.links.async_read(points), points)
            await self._async_act()
            self._publish()
        finally:
            self._probing.discard(device)

    # --- commands

    async def async_request(self, requests: Sequence[Request]) -> None:
        """Ask for all of these values, or raise `CommandRefused` and for none."""
        self.commander.request(requests)
        await self._async_act()
        self._publish()

    async def async_release(
        self, *, source: str | None, points: Collection[PointKey] | None = None
    ) -> tuple[PointKey, ...]:
        """Let go what a source asked for; return the points that it let go."""
        released = self.commander.release(source, points)
        await self._async_act()
        self._publish()
        return released

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
        written = await self.commander.async_step(self._current, self.silent)
        self._show_mismatches()
        self._look_again |= {
            point.equipment for point in written if point.address is not None
        }
        if self._look_again and self._cancel_look is None:
            self._cancel_look = async_call_later(
                self.hass, _LOOK_AGAIN, self._async_look
            )

    def _current(self) -> Readings:
        return self._snapshot().readings

    async def _async_look(self, _moment: datetime) -> None:
        """Read the equipment that was just commanded, for those who watch it."""
        self._cancel_look = None
        points = [
            point for point in self._on_wire if point.equipment in self._look_again
        ]
        self._look_again.clear()
        points = [
            point
            for point in points
            if point.address is not None and point.address.device not in self.silent
        ]
        report = await self.links.async_read(points)
        # What was not heard this time is the poll's to judge.
        self._take(report, [point for point in points if point.key in report.values])
        await self._async_act()
        self._publish()

    @callback
    def _show_mismatches(self) -> None:
        entry_id = self.config_entry.entry_id
        found = self.commander.mismatches
        for key in self._mismatches - found.keys():
            issues.clear_mismatch(self.hass, entry_id, key)
        for key in found.keys() - self._mismatches:
            wanted, read = found[key]
            issues.raise_mismatch(
                self.hass, entry_id, self.plant, self.plant.points[key], wanted, read
            )
        self._mismatches = set(found)

    # --- end

    @override
    async def async_shutdown(self) -> None:
        """Stop reading and commanding; leave the plant as it is."""
        await super().async_shutdown()
        if self._cancel_look is not None:
            self._cancel_look()
            self._cancel_look = None
        await self.commander.async_stop()


def refusal(refused: CommandRefused) -> ServiceValidationError:
    """Return a refused request as Home Assistant tells people."""
    return ServiceValidationError(
        str(refused),
        translation_domain=DOMAIN,
        translation_key=refused.code,
        translation_placeholders=refused.placeholders,
    )
