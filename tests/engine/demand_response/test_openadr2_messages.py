"""What a utility's server may say besides events, and what it must not get away with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
import gzip
import time
from xml.sax.saxutils import escape

from chiller_control import openadr2_client
from chiller_control.control.demand_response.event_book import Told
from chiller_control.openadr_http import LONGEST_ANSWER
from lxml import etree
from openleadr.messaging import create_message
import pytest
from utility_server import Between, Plant, Vtn, between, free_port, plant, until, vtn

LATER = 600.0
OURS = "ven_1"


@asynccontextmanager
async def overheard(**settings: str) -> AsyncIterator[tuple[Vtn, Between, Plant]]:
    """Run a server, a plant that is registered with it, and what lies between."""
    port = free_port()
    async with (
        vtn(port) as server,
        between(port) as (wire, before),
        plant(before, **settings) as site,
    ):
        await until(lambda: site.ven.health.stands == "registered")
        yield server, wire, site


async def taken(server: Vtn, name: str, **event: object) -> None:
    """Announce an event; it must be opted into under its own name."""
    asked = {
        "event": name,
        "start": time.time() + LATER,
        "duration": 3600.0,
        "level": 1,
    }
    server.tell(**(asked | event))
    await until(lambda: server.was_told(heard="opt", event=name, opt="optIn"))


@pytest.mark.parametrize("name", ["007", "2026.11.22", "true", "1e5", "a & b <c>"])
async def test_an_event_is_answered_under_exactly_its_name(name: str) -> None:
    written = escape(name).encode()
    async with overheard() as (server, wire, site):
        # The server's own library would take 007 for 7, and does not write a `&` well.
        wire.change = lambda answer: answer.replace(b">odd<", b">" + written + b"<")
        server.tell(event="odd", start=time.time() + LATER, duration=3600, level=1)
        named = f"<ei:eventID>{escape(name)}</ei:eventID>"
        await until(lambda: wire.was_sent("oadrCreatedEvent", named, "optIn"))
        assert list(site.ven.book.entries) == [f"utility:{name}"]


async def test_a_plant_may_have_any_name() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port, ven_name="Smith & Sons <7>"):
        await until(
            lambda: server.was_told(heard="registered", name="Smith & Sons <7>")
        )


async def test_what_is_for_another_plant_is_left_alone_and_said() -> None:
    async with overheard() as (server, wire, site):
        wire.change = lambda answer: answer.replace(b">ven_1<", b">ven_2<")
        await until(
            lambda: (
                "its answer is for ven_2, and not for us (ven_1)" in site.ven.health.why
            )
        )
        wire.change = lambda answer: answer.replace(
            b"<ei:venID>ven_1</ei:venID></ei:eiTarget>",
            b"<ei:venID>ven_2</ei:venID></ei:eiTarget>",
        )
        server.tell(event="e1", start=time.time() + LATER, duration=3600, level=1)
        await until(lambda: bool(site.refused))
        assert site.refused == ["it is for ven_2, and not for us (ven_1)"]
        assert not site.ven.book.entries
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optOut"))


async def test_a_server_that_knows_us_under_another_id_is_not_believed() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port, ven_id="ven_9") as site:
        await until(
            lambda: "knows us as ven_1, and not as ven_9" in site.ven.health.why
        )
        assert site.ven.health.stands == "connecting"
        server.tell(event="e1", start=time.time() + LATER, duration=3600, level=1)
        assert not site.ven.book.entries


async def test_a_server_may_have_us_register_again() -> None:
    async with overheard() as (server, wire, site):
        await taken(server, "e1")
        wire.instead.append(
            ("OadrPoll", create_message("oadrRequestReregistration", ven_id=OURS))
        )
        await until(lambda: len(server.all(heard="registered")) == 2)
        await until(lambda: site.ven.health.registrations == 2)
        assert site.ven.book.status("utility:e1", time.time()) == "near"
        await taken(server, "e2")


async def test_a_server_that_never_knows_us_is_asked_ever_more_rarely() -> None:
    async with overheard() as (server, wire, site):
        again = create_message("oadrRequestReregistration", ven_id=OURS)
        wire.instead += 100 * [("OadrPoll", again)]
        begun = time.monotonic()
        await until(lambda: len(server.all(heard="registered")) >= 6)
        # At least: on a busy machine it takes longer.
        pauses = 1 + 2 + 4 + 8 + 16
        assert time.monotonic() - begun > 0.9 * site.ven.first_pause * pauses
        assert "asks us to register again" in site.ven.health.why
        # One that has come to its senses is heard.
        wire.instead.clear()
        await taken(server, "e1")


async def test_a_server_may_end_the_registration_and_is_answered() -> None:
    async with overheard() as (server, wire, site):
        await taken(server, "e1")
        message = create_message(
            "oadrCancelPartyRegistration",
            request_id="r1",
            registration_id="registration",
            ven_id=OURS,
        )
        wire.instead.append(("OadrPoll", message))
        await until(lambda: wire.was_sent("oadrCanceledPartyRegistration", "200"))
        # We ask to be registered again, and the event stands.
        await until(lambda: site.ven.health.registrations == 2)
        assert site.ven.book.status("utility:e1", time.time()) == "near"


async def test_a_registration_of_somebody_else_is_not_ended() -> None:
    async with overheard() as (server, wire, site):
        message = create_message(
            "oadrCancelPartyRegistration",
            request_id="r1",
            registration_id="another",
            ven_id=OURS,
        )
        wire.instead.append(("OadrPoll", message))
        await until(lambda: wire.was_sent("oadrCanceledPartyRegistration", "452"))
        await taken(server, "e1")
        assert site.ven.health.registrations == 1


def wanted_report(name: str, specifier: str, resource: str) -> str:
    request = {
        "report_request_id": name,
        "report_specifier": {
            "report_specifier_id": specifier,
            "granularity": timedelta(seconds=1),
            "report_back_duration": timedelta(seconds=1),
            "specifier_payloads": [
                {"r_id": resource, "reading_type": "Direct Read"},
            ],
        },
    }
    return str(
        create_message(
            "oadrCreateReport", request_id="q1", ven_id=OURS, report_requests=[request]
        )
    )


async def test_a_report_that_is_asked_for_later_comes_until_it_is_cancelled() -> None:
    async with overheard() as (_, wire, _site):
        wire.instead.append(("OadrPoll", wanted_report("0042", "plant_meter", "meter")))
        await until(lambda: wire.was_sent("oadrCreatedReport", ">0042<"))
        await until(
            lambda: wire.was_sent("oadrUpdateReport", "reportRequestID>0042<", "412.5")
        )
        message = create_message(
            "oadrCancelReport",
            request_id="q2",
            report_request_id="0042",
            report_to_follow=False,
            ven_id=OURS,
        )
        wire.instead.append(("OadrPoll", message))
        await until(lambda: wire.was_sent("oadrCanceledReport", ">200<", ">q2<"))
        wire.sent.clear()
        # The one that was asked for at the registration goes on.
        await until(lambda: wire.was_sent("oadrUpdateReport"))
        assert not wire.was_sent("oadrUpdateReport", "reportRequestID>0042<")


async def test_what_waits_of_a_cancelled_report_is_sent_if_it_is_to_follow() -> None:
    async with overheard() as (_, wire, site):
        # Rows are read each second, and wait while reports are refused.
        wire.instead += 40 * [("EiReport", "<closed/>")]
        await until(lambda: site.ven.health.waiting > 2)
        [request] = site.ven.papers.as_rows(1000)
        wire.instead.clear()
        wire.instead.append(
            (
                "OadrPoll",
                create_message(
                    "oadrCancelReport",
                    request_id="q2",
                    report_request_id=request["id"],
                    report_to_follow=True,
                    ven_id=OURS,
                ),
            )
        )
        await until(lambda: wire.was_sent("oadrCanceledReport", ">200<"))
        await until(lambda: site.ven.health.waiting == 0)
        name = f"reportRequestID>{request['id']}<"
        await until(
            lambda: (
                sum(
                    text.count("<ei:interval>")
                    for _, text in wire.sent
                    if "oadr:oadrUpdateReport " in text and name in text
                )
                >= 3
            )
        )


async def test_reports_that_are_not_known_are_said_to_be_so() -> None:
    async with overheard() as (server, wire, _site):
        wire.instead.append(("OadrPoll", wanted_report("r1", "nobody", "nothing")))
        await until(lambda: wire.was_sent("oadrCreatedReport", ">452<"))
        message = create_message(
            "oadrCancelReport",
            request_id="q2",
            report_request_id="nobody",
            report_to_follow=False,
            ven_id=OURS,
        )
        wire.instead.append(("OadrPoll", message))
        await until(lambda: wire.was_sent("oadrCanceledReport", ">452<"))
        await taken(server, "e1")


async def test_a_server_that_wants_to_know_our_reports_is_told_again() -> None:
    async with overheard() as (server, wire, _site):
        wire.sent.clear()
        wire.instead.append(("OadrPoll", wanted_report("r1", "METADATA", "meter")))
        await until(lambda: wire.was_sent("oadrRegisterReport", "plant_meter"))
        await until(lambda: wire.was_sent("oadrCreatedReport", ">r1<", ">200<"))
        await until(lambda: server.was_told(heard="report", resource="meter"))


@pytest.mark.parametrize(
    "message",
    [
        "",
        create_message(
            "oadrRegisterReport",
            request_id="q1",
            ven_id=OURS,
            reports=[],
            report_request_id="0",
        ),
        create_message("oadrPoll", ven_id=OURS),
    ],
)
async def test_polls_go_on_after_an_answer_with_nothing_in_it(message: str) -> None:
    async with overheard() as (server, wire, site):
        wire.instead += 2 * [("OadrPoll", message)]
        await until(lambda: not wire.instead)
        await taken(server, "e1")
        assert site.ven.health.registrations == 1


async def test_a_server_that_moved_is_said_and_nobody_else_is_told_anything() -> None:
    strangers: list[bytes] = []

    async def listen(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        strangers.append(await reader.read(100))
        writer.close()

    stranger = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = stranger.sockets[0].getsockname()[1]
    async with stranger, overheard() as (server, wire, site):
        wire.status, wire.headers = 307, {"Location": f"http://127.0.0.1:{port}/x"}
        await until(
            lambda: f"moved to http://127.0.0.1:{port}/x" in site.ven.health.why
        )
        await until(lambda: site.ven.health.stands == "lost")
        wire.status, wire.headers = 200, {}
        await taken(server, "e1")
    assert not strangers


async def test_packed_answers_are_read_and_bombs_are_not() -> None:
    bomb = gzip.compress(bytes(50 * LONGEST_ANSWER))
    async with overheard() as (server, wire, site):
        wire.headers = {"Content-Encoding": "gzip"}
        wire.change = gzip.compress
        await taken(server, "e1")
        wire.change = lambda answer: bomb
        await until(
            lambda: "longer than 4 MB when it is unpacked" in site.ven.health.why
        )
        wire.change = lambda answer: b"not packed at all"
        await until(lambda: "cannot be unpacked" in site.ven.health.why)
        wire.change, wire.headers = None, {}
        await taken(server, "e2")


async def test_a_server_that_wants_to_be_left_alone_is() -> None:
    async with overheard() as (server, wire, site):
        wire.headers, wire.status = {"Retry-After": "4"}, 503
        await until(lambda: "the server answered 503" in site.ven.health.why)
        since = time.monotonic()
        wire.headers, wire.status = {}, 200
        wire.sent.clear()
        await until(lambda: bool(wire.sent))
        # It said so a little earlier than we saw it.
        assert time.monotonic() - since > 2.0
        await taken(server, "e1")


async def test_a_server_that_is_too_busy_to_register_us_is_left_alone() -> None:
    port = free_port()
    async with vtn(port), between(port) as (wire, before):
        wire.headers, wire.status = {"Retry-After": "4"}, 503
        async with plant(before) as site:
            await until(lambda: "the server answered 503" in site.ven.health.why)
            since = time.monotonic()
            wire.headers, wire.status = {}, 200
            wire.sent.clear()
            await until(lambda: bool(wire.sent))
            # It said so a little earlier than we saw it.
            assert time.monotonic() - since > 2.0
            await until(lambda: site.ven.health.stands == "registered")


async def test_a_server_that_answers_word_by_word_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick = openadr2_client.aiohttp.ClientTimeout(total=1.0)
    monkeypatch.setattr(openadr2_client, "_TIMEOUT", quick)

    async def dribble(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.1)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(dribble, "127.0.0.1", 0)
    async with server, plant(server.sockets[0].getsockname()[1]) as site:
        await until(lambda: "no answer in time" in site.ven.health.why)
        assert site.ven.health.stands == "connecting"


async def test_a_time_that_nobody_can_count_is_said() -> None:
    async with overheard() as (server, wire, site):
        wire.change = lambda answer: answer.replace(b">PT1H<", b">P999999999999D<")
        server.tell(event="odd", start=time.time() + LATER, duration=3600, level=1)
        await until(lambda: "its answer cannot be read" in site.ven.health.why)
        wire.change = None
        await taken(server, "e1")


async def test_an_answer_that_a_person_changed_in_an_outage_is_told_after_it() -> None:
    async with overheard() as (server, wire, site):
        await taken(server, "e1")
        site.ven.book.opt("utility:e1", "out", "a fair in the hall")
        wire.status = 503
        assert not await site.ven.answer("utility:e1")
        wire.status = 200
        assert await site.ven.answer("utility:e1")
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optOut"))


async def test_a_server_that_wants_no_answer_gets_none() -> None:
    async with overheard() as (server, wire, site):
        wire.change = lambda answer: answer.replace(
            b"ResponseRequired>always<", b"ResponseRequired>never<"
        )
        server.tell(event="e1", start=time.time() + LATER, duration=3600, level=1)
        await until(lambda: "utility:e1" in site.ven.book.entries)
        site.ven.book.opt("utility:e1", "out", "a fair in the hall")
        assert await site.ven.answer("utility:e1")
        wire.instead.append(("OadrPoll", ""))
        await until(lambda: not wire.instead)
        assert not wire.was_sent("oadrCreatedEvent")


async def test_a_cancelled_event_is_begun_again_by_a_higher_number_only() -> None:
    async with overheard() as (server, _, site):
        start = time.time() + LATER
        await taken(server, "e1", start=start)
        server.tell(cancel="e1")
        book = site.ven.book
        await until(lambda: book.entries["utility:e1"].cancelled is not None)
        heard = len(server.all(heard="opt", event="e1", opt="optOut"))
        server.tell(event="e1", start=start, duration=3600.0, level=1)
        await until(lambda: bool(site.refused))
        assert "with which it was cancelled" in site.refused[0]
        # Nobody is promised what is not kept.
        await until(
            lambda: len(server.all(heard="opt", event="e1", opt="optOut")) > heard
        )
        server.tell(event="e1", start=start, duration=3600.0, level=1, modification=2)
        await until(lambda: book.status("utility:e1", time.time()) == "near")
        assert site.happened == ["received", "cancelled", "modified"]


async def test_what_no_disk_keeps_is_said_to_people_as_well() -> None:
    async with overheard() as (server, _, site):

        async def full() -> None:
            raise OSError("no space left")

        site.ven.store = full
        server.tell(event="e1", start=time.time() + LATER, duration=3600, level=1)
        await until(lambda: bool(site.refused))
        assert "it could not be kept: no space left" in site.refused[0]
        assert "can be opted into by hand" in site.refused[0]


def without(answer: bytes, name: str) -> bytes:
    """Return an answer that does not list an event."""
    tree = etree.fromstring(answer)
    for event in tree.xpath("//*[local-name()='oadrEvent']"):
        if event.xpath(".//*[local-name()='eventID']/text()") == [name]:
            event.getparent().remove(event)
    return etree.tostring(tree)


async def test_event_that_is_listed_no_more_is_over_until_it_is_listed_again() -> None:
    async with overheard() as (server, wire, site):
        await taken(server, "e1")
        await taken(server, "e2")
        wire.change = lambda answer: without(answer, "e1")
        before = len(wire.sent)
        await taken(server, "e3")
        await until(
            lambda: site.ven.book.status("utility:e1", time.time()) == "cancelled"
        )
        assert any("oadrRequestEvent" in sent for _, sent in wire.sent[before:])
        assert site.ven.book.status("utility:e2", time.time()) == "near"
        assert [
            item.why
            for item in site.told
            if isinstance(item, Told) and item.what == "cancelled"
        ] == ["withdrawn by the utility"]

        wire.change = None
        await taken(server, "e4")
        await until(lambda: site.ven.book.status("utility:e1", time.time()) == "near")


async def test_server_that_lists_nothing_any_more_wants_nothing() -> None:
    async with overheard() as (server, wire, site):
        await taken(server, "e1")
        wire.change = lambda answer: without(without(answer, "e1"), "e2")
        server.tell(event="e2", start=time.time() + LATER, duration=3600.0, level=1)
        await until(
            lambda: site.ven.book.status("utility:e1", time.time()) == "cancelled"
        )


async def test_server_that_lists_new_events_alone_is_asked_for_all() -> None:
    async with overheard() as (server, wire, site):
        await taken(server, "e1")
        lists: list[bytes] = []

        def new_alone(answer: bytes) -> bytes:
            if b"e2<" not in answer:
                return answer
            lists.append(answer)
            return answer if len(lists) > 1 else without(answer, "e1")

        wire.change = new_alone
        await taken(server, "e2")
        await until(lambda: len(lists) > 1)
        await taken(server, "e3")
        assert site.ven.book.status("utility:e1", time.time()) == "near"
        assert "cancelled" not in site.happened
