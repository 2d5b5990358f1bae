"""Writes a plan as text that `plan_file` reads back as the same plan."""

from collections.abc import Callable, Sequence

from .commissioning.yaml_text import block, flow, scalar
from .plan_file import AutomationRow, CalendarRow, MemberRow, PlanFile, TodayRow
from .profiles import DAY_TYPES


def plan_file_text(plan: PlanFile) -> str:
    """Return the text of a plan; to read it gives the same plan."""
    lines = [f"plant: {scalar(plan.plant)}"]
    if plan.day_types is not None:
        types = {day: plan.day_types[day] for day in DAY_TYPES if day in plan.day_types}
        lines += ["", *block({"day_types": types}, 0)]
    if plan.holidays is not None:
        lines += ["", f"holidays: {scalar(plan.holidays[0])}"]
    if plan.automations is not None:
        lines += _list("automations", plan.automations, _automation_lines)
    if plan.profiles is not None:
        lines += ["", "profiles:" if plan.profiles else "profiles: {}"]
        for name, members in plan.profiles.items():
            lines.append(f"  {scalar(name)}:{'' if members else ' []'}")
            lines += [f"    - {flow(_member_row(item))}" for item in members]
    if plan.calendar is not None:
        lines += _list("calendar", plan.calendar, _calendar_lines)
    if plan.today is not None:
        lines += _today_lines(plan.today[0])
    return "\n".join(lines) + "\n"


def _list[T](key: str, rows: Sequence[T], each: Callable[[T], list[str]]) -> list[str]:
    if not rows:
        return ["", f"{key}: []"]
    return ["", f"{key}:", *(line for row in rows for line in each(row))]


def _automation_lines(row: AutomationRow) -> list[str]:
    keys: dict[str, object] = {"id": row.id, "name": row.name}
    if row.control_type is not None:
        keys["control_type"] = row.control_type
    if row.blueprint is not None:
        keys["blueprint"] = row.blueprint
    lines = [f"{scalar(key)}: {scalar(value)}" for key, value in keys.items()]
    if row.inputs:
        lines += ["inputs:"]
        lines += [f"  {scalar(key)}: {flow(row.inputs[key])}" for key in row.inputs]
    return [
        f"  {'-' if not number else ' '} {line}" for number, line in enumerate(lines)
    ]


def _calendar_lines(row: CalendarRow) -> list[str]:
    keys: dict[str, object] = {"profile": row.profile, "first_day": row.first_day}
    if row.last_day != row.first_day:
        keys["last_day"] = row.last_day
    rest = {
        "rule": row.rule,
        "except": list(row.without),
        "instead_of": row.instead_of,
        "description": row.description,
        "uid": row.uid,
        "created": row.created and row.created.isoformat(),
    }
    keys |= {key: value for key, value in rest.items() if value}
    return [f"  - {flow(keys)}"]


def _member_row(row: MemberRow) -> dict[str, object]:
    return {**_named(row), "priority": row.priority}


def _named(row: MemberRow) -> dict[str, object]:
    named = {"automation": row.automation, "name": row.name}
    return {key: value for key, value in named.items() if value is not None}


def _today_lines(today: TodayRow | None) -> list[str]:
    if today is None:
        return ["", "today: null"]
    lines = ["", "today:", f"  date: {scalar(today.day)}"]
    if today.profile is not None:
        lines.append(f"  profile: {scalar(today.profile)}")
    if (copy := today.copy) is not None:
        lines += ["  copy:", f"    profile: {scalar(copy.profile)}"]
        lines.append(f"    automations:{'' if copy.members else ' []'}")
        lines += [f"      - {flow(_member_row(item))}" for item in copy.members]
        if copy.config:
            lines.append("    config:")
            lines += [
                f"      - {flow({**_named(member), 'set': values})}"
                for member, values in copy.config
            ]
    return lines
