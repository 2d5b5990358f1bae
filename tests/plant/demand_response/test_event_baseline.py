"""The load that an event is held against, whatever is known of the past."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from appdaemon.apps.chiller_control.control.demand_response.grid_event import (
    GridEvent,
    Interval,
    Signal,
)
from appdaemon.apps.chiller_control.control.demand_response.requested_load import (
    Terms as EngineTerms,
    requested_load,
)
from custom_components.chiller_plant.plant.demand_response.baselines import METHODS
from custom_components.chiller_plant.plant.demand_response.event_baseline import (
    EventBaseline,
    EventTimes,
    event_baseline,
    no_baseline,
    without_outages,
)
from custom_components.chiller_plant.plant.demand_response.load_days import (
    LoadDay,
    load_days,
)
from custom_components.chiller_plant.plant.demand_response.requested import (
    Terms,
    reduction_at,
    requested_kw,
)

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
HOUR = 3600.0


def weekend(day: date) -> bool:
    return day.weekday() >= 5


def by_the_clock(local: datetime) -> float:
    """Return the load of a building that follows the clock on its wall."""
    return 60.0 if weekend(local.date()) else 100.0 + 10.0 * local.hour


def history(
    until: float,
    zone: tzinfo,
    load: Callable[[datetime], float] = by_the_clock,
    days: int = 45,
    air_until: float | None = None,
) -> list[LoadDay]:
    """Return the hours of UTC until a moment, as Home Assistant keeps them."""
    last = int(until // HOUR)
    means = [
        (
            hour * HOUR,
            # Hours of UTC begin at half past in some zones: what both halves came to.
            sum(
                load(
                    datetime.fromtimestamp(hour * HOUR + 1800.0 * half, UTC).astimezone(
                        zone
                    )
                )
                for half in (0, 1)
            )
            / 2.0,
        )
        for hour in range(last - 24 * days, last)
    ]
    air = {
        hour * HOUR: (25.0 + hour % 7,)
        for hour in range(last - 24 * days, int((air_until or 0.0) // HOUR))
    }
    return load_days(means, zone, weekend, {}, air)


def at(zone: tzinfo, *when: int) -> float:
    return datetime(*when, tzinfo=zone).timestamp()  # type: ignore[misc,arg-type]


def made(
    begins: float,
    hours: float,
    zone: tzinfo,
    *,
    notice: float = HOUR,
    method: str | None = None,
    latest: float | None = None,
    days: list[LoadDay] | None = None,
) -> EventBaseline:
    times = EventTimes(begins, begins + hours * HOUR, begins - notice)
    known = history(times.received, zone) if days is None else days
    return event_baseline(times, known, weekend, zone, method=method, latest=latest)


def test_it_tells_the_hour_before_and_the_six_after() -> None:
    begins = at(BERLIN, 2026, 6, 24, 14, 30)
    found = made(begins, 2, BERLIN)
    assert found.spans[0][0] == begins - HOUR
    assert found.spans[-1][1] == begins + 8 * HOUR
    for (_, end, _), (start, _, _) in zip(found.spans, found.spans[1:], strict=False):
        assert end == start
    for start, _, load in found.spans:
        assert load == pytest.approx(
            by_the_clock(datetime.fromtimestamp(start, BERLIN))
        )
    assert (found.method, found.confidence, found.eligible) == (
        "ten_of_ten",
        "high",
        True,
    )
    assert "off by 0 % on" in found.why
    assert len(found.days) == 10


@pytest.mark.parametrize("method", [*METHODS])
def test_what_was_chosen_is_used(method: str) -> None:
    begins = at(BERLIN, 2026, 6, 24, 14)
    days = history(begins - HOUR, BERLIN, air_until=begins + 2 * HOUR)
    found = made(begins, 2, BERLIN, method=method, days=days)
    assert found.method == method
    assert found.mean(begins, begins + 2 * HOUR) == pytest.approx(245.0, abs=30.0)


def test_nobody_knows_the_weather_of_an_event_before_it_is_over() -> None:
    begins = at(BERLIN, 2026, 6, 24, 14)
    days = history(begins - HOUR, BERLIN, air_until=begins + HOUR)
    found = made(begins, 2, BERLIN, method="weather", days=days)
    assert found.method == "ten_of_ten"
    assert "the weather of the event is not known yet" in found.why


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        (KOLKATA, (2026, 6, 24, 14)),
        (KOLKATA, (2026, 6, 24, 14, 30)),
        # The Monday after clocks went forward, and after they went back.
        (BERLIN, (2026, 3, 30, 9)),
        (BERLIN, (2026, 10, 26, 9)),
        (BERLIN, (2026, 3, 27, 22)),
    ],
)
def test_the_clock_on_the_wall_decides_in_every_zone(
    zone: tzinfo, begins: tuple[int, ...]
) -> None:
    begin = at(zone, *begins)
    found = made(begin, 2, zone)
    assert found.eligible
    mean = found.mean(begin, begin + 2 * HOUR)
    truth = (
        sum(
            by_the_clock(datetime.fromtimestamp(begin + 1800.0 * half + 1.0, zone))
            for half in range(4)
        )
        / 4
    )
    assert mean == pytest.approx(truth, abs=5.0)


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)])
def test_on_the_day_that_clocks_change_every_second_has_a_load(
    day: tuple[int, int, int],
) -> None:
    begins = at(BERLIN, *day, 1)
    found = made(begins, 4, BERLIN)
    assert found.spans[0][0] == begins - HOUR
    assert found.spans[-1][1] == begins + 10 * HOUR
    assert {load for _, _, load in found.spans} == {60.0}, "a Sunday"
    assert found.mean(begins, begins + 4 * HOUR) == pytest.approx(60.0)


def test_an_event_of_days_is_made_of_parts() -> None:
    begins = at(BERLIN, 2026, 6, 24, 6)
    found = made(begins, 36, BERLIN)
    assert found.eligible
    for start, _, load in found.spans:
        assert load == pytest.approx(
            by_the_clock(datetime.fromtimestamp(start, BERLIN)), abs=1.0
        )


def test_a_day_ahead_nothing_is_known_of_the_day_itself() -> None:
    begins = at(BERLIN, 2026, 6, 24, 14)
    found = made(begins, 2, BERLIN, notice=20 * HOUR)
    assert found.method == "ten_of_ten"
    assert "not fitted to the day" in found.why
    assert found.mean(begins, begins + HOUR) == pytest.approx(240.0)


def test_without_days_the_last_hour_counts_and_without_hours_the_last_minutes() -> None:
    begins = at(BERLIN, 2026, 6, 24, 14)
    short = made(begins, 2, BERLIN, days=history(begins - HOUR, BERLIN, days=1))
    assert (short.method, short.eligible) == ("last_hour", False)
    assert "there is no day to try it on" in short.why
    assert short.mean(begins, begins + HOUR) == pytest.approx(220.0)
    bare = made(begins, 2, BERLIN, days=[], latest=333.0)
    assert (bare.method, bare.confidence, bare.eligible) == (
        "last_five_minutes",
        "unknown",
        False,
    )
    assert bare.mean(begins - HOUR, begins + 5 * HOUR) == 333.0
    nothing = made(begins, 2, BERLIN, days=[])
    assert (nothing.method, nothing.spans) == ("none", ())
    assert nothing.mean(begins, begins + HOUR) is None
    assert "the meter says nothing" in nothing.why


def test_a_method_that_cannot_say_is_named_with_its_reason() -> None:
    begins = at(BERLIN, 2026, 6, 24, 14)
    days = history(begins - 14 * HOUR, BERLIN)
    found = made(begins, 2, BERLIN, notice=20 * HOUR, method="match_day", days=days)
    assert found.method == "ten_of_ten"
    assert "match_day: fewer than 3 hours" in found.why


def test_days_without_power_are_not_like_others() -> None:
    begins = at(BERLIN, 2026, 6, 24, 14)
    dark = date(2026, 6, 22)

    def load(local: datetime) -> float:
        return 0.0 if local.date() == dark else by_the_clock(local)

    days = without_outages(history(begins - HOUR, BERLIN, load))
    assert [day.day for day in days if day.excluded] == [dark]
    found = made(begins, 2, BERLIN, days=days)
    assert dark.isoformat() not in found.days
    assert found.mean(begins, begins + HOUR) == pytest.approx(240.0)
    asleep = [LoadDay(dark + timedelta(days=n), False, {0: 0.0}) for n in range(5)]
    assert without_outages(asleep) == asleep, "a plant that is off is no outage"
    assert without_outages([]) == []


def test_it_is_the_same_after_it_was_written_and_read() -> None:
    found = made(at(BERLIN, 2026, 6, 24, 14), 2, BERLIN)
    assert EventBaseline.restore(found.as_dict()) == found
    assert found.told()["kw"][0] == [*found.spans[0]]


def test_an_event_without_time_has_no_baseline() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        made(0.0, 0.0, UTC, days=[])


_SIGNALS = {
    "load_setpoint": (150.0, 0.0, 400.0),
    "load_delta": (-50.0, -500.0, 20.0),
    "load_multiplier": (0.5, 1.0, 0.0),
    "capacity": (0.3, 0.6, 1.0),
    "percent_offset": (-20.0, -100.0, 10.0),
    "level_offset": (-1.0, -5.0, 2.0),
    "simple": (1.0, 3.0, 0.0),
    "price": (0.1, 0.5, 2.0),
}
_LEVELS = (0.1, 0.2, 0.4)
_PRICES = ((0.3, 1), (1.0, 3))


@pytest.mark.parametrize("capacity", [None, 500.0])
@pytest.mark.parametrize("kind", _SIGNALS)
@pytest.mark.parametrize("ramp", [0.0, 1200.0])
def test_what_was_asked_for_is_what_the_engine_was_asked_for(
    kind: str, ramp: float, capacity: float | None
) -> None:
    intervals = [
        {"duration": 1800.0, "value": value} for value in (*_SIGNALS[kind], None)
    ]
    spans = ((0.0, 3600.0, 300.0), (3600.0, 7200.0, 200.0))
    said = EventBaseline(0.0, 7200.0, 0.0, "ten_of_ten", "high", True, "", spans)
    event = GridEvent(
        "1",
        "utility",
        0,
        0,
        0.0,
        7200.0,
        (Signal(kind, tuple(Interval(**item) for item in intervals)),),  # type: ignore[arg-type]
        0.0,
        ramp=ramp,
    )
    terms = EngineTerms(_LEVELS, _PRICES, capacity)
    asked = []
    for second in range(30, 7200, 60):
        load = said.mean(second, second + 1)
        assert load is not None
        now = requested_load(event, "site", float(second), load, terms)
        asked.append(0.0 if now is None else now.reduction_kw)
    found = requested_kw(
        0.0,
        7200.0,
        # The more exact one counts.
        [
            {"kind": "price", "intervals": [{"duration": 1.0, "value": 9.0}]},
            {"kind": kind, "intervals": intervals},
        ][kind == "price" :],
        ramp,
        said,
        Terms(_LEVELS, _PRICES, capacity),
    )
    assert found == pytest.approx(sum(asked) / len(asked))
    for second, reduction in zip(range(30, 7200, 60), asked, strict=True):
        load = said.mean(second, second + 1)
        assert load is not None
        now_asked = reduction_at(
            float(second),
            [{"kind": kind, "intervals": intervals}],
            ramp,
            load,
            Terms(_LEVELS, _PRICES, capacity),
        )
        assert (now_asked or 0.0) == pytest.approx(reduction)


def test_nothing_is_asked_for_where_nothing_is_known() -> None:
    times = EventTimes(0.0, HOUR, 0.0)
    signal = [{"kind": "simple", "intervals": [{"duration": HOUR, "value": 1.0}]}]
    terms = Terms(_LEVELS, (), None)
    assert requested_kw(0.0, HOUR, signal, 0.0, no_baseline(times, ""), terms) is None
    said = EventBaseline(
        0.0, HOUR, 0.0, "last_hour", "low", False, "", ((0.0, HOUR, 9.0),)
    )
    assert requested_kw(0.0, HOUR, [], 0.0, said, terms) is None
    assert requested_kw(0.0, HOUR, signal, 0.0, said, terms) == pytest.approx(0.9)
