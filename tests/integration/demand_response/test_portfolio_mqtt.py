"""Sites share what is asked for over a real broker; what is not refreshed runs out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import timedelta
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.demand_response import (
    portfolio_lines,
    room as demand_response_room,
)
from custom_components.chiller_plant.demand_response.portfolio_result import (
    parse_result,
    result_of,
    total,
)
from custom_components.chiller_plant.plant.demand_response.record import EventRecord
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    Board,
    grid_event,
    report,
    set_up_site,
    told,
    utility,
)
from tests.integration.planning import call
from tests.mosquitto import Broker, HeadEnd, broker, head_end
from tests.waiting import eventually

PREFIX = "grid"
REQUEST, OFFER, RESULT = (
    f"{PREFIX}/portfolio/mall/{what}" for what in ("request", "offer", "result")
)
HOUR = 3600.0
LESS = [
    {"kind": "load_delta", "intervals": [{"duration": HOUR, "value": -100.0}]},
]


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than every ten seconds what is due."""
    monkeypatch.setattr(demand_response_room, "LOOK_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(portfolio_lines, "OFFERED_EVERY", 0.5)
    # The MQTT integration reads the configuration file, which tests have none of.
    monkeypatch.setattr("homeassistant.config.load_yaml_config_file", lambda *_: {})


@asynccontextmanager
async def at_a_broker(
    hass: HomeAssistant, machines: Board, portfolio: dict[str, Any]
) -> AsyncIterator[tuple[MockConfigEntry, HeadEnd]]:
    """Run a plant, a broker, and somebody who is no Home Assistant."""
    async with broker() as server, at(server, hass, machines, portfolio) as found:
        yield found


@asynccontextmanager
async def at(
    server: Broker, hass: HomeAssistant, machines: Board, portfolio: dict[str, Any]
) -> AsyncIterator[tuple[MockConfigEntry, HeadEnd]]:
    """Run a plant at a broker, and somebody who is no Home Assistant."""
    async with head_end(server.port, f"{PREFIX}/#") as other:
        mqtt = MockConfigEntry(
            domain="mqtt",
            data={"broker": "127.0.0.1", "port": server.port, "protocol": "3.1.1"},
            options={"birth_message": {}},
            version=2,
            minor_version=1,
        )
        mqtt.add_to_hass(hass)
        assert await hass.config_entries.async_setup(mqtt.entry_id)
        connections = [utility("Grid", GRID, "grid")] if "sites" in portfolio else []
        entry = await set_up_site(
            hass,
            machines,
            *connections,
            options={"portfolio": {"prefix": PREFIX, **portfolio}},
        )
        try:
            yield entry, other
        finally:
            await hass.config_entries.async_unload(entry.entry_id)
            await hass.config_entries.async_unload(mqtt.entry_id)
            await hass.async_block_till_done()


def now() -> float:
    return dt_util.utcnow().timestamp()


def request(
    kw: float | None = 40.0, *, valid: float = 180.0, begins: float | None = None
) -> dict[str, Any]:
    """Return what the site is asked for, in an event that has begun."""
    begins = BEGINS if begins is None else begins
    return {
        "portfolio": "Head office",
        "at": now(),
        "valid_until": now() + valid,
        "events": [
            {
                "id": "Grid:e1",
                "name": "e1",
                "begins": begins,
                "ends": begins + HOUR,
                "recovery": 0.0,
                "rank": 1,
                "signals": LESS,
                "kw": kw,
                "of_kw": None if kw is None else 100.0,
            }
        ],
    }


BEGINS = now() - 60.0


def offer(at: float | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "at": now() if at is None else at,
        "available_kw": 120.0,
        "confidence": 1.0,
        "burden": 0.0,
        "delivered_kw": None,
        "baseline_kw": 400.0,
        "load_kw": 390.0,
        "more_kw": 110.0,
        "used_kw": 10.0,
        "out": [],
    } | changes


async def test_a_site_offers_what_it_has(hass: HomeAssistant, machines: Board) -> None:
    async with at_a_broker(hass, machines, {"site": "mall"}) as (entry, other):
        await report(hass, entry, available_kw=85.0)
        await eventually(
            lambda: any(row["available_kw"] == 85.0 for row in other.of(OFFER))
        )
        row = other.of(OFFER)[-1]
        assert row["delivered_kw"] is None
        assert abs(row["at"] - now()) < 60.0
        _, _, quality, _ = next(item for item in other.heard if item[0] == OFFER)
        assert quality == 1


async def test_a_site_tells_at_once_what_who_leads_needs_to_know(
    hass: HomeAssistant, machines: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demand_response_room, "LOOK_EVERY", timedelta(hours=1))
    monkeypatch.setattr(portfolio_lines, "OFFERED_EVERY", HOUR)
    async with at_a_broker(hass, machines, {"site": "mall"}) as (entry, other):
        await report(hass, entry, available_kw=85.0)
        await eventually(lambda: bool(other.of(OFFER)))
        assert other.of(OFFER)[-1]["confidence"] == 1.0

        def asked() -> bool:
            other.say(REQUEST, request(None, begins=now() + HOUR))
            return entry.runtime_data.demand_response.portfolio.member.request

        await eventually(asked)
        (event,) = (await told(hass, entry))["portfolio"]["events"]
        known = grid_event(
            dt_util.utc_from_timestamp(event["start"]),
            dt_util.utc_from_timestamp(event["start"] + event["duration"]),
            source=event["source"],
            key=f"{event['source']}:{event['id']}",
            id=event["id"],
            signals=event["signals"],
            received=now(),
        )
        # Long before the next offer is due, and long before the event begins.
        await report(hass, entry, available_kw=85.0, events=[known])
        await eventually(lambda: "Grid:e1" in other.of(OFFER)[-1]["baselines"])
        assert other.of(OFFER)[-1]["confidence"] == 0.2
        await call(hass, entry, "opt_event", event=known["key"], opt="out")
        await eventually(lambda: other.of(OFFER)[-1]["out"] == ["Grid:e1"])


async def test_a_site_is_asked_and_goes_back_to_nothing_by_itself(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"site": "mall"}) as (entry, other):
        await eventually(lambda: bool(other.of(OFFER)))
        member = entry.runtime_data.demand_response.portfolio.member

        def asked_again() -> bool:
            # It is refreshed until it is heard, as who leads does it.
            other.say(REQUEST, request(valid=3.0))
            return member.share(now()) == (40.0, 100.0)

        await eventually(asked_again)
        part = (await told(hass, entry))["portfolio"]
        (event,) = part["events"]
        key = f"{event['source']}:{event['id']}"
        assert key == "Portfolio of Head office:Grid:e1"
        assert part["shares"][key]["kw"] == 40.0
        await eventually(lambda: member.share(now()) is None)
        share = (await told(hass, entry))["portfolio"]["shares"][key]
        assert share["until"] <= now()


async def test_no_request_holds_longer_than_three_minutes_by_itself(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"site": "mall"}) as (entry, other):
        member = entry.runtime_data.demand_response.portfolio.member

        def asked() -> bool:
            other.say(REQUEST, request(valid=30 * 86400.0))
            return member.share(now()) is not None

        await eventually(asked)
        assert member.share(now() + 200.0) is None
        assert member.of(now() + 200.0) is None


async def test_what_is_no_request_changes_nothing(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"site": "mall"}) as (entry, other):
        await eventually(lambda: bool(other.of(OFFER)))
        member = entry.runtime_data.demand_response.portfolio.member

        def asked() -> bool:
            other.say(REQUEST, request())
            return member.share(now()) is not None

        await eventually(asked)
        for wrong in (
            {},
            request() | {"valid_until": None},
            request(kw=-5.0),
            request(kw=float("nan")),
            request(kw=7.0, valid=-10.0),
        ):
            other.say(REQUEST, json.loads(json.dumps(wrong)))
        other.say(REQUEST, request(kw=50.0))
        await eventually(lambda: member.share(now()) == (50.0, 100.0))


async def asks_100_kw(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    signals: list[dict[str, Any]] = LESS,
) -> None:
    """Let the utility ask for 100 kW less, now, or for something else."""
    began = dt_util.utcnow() - timedelta(minutes=1)
    event = grid_event(
        began, began + timedelta(hours=1), status="active", signals=signals
    )
    book = [
        {
            "event": {
                "id": "e1",
                "source": "Grid",
                "rank": 1,
                "ramp": 0.0,
                "signals": signals,
            },
            "received": event["received"],
            "opt": "in",
            "why": "",
            "cancelled": None,
        }
    ]
    await call(hass, entry, "keep_events", response=False, book=json.dumps(book))
    await report(hass, entry, events=[event])


def last_kw(other: HeadEnd) -> float | None:
    """Return what the site was asked for last."""
    events = other.of(REQUEST)[-1]["events"] if other.of(REQUEST) else []
    found: float | None = events[0]["kw"] if events else None
    return found


async def test_who_leads_asks_a_site_that_offers(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"sites": ["mall"]}) as (entry, other):
        await asks_100_kw(hass, entry)

        def asked() -> bool:
            other.say(OFFER, offer(), retain=True)
            return last_kw(other) == 100.0

        # The plant that leads has no baseline here, and is asked for nothing itself.
        await eventually(asked)
        row = other.of(REQUEST)[-1]
        assert row["valid_until"] > now()
        (event,) = row["events"]
        assert (event["id"], event["of_kw"]) == ("Grid:e1", 100.0)
        await call(hass, entry, "opt_event", event="Grid:e1", opt="out")
        await eventually(lambda: other.of(REQUEST)[-1]["events"] == [])


async def test_a_site_that_is_silent_or_out_is_asked_for_nothing(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"sites": ["mall"]}) as (entry, other):
        # The broker keeps an offer of an hour ago.
        other.say(OFFER, offer(at=now() - HOUR), retain=True)
        await asks_100_kw(hass, entry)
        room = entry.runtime_data.demand_response
        await eventually(lambda: "mall" in room.portfolio.lines._offers)
        room.portfolio.look(now())
        await eventually(lambda: last_kw(other) == 0.0)
        (_, site) = room.portfolio.lead.rows
        assert (site["plant"], site["stands"]) == ("mall", "not_heard")

        def asked() -> bool:
            other.say(OFFER, offer())
            return last_kw(other) == 100.0

        await eventually(asked)

        def left() -> bool:
            other.say(OFFER, offer(out=["Grid:e1"]))
            return last_kw(other) == 0.0

        await eventually(left)


async def test_a_level_stays_a_share_of_what_a_silent_site_took(
    hass: HomeAssistant, machines: Board
) -> None:
    level = [{"kind": "simple", "intervals": [{"duration": HOUR, "value": 2.0}]}]
    said = {
        "method": "ten_of_ten",
        "confidence": "high",
        "eligible": True,
        "why": "",
        "kw": [[BEGINS - HOUR, BEGINS + 6 * HOUR, 450.0]],
    }
    async with at_a_broker(hass, machines, {"sites": ["mall"]}) as (entry, other):
        await asks_100_kw(hass, entry, level)
        lead = entry.runtime_data.demand_response.portfolio.lead

        def asked() -> bool:
            other.say(OFFER, offer(baselines={"Grid:e1": said}))
            return lead.requested_kw == 90.0

        await eventually(asked)
        # It is not heard any more: others make up for a fifth of 450 kW.
        lead.look(now() + 130.0)
        assert lead.rows[1]["stands"] == "not_heard"
        assert lead.requested_kw == 90.0

        def out() -> bool:
            other.say(OFFER, offer(out=["Grid:e1"], baselines={"Grid:e1": said}))
            return lead.requested_kw == 0.0

        await eventually(out)


async def test_a_site_is_in_the_sums_with_the_baseline_that_it_told(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"sites": ["mall"]}) as (entry, other):
        await asks_100_kw(hass, entry)
        room = entry.runtime_data.demand_response
        await eventually(lambda: "Grid:e1" in room.baselines)
        said = {
            "method": "ten_of_ten",
            "confidence": "high",
            "eligible": True,
            "why": "",
            "kw": [[BEGINS - HOUR, BEGINS + 6 * HOUR, 450.0]],
        }
        own = room.baselines["Grid:e1"].told()["kw"] or []

        def told_of() -> bool:
            other.say(OFFER, offer(baselines={"Grid:e1": said}))
            return "mall" in room.portfolio.lead.sums.baseline.plants

        await eventually(told_of)
        sums = room.portfolio.lead.sums
        # The plant that leads has no past, and so no baseline, here.
        assert own == []
        assert sums.baseline.kw == 450.0
        assert sums.load.kw == 390.0
        assert sums.load.left_out == {"Two chillers": "its baseline is not known"}
        # It is not heard again.
        room.portfolio.look(now() + 130.0)
        assert "mall" in room.portfolio.lead.sums.load.left_out


async def test_a_site_that_is_taken_out_is_told(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"sites": ["mall"]}) as (entry, other):
        await asks_100_kw(hass, entry)

        def asked() -> bool:
            other.say(OFFER, offer())
            return last_kw(other) == 100.0

        await eventually(asked)
        hass.config_entries.async_update_entry(
            entry, options={"demand_response": {"portfolio": {"prefix": PREFIX}}}
        )
        await eventually(lambda: other.of(REQUEST)[-1]["events"] == [])


RECORD: dict[str, Any] = {field.name: None for field in fields(EventRecord)} | {
    "plant": "two_chillers",
    "source": "Portfolio of Head office",
    "event": "Portfolio of Head office:Grid:e1",
    "event_id": "Grid:e1",
    "name": "e1",
    "begins": BEGINS - 2 * HOUR,
    "ends": BEGINS - HOUR,
    "recovery": 0.0,
    "received": BEGINS - 3 * HOUR,
    "opt": "in",
    "test": False,
    "method": "ten_of_ten",
    "why": "",
    "confidence": "high",
    "eligible": True,
    "baseline_kw": 300.0,
    "target_kw": 260.0,
    "requested_kw": 40.0,
    "actual_kw": 270.0,
    "achieved_kw": 30.0,
    "shed_percent": 75.0,
    "energy_kwh": 30.0,
    "samples": 60,
    "covered": 1.0,
    "settled_at": BEGINS,
}


async def test_a_site_tells_what_came_of_an_event(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"site": "mall"}) as (entry, other):
        room = entry.runtime_data.demand_response

        def asked() -> bool:
            other.say(REQUEST, request())
            return room.portfolio.member.request is not None

        await eventually(asked)
        await room.settlement.store.async_keep(EventRecord(**RECORD))
        await eventually(lambda: bool(other.of(RESULT)))
        (said,) = other.of(RESULT)
        assert said["event"] == "Grid:e1"
        assert (said["achieved_kw"], said["eligible"]) == (30.0, True)
        assert parse_result(json.dumps(said)).energy_kwh == 30.0


async def test_a_site_listens_to_the_portfolio_that_asked_first(
    hass: HomeAssistant, machines: Board, caplog: pytest.LogCaptureFixture
) -> None:
    async with at_a_broker(hass, machines, {"site": "mall"}) as (entry, other):
        member = entry.runtime_data.demand_response.portfolio.member

        def asked() -> bool:
            other.say(REQUEST, request(valid=5.0))
            return member.request is not None

        await eventually(asked)
        await eventually(lambda: other.of(OFFER)[-1]["of"] == "Head office")
        other.say(REQUEST, request(10.0) | {"portfolio": "Harbour"})
        await eventually(lambda: "Harbour asks it to shed as a site too" in caplog.text)
        assert member.request.portfolio == "Head office"
        assert member.request.events[0].kw == 40.0

        # Nobody asks for it again: then it is free.
        def free() -> bool:
            other.say(REQUEST, request(10.0) | {"portfolio": "Harbour"})
            return member.request.portfolio == "Harbour"

        await eventually(free)


async def test_a_site_of_another_portfolio_is_not_counted_on(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"sites": ["mall"]}) as (entry, other):
        await asks_100_kw(hass, entry)
        lead = entry.runtime_data.demand_response.portfolio.lead

        def elsewhere() -> bool:
            other.say(OFFER, offer(of="Harbour"))
            return [row["stands"] for row in lead.rows[1:]] == ["in_another_portfolio"]

        await eventually(elsewhere)
        assert lead.rows[1]["share_kw"] == 0.0
        assert last_kw(other) == 0.0

        def asked() -> bool:
            other.say(OFFER, offer(of="Two chillers"))
            return last_kw(other) == 100.0

        await eventually(asked)


async def test_a_broker_that_kept_nothing_is_told_all_anew(
    hass: HomeAssistant, machines: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portfolio_lines, "OFFERED_EVERY", HOUR)
    async with (
        broker() as server,
        at(server, hass, machines, {"site": "mall"}) as (entry, other),
    ):
        room = entry.runtime_data.demand_response

        def asked() -> bool:
            other.say(REQUEST, request())
            return room.portfolio.member.request is not None

        await eventually(asked)
        await room.settlement.store.async_keep(EventRecord(**RECORD))
        await eventually(lambda: bool(other.of(RESULT)))
        other.heard.clear()
        await server.stop()
        await eventually(lambda: not other.listens)
        await server.start()
        await eventually(lambda: other.of(OFFER) and other.of(RESULT))


async def test_who_leads_hears_what_came_of_an_event_and_nothing_else(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"sites": ["mall"]}) as (entry, other):
        results = entry.runtime_data.demand_response.portfolio.lines.results
        said = result_of(EventRecord(**RECORD), "Grid:e1").as_dict()
        for topic, contents in (
            (RESULT, said | {"event": "Grid:e0", "achieved_kw": "a lot"}),
            (RESULT.replace("mall", "office"), said),
            (RESULT, said),
        ):
            other.say(topic, contents, retain=True)
        await eventually(lambda: bool(results))
        assert results.keys() == {("mall", "Grid:e1")}


def test_the_total_names_who_is_missing_and_is_not_to_be_settled_by_then() -> None:
    own = EventRecord(**RECORD)
    said = {name: result_of(own, "Grid:e1") for name in ("Head office", "mall")}
    whole = total(own, said, [], 100.0, BEGINS)
    assert (whole.event, whole.event_id) == (
        "Portfolio of Head office:Grid:e1:portfolio",
        "Grid:e1:portfolio",
    )
    assert (whole.achieved_kw, whole.shed_percent, whole.energy_kwh) == (60, 60, 60)
    assert whole.eligible
    part = total(own, said, ["office"], 100.0, BEGINS)
    assert not part.eligible
    assert part.why == "the sum of Head office, mall; nothing is known of office"
