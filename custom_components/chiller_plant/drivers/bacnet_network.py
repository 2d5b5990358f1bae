"""One BACnet/IP stack for everybody who speaks from the same address and port.

Two stacks on one port would share it silently and each lose the answers meant
for the other, so plants that name the same local address share one stack. It
also is the place where the bus is kept civil: one or two requests in flight
for each device, one for each network behind a router, sixteen altogether,
commands before polls. The limit is not only manners: the stack stops the event
loop for good when 257 requests to one address are outstanding.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from ipaddress import IPv4Interface
from itertools import count
import re
from typing import Any, NamedTuple

from bacpypes3.apdu import ErrorRejectAbortNack, WhoIsRequest
from bacpypes3.pdu import Address, GlobalBroadcast

from ..plant.model import BacnetConnection
from .bacnet_ears import Announcement, Ears
from .bacnet_failures import Garbled, NoAnswer, NotSent, RequestFailed, failure
from .bacnet_port import check_port, why_not
from .driver import DriverError
from .lanes import Lane, LaneFull, Lanes, Stem

_IN_FLIGHT = 16
_KEPT_FOR_COMMANDS = 2
"""Of them: dead devices that are polled must not hold up a command elsewhere."""
_MOST_POLLS_WAITING = 256
_MOST_COMMANDS_WAITING = 1024
"""For one device; more than a plant has to command there."""
_START_TIMEOUT = 3.0
# Longer than every timer in the stack: it decides that a device is silent,
# this only ends what the stack has forgotten, or an answer without end.
_REQUEST_TIMEOUT = 5.0

_ADDRESS = re.compile(
    r"\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?"
    r"|\d{1,5}:(\d{1,3}|0x([0-9a-fA-F]{2})+|\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?)"
)
_ROUTER = re.compile(r"\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?")

type Call = Callable[[Any], Awaitable[Any]]
"""What to do with the application of a stack (it comes without types)."""


class _Identity(NamedTuple):
    """What all who share a stack have to agree on."""

    interface: IPv4Interface
    instance: int
    bbmd: str | None
    bbmd_lifetime: int


def parse_address(text: str) -> Address:
    """Return `ip:port`, `ip` or `network:mac` as an address of the stack.

    Raises `ValueError` for anything else, above all for host names: the stack
    would look them up while the event loop waits.
    """
    if not _ADDRESS.fullmatch(text):
        raise ValueError(text)
    return Address(text)


def parse_station(text: str) -> tuple[Address, Address | None]:
    """Return an address as `parse_address` does, and the router that leads there.

    The router is what follows an `@`, as in `2:17@10.0.0.1`: it need not be
    found then. Raises `ValueError`.
    """
    station, behind, router = text.partition("@")
    address = parse_address(station)
    if not behind:
        return address, None
    if address.addrNet is None or not _ROUTER.fullmatch(router):
        raise ValueError(text)
    return address, Address(router)


class BacnetNetwork(Ears):
    """The stack on one local address and port, for as long as it is used."""

    def __init__(self, ip: str, port: int) -> None:
        """Prepare the network of this local address; starts nothing."""
        super().__init__()
        self._ip = ip
        self._port = port
        self._users = 0
        self._changing = asyncio.Lock()
        self._identity: _Identity | None = None
        self._stack: Any = None
        self._routers: dict[int, Address] = {}
        self._stem = Stem(_IN_FLIGHT, kept_for_commands=_KEPT_FOR_COMMANDS)
        self._lanes: dict[str, Lanes] = {}
        self._transactions: set[asyncio.Task[Any]] = set()
        self._processes: set[int] = set()

    @property
    def is_open(self) -> bool:
        """Whether the stack runs."""
        return self._stack is not None

    async def open(self, connection: BacnetConnection) -> None:
        """Start the stack unless it runs. Raise `DriverError` if it cannot.

        Every `open` that succeeds needs a `close`.
        """
        async with self._changing:
            identity = _Identity(
                IPv4Interface(connection.local_address),
                connection.instance,
                connection.bbmd,
                connection.bbmd_lifetime if connection.bbmd else 0,
            )
            if self._stack is None:
                await self._start(connection.key, identity)
                self._identity = identity
            elif identity != self._identity:
                raise DriverError(
                    f"connection {connection.key}: {self._ip}:{self._port} is already "
                    "used by another plant with another prefix, device instance or "
                    "BBMD; give both the same local_address, instance, bbmd and "
                    "bbmd_lifetime, or another local_port"
                )
            self._users += 1

    async def close(self) -> None:
        """Stop the stack when nobody uses it any more."""
        async with self._changing:
            self._users -= 1
            if self._users or self._stack is None:
                return
            stack, self._stack = self._stack, None
            await self._stop(stack)

    async def request(self, address: Address, lane: Lane, call: Call) -> Any:
        """Do `call` with the stack when it is this request's turn.

        Raises `RequestFailed`. Cancelling gives up a request that waits; one
        that is on the wire comes to its end, so that no second one overtakes
        it.
        """
        lanes = self._lanes_to(address)
        try:
            await lanes.acquire(lane)
        except LaneFull:
            raise NotSent("too many requests are waiting for it") from None
        task = asyncio.create_task(self._transact(lanes, address, call))
        self._transactions.add(task)
        task.add_done_callback(self._transactions.discard)
        answer = await asyncio.shield(task)
        if isinstance(answer, RequestFailed):
            if isinstance(answer, NoAnswer):
                await self._doubt_way(address)
            raise answer
        return answer

    def declare_router(self, network: int, router: Address) -> None:
        """Take it that this router leads to a network, until another says so."""
        self._routers[network] = router

    def diagnostics(self) -> dict[str, object]:
        """Return how it stands with what comes in, a BBMD, and routers."""
        if self._stack is None or self._identity is None:
            return {"open": False}
        application = self._stack.this_application.app
        return {
            "open": True,
            "messages_without_room": self._stack.dropped,
            "bbmd": self._identity.bbmd,
            "bbmd_trouble": self._stack.trouble,
            "routers": {
                str(network): str(router)
                for (_, network), (
                    router,
                    _,
                ) in application.nsap.router_info_cache.path_info.items()
            },
        }

    def allow(self, address: Address, in_flight: int) -> None:
        """Let a device have so many requests at a time.

        A network behind a router is never given more than one: its trunk
        carries one at a time, and routers lose what they cannot keep.
        """
        if address.addrNet is None:
            self._lanes_to(address).widen(in_flight)

    def waiting(self, address: Address) -> int:
        """Return how many requests wait for a device, or for its network."""
        lanes = self._lanes.get(_way(address))
        return 0 if lanes is None else lanes.waiting

    def take_process(self) -> int:
        """Return a number for who subscribes that nobody else here has.

        Always the lowest that is free: after a restart it is the same one, and
        what was subscribed before is renewed instead of filling a device's
        list a second time. `give_back_process` ends it.
        """
        number = next(number for number in count(1) if number not in self._processes)
        self._processes.add(number)
        return number

    def give_back_process(self, number: int) -> None:
        """Let others have the number."""
        self._processes.discard(number)

    async def who_is(
        self,
        low: int,
        high: int,
        address: Address | None = None,
        seconds: float = 3.0,
    ) -> list[Announcement]:
        """Return the devices with an instance from `low` to `high` that answer.

        Asks everybody, or only `address` (a station, or all of a network:
        `Address("2:*")`). Waits for `seconds`, or until the only device that
        is asked for has answered. One device that answers twice is returned
        once; two that claim one instance are both returned.
        """
        if self._stack is None:
            return []
        application = self._stack.this_application.app
        if not await self._find_way(application, address):
            return []
        request = WhoIsRequest(destination=address or GlobalBroadcast())
        request.deviceInstanceRangeLowLimit = low
        request.deviceInstanceRangeHighLimit = high
        only_one = low == high or (
            address is not None
            and (address.is_localstation or address.is_remotestation)
        )
        found: dict[tuple[int, Address], Announcement] = {}
        enough = asyncio.Event()

        def heard(announcement: Announcement) -> None:
            if low <= announcement.instance <= high:
                found[announcement.instance, announcement.address] = announcement
                if only_one:
                    enough.set()

        stop = self.listen_announcements(heard)
        try:
            application.request(request)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await enough.wait()
        finally:
            stop()
        return list(found.values())

    def _lanes_to(self, address: Address) -> Lanes:
        way = _way(address)
        if (lanes := self._lanes.get(way)) is None:
            lanes = self._lanes[way] = Lanes(
                most_waiting=_MOST_POLLS_WAITING,
                most_commands=_MOST_COMMANDS_WAITING,
                stem=self._stem,
            )
        return lanes

    async def _find_way(self, application: Any, address: Address | None) -> bool:
        if address is None or address.addrNet is None:
            return True
        routes = application.nsap.router_info_cache
        return bool(await routes.find(application, address.addrNet))

    async def _doubt_way(self, address: Address) -> None:
        if self._stack is not None and address.addrNet is not None:
            application = self._stack.this_application.app
            routes = application.nsap.router_info_cache
            await routes.doubt(application, address.addrNet)

    async def _transact(self, lanes: Lanes, address: Address, call: Call) -> Any:
        """Return what `call` brings, or why it failed.

        As a value, because nobody may be left to hear an exception.
        """
        try:
            return await self._send(address, call)
        except RequestFailed as error:
            return error
        except ErrorRejectAbortNack as error:
            return failure(error)
        except TimeoutError:
            return NoAnswer("no answer")
        except asyncio.CancelledError:
            # Nobody cancels a transaction but who closes the network.
            return NoAnswer("the connection was closed")
        except Exception as error:  # noqa: BLE001, what a device sends makes the stack raise anything
            return Garbled(f"an answer that makes no sense ({type(error).__name__})")
        finally:
            lanes.release()

    async def _send(self, address: Address, call: Call) -> Any:
        if self._stack is None:
            raise NotSent("the connection is closed")
        application = self._stack.this_application.app
        if not await self._find_way(application, address):
            raise NotSent(
                f"no router says that it leads to network {address.addrNet}; write "
                f"its address too, as in {address}@10.0.0.1:47808"
            )
        async with asyncio.timeout(_REQUEST_TIMEOUT):
            answer = await call(application)
        if isinstance(answer, ErrorRejectAbortNack):
            raise answer
        return answer

    async def _start(self, key: str, identity: _Identity) -> None:
        loop = asyncio.get_running_loop()
        interface = identity.interface
        try:
            await loop.run_in_executor(None, check_port, interface, self._port)
        except OSError as error:
            raise DriverError(
                f"connection {key}: {why_not(error, interface, self._port)}"
            ) from error
        try:
            stack_module = await loop.run_in_executor(
                None, import_module, ".bacnet_stack", __package__
            )
            stack = stack_module.start(
                self._ip,
                interface.network.prefixlen,
                self._port,
                identity.instance,
                routers=self._routers,
                heard_cov=self.heard_cov,
                heard_i_am=self.heard_i_am,
                lost=self.lost,
                foreign=identity.bbmd is not None,
            )
        except Exception as error:
            raise DriverError(
                f"connection {key}: BACnet could not be started on "
                f"{interface}:{self._port}: {error}"
            ) from error
        waiting = [
            task
            for link in stack.this_application.app.link_layers.values()
            for task in link.server._transport_tasks  # noqa: SLF001, the stack tells nobody
        ]
        try:
            _, pending = await asyncio.wait(waiting, timeout=_START_TIMEOUT)
        except asyncio.CancelledError:
            # Nobody else knows of it, so nobody else would close it.
            for task in waiting:
                task.cancel()
            await self._stop(stack)
            raise
        if pending:
            for task in pending:
                task.cancel()
            await self._stop(stack)
            raise DriverError(
                f"connection {key}: {interface}:{self._port} could not be opened; "
                "check local_address (with its prefix) and local_port"
            )
        if identity.bbmd is not None:
            stack.keep_registered(identity.bbmd, identity.bbmd_lifetime)
        self._stack = stack

    async def _stop(self, stack: Any) -> None:
        for task in list(self._transactions):
            task.cancel()
        await asyncio.gather(*self._transactions, return_exceptions=True)
        service = stack.this_application.app.asap
        for transaction in (*service.clientTransactions, *service.serverTransactions):
            transaction.stop_timer()
        # No device's fault, so nobody can do anything about it.
        with suppress(Exception):
            await stack._disconnect()  # noqa: SLF001, the public one is not awaited
        self._lanes.clear()
        # The sockets are closed in the next turns of the loop.
        for _ in range(3):
            await asyncio.sleep(0)


class BacnetNetworks:
    """All networks of a process, so that two plants find the same one.

    Keep one for as long as Home Assistant runs.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._networks: dict[tuple[str, int], BacnetNetwork] = {}

    def network(self, connection: BacnetConnection) -> BacnetNetwork:
        """Return the network of a connection's local address and port."""
        ip = str(IPv4Interface(connection.local_address).ip)
        return self._networks.setdefault(
            (ip, connection.local_port), BacnetNetwork(ip, connection.local_port)
        )


def _way(address: Address) -> str:
    return str(address if address.addrNet is None else address.addrNet)
