"""The order of the chillers: whose turn it is, who is last, and who says otherwise."""

from datetime import datetime, timedelta
from itertools import pairwise
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chiller_control.control.chiller_sequence import ChillerSequence
from chiller_control.control.decision import ControlRefused, Inputs
from chiller_control.control.plan import parse_plan
from chiller_control.control.rotation import by_least
from factories import SmallPlant, automation, equipment, first, plan_data
from house import House, running_apps
from hypothesis import given, settings, strategies as st
import pytest
from three_chillers import (
    BERLIN,
    NOON,
    THREE,
    WEEKLY,
    order,
    readings,
    sequence,
    state_of,
)

from tests.waiting import eventually


def test_the_chiller_with_the_least_run_hours_is_first() -> None:
    decision = sequence().step(NOON, readings((120.0, 80.0, 100.0)))
    assert order(decision) == ["chiller_2", "chiller_3", "chiller_1"]
    assert decision.attributes["lead"] == "chiller_2"
    assert decision.attributes["message"] == (
        "Chiller 2, Chiller 3, Chiller 1 (least run hours first)"
    )


def test_order_does_not_swap_with_each_reading() -> None:
    rotation = sequence(minimum_difference=1.0)
    rotation.step(NOON, readings((10.0, 10.0, 10.0)))
    running = {"chiller_1__run_status": True}
    for tenth in range(10):
        hours = (10.0 + tenth / 10, 10.0, 10.0)
        decision = rotation.step(NOON + 360 * tenth, readings(hours, **running))
        assert order(decision)[0] == "chiller_1"
    decision = rotation.step(NOON + 4000, readings((11.1, 10.0, 10.0), **running))
    assert order(decision) == ["chiller_2", "chiller_3", "chiller_1"]
    (event,) = decision.events
    assert event.event == "sequence_changed"
    assert event.reason == (
        "Chiller 2 leads: Chiller 2, Chiller 3, Chiller 1 instead of "
        "Chiller 1, Chiller 2, Chiller 3 (least run hours first)"
    )
    assert event.data["equipment"] == "chiller_2"
    assert (event.data["from"], event.data["to"]) == (
        THREE,
        ["chiller_2", "chiller_3", "chiller_1"],
    )


def test_next_rotation_by_run_hours_is_when_the_lead_will_have_run_long_enough() -> (
    None
):
    rotation = sequence(minimum_difference=2.0)
    rotation.step(NOON, readings((10.0, 10.0, 10.0)))
    decision = rotation.step(
        NOON, readings((10.5, 10.0, 10.0), chiller_1__run_status=True)
    )
    assert decision.attributes["next_rotation"] == "2026-11-21T12:30:00+00:00"
    assert str(decision.attributes["message"]).endswith("next change about Sat 13:30")
    conditions = decision.attributes["conditions"]
    assert isinstance(conditions, list)
    assert conditions[0] == {
        "condition": "chiller_1 before chiller_2",
        "value": 0.5,
        "threshold": 2.0,
        "unit": "h",
    }
    idle = rotation.step(NOON, readings((10.5, 10.0, 10.0)))
    assert idle.attributes["next_rotation"] is None


def test_fewest_starts_first() -> None:
    rotation = sequence(method="starts")
    assert order(rotation.step(NOON, readings((3.0, 2.0, 2.0)))) == [
        "chiller_2",
        "chiller_3",
        "chiller_1",
    ]
    decision = rotation.step(NOON, readings((3.0, 3.0, 2.0)))
    assert order(decision) == ["chiller_3", "chiller_2", "chiller_1"]


def test_by_starts_it_is_known_after_how_many_and_not_when() -> None:
    rotation = sequence(method="starts")
    decision = rotation.step(NOON, readings((3.0, 1.0, 5.0)))
    assert decision.attributes["lead"] == "chiller_2"
    assert decision.attributes["starts_to_rotation"] == 3
    assert "next change after 3 more starts" in str(decision.attributes["message"])
    assert decision.planned == ()
    for starts in (2.0, 3.0):
        decision = rotation.step(NOON, readings((3.0, starts, 5.0)))
        assert decision.attributes["lead"] == "chiller_2"
    assert "after 1 more start" in str(decision.attributes["message"])
    decision = rotation.step(NOON, readings((3.0, 4.0, 5.0)))
    assert decision.attributes["lead"] == "chiller_1"
    unknown = rotation.step(NOON, readings((3.0, None, 5.0)))
    assert unknown.attributes["starts_to_rotation"] is None


def test_chiller_that_falls_silent_is_not_said_to_run() -> None:
    rotation = sequence()
    running = rotation.step(NOON, readings(chiller_1__run_status=True))
    assert state_of(running, "chiller_1") == ("running", None)
    silent = rotation.step(NOON + 5, readings(chiller_1__run_status=None))
    assert state_of(silent, "chiller_1")[0] == "unknown"
    assert "silent" in str(state_of(silent, "chiller_1")[1])
    assert silent.state == "holding"
    assert order(silent) == order(running)
    later = rotation.step(NOON + 70, readings(chiller_1__run_status=None))
    assert order(later)[-1] == "chiller_1", "and cannot be counted on"


def test_manual_order_is_that_of_the_form() -> None:
    rotation = sequence(["chiller_3", "chiller_1"], method="manual")
    decision = rotation.step(NOON, readings((5.0, 0.0, 9.0)))
    assert order(decision) == ["chiller_3", "chiller_1"]
    assert decision.attributes["next_rotation"] is None
    assert "chiller_2.sequence_position" not in {
        item.point for item in decision.commands
    }


def test_turn_changes_each_week_at_its_time() -> None:
    rotation = sequence(**WEEKLY)
    sunday = datetime(2026, 1, 11, 23, tzinfo=BERLIN)
    monday = datetime(2026, 1, 12, 6, tzinfo=BERLIN)
    decision = rotation.step(sunday.timestamp(), readings())
    assert order(decision) == THREE
    assert decision.attributes["next_rotation"] == "2026-01-12T05:00:00+00:00"
    assert decision.attributes["next_lead"] == "chiller_2"
    assert str(decision.attributes["message"]).endswith("next change Mon 06:00")
    assert order(rotation.step(monday.timestamp() - 1, readings())) == THREE
    decision = rotation.step(monday.timestamp(), readings())
    assert order(decision) == ["chiller_2", "chiller_3", "chiller_1"]
    assert decision.events[0].event == "sequence_changed"
    fourth = rotation.step((monday + timedelta(weeks=2)).timestamp(), readings())
    assert order(fourth) == THREE


def test_two_profiles_take_the_same_turn() -> None:
    """A sequence that was not there when the turn changed is not behind."""
    later = datetime(2026, 3, 3, 12, tzinfo=BERLIN).timestamp()
    began_then, begins_now = sequence(**WEEKLY), sequence(**WEEKLY)
    began_then.step(datetime(2026, 1, 6, 12, tzinfo=BERLIN).timestamp(), readings())
    assert order(began_then.step(later, readings())) == order(
        begins_now.step(later, readings())
    )


@given(
    st.integers(0, 86400 * 500),
    st.integers(1, 40),
    st.times(),
    st.sampled_from(["Europe/Berlin", "Asia/Bangkok", "America/New_York"]),
)
@settings(max_examples=60, deadline=None)
def test_turn_changes_once_at_the_time_that_was_announced(
    seconds: int, days: int, at: Any, zone: str
) -> None:
    at = at.replace(microsecond=0)
    rotation = sequence(
        **{**WEEKLY, "rotation_days": days, "rotation_time": at.isoformat()}
    )
    now = datetime(2026, 1, 1).timestamp() + seconds
    inputs = Inputs(readings().values, time_zone=ZoneInfo(zone))
    decision = rotation.step(now, inputs)
    change = datetime.fromisoformat(str(decision.attributes["next_rotation"]))
    exact = change.timestamp()
    began = datetime.combine(datetime(2026, 1, 5), at, ZoneInfo(zone)).timestamp()
    assert now < exact <= max(now, began) + days * 86400 + 3600
    before = rotation.step(exact - 0.5, inputs)
    assert order(before) == order(decision)
    after = rotation.step(exact + 0.5, inputs)
    assert order(after) == [*order(decision)[1:], order(decision)[0]]
    assert after.attributes["next_rotation"] != before.attributes["next_rotation"]


@pytest.mark.parametrize("hours", [(None, 0.0, 0.0), (None, None, None)])
def test_chillers_whose_hours_are_not_known_keep_their_places(
    hours: tuple[float | None, ...],
) -> None:
    rotation = sequence()
    before = rotation.step(NOON, readings((5.0, 10.0, 20.0)))
    decision = rotation.step(NOON + 5, readings(hours))
    assert order(decision) == order(before) == THREE
    assert decision.state == "holding"
    assert "chiller_1.staging_run_hours" in str(decision.attributes["message"])


def test_operator_gives_a_chiller_its_place() -> None:
    rotation = sequence(method="manual")
    rotation.step(NOON, readings())
    set_by_hand = readings(
        taken={"chiller_3.sequence_position": "Operator"},
        chiller_3__sequence_position=1.0,
    )
    decision = rotation.step(NOON + 5, set_by_hand)
    assert decision.attributes["order"] == ["chiller_3", "chiller_1", "chiller_2"]
    assert order(decision) == ["chiller_3", "chiller_1", "chiller_2"]
    event = decision.events[0]
    assert event.event == "sequence_overridden"
    assert event.reason == "Chiller 3 is set at 1 by Operator"
    assert event.data == {"equipment": "chiller_3", "from": 3, "to": 1}
    assert state_of(decision, "chiller_3") == ("standby", "set at 1 by Operator")
    assert not rotation.step(NOON + 10, set_by_hand).events
    assert order(rotation.step(NOON + 15, readings())) == THREE


def test_operator_takes_a_chiller_out() -> None:
    rotation = sequence(method="manual")
    decision = rotation.step(
        NOON,
        readings(taken={"chiller_1.sequence_position": "Operator"}),
    )
    assert decision.attributes["order"] == ["chiller_2", "chiller_3"]
    assert state_of(decision, "chiller_1") == (
        "excluded",
        "set out of the order by Operator",
    )


def test_no_chiller_is_left() -> None:
    alarms = {f"{key}__alarm": True for key in THREE}
    decision = sequence(method="manual").step(NOON, readings(**alarms))
    assert decision.state == "no_chiller"
    assert sorted(order(decision)) == THREE, "they are tried in an order all the same"


def test_states_are_those_that_people_ask_for() -> None:
    decision = sequence(method="manual").step(
        NOON, readings(chiller_2__run_status=True, chiller_3__alarm=True)
    )
    assert decision.state == "running"
    assert [state_of(decision, key)[0] for key in THREE] == [
        "standby",
        "running",
        "excluded",
    ]


def test_restart_goes_on_with_order_and_faults() -> None:
    rotation = sequence()
    rotation.step(NOON, readings((10.0, 10.5, 11.0)))
    told = rotation.step(NOON + 5, readings((10.9, 10.5, 11.0), chiller_2__alarm=True))
    assert order(told) == ["chiller_1", "chiller_3", "chiller_2"]
    attributes = json.loads(json.dumps(dict(told.attributes)))
    again = sequence(reported={"state": "", "attributes": attributes, "at": 0})
    decision = again.step(
        NOON + 60, readings((10.9, 10.5, 11.0), chiller_2__alarm=True)
    )
    assert order(decision) == order(told), "not sorted anew: nobody ran much longer"
    assert decision.events == ()


def test_what_was_reported_of_other_chillers_is_left_alone() -> None:
    garbage = {"resume": {"base": ["chiller_9"], "order": 5, "faults": {}}}
    rotation = sequence(reported={"state": "", "attributes": garbage, "at": 0})
    assert order(rotation.step(NOON, readings())) == THREE


@pytest.mark.parametrize(
    ("chillers", "config", "says"),
    [
        ([], {}, "no chiller is chosen"),
        (["pchp_1"], {}, "the plant has no chiller pchp_1"),
        (None, {"method": "dice"}, "method is 'dice'"),
        (None, {"minimum_difference": 0}, "minimum_difference is 0"),
        (None, {**WEEKLY, "rotation_start": None}, "rotation_start is not a date"),
        (None, {**WEEKLY, "rotation_time": "6 pm"}, "rotation_time is not a time"),
        (None, {**WEEKLY, "rotation_days": 1.5}, "whole days"),
        (None, {**WEEKLY, "rotation_days": 0}, "rotation_days is 0; at least 1"),
    ],
)
def test_a_form_that_cannot_work_is_refused(
    chillers: list[str] | None, config: dict[str, Any], says: str
) -> None:
    with pytest.raises(ControlRefused, match=says):
        sequence(chillers, **config)


@pytest.mark.parametrize(
    ("role", "method", "says"),
    [
        ("sequence_position", "manual", "Chiller 1 has no sequence_position"),
        ("staging_run_hours", "run_hours", "staging run hours are not counted"),
        ("staging_starts", "starts", "staging starts are not counted"),
    ],
)
def test_a_chiller_without_what_is_needed_is_refused(
    role: str, method: str, says: str
) -> None:
    data = plan_data(
        automation(
            "chiller_sequence", metadata={"chillers": THREE}, config={"method": method}
        ),
        chillers=3,
    )
    data["equipment"] = equipment(3)
    del data["equipment"]["chiller_1"]["points"][role]
    plan = parse_plan(data)
    with pytest.raises(ControlRefused, match=says):
        ChillerSequence(plan, first(plan))


AMOUNTS = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1e5))


@given(st.permutations(list("abcdef")), AMOUNTS, st.floats(0, 50))
@settings(max_examples=200, deadline=None)
def test_least_first_keeps_all_and_changes_nothing_twice(
    names: list[str], amounts: dict[str, float], tolerance: float
) -> None:
    sorted_once = by_least(names, amounts, tolerance)
    assert sorted(sorted_once) == sorted(names)
    assert by_least(sorted_once, amounts, tolerance) == sorted_once
    for one, other in pairwise(sorted_once):
        if one in amounts and other in amounts:
            assert amounts[one] <= amounts[other] + tolerance


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_chillers_that_take_turns_age_alike(seed: int) -> None:
    """Thirty days of one to two chillers, picked as staging does: no hot swap."""
    rotation, hours = sequence(), [100.0, 100.0, 100.0]
    running: list[str] = []
    for hour in range(720):
        load = 0 if hour % 24 < 6 else 1 + (seed >> (hour % 32) & 1)
        decision = rotation.step(
            NOON + 3600 * hour,
            readings(
                tuple(hours), **{f"{key}__run_status": key in running for key in THREE}
            ),
        )
        turns = order(decision)
        running = sorted(running, key=turns.index)[:load]
        running += [key for key in turns if key not in running][: load - len(running)]
        for number, key in enumerate(THREE):
            hours[number] += key in running
    worked = [amount - 100 for amount in hours]
    # No more apart than one works in a day before its turn is over, and the hour
    # that they have to differ by until it is.
    assert max(worked) - min(worked) <= 18 + 1


async def test_app_gives_each_chiller_its_place(tmp_path: Path) -> None:
    data = automation(
        "chiller_sequence",
        metadata={"chillers": ["chiller_2", "chiller_1"]},
        config={"method": "run_hours"},
    )
    states = dict(SmallPlant().states())
    states["sensor.chiller_2_staging_run_hours"] = "40.5"
    states["sensor.chiller_1_staging_run_hours"] = "12"
    house = House(plan_data(data), states)
    async with running_apps(house, tmp_path):
        await eventually(
            lambda: (
                {
                    (entity_id, call["value"])
                    for call in house.of(
                        "command", source="automation.chiller_sequence"
                    )
                    for entity_id in call["entity_id"]
                }
                == {
                    ("number.chiller_1_sequence_position", 1.0),
                    ("number.chiller_2_sequence_position", 2.0),
                }
            )
        )
        await eventually(lambda: house.reports("chiller_sequence"))
        report = house.reports("chiller_sequence")[-1]
    assert report["state"] == "standby"
    assert report["attributes"]["order"] == ["chiller_1", "chiller_2"]
