"""How we are on the BACnet network where devices are looked for.

A network that a running plant uses is shared with it: its own settings are what
the form begins with.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import ipaddress
from typing import Any

import voluptuous as vol

from homeassistant.components.network import async_get_adapters
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ..const import CONF_SOURCE, DOMAIN, SOURCE_SIMULATED
from ..data import ChillerPlantConfigEntry
from ..drivers.bacnet_discovery import HIGHEST_INSTANCE
from ..drivers.bacnet_network import BacnetNetwork
from ..links import bacnet_networks
from ..plant.commissioning.found import BacnetSettings
from ..plant.model import BacnetConnection

CONF_LOCAL_ADDRESS = "local_address"
CONF_LOCAL_PORT = "local_port"
CONF_INSTANCE = "instance"
CONF_BBMD = "bbmd"

_USUAL = BacnetSettings(local_address="", instance=4_190_001)


def whole_number(low: int, high: int) -> NumberSelector:
    """Return a field for a whole number; its value has to be made an `int`."""
    return NumberSelector(
        NumberSelectorConfig(min=low, max=high, step=1, mode=NumberSelectorMode.BOX)
    )


async def async_network_fields(hass: HomeAssistant) -> dict[vol.Marker, Any]:
    """Return the fields of a form that say how we are on the network."""
    offered = await _async_offered(hass)
    known = _settings_in_use(hass)
    begin = known or _USUAL
    address = begin.local_address or next(iter(offered), "")
    fields: dict[vol.Marker, Any] = {
        vol.Required(
            CONF_LOCAL_ADDRESS, description={"suggested_value": address}
        ): SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=value, label=f"{value} ({adapter})")
                    for value, adapter in offered.items()
                ],
                custom_value=True,
                mode=SelectSelectorMode.DROPDOWN,
            )
        ),
        vol.Required(CONF_LOCAL_PORT, default=begin.local_port): whole_number(1, 65535),
        vol.Required(CONF_INSTANCE, default=begin.instance): whole_number(
            0, HIGHEST_INSTANCE
        ),
        vol.Optional(
            CONF_BBMD, description={"suggested_value": begin.bbmd}
        ): TextSelector(),
    }
    return fields


def settings_of(
    answers: Mapping[str, Any], errors: dict[str, str]
) -> BacnetSettings | None:
    """Return what a person filled in; None with `errors` by field."""
    address = str(answers[CONF_LOCAL_ADDRESS]).strip()
    if not _is_interface(address):
        errors[CONF_LOCAL_ADDRESS] = "bad_local_address"
    bbmd = str(answers.get(CONF_BBMD) or "").strip() or None
    if bbmd is not None and not is_host_and_port(bbmd):
        errors[CONF_BBMD] = "bad_bbmd"
    if errors:
        return None
    return BacnetSettings(
        local_address=address,
        instance=int(answers[CONF_INSTANCE]),
        local_port=int(answers[CONF_LOCAL_PORT]),
        bbmd=bbmd,
    )


def is_host_and_port(text: str) -> bool:
    """Return whether text is an IPv4 address with a port."""
    host, _, port = text.partition(":")
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return port.isdecimal() and 0 < int(port) < 2**16


def _is_interface(text: str) -> bool:
    try:
        ipaddress.IPv4Interface(text)
    except ValueError:
        return False
    # Without a prefix it would be a network of one.
    return "/" in text


@asynccontextmanager
async def open_network(
    hass: HomeAssistant, settings: BacnetSettings
) -> AsyncIterator[BacnetNetwork]:
    """Be on the network for a moment. Raise `DriverError` where that fails."""
    connection = BacnetConnection(
        key=settings.key,
        local_address=settings.local_address,
        local_port=settings.local_port,
        instance=settings.instance,
        write_priority=settings.write_priority,
        devices={},
        bbmd=settings.bbmd,
        bbmd_lifetime=settings.bbmd_lifetime,
    )
    network = bacnet_networks(hass).network(connection)
    await network.open(connection)
    try:
        yield network
    finally:
        await network.close()


async def _async_offered(hass: HomeAssistant) -> dict[str, str]:
    """Return this machine's addresses with the adapter of each, default first."""
    adapters = await async_get_adapters(hass)
    return {
        f"{item['address']}/{item['network_prefix']}": adapter["name"]
        for adapter in sorted(adapters, key=lambda item: not item["default"])
        for item in adapter["ipv4"]
    }


def _settings_in_use(hass: HomeAssistant) -> BacnetSettings | None:
    """Return how a running plant is on its network; None if none is on any."""
    entries: list[ChillerPlantConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if (
            entry.state is not ConfigEntryState.LOADED
            or entry.data[CONF_SOURCE] == SOURCE_SIMULATED
        ):
            continue
        for connection in entry.runtime_data.plant.connections.values():
            if isinstance(connection, BacnetConnection):
                return BacnetSettings(
                    local_address=connection.local_address,
                    instance=connection.instance,
                    local_port=connection.local_port,
                    write_priority=connection.write_priority,
                    bbmd=connection.bbmd,
                    bbmd_lifetime=connection.bbmd_lifetime,
                )
    return None
