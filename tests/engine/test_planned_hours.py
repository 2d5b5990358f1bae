"""Starts, stops and windows that are to come, and what people change of one of them."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chiller_control.control.chiller_plant_schedule import ChillerPlantSchedule
from chiller_control.control.custom_schedule import CustomSchedule
from chiller_control.control.decision import Decision, Inputs
from chiller_control.control.planned import (
    Amendment,
    Amendments,
    PlannedAction,
    parse_amendments,
)
from factories import automation, first, plan_of
from hypothesis import given, settings, strategies as st
import pytest

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
EVERY_DAY = [*WEEKDAYS, "sat", "sun"]


def local(*when: int, fold: int = 0) -> float:
    return datetime(*when, tzinfo=BERLIN, fold=fold).timestamp()


def hours(**config: Any) -> ChillerPlantSchedule:
    config = {
        "operation": "between_times",
        "start_time": "07:00",
        "stop_time": "18:00",
        "days": WEEKDAYS,
    } | config
    plan = plan_of(automation("chiller_plant_schedule", config=config))
    return ChillerPlantSchedule(plan, first(plan))


def window(point: str = "pchp_1.run_command", **config: Any) -> CustomSchedule:
    config = {
        "value": "on",
        "repeat": "weekly",
        "begin_time": "12:00",
        "end_time": "13:00",
        "days": EVERY_DAY,
    } | config
    plan = plan_of(
        automation(
            "custom_schedule", name="noon", metadata={"point": point}, config=config
        )
    )
    return CustomSchedule(plan, first(plan))


def step(
    controller: Any, moment: float, amendments: Amendments | None = None
) -> Decision:
    inputs = Inputs({}, time_zone=BERLIN, amendments=amendments or {})
    decision: Decision = controller.step(moment, inputs)
    return decision


def is_on(controller: Any, moment: float, amendments: Amendments) -> bool:
    commands = step(controller, moment, amendments).commands
    return bool(commands) and commands[0].value is True


def shown(decision: Decision) -> list[tuple[str, str]]:
    return [
        (item.kind, f"{datetime.fromtimestamp(item.at, BERLIN):%a %d %H:%M}")
        for item in decision.planned
    ]


def of(decision: Decision, kind: str) -> PlannedAction:
    return next(item for item in decision.planned if item.kind == kind)


SATURDAY = local(2026, 11, 21, 12)


def test_a_week_of_starts_and_stops_is_told() -> None:
    assert shown(step(hours(), SATURDAY)) == [
        (kind, f"{day} {time}")
        for day in ("Mon 23", "Tue 24", "Wed 25", "Thu 26", "Fri 27")
        for kind, time in (("start", "07:00"), ("stop", "18:00"))
    ]
    start = of(step(hours(), SATURDAY), "start")
    assert start.reason == "Plant start: hours 07:00 to 18:00"
    assert (start.equipment, start.before, start.after) == (("plant",), False, True)
    assert (start.until, start.latest) == (local(2026, 11, 23, 18),) * 2


def test_each_occurrence_keeps_its_name_until_it_happens() -> None:
    names: dict[float, set[str]] = {}
    schedule = hours()
    for hour in range(200):
        for item in step(schedule, SATURDAY + hour * 3600).planned:
            names.setdefault(item.at, set()).add(item.id)
    assert all(len(found) == 1 for found in names.values())
    assert len({next(iter(found)) for found in names.values()}) == len(names)


def test_hours_are_those_of_the_clock_where_clocks_change() -> None:
    """On 2026-10-25 the hour from 02:00 to 03:00 happens twice."""
    decision = step(
        hours(days=EVERY_DAY, start_time="02:30", stop_time="07:00"),
        local(2026, 10, 24, 12),
    )
    start, stop = decision.planned[:2]
    assert start.at == local(2026, 10, 25, 2, 30)
    assert stop.at == local(2026, 10, 25, 7)
    assert stop.at - start.at == 5.5 * 3600
    # And in spring, where 02:30 is left out.
    decision = step(
        hours(days=EVERY_DAY, start_time="02:30", stop_time="07:00"),
        local(2026, 3, 28, 12),
    )
    start, stop = decision.planned[:2]
    assert f"{datetime.fromtimestamp(start.at, BERLIN):%H:%M}" == "03:30"
    assert stop.at - start.at == 3.5 * 3600


def test_a_start_is_brought_forward_for_one_day_only() -> None:
    schedule = hours()
    start = of(step(schedule, SATURDAY), "start")
    early = {start.id: Amendment(at=local(2026, 11, 23, 6, 30), by="Jo")}
    assert shown(step(schedule, SATURDAY, early))[0] == ("start", "Mon 23 06:30")
    assert of(step(schedule, SATURDAY, early), "start").original == start.at

    assert not is_on(schedule, local(2026, 11, 23, 6, 29), early)
    decision = step(schedule, local(2026, 11, 23, 6, 30), early)
    assert decision.commands[0].value is True
    assert decision.events[0].reason == "Plant on until 18:00 (changed by Jo)"
    assert decision.events[0].data == {"equipment": "plant", "from": False, "to": True}
    assert is_on(schedule, local(2026, 11, 23, 8), early)
    assert not is_on(schedule, local(2026, 11, 24, 6, 45), early), "the day after"
    assert is_on(schedule, local(2026, 11, 24, 7), early)


def test_a_start_is_put_off() -> None:
    schedule = hours()
    late = {
        of(step(schedule, SATURDAY), "start").id: Amendment(at=local(2026, 11, 23, 9))
    }
    assert not is_on(schedule, local(2026, 11, 23, 8), late)
    assert is_on(schedule, local(2026, 11, 23, 9), late)


def test_a_cancelled_start_keeps_the_plant_off_that_day() -> None:
    schedule = hours()
    off = {of(step(schedule, SATURDAY), "start").id: Amendment(cancelled=True, by="Jo")}
    decision = step(schedule, SATURDAY, off)
    assert decision.planned[0].cancelled, "so that it can be restored"
    assert shown(decision)[1] == ("start", "Tue 24 07:00"), "and no stop on Monday"
    assert "Tue 07:00" in decision.commands[0].reason
    assert not is_on(schedule, local(2026, 11, 23, 12), off)
    assert is_on(schedule, local(2026, 11, 24, 12), off)
    # It can be restored while its hours last, and not any more afterwards.
    assert step(schedule, local(2026, 11, 23, 12), off).planned[0].cancelled
    assert is_on(schedule, local(2026, 11, 23, 12), {})
    after = step(schedule, local(2026, 11, 23, 19), off).planned
    assert not any(item.cancelled for item in after)


def test_the_next_start_can_take_the_place_of_one_that_was_cancelled() -> None:
    schedule = hours()
    monday, _, tuesday = step(schedule, SATURDAY).planned[:3]
    assert tuesday.earliest == local(2026, 11, 23, 18)
    off: dict[str, Amendment] = {monday.id: Amendment(cancelled=True)}
    found = step(schedule, SATURDAY, off).planned
    assert found[1].id == tuesday.id
    assert found[1].earliest == local(2026, 11, 20, 18), "Friday's stop"
    off[tuesday.id] = Amendment(at=local(2026, 11, 23, 12))
    assert is_on(schedule, local(2026, 11, 23, 12), off)
    assert is_on(schedule, local(2026, 11, 24, 3), off)
    assert not is_on(schedule, local(2026, 11, 24, 18), off)


def test_a_cancelled_stop_lets_the_plant_run_into_the_next_day() -> None:
    schedule = hours()
    monday = local(2026, 11, 23, 12)
    on = {of(step(schedule, monday), "stop").id: Amendment(cancelled=True)}
    decision = step(schedule, monday, on)
    assert decision.commands[0].reason == "Plant on until Tue 18:00"
    # Nothing starts on Tuesday: it runs already.
    assert shown(decision)[:2] == [("stop", "Mon 23 18:00"), ("stop", "Tue 24 18:00")]
    assert decision.planned[0].cancelled
    for moment in (local(2026, 11, 23, 23), local(2026, 11, 24, 6, 59)):
        assert is_on(schedule, moment, on)
    assert not is_on(schedule, local(2026, 11, 24, 18), on)
    assert not is_on(schedule, local(2026, 11, 25, 3), on)


def test_a_night_without_a_gap_is_no_occurrence() -> None:
    assert shown(step(hours(operation="all_day", days=EVERY_DAY), SATURDAY)) == []
    assert shown(step(hours(operation="off"), SATURDAY)) == []
    assert shown(step(hours(operation="all_day"), SATURDAY)) == [
        ("start", "Mon 23 00:00"),
        ("stop", "Sat 28 00:00"),
    ]
    # A start on Monday that was cancelled counts until Friday, whatever day it is.
    schedule = hours(operation="all_day")
    off = {of(step(schedule, SATURDAY), "start").id: Amendment(cancelled=True)}
    assert not is_on(schedule, local(2026, 11, 26, 12), off)


def test_hours_can_be_told_ahead_by_an_automation_of_another_day() -> None:
    ahead = hours().ahead(SATURDAY, BERLIN, {})
    assert ahead == step(hours(), SATURDAY).planned


@settings(max_examples=80, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "Asia/Bangkok", "America/New_York"]),
    day=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    start=st.times(),
    length=st.integers(60, 23 * 3600),
    shift=st.integers(-3600, 3600),
)
def test_the_plant_does_exactly_what_was_announced(
    zone: str, day: datetime, start: Any, length: int, shift: int
) -> None:
    place = ZoneInfo(zone)
    start = start.replace(microsecond=0)
    stop = (datetime.combine(day, start) + timedelta(seconds=length)).time()
    schedule = hours(
        days=EVERY_DAY, start_time=start.isoformat(), stop_time=stop.isoformat()
    )
    now = day.replace(tzinfo=place).timestamp()

    def planned(amendments: Amendments) -> tuple[PlannedAction, ...]:
        return schedule.step(now, Inputs({}, {}, {}, place, amendments)).planned

    found = planned({})[0]
    moved = max(now + 1, found.at + shift)
    if (found.earliest and moved < found.earliest) or moved >= (found.latest or moved):
        moved = found.at
    amendments = {found.id: Amendment(at=moved)}
    mine = next(item for item in planned(amendments) if item.id == found.id)
    assert (mine.at, mine.original) == (moved, found.at)
    becomes = mine.kind == "start"
    for moment, expected in ((moved - 0.5, not becomes), (moved + 0.5, becomes)):
        decision = schedule.step(moment, Inputs({}, {}, {}, place, amendments))
        if moment >= now:
            assert decision.commands[0].value is expected


def test_windows_of_a_point_are_told_with_what_they_set() -> None:
    begin, end = step(window(), local(2026, 11, 21, 9)).planned[:2]
    assert (begin.kind, end.kind) == ("window_begin", "window_end")
    assert begin.reason == "Noon: PCHP 1 run command on"
    assert (end.before, end.after) == (True, "released")
    assert begin.choices == ("pchp_1", "pchp_2"), "what the value fits"


def test_a_window_is_given_to_another_pump_once() -> None:
    controller = window()
    noon = local(2026, 11, 21, 12)
    begin = of(step(controller, noon - 60), "window_begin")
    other = {begin.id: Amendment(equipment="pchp_2", by="Jo")}
    assert of(step(controller, noon - 60, other), "window_begin").equipment == (
        "pchp_2",
    )
    assert controller.points == {"pchp_1.run_command", "pchp_2.run_command"}

    decision = step(controller, noon, other)
    (command,) = decision.commands
    assert (command.point, command.value) == ("pchp_2.run_command", True)
    assert (
        decision.events[0].reason == "PCHP 2 run command on until 13:00 (changed by Jo)"
    )
    ended = step(controller, noon + 3600, other)
    assert ended.commands == ()
    assert ended.events[0].data["equipment"] == "pchp_2"
    assert ended.events[0].data["to"] == "released"
    (command,) = step(controller, noon + 86400, other).commands
    assert command.point == "pchp_1.run_command", "the day after"


def test_a_single_window_can_be_moved_and_cancelled() -> None:
    once = {"repeat": "once", "begin": "2026-11-24 22:00", "end": "2026-11-25 06:00"}
    controller = window(**once)
    monday = local(2026, 11, 23, 12)
    begin = of(step(controller, monday), "window_begin")
    late = {begin.id: Amendment(at=local(2026, 11, 24, 23))}
    assert not is_on(controller, local(2026, 11, 24, 22, 30), late)
    assert is_on(controller, local(2026, 11, 24, 23), late)
    off = {begin.id: Amendment(cancelled=True, by="Jo")}
    decision = step(controller, local(2026, 11, 24, 23), off)
    assert decision.commands == ()
    assert decision.attributes["message"] == "Cancelled (changed by Jo)"


@pytest.mark.parametrize("data", [None, {}, [1, {"at": 3}, {"id": 4}]])
def test_what_is_no_amendment_changes_nothing(data: Any) -> None:
    assert parse_amendments(data) == {}


def test_equipment_that_does_not_fit_is_not_taken() -> None:
    controller = window()
    noon = local(2026, 11, 21, 12)
    begin = of(step(controller, noon - 60), "window_begin")
    (command,) = step(
        controller, noon, {begin.id: Amendment(equipment="ct_1")}
    ).commands
    assert command.point == "pchp_1.run_command"
