"""What is said again for a watchdog is what the desk holds, and nothing else."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.command_refresh import CommandRefresh
from custom_components.chiller_plant.plant.command_desk import CommandDesk
from custom_components.chiller_plant.plant.model import (
    BacnetConnection,
    BacnetDevice,
    ModbusConnection,
    ModbusDevice,
    Plant,
    Value,
)

from .bench import Bench
from .factories import make_chiller_plant

WATCHDOG = {"controller": 300.0, "drive": 30.0}
SPEED = "pchp_1.speed_command"
RUN = "pchp_1.run_command"
CHILLER = "chiller_1.run_command"


def with_watchdogs(plant: Plant, **timeouts: float | None) -> Plant:
    """Return the plant on two devices that fall back to their own control."""
    controller, drive = timeouts.values()
    return replace(
        plant,
        connections={
            "bms": BacnetConnection(
                "bms",
                "10.0.0.5/24",
                47808,
                4190001,
                10,
                {"controller": BacnetDevice("controller", "2:7", 1, controller)},
            ),
            "drives": ModbusConnection(
                "drives",
                "10.0.0.8",
                502,
                {"drive": ModbusDevice("drive", 1, watchdog_timeout=drive)},
            ),
        },
    )


class Keeper:
    """Carries out what is due again on the wires of a bench."""

    def __init__(self, plant: Plant | None = None) -> None:
        self.bench = Bench(with_watchdogs(plant or make_chiller_plant(1), **WATCHDOG))
        self.refresh = CommandRefresh(self.bench.plant)
        self.said: list[tuple[float, str, Value | None]] = []
        self.seen = 0

    def look(self, *silent: str) -> dict[str, Value | None]:
        """Write again what is due; return it."""
        bench = self.bench
        for at, order in bench.orders[self.seen :]:
            self.refresh.wrote(at, order.point.key)
        self.seen = len(bench.orders)
        due = self.refresh.due(bench.now, bench.desk, bench.read(), silent)
        for order in due:
            self.said.append((bench.now, order.point.key, order.value))
            self.refresh.wrote(bench.now, order.point.key)
        return {order.point.key: order.value for order in due}

    def run(self, seconds: float) -> set[str]:
        """Let time pass; return the points that were said again."""
        assert self.refresh.tick is not None
        begin, end = len(self.said), self.bench.now + seconds
        while self.bench.now < end:
            self.bench.run(self.refresh.tick, every=self.refresh.tick)
            self.look()
        return {point for _, point, _ in self.said[begin:]}


@pytest.fixture(name="pump")
def running_pump() -> Keeper:
    """Return a pump that was commanded to run at half speed, long ago."""
    keeper = Keeper()
    keeper.bench.ask(RUN, True)
    keeper.bench.ask(SPEED, 50.0)
    keeper.run(60)
    assert keeper.bench.machines["pchp_1"].on
    return keeper


def test_a_held_command_is_said_again_within_a_third_of_the_watchdog(
    pump: Keeper,
) -> None:
    pump.said.clear()
    pump.run(300)

    times = [at for at, point, value in pump.said if (point, value) == (SPEED, 50.0)]
    gaps = [later - at for at, later in pairwise(times)]
    assert max(gaps) <= WATCHDOG["drive"] / 3
    # Nor is the bus kept busy with it.
    assert min(gaps) >= WATCHDOG["drive"] / 6


@given(st.lists(st.floats(0.0, 0.99), min_size=40, max_size=40))
@settings(max_examples=50, deadline=None)
def test_looks_that_come_late_are_in_time_all_the_same(late: list[float]) -> None:
    refresh = CommandRefresh(
        with_watchdogs(make_chiller_plant(1), controller=None, drive=30.0)
    )
    assert refresh.tick is not None
    written, now = 0.0, 0.0
    refresh.wrote(written, SPEED)
    for number, share in enumerate(late, 1):
        now = (number + share / 2) * refresh.tick
        if refresh._is_time(now, SPEED):
            assert now - written <= 10.0
            refresh.wrote(now, SPEED)
            written = now
    assert written > 0


def test_what_was_just_written_is_not_said_again_at_once() -> None:
    keeper = Keeper()
    keeper.bench.ask(SPEED, 50.0)
    keeper.bench.run(5)
    keeper.look()
    keeper.said.clear()
    keeper.bench.ask(SPEED, 60.0)
    keeper.bench.run(5)

    assert keeper.look() == {}


def test_after_a_restart_it_is_said_at_once(pump: Keeper) -> None:
    assert pump.look() == {}
    pump.refresh = CommandRefresh(pump.bench.plant)
    restarted = CommandDesk(pump.bench.plant)
    restarted.restore(pump.bench.wall, pump.bench.desk.as_dict())
    pump.bench.desk = restarted
    assert {SPEED: 50.0, RUN: True}.items() <= pump.look().items()


def test_a_clock_that_is_set_back_stops_nothing(pump: Keeper) -> None:
    pump.bench.now -= 7200
    assert SPEED in pump.look()


def test_a_plant_without_watchdogs_is_left_alone() -> None:
    plant = with_watchdogs(make_chiller_plant(1), controller=None, drive=None)
    assert CommandRefresh(plant).tick is None


def test_only_devices_with_a_watchdog_are_written_again() -> None:
    keeper = Keeper()
    keeper.refresh = CommandRefresh(
        with_watchdogs(make_chiller_plant(1), controller=None, drive=30.0)
    )
    keeper.bench.serve()

    assert keeper.run(120) == {
        f"{key}.run_command" for key in ("pchp_1", "cdp_1", "ct_1")
    }


def test_nothing_is_said_again_after_release(pump: Keeper) -> None:
    pump.bench.desk.release(pump.bench.wall, points=[SPEED])
    pump.bench.run(5)

    assert SPEED not in pump.run(120)


def test_a_pump_that_must_run_on_is_kept_running(pump: Keeper) -> None:
    """The desk still holds it, whoever has let it go."""
    bench = pump.bench
    bench.serve()
    bench.run(1000, every=20)
    bench.ask(CHILLER, True)
    pump.run(400)
    bench.desk.release(bench.wall)
    bench.run(30)
    assert bench.hold(RUN) is not None

    assert RUN in pump.run(30)


def test_what_somebody_keeps_changing_at_the_device_is_left_to_the_desk(
    pump: Keeper,
) -> None:
    bench = pump.bench
    begin, seen = len(bench.orders), len(pump.said)
    for _ in range(100):
        bench.slots[SPEED] = 80.0
        bench.run(5)
        bench.slots[SPEED] = 80.0
        pump.look()

    # The desk tries again itself, ever more seldom.
    assert 1 <= len(bench.orders) - begin < 10
    assert SPEED not in {point for _, point, _ in pump.said[seen:]}


def test_what_may_not_have_arrived_is_left_to_the_desk(pump: Keeper) -> None:
    pump.bench.wire = "takes silently"
    pump.bench.ask(SPEED, 70.0)
    pump.bench.step()

    assert SPEED not in pump.run(120)


def test_a_silent_device_is_not_written(pump: Keeper) -> None:
    pump.bench.now += 60

    assert pump.look("drive") == {}
    assert SPEED in pump.look()


@pytest.fixture(name="chiller")
def running_chiller() -> Keeper:
    keeper = Keeper()
    keeper.bench.run(1000, every=20)
    keeper.bench.serve()
    keeper.bench.run(120)
    keeper.bench.ask(CHILLER, True)
    keeper.run(300)
    assert keeper.bench.machines["chiller_1"].on
    return keeper


def test_a_chiller_that_says_that_it_is_commanded_to_run_is_told_again(
    chiller: Keeper,
) -> None:
    assert CHILLER in chiller.run(120)


@pytest.mark.parametrize("why", ["lost", "reads off"])
def test_a_chiller_whose_own_reading_does_not_agree_is_not_told_again(
    chiller: Keeper, why: str
) -> None:
    chiller.bench.now += 300
    readings = chiller.bench.read()
    if why == "lost":
        del readings[CHILLER]
    else:
        readings[CHILLER] = replace(readings[CHILLER], value=False)
    due = chiller.refresh.due(chiller.bench.now, chiller.bench.desk, readings, ())

    assert due
    assert CHILLER not in {order.point.key for order in due}


# --- whatever happens

POINTS = [
    SPEED,
    RUN,
    CHILLER,
    "cdp_1.run_command",
    "valve_1.open_command",
    "ct_1.run_command",
]
ACTIONS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(POINTS), st.integers(0, 1)),
    st.tuples(st.just("release"), st.sampled_from([*POINTS, ""]), st.just(0)),
    st.tuples(
        st.just("wire"),
        st.sampled_from(["takes", "takes", "refuses", "takes silently"]),
        st.just(0),
    ),
    st.tuples(st.just("by hand"), st.sampled_from(POINTS), st.integers(0, 1)),
    st.tuples(st.just("lost"), st.sampled_from(POINTS), st.just(0)),
    st.tuples(st.just("found"), st.sampled_from(POINTS), st.just(0)),
    st.tuples(st.just("restart"), st.just(""), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.sampled_from([2, 10, 60, 400])),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ACTIONS, min_size=5, max_size=40))
def test_nothing_is_ever_said_again_that_the_desk_does_not_hold(
    actions: list[tuple[str, str, int]],
) -> None:
    keeper = Keeper()
    bench = keeper.bench
    bench.run(1000, every=20)
    bench.serve()
    held: dict[str, Value] = {}
    """What each wire took from the desk, and was not released or failed since."""

    def carried_out(wire: str, begin: int) -> None:
        for _, order in bench.orders[begin:]:
            key = order.point.key
            held.pop(key, None)
            if order.value is not None and wire == "takes":
                held[key] = order.value

    carried_out("takes", 0)
    for action, point, number in actions:
        begin = len(bench.orders)
        value: Value = 40.0 + number if point == SPEED else bool(number)
        match action:
            case "ask":
                bench.ask(point, value)
            case "release":
                bench.desk.release(bench.wall, points=[point] if point else None)
            case "wire":
                bench.wire = point
            case "by hand":
                bench.slots[point] = value
            case "lost":
                bench.stale.add(point)
            case "found":
                bench.stale.discard(point)
            case "restart":
                desk = CommandDesk(bench.plant)
                desk.restore(bench.wall, bench.desk.as_dict())
                bench.desk = desk
                keeper.refresh = CommandRefresh(bench.plant)
        bench.run(number if action == "wait" else 10.0, every=2.0)
        carried_out(bench.wire, begin)
        readings = bench.read()
        for key, said in keeper.look().items():
            assert held.get(key) == said
            assert bench.desk.status(key).mismatch is None
            if key == CHILLER:
                assert readings[key].good == said
