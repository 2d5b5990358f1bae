"""Giving out all that was decided about a plant, and taking it in again."""

from datetime import date, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_fire_time_changed,
)

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.day_calendar import day_event
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from tests.integration.exchange import export, take
from tests.integration.planning import (
    automate,
    call,
    get_plan,
    in_all_profiles,
    plain,
    set_up_on,
)

SATURDAY = date(2026, 11, 21)
DAY = timedelta(days=1)


@pytest.fixture
async def entry(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """Set the plant up on a Saturday, with two automations in every profile."""
    entry = await set_up_on(hass, freezer, datetime(2026, 11, 21, 10), "Europe/Berlin")
    await automate(
        hass, plain("loop", entry, config={"gain": 0.5}), plain("stages", entry)
    )
    await a_moment(hass, freezer)
    await in_all_profiles(hass, entry, loop=5, stages=3)
    return entry


async def a_moment(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let what registers after a moment do so."""
    freezer.tick(1)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def decide_much(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Use everything that can be decided."""
    calendar = entry.runtime_data.plan.calendar
    calendar.add(
        day_event(
            "Holiday", SATURDAY + DAY, SATURDAY + 2 * DAY, "Fair: #1", "FREQ=WEEKLY"
        )
    )
    uid = calendar.rows[0].uid
    calendar.edit(
        uid,
        day_event("Weekday", SATURDAY + 8 * DAY, SATURDAY + 9 * DAY, None, None),
        "20261129",
        onwards=False,
    )
    calendar.delete(uid, "20261206", onwards=False)
    await call(hass, entry, "save_profile", name="Open day: late")
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.two_chillers_today_s_profile", "option": "Holiday"},
        blocking=True,
    )
    await call(
        hass,
        entry,
        "edit_today",
        automations=[
            {"automation": "loop", "priority": 7, "config": {"gain": 0.25}},
            {"automation": "stages", "runs": False},
        ],
    )


async def test_what_was_exported_changes_nothing_when_it_is_imported(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await decide_much(hass, entry)
    text = await export(hass, entry)
    plan = await get_plan(hass, entry)

    assert await take(hass, entry, text) == {
        "changed": [],
        "created_automations": [],
        "updated_automations": [],
        "different_automations": [],
        "left_out": [],
    }

    assert await export(hass, entry) == text
    assert await get_plan(hass, entry) == plan


async def test_everything_that_was_decided_comes_back_from_its_export(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await decide_much(hass, entry)
    text = await export(hass, entry)
    plan = await get_plan(hass, entry)
    room = entry.runtime_data.plan
    days = [SATURDAY + n * DAY for n in range(40)]
    resolved = [room.days.of(day) for day in days]
    for name in ("Weekday", "Weekend", "Holiday", "Open day: late"):
        await call(hass, entry, "save_profile", name=name, automations=[])
    await call(hass, entry, "discard_today")
    for row in room.calendar.rows:
        if row.rule:
            room.calendar.delete(row.uid, None, onwards=False)

    answer = await take(hass, entry, text)

    assert (
        "+ profiles: Weekday: - {automation: loop, name: loop, priority: 5}"
        in (answer["changed"])
    )
    assert await export(hass, entry) == text
    assert await get_plan(hass, entry) == plan
    assert [room.days.of(day) for day in days] == resolved
    # It is on disk too.
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await export(hass, entry) == text


async def test_only_the_sections_of_a_file_are_taken(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    answer = await take(
        hass,
        entry,
        "plant: two_chillers\n"
        "day_types: {weekdays: Weekday, weekends: Weekend, saturday: Holiday}\n",
    )
    assert answer["changed"] == [
        "- day_types: saturday: Weekend",
        "+ day_types: saturday: Holiday",
    ]
    plan = await get_plan(hass, entry)
    assert (plan["profile"], plan["profile_source"]) == ("Holiday", "day_type")
    assert len(plan["automations"]) == 2

    answer = await take(
        hass,
        entry,
        "plant: two_chillers\n"
        "profiles:\n"
        "  Weekday: [{automation: automation.loop, priority: 2}]\n"
        "  Weekend: [{name: Stages, priority: 9}]\n"
        "  Holiday: []\n",
    )
    profiles = entry.runtime_data.plan.profiles
    assert {name: dict(item.automations) for name, item in profiles.items()} == {
        "Weekday": {"loop": 2},
        "Weekend": {"stages": 9},
        "Holiday": {},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plant: kspo", "plan.yaml:1: plant: this is the plan of 'kspo'"),
        (
            (
                "plant: two_chillers\nprofiles:\n  Weekday: []\n  Weekend:\n"
                "    - {automation: pumps, priority: 1}"
            ),
            r"plan.yaml:5: profiles.Weekend\[0\]: automation 'pumps' is not there",
        ),
        (
            "plant: two_chillers\nprofiles:\n  Weekday: []",
            r"plan.yaml:2: profiles: 'Weekend' is missing \(it is needed by a type of",
        ),
        (
            "plant: two_chillers\nprofiles: {Weekday: [], Weekend: []}\n",
            "'Holiday' is missing .it is needed by the calendar",
        ),
        (
            (
                "plant: two_chillers\nprofiles:\n  Weekday: []\n  Weekend: []\n"
                "  Holiday: []\n  by_calendar: []"
            ),
            "plan.yaml:6: profiles.by_calendar: this name is taken",
        ),
        (
            (
                "plant: two_chillers\ncalendar:\n"
                "  - {profile: Holiday, first_day: 2026-12-25, rule: FREQ=SOMETIMES}"
            ),
            r"plan.yaml:3: calendar\[0\]: 'FREQ=SOMETIMES' is no rule of days",
        ),
        (
            (
                "plant: two_chillers\ncalendar:\n  - profile: Holiday\n"
                "    first_day: 2026-12-25\n"
                "    rule: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
            ),
            "never comes to a day",
        ),
        (
            "plant: two_chillers\nholidays: light.kitchen",
            "plan.yaml:2: holidays: 'light.kitchen' cannot be asked for holidays",
        ),
        (
            (
                "plant: two_chillers\nautomations:\n"
                "  - {id: pumps, name: Pumps, blueprint: chiller_plant/schp_control.yaml}"
            ),
            (
                "automation 'Pumps' .pumps. is not there .make it from the blueprint"
                " chiller_plant/schp_control.yaml, or have the import make it"
            ),
        ),
        ("plant: two_chillers\nprofiles: [\n", "plan.yaml:3: this is not YAML"),
    ],
)
async def test_wrong_file_is_refused_whole_with_line_and_key(
    hass: HomeAssistant, entry: MockConfigEntry, text: str, said: str
) -> None:
    entry.runtime_data.plan.calendar.add(
        day_event("Holiday", SATURDAY + DAY, SATURDAY + 2 * DAY, None, None)
    )
    before = await export(hass, entry)
    with pytest.raises(ServiceValidationError, match=said):
        await take(hass, entry, text)
    assert await export(hass, entry) == before


async def test_one_mistake_keeps_the_rest_of_the_file_out(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    before = await export(hass, entry)
    text = before.replace("saturday: Weekend", "saturday: Holiday")
    text = text.replace("priority: 3", "priority: 33", 1)
    with pytest.raises(ServiceValidationError, match=r"priority: found 33"):
        await take(hass, entry, text)
    assert await export(hass, entry) == before


async def test_what_was_for_another_day_alone_is_left_out_and_said(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await call(
        hass,
        entry,
        "edit_today",
        automations=[{"automation": "stages", "runs": False}],
    )
    text = await export(hass, entry)
    freezer.tick(DAY)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    answer = await take(hass, entry, text)
    assert answer["left_out"] == ["what was decided for 2026-11-21 alone"]
    assert (await get_plan(hass, entry))["profile_source"] == "day_type"


async def test_only_an_administrator_imports(
    hass: HomeAssistant, entry: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    text = await export(hass, entry)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "import_plan",
            {"plant": entry.entry_id, "yaml": text},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
