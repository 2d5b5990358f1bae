"""A Modbus server that answers what a test says, right or wrong, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import struct

from tests.ports import tcp_port

WRITES = {5, 6, 15, 16}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what its header and its first fields say."""

    transaction: int
    unit: int
    function: int
    address: int
    count: int
    """Or the value, where one is written."""

    def frame(self, pdu: bytes, *, unit: int | None = None) -> bytes:
        """Return a frame that answers this request."""
        who = self.unit if unit is None else unit
        return struct.pack(">HHHB", self.transaction, 0, len(pdu) + 1, who) + pdu

    def exception(self, code: int) -> bytes:
        """Return a refusal."""
        return self.frame(bytes([self.function | 0x80, code]))

    def right(self) -> bytes:
        """Return what a good unit answers: its own number in every register."""
        if self.function in {5, 6, 15, 16}:
            return self.frame(
                struct.pack(">BHH", self.function, self.address, self.count)
            )
        if self.function in {1, 2}:
            size = (self.count + 7) // 8
            return self.frame(bytes([self.function, size]) + bytes(size))
        words = struct.pack(">H", self.unit) * self.count
        return self.frame(bytes([self.function, len(words)]) + words)


class Hangup(Exception):
    """Raised by a script: close the connection, after sending `said`."""

    def __init__(self, said: bytes = b"") -> None:
        super().__init__()
        self.said = said


type Script = Callable[[Asked], bytes | Awaitable[bytes]]


@dataclass
class Peer:
    """A server on a port of its own; `script` may be changed at any time."""

    host: str
    script: Script = Asked.right
    port: int = field(default_factory=tcp_port)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: list[asyncio.StreamWriter] = field(default_factory=list)
    at_a_time: int = 0
    most_at_a_time: int = 0
    """How many requests were ever waiting for an answer at the same time."""

    @property
    def writes(self) -> list[Asked]:
        """The requests that change something."""
        return [asked for asked in self.asked if asked.function in WRITES]

    def hang_up(self) -> None:
        """Close every connection, as servers do when nobody has asked for long."""
        for writer in self.open:
            writer.close()
        self.open.clear()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self.open.append(writer)
        try:
            async with asyncio.TaskGroup() as answers:
                while header := await reader.readexactly(7):
                    transaction, _, length, unit = struct.unpack(">HHHB", header)
                    pdu = await reader.readexactly(length - 1)
                    fields = struct.unpack_from(">BHH", pdu)
                    asked = Asked(transaction, unit, *fields)
                    self.asked.append(asked)
                    answers.create_task(self._answer(asked, writer))
        except* ConnectionError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.at_a_time += 1
        self.most_at_a_time = max(self.most_at_a_time, self.at_a_time)
        try:
            answer = self.script(asked)
            writer.write(answer if isinstance(answer, bytes) else await answer)
        except Hangup as hangup:
            writer.write(hangup.said)
            writer.close()
        finally:
            self.at_a_time -= 1


@asynccontextmanager
async def modbus_peer(host: str, script: Script = Asked.right) -> AsyncIterator[Peer]:
    """Run a server for the length of a test."""
    peer = Peer(host, script)
    server = await asyncio.start_server(peer.serve, host, peer.port)
    try:
        yield peer
    finally:
        server.close()
        server.close_clients()


def silent(*units: int) -> Script:
    """Answer for all units but these."""
    return lambda asked: b"" if asked.unit in units else asked.right()
