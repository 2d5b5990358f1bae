"""What several plants take together; a sum says whom it holds."""

from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.demand_response.portfolio_sum import (
    IN_PART,
    NO_BASELINE,
    NO_ENGINE,
    NO_METER,
    NOT_HEARD,
    Part,
    kw_at,
    load_and_baseline,
    more,
    sum_of,
)

PLANT = Part("Plant", True, 300.0, 320.0, 50.0)
ANNEX = Part("Annex", True, 100.0, 110.0, 20.0)
parts = st.lists(
    st.builds(
        Part,
        st.uuids().map(str),
        st.booleans(),
        st.none() | st.floats(0.0, 5000.0),
        st.none() | st.floats(0.0, 5000.0),
        st.none() | st.floats(0.0, 5000.0),
    ),
    max_size=6,
)


def test_all_plants_are_in_the_sum() -> None:
    load, baseline = load_and_baseline([PLANT, ANNEX], event=True)
    assert (load.kw, baseline.kw) == (400.0, 430.0)
    assert load.plants == baseline.plants == ("Plant", "Annex")
    assert not load.left_out
    assert more([PLANT, ANNEX]).kw == 70.0


@pytest.mark.parametrize(
    ("annex", "why"),
    [
        (replace(ANNEX, heard=False), NOT_HEARD),
        (replace(ANNEX, load_kw=None), NO_METER),
        (replace(ANNEX, baseline_kw=None), NO_BASELINE),
    ],
)
def test_who_is_left_out_of_one_is_left_out_of_both(annex: Part, why: str) -> None:
    load, baseline = load_and_baseline([PLANT, annex], event=True)
    assert (load.kw, baseline.kw) == (300.0, 320.0)
    assert load.left_out == baseline.left_out == {"Annex": why}


def test_without_an_event_no_baseline_is_needed() -> None:
    load, baseline = load_and_baseline(
        [replace(PLANT, baseline_kw=None), replace(ANNEX, baseline_kw=None)],
        event=False,
    )
    assert (load.kw, baseline.kw) == (400.0, None)


def test_a_load_is_told_where_no_baseline_is_known_at_all() -> None:
    load, baseline = load_and_baseline(
        [replace(PLANT, baseline_kw=None), replace(ANNEX, baseline_kw=None)],
        event=True,
    )
    assert (load.kw, baseline.kw) == (400.0, None)
    assert not load.left_out


def test_a_part_of_a_plant_that_leads_others_is_said() -> None:
    load, _ = load_and_baseline([PLANT, replace(ANNEX, complete=False)], event=True)
    assert load.kw == 400.0
    assert load.left_out == {"Annex": IN_PART}


def test_who_cannot_say_what_it_could_shed_is_left_out_of_that_only() -> None:
    silent = replace(ANNEX, more_kw=None)
    assert more([PLANT, silent]).left_out == {"Annex": NO_ENGINE}
    load, _ = load_and_baseline([PLANT, silent], event=True)
    assert load.kw == 400.0


@given(parts, st.booleans())
def test_what_is_between_load_and_baseline_is_of_the_same_plants(
    given_parts: list[Part], event: bool
) -> None:
    load, baseline = load_and_baseline(given_parts, event=event)
    by_name = {part.name: part for part in given_parts}
    assert set(load.plants) | set(load.left_out) == set(by_name)
    if baseline.kw is not None:
        assert baseline.plants == load.plants
        assert baseline.kw == pytest.approx(
            sum(by_name[name].baseline_kw or 0.0 for name in baseline.plants)
        )


def test_baselines_are_added_where_all_of_them_are_known() -> None:
    hours = ((0.0, 60.0, 10.0), (60.0, 120.0, 20.0))
    whole = ((30.0, 240.0, 5.0),)
    assert sum_of([hours, whole]) == ((30.0, 60.0, 15.0), (60.0, 120.0, 25.0))
    assert sum_of([hours, ()]) == ()
    assert sum_of([]) == ()
    assert kw_at(hours, 60.0) == 20.0
    assert kw_at(hours, 120.0) is None
