"""Setpoint reset, towers and staging together in a real AppDaemon, as forms make them."""

import json
from pathlib import Path
from typing import Any

from chiller_control.control.plan import parse_plan
from factories import automation, staging
from house import House, running_apps
from whole_plant import readings, whole_plan_data

from tests.waiting import eventually

RESET = automation(
    "dynamic_setpoint",
    name="reset",
    metadata={
        "outputs": [
            "plant.chilled_water_supply_temperature_setpoint",
            "plant.chilled_water_differential_pressure_setpoint",
        ],
        "zones": [],
        "chillers": [],
    },
    config={"method": "trim_and_respond", "ignored_requests": 0},
)
TOWERS = automation(
    "smart_ct",
    name="towers",
    metadata={"outputs": ["ct_1", "ct_2", "ct_3", "cdp_2"], "chillers": []},
    config={"law": "model", "cells": "all", "load_tiers": ["40", "70"]},
)


def house_of(*automations: dict[str, Any]) -> House:
    """Return a plant at ease with one chiller running, each automation above the one before."""
    data = whole_plan_data(*automations)
    for priority, item in enumerate(data["automations"], 1):
        item["priority"] = priority
    states = {}
    values = readings(running=1)
    for key, point in parse_plan(data).points.items():
        value = values.get(key, False if point.boolean else 0.0)
        if point.entity_id is not None:
            states[point.entity_id] = (
                str(value)
                if not isinstance(value, bool)
                else ("on" if value else "off")
            )
    return House(data, states)


def commanded(house: House, source: str) -> dict[str, Any]:
    return {
        entity_id: call["value"]
        for call in house.of("command", source=f"automation.{source}")
        for entity_id in call["entity_id"]
    }


async def test_reset_and_towers_report_and_share_the_plant_with_staging(
    tmp_path: Path,
) -> None:
    house = house_of(staging(), RESET, TOWERS)
    assert house.plan is not None
    equipment = house.plan["equipment"]

    def entity(key: str, role: str) -> str:
        found: str = equipment[key]["points"][role]["entity_id"]
        return found

    async with running_apps(house, tmp_path):
        for name in ("staging", "reset", "towers"):
            await eventually(lambda name=name: house.reports(name))
        await eventually(lambda: commanded(house, "towers"))
        towers, reset = house.reports("towers")[-1], house.reports("reset")[-1]
        assert (towers["state"], reset["state"]) == ("controlling", "controlling")
        assert towers["attributes"]["optimum"]["feasible"]
        assert "0 requests" in reset["attributes"]["message"]

        mine = {entity(f"ct_{n}", "speed_command") for n in (1, 2, 3)}
        mine.add(entity("cdp_2", "speed_command"))
        left = entity("cdp_1", "speed_command")
        await eventually(lambda: mine <= commanded(house, "towers").keys())
        assert left not in commanded(house, "towers")
        await eventually(lambda: left in commanded(house, "staging"))
        assert not mine & commanded(house, "staging").keys()
        setpoint = entity("plant", "chilled_water_supply_temperature_setpoint")
        await eventually(lambda: setpoint in commanded(house, "reset"))


async def test_restart_of_the_engine_keeps_cells_and_reset(tmp_path: Path) -> None:
    house = house_of(staging(), RESET, TOWERS)
    async with running_apps(house, tmp_path) as daemon:
        await eventually(lambda: house.reports("towers"))
        await eventually(
            lambda: "switch.ct_2_run_command" in commanded(house, "towers")
        )
        await eventually(
            lambda: house.reports("towers")[-1]["attributes"].get("cells", 0) > 1
        )
        before, warmth = commanded(house, "towers"), house.reports("reset")[-1]
        since = json.loads(house.reports("towers")[-1]["attributes"]["resume"])
        assert since["fan_since"] is None
        house.calls.clear()
        for app in ("smart_ct", "dynamic_setpoint"):
            await daemon.app_management.restart_app(app)
        await eventually(lambda: house.reports("towers") and house.reports("reset"))
        await eventually(lambda: commanded(house, "towers").keys() == before.keys())
        reset = house.reports("reset")[-1]
        assert reset["attributes"]["reset"] == warmth["attributes"]["reset"]
        told = json.loads(house.reports("towers")[-1]["attributes"]["resume"])
        assert told["cells_since"] == since["cells_since"]
        assert told["cells"] == since["cells"]


async def test_form_with_a_chiller_for_a_tower_is_refused_with_its_name(
    tmp_path: Path,
) -> None:
    wrong = automation(
        "smart_ct", name="towers", metadata={"outputs": ["chiller_1"]}, config={}
    )
    house = house_of(wrong)
    async with running_apps(house, tmp_path):
        await eventually(lambda: house.reports("towers"))
        report = house.reports("towers")[0]
        assert report["state"] == "refused"
        assert "Chiller 1 is neither a tower" in report["attributes"]["message"]
        assert not house.of("command")
