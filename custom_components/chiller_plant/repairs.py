"""Opens the form that repairs an issue."""

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HomeAssistant

from .install_repair import InstallOfferFlow, UpdateEngineFlow
from .installation import OFFER
from .profile_repair import AssignProfileFlow


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the form of an issue that has one."""
    if issue_id.startswith(OFFER):
        return InstallOfferFlow()
    if data is None:
        return UpdateEngineFlow()
    return AssignProfileFlow(str(data["entry_id"]), str(data["automation_id"]))
