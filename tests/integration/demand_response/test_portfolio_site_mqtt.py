"""A site is asked for its share at a real broker; what is not refreshed runs out."""

from datetime import timedelta
import json

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.demand_response import (
    portfolio_lines,
    room as demand_response_room,
)
from custom_components.chiller_plant.demand_response.portfolio_result import (
    parse_result,
)
from custom_components.chiller_plant.plant.demand_response.record import EventRecord
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.portfolio_broker import (
    HOUR,
    OFFER,
    RECORD,
    REQUEST,
    RESULT,
    at,
    at_a_broker,
    look_often,
    now,
    request,
)
from tests.integration.demand_response.site import Board, grid_event, report, told
from tests.integration.planning import call
from tests.mosquitto import HeadEnd, broker
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    look_often(monkeypatch)


async def result_told(entry: MockConfigEntry, other: HeadEnd) -> None:
    """Ask a site, and let it settle an event; return when it told of it."""
    room = entry.runtime_data.demand_response

    def asked() -> bool:
        other.say(REQUEST, request())
        return room.portfolio.member.request is not None

    await eventually(asked)
    await room.settlement.store.async_keep(EventRecord(**RECORD))
    await eventually(lambda: bool(other.of(RESULT)))


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


async def test_a_site_tells_what_came_of_an_event(
    hass: HomeAssistant, machines: Board
) -> None:
    async with at_a_broker(hass, machines, {"site": "mall"}) as (entry, other):
        await result_told(entry, other)
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


async def test_a_broker_that_kept_nothing_is_told_all_anew(
    hass: HomeAssistant, machines: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portfolio_lines, "OFFERED_EVERY", HOUR)
    async with (
        broker() as server,
        at(server, hass, machines, {"site": "mall"}) as (entry, other),
    ):
        await result_told(entry, other)
        other.heard.clear()
        await server.stop()
        await eventually(lambda: not other.listens)
        await server.start()
        await eventually(lambda: other.of(OFFER) and other.of(RESULT))
