"""A real VTN as a process, a way to change its answers, and a plant that speaks to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
import json
from pathlib import Path
import socket
import sys
import time
from typing import Any

from aiohttp import ClientError, ClientSession, web
from chiller_control.control.demand_response.event_book import EventBook, Told
from chiller_control.openadr2_ven import (
    Refusal,
    StatusTelemetry,
    Telemetry,
    Ven2,
    Ven2Settings,
)

SERVER = Path(__file__).parents[3] / "scripts/demonstration/utility_server.py"
PATH = "/OpenADR2/Simple/2.0b"
LONG = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not holds():
            await asyncio.sleep(0.05)


@dataclass
class Vtn:
    """The process of a VTN, and what it heard."""

    process: asyncio.subprocess.Process
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if line.startswith(b"{"):
                self.heard.append(json.loads(line))

    def tell(self, **what: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")

    def was_told(self, **what: object) -> bool:
        return any(item.items() >= what.items() for item in self.heard)

    def all(self, **what: object) -> list[dict[str, Any]]:
        return [item for item in self.heard if item.items() >= what.items()]


@asynccontextmanager
async def vtn(port: int, **options: Any) -> AsyncIterator[Vtn]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SERVER),
        str(port),
        json.dumps(options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    server = Vtn(process)
    listening = asyncio.create_task(server.listen())
    try:
        await until(lambda: server.was_told(heard="running"))
        yield server
    finally:
        process.kill()
        await process.wait()
        listening.cancel()


@dataclass
class Between:
    """What stands between a plant and its utility, and changes what is answered."""

    port: int = 0
    change: Callable[[bytes], bytes] | None = None
    status: int = 200
    clock: float = 0.0
    """Seconds that the server's clock is ahead of ours, as its answers say."""
    headers: dict[str, str] = field(default_factory=dict)
    """What its answers say besides."""
    instead: list[tuple[str, str]] = field(default_factory=list)
    """What the next answers to a service are, each once: service and message."""
    sent: list[tuple[str, str]] = field(default_factory=list)
    """What the plant sent: service and message."""

    def was_sent(self, kind: str, *parts: str) -> bool:
        """Whether the plant sent such a message with all of these in it."""
        return any(
            f"oadr:{kind} " in text and all(part in text for part in parts)
            for _, text in self.sent
        )

    async def pass_on(self, request: web.Request) -> web.Response:
        sent = await request.read()
        service = request.path.rpartition("/")[2]
        self.sent.append((service, sent.decode()))
        for number, (wanted, message) in enumerate(self.instead):
            if wanted == service:
                del self.instead[number]
                return web.Response(text=message, content_type="application/xml")
        try:
            async with (
                ClientSession() as session,
                session.post(
                    f"http://127.0.0.1:{self.port}{request.path}",
                    data=sent,
                    headers={"content-type": "application/xml"},
                ) as answer,
            ):
                content, status = await answer.read(), answer.status
        except ClientError:
            return web.Response(status=502, text="nobody there")
        if self.change is not None:
            content = self.change(content)
        return web.Response(
            body=content,
            status=status if self.status == 200 else self.status,
            content_type="application/xml",
            headers={
                "Date": formatdate(time.time() + self.clock, usegmt=True),
                **self.headers,
            },
        )


@asynccontextmanager
async def between(port: int) -> AsyncIterator[tuple[Between, int]]:
    """Stand before a server's port; give the port to speak to."""
    there = Between(port)
    app = web.Application()
    app.router.add_post("/{tail:.*}", there.pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield there, runner.addresses[0][1]
    finally:
        await runner.cleanup()


@dataclass
class Plant:
    """The side of the plant."""

    ven: Ven2
    told: list[Told | Refusal]
    stored: list[list[dict[str, Any]]]

    @property
    def refused(self) -> list[str]:
        return [item.why for item in self.told if isinstance(item, Refusal)]

    @property
    def happened(self) -> list[str]:
        return [item.what for item in self.told if isinstance(item, Told)]


@asynccontextmanager
async def plant(
    port: int,
    *,
    scheme: str = "http",
    status: tuple[StatusTelemetry, ...] = (),
    meter: Callable[[], float | None] = lambda: 412.5,
    **settings: Any,
) -> AsyncIterator[Plant]:
    book = EventBook("plant")
    told: list[Told | Refusal] = []
    stored: list[list[dict[str, Any]]] = []

    async def store() -> None:
        stored.append(book.as_dict())

    ven = Ven2(
        Ven2Settings(
            "utility",
            url=f"{scheme}://127.0.0.1:{port}{PATH}",
            **({"ven_name": "plant"} | settings),
        ),
        book,
        store,
        told.append,
        (Telemetry("meter", meter), Telemetry("lost", lambda: None)),
        first_pause=0.2,
        status=status,
    )
    running = asyncio.create_task(ven.run())
    try:
        yield Plant(ven, told, stored)
    finally:
        running.cancel()
        await asyncio.wait([running], timeout=10)
