"""No sequence of requests, in any order and timing, violates an interlock.

`CHILLER_PLANT_LONG_PROPERTIES=1` and `--timeout 0` search for as long as it takes.
"""

from dataclasses import replace
from itertools import product
import json
import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
import pytest

from custom_components.chiller_plant.plant.command_desk import (
    CommandDesk,
    Order,
    Request,
)
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.reading import Readings

from .bench import Bench
from .factories import CHILLER_INTERLOCKS, make_chiller_plant, make_plant
from .observer import Observer

LONG = bool(os.environ.get("CHILLER_PLANT_LONG_PROPERTIES"))
RULES = replace(
    CHILLER_INTERLOCKS,
    minimum_run_time=120,
    minimum_off_time=200,
    flow_keep_time=60,
    change_time=40,
    start_proof_time=60,
    maximum_starts_per_hour=2,
)
NUMBERS = (1, 2)
MACHINES = [f"{kind}_{n}" for kind in ("pchp", "cdp", "ct") for n in NUMBERS]
CHILLERS = [f"chiller_{n}" for n in NUMBERS]
POINTS = [
    *(f"{key}.run_command" for key in (*CHILLERS, *MACHINES)),
    *(f"valve_{n}.open_command" for n in NUMBERS),
]
SERVING = [point for point in POINTS if not point.startswith("chiller")]
FAULTS = [
    "nothing",
    "chiller_1 silently",
    "chiller_1.run_status lost",
    "chiller_1.alarm lost",
    "chiller_1 alarm",
    "chiller_1 breaks",
    "chiller_1.chilled_water_flow_status lost",
    "chiller_1.chilled_water_flow_status false",
    "chiller_2.condenser_water_flow_status lost",
    "chiller_2.condenser_water_flow_status false",
    "pchp_2.run_status lost",
    "valve_1.open_status lost",
    "valve_1 stands",
    "pchp_2 stands",
    "cdp_1 stands",
    "ct_2 stands",
]
SOURCES = [
    ("automation", 3),
    ("other automation", 9),
    ("schedule", 100),
    ("operator", 150),
    ("safety", 200),
]


def quick_plant(*, lead_release: bool) -> Plant:
    plant = make_chiller_plant(2, lead_release=lead_release)
    return make_plant(
        *(
            replace(item, interlocks=RULES) if key in CHILLERS else item
            for key, item in plant.equipment.items()
        )
    )


class DeskWithADouble(CommandDesk):
    """Does as another desk does that never rests, but looks at everything anew."""

    rested = 0

    def __init__(self, plant: Plant) -> None:
        super().__init__(plant)
        self.double = CommandDesk(plant)
        self.double._interlocks._rest.begin = lambda: None

    def request(self, now: float, request: Request) -> None:
        self.double.request(now, request)
        super().request(now, request)

    def release(self, now: float, **what: Any) -> tuple[str, ...]:
        self.double.release(now, **what)
        return super().release(now, **what)

    def step(self, now: float, readings: Readings) -> tuple[Order, ...]:
        resting = self._interlocks._rest._rests
        orders = super().step(now, readings)
        type(self).rested += resting and self._interlocks._rest._rests
        assert self.double.step(now, readings) == orders
        assert self.double.as_dict() == super().as_dict()
        return orders

    def written(self, now: float, order: Order) -> None:
        self.double.written(now, order)
        super().written(now, order)

    def failed(self, now: float, order: Order, error: str) -> None:
        self.double.failed(now, order, error)
        super().failed(now, order, error)

    def restore(self, now: float, data: object) -> None:
        self.double.restore(now, data)
        super().restore(now, data)


class AnyPlantDay(RuleBasedStateMachine):
    """Operators, automations, faults and clocks, in any order."""

    @initialize(
        lead_release=st.booleans(),
        write_only=st.booleans(),
        chiller_delay=st.sampled_from([4.0, 30.0]),
        start=st.sampled_from(
            ["new", "idle", "on", "starts", "starts", "starts", "cycles", "dries"]
        ),
        fault=st.sampled_from(FAULTS),
        off=st.sampled_from([None, *SERVING]),
    )
    def begin(
        self,
        lead_release: bool,
        write_only: bool,
        chiller_delay: float,
        start: str,
        fault: str,
        off: str | None,
    ) -> None:
        """Begin with a plant in one of the states that matter."""
        self.bench = Bench(quick_plant(lead_release=lead_release), DeskWithADouble)
        self.bench.write_only = write_only
        self.bench.chiller_delay = chiller_delay
        self.observer = self.bench.watched_by = Observer(self.bench, RULES)
        if start == "new":
            return
        self.bench.run(240, every=20)
        if start == "idle":
            return
        self.serve_all("schedule", 100)
        self.bench.run(60)
        if start == "starts":
            self.chillers_start(fault, off)
            return
        if start == "cycles":
            self.chiller_cycles(by_hand=fault.endswith("lost"))
            return
        for chiller in CHILLERS:
            self.ask(f"{chiller}.run_command", True, ("schedule", 100))
            self.bench.run(80, every=10)
        assert all(self.bench.commanded(chiller) for chiller in CHILLERS)
        if start == "dries":
            self.flow_switch("chiller_1", False)
            self.bench.run(200, every=10)

    def chillers_start(self, fault: str, off: str | None) -> None:
        """Ask for both, with something wrong and somebody meddling."""
        bench = self.bench
        key, _, what = fault.partition(" ")
        if what == "lost":
            bench.stale.add(key)
        elif what == "false":
            bench.no_flow.add(key)
        elif what == "stands":
            bench.machines[key].hand = False
        elif what == "breaks":
            bench.machines[key].broken = True
        elif what == "alarm":
            bench.alarms.add(key)
        bench.run(20)
        for chiller in CHILLERS:
            self.ask(f"{chiller}.run_command", True, ("schedule", 100))
        if off is not None and what != "stands":
            self.ask(off, False, ("operator", 150))
        if what == "silently":
            bench.wire = "takes silently"
            bench.step()
            bench.wire = "takes"
            for pump in MACHINES:
                self.ask(f"{pump}.run_command", False, ("operator", 150))
        bench.run(250, every=10)

    def chiller_cycles(self, *, by_hand: bool) -> None:
        for _ in range(4):
            for on, seconds in ((True, 180), (False, 240)):
                if by_hand:
                    self.bench.machines["chiller_1"].hand = on
                else:
                    self.ask("chiller_1.run_command", on, ("operator", 150))
                self.bench.run(seconds, every=20)
        self.bench.machines["chiller_1"].hand = None
        self.ask("chiller_1.run_command", True, ("operator", 150))
        self.bench.run(60, every=20)

    def ask(self, point: str, value: bool, source: tuple[str, int]) -> None:
        self.bench.ask(
            point, value, source[1], source[0], 60 if source[1] < 50 else None
        )

    @rule(
        point=st.sampled_from(POINTS),
        value=st.booleans(),
        source=st.sampled_from(SOURCES),
        look=st.booleans(),
    )
    def somebody_asks(
        self, point: str, value: bool, source: tuple[str, int], look: bool
    ) -> None:
        self.ask(point, value, source)
        if look:
            self.bench.step()

    @rule()
    def automation_serves_all(self) -> None:
        self.serve_all("automation", 3)

    def serve_all(self, source: str, priority: int) -> None:
        for key in MACHINES:
            self.ask(f"{key}.run_command", True, (source, priority))
        for n in NUMBERS:
            self.ask(f"valve_{n}.open_command", True, (source, priority))

    @rule(value=st.booleans(), source=st.sampled_from(SOURCES))
    def all_chillers(self, value: bool, source: tuple[str, int]) -> None:
        for chiller in CHILLERS:
            self.ask(f"{chiller}.run_command", value, source)
        bench = self.bench
        if source[0] == "safety" and not value and bench.wire == "takes":
            bench.run(10)
            assert not any(map(bench.commanded, CHILLERS)), "safety waits"

    @rule(
        points=st.sets(st.sampled_from(POINTS), min_size=2),
        source=st.sampled_from(SOURCES),
    )
    def all_off(self, points: set[str], source: tuple[str, int]) -> None:
        for point in sorted(points):
            self.ask(point, False, source)
        self.bench.step()

    @rule(pump=st.sampled_from(MACHINES), speed=st.sampled_from([0.0, 50.0]))
    def pump_speed(self, pump: str, speed: float) -> None:
        self.bench.ask(f"{pump}.speed_command", speed, 150, "operator")

    @rule(source=st.sampled_from([None, *(name for name, _ in SOURCES)]))
    def somebody_lets_go(self, source: str | None) -> None:
        self.bench.desk.release(self.bench.wall, source=source)

    @rule(
        seconds=st.sampled_from([1, 5, 15, 40, 70, 150, 250]),
        every=st.sampled_from([1, 5, 20, 60]),
    )
    def time_passes(self, seconds: float, every: float) -> None:
        self.bench.run(seconds, every=max(every, seconds / 25))

    @rule(
        key=st.sampled_from([*CHILLERS, *MACHINES, "valve_1"]),
        hand=st.sampled_from([None, True, False]),
    )
    def hand_switch(self, key: str, hand: bool | None) -> None:
        self.bench.machines[key].hand = hand

    @rule(key=st.sampled_from([*CHILLERS, *MACHINES]), broken=st.booleans())
    def breaks(self, key: str, broken: bool) -> None:
        self.bench.machines[key].broken = broken

    @rule(chiller=st.sampled_from(CHILLERS), alarm=st.booleans())
    def alarm(self, chiller: str, alarm: bool) -> None:
        (self.bench.alarms.add if alarm else self.bench.alarms.discard)(chiller)

    @rule(data=st.data())
    def readings_are_lost(self, data: st.DataObject) -> None:
        points = sorted(self.bench.plant.points)
        self.bench.stale = set(data.draw(st.lists(st.sampled_from(points), max_size=6)))

    @rule(chiller=st.sampled_from(CHILLERS), flow=st.booleans())
    def flow_switch(self, chiller: str, flow: bool) -> None:
        point = f"{chiller}.condenser_water_flow_status"
        (self.bench.no_flow.discard if flow else self.bench.no_flow.add)(point)

    @rule(wire=st.sampled_from(["takes", "takes", "refuses", "takes silently"]))
    def wire(self, wire: str) -> None:
        self.bench.wire = wire

    @rule(jump=st.sampled_from([-86400.0, -600.0, -30.0, 30.0, 600.0, 86400.0]))
    def clock_is_set(self, jump: float) -> None:
        self.bench.offset += jump
        self.observer.blind = True
        self.observer.credit += min(max(jump, 0.0), 60.0)

    @rule(gap=st.sampled_from([0.0, 30.0, 600.0]))
    def home_assistant_restarts(self, gap: float) -> None:
        self.bench.step()  # leases that are over are over
        stored = json.loads(json.dumps(self.bench.desk.as_dict()))
        self.bench.now += gap
        self.observer.blind |= gap > 0.0
        self.bench._run_machines()
        desk = DeskWithADouble(self.bench.plant)
        desk.restore(self.bench.wall, stored)
        if gap == 0.0:
            readings = self.bench.read()
            # Judged on copies, so that neither knows of the other.
            other = DeskWithADouble(self.bench.plant)
            other.restore(self.bench.wall, stored)
            old = self.bench.desk.step(self.bench.wall, readings)
            assert other.step(self.bench.wall, readings) == old
            for point in self.bench.plant.points:
                # A restart gives a lease time to be refreshed.
                restored = replace(other.status(point), lease_end=None)
                status = replace(self.bench.desk.status(point), lease_end=None)
                assert restored == status
            # The orders of that look were sent by nobody; its desk is gone.
        self.bench.desk = desk

    @rule()
    def looking_twice_changes_nothing(self) -> None:
        readings = self.bench.read()
        self.observer.look(readings)
        first = self.bench.desk.step(self.bench.wall, readings)
        assert self.bench.desk.step(self.bench.wall, readings) == first
        for order in first:
            self.bench.carry_out(order)
        if self.bench.wire == "takes":
            assert self.bench.desk.step(self.bench.wall, readings) == ()

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        self.everything_heals()
        self.nothing_is_left_on_the_wire()
        self.chillers_can_start_again()

    def everything_heals(self) -> None:
        bench = self.bench
        bench.wire, bench.stale, bench.no_flow = "takes", set(), set()
        bench.alarms = set()
        for machine in bench.machines.values():
            machine.hand, machine.broken = None, False

    def nothing_is_left_on_the_wire(self) -> None:
        self.bench.desk.release(self.bench.wall)
        self.bench.run(4500, every=50)
        for point, value in self.bench.slots.items():
            # Only what was stopped while somebody else ran it without water.
            assert value is False
            assert self.bench.desk.status(point).owner == "interlock"
            assert "flow was lost" in self.bench.desk.status(point).reason

    def chillers_can_start_again(self) -> None:
        self.bench.serve()
        for chiller in CHILLERS:
            self.bench.ask(f"{chiller}.run_command", True)
        self.bench.run(3700, every=55)
        for chiller in CHILLERS:
            assert self.bench.machines[chiller].on, self.bench.hold(
                f"{chiller}.run_command"
            )


@pytest.mark.parametrize("start", ["starts", "cycles", "dries"])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_at_every_start(start: str, fault: str) -> None:
    for lead_release, write_only, off in product(
        (False, True), (False, True), (None, "pchp_2.run_command")
    ):
        day = AnyPlantDay()
        day.begin(
            lead_release=lead_release,
            write_only=write_only,
            chiller_delay=30.0 if off else 4.0,
            start=start,
            fault=fault,
            off=off,
        )
        day.teardown()


def test_desk_rests_on_days_that_are_compared() -> None:
    before = DeskWithADouble.rested
    test_every_fault_at_every_start("starts", "nothing")
    assert DeskWithADouble.rested - before > 100


TestAnyPlantDay = AnyPlantDay.TestCase
TestAnyPlantDay.settings = settings(
    max_examples=3000 if LONG else 250,
    report_multiple_bugs=False,
    derandomize=not LONG,
    stateful_step_count=60 if LONG else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A day that went wrong is told as it was: to shorten it takes minutes.
    phases=list(Phase) if LONG else [Phase.explicit, Phase.reuse, Phase.generate],
)
