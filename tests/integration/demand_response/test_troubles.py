"""What keeps demand response from working is told as repair issues."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    Board,
    Unwired,
    grid_event,
    report,
    set_up_site,
    told,
    utility,
)
from tests.integration.planning import call
from tests.integration.served_plant import state
from tests.waiting import eventually

LOST = {"id": "grid", "stands": "lost", "why": "connection refused"}
REGISTERED = {"id": "grid", "stands": "registered", "why": ""}


def issues(hass: HomeAssistant) -> dict[str, dict[str, str] | None]:
    """Return the issues of demand response by their text."""
    return {
        str(issue.translation_key): issue.translation_placeholders
        for (domain, key), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and key.startswith("demand_response_")
    }


async def wait(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    seconds: int,
    **fields: Any,
) -> None:
    """Let time pass with an engine that tells how things stand."""
    for _ in range(0, seconds, 30):
        freezer.tick(30)
        async_fire_time_changed(hass)
        await report(hass, entry, **fields)


def soon(**fields: Any) -> dict[str, Any]:
    begins = dt_util.now() + timedelta(minutes=30)
    return grid_event(begins, begins + timedelta(hours=1), **fields)


async def test_connection_that_stays_lost_is_an_issue_until_it_is_back(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up_site(hass, Unwired(), utility("Grid", GRID, "grid"))
    await wait(hass, entry, freezer, 870, connections=[LOST])
    assert "utility_lost" not in issues(hass)
    await wait(hass, entry, freezer, 90, connections=[LOST])
    told_of = issues(hass)["utility_lost"]
    assert told_of is not None
    assert (told_of["utility"], told_of["why"]) == ("Grid", "connection refused")
    await wait(hass, entry, freezer, 60, connections=[REGISTERED])
    assert "utility_lost" not in issues(hass)


async def test_refused_event_is_an_issue_until_it_is_corrected(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    refusal = {
        "event": "event_refused",
        "reason": "it has no duration",
        "at": 1.0,
        "grid_event": "Grid:e1",
    }
    await report(hass, entry, actions=[refusal])
    found = issues(hass)["event_refused"]
    assert found is not None
    assert found["reason"] == "it has no duration"
    await report(hass, entry, events=[soon()])
    assert "event_refused" not in issues(hass)


async def test_refused_modification_is_an_issue_until_one_is_taken(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    known = soon()
    await report(hass, entry, events=[known])
    refusal = {
        "event": "event_refused",
        "reason": "it lasts 30 days; what was known of it before goes on",
        "grid_event": known["key"],
    }
    await report(hass, entry, events=[known], actions=[refusal])
    await report(hass, entry, events=[known])
    assert "event_refused" in issues(hass)
    await report(hass, entry, events=[known | {"ends": known["ends"] + 600.0}])
    assert "event_refused" not in issues(hass)


async def test_server_that_sends_nonsense_for_ever_does_not_fill_the_repairs(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    for number in range(25):
        refusal = {
            "event": "event_refused",
            "reason": "it is over already",
            "grid_event": f"Grid:{number}",
        }
        await report(hass, entry, actions=[refusal])
    registry = ir.async_get(hass)
    found = [key for domain, key in registry.issues if "refused_Grid" in key]
    assert len(found) == 10
    assert found[-1].endswith("Grid:24")


async def test_event_without_a_meter_is_an_issue(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up_site(hass, Unwired(), utility("Grid", GRID, "grid"))
    assert (await told(hass, entry))["settings"]["meter"] is None
    await wait(hass, entry, freezer, 30)
    assert issues(hass) == {}
    await wait(hass, entry, freezer, 60, events=[soon()])
    assert "no_meter" in issues(hass)
    await hass.services.async_call(
        "switch",
        "turn_off",
        {"entity_id": "switch.two_chillers_demand_response"},
        blocking=True,
    )
    await wait(hass, entry, freezer, 30)
    assert "no_meter" not in issues(hass)


async def test_meter_that_falls_silent_near_an_event_is_an_issue(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    room = entry.runtime_data.demand_response
    await report(hass, entry, events=[soon()])
    now = dt_util.utcnow().timestamp()
    room.troubles.look(now)
    assert issues(hass) == {}
    machines.show({"plant_meter.power": 9000.0})  # Out of its range.
    await eventually(
        lambda: state(hass, "sensor.plant_meter_power") == "unknown", timeout=60.0
    )
    room.troubles.look(now)
    room.troubles.look(now + 299.0)
    assert issues(hass) == {}
    room.troubles.look(now + 301.0)
    found = issues(hass)["meter_silent"]
    assert found is not None
    assert found["meter"] == "plant_meter.power"
    machines.show({"plant_meter.power": 280.0})
    await eventually(
        lambda: state(hass, "sensor.plant_meter_power") == "280.0", timeout=60.0
    )
    room.troubles.look(now + 330.0)
    assert issues(hass) == {}


async def test_engine_without_its_library_says_so(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up_site(hass, Unwired(), utility("Grid", GRID, "grid"))
    await wait(hass, entry, freezer, 60, missing=["openleadr"])
    found = issues(hass)["engine_lacks_package"]
    assert found is not None
    assert found["packages"] == "openleadr"
    await wait(hass, entry, freezer, 60)
    assert issues(hass) == {}


async def test_engine_that_is_missed_is_an_issue_although_nothing_else_is_planned(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await set_up_site(hass, Unwired(), utility("Grid", GRID, "grid"))
    for _ in range(16):
        freezer.tick(10)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    texts = {issue.translation_key for issue in ir.async_get(hass).issues.values()}
    assert "engine_missing" in texts


@pytest.mark.parametrize(
    "damage",
    [
        {"book": "gone"},
        {"decisions": {"Grid:e1": {"opt": "perhaps"}}},
        {"events": [{"key": "Grid:e1"}]},
        {"events": None},
    ],
    ids=str,
)
async def test_damaged_file_is_set_aside_and_said(
    hass: HomeAssistant,
    machines: Board,
    hass_storage: dict[str, Any],
    damage: dict[str, Any],
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    await report(hass, entry, events=[soon()])
    await call(hass, entry, "opt_event", event="Grid:e1", opt="out")
    await hass.config_entries.async_unload(entry.entry_id)
    key = f"{DOMAIN}.{entry.entry_id}.demand_response"
    hass_storage[key]["data"].update(damage)
    before = dict(hass_storage[key]["data"])
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert "events_damaged" in issues(hass)
    assert hass_storage[f"{key}.damaged"]["data"] == before
    # It goes on with nothing, and keeps what comes.
    assert (await told(hass, entry))["decisions"] == {}
    await report(hass, entry, events=[soon()])
    await call(hass, entry, "opt_event", event="Grid:e1", opt="out")
    assert hass_storage[key]["data"]["decisions"]["Grid:e1"]["opt"] == "out"


async def test_what_cannot_be_written_does_not_count(
    hass: HomeAssistant, machines: Board, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    await report(hass, entry, events=[soon()])
    room = entry.runtime_data.demand_response
    # Home Assistant logs what cannot be written, and goes on.
    room.memory._file.make_read_only()
    for action, fields in (
        ("opt_event", {"event": "Grid:e1", "opt": "out"}),
        ("keep_events", {"book": "[{}]"}),
    ):
        with pytest.raises(HomeAssistantError, match="could not be kept"):
            await call(hass, entry, action, response=False, **fields)
    answer = await told(hass, entry)
    assert (answer["decisions"], answer["book"]) == ({}, [])


async def test_events_of_a_connection_that_is_gone_are_over(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    await report(hass, entry, events=[soon()])
    hass.config_entries.async_remove_subentry(entry, "grid")
    await hass.async_block_till_done()
    room = entry.runtime_data.demand_response
    assert room.next_event() is None
    assert room.events["Grid:e1"].cancelled is not None
