"""What the engine reports, and what is told of it and of commands."""

from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.logbook import async_describe_events
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from tests.integration.planning import (
    automate,
    call,
    entity,
    get_plan,
    in_all_profiles,
    plain,
    point,
    register_plain,
    set_up_on,
)
from tests.integration.served_plant import ServedPlant, set_up
from tests.waiting import eventually


@pytest.fixture
async def entry(hass: HomeAssistant, served: ServedPlant) -> MockConfigEntry:
    return await set_up(hass, served.text)


async def test_sensor_shows_what_the_engine_reports(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await register_plain(hass, entry, "loop")
    await in_all_profiles(hass, entry, loop=3)
    sensor = entity(hass, "sensor", "automation.loop")
    state = hass.states.get(sensor)
    assert state is not None
    assert state.state == "unavailable"

    await call(
        hass,
        entry,
        "report_state",
        automation="automation.loop",
        state="controlling",
        attributes={"message": "At its setpoint", "resume": {"integral": 3.2}},
    )
    state = hass.states.get(sensor)
    assert state is not None
    assert state.state == "controlling"
    assert state.attributes["message"] == "At its setpoint"
    assert state.attributes["control_type"] == "pid_control"

    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.loop"}, blocking=True
    )
    state = hass.states.get(sensor)
    assert state is not None
    assert state.state == "not_in_plan"


async def test_reports_survive_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    await register_plain(hass, entry, "loop")
    await in_all_profiles(hass, entry, loop=3)
    await call(
        hass,
        entry,
        "report_state",
        automation="loop",
        state="controlling",
        attributes={"resume": {"integral": 3.2}},
    )
    assert await hass.config_entries.async_reload(entry.entry_id)
    (item,) = (await get_plan(hass, entry))["automations"]
    assert item["reported"]["attributes"] == {"resume": {"integral": 3.2}}


async def test_a_turn_is_on_disk_before_home_assistant_can_die(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    await register_plain(hass, entry, "loop")
    key = f"{DOMAIN}.{entry.entry_id}.reports"

    def on_disk() -> dict[str, Any]:
        stored: dict[str, Any] = hass_storage.get(key, {}).get("data", {})
        return stored.get("loop", {})

    for state in ("holding", "controlling"):
        await call(
            hass,
            entry,
            "report_state",
            automation="loop",
            state=state,
            attributes={"resume": state},
        )
        await eventually(lambda state=state: on_disk().get("state") == state)
        assert on_disk()["attributes"] == {"resume": state}


async def test_missing_engine_is_said_and_its_return_too(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    noon = datetime(2026, 11, 21, 12)
    entry = await set_up_on(hass, freezer, noon, "UTC")
    connectivity = entity(hass, "binary_sensor", "control_engine")
    registry = ir.async_get(hass)
    issue = f"engine_missing_{entry.entry_id}"

    async def after(*seconds: int) -> None:
        for second in seconds:
            freezer.move_to(noon + timedelta(seconds=second))
            async_fire_time_changed(hass)
            await hass.async_block_till_done()

    await after(100, 200, 300)
    assert registry.async_get_issue(DOMAIN, issue) is None, "nothing is planned"

    await automate(hass, plain("loop", entry))
    await after(301)
    await in_all_profiles(hass, entry, loop=3)
    await after(320, 400, 430)
    assert registry.async_get_issue(DOMAIN, issue) is None
    await after(460)
    assert registry.async_get_issue(DOMAIN, issue) is not None
    assert hass.states.is_state(connectivity, "off")

    await call(hass, entry, "report_state")
    assert registry.async_get_issue(DOMAIN, issue) is None
    assert hass.states.is_state(connectivity, "on")

    await after(510)
    assert hass.states.is_state(connectivity, "on")
    await after(540, 570)
    assert hass.states.is_state(connectivity, "off")
    assert registry.async_get_issue(DOMAIN, issue) is None
    await after(600)
    assert registry.async_get_issue(DOMAIN, issue) is not None


async def test_actions_are_told_with_their_reason(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await register_plain(hass, entry, "loop")
    told = async_capture_events(hass, "chiller_plant_action")
    reason = "Stage up: load 94 % of stage 1 for 15 min (limit 90 %)"
    await call(
        hass,
        entry,
        "report_state",
        automation="loop",
        events=[
            {"event": "stage_up", "reason": reason, "at": 1.0, "stage": 2},
            {"event": "brand_new", "reason": "Something else"},
        ],
    )
    await hass.async_block_till_done()

    state = hass.states.get(entity(hass, "event", "actions"))
    assert state is not None
    assert state.attributes["event_type"] == "note"
    assert state.attributes["event"] == "brand_new"
    assert [(event.data["action"], event.data["reason"]) for event in told] == [
        ("stage_up", reason),
        ("note", "Something else"),
    ]
    assert told[0].data["automation"] == "loop"
    assert told[0].data["entity_id"].startswith("sensor.")
    assert told[0].data["stage"] == 2


def device_of(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> str:
    """Return the id of the plant's device with a name."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return next(item.id for item in devices if item.name == name)


async def test_commands_and_holds_are_told(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    told = async_capture_events(hass, "chiller_plant_action")
    for key, value in (
        ("zone_1.occupied_command", False),
        ("schp_2.run_command", True),
    ):
        await hass.services.async_call(
            DOMAIN,
            "command",
            {"entity_id": point(hass, entry, key), "value": value},
            blocking=True,
        )
    await eventually(lambda: len(told) >= 2)

    found = {event.data["point"]: event.data for event in told}
    assert found["zone_1.occupied_command"]["action"] == "command"
    assert found["zone_1.occupied_command"]["source"] == "operator"
    assert found["schp_2.run_command"]["action"] == "hold"
    assert "minimum off time" in found["schp_2.run_command"]["reason"]
    # By these the logbook shows the reason with the switch and with the pump.
    assert found["schp_2.run_command"]["entity_id"] == "switch.schp_2_run_command"
    assert found["schp_2.run_command"]["device_id"] == device_of(hass, entry, "SCHP 2")


async def test_logbook_tells_in_the_words_of_the_action(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    described: dict[str, Any] = {}
    async_describe_events(
        hass, lambda domain, event, describe: described.update({event: describe})
    )
    told = async_capture_events(hass, "chiller_plant_action")
    await call(
        hass,
        entry,
        "report_state",
        events=[{"event": "plant_start", "reason": "Plant start: enabled for 30 s"}],
    )
    await hass.async_block_till_done()
    assert described["chiller_plant_action"](told[0]) == {
        "name": "Two chillers",
        "message": "Plant start: enabled for 30 s",
        "entity_id": None,
    }
