"""Lines on standard input, and the pace of time."""

import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.console import Console
from custom_components.chiller_plant.simulator.pace import LONGEST_CATCH_UP, Pace
from custom_components.chiller_plant.simulator.simulation import Simulation
from tests.simulator.plants import SEVEN, served_example


class Talk:
    """A console on a simulation whose time the test moves."""

    def __init__(self, folder: Path) -> None:
        self.simulation = Simulation(load_plant(served_example(folder)), SEVEN, 30.0)
        self.console = Console(self.simulation)

    async def say(self, line: str) -> dict[str, Any]:
        answer = await self.console.answer(line + "\n")
        assert "\n" not in answer
        return dict(json.loads(answer))


async def test_load_is_fixed_and_let_go(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    assert (await talk.say("load 0.9"))["ok"]
    assert (await talk.say("status"))["load_share"] == 0.9
    assert (await talk.say("load auto"))["ok"]
    assert (await talk.say("status"))["load_fixed"] is False


async def test_weather_is_fixed_and_let_go(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    assert (await talk.say("weather 20 10"))["ok"]
    talk.simulation.world.advance(60.0)
    assert (await talk.say("status"))["outdoor_temperature"] == 20.0
    assert (await talk.say("weather auto"))["ok"]
    talk.simulation.world.advance(60.0)
    assert (await talk.say("status"))["outdoor_temperature"] > 25.0


async def test_status_says_what_runs(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    talk.simulation.world.advance(3600.0)
    status = await talk.say("status")
    assert "chiller_1" in status["running"]
    assert status["chillers"] == {"chiller_1": "running", "chiller_2": "off"}
    assert status["time"].endswith("T08:00:00")
    assert status["keeps_up"] is True
    assert 0.5 < status["kw_per_rt"] < 1.0


async def test_a_fault_trips_its_machine(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    talk.simulation.world.advance(600.0)
    assert (await talk.say("fault chiller_1 trip"))["ok"]
    talk.simulation.world.advance(4.0)
    assert (await talk.say("status"))["alarms"] == ["chiller_1"]
    assert (await talk.say("fault chiller_1 none"))["ok"]


async def test_a_converter_in_hand_and_a_stuck_valve_hear_nothing(
    tmp_path: Path,
) -> None:
    talk = Talk(tmp_path)
    assert (await talk.say("fault schp_2 hand"))["ok"]
    assert (await talk.say("fault chilled_water_valve_1 stuck"))["ok"]
    talk.simulation.world.command("chilled_water_valve_1.open_command", False)
    talk.simulation.world.advance(120.0)
    values = talk.simulation.world.values()
    assert values["schp_2.speed"] == 100.0
    assert values["chilled_water_valve_1.open_status"] is True


async def test_a_condenser_is_made_dirty_and_cleaned(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    assert (await talk.say("foul chiller_1 2.5"))["fouling"] == 2.5
    assert talk.simulation.world.model.chillers.fouling.tolist() == [[2.5, 0.0]]
    assert (await talk.say("foul chiller_1 0"))["ok"]


async def test_a_sensor_is_spoiled_and_repaired(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    world = talk.simulation.world
    assert (await talk.say("sensor weather.wet_bulb_temperature bias 2"))["ok"]
    world.advance(1.0)
    wet_bulb = world.model.outdoor.wet_bulb[0]
    shown = world.values()["weather.wet_bulb_temperature"]
    assert shown == pytest.approx(wet_bulb + 2.0, abs=0.01)
    assert (await talk.say("sensor weather.wet_bulb_temperature none"))["ok"]
    world.advance(1.0)
    shown = world.values()["weather.wet_bulb_temperature"]
    assert shown == pytest.approx(wet_bulb, abs=0.01)


async def test_servers_are_stopped_and_started_by_name(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    await talk.simulation.start()
    try:
        for name in ("drives", "zone_controller"):
            assert (await talk.say(f"stop {name}"))["on_wire"] is False
            assert (await talk.say("status"))["off_wire"] == [name]
            assert (await talk.say(f"start {name}"))["on_wire"] is True
    finally:
        await talk.simulation.stop()


@pytest.mark.parametrize(
    ("line", "helps"),
    [
        ("", "status"),
        ("dance", "status"),
        ("load", "SHARE"),
        ("load 7", "0 to 1.5"),
        ("load nan", "SHARE"),
        ("weather 20", "DEW_POINT"),
        ("weather 10 20", "dew point"),
        ("stop nothing", "chiller_1_controller"),
        ("fault chiller_1 explode", "fail_to_start"),
        ("fault zone_1 trip", "zone_1 is no chiller"),
        ("fault chiller_1 stuck", "fail_to_start"),
        ("foul ct_1 2", "ct_1 is no chiller"),
        ("foul chiller_1 99", "KELVIN"),
        ("foul", "KELVIN"),
        ("sensor chiller_1.run_command bias 1", "POINT"),
        ("sensor chiller_1.load mood 1", "noise"),
        ("sensor chiller_1.load spike 7", "0 to 1"),
        ("sensor chiller_1.run_status bias 1", "status"),
    ],
)
async def test_a_line_that_makes_no_sense_is_answered_with_what_would(
    tmp_path: Path, line: str, helps: str
) -> None:
    answer = await Talk(tmp_path).say(line)
    assert answer["ok"] is False
    assert helps in answer["error"]


def test_time_passes_at_its_speed() -> None:
    pace = Pace(30.0)
    assert pace.due(100.0) == 0.0
    assert pace.due(100.5) == pytest.approx(15.0)
    assert pace.keeps_up


def test_time_that_was_lost_is_not_chased() -> None:
    pace = Pace(30.0)
    pace.due(100.0)
    assert pace.due(160.0) == pytest.approx(30.0 * LONGEST_CATCH_UP)
    assert pace.lost == pytest.approx(30.0 * (60.0 - LONGEST_CATCH_UP))
    assert not pace.keeps_up
    assert pace.due(160.2) == pytest.approx(6.0)
    pace.due(161.0)
    for second in range(162, 180):
        pace.due(float(second))
    assert pace.keeps_up
