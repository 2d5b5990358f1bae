"""Deciding on types of days, and the plan as one text, in the options of a plant."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from tests.integration.forms import Client, Walk, open_options, upload
from tests.integration.planning import call, get_plan, set_up_on


@pytest.fixture
async def entry(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """Set the plant up on a Saturday."""
    return await set_up_on(hass, freezer, datetime(2026, 11, 21, 10), "Europe/Berlin")


async def options(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> Walk:
    return await open_options(hass, entry.entry_id, step)


def ended(walk: Walk) -> str | None:
    assert walk.shown["type"] is FlowResultType.ABORT, walk.shown
    return walk.shown.get("reason")


async def test_types_of_days_and_holidays_are_decided(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    walk = await options(hass, entry, "days")
    assert walk.defaults()["saturday"] == "Weekend"
    assert "holiday" not in walk.defaults()

    await walk.submit(
        saturday="Holiday", holiday="Holiday", holidays="calendar.public_holidays"
    )

    assert ended(walk) == "days_decided"
    assert (await get_plan(hass, entry))["profile"] == "Holiday"
    decisions = entry.runtime_data.plan.store.decisions
    assert decisions.day_types == {"saturday": "Holiday", "holiday": "Holiday"}
    assert await hass.config_entries.async_reload(entry.entry_id)
    walk = await options(hass, entry, "days")
    shown = walk.defaults()
    assert (shown["saturday"], shown["holidays"]) == (
        "Holiday",
        "calendar.public_holidays",
    )

    # What is as in the plant file is no decision: the file may change it again.
    del shown["holidays"], shown["holiday"]
    manager = hass.config_entries.options
    walk.shown = await manager.async_configure(
        walk.shown["flow_id"], {**shown, "saturday": "Weekend"}
    )
    assert ended(walk) == "days_decided"
    decisions = entry.runtime_data.plan.store.decisions
    assert (decisions.day_types, decisions.holiday_source) == ({}, None)


async def test_plan_is_shown_to_be_copied(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    answer = await call(hass, entry, "export_plan")
    walk = await options(hass, entry, "plan")
    assert answer is not None
    assert walk.defaults()["plan"] == answer["yaml"]
    await walk.submit()
    assert ended(walk) == "unchanged"


async def test_changed_plan_is_taken_and_a_mistake_can_be_mended(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    walk = await options(hass, entry, "plan")
    text = walk.defaults()["plan"]
    await walk.submit(plan=text.replace("saturday: Weekend", "saturday: Hollyday"))
    assert walk.errors == {"base": "plan_refused"}
    assert "did you mean 'Holiday'?" in walk.told["problems"]
    assert "Hollyday" in walk.defaults()["plan"]

    await walk.submit(plan=text.replace("saturday: Weekend", "saturday: Holiday"))

    assert ended(walk) == "plan_taken"
    assert "+ day_types: saturday: Holiday" in walk.told["changed"]
    assert (await get_plan(hass, entry))["profile"] == "Holiday"


async def test_what_somebody_else_decided_meanwhile_is_not_undone_unasked(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    walk = await options(hass, entry, "plan")
    mine = walk.defaults()["plan"].replace("saturday: Weekend", "saturday: Holiday")
    await call(hass, entry, "save_profile", name="Fair")

    await walk.submit(plan=mine)

    assert walk.errors == {"base": "plan_changed_meanwhile"}
    assert "Fair" in entry.runtime_data.plan.profiles
    assert walk.defaults()["plan"] == mine
    await walk.submit()
    assert ended(walk) == "plan_taken"
    assert "Fair" not in entry.runtime_data.plan.profiles


@pytest.fixture
async def client(
    hass: HomeAssistant, hass_client: Callable[[], Awaitable[Client]]
) -> Client:
    """Be a browser that is signed in."""
    await async_setup_component(hass, "file_upload", {})
    return await hass_client()


async def test_plan_is_uploaded_as_a_file(
    hass: HomeAssistant, entry: MockConfigEntry, client: Client
) -> None:
    text = (
        b"plant: two_chillers\n"
        b"calendar: [{profile: Holiday, first_day: 2026-11-21, rule: FREQ=YEARLY}]\n"
    )
    walk = await options(hass, entry, "plan")
    await walk.submit(plan_file=await upload(client, b"\xff\xfe", "plan.yaml"))
    assert walk.errors == {"base": "cannot_read_file"}
    await walk.submit(plan_file=await upload(client, text, "plan.yaml"))
    assert ended(walk) == "plan_taken"
    plan = await get_plan(hass, entry)
    assert (plan["profile"], plan["profile_source"]) == ("Holiday", "recurring")


async def test_plan_of_a_plant_that_does_not_run_cannot_be_seen(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    for step in ("plan", "days"):
        walk = await options(hass, entry, step)
        assert ended(walk) == "plant_not_loaded"
