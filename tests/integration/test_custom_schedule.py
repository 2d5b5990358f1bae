"""A custom schedule in the plan: it wins over all that have a rank."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.plan import unassigned_issue
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.planning import (
    UNCONNECTED,
    automate,
    get_plan,
    in_all_profiles,
    plain,
    registered,
)
from tests.integration.served_plant import set_up


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    entry = await set_up(hass, UNCONNECTED)
    await automate(
        hass,
        plain("alone", entry),
        plain("noon", entry, control_type="custom_schedule"),
    )
    await registered(hass, entry, "alone", "noon")
    return entry


def ranks(plan: dict[str, Any]) -> list[tuple[str, int]]:
    return [(item["id"], item["priority"]) for item in plan["automations"]]


async def test_custom_schedule_goes_first_whatever_the_profile_says(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await in_all_profiles(hass, entry, alone=9, noon=1)
    assert ranks(await get_plan(hass, entry)) == [("noon", 100), ("alone", 9)]


async def test_nobody_is_asked_for_the_rank_of_a_custom_schedule(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()

    async def fields(automation: str) -> tuple[str, list[str]]:
        issue = unassigned_issue(entry.entry_id, automation)
        answer = await client.post(
            "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue}
        )
        form = await answer.json()
        return form["flow_id"], [field["name"] for field in form["data_schema"]]

    assert (await fields("alone"))[1] == ["profiles", "priority"]
    flow, asked = await fields("noon")
    assert asked == ["profiles"]
    answer = await client.post(
        f"/api/repairs/issues/fix/{flow}",
        json={"profiles": ["Weekday", "Weekend", "Holiday"]},
    )
    # It goes on with the next automation, which has a rank.
    form = await answer.json()
    assert [field["name"] for field in form["data_schema"]] == ["profiles", "priority"]
    assert ranks(await get_plan(hass, entry)) == [("noon", 100)]
