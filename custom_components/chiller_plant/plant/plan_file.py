"""The plan of a plant as text: profiles, day types, dates, and the automations.

What a person decided must be able to leave a Home Assistant and come back to it,
or go to another one. The text is read with the reader of plant files, so that
whatever is wrong with it is told with its line; it is refused as a whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import voluptuous as vol

from .plant_file.days import resolve_day_types
from .plant_file.document import read_document
from .plant_file.problems import KeyPath, Problems
from .plant_file.sections import Section
from .plant_file.values import anything, list_of, mapping_of, slug
from .profiles import (
    CUSTOM_SCHEDULE_PRIORITY,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    is_profile_priority,
)


@dataclass(frozen=True, slots=True)
class AutomationRow:
    """An automation; `blueprint` is None for one that was made without."""

    id: str
    name: str
    control_type: str | None = None
    blueprint: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """As the form has them, but equipment and points by their keys."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """An automation of a profile, by its id or by what people call it."""

    automation: str | None
    name: str | None
    priority: int


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """An entry of the calendar; a series is one row."""

    profile: str
    first_day: date
    last_day: date
    rule: str | None = None
    """RFC 5545."""
    without: tuple[date, ...] = ()
    """Days of a series that were deleted, or changed in a row of their own."""
    instead_of: date | None = None
    """The day of the series that this row replaces."""
    description: str | None = None
    uid: str | None = None
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class CopyRow:
    """A profile as it was edited for one day."""

    profile: str
    members: tuple[MemberRow, ...]
    config: tuple[tuple[MemberRow, Mapping[str, Any]], ...] = ()
    """What is set differently; the priority of these rows says nothing."""


@dataclass(frozen=True, slots=True)
class TodayRow:
    """What was decided for one day only."""

    day: date
    profile: str | None = None
    copy: CopyRow | None = None


@dataclass(slots=True)
class PlanFile:
    """All that a plan file can hold; None is what it says nothing of."""

    plant: str
    day_types: Mapping[str, str] | None = None
    holidays: tuple[str | None] | None = None
    """The entity that knows the holidays, or that there is none."""
    automations: tuple[AutomationRow, ...] | None = None
    profiles: Mapping[str, tuple[MemberRow, ...]] | None = None
    calendar: tuple[CalendarRow, ...] | None = None
    today: tuple[TodayRow | None] | None = None


def _priority(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise vol.Invalid(_PRIORITIES)
    if not is_profile_priority(value):
        raise vol.Invalid(_PRIORITIES)
    return value


_PRIORITIES = (
    f"expected {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}, or"
    f" {CUSTOM_SCHEDULE_PRIORITY} for a custom schedule"
)


def _label(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 255:
        raise vol.Invalid("expected a text of 1 to 255 characters (quote a number)")
    return value


def _profile(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise vol.Invalid("expected a name of 1 to 100 characters")
    return value


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise vol.Invalid("expected a text")
    return value


def _entity(value: object) -> str | None:
    if value is None:
        return None
    parts = value.split(".") if isinstance(value, str) else []
    if len(parts) != 2 or not all(parts):
        raise vol.Invalid("expected an entity as in calendar.holidays, or null")
    return str(value)


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise vol.Invalid("expected a date as in 2026-12-25") from None


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise vol.Invalid("expected a moment as in 2026-12-25T08:00:00+00:00")
    return moment.astimezone(UTC)


_MAPPING = mapping_of(anything, anything)
_TOP = Section(
    {
        vol.Required("plant"): slug,
        vol.Optional("day_types"): _MAPPING,
        vol.Optional("holidays"): _entity,
        vol.Optional("automations"): anything,
        vol.Optional("profiles"): mapping_of(_profile, anything),
        vol.Optional("calendar"): anything,
        vol.Optional("today"): anything,
    }
)
_AUTOMATION = Section(
    {
        vol.Required("id"): _label,
        vol.Required("name"): _label,
        vol.Optional("control_type"): slug,
        vol.Optional("blueprint"): _label,
        vol.Optional("inputs", default=dict): _MAPPING,
    }
)
_MEMBER = Section(
    {
        vol.Optional("automation"): _label,
        vol.Optional("name"): _label,
        vol.Required("priority"): _priority,
    }
)
_CALENDAR = Section(
    {
        vol.Required("profile"): _profile,
        vol.Required("first_day"): _day,
        vol.Optional("last_day"): _day,
        vol.Optional("rule"): _label,
        vol.Optional("except", default=list): list_of(_day),
        vol.Optional("instead_of"): _day,
        vol.Optional("description"): _words,
        vol.Optional("uid"): _label,
        vol.Optional("created"): _moment,
    }
)
_TODAY = Section(
    {
        vol.Required("date"): _day,
        vol.Optional("profile"): _profile,
        vol.Optional("copy"): _MAPPING,
    }
)
_COPY = Section(
    {
        vol.Required("profile"): _profile,
        vol.Required("automations"): anything,
        vol.Optional("config", default=list): anything,
    }
)
_CONFIG = Section(
    {
        vol.Optional("automation"): _label,
        vol.Optional("name"): _label,
        vol.Required("set"): _MAPPING,
    }
)


def read_plan_file(
    text: str, file: str, profiles: Collection[str]
) -> tuple[PlanFile, Problems]:
    """Return what a text says, and what is wrong with it so far.

    `profiles` are those that are there already. Raises `PlantFileError` where
    the text cannot be read at all; whoever can judge more adds to the problems
    and has them raised.
    """
    document = read_document(text, file)
    problems = document.problems
    top = _TOP.check(document.data, (), problems)
    plan = PlanFile(top.get("plant", ""))
    if "profiles" in top:
        plan.profiles = {
            name: _members(rows, ("profiles", name), problems)
            for name, rows in top["profiles"].items()
        }
        folded: dict[str, str] = {}
        for name in plan.profiles:
            first = folded.setdefault(name.strip().casefold(), name)
            if first != name:
                problems.add(
                    ("profiles", name), f"'{first}' is called alike", "another name"
                )
    known = list(profiles if plan.profiles is None else plan.profiles)
    if "day_types" in top:
        plan.day_types = resolve_day_types(known, top["day_types"], problems)
    if "holidays" in top:
        plan.holidays = (top["holidays"],)
    if "automations" in top:
        plan.automations = tuple(
            AutomationRow(**row)
            for _, row in _rows(
                _AUTOMATION, top["automations"], "automations", problems
            )
            if {"id", "name"} <= row.keys()
        )
        _once([row.id for row in plan.automations], "automations", problems)
    if "calendar" in top:
        plan.calendar = tuple(_calendar(top["calendar"], known, problems))
    if "today" in top:
        plan.today = (_today(top["today"], known, problems),)
    return plan, problems


def _rows(
    section: Section, data: object, path: str | KeyPath, problems: Problems
) -> list[tuple[KeyPath, dict[str, Any]]]:
    base: KeyPath = (path,) if isinstance(path, str) else path
    if not isinstance(data, list):
        problems.add(base, "found no list", "expected a list")
        return []
    return [
        ((*base, number), section.check(item, (*base, number), problems))
        for number, item in enumerate(data)
    ]


def _once(names: Sequence[str], key: str, problems: Problems) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            problems.add((key, number), f"'{name}' is there twice", "once")
        seen.add(name)


def _members(data: object, path: KeyPath, problems: Problems) -> tuple[MemberRow, ...]:
    members = []
    for at, row in _rows(_MEMBER, data, path, problems):
        member = _member(row, at, problems)
        if member is not None and "priority" in row:
            members.append(member)
    return tuple(members)


def _member(
    row: Mapping[str, Any], path: KeyPath, problems: Problems
) -> MemberRow | None:
    automation, name = row.get("automation"), row.get("name")
    if automation is None and name is None:
        problems.add(path, "it is not said which automation", "give 'automation'")
        return None
    return MemberRow(automation, name, row.get("priority", LOWEST_PRIORITY))


def _known(
    profile: str, path: KeyPath, known: Sequence[str], problems: Problems
) -> None:
    if profile not in known:
        problems.add(
            path, f"profile '{profile}' is not defined", word=profile, names=known
        )


def _calendar(
    data: object, known: Sequence[str], problems: Problems
) -> Iterable[CalendarRow]:
    for path, row in _rows(_CALENDAR, data, "calendar", problems):
        if not {"profile", "first_day"} <= row.keys():
            continue
        _known(row["profile"], (*path, "profile"), known, problems)
        last = row.get("last_day", row["first_day"])
        if last < row["first_day"]:
            problems.add((*path, "last_day"), f"{last} is before the first day")
            continue
        yield CalendarRow(
            profile=row["profile"],
            first_day=row["first_day"],
            last_day=last,
            rule=row.get("rule"),
            without=row["except"],
            instead_of=row.get("instead_of"),
            description=row.get("description") or None,
            uid=row.get("uid"),
            created=row.get("created"),
        )


def _today(data: object, known: Sequence[str], problems: Problems) -> TodayRow | None:
    if data is None:
        return None
    row = _TODAY.check(data, ("today",), problems)
    if "date" not in row:
        return None
    if "profile" in row:
        _known(row["profile"], ("today", "profile"), known, problems)
    copy = None
    if "copy" in row:
        path = ("today", "copy")
        inner = _COPY.check(row["copy"], path, problems)
        if "profile" in inner and "automations" in inner:
            _known(inner["profile"], (*path, "profile"), known, problems)
            config = []
            for at, item in _rows(
                _CONFIG, inner["config"], (*path, "config"), problems
            ):
                member = _member(item, at, problems)
                if member is not None and "set" in item:
                    config.append((member, item["set"]))
            copy = CopyRow(
                inner["profile"],
                _members(inner["automations"], (*path, "automations"), problems),
                tuple(config),
            )
    return TodayRow(row["date"], row.get("profile"), copy)
