"""Setting up a plant, leaving it, and finding it again."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from tests.integration.served_plant import ServedPlant, set_up


async def test_plant_is_set_up_and_unloaded(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    assert entry.state is ConfigEntryState.LOADED
    print({s.entity_id: s.state for s in hass.states.async_all()})
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
