"""Plants share event after event: nobody bears more for ever, and nobody is asked twice.

Plants fail, go silent and come back in the middle of events; whatever they do, what is
asked of all of them is what was requested, or all that there is.
"""

from dataclasses import replace
from itertools import combinations

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.demand_response.portfolio import (
    EVENED,
    FAILS_AFTER,
    TRIED_AGAIN_AFTER,
    Deliveries,
    Site,
    hardly_change,
    share,
    slack_kw,
)

NOW = 1_800_000_000.0
LOOK = 60.0
HOUR = 1.0
powers = st.floats(1.0, 5000.0)
portfolios = st.lists(
    st.builds(
        Site,
        key=st.uuids().map(str),
        available_kw=powers,
        confidence=st.floats(0.0, 1.0),
        burden=st.floats(0.0, 50.0),
    ),
    min_size=2,
    max_size=8,
    unique_by=lambda site: site.key,
)
parts = st.floats(0.01, 1.5)
"""What is requested, of all that there is."""


def after(sites: list[Site], requested: float, hours: float = HOUR) -> list[Site]:
    """Return the plants after an event in which each of them delivered its share."""
    shares = share(requested, sites)
    return [
        replace(site, burden=site.burden + hours * shares[site.key] / site.available_kw)
        for site in sites
    ]


def whole(sites: list[Site]) -> float:
    return sum(site.limit for site in sites)


@given(portfolios, parts, st.floats(0.1, 1.0))
def test_an_event_sets_equally_sure_plants_no_further_apart(
    sites: list[Site], part: float, confidence: float
) -> None:
    sites = [replace(site, confidence=confidence) for site in sites]
    later = after(sites, part * whole(sites))
    for (a, b), (then_a, then_b) in zip(
        combinations(sites, 2), combinations(later, 2), strict=True
    ):
        gap, then = abs(a.burden - b.burden), abs(then_a.burden - then_b.burden)
        assert then <= max(gap, HOUR) + 1e-6


@settings(max_examples=25)
@given(portfolios, st.floats(0.05, 0.4))
def test_over_many_events_every_plant_bears_as_much_as_the_others(
    sites: list[Site], part: float
) -> None:
    for _ in range(3000):
        before, sites = sites, after(sites, part * whole(sites), hours=4.0)
    bore = [now.burden - then.burden for now, then in zip(sites, before, strict=True)]
    # How sure a plant is only decides who bears first.
    assert max(bore) == pytest.approx(min(bore), rel=0.15)
    burdens = [site.burden for site in sites]
    assert max(burdens) - min(burdens) < 10.0 * EVENED + 4.0


@given(portfolios, parts, st.data())
def test_plants_that_go_are_made_up_and_are_not_doubled_when_they_come_back(
    sites: list[Site], part: float, data: st.DataObject
) -> None:
    requested = part * whole(sites)
    shares = share(requested, sites)
    gone = data.draw(st.sets(st.sampled_from([site.key for site in sites])))
    left = [
        replace(site, available_kw=0.0) if site.key in gone else site for site in sites
    ]
    meanwhile = share(requested, left)
    assert all(meanwhile[key] == 0.0 for key in gone)
    assert sum(meanwhile.values()) == pytest.approx(min(requested, whole(left)))
    assert all(
        meanwhile[site.key] >= shares[site.key] - 1e-6
        for site in left
        if site.key not in gone
    )
    assert share(requested, sites) == shares


@given(
    portfolios,
    parts,
    st.lists(st.lists(st.floats(0.0, 1.2), min_size=8, max_size=8), max_size=60),
)
def test_whatever_plants_deliver_no_more_is_asked_than_was_requested(
    sites: list[Site], part: float, delivered: list[list[float]]
) -> None:
    requested = part * whole(sites)
    watch = Deliveries()
    shares = share(requested, sites)
    for number, step in enumerate(delivered):
        brought = {
            site.key: of * shares[site.key]
            for site, of in zip(sites, step, strict=False)
        }
        failing = watch.step(NOW + number * LOOK, shares, brought)
        now = [
            replace(
                site,
                delivered_kw=brought[site.key],
                failing=site.key in failing,
            )
            for site in sites
        ]
        shares = share(requested, now)
        assert sum(shares.values()) == pytest.approx(min(requested, whole(now)))
        for site in now:
            assert shares[site.key] <= site.limit + 1e-9


def test_a_plant_that_fails_and_recovers_has_its_share_again_and_no_more() -> None:
    sites = [Site("mall", 300.0), Site("office", 300.0)]
    watch, shares, told = Deliveries(), share(200.0, sites), []
    for number in range(int((FAILS_AFTER + TRIED_AGAIN_AFTER) / LOOK) + 2):
        # The mall brings nothing for the first ten minutes, then what it is asked for.
        mall = 0.0 if number < 10 else shares["mall"]
        brought = {"mall": mall, "office": shares["office"]}
        failing = watch.step(NOW + number * LOOK, shares, brought)
        shares = share(
            200.0,
            [
                replace(
                    site,
                    delivered_kw=brought[site.key],
                    failing=site.key in failing,
                )
                for site in sites
            ],
        )
        assert sum(shares.values()) == pytest.approx(200.0)
        told.append((shares["mall"], shares["office"]))
    assert told[0] == (100.0, 100.0)
    assert (0.0, 200.0) in told
    assert told[-1] == (100.0, 100.0)


@given(portfolios, parts, st.data())
def test_shares_that_stay_leave_little_with_plants_that_cannot(
    sites: list[Site], part: float, data: st.DataObject
) -> None:
    requested = part * whole(sites)
    before = share(requested, sites)
    less = [
        replace(site, available_kw=site.available_kw * data.draw(st.floats(0.0, 1.0)))
        for site in sites
    ]
    wanted = share(requested, less)
    if hardly_change(before, wanted, requested):
        lost = sum(max(before[site.key] - site.limit, 0.0) for site in less)
        assert lost <= slack_kw(requested) + 1e-6


def test_many_small_plants_that_are_gone_are_made_up() -> None:
    small = [Site(f"shop_{number}", 15.0) for number in range(40)]
    sites = [Site("mill", 3000.0), *small]
    before = share(900.0, sites)
    gone = [replace(site, available_kw=0.0) for site in small]
    now = share(900.0, [sites[0], *gone])
    assert not hardly_change(before, now, 900.0)
    assert hardly_change(before, before, 900.0)
