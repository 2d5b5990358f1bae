"""Where an OpenADR 3 server says that something is new, so that nobody waits for a poll.

What a notification says is not believed: it only has the events fetched at once, the
way that they always are. The address is this plant's to the outside, so a proxy that
speaks TLS stands in front of it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import hmac
import logging
import secrets
from typing import Protocol

from aiohttp import web

_LOGGER = logging.getLogger(__name__)

LONGEST_NOTIFICATION = 1_000_000
LONGEST_ECHO = 512
SHORTEST_PAUSE = 2.0
"""Seconds between two rounds, however often somebody knocks."""


class Address(Protocol):
    """The settings that matter here."""

    @property
    def name(self) -> str:
        """Of the connection."""

    @property
    def callback_url(self) -> str | None:
        """Where the server is to knock."""

    @property
    def callback_listen(self) -> str:
        """Where the knocking is heard."""


@dataclass
class Ear:
    """One place that is listened at, for one server."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """What the server must show: given to it with the subscription."""
    trouble: str = ""
    subscribed: bool = False
    """Whether the server is to tell, as far as we know."""
    subscription: str = ""
    """What it calls that."""
    _knocked: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, pause: float) -> None:
        """Return after a pause, or as soon as something is new."""
        await asyncio.sleep(min(pause, SHORTEST_PAUSE))
        rest = pause - SHORTEST_PAUSE
        if rest > 0.0:
            try:
                await asyncio.wait_for(self._knocked.wait(), rest)
            except TimeoutError:
                # The server may have lost it: it is looked for again.
                self.subscribed = False
        self._knocked.clear()

    async def answer_challenge(self, request: web.Request) -> web.Response:
        """Prove that the address is ours (Definition, Webhooks: `echo`)."""
        echo = request.query.get("echo", "")
        if not 0 < len(echo) <= LONGEST_ECHO:
            return web.Response(status=400)
        return web.Response(text=echo)

    async def hear(self, request: web.Request) -> web.Response:
        """Have the events fetched, if it is the server that knocks."""
        shown = request.headers.get("Authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {self.token}".encode()):
            return web.Response(status=401)
        await request.read()
        self._knocked.set()
        return web.Response()


@asynccontextmanager
async def listening(address: Address) -> AsyncIterator[Ear | None]:
    """Listen for as long as the block lasts; None where nobody wants it."""
    if address.callback_url is None:
        yield None
        return
    ear = Ear()
    runner: web.AppRunner | None = None
    try:
        host, port = _place(address)
        app = web.Application(client_max_size=LONGEST_NOTIFICATION)
        app.router.add_get("/{path:.*}", ear.answer_challenge)
        app.router.add_post("/{path:.*}", ear.hear)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
    except (OSError, ValueError, OverflowError) as error:
        ear.trouble = f"events come by polling only: {error}"
        _LOGGER.warning("%s: %s", address.name, ear.trouble)
    try:
        yield ear
    finally:
        if runner is not None:
            await runner.cleanup()


def _place(address: Address) -> tuple[str, int]:
    """Return host and port to listen at. Raises ValueError for what cannot be one."""
    if not str(address.callback_url).startswith("https://"):
        raise ValueError("the address for notifications must begin with https://")
    host, _, port = address.callback_listen.rpartition(":")
    return host or "127.0.0.1", int(port)
