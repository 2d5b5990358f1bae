"""An event is settled by what was measured, and by nothing else."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.demand_response.event_baseline import (
    EventBaseline,
    Spans,
)
from custom_components.chiller_plant.plant.demand_response.performance import (
    Performance,
    performance,
)

START = datetime(2026, 6, 24, 14, 30, tzinfo=UTC).timestamp()
END = START + 2 * 3600
HALF = 1800.0


def said(spans: Spans, confidence: str = "high") -> EventBaseline:
    return EventBaseline(
        START,
        END,
        START - 3600.0,
        "ten_of_ten",
        confidence,  # type: ignore[arg-type]
        confidence == "high",
        "not fitted to the day",
        spans,
    )


USUAL: Spans = (
    (START - HALF, START + HALF, 300.0),
    (START + HALF, START + 3 * HALF, 320.0),
    (START + 3 * HALF, START + 5 * HALF, 340.0),
)


def settled(
    samples: list[tuple[float, float | None]],
    requested: float = 100.0,
    confidence: str = "high",
) -> Performance:
    return performance(START, END, requested, said(USUAL, confidence), samples)


def every_minute(load: float, minutes: int = 120) -> list[tuple[float, float | None]]:
    return [(START + 60 * minute, load) for minute in range(minutes)]


def test_an_event_that_was_kept_is_settled_in_full() -> None:
    found = settled(every_minute(220.0))
    assert found.baseline_kw == pytest.approx(320.0)
    assert found.target_kw == pytest.approx(220.0)
    assert found.actual_kw == pytest.approx(220.0)
    assert found.achieved_kw == pytest.approx(100.0)
    assert found.shed_percent == pytest.approx(100.0)
    assert found.energy_kwh == pytest.approx(200.0)
    assert (found.samples, found.covered) == (120, 1.0)
    assert (found.confidence, found.eligible) == ("high", True)


def test_readings_weigh_by_how_long_they_held() -> None:
    found = settled([(START - 10, 320.0), (START + 600, 120.0), (START + 900, 220.0)])
    # The last reading holds for a quarter of an hour; the rest is not known.
    assert found.covered == pytest.approx(1800 / 7200)
    assert found.actual_kw == pytest.approx((600 * 320 + 300 * 120 + 900 * 220) / 1800)
    assert not found.eligible


def test_what_was_not_measured_is_judged_by_nothing() -> None:
    lost: list[tuple[float, float | None]] = [(START + 1800, None)]
    found = settled([*every_minute(200.0, 30), *lost])
    # Half past two to three: only that half hour's baseline counts.
    assert found.achieved_kw == pytest.approx(100.0)
    assert found.energy_kwh == pytest.approx(50.0)
    assert found.covered == pytest.approx(0.25)
    nothing = settled([])
    assert nothing.actual_kw is None
    assert nothing.achieved_kw is None
    assert nothing.energy_kwh is None
    assert not nothing.eligible


def test_a_load_that_rose_is_a_negative_achievement() -> None:
    found = settled(every_minute(420.0))
    assert found.achieved_kw == pytest.approx(-100.0)
    assert found.shed_percent == pytest.approx(-100.0)


def test_a_site_that_cannot_be_foretold_is_not_eligible() -> None:
    assert not settled(every_minute(220.0), confidence="low").eligible
    untried = settled(every_minute(220.0), confidence="unknown")
    assert (untried.confidence, untried.eligible) == ("unknown", False)


def test_more_than_the_load_cannot_be_a_target() -> None:
    found = settled(every_minute(0.0), requested=1000.0)
    assert found.target_kw == 0.0
    assert found.shed_percent == pytest.approx(32.0)
    assert settled(every_minute(220.0), requested=0.0).shed_percent is None


def test_a_baseline_of_another_time_settles_nothing() -> None:
    with pytest.raises(KeyError, match="no baseline"):
        performance(START, END, 0.0, said(USUAL[:1]), every_minute(1.0))
    with pytest.raises(KeyError, match="no baseline"):
        performance(START, END, 0.0, said(()), [])


_kw = st.floats(0.0, 5000.0)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(_kw, min_size=3, max_size=3),
    st.lists(st.tuples(st.floats(1.0, 800.0), _kw), min_size=12, max_size=40),
    st.floats(0.0, 2000.0),
)
def test_any_load_is_settled_by_its_mean_over_time(
    usual: list[float], steps: list[tuple[float, float]], requested: float
) -> None:
    """Whatever the shape: achieved is mean less mean, energy mean times time."""
    at = START
    samples: list[tuple[float, float | None]] = []
    while at < END:
        for seconds, load in steps:
            samples.append((at, load))
            at += seconds
    found = performance(
        START,
        END,
        requested,
        said(tuple((a, b, kw) for (a, b, _), kw in zip(USUAL, usual, strict=True))),
        samples,
    )
    # Told by another road: what each second of the event came to.
    used = sum(
        load * max(min(until, END) - since, 0.0)
        for ((since, load), (until, _)) in pairwise([*samples, (max(at, END), 0.0)])
        if load is not None
    ) / (END - START)
    expected = (usual[0] + 2 * usual[1] + usual[2]) / 4
    assert found.covered == pytest.approx(1.0)
    assert found.actual_kw == pytest.approx(used, abs=1e-6)
    assert found.baseline_kw == pytest.approx(expected, abs=1e-6)
    assert found.achieved_kw == pytest.approx(expected - used, abs=1e-6)
    assert found.energy_kwh == pytest.approx(2 * (expected - used), abs=1e-6)
    assert found.target_kw == pytest.approx(max(expected - requested, 0.0), abs=1e-6)
    if requested > 0.0:
        assert found.shed_percent == pytest.approx(
            100 * (expected - used) / requested, rel=1e-6, abs=1e-6
        )
