"""Registers actions, a row each; they are there before any plant is."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import voluptuous as vol

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)

from .const import DOMAIN

type Row = tuple[
    str,
    Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]],
    SupportsResponse,
]
"""Its name, what carries it out, and whether it answers."""


@callback
def async_register(
    hass: HomeAssistant, schemas: Mapping[str, vol.Schema], *rows: Row
) -> None:
    """Register actions with their schemas by name."""
    for name, handler, response in rows:
        hass.services.async_register(
            DOMAIN, name, handler, schema=schemas[name], supports_response=response
        )
