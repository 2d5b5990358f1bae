"""A plan file says again what it was told, and tells what is wrong with its line."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.plan_file import (
    AutomationRow,
    CalendarRow,
    CopyRow,
    MemberRow,
    PlanFile,
    TodayRow,
    read_plan_file,
)
from custom_components.chiller_plant.plant.plan_file_text import plan_file_text
from custom_components.chiller_plant.plant.plant_file import PlantFileError
from custom_components.chiller_plant.plant.profiles import DAY_TYPES, DAYS

PROFILES = ("Weekday", "Weekend", "Holiday")


def read(text: str, profiles: tuple[str, ...] = PROFILES) -> PlanFile:
    plan, problems = read_plan_file(text, "plan.yaml", profiles)
    problems.raise_if_any()
    return plan


def problems_of(text: str) -> list[str]:
    with pytest.raises(PlantFileError) as caught:
        read(text)
    return str(caught.value).splitlines()


def test_a_file_says_only_what_it_says() -> None:
    assert read("plant: kspo") == PlanFile("kspo")


def test_a_plan_is_read_as_people_write_it() -> None:
    plan = read(
        """
plant: kspo
day_types: {monday: Start, weekdays: Weekday, weekends: Weekend, holiday: Weekend}
holidays: calendar.korea
automations:
  - id: staging
    name: Staging
    blueprint: chiller_plant/chiller_add_subtract.yaml
    inputs: {chillers: [chiller_1, chiller_2], stage_hold: {minutes: 15}, tidy: on}
profiles:
  Start: [{automation: staging, priority: 5}]
  Weekday:
    - {automation: automation.staging, name: Staging, priority: 1}
    - {name: Night, priority: 100}
  Weekend: []
calendar:
  - {profile: Weekend, first_day: 2026-12-25, last_day: 2026-12-26, rule: FREQ=YEARLY}
  - {profile: Start, first_day: 2026-11-23, except: [2026-11-30]}
today: {date: 2026-11-21, profile: Weekend}
"""
    )
    assert plan.day_types is not None
    assert [plan.day_types[day] for day in DAY_TYPES] == [
        "Start",
        *["Weekday"] * 4,
        *["Weekend"] * 3,
    ]
    assert plan.holidays == ("calendar.korea",)
    assert plan.automations is not None
    assert plan.automations[0].inputs == {
        "chillers": ["chiller_1", "chiller_2"],
        "stage_hold": {"minutes": 15},
        "tidy": True,
    }
    assert plan.profiles is not None
    assert plan.profiles["Weekday"] == (
        MemberRow("automation.staging", "Staging", 1),
        MemberRow(None, "Night", 100),
    )
    assert plan.profiles["Weekend"] == ()
    assert plan.calendar is not None
    assert plan.calendar[0].last_day == date(2026, 12, 26)
    assert plan.calendar[1].last_day == plan.calendar[1].first_day
    assert plan.calendar[1].without == (date(2026, 11, 30),)
    assert plan.today == (TodayRow(date(2026, 11, 21), "Weekend"),)


NOT_UNDERSTOOD = (
    ("profiles: {}", ":1: the key 'plant' is missing"),
    ("profils: {}", ":2: profils: unknown key (did you mean 'profiles'?)"),
    (
        "profiles: {A: [{automation: x, priority: 12}]}",
        (
            ":2: profiles.A[0].priority: found 12 (expected 1 to 9, or 100 for a custom "
            "schedule)"
        ),
    ),
    (
        "profiles:\n  A:\n    - {priority: 1}",
        ":4: profiles.A[0]: it is not said which automation (give 'automation')",
    ),
    (
        "profiles: {Night: [], night: []}",
        ":2: profiles.night: 'Night' is called alike (another name)",
    ),
    (
        "calendar:\n- {profile: Hollyday, first_day: 2026-12-25}",
        (
            ":3: calendar[0].profile: profile 'Hollyday' is not defined "
            "(did you mean 'Holiday'?)"
        ),
    ),
    (
        "calendar:\n- {profile: Holiday, first_day: 25 December}",
        (
            ":3: calendar[0].first_day: found '25 December' "
            "(expected a date as in 2026-12-25)"
        ),
    ),
    (
        "calendar:\n- {profile: Holiday, first_day: 2026-12-25, last_day: 2026-12-24}",
        ":3: calendar[0].last_day: 2026-12-24 is before the first day",
    ),
    (
        "day_types: {weekdays: Weekday, weekends: Sunday}",
        (
            ":2: day_types.weekends: profile 'Sunday' is not defined "
            "(allowed: Weekday, Weekend, Holiday)"
        ),
    ),
    (
        "automations: [{id: a, name: A}, {id: a, name: B}]",
        ":2: automations[1]: 'a' is there twice (once)",
    ),
    (
        "holidays: calendar",
        (
            ":2: holidays: found 'calendar' "
            "(expected an entity as in calendar.holidays, or null)"
        ),
    ),
    ("calendar: {}", ":2: calendar: found no list (expected a list)"),
)


@pytest.mark.parametrize(("text", "said"), NOT_UNDERSTOOD)
def test_what_is_wrong_is_told_with_line_and_key(text: str, said: str) -> None:
    whole = text if "the key 'plant'" in said else f"plant: kspo\n{text}"
    assert problems_of(whole) == [f"plan.yaml{said}"]


WORDS = st.text(min_size=1, max_size=20)
LABELS = WORDS.filter(str.strip)
NAMES = LABELS
PRIORITIES = st.sampled_from((*range(1, 10), 100))
NUMBERS = st.integers(-(10**15), 10**15) | st.floats(
    allow_nan=False, allow_infinity=False, width=32
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = st.lists(
    st.builds(MemberRow, LABELS, st.none() | LABELS, PRIORITIES), max_size=4
).map(tuple)
DATES = st.dates(date(2020, 1, 1), date(2040, 1, 1))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@st.composite
def plans(draw: st.DrawFn) -> PlanFile:
    """Return any plan that can be exported."""
    names = draw(
        st.lists(
            NAMES,
            min_size=1,
            max_size=4,
            unique_by=lambda name: name.strip().casefold(),
        )
    )
    profile = st.sampled_from(names)
    calendar = st.builds(
        CalendarRow,
        profile,
        DATES,
        st.just(date(2041, 1, 1)),
        st.none() | st.just("FREQ=WEEKLY;BYDAY=MO"),
        st.lists(DATES, max_size=3, unique=True).map(tuple),
        st.none() | DATES,
        st.none() | LABELS,
        st.none() | LABELS,
        st.none() | MOMENTS,
    )
    copy = st.builds(
        CopyRow,
        profile,
        MEMBERS,
        st.lists(
            st.tuples(
                st.builds(MemberRow, LABELS, st.none() | LABELS, st.just(1)),
                st.dictionaries(WORDS, VALUES, min_size=1, max_size=3),
            ),
            max_size=2,
        ).map(tuple),
    )
    days = st.dictionaries(st.sampled_from(DAYS), profile, min_size=7, max_size=7)
    return PlanFile(
        plant="kspo",
        day_types=draw(
            st.none()
            | days
            | st.builds(lambda day, other: {**day, "holiday": other}, days, profile)
        ),
        holidays=draw(st.none() | st.tuples(st.none() | st.just("calendar.x"))),
        automations=draw(
            st.none()
            | st.lists(
                st.builds(
                    AutomationRow,
                    LABELS,
                    LABELS,
                    st.none() | st.just("pid_control"),
                    st.none() | LABELS,
                    st.dictionaries(WORDS, VALUES, max_size=3),
                ),
                max_size=3,
                unique_by=lambda row: row.id,
            ).map(tuple)
        ),
        profiles={name: draw(MEMBERS) for name in names},
        calendar=draw(st.none() | st.lists(calendar, max_size=3).map(tuple)),
        today=draw(
            st.none()
            | st.tuples(
                st.none()
                | st.builds(TodayRow, DATES, st.none() | profile, st.none() | copy)
            )
        ),
    )


@given(plans())
def test_what_is_written_is_read_back_as_the_same_and_written_the_same(
    plan: PlanFile,
) -> None:
    text = plan_file_text(plan)
    again = read(text, ())
    assert again == plan
    assert plan_file_text(again) == text


@given(st.text(max_size=200))
def test_no_text_does_more_harm_than_being_refused(text: str) -> None:
    with suppress(PlantFileError):
        read(text)


def test_a_long_plan_is_read_in_a_moment() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(500)]
    plan = PlanFile(
        "kspo",
        profiles={"Weekday": tuple(MemberRow(f"a{n}", None, 1) for n in range(200))},
        calendar=tuple(CalendarRow("Weekday", day, day) for day in days),
    )
    assert read(plan_file_text(plan), ()) == plan
