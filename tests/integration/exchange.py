"""A day's plan as a person takes it out as text, and gives it back changed."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from tests.integration.planning import call


async def export(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    answer = await call(hass, entry, "export_plan")
    assert answer is not None
    text: str = answer["yaml"]
    return text


async def take(
    hass: HomeAssistant, entry: MockConfigEntry, text: str, **data: Any
) -> dict[str, Any]:
    answer = await call(hass, entry, "import_plan", yaml=text, **data)
    assert answer is not None
    return answer
