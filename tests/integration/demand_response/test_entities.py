"""Demand response on entities, the calendar, and in the activity."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.chiller_plant.actions import EVENT_ACTION
from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    GRID_3,
    Board,
    grid_event,
    report,
    set_up_site,
    told,
    utility,
)
from tests.integration.planning import entity
from tests.integration.served_plant import state

SHEDDING = {
    "message": "Held at 240 kW of 300 kW. Asked for: level 2.",
    "baseline_kw": 300.0,
    "target_kw": 240.0,
    "meter_kw": 241.5,
    "measures": [{"name": "Fountain off", "level": 1, "levels": 1}],
}


def of_demand_response(hass: HomeAssistant) -> set[str]:
    return {
        item.entity_id
        for item in er.async_get(hass).entities.values()
        if "demand_response" in item.unique_id or ".utility." in item.unique_id
    }


async def test_plant_without_utility_shows_nothing_of_it(
    hass: HomeAssistant, machines: Board
) -> None:
    await set_up_site(hass, machines)
    assert of_demand_response(hass) == set()


async def test_entities_come_and_go_with_the_connection(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines)
    hass.config_entries.async_add_subentry(entry, utility("Grid", GRID, "grid"))
    await hass.async_block_till_done()
    found = of_demand_response(hass)
    assert {
        "switch.two_chillers_demand_response",
        "sensor.two_chillers_demand_response",
        "sensor.two_chillers_demand_response_next_event",
        "calendar.two_chillers_demand_response_events",
        "binary_sensor.grid_connection",
    } <= found
    hass.config_entries.async_remove_subentry(entry, "grid")
    await hass.async_block_till_done()
    assert of_demand_response(hass) == set()
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert "Grid" not in {device.name for device in devices}


async def test_device_of_a_connection_outlives_a_restart(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    before = {device.id for device in devices if device.name == "Grid"}
    assert len(before) == 1
    assert await hass.config_entries.async_reload(entry.entry_id)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert before < {device.id for device in devices}


async def test_state_tells_what_is_done_and_that_nobody_does_it(
    hass: HomeAssistant, machines: Board, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    shown = entity(hass, "sensor", "demand_response")
    assert state(hass, shown) == "no_engine"
    await report(hass, entry, state="shedding", attributes=SHEDDING, available_kw=55.0)
    assert state(hass, shown) == "shedding"
    found = hass.states.get(shown)
    assert found is not None
    assert {key: found.attributes[key] for key in SHEDDING} == SHEDDING
    assert found.attributes["meter"] == "plant_meter.power"
    figures = {
        "requested": "60.0",
        "available": "55.0",
        "baseline": "300.0",
        "target": "240.0",
    }
    for name, value in figures.items():
        figure = entity(hass, "sensor", f"demand_response_{name}")
        assert state(hass, figure) == value
    freezer.tick(61)
    entry.runtime_data.demand_response.changed()
    await hass.async_block_till_done()
    assert state(hass, shown) == "no_engine"
    assert state(hass, entity(hass, "sensor", "demand_response_target")) == "unknown"


async def test_connection_tells_how_it_stands(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(
        hass, machines, utility("Grid", GRID, "grid"), utility("Other", GRID_3, "o")
    )
    now = dt_util.utcnow().timestamp()
    await report(
        hass,
        entry,
        connections=[
            {"id": "grid", "stands": "registered", "since": now, "why": ""},
            {"id": "o", "stands": "lost", "since": now, "why": "no answer for 30 s"},
        ],
    )
    assert state(hass, "binary_sensor.grid_connection") == "on"
    assert state(hass, "binary_sensor.other_connection") == "off"
    lost = hass.states.get("binary_sensor.other_connection")
    assert lost is not None
    assert lost.attributes["why"] == "no answer for 30 s"
    assert GRID_3["client_secret"] not in str(hass.states.async_all())


async def test_switch_takes_the_plant_out_and_the_engine_is_told(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    await report(hass, entry)
    switch = entity(hass, "switch", "demand_response")
    assert state(hass, switch) == "on"
    changes = async_capture_events(hass, f"{DOMAIN}_demand_response_changed")
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": switch}, blocking=True
    )
    await hass.async_block_till_done()
    assert len(changes) == 1
    assert (await told(hass, entry))["settings"]["take_part"] is False
    assert state(hass, switch) == "off"
    assert state(hass, entity(hass, "sensor", "demand_response")) == "off"
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert state(hass, switch) == "off"


async def test_events_are_in_the_calendar_and_deleting_one_opts_out(
    hass: HomeAssistant, machines: Board, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    now = dt_util.now().replace(microsecond=0)
    coming = grid_event(now + timedelta(hours=2), now + timedelta(hours=3))
    past = grid_event(
        now - timedelta(days=2, hours=1),
        now - timedelta(days=2),
        key="Grid:e0",
        id="e0",
        opt="out",
        why="by default",
    )
    await report(hass, entry, events=[coming, past])
    calendar = entity(hass, "calendar", "demand_response")
    shown = hass.states.get(calendar)
    assert shown is not None
    assert shown.attributes["message"] == "Grid: level 2"
    assert state(hass, entity(hass, "sensor", "demand_response_next_event")) == (
        dt_util.utc_from_timestamp(coming["begins"]).isoformat()
    )
    client = await hass_ws_client()

    async def summaries() -> list[str]:
        answer = await hass.services.async_call(
            "calendar",
            "get_events",
            {
                "entity_id": calendar,
                "start_date_time": now - timedelta(days=7),
                "end_date_time": now + timedelta(days=7),
            },
            blocking=True,
            return_response=True,
        )
        assert answer is not None
        events = answer[calendar]["events"]  # type: ignore[index, call-overload]
        return [event["summary"] for event in events]  # type: ignore[index, call-overload, union-attr]

    assert await summaries() == ["Opted out: Grid: level 2", "Grid: level 2"]
    actions = async_capture_events(hass, EVENT_ACTION)

    async def delete(uid: str) -> bool:
        await client.send_json_auto_id(
            {"type": "calendar/event/delete", "entity_id": calendar, "uid": uid}
        )
        answer = await client.receive_json()
        return bool(answer["success"])

    assert await delete("Grid:e1")
    assert not await delete("Grid:e0")
    await hass.async_block_till_done()
    assert (await told(hass, entry))["decisions"]["Grid:e1"]["opt"] == "out"
    assert await summaries() == ["Opted out: Grid: level 2"] * 2
    assert state(hass, entity(hass, "sensor", "demand_response_next_event")) == (
        "unknown"
    )
    assert [item.data["action"] for item in actions] == ["event_opted_out"]
    assert "in the calendar" in actions[0].data["reason"]


async def test_what_the_engine_did_is_an_action_event(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    heard = async_capture_events(hass, EVENT_ACTION)
    await report(
        hass,
        entry,
        actions=[
            {
                "event": "shed_more",
                "reason": "40 kW too much",
                "at": 1.0,
                "measure": "Fountain off",
                "equipment": "fountain",
                "from": 0,
                "to": 1,
            },
            {"event": "of_a_newer_engine", "reason": "Something else", "at": None},
        ],
    )
    first, second = (item.data for item in heard)
    assert first["action"] == "shed_more"
    assert first["automation"] == "Demand response"
    assert first["source"] == "demand_response:two_chillers"
    assert first["entity_id"] == entity(hass, "sensor", "demand_response")
    assert first["device_id"]
    assert (second["action"], second["event"]) == ("note", "of_a_newer_engine")
    shown = hass.states.get(entity(hass, "event", "actions"))
    assert shown is not None
    assert shown.attributes["reason"] == "Something else"


async def test_event_that_was_cancelled_cannot_be_answered(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    now = dt_util.now()
    event = grid_event(
        now + timedelta(hours=2),
        now + timedelta(hours=3),
        cancelled=now.timestamp(),
    )
    await report(hass, entry, events=[event])
    room = entry.runtime_data.demand_response
    assert room.next_event() is None
    with pytest.raises(ServiceValidationError):
        await room.async_opt("Grid:e1", "in", "", "somebody")
