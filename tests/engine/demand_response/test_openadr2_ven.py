"""A real VTN that is late, restarts, forgets and lies: the plant stays with it."""

import asyncio
import logging
import time

from chiller_control.control.demand_response.event_book import Told
from chiller_control.openadr2_ven import Refusal
import pytest
from utility_server import free_port, plant, until, vtn


async def test_an_event_is_stored_answered_and_told() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(event="e1", start=time.time() + 600, duration=3600, level=2)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        entry = site.ven.book.entries["utility:e1"]
        assert entry.event.duration == 3600
        signal = entry.event.signal()
        assert signal is not None
        assert signal.intervals[0].value == 2.0
        assert site.stored[0][0]["event"]["id"] == "e1"

        server.tell(cancel="e1")
        await until(
            lambda: site.ven.book.status("utility:e1", time.time()) == "cancelled"
        )
        assert [item.what for item in site.told if isinstance(item, Told)] == [
            "received",
            "cancelled",
        ]


async def test_what_the_meter_reads_is_reported_and_what_is_lost_is_not() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port):
        await until(lambda: server.was_told(heard="report", resource="meter"))
        assert server.was_told(value=412.5)
        assert not server.was_told(heard="report", resource="lost")


async def test_polls_leave_no_lines_in_the_log_of_appdaemon(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    async with vtn(port) as server, plant(port):
        # Several polls, which come as often as reports.
        await until(lambda: len(server.all(heard="report", resource="meter")) > 2)
    assert [item.name for item in caplog.records if item.name.startswith("apsch")] == []


async def test_a_server_that_is_down_at_the_start_is_tried_again() -> None:
    port = free_port()
    async with plant(port) as site:
        await until(lambda: bool(site.ven.health.why))
        assert site.ven.health.stands == "connecting"
        async with vtn(port) as server:
            await until(lambda: site.ven.health.stands == "registered")
            assert server.was_told(heard="registered", name="plant")


async def test_a_server_that_restarts_is_told_everything_again() -> None:
    port = free_port()
    async with plant(port) as site:
        async with vtn(port) as server:
            server.tell(event="e1", start=time.time() + 600, duration=3600, level=1)
            await until(lambda: "utility:e1" in site.ven.book.entries)
        await until(lambda: site.ven.health.stands == "lost")
        assert "utility:e1" in site.ven.book.entries
        async with vtn(port) as server:
            # It forgot who we are and what it had asked us to report.
            await until(lambda: server.was_told(heard="registered"))
            await until(lambda: server.was_told(heard="report", resource="meter"))
        await until(lambda: site.ven.health.registrations == 2)


async def test_an_operator_who_opts_out_is_heard_at_the_server() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(event="e1", start=time.time() + 600, duration=3600, level=1)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        site.ven.book.opt("utility:e1", "out", "mustRun")
        assert await site.ven.answer("utility:e1")
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optOut"))


async def test_an_event_that_cannot_be_kept_is_refused_and_the_next_is_taken() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(event="odd", start=time.time() + 600, duration=30 * 86400, level=1)
        await until(lambda: server.was_told(heard="opt", event="odd", opt="optOut"))
        refused = [item for item in site.told if isinstance(item, Refusal)]
        assert "at most 7" in refused[0].why
        server.tell(event="fine", start=time.time() + 600, duration=3600, level=1)
        await until(lambda: server.was_told(heard="opt", event="fine", opt="optIn"))


async def test_a_disk_that_does_not_keep_the_event_opts_out() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:

        async def full() -> None:
            raise OSError("no space left")

        site.ven.store = full
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(event="e1", start=time.time() + 600, duration=3600, level=1)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optOut"))
        assert site.ven.book.entries["utility:e1"].opt == "out"
        assert site.ven.book.next(time.time()) is None


@pytest.mark.parametrize("garbage", [b"", b"not xml", b"<oadrPayload/>"])
async def test_garbage_from_the_server_is_waited_out(garbage: bytes) -> None:
    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            % len(garbage)
            + garbage
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, plant(port) as site:
        await until(lambda: bool(site.ven.health.why))
        assert site.ven.health.stands == "connecting"
        assert site.ven.health.registrations == 0
