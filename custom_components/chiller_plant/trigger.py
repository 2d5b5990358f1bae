"""The trigger by which an automation made from a blueprint registers itself.

It fires when it is attached (Home Assistant starts, the automation is saved or
switched on) and whenever the plant asks again, and in both cases only once
the plant can hear the answer.
"""

from datetime import datetime
from typing import cast, override

import voluptuous as vol

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .lookup import loaded_entry

CONF_PLANT = "plant"
_DELAY = 0.2
"""Seconds. A new automation has no state yet while its triggers are attached, so
that it could not say who it is."""

_SCHEMA = vol.Schema(
    {vol.Required(CONF_OPTIONS): {vol.Required(CONF_PLANT): cv.string}}
)


class SyncTrigger(Trigger):
    """Asks an automation to register with its plant."""

    @override
    @classmethod
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Validate config; without its plant an automation would never be heard of."""
        checked = cast(ConfigType, _SCHEMA(config))
        plant: str = checked[CONF_OPTIONS][CONF_PLANT]
        entry = hass.config_entries.async_get_entry(plant)
        if entry is None or entry.domain != DOMAIN:
            raise vol.Invalid(
                f"Plant: {plant!r} is no chiller plant of this Home Assistant (any more). "
                "Choose one that the form offers"
            )
        return checked

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Remember the plant."""
        super().__init__(hass, config)
        self._plant: str = (config.options or {})[CONF_PLANT]

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Fire soon, and again when asked."""
        pending: CALLBACK_TYPE | None = None

        @callback
        def fire(_now: datetime) -> None:
            nonlocal pending
            pending = None
            if loaded_entry(self._hass, self._plant) is not None:
                run_action({CONF_PLANT: self._plant}, "chiller plant asks")

        job = HassJob(fire, "ask to register", cancel_on_shutdown=True)

        @callback
        def ask() -> None:
            nonlocal pending
            if pending is None:
                pending = async_call_later(self._hass, _DELAY, job)

        stop = async_dispatcher_connect(self._hass, f"{DOMAIN}_{self._plant}_sync", ask)
        ask()

        @callback
        def detach() -> None:
            stop()
            if pending is not None:
                pending()

        return detach


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return our triggers."""
    return {"sync": SyncTrigger}
