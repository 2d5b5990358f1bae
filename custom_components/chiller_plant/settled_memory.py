"""Keeps Python's search for memory that nobody uses short beside a large plant.

That search walks through every object there is while everything else stands
still: beside eight thousand entities for 0.5 to 0.9 s, several times a minute.
What is there once a plant is set up stays as long as the plant; it need not be
walked through again.
"""

import gc

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from .data import ChillerPlantConfigEntry
from .plant.model import Plant

_LARGE = 1000
"""Points from which on the search is long enough to be felt."""


@callback
def async_settle_memory(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, plant: Plant
) -> None:
    """Leave what is there out of the search until the plant is unloaded.

    Does nothing for a small plant. Only the rings among what is there now, and
    is not used any more later, are kept until then; all else is still freed.
    """
    if len(plant.points) < _LARGE:
        return

    @callback
    def settle(_hass: HomeAssistant) -> None:
        # Once more in full: what is unused already would be kept as well.
        gc.collect()
        gc.freeze()

    @callback
    def stop(_event: Event) -> None:
        gc.unfreeze()

    entry.async_on_unload(async_at_started(hass, settle))
    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop))
    entry.async_on_unload(gc.unfreeze)
