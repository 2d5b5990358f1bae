"""Opens the form that repairs an issue."""

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HomeAssistant

from .profile_repair import AssignProfileFlow


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the form of the only issue that has one: an unassigned automation."""
    assert data is not None
    return AssignProfileFlow(str(data["entry_id"]), str(data["automation_id"]))
