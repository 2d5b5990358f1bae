"""Today's profile: which one it is, and another one for today only."""

from datetime import timedelta
from typing import Any, override

from homeassistant.components.select import SelectEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .data import ChillerPlantConfigEntry, ChillerPlantData
from .plan import BY_CALENDAR
from .plan_entity import PlanEntity

PARALLEL_UPDATES = 0

_DIFFERENCES_SHOWN = 20
"""Home Assistant's recorder keeps attributes of up to 16 kB."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the choice of today's profile."""
    async_add_entities([ProfileSelect(entry.runtime_data)])


class ProfileSelect(PlanEntity, SelectEntity):
    """The profile of today. Choosing one holds until midnight."""

    def __init__(self, data: ChillerPlantData) -> None:
        """Show the plant's profile."""
        super().__init__(data, "profile")

    @property
    @override
    def options(self) -> list[str]:
        """The profiles, and to leave it to the calendar."""
        return [BY_CALENDAR, *self._room.profiles]

    @property
    @override
    def current_option(self) -> str:
        """The profile that is active."""
        return self._room.today.profile

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Where it comes from, and in what it is another one than on other days."""
        days = self._room.days
        today = dt_util.now().date()
        tomorrow = days.of(today + timedelta(days=1))
        found = days.told_differences
        return {
            "source": days.today.kind,
            "profile_by_calendar": days.by_calendar.profile,
            "date": today.isoformat(),
            "edited_for_today": days.copy is not None,
            "differences": found[:_DIFFERENCES_SHOWN],
            "number_of_differences": len(found),
            "tomorrow": tomorrow.profile,
            "tomorrow_source": tomorrow.kind,
            "holiday": days.holidays.known(today),
            "holiday_note": days.holidays.note,
        }

    @override
    async def async_select_option(self, option: str) -> None:
        """Give today another profile, or hand today back to the calendar."""
        await self._room.days.async_choose(None if option == BY_CALENDAR else option)
