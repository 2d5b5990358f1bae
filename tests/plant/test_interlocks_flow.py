"""Pumps, valves and towers stay with a chiller for as long as it needs water."""

from .bench import idle_plant, running_plant


def test_flow_equipment_serves_on_after_the_chiller() -> None:
    bench = running_plant(1)
    bench.desk.release(bench.wall)
    bench.run(10)
    assert not bench.machines["chiller_1"].on
    bench.run(150)
    assert bench.hold("pchp_1.run_command") == (
        "Pchp 1 stop held: Chiller 1 needs it for another 30 s"
    )
    for key in ("valve_1", "pchp_1", "cdp_1", "ct_1"):
        assert bench.machines[key].on
    bench.run(40)
    for key in ("valve_1", "pchp_1", "cdp_1", "ct_1"):
        assert not bench.machines[key].on
    assert bench.slots == {}


def test_two_pumps_asked_to_stop_at_once_are_not_both_let_go() -> None:
    bench = running_plant()
    bench.ask("chiller_2.run_command", False)
    bench.run(400)
    bench.ask("pchp_1.run_command", False)
    bench.ask("pchp_2.run_command", False)
    assert len(bench.step()) == 1
    bench.run(600)
    assert [bench.machines[f"pchp_{n}"].on for n in (1, 2)] == [False, True]


def test_pump_rotation_keeps_the_old_pump_until_the_new_one_is_proven() -> None:
    bench = idle_plant()
    bench.serve(number=1)
    bench.ask("chiller_1.run_command", True)
    bench.run(120)
    bench.machines["pchp_2"].broken = True
    bench.ask("pchp_1.run_command", False)
    bench.ask("pchp_2.run_command", True)
    bench.run(60)
    assert bench.machines["pchp_1"].on
    bench.machines["pchp_2"].broken = False
    bench.run(20)
    assert not bench.machines["pchp_1"].on
    assert bench.machines["pchp_2"].on
    assert bench.machines["chiller_1"].on


def test_pump_is_not_let_go_in_the_moment_in_which_a_chiller_starts() -> None:
    bench = idle_plant()
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(400)
    bench.ask("chiller_2.run_command", True)
    bench.ask("pchp_2.run_command", False)
    bench.step()
    assert bench.commanded("chiller_2")
    assert bench.hold("pchp_2.run_command") == (
        "Pchp 2 stop held: Chiller 1 needs it, Chiller 2 needs it"
    )


def test_pump_switched_on_again_counts_only_when_it_was_read_again() -> None:
    bench = idle_plant()
    bench.serve()
    bench.ask("chiller_1.run_command", True)
    bench.run(400)
    bench.ask("pchp_1.run_command", False)
    bench.step()
    bench.ask("pchp_1.run_command", True)
    bench.step()
    bench.ask("pchp_2.run_command", False)
    bench.step()
    assert bench.commanded("pchp_2")
    bench.run(10)
    assert not bench.commanded("pchp_2")


def test_starts_by_hand_use_up_the_starts_of_the_hour() -> None:
    bench = running_plant(1)
    for hand in (False, True, False, True, False):
        bench.machines["chiller_1"].hand = hand
        bench.run(40)
    bench.machines["chiller_1"].hand = None
    bench.slots["chiller_1.run_command"] = False
    bench.ask("chiller_1.run_command", False)
    bench.run(1000, every=20)
    bench.ask("chiller_1.run_command", True)
    bench.run(20)
    assert "3 starts an hour are used up" in (bench.hold("chiller_1.run_command") or "")


def test_pump_speed_zero_is_a_stop() -> None:
    bench = running_plant(1)
    bench.ask("pchp_1.speed_command", 60.0)
    bench.ask("pchp_1.speed_command", 0.0)
    bench.run(60)
    assert bench.machines["pchp_1"].on
    assert bench.hold("pchp_1.speed_command") == (
        "Pchp 1 stop held: Chiller 1 needs it"
    )


def test_chiller_is_stopped_when_flow_is_lost_and_starts_when_it_is_back() -> None:
    bench = running_plant(1)
    bench.machines["cdp_1"].hand = False
    bench.run(30)
    assert not bench.machines["chiller_1"].on
    assert "forced_stop" in bench.kinds()
    assert "flow was lost" in (bench.hold("chiller_1.run_command") or "")
    assert bench.desk.status("chiller_1.run_command").owner == "operator"
    bench.run(1200, every=20)
    assert not bench.commanded("chiller_1")
    bench.machines["cdp_1"].hand = None
    bench.run(60)
    assert bench.machines["chiller_1"].on
    assert bench.hold("chiller_1.run_command") is None


def test_flow_loss_stops_a_chiller_that_runs_on_its_own() -> None:
    bench = idle_plant(1, lead_release=True)
    assert bench.machines["chiller_1"].on
    bench.machines["pchp_1"].hand = False
    bench.run(30)
    assert not bench.machines["chiller_1"].on
    assert bench.desk.status("chiller_1.run_command").owner == "interlock"
    bench.machines["pchp_1"].hand = None
    bench.run(960)
    assert bench.machines["chiller_1"].on
    assert bench.slots == {}


def test_chiller_that_others_run_dry_is_not_let_go_to_them_before_it_has_water() -> (
    None
):
    bench = idle_plant(1)
    bench.serve()
    bench.run(30)
    bench.slots["chiller_1.run_command"] = True  # by the building's own system
    bench.run(20)
    bench.machines["cdp_1"].hand = False
    bench.run(2000, every=10)
    assert bench.slots["chiller_1.run_command"] is False
    assert bench.kinds().count("forced_stop") == 1
    bench.machines["cdp_1"].hand = None
    bench.run(60)
    assert "chiller_1.run_command" not in bench.slots
