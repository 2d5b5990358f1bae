"""Pumps against their systems: circuits, mains, headers, bypasses."""

from dataclasses import replace

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.roles import EquipmentType
from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.conductances import (
    coil_conductance,
    isolation_conductance,
)
from custom_components.chiller_plant.simulator.drives import Fault, Pumps
from custom_components.chiller_plant.simulator.headers import (
    Header,
    MinimumFlowBypass,
    unequal_flows,
)
from custom_components.chiller_plant.simulator.networks import Circuit, Distribution
from custom_components.chiller_plant.simulator.served_groups import (
    BranchValves,
    branch_valves,
    groups_of,
)

from .plants import dedicated, example

STATIC = 35.0
"""kPa up to the towers."""

SPEEDS = st.lists(
    st.one_of(st.just(0.0), st.just(1.0), st.floats(0.02, 1.0)),
    min_size=3,
    max_size=3,
)
POSITIONS = st.lists(
    st.one_of(st.just(0.0), st.just(1.0), st.floats(0.0, 1.0)),
    min_size=3,
    max_size=3,
)


def pumps_of(speeds: list[float], head: float = 190.0, flow: float = 75.0) -> Pumps:
    """Return pumps of one size, at these speeds, in one scenario."""
    count = len(speeds)
    pumps = Pumps([flow] * count, [head] * count, [20.0] * count, scenarios=1)
    pumps.speed[0] = speeds
    return pumps


def circuit_of(pumps: Pumps, branches: int = 3, static: float = 0.0) -> Circuit:
    """Return a circuit with a branch of 75 l/s for each chiller."""
    return Circuit(pumps, range(pumps.speed.shape[1]), [75.0] * branches, static)


def head_of_system(header: Header, common: Array, static: float) -> Array:
    """Return what piping and branches need at the flow that was found, kPa."""
    return static + common * header.flow**2 + header.branch_pressure


def assert_balanced(pumps: Pumps, circuit: Circuit, common: Array) -> None:
    """See that water and pressure add up at each node of the header."""
    delivered = pumps.flow.sum(axis=1)
    taken = circuit.header.flow.sum(axis=1)
    assert delivered == pytest.approx(taken, abs=1e-9)
    assert circuit.flows.sum(axis=1) == pytest.approx(taken, abs=1e-9)
    needed = head_of_system(circuit.header, common, STATIC)[:, 0]
    for pump in range(pumps.speed.shape[1]):
        flowing = pumps.flow[:, pump] > 0.0
        head = pumps.head[:, pump]
        assert head[flowing] == pytest.approx(needed[flowing], abs=1e-9)
        # A closed check valve has less pressure behind it than before it.
        moving = ~flowing & (taken > 0.0)
        assert (head[moving] <= needed[moving] + 1e-9).all()


def test_all_pumps_and_branches_together_meet_the_design() -> None:
    pumps = pumps_of([1.0, 1.0, 1.0])
    flows = circuit_of(pumps, static=STATIC).solve(np.ones((1, 3)))
    assert flows[0] == pytest.approx([75.0, 75.0, 75.0])
    assert pumps.flow[0] == pytest.approx([75.0, 75.0, 75.0])
    assert pumps.power[0] == pytest.approx([20.0, 20.0, 20.0])


@pytest.mark.parametrize("speed", [0.3, 0.5, 0.8])
def test_affinity_laws_hold_in_a_circuit_without_static_head(speed: float) -> None:
    flows = circuit_of(pumps_of([speed] * 3)).solve(np.ones((1, 3)))
    assert flows[0] == pytest.approx([75.0 * speed] * 3)


def test_two_pumps_give_more_than_one_and_less_than_twice() -> None:
    one = circuit_of(pumps_of([1.0, 0.0])).solve(np.ones((1, 3))).sum()
    two = circuit_of(pumps_of([1.0, 1.0])).solve(np.ones((1, 3))).sum()
    assert one < two < 2 * one


@settings(deadline=None)
@given(speeds=SPEEDS, positions=POSITIONS)
def test_water_and_pressure_add_up_at_each_node(
    speeds: list[float], positions: list[float]
) -> None:
    pumps = pumps_of(speeds)
    circuit = circuit_of(pumps, static=STATIC)
    circuit.solve(np.array([positions]))
    # A quarter of the friction lies in the common piping.
    common = np.array([0.25 * (190.0 - STATIC) / 225.0**2])
    assert_balanced(pumps, circuit, common)


@settings(deadline=None)
@given(
    speeds=SPEEDS,
    positions=POSITIONS,
    which=st.integers(0, 2),
    more=st.floats(0.0, 1.0),
)
def test_more_speed_and_wider_valves_never_give_less_water(
    speeds: list[float], positions: list[float], which: int, more: float
) -> None:
    circuit = circuit_of(pumps_of(speeds), static=STATIC)
    before = circuit.solve(np.array([positions])).sum()
    faster = list(speeds)
    faster[which] += more * (1.0 - faster[which])
    with_speed = circuit_of(pumps_of(faster), static=STATIC)
    assert with_speed.solve(np.array([positions])).sum() >= before - 1e-9
    wider = list(positions)
    wider[which] += more * (1.0 - wider[which])
    with_valve = circuit_of(pumps_of(speeds), static=STATIC)
    assert with_valve.solve(np.array([wider])).sum() >= before - 1e-9


def test_a_slow_pump_beside_fast_ones_gives_nothing_and_takes_none_back() -> None:
    pumps = pumps_of([1.0, 0.4, 1.0])
    circuit = circuit_of(pumps)
    flows = circuit.solve(np.array([[1.0, 0.0, 0.0]]))
    assert pumps.flow[0, 1] == 0.0
    alone = circuit_of(pumps_of([1.0, 0.0, 1.0])).solve(np.array([[1.0, 0.0, 0.0]]))
    assert flows == pytest.approx(alone)


def test_a_slower_pump_helps_where_the_system_needs_little_head() -> None:
    pumps = pumps_of([1.0, 0.95])
    circuit_of(pumps).solve(np.ones((1, 3)))
    assert 0.0 < pumps.flow[0, 1] < pumps.flow[0, 0]
    assert pumps.head[0, 0] == pytest.approx(pumps.head[0, 1], abs=1e-9)


def test_pumps_of_different_size_share_a_header() -> None:
    pumps = Pumps([75.0, 40.0], [190.0, 170.0], [20.0, 10.0], scenarios=1)
    pumps.speed[:] = 1.0
    circuit = Circuit(pumps, [0, 1], [60.0, 60.0])
    circuit.solve(np.ones((1, 2)))
    assert pumps.flow.sum() == pytest.approx(circuit.flow[0], abs=1e-9)
    assert pumps.head[0, 0] == pytest.approx(pumps.head[0, 1], abs=1e-9)


def test_a_pump_that_just_reaches_the_others_changes_nothing_at_once() -> None:
    # Given the head of the others alone, and a pump whose shut-off is at it
    others = pumps_of([1.0, 0.0, 1.0])
    circuit_of(others).solve(np.ones((1, 3)))
    reached = (others.head[0, 0] / others.curves.shut_off[0, 0]) ** 0.5
    alone = others.flow.sum()
    for step, most in ((0.0, 1e-6), (1e-9, 0.01), (1e-6, 0.3)):
        pumps = pumps_of([1.0, reached + step, 1.0])
        circuit_of(pumps).solve(np.ones((1, 3)))
        assert 0.0 <= pumps.flow[0, 1] <= most
        assert pumps.flow.sum() == pytest.approx(alone, abs=most)


def test_static_head_stops_a_pump_that_is_too_slow() -> None:
    flows = circuit_of(pumps_of([0.35] * 3), static=STATIC).solve(np.ones((1, 3)))
    assert (flows == 0.0).all()


@pytest.mark.parametrize(
    ("speeds", "positions"),
    [([0.0] * 3, [1.0] * 3), ([1.0] * 3, [0.0] * 3), ([1.0, 0.5, 0.0], [0.0] * 3)],
)
def test_nothing_flows_with_pumps_off_or_everything_closed(
    speeds: list[float], positions: list[float]
) -> None:
    pumps = pumps_of(speeds)
    circuit = circuit_of(pumps)
    assert (circuit.solve(np.array([positions])) == 0.0).all()
    assert (pumps.flow == 0.0).all()
    assert circuit.flow[0] == circuit.heating[0] == 0.0


def test_a_closed_branch_leaves_its_water_to_the_others() -> None:
    circuit = circuit_of(pumps_of([1.0] * 3))
    flows = circuit.solve(np.array([[1.0, 0.0, 0.5]]))
    assert flows[0, 1] == 0.0
    assert 0.0 < flows[0, 2] < flows[0, 0]
    assert flows[0, 0] > 75.0


def test_the_shafts_heat_the_water() -> None:
    pumps = pumps_of([1.0, 1.0, 0.0])
    circuit = circuit_of(pumps)
    circuit.solve(np.ones((1, 3)))
    assert circuit.heating == pytest.approx(pumps.shaft_power.sum(axis=1))
    assert circuit.heating[0] < pumps.power.sum()


def test_headers_of_their_own_are_as_circuits_of_their_own() -> None:
    speeds = [1.0, 0.7, 0.9, 0.5]
    together = pumps_of(speeds)
    grouped = Circuit(
        together,
        range(4),
        [75.0, 60.0, 30.0],
        STATIC,
        pump_group=[0, 1, 0, 0],
        branch_group=[0, 1, 0],
    )
    flows = grouped.solve(np.array([[1.0, 0.8, 0.3]]))
    first = Circuit(pumps_of([1.0, 0.9, 0.5]), range(3), [75.0, 30.0], STATIC)
    second = Circuit(pumps_of([0.7]), [0], [60.0], STATIC)
    assert flows[:, [0, 2]] == pytest.approx(first.solve(np.array([[1.0, 0.3]])))
    assert flows[:, [1]] == pytest.approx(second.solve(np.array([[0.8]])))
    assert grouped.header.flow[0] == pytest.approx(
        [first.flow[0], second.flow[0]], abs=1e-9
    )
    assert together.flow[0, 1] == pytest.approx(second.flow[0])


def test_circuits_may_share_a_fleet_of_pumps() -> None:
    pumps = pumps_of([1.0, 1.0, 0.8])
    Circuit(pumps, [0, 1], [75.0, 75.0]).solve(np.ones((1, 2)))
    Circuit(pumps, [2], [75.0]).solve(np.ones((1, 1)))
    assert pumps.flow[0] == pytest.approx([75.0, 75.0, 60.0])


def test_a_header_without_a_pump_is_refused() -> None:
    with pytest.raises(ValueError, match="pump and a branch"):
        Circuit(pumps_of([1.0]), [0], [75.0, 75.0], branch_group=[0, 1])


def test_the_bypass_keeps_the_pumps_their_least_flow() -> None:
    # Given a pump against closed branches, and a bypass for 30 l/s
    bypass = MinimumFlowBypass([30.0], 1)
    circuit = Circuit(pumps_of([1.0]), [0], [75.0], minimum_flow_bypass=bypass)
    flows = []
    for _ in range(120):
        circuit.step(5.0)
        circuit.solve(np.zeros((1, 1)))
        flows.append(circuit.header.flow[0, 0])
    assert circuit.flow[0] == 0.0
    assert flows[-1] == pytest.approx(30.0, rel=0.01)
    assert max(flows) < 33.0
    assert bypass.flow[0, 0] == pytest.approx(flows[-1])
    # When a chiller takes enough, then it closes again
    for _ in range(120):
        circuit.step(5.0)
        circuit.solve(np.ones((1, 1)))
    assert bypass.position[0, 0] == bypass.flow[0, 0] == 0.0
    assert circuit.flow[0] == pytest.approx(75.0)


def test_the_bypass_of_pumps_that_stand_stays_where_it_is() -> None:
    bypass = MinimumFlowBypass([30.0], 1)
    circuit = Circuit(pumps_of([0.0]), [0], [75.0], minimum_flow_bypass=bypass)
    for _ in range(10):
        circuit.step(5.0)
        circuit.solve(np.ones((1, 1)))
    assert bypass.position[0, 0] == 0.0


@pytest.mark.parametrize("seconds", [1.0, 5.0, 10.0])
def test_the_bypass_of_each_main_is_steady_when_its_zones_close(seconds: float) -> None:
    # Given two mains, the zones of the first one closed
    bypass = MinimumFlowBypass([20.0, 20.0], 1)
    pumps = pumps_of([1.0, 1.0], head=250.0)
    mains = Distribution(
        pumps, [0, 1], [75.0, 75.0], bypass, pump_group=[0, 1], zone_group=[0, 1]
    )
    opened = coil_conductance(75.0, mains.remote_pressure, np.array([[0.0, 1.0]]))
    flows = []
    for _ in range(int(900 / seconds)):
        mains.step(seconds)
        mains.solve(opened)
        flows.append(mains.header.flow[0, 0])
    # Then its pump keeps its least flow, without overshoot, and the other all
    assert flows == sorted(flows)
    assert flows[-1] == pytest.approx(20.0, rel=0.01)
    assert bypass.flow[0] == pytest.approx([flows[-1], 0.0])
    assert mains.flows[0] == pytest.approx([0.0, 75.0])
    assert mains.flow[0] == pytest.approx(pumps.flow.sum(), abs=1e-9)
    # When it leaks, then the main loses pressure and its zones water
    bypass.position[0, 1] = 0.3
    bypass.fault[0, 1] = Fault.STUCK
    before = mains.differential_pressure[0, 1]
    mains.step(seconds)
    mains.solve(opened)
    assert mains.differential_pressure[0, 1] < before
    assert mains.flows[0, 1] < 75.0 < mains.header.flow[0, 1]


def test_the_remote_pressure_is_what_is_left_behind_the_main() -> None:
    pumps = pumps_of([1.0, 1.0], head=250.0)
    mains = Distribution(pumps, [0, 1], [100.0, 50.0])
    full = coil_conductance(
        np.array([100.0, 50.0]), mains.remote_pressure, np.ones((1, 2))
    )
    flows = mains.solve(full)
    assert flows[0] == pytest.approx([100.0, 50.0])
    assert mains.differential_pressure[0, 0] == pytest.approx(120.0)
    # Closed valves leave all of the pumps' head.
    mains.solve(np.zeros((1, 2)))
    assert mains.differential_pressure[0, 0] == pytest.approx(1.25 * 250.0)
    assert mains.flow[0] == 0.0


def test_pressure_rises_as_valves_close_and_falls_with_the_speed() -> None:
    pressures = []
    for opening in (1.0, 0.8, 0.6, 0.4, 0.2):
        mains = Distribution(pumps_of([0.8, 0.8]), [0, 1], [100.0, 50.0])
        valves = np.full((1, 2), opening)
        mains.solve(
            coil_conductance(np.array([100.0, 50.0]), mains.remote_pressure, valves)
        )
        pressures.append(mains.differential_pressure[0, 0])
    assert pressures == sorted(pressures)
    slow = Distribution(pumps_of([0.5, 0.5]), [0, 1], [100.0, 50.0])
    slow.solve(
        coil_conductance(np.array([100.0, 50.0]), slow.remote_pressure, np.ones((1, 2)))
    )
    assert slow.differential_pressure[0, 0] < pressures[0]


def test_zone_groups_have_pressures_of_their_own() -> None:
    pumps = pumps_of([1.0, 0.6, 0.0])
    mains = Distribution(
        pumps,
        range(3),
        [50.0, 70.0, 60.0, 60.0],
        pump_group=[0, 1, 2],
        zone_group=[2, 0, 1, 1],
    )
    conductances = coil_conductance(
        np.array([50.0, 70.0, 60.0, 60.0]), mains.remote_pressure, np.ones((1, 4))
    )
    flows = mains.solve(conductances)
    first, second, third = mains.differential_pressure[0]
    assert first > second > third == 0.0
    assert flows[0, 0] == 0.0
    assert flows[0, 2] == flows[0, 3] > 0.0
    assert pumps.flow[0] == pytest.approx(
        [flows[0, 1], flows[0, 2] + flows[0, 3], 0.0], abs=1e-9
    )


def test_the_search_for_unlike_pumps_ends_exactly() -> None:
    # Given pumps from twins to strangers against systems from open to shut
    random = np.random.default_rng(1)
    cases = 20_000
    pressure = random.uniform(1e-3, 400.0, (cases, 4))
    nearly = pressure[:, 0] * (1.0 - 10.0 ** random.uniform(-14.0, -1.0, cases))
    pressure[:, 1] = np.where(random.random(cases) < 0.5, nearly, pressure[:, 1])
    capability = random.uniform(1.0, 30.0, (cases, 4))
    capability[:, 3] *= random.random(cases) < 0.5
    resistance = 10.0 ** random.uniform(-8.0, 12.0, cases)
    # When their flows are found
    flows = unequal_flows(pressure, capability, resistance)
    # Then those that deliver have one head, and the others had less
    head = resistance * flows.sum(axis=1) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        left = pressure - (flows / capability) ** 2 - head[:, None]
    assert np.abs(left[flows > 0.0]).max() < 1e-9
    assert (pressure - head[:, None])[(flows == 0.0) & (capability > 0.0)].max() < 1e-9
    assert (flows.sum(axis=1) > 0.0).all()


def test_scenarios_do_not_know_of_each_other() -> None:
    random = np.random.default_rng(3)
    speeds = random.choice([0.0, 0.5, 0.8, 1.0], (7, 3))
    positions = random.choice([0.0, 0.4, 1.0], (7, 3))
    together = Pumps([75.0] * 3, [190.0] * 3, [20.0] * 3, scenarios=7)
    together.speed[:] = speeds
    flows = circuit_of(together, static=STATIC).solve(positions)
    for scenario in range(7):
        own = slice(scenario, scenario + 1)
        alone = pumps_of(speeds[scenario].tolist())
        assert circuit_of(alone, static=STATIC).solve(positions[own]) == pytest.approx(
            flows[own], rel=1e-12, abs=1e-12
        )
        assert alone.power == pytest.approx(together.power[own], rel=1e-12)


def test_an_equal_percentage_valve_opens_its_coil_steadily() -> None:
    positions = np.linspace(0.0, 1.0, 21)
    passed = coil_conductance(40.0, 120.0, positions)
    assert (np.diff(passed) > 0.0).all()
    assert passed[0] == 0.0
    assert passed[20] * 120.0**0.5 == pytest.approx(40.0)
    # With all authority, equal steps change the flow by equal shares.
    law = coil_conductance(1.0, 1.0, positions[2:], authority=1.0)
    assert law[1:] / law[:-1] == pytest.approx(50.0**0.05)


def test_a_butterfly_valve_is_wide_before_it_is_open() -> None:
    passed = isolation_conductance(np.array([8.0]), np.array([0.0, 0.5, 1.0]))
    assert passed.tolist() == [0.0, 6.0, 8.0]


def test_pumps_of_the_example_are_on_one_header() -> None:
    groups = groups_of(
        example(),
        EquipmentType.CHILLER,
        "condenser_water_pumps",
        EquipmentType.CONDENSER_WATER_PUMP,
    )
    assert groups.pump_index == (0, 1)
    assert groups.pump_group == (0, 0)
    assert groups.user_group == (0, 0)


def test_dedicated_pumps_have_headers_of_their_own() -> None:
    groups = groups_of(
        dedicated(3),
        EquipmentType.CHILLER,
        "chilled_water_pumps",
        EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
    )
    assert groups.count == 3
    assert groups.pump_group == groups.user_group == (0, 1, 2)


def served(plant: Plant, **services: tuple[str, ...]) -> Plant:
    """Return the plant with zones that name these secondary pumps."""
    equipment = dict(plant.equipment)
    for key, pumps in services.items():
        equipment[key] = replace(
            equipment[key], served_by={"chilled_water_pumps": pumps}
        )
    return replace(plant, equipment=equipment)


def test_zones_are_on_the_mains_of_the_pumps_that_they_name() -> None:
    def groups(**services: tuple[str, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        found = groups_of(
            served(example(), **services),
            EquipmentType.ZONE,
            "chilled_water_pumps",
            EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
        )
        return found.pump_group, found.user_group

    # None that names a pump: one main for all
    assert groups() == ((0, 0), (0, 0, 0))
    # Two mains, numbered in the order of the zones
    apart = groups(zone_1=("schp_2",), zone_2=("schp_1",), zone_3=("schp_2",))
    assert apart == ((1, 0), (0, 1, 0))
    # A zone that both serve makes them one
    assert groups(zone_1=("schp_1",), zone_2=("schp_2",))[1] == (0, 0, 0)


def test_a_branch_is_as_open_as_the_least_open_of_its_valves() -> None:
    valves = np.array([[0.2, 0.9, 1.0]])
    assert BranchValves([[0, 1], [2], []]).positions(valves).tolist() == [
        [0.2, 1.0, 1.0]
    ]
    assert BranchValves([[], []]).positions(valves).tolist() == [[1.0, 1.0]]


def test_the_example_s_chillers_have_a_valve_on_each_side() -> None:
    plant = example()
    keys = [item.key for item in plant.of_type(EquipmentType.VALVE)]
    positions = np.array([[0.1 * (1 + keys.index(key)) for key in keys]])
    for side, condenser in (("chilled", False), ("condenser", True)):
        expected = [
            0.1 * (1 + keys.index(f"{side}_water_valve_{number}")) for number in (1, 2)
        ]
        found = branch_valves(plant, condenser=condenser).positions(positions)
        assert found[0] == pytest.approx(expected)
