"""From a request to the wire, and back when nobody wants anything any more."""

from itertools import pairwise
import math
from pathlib import Path

import pytest

from custom_components.chiller_plant.plant.command_desk import (
    CommandDesk,
    CommandRefused,
    Request,
)
from custom_components.chiller_plant.plant.notices import MAXIMUM_NOTICES
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.plant.reading import Quality, Reading
from custom_components.chiller_plant.plant.roles import EquipmentType

from .bench import Bench
from .command_desks import PUMP, pump_plant
from .factories import good, make_equipment, make_plant, modbus
from .test_interlocks import idle_plant, running_plant

EXAMPLE = Path(__file__).parents[2] / "examples/two_chillers/plant.yaml"


SPEED = "schp_1.speed_command"


def sent(bench: Bench) -> list[tuple[str, object]]:
    """Return what was sent since the last look at this list."""
    orders = [(order.point.key, order.value) for _, order in bench.orders]
    bench.orders.clear()
    return orders


def test_only_changes_are_written_and_the_last_release_relinquishes() -> None:
    bench = Bench(pump_plant())
    bench.ask(PUMP, True, 5, "app", 60)
    bench.step()
    bench.ask(PUMP, True, 150, "operator")
    bench.step()
    assert sent(bench) == [(PUMP, True)]
    assert bench.desk.status(PUMP).owner == "operator"
    bench.desk.release(bench.wall, source="operator")
    bench.step()
    assert sent(bench) == []
    assert bench.desk.status(PUMP).owner == "app"
    bench.run(70)
    assert sent(bench) == [(PUMP, None)]
    status = bench.desk.status(PUMP)
    assert (status.owner, status.on_wire, status.owned) == (None, None, False)
    assert bench.kinds() == ["written", "lease_expired", "released"]


def test_order_nobody_answered_for_is_offered_again() -> None:
    desk = CommandDesk(pump_plant())
    desk.request(0, Request(PUMP, True, 150, "operator", "cool the wards"))
    first = desk.step(0, {})
    assert [(order.value, order.reason, order.source) for order in first] == [
        (True, "cool the wards", "operator")
    ]
    assert desk.step(1, {}) == first
    desk.written(1, first[0])
    assert desk.step(1, {}) == ()


def test_failed_write_backs_off_up_to_five_minutes() -> None:
    bench = Bench(pump_plant())
    bench.wire = "refuses"
    bench.ask(PUMP, True)
    bench.run(2000, every=1)
    times = [at for at, _ in bench.orders]
    waits = [round(b - a) for a, b in pairwise(times)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300]
    assert bench.kinds().count("write_failed") == 1
    assert "writing failed, next attempt in" in (bench.hold(PUMP) or "")


def test_start_that_failed_is_not_repeated_once_nobody_wants_it() -> None:
    bench = idle_plant(1)
    bench.serve()
    bench.run(60)
    bench.wire = "refuses"
    bench.ask("chiller_1.run_command", True)
    bench.step()
    bench.wire = "takes"
    bench.desk.release(bench.wall, points=["chiller_1.run_command"])
    sent(bench)
    bench.run(20)
    assert sent(bench) == [("chiller_1.run_command", None)]
    assert bench.slots.get("chiller_1.run_command") is None


def test_pump_is_kept_while_a_start_may_have_arrived() -> None:
    bench = idle_plant(1)
    bench.write_only = True
    bench.serve()
    bench.run(60)
    bench.wire = "takes silently"
    bench.ask("chiller_1.run_command", True)
    bench.step()
    bench.wire = "takes"
    bench.ask("pchp_1.run_command", False)
    bench.step()
    assert bench.hold("pchp_1.run_command") == "Pchp 1 stop held: Chiller 1 needs it"


def test_lost_answer_to_a_pump_stop_keeps_the_other_pump() -> None:
    bench = running_plant()
    bench.write_only = True
    bench.ask("chiller_2.run_command", False)
    bench.run(400)
    bench.wire = "takes silently"
    bench.ask("pchp_1.run_command", False)
    bench.step()
    bench.wire = "takes"
    bench.ask("pchp_1.run_command", True)
    bench.ask("pchp_2.run_command", False)
    sent(bench)
    bench.step()
    assert ("pchp_2.run_command", False) not in sent(bench)


def test_start_that_nobody_confirmed_counts_when_it_is_taken_back() -> None:
    bench = idle_plant(1)
    bench.write_only = True
    bench.chiller_delay = 60
    bench.serve()
    bench.run(60)
    bench.wire = "takes silently"
    bench.ask("chiller_1.run_command", True)
    bench.step()
    bench.ask("chiller_1.run_command", False)
    bench.run(10)
    bench.wire = "takes"
    bench.ask("chiller_1.run_command", True)
    bench.run(800)
    assert not bench.commanded("chiller_1")
    assert "minimum off time" in (bench.hold("chiller_1.run_command") or "")
    bench.run(160)
    assert bench.commanded("chiller_1")


def test_stop_that_may_have_arrived_is_undone_if_the_pump_is_needed_after_all() -> None:
    bench = idle_plant()
    bench.serve()
    bench.run(60)
    bench.wire = "takes silently"
    bench.ask("pchp_1.run_command", False)
    bench.step()
    bench.wire = "takes"
    for chiller in ("chiller_1", "chiller_2"):
        bench.machines[chiller].hand = bench.machines[chiller].on = True
    bench.run(5)
    assert bench.commanded("pchp_1")
    assert bench.hold("pchp_1.run_command") == (
        "Pchp 1 stop held: Chiller 1 needs it, Chiller 2 needs it"
    )
    sent(bench)
    bench.run(60)
    assert sent(bench) == []


def test_ramp_moves_no_faster_than_it_may() -> None:
    bench = Bench(pump_plant(ramp=2.0))
    bench.run(100)
    bench.ask(SPEED, 50.0)
    bench.step()
    bench.run(40)
    values = [value for _, value in sent(bench)]
    assert values[:4] == [100.0, 90.0, 80.0, 70.0]
    assert values[-1] == 50.0
    bench.run(1000)
    bench.ask(SPEED, 60.0)
    bench.run(5)
    assert sent(bench) == []
    bench.run(5)
    assert sent(bench) == [(SPEED, 60.0)]


def test_read_back_that_differs_is_told_and_written_again() -> None:
    bench = Bench(pump_plant())
    bench.ask(SPEED, 50.0)
    bench.step()
    sent(bench)
    bench.slots[SPEED] = 80.0
    bench.run(40)
    assert sent(bench) == [(SPEED, 50.0)]
    assert "mismatch" in bench.kinds()
    assert "mismatch_cleared" in bench.kinds()
    assert bench.desk.status(SPEED).mismatch is None


def test_reading_from_before_the_write_says_nothing_of_it() -> None:
    # Setpoints are read every five minutes only.
    desk = CommandDesk(pump_plant())
    readings = {SPEED: Reading(80.0, Quality.GOOD, 100.0)}
    desk.step(100.0, readings)
    desk.request(101.0, Request(SPEED, 50.0, 150, "operator"))
    for now in range(101, 400, 5):
        for order in desk.step(now, readings):
            desk.written(now, order)
    assert desk.status(SPEED).mismatch is None

    desk.step(400.0, {SPEED: Reading(80.0, Quality.GOOD, 400.0)})
    assert desk.status(SPEED).mismatch == 80.0


def test_device_that_never_follows_is_written_less_and_less_often() -> None:
    plant = pump_plant()
    desk = CommandDesk(plant)
    desk.request(0, Request(SPEED, 50.0, 150, "operator"))
    times = []
    for now in range(3600):
        for order in desk.step(now, good(schp_1__speed_command=80.0)):
            times.append(now)
            desk.written(now, order)
    assert 10 <= len(times) <= 20
    assert max(b - a for a, b in pairwise(times)) <= 300
    assert desk.status(SPEED).mismatch == 80.0
    kinds = [notice.kind.value for notice in desk.drain_notices()]
    assert kinds.count("mismatch") == 1


def test_command_that_a_hand_overrides_is_told_once_and_not_insisted_on() -> None:
    bench = Bench(pump_plant())
    bench.ask(SPEED, 50.0)
    bench.step()
    sent(bench)
    bench.slots[SPEED] = 80.0
    bench.by_hand[SPEED] = "priority 5 holds it at 80"
    bench.run(3600)
    assert sent(bench) == []
    assert bench.kinds().count("mismatch") == 1
    text = next(item.text for item in bench.told if item.kind.value == "mismatch")
    assert text == (
        "Schp 1 speed command reads back 80 %, 50 % was written: "
        "priority 5 holds it at 80"
    )
    assert bench.desk.status(SPEED).mismatch == 80.0
    # The hand is gone, and its value is still there.
    bench.by_hand.clear()
    bench.run(40)
    assert sent(bench) == [(SPEED, 50.0)]
    assert bench.desk.status(SPEED).mismatch is None


def test_new_command_is_written_though_a_hand_overrides_it() -> None:
    """It stands ready for when the hand lets go; a stop above all."""
    bench = Bench(pump_plant())
    bench.ask(SPEED, 50.0)
    bench.step()
    bench.slots[SPEED] = 80.0
    bench.by_hand[SPEED] = "in local mode"
    bench.run(60)
    sent(bench)
    bench.ask(SPEED, 30.0)
    bench.run(10)
    assert sent(bench) == [(SPEED, 30.0)]


def test_wire_rounding_is_no_mismatch() -> None:
    bench = Bench(pump_plant(address=modbus(scale=0.5)))
    bench.ask(SPEED, 50.2)
    bench.step()
    bench.slots[SPEED] = 50.0
    bench.run(100)
    assert "mismatch" not in bench.kinds()


def test_chiller_command_is_never_sent_again_by_itself() -> None:
    bench = running_plant(1)
    bench.slots["chiller_1.run_command"] = False
    bench.run(3600, every=20)
    assert sent(bench) == []
    assert bench.desk.status("chiller_1.run_command").mismatch is False


def test_setpoint_that_the_integration_holds_is_ordered_like_any_other() -> None:
    plant = make_plant(
        make_equipment(
            "plant",
            EquipmentType.PLANT,
            {"enable_command": {"address": None, "writable": False, "release": True}},
        )
    )
    bench = Bench(plant)
    bench.ask("plant.enable_command", False)
    bench.run(10)
    bench.desk.release(bench.wall)
    bench.run(10)
    assert [value for _, value in sent(bench)] == [False, None]


@pytest.mark.parametrize("lead_release", [True, False])
def test_engine_that_dies_hands_the_plant_back_in_order(lead_release: bool) -> None:
    """All leases run out at once: chillers first, then what serves them."""
    bench = idle_plant(lead_release=lead_release)

    def engine(seconds: float) -> None:
        for _ in range(int(seconds / 20)):
            for key in bench.machines:
                role = "open_command" if key.startswith("valve") else "run_command"
                bench.ask(f"{key}.{role}", True, 5, "engine", 60)
            bench.run(20)

    engine(1000)
    assert all(machine.on for machine in bench.machines.values())
    sent(bench)
    bench.run(65)
    bench.run(15)
    first, second = ("chiller_2", "chiller_1")[:: 1 if lead_release else -1]
    assert not bench.machines[first].on
    assert bench.machines[second].on
    for key in ("pchp_1", "pchp_2", "cdp_2", "ct_2", "valve_2", "valve_1"):
        assert bench.machines[key].on, key
    bench.run(600)
    assert bench.slots == {}
    assert bench.machines["pchp_1"].on is lead_release
    assert not bench.machines["pchp_2"].on
    assert bench.machines["chiller_1"].on is lead_release
    assert not [kind for kind in bench.kinds() if kind == "forced_stop"]


def test_example_plant_cools_on_when_the_engine_dies_during_a_swap() -> None:
    """Both chillers run for the engine; chiller 1 falls back on its own controls."""
    bench = Bench(load_plant(EXAMPLE))
    bench.run(1000, every=20)
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(60)
    bench.ask("chiller_2.run_command", True)
    bench.run(1500, every=20)
    assert bench.machines["chiller_1"].on
    assert bench.machines["chiller_2"].on
    bench.desk.release(bench.wall)
    bench.run(120)
    assert not bench.machines["chiller_2"].on
    assert bench.machines["pchp_2"].on
    assert bench.machines["condenser_water_valve_2"].on
    bench.run(120)
    assert bench.slots == {}
    on = {key for key, machine in bench.machines.items() if machine.on}
    assert on == {
        "chiller_1",
        "chilled_water_valve_1",
        "condenser_water_valve_1",
        *(f"{kind}_1" for kind in ("pchp", "schp", "cdp", "ct")),
        # Circuits that nobody sheds.
        "car_park_ventilation",
        "water_heaters",
        "fountain",
    }
    assert "forced_stop" not in bench.kinds()


def test_lead_that_falls_back_on_the_other_pump_keeps_its_water() -> None:
    """The lead runs on pump 2; released, pump 1 must be proven before 2 goes."""
    bench = idle_plant(lead_release=True)
    bench.ask("pchp_2.run_command", True)
    bench.run(20)
    bench.ask("pchp_1.run_command", False)
    bench.run(60)
    assert [bench.machines[f"pchp_{n}"].on for n in (1, 2)] == [False, True]
    bench.desk.release(bench.wall)
    bench.step()
    assert "pchp_2.run_command" in bench.slots
    bench.run(60)
    assert [bench.machines[f"pchp_{n}"].on for n in (1, 2)] == [True, False]
    assert bench.machines["chiller_1"].on
    assert bench.slots == {}


def test_notices_are_bounded_and_holds_are_told_once() -> None:
    bench = idle_plant(1)
    bench.ask("chiller_1.run_command", True)
    bench.run(600)
    held = [notice for notice in bench.told if notice.kind == "held"]
    assert [notice.point for notice in held] == ["chiller_1.run_command"]
    for number in range(3 * MAXIMUM_NOTICES):
        bench.desk.request(
            bench.wall, Request("pchp_1.speed_command", number % 100, 150, "operator")
        )
        for order in bench.desk.step(bench.wall, bench.read()):
            bench.desk.written(bench.wall, order)
    assert len(bench.desk.drain_notices()) == MAXIMUM_NOTICES


def test_refused_request_changes_nothing() -> None:
    bench = Bench(pump_plant())
    with pytest.raises(CommandRefused):
        bench.ask(SPEED, math.nan)
    bench.run(10)
    assert sent(bench) == []
