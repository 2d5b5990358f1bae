"""A value is trusted only while there is a reason to."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.model import Point, Value
from custom_components.chiller_plant.plant.quality import age, judge
from custom_components.chiller_plant.plant.reading import MISSING, Quality, Reading
from custom_components.chiller_plant.plant.roles import ROLES, EquipmentType
from custom_components.chiller_plant.plant.sampling import stale_after

CHILLER = ROLES[EquipmentType.CHILLER]
NOW = 1_790_000_000.0
POLL = 5.0

SUPPLY = Point(
    "c.t", "c", CHILLER["chilled_water_supply_temperature"], None, low=-5, high=50
)
STATUS = Point("c.s", "c", CHILLER["run_status"], None)
SETPOINT = Point(
    "c.p",
    "c",
    CHILLER["chilled_water_supply_temperature_setpoint"],
    None,
    low=4.5,
    high=15,
    writable=True,
)
POINTS = st.sampled_from((SUPPLY, STATUS, SETPOINT))
RAW = st.none() | st.booleans() | st.floats() | st.integers(-1000, 1000)


def good(value: Value, at: float = NOW) -> Reading:
    return Reading(value, Quality.GOOD, at)


def test_an_answer_within_limits_is_good() -> None:
    assert judge(SUPPLY, 6.7, MISSING, NOW, POLL) == good(6.7)
    assert judge(STATUS, False, MISSING, NOW, POLL) == good(False)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -5.1, 50.1, True])
def test_what_cannot_be_is_out_of_range(value: Value) -> None:
    reading = judge(SUPPLY, value, good(6.7, NOW - POLL), NOW, POLL)
    assert reading.quality is Quality.OUT_OF_RANGE
    assert reading.good is None
    assert reading.at == NOW - POLL


def test_a_number_is_no_state() -> None:
    assert judge(STATUS, 1.0, MISSING, NOW, POLL).quality is Quality.OUT_OF_RANGE


def test_a_commanded_point_is_believed_beyond_the_limits_of_our_commands() -> None:
    assert judge(SETPOINT, 3.0, MISSING, NOW, POLL) == good(3.0)
    assert judge(SETPOINT, math.nan, MISSING, NOW, POLL).good is None


def test_a_point_that_never_answered_is_missing() -> None:
    assert judge(SUPPLY, None, MISSING, NOW, POLL) == MISSING


def test_a_value_survives_a_lost_poll_and_then_is_stale() -> None:
    reading = good(6.7)
    reading = judge(SUPPLY, None, reading, NOW + POLL, POLL)
    assert reading == good(6.7)
    reading = judge(SUPPLY, None, reading, NOW + stale_after(POLL), POLL)
    assert reading == good(6.7)
    reading = judge(SUPPLY, None, reading, NOW + stale_after(POLL) + 0.1, POLL)
    assert reading == Reading(6.7, Quality.STALE, NOW)
    assert reading.good is None


def test_a_stale_value_does_not_come_back_by_itself() -> None:
    stale = Reading(6.7, Quality.STALE, NOW)
    assert age(stale, NOW + 1, POLL) == stale
    assert judge(SUPPLY, 6.8, stale, NOW + 9, POLL) == good(6.8, NOW + 9)


def test_a_clock_that_was_set_back_does_not_keep_a_value_good() -> None:
    reading = age(good(6.7, NOW + 3600), NOW, POLL)
    assert reading.quality is Quality.STALE


@given(
    POINTS,
    st.lists(st.tuples(st.floats(0, 60), RAW), min_size=1, max_size=30),
)
def test_good_means_sound_and_recent_whatever_comes(
    point: Point, polls: list[tuple[float, Value | None]]
) -> None:
    reading, now, last_sound = MISSING, NOW, None
    for wait, value in polls:
        now += wait
        reading = judge(point, value, reading, now, POLL)
        if reading.at is not None and value is not None and reading.good is not None:
            last_sound = now
        if reading.good is not None:
            assert last_sound is not None
            assert reading.at == last_sound
            assert now - last_sound <= stale_after(POLL)
            if point.role.quantity.is_boolean:
                assert isinstance(reading.good, bool)
            else:
                assert isinstance(reading.good, float)
                assert math.isfinite(reading.good)
            if point is SUPPLY:
                assert -5 <= reading.good <= 50
        if reading.quality is Quality.MISSING:
            assert reading.value is None


@given(POINTS, RAW, st.floats(0, 1e9))
def test_judging_never_fails_and_never_shows_nan(
    point: Point, value: Value | None, later: float
) -> None:
    reading = judge(point, value, good(1.0), NOW + later, POLL)
    assert not (isinstance(reading.value, float) and not math.isfinite(reading.value))
