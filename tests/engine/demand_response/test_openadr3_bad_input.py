"""What no server of OpenADR 3 should send is said in words, and harms no other event."""

from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from certificates import Authority
from chiller_control.control.demand_response.requested_load import Terms, requested_load
from chiller_control.openadr3_ven import Version
from demonstration.openadr3.vtn import Vtn3, vtn3
from openadr3_site import VERSIONS, kept, site_at, until
import pytest
from utility_events import START, new_event


def asks(**values: float) -> list[dict[str, Any]]:
    """Return the one interval of an event."""
    payloads = [{"type": name, "values": [value]} for name, value in values.items()]
    return [{"id": 0, "payloads": payloads}]


def period(
    start: str = "2026-06-24T14:00:00Z", duration: str = "PT1H"
) -> dict[str, str]:
    return {"start": start, "duration": duration}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"intervalPeriod": period(duration="PT0S")}, "it has no duration"),
        ({"intervalPeriod": period(duration="-PT1H")}, "which is no time"),
        ({"intervalPeriod": period(duration="P30D")}, "at most 7 are"),
        ({"intervals": asks(DISPATCH_SETPOINT=-50)}, "asks for less than no load"),
        ({"intervals": asks(DISPATCH_SETPOINT_RELATIVE=50)}, "asks for more load"),
        ({"intervals": asks(SIMPLE=7)}, "its level is none of 0, 1, 2, 3"),
        ({"intervals": asks(GHG=500)}, "none of its signals is known"),
    ],
)
async def test_an_event_that_nobody_can_take_part_in_is_refused_in_words(
    version: Version, changes: dict[str, Any], words: str
) -> None:
    async with vtn3(version) as server, ClientSession() as session:
        site = site_at(server)
        server.events += [new_event(id="odd", **changes), new_event(id="fine")]
        await site.ven.fetch(session)
        await site.ven.fetch(session)
        assert list(site.ven.book.entries) == ["grid:fine"]
        assert len(site.refused) == 1
        assert words in site.refused[0]


async def test_a_reduction_beyond_the_load_asks_for_all_of_it_and_no_more() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(
            new_event(intervals=asks(DISPATCH_SETPOINT_RELATIVE=-1_000_000))
        )
        await site.ven.fetch(session)
        event = site.ven.book.entries["grid:e1"].event
        asked = requested_load(event, "plant", event.start + 60.0, 400.0, Terms())
        assert asked is not None
        assert (asked.target_kw, asked.reduction_kw) == (0.0, 400.0)


async def test_two_different_events_under_one_id_are_said_and_the_first_counts() -> (
    None
):
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events += [new_event(), new_event(intervals=asks(SIMPLE=3))]
        await site.ven.fetch(session)
        await site.ven.fetch(session)
        assert site.happened == ["received"]
        assert len(site.refused) == 1
        assert "what came first counts" in site.refused[0]
        assert site.ven.book.entries["grid:e1"].event.duration == 7200.0


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_server_that_comes_and_goes_leaves_events_as_they_are(
    version: Version,
) -> None:
    async with vtn3(version) as server:
        site = site_at(server)
        server.events.append(new_event())
        async with kept(site):
            for _ in range(4):
                server.broken = None
                await until(lambda: site.ven.health.stands == "registered")
                server.broken = 503
                await until(lambda: site.ven.health.stands == "lost")
            server.broken = None
            await until(lambda: site.ven.health.stands == "registered")
        assert site.happened == ["received"]
        assert site.ven.book.status("grid:e1", site.now) == "near"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_changed_event_is_what_was_told_last(version: Version) -> None:
    async with vtn3(version) as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(new_event())
        await site.ven.fetch(session)
        server.events[0] = new_event(
            intervals=asks(SIMPLE=3), modificationDateTime="2026-06-24T12:30:00Z"
        )
        await site.ven.fetch(session)
        assert site.happened == ["received", "modified"]
        assert site.ven.book.entries["grid:e1"].event.duration == 3600.0


async def test_of_events_at_one_time_the_first_in_priority_counts() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events += [
            new_event(id="none", priority=None),
            new_event(id="second", priority=2),
            new_event(id="first", priority=0),
        ]
        await site.ven.fetch(session)
        while server.events:
            entry = site.ven.book.current(START.timestamp() + 60.0)
            assert entry is not None
            assert entry.event.id == server.events.pop()["id"]
            await site.ven.fetch(session)
        assert site.ven.book.current(START.timestamp() + 60.0) is None


async def test_a_randomised_start_is_within_what_was_told() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(
            new_event(intervalPeriod=period() | {"randomizeStart": "PT10M"})
        )
        await site.ven.fetch(session)
        event = site.ven.book.entries["grid:e1"].event
        assert event.randomise == 600.0
        assert 0.0 <= event.begins("plant") - START.timestamp() <= 600.0
        assert event.begins("plant") != event.begins("another plant")


async def test_a_server_with_an_expired_certificate_is_not_spoken_to(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    paper = authority.paper("utility", since=-10, days=-1)
    async with vtn3(tls=paper.served()) as server:
        server.events.append(new_event())
        site = site_at(server, authority=authority.certificate)
        async with kept(site):
            await until(lambda: "it has expired" in site.ven.health.why)
            assert not site.ven.book.entries
            assert not server.asked


@pytest.mark.parametrize(
    ("garbage", "words"),
    [
        (b"", "is not JSON"),
        (b"<html>Welcome</html>", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"id": 7}', "list of programs is no list"),
        (b"[7]", "cannot be read"),
        (b'[{"programName": "shed"}]', "cannot be read"),
        (b" " * 5_000_000, "longer than 4 MB"),
    ],
)
async def test_an_answer_that_is_none_is_said_and_waited_out(
    garbage: bytes, words: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/auth/token":
            return web.json_response({"access_token": "t", "token_type": "Bearer"})
        if request.path == "/auth/server":
            return web.json_response({"tokenURL": f"{request.url.origin()}/auth/token"})
        return web.Response(body=garbage)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        site = site_at(Vtn3(url=f"http://127.0.0.1:{runner.addresses[0][1]}"))
        async with kept(site):
            await until(lambda: words in site.ven.health.why)
        assert site.ven.health.stands == "lost"
        assert not site.ven.book.entries
    finally:
        await runner.cleanup()
