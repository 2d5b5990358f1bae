"""Who leads shares what is asked for among sites at a real broker."""

from datetime import timedelta
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.demand_response.portfolio_result import (
    result_of,
    total,
)
from custom_components.chiller_plant.plant.demand_response.record import EventRecord
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.portfolio_broker import (
    BEGINS,
    HOUR,
    LESS,
    OFFER,
    PREFIX,
    RECORD,
    REQUEST,
    RESULT,
    at_a_broker,
    look_often,
    now,
    offer,
)
from tests.integration.demand_response.site import Board, grid_event, report
from tests.integration.planning import call
from tests.mosquitto import HeadEnd
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    look_often(monkeypatch)


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
