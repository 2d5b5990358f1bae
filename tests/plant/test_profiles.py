"""Every day has exactly one profile, and it is clear why."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.profiles import (
    DAYS,
    HOLIDAY,
    DayCopy,
    DayEntry,
    DayOverride,
    DayResolution,
    Difference,
    Profile,
    differences,
    plan_automations,
    purged,
    resolve_day,
)

DAY_TYPES = dict.fromkeys(DAYS[:5], "Weekday") | dict.fromkeys(DAYS[5:], "Weekend")
MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def entry(
    uid: str,
    profile: str = "Holiday",
    start: date = MONDAY,
    days: int = 1,
    *,
    recurring: bool = False,
    created: float = 0.0,
) -> DayEntry:
    return DayEntry(uid, profile, start, start + days * DAY, recurring, created)


def test_without_entries_the_type_of_the_day_decides() -> None:
    profiles = [resolve_day(MONDAY + n * DAY, (), DAY_TYPES).profile for n in range(7)]
    assert profiles == ["Weekday"] * 5 + ["Weekend"] * 2


def test_a_date_beats_a_recurring_entry_beats_the_type_of_the_day() -> None:
    weekly = entry("weekly", "Maintenance", recurring=True, created=9)
    once = entry("once", "Holiday", days=5, created=1)
    assert resolve_day(MONDAY, [weekly], DAY_TYPES) == DayResolution(
        "Maintenance", "recurring", "weekly"
    )
    assert resolve_day(MONDAY, [weekly, once], DAY_TYPES) == DayResolution(
        "Holiday", "date", "once"
    )


def test_the_end_of_an_entry_is_not_part_of_it() -> None:
    holiday = entry("a", days=2)
    kinds = [
        resolve_day(MONDAY + n * DAY, [holiday], DAY_TYPES).kind for n in (-1, 0, 1, 2)
    ]
    assert kinds == ["day_type", "date", "date", "day_type"]


def test_the_shorter_entry_wins_then_the_newer() -> None:
    week = entry("week", "A", days=7, created=9)
    day = entry("day", "B", created=1)
    newer = entry("newer", "C", created=2)
    assert resolve_day(MONDAY, [week, day], DAY_TYPES).uid == "day"
    assert resolve_day(MONDAY, [day, newer, week], DAY_TYPES).uid == "newer"


def test_an_override_beats_everything_for_its_day_alone() -> None:
    override = DayOverride(MONDAY, "Test")
    entries = [entry("a", days=2)]
    assert resolve_day(MONDAY, entries, DAY_TYPES, override) == DayResolution(
        "Test", "override"
    )
    assert resolve_day(MONDAY + DAY, entries, DAY_TYPES, override).uid == "a"


def test_an_override_is_purged_by_the_midnight_after_its_day() -> None:
    override = DayOverride(MONDAY, "Test")
    assert purged(override, MONDAY) is override
    assert purged(override, MONDAY + DAY) is None
    assert purged(None, MONDAY) is None


def test_a_holiday_has_its_own_profile_unless_somebody_entered_another() -> None:
    types = {**DAY_TYPES, HOLIDAY: "Holiday"}
    assert resolve_day(MONDAY, (), types, holiday=True) == DayResolution(
        "Holiday", "holiday"
    )
    assert resolve_day(MONDAY, (), types).profile == "Weekday"
    assert resolve_day(MONDAY, (), DAY_TYPES, holiday=True) == DayResolution(
        "Weekday", "day_type"
    ), "this plant has no profile for holidays"
    weekly = entry("weekly", "Maintenance", recurring=True)
    assert resolve_day(MONDAY, [weekly], types, holiday=True).kind == "recurring"


def test_what_was_edited_for_the_day_beats_what_was_chosen_for_it() -> None:
    copy = DayCopy(MONDAY, "Weekend", {"a": 4})
    override = DayOverride(MONDAY, "Test")
    assert resolve_day(MONDAY, (), DAY_TYPES, override, copy=copy) == DayResolution(
        "Weekend", "edited"
    )
    assert resolve_day(MONDAY + DAY, (), DAY_TYPES, None, copy=copy).kind == "day_type"
    assert purged(copy, MONDAY) is copy
    assert purged(copy, MONDAY + DAY) is None


def test_a_copy_says_in_what_it_differs() -> None:
    profile = Profile("Weekday", {"kept": 5, "moved": 3, "out": 2})
    copy = DayCopy(
        MONDAY,
        "Weekday",
        {"kept": 5, "moved": 7, "new": 1},
        {"kept": {"gain": 2.0, "limit": 9.0}, "out": {"gain": 3.0}},
    )
    assert differences(copy, profile, {"kept": {"gain": 0.5, "limit": 9.0}}) == (
        Difference("kept", "config", "gain", 0.5, 2.0),
        Difference("moved", "priority", None, 3, 7),
        Difference("new", "added", None, None, 1),
        Difference("out", "removed", None, 2, None),
    )


def test_a_copy_cannot_give_a_priority_that_is_not_its_to_give() -> None:
    with pytest.raises(ValueError, match="priority 50"):
        DayCopy(MONDAY, "Weekday", {"a": 50})


def test_a_deleted_profile_is_passed_over() -> None:
    entries = [entry("gone", "Gone"), entry("kept", days=9)]
    resolution = resolve_day(
        MONDAY, entries, DAY_TYPES, DayOverride(MONDAY, "Gone"), {"Holiday", "Weekday"}
    )
    assert resolution.uid == "kept"


def test_an_entry_without_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="is not after"):
        DayEntry("a", "Holiday", MONDAY, MONDAY, False, 0)


@pytest.mark.parametrize("priority", [0, 10, 50, 99, 101, -1])
def test_a_profile_refuses_priorities_that_are_not_its_own(priority: int) -> None:
    with pytest.raises(ValueError, match=f"priority {priority}"):
        Profile("Weekday", {"a": priority})


def test_the_plan_has_what_is_registered_highest_priority_first() -> None:
    profile = Profile("Weekday", {"b": 5, "a": 5, "custom": 100, "gone": 9, "low": 1})
    assert plan_automations(profile, {"a", "b", "custom", "low", "other"}) == (
        ("custom", 100),
        ("a", 5),
        ("b", 5),
        ("low", 1),
    )


@pytest.mark.parametrize(
    ("zone", "changing"),
    [
        ("Europe/Berlin", date(2026, 10, 25)),  # 25 hours
        ("America/New_York", date(2026, 3, 8)),  # 23 hours
        ("America/Havana", date(2026, 3, 8)),  # has no midnight
        ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ],
)
def test_daylight_saving_does_not_shift_a_date(zone: str, changing: date) -> None:
    """From any instant of the local day, the profile is that of the local date."""
    entries = [entry("dst", start=changing)]
    start = datetime.combine(changing - DAY, datetime.min.time(), UTC)
    seen = set()
    for quarter in range(4 * 72):
        instant = start + timedelta(minutes=15 * quarter)
        day = instant.astimezone(ZoneInfo(zone)).date()
        resolution = resolve_day(day, entries, DAY_TYPES)
        assert (resolution.uid == "dst") is (day == changing)
        seen.add(day)
    assert {changing - DAY, changing, changing + DAY} <= seen


DATES = st.dates(date(2026, 1, 1), date(2026, 2, 28))
ENTRIES = st.lists(
    st.builds(
        entry,
        st.text("abc", min_size=1, max_size=2),
        st.sampled_from(("Holiday", "Weekend", "Test")),
        DATES,
        st.integers(1, 20),
        recurring=st.booleans(),
        created=st.integers(0, 3).map(float),
    ),
    max_size=12,
    unique_by=lambda item: item.uid,
)
OVERRIDES = st.none() | st.builds(DayOverride, DATES, st.just("Test"))
COPIES = st.none() | st.builds(DayCopy, DATES, st.just("Weekend"), st.just({"a": 1}))
TYPES = st.sampled_from((DAY_TYPES, {**DAY_TYPES, HOLIDAY: "Holiday"}))


@given(DATES, ENTRIES, OVERRIDES, COPIES, st.booleans(), st.randoms())
def test_the_profile_of_a_day_does_not_depend_on_the_order_of_entries(
    day: date,
    entries: list[DayEntry],
    override: DayOverride | None,
    copy: DayCopy | None,
    holiday: bool,
    random: Random,
) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert resolve_day(
        day, entries, DAY_TYPES, override, copy=copy, holiday=holiday
    ) == resolve_day(day, shuffled, DAY_TYPES, override, copy=copy, holiday=holiday)


@given(DATES, ENTRIES, OVERRIDES, COPIES, TYPES, st.booleans())
def test_the_order_of_precedence_always_holds(
    day: date,
    entries: list[DayEntry],
    override: DayOverride | None,
    copy: DayCopy | None,
    types: dict[str, str],
    holiday: bool,
) -> None:
    resolution = resolve_day(day, entries, types, override, copy=copy, holiday=holiday)
    covering = [item for item in entries if item.start <= day < item.end]
    dated = [item for item in covering if not item.recurring]
    if copy is not None and copy.day == day:
        assert resolution == DayResolution("Weekend", "edited")
    elif override is not None and override.day == day:
        assert resolution == DayResolution("Test", "override")
    elif dated:
        assert resolution.kind == "date"
    elif covering:
        assert resolution.kind == "recurring"
    elif holiday and HOLIDAY in types:
        assert resolution == DayResolution("Holiday", "holiday")
    else:
        assert resolution == DayResolution(types[DAYS[day.weekday()]], "day_type")
    if resolution.uid is not None:
        chosen = next(item for item in covering if item.uid == resolution.uid)
        rivals = dated or covering
        assert chosen.end - chosen.start == min(
            item.end - item.start for item in rivals
        )
        assert chosen.profile == resolution.profile


@given(DATES, ENTRIES, st.sets(st.sampled_from(("Holiday", "Weekend", "Test"))))
def test_nothing_that_was_deleted_is_ever_the_profile_of_a_day(
    day: date, entries: list[DayEntry], left: set[str]
) -> None:
    types = {**DAY_TYPES, HOLIDAY: "Holiday"}
    profiles = left | set(DAY_TYPES.values())
    resolution = resolve_day(
        day,
        entries,
        types,
        DayOverride(day, "Test"),
        profiles,
        copy=DayCopy(day, "Weekend", {}),
        holiday=True,
    )
    assert resolution.profile in profiles


MEMBERS = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from((*range(1, 10), 100))
)


@given(MEMBERS, st.sets(st.sampled_from("abcdefgh")))
def test_the_plan_has_every_member_that_is_there_and_none_else(
    members: dict[str, int], registered: set[str]
) -> None:
    plan = plan_automations(Profile("Weekday", members), registered)
    assert dict(plan) == {key: members[key] for key in members if key in registered}
    priorities = [priority for _, priority in plan]
    assert priorities == sorted(priorities, reverse=True)


@given(MEMBERS, MEMBERS)
def test_the_differences_of_a_copy_tell_all_and_nothing_else(
    members: dict[str, int], changed: dict[str, int]
) -> None:
    found = differences(
        DayCopy(MONDAY, "Weekday", changed), Profile("Weekday", members), {}
    )
    rebuilt = dict(members)
    for item in found:
        assert item.before == members.get(item.automation) != item.after
        if item.after is None:
            del rebuilt[item.automation]
        else:
            rebuilt[item.automation] = item.after
    assert rebuilt == changed
