"""The plan of the day: who is in it, what it says, and when it changes."""

from datetime import datetime, timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.logbook import async_describe_events
from custom_components.chiller_plant.plan import unassigned_issue
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.integration.planning import (
    automate,
    call,
    device,
    entity,
    get_plan,
    plain,
    plan_changes,
    point,
    registered,
    set_up_on,
)
from tests.integration.served_plant import ServedPlant, eventually, set_up

ALL_PROFILES = ("Weekday", "Weekend", "Holiday")


@pytest.fixture
async def entry(hass: HomeAssistant, served: ServedPlant) -> MockConfigEntry:
    return await set_up(hass, served.text)


async def in_all_profiles(
    hass: HomeAssistant, entry: MockConfigEntry, **priorities: int
) -> None:
    for name in ALL_PROFILES:
        await call(
            hass,
            entry,
            "save_profile",
            name=name,
            automations=[
                {"automation": f"automation.{key}", "priority": priority}
                for key, priority in priorities.items()
            ],
        )


async def planned(hass: HomeAssistant, entry: MockConfigEntry) -> list[str]:
    return [item["id"] for item in (await get_plan(hass, entry))["automations"]]


async def test_plan_says_what_the_engine_needs_to_know(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(
        hass,
        plain(
            "loop",
            entry,
            metadata={
                "measurement": point(
                    hass, entry, "plant.chilled_water_differential_pressure"
                ),
                "outputs": [
                    point(hass, entry, "schp_1.speed_command"),
                    point(hass, entry, "schp_2.speed_command"),
                ],
                "chillers": [device(hass, entry, "chiller_1"), "chiller_2"],
                "setpoint_point": "",
                "enable": [],
            },
            config={"gain": 0.5, "action": "reverse"},
        ),
    )
    await registered(hass, entry, "loop")
    await in_all_profiles(hass, entry, loop=5)
    await call(
        hass,
        entry,
        "report_state",
        automation="automation.loop",
        state="holding",
        attributes={"output": 61.5},
    )

    plan = await get_plan(hass, entry)

    assert json.loads(json.dumps(plan)) == plan
    assert set(plan) == {
        "plant",
        "revision",
        "date",
        "profile",
        "profile_source",
        "automations",
        "equipment",
    }
    assert plan["plant"] == {
        "key": "two_chillers",
        "name": "Two chillers",
        "entry_id": entry.entry_id,
        "command_lease": 60,
        "poll_interval": 1,
    }
    assert plan["profile_source"] == "day_type"
    (automation,) = plan["automations"]
    reported = automation.pop("reported")
    assert automation == {
        "id": "loop",
        "entity_id": "automation.loop",
        "name": "loop",
        "control_type": "pid_control",
        "priority": 5,
        "metadata": {
            "measurement": "plant.chilled_water_differential_pressure",
            "outputs": ["schp_1.speed_command", "schp_2.speed_command"],
            "chillers": ["chiller_1", "chiller_2"],
            "setpoint_point": "",
            "enable": [],
        },
        "config": {"gain": 0.5, "action": "reverse"},
    }
    assert reported.pop("at") > 1_700_000_000
    assert reported == {"state": "holding", "attributes": {"output": 61.5}}
    chiller = plan["equipment"]["chiller_1"]
    assert chiller["type"] == "chiller"
    assert chiller["name"] == "Chiller 1"
    assert chiller["ratings"]["cooling_capacity"] == 1407
    assert chiller["served_by"]["valves"] == [
        "chilled_water_valve_1",
        "condenser_water_valve_1",
    ]
    assert chiller["points"]["run_command"] == {
        "entity_id": "switch.chiller_1_run_command",
        "writable": True,
        "boolean": True,
        "low": None,
        "high": None,
        "unit": None,
    }
    assert chiller["points"]["chilled_water_supply_temperature_setpoint"] == {
        "entity_id": "number.chiller_1_chilled_water_supply_temperature_setpoint",
        "writable": True,
        "boolean": False,
        "low": 4.5,
        "high": 15,
        "unit": "°C",
    }
    entities = [
        item["entity_id"]
        for equipment in plan["equipment"].values()
        for item in equipment["points"].values()
    ]
    assert all(hass.states.get(entity_id) for entity_id in entities)
    assert len(set(entities)) == len(entities) == len(entry.runtime_data.plant.points)


async def test_only_plant_need_not_be_named(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    plan = await hass.services.async_call(
        DOMAIN, "get_plan", {}, blocking=True, return_response=True
    )
    assert plan == await get_plan(hass, entry)


async def test_reports_do_not_change_the_revision_and_nothing_else_is_missed(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
    seen = [(await get_plan(hass, entry))["revision"]]

    await in_all_profiles(hass, entry, loop=5)
    seen.append((await get_plan(hass, entry))["revision"])
    answer = await call(
        hass, entry, "report_state", automation="loop", state="on", attributes={}
    )
    assert answer == {"revision": seen[-1]}
    assert (await get_plan(hass, entry))["revision"] == seen[-1]

    await in_all_profiles(hass, entry, loop=6)
    seen.append((await get_plan(hass, entry))["revision"])
    er.async_get(hass).async_update_entity(
        "switch.chiller_1_run_command", new_entity_id="switch.first"
    )
    await hass.async_block_till_done()
    plan = await get_plan(hass, entry)
    seen.append(plan["revision"])
    run_command = plan["equipment"]["chiller_1"]["points"]["run_command"]
    assert run_command["entity_id"] == "switch.first"
    assert len(set(seen)) == len(seen)


async def test_plan_change_is_announced_within_a_second(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
    await eventually(lambda: entry.runtime_data.plan._announcement is None)
    changes = plan_changes(hass)

    await in_all_profiles(hass, entry, loop=5)

    await eventually(lambda: changes, timeout=1)
    assert changes[-1].data == {
        "entry_id": entry.entry_id,
        "plant": "two_chillers",
        "revision": (await get_plan(hass, entry))["revision"],
    }
    # Nothing more is said of the same change, nor of a change that changes nothing.
    await in_all_profiles(hass, entry, loop=5)
    await eventually(lambda: entry.runtime_data.plan._announcement is None)
    assert len(changes) == 1


async def test_automation_switched_off_leaves_the_plan_at_once(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, plain("loop", entry), plain("stages", entry))
    await registered(hass, entry, "loop", "stages")
    await in_all_profiles(hass, entry, loop=3, stages=7)
    assert await planned(hass, entry) == ["stages", "loop"]
    await eventually(lambda: entry.runtime_data.plan._announcement is None)
    changes = plan_changes(hass)

    target = {"entity_id": "automation.stages"}
    await hass.services.async_call("automation", "turn_off", target, blocking=True)
    assert await planned(hass, entry) == ["loop"]
    await eventually(lambda: len(changes) == 1, timeout=1)

    await hass.services.async_call("automation", "turn_on", target, blocking=True)
    assert await planned(hass, entry) == ["stages", "loop"]
    await eventually(lambda: len(changes) == 2, timeout=1)


async def test_deleted_automation_leaves_profiles_and_takes_its_sensor_along(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
    await in_all_profiles(hass, entry, loop=3)
    sensor = entity(hass, "sensor", "automation.loop")

    er.async_get(hass).async_remove("automation.loop")
    await hass.async_block_till_done()

    assert await planned(hass, entry) == []
    profiles = entry.runtime_data.plan.profiles
    assert not any(profile.automations for profile in profiles.values())
    assert hass.states.get(sensor) is None


async def test_renamed_automation_stays_itself(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
    await in_all_profiles(hass, entry, loop=3)
    er.async_get(hass).async_update_entity(
        "automation.loop", new_entity_id="automation.pressure"
    )
    await hass.async_block_till_done()
    (item,) = (await get_plan(hass, entry))["automations"]
    assert (item["id"], item["entity_id"]) == ("loop", "automation.pressure")


async def test_engine_keeps_its_plan_while_home_assistant_starts(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, plain("loop", entry), plain("gone", entry))
    await registered(hass, entry, "loop", "gone")
    await in_all_profiles(hass, entry, loop=3, gone=4)
    assert await hass.config_entries.async_unload(entry.entry_id)
    # A start of Home Assistant: the automations are not there yet.
    hass.set_state(CoreState.starting)
    hass.states.async_remove("automation.gone")
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.loop"}, blocking=True
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await planned(hass, entry) == ["gone", "loop"]

    await hass.services.async_call(
        "automation", "turn_on", {"entity_id": "automation.loop"}, blocking=True
    )
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert await planned(hass, entry) == ["loop"]


async def test_automations_that_came_before_the_end_of_the_start_are_kept(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.set_state(CoreState.starting)
    entry = await set_up_on(hass, freezer, datetime(2026, 11, 21, 12), "UTC")
    await automate(hass, plain("loop", entry))

    async def after(seconds: float) -> None:
        freezer.tick(seconds)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()

    await after(1)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    await after(1)
    await after(60)
    assert list(entry.runtime_data.plan.store.decisions.registrations) == ["loop"]


@pytest.mark.parametrize(
    "value", ["sensor.nothing", ["chiller_1", "chiller_9"], "automation.loop", [""]]
)
async def test_what_is_not_of_this_plant_is_refused_and_said(
    hass: HomeAssistant, entry: MockConfigEntry, value: Any
) -> None:
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
    await in_all_profiles(hass, entry, loop=3)

    with pytest.raises(
        ServiceValidationError,
        match="chillers: .* is neither equipment nor a point of Two chillers",
    ):
        await call(
            hass,
            entry,
            "apply_automation",
            automation="automation.loop",
            control_type="pid_control",
            metadata={"chillers": value},
        )

    assert await planned(hass, entry) == []
    issue = f"automation_refused_{entry.entry_id}_loop"
    found = ir.async_get(hass).async_get_issue(DOMAIN, issue)
    assert found is not None
    assert found.translation_placeholders is not None
    assert "neither equipment" in found.translation_placeholders["error"]

    answer = await call(
        hass,
        entry,
        "apply_automation",
        automation="automation.loop",
        control_type="pid_control",
        metadata={"chillers": ["chiller_1"]},
    )
    assert answer == {
        "id": "loop",
        "profiles": [{"name": name, "priority": 3} for name in ALL_PROFILES],
    }
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue) is None
    assert await planned(hass, entry) == ["loop"]


async def test_more_than_the_recorder_keeps_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    with pytest.raises(Exception, match="allowed are 12000"):
        await call(
            hass,
            entry,
            "report_state",
            automation="loop",
            state="on",
            attributes={"text": "x" * 12_000},
        )


async def test_unassigned_automation_is_put_into_profiles_by_its_repair(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
    issue = unassigned_issue(entry.entry_id, "loop")
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue) is not None

    client = await hass_client()
    answer = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue}
    )
    form = await answer.json()
    assert form["step_id"] == "assign"
    assert form["description_placeholders"]["automation"] == "loop"
    answer = await client.post(
        f"/api/repairs/issues/fix/{form['flow_id']}",
        json={"profiles": ["Weekday", "Holiday"], "priority": 4},
    )
    assert (await answer.json())["type"] == "create_entry"

    profiles = entry.runtime_data.plan.profiles
    assert {name: dict(item.automations) for name, item in profiles.items()} == {
        "Weekday": {"loop": 4},
        "Weekend": {},
        "Holiday": {"loop": 4},
    }
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue) is None


async def test_sensor_shows_what_the_engine_reports(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
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
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
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
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
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
    await automate(hass, plain("loop", entry))
    await registered(hass, entry, "loop")
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
    assert told[0].data["stage"] == 2


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
        "entity_id": entity(hass, "event", "actions"),
    }
