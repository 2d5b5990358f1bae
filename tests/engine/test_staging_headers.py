"""Chillers on common headers: who opens first, and cells that others run too."""

from typing import Any

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.decision import Decision
from factories import SmallPlant, automation, first, plan_of, staging

TOWERS = automation(
    "smart_ct",
    name="towers",
    metadata={
        "outputs": [
            *(f"ct_{n}.speed_command" for n in (1, 2, 3)),
            *(f"ct_{n}.run_command" for n in (1, 2, 3)),
            *(f"cdp_{n}.speed_command" for n in (1, 2, 3)),
        ]
    },
)


class Headers:
    """Three chillers on headers, staged; cells may be held on besides."""

    def __init__(self, load: float = 500.0, *others: dict[str, Any]) -> None:
        plan = plan_of(staging(3), *others, chillers=3)
        self.plant = SmallPlant(3, load)
        self.controller = ChillerAddSubtract(plan, first(plan))
        self.extra: set[int] = set()
        self.failed: list[str] = []
        self.decision = Decision((), "", {})

    def go(self, seconds: float, stage: int | None = None) -> "Headers":
        end = self.plant.now + seconds
        while self.plant.now < end:
            self.decision = self.controller.step(self.plant.now, self.plant.inputs)
            self.failed += [
                item.reason
                for item in self.decision.events
                if item.event == "equipment_failed"
            ]
            self.plant.take(self.decision)
            for n in self.extra:
                self.plant.commands[f"ct_{n}.run_command"] = True
            reached = self.decision.attributes.get("stage") == stage
            if reached and self.decision.state == "running":
                return self
            self.plant.run(5)
        assert stage is None, self.decision.attributes["message"]
        return self

    def on(self, key: str) -> bool:
        return self.plant.values[f"{key}.run_status"] is True

    def changed(self, point: str, value: bool) -> float:
        return [at for at, key, to in self.plant.log if (key, to) == (point, value)][-1]


def test_on_a_header_that_flows_the_pump_is_proven_before_the_valve_opens() -> None:
    plant = Headers(1350.0).go(600, stage=1)
    first_valve = plant.changed("condenser_water_valve_1.open_command", True)
    assert first_valve < plant.changed("cdp_1.run_command", True), "nothing flowed yet"
    plant.go(4000, stage=2)
    for pump in ("pchp_2", "cdp_2"):
        started = plant.changed(f"{pump}.run_command", True)
        for side in ("chilled", "condenser"):
            opened = plant.changed(f"{side}_water_valve_2.open_command", True)
            assert opened >= started + plant.plant.start_time


def test_on_a_header_that_flows_on_the_valve_is_shut_before_the_pump_stops() -> None:
    plant = Headers(1350.0).go(600, stage=1).go(4000, stage=2)
    plant.plant.load = 500.0
    plant.go(6000, stage=1).go(900)
    for side, pump in (("chilled", "pchp_2"), ("condenser", "cdp_2")):
        shut = plant.changed(f"{side}_water_valve_2.open_command", False)
        assert plant.changed(f"{pump}.run_command", False) >= shut + 90.0
    assert not plant.on("cdp_2") and not plant.on("pchp_2")


def test_a_pump_that_does_not_start_opens_no_valve_and_is_replaced() -> None:
    plant = Headers(1350.0).go(600, stage=1)
    plant.plant.broken.add("cdp_2")
    plant.go(5000, stage=2)
    assert plant.on("cdp_3")
    assert plant.failed == ["CDP 2 did not run within 5 min"]
    opened = plant.changed("condenser_water_valve_2.open_command", True)
    assert opened > plant.changed("cdp_3.run_command", True)


def test_cells_that_another_automation_runs_are_not_waited_for() -> None:
    plant = Headers(1350.0, TOWERS).go(600, stage=1)
    plant.extra = {2, 3}
    plant.go(60)
    assert plant.on("ct_3")
    plant.go(4000, stage=2)
    plant.plant.load = 500.0
    plant.go(6000, stage=1).go(900)
    assert plant.on("ct_2") and plant.on("ct_3")
    assert not plant.on("cdp_2"), "its pump stops though the cells run on"
    assert plant.failed == []
    assert plant.decision.attributes["waiting"] == []


def test_a_shared_cell_stops_when_it_is_let_go() -> None:
    plant = Headers(500.0, TOWERS).go(600, stage=1)
    plant.extra = {2, 3}
    plant.go(120)
    plant.extra = set()
    plant.go(120)
    assert plant.on("ct_1") and not plant.on("ct_2") and not plant.on("ct_3")


def test_a_running_shared_cell_is_taken_for_the_next_chiller() -> None:
    plant = Headers(1350.0, TOWERS).go(600, stage=1)
    plant.extra = {3}
    plant.go(4000, stage=2)
    commanded = {item.point: item.value for item in plant.decision.commands}
    assert commanded["ct_3.run_command"] is True
    assert commanded["ct_2.run_command"] is False


def test_staging_leaves_speeds_alone_that_the_towers_automation_drives() -> None:
    plant = Headers(500.0, TOWERS).go(600, stage=1)
    commanded = {item.point for item in plant.decision.commands}
    assert not commanded & set(TOWERS["metadata"]["outputs"][:3])
    assert "cdp_1.speed_command" not in commanded
    assert "ct_1.run_command" in commanded, "a cell for the chiller is staging's"


def test_the_whole_plant_stops_with_shared_cells() -> None:
    plant = Headers(500.0, TOWERS).go(600, stage=1)
    plant.extra = {2, 3}
    plant.go(120)
    plant.plant.values["plant.enable_command"] = False
    plant.go(240)
    plant.extra = set()
    plant.go(900)
    assert plant.plant.running("", "run_status") == 0
    assert plant.failed == []
