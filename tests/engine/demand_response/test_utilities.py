"""Connections to utilities begin, end and change as people decide, and none falls."""

import asyncio
import subprocess
import sys
import time

from chiller_control import utilities as room
from chiller_control.control.demand_response.event_reports import Row
from chiller_control.outbox import MOST_ROWS
from chiller_control.utilities import NOT_TAKING_PART, News
from demonstration.openadr3.vtn import vtn3
from house import APPS
import pytest
from utility_place import HOUR, by_2, by_3, coming, place, stands
from utility_server import free_port, until, vtn


async def test_events_of_both_protocols_are_in_one_book() -> None:
    port = free_port()
    async with vtn(port) as server, vtn3() as other, place() as here:
        await here.take(by_2(port), by_3(other))
        await here.until(lambda desk: stands(desk) == stands(desk, 1) == "registered")
        server.tell(event="e1", start=time.time() + HOUR, duration=HOUR, level=1)
        other.events.append(coming("e2"))
        desk = await here.until(lambda desk: len(desk.book.entries) == 2)
        assert desk.book.entries.keys() == {"grid:e1", "grid3:e2"}
        await until(lambda: len(here.kept[-1]) == 2)


async def test_answer_of_a_person_reaches_the_server_before_and_during_an_event() -> (
    None
):
    port = free_port()
    async with vtn(port) as server, place() as here:
        await here.take(by_2(port))
        server.tell(event="e1", start=time.time() + HOUR, duration=HOUR, level=1)
        await here.until(lambda _: server.was_told(heard="opt", opt="optIn"))
        answer = {"opt": "out", "why": "a party", "by": "Ann", "at": 0.0}
        await here.take(by_2(port), decisions={"grid:e1": answer})
        desk = await here.until(lambda _: server.was_told(heard="opt", opt="optOut"))
        assert desk.book.entries["grid:e1"].why == "Ann: a party"
        assert here.told == ["received"], "Home Assistant tells of its people itself"
        await until(lambda: here.kept[-1][0]["opt"] == "out")
        heard = len(server.all(heard="opt", opt="optIn"))
        await here.take(
            by_2(port), decisions={"grid:e1": answer | {"opt": "in", "why": ""}}
        )
        await here.until(lambda _: len(server.all(heard="opt", opt="optIn")) > heard)


async def test_site_that_takes_part_no_more_opts_out_of_all_and_back_in() -> None:
    port = free_port()
    async with vtn(port) as server, place() as here:
        await here.take(by_2(port))
        server.tell(event="e1", start=time.time() + HOUR, duration=HOUR, level=1)
        await here.until(lambda _: server.was_told(heard="opt", opt="optIn"))
        await here.take(by_2(port), settings={"take_part": False})
        desk = await here.until(lambda _: server.was_told(heard="opt", opt="optOut"))
        assert desk.book.entries["grid:e1"].why == NOT_TAKING_PART
        assert desk.book.next(time.time()) is None
        server.tell(event="e2", start=time.time() + HOUR, duration=HOUR, level=1)
        await here.until(
            lambda _: server.was_told(heard="opt", event="e2", opt="optOut")
        )
        await here.take(by_2(port))
        desk = await here.until(
            lambda _: server.was_told(heard="opt", event="e2", opt="optIn")
        )
        assert {entry.opt for entry in desk.book.entries.values()} == {"in"}
        assert "opted_out" in here.told


async def test_book_survives_a_restart_and_is_not_told_anew() -> None:
    async with vtn3() as server:
        server.events.append(coming("e1"))
        async with place() as here:
            await here.take(by_3(server))
            await here.until(lambda desk: desk.book.entries)
            await until(lambda: here.kept)
        async with place() as again:
            await again.take(by_3(server), book=here.kept[-1])
            desk = await again.until(lambda desk: stands(desk) == "registered")
            assert desk.book.entries.keys() == {"grid3:e1"}
            assert not again.told


async def test_connection_that_is_taken_away_ends_its_events() -> None:
    async with vtn3() as server, vtn3() as other, place() as here:
        server.events.append(coming("e1"))
        other.events.append(coming("e2"))
        second = by_3(other, id="c4", name="grid4")
        await here.take(by_3(server), second)
        await here.until(lambda desk: len(desk.book.entries) == 2)
        await here.take(second)
        desk = await here.look()
        assert desk.book.status("grid3:e1", time.time()) == "cancelled"
        assert desk.book.status("grid4:e2", time.time()) != "cancelled"
        assert "cancelled" in here.told
        asked = len(server.asked)
        await asyncio.sleep(0.3)
        assert len(server.asked) == asked, "nobody asks it any more"


async def test_changed_address_begins_anew_and_the_others_go_on() -> None:
    async with vtn3() as server, vtn3() as other, place() as here:
        second = by_3(other, id="c4", name="grid4")
        await here.take(by_3(server, url="http://127.0.0.1:1"), second)
        desk = await here.until(
            lambda desk: (stands(desk), stands(desk, 1)) == ("lost", "registered")
        )
        assert desk.connections[0]["why"]
        tokens = other.tokens
        await here.take(by_3(server), second)
        await here.until(
            lambda desk: all(
                item["stands"] == "registered" for item in desk.connections
            )
        )
        assert other.tokens == tokens


async def test_without_openleadr_the_other_protocol_goes_on_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "OPENLEADR_MISSING", "No module named 'openleadr'")
    async with vtn3() as server, place() as here:
        await here.take(by_2(1), by_3(server))
        desk = await here.until(lambda desk: stands(desk, 1) == "registered")
        assert stands(desk) == "lost"
        assert "python_packages" in desk.connections[0]["why"]
        assert desk.missing == ("openleadr",)


def test_engine_starts_without_the_packages_of_one_protocol() -> None:
    """In a process of its own: here they are imported already."""
    tried = (
        "import sys; sys.modules.update(openleadr=None, cryptography=None);"
        "import chiller_control.load_shedding, chiller_control.utilities as room;"
        "assert room.OPENLEADR_MISSING; print('started')"
    )
    done = subprocess.run(
        [sys.executable, "-c", tried],
        cwd=APPS,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "started\n", done.stderr


async def test_settings_of_a_newer_home_assistant_end_one_connection_only() -> None:
    async with vtn3() as server, place() as here:
        strange = by_3(server, id="c4", name="grid4", hologram=True)
        await here.take(strange, by_3(server))
        desk = await here.until(lambda desk: stands(desk, 1) == "registered")
        assert "not understood" in desk.connections[0]["why"]


async def test_event_that_cannot_be_kept_is_not_promised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "KEEP_SECONDS", 0.5)
    monkeypatch.setattr(room, "KEEP_PAUSE", 0.1)
    port = free_port()
    async with vtn(port) as server, place() as here:
        await here.take(by_2(port))
        here.breaks = RuntimeError("the disk is full")
        server.tell(event="e1", start=time.time() + HOUR, duration=HOUR, level=1)
        await here.until(lambda _: server.was_told(heard="opt", opt="optOut"))
        assert here.tries > 1
        desk = await here.look()
        assert "the disk is full" in desk.book.entries["grid:e1"].why
        here.breaks = None
        await here.until(lambda _: here.kept)
        assert here.kept[-1][0]["opt"] == "out"


async def test_rows_wait_for_a_server_that_is_away_and_arrive_in_order() -> None:
    async with vtn3() as server, place() as here:
        server.events.append(coming("e1"))
        await here.take(by_3(server))
        await here.until(lambda desk: desk.book.entries)
        server.broken = 503
        await here.until(lambda desk: stands(desk) == "lost")
        rows = [
            Row("grid3:e1", 60.0 * n, 60.0, {"DEMAND": float(n)}) for n in range(250)
        ]
        for row in rows:
            await here.utilities.tell(News(time.time(), {}, False, (row,)))
        desk = await here.look()
        assert desk.connections[0]["waiting"] == 250
        server.broken = None
        await here.until(lambda desk: desk.connections[0]["waiting"] == 0)
        sent = [
            interval["payloads"][0]["values"][0]
            for report in server.reports
            for interval in report["resources"][0]["intervals"]
        ]
        assert sent == [float(n) for n in range(250)]


async def test_rows_that_wait_are_bounded_and_the_newest_are_kept() -> None:
    async with vtn3() as server, place() as here:
        server.events.append(coming("e1"))
        await here.take(by_3(server))
        await here.until(lambda desk: desk.book.entries)
        server.broken = 503
        await here.until(lambda desk: stands(desk) == "lost")
        rows = [Row("grid3:e1", n, 1.0, {"DEMAND": n}) for n in range(MOST_ROWS + 10)]
        await here.utilities.tell(News(time.time(), {}, False, rows))
        (health,) = (await here.look()).connections
        assert (health["waiting"], health["dropped"]) == (MOST_ROWS, 10)


async def test_row_that_a_server_never_takes_does_not_keep_the_others() -> None:
    async with vtn3() as server, place() as here:
        server.events.append(coming("e1"))
        await here.take(by_3(server))
        await here.until(lambda desk: desk.book.entries)
        unknown = Row("grid3:gone", 0.0, 60.0, {"DEMAND": 1.0})
        good = Row("grid3:e1", 0.0, 60.0, {"DEMAND": 2.0})
        await here.utilities.tell(News(time.time(), {}, False, (unknown, good)))
        await here.until(lambda _: server.reports)
        assert len(server.reports) == 1


async def test_figures_of_long_ago_are_not_reported() -> None:
    port = free_port()
    async with vtn(port) as server, place() as here:
        await here.take(by_2(port))
        old = News(time.time() - 300.0, {"power": 1.0}, False)
        await here.utilities.tell(old)
        await here.until(lambda desk: stands(desk) == "registered")
        await here.until(
            lambda _: server.was_told(heard="status", online=False, resource="plant")
        )
        assert not server.all(heard="report")
        await here.utilities.tell(News(time.time(), {"power": 2.0}, True))
        await here.until(lambda _: server.was_told(heard="report", value=2.0))
        await here.until(
            lambda _: server.was_told(heard="status", online=True, override=True)
        )
