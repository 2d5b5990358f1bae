"""Names that more than one module of the integration uses."""

import logging
from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "chiller_plant"
LOGGER = logging.getLogger(__package__)

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.CLIMATE,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]

# What a config entry holds. The file itself is kept, so that a plant still
# starts when the place it was imported from is gone.
CONF_PLANT_FILE: Final = "plant_file"
CONF_PLANT_FILE_NAME: Final = "plant_file_name"
CONF_SOURCE: Final = "source"

OPERATOR: Final = "operator"
"""The source of what a person asks for."""

SOURCE_FILE: Final = "file"
SOURCE_SIMULATED: Final = "simulated"
