"""A Home Assistant without a recorder: starts are learnt from until it restarts."""

import pytest
import pytest_socket

from homeassistant.core import HomeAssistant
from tests.integration.test_recoveries import a_start, history, report, site


@pytest.fixture(autouse=True)
def _custom_integration(socket_enabled: None, enable_custom_integrations: None) -> None:
    """Record nothing."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


async def test_without_a_recorder_starts_are_learnt_until_the_next_restart(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass)
    assert "recorder" not in hass.config.components
    assert await history(hass, entry) == []
    await report(hass, entry, a_start(), a_start(day=1))
    assert len(await history(hass, entry)) == 2
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert await history(hass, entry) == []
