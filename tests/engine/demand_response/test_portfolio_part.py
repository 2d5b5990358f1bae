"""A plant of a portfolio sheds its share, and never what is asked of all of them."""

import time
from typing import Any

from chiller_control.control.demand_response.event_book import Told
from chiller_control.control.demand_response.portfolio_part import parse_portfolio
from chiller_control.ven import Refusal
import pytest
from shed_site import BASELINE
from shedding_trial import BEGIN, HOUR, NOW, Trial, grid_event
from test_utilities import place

SOURCE = "Portfolio of Head office"
FIGURES = {
    name: f"sensor.plant_portfolio_{name}"
    for name in ("power", "baseline", "available")
}


def shared(kw: float, *, since: float = BEGIN, until: float = BEGIN + HOUR) -> Any:
    return {"since": since, "until": until, "kw": kw, "of_kw": 300.0}


def part(leads: bool = False, **shares: Any) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "events": [],
        "leads": leads,
        "shares": {key.replace("__", ":"): row for key, row in shares.items()},
        "figures": FIGURES if leads else {},
    }


def test_the_plant_sheds_its_share_and_not_what_is_asked_of_all() -> None:
    trial = Trial(grid_event(), portfolio=part(leads=True, grid__e1=shared(60.0)))
    trial.run(1500)
    # Level 2 would be 100 kW.
    assert trial.report["attributes"]["target_kw"] == BASELINE - 60.0
    assert trial.load.power == pytest.approx(BASELINE - 60.0, abs=15.0)
    (event,) = trial.report["events"]
    assert event["asked_now"] == "60.0 kW of the 300.0 kW that its portfolio sheds"


def test_nothing_is_shed_while_nobody_says_how_much() -> None:
    trial = Trial(grid_event(), portfolio=part(leads=True))
    trial.run(1500)
    assert not trial.house.of("command")
    assert trial.report["state"] == "idle"


def test_a_share_that_is_not_refreshed_runs_out() -> None:
    until = BEGIN + 900.0
    trial = Trial(
        grid_event(), portfolio=part(leads=True, grid__e1=shared(60.0, until=until))
    )
    trial.run(1200)
    assert trial.load.commands
    trial.run(1500)
    assert not trial.load.commands


def test_the_share_may_change_in_mid_event() -> None:
    trial = Trial(grid_event(), portfolio=part(leads=True, grid__e1=shared(30.0)))
    trial.run(1200)
    assert BASELINE - 70.0 < trial.load.power <= BASELINE - 25.0
    trial.take(portfolio=part(leads=True, grid__e1=shared(120.0)))
    trial.run(1200)
    assert trial.load.power == pytest.approx(BASELINE - 120.0, abs=15.0)


def test_events_of_an_own_utility_are_kept_alone_beside_a_portfolio() -> None:
    trial = Trial(grid_event(), portfolio=part())
    trial.run(1500)
    assert trial.report["attributes"]["target_kw"] == BASELINE - 100.0


def show(trial: Trial, *left_out: str, **sums: float | None) -> None:
    """Let Home Assistant show the sums of all plants."""
    shown = {
        entity_id: {
            "state": "unknown" if sums[name] is None else str(sums[name]),
            "attributes": {
                "unit_of_measurement": "kW",
                "left_out": dict.fromkeys(left_out, "it is not heard"),
                "used_kw": 80.0,
            },
        }
        for name, entity_id in FIGURES.items()
    }
    own = trial.house.entity
    trial.house.entity = lambda entity_id: shown.get(entity_id) or own(entity_id)  # type: ignore[method-assign]


def test_the_utility_is_told_of_all_plants() -> None:
    trial = Trial(grid_event(), portfolio=part(leads=True))
    show(trial, power=1200.0, baseline=1500.0, available=250.0)
    trial.run(900)
    figures = trial.news[-1].figures
    assert (figures["power"], figures["baseline"]) == (1200.0, 1500.0)
    row = [row for news in trial.news for row in news.rows][-1]
    # The plant itself sheds nothing, but others do.
    assert row.values == {
        "DEMAND": 1200.0,
        "BASELINE": 1500.0,
        "OPERATING_STATE": "RUNNING_CURTAILED",
        "LOAD_SHED_DELTA_AVAILABLE": 250.0,
        "DATA_QUALITY": "OK",
    }


def test_a_plant_that_is_left_out_is_no_load_that_fell() -> None:
    trial = Trial(grid_event(), portfolio=part(leads=True))
    show(trial, "Annex", power=700.0, baseline=900.0, available=150.0)
    trial.run(900)
    # OpenADR 2.0b has no word for it.
    figures = trial.news[-1].figures
    assert (figures["power"], figures["baseline"]) == (None, None)
    row = [row for news in trial.news for row in news.rows][-1]
    assert (row.values["DEMAND"], row.values["DATA_QUALITY"]) == (700.0, "MISSING")


def test_a_moment_without_one_plant_is_not_in_the_mean() -> None:
    trial = Trial(grid_event(), portfolio=part(leads=True))
    show(trial, power=1200.0, baseline=1500.0, available=250.0)
    trial.run(720)
    show(trial, "Annex", power=700.0, baseline=900.0, available=150.0)
    trial.run(15)
    show(trial, power=1200.0, baseline=1500.0, available=250.0)
    trial.run(120)
    rows = [row for news in trial.news for row in news.rows]
    assert len(rows) >= 3
    for row in rows:
        assert (row.values["DEMAND"], row.values["DATA_QUALITY"]) == (1200.0, "OK")


def test_nothing_is_told_while_the_sums_are_not_shown() -> None:
    trial = Trial(grid_event(), portfolio=part(leads=True))
    show(trial, power=None, baseline=None, available=None)
    trial.run(900)
    assert trial.news[-1].figures["power"] is None
    row = [row for news in trial.news for row in news.rows][-1]
    assert row.values["DATA_QUALITY"] == "MISSING"
    assert "DEMAND" not in row.values


def given(after: float = HOUR, **changes: Any) -> dict[str, Any]:
    return {
        "id": "grid:e1",
        "source": SOURCE,
        "modification": 0,
        "rank": 1,
        "start": time.time() + after,
        "duration": HOUR,
        "signals": [
            {
                "kind": "load_delta",
                "intervals": [{"duration": HOUR, "value": -300.0}],
            }
        ],
        "created": NOW,
    } | changes


async def test_an_event_of_the_portfolio_comes_changes_and_ends_without_a_server() -> (
    None
):
    async with place() as here:
        await here.take(portfolio=part() | {"events": [given()]})
        desk = await here.look()
        key = f"{SOURCE}:grid:e1"
        assert desk.book.entries[key].opt == "in"
        later = given(2 * HOUR, modification=1)
        await here.take(portfolio=part() | {"events": [later]})
        desk = await here.look()
        assert desk.book.entries[key].event.start == later["start"]
        await here.take(portfolio=part())
        desk = await here.look()
        assert desk.book.entries[key].cancelled is not None
        assert here.told == ["received", "modified", "cancelled"]
        await here.until(lambda _: here.kept and here.kept[-1][0]["cancelled"])


async def test_a_plant_that_left_its_portfolio_ends_its_events() -> None:
    async with place() as here:
        await here.take(portfolio=part() | {"events": [given()]})
        await here.take(portfolio=None)
        desk = await here.look()
        assert next(iter(desk.book.entries.values())).cancelled is not None


async def test_an_event_that_makes_no_sense_is_refused_once() -> None:
    async with place() as here:
        told: list[Told | Refusal] = []
        for _ in range(3):
            await here.take(portfolio=part() | {"events": [given(duration=0.0)]})
            told += (await here.utilities.look(NOW)).told
        (refusal,) = told
        assert isinstance(refusal, Refusal)
        assert "no duration" in refusal.why


def test_what_is_no_part_of_a_portfolio_is_not_taken() -> None:
    for wrong in (
        {},
        part() | {"events": [{"id": "x"}]},
        part(a=shared(1.0) | {"kw": None}),
    ):
        with pytest.raises((KeyError, TypeError, ValueError)):
            parse_portfolio(wrong)
