"""A value is trusted only while there is a reason to."""

import json
import math
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.model import Plant, Value
from custom_components.chiller_plant.plant.quality import IN_LOCAL_MODE, QualityJudge
from custom_components.chiller_plant.plant.reading import MISSING, Quality, Reading
from custom_components.chiller_plant.plant.roles import EquipmentType, PollTier

from .factories import make_equipment, make_plant

NOW = 1_790_000_000.0
POLL = 5.0
NORMAL = 30.0

SUPPLY = "chiller_1.chilled_water_supply_temperature"
STATUS = "chiller_1.run_status"
SETPOINT = "chiller_1.chilled_water_supply_temperature_setpoint"
COMMAND = "chiller_1.run_command"
REMOTE = "chiller_1.remote_mode"
ENERGY = "meter_1.energy"
KEYS = (SUPPLY, STATUS, SETPOINT, COMMAND, REMOTE, ENERGY)
RAW = st.none() | st.booleans() | st.floats() | st.integers(-1000, 1000)


def a_plant() -> Plant:
    """Return a chiller with one point of each kind, and a meter."""
    return make_plant(
        make_equipment(
            "chiller_1",
            EquipmentType.CHILLER,
            {
                "run_command": {},
                "run_status": {},
                "remote_mode": {},
                "chilled_water_supply_temperature": {
                    "low": -5.0,
                    "high": 50.0,
                    "tier": PollTier.FAST,
                },
                "chilled_water_supply_temperature_setpoint": {"low": 4.5, "high": 15.0},
            },
        ),
        make_equipment(
            "meter_1",
            EquipmentType.METER,
            {"energy": {"tier": PollTier.SLOW}},
        ),
        normal_poll_interval=NORMAL,
    )


def fast_plant() -> Plant:
    """Return the same, all of it read fast."""
    plant = a_plant()
    return make_plant(
        *(
            make_equipment(
                item.key,
                item.type,
                {
                    role: {
                        "low": point.low,
                        "high": point.high,
                        "tier": PollTier.FAST,
                    }
                    for role, point in item.points.items()
                },
            )
            for item in plant.equipment.values()
        ),
        normal_poll_interval=NORMAL,
    )


class Watched:
    """A plant whose readings a test follows."""

    def __init__(self, plant: Plant | None = None) -> None:
        """Nothing was heard yet."""
        self.plant = plant or fast_plant()
        self.judge = QualityJudge(self.plant)
        self.now = NOW
        self.readings = dict.fromkeys(self.plant.points, MISSING)

    def __getitem__(self, key: str) -> Reading:
        """Return what is known of a point."""
        return self.readings[key]

    def hear(self, key: str, value: Value, overridden: str | None = None) -> Reading:
        """Take an answer."""
        self.readings[key] = self.judge.heard(
            self.now,
            self.plant.points[key],
            value,
            overridden=overridden,
            previous=self.readings[key],
        )
        return self.readings[key]

    def miss(self, key: str) -> Reading:
        """Ask in vain."""
        self.readings[key] = self.judge.missed(
            self.now, self.plant.points[key], self.readings[key]
        )
        return self.readings[key]

    def look(self, key: str) -> Reading:
        """Look again without having asked."""
        self.readings[key] = self.judge.aged(
            self.now, self.plant.points[key], self.readings[key]
        )
        return self.readings[key]

    def hear_every(self, seconds: float, times: int, key: str, value: Value) -> None:
        """Let time pass with an answer now and then."""
        for _ in range(times):
            self.now += seconds
            self.hear(key, value)


# --- what is believed


def test_an_answer_within_limits_is_good() -> None:
    plant = Watched()
    assert plant.hear(SUPPLY, 6.7) == Reading(6.7, Quality.GOOD, NOW)
    assert plant.hear(STATUS, False) == Reading(False, Quality.GOOD, NOW)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (math.nan, "the device sent no finite number"),
        (math.inf, "the device sent no finite number"),
        (-math.inf, "the device sent no finite number"),
        (-5.1, "-5.1 °C is below the limit of -5 °C"),
        (50.1, "50.1 °C is above the limit of 50 °C"),
        (True, "on is not a number"),
    ],
)
def test_what_cannot_be_is_out_of_range_and_says_why(value: Value, why: str) -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.now += POLL
    reading = plant.hear(SUPPLY, value)
    assert reading.quality is Quality.OUT_OF_RANGE
    assert reading.good is None
    assert reading.at == NOW
    assert reading.detail == why
    plant.now += POLL
    assert plant.hear(SUPPLY, 6.8) == Reading(6.8, Quality.GOOD, plant.now)


def test_a_number_that_is_none_of_the_states_is_out_of_range() -> None:
    reading = Watched().hear(STATUS, 7.0)
    assert reading.quality is Quality.OUT_OF_RANGE
    assert reading.detail == "state 7 is not one of the point's states"


def test_a_commanded_point_is_believed_beyond_the_limits_of_our_commands() -> None:
    plant = Watched()
    assert plant.hear(SETPOINT, 3.0).good == 3.0
    assert plant.hear(SETPOINT, math.nan).good is None


# --- how old it may be


def test_a_point_that_never_answered_is_missing() -> None:
    assert Watched().miss(SUPPLY) == MISSING


def test_a_value_survives_two_lost_polls_and_then_is_stale() -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    for _ in range(3):
        plant.now += POLL
        assert plant.miss(SUPPLY) == Reading(6.7, Quality.GOOD, NOW)
    plant.now += 0.1
    assert plant.look(SUPPLY) == Reading(6.7, Quality.STALE, NOW)
    assert plant[SUPPLY].good is None


def test_a_stale_value_does_not_come_back_by_itself() -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.now += 100
    stale = plant.look(SUPPLY)
    assert stale.quality is Quality.STALE
    plant.now -= 99
    assert plant.look(SUPPLY) == stale
    assert plant.hear(SUPPLY, 6.8).good == 6.8


def test_a_value_out_of_range_grows_old_from_when_it_was_heard() -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.hear_every(POLL, 100, SUPPLY, 99.0)
    plant.now += POLL
    assert plant.miss(SUPPLY).quality is Quality.OUT_OF_RANGE
    plant.now += 3 * POLL
    assert plant.look(SUPPLY) == Reading(99.0, Quality.STALE, NOW)


def test_a_slow_point_may_be_older_than_a_fast_one() -> None:
    plant = Watched(a_plant())
    plant.hear(SUPPLY, 6.7)
    plant.hear(ENERGY, 1234.0)
    plant.now += 20
    assert plant.look(SUPPLY).quality is Quality.STALE
    plant.now = NOW + 899
    assert plant.look(ENERGY).quality is Quality.GOOD
    plant.now = NOW + 901
    assert plant.look(ENERGY).quality is Quality.STALE


def test_a_point_of_a_slow_bus_is_judged_by_the_interval_that_is_seen() -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.hear_every(20, 20, SUPPLY, 6.7)
    plant.now += 50
    assert plant.look(SUPPLY).quality is Quality.GOOD
    plant.now += 11
    assert plant.look(SUPPLY).quality is Quality.STALE


def test_a_point_heard_ever_more_rarely_is_not_believed_for_ever() -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.hear_every(600, 50, SUPPLY, 6.7)
    plant.now += 3 * NORMAL + 1
    assert plant.look(SUPPLY).quality is Quality.STALE


def test_many_reports_do_not_make_the_silence_after_them_suspicious() -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.judge.reported(frozenset({SUPPLY}))
    plant.hear_every(0.2, 500, SUPPLY, 6.8)
    # Nothing changes any more; it is read only as seldom as the next tier.
    for _ in range(10):
        plant.now += NORMAL
        assert plant.look(SUPPLY).quality is Quality.GOOD
        plant.hear(SUPPLY, 6.8)


def test_looks_after_a_command_do_not_make_the_next_polls_late() -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.hear_every(1.0, 200, SUPPLY, 6.7)
    plant.now += 3 * POLL
    assert plant.look(SUPPLY).quality is Quality.GOOD


def test_a_device_that_no_longer_reports_is_expected_to_answer_polls_again() -> None:
    plant = Watched()
    plant.judge.reported(frozenset({SUPPLY}))
    plant.hear(SUPPLY, 6.7)
    plant.now += 2 * POLL
    plant.judge.reported(frozenset())
    assert plant.look(SUPPLY).quality is Quality.GOOD
    plant.now += 2 * POLL
    assert plant.look(SUPPLY).quality is Quality.STALE


@pytest.mark.parametrize("back", [1.0, 10.0, 3600.0, 86400.0])
def test_a_clock_that_is_set_back_makes_no_old_value_young(back: float) -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.now += 2 * POLL
    plant.look(SUPPLY)
    plant.now -= back
    plant.look(SUPPLY)
    plant.now += 2 * POLL
    assert plant.look(SUPPLY).quality is Quality.STALE


def test_a_clock_that_is_set_back_does_not_blank_what_is_still_heard() -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    plant.now -= 3600
    assert plant.look(SUPPLY).quality is Quality.GOOD
    plant.now += POLL
    assert plant.hear(SUPPLY, 6.7) == Reading(6.7, Quality.GOOD, plant.now)


# --- by hand


def test_what_the_device_says_was_set_by_hand_is_used_and_marked() -> None:
    plant = Watched()
    reading = plant.hear(SUPPLY, 12.0, "out of service at the device")
    assert reading.quality is Quality.OVERRIDDEN
    assert reading.good == 12.0
    assert reading.detail == "out of service at the device"
    plant.now += POLL
    assert plant.look(SUPPLY) == reading
    assert plant.hear(SUPPLY, 6.7).quality is Quality.GOOD


def test_a_hand_does_not_make_an_impossible_value_possible() -> None:
    assert Watched().hear(SUPPLY, math.nan, "by hand").quality is Quality.OUT_OF_RANGE


def test_local_mode_overrides_the_commands_of_a_machine_and_not_its_readings() -> None:
    plant = Watched()
    for key, value in ((SETPOINT, 6.7), (COMMAND, True), (SUPPLY, 6.9)):
        plant.hear(key, value)
    plant.hear(REMOTE, False)
    for key in (SETPOINT, COMMAND):
        reading = plant.look(key)
        assert (reading.quality, reading.detail) == (Quality.OVERRIDDEN, IN_LOCAL_MODE)
        assert reading.good is not None
    assert plant.look(SUPPLY).quality is Quality.GOOD
    assert plant.look(REMOTE).quality is Quality.GOOD
    plant.now += POLL
    assert plant.hear(SETPOINT, 7.0).quality is Quality.OVERRIDDEN

    plant.hear(REMOTE, True)
    assert plant.look(SETPOINT) == Reading(7.0, Quality.GOOD, plant.now)
    assert plant.hear(COMMAND, True).quality is Quality.GOOD


def test_a_lost_remote_mode_overrides_nothing() -> None:
    plant = Watched()
    plant.hear(REMOTE, False)
    for _ in range(4):
        plant.now += POLL
        plant.miss(REMOTE)
        plant.hear(SETPOINT, 6.7)
    assert plant[REMOTE].quality is Quality.STALE
    assert plant.hear(SETPOINT, 6.7).quality is Quality.GOOD


def test_a_command_that_a_higher_priority_holds_is_overridden_until_it_is_let_go() -> (
    None
):
    plant = Watched()
    plant.hear(SETPOINT, 9.0)
    plant.judge.outranked({SETPOINT, COMMAND}, {SETPOINT: "priority 5 holds it at 9"})
    reading = plant.look(SETPOINT)
    assert reading.quality is Quality.OVERRIDDEN
    assert reading.detail == "priority 5 holds it at 9"
    plant.judge.outranked({COMMAND}, {})
    assert plant.look(SETPOINT).quality is Quality.OVERRIDDEN
    plant.judge.outranked({SETPOINT}, {})
    assert plant.look(SETPOINT).quality is Quality.GOOD


# --- whatever comes

STEP = st.tuples(
    st.sampled_from(KEYS),
    st.floats(-7200, 7200) | st.floats(0, 20),
    RAW,
    st.none() | st.just("by hand"),
)


@given(st.lists(STEP, min_size=1, max_size=60))
def test_good_means_sound_and_recent_whatever_comes(
    steps: list[tuple[str, float, Value | None, str | None]],
) -> None:
    plant = Watched()
    lived = 0.0
    heard: dict[str, float] = {}
    for key, wait, value, hand in steps:
        plant.now += wait
        lived += max(wait, 0.0)
        if value is None:
            reading = plant.miss(key)
        else:
            reading = plant.hear(key, value, hand)
            heard[key] = lived
        good = reading.good
        assert not (
            isinstance(reading.value, float) and not math.isfinite(reading.value)
        )
        if reading.quality is Quality.MISSING:
            assert reading.value is None
        if good is None:
            continue
        # The most that the interval seen may let a value of this tier live.
        assert lived - heard[key] <= 3 * NORMAL
        if plant.plant.points[key].role.quantity.is_boolean:
            assert isinstance(good, bool)
        else:
            assert isinstance(good, float)
            assert math.isfinite(good)
        if key == SUPPLY:
            assert -5 <= good <= 50


@given(
    st.lists(st.floats(0.1, 100), max_size=20),
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
)
def test_what_is_not_heard_only_gets_worse(
    gaps: list[float], looks: list[float]
) -> None:
    plant = Watched()
    plant.hear(SUPPLY, 6.7)
    for gap in gaps:
        plant.hear_every(gap, 1, SUPPLY, 6.7)
    was_good = plant[SUPPLY].good is not None
    for wait in looks:
        plant.now += wait
        is_good = plant.look(SUPPLY).good is not None
        assert was_good or not is_good
        was_good = is_good


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from([*KEYS, "stillness", "x"]), inner)
    ),
    max_leaves=20,
)


@given(JSON | JSON.map(lambda rows: {"stillness": rows}))
def test_a_damaged_memory_does_no_harm(data: Any) -> None:
    judge = QualityJudge(fast_plant())
    judge.restore(data)
    rows = judge.as_dict()["stillness"]
    assert rows.keys() == {SUPPLY}
    json.dumps(rows, allow_nan=False)
    for row in rows.values():
        assert all(item is None or math.isfinite(item) for item in row)
        assert all(item >= 0 for item in row[:3])
