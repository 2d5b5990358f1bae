"""Two plants share what the utility of one of them asks for."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.chiller_plant.plant.demand_response.portfolio import FAILS_AFTER
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.portfolio import (
    LED,
    USUAL,
    House,
    announced,
    two_plants,
)
from tests.integration.demand_response.site import Board, Unwired, set_up_site, told
from tests.integration.demand_response.test_settings import form
from tests.integration.planning import call

STATE = "sensor.two_chillers_demand_response"


def portfolio_of(hass: HomeAssistant, entity_id: str = STATE) -> dict[str, Any]:
    """Return what people see."""
    state = hass.states.get(entity_id)
    assert state is not None
    found: dict[str, Any] = state.attributes["portfolio"]
    return found


def rows(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return how the plants stand, by name."""
    return {row["plant"]: row for row in portfolio_of(hass)["plants"]}


async def begun(house: House) -> None:
    """Let the event be announced, and begin."""
    await announced(house)
    await house.after(610.0)


async def test_the_other_plant_hears_of_an_event_in_time_and_sheds_nothing_yet(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await announced(house)
        part = (await told(hass, house.annex))["portfolio"]
        (event,) = part["events"]
        assert (event["source"], event["id"]) == (
            "Portfolio of Two chillers",
            "Grid:e1",
        )
        assert not part["leads"]
        assert (await told(hass, house.lead))["portfolio"]["leads"]
        assert await house.shares() == (None, None)
        assert rows(hass)["Annex"]["stands"] == "ready"
        assert hass.states.get("sensor.annex_demand_response") is not None


async def test_what_is_asked_for_is_split_by_what_each_plant_has(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        assert await house.shares() == (75.0, 25.0)
        assert portfolio_of(hass)["requested_kw"] == 100.0
        assert rows(hass)["Annex"]["share_kw"] == 25.0
        assert rows(hass)["Annex"]["stands"] == "delivers"
        seen = portfolio_of(hass, "sensor.annex_demand_response")
        assert (seen["of"], seen["share_kw"]) == ("Two chillers", 25.0)


async def test_shares_stay_while_plants_begin_to_deliver(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        # Measures are used before the meter shows them.
        house.available = {house.lead.entry_id: 75.0, house.annex.entry_id: 25.0}
        used = {house.lead: 75.0, house.annex: 25.0}
        for entry, kw in used.items():
            await house.tell(entry, attributes={"used_kw": kw})
        assert await house.shares() == (75.0, 25.0)


async def test_a_plant_whose_engine_is_silent_is_made_up_until_it_is_back(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        await house.after(70.0, annex=None)
        assert await house.shares() == (100.0, 0.0)
        assert rows(hass)["Annex"]["stands"] == "no_engine"
        await house.after(15.0)
        assert await house.shares() == (75.0, 25.0)


async def test_a_plant_that_does_not_deliver_is_made_up(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        for _ in range(int(FAILS_AFTER / 50.0) + 2):
            await house.after(50.0, lead=USUAL - 75.0, annex=USUAL - 5.0)
        assert rows(hass)["Annex"]["stands"] == "fails"
        lead, annex = await house.shares()
        assert annex == pytest.approx(5.0)
        assert lead == pytest.approx(95.0)


async def test_a_plant_is_judged_by_the_event_that_it_goes_by(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        (first,) = house.events[house.lead.entry_id]
        second = {
            **first,
            "key": "Grid:e2",
            "id": "e2",
            "begins": first["begins"] - 60.0,
            "signals": [
                {
                    "kind": "load_delta",
                    "intervals": [{"duration": 3600.0, "value": -180.0}],
                }
            ],
        }
        house.ranks["e2"] = 2
        await house.book(first, second)
        house.available = {house.lead.entry_id: 75.0, house.annex.entry_id: 25.0}
        for _ in range(int(FAILS_AFTER / 50.0) + 2):
            await house.after(50.0, lead=USUAL - 75.0, annex=USUAL - 25.0)
        # What a utility of lower rank would like on top is not asked of anybody.
        assert {row["stands"] for row in rows(hass).values()} == {"delivers"}
        assert portfolio_of(hass)["requested_kw"] == 100.0
        assert rows(hass)["Annex"]["share_kw"] == 25.0
        house.ranks = {"e1": 2}
        await house.book(first, second)
        await house.after(15.0, lead=USUAL - 75.0, annex=USUAL - 25.0)
        assert portfolio_of(hass)["requested_kw"] == 180.0
        # All that it has.
        assert rows(hass)["Annex"]["share_kw"] == pytest.approx(50.0, abs=0.5)


async def test_a_plant_without_a_meter_reading_is_asked_for_nothing(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        room = house.annex.runtime_data.demand_response
        room.baselines.pop(LED)
        await house.after(15.0)
        assert (await house.shares())[0] == 100.0


async def test_a_plant_whose_operator_opts_out_is_made_up(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        await call(hass, house.annex, "opt_event", event=LED, opt="out")
        await house.after(15.0)
        assert await house.shares() == (100.0, 0.0)


async def test_the_answer_of_the_plant_with_the_utility_counts_for_all(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        await call(hass, house.lead, "opt_event", event="Grid:e1", opt="out")
        assert (await told(hass, house.annex))["portfolio"]["events"] == []


def total(hass: HomeAssistant, name: str) -> tuple[float | None, dict[str, str]]:
    """Return a sum that people and the engine see, and whom it does not hold."""
    state = hass.states.get(f"sensor.two_chillers_portfolio_{name}")
    assert state is not None
    kw = None if state.state == "unknown" else float(state.state)
    return kw, state.attributes["left_out"]


async def test_the_sums_are_those_of_all_plants(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await announced(house)
        assert total(hass, "load") == (600.0, {})
        assert total(hass, "baseline") == (None, {})
        assert total(hass, "available_reduction") == (200.0, {})
        await house.after(610.0, lead=USUAL - 30.0, annex=USUAL - 10.0)
        await house.after(15.0, lead=USUAL - 30.0, annex=USUAL - 10.0)
        assert total(hass, "load") == (560.0, {})
        assert total(hass, "baseline") == (pytest.approx(600.0, abs=0.2), {})
        assert hass.states.get("sensor.annex_portfolio_load") is None
        figures = (await told(hass, house.lead))["portfolio"]["figures"]
        assert figures == {
            "power": "sensor.two_chillers_portfolio_load",
            "baseline": "sensor.two_chillers_portfolio_baseline",
            "available": "sensor.two_chillers_portfolio_available_reduction",
        }
        assert (await told(hass, house.annex))["portfolio"]["figures"] == {}
        # The energy of all of them is not known.
        assert (await told(hass, house.lead))["telemetry"].keys() == {"power"}


async def test_who_is_not_known_is_left_out_of_the_sums_and_named(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        house.annex.runtime_data.demand_response.baselines.pop(LED)
        await house.after(15.0)
        left_out = {"Annex": "its baseline is not known"}
        assert total(hass, "load") == (300.0, left_out)
        assert total(hass, "baseline") == (pytest.approx(300.0, abs=0.2), left_out)
        # Its engine is silent; the meter still speaks.
        clock.tick(timedelta(seconds=70))
        await house.show(house.lead, USUAL)
        await house.tell(house.lead)
        assert total(hass, "available_reduction") == (
            150.0,
            {"Annex": "its control engine says nothing"},
        )
        await hass.config_entries.async_unload(house.annex.entry_id)
        await house.show(house.lead, USUAL)
        await house.tell(house.lead)
        assert total(hass, "load") == (300.0, {"Annex": "it is not heard"})


async def test_a_plant_that_is_opted_out_is_still_in_the_load_and_has_nothing_to_give(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        await call(hass, house.annex, "opt_event", event=LED, opt="out")
        await house.after(15.0)
        assert total(hass, "load") == (600.0, {})
        assert total(hass, "available_reduction") == (150.0, {})


async def test_a_request_for_more_load_asks_nobody(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        steps = [
            {"duration": 1800.0, "value": 80.0},
            {"duration": 1800.0, "value": -80.0},
        ]
        more = {"kind": "load_delta", "intervals": steps}
        await announced(house, signals=[more])
        await house.after(610.0)
        assert await house.shares() == (0.0, 0.0)
        await house.after(1800.0)
        assert await house.shares() == (60.0, 20.0)


async def test_a_share_runs_out_where_nobody_asks_any_more(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        await hass.config_entries.async_unload(house.lead.entry_id)
        clock.tick(timedelta(seconds=100))
        await house.tell(house.annex)
        assert (await told(hass, house.annex))["portfolio"]["shares"][LED]["kw"] == 25.0
        clock.tick(timedelta(seconds=100))
        await house.tell(house.annex)
        share = (await told(hass, house.annex))["portfolio"]["shares"][LED]
        assert share["until"] < dt_util.utcnow().timestamp()
        assert portfolio_of(hass, "sensor.annex_demand_response")["share_kw"] is None
        # The event itself is not over: it may be asked for again.
        assert (await told(hass, house.annex))["portfolio"]["events"]
        clock.tick(timedelta(seconds=1000))
        await house.tell(house.annex)
        assert not (await told(hass, house.annex))["portfolio"]["events"]


async def test_a_plant_that_is_taken_out_is_asked_for_nothing(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        await form(
            hass, house.lead, "portfolio", plants=[], sites=[], prefix="chiller_plant"
        )
        await house.tell(house.annex)
        assert (await told(hass, house.annex))["portfolio"] is None
        room = house.annex.runtime_data.demand_response
        assert room.events[LED].cancelled is not None
        assert (await told(hass, house.lead))["portfolio"] is None


async def test_a_restart_of_home_assistant_forgets_no_share(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        await house.after(30.0, lead=USUAL - 75.0, annex=USUAL - 25.0)
        await house.after(120.0, lead=USUAL - 75.0, annex=USUAL - 25.0)
        burden = rows(hass)["Annex"]["burden_hours"]
        assert burden > 0.0
        await hass.config_entries.async_reload(house.annex.entry_id)
        await hass.async_block_till_done()
        assert await house.shares() == (75.0, 25.0)
        room = house.annex.runtime_data.demand_response
        assert room.portfolio.member.as_dict()["burden"] == pytest.approx(
            burden, abs=0.001
        )


async def test_a_level_is_a_share_of_what_all_plants_would_take(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        level = {"kind": "simple", "intervals": [{"duration": 3600.0, "value": 2.0}]}
        await announced(house, signals=[level])
        await house.after(610.0)
        # 20 % of twice 300 kW.
        assert await house.shares() == (pytest.approx(90.0), pytest.approx(30.0))


async def test_an_event_that_is_moved_is_moved_at_all_plants(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await announced(house)
        (event,) = house.events[house.lead.entry_id]
        (before,) = (await told(hass, house.annex))["portfolio"]["events"]
        clock.tick(timedelta(seconds=5))
        moved = {**event, "begins": event["begins"] + 600, "ends": event["ends"] + 600}
        await house.book(moved)
        (given,) = (await told(hass, house.annex))["portfolio"]["events"]
        assert given["start"] == moved["begins"]
        assert given["modification"] > before["modification"]


async def test_an_event_that_is_opted_into_again_is_given_anew(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await announced(house)
        (before,) = (await told(hass, house.annex))["portfolio"]["events"]
        clock.tick(timedelta(seconds=5))
        await call(hass, house.lead, "opt_event", event="Grid:e1", opt="out")
        await call(hass, house.lead, "opt_event", event="Grid:e1", opt="in")
        (again,) = (await told(hass, house.annex))["portfolio"]["events"]
        # The engine of the annex has ended the one before.
        assert again["modification"] > before["modification"]


async def test_a_plant_listens_to_one_portfolio_only(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        await begun(house)
        third = await set_up_site(
            hass, Third(), options={"portfolio": {"plants": [house.annex.entry_id]}}
        )
        room = third.runtime_data.demand_response
        room.portfolio.look(dt_util.utcnow().timestamp())
        (_, annex) = room.portfolio.lead.rows
        assert annex["stands"] == "in_another_portfolio"
        assert await house.shares() == (75.0, 25.0)


async def test_the_form_offers_plants_that_are_in_no_other_portfolio(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    async with two_plants(hass, clock, machines) as house:
        third = await set_up_site(hass, Third())
        assert await offered(hass, third.entry_id) == []
        assert await offered(hass, house.annex.entry_id) == []
        assert set(await offered(hass, house.lead.entry_id)) == {
            house.annex.entry_id,
            third.entry_id,
        }


class Third(Unwired):
    """One more plant."""

    text = Unwired.text.replace("two_chillers", "third")


async def offered(hass: HomeAssistant, entry_id: str) -> list[str]:
    """Return the plants that the form offers."""
    flow = await hass.config_entries.options.async_init(entry_id)
    for chosen in ("demand_response", "portfolio"):
        flow = await hass.config_entries.options.async_configure(
            flow["flow_id"], {"next_step_id": chosen}
        )
    schema = flow["data_schema"].schema
    if "plants" not in schema:
        return []
    return [item["value"] for item in schema["plants"].config["options"]]


@pytest.mark.parametrize(
    ("answers", "field", "error"),
    [
        ({"prefix": "a+b"}, "prefix", "not_a_topic"),
        ({"site": "a/b"}, "site", "not_a_site"),
        ({"sites": ["mall", "a b"]}, "sites", "not_a_site"),
        ({"sites": ["mall"], "site": "mall"}, "sites", "sites_not_possible"),
    ],
)
async def test_names_that_are_no_topics_are_refused(
    hass: HomeAssistant, answers: dict[str, Any], field: str, error: str
) -> None:
    entry = await set_up_site(hass, Unwired())
    result = await form(
        hass,
        entry,
        "portfolio",
        **{"sites": [], "prefix": "chiller_plant"} | answers,
    )
    assert result["errors"] == {field: error}
