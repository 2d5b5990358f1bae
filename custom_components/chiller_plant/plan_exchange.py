"""Gives out all that people decided about a plant, and takes it in again.

A plan file is taken whole or not at all: everything is looked up and judged
before anything is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .automation_config import CannotAdd, async_config_of, async_row, async_write
from .data import ChillerPlantConfigEntry
from .day_calendar import MAXIMUM_ENTRIES, DayCalendar, row_problem
from .holidays import can_tell
from .plan import BY_CALENDAR, PlanRoom
from .plan_services import MAXIMUM_PROFILES
from .plant.plan_file import (
    AutomationRow,
    CopyRow,
    MemberRow,
    PlanFile,
    TodayRow,
    read_plan_file,
)
from .plant.plan_file_text import plan_file_text
from .plant.plant_file.problems import KeyPath, Problems
from .plant.profiles import DayCopy, DayOverride, Profile
from .profile_store import Decisions

_AUTOMATION = "automation"


@dataclass(slots=True)
class Taken:
    """What an import did."""

    changed: list[str] = field(default_factory=list)
    """In words; empty if everything was so already."""
    created: list[str] = field(default_factory=list)
    """The automations that were made."""
    updated: list[str] = field(default_factory=list)
    """The automations that were there, and were given the form of the file."""
    different: list[str] = field(default_factory=list)
    """Automations that are there already, but configured otherwise; they are left
    as they are."""
    left_out: list[str] = field(default_factory=list)
    """What was not taken, because its day is over."""


async def async_export(hass: HomeAssistant, entry: ChillerPlantConfigEntry) -> str:
    """Return the plan of a plant as text."""
    room: PlanRoom = entry.runtime_data.plan
    decisions = room.store.decisions
    items = sorted(decisions.registrations.values(), key=lambda item: item.id)
    rows = [await async_row(hass, entry, item) for item in items]
    names = {item.id: item.name for item in items}
    profiles = {
        profile.name: _member_rows(profile.automations, names)
        for profile in sorted(decisions.profiles.values(), key=lambda each: each.name)
    }
    plan = PlanFile(
        plant=room.plant.key,
        day_types=room.days.day_types,
        holidays=(decisions.holiday_source,),
        automations=tuple(rows),
        profiles=profiles,
        calendar=decisions.calendar.rows,
        today=(_today_row(decisions, names),),
    )
    return await hass.async_add_executor_job(plan_file_text, plan)


def _member_rows(
    automations: Mapping[str, int], names: Mapping[str, str]
) -> tuple[MemberRow, ...]:
    return tuple(
        MemberRow(key, names.get(key), priority)
        for key, priority in sorted(
            automations.items(), key=lambda item: (-item[1], item[0])
        )
    )


def _today_row(decisions: Decisions, names: Mapping[str, str]) -> TodayRow | None:
    override, copy = decisions.override, decisions.copy
    if copy is None:
        return None if override is None else TodayRow(override.day, override.profile)
    return TodayRow(
        copy.day,
        None if override is None else override.profile,
        CopyRow(
            copy.profile,
            _member_rows(copy.automations, names),
            tuple(
                (MemberRow(key, names.get(key), 1), dict(values))
                for key, values in sorted(copy.config.items())
            ),
        ),
    )


async def async_import(
    hass: HomeAssistant,
    entry: ChillerPlantConfigEntry,
    text: str,
    name: str,
    *,
    create: bool,
    update: bool,
) -> Taken:
    """Take a plan file.

    With `create`, make the automations that are missing; with `update`, give those
    that are configured otherwise the form of the file.

    Raises `PlantFileError` with everything that is wrong, and `CannotAdd` if the
    automations could not be made; nothing is changed by either.
    """
    room: PlanRoom = entry.runtime_data.plan
    before = await async_export(hass, entry)
    plan, problems = await hass.async_add_executor_job(
        read_plan_file, text, name, list(room.profiles)
    )
    reading = _Reading(hass, entry, plan, problems, create=create, update=update)
    decided = await reading.async_judge()
    problems.raise_if_any()
    if reading.to_make or reading.to_change:
        await async_write(hass, reading.to_make, reading.to_change)
    decided.apply(room.store.decisions)
    if decided.holiday_source is not None:
        room.days.holidays.ask()
    await room.async_decided()
    return Taken(
        changed=_changes(before, await async_export(hass, entry)),
        created=[str(config["alias"]) for config in reading.to_make],
        updated=[str(config["alias"]) for config in reading.to_change.values()],
        different=reading.different,
        left_out=reading.left_out,
    )


@dataclass(slots=True)
class _Decided:
    """What is to be taken over; None is what the file says nothing of."""

    profiles: dict[str, Profile] | None = None
    day_types: dict[str, str] | None = None
    holiday_source: tuple[str | None] | None = None
    calendar: DayCalendar | None = None
    today: tuple[DayOverride | None, DayCopy | None] | None = None

    def apply(self, decisions: Decisions) -> None:
        """Put it in the place of what was decided."""
        if self.profiles is not None:
            decisions.profiles.clear()
            decisions.profiles.update(self.profiles)
        if self.day_types is not None:
            decisions.day_types = self.day_types
        if self.holiday_source is not None:
            if decisions.holiday_source != self.holiday_source[0]:
                decisions.holidays = {}
            decisions.holiday_source = self.holiday_source[0]
        if self.calendar is not None:
            decisions.calendar = self.calendar
        if self.today is not None:
            decisions.override, decisions.copy = self.today


class _Reading:
    """Holds a plan file against the plant that it is for."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ChillerPlantConfigEntry,
        plan: PlanFile,
        problems: Problems,
        *,
        create: bool,
        update: bool,
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._room: PlanRoom = entry.runtime_data.plan
        self._plan = plan
        self._problems = problems
        self._create = create
        self._update = update
        self._rows = {row.id: row for row in plan.automations or ()}
        self._ids: dict[str, str] = {}
        self.to_make: list[dict[str, Any]] = []
        self.to_change: dict[str, dict[str, Any]] = {}
        self.different: list[str] = []
        self.left_out: list[str] = []

    async def async_judge(self) -> _Decided:
        """Return what the file decides; what is wrong is among the problems."""
        plan, problems = self._plan, self._problems
        room = self._room
        if plan.plant and plan.plant != room.plant.key:
            problems.add(
                ("plant",),
                f"this is the plan of '{plan.plant}'",
                f"that of '{room.plant.key}', into which it is imported",
            )
        await self._async_automations()
        decided = _Decided()
        if plan.profiles is not None:
            decided.profiles = self._profiles(plan.profiles)
        if plan.day_types is not None:
            decided.day_types = {
                day: profile
                for day, profile in plan.day_types.items()
                if room.plant.day_types.get(day) != profile
            }
        if plan.holidays is not None:
            self._judge_holidays(plan.holidays[0])
            decided.holiday_source = plan.holidays
        if plan.calendar is not None:
            decided.calendar = await self._async_calendar()
        if plan.today is not None:
            decided.today = self._today(plan.today[0])
        self._judge_what_stays(decided)
        return decided

    # Automations.

    async def _async_automations(self) -> None:
        for number, row in enumerate(self._plan.automations or ()):
            path: KeyPath = ("automations", number)
            found = self._find(row.id, row.name)
            if found is None:
                await self._async_to_make(row, path)
                continue
            self._ids[row.id] = found
            known = self._room.store.decisions.registrations.get(found)
            if known is None or row.blueprint is None:
                continue
            now = await async_row(self._hass, self._entry, known)
            if (now.blueprint, dict(now.inputs)) == (row.blueprint, dict(row.inputs)):
                continue
            if not self._update:
                self.different.append(known.name)
                continue
            same = replace(row, id=found, name=known.name)
            if (config := await self._async_config(same, path, "changed")) is not None:
                self.to_change[found] = config

    async def _async_to_make(self, row: AutomationRow, path: KeyPath) -> None:
        if not self._create:
            how = (
                "make one of this name without a blueprint"
                if row.blueprint is None
                else f"make it from the blueprint {row.blueprint}, or have the import"
                " make it (create_automations)"
            )
            self._problems.add(
                path, f"automation '{row.name}' ({row.id}) is not there", how
            )
            return
        if (config := await self._async_config(row, path, "made")) is not None:
            self.to_make.append(config)

    async def _async_config(
        self, row: AutomationRow, path: KeyPath, what: str
    ) -> dict[str, Any] | None:
        try:
            return await async_config_of(self._hass, self._entry, row)
        except CannotAdd as error:
            found = f"automation '{row.name}' cannot be {what}: {error}"
            self._problems.add(path, found)
            return None

    def _find(self, automation: str | None, name: str | None) -> str | None:
        """Return the id of an automation that is there, by id or by name."""
        registrations = self._room.store.decisions.registrations
        registry = er.async_get(self._hass)
        if automation is not None:
            for item in registrations.values():
                if automation in (item.id, item.entity_id):
                    return item.id
            # One that is switched off has not registered, and is there all the same.
            by_id = registry.async_get_entity_id(_AUTOMATION, _AUTOMATION, automation)
            registered = registry.async_get(by_id or automation)
            if registered is not None and registered.domain == _AUTOMATION:
                return registered.unique_id
            for profile in self._room.profiles.values():
                if automation in profile.automations:
                    return automation
        if name is None:
            return None
        called = [
            item.id
            for item in registrations.values()
            if item.name.casefold() == name.strip().casefold()
        ]
        return called[0] if len(called) == 1 else None

    def _id_of(self, member: MemberRow, path: KeyPath) -> str:
        found = self._find(member.automation, member.name)
        if found is not None:
            return found
        row = self._rows.get(member.automation or "") or next(
            (row for row in self._rows.values() if row.name == member.name), None
        )
        if row is not None:
            # Whether it can be made is told where it is described.
            return self._ids.get(row.id, row.id)
        self._problems.add(
            path,
            f"automation '{member.automation or member.name}' is not there",
            "make it first, or take the line out",
        )
        return member.automation or str(member.name)

    def _members(self, rows: tuple[MemberRow, ...], path: KeyPath) -> dict[str, int]:
        members: dict[str, int] = {}
        for number, row in enumerate(rows):
            key = self._id_of(row, (*path, number))
            if key in members:
                self._problems.add((*path, number), f"'{key}' is there twice", "once")
            members[key] = row.priority
        return members

    # Profiles and days.

    def _profiles(
        self, profiles: Mapping[str, tuple[MemberRow, ...]]
    ) -> dict[str, Profile]:
        if len(profiles) > MAXIMUM_PROFILES:
            found = f"{len(profiles)} profiles"
            self._problems.add(("profiles",), found, f"at most {MAXIMUM_PROFILES}")
        if BY_CALENDAR in profiles:
            self._problems.add(("profiles", BY_CALENDAR), "this name is taken")
        return {
            name: Profile(name, self._members(rows, ("profiles", name)))
            for name, rows in profiles.items()
        }

    def _judge_holidays(self, source: str | None) -> None:
        if source is None or can_tell(source, er.async_get(self._hass)):
            return
        self._problems.add(
            ("holidays",),
            f"'{source}' cannot be asked for holidays",
            "a calendar, or a binary sensor of the integration Workday",
        )

    async def _async_calendar(self) -> DayCalendar | None:
        rows = self._plan.calendar or ()
        if len(rows) > MAXIMUM_ENTRIES:
            found = f"{len(rows)} entries"
            self._problems.add(("calendar",), found, f"at most {MAXIMUM_ENTRIES}")
            return None
        # A rule may be long: it is worked out beside the event loop.
        wrong = await self._hass.async_add_executor_job(
            lambda: [row_problem(row) for row in rows]
        )
        for number, problem in enumerate(wrong):
            if problem is not None:
                self._problems.add(("calendar", number), problem)
        if any(wrong):
            return None
        return await self._hass.async_add_executor_job(DayCalendar.from_rows, rows)

    def _today(
        self, today: TodayRow | None
    ) -> tuple[DayOverride | None, DayCopy | None] | None:
        now = dt_util.now().date()
        if today is None:
            return None, None
        if today.day != now:
            self.left_out.append(f"what was decided for {today.day} alone")
            return None
        override = today.profile and DayOverride(today.day, today.profile)
        if today.copy is None:
            return override or None, None
        path = ("today", "copy")
        return override or None, DayCopy(
            today.day,
            today.copy.profile,
            self._members(today.copy.members, (*path, "automations")),
            {
                self._id_of(member, (*path, "config", number)): values
                for number, (member, values) in enumerate(today.copy.config)
            },
        )

    def _judge_what_stays(self, decided: _Decided) -> None:
        """Refuse profiles without one that something needs which is not replaced."""
        if decided.profiles is None:
            return
        room, decisions = self._room, self._room.store.decisions
        needed: dict[str, str] = {}
        day_types = room.days.day_types
        if decided.day_types is not None:
            day_types = {**room.plant.day_types, **decided.day_types}
        needed |= dict.fromkeys(day_types.values(), "a type of day")
        today: date = dt_util.now().date()
        if decided.calendar is None:
            needed |= {
                name: "the calendar"
                for name in decisions.profiles
                if decisions.calendar.uses_from(name, today)
            }
        if decided.today is None:
            needed |= {
                name: "today"
                for name in decisions.profiles
                if room.days.is_needed(name)
            }
        for name, by in needed.items():
            if name not in decided.profiles:
                self._problems.add(
                    ("profiles",), f"'{name}' is missing", f"it is needed by {by}"
                )


def _changes(before: str, after: str) -> list[str]:
    """Return what an import took out (-) and put in (+), with where it is."""
    old, new = _placed(before), _placed(after)
    gone, came = set(old) - set(new), set(new) - set(old)
    return [f"- {line}" for line in old if line in gone] + [
        f"+ {line}" for line in new if line in came
    ]


def _placed(text: str) -> list[str]:
    """Return the lines of a plan file, each with the keys above it."""
    above: list[tuple[int, str]] = []
    placed = []
    for line in text.splitlines():
        bare = line.strip()
        indent = len(line) - len(line.lstrip())
        while above and above[-1][0] >= indent:
            above.pop()
        if bare.endswith(":"):
            above.append((indent, bare))
        elif bare:
            placed.append(" ".join((*(key for _, key in above), bare)))
    return placed
