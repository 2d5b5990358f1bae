"""An adaptive schedule in a real AppDaemon: learnt history in, an early start out."""

from copy import deepcopy
from datetime import datetime, timedelta
import json
from pathlib import Path
from typing import Any

from adaptive_building import CONFIG, started, weather, zone
from factories import BANGKOK, automation, plan_data
from house import House, running_apps

from tests.waiting import eventually


def house(minutes: float, *, opening: timedelta) -> House:
    """Return a plant that is off, some time before its hours, with hot zones."""
    begin = datetime.now(BANGKOK) + opening
    end = begin + timedelta(hours=8)
    schedule = automation(
        "chiller_plant_schedule",
        name="hours",
        metadata={"zones": []},
        config=CONFIG
        | {
            "start_time": f"{begin:%H:%M:%S}",
            "stop_time": f"{end:%H:%M:%S}",
            "occupy_zones": True,
        },
    )
    schedule["history"] = [
        started(day, minutes + day % 3, off=10.0) for day in range(1, 21)
    ]
    data: dict[str, Any] = deepcopy(plan_data(schedule))
    data["equipment"] |= {"east": zone("east"), "roof": weather()}
    states = {
        "switch.plant_enable_command": "off",
        "sensor.east_temperature": "27.0",
        "sensor.roof_temperature": "28.0",
    }
    return House(data, states)


async def test_plant_starts_before_its_hours_as_early_as_the_history_says(
    tmp_path: Path,
) -> None:
    early = house(90.0, opening=timedelta(minutes=60))
    async with running_apps(early, tmp_path):
        await eventually(lambda: early.of("command", value=True))
        (call, *_) = early.of("command", value=True)
        assert "20 recoveries" in call["reason"]
        wanted = {item for c in early.of("command") for item in c["entity_id"]}
        assert wanted == {"switch.plant_enable_command", "sensor.east_occupied_command"}
        await eventually(lambda: early.reports("hours"))
        attributes = early.reports("hours")[-1]["attributes"]
        # The start of an engine is no start of the plant: nothing is measured.
        assert json.loads(attributes["resume"])["adaptive"]["watch"] is None


async def test_plant_waits_as_long_as_the_history_allows(tmp_path: Path) -> None:
    late = house(20.0, opening=timedelta(minutes=60))
    async with running_apps(late, tmp_path):
        await eventually(lambda: late.reports("hours"))
        report = late.reports("hours")[-1]
        assert report["state"] == "off"
        assert 15.0 < report["attributes"]["estimated_minutes"] < 35.0
        assert all(call["value"] is False for call in late.of("command"))
