"""Water in pipes, where streams meet, and the decoupler both ways."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.pipes import Pipe, decouple, mix
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY

FLOWS = st.one_of(st.just(0.0), st.floats(0.01, 400.0))
TEMPERATURES = st.floats(2.0, 45.0)


def row(*values: float) -> Array:
    """Return one number for each scenario."""
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize("flow", [0.0, 1.0, 1000.0])
def test_a_pipe_never_leaves_the_temperatures_it_is_between(flow: float) -> None:
    pipe = Pipe(1000.0, 20.0, scenarios=1, nodes=3)
    for _ in range(1000):
        pipe.step(5.0, row(flow), row(10.0))
        assert 9.99 <= pipe.outlet_temperature[0] <= 20.1


@settings(deadline=None)
@given(
    nodes=st.integers(1, 5),
    steps=st.lists(
        st.tuples(st.floats(0.5, 10.0), FLOWS, TEMPERATURES, st.floats(0.0, 80.0)),
        min_size=1,
        max_size=20,
    ),
)
def test_the_heat_balance_of_a_pipe_closes_at_each_step(
    nodes: int, steps: list[tuple[float, float, float, float]]
) -> None:
    pipe = Pipe(3000.0, 12.0, scenarios=1, nodes=nodes)
    for seconds, flow, entering, heat in steps:
        before = pipe.heat
        pipe.step(seconds, row(flow), row(entering), row(heat))
        carried = flow * HEAT_CAPACITY * (entering - pipe.outlet_temperature)
        gained = (pipe.heat - before) / seconds
        assert gained == pytest.approx(carried + heat + pipe.ambient_gain, abs=1e-6)


def test_water_takes_its_time_through_a_pipe() -> None:
    # Given 1,000 litres in five nodes and 10 l/s: a hundred seconds of delay
    pipe = Pipe(1000.0, 20.0, scenarios=1, nodes=5)
    leaving = []
    for _ in range(200):
        pipe.step(1.0, row(10.0), row(10.0))
        leaving.append(pipe.outlet_temperature[0])
    half = next(second for second, at in enumerate(leaving) if at < 15.0)
    assert 80 <= half <= 110


def test_a_pipe_that_is_fed_from_its_own_end_keeps_its_heat() -> None:
    for nodes in (1, 3):
        pipe = Pipe(1000.0, 28.0, scenarios=2, nodes=nodes)
        for _ in range(500):
            pipe.step(4.0, row(20.0, 5.0), pipe.outlet_temperature)
        assert pipe.outlet_temperature == pytest.approx(row(28.0, 28.0))


def test_heat_on_the_way_warms_what_flows_by_as_much_as_it_carries() -> None:
    pipe = Pipe(500.0, 10.0, scenarios=1, nodes=2)
    for _ in range(2000):
        pipe.step(4.0, row(20.0), row(10.0), 41.86)
    assert pipe.outlet_temperature[0] == pytest.approx(10.5, abs=1e-3)


def test_streams_mix_by_their_flows_and_still_water_has_its_own_answer() -> None:
    flows = np.array([[10.0, 30.0], [0.0, 0.0]])
    temperatures = np.array([[20.0, 12.0], [20.0, 12.0]])
    assert mix(flows, temperatures, row(0.0, 7.0)) == pytest.approx(row(14.0, 7.0))


def test_supply_warms_when_the_secondary_takes_more_than_the_primary() -> None:
    supply, returned = decouple(row(60.0), row(6.7), row(80.0), row(12.7))
    assert supply[0] == pytest.approx((60 * 6.7 + 20 * 12.7) / 80)
    assert returned[0] == 12.7


def test_return_is_cooled_when_the_primary_gives_more_than_is_taken() -> None:
    supply, returned = decouple(row(80.0), row(6.7), row(60.0), row(12.7))
    assert supply[0] == 6.7
    assert returned[0] == pytest.approx((60 * 12.7 + 20 * 6.7) / 80)


@settings(deadline=None)
@given(
    primary=FLOWS,
    secondary=FLOWS,
    supply=TEMPERATURES,
    returned=TEMPERATURES,
)
def test_the_decoupler_neither_makes_nor_takes_heat(
    primary: float, secondary: float, supply: float, returned: float
) -> None:
    to_zones, to_chillers = decouple(
        row(primary), row(supply), row(secondary), row(returned)
    )
    entering = primary * supply + secondary * returned
    leaving = secondary * to_zones[0] + primary * to_chillers[0]
    assert leaving == pytest.approx(entering, abs=1e-9 * (1.0 + entering))
    low, high = sorted((supply, returned))
    for temperature in (to_zones[0], to_chillers[0]):
        assert low - 1e-9 <= temperature <= high + 1e-9


def test_scenarios_flow_each_its_own_way() -> None:
    random = np.random.default_rng(2)
    flow = random.uniform(0.0, 200.0, 7)
    entering = random.uniform(5.0, 15.0, 7)
    together = Pipe(2000.0, entering + 3.0, scenarios=7, nodes=3)
    for _ in range(10):
        together.step(5.0, flow, entering, 2.0)
    for scenario in range(7):
        own = slice(scenario, scenario + 1)
        alone = Pipe(2000.0, entering[own] + 3.0, scenarios=1, nodes=3)
        for _ in range(10):
            alone.step(5.0, flow[own], entering[own], 2.0)
        assert np.array_equal(
            alone.temperatures[:, 0], together.temperatures[:, scenario]
        )
    low = decouple(flow, entering, flow[::-1], entering + 5.0)
    for scenario in range(7):
        own = slice(scenario, scenario + 1)
        alone_too = decouple(
            flow[own], entering[own], flow[::-1][own], entering[own] + 5.0
        )
        assert low[0][scenario] == alone_too[0][0]
        assert low[1][scenario] == alone_too[1][0]
