"""What is given back after an event still takes load when the evening's is small."""

from collections.abc import Callable

from chiller_control.control.decision import Inputs
from chiller_control.control.demand_response.load_ahead import (
    ROOMS_SHOW,
    SHOWS,
    least_ahead,
)
from chiller_control.control.demand_response.measures import Measure
from chiller_control.control.demand_response.requested_load import RequestedLoad
from chiller_control.control.demand_response.shedding import Shedding
from chiller_control.control.demand_response.shedding_terms import Demand
from hypothesis import given, strategies as st

NOW = 1_800_000_000.0
HOUR = 3600.0
METER = "meter.power"


def hourly(*loads: float) -> Callable[[float], Demand | None]:
    """Return a baseline that is told by the hour, from two hours before now on."""

    def demand(at: float) -> Demand | None:
        place = int((at - NOW) // HOUR) + 2
        return Demand(loads[place], None) if 0 <= place < len(loads) else None

    return demand


def test_a_steady_load_may_be_what_it_is() -> None:
    assert least_ahead(hourly(500, 500, 500, 500), NOW, ROOMS_SHOW) == 500.0


def test_a_load_that_is_about_to_fall_counts_before_it_falls() -> None:
    falls = hourly(500, 500, 500, 250, 250)
    far, near = (least_ahead(falls, NOW, ahead) for ahead in (SHOWS, ROOMS_SHOW))
    assert near is not None and far is not None
    assert 250.0 < near < far <= 500.0
    # Shortly before, the rooms have to do with what there is then.
    assert least_ahead(falls, NOW + 3000.0, ROOMS_SHOW) == 250.0


def test_the_end_of_an_hour_is_not_taken_for_its_mean() -> None:
    falls = hourly(500, 500, 500, 300)
    found = least_ahead(falls, NOW + 3000.0, 0.0)
    assert found is not None
    assert 300.0 < found < 500.0


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert least_ahead(lambda at: None, NOW, ROOMS_SHOW) is None
    again = RequestedLoad(400.0, 100.0, "another event")
    assert least_ahead(lambda at: Demand(500.0, again), NOW, ROOMS_SHOW) is None


@given(
    st.lists(st.floats(1.0, 1e4), min_size=6, max_size=6),
    st.floats(0.0, HOUR),
    st.floats(0.0, ROOMS_SHOW),
)
def test_it_is_never_beyond_what_is_told_nor_more_for_looking_further(
    loads: list[float], later: float, ahead: float
) -> None:
    demand = hourly(*loads)
    now = NOW + later
    found = least_ahead(demand, now, ahead)
    further = least_ahead(demand, now, ROOMS_SHOW)
    assert found is not None and further is not None
    assert min(loads) * 0.999999 <= further <= found <= max(loads) * 1.000001


FOUNTAIN = Measure("a", "Fountain", "switch_off", ("fountain.run_command",), 1, 10.0)
ROOM = Measure(
    "b", "Room", "raise", ("room.setpoint",), 2, 10.0, levels=4, step=0.2, bound=27.0
)
LIMIT = Measure(
    "c", "Limit", "limit", ("chiller.limit",), 4, 20.0, levels=4, step=5.0, bound=50.0
)


def recovering(demand: Callable[[float], Demand | None]) -> Shedding:
    """Return a site at the end of an event that used all that it has."""
    used = {"changed": NOW - HOUR, "begun": NOW - 2 * HOUR, "burden": 100.0}
    uses = {
        "a": {**used, "level": 1, "before": {}},
        "b": {**used, "level": 2, "before": {"room.setpoint": 24.0}},
        "c": {**used, "level": 1, "before": {"chiller.limit": 80.0}},
    }
    return Shedding((FOUNTAIN, ROOM, LIMIT), METER, demand, resume={"uses": uses})


def levels_after(
    demand: Callable[[float], Demand | None], load: float, minutes: int
) -> dict[str, object]:
    shedding = recovering(demand)
    for minute in range(minutes):
        readings = {METER: load, "room.setpoint": 24.4, "chiller.limit": 75.0}
        decision = shedding.step(NOW + 60.0 * minute, Inputs(readings))
    shown = decision.attributes["measures"]
    assert isinstance(shown, list)
    return {item["name"]: item["level"] for item in shown}


def test_rooms_wait_for_a_load_that_falls_and_circuits_need_not_as_long() -> None:
    falls = hourly(500, 500, 500, 250, 250)
    found = levels_after(falls, 450.0, 10)
    assert found == {"Fountain": 0, "Room": 2, "Limit": 1}
    # The same load on a day on which it stays.
    assert levels_after(hourly(500, 500, 500, 500, 500), 450.0, 10)["Room"] == 0


def test_a_limit_on_the_chillers_is_not_lifted_while_rooms_wait() -> None:
    """It would be ready long before them, and is what keeps the load low."""
    falls = hourly(500, 500, 500, 250, 250)
    assert levels_after(falls, 450.0, 30)["Limit"] == 1
    assert levels_after(hourly(500, 500, 500, 500, 500), 450.0, 45)["Limit"] == 0
