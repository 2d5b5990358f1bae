"""What waits for a utility is told after a restart of the engine, and told once."""

import asyncio
import time

from chiller_control import waiting_reports
from chiller_control.control.demand_response.event_reports import Row
from chiller_control.house import NoAnswer
from chiller_control.utilities import News
from demonstration.openadr3.vtn import Vtn3, vtn3
import pytest
from utility_place import Place, by_2, by_3, coming, place, stands
from utility_server import free_port, until, vtn


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand over what waits more often than every 15 seconds."""
    monkeypatch.setattr(waiting_reports, "SHORTEST", 0.2)
    monkeypatch.setattr(waiting_reports, "A_ROW", 0.0)


def rows(first: int, last: int) -> tuple[Row, ...]:
    return tuple(
        Row(
            "grid3:e1",
            60.0 * number,
            60.0,
            {"DEMAND": float(number), "OPERATING_STATE": "RUNNING_CURTAILED"},
        )
        for number in range(first, last)
    )


def sent(server: Vtn3) -> list[tuple[str, float, str]]:
    """Return when each row began, and what it said."""
    return [
        (
            interval["intervalPeriod"]["start"],
            *(item["values"][0] for item in interval["payloads"]),
        )
        for report in server.reports
        for interval in report["resources"][0]["intervals"]
    ]


def said(first: int, last: int) -> list[tuple[str, float, str]]:
    return [
        (
            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(60.0 * number)),
            float(number),
            "RUNNING_CURTAILED",
        )
        for number in range(first, last)
    ]


async def lose(here: Place, server: Vtn3) -> None:
    """Have an event known and the server away."""
    server.events.append(coming("e1"))
    await here.take(by_3(server))
    await here.until(lambda desk: desk.book.entries and here.kept)
    server.broken = 503
    await here.until(lambda desk: stands(desk) == "lost")


async def test_rows_of_an_outage_survive_a_restart_and_come_in_order() -> None:
    async with vtn3() as server:
        async with place() as here:
            await lose(here, server)
            await here.utilities.tell(News(time.time(), {}, False, rows(0, 120)))
            await here.until(lambda _: here.reports)
            # What is on disk now is what a crash leaves.
            left = dict(here.reports)
        async with place(left) as again:
            await again.take(by_3(server), book=here.kept[-1])
            desk = await again.until(lambda desk: desk.connections[0]["waiting"])
            assert desk.connections[0]["waiting"] == 120
            await again.utilities.tell(News(time.time(), {}, False, rows(120, 130)))
            server.broken = None
            await again.until(lambda desk: desk.connections[0]["waiting"] == 0)
            assert sent(server) == said(0, 130)
            # Nothing is left that another restart would tell again.
            await again.until(lambda _: again.reports == {"c3": ""})


async def test_engine_that_is_stopped_hands_over_what_is_newest() -> None:
    async with vtn3() as server:
        async with place() as here:
            await lose(here, server)
            await here.utilities.tell(News(time.time(), {}, False, rows(0, 3)))
        async with place(here.reports) as again:
            server.broken = None
            await again.take(by_3(server), book=here.kept[-1])
            await again.until(lambda _: len(sent(server)) == 3)
            assert sent(server) == said(0, 3)


async def test_figures_of_an_outage_survive_a_restart_under_what_is_asked_then() -> (
    None
):
    port = free_port()
    left: dict[str, str] = {}
    async with place() as here:
        async with vtn(port) as server:
            await here.take(by_2(port))
            await here.utilities.tell(News(time.time(), {"power": 1.0}, True))
            await here.until(
                lambda _: (
                    server.was_told(heard="report", value=1.0)
                    and server.was_told(heard="status", override=True)
                )
            )
        gone = time.time()

        async def looked() -> bool:
            await here.utilities.tell(News(time.time(), {"power": 2.0}, False))
            return '"power",2.0' in here.reports.get("c2", "")

        async with asyncio.timeout(40):
            while not await looked():
                await here.look()
                await asyncio.sleep(0.1)
        left = dict(here.reports)
    restarted = time.time()
    async with vtn(port) as server, place(left) as again:
        await again.take(by_2(port))
        await again.until(lambda _: server.was_told(heard="report", value=2.0))
        late = server.all(heard="report", value=2.0)
        assert all(gone - 1.0 <= item["at"] <= restarted for item in late)
        times = [item["at"] for item in late]
        assert times == sorted(set(times))
        await again.until(
            lambda _: server.was_told(heard="status", online=True, override=False)
        )


async def test_what_waited_and_is_unreadable_keeps_no_connection_from_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for text in ("{", "7", '[["grid3:e1", [[1]]]]', '[["grid3:e1", [[1, 2, 3]]]]'):
        async with vtn3() as server, place({"c3": text}) as here:
            server.events.append(coming("e1"))
            await here.take(by_3(server))
            await here.until(lambda desk: stands(desk) == "registered")
            assert "what waited is not understood" in caplog.text
            caplog.clear()


async def test_nothing_is_told_before_home_assistant_said_what_waited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting_reports, "ASK_PAUSE", 0.1)
    async with vtn3() as server, place({"c3": "[]"}) as here:
        here.breaks = NoAnswer("Home Assistant is busy")
        await here.take(by_3(server))
        await asyncio.sleep(0.5)
        assert not server.asked
        assert here.reports == {"c3": "[]"}, "what was not read is not written over"
        here.breaks = None
        await here.until(lambda desk: stands(desk) == "registered")


async def test_changed_connection_still_has_what_waits() -> None:
    async with vtn3() as server, place() as here:
        await lose(here, server)
        await here.utilities.tell(News(time.time(), {}, False, rows(0, 5)))
        server.broken = None
        # Another way to the same server, with what was kept of the old one.
        await here.take(by_3(server, poll=0.1))
        await here.until(lambda _: len(sent(server)) == 5)
        assert sent(server) == said(0, 5)


async def test_a_row_that_is_sent_at_once_is_written_to_no_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting_reports, "SHORTEST", 30.0)
    async with vtn3() as server, place() as here:
        server.events.append(coming("e1"))
        await here.take(by_3(server))
        await here.until(lambda desk: desk.book.entries)
        for number in range(5):
            row = rows(number, number + 1)
            await here.utilities.tell(News(time.time(), {}, False, row))
            await until(lambda: len(sent(server)) > number)  # noqa: B023
            await here.look()
        assert here.reports == {}
