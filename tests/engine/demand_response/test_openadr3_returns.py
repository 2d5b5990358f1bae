"""Events that were gone and are there again, and servers that were restored."""

from typing import Any

from aiohttp import web
from chiller_control.openadr3_ven import Version
from demonstration.openadr3.vtn import Vtn3, vtn3
from openadr3_site import VERSIONS, Site, kept, site_at, until
from openadr3_wire import between3, once
import pytest
from utility_events import START, new_event
from utility_place import by_3, coming, place, stands

KEY = "grid:e1"


async def rounds(site: Site, number: int = 1) -> None:
    """Fetch what there is so often."""
    async with await site.ven.session() as session:
        for _ in range(number):
            await site.ven.fetch(session)


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_event_that_was_gone_and_is_listed_again_counts_again(
    version: Version,
) -> None:
    async with vtn3(version) as server:
        site = site_at(server)
        server.events.append(new_event())
        await rounds(site)
        server.events.clear()
        await rounds(site)
        assert site.ven.book.status(KEY, site.now) == "cancelled"
        server.events.append(new_event())
        await rounds(site, 2)
        assert site.happened == ["received", "cancelled", "modified"]
        assert site.ven.book.current(START.timestamp() + 60.0) is not None
        assert site.stored[-1][0]["cancelled"] is None


async def test_whoever_opted_out_stays_out_of_an_event_that_comes_back() -> None:
    async with vtn3() as server, place() as here:
        event = coming("e1")
        server.events.append(event)
        answer = {"opt": "out", "why": "a party", "by": "Ann", "at": 0.0}
        decided = {"grid3:e1": answer}
        await here.take(by_3(server))
        await here.until(lambda desk: desk.book.entries)
        await here.take(by_3(server), decisions=decided)
        server.events.clear()
        await here.until(lambda _: "cancelled" in here.told)
        server.events.append(event)
        desk = await here.until(lambda _: "modified" in here.told)
        entry = desk.book.entries["grid3:e1"]
        assert (entry.opt, entry.why, entry.cancelled) == ("out", "Ann: a party", None)
        # It is out after a restart as well.
        await here.until(lambda _: here.kept[-1][0]["cancelled"] is None)
        async with place() as again:
            await again.take(by_3(server), book=here.kept[-1], decisions=decided)
            desk = await again.until(lambda desk: stands(desk) == "registered")
            assert desk.book.entries["grid3:e1"].opt == "out"


async def test_a_connection_that_was_removed_and_made_again_has_its_events() -> None:
    async with vtn3() as server, place() as here:
        server.events.append(coming("e1"))
        await here.take(by_3(server))
        await here.until(lambda desk: desk.book.entries)
        await here.take()
        await here.until(lambda _: "cancelled" in here.told)
        await here.take(by_3(server))
        desk = await here.until(lambda _: "modified" in here.told)
        assert desk.book.entries["grid3:e1"].cancelled is None


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_empty_list_ends_nothing(version: Version) -> None:
    async with vtn3(version) as server, between3(server) as wire:
        site = site_at(server, url=wire.url)
        server.events.append(new_event())
        await rounds(site)
        wire.rule = once("GET /events", web.json_response([]))
        await rounds(site, 2)
        assert site.happened == ["received"]


async def test_a_list_that_shifts_while_it_is_read_ends_nothing() -> None:
    async with vtn3() as server, between3(server) as wire:
        site = site_at(server, url=wire.url)
        server.events += [new_event(id=f"e{number}") for number in range(60)]
        await rounds(site)
        pages: list[str] = []

        def shift(asked: str) -> None:
            if asked == "GET /events":
                pages.append(asked)
                if len(pages) == 2:
                    # The utility deletes one of the first page before the second is read.
                    del server.events[0]

        wire.rule = shift
        await rounds(site)
        assert site.happened.count("received") == 60
        assert site.happened.count("cancelled") == 0, "it was in the first page"
        await rounds(site)
        assert site.happened.count("cancelled") == 1
        assert site.ven.book.entries["grid:e0"].cancelled is not None
        assert site.ven.book.entries["grid:e50"].cancelled is None


async def test_more_events_than_can_be_listed_are_said_and_none_is_ended() -> None:
    async with vtn3() as server:
        site = site_at(server)
        server.events.append(new_event())
        await rounds(site)
        server.events[:] = [
            new_event(id=f"old{number}", intervalPeriod=LONG_AGO)
            for number in range(1001)
        ]
        async with kept(site):
            await until(lambda: "give the name of the program" in site.ven.health.why)
        assert site.ven.book.status(KEY, site.now) == "near"


LONG_AGO = {"start": "2020-01-01T00:00:00Z", "duration": "PT1H"}


def restored(server: Vtn3, **event: Any) -> None:
    """Have the program under another id, as after a restore of the server."""
    server.programs[0] = {**server.programs[0], "id": "p9"}
    server.events[:] = [new_event(programID="p9", **event)]
    server.vens.clear()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_server_that_was_restored_is_followed(version: Version) -> None:
    async with vtn3(version) as server:
        site = site_at(server)
        server.events.append(new_event(modificationDateTime="2026-06-24T12:30:00Z"))
        await rounds(site)
        restored(server)
        await rounds(site, 2)
        assert site.ven.book.status(KEY, site.now) == "near"
        assert (
            site.ven.book.entries[KEY].event.modification
            == (START.timestamp() - 7200.0) * 1000.0
        )
        assert [item["venName"] for item in server.vens] == ["plant"]


async def test_a_server_that_forgot_us_in_an_outage_gets_us_again() -> None:
    async with vtn3() as server:
        site = site_at(server)
        async with kept(site):
            await until(lambda: site.ven.health.stands == "registered")
            server.broken = 503
            await until(lambda: site.ven.health.stands == "lost")
            server.vens.clear()
            server.broken = None
            await until(lambda: [item["venName"] for item in server.vens] == ["plant"])
            await until(lambda: site.ven.health.registrations == 2)


async def test_a_program_that_is_gone_is_said_and_ends_nothing() -> None:
    async with vtn3() as server:
        site = site_at(server)
        server.events.append(new_event())
        await rounds(site)
        program = server.programs.pop()
        server.events.clear()
        async with kept(site):
            await until(lambda: "no program 'shed'" in site.ven.health.why)
            assert site.ven.book.status(KEY, site.now) == "near"
            server.programs.append(program)
            await until(lambda: site.ven.book.status(KEY, site.now) == "cancelled")
