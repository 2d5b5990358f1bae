"""Several plants share what is asked for, and none is asked for what it has not."""

from dataclasses import replace
from math import inf, nan

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.demand_response.portfolio import (
    FAILS_AFTER,
    TRIED_AGAIN_AFTER,
    Deliveries,
    Site,
    share,
)

NOW = 1_800_000_000.0
power = st.floats(0.0, 5000.0)
site_lists = st.lists(
    st.builds(
        Site,
        key=st.uuids().map(str),
        available_kw=power,
        confidence=st.floats(0.0, 1.0),
        burden=st.floats(0.0, 200.0),
        delivered_kw=power,
        failing=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda site: site.key,
)


@given(site_lists, st.floats(0.0, 20_000.0))
def test_the_shares_are_what_was_asked_for_or_all_that_there_is(
    sites: list[Site], requested: float
) -> None:
    shares = share(requested, sites)
    limit = sum(site.limit for site in sites)
    assert sum(shares.values()) == pytest.approx(min(requested, limit), abs=1e-6)
    for site in sites:
        assert 0.0 <= shares[site.key] <= site.limit + 1e-9
        assert shares[site.key] <= site.available_kw + 1e-9


@given(site_lists, st.floats(0.0, 20_000.0))
def test_the_order_of_the_plants_does_not_matter(
    sites: list[Site], requested: float
) -> None:
    forth, back = share(requested, sites), share(requested, sites[::-1])
    assert forth == pytest.approx(back, abs=1e-6)


@given(site_lists.filter(bool), st.floats(0.0, 20_000.0), st.floats(0.0, 50.0))
def test_who_bore_more_is_asked_for_no_more(
    sites: list[Site], requested: float, more: float
) -> None:
    worn = [replace(sites[0], burden=sites[0].burden + more), *sites[1:]]
    key = sites[0].key
    assert share(requested, worn)[key] <= share(requested, sites)[key] + 1e-6


@given(site_lists.filter(bool), st.floats(0.0, 20_000.0), st.floats(0.0, 1.0))
def test_who_is_surer_is_asked_for_no_less(
    sites: list[Site], requested: float, confidence: float
) -> None:
    key, before = sites[0].key, sites[0].confidence
    surer = [replace(sites[0], confidence=max(before, confidence)), *sites[1:]]
    assert share(requested, surer)[key] >= share(requested, sites)[key] - 1e-6


def test_plants_give_in_proportion_to_what_they_have() -> None:
    sites = [Site("mall", 600.0), Site("office", 200.0)]
    assert share(400.0, sites) == pytest.approx({"mall": 300.0, "office": 100.0})


def test_a_plant_that_fails_is_made_up_by_the_others() -> None:
    sites = [Site("mall", 600.0), Site("office", 200.0), Site("hotel", 400.0)]
    asked = share(600.0, sites)
    failed = [replace(sites[0], failing=True, delivered_kw=50.0), *sites[1:]]
    again = share(600.0, failed)
    assert again["mall"] == pytest.approx(50.0)
    assert sum(again.values()) == pytest.approx(600.0)
    assert again["office"] > asked["office"]
    assert again["hotel"] > asked["hotel"]


def test_over_many_events_all_bear_the_same() -> None:
    sites = [Site("worn", 300.0, burden=12.0), Site("new", 300.0), Site("big", 900.0)]
    for _ in range(200):
        shares = share(500.0, sites)
        sites = [
            replace(site, burden=site.burden + shares[site.key] / site.available_kw)
            for site in sites
        ]
    burdens = [site.burden for site in sites]
    # Twelve hours apart at the beginning, after 200 events of an hour.
    assert max(burdens) - min(burdens) < 0.5


@pytest.mark.parametrize("odd", [nan, inf, -100.0])
def test_a_figure_that_is_none_asks_nothing_of_a_plant(odd: float) -> None:
    shares = share(100.0, [Site("odd", odd), Site("well", 300.0)])
    assert shares == {"odd": 0.0, "well": pytest.approx(100.0)}
    assert share(odd, [Site("well", 300.0)]) == {"well": 0.0}


def test_the_same_key_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="same key"):
        share(100.0, [Site("a", 1.0), Site("a", 2.0)])


def test_a_short_shortfall_is_forgiven_and_a_long_one_is_not() -> None:
    watch = Deliveries()
    asked = {"mall": 300.0}
    assert not watch.step(NOW, asked, {"mall": 100.0})
    assert not watch.step(NOW + FAILS_AFTER - 1, asked, {"mall": 250.0})
    assert not watch.step(NOW + FAILS_AFTER, asked, {"mall": 100.0})
    assert watch.step(NOW + 2 * FAILS_AFTER, asked, {"mall": 100.0}) == {"mall"}


def test_a_plant_that_failed_is_tried_again_later() -> None:
    watch = Deliveries()
    watch.step(NOW, {"mall": 300.0}, {"mall": None})
    failed = NOW + FAILS_AFTER
    assert watch.step(failed, {"mall": 300.0}, {}) == {"mall"}
    # Asked for what it delivers, it seems to deliver.
    assert watch.step(failed + 60, {"mall": 100.0}, {"mall": 100.0}) == {"mall"}
    assert not watch.step(failed + TRIED_AGAIN_AFTER, {"mall": 100.0}, {"mall": 100.0})


def test_a_plant_that_left_is_forgotten() -> None:
    watch = Deliveries()
    watch.step(NOW, {"mall": 300.0}, {})
    assert watch.step(NOW + FAILS_AFTER, {"mall": 300.0}, {}) == {"mall"}
    assert not watch.step(NOW + FAILS_AFTER + 1, {}, {})
    assert not watch.step(NOW + FAILS_AFTER + 2, {"mall": 300.0}, {})
