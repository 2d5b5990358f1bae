"""Profiles: choosing one for today, making, changing and deleting them."""

from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from tests.integration.planning import (
    UNCONNECTED,
    call,
    entity,
    get_plan,
    pass_to,
    plan_changes,
    register_plain,
    set_up_on,
)
from tests.integration.served_plant import entry_for, set_up


@pytest.fixture
async def entry(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """Set the plant up on a Saturday."""
    return await set_up_on(hass, freezer, datetime(2026, 11, 21, 10), "Europe/Berlin")


def shown(hass: HomeAssistant) -> State:
    state = hass.states.get(entity(hass, "select", "profile"))
    assert state is not None
    return state


async def choose(hass: HomeAssistant, option: str) -> None:
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": entity(hass, "select", "profile"), "option": option},
        blocking=True,
    )


async def test_another_profile_is_chosen_for_today_and_handed_back(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    assert shown(hass).state == "Weekend"
    assert shown(hass).attributes["source"] == "day_type"
    assert shown(hass).attributes["options"] == [
        "by_calendar",
        "Weekday",
        "Weekend",
        "Holiday",
    ]

    await choose(hass, "Holiday")
    assert (shown(hass).state, shown(hass).attributes["source"]) == (
        "Holiday",
        "override",
    )
    assert shown(hass).attributes["profile_by_calendar"] == "Weekend"
    assert (await get_plan(hass, entry))["profile_source"] == "override"

    await choose(hass, "by_calendar")
    assert (shown(hass).state, shown(hass).attributes["source"]) == (
        "Weekend",
        "day_type",
    )


async def test_choice_ends_at_midnight(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    await choose(hass, "Holiday")
    await pass_to(hass, freezer, datetime(2026, 11, 21, 23, 59, 50))
    assert shown(hass).state == "Holiday"

    changes = plan_changes(hass)
    await pass_to(hass, freezer, datetime(2026, 11, 22))

    assert shown(hass).state == "Weekend"
    assert shown(hass).attributes["date"] == "2026-11-22"
    assert [event.data["plant"] for event in changes] == ["two_chillers"]
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}.profiles"]["data"]
    assert stored["override"] is None


async def test_choice_survives_a_restart_on_the_same_day_only(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await choose(hass, "Holiday")
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert shown(hass).state == "Holiday"

    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(days=1))
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert shown(hass).state == "Weekend"


async def test_profile_is_made_changed_and_deleted(hass: HomeAssistant) -> None:
    entry = await set_up(hass, UNCONNECTED)
    await register_plain(hass, entry, "loop", "stages")

    made = await call(
        hass,
        entry,
        "save_profile",
        name="Open day",
        automations=[
            {"automation": "automation.loop", "priority": 3},
            {"automation": "automation.stages", "priority": 100},
        ],
    )
    assert made == {"name": "Open day", "automations": {"loop": 3, "stages": 100}}
    assert "Open day" in shown(hass).attributes["options"]
    await choose(hass, "Open day")
    plan = await get_plan(hass, entry)
    assert [(item["id"], item["priority"]) for item in plan["automations"]] == [
        ("stages", 100),
        ("loop", 3),
    ]

    await call(hass, entry, "save_profile", name="open day")
    assert await get_plan(hass, entry) == plan, "nothing was said of automations"
    await call(hass, entry, "save_profile", name="open day", automations=[])
    assert (await get_plan(hass, entry))["automations"] == []

    with pytest.raises(ServiceValidationError, match="chosen for today"):
        await call(hass, entry, "delete_profile", response=False, name="Open day")
    await choose(hass, "by_calendar")
    await call(hass, entry, "delete_profile", response=False, name="Open day")
    assert "Open day" not in shown(hass).attributes["options"]


async def test_default_of_a_day_cannot_be_deleted(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    with pytest.raises(ServiceValidationError, match="default of a day of the week"):
        await call(hass, entry, "delete_profile", response=False, name="Weekday")


@pytest.mark.parametrize("priority", [0, 10, 50, 150])
async def test_profile_cannot_give_a_priority_that_is_not_its_to_give(
    hass: HomeAssistant, entry: MockConfigEntry, priority: int
) -> None:
    with pytest.raises(Exception, match="priority"):
        await call(
            hass,
            entry,
            "save_profile",
            name="Weekday",
            automations=[{"automation": "automation.loop", "priority": priority}],
        )


async def test_profile_takes_only_automations_that_are_registered(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    with pytest.raises(
        ServiceValidationError, match=r"automation\.nothing is not registered"
    ):
        await call(
            hass,
            entry,
            "save_profile",
            name="Weekday",
            automations=[{"automation": "automation.nothing", "priority": 1}],
        )


@pytest.mark.parametrize(
    "damage",
    [
        {"profiles": "all gone"},
        {"calendar": "BEGIN:VCALENDAR\nBEGIN:NOTHING"},
        {"automations": [{"id": 7}]},
    ],
)
async def test_damaged_file_is_kept_aside_and_the_plant_starts(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    damage: dict[str, Any],
) -> None:
    entry = entry_for(UNCONNECTED)
    key = f"{DOMAIN}.{entry.entry_id}.profiles"
    data = {"profiles": [], "calendar": "", "override": None, "automations": []}
    hass_storage[key] = {
        "version": 1,
        "minor_version": 1,
        "key": key,
        "data": data | damage,
    }
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)

    assert list(entry.runtime_data.plan.profiles) == ["Weekday", "Weekend", "Holiday"]
    (aside,) = (name for name in hass_storage if name.startswith(f"{key}.damaged."))
    assert hass_storage[aside]["data"] == data | damage
    issue = ir.async_get(hass).async_get_issue(
        DOMAIN, f"profiles_damaged_{entry.entry_id}"
    )
    assert issue is not None


async def test_unreadable_reports_are_forgotten(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    entry = entry_for(UNCONNECTED)
    key = f"{DOMAIN}.{entry.entry_id}.reports"
    hass_storage[key] = {
        "version": 1,
        "minor_version": 1,
        "key": key,
        "data": {"loop": 1},
    }
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.runtime_data.plan.store.reports == {}


async def test_removed_plant_is_forgotten(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    await choose(hass, "Holiday")
    assert any(entry.entry_id in key for key in hass_storage)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not any(entry.entry_id in key for key in hass_storage)
