"""Takes in all that devices send, and knows when something was lost.

asyncio takes one datagram from a socket in each turn of the loop, and a socket
holds a few hundred. Where a plant reports a thousand changes in one moment, the
kernel throws away what finds no room: reports, and answers to commands as well,
without a word to anybody. So each turn empties the socket, what was taken is
worked through in slices between which everything else goes on, and the kernel
is asked how much it threw away. Most of it are reports, for which there is a
shortcut.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
import logging
import os
import socket
import struct
from time import perf_counter
from typing import Any, cast

from bacpypes3.comm import bind
from bacpypes3.ipv4 import IPv4DatagramProtocol, IPv4DatagramServer
from bacpypes3.ipv4.bvll import BVLLCodec
from bacpypes3.ipv4.service import BIPNormal, UDPMultiplexer
from bacpypes3.pdu import PDU, IPv4Address

from .bacnet_shortcut import Endpoint, Shortcut

_LOGGER = logging.getLogger(__name__)

_ROOM = 4 * 1024 * 1024
"""Octets that the kernel may keep for us: some ten thousand reports, if it lets
us have them. Without special rights it gives 500 on many machines."""
_FORCED = 33
"""`SO_RCVBUFFORCE` of Linux, which takes more than all may have, with the right
to it."""
_FIGURES, _DROPPED = 55, struct.Struct("=32xI")
"""`SO_MEMINFO` of Linux, and in it the datagrams that found no room."""
_LONGEST_DATAGRAM = 2048
_MOST_WAITING = 16_384
"""Datagrams; as many seconds of work that what is older is of no use."""
_SLICE = 0.004
"""Seconds that are worked at a stretch."""
_RETRY = 1.0
"""Seconds until an address is tried again."""


class _Intake(IPv4DatagramProtocol):  # type: ignore[misc]
    """Takes what waits in a socket, all of it, when the loop finds the first."""

    server: Server

    def __init__(self, server: Server) -> None:
        """Take in for a server."""
        self.server = server
        self._socket: socket.socket | None = None
        self._dropped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # The transport does not let anybody else receive from its own.
        own = transport.get_extra_info("socket")
        self._socket = socket.socket(fileno=os.dup(own.fileno()))
        self._socket.setblocking(False)
        for option in (socket.SO_RCVBUF, _FORCED):
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, option, _ROOM)

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        take = self.server.take
        take(data, addr, self.destination)
        if self._socket is None:
            return
        taken = 0
        # An error of the socket is the transport's to find.
        with suppress(OSError):
            while taken < _MOST_WAITING:
                data, addr = self._socket.recvfrom(_LONGEST_DATAGRAM)
                take(data, addr, self.destination)
                taken += 1
        if taken:
            # Where one waited alone there was room for others.
            self._count_dropped(self._socket)

    def _count_dropped(self, taken_from: socket.socket) -> None:
        try:
            figures = taken_from.getsockopt(socket.SOL_SOCKET, _FIGURES, _DROPPED.size)
            (dropped,) = _DROPPED.unpack(figures)
        except OSError, struct.error:
            return  # not every system tells
        if dropped != self._dropped:
            lost = (dropped - self._dropped) % 2**32
            self._dropped = dropped
            self.server.lose(lost)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Server(IPv4DatagramServer):  # type: ignore[misc]
    """The sockets of one local address, and what came in and is not done yet."""

    def __init__(
        self, address: IPv4Address, lost: Callable[[], None], shortcut: Shortcut
    ) -> None:
        """Open them; `lost` is called where something came and had no room."""
        self._lost = lost
        self._shortcut = shortcut
        self._waiting: deque[tuple[bytes, Endpoint, Any]] = deque()
        self._next: asyncio.Handle | None = None
        self._unfinished: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self.dropped = 0
        """Datagrams that found no room, since it is open."""
        super().__init__(address)

    async def retrying_create_datagram_endpoint(
        self,
        loop: asyncio.AbstractEventLoop,
        addrTuple: Endpoint,
        bind_socket: socket.socket | None = None,
    ) -> tuple[asyncio.DatagramTransport, _Intake]:
        """Open a socket as the stack does, but with our own intake."""
        while True:
            with suppress(OSError):
                return await loop.create_datagram_endpoint(
                    lambda: _Intake(self),
                    local_addr=addrTuple,
                    allow_broadcast=True,
                    reuse_port=True,
                )
            await asyncio.sleep(_RETRY)

    def take(self, data: bytes, source: Endpoint, destination: Any) -> None:
        """Keep a datagram until it is its turn."""
        if self._is_closed:
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            self.lose(1)
        self._waiting.append((data, source, destination))
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._work)

    def lose(self, count: int) -> None:
        """Note that datagrams are gone of which nobody knows what they said."""
        if not self.dropped:
            _LOGGER.warning(
                "Devices sent to %s:%d faster than this machine takes it in, and %d "
                "messages were lost; what was reported is read again. Should that "
                "go on, raise net.core.rmem_max, or give Home Assistant a faster "
                "machine",
                *self.local_address,
                count,
            )
        self.dropped += count
        self._lost()

    def _work(self) -> None:
        loop = asyncio.get_running_loop()
        until = perf_counter() + _SLICE
        self._next = None
        while self._waiting:
            data, source, destination = self._waiting.popleft()
            if not self._shortcut.take(data, source, self._answer):
                pdu = PDU(data, source=IPv4Address(source), destination=destination)
                # Nearly all of them come to their end in this very call.
                task = asyncio.Task(self.confirmation(pdu), loop=loop, eager_start=True)
                if not task.done():
                    self._unfinished.add(task)
                    task.add_done_callback(self._unfinished.discard)
            if perf_counter() >= until:
                break
        if self._waiting and not self._is_closed:
            self._next = loop.call_soon(self._work)

    def _answer(self, data: bytes, to: Endpoint) -> None:
        if self.local_transport is not None:
            self.local_transport.sendto(data, to)

    def close(self) -> None:
        """Close the sockets; what was not worked through is of no use any more."""
        self._is_closed = True
        self._waiting.clear()
        super().close()


class Link(BIPNormal):  # type: ignore[misc]
    """A link to the subnet that we are on."""

    server: Server

    def __init__(
        self, address: IPv4Address, lost: Callable[[], None], shortcut: Shortcut
    ) -> None:
        """Open it; see `Server`."""
        super().__init__()
        put_on(self, Server(address, lost, shortcut))

    def close(self) -> None:
        """Close the sockets."""
        self.server.close()


def put_on(link: Any, server: Server) -> None:
    """Bind a link to the sockets of a server, as the stack does with its own."""
    link.codec, link.multiplexer, link.server = BVLLCodec(), UDPMultiplexer(), server
    bind(link, link.codec, cast(Any, link.multiplexer).annexJ)
    bind(link.multiplexer, server)
