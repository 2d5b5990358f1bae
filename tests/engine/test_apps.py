"""The apps in a real AppDaemon, with a namespace in Home Assistant's place."""

import asyncio
from copy import deepcopy
import json
from pathlib import Path
from time import time
from typing import Any

from factories import SmallPlant, automation, loop, plan_data, staging
from house import SHIPPED, House, running_apps
import pytest

from tests.waiting import eventually

LEASE = 0.9
HOURS = automation("chiller_plant_schedule", name="hours", config={"operation": "off"})


def plan(*automations: dict[str, Any], revision: str = "1") -> dict[str, Any]:
    """Return a plan with a lease short enough to be watched."""
    data = deepcopy(plan_data(*automations, revision=revision))
    data["plant"]["command_lease"] = LEASE
    return data


def cooling() -> SmallPlant:
    """Return a plant that runs in its first stage."""
    small = SmallPlant()
    for machine in ("chiller_1", "pchp_1", "cdp_1", "ct_1", "schp_1"):
        small.values[f"{machine}.run_status"] = True
        small.values[f"{machine}.run_command"] = True
    for side in ("chilled", "condenser"):
        small.values[f"{side}_water_valve_1.open_status"] = True
        small.values[f"{side}_water_valve_1.open_command"] = True
    small.values["schp_1.speed"] = 61.0
    small.values["plant.chilled_water_differential_pressure"] = 120.0
    return small


async def test_shipped_apps_wait_for_a_plan_and_then_control(tmp_path: Path) -> None:
    house = House(states=dict(cooling().states()))
    async with running_apps(house, tmp_path, actions=False) as daemon:
        await eventually(lambda: daemon.app_management.running_apps == SHIPPED)
        await asyncio.sleep(0.3)
        house.install(daemon)
        await eventually(lambda: house.of("get_plan"))
        assert not house.of("command"), "the plant is not loaded yet"
        house.plan = plan(staging(), loop(), HOURS)
        sources = {"automation.staging", "automation.pressure", "automation.hours"}
        await eventually(
            lambda: {item["source"] for item in house.of("command")} == sources
        )
        hours, *refreshed = house.of("command", source="automation.hours")
        assert all(again == hours for again in refreshed)
        assert hours == {
            "entity_id": ["switch.plant_enable_command"],
            "value": False,
            "priority": 5,
            "source": "automation.hours",
            "lease": LEASE,
            "reason": "Plant off",
        }


async def test_commands_are_refreshed_before_their_lease_is_over(
    tmp_path: Path,
) -> None:
    data = plan(loop())
    # Long enough for a slow machine to be late by a cycle or two.
    lease = data["plant"]["command_lease"] = 9.0
    house = House(data, dict(cooling().states()))
    async with running_apps(house, tmp_path):
        loop_ = asyncio.get_running_loop()
        await eventually(lambda: house.of("command"))
        begun = loop_.time()
        await eventually(lambda: len(house.of("command")) >= 4, 3 * lease)
        assert loop_.time() - begun < 3 * lease * 0.75


async def test_change_of_the_plan_is_carried_out_when_it_is_said(
    tmp_path: Path,
) -> None:
    house = House(plan(loop()), dict(cooling().states()))
    async with running_apps(house, tmp_path):
        await eventually(lambda: house.of("command"))
        house.plan = plan(HOURS, revision="2")
        await house.say_plan_changed()
        await eventually(lambda: house.of("release"))
        assert house.of("release") == [
            {"source": "automation.pressure", "plant": "entry"}
        ]
        await eventually(lambda: house.of("command", source="automation.hours"))
        before = len(house.of("command", source="automation.pressure"))
        await asyncio.sleep(LEASE)
        assert len(house.of("command", source="automation.pressure")) == before


async def test_a_plan_that_is_known_is_not_sent_again(tmp_path: Path) -> None:
    house = House(plan(loop()), dict(cooling().states()))
    async with running_apps(house, tmp_path):
        await eventually(lambda: house.of("command"))
        asked = len(house.of("get_plan", revision="1"))
        await house.say_plan_changed()
        await eventually(lambda: len(house.of("get_plan", revision="1")) > asked)
        # It goes on with what it has.
        sent = len(house.of("command", source="automation.pressure"))
        await eventually(
            lambda: len(house.of("command", source="automation.pressure")) > sent
        )
        house.plan = plan(HOURS, revision="2")
        await house.say_plan_changed()
        await eventually(lambda: house.of("command", source="automation.hours"))
        assert "revision" not in house.of("get_plan")[0]


async def test_who_takes_over_commands_before_the_other_lets_go(
    tmp_path: Path,
) -> None:
    house = House(plan(staging(), loop()), dict(cooling().states()))
    async with running_apps(house, tmp_path):
        await eventually(lambda: house.of("command", source="automation.staging"))
        await eventually(lambda: house.of("command", source="automation.pressure"))
        # Another staging, and a schedule for what the loop had: two apps hand over.
        weekend = staging() | {"id": "weekend", "entity_id": "automation.weekend"}
        takes = automation(
            "custom_schedule",
            name="takes",
            metadata={"point": "schp_1.speed_command"},
            config={
                "value": "70",
                "repeat": "weekly",
                "begin_time": "00:00:00",
                "end_time": "00:00:00",
                "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            },
        )
        house.plan = plan(weekend, takes, revision="2")
        begun = len(house.calls)
        await house.say_plan_changed()
        leaving = {"automation.staging", "automation.pressure"}
        await eventually(
            lambda: (
                {item["source"] for item in house.of("release", plant="entry")}
                == leaving
            )
        )
        order = [
            (action, data["source"], tuple(data.get("entity_id", ())))
            for action, data in house.calls[begun:]
            if action in ("command", "release")
        ]
        pumps = "switch.pchp_1_run_command"
        before = {
            source: next(
                place
                for place, (action, who, entities) in enumerate(order)
                if (action, who) == ("command", source) and entity in entities
            )
            for source, entity in (
                ("automation.weekend", pumps),
                ("automation.weekend", "switch.chiller_1_run_command"),
                ("automation.takes", "number.schp_1_speed_command"),
            )
        }
        after = {
            who: place
            for place, (action, who, _) in enumerate(order)
            if action == "release" and who in leaving
        }
        assert before["automation.weekend"] < after["automation.staging"]
        assert before["automation.takes"] < after["automation.pressure"]
        stopped = [
            entity
            for data in house.of("command", source="automation.weekend", value=False)
            for entity in data["entity_id"]
        ]
        assert stopped
        assert not [entity for entity in stopped if "_1_" in entity]


async def test_refused_and_failing_automations_say_so_and_the_others_run(
    tmp_path: Path,
) -> None:
    bad = loop(gain="much") | {"entity_id": "automation.bad", "id": "bad"}
    broken = plan(bad, loop(), staging())
    broken["equipment"]["chiller_1"]["ratings"]["cooling_capacity"] = "large"
    house = House(broken, dict(cooling().states()))
    async with running_apps(house, tmp_path):
        await eventually(lambda: house.reports("bad") and house.reports("staging"))
        await eventually(lambda: house.of("command", source="automation.pressure"))
        (report,) = house.reports("bad")
        assert report["state"] == "refused"
        assert report["attributes"]["message"] == "gain is not a number: 'much'"
        await eventually(lambda: house.reports("staging")[-1]["state"] == "fault")
        assert not house.of("command", source="automation.bad")


async def test_call_that_is_refused_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(plan(loop()), dict(cooling().states()))
    house.refuse = lambda action, _: "no such entity" if action == "command" else None
    async with running_apps(house, tmp_path):
        await eventually(lambda: len(house.of("command")) >= 9)
        house.refuse = lambda *_: None
        tried = len(house.of("command"))
        await eventually(lambda: len(house.of("command")) > tried)
    complaints = [
        record for record in caplog.records if "no such entity" in record.getMessage()
    ]
    assert 1 <= len(complaints) <= 3


async def test_restart_of_the_engine_moves_nothing(tmp_path: Path) -> None:
    house = House(plan(staging(), loop()), dict(cooling().states()))
    async with running_apps(house, tmp_path) as daemon:
        await eventually(
            lambda: (
                house.reports("staging")
                and house.of("command", value=61.0)
                and any("chiller_1" in str(c["entity_id"]) for c in house.of("command"))
            )
        )
        await eventually(
            lambda: house.reports("staging")[-1]["attributes"]["target_stage"] == 1
        )
        wanted = _wanted(house)
        since = house.reports("staging")[-1]["attributes"]["stage_since"]
        assert house.plan is not None
        json.dumps(house.plan["automations"][0]["reported"])
        house.calls.clear()
        for app in ("chiller_add_subtract", "pid_control"):
            await daemon.app_management.restart_app(app)
        assert not house.of("release"), "going away releases nothing"
        await eventually(lambda: _wanted(house).keys() == wanted.keys())
        assert _wanted(house) == wanted
        await eventually(lambda: house.reports("staging"))
        assert house.reports("staging")[-1]["attributes"]["stage_since"] == since


async def test_entity_that_is_unavailable_holds_the_loop(tmp_path: Path) -> None:
    house = House(plan(loop()), dict(cooling().states()))
    async with running_apps(house, tmp_path):
        await eventually(lambda: house.of("command"))
        point = "sensor.plant_chilled_water_differential_pressure"
        await house.put({point: "unavailable"})
        await eventually(lambda: house.reports("pressure")[-1]["state"] == "holding")
        await house.put({point: "90.0"})
        await eventually(
            lambda: house.reports("pressure")[-1]["state"] == "controlling"
        )


async def test_time_is_that_of_the_world_whatever_the_time_zone(
    tmp_path: Path,
) -> None:
    """AppDaemon is set to Bangkok; the machine may be anywhere."""
    house = House(plan(staging()), dict(cooling().states()))
    async with running_apps(house, tmp_path):
        await eventually(lambda: house.reports("staging"))
        told = json.loads(house.reports("staging")[0]["attributes"]["resume"])
        assert told["at"] == pytest.approx(time(), abs=5)


async def test_engine_without_automations_still_shows_that_it_lives(
    tmp_path: Path,
) -> None:
    house = House(plan())
    async with running_apps(house, tmp_path):
        await eventually(
            lambda: len(house.of("report_state", plant="entry")) >= len(SHIPPED) - 1
        )


def _wanted(house: House) -> dict[str, Any]:
    """Return the last value commanded for each entity."""
    return {
        entity_id: call["value"]
        for call in house.of("command")
        for entity_id in call["entity_id"]
    }
