"""Has BACnet devices report changes by themselves (SubscribeCOV).

The stack's own subscriptions end at the first renewal that fails, so ours are
kept here; when to ask is in `cov_subscriptions`. All that is sent waits its
turn behind commands and beside polls, one request a network at a time, and
nothing is sent to a device before it answered a poll.

Reports are unconfirmed: a controller that waits for our acknowledgement would
be held up when we are gone. Such a report may be lost, so it only makes a value
known sooner: the point is polled as often as one that is not reported, and what
came to this machine and found no room is read again at once. Behind a router
reports are confirmed, because routers drop what they cannot queue; their device
repeats them until they are acknowledged, so that a slower poll is enough. There
only what serves the fast tier is asked for: renewing a report costs more than a
batch of readings every half minute.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
import logging
from math import inf

from bacpypes3.apdu import SubscribeCOVRequest
from bacpypes3.primitivedata import ObjectIdentifier

from ..plant.model import BacnetAddress, Point, PointKey
from ..plant.roles import PollTier
from .bacnet_device import Device
from .bacnet_failures import NotUnderstood, Refused, RequestFailed, TooMuch
from .bacnet_network import BacnetNetwork
from .bacnet_notification import Notification
from .bacnet_read_multiple import Place
from .bacnet_values import OBJECT_TYPES, Answer
from .cov_reports import Gathering, overwrite
from .cov_subscriptions import Refusal, Subscriptions
from .driver import DeviceSilent, ReadReport
from .lanes import Lane

_LOGGER = logging.getLogger(__name__)

_LIFETIME = 600.0
"""Seconds that a device reports without being asked again. Never 0, for ever:
it would go on reporting to nobody."""
_AT_ONCE = 4
"""Requests on the wire: a quarter of what the stack lets through."""
_PACE = 0.01
"""Seconds of rest after each of them."""
_READ_AT_ONCE = 20
"""Objects that are read together once they are reported."""
_READ_ALL_AT_MOST_EACH = 5.0
"""Seconds; a machine that cannot keep up must not be given more and more to do."""
_FAREWELL = 2.0
"""Seconds for ending subscriptions; those left run out by themselves."""

_FULL = frozenset(
    {"no-space-to-add-list-element", "out-of-memory", "no-space-for-object"}
)
"""Codes of a device that has no room; of the class "resources" all others too."""
_TIERS = frozenset({PollTier.FAST, PollTier.NORMAL})
_ROUTED_TIERS = frozenset({PollTier.FAST})
"""Which points are worth a report."""

type Read = Callable[[Iterable[Point]], Awaitable[ReadReport]]
"""Reads points; never raises."""
type TakeIn = Callable[[Device, Point, Answer, ReadReport], None]
"""Puts what a device said of a point into a report."""


@dataclass(slots=True)
class _Reporter:
    """A device, and what it is to report."""

    device: Device
    subscriptions: Subscriptions
    confirmed: bool
    points: dict[Place, list[Point]] = field(default_factory=dict)
    unread: set[Place] = field(default_factory=set)
    """Reported since they were last read."""
    endings: list[Place] = field(default_factory=list)
    """Not wanted any more."""

    @property
    def is_routed(self) -> bool:
        return self.device.address.addrNet is not None

    @property
    def network(self) -> str:
        address = self.device.address
        return str(address.addrNet if self.is_routed else address)


class ChangeReports:
    """What the devices of one connection report by themselves."""

    def __init__(
        self,
        network: BacnetNetwork,
        read: Read,
        take_in: TakeIn,
        *,
        lifetime: float = _LIFETIME,
    ) -> None:
        """Ask for reports of `lifetime` seconds; sends nothing yet."""
        self._network = network
        self._read = read
        self._take_in = take_in
        self._lifetime = lifetime
        self._reporters: dict[str, _Reporter] = {}
        self._by_instance: dict[int, list[_Reporter]] = {}
        self._wanted: dict[str, dict[Place, list[Point]]] = {}
        self._process = 0
        self._closing = False
        self._stop_listening: Callable[[], None] | None = None
        self._stop_hearing_of_loss: Callable[[], None] = _nothing
        self._reading_all: asyncio.TimerHandle | None = None
        self._read_all_at = -inf
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._something: dict[str, asyncio.Event] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._latest: dict[PointKey, tuple[float, ReadReport]] = {}
        """When each point was last reported, and how."""
        self._gathering = Gathering()
        self._assured: frozenset[PointKey] | None = None
        self._assured_until = 0.0

    def open(self, devices: Iterable[Device]) -> None:
        """Begin to listen to these devices."""
        self._closing = False
        self._process = self._network.take_process()
        self._stop_listening = self._network.listen_cov(self._reported)
        self._stop_hearing_of_loss = self._network.listen_lost(self._lost)
        for device in devices:
            reporter = _Reporter(
                device,
                Subscriptions(self._lifetime),
                confirmed=device.address.addrNet is not None,
            )
            self._reporters[device.key] = reporter
            self._by_instance.setdefault(device.instance, []).append(reporter)
            self._want(reporter)

    async def close(self) -> None:
        """End what is reported as far as that takes no time. Never raises."""
        if self._stop_listening is None:
            return
        self._closing = True
        self._stop_hearing_of_loss()
        if self._reading_all is not None:
            self._reading_all.cancel()
            self._reading_all = None
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)
        self._workers.clear()
        self._gathering.tell(None)
        for reporter in self._reporters.values():
            self._end(reporter, {})
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL), asyncio.TaskGroup() as group:
                for network in self._networks():
                    group.create_task(self._end_all(network))
        self._stop_listening()
        self._stop_listening = None
        self._network.give_back_process(self._process)
        self._reporters.clear()
        self._by_instance.clear()
        self._latest.clear()
        self._assured = None

    # --- what the driver says

    def watch(
        self, points: Iterable[Point], heard: Callable[[ReadReport], None]
    ) -> None:
        """Have these points reported; see `driver.Driver.watch`."""
        self._gathering.tell(heard)
        self._wanted = {}
        keys = set()
        for point in points:
            address = point.address
            if isinstance(address, BacnetAddress):
                name = (OBJECT_TYPES[address.object_type], address.object_instance)
                device = self._wanted.setdefault(address.device, {})
                device.setdefault(name, []).append(point)
                keys.add(point.key)
        self._latest = {
            key: latest for key, latest in self._latest.items() if key in keys
        }
        for reporter in self._reporters.values():
            self._want(reporter)

    @property
    def assured(self) -> frozenset[PointKey]:
        """The points whose reports are confirmed, and that were read since they are."""
        now = _now()
        if self._assured is None or now >= self._assured_until:
            assured = []
            self._assured_until = now + self._lifetime
            for reporter in self._reporters.values():
                if not reporter.confirmed:
                    continue
                for name, until in reporter.subscriptions.live(now):
                    assured += [point.key for point in reporter.points[name]]
                    self._assured_until = min(self._assured_until, until)
            self._assured = frozenset(assured)
        return self._assured

    def subscribed(self, device: str) -> int:
        """Return how many points a device reports now."""
        if (reporter := self._reporters.get(device)) is None:
            return 0
        live = reporter.subscriptions.live(_now())
        return sum(len(reporter.points[name]) for name, _ in live)

    def announced(self, device: str) -> None:
        """Take in that a device announced itself: perhaps it was restarted."""
        if (reporter := self._reporters.get(device)) is not None:
            reporter.subscriptions.announced(_now())
            self._changed(reporter)

    def polled(
        self,
        device: str,
        began: float,
        objects: Mapping[Place, Sequence[Point]],
        report: ReadReport,
    ) -> None:
        """Take in a poll that `began` then (time of the loop).

        What was reported meanwhile is newer than what was read before it on
        the way of the poll, so it takes its place in `report`.
        """
        # What was reported before goes to who watches before what was read.
        self._gathering.hand_on()
        if (reporter := self._reporters.get(device)) is None:
            return
        now = _now()
        subscriptions = reporter.subscriptions
        if device in report.silent_devices:
            if subscriptions.answers:
                subscriptions.silent()
                reporter.unread.clear()
                self._assured = None
            return
        if not subscriptions.answers and any(
            point.key in report.values
            for points in objects.values()
            for point in points
        ):
            subscriptions.answered(now)
            self._changed(reporter)
        for name, points in objects.items():
            value = report.values.get(points[0].key)
            if subscriptions.read(now, began, name, value):
                _LOGGER.debug(
                    "%s: %s,%s has changed and was not reported", reporter.device, *name
                )
                self._changed(reporter)
            for point in points:
                if (latest := self._latest.get(point.key)) and latest[0] >= began:
                    overwrite(report, point.key, latest[1])
        self._assured = None

    # --- asking

    def _networks(self) -> dict[str, list[_Reporter]]:
        networks: dict[str, list[_Reporter]] = {}
        for reporter in self._reporters.values():
            networks.setdefault(reporter.network, []).append(reporter)
        return networks

    def _want(self, reporter: _Reporter) -> None:
        """Let a device report what is wanted of it and worth it."""
        tiers = _ROUTED_TIERS if reporter.is_routed else _TIERS
        wanted = {
            name: points
            for name, points in self._wanted.get(reporter.device.key, {}).items()
            if any(point.tier in tiers for point in points)
        }
        self._end(reporter, wanted)
        self._changed(reporter)

    def _end(
        self, reporter: _Reporter, wanted: Mapping[Place, Sequence[Point]]
    ) -> None:
        """Want these, and end the others."""
        ended = reporter.subscriptions.want(
            _now(),
            {name: rank for rank, name in enumerate(wanted)},
        )
        reporter.points = {name: list(points) for name, points in wanted.items()}
        reporter.unread &= wanted.keys()
        reporter.endings = [
            name for name in (*reporter.endings, *ended) if name not in wanted
        ]

    def _changed(self, reporter: _Reporter) -> None:
        """Let the worker of a device's network look again."""
        self._assured = None
        network = reporter.network
        if network in self._workers:
            self._something[network].set()
        elif self._stop_listening is not None and (reporter.points or reporter.endings):
            self._something[network] = asyncio.Event()
            self._workers[network] = asyncio.create_task(
                self._serve(network), name=f"BACnet reports of {network}"
            )

    async def _serve(self, network: str) -> None:
        """Ask the devices of a network for what is due, one after another."""
        something = self._something[network]
        reporters = self._networks()[network]
        while True:
            something.clear()
            now = _now()
            worked = False
            for reporter in reporters:
                if (name := reporter.subscriptions.take_due(now)) is not None:
                    await self._subscribe(reporter, name)
                elif reporter.endings and reporter.subscriptions.answers:
                    await self._unsubscribe(reporter, reporter.endings.pop(0))
                elif not reporter.unread:
                    continue
                if len(reporter.unread) >= _READ_AT_ONCE or not self._more(reporter):
                    await self._read_new(reporter)
                worked = True
            if worked:
                continue
            due = [
                due
                for reporter in reporters
                if (due := reporter.subscriptions.next_due()) is not None
            ]
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(due, default=None)):
                    await something.wait()

    def _more(self, reporter: _Reporter) -> bool:
        due = reporter.subscriptions.next_due()
        return due is not None and due <= _now()

    async def _subscribe(self, reporter: _Reporter, name: Place) -> None:
        subscriptions = reporter.subscriptions
        try:
            await self._send(
                reporter,
                SubscribeCOVRequest(
                    subscriberProcessIdentifier=self._process,
                    monitoredObjectIdentifier=ObjectIdentifier(name),
                    issueConfirmedNotifications=reporter.confirmed,
                    lifetime=max(1, round(self._lifetime)),
                    destination=reporter.device.address,
                ),
            )
        except DeviceSilent:
            if subscriptions.failed(_now(), name):
                reporter.unread.add(name)
        except RequestFailed as error:
            refusal = _refusal(error)
            if refusal is None:
                subscriptions.failed(_now(), name)
            elif refusal is Refusal.OBJECT and reporter.confirmed:
                # Perhaps it is only the acknowledgement that it cannot do.
                reporter.confirmed = False
                subscriptions.retry(_now(), name)
            else:
                _LOGGER.debug(
                    "%s does not report %s,%s: %s", reporter.device, *name, error.reason
                )
                subscriptions.refused(_now(), name, refusal)
        else:
            if subscriptions.granted(_now(), name):
                reporter.unread.add(name)
        self._assured = None

    async def _unsubscribe(self, reporter: _Reporter, name: Place) -> None:
        # It runs out by itself where it cannot be ended.
        with suppress(DeviceSilent, RequestFailed):
            await self._send(
                reporter,
                SubscribeCOVRequest(
                    subscriberProcessIdentifier=self._process,
                    monitoredObjectIdentifier=ObjectIdentifier(name),
                    destination=reporter.device.address,
                ),
            )

    async def _end_all(self, network: str) -> None:
        for reporter in self._networks()[network]:
            while reporter.endings and reporter.subscriptions.answers:
                await self._unsubscribe(reporter, reporter.endings.pop(0))

    async def _send(self, reporter: _Reporter, request: SubscribeCOVRequest) -> None:
        async with self._turn:
            began = _now()
            try:
                await reporter.device.ask(
                    lambda application: application.request(request), Lane.POLL
                )
            finally:
                took = _now() - began
            if self._closing:
                return
            await asyncio.sleep(_PACE)
        # Half of a slow network is left to the polls.
        await asyncio.sleep(max(0, took - _PACE))

    async def _read_new(self, reporter: _Reporter) -> None:
        """Read what is reported now: a first report is not sure to come."""
        names, reporter.unread = reporter.unread, set()
        points = [point for name in names for point in reporter.points.get(name, ())]
        if points:
            self._gathering.add(await self._read(points))

    # --- hearing

    def _lost(self) -> None:
        """Read all that is reported: nobody knows whose report had no room."""
        if self._reading_all is None:
            self._reading_all = asyncio.get_running_loop().call_at(
                max(_now(), self._read_all_at + _READ_ALL_AT_MOST_EACH), self._read_all
            )

    def _read_all(self) -> None:
        self._reading_all = None
        self._read_all_at = _now()
        for reporter in self._reporters.values():
            live = reporter.subscriptions.live(self._read_all_at)
            reporter.unread.update(name for name, _ in live)
            if reporter.unread:
                self._changed(reporter)

    def _reported(self, notification: Notification) -> bool:
        """Take in a notification; return whether we asked for it."""
        if notification.process != self._process:
            return False
        for reporter in self._by_instance.get(notification.device, ()):
            if reporter.device.address == notification.source:
                if not reporter.subscriptions.is_ours(notification.place):
                    return False
                self._take(reporter, notification)
                return True
        return False

    def _take(self, reporter: _Reporter, notification: Notification) -> None:
        now = _now()
        name = notification.place
        points = reporter.points[name]
        report = ReadReport()
        if notification.answer is not None:
            for point in points:
                self._take_in(reporter.device, point, notification.answer, report)
        if reporter.subscriptions.reported(
            now, name, report.values.get(points[0].key), notification.remaining
        ):
            self._changed(reporter)
        for key in (*report.values, *report.failures):
            self._latest[key] = now, report
        self._gathering.add(report)


def _refusal(error: RequestFailed) -> Refusal | None:
    """Return what was refused; None: nothing was, it did not work this time."""
    if isinstance(error, NotUnderstood):
        return Refusal.SERVICE
    if isinstance(error, TooMuch):
        return Refusal.FULL
    if not isinstance(error, Refused):
        return None
    if error.code in _FULL or "(resources," in error.reason:
        return Refusal.FULL
    return Refusal.OBJECT


def _nothing() -> None:
    """Be called where there is nothing to end."""


def _now() -> float:
    return asyncio.get_running_loop().time()
