"""Carries out what the command desk decides, and never forgets what it did.

One at a time: orders of one step are on the wire before the next step is
taken. What is about to be owned is on the disk before it is on the wire, so
that a crash between the two leaves nothing that nobody knows of.

When Home Assistant stops, nothing is written: the plant runs on with its last
commands, owners and leases are kept, and go on when it starts again. What
nobody will look after any more (the plant is disabled or removed, a point left
the plant file) is handed back to the equipment's own controls.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from .command_refresh import CommandRefresh
from .const import DOMAIN, LOGGER
from .drivers.driver import DeviceSilent, DriverError
from .links import Links
from .plant.arbiter import checked_request, commandable
from .plant.command_desk import (
    CommandDesk,
    CommandRefused,
    CommandStatus,
    Notice,
    NoticeKind,
    Order,
    Request,
)
from .plant.model import (
    BacnetConnection,
    ModbusConnection,
    Plant,
    Point,
    PointKey,
    Value,
)
from .plant.reading import Readings
from .plant.roles import EquipmentType
from .storage import PlantStore

_ON_THEIR_OWN = (
    EquipmentType.ZONE,
    EquipmentType.SHEDDABLE_CIRCUIT,
    EquipmentType.THERMAL_STORAGE,
    EquipmentType.BATTERY,
)
"""Equipment that no machine depends on."""
_REFUSALS_KEPT = 500
_AT_A_STRETCH = 2.0
"""Seconds for which it is written to before the desk looks again."""


def now() -> float:
    """Return epoch seconds, UTC."""
    return dt_util.utcnow().timestamp()


class Commander:
    """The command desk of one plant, with hands."""

    def __init__(
        self,
        plant: Plant,
        links: Links,
        store: PlantStore,
        tell: Callable[[Notice], None],
    ) -> None:
        """`tell` takes what happens to commands. Nothing is asked for yet."""
        self._plant = plant
        self._links = links
        self._store = store
        self._tell = tell
        self._lock = asyncio.Lock()
        self._stopped = False
        self._kept: frozenset[tuple[PointKey, str | None, bool]] = frozenset()
        self._statuses: dict[PointKey, CommandStatus] = {}
        """Of the points that have anything to tell, after the last step."""
        self._changed: set[PointKey] = set()
        self._refusals: dict[tuple[str, PointKey], str] = {}
        """Why a source was last refused a point."""
        self.unfinished = False
        """Whether the last step left orders over, for the next one."""
        self._commandable = tuple(
            point for point in plant.points.values() if commandable(point)
        )
        self.desk = CommandDesk(plant)
        self.refresh = CommandRefresh(plant)
        self._refreshing = False
        self._not_refreshed: set[PointKey] = set()

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from before the restart."""
        self.desk.restore(now(), data)
        self._kept = self.desk.ownership()

    async def async_recall(self) -> None:
        """Tell simulated equipment, which forgets, what real equipment keeps."""
        for point in self.owned:
            value = self.desk.status(point.key).on_wire
            if point.address is not None and value is not None:
                await self._links.driver_of(point).write(point, value)

    def held_value(self, point: Point) -> Value | None:
        """Return the value of a point that the integration itself holds."""
        status = self.desk.status(point.key)
        return point.release if status.on_wire is None else status.on_wire

    @property
    def owned(self) -> tuple[Point, ...]:
        """The points on which something of ours is, or may be."""
        statuses = self.desk.statuses()
        return tuple(
            point
            for point in self._commandable
            if point.key in statuses and statuses[point.key].owned
        )

    @property
    def mismatches(self) -> dict[PointKey, tuple[Value | None, Value]]:
        """Written and read value of points that do not keep what was written."""
        return {
            key: (status.on_wire, status.mismatch)
            for key, status in self._statuses.items()
            if status.mismatch is not None
        }

    def drain_changed(self) -> set[PointKey]:
        """Return the points whose command status changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def request(self, requests: Sequence[Request]) -> None:
        """Take all of the requests, or raise `CommandRefused` and take none."""
        for request in requests:
            with self._told_if_refused(request):
                checked_request(self._plant, request)
        for request in requests:
            with self._told_if_refused(request):
                self.desk.request(now(), request)
            self._refusals.pop((request.source, request.point), None)

    @contextmanager
    def _told_if_refused(self, request: Request) -> Iterator[None]:
        """Tell of a refusal, once until the same source is heard or gets another."""
        try:
            yield
        except CommandRefused as refused:
            point = self._plant.points.get(request.point)
            who = (request.source, request.point)
            if point is not None and self._refusals.get(who) != refused.code:
                if len(self._refusals) >= _REFUSALS_KEPT:
                    self._refusals.clear()
                self._refusals[who] = refused.code
                self._tell(
                    Notice(
                        NoticeKind.REFUSED,
                        now(),
                        point.key,
                        point.equipment,
                        str(refused),
                        request.source,
                        self.desk.status(point.key).on_wire,
                        request.value,
                    )
                )
            raise

    def release(
        self, source: str | None, points: Collection[PointKey] | None
    ) -> tuple[PointKey, ...]:
        """Let go what a source wants; return the points that it let go."""
        return self.desk.release(now(), source=source, points=points)

    async def async_step(
        self, readings: Callable[[], Readings], silent: Collection[str]
    ) -> tuple[Point, ...]:
        """Do what is to be done now; return the points that were written.

        Nothing is sent to `silent` devices; the desk offers it again, until
        they are back.
        """
        async with self._lock:
            if self._stopped:
                return ()
            orders = [
                order
                for order in self.desk.step(now(), readings())
                if order.point.address is None
                or order.point.address.device not in silent
            ]
            await self._async_keep(orders)
            written = await self._async_carry_out_all(orders)
            if orders:
                self._store.async_save_soon()
            self._note_statuses()
        for notice in self.desk.drain_notices():
            self._tell(notice)
        return tuple(written)

    def _note_statuses(self) -> None:
        before, self._statuses = self._statuses, self.desk.statuses()
        self._changed |= before.keys() - self._statuses.keys()
        self._changed |= {
            key for key, status in self._statuses.items() if before.get(key) != status
        }

    async def _async_keep(self, orders: Sequence[Order]) -> None:
        ownership = self.desk.ownership()
        # A machine that starts or stops is protected by when it last did.
        if ownership != self._kept or any(
            order.point.role.quantity.is_boolean for order in orders
        ):
            self._kept = ownership
            await self._store.async_save_now()

    async def _async_carry_out_all(self, orders: Sequence[Order]) -> list[Point]:
        """Put orders on the wire; return the points that were written.

        Machines one after another, as the desk says. The rest after them, devices
        side by side and for a while only, so that a thousand setpoints do not
        stand before the next stop of a chiller. What is left over is offered by
        the next step, as is what a device would be asked for that has just not
        answered.
        """
        loop = asyncio.get_running_loop()
        machines: list[Order] = []
        others: dict[str, list[Order]] = {}
        for order in orders:
            point = order.point
            equipment = self._plant.equipment[point.equipment]
            if point.address is None or equipment.type not in _ON_THEIR_OWN:
                machines.append(order)
            else:
                others.setdefault(point.address.device, []).append(order)
        written: list[Point] = []
        gone: set[str] = set()

        async def carry_out(some: Sequence[Order], until: float) -> None:
            for order in some:
                if loop.time() > until:
                    self.unfinished = True
                    return
                address = order.point.address
                if address is not None and address.device in gone:
                    continue
                if await self._async_carry_out(order, gone):
                    written.append(order.point)

        self.unfinished = False
        await carry_out(machines, inf)
        until = loop.time() + _AT_A_STRETCH
        await asyncio.gather(*(carry_out(some, until) for some in others.values()))
        return written

    async def _async_carry_out(self, order: Order, gone: set[str]) -> bool:
        if (error := await self._async_failure(order, gone)) is not None:
            self.desk.failed(now(), order, error)
            return False
        self.desk.written(now(), order)
        self.refresh.wrote(now(), order.point.key)
        return True

    async def async_refresh(
        self, readings: Callable[[], Readings], silent: Collection[str]
    ) -> None:
        """Say again what devices with a watchdog would forget.

        One at a time, so that a command waits for one of them at most.
        """
        if self._refreshing:
            return
        self._refreshing = True
        failed: set[str] = set()
        try:
            for due in self.refresh.due(now(), self.desk, readings(), silent):
                point = due.point
                async with self._lock:
                    if self._stopped:
                        return
                    # Until it had its turn, all may have changed.
                    for order in self.refresh.due(
                        now(), self.desk, readings(), {*silent, *failed}, (point.key,)
                    ):
                        await self._async_say_again(order, failed)
        finally:
            self._refreshing = False

    async def _async_say_again(self, order: Order, failed: set[str]) -> None:
        """Write what is on the wire already; the desk need not know."""
        point = order.point
        if (error := await self._async_failure(order, failed)) is None:
            self.refresh.wrote(now(), point.key)
            self._not_refreshed.discard(point.key)
            return
        if point.address is not None:
            failed.add(point.address.device)
        if point.key not in self._not_refreshed:
            self._not_refreshed.add(point.key)
            LOGGER.warning(
                "%s was not written again for the watchdog of its device: %s",
                point.key,
                error,
            )

    async def _async_failure(self, order: Order, gone: set[str]) -> str | None:
        """Put an order on the wire; return why that did not succeed.

        A device that did not answer is put among those that are `gone`.
        """
        point = order.point
        if point.address is None:
            return None
        try:
            driver = self._links.driver_of(point)
            if order.value is None:
                await driver.release(point)
            else:
                await driver.write(point, order.value)
        except DriverError as error:
            if isinstance(error, DeviceSilent):
                gone.add(point.address.device)
            return str(error)
        except Exception as error:  # noqa: BLE001
            # A fault of ours must not keep the other orders off the wire.
            LOGGER.exception("%s could not be written", point.key)
            return str(error)
        return None

    async def async_stop(self) -> None:
        """Let the last order come to its end, and send no more."""
        async with self._lock:
            self._stopped = True

    async def async_leave(self, changed: Plant) -> tuple[PointKey, ...]:
        """Stop, and give back what the changed plant has no more, or elsewhere.

        What somebody wants of a point that is elsewhere now is kept, for the
        commander of the changed plant. Return the points that could not be given
        back.
        """
        # First of all: a step that waits for its turn would write again what is given
        # back and still wanted.
        await self.async_stop()
        gone = [
            point
            for point in self.owned
            if (found := changed.points.get(point.key)) is None
            or _whereabouts(self._plant, point) != _whereabouts(changed, found)
        ]
        return await self.async_hand_back(gone, still_wanted=changed.points)

    async def async_hand_back(
        self, points: Iterable[Point], *, still_wanted: Collection[PointKey] = ()
    ) -> tuple[PointKey, ...]:
        """Release these points on the wire at once; return those that failed.

        Nobody will be there to wait for pumps to run on, so the machines go
        first that others serve. Wishes are dropped but for the `still_wanted`.
        """
        async with self._lock:
            keys = {point.key for point in points}
            self.desk.release(
                now(), points=[key for key in keys if key not in still_wanted]
            )
            mine = sorted(
                (point for point in self.owned if point.key in keys), key=self._rank
            )
            failed: list[PointKey] = []
            silent: set[str] = set()
            for point in mine:
                device = "" if point.address is None else point.address.device
                order = Order(point, None, "handed back", "integration")
                if device in silent or not await self._async_carry_out(order, silent):
                    silent.add(device)
                    failed.append(point.key)
        if failed:
            LOGGER.warning(
                "%s: could not be given back, and keep what was last written: %s",
                self._plant.name,
                ", ".join(failed),
            )
        return tuple(failed)

    def _rank(self, point: Point) -> int:
        equipment = self._plant.equipment[point.equipment]
        return 0 if equipment.type is EquipmentType.CHILLER else 1


def _whereabouts(plant: Plant, point: Point) -> tuple[object, ...]:
    """Return all that decides what a write of this point ends up in."""
    address = point.address
    if address is None:
        return ()
    connection = plant.connections[address.connection]
    device = connection.devices[address.device]
    match connection:
        case BacnetConnection():
            return address, device, connection.write_priority
        case ModbusConnection():
            return address, device, connection.host, connection.port


def refusal(refused: CommandRefused) -> ServiceValidationError:
    """Return a refused request as Home Assistant tells people."""
    return ServiceValidationError(
        str(refused),
        translation_domain=DOMAIN,
        translation_key=refused.code,
        translation_placeholders=refused.placeholders,
    )
