"""What stands between a plant and a server of OpenADR 3, and answers in its stead."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from aiohttp import ClientError, ClientSession, web
from demonstration.openadr3.vtn import Vtn3

Rule: TypeAlias = Callable[[str], web.Response | None]
"""Gives an answer for `GET /events`, or None to have the server asked."""


@dataclass
class Wire:
    """The place, what it was asked, and what it does about it."""

    server: Vtn3
    url: str = ""
    rule: Rule = lambda _asked: None
    asked: list[str] = field(default_factory=list)

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        sent = await request.read()
        asked = f"{request.method} {request.path}"
        self.asked.append(asked)
        if (instead := self.rule(asked)) is not None:
            return instead
        kept = ("Authorization", "Content-Type")
        headers = {
            name: request.headers[name] for name in kept if name in request.headers
        }
        try:
            async with (
                ClientSession() as session,
                session.request(
                    request.method,
                    f"{self.server.url}{request.path_qs}",
                    data=sent,
                    headers=headers,
                ) as answer,
            ):
                return web.Response(
                    body=await answer.read(),
                    status=answer.status,
                    content_type=answer.content_type,
                )
        except ClientError:
            return web.Response(status=502, text="nobody there")


@asynccontextmanager
async def between3(server: Vtn3) -> AsyncIterator[Wire]:
    """Stand before a server; everything that is not answered here goes to it."""
    wire = Wire(server)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", wire.pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        wire.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield wire
    finally:
        await runner.cleanup()


def once(asked: str, *answers: web.Response) -> Rule:
    """Answer the next requests of one kind with these, one after the other."""
    left = list(answers)
    return lambda found: left.pop(0) if found == asked and left else None


def always(asked: str, answer: Callable[[], web.Response]) -> Rule:
    """Answer all requests of one kind so."""
    return lambda found: answer() if found == asked else None
