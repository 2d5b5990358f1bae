"""Windows in which a point has a value, and what it does at their edges."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chiller_control.control.custom_schedule import CustomSchedule
from chiller_control.control.decision import ControlRefused, Decision, Inputs, Value
from chiller_control.control.form_times import DAYS
from factories import automation, first, plan_of
from hypothesis import given, settings, strategies as st
import pytest

BERLIN = ZoneInfo("Europe/Berlin")
SPEED = "schp_1.speed_command"
SWITCH = "plant.enable_command"
ONCE = {
    "repeat": "once",
    "begin": "2026-11-24 22:00:00",
    "end": "2026-11-25 06:00:00",
}


def schedule(
    point: str = SPEED,
    value: object = "40",
    reported: dict[str, Any] | None = None,
    **config: Any,
) -> CustomSchedule:
    config = {
        "value": value,
        "repeat": "weekly",
        "begin_time": "12:00:00",
        "end_time": "13:00:00",
        "days": list(DAYS),
    } | config
    plan = plan_of(
        automation(
            "custom_schedule",
            name="noon",
            priority=100,
            metadata={"point": point},
            config=config,
            reported=reported,
        )
    )
    return CustomSchedule(plan, first(plan))


def at(windows: CustomSchedule, *when: int, fold: int = 0, **inputs: Any) -> Decision:
    local = datetime(*when, tzinfo=BERLIN, fold=fold)
    values = inputs.pop("values", {SPEED: 63.0})
    return windows.step(local.timestamp(), Inputs(values, time_zone=BERLIN, **inputs))


def value_at(windows: CustomSchedule, *when: int, fold: int = 0) -> Value | None:
    """Return the commanded value, None if the point is handed back."""
    commands = at(windows, *when, fold=fold).commands
    return commands[0].value if commands else None


def test_point_has_its_value_in_the_window_and_is_handed_back_at_its_end() -> None:
    windows = schedule()
    assert value_at(windows, 2026, 11, 23, 11, 59) is None
    assert value_at(windows, 2026, 11, 23, 12, 0) == 40.0
    assert value_at(windows, 2026, 11, 23, 12, 59) == 40.0
    assert value_at(windows, 2026, 11, 23, 13, 0) is None


def test_a_single_window_crosses_midnight_and_does_not_come_again() -> None:
    windows = schedule(**ONCE)
    assert value_at(windows, 2026, 11, 24, 21, 59) is None
    assert value_at(windows, 2026, 11, 24, 22, 0) == 40.0
    assert value_at(windows, 2026, 11, 25, 5, 59) == 40.0
    assert value_at(windows, 2026, 11, 25, 6, 0) is None
    later = at(windows, 2026, 12, 1, 22, 30)
    assert later.commands == () and later.state == "over"
    assert later.attributes["next_change"] is None
    assert later.attributes["message"] == "Over since 2026-11-25 06:00"


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    windows = schedule(begin_time="22:00", end_time="06:00", days=["fri"])
    assert value_at(windows, 2026, 11, 20, 23, 0) == 40.0, "Friday evening"
    assert value_at(windows, 2026, 11, 21, 5, 59) == 40.0, "the night to Saturday"
    assert value_at(windows, 2026, 11, 21, 23, 0) is None, "Saturday evening"
    assert value_at(windows, 2026, 11, 20, 5, 0) is None, "the night to Friday"


def test_the_same_time_for_begin_and_end_is_a_whole_day() -> None:
    windows = schedule(begin_time="00:00", end_time="00:00", days=["sat", "sun"])
    assert value_at(windows, 2026, 11, 20, 23, 59) is None
    assert value_at(windows, 2026, 11, 21, 0, 0) == 40.0
    assert value_at(windows, 2026, 11, 22, 0, 0) == 40.0, "no gap between the days"
    assert value_at(windows, 2026, 11, 23, 0, 0) is None
    assert "until Mon 00:00" in str(at(windows, 2026, 11, 21, 9).attributes["message"])


def test_days_without_a_gap_have_no_end() -> None:
    decision = at(schedule(begin_time="06:00", end_time="06:00"), 2026, 11, 23, 6, 0)
    assert decision.attributes["next_change"] is None
    assert decision.attributes["message"] == "SCHP 1 speed command 40 % all the time"
    assert decision.commands[0].reason == "Noon"


def test_a_window_is_not_run_twice_when_the_clocks_go_back() -> None:
    """On 2026-10-25 the hour from 02:00 to 03:00 happens twice."""
    windows = schedule(begin_time="02:00", end_time="02:30")
    assert value_at(windows, 2026, 10, 25, 2, 15, fold=0) == 40.0
    assert value_at(windows, 2026, 10, 25, 2, 45, fold=0) is None
    assert value_at(windows, 2026, 10, 25, 2, 15, fold=1) is None, "the second 02:15"


def test_a_window_ends_though_its_hour_is_left_out() -> None:
    """On 2026-03-29 there is no time from 02:00 to 03:00."""
    windows = schedule(begin_time="01:00", end_time="02:30")
    assert value_at(windows, 2026, 3, 29, 1, 59) == 40.0
    assert value_at(windows, 2026, 3, 29, 3, 31) is None


def test_state_says_what_comes_next() -> None:
    windows = schedule()
    waiting = at(windows, 2026, 11, 23, 9, 0)
    assert waiting.state == "waiting"
    assert waiting.attributes["message"] == (
        "SCHP 1 speed command gets 40 % from 12:00"
    )
    assert waiting.attributes["next_window_begin"] == "2026-11-23T11:00:00+00:00"
    assert waiting.attributes["next_window_end"] == "2026-11-23T12:00:00+00:00"
    active = at(windows, 2026, 11, 23, 12, 30)
    assert active.state == "active"
    assert active.attributes["next_change"] == "2026-11-23T12:00:00+00:00"
    assert active.attributes["next_window_begin"] == "2026-11-24T11:00:00+00:00"
    assert active.commands[0].reason == "Noon until 13:00"


def test_begin_and_end_are_told_with_what_changed() -> None:
    windows = schedule()
    assert at(windows, 2026, 11, 23, 11, 59).events == ()
    (began,) = at(windows, 2026, 11, 23, 12, 0).events
    assert (began.event, dict(began.data)) == (
        "window_began",
        {"equipment": "schp_1", "point": SPEED, "from": 63.0, "to": 40.0},
    )
    assert at(windows, 2026, 11, 23, 12, 30).events == ()
    (ended,) = at(windows, 2026, 11, 23, 13, 0).events
    assert ended.event == "window_ended"


def test_restart_in_a_window_goes_on_without_telling_it_again() -> None:
    before = at(schedule(), 2026, 11, 23, 12, 5)
    again = schedule(reported={"attributes": before.attributes})
    decision = at(again, 2026, 11, 23, 12, 6)
    assert decision.commands[0].value == 40.0 and decision.events == ()
    missed = schedule(reported={"attributes": before.attributes})
    (ended,) = at(missed, 2026, 11, 23, 13, 6).events
    assert ended.event == "window_ended"


def test_operator_and_interlock_are_named() -> None:
    windows = schedule()
    taken = at(windows, 2026, 11, 23, 12, 5, taken={SPEED: "Operator"})
    assert taken.state == "overridden" and taken.commands, "it goes on asking"
    assert str(taken.attributes["message"]).startswith("Operator sets SCHP 1")
    held = at(windows, 2026, 11, 23, 12, 6, holds={SPEED: "ramp"})
    assert "is held: ramp" in str(held.attributes["message"])


@pytest.mark.parametrize("value", ["on", "On", "true", True])
def test_a_switch_takes_on_and_off(value: object) -> None:
    assert value_at(schedule(SWITCH, value), 2026, 11, 23, 12, 0) is True
    assert value_at(schedule(SWITCH, "off"), 2026, 11, 23, 12, 0) is False


@given(
    st.times(),
    st.times(),
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(0, 86400 * 365),
    st.sampled_from(["Europe/Berlin", "Asia/Bangkok", "America/New_York"]),
)
@settings(max_examples=100, deadline=None)
def test_next_change_is_when_it_changes(
    begin: Any, end: Any, days: set[str], seconds: int, zone: str
) -> None:
    windows = schedule(
        begin_time=begin.replace(microsecond=0).isoformat(),
        end_time=end.replace(microsecond=0).isoformat(),
        days=sorted(days),
    )
    now = datetime(2026, 1, 1).timestamp() + seconds
    inputs = Inputs({}, time_zone=ZoneInfo(zone))
    decision = windows.step(now, inputs)
    told = decision.attributes["next_change"]
    if told is None:
        return
    change = datetime.fromisoformat(str(told)).timestamp()
    assert now < change <= now + timedelta(days=9).total_seconds()
    assert windows.step(change - 1, inputs).state == decision.state
    if change < now + 86400 * 7:
        assert windows.step(change, inputs).state != decision.state


@pytest.mark.parametrize(
    ("point", "value", "config", "says"),
    [
        (SPEED, "on", {}, "takes a number; 'on' is none"),
        (SPEED, "", {}, "no value"),
        (SPEED, None, {}, "no value"),
        (SPEED, "20", {}, "20 % is outside its limits, 25 to 100 %"),
        (SPEED, "101", {}, "outside its limits"),
        (SPEED, "nan", {}, "outside its limits"),
        (SPEED, True, {}, "takes a number"),
        (SWITCH, "1", {}, "is on or off; '1' is neither"),
        ("plant.chilled_water_flow", "1", {}, "it is a measurement"),
        ("boiler.heat", "1", {}, "no point boiler.heat"),
        ("", "1", {}, "no point is chosen"),
        (SPEED, "40", {"repeat": "daily"}, "repeat is 'daily'"),
        (SPEED, "40", {"begin_time": "25:00"}, "begin_time is not a time"),
        (SPEED, "40", {"days": ["someday"]}, "'someday'"),
        (SPEED, "40", ONCE | {"begin": ""}, "begin is not a date and time"),
        (SPEED, "40", ONCE | {"end": "2026-11-24 22:00:00"}, "is not after the begin"),
        (SPEED, "40", ONCE | {"end": "2026-11-25T06:00:00Z"}, "without an offset"),
    ],
)
def test_a_form_that_cannot_work_is_refused(
    point: str, value: object, config: dict[str, Any], says: str
) -> None:
    with pytest.raises(ControlRefused, match=says):
        schedule(point, value, **config)
