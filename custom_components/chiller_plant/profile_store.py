"""Keeps what people decided about profiles and dates through a restart.

Two files: decisions (profiles, calendar, today's override, registered
automations) are few and precious and are written at once; what the control
engine last reported is plenty and replaceable, and is written now and then.
A damaged file never keeps a plant from starting.
"""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import voluptuous as vol

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER
from .day_calendar import DayCalendar
from .plant.model import Plant
from .plant.profiles import (
    CUSTOM_SCHEDULE_PRIORITY,
    DAY_TYPES,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    DayCopy,
    DayOverride,
    Profile,
)

_VERSION = 1
_REPORTS_DELAY = 60
_TURN_DELAY = 1
"""Seconds. An automation that goes on from what it did before its last turn
would undo it, so a turn must be on disk before Home Assistant can die."""
PRIORITY = vol.All(
    vol.Coerce(int),
    vol.Any(
        vol.Range(min=LOWEST_PRIORITY, max=HIGHEST_PRIORITY), CUSTOM_SCHEDULE_PRIORITY
    ),
)


@dataclass(frozen=True, slots=True)
class Registration:
    """An automation made from one of our blueprints, as it last told of itself."""

    id: str
    entity_id: str
    name: str
    control_type: str
    metadata: dict[str, Any]
    """Equipment keys and point keys by what the control type uses them for."""
    config: dict[str, Any]
    refused: str = ""
    """Why its form cannot be carried out; such an automation is never planned."""
    enabled: bool = True
    """Whether it was switched on when last seen. Believed only while Home
    Assistant starts and cannot know better."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the control engine last said about an automation; `at` in epoch seconds."""

    state: str
    attributes: dict[str, Any]
    at: float


@dataclass(slots=True)
class Decisions:
    """Everything that people decided, and that must not be lost."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    calendar: DayCalendar = field(default_factory=DayCalendar)
    override: DayOverride | None = None
    """A profile for one day only, whatever the calendar says."""
    copy: DayCopy | None = None
    """That day's profile as it was edited for that day only."""
    day_types: dict[str, str] = field(default_factory=dict)
    """What was decided otherwise than the plant file says."""
    holiday_source: str | None = None
    """The entity that says which days are holidays."""
    holidays: dict[date, bool] = field(default_factory=dict)
    """What it last said of today and of tomorrow."""
    registrations: dict[str, Registration] = field(default_factory=dict)


_DECISIONS_SCHEMA = vol.Schema(
    {
        vol.Required("profiles"): [
            {
                vol.Required("name"): vol.All(str, vol.Length(min=1)),
                vol.Required("automations"): {str: PRIORITY},
            }
        ],
        vol.Required("calendar"): str,
        vol.Required("override"): vol.Any(
            None, {vol.Required("date"): cv.date, vol.Required("profile"): str}
        ),
        vol.Optional("copy", default=None): vol.Any(
            None,
            {
                vol.Required("date"): cv.date,
                vol.Required("profile"): str,
                vol.Required("automations"): {str: PRIORITY},
                vol.Required("config"): {str: dict},
            },
        ),
        vol.Optional("day_types", default=dict): {vol.In(DAY_TYPES): str},
        vol.Optional("holiday_source", default=None): vol.Any(None, cv.entity_id),
        vol.Optional("holidays", default=dict): {cv.date: bool},
        vol.Required("automations"): [
            {
                vol.Required("id"): str,
                vol.Required("entity_id"): cv.entity_id,
                vol.Required("name"): str,
                vol.Required("control_type"): str,
                vol.Required("metadata"): dict,
                vol.Required("config"): dict,
                vol.Required("refused"): str,
                vol.Required("enabled"): bool,
            }
        ],
    }
)
_REPORTS_SCHEMA = vol.Schema(
    {
        str: {
            vol.Required("state"): str,
            vol.Required("attributes"): dict,
            vol.Required("at"): vol.Coerce(float),
        }
    }
)


class ProfileStore:
    """The decisions and reports of one plant, on disk."""

    def __init__(self, hass: HomeAssistant, entry_id: str, plant: Plant) -> None:
        """Prepare; nothing is read yet."""
        self._hass = hass
        self._entry_id = entry_id
        self._plant = plant
        self._decisions_file = _file(hass, entry_id, "profiles")
        self._reports_file = _file(hass, entry_id, "reports")
        self._reports_pending = False
        self.decisions = Decisions()
        self.reports: dict[str, Report] = {}

    async def async_load(self) -> None:
        """Read both files; what cannot be understood is set aside and said."""
        stored = await self._decisions_file.async_load()
        if stored is not None:
            try:
                self.decisions = await self._hass.async_add_executor_job(
                    _decisions_from, stored
                )
            except (vol.Invalid, ValueError) as error:
                await self._async_set_aside(stored, error)
        for name in self._missing_profiles():
            self.decisions.profiles[name] = Profile(name, {})

        try:
            reports = _REPORTS_SCHEMA(await self._reports_file.async_load() or {})
        except vol.Invalid as error:
            LOGGER.warning(
                "%s: the last reports of the control engine were unreadable (%s)"
                " and are forgotten; it reports again by itself",
                self._plant.name,
                error,
            )
        else:
            self.reports = {key: Report(**value) for key, value in reports.items()}

    def _missing_profiles(self) -> list[str]:
        # A new plant starts with the file's profiles, and a day's default must
        # exist even if the file named it later.
        wanted = [] if self.decisions.profiles else list(self._plant.profiles)
        wanted += {**self._plant.day_types, **self.decisions.day_types}.values()
        return [name for name in wanted if name not in self.decisions.profiles]

    async def _async_set_aside(self, stored: dict[str, Any], error: Exception) -> None:
        aside: Store[dict[str, Any]] = Store(
            self._hass,
            _VERSION,
            f"{self._decisions_file.key}.damaged.{dt_util.utcnow():%Y%m%d%H%M%S}",
        )
        try:
            await aside.async_save(stored)
        except HomeAssistantError, OSError:
            LOGGER.exception("The damaged profiles could not be kept: %s", stored)
        LOGGER.error(
            "The profiles and the calendar of %s cannot be read (%s); the plant"
            " starts with the profiles of its plant file. The damaged file is kept"
            " as %s",
            self._plant.name,
            error,
            aside.path,
        )
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            f"profiles_damaged_{self._entry_id}",
            is_fixable=False,
            is_persistent=True,
            severity=ir.IssueSeverity.ERROR,
            translation_key="profiles_damaged",
            translation_placeholders={
                "plant": self._plant.name,
                "path": aside.path,
                "error": str(error),
            },
        )

    async def async_save(self) -> None:
        """Write the decisions now."""
        await self._decisions_file.async_save(_decisions_as_dict(self.decisions))

    @callback
    def save_reports_soon(self, *, turned: bool) -> None:
        """Write the reports within a minute, at once if a state has turned."""
        if self._reports_pending and not turned:
            return
        self._reports_pending = True
        self._reports_file.async_delay_save(
            self._reports_as_dict, _TURN_DELAY if turned else _REPORTS_DELAY
        )

    @callback
    def _reports_as_dict(self) -> dict[str, Any]:
        self._reports_pending = False
        return {key: asdict(report) for key, report in self.reports.items()}

    async def async_close(self) -> None:
        """Write what is still to be written."""
        if self._reports_pending:
            await self._reports_file.async_save(self._reports_as_dict())


async def async_remove_profiles(hass: HomeAssistant, entry_id: str) -> None:
    """Forget a plant that was removed."""
    for what in ("profiles", "reports"):
        await _file(hass, entry_id, what).async_remove()
    ir.async_delete_issue(hass, DOMAIN, f"profiles_damaged_{entry_id}")


def _file(hass: HomeAssistant, entry_id: str, what: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}.{what}", atomic_writes=True)


def _decisions_as_dict(decisions: Decisions) -> dict[str, Any]:
    override, copy = decisions.override, decisions.copy
    return {
        "profiles": [
            {"name": profile.name, "automations": dict(profile.automations)}
            for profile in decisions.profiles.values()
        ],
        "calendar": decisions.calendar.as_ics(),
        "override": override
        and {"date": override.day.isoformat(), "profile": override.profile},
        "copy": copy
        and {
            "date": copy.day.isoformat(),
            "profile": copy.profile,
            "automations": dict(copy.automations),
            "config": {key: dict(values) for key, values in copy.config.items()},
        },
        "day_types": decisions.day_types,
        "holiday_source": decisions.holiday_source,
        "holidays": {
            day.isoformat(): answer for day, answer in decisions.holidays.items()
        },
        "automations": [asdict(item) for item in decisions.registrations.values()],
    }


def _decisions_from(stored: dict[str, Any]) -> Decisions:
    data = _DECISIONS_SCHEMA(stored)
    override, copy = data["override"], data["copy"]
    return Decisions(
        profiles={
            item["name"]: Profile(item["name"], item["automations"])
            for item in data["profiles"]
        },
        calendar=DayCalendar.from_ics(data["calendar"]),
        override=override and DayOverride(override["date"], override["profile"]),
        copy=copy
        and DayCopy(copy["date"], copy["profile"], copy["automations"], copy["config"]),
        day_types=data["day_types"],
        holiday_source=data["holiday_source"],
        holidays=data["holidays"],
        registrations={
            item["id"]: Registration(**item) for item in data["automations"]
        },
    )
