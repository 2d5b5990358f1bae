"""Runs a chilled-water plant from Home Assistant."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .data import ChillerPlantConfigEntry

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all plants share: the actions."""
    return True


async def async_setup_entry(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry
) -> bool:
    """Set up one plant."""
    return True


async def async_unload_entry(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry
) -> bool:
    """Leave the plant to itself."""
    return True
