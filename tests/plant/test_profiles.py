"""Every day has exactly one profile, and it is clear why."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.profiles import (
    DAYS,
    DayEntry,
    DayOverride,
    DayResolution,
    Profile,
    plan_automations,
    purge_override,
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
    assert purge_override(override, MONDAY) is override
    assert purge_override(override, MONDAY + DAY) is None
    assert purge_override(None, MONDAY) is None


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


@given(DATES, ENTRIES, OVERRIDES, st.randoms(use_true_random=False))
def test_the_profile_of_a_day_does_not_depend_on_the_order_of_entries(
    day: date, entries: list[DayEntry], override: DayOverride | None, random: object
) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert resolve_day(day, entries, DAY_TYPES, override) == resolve_day(
        day, shuffled, DAY_TYPES, override
    )


@given(DATES, ENTRIES, OVERRIDES)
def test_the_order_of_precedence_always_holds(
    day: date, entries: list[DayEntry], override: DayOverride | None
) -> None:
    resolution = resolve_day(day, entries, DAY_TYPES, override)
    covering = [item for item in entries if item.start <= day < item.end]
    dated = [item for item in covering if not item.recurring]
    if override is not None and override.day == day:
        assert resolution.kind == "override"
    elif dated:
        assert resolution.kind == "date"
    elif covering:
        assert resolution.kind == "recurring"
    else:
        assert resolution == DayResolution(DAY_TYPES[DAYS[day.weekday()]], "day_type")
    if resolution.uid is not None:
        chosen = next(item for item in covering if item.uid == resolution.uid)
        rivals = dated or covering
        assert chosen.end - chosen.start == min(
            item.end - item.start for item in rivals
        )
        assert chosen.profile == resolution.profile
