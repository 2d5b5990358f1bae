"""What a real utility's server asks for in 2.0b is asked of the plant, in kW and time."""

import asyncio
import time

from chiller_control.control.demand_response.requested_load import Terms, requested_load
from chiller_control.openadr2_ven import Ven2
import pytest
from utility_server import LONG, free_port, plant, until, vtn

LATER = 600.0
TERMS = Terms(prices=((0.2, 1), (0.35, 2)), capacity_kw=800.0)


@pytest.mark.parametrize(
    ("signal", "kind", "level", "target"),
    [
        ("SIMPLE", "level", 2.0, 400.0),
        ("LOAD_DISPATCH", "setpoint", 320.0, 320.0),
        ("LOAD_DISPATCH", "delta", -120.0, 380.0),
        ("LOAD_DISPATCH", "multiplier", 0.7, 350.0),
        ("LOAD_CONTROL", "x-loadControlCapacity", 0.5, 400.0),
        ("LOAD_CONTROL", "x-loadControlSetpoint", 310.0, 310.0),
        ("LOAD_CONTROL", "x-loadControlLevelOffset", -1.0, 450.0),
        ("LOAD_CONTROL", "x-loadControlPercentOffset", -15.0, 425.0),
        ("ELECTRICITY_PRICE", "price", 0.4, 400.0),
        ("ENERGY_PRICE", "price", 0.25, 450.0),
    ],
)
async def test_each_signal_is_a_load_in_the_end(
    signal: str, kind: str, level: float, target: float
) -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(
            event="e1",
            start=time.time() + LATER,
            duration=3600.0,
            signal=signal,
            type=kind,
            level=level,
        )
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        event = site.ven.book.entries["utility:e1"].event
        asked = requested_load(event, "plant", event.start + 60.0, 500.0, TERMS)
        assert asked is not None
        assert asked.target_kw == pytest.approx(target)


async def test_ramp_recovery_randomisation_priority_and_test_are_what_was_told() -> (
    None
):
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        start = time.time() + LATER
        server.tell(
            event="e1",
            start=start,
            duration=3600.0,
            level=2.0,
            startafter=300,
            ramp=120,
            recovery=900,
            priority=3,
            test=True,
            comment="hot",
        )
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        event = site.ven.book.entries["utility:e1"].event
        assert (event.randomise, event.ramp, event.recovery) == (300.0, 120.0, 900.0)
        assert (event.rank, event.test, event.comment) == (3, True, "hot")
        begins = event.begins("plant")
        assert start - 1.0 <= begins <= start + 300.0
        asked = requested_load(event, "plant", begins + 60.0, 500.0, Terms())
        assert asked is not None
        assert asked.target_kw == pytest.approx(450.0), "half of the way to 400"


async def test_a_modified_event_is_what_was_told_last_and_answered_again() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        start = time.time() + LATER
        server.tell(event="e1", start=start, duration=3600.0, level=1.0)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        heard = len(server.all(heard="opt", event="e1"))
        server.tell(
            event="e1", start=start + 60.0, duration=7200.0, level=3.0, modification=1
        )
        await until(lambda: site.happened == ["received", "modified"])
        event = site.ven.book.entries["utility:e1"].event
        assert event.duration == 7200.0
        assert event.start == pytest.approx(start + 60.0, abs=1.0)
        signal = event.signal()
        assert signal is not None
        assert signal.intervals[0].value == 3.0
        await until(lambda: len(server.all(heard="opt", event="e1")) > heard)


async def test_of_events_at_one_time_the_first_in_priority_counts() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        start = time.time() + LATER
        for name, priority in (("none", 0), ("second", 2), ("first", 1)):
            server.tell(
                event=name, start=start, duration=3600.0, level=1.0, priority=priority
            )
            await until(
                lambda name=name: server.was_told(heard="opt", event=name, opt="optIn")
            )
        book = site.ven.book
        for counts in ("first", "second", "none"):
            entry = book.current(start + 60.0)
            assert entry is not None
            assert entry.event.id == counts
            server.tell(cancel=counts)
            await until(
                lambda counts=counts: (
                    book.status(f"utility:{counts}", time.time()) == "cancelled"
                )
            )


async def test_a_site_that_opts_out_by_default_says_so_and_may_opt_in() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        site.ven.book.default_opt = "out"
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(event="e1", start=time.time() + LATER, duration=3600, level=1.0)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optOut"))
        assert site.ven.book.next(time.time()) is None
        site.ven.book.opt("utility:e1", "in", "participating")
        assert await site.ven.answer("utility:e1")
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        assert site.ven.book.next(time.time()) is not None


async def test_an_operator_who_opts_out_of_a_running_event_is_heard() -> None:
    port = free_port()
    async with vtn(port) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(event="e1", start=time.time() - 5.0, duration=3600, level=1.0)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        book = site.ven.book
        assert book.status("utility:e1", time.time()) == "active"
        book.opt("utility:e1", "out", "a fair in the hall")
        assert await site.ven.answer("utility:e1")
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optOut"))
        assert book.entries["utility:e1"].why == "a fair in the hall"
        assert book.current(time.time()) is None


async def test_a_server_that_is_down_is_asked_ever_more_rarely() -> None:
    asked: list[float] = []

    async def hang_up(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked.append(time.monotonic())
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, plant(port) as site:
        assert isinstance(site.ven, Ven2)
        async with asyncio.timeout(LONG):
            while len(asked) < 8:
                await asyncio.sleep(0.05)
        first = site.ven.first_pause
    # Who is hung up on tries twice. At least: on a busy machine it takes longer.
    assert asked[-1] - asked[0] > 0.9 * first * (1 + 2 + 4)
