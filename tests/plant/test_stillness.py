"""A sensor is found frozen only where nothing healthy stands still for so long."""

import json
import math

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.model import Plant, Value
from custom_components.chiller_plant.plant.quality import QualityJudge
from custom_components.chiller_plant.plant.reading import MISSING, Quality, Reading
from custom_components.chiller_plant.plant.roles import EquipmentType, PollTier

from .factories import make_equipment, make_plant

HOUR = 3600.0
DAY = 24 * HOUR
SUPPLY = "chiller_1.chilled_water_supply_temperature"
LOAD = "chiller_1.load"
STATUS = "chiller_1.run_status"
HEADER = "plant.chilled_water_flow"
ENERGY = "meter_1.energy"
OUTDOOR = "weather.outdoor_temperature"
EVERY = {"tier": PollTier.SLOW}
"""Seconds of a simulated fortnight are cheaper when few of them are looked at."""


def a_plant(**supply: object) -> Plant:
    """Return a plant with measurements of each kind."""
    return make_plant(
        make_equipment(
            "plant", EquipmentType.PLANT, {"chilled_water_flow": {**EVERY, "high": 90}}
        ),
        make_equipment(
            "chiller_1",
            EquipmentType.CHILLER,
            {
                "run_status": EVERY,
                "load": EVERY,
                "chilled_water_supply_temperature": {
                    **EVERY,
                    "low": -5.0,
                    "high": 50.0,
                    **supply,
                },
            },
        ),
        make_equipment("meter_1", EquipmentType.METER, {"energy": EVERY}),
        make_equipment(
            "weather", EquipmentType.WEATHER_STATION, {"outdoor_temperature": EVERY}
        ),
    )


class Fortnight:
    """A plant that is looked at every five minutes."""

    def __init__(self, plant: Plant | None = None) -> None:
        """Everything answers, nothing runs."""
        self.plant = plant or a_plant()
        self.judge = QualityJudge(self.plant)
        self.now = 1_790_000_000.0
        self.values: dict[str, Value] = {
            STATUS: False,
            LOAD: 55.0,
            SUPPLY: 6.7,
            HEADER: 40.0,
            ENERGY: 1000.0,
            OUTDOOR: 31.0,
        }
        self.readings = dict.fromkeys(self.plant.points, MISSING)
        self.ever: dict[str, set[Quality]] = {key: set() for key in self.values}

    def live(self, seconds: float, *lively: str, step: float = 300.0) -> None:
        """Let time pass; the lively points change at each look."""
        for n in range(int(seconds / step)):
            self.now += step
            for key in lively:
                self.values[key] = float(self.values[key]) + (0.1, -0.1)[n % 2]
            self.look()

    def look(self) -> None:
        """Hear every point."""
        for key, value in self.values.items():
            self.readings[key] = reading = self.judge.heard(
                self.now,
                self.plant.points[key],
                value,
                overridden=None,
                previous=self.readings[key],
            )
            self.ever[key].add(reading.quality)

    def quality(self, key: str) -> Quality:
        """Return how far a point is trusted now."""
        reading: Reading = self.readings[key]
        return reading.quality


def proven() -> Fortnight:
    """Return a plant whose chiller has run for three days, its sensors alive."""
    plant = Fortnight()
    plant.values[STATUS] = True
    plant.live(3 * DAY, SUPPLY, HEADER, OUTDOOR)
    return plant


def test_a_sensor_that_stops_moving_while_its_chiller_runs_is_frozen() -> None:
    plant = proven()
    plant.live(1.5 * HOUR, HEADER)
    assert plant.quality(SUPPLY) is Quality.FROZEN
    assert plant.readings[SUPPLY].good is None
    assert plant.readings[SUPPLY].detail == "has not changed for more than 1 h"
    assert plant.quality(HEADER) is Quality.GOOD


def test_the_first_change_unfreezes_and_the_same_stillness_is_not_blamed_again() -> (
    None
):
    plant = proven()
    plant.live(5 * HOUR)
    assert plant.quality(SUPPLY) is Quality.FROZEN
    plant.live(300, SUPPLY)
    assert plant.quality(SUPPLY) is Quality.GOOD
    plant.live(14 * HOUR)
    assert plant.quality(SUPPLY) is Quality.GOOD
    plant.live(3 * HOUR)
    assert plant.quality(SUPPLY) is Quality.FROZEN


def test_nothing_is_frozen_before_it_has_proven_lively() -> None:
    plant = Fortnight()
    plant.values[STATUS] = True
    plant.live(1.9 * DAY, SUPPLY)
    plant.live(10 * DAY)
    assert plant.ever[SUPPLY] == {Quality.GOOD}


def test_a_plant_that_is_off_for_the_winter_starts_with_all_its_sensors() -> None:
    plant = proven()
    plant.values[STATUS] = False
    plant.live(2 * HOUR, SUPPLY, HEADER)
    plant.live(90 * DAY)
    assert plant.quality(SUPPLY) is Quality.GOOD
    assert plant.quality(HEADER) is Quality.GOOD
    # The first minutes of the first morning: the water has not moved yet.
    plant.values[STATUS] = True
    plant.live(0.9 * HOUR)
    assert plant.quality(SUPPLY) is Quality.GOOD


def test_a_plant_that_rests_each_night_and_weekend_never_loses_a_sensor() -> None:
    plant = Fortnight()
    for day in range(28):
        plant.values[STATUS] = False
        plant.live(8 * HOUR)
        plant.values[STATUS] = day % 7 < 5
        plant.live(10 * HOUR, *([SUPPLY, HEADER] if day % 7 < 5 else []))
        plant.values[STATUS] = False
        plant.live(6 * HOUR)
    assert plant.ever[SUPPLY] == {Quality.GOOD}
    assert plant.ever[HEADER] == {Quality.GOOD}


def test_a_coarse_sensor_is_given_the_time_that_it_always_took() -> None:
    plant = proven()
    for _ in range(40):
        plant.live(2.5 * HOUR)
        plant.live(300, SUPPLY)
    # It was found frozen once at most: the first time it took so long.
    plant.ever[SUPPLY].clear()
    plant.live(7 * HOUR)
    assert plant.ever[SUPPLY] == {Quality.GOOD}


def test_a_sensor_that_rarely_moves_is_never_judged() -> None:
    plant = Fortnight()
    plant.values[STATUS] = True
    for _ in range(100):
        plant.live(3 * HOUR)
        plant.live(300, SUPPLY)
    plant.live(30 * DAY, step=600)
    assert plant.ever[SUPPLY] == {Quality.GOOD}


def test_weather_must_have_been_seen_for_a_week() -> None:
    plant = proven()
    plant.live(2 * DAY, SUPPLY)
    assert plant.quality(OUTDOOR) is Quality.GOOD
    plant.live(7 * DAY, OUTDOOR)
    plant.live(5 * DAY)
    assert plant.quality(OUTDOOR) is Quality.GOOD
    plant.live(2 * DAY)
    # Three times the two days that it once stood still.
    assert plant.quality(OUTDOOR) is Quality.FROZEN


@pytest.mark.parametrize("rest", [0.0, -5.0, 50.0])
def test_zero_and_the_limits_of_a_range_are_rest(rest: float) -> None:
    plant = proven()
    plant.values[SUPPLY] = rest
    plant.live(30 * DAY)
    assert plant.quality(SUPPLY) is Quality.GOOD


def test_states_counters_and_percentages_never_freeze() -> None:
    plant = proven()
    plant.live(10 * DAY, SUPPLY, LOAD, ENERGY)
    plant.live(30 * DAY, SUPPLY)
    for key in (STATUS, LOAD, ENERGY):
        assert plant.ever[key] == {Quality.GOOD}


def test_an_outage_and_a_leap_of_the_clock_are_not_stillness() -> None:
    plant = proven()
    plant.now += 30 * DAY
    plant.look()
    assert plant.quality(SUPPLY) is Quality.GOOD
    plant.live(0.9 * HOUR)
    assert plant.quality(SUPPLY) is Quality.GOOD


def test_the_plant_file_can_say_when_a_sensor_is_frozen() -> None:
    plant = Fortnight(a_plant(frozen_after=2 * HOUR))
    plant.live(1.9 * HOUR)
    assert plant.quality(SUPPLY) is Quality.GOOD
    plant.live(0.5 * HOUR)
    assert plant.quality(SUPPLY) is Quality.FROZEN


def test_the_plant_file_can_say_that_a_sensor_never_freezes() -> None:
    plant = Fortnight(a_plant(frozen_after=0.0))
    plant.values[STATUS] = True
    plant.live(3 * DAY, SUPPLY)
    plant.live(30 * DAY)
    assert plant.ever[SUPPLY] == {Quality.GOOD}


def test_what_a_hand_holds_still_is_not_the_sensors_fault() -> None:
    plant = proven()
    for _ in range(100):
        plant.now += 300
        plant.judge.heard(
            plant.now,
            plant.plant.points[SUPPLY],
            7.0,
            overridden="by hand",
            previous=plant.readings[SUPPLY],
        )
    plant.values[SUPPLY] = 7.0
    plant.live(300)
    assert plant.quality(SUPPLY) is Quality.GOOD


def test_what_was_learned_survives_a_restart() -> None:
    before = proven()
    before.live(1.5 * HOUR)
    assert before.quality(SUPPLY) is Quality.FROZEN
    after = Fortnight()
    after.values = dict(before.values)
    after.judge.restore(json.loads(json.dumps(before.judge.as_dict())))
    assert after.judge.as_dict() == before.judge.as_dict()
    after.live(300)
    assert after.quality(SUPPLY) is Quality.FROZEN
    # A sensor that moved meanwhile is alive.
    moved = Fortnight()
    moved.values = {**before.values, SUPPLY: 8.0}
    moved.judge.restore(before.judge.as_dict())
    moved.live(300)
    assert moved.quality(SUPPLY) is Quality.GOOD


NOISE = st.lists(
    st.tuples(
        st.floats(1, 1000),
        st.sampled_from([0.0, 6.5, 7.0, math.nan, 99.0]),
        st.booleans(),
    ),
    max_size=40,
)


@given(NOISE)
@settings(deadline=None)
def test_memory_is_restored_as_it_was_whatever_happened(
    happened: list[tuple[float, float, bool]],
) -> None:
    plant = Fortnight()
    for wait, value, running in happened:
        plant.now += wait
        plant.values[SUPPLY] = value
        plant.values[STATUS] = running
        plant.look()
        assert plant.quality(STATUS) is not Quality.FROZEN
    told = plant.judge.as_dict()
    again = QualityJudge(plant.plant)
    again.restore(json.loads(json.dumps(told, allow_nan=False)))
    assert again.as_dict() == told
