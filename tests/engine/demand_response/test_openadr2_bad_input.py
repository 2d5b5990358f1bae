"""What no utility should send is answered in words, and harms no other event."""

from collections.abc import Callable
import re
import time
from typing import Any

from chiller_control.control.demand_response.requested_load import Terms, requested_load
import pytest
from utility_server import Plant, Vtn, between, free_port, plant, until, vtn

LATER = 600.0


async def refusal(server: Vtn, site: Plant, **event: Any) -> str:
    """Return why an event was refused; the next one must be taken."""
    await until(lambda: site.ven.health.stands == "registered")
    asked = {"event": "odd", "start": time.time() + LATER, "duration": 3600.0}
    server.tell(**(asked | {"level": 1.0} | event))
    await until(lambda: bool(site.refused))
    await until(lambda: server.was_told(heard="opt", event="odd", opt="optOut"))
    assert "utility:odd" not in site.ven.book.entries
    server.tell(event="fine", start=time.time() + LATER, duration=3600, level=1.0)
    await until(lambda: server.was_told(heard="opt", event="fine", opt="optIn"))
    assert list(site.ven.book.entries) == ["utility:fine"]
    # The server sends it again with the next event; that is no news.
    assert len(site.refused) == 1
    return site.refused[0]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"duration": 0.0}, "an event without an end is not taken part in"),
        ({"duration": 30 * 86400.0}, "it lasts 30 days"),
        (
            {"signal": "LOAD_DISPATCH", "type": "setpoint", "level": -50.0},
            "asks for less than no load",
        ),
        (
            {"signal": "LOAD_DISPATCH", "type": "multiplier", "level": -1.0},
            "asks for less than no load",
        ),
        ({"signal": "BID_PRICE", "type": "price"}, "none of its signals is known"),
    ],
)
async def test_an_event_that_nobody_can_take_part_in_is_refused_in_words(
    event: dict[str, Any], words: str
) -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        assert words in await refusal(server, site, **event)


@pytest.mark.parametrize(
    ("event", "sent", "made", "words"),
    [
        ({}, b"<ei:value>1.0<", b"<ei:value>7<", "its level is none of 0, 1, 2, 3"),
        (
            {"signal": "LOAD_DISPATCH", "type": "delta"},
            b"<ei:value>1.0<",
            b"<ei:value>-INF<",
            "has no value",
        ),
        (
            {"signal": "LOAD_DISPATCH", "type": "delta"},
            b"<ei:value>1.0<",
            b"<ei:value>NaN<",
            "has no value",
        ),
        ({}, rb"date-time>20\d\d-", b"date-time>2020-", "it is over already"),
    ],
)
async def test_what_the_library_would_not_send_is_refused_as_well(
    event: dict[str, Any], sent: bytes, made: bytes, words: str
) -> None:
    port = free_port()
    async with (
        vtn(port) as server,
        between(port) as (wire, before),
        plant(before) as site,
    ):
        wire.change = lambda answer: re.sub(sent, made, answer)
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(
            **{"event": "odd", "duration": 3600.0, "level": 1.0} | event,
            start=time.time() + LATER,
        )
        await until(lambda: bool(site.refused))
        assert words in site.refused[0]
        assert not site.ven.book.entries


async def test_a_reduction_beyond_the_load_asks_for_all_of_it_and_no_more() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(
            event="e1",
            start=time.time() + LATER,
            duration=3600.0,
            signal="LOAD_DISPATCH",
            type="delta",
            level=-1_000_000.0,
        )
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        event = site.ven.book.entries["utility:e1"].event
        asked = requested_load(event, "plant", event.start + 60.0, 400.0, Terms())
        assert asked is not None
        assert (asked.target_kw, asked.reduction_kw) == (0.0, 400.0)


async def test_the_same_event_twice_is_taken_once() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        start = time.time() + LATER
        server.tell(event="e1", start=start, duration=3600.0, level=1.0)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        server.tell(event="e1", start=start, duration=3600.0, level=1.0)
        await until(lambda: len(server.all(heard="opt", event="e1")) > 1)
        assert site.happened == ["received"]
        assert not site.refused


async def test_two_different_events_under_one_id_are_said_and_the_first_counts() -> (
    None
):
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        start = time.time() + LATER
        server.tell(event="e1", start=start, duration=3600.0, level=1.0)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        server.tell(event="e1", start=start, duration=7200.0, level=3.0)
        await until(lambda: bool(site.refused))
        assert "same modification number 0; what came first counts" in site.refused[0]
        assert site.ven.book.entries["utility:e1"].event.duration == 3600.0


async def test_an_event_made_in_the_future_is_taken_and_the_clocks_are_said() -> None:
    port = free_port()
    async with (
        vtn(port) as server,
        between(port) as (wire, before),
        plant(before) as site,
    ):
        wire.clock = 3600.0
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(
            event="e1", start=time.time() + LATER, duration=3600, level=1, created=3600
        )
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        entry = site.ven.book.entries["utility:e1"]
        assert entry.event.created > entry.received
        await until(lambda: "s ahead of ours" in site.ven.health.why)
        assert site.ven.health.skew == pytest.approx(3600.0, abs=30.0)
        assert site.ven.health.stands == "registered"


def bomb(answer: bytes) -> bytes:
    return (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
        b'<!ENTITY c "&b;&b;&b;&b;&b;&b;">]><oadrPayload>&c;</oadrPayload>'
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda answer: b"not xml at all", "is no OpenADR 2.0b message"),
        (lambda answer: answer[: len(answer) // 2], "is no OpenADR 2.0b message"),
        (lambda answer: b"<html>Welcome</html>", "is no OpenADR 2.0b message"),
        (lambda answer: b"\xff\xfe\x00", "is no OpenADR 2.0b message"),
        (
            lambda answer: answer.replace(b"oadrSignedObject", b"oadrSigned"),
            "is no OpenADR 2.0b message",
        ),
        (bomb, "defines XML entities"),
        (lambda answer: b" " * 5_000_000, "longer than 4 MB"),
        (
            lambda answer: answer.replace(
                b"<ei:responseCode>200<", b"<ei:responseCode>463<"
            ),
            "the server refuses us: 463",
        ),
    ],
)
async def test_an_answer_that_is_none_ends_no_event_and_is_said(
    change: Callable[[bytes], bytes], words: str
) -> None:
    port = free_port()
    async with (
        vtn(port) as server,
        between(port) as (wire, before),
        plant(before) as site,
    ):
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(event="e1", start=time.time() + LATER, duration=3600, level=1)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        wire.change = change
        await until(lambda: words in site.ven.health.why)
        await until(lambda: site.ven.health.stands != "registered")
        assert site.happened == ["received"]
        wire.change = None
        await until(lambda: site.ven.health.stands == "registered")
        assert site.ven.book.status("utility:e1", time.time()) == "near"


async def test_a_server_that_fails_is_said_with_its_own_words() -> None:
    port = free_port()
    async with (
        vtn(port),
        between(port) as (wire, before),
        plant(before) as site,
    ):
        await until(lambda: site.ven.health.stands == "registered")
        wire.status, wire.change = 503, lambda answer: b"closed for maintenance"
        await until(
            lambda: "answered 503 closed for maintenance" in site.ven.health.why
        )
