"""The way to a broker: Home Assistant's own MQTT integration, where it is set up.

No dependency of any kind is declared on it: Home Assistant would then want the
packages of MQTT installed wherever there is a plant.
"""

import asyncio
from collections.abc import Mapping
import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

_QOS = 1


def is_set_up(hass: HomeAssistant) -> bool:
    """Return whether there is an MQTT integration at all."""
    return "mqtt" in hass.config.components


def is_connected(hass: HomeAssistant) -> bool:
    """Return whether the broker is there."""
    if not is_set_up(hass):
        return False
    # Only here: whoever does not use MQTT need not have what it needs.
    from homeassistant.components import mqtt  # noqa: PLC0415

    return (
        bool(hass.config_entries.async_loaded_entries(mqtt.DOMAIN))
        and mqtt.is_connected(hass)
    )  # fmt: skip


async def async_publish(
    hass: HomeAssistant,
    topic: str,
    contents: Mapping[str, Any],
    *,
    retain: bool = False,
    within: float | None = None,
) -> bool:
    """Return whether the broker has it; `within` are seconds."""
    from homeassistant.components import mqtt  # noqa: PLC0415

    try:
        async with asyncio.timeout(within):
            await mqtt.async_publish(
                hass, topic, json.dumps(contents), qos=_QOS, retain=retain
            )
    except HomeAssistantError, TimeoutError:
        return False
    # The integration gives up waiting for an answer without a word.
    return mqtt.is_connected(hass)
