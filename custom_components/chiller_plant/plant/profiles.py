"""Which profile a date gets, and which automations run on it.

Everything here is a calendar date, never an instant: a day is the local day
of the plant, and what a time zone does to midnight is the caller's business.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

LOWEST_PRIORITY = 1
HIGHEST_PRIORITY = 9
CUSTOM_SCHEDULE = "custom_schedule"
"""The control type that has a priority of its own in every profile."""
CUSTOM_SCHEDULE_PRIORITY = 100

type ResolutionKind = Literal["override", "date", "recurring", "day_type"]

DAYS = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
"""The keys of day types, in the order of `date.weekday()`."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of automations.

    `automations` gives each automation's priority: 1 to 9, or 100 for a
    custom schedule. Raises `ValueError` for any other.
    """

    name: str
    automations: Mapping[str, int]

    def __post_init__(self) -> None:
        """Refuse a profile that could not be ranked."""
        for automation, priority in self.automations.items():
            if not is_profile_priority(priority):
                raise ValueError(
                    f"profile '{self.name}': automation '{automation}' has priority "
                    f"{priority}; allowed are {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}, "
                    f"or {CUSTOM_SCHEDULE_PRIORITY} for a custom schedule"
                )


@dataclass(frozen=True, slots=True)
class DayEntry:
    """Some days of the calendar that were given a profile.

    One occurrence: a recurring entry is one `DayEntry` for each time it comes
    around, all with the same `uid`. Raises `ValueError` unless it ends after
    it starts.
    """

    uid: str
    profile: str
    start: date
    end: date
    """The first day after it."""
    recurring: bool
    created: float
    """Epoch seconds."""

    def __post_init__(self) -> None:
        """Refuse an entry that has no day."""
        if self.end <= self.start:
            raise ValueError(
                f"calendar entry '{self.profile}': the end {self.end} is not after "
                f"the start {self.start}"
            )

    def covers(self, day: date) -> bool:
        """Whether the entry is for this day."""
        return self.start <= day < self.end


@dataclass(frozen=True, slots=True)
class DayOverride:
    """A profile chosen by hand for one day, gone at the midnight after it."""

    day: date
    profile: str


@dataclass(frozen=True, slots=True)
class DayResolution:
    """The profile of a day and where it comes from."""

    profile: str
    kind: ResolutionKind
    uid: str | None = None
    """The calendar entry, for `date` and `recurring`."""


def is_profile_priority(priority: int) -> bool:
    """Whether an automation may have this priority in a profile."""
    if priority == CUSTOM_SCHEDULE_PRIORITY:
        return True
    return LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY


def resolve_day(
    day: date,
    entries: Iterable[DayEntry],
    day_types: Mapping[str, str],
    override: DayOverride | None = None,
    profiles: Collection[str] | None = None,
) -> DayResolution:
    """Return the one profile of a day.

    An override of this day goes first, then an entry for the date, then a
    recurring one, then the type of the day; among entries of a kind the
    shortest, then the newest (then the one with the later uid, so that the
    order in which they are stored says nothing). With `profiles`, an override
    or an entry whose profile was deleted is passed over. Raises `KeyError` if
    `day_types` lacks one of the seven days.
    """
    if override is not None and override.day == day:
        if profiles is None or override.profile in profiles:
            return DayResolution(override.profile, "override")
    candidates = [
        entry
        for entry in entries
        if entry.covers(day) and (profiles is None or entry.profile in profiles)
    ]
    if not candidates:
        return DayResolution(day_types[DAYS[day.weekday()]], "day_type")
    entry = max(
        candidates,
        key=lambda entry: (
            not entry.recurring,
            entry.start - entry.end,
            entry.created,
            entry.uid,
        ),
    )
    return DayResolution(
        entry.profile, "recurring" if entry.recurring else "date", entry.uid
    )


def purge_override(override: DayOverride | None, today: date) -> DayOverride | None:
    """Return the override if it is for today (or yet to come), else None."""
    return override if override is not None and override.day >= today else None


def plan_automations(
    profile: Profile, registered: Collection[str]
) -> tuple[tuple[str, int], ...]:
    """Return the automations that run under a profile, with their priorities.

    Only those that are registered; the highest priority first, equals by
    their id, so that the plan does not depend on how things are stored.
    """
    return tuple(
        sorted(
            (
                (automation, priority)
                for automation, priority in profile.automations.items()
                if automation in registered
            ),
            key=lambda item: (-item[1], item[0]),
        )
    )
