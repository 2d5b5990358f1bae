"""What a server of OpenADR 3 may do to a connection, and what it does not get by it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
import gzip
import time
from typing import Any

from aiohttp import ClientTimeout, web
from chiller_control import openadr3_server
from chiller_control.control.demand_response.event_reports import Row
from chiller_control.openadr3_ven import ReportRow, ServerRefused
from chiller_control.openadr_http import LONGEST_ANSWER, moment_of, retry_after
from chiller_control.openadr_words import skew_of
from chiller_control.utilities import News
from demonstration.openadr3.vtn import vtn3
from hypothesis import given, strategies as st
from openadr3_site import Site, kept, site_at, until
from openadr3_wire import Wire, always, between3, once
import pytest
from utility_events import START, new_event
from utility_place import by_3, coming, place, stands

ROW = ReportRow(START.timestamp(), 60.0, {"DEMAND": 400.0})


@asynccontextmanager
async def standing_between(**settings: Any) -> AsyncIterator[tuple[Wire, Site]]:
    async with vtn3() as server, between3(server) as wire:
        server.events.append(new_event())
        yield wire, site_at(server, url=wire.url, **settings)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "look at the client id and its secret"),
        (403, "the utility has to allow it to this client"),
        (404, "look at the address"),
        (429, "it is asked too often"),
        (500, "the server answered 500 closed"),
        (503, "the server answered 503 closed"),
    ],
)
async def test_what_a_server_says_no_with_is_said_with_what_to_do(
    status: int, words: str
) -> None:
    async with standing_between() as (wire, site):
        wire.rule = always(
            "GET /events", lambda: web.Response(status=status, text="closed")
        )
        async with kept(site):
            await until(lambda: words in site.ven.health.why)
            assert site.ven.health.stands == "lost"
            wire.rule = lambda _asked: None
            await until(lambda: "grid:e1" in site.ven.book.entries)
            await until(lambda: site.ven.health.why.startswith("the server's clock"))


async def test_a_token_that_runs_out_between_two_pages_is_fetched_anew() -> None:
    async with vtn3() as server, between3(server) as wire:
        server.events += [new_event(id=f"e{number}") for number in range(120)]
        site = site_at(server, url=wire.url)
        pages: list[str] = []

        def revoke(asked: str) -> None:
            if asked == "GET /events":
                pages.append(asked)
                if len(pages) == 2:
                    server.valid_token = "revoked"

        wire.rule = revoke
        async with await site.ven.session() as session:
            await site.ven.fetch(session)
        assert len(site.ven.book.entries) == 120
        assert server.tokens == 2


@pytest.mark.parametrize(
    "lasts", ["30", 45, None, -1, 0, float("inf"), 10**400, "soon", True]
)
async def test_a_token_is_used_however_its_time_is_given(lasts: object) -> None:
    async with standing_between() as (wire, site):
        real = wire.server

        def token(asked: str) -> web.Response | None:
            if asked != "POST /auth/token":
                return None
            real.valid_token = "given"
            return web.json_response(
                {"access_token": "given", "token_type": "Bearer", "expires_in": lasts}
            )

        wire.rule = token
        async with await site.ven.session() as session:
            await site.ven.fetch(session)
        assert "grid:e1" in site.ven.book.entries


@pytest.mark.parametrize(
    "asked", ["POST /auth/token", "GET /auth/server", "GET /events", "GET /vens"]
)
async def test_nobody_is_followed_to_where_the_utility_did_not_say(asked: str) -> None:
    strangers: list[bytes] = []

    async def listen(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        strangers.append(await reader.read(100))
        writer.close()

    stranger = await asyncio.start_server(listen, "127.0.0.1", 0)
    there = f"http://127.0.0.1:{stranger.sockets[0].getsockname()[1]}/x"
    async with stranger, standing_between() as (wire, site):
        if asked == "POST /auth/token":
            site = site_at(
                wire.server, url=wire.url, token_url=f"{wire.url}/auth/token"
            )
        wire.rule = always(
            asked, lambda: web.Response(status=307, headers={"Location": there})
        )
        async with await site.ven.session() as session:
            with pytest.raises(
                ServerRefused, match=f"moved to {there}; if the utility"
            ):
                await site.ven.fetch(session)
    assert not strangers


async def test_a_report_that_was_told_elsewhere_is_not_taken_for_told() -> None:
    async with vtn3() as server, between3(server) as wire, place() as here:
        server.events.append(coming("e1"))
        await here.take(by_3(server, url=wire.url))
        await here.until(lambda desk: desk.book.entries)
        wire.rule = always(
            "POST /reports",
            lambda: web.Response(status=302, headers={"Location": "/reports"}),
        )
        row = Row("grid3:e1", 0.0, 60.0, {"DEMAND": 2.0})
        await here.utilities.tell(News(time.time(), {}, False, (row,)))
        desk = await here.until(
            lambda desk: "reports are not taken" in desk.connections[0]["why"]
        )
        assert "moved to /reports" in desk.connections[0]["why"]
        assert desk.connections[0]["waiting"] == 1
        assert stands(desk) == "registered"
        wire.rule = lambda _asked: None
        desk = await here.until(lambda _: server.reports)
        await here.until(lambda desk: desk.connections[0]["why"] == "")


async def test_reports_that_are_refused_for_good_are_counted_and_said() -> None:
    async with vtn3() as server, between3(server) as wire, place() as here:
        server.events.append(coming("e1"))
        await here.take(by_3(server, url=wire.url))
        await here.until(lambda desk: desk.book.entries)
        wire.rule = once("POST /reports", web.Response(status=422, text="no DEMAND"))
        row = Row("grid3:e1", 0.0, 60.0, {"DEMAND": 2.0})
        await here.utilities.tell(News(time.time(), {}, False, (row,)))
        desk = await here.until(lambda desk: desk.connections[0]["dropped"])
        desk = await here.until(lambda desk: desk.connections[0]["why"])
        assert "422 no DEMAND" in desk.connections[0]["why"]
        assert (desk.connections[0]["dropped"], desk.connections[0]["waiting"]) == (
            1,
            0,
        )


@pytest.mark.parametrize("asked", ["GET /events", "POST /reports"])
async def test_a_server_that_wants_to_be_left_alone_is(asked: str) -> None:
    async with vtn3() as server, between3(server) as wire, place() as here:
        server.events.append(coming("e1"))
        await here.take(by_3(server, url=wire.url))
        await here.until(lambda desk: desk.book.entries)
        told: list[float] = []

        def busy() -> web.Response:
            told.append(time.monotonic())
            return web.Response(status=429, headers={"Retry-After": "7"})

        wire.rule = always(asked, busy)
        row = Row("grid3:e1", 0.0, 60.0, {"DEMAND": 2.0})
        await here.utilities.tell(News(time.time(), {}, False, (row,)))
        await here.until(lambda _: len(told) > 1)
        assert told[1] - told[0] >= 7.0


async def test_packed_answers_are_read_and_bombs_are_not() -> None:
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    async with standing_between() as (wire, site):
        bomb = gzip.compress(bytes(50 * LONGEST_ANSWER))
        wire.rule = always(
            "GET /events", lambda: web.Response(body=bomb, headers=packed)
        )
        async with await site.ven.session() as session:
            with pytest.raises(
                ServerRefused, match="longer than 4 MB when it is unpac"
            ):
                await site.ven.fetch(session)
            for body, encoding, words in (
                (b"[]", "gzip", "cannot be unpacked"),
                (b"[]", "br", "packed with br"),
            ):
                headers = packed | {"Content-Encoding": encoding}
                wire.rule = once(
                    "GET /events", web.Response(body=body, headers=headers)
                )
                with pytest.raises(ServerRefused, match=words):
                    await site.ven.fetch(session)
            contents = gzip.compress(b"[]")
            wire.rule = once("GET /events", web.Response(body=contents, headers=packed))
            await site.ven.fetch(session)


@pytest.mark.parametrize("words", [b"", b"[", b"HTTP"])
async def test_a_server_that_answers_word_by_word_is_given_up(
    words: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openadr3_server, "_TIMEOUT", ClientTimeout(total=1.0))

    async def dribble(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if words == b"[":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(words)
                await writer.drain()
                await asyncio.sleep(0.1)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(dribble, "127.0.0.1", 0)
    async with server, vtn3() as real:
        port = server.sockets[0].getsockname()[1]
        site = site_at(real, url=f"http://127.0.0.1:{port}")
        async with kept(site):
            await until(lambda: bool(site.ven.health.why))
            assert site.ven.health.stands == "lost"
            assert "no answer in time" in site.ven.health.why or words == b"HTTP"


async def test_an_answer_that_breaks_off_ends_no_event() -> None:
    async with standing_between() as (wire, site):
        async with await site.ven.session() as session:
            await site.ven.fetch(session)

        async def cut(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n[")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(cut, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            broken = site_at(wire.server, url=f"http://127.0.0.1:{port}")
            broken.ven.book = site.ven.book
            async with kept(broken):
                await until(lambda: broken.ven.health.stands == "lost")
                assert broken.ven.health.why
        assert site.ven.book.status("grid:e1", site.now) == "near"


async def test_events_with_odd_contents_are_refused_and_the_others_are_taken() -> None:
    huge = 10**400
    async with vtn3() as server:
        server.lies = True
        server.events += [
            new_event(id="a", intervals=asks([huge])),
            new_event(id="b", priority=float("inf")),
            new_event(id="c\ud800"),
            new_event(id=300 * "d"),
            new_event(id="e", intervalPeriod=during("9999-12-31T23:59:59Z")),
            new_event(id="f", intervalPeriod=during("2026-06-24T14:00:00")),
            new_event(id="g", intervals=7),
            new_event(id="h", intervalPeriod=during() | {"randomizeStart": "P40D"}),
            new_event(id="fine", priority=10**30, eventName="\ud800\x00hot"),
        ]
        site = site_at(server)
        async with await site.ven.session() as session:
            await site.ven.fetch(session)
            await site.ven.fetch(session)
        assert list(site.ven.book.entries) == ["grid:fine"]
        assert len(site.refused) == 8
        event = site.ven.book.entries["grid:fine"].event
        assert event.rank < 2**53
        assert event.comment == "hot"
        assert all(len(item) < 300 for item in site.refused)


def asks(values: list[Any]) -> list[dict[str, Any]]:
    return [{"id": 0, "payloads": [{"type": "SIMPLE", "values": values}]}]


def during(start: str = "2026-06-24T14:00:00Z") -> dict[str, str]:
    return {"start": start, "duration": "PT1H"}


@given(st.text(max_size=60))
def test_no_date_of_a_server_ends_anything(said: str) -> None:
    at = moment_of(said)
    assert at is None or isinstance(at, float)
    assert skew_of(said, 0.0) == at
    assert 0.0 <= retry_after({"Retry-After": said}, 0.0) <= 3600.0


def test_how_long_a_server_wants_to_be_left_alone_is_bounded() -> None:
    now = 1_800_000_000.0
    for said, wait in (
        ("120", 120.0),
        ("99999999", 3600.0),
        (formatdate(now + 60.0, usegmt=True), 60.0),
        (formatdate(now - 60.0, usegmt=True), 0.0),
        ("-5", 0.0),
    ):
        assert retry_after({"Retry-After": said}, now) == wait
    assert retry_after({}, now) == 0.0
