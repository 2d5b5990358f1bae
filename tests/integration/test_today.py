"""Editing today alone: what it does, what it leaves alone, and when it is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.chiller_plant.actions import EVENT_ACTION
from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import Event, HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from tests.integration.planning import (
    ALL_PROFILES,
    automate,
    call,
    entity,
    get_plan,
    in_all_profiles,
    pass_to,
    plain,
    set_up_on,
)


@pytest.fixture
async def entry(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """Set the plant up on a Saturday, with two automations in every profile."""
    return await plant_on(hass, freezer, datetime(2026, 11, 21, 10), "Europe/Berlin")


async def plant_on(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, moment: datetime, zone: str
) -> MockConfigEntry:
    entry = await set_up_on(hass, freezer, moment, zone)
    await automate(
        hass,
        plain("loop", entry, config={"gain": 0.5, "action": "reverse", "fast": False}),
        plain("stages", entry, config={"hold": 900}),
        plain("spare", entry),
    )
    # An automation registers a moment after it is there.
    freezer.tick(1)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    registrations = entry.runtime_data.plan.store.decisions.registrations
    assert set(registrations) == {"loop", "stages", "spare"}
    await in_all_profiles(hass, entry, loop=5, stages=3)
    return entry


def shown(hass: HomeAssistant) -> State:
    state = hass.states.get(entity(hass, "select", "profile"))
    assert state is not None
    return state


async def edit(
    hass: HomeAssistant, entry: MockConfigEntry, *automations: dict[str, Any]
) -> dict[str, Any]:
    answer = await call(hass, entry, "edit_today", automations=list(automations))
    assert answer is not None
    return answer


async def planned(
    hass: HomeAssistant, entry: MockConfigEntry
) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return priority and configuration of what runs today."""
    plan = await get_plan(hass, entry)
    return {
        item["id"]: (item["priority"], item["config"]) for item in plan["automations"]
    }


def baseline(entry: MockConfigEntry) -> dict[str, dict[str, int]]:
    profiles = entry.runtime_data.plan.profiles
    return {name: dict(item.automations) for name, item in profiles.items()}


def told(events: list[Event], action: str) -> list[str]:
    return [event.data["reason"] for event in events if event.data["action"] == action]


async def test_today_is_another_profile_of_the_same_name_and_the_profile_is_untouched(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    before = baseline(entry)
    events = async_capture_events(hass, EVENT_ACTION)

    answer = await edit(
        hass,
        entry,
        {"automation": "automation.loop", "config": {"gain": 0.8}},
        {"automation": "stages", "runs": False},
        {"automation": "automation.spare", "priority": 7},
    )

    assert await planned(hass, entry) == {
        "spare": (7, {}),
        "loop": (5, {"gain": 0.8, "action": "reverse", "fast": False}),
    }
    assert baseline(entry) == before
    registrations = entry.runtime_data.plan.store.decisions.registrations
    assert registrations["loop"].config["gain"] == 0.5
    differences = [
        {
            "automation": "loop",
            "name": "loop",
            "kind": "config",
            "key": "gain",
            "before": 0.5,
            "after": 0.8,
        },
        {
            "automation": "spare",
            "name": "spare",
            "kind": "added",
            "before": None,
            "after": 7,
        },
        {
            "automation": "stages",
            "name": "stages",
            "kind": "removed",
            "before": 3,
            "after": None,
        },
    ]
    assert answer == {
        "date": "2026-11-21",
        "profile": "Weekend",
        "source": "edited",
        "differences": differences,
    }
    plan = await get_plan(hass, entry)
    assert (plan["profile"], plan["profile_source"]) == ("Weekend", "edited")
    assert plan["edited"] == differences
    assert shown(hass).state == "Weekend"
    assert shown(hass).attributes["source"] == "edited"
    assert shown(hass).attributes["edited_for_today"] is True
    assert shown(hass).attributes["differences"] == differences
    assert shown(hass).attributes["tomorrow_source"] == "day_type"
    await hass.async_block_till_done(wait_background_tasks=True)
    (reason,) = told(events, "today_edited")
    assert reason == (
        "Weekend is edited for 2026-11-21 only: loop: gain 0.5 → 0.8; spare runs with"
        " priority 7; stages does not run"
    )


async def test_one_edit_adds_to_another_and_what_is_set_back_differs_no_more(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await edit(hass, entry, {"automation": "loop", "config": {"gain": 0.8}})
    await edit(hass, entry, {"automation": "loop", "priority": 9})
    assert (await planned(hass, entry))["loop"][0] == 9
    answer = await edit(hass, entry, {"automation": "loop", "config": {"gain": 0.5}})
    assert [item["kind"] for item in answer["differences"]] == ["priority"]


async def test_edit_is_discarded_and_what_was_chosen_before_is_back(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await choose(hass, "Holiday")
    await edit(hass, entry, {"automation": "stages", "runs": False})
    assert (shown(hass).state, shown(hass).attributes["source"]) == (
        "Holiday",
        "edited",
    )
    events = async_capture_events(hass, EVENT_ACTION)

    answer = await call(hass, entry, "discard_today")

    assert answer is not None
    assert (answer["profile"], answer["source"], answer["differences"]) == (
        "Holiday",
        "override",
        [],
    )
    assert "stages" in await planned(hass, entry)
    assert len(told(events, "today_discarded")) == 1
    with pytest.raises(ServiceValidationError, match="was edited for today"):
        await call(hass, entry, "discard_today")


async def choose(hass: HomeAssistant, option: str) -> None:
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": entity(hass, "select", "profile"), "option": option},
        blocking=True,
    )


@pytest.mark.parametrize("option", ["Holiday", "by_calendar"])
async def test_choosing_a_profile_ends_what_was_edited(
    hass: HomeAssistant, entry: MockConfigEntry, option: str
) -> None:
    await edit(hass, entry, {"automation": "stages", "runs": False})
    await choose(hass, option)
    assert shown(hass).attributes["edited_for_today"] is False
    assert "stages" in await planned(hass, entry)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"automation": "nothing"}, "is not registered"),
        ({"automation": "spare"}, "Give it a priority"),
        ({"automation": "loop", "config": {"gian": 1}}, 'no setting "gian"'),
        ({"automation": "loop", "config": {"gain": "much"}}, "Gain"),
        ({"automation": "loop", "config": {"fast": 1}}, "Fast"),
        ({"automation": "loop", "priority": 50}, "priority"),
    ],
)
async def test_wrong_edit_changes_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, row: dict[str, Any], reason: str
) -> None:
    before = await get_plan(hass, entry)
    with pytest.raises(Exception, match=reason):
        await edit(hass, entry, {"automation": "stages", "runs": False}, row)
    assert await get_plan(hass, entry) == before


async def test_profile_that_is_edited_for_today_cannot_be_deleted(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await call(hass, entry, "save_profile", name="Test")
    await choose(hass, "Test")
    await edit(hass, entry, {"automation": "loop", "priority": 2})
    await call(hass, entry, "discard_today")
    await edit(hass, entry, {"automation": "loop", "priority": 2})
    with pytest.raises(ServiceValidationError, match="chosen for today"):
        await call(hass, entry, "delete_profile", response=False, name="Test")


# 23 and 25 hours, and zones where clocks change at midnight: a day that has no
# 00:00, one that has it twice, one whose last hour comes twice.
NIGHTS = [
    ("Europe/Berlin", datetime(2026, 11, 21, 23, 59, 40), "2026-11-21T23:00"),
    ("Europe/Berlin", datetime(2026, 3, 28, 23, 59, 40), "2026-03-28T23:00"),
    ("Europe/Berlin", datetime(2026, 3, 29, 0, 0, 10), "2026-03-29T22:00"),
    ("Europe/Berlin", datetime(2026, 10, 25, 0, 0, 10), "2026-10-25T23:00"),
    ("America/Havana", datetime(2026, 3, 7, 23, 59, 40), "2026-03-08T05:00"),
    ("America/Havana", datetime(2026, 10, 31, 23, 59, 40), "2026-11-01T04:00"),
    ("America/Havana", datetime(2026, 11, 1, 0, 0, 10), "2026-11-02T05:00"),
    ("Asia/Beirut", datetime(2026, 3, 28, 23, 59, 40), "2026-03-28T22:00"),
    ("Asia/Beirut", datetime(2026, 10, 24, 0, 0, 10), "2026-10-24T22:00"),
    ("America/Sao_Paulo", datetime(2018, 2, 17, 22, 0), "2018-02-18T03:00"),
    ("America/Sao_Paulo", datetime(2018, 11, 3, 23, 59, 40), "2018-11-04T03:00"),
]
"""Time zone, a local time, and the midnight after it in UTC."""


@pytest.mark.parametrize(("zone", "moment", "utc"), NIGHTS)
async def test_edit_lasts_until_local_midnight_and_no_longer(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    zone: str,
    moment: datetime,
    utc: str,
) -> None:
    midnight = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    entry = await plant_on(hass, freezer, moment, zone)
    await edit(hass, entry, {"automation": "stages", "runs": False})
    day = dt_util.now().date()
    events = async_capture_events(hass, EVENT_ACTION)

    await pass_to_instant(hass, freezer, midnight - timedelta(seconds=5))
    assert dt_util.now().date() == day
    assert "stages" not in await planned(hass, entry)
    assert not told(events, "today_purged")

    await pass_to_instant(hass, freezer, midnight)
    assert dt_util.now().date() == day + timedelta(days=1)
    assert "stages" in await planned(hass, entry)
    assert shown(hass).attributes["edited_for_today"] is False
    assert len(told(events, "today_purged")) == 1
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}.profiles"]["data"]
    assert stored["copy"] is None
    assert {item["name"]: item["automations"] for item in stored["profiles"]} == (
        {name: {"loop": 5, "stages": 3} for name in ALL_PROFILES}
    )


async def pass_to_instant(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, instant: datetime
) -> None:
    # `pass_to` reads a local time, which not every instant has to itself.
    await pass_to(hass, freezer, dt_util.as_local(instant))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana"])
async def test_edit_outlives_a_restart_at_one_to_midnight(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, zone: str
) -> None:
    entry = await plant_on(hass, freezer, datetime(2026, 3, 7, 23, 58), zone)
    await edit(hass, entry, {"automation": "loop", "config": {"gain": 0.8}})
    freezer.tick(timedelta(minutes=1))
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await planned(hass, entry))["loop"][1]["gain"] == 0.8

    await pass_to_instant(
        hass, freezer, dt_util.utcnow() + timedelta(minutes=1, seconds=1)
    )
    assert dt_util.now().date().day == 8
    assert (await planned(hass, entry))["loop"][1]["gain"] == 0.5


async def test_edit_is_gone_when_home_assistant_comes_back_after_midnight(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_storage: dict[str, Any]
) -> None:
    entry = await plant_on(
        hass, freezer, datetime(2026, 11, 21, 23, 59), "Europe/Berlin"
    )
    await edit(hass, entry, {"automation": "stages", "runs": False})
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(minutes=2))
    events = async_capture_events(hass, EVENT_ACTION)

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    assert "stages" in await planned(hass, entry)
    assert told(events, "today_purged") == [
        "The edited Weekend of 2026-11-21 is gone: its day is over"
    ]


async def test_deleted_automation_leaves_what_was_edited_too(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await edit(hass, entry, {"automation": "loop", "config": {"gain": 0.8}})
    await entry.runtime_data.plan.async_forget("loop", deleted=True)
    copy = entry.runtime_data.plan.days.copy
    assert copy is not None
    assert "loop" not in copy.automations
    assert "loop" not in copy.config
