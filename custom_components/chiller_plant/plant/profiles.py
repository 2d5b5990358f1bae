"""Which profile a date gets, and which automations run on it.

Everything here is a calendar date, never an instant: a day is the local day
of the plant, and what a time zone does to midnight is the caller's business.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol

LOWEST_PRIORITY = 1
HIGHEST_PRIORITY = 9
CUSTOM_SCHEDULE = "custom_schedule"
"""The control type that has a priority of its own in every profile."""
CUSTOM_SCHEDULE_PRIORITY = 100

type ResolutionKind = Literal[
    "edited", "override", "date", "recurring", "holiday", "day_type"
]

DAYS = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
"""The days of the week, in the order of `date.weekday()`."""
HOLIDAY = "holiday"
DAY_TYPES = (*DAYS, HOLIDAY)
"""The keys of day types. Only `holiday` may be missing: a holiday is then the
day of the week that it falls on."""


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
class DayCopy:
    """A profile as it was changed for one day, gone at the midnight after it.

    The profile itself is never touched. `config` holds what is set differently
    on this day, by automation. Raises `ValueError` as `Profile` does.
    """

    day: date
    profile: str
    automations: Mapping[str, int]
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a copy that could not be ranked."""
        Profile(self.profile, self.automations)


type DifferenceKind = Literal["added", "removed", "priority", "config"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a day's copy differs from its profile."""

    automation: str
    kind: DifferenceKind
    key: str | None
    """Which value, for `config`."""
    before: Any
    after: Any


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
    *,
    copy: DayCopy | None = None,
    holiday: bool = False,
) -> DayResolution:
    """Return the one profile of a day.

    What was edited for this day goes first, then an override of it, then an
    entry for the date, then a recurring one, then the type of the day: holiday,
    else the day of the week. Among entries of a kind the shortest counts, then
    the newest (then the one with the later uid, so that the order in which they
    are stored says nothing). With `profiles`, what names a profile that was
    deleted is passed over. Raises `KeyError` if `day_types` lacks one of the
    seven days.
    """
    if copy is not None and copy.day == day:
        if profiles is None or copy.profile in profiles:
            return DayResolution(copy.profile, "edited")
    if override is not None and override.day == day:
        if profiles is None or override.profile in profiles:
            return DayResolution(override.profile, "override")
    candidates = [
        entry
        for entry in entries
        if entry.covers(day) and (profiles is None or entry.profile in profiles)
    ]
    if not candidates:
        if holiday and (profile := day_types.get(HOLIDAY)) is not None:
            if profiles is None or profile in profiles:
                return DayResolution(profile, "holiday")
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


class _OfOneDay(Protocol):
    @property
    def day(self) -> date: ...


def purged[T: _OfOneDay](decision: T | None, today: date) -> T | None:
    """Return what was decided for one day unless that day is over, else None."""
    return decision if decision is not None and decision.day >= today else None


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


def differences(
    copy: DayCopy,
    profile: Profile,
    configs: Mapping[str, Mapping[str, Any]],
) -> tuple[Difference, ...]:
    """Return in what a day's copy differs from its profile, by automation.

    `configs` is what the automations are configured to on other days.
    """
    found = []
    for automation in sorted({*profile.automations, *copy.automations}):
        before = profile.automations.get(automation)
        after = copy.automations.get(automation)
        if before != after:
            kind: DifferenceKind = "priority"
            if before is None or after is None:
                kind = "added" if before is None else "removed"
            found.append(Difference(automation, kind, None, before, after))
        if after is None:
            continue
        usual = configs.get(automation, {})
        found += [
            Difference(automation, "config", key, usual.get(key), value)
            for key, value in sorted(copy.config.get(automation, {}).items())
            if usual.get(key) != value
        ]
    return tuple(found)
