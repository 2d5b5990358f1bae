"""Whatever people do to the calendar, its text says it again."""

from contextlib import suppress
from datetime import date, timedelta

from hypothesis import given, settings, strategies as st
from ical.exceptions import CalendarError
import pytest

from custom_components.chiller_plant.day_calendar import (
    MAXIMUM_DESCRIPTION,
    DayCalendar,
    Occurrence,
    day_event,
    row_problem,
)
from custom_components.chiller_plant.plant.plan_file import (
    CalendarRow,
    PlanFile,
    read_plan_file,
)
from custom_components.chiller_plant.plant.plan_file_text import plan_file_text

FIRST = date(2026, 11, 1)
DAY = timedelta(days=1)
PROFILES = ("Weekday", "Weekend", "Holiday")
RULES = (
    None,
    "FREQ=DAILY;COUNT=5",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=YEARLY;UNTIL=20271231",
)
DAYS = st.integers(0, 60).map(lambda n: FIRST + n * DAY)
ENTRIES = st.tuples(
    st.sampled_from(PROFILES), DAYS, st.integers(1, 3), st.sampled_from(RULES)
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("add", "edit", "delete")),
        st.integers(0, 20),
        ENTRIES,
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
)


def shown(calendar: DayCalendar) -> list[tuple[object, ...]]:
    """Return all that a year and a half shows, without what the order says."""

    def key(item: Occurrence) -> tuple[object, ...]:
        return (
            item.start.isoformat(),
            item.end.isoformat(),
            item.profile,
            item.uid,
            item.rule or "",
            int(item.created),
        )

    return sorted(key(item) for item in calendar.between(FIRST, FIRST + 500 * DAY))


@given(CHANGES)
@settings(max_examples=60, deadline=None)
def test_calendar_comes_back_from_its_text_as_it_was(
    changes: list[tuple[str, int, tuple[str, date, int, str | None], bool, bool]],
) -> None:
    calendar = DayCalendar()
    for what, which, (profile, start, length, rule), one, onwards in changes:
        event = day_event(profile, start, start + length * DAY, None, rule)
        known = list(calendar.between(FIRST, FIRST + 90 * DAY))
        if what == "add" or not known:
            calendar.add(event)
            continue
        target = known[which % len(known)]
        recurrence = target.recurrence_id if one else None
        # Not everything that can be asked for can be done to a series.
        with suppress(CalendarError, ValueError):
            if what == "edit":
                if recurrence is not None and not onwards:
                    event = day_event(profile, start, start + length * DAY, None, None)
                calendar.edit(target.uid, event, recurrence, onwards=onwards)
            else:
                calendar.delete(target.uid, recurrence, onwards=onwards)

    rows = calendar.rows
    text = plan_file_text(PlanFile("kspo", calendar=rows))
    plan, problems = read_plan_file(text, "plan.yaml", PROFILES)
    problems.raise_if_any()
    assert plan.calendar == rows
    assert not [problem for row in rows if (problem := row_problem(row))]
    again = DayCalendar.from_rows(rows)
    assert again.rows == rows
    assert shown(again) == shown(calendar)
    assert DayCalendar.from_ics(again.as_ics()).rows == rows


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("WEEKLY", "is no rule of days"),
        ("FREQ=HOURLY", "is no rule of days"),
        ("FREQ=WEEKLY;COUNT=0", "positive integer"),
        ("FREQ=WEEKLY;BYDAY=XX", "should be 'SU'"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes to a day"),
    ],
)
def test_rule_that_is_none_is_told_in_a_line(rule: str, said: str) -> None:
    problem = row_problem(CalendarRow("Holiday", FIRST, FIRST, rule))
    assert problem is not None
    assert said in problem
    assert "\n" not in problem


def test_description_that_could_not_come_back_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed are 1000"):
        day_event("Holiday", FIRST, FIRST + DAY, "x" * (MAXIMUM_DESCRIPTION + 1), None)
