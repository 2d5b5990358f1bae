"""Whatever a history says: a start within its bounds, and a stop within comfort."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf, nan
from typing import Any

from adaptive_building import MONDAY, Building, at, started, stopped
from chiller_control.control.adaptive_recovery import drifts_of
from chiller_control.control.optimal_start.drift import (
    DriftSelector,
    enough_for,
    towards,
)
from chiller_control.control.optimal_start.models import Model, all_models
from chiller_control.control.optimal_start.recovery import Conditions, recovery_from
from chiller_control.control.optimal_start.selector import Selector
from hypothesis import example, given, settings, strategies as st
import pytest

SETPOINT = 24.0
NONSENSE = st.sampled_from(
    [nan, inf, -inf, -1.0, 0.0, 1e300, -1e300, 10**400, None, True, "long", [], {}]
)


def perhaps(usual: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    """Return something usual, or nonsense of any kind."""
    return usual | NONSENSE


def kept(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return a start or a stop as a plan may tell it, spoiled in some fields."""
    return st.fixed_dictionaries(
        {
            "kind": st.just(kind),
            "at": perhaps(st.floats(0.0, MONDAY.timestamp())),
            "minutes": perhaps(st.floats(1.0, 600.0)),
            "zone": perhaps(st.floats(15.0, 35.0)),
            "setpoint": perhaps(st.just(SETPOINT)),
            "outdoor": perhaps(st.floats(-10.0, 45.0)),
            "off_hours": perhaps(st.floats(0.0, 100.0)),
        },
        optional={
            "heating": st.booleans(),
            "reached": st.booleans(),
            "coasting": st.booleans(),
            "predicted": NONSENSE,
        },
    )


def histories(kind: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return histories, with and without what makes sense, some days twice."""
    made = started if kind == "start" else stopped
    good = st.builds(made, st.integers(1, 29), st.floats(1.0, 600.0))
    return st.lists(kept(kind) | good, max_size=25).flatmap(
        lambda items: st.just(items + items[:3])
    )


TEMPERATURE = st.none() | st.floats(10.0, 50.0) | st.sampled_from([-127.0, 850.0])


@given(
    histories("start"),
    TEMPERATURE,
    TEMPERATURE,
    st.none() | st.floats(-20.0, 60.0),
    st.integers(0, 120),
    st.integers(0, 120),
    st.floats(0.0, 5.0),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_start_is_never_outside_its_bounds(
    history: list[dict[str, Any]],
    east: float | None,
    west: float | None,
    outdoor: float | None,
    latest: int,
    more: int,
    margin: float,
    heats: bool,
) -> None:
    earliest = max(1, latest + more)
    building = Building(
        history=history,
        config={
            "latest_start": latest,
            "earliest_start": earliest,
            "start_margin": margin,
        },
        temperatures={"east": east, "west": west},
        outdoor=outdoor,
        heats=heats,
        now=at(8) - timedelta(minutes=earliest + 3),
    )
    begun = building.goes_on_at()
    assert at(8) - timedelta(minutes=earliest) <= begun
    assert begun <= at(8) - timedelta(minutes=latest)


@given(histories("start"), st.floats(10.0, 45.0), st.floats(0.0, 15.0))
@settings(max_examples=40, deadline=None)
def test_warmer_zones_are_never_started_later(
    history: list[dict[str, Any]], zone: float, warmer: float
) -> None:
    def begun(temperature: float) -> datetime:
        return Building(
            history=history,
            temperatures={"east": temperature, "west": 20.0},
            now=at(4, 58),
        ).goes_on_at()

    assert begun(zone + warmer) <= begun(zone)


def learnt(history: list[dict[str, Any]], model: Model | Selector) -> None:
    for item in history:
        recovery = recovery_from(item)
        if recovery is not None:
            model.learn(recovery)


@pytest.mark.parametrize(
    "make", [lambda index=index: all_models()[index] for index in range(8)]
)
@given(histories("start"), st.floats(-20.0, 45.0), st.sampled_from([10.0, 60.0]))
@example([started(day, 100.0 / day, way=float(day)) for day in range(1, 9)], 30, 10)
@settings(max_examples=30, deadline=None)
def test_no_model_says_after_any_history_that_a_longer_way_is_quicker(
    make: Callable[[], Model],
    history: list[dict[str, Any]],
    outdoor: float,
    off: float,
) -> None:
    model = make()
    learnt(history, model)
    said = [
        model.minutes(Conditions(SETPOINT + way, SETPOINT, outdoor, off))
        for way in (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
    ]
    known = [item for item in said if item is not None]
    assert len(known) in (0, len(said))
    for shorter, longer in pairwise(known):
        assert longer >= shorter - 1e-6 * abs(shorter)


@given(histories("start"), st.floats(-20.0, 45.0), st.sampled_from([10.0, 60.0]))
@settings(max_examples=60, deadline=None)
def test_nor_does_the_one_that_is_believed(
    history: list[dict[str, Any]], outdoor: float, off: float
) -> None:
    selector = Selector()
    learnt(history, selector)
    said = [
        selector.estimate(Conditions(SETPOINT + way, SETPOINT, outdoor, off))
        for way in (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
    ]
    known = [item.with_margin(1.0) for item in said if item is not None]
    assert len(known) in (0, len(said))
    for shorter, longer in pairwise(known):
        assert longer >= shorter - 1e-6 * abs(shorter)


@given(
    histories("stop"),
    TEMPERATURE,
    TEMPERATURE,
    st.none() | st.floats(-20.0, 60.0),
    st.integers(1, 240),
    st.floats(0.0, 5.0),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_stop_is_never_before_its_bound_and_only_where_comfort_lasts(
    history: list[dict[str, Any]],
    east: float | None,
    west: float | None,
    outdoor: float | None,
    earliest: int,
    margin: float,
    heats: bool,
) -> None:
    building = Building(
        history=history,
        config={
            "adaptive_start": False,
            "adaptive_stop": True,
            "earliest_stop": earliest,
            "start_margin": margin,
        },
        temperatures={"east": east, "west": west},
        outdoor=outdoor,
        heats=heats,
        now=at(18) - timedelta(minutes=earliest + 3),
    )
    while building.step().state == "on":
        building.now += timedelta(minutes=1)
    end = at(18)
    assert end - timedelta(minutes=earliest) <= building.now <= end
    if building.now == end:
        return
    zones = [value for value in (east, west) if value is not None]
    selector = DriftSelector(drifts_of(tuple(history)))
    ways = [towards(max(zones), 25.0, outdoor, "cooling")]
    if heats:
        ways.append(towards(min(zones), 23.0, outdoor, "heating"))
    left = (end - building.now).total_seconds() / 60.0
    lasts = [
        enough_for(estimate, margin)
        for way in ways
        if (estimate := selector.estimate(way)) is not None
    ]
    assert max(lasts) >= left
    assert all(value <= 25.0 for value in zones) or heats
