"""One BACnet/IP stack for everybody who speaks from the same address and port.

Two stacks on one port would share it silently and each lose the answers meant
for the other, so plants that name the same local address share one stack. It
also is the place where the bus is kept civil: one request in flight for each
device (or for each network behind a router), sixteen altogether, commands
before polls. The limit is not only manners: the stack stops the event loop
for good when 257 requests to one address are outstanding.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
import errno
from importlib import import_module
from ipaddress import IPv4Interface
import re
import socket
from typing import Any

from bacpypes3.apdu import (
    AbortPDU,
    AbortReason,
    ErrorPDU,
    ErrorRejectAbortNack,
    RejectReason,
    WhoIsRequest,
)
from bacpypes3.pdu import Address, GlobalBroadcast

from ..plant.model import BacnetConnection
from .driver import DriverError
from .lanes import Lane, LaneFull, Lanes

_IN_FLIGHT = 16
_START_TIMEOUT = 3.0
# Longer than every timer in the stack: it decides that a device is silent,
# this only ends what the stack has forgotten.
_REQUEST_TIMEOUT = 5.0

_ADDRESS = re.compile(
    r"\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?"
    r"|\d{1,5}:(\d{1,3}|0x([0-9a-fA-F]{2})+|\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?)"
)

type Call = Callable[[Any], Awaitable[Any]]
"""What to do with the application of a stack (it comes without types)."""


class RequestFailed(Exception):
    """A request did not bring what it was sent for; `reason` is for people."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class NoAnswer(RequestFailed):
    """Nothing came back within the time."""


class TooMuch(RequestFailed):
    """The answer would be too long for the device, or for the way to us."""


class NotUnderstood(RequestFailed):
    """The device does not know this kind of request."""


class Busy(RequestFailed):
    """The device gave up for now."""


class Refused(RequestFailed):
    """The device answered with an error of BACnet; `code` is its name."""

    def __init__(self, reason: str, code: str) -> None:
        """Keep the code too."""
        super().__init__(reason)
        self.code = code


class Garbled(RequestFailed):
    """The answer makes no sense."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a device says of itself when it is asked who is there (I-Am)."""

    instance: int
    address: Address
    vendor: int
    longest_apdu: int
    """Octets that it takes in one message."""
    segmentation: str
    """`segmented-both`, `segmented-transmit`, `segmented-receive` or
    `no-segmentation`."""


def parse_address(text: str) -> Address:
    """Return `ip:port`, `ip` or `network:mac` as an address of the stack.

    Raises `ValueError` for anything else, above all for host names: the stack
    would look them up while the event loop waits.
    """
    if not _ADDRESS.fullmatch(text):
        raise ValueError(text)
    return Address(text)


class BacnetNetwork:
    """The stack on one local address and port, for as long as it is used."""

    def __init__(self, ip: str, port: int) -> None:
        """Prepare the network of this local address; starts nothing."""
        self._ip = ip
        self._port = port
        self._users = 0
        self._changing = asyncio.Lock()
        self._identity: tuple[IPv4Interface, int] | None = None
        self._stack: Any = None
        self._in_flight = Lanes(_IN_FLIGHT)
        self._lanes: dict[str, Lanes] = {}
        self._transactions: set[asyncio.Task[Any]] = set()
        self._hear_cov: list[Callable[[Any], bool]] = []
        self._hear_announcement: list[Callable[[Announcement], None]] = []

    @property
    def is_open(self) -> bool:
        """Whether the stack runs."""
        return self._stack is not None

    async def open(self, connection: BacnetConnection) -> None:
        """Start the stack unless it runs. Raise `DriverError` if it cannot.

        Every `open` that succeeds needs a `close`.
        """
        async with self._changing:
            identity = (IPv4Interface(connection.local_address), connection.instance)
            if self._stack is None:
                await self._start(connection.key, *identity)
                self._identity = identity
            elif identity != self._identity:
                raise DriverError(
                    f"connection {connection.key}: {self._ip}:{self._port} is already "
                    "used by another plant with another prefix or device instance; "
                    "give both the same local_address and instance, or another "
                    "local_port"
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
        device = self._lanes.setdefault(
            str(address.addrNet or address), Lanes(most_waiting=64)
        )
        try:
            await device.acquire(lane)
        except LaneFull:
            raise NoAnswer("too many requests are waiting for it") from None
        try:
            await self._in_flight.acquire(lane)
        except LaneFull:
            device.release()
            raise NoAnswer("too many requests are waiting for the network") from None
        except asyncio.CancelledError:
            device.release()
            raise
        task = asyncio.create_task(self._transact(device, call))
        self._transactions.add(task)
        task.add_done_callback(self._transactions.discard)
        answer = await asyncio.shield(task)
        if isinstance(answer, RequestFailed):
            raise answer
        return answer

    def listen_cov(self, handler: Callable[[Any], bool]) -> Callable[[], None]:
        """Call `handler` with each report of a change of value.

        It gets the notification of the stack (`pduSource` is set) and returns
        whether it knows the subscription: a device whose report nobody knows
        is told so. The function returned ends it.
        """
        return _listen(self._hear_cov, handler)

    def listen_i_am(
        self, handler: Callable[[int, Address], None]
    ) -> Callable[[], None]:
        """Call `handler` with instance and address of who announces itself.

        The function returned ends it.
        """
        return _listen(
            self._hear_announcement,
            lambda heard: handler(heard.instance, heard.address),
        )

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

        stop = _listen(self._hear_announcement, heard)
        try:
            self._stack.this_application.app.request(request)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await enough.wait()
        finally:
            stop()
        return list(found.values())

    def _heard_cov(self, notification: Any) -> bool:
        # Everybody hears it: two plants may ask for the same object.
        known = [handler(notification) for handler in tuple(self._hear_cov)]
        return any(known)

    def _heard_i_am(self, i_am: Any) -> None:
        announcement = Announcement(
            int(i_am.iAmDeviceIdentifier[1]),
            i_am.pduSource,
            int(i_am.vendorID or 0),
            int(i_am.maxAPDULengthAccepted or 0),
            str(i_am.segmentationSupported),
        )
        for handler in tuple(self._hear_announcement):
            handler(announcement)

    async def _transact(self, device: Lanes, call: Call) -> Any:
        """Return what `call` brings, or why it failed.

        As a value, because nobody may be left to hear an exception.
        """
        try:
            if self._stack is None:
                return NoAnswer("the connection is closed")
            async with asyncio.timeout(_REQUEST_TIMEOUT):
                answer = await call(self._stack.this_application.app)
            return _failure(answer) if _is_failure(answer) else answer
        except ErrorRejectAbortNack as error:
            return _failure(error)
        except TimeoutError:
            return NoAnswer("no answer")
        except asyncio.CancelledError:
            # Nobody cancels a transaction but who closes the network.
            return NoAnswer("the connection was closed")
        except Exception as error:  # noqa: BLE001, what a device sends makes the stack raise anything
            return Garbled(f"an answer that makes no sense ({type(error).__name__})")
        finally:
            self._in_flight.release()
            device.release()

    async def _start(self, key: str, interface: IPv4Interface, instance: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, _check_address, interface, self._port)
        except OSError as error:
            raise DriverError(
                f"connection {key}: {_why_not(error, interface, self._port)}"
            ) from error
        try:
            stack_module = await loop.run_in_executor(
                None, import_module, ".bacnet_stack", __package__
            )
            stack = stack_module.start(
                self._ip,
                interface.network.prefixlen,
                self._port,
                instance,
                heard_cov=self._heard_cov,
                heard_i_am=self._heard_i_am,
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
        _, pending = await asyncio.wait(waiting, timeout=_START_TIMEOUT)
        if pending:
            for task in pending:
                task.cancel()
            await self._stop(stack)
            raise DriverError(
                f"connection {key}: {interface}:{self._port} could not be opened; "
                "check local_address (with its prefix) and local_port"
            )
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


def _listen[Handler](handlers: list[Handler], handler: Handler) -> Callable[[], None]:
    handlers.append(handler)

    def stop() -> None:
        with suppress(ValueError):
            handlers.remove(handler)

    return stop


def _check_address(interface: IPv4Interface, port: int) -> None:
    """Raise `OSError` if the stack could not have this address for itself.

    The stack would try for ever, or share a port that is not its own.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind((str(interface.ip), port))
    broadcast = interface.network.broadcast_address
    if broadcast != interface.ip:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as shared:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind((str(broadcast), port))


def _why_not(error: OSError, interface: IPv4Interface, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"another program uses UDP port {port} on {interface.ip}; stop it or "
            "choose another local_port"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"this machine has no address {interface}; set local_address to one of "
            "its own, with the prefix of that network"
        )
    return f"{interface.ip}:{port} cannot be opened: {error.strerror}"


def _is_failure(answer: Any) -> bool:
    return isinstance(answer, ErrorRejectAbortNack)


_TOO_MUCH = frozenset(
    {
        AbortReason.other,
        AbortReason.bufferOverflow,
        AbortReason.segmentationNotSupported,
        AbortReason.windowSizeOutOfRange,
        AbortReason.applicationExceededReplyTime,
        AbortReason.outOfResources,
        AbortReason.apduTooLong,
    }
)


def _failure(error: ErrorRejectAbortNack) -> RequestFailed:
    """Say an error, reject or abort of BACnet in words."""
    if isinstance(error, ErrorPDU):
        return Refused(describe_error(error), str(error.errorCode))
    reason, text = error.reason, f"the device gave up ({error.reason})"
    if isinstance(error, AbortPDU):
        if reason == AbortReason.noResponse:
            return NoAnswer("no answer")
        return TooMuch(text) if reason in _TOO_MUCH else Busy(text)
    if reason == RejectReason.bufferOverflow:
        return TooMuch(text)
    text = f"the device does not understand the request ({reason})"
    if reason == RejectReason.unrecognizedService:
        return NotUnderstood(text)
    return Refused(text, str(reason))


_IN_WORDS = {
    "unknown-object": "the device has no such object",
    "unknown-property": "the object has no such property",
    "write-access-denied": "the device does not let it be written",
    "read-access-denied": "the device does not let it be read",
    "value-out-of-range": "the value is outside the object's range",
}


def describe_error(error: Any) -> str:
    """Say a BACnet error in words, with its class and code for who looks it up."""
    code = f"{error.errorClass}, {error.errorCode}"
    words = _IN_WORDS.get(str(error.errorCode), "the device reports an error")
    return f"{words} ({code})"
