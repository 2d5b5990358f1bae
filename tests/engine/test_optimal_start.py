"""How long a building takes: learnt from what was measured, and from nothing else."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import log
from random import Random

from chiller_control.control.optimal_start.drift import (
    Drift,
    DriftSelector,
    enough_for,
    towards,
)
from chiller_control.control.optimal_start.least_squares import RecursiveLeastSquares
from chiller_control.control.optimal_start.models import Model, Regression, all_models
from chiller_control.control.optimal_start.recovery import (
    Conditions,
    Mode,
    Recovery,
    recovery_from,
)
from chiller_control.control.optimal_start.selector import (
    FIRST_DAYS,
    HISTORY,
    HISTORY_AFTER_DAY_OFF,
    Selector,
    learn_all,
    worth_keeping,
)
from chiller_control.control.optimal_start.tutorial_compat import Day, TutorialModel3
from hypothesis import given, settings, strategies as st
import pytest

SETPOINT = 24.0
Building = Callable[[Conditions], float]


def linear(conditions: Conditions) -> float:
    """Answer as a building that a regression can know exactly."""
    return 15.0 + 20.0 * conditions.distance + 2.0 * conditions.load


def first_order(conditions: Conditions) -> float:
    return 10.0 + 40.0 * log((conditions.distance + 0.5) / 0.5)


def mornings(
    building: Building,
    days: int,
    *,
    seed: int = 1,
    noise: float = 0.0,
    mode: Mode = "cooling",
) -> list[Recovery]:
    random = Random(seed)
    sign = 1.0 if mode == "cooling" else -1.0
    found = []
    for day in range(days):
        conditions = Conditions(
            SETPOINT + sign * random.uniform(1.0, 4.0),
            SETPOINT,
            SETPOINT + sign * random.uniform(0.0, 6.0),
            60.0 if day % 7 == 0 else 12.0,
            mode,
        )
        minutes = building(conditions) + random.gauss(0.0, noise)
        found.append(Recovery(conditions, max(1.0, minutes), at=86400.0 * day))
    return found


def learnt(recoveries: list[Recovery]) -> Selector:
    selector = Selector()
    for recovery in recoveries:
        selector.learn(recovery)
    return selector


# The tutorial's formula


def tutorial() -> TutorialModel3:
    model = TutorialModel3()
    model.learn(
        Day(*day)
        for day in (
            (50, 10, 120),
            (48, 12, 115),
            (52, 8, 125),
            (50, 11, 118),
            (51, 9, 122),
            (49, 13, 110),
            (47, 14, 108),
        )
    )
    return model


def test_tutorial_prints_what_it_always_printed() -> None:
    model = tutorial()
    printed = (model.minutes(48, 12), model.a, model.b, model.d)
    assert [f"{value:.2f}" for value in printed] == [
        "180.00",
        "7.76",
        "2.44",
        "-628.77",
    ]
    assert f"{model.unclamped(48, 12):.1f}" == "817.9"


def test_second_parameter_of_the_tutorial_has_no_effect() -> None:
    model = tutorial()
    changed = replace(model, b=1000.0 * model.b)
    assert changed.unclamped(60, 40) == pytest.approx(model.unclamped(60, 40))


@given(st.floats(10.0, 300.0), st.floats(10.0, 300.0))
def test_third_parameter_of_the_tutorial_learns_nothing_about_minutes(
    one: float, other: float
) -> None:
    quick, slow = TutorialModel3(), TutorialModel3()
    quick.learn([Day(50, 10, one)])
    slow.learn([Day(50, 10, other)])
    assert quick.d == pytest.approx(slow.d)


def test_a_day_on_which_the_tutorial_would_divide_by_zero_is_left_out() -> None:
    model = TutorialModel3()
    model.learn([Day(70, 10, 60), Day(50, 70, 60)])
    assert model == TutorialModel3()


# Least squares


def test_coefficients_of_a_linear_law_are_found() -> None:
    fit = RecursiveLeastSquares((0.0, 0.0), doubt=(100.0, 100.0), clip=1000.0)
    random = Random(3)
    for _ in range(200):
        way = random.uniform(0.0, 5.0)
        fit.learn((1.0, way), 12.0 + 30.0 * way, 1.0)
    assert fit.coefficients == pytest.approx([12.0, 30.0], abs=0.5)


def test_one_wild_day_moves_the_answer_no_more_than_a_clipped_one() -> None:
    def after(last: float) -> float:
        fit = RecursiveLeastSquares((40.0,), doubt=(40.0,))
        for _ in range(10):
            fit.learn((1.0,), 50.0, 10.0)
        fit.learn((1.0,), last, 10.0)
        return fit.answer((1.0,))

    assert after(5000.0) == pytest.approx(after(111.0))


def test_what_is_never_seen_does_not_make_a_later_day_explode() -> None:
    """Forgetting makes the covariance grow for a feature that is always zero."""
    fit = RecursiveLeastSquares((40.0, 0.0), doubt=(30.0, 20.0))
    for _ in range(2000):
        fit.learn((1.0, 0.0), 50.0, 10.0)
    fit.learn((1.0, 1.0), 70.0, 10.0)
    assert 49.0 <= fit.answer((1.0, 0.0)) <= 60.0
    assert 50.0 <= fit.answer((1.0, 1.0)) <= 71.0


# The models


@pytest.mark.parametrize("index", range(len(all_models())))
@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 12.0),
            st.floats(-20.0, 20.0),
            st.floats(1.0, 600.0),
            st.floats(0.0, 100.0),
        ),
        min_size=1,
        max_size=25,
    ),
    st.floats(-20.0, 20.0),
)
@settings(max_examples=40, deadline=None)
def test_no_model_says_that_a_longer_way_takes_less_time(
    index: int, days: list[tuple[float, float, float, float]], outdoor: float
) -> None:
    model: Model = all_models()[index]
    for way, outside, minutes, off in days:
        model.learn(
            Recovery(
                Conditions(SETPOINT + way, SETPOINT, SETPOINT + outside, off), minutes
            )
        )
    said = [
        model.minutes(Conditions(SETPOINT + way, SETPOINT, SETPOINT + outdoor))
        for way in (0.5, 1.0, 2.0, 4.0, 8.0)
    ]
    minutes = [value for value in said if value is not None]
    assert len(minutes) in (0, 5)
    for shorter, longer in pairwise(minutes):
        assert longer >= shorter - 1e-6 * abs(shorter)


@pytest.mark.parametrize("mode", ["cooling", "heating"])
def test_regression_knows_a_linear_building_after_a_month(mode: Mode) -> None:
    model = Regression()
    days = mornings(linear, 60, mode=mode)
    for day in days[:30]:
        model.learn(day)
    errors = [abs((model.minutes(d.conditions) or 0.0) - d.minutes) for d in days[30:]]
    assert max(errors) < 5.0


def test_models_do_without_an_outdoor_sensor() -> None:
    days = [
        replace(day, conditions=replace(day.conditions, outdoor=None))
        for day in mornings(first_order, 30)
    ]
    estimate = learnt(days).estimate(days[-1].conditions)
    assert estimate is not None
    assert abs(estimate.minutes - days[-1].minutes) < 12.0


# The selector


def test_nothing_is_said_before_a_few_days_are_known() -> None:
    days = mornings(linear, 20)
    usual = Conditions(26.0, SETPOINT, 27.0)
    assert learnt(days[: FIRST_DAYS - 1]).estimate(usual) is None
    assert learnt(days[:FIRST_DAYS]).estimate(usual) is not None


def test_nothing_is_said_of_the_first_day_after_a_day_off() -> None:
    usual = [day for day in mornings(linear, 20) if not day.conditions.after_day_off]
    monday = Conditions(28.0, SETPOINT, 27.0, off_hours=60.0)
    assert learnt(usual).estimate(monday) is None
    known = learnt([*usual, Recovery(monday, linear(monday))])
    assert known.estimate(monday) is not None


@pytest.mark.parametrize("building", [linear, first_order])
def test_believed_model_is_one_that_has_been_right(building: Building) -> None:
    days = mornings(building, 80, noise=3.0)
    selector = learnt(days[:40])
    errors = []
    for day in days[40:]:
        estimate = selector.estimate(day.conditions)
        assert estimate is not None
        errors.append(abs(estimate.minutes - day.minutes))
        selector.learn(day)
    assert sum(errors) / len(errors) < 7.0


def test_margin_covers_most_days() -> None:
    days = mornings(linear, 120, noise=8.0)
    selector = learnt(days[:20])
    late = 0
    for day in days[20:]:
        estimate = selector.estimate(day.conditions)
        assert estimate is not None
        late += day.minutes > estimate.with_margin(1.65) + 1.0
        selector.learn(day)
    assert late <= 14


def test_one_odd_day_changes_nothing_and_two_alike_do() -> None:
    days = mornings(lambda conditions: 60.0, 20)
    usual = days[-2].conditions
    odd = Recovery(usual, 230.0, at=1e9)
    selector = learnt(days)
    before = selector.estimate(usual)
    selector.learn(odd)
    assert selector.estimate(usual) == before
    selector.learn(odd)
    after = selector.estimate(usual)
    assert before is not None and after is not None
    assert after.minutes > before.minutes + 15.0


def test_a_building_that_was_not_there_in_time_is_not_learnt_as_quick() -> None:
    """A start that is cut off after 30 minutes does not say that 30 are enough."""
    days = mornings(lambda conditions: 90.0, 20)
    usual = days[-2].conditions
    selector = learnt(days)
    before = selector.estimate(usual)
    selector.learn(Recovery(usual, 30.0, at=1e9, reached=False))
    assert selector.estimate(usual) == before


def test_heating_and_cooling_are_learnt_apart() -> None:
    cooling = mornings(lambda conditions: 40.0, 12)
    heating = mornings(lambda conditions: 160.0, 12, mode="heating")
    selectors = learn_all([*cooling, *heating])
    cold = selectors["heating"].estimate(heating[-2].conditions)
    warm = selectors["cooling"].estimate(cooling[-2].conditions)
    assert warm is not None and warm.minutes == pytest.approx(40.0, abs=8.0)
    assert cold is not None and cold.minutes == pytest.approx(160.0, abs=25.0)


def test_history_is_bounded_and_its_order_does_not_matter() -> None:
    days = mornings(linear, HISTORY + 30, noise=5.0)
    usual = days[-2].conditions
    shuffled = list(days)
    Random(4).shuffle(shuffled)
    kept = learn_all(shuffled)["cooling"]
    assert kept.days <= HISTORY + HISTORY_AFTER_DAY_OFF
    assert kept.estimate(usual) == learn_all(days)["cooling"].estimate(usual)
    assert worth_keeping(days)[-HISTORY:] == days[-HISTORY:]


def test_few_days_after_a_day_off_are_kept_longer_than_others() -> None:
    usual = [d for d in mornings(linear, 200) if not d.conditions.after_day_off]
    old = Recovery(Conditions(29.0, SETPOINT, 28.0, 60.0), 150.0, at=1.0)
    assert worth_keeping([old, *usual])[0] == old
    assert old in worth_keeping(worth_keeping([old, *usual]))


@given(
    st.lists(
        st.builds(
            Recovery,
            st.builds(
                Conditions,
                st.floats(-10.0, 50.0),
                st.floats(15.0, 28.0),
                st.none() | st.floats(-40.0, 50.0),
                st.floats(0.0, 500.0),
                st.sampled_from(["cooling", "heating"]),
            ),
            st.floats(-10.0, 2000.0),
            st.floats(0.0, 1e9),
            st.none(),
            st.booleans(),
        ),
        max_size=70,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_was_recorded_an_estimate_is_a_number_of_minutes(
    recoveries: list[Recovery],
) -> None:
    for mode, selector in learn_all(recoveries).items():
        for way in (0.0, 2.0, 10.0):
            zone = SETPOINT + (way if mode == "cooling" else -way)
            for off in (10.0, 60.0):
                said = selector.estimate(Conditions(zone, SETPOINT, 30.0, off, mode))
                if said is not None:
                    assert 0.0 <= said.minutes < 1e5
                    assert 0.0 < said.spread < 1e5


def test_a_recovery_that_makes_no_sense_is_not_read() -> None:
    good = {"zone": 27, "setpoint": 24, "off_hours": 12, "minutes": 60, "at": 5}
    assert recovery_from(good) is not None
    for field, value in (
        ("minutes", 0),
        ("minutes", "long"),
        ("minutes", float("nan")),
        ("minutes", 100_000),
        ("zone", 23),
        ("zone", None),
    ):
        assert recovery_from(good | {field: value}) is None
    del good["at"]
    assert recovery_from(good) is None


# The stop


def drifts(coasting: bool, minutes_a_kelvin: float, days: int = 15) -> list[Drift]:
    random = Random(7)
    found = []
    for day in range(days):
        zone = random.uniform(23.5, 24.5)
        conditions = towards(zone, 25.0, random.uniform(28.0, 33.0), "cooling")
        minutes = minutes_a_kelvin * conditions.distance
        found.append(Drift(Recovery(conditions, minutes, at=86400.0 * day), coasting))
    return found


def test_comfort_lasts_as_long_as_it_did() -> None:
    selector = DriftSelector(drifts(coasting=True, minutes_a_kelvin=40.0))
    estimate = selector.estimate(towards(24.0, 25.0, 30.0, "cooling"))
    assert estimate is not None
    assert estimate.minutes == pytest.approx(40.0, abs=6.0)
    assert enough_for(estimate, 1.0) < estimate.minutes
    assert enough_for(estimate, 1000.0) == 0.0


def test_an_empty_building_says_half_as_much() -> None:
    selector = DriftSelector(drifts(coasting=False, minutes_a_kelvin=80.0))
    estimate = selector.estimate(towards(24.0, 25.0, 30.0, "cooling"))
    assert estimate is not None
    assert estimate.minutes == pytest.approx(40.0, abs=6.0)
    assert "empty" in estimate.model


def test_nothing_lasts_beyond_the_limit_or_without_history() -> None:
    conditions = towards(24.0, 25.0, 30.0, "cooling")
    assert DriftSelector().estimate(conditions) is None
    selector = DriftSelector(drifts(coasting=True, minutes_a_kelvin=40.0))
    assert selector.estimate(towards(25.5, 25.0, 30.0, "cooling")) is None


def test_nearer_to_the_limit_than_ever_comfort_does_not_last_as_usual() -> None:
    known = [
        Drift(
            Recovery(towards(24.0, 25.0, 30.0, "cooling"), 60.0, at=86400.0 * day), True
        )
        for day in range(5)
    ]
    selector = DriftSelector(known)
    estimate = selector.estimate(towards(24.9, 25.0, 30.0, "cooling"))
    assert estimate is not None
    assert estimate.minutes < 10.0
