"""What was asked of a plant in an event can be told afterwards, as it changed."""

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.demand_response.asked_over import (
    MOST_SPANS,
    AskedOver,
)

NOW = 1_800_000_000.0


def test_what_is_asked_for_again_holds_longer_and_is_one_span() -> None:
    asked = AskedOver()
    asked.ask(NOW, NOW + 180, 40.0, 100.0)
    asked.ask(NOW + 60, NOW + 240, 40.0, 100.0)
    assert asked.as_list() == [[NOW, NOW + 240, 40.0, 100.0]]


def test_something_else_is_asked_for_from_then_on() -> None:
    asked = AskedOver()
    asked.ask(NOW, NOW + 180, 40.0, 100.0)
    asked.ask(NOW + 60, NOW + 240, 80.0, 100.0)
    assert asked.last == (NOW + 60, NOW + 240, 80.0, 100.0)
    assert asked.mean(NOW, NOW + 120) == pytest.approx((60.0, 100.0))


def test_nothing_is_asked_for_where_it_ran_out() -> None:
    asked = AskedOver()
    asked.ask(NOW, NOW + 100, 40.0, 100.0)
    asked.ask(NOW + 150, NOW + 200, 40.0, 100.0)
    assert asked.mean(NOW, NOW + 200) == pytest.approx((30.0, 75.0))


def test_it_survives_a_restart() -> None:
    asked = AskedOver()
    asked.ask(NOW, NOW + 100, 40.0, 100.0)
    assert AskedOver(asked.as_list()).as_list() == asked.as_list()
    with pytest.raises(ValueError, match="unpack"):
        AskedOver([[1.0]])


@given(st.lists(st.tuples(st.floats(1.0, 300.0), st.floats(0.0, 500.0)), min_size=2))
def test_however_often_it_changes_it_is_bounded_and_the_energy_stays(
    steps: list[tuple[float, float]],
) -> None:
    asked, at, energy = AskedOver(), NOW, 0.0
    for number in range(MOST_SPANS + 20):
        seconds, kw = steps[number % len(steps)]
        # Never the same twice, which would be one span.
        kw += 1000.0 * number
        asked.ask(at, at + seconds, kw, 2 * kw)
        energy += seconds * kw
        at += seconds
    assert len(asked.as_list()) == MOST_SPANS
    own, every = asked.mean(NOW, at)
    assert own * (at - NOW) == pytest.approx(energy, rel=1e-6)
    assert every == pytest.approx(2 * own)
