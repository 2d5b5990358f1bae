"""An event is settled by what was measured, and by nothing else."""

from datetime import UTC, date, datetime

import pytest

from custom_components.chiller_plant.plant.demand_response.baselines import Baseline
from custom_components.chiller_plant.plant.demand_response.performance import (
    Performance,
    performance,
)
from custom_components.chiller_plant.plant.demand_response.placebo import Placebo

START = datetime(2026, 6, 24, 14, 30, tzinfo=UTC).timestamp()
END = START + 2 * 3600
SAID = Baseline(
    "ten_of_ten",
    date(2026, 6, 24),
    {840: 300.0, 900: 320.0, 960: 340.0},
    (),
    "not fitted to the day",
)
SURE = Placebo("ten_of_ten", 20, 0.08, 0.08, 0.0)
UNSURE = Placebo("ten_of_ten", 20, 0.4, 0.4, 0.0)


def settled(
    samples: list[tuple[float, float | None]],
    requested: float = 100.0,
    trust: Placebo | None = SURE,
) -> Performance:
    return performance(START, END, requested, SAID, trust, samples, UTC)


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
    assert not settled(every_minute(220.0), trust=UNSURE).eligible
    untried = settled(every_minute(220.0), trust=None)
    assert (untried.confidence, untried.eligible) == ("unknown", False)


def test_more_than_the_load_cannot_be_a_target() -> None:
    found = settled(every_minute(0.0), requested=1000.0)
    assert found.target_kw == 0.0
    assert found.shed_percent == pytest.approx(32.0)
    assert settled(every_minute(220.0), requested=0.0).shed_percent is None
