"""The page on demand response names what dashboards and automations are made from."""

import json
from pathlib import Path
import re

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.actions import ACTIONS
from custom_components.chiller_plant.demand_response.known_event import STATES
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.integration.demand_response.site import GRID, Unwired, set_up_site, utility

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "demand-response.md").read_text()
WORDS = set(re.findall(r"`(?:chiller_plant\.)?([a-z_]+)`", PAGE))
ENGLISH = json.loads(
    (
        ROOT / "custom_components" / "chiller_plant" / "translations" / "en.json"
    ).read_text()
)


def of_demand_response(hass: HomeAssistant, entry: MockConfigEntry) -> list[str]:
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return [
        item.entity_id
        for item in entities
        if "demand_response" in item.unique_id or ".utility." in item.unique_id
    ]


async def test_every_entity_and_attribute_is_on_the_page(hass: HomeAssistant) -> None:
    entry = await set_up_site(hass, Unwired(), utility("Grid", GRID, "grid"))
    found = of_demand_response(hass, entry)
    assert len(found) > 8
    for entity_id in found:
        generic = entity_id.replace("two_chillers", "<plant>")
        assert f"`{generic.replace('.grid_', '.<connection>_')}`" in PAGE, entity_id
    english = ENGLISH["entity"]
    for platform, key in (
        ("sensor", "demand_response"),
        ("sensor", "demand_response_next_event"),
        ("binary_sensor", "utility"),
    ):
        attributes = english[platform][key]["state_attributes"].keys()
        assert attributes <= WORDS, attributes - WORDS


def test_every_state_has_words_and_is_on_the_page() -> None:
    assert set(STATES) <= WORDS
    assert ENGLISH["entity"]["sensor"]["demand_response"]["state"].keys() == set(STATES)


def test_every_action_event_is_on_the_page() -> None:
    ours = {name for name in ACTIONS if re.match(r"(event|shed)_", name)}
    assert len(ours) == 12
    assert ours <= WORDS


async def test_shown_attributes_are_those_that_have_a_name(hass: HomeAssistant) -> None:
    await set_up_site(hass, Unwired(), utility("Grid", GRID, "grid"))
    named = ENGLISH["entity"]
    for entity_id, platform, key in (
        ("sensor.two_chillers_demand_response", "sensor", "demand_response"),
        ("binary_sensor.grid_connection", "binary_sensor", "utility"),
    ):
        state = hass.states.get(entity_id)
        assert state is not None
        own = set(state.attributes) - {"device_class", "friendly_name", "options"}
        assert own == set(named[platform][key]["state_attributes"]), entity_id
