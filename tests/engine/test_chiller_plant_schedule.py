"""The hours of the plant, also in nights that are not 24 hours long."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chiller_control.control.chiller_plant_schedule import ChillerPlantSchedule
from chiller_control.control.decision import ControlRefused, Decision, Inputs
from factories import automation, first, plan_of
from hypothesis import given, settings, strategies as st
import pytest

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def schedule(**config: Any) -> ChillerPlantSchedule:
    config = {
        "operation": "between_times",
        "start_time": "07:00:00",
        "stop_time": "18:00:00",
        "days": EVERY_DAY,
    } | config
    plan = plan_of(automation("chiller_plant_schedule", config=config))
    return ChillerPlantSchedule(plan, first(plan))


def at(
    hours: ChillerPlantSchedule,
    *when: int,
    fold: int = 0,
    idle: frozenset[date] = frozenset(),
) -> Decision:
    local = datetime(*when, tzinfo=BERLIN, fold=fold)
    inputs = Inputs({}, time_zone=BERLIN, idle_days=idle)
    return hours.step(local.timestamp(), inputs)


def is_on(hours: ChillerPlantSchedule, *when: int, fold: int = 0) -> bool:
    (command,) = at(hours, *when, fold=fold).commands
    assert command.point == "plant.enable_command"
    return bool(command.value)


def test_plant_is_on_between_its_times() -> None:
    hours = schedule()
    assert not is_on(hours, 2026, 11, 21, 6, 59)
    assert is_on(hours, 2026, 11, 21, 7, 0)
    assert is_on(hours, 2026, 11, 21, 17, 59)
    assert not is_on(hours, 2026, 11, 21, 18, 0)


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    hours = schedule(start_time="20:00", stop_time="04:00", days=["fri"])
    assert is_on(hours, 2026, 11, 20, 22, 0), "Friday evening"
    assert is_on(hours, 2026, 11, 21, 3, 59), "the night to Saturday"
    assert not is_on(hours, 2026, 11, 21, 22, 0), "Saturday evening"
    assert not is_on(hours, 2026, 11, 20, 3, 0), "the night to Friday"


def test_plant_does_not_start_twice_when_the_clocks_go_back() -> None:
    """On 2026-10-25 the hour from 02:00 to 03:00 happens twice."""
    hours = schedule(start_time="20:00", stop_time="02:30")
    assert is_on(hours, 2026, 10, 25, 2, 15, fold=0)
    assert not is_on(hours, 2026, 10, 25, 2, 45, fold=0)
    assert not is_on(hours, 2026, 10, 25, 2, 15, fold=1), "the second 02:15"


def test_plant_starts_when_its_hour_is_left_out() -> None:
    """On 2026-03-29 there is no 02:30."""
    hours = schedule(start_time="02:30", stop_time="05:00")
    assert not is_on(hours, 2026, 3, 29, 1, 59)
    assert is_on(hours, 2026, 3, 29, 3, 31)


def test_reason_says_until_when() -> None:
    hours = schedule()
    decision = at(hours, 2026, 11, 21, 12, 0)
    assert decision.commands[0].reason == "Plant on until 18:00"
    assert decision.attributes["next_change"] == "2026-11-21T17:00:00+00:00"
    decision = at(hours, 2026, 11, 21, 19, 0)
    assert decision.commands[0].reason == "Plant off until Sun 07:00"
    assert decision.events[0].event == "plant_off"


def test_all_day_goes_through_midnight_without_a_stop() -> None:
    hours = schedule(operation="all_day", days=["sat", "sun"])
    assert not is_on(hours, 2026, 11, 20, 23, 59)
    assert is_on(hours, 2026, 11, 21, 0, 0)
    assert is_on(hours, 2026, 11, 22, 0, 0)
    assert at(hours, 2026, 11, 21, 12, 0).commands[0].reason == (
        "Plant on until Mon 00:00"
    )
    assert (
        at(schedule(operation="all_day"), 2026, 11, 21, 12).attributes["next_change"]
        is None
    )


def test_off_is_off() -> None:
    assert not is_on(schedule(operation="off"), 2026, 11, 21, 12, 0)


@given(
    st.times(),
    st.times(),
    st.integers(0, 86400 * 365),
    st.sampled_from(["Europe/Berlin", "Asia/Bangkok", "America/New_York"]),
)
@settings(max_examples=100, deadline=None)
def test_next_change_is_when_it_changes(
    start: Any, stop: Any, seconds: int, zone: str
) -> None:
    start, stop = start.replace(microsecond=0), stop.replace(microsecond=0)
    if start == stop:
        return
    hours = schedule(start_time=start.isoformat(), stop_time=stop.isoformat())
    now = datetime(2026, 1, 1).timestamp() + seconds
    inputs = Inputs({}, time_zone=ZoneInfo(zone))
    decision = hours.step(now, inputs)
    change = datetime.fromisoformat(str(decision.attributes["next_change"])).timestamp()
    assert now < change <= now + timedelta(hours=26).total_seconds()
    assert hours.step(change - 1, inputs).state == decision.state
    assert hours.step(change, inputs).state != decision.state


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"operation": "sometimes"}, "operation is 'sometimes'"),
        ({"start_time": "25:00"}, "start_time is not a time"),
        ({"start_time": None}, "start_time is not a time"),
        ({"days": ["someday"]}, "'someday'"),
        ({"start_time": "18:00"}, "choose all day"),
    ],
)
def test_a_form_that_cannot_work_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ControlRefused, match=says):
        schedule(**config)


SATURDAY = frozenset({date(2026, 11, 21)})


def test_what_does_not_happen_in_another_profile_is_not_told() -> None:
    hours = schedule()
    evening = at(hours, 2026, 11, 20, 19, 0)
    assert evening.attributes["message"] == "Plant off until Sat 07:00"
    evening = at(hours, 2026, 11, 20, 19, 1, idle=SATURDAY)
    assert evening.attributes["message"] == "Plant off until Sun 07:00"
    starts = [item.at for item in evening.planned if item.kind == "start"]
    assert datetime.fromtimestamp(starts[0], BERLIN).date() == date(2026, 11, 22)


def test_the_stop_of_a_last_day_is_told() -> None:
    # All that is known of the days after it belongs to another profile.
    idle = frozenset(date(2026, 11, 21) + timedelta(days=day) for day in range(40))
    planned = at(schedule(), 2026, 11, 20, 6, 0, idle=idle).planned
    assert [item.kind for item in planned] == ["start", "stop"]
    running = at(schedule(), 2026, 11, 20, 12, 0, idle=idle)
    assert running.attributes["message"] == "Plant on until 18:00"
    # Nor is there an end where nothing ends.
    endless = at(schedule(operation="all_day"), 2026, 11, 20, 12, 0)
    assert not endless.planned


@given(st.sets(st.sampled_from(EVERY_DAY), min_size=1), st.integers(0, 27 * 24))
@settings(max_examples=100, deadline=None)
def test_every_start_within_a_week_is_told_with_its_stop(
    days: set[str], hours: int
) -> None:
    now = datetime(2026, 11, 1, tzinfo=BERLIN) + timedelta(hours=hours)
    planned = at(schedule(days=sorted(days)), *now.timetuple()[:4], 0).planned
    stops = {item.at for item in planned if item.kind == "stop"}
    week = now.timestamp() + timedelta(days=7).total_seconds()
    for item in planned:
        if item.kind == "start" and item.until is not None and item.until <= week:
            assert item.until in stops


def test_a_night_that_began_on_a_day_of_this_profile_goes_on() -> None:
    hours = schedule(start_time="20:00", stop_time="04:00")
    (command,) = at(hours, 2026, 11, 21, 3, 0, idle=SATURDAY).commands
    assert command.value is True
    sunday = frozenset({date(2026, 11, 22)})
    (command,) = at(hours, 2026, 11, 23, 3, 0, idle=sunday).commands
    assert command.value is False


def test_plant_that_runs_all_day_is_not_stopped_while_the_next_plan_is_late() -> None:
    hours = schedule(operation="all_day")
    before = at(hours, 2026, 11, 20, 23, 59, idle=SATURDAY)
    assert before.attributes["message"] == "Plant on until Sat 00:00"
    (command,) = at(hours, 2026, 11, 21, 0, 0, idle=SATURDAY).commands
    assert command.value is True
