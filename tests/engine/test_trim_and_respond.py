"""Trim & respond and the requests that it answers, after Guideline 36."""

from dataclasses import replace

from chiller_control.control.decision import Inputs, Value
from chiller_control.control.reset_requests import RequestSettings, ResetRequests
from chiller_control.control.trim_and_respond import TrimAndRespond, TrimSettings
from hypothesis import given, strategies as st
import pytest
from whole_plant import readings, whole_plan

SETTINGS = TrimSettings()


def begun(value: float = 50.0, **changes: float) -> TrimAndRespond:
    reset = TrimAndRespond(TrimSettings(**changes))
    reset.begin(0.0, value)
    return reset


def test_reset_waits_at_its_initial_value_after_a_start() -> None:
    reset = TrimAndRespond(SETTINGS)
    reset.begin(0.0)
    assert [reset.step(float(at), 0) for at in range(0, 900, 300)] == [100.0] * 3
    assert reset.step(900.0, 0) == 98.0


def test_reset_is_trimmed_once_an_interval_while_requests_are_few() -> None:
    reset = begun()
    values = [reset.step(float(at), requests=2) for at in range(0, 1201, 60)]
    assert values[4] == 50.0 and values[5] == 48.0
    assert values[-1] == 42.0


def test_reset_responds_by_the_requests_beyond_the_ignored_ones() -> None:
    assert begun().step(300.0, requests=3) == 50.0 - 2.0 + 3.0
    assert begun().step(300.0, requests=4) == 50.0 - 2.0 + 6.0


def test_response_is_never_larger_than_its_maximum() -> None:
    assert begun().step(300.0, requests=40) == 50.0 - 2.0 + 7.0


def test_reset_does_not_catch_up_after_a_silence() -> None:
    reset = begun()
    assert reset.step(86_400.0, requests=0) == 48.0
    assert reset.step(86_401.0, requests=0) == 48.0


def test_held_reset_stands_still_and_counts_its_interval_anew() -> None:
    reset = begun()
    for at in range(0, 1800, 60):
        reset.hold(float(at))
    assert reset.step(1800.0, requests=9) == 50.0
    assert reset.step(2060.0, requests=9) == 55.0


def test_reset_without_leave_to_trim_still_responds() -> None:
    reset = begun()
    assert reset.step(300.0, 0, may_trim=False) == 50.0
    assert reset.step(600.0, 3, may_trim=False) == 51.0


def test_reset_goes_on_where_it_was_after_a_restart() -> None:
    one, other = begun(), TrimAndRespond(SETTINGS)
    one.step(300.0, 0)
    other.restore(one.resume())
    for at in range(360, 2000, 60):
        assert one.step(float(at), at % 7) == other.step(float(at), at % 7)


@given(
    st.lists(st.tuples(st.floats(0, 2000), st.integers(0, 50), st.booleans())),
    st.floats(-50, 150),
)
def test_reset_never_leaves_its_limits_nor_moves_more_than_once_a_step(
    steps: list[tuple[float, int, bool]], start: float
) -> None:
    reset = begun(start)
    now, before = 0.0, reset.value
    for passed, requests, may_trim in steps:
        now += passed
        value = reset.step(now, requests, may_trim=may_trim)
        assert 0.0 <= value <= 100.0
        assert before - 2.0 <= value <= before + 7.0
        before = value


@given(st.integers(0, 30), st.integers(0, 30))
def test_more_requests_never_mean_a_lower_reset(few: int, more: int) -> None:
    few, more = sorted((few, more))
    assert begun().step(300.0, few) <= begun().step(300.0, more)


# Requests

RULES = RequestSettings(
    valve_on=95.0, valve_off=85.0, supply_air=13.0, air_error=2.0, zone_error=0.5
)


class Zones:
    """Three zones that are asked every minute."""

    def __init__(self, settings: RequestSettings = RULES) -> None:
        self.requests = ResetRequests(whole_plan().of_type("zone"), settings)
        self.values = readings()
        self.now = 0.0

    def after(self, seconds: float, **changes: Value | None) -> int:
        self.values |= {key.replace("__", "."): value for key, value in changes.items()}
        end = self.now + seconds
        while self.now < end:
            self.now += 60.0
            self.last = self.requests.observe(self.now, Inputs(self.values))
        return self.last.total


def test_zones_at_ease_ask_for_nothing() -> None:
    assert Zones().after(600) == 0


def test_an_open_valve_asks_once_until_it_has_closed_a_good_deal() -> None:
    zones = Zones()
    assert zones.after(60, zone_1__cooling_valve_position=96.0) == 1
    assert zones.after(60, zone_1__cooling_valve_position=90.0) == 1
    assert zones.after(60, zone_1__cooling_valve_position=84.0) == 0
    assert zones.after(60, zone_1__cooling_valve_position=90.0) == 0


@pytest.mark.parametrize(("excess", "requests"), [(1.9, 1), (2.1, 2), (3.1, 3)])
def test_warm_supply_air_counts_after_two_minutes(excess: float, requests: int) -> None:
    zones = Zones()
    zones.after(60, zone_1__cooling_valve_position=100.0)
    assert zones.after(60, zone_1__supply_air_temperature=13.0 + excess) == 1
    assert zones.after(180) == requests


def test_an_allowed_error_of_the_supply_air_makes_one_request() -> None:
    zones = Zones(replace(RULES, valve_on=100.0, air_error=0.5))
    zones.after(60, zone_1__cooling_valve_position=99.0)
    assert zones.after(600, zone_1__supply_air_temperature=13.4) == 0
    assert zones.after(300, zone_1__supply_air_temperature=13.6) == 1
    assert zones.after(300, zone_1__supply_air_temperature=15.1) == 2


def test_warm_supply_air_behind_a_half_closed_valve_is_the_zones_own_affair() -> None:
    assert Zones().after(900, zone_1__supply_air_temperature=18.0) == 0


def test_a_zone_that_stays_too_warm_counts_as_warm_air_does() -> None:
    zones = Zones()
    zones.after(60, zone_2__cooling_valve_position=90.0)
    assert zones.after(300, zone_2__temperature=24.6) == 2
    assert zones.after(300, zone_2__temperature=25.1) == 3
    assert zones.after(60, zone_2__temperature=24.2) == 0


def test_an_empty_zone_asks_for_nothing() -> None:
    zones = Zones()
    zones.after(60, zone_1__cooling_valve_position=100.0)
    assert zones.after(600, zone_1__occupied_command=False) == 0


def test_a_zone_that_says_nothing_is_named_and_not_counted() -> None:
    zones = Zones()
    zones.after(
        60,
        zone_3__cooling_valve_position=None,
        zone_3__supply_air_temperature=None,
        zone_3__temperature=None,
    )
    assert zones.last.unknown == ("zone_3",)
    assert set(zones.last.by_zone) == {"zone_1", "zone_2"}
