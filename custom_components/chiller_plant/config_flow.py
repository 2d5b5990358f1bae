"""Asks which plant to run."""

from homeassistant.config_entries import ConfigFlow

from .const import DOMAIN


class ChillerPlantConfigFlow(ConfigFlow, domain=DOMAIN):
    """Import a plant file, or try the simulated plant."""

    VERSION = 1
