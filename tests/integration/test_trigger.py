"""The trigger by which automations register."""

from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.chiller_plant.trigger import async_get_triggers
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import trigger as trigger_helper
from homeassistant.util import yaml as yaml_util
from tests.integration.planning import (
    REPOSITORY,
    UNCONNECTED,
    automate,
    call,
    plain,
    register_plain,
    registered,
)
from tests.integration.served_plant import entry_for, set_up
from tests.waiting import eventually

EVENT_AUTOMATION_TRIGGERED = "automation_triggered"


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    return await set_up(hass, UNCONNECTED)


async def edit(hass: HomeAssistant, *automations: dict[str, Any]) -> None:
    """Save automations as the editor does."""
    with patch(
        "homeassistant.config.load_yaml_config_file",
        return_value={"automation": list(automations)},
    ):
        await hass.services.async_call("automation", "reload", blocking=True)


async def tick(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float
) -> None:
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


def runs(hass: HomeAssistant) -> list[Event[Any]]:
    return async_capture_events(hass, EVENT_AUTOMATION_TRIGGERED)


async def test_new_automation_registers(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    ran = runs(hass)
    await automate(hass, plain("loop", entry, config={"gain": 1}))
    await registered(hass, entry, "loop")
    assert [event.data["entity_id"] for event in ran] == ["automation.loop"]


async def test_automation_registers_when_it_is_switched_on_again(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await register_plain(hass, entry, "loop")
    ran = runs(hass)
    for action in ("turn_off", "turn_on"):
        await hass.services.async_call(
            "automation", action, {"entity_id": "automation.loop"}, blocking=True
        )
    await eventually(lambda: len(ran) == 1)


async def test_automation_registers_when_the_plant_is_loaded_again(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await register_plain(hass, entry, "loop")
    ran = runs(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: len(ran) == 1)


async def test_automation_waits_for_a_plant_that_is_not_there_yet(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    entry = entry_for(UNCONNECTED)
    entry.add_to_hass(hass)
    ran = runs(hass)
    await automate(hass, plain("loop", entry))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await registered(hass, entry, "loop")
    assert len(ran) == 1
    assert "Error" not in caplog.text


async def test_edited_automation_registers_what_it_is_now(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, plain("loop", entry, config={"gain": 1}))
    await registered(hass, entry, "loop")
    registrations = entry.runtime_data.plan.store.decisions.registrations
    await edit(hass, plain("loop", entry, config={"gain": 2}))
    await eventually(lambda: registrations["loop"].config == {"gain": 2})


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_automation_that_is_ours_no_more_is_dropped(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, elsewhere: bool
) -> None:
    """Edited to do something else, or missing after a start."""
    entry = await set_up(hass, UNCONNECTED)
    registrations = entry.runtime_data.plan.store.decisions.registrations
    await automate(hass, plain("loop", entry), plain("kept", entry))
    await tick(hass, freezer, 1)
    assert set(registrations) == {"loop", "kept"}
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.kept"}, blocking=True
    )

    other = {"id": "loop", "alias": "loop", "triggers": [], "actions": []}
    changed = [other, plain("kept", entry)] if elsewhere else [plain("kept", entry)]
    await edit(hass, *changed)
    await tick(hass, freezer, 1)
    assert "loop" in registrations, "it might be on its way"
    await tick(hass, freezer, 31)
    assert set(registrations) == {"kept"}


async def test_automation_may_move_to_another_plant(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await register_plain(hass, entry, "loop")
    await call(
        hass,
        entry,
        "save_profile",
        name="Weekday",
        automations=[{"automation": "loop", "priority": 5}],
    )
    second = await set_up(
        hass, UNCONNECTED.replace("two_chillers", "second").replace("Two", "More")
    )

    await edit(hass, plain("loop", second))
    await registered(hass, second, "loop")

    plan = entry.runtime_data.plan
    assert plan.store.decisions.registrations == {}
    assert not any(profile.automations for profile in plan.profiles.values())


async def test_trigger_without_a_plant_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    automation = plain("loop", entry)
    automation["triggers"] = [{"trigger": "chiller_plant.sync"}]
    await automate(hass, automation)
    assert hass.states.is_state("automation.loop", "unavailable")


async def test_action_refuses_an_automation_that_is_not_there(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    with pytest.raises(Exception, match="no automation automation.nothing"):
        await call(
            hass,
            entry,
            "apply_automation",
            automation="automation.nothing",
            control_type="pid_control",
        )


async def test_triggers_are_described(hass: HomeAssistant) -> None:
    folder = REPOSITORY / "custom_components" / "chiller_plant"
    described = yaml_util.load_yaml_dict(folder / "triggers.yaml")
    triggers = await async_get_triggers(hass)
    assert set(described) == set(triggers)
    assert all(issubclass(item, trigger_helper.Trigger) for item in triggers.values())
