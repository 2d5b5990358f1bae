"""When a load counts as on its way down or up."""

from chiller_control.control.staging_conditions import StagingConditions
from chiller_control.control.staging_config import StagingConfig
from chiller_control.control.staging_trend import LoadTrend
from factories import first, plan_of, staging
import pytest

MINUTE = 60.0


def seen(*quarters: float) -> LoadTrend:
    """Return a trend of so many kW, a quarter of an hour each."""
    trend = LoadTrend()
    now = 0.0
    trend.observe(now, quarters[0])
    for load in quarters:
        for _ in range(15):
            now += MINUTE
            trend.observe(now, load)
    return trend


def test_a_load_that_falls_falls_on() -> None:
    # 100 kW in half an hour, so 200 in the next hour.
    assert seen(1400.0, 1350.0, 1300.0).falls_to == pytest.approx(1100.0)


@pytest.mark.parametrize(
    "quarters",
    [
        (1400.0, 1300.0),
        (1400.0, 1300.0, 1310.0),
        (1300.0, 1350.0, 1200.0),
        (1300.0, 1300.0, 1300.0),
    ],
)
def test_a_load_that_does_not_fall_steadily_is_not_foretold(
    quarters: tuple[float, ...],
) -> None:
    assert seen(*quarters).falls_to is None


def test_the_last_three_quarters_count() -> None:
    assert seen(900.0, 1400.0, 1350.0, 1300.0).falls_to == pytest.approx(1100.0)
    assert seen(1400.0, 1350.0, 1300.0, 1320.0).falls_to is None


def test_a_silence_or_another_stage_begins_anew() -> None:
    trend = seen(1400.0, 1350.0, 1300.0)
    trend.observe(3 * 900.0 + 1000.0, 1290.0)
    assert trend.falls_to is None
    trend = seen(1400.0, 1350.0, 1300.0)
    trend.clear()
    assert trend.falls_to is None


def test_a_load_that_rises_rises_on_at_the_slower_of_its_paces() -> None:
    # 40 kW in the last quarter of an hour, so 320 in the next two hours.
    assert seen(1200.0, 1300.0, 1340.0).rises_to == pytest.approx(1660.0)


@pytest.mark.parametrize(
    "quarters",
    [
        (1200.0, 1300.0),
        (1200.0, 1300.0, 1290.0),
        (1300.0, 1300.0, 1350.0),
        (1400.0, 1350.0, 1300.0),
    ],
)
def test_a_load_that_does_not_rise_steadily_is_not_foretold(
    quarters: tuple[float, ...],
) -> None:
    assert seen(*quarters).rises_to is None


def test_no_load_is_less_than_none() -> None:
    assert seen(300.0, 150.0, 20.0).falls_to == 0.0


def went_down(falling: float, *, by: float) -> float | None:
    """Return the load of the lower stage at which a falling load takes one off."""
    built = plan_of(staging(2))
    conditions = StagingConditions(StagingConfig(first(built)))
    load = 1500.0
    for minute in range(1200):
        now = minute * MINUTE
        load -= by
        conditions.observe(
            now, (1407.0, 1407.0), load, 7.0, 7.0, (105.0, 80.0, falling, 105.0, 105.0)
        )
        if conditions.stage_down(now) is not None:
            return 100.0 * load / 1407.0
    return None


def test_a_falling_load_takes_a_chiller_off_sooner() -> None:
    sooner, later = went_down(98.0, by=2.5), went_down(80.0, by=2.5)
    assert sooner is not None
    assert later is not None
    assert later < 80.0
    assert later + 6.0 < sooner < 98.0


def test_a_load_that_hardly_falls_waits_for_the_threshold() -> None:
    # In an hour it is 2 % less: still more than the lower stage is trusted with.
    found = went_down(98.0, by=0.4)
    assert found is not None
    assert found < 84.0


def went_up(rising: float, most: float, *, by: float) -> float | None:
    """Return the load of the stage at which a rising load, kW a minute, adds one."""
    built = plan_of(staging(2))
    conditions = StagingConditions(StagingConfig(first(built)))
    load = 400.0
    for minute in range(1200):
        now = minute * MINUTE
        load = min(load + by, 1500.0)
        conditions.observe(
            now, (1407.0,), load, 7.0, 7.0, (105.0, 80.0, 80.0, rising, most)
        )
        if conditions.stage_up(now) is not None:
            return 100.0 * load / 1407.0
    return None


def test_a_chiller_that_will_be_needed_comes_as_soon_as_it_costs_nothing() -> None:
    sooner, later = went_up(60.0, 105.0, by=4.0), went_up(105.0, 105.0, by=4.0)
    assert sooner is not None
    assert later is not None
    assert later > 105.0
    assert 60.0 < sooner < 80.0


def test_a_chiller_that_will_not_be_needed_has_to_earn_its_start() -> None:
    # In two hours it is 17 % more: at 60 % that is no reason, at 90 % it is.
    found = went_up(60.0, 105.0, by=2.0)
    assert found is not None
    assert found > 88.0
