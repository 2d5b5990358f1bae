"""Which automations run on a date, by the integration's own resolution.

Profiles and calendar are read from the file that `import_plan` takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from custom_components.chiller_plant.day_calendar import DayCalendar, day_event
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file.days import resolve_day_types
from custom_components.chiller_plant.plant.plant_file.problems import Problems
from custom_components.chiller_plant.plant.profiles import (
    CUSTOM_SCHEDULE,
    CUSTOM_SCHEDULE_PRIORITY,
    Profile,
    plan_automations,
    resolve_day,
)

from .forms import Form


@dataclass(frozen=True, slots=True)
class SiteDays:
    """Profiles, day types and calendar of a site."""

    profiles: Mapping[str, Profile]
    day_types: Mapping[str, str]
    calendar: DayCalendar

    def profile(self, day: date) -> str:
        """Return the name of the profile of a date."""
        entries = [item.entry for item in self.calendar.on(day)]
        return resolve_day(day, entries, self.day_types, profiles=self.profiles).profile

    def planned(self, day: date, forms: Sequence[Form]) -> tuple[tuple[Form, int], ...]:
        """Return the automations of a date with their priorities, highest first."""
        known = {form.id: form for form in forms}
        found = [
            (
                known[key],
                CUSTOM_SCHEDULE_PRIORITY
                if known[key].control_type == CUSTOM_SCHEDULE
                else priority,
            )
            for key, priority in plan_automations(
                self.profiles[self.profile(day)], known
            )
        ]
        return tuple(sorted(found, key=lambda item: -item[1]))


def site_days(site: Path, plant: Plant, forms: Sequence[Form]) -> SiteDays:
    """Read `profiles.yaml`. Raise `ValueError` for an automation that is not there."""
    data: dict[str, Any] = yaml.safe_load((site / "profiles.yaml").read_text("utf-8"))
    if data["plant"] != plant.key:
        raise ValueError(f"profiles.yaml is for {data['plant']}, not for {plant.key}")
    profiles = {
        name: Profile(name, {item["automation"]: item["priority"] for item in items})
        for name, items in data["profiles"].items()
    }
    known = {form.id for form in forms}
    for profile in profiles.values():
        if unknown := profile.automations.keys() - known:
            raise ValueError(
                f"{profile.name}: there is no {', '.join(sorted(unknown))}"
            )
    problems = Problems("profiles.yaml", {})
    days = resolve_day_types(tuple(profiles), data.get("day_types"), problems)
    calendar = DayCalendar()
    for entry in data.get("calendar", ()):
        calendar.add(
            day_event(
                entry["profile"],
                entry["first_day"],
                entry.get("last_day", entry["first_day"]) + timedelta(days=1),
                entry.get("description"),
                entry.get("rule"),
            )
        )
    return SiteDays(profiles, days, calendar)
