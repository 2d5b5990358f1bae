"""Seeing and changing the plant file of a plant that is set up."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.integration.forms import open_options
from tests.integration.served_plant import ServedPlant, operate, set_up, state
from tests.waiting import eventually

OFFICES = "name: Offices"


async def test_plant_file_is_shown_to_be_copied(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    walk = await open_options(hass, entry.entry_id, "plant_file")
    assert walk.defaults() == {"text": served.text}
    await walk.submit()
    assert walk.shown["type"] is FlowResultType.ABORT
    assert walk.shown["reason"] == "unchanged"


async def test_changed_text_is_checked_tried_and_taken(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    begin = served.text.index("  zone_3:\n")
    end = served.text.index("  chiller_1_power:\n")
    smaller = served.text[:begin] + served.text[end:].replace(" zone_3,", "")
    await operate(hass, "number.offices_temperature_setpoint", 21.0)
    await eventually(lambda: served.commanded("zone_3.temperature_setpoint") == 21.0)

    walk = await open_options(hass, entry.entry_id, "plant_file")
    await walk.submit(text=smaller.replace("type: chiller", "type: chillier"))
    assert walk.errors == {"base": "invalid_plant_file"}
    assert "chillier" in walk.told["problems"]
    # What was written is still there to be mended.
    assert "chillier" in walk.defaults()["text"]
    await walk.submit(text=smaller.replace("key: two_chillers", "key: other"))
    assert walk.errors == {"base": "other_plant"}
    await walk.submit(text=smaller)
    assert walk.shown["type"] is FlowResultType.ABORT
    assert walk.shown["reason"] == "plant_changed"
    await hass.async_block_till_done()
    await eventually(lambda: entry.state is ConfigEntryState.LOADED)
    assert entry.data["plant_file"] == smaller
    assert "zone_3" not in entry.runtime_data.plant.equipment
    # Nobody would ever have released it again.
    assert served.commanded("zone_3.temperature_setpoint") == 24.0
    assert state(hass, "number.wards_temperature_setpoint") == "24.0"


async def test_silent_devices_are_shown_before_a_change_is_taken(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    await served.unplug("zone_controller")
    changed = served.text.replace(OFFICES, "name: Workshops")
    assert changed != served.text
    walk = await open_options(hass, entry.entry_id, "plant_file")
    await walk.submit(text=changed)
    assert walk.step == "silent"
    assert "zone_controller" in walk.told["silent"]
    assert entry.data["plant_file"] == served.text
    await walk.submit()
    assert walk.shown["reason"] == "plant_changed"
    await hass.async_block_till_done()
    assert entry.data["plant_file"] == changed
