"""No request, whoever makes it, harms a machine or leaves it without water."""

from dataclasses import replace

import pytest

from custom_components.chiller_plant.plant.roles import EquipmentType

from .bench import Bench, idle_plant, running_plant
from .factories import (
    CHILLER_INTERLOCKS,
    make_chiller,
    make_chiller_plant,
    make_drive,
    make_equipment,
    make_plant,
)


def test_chiller_starts_when_its_flow_is_proven() -> None:
    bench = idle_plant()
    bench.serve(number=1)
    bench.ask("chiller_1.run_command", True)
    bench.step()
    assert bench.hold("chiller_1.run_command") == (
        "Chiller 1 start held: Valve 1 is not proven open"
    )
    bench.run(10)
    assert bench.hold("chiller_1.run_command") == (
        "Chiller 1 start held: flow must be proven without a break, 25 s left"
    )
    bench.run(40)
    assert bench.machines["chiller_1"].on
    assert bench.hold("chiller_1.run_command") is None


@pytest.mark.parametrize("missing", ["pchp_1", "cdp_1", "ct_1", "valve_1"])
def test_chiller_is_not_started_without_its(missing: str) -> None:
    bench = idle_plant(1)
    bench.machines[missing].broken = True
    bench.serve()
    bench.ask("chiller_1.run_command", True, priority=200, source="safety")
    bench.run(600)
    assert not bench.commanded("chiller_1")


@pytest.mark.parametrize(
    "role", ["chilled_water_flow_status", "condenser_water_flow_status"]
)
def test_chiller_is_not_started_without(role: str) -> None:
    bench = idle_plant(1)
    bench.no_flow.add(f"chiller_1.{role}")
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(600)
    assert not bench.commanded("chiller_1")
    assert "flow is not proven" in (bench.hold("chiller_1.run_command") or "")


def test_second_chiller_needs_a_second_pump() -> None:
    bench = idle_plant()
    bench.serve(number=1)
    bench.ask("valve_2.open_command", True)
    bench.ask("chiller_1.run_command", True)
    bench.ask("chiller_2.run_command", True)
    bench.run(900)
    assert bench.machines["chiller_1"].on
    assert not bench.commanded("chiller_2")
    assert bench.hold("chiller_2.run_command") == (
        "Chiller 2 start held: not enough chilled water pumps are proven running "
        "for it and the chillers that run (1 of Pchp 1, Pchp 2)"
    )
    bench.serve(number=2)
    bench.run(60)
    assert bench.machines["chiller_2"].on


@pytest.mark.parametrize(
    "point",
    [
        "chiller_1.run_status",
        "chiller_1.alarm",
        "chiller_1.chilled_water_flow_status",
        "valve_1.open_status",
        "pchp_1.run_status",
    ],
)
def test_chiller_is_not_started_blind(point: str) -> None:
    bench = idle_plant(1)
    bench.serve()
    bench.run(60)
    bench.stale.add(point)
    bench.ask("chiller_1.run_command", True)
    bench.run(300)
    assert not bench.commanded("chiller_1")
    name = point.replace(".", " ").replace("_", " ").capitalize()
    assert bench.hold("chiller_1.run_command") == (
        f"Chiller 1 start held: the reading of {name} is not good (stale)"
    )
    bench.stale.clear()
    bench.run(60)
    assert bench.machines["chiller_1"].on


@pytest.mark.parametrize(
    "point",
    [
        "chiller_1.run_status",
        "chiller_1.chilled_water_flow_status",
        "valve_1.open_status",
        "pchp_1.run_status",
    ],
)
def test_what_a_hand_has_set_proves_no_flow(point: str) -> None:
    bench = idle_plant(1)
    bench.serve()
    bench.run(60)
    bench.by_hand[point] = "out of service at the device"
    bench.ask("chiller_1.run_command", True)
    bench.run(300)
    assert not bench.commanded("chiller_1")
    assert "is not good (overridden)" in str(bench.hold("chiller_1.run_command"))
    bench.by_hand.clear()
    bench.run(60)
    assert bench.machines["chiller_1"].on


def test_what_a_hand_has_set_stops_no_chiller_that_runs() -> None:
    bench = running_plant(1)
    flow = "chiller_1.chilled_water_flow_status"
    bench.by_hand[flow] = "out of service at the device"
    bench.no_flow.add(flow)
    bench.run(3600, every=20)
    assert bench.machines["chiller_1"].on


def test_lost_readings_never_stop_a_chiller() -> None:
    bench = running_plant()
    bench.stale.update(bench.plant.points)
    bench.run(3600, every=20)
    assert bench.machines["chiller_1"].on
    assert bench.machines["chiller_2"].on
    assert bench.orders == []


def test_minimum_off_time_is_told_and_kept() -> None:
    bench = running_plant()
    bench.ask("chiller_2.run_command", False)
    bench.run(10)
    assert not bench.machines["chiller_2"].on
    bench.ask("chiller_2.run_command", True)
    bench.run(450)
    assert bench.hold("chiller_2.run_command") == (
        "Chiller 2 start held: minimum off time, 7 min 30 s left"
    )
    bench.run(430)
    assert not bench.machines["chiller_2"].on
    bench.run(60)
    assert bench.machines["chiller_2"].on


def test_first_look_at_a_standing_chiller_counts_as_its_stop() -> None:
    bench = Bench(make_chiller_plant(1))
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(890)
    assert not bench.commanded("chiller_1")
    bench.run(60)
    assert bench.machines["chiller_1"].on


def test_minimum_run_time_holds_a_stop_but_not_safety() -> None:
    bench = idle_plant(1)
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(120)
    bench.ask("chiller_1.run_command", False)
    bench.run(60)
    assert bench.machines["chiller_1"].on
    assert (bench.hold("chiller_1.run_command") or "").startswith(
        "Chiller 1 stop held: minimum run time, "
    )
    bench.ask("chiller_1.run_command", False, 200, "fire alarm")
    bench.run(10)
    assert not bench.machines["chiller_1"].on


def test_safety_stops_all_chillers_at_once() -> None:
    bench = running_plant(3)
    for n in (1, 2, 3):
        bench.ask(f"chiller_{n}.run_command", False, 200, "fire alarm")
    assert len(bench.step()) == 3


def test_one_chiller_changes_at_a_time() -> None:
    bench = running_plant(3)
    bench.desk.release(bench.wall)
    bench.step()
    stops = [o for _, o in bench.orders if o.point.role.name == "run_command"]
    assert [order.point.key for order in stops] == ["chiller_1.run_command"]
    assert "Chiller 1 is changing state" in (bench.hold("chiller_2.run_command") or "")
    bench.run(100)
    assert bench.machines["chiller_2"].on
    bench.run(60)
    assert not bench.machines["chiller_2"].on
    assert bench.machines["chiller_3"].on


def test_starts_an_hour_are_limited() -> None:
    settings = replace(
        CHILLER_INTERLOCKS,
        minimum_off_time=10,
        minimum_run_time=10,
        maximum_starts_per_hour=2,
    )
    plant = make_chiller_plant(1)
    chiller = replace(plant.equipment["chiller_1"], interlocks=settings)
    bench = Bench(make_plant(*(plant.equipment | {"chiller_1": chiller}).values()))
    bench.serve()
    for _ in range(2):
        bench.ask("chiller_1.run_command", True)
        bench.run(120)
        assert bench.machines["chiller_1"].on
        bench.ask("chiller_1.run_command", False)
        bench.run(60)
    bench.ask("chiller_1.run_command", True)
    bench.run(600)
    assert "2 starts an hour are used up" in (bench.hold("chiller_1.run_command") or "")
    bench.run(3600)
    assert bench.machines["chiller_1"].on


def test_starts_by_hand_count_and_need_flow() -> None:
    bench = idle_plant()
    bench.serve()
    bench.run(60)
    bench.machines["chiller_1"].hand = True
    bench.run(20)
    bench.serve(False, number=1)
    bench.serve(False, number=2)
    bench.run(60)
    assert bench.machines["valve_1"].on
    assert bench.machines["pchp_1"].on or bench.machines["pchp_2"].on
    assert not (bench.machines["pchp_1"].on and bench.machines["pchp_2"].on)
    assert not bench.machines["valve_2"].on


def test_failed_start_is_taken_back_and_tried_again_later() -> None:
    bench = idle_plant(1)
    bench.machines["chiller_1"].broken = True
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(60)
    assert bench.commanded("chiller_1")
    bench.run(310)
    assert not bench.commanded("chiller_1")
    assert "start_failed" in bench.kinds()
    bench.machines["chiller_1"].broken = False
    bench.run(860)
    assert not bench.machines["chiller_1"].on
    bench.run(60)
    assert bench.machines["chiller_1"].on


def test_tripped_chiller_does_not_start_by_surprise_when_reset() -> None:
    bench = running_plant(1)
    bench.machines["chiller_1"].hand = False
    bench.alarms.add("chiller_1")
    bench.run(10)
    assert bench.slots["chiller_1.run_command"] is False
    bench.run(1200, every=20)
    bench.machines["chiller_1"].hand = None
    bench.run(60)
    assert not bench.machines["chiller_1"].on
    bench.alarms.clear()
    bench.run(60)
    assert bench.machines["chiller_1"].on


def test_running_chiller_with_an_alarm_runs_on() -> None:
    bench = running_plant(1)
    bench.alarms.add("chiller_1")
    bench.run(600)
    assert bench.machines["chiller_1"].on


def test_dead_controller_does_not_keep_the_other_chiller_off() -> None:
    bench = idle_plant()
    bench.serve()
    bench.run(60)
    bench.wire = "refuses"
    bench.ask("chiller_1.run_command", True)
    bench.step()
    bench.wire = "takes"
    bench.stale.add("chiller_1.run_status")
    bench.ask("chiller_2.run_command", True)
    bench.run(600)
    assert bench.machines["chiller_2"].on


def test_chiller_without_flow_status_relies_on_pumps_and_valves() -> None:
    plant = make_chiller_plant(1)
    bare = make_chiller(
        1, 1, without=("chilled_water_flow_status", "condenser_water_flow_status")
    )
    bench = Bench(make_plant(*(plant.equipment | {"chiller_1": bare}).values()))
    bench.run(1000, every=20)
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(30)
    assert not bench.commanded("chiller_1")
    bench.run(30)
    assert bench.machines["chiller_1"].on
    bench.machines["pchp_1"].hand = False
    bench.run(30)
    assert not bench.machines["chiller_1"].on


def test_chiller_whose_flow_nothing_proves_is_not_started() -> None:
    chiller = make_equipment("chiller_1", EquipmentType.CHILLER, {"run_command": {}})
    bench = Bench(make_plant(chiller))
    bench.ask("chiller_1.run_command", True)
    bench.run(100)
    assert "nothing proves its chilled-water flow" in (
        bench.hold("chiller_1.run_command") or ""
    )


def test_machine_without_status_is_judged_by_its_command() -> None:
    settings = replace(CHILLER_INTERLOCKS, minimum_off_time=60, minimum_run_time=60)
    boiler = make_equipment(
        "boiler_1",
        EquipmentType.HEAT_SOURCE,
        {"run_command": {"release": False}},
        interlocks=settings,
    )
    bench = Bench(make_plant(boiler))
    bench.run(100)
    bench.ask("boiler_1.run_command", True)
    bench.run(40)
    assert bench.machines["boiler_1"].on
    bench.ask("boiler_1.run_command", False)
    bench.run(10)
    assert bench.machines["boiler_1"].on
    bench.run(25)
    assert not bench.machines["boiler_1"].on
    bench.ask("boiler_1.run_command", True)
    bench.run(30)
    assert not bench.machines["boiler_1"].on
    bench.run(40)
    assert bench.machines["boiler_1"].on


def test_dedicated_pumps_are_not_held_for_others() -> None:
    plant = make_chiller_plant(2)
    equipment = dict(plant.equipment)
    for n in (1, 2):
        served_by = {
            kind: tuple(key for key in keys if key.endswith(f"_{n}"))
            for kind, keys in equipment["chiller_1"].served_by.items()
            if kind != "valves"
        }
        key = f"chiller_{n}"
        equipment[key] = replace(
            equipment[key], served_by=served_by | {"valves": (f"valve_{n}",)}
        )
    bench = Bench(make_plant(*equipment.values()))
    bench.run(1000, every=20)
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(120)
    bench.ask("pchp_2.run_command", False)
    bench.ask("pchp_1.run_command", False)
    bench.run(10)
    assert not bench.machines["pchp_2"].on
    assert bench.machines["pchp_1"].on


def test_pump_has_its_own_minimum_times() -> None:
    pump = make_drive(
        "schp_1",
        EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
        interlocks=replace(
            CHILLER_INTERLOCKS, minimum_run_time=60, minimum_off_time=120
        ),
    )
    bench = Bench(make_plant(pump))
    bench.run(130)
    bench.ask("schp_1.run_command", True)
    bench.run(10)
    assert bench.machines["schp_1"].on
    bench.ask("schp_1.run_command", False)
    bench.run(30)
    assert bench.machines["schp_1"].on
    bench.run(60)
    assert not bench.machines["schp_1"].on
    bench.ask("schp_1.run_command", True)
    bench.run(60)
    assert "minimum off time" in (bench.hold("schp_1.run_command") or "")
