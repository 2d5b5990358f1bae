"""What the loop believes of its meter, and how it lets go."""

from dataclasses import replace

from chiller_control.control.decision import Decision, Inputs, Value
from chiller_control.control.demand_response.measures import Measure
from chiller_control.control.demand_response.requested_load import RequestedLoad
from chiller_control.control.demand_response.shedding import Shedding
from chiller_control.control.demand_response.shedding_terms import Demand
import pytest

NOW = 1_800_000_000.0
METER = "meter.power"
BATTERY = Measure(
    "battery", "Battery", "discharge", ("battery.setpoint",), 1, 10.0,
    levels=10, step=10.0, charge="battery.charge", least_on=60.0,
)  # fmt: skip
FOUNTAIN = Measure(
    "fountain", "Fountain", "switch_off", ("fountain.run_command",), 1, 20.0,
    recovery=1800.0, least_on=0.0,
)  # fmt: skip
LIMIT = Measure(
    "limit", "Limit", "limit", ("chiller_1.limit", "chiller_2.limit"), 1, 20.0,
    levels=8, step=5.0, bound=50.0, loads=("chiller_1.load", "chiller_2.load"),
)  # fmt: skip


class Loop:
    """The loop every ten seconds, against a meter that a test moves."""

    def __init__(self, *measures: Measure, target: float, baseline: float = 500.0):
        self.measures = measures
        self.target: float | None = target
        self.baseline = baseline
        self.now = NOW
        self.values: dict[str, Value | None] = {"battery.charge": 80.0}
        for item in measures:
            self.values |= dict.fromkeys(item.points, 100.0)
        self.shedding = self.build()

    def build(self, resume: dict[str, object] | None = None) -> Shedding:
        return Shedding(self.measures, METER, self._demand, resume=resume)

    def _demand(self, now: float) -> Demand:
        if self.target is None:
            return Demand(self.baseline, None)
        less = RequestedLoad(self.target, self.baseline - self.target, "less")
        return Demand(self.baseline, less)

    def look(self, meter: float | None, **values: Value | None) -> Decision:
        self.now += 10.0
        told = {key.replace("__", "."): value for key, value in values.items()}
        self.values |= {METER: meter, **told}
        return self.shedding.step(self.now, Inputs(dict(self.values)))

    def levels(self, decision: Decision) -> list[int]:
        rows = decision.attributes["measures"]
        assert isinstance(rows, list)
        return [row["level"] for row in rows]


def test_one_reading_that_is_a_spike_sheds_nothing_and_two_do() -> None:
    loop = Loop(BATTERY, target=450.0)
    loop.look(449.0)
    assert loop.levels(loop.look(2000.0)) == [0]
    assert loop.levels(loop.look(451.0)) == [0]
    assert loop.levels(loop.look(-300.0)) == [0]
    loop.look(480.0)
    assert loop.levels(loop.look(481.0)) == [3]


def test_what_is_too_much_is_given_back_at_once_as_it_was_used() -> None:
    """One step in each cycle took a battery of twenty steps twenty minutes."""
    loop = Loop(BATTERY, target=400.0)
    assert loop.levels(loop.look(490.0)) == [9]
    for second in range(10):
        loop.look(400.0 + 0.1 * second)
    loop.look(340.0)
    assert loop.levels(loop.look(341.0)) == [4]


def test_meter_that_exports_is_held_within_its_band() -> None:
    """What the sun brings takes the baseline below zero, and the band with it."""
    loop = Loop(BATTERY, target=-120.0, baseline=-100.0)
    loop.look(-119.0)
    assert loop.levels(loop.look(-119.5)) == [0]
    loop.look(-100.0)
    assert loop.levels(loop.look(-100.5)) == [2]


def test_meter_that_does_not_see_what_is_shed_is_doubted() -> None:
    loop = Loop(FOUNTAIN, BATTERY, target=380.0)
    for step in range(40):
        decision = loop.look(499.0 + 0.1 * (step % 3))
    assert "does it measure all of them?" in str(decision.attributes["message"])


def test_storage_that_runs_low_hands_over_step_by_step() -> None:
    loop = Loop(BATTERY, target=400.0)
    loop.look(499.0)
    levels = []
    for step, charge in enumerate((80.0, 16.0, 14.0, 12.5, 11.0, 10.4, 10.0)):
        decision = loop.look(499.0 + step % 2, battery__charge=charge)
        levels.append(loop.levels(decision)[0])
    assert levels == [10, 10, 8, 5, 2, 1, 0]


def test_limits_are_shared_by_the_chillers_that_run() -> None:
    """One that stops would be started again because the other is held below it."""
    loop = Loop(LIMIT, target=440.0)
    both: dict[str, Value | None] = {"chiller_1__load": 60.0, "chiller_2__load": 60.0}
    loop.look(499.0, **both)
    first = loop.look(500.0, **both).commands[0].value
    assert first == 55.0
    alone = loop.look(441.0, chiller_1__load=55.0, chiller_2__load=0.0)
    assert {command.value for command in alone.commands} == {100.0}
    again = loop.look(442.0, chiller_1__load=50.0, chiller_2__load=40.0)
    assert all(float(command.value) <= 55.0 for command in again.commands)


def test_chiller_that_is_not_there_does_not_keep_the_other_from_being_limited() -> None:
    loop = Loop(LIMIT, target=440.0)
    loop.values["chiller_2.limit"] = None
    loop.look(499.0, chiller_1__load=90.0)
    assert loop.levels(loop.look(500.0))[0] > 0


@pytest.mark.parametrize("restarted", [False, True])
def test_recovery_and_what_is_on_its_way_outlast_a_restart(restarted: bool) -> None:
    loop = Loop(FOUNTAIN, target=480.0)
    loop.look(499.0)
    used = loop.look(499.5)
    assert loop.levels(used) == [1]
    loop.target = None
    for step in range(60):
        decision = loop.look(480.0 + 0.1 * (step % 2))
    assert loop.levels(decision) == [0]
    loop.target = 483.0
    if restarted:
        resume = decision.attributes["resume"]
        assert isinstance(resume, dict)
        loop.shedding = loop.build(resume)
    loop.look(500.0)
    decision = loop.look(500.5)
    assert loop.levels(decision) == [0]
    rows = decision.attributes["measures"]
    assert isinstance(rows, list)
    assert "it recovers" in rows[0]["waits"]


def test_device_that_is_dead_is_said_and_its_measure_left_out() -> None:
    loop = Loop(FOUNTAIN, BATTERY, target=480.0)
    loop.values["fountain.run_command"] = None
    loop.look(499.0)
    decision = loop.look(499.5)
    rows = decision.attributes["measures"]
    assert isinstance(rows, list)
    assert rows[0]["unable"] == "fountain.run_command is not known"
    assert [row["level"] for row in rows] == [0, 2]


def test_circuit_that_has_to_rest_is_waited_for_before_another_comes_back() -> None:
    """All of them came on together later, when each had rested."""
    circuits = [
        replace(FOUNTAIN, key=name, name=name, points=(f"{name}.run_command",))
        for name in ("fountain", "car_park", "heaters")
    ]
    loop = Loop(*circuits, target=440.0)
    loop.look(500.0)
    assert loop.levels(loop.look(500.1)) == [1, 1, 1]
    off = {
        f"{name}__run_command": False for name in ("fountain", "car_park", "heaters")
    }
    for second in range(30):
        loop.look(440.0 + 0.1 * (second % 3), **off)
    loop.target = 462.0
    for second in range(40):
        decision = loop.look(440.0 + 0.1 * (second % 3), **off)
        assert sum(loop.levels(decision)) >= 2
    assert sum(loop.levels(decision)) == 2
    rested = next(
        name
        for name, level in zip(
            ("fountain", "car_park", "heaters"), loop.levels(decision), strict=True
        )
        if not level
    )
    loop.target = 483.0
    decision = loop.look(460.0, **off | {f"{rested}__run_command": True})
    decision = loop.look(460.1)
    assert sum(loop.levels(decision)) == 1
