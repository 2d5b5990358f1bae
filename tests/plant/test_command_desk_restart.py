"""What the command desk knows after a restart, whatever its memory has become."""

import json
from typing import Any

from hypothesis import given, settings, strategies as st

from custom_components.chiller_plant.plant.command_desk import CommandDesk

from .bench import Bench
from .command_desks import PUMP, pump_plant
from .factories import make_chiller_plant
from .test_interlocks import running_plant


def test_restart_knows_what_it_owns_even_if_the_write_was_never_confirmed() -> None:
    bench = Bench(pump_plant())
    bench.ask(PUMP, True, 5, "app", 60)
    bench.desk.step(bench.wall, bench.read())
    stored = json.loads(json.dumps(bench.desk.as_dict()))
    bench.slots[PUMP] = True  # it arrived, and then everything went dark
    bench.desk = CommandDesk(bench.plant)
    bench.now += 100
    bench.desk.restore(bench.wall, stored)
    assert bench.desk.status(PUMP).owned
    bench.run(55)
    assert bench.slots == {PUMP: True}  # the engine may still come back to it
    bench.run(10)
    assert bench.slots == {}


def test_chiller_that_stopped_during_a_restart_waits_its_off_time() -> None:
    bench = running_plant(1)
    stored = json.loads(json.dumps(bench.desk.as_dict()))
    bench.slots["chiller_1.run_command"] = False
    bench.now += 3600
    bench._run_machines()
    bench.machines["chiller_1"].on = False
    bench.desk = CommandDesk(bench.plant)
    bench.desk.restore(bench.wall, stored)
    bench.ask("chiller_1.run_command", False)
    bench.run(20)
    bench.ask("chiller_1.run_command", True)
    bench.run(800)
    assert not bench.commanded("chiller_1")
    bench.run(150)
    assert bench.machines["chiller_1"].on


def test_clock_set_forward_does_not_start_a_chiller_early() -> None:
    bench = running_plant(1)
    bench.ask("chiller_1.run_command", False)
    bench.run(60)
    bench.ask("chiller_1.run_command", True)
    bench.offset = 86400.0
    bench.run(700)
    assert not bench.commanded("chiller_1")
    bench.offset = -86400.0
    bench.run(200)
    assert bench.machines["chiller_1"].on


json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**400), 10**400),
        st.floats(),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=5,
)


def stored_plant() -> Any:
    bench = running_plant()
    bench.ask("chiller_2.run_command", False, 5, "engine", 60)
    bench.machines["cdp_1"].hand = False
    bench.wire = "takes silently"
    bench.run(30)
    return json.loads(json.dumps(bench.desk.as_dict()))


STORED = json.dumps(stored_plant())


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(data, dict):
        for key, value in data.items():
            found += places(value, (*path, key))
    if isinstance(data, list):
        for number, value in enumerate(data):
            found += places(value, (*path, number))
    return found


PLACES = places(json.loads(STORED))


@given(
    damage=st.lists(st.tuples(st.sampled_from(PLACES), json_values), max_size=4),
    seconds=st.sampled_from([0.0, 60.0, 1e6]),
)
@settings(max_examples=200, deadline=None)
def test_garbage_in_the_store_is_survived(
    damage: list[tuple[tuple[Any, ...], Any]], seconds: float
) -> None:
    data = json.loads(STORED)
    for path, value in damage:
        *parents, last = path or (None,)
        inner = data
        try:
            for step in parents:
                inner = inner[step]
            inner[last] = value
        except KeyError, IndexError, TypeError:
            data = value
    bench = Bench(make_chiller_plant())
    bench.now += seconds
    bench.desk.restore(bench.wall, data)
    assert bench.desk.restore(bench.wall, data) is None
    json.dumps(bench.desk.as_dict())
    bench.desk.release(bench.wall)
    bench.run(3000, every=30)
    assert not any(bench.desk.status(point).owned for point in bench.plant.points)
