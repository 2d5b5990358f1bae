"""The plan of the day: who is in it, what it says, and when it changes."""

from datetime import datetime
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.plan import unassigned_issue
from homeassistant.components.automation import DATA_COMPONENT
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.integration.planning import (
    ALL_PROFILES,
    automate,
    call,
    device,
    entity,
    get_plan,
    in_all_profiles,
    plain,
    plan_changes,
    point,
    register_plain,
    registered,
    set_up_on,
)
from tests.integration.served_plant import ServedPlant, set_up
from tests.waiting import eventually


@pytest.fixture
async def entry(hass: HomeAssistant, served: ServedPlant) -> MockConfigEntry:
    return await set_up(hass, served.text)


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
        "edited",
        "automations",
        "idle",
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
        "amendments": [],
        "history": [],
        "idle_days": [],
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
    # Besides the points: staging run hours and starts of all that proves to run.
    points = entry.runtime_data.plant.points
    counted = [key for key in points if key.endswith(".run_status")]
    assert len(set(entities)) == len(entities) == len(points) + 2 * len(counted)


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
    await register_plain(hass, entry, "loop")
    seen = [(await get_plan(hass, entry))["revision"]]

    await in_all_profiles(hass, entry, loop=5)
    seen.append((await get_plan(hass, entry))["revision"])
    answer = await call(
        hass, entry, "report_state", automation="loop", state="on", attributes={}
    )
    assert answer == {"revision": seen[-1]}
    assert (await get_plan(hass, entry))["revision"] == seen[-1]

    known = {"revision": seen[-1]}
    assert await call(hass, entry, "get_plan", **known) == known

    await in_all_profiles(hass, entry, loop=6)
    plan = await call(hass, entry, "get_plan", **known)
    assert plan == await get_plan(hass, entry), "what is known is not it any more"
    seen.append(plan["revision"])
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
    await register_plain(hass, entry, "loop")
    await eventually(lambda: entry.runtime_data.plan._announcement is None)
    changes = plan_changes(hass)

    await in_all_profiles(hass, entry, loop=5)

    await eventually(lambda: changes, timeout=3)
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
    await register_plain(hass, entry, "loop", "stages")
    await in_all_profiles(hass, entry, loop=3, stages=7)
    assert await planned(hass, entry) == ["stages", "loop"]
    await eventually(lambda: entry.runtime_data.plan._announcement is None)
    changes = plan_changes(hass)

    target = {"entity_id": "automation.stages"}
    await hass.services.async_call("automation", "turn_off", target, blocking=True)
    assert await planned(hass, entry) == ["loop"]
    await eventually(lambda: len(changes) == 1, timeout=3)

    await hass.services.async_call("automation", "turn_on", target, blocking=True)
    assert await planned(hass, entry) == ["stages", "loop"]
    await eventually(lambda: len(changes) == 2, timeout=3)


async def test_deleted_automation_leaves_profiles_and_takes_its_sensor_along(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await register_plain(hass, entry, "loop")
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
    await register_plain(hass, entry, "loop")
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
    await register_plain(hass, entry, "loop", "gone")
    await in_all_profiles(hass, entry, loop=3, gone=4)
    assert await hass.config_entries.async_unload(entry.entry_id)
    # A start of Home Assistant: the automations are not there yet.
    hass.set_state(CoreState.starting)
    # Its entity itself, not its state: it would write that again when it is asked.
    await (
        hass.data[DATA_COMPONENT]
        .get_entity("automation.gone")
        .async_remove(force_remove=True)
    )
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
    await register_plain(hass, entry, "loop")
    await in_all_profiles(hass, entry, loop=3)

    with pytest.raises(
        ServiceValidationError,
        match="Chillers.*: (Two chillers has nothing of|it is neither|one of the answers is empty)",
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
    assert "**Chillers**" in found.translation_placeholders["problems"]

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


async def test_the_repair_goes_on_with_the_next_one_that_is_in_no_profile(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await register_plain(hass, entry, "loop", "other", "third")
    client = await hass_client()
    answer = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": DOMAIN, "issue_id": unassigned_issue(entry.entry_id, "other")},
    )
    form = await answer.json()
    flow = f"/api/repairs/issues/fix/{form['flow_id']}"
    asked = []
    for profiles in (["Weekday"], ["Weekend"], ["Holiday"]):
        told = form["description_placeholders"]
        defaults = {item["name"]: item.get("default") for item in form["data_schema"]}
        asked.append((told["automation"], told["others"], defaults["profiles"]))
        answer = await client.post(flow, json={"profiles": profiles, "priority": 2})
        form = await answer.json()
    assert asked == [
        ("other", "2", []),
        ("loop", "1", ["Weekday"]),
        ("third", "0", ["Weekend"]),
    ]
    assert form["type"] == "create_entry"
    found = {
        name: dict(item.automations)
        for name, item in entry.runtime_data.plan.profiles.items()
    }
    assert found == {
        "Weekday": {"other": 2},
        "Weekend": {"loop": 2},
        "Holiday": {"third": 2},
    }
    assert not entry.runtime_data.plan.unassigned()


async def test_unassigned_automation_is_put_into_profiles_by_its_repair(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await register_plain(hass, entry, "loop")
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


async def test_schedule_is_told_on_which_days_another_profile_runs(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    friday = datetime(2026, 11, 20, 12)
    entry = await set_up_on(hass, freezer, friday, "Asia/Bangkok")
    schedule = {"control_type": "chiller_plant_schedule", "config": {}}
    await automate(hass, plain("hours", entry, **schedule), plain("loop", entry))
    freezer.tick(1)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    working = [
        {"automation": f"automation.{name}", "priority": 5}
        for name in ("hours", "loop")
    ]
    await call(hass, entry, "save_profile", name="Weekday", automations=working)

    async def idle_days() -> list[list[str]]:
        plan = await get_plan(hass, entry)
        return [item["idle_days"] for item in plan["automations"]]

    told = {tuple(days) for days in await idle_days()}
    weekends = ("14", "15", "21", "22", "28", "29")
    days = (*(f"2026-11-{day}" for day in weekends), "2026-12-05")
    assert told == {days, ()}, "who looks at days, and who does not"
    await call(hass, entry, "save_profile", name="Weekend", automations=working)
    assert await idle_days() == [[], []]
