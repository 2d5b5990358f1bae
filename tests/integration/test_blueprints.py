"""The blueprints: what Home Assistant makes of them, and what we get from them."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import yaml as yaml_util
from tests.integration.planning import (
    BLUEPRINTS,
    automate,
    copy_blueprints,
    device,
    from_blueprint,
    get_plan,
    point,
    registered,
)
from tests.integration.served_plant import ServedPlant, set_up
from tests.waiting import eventually

FILES = sorted(BLUEPRINTS.glob("*.yaml"))


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    return hass_tmp_config_dir


@pytest.fixture
async def entry(hass: HomeAssistant, served: ServedPlant) -> MockConfigEntry:
    copy_blueprints(hass)
    return await set_up(hass, served.text)


async def made(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, **inputs: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make an automation and return what registered: metadata and config."""
    await automate(hass, from_blueprint(name, plant=entry.entry_id, **inputs))
    await registered(hass, entry, f"{name}_1")
    found = entry.runtime_data.plan.store.decisions.registrations[f"{name}_1"]
    assert found.control_type == name
    assert found.entity_id == f"automation.{name}"
    # The plan goes over a wire.
    assert json.loads(json.dumps(found.config)) == found.config
    return found.metadata, found.config


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_blueprint_is_valid(hass: HomeAssistant, path: Path) -> None:
    blueprint = Blueprint(
        yaml_util.load_yaml_dict(path),
        path=path.name,
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )
    assert blueprint.validate() is None
    for name, field in blueprint.inputs.items():
        assert field is not None
        assert field.get("name"), f"{name} has no name"
        assert field.get("selector"), f"{name} has no selector"


async def test_pid_control_registers(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    measurement = point(hass, entry, "plant.chilled_water_differential_pressure")
    setpoint = point(hass, entry, "plant.chilled_water_differential_pressure_setpoint")
    metadata, config = await made(
        hass,
        entry,
        "pid_control",
        measurement=measurement,
        setpoint_point=setpoint,
        outputs=[
            point(hass, entry, f"schp_{number}.speed_command") for number in (1, 2)
        ],
        enable=[point(hass, entry, "schp_1.run_status")],
        setpoint=110,
        gain=0.4,
        integral_time=45,
        interval=7,
    )
    assert metadata == {
        "measurement": "plant.chilled_water_differential_pressure",
        "setpoint_point": "plant.chilled_water_differential_pressure_setpoint",
        "outputs": ["schp_1.speed_command", "schp_2.speed_command"],
        "enable": ["schp_1.run_status"],
    }
    assert config == {
        "setpoint": 110,
        "gain": 0.4,
        "integral_time": 45,
        "derivative_time": 0,
        "action": "reverse",
        "output_minimum": 25,
        "output_maximum": 100,
        "interval": 7,
    }


async def test_pid_control_needs_neither_setpoint_point_nor_enable(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    metadata, config = await made(
        hass,
        entry,
        "pid_control",
        measurement=point(hass, entry, "ct_1.leaving_water_temperature"),
        outputs=[point(hass, entry, "ct_1.speed_command")],
        setpoint=27.5,
        action="direct",
    )
    assert (metadata["setpoint_point"], metadata["enable"]) == ("", [])
    assert (config["setpoint"], config["action"]) == (27.5, "direct")


async def test_chiller_add_subtract_registers(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    metadata, config = await made(
        hass,
        entry,
        "chiller_add_subtract",
        chillers=[device(hass, entry, "chiller_2"), device(hass, entry, "chiller_1")],
        staging="lift",
        minimum_stage_time={"hours": 1, "minutes": 2, "seconds": 3},
    )
    assert metadata == {"chillers": ["chiller_2", "chiller_1"]}
    assert config == {
        "staging": "lift",
        "minimum_lift": 12,
        "design_lift": 28,
        "chiller_curves": "carrier_19xr_1407_vsd",
        "primary_flow": "fixed",
        "primary_flow_minimum": 60,
        "start_saving": 15,
        "stage_up_threshold": 90,
        "stage_down_threshold": 80,
        "stage_hold": 900,
        "minimum_stage_time": 3723,
        "supply_temperature_error": 1,
        "proof_timeout": 300,
        "pump_speed": 100,
        "condenser_pump_speed": 100,
        "tower_fan_speed": 80,
        "supply_temperature_setpoint": 6.7,
        "start_hold": 30,
        "stop_flow_delay": 180,
    }


async def test_chiller_plant_schedule_registers(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    metadata, config = await made(
        hass, entry, "chiller_plant_schedule", stop_time="19:30:00"
    )
    assert metadata == {"zones": []}
    assert config == {
        "operation": "between_times",
        "start_time": "06:00:00",
        "stop_time": "19:30:00",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "adaptive_start": False,
        "adaptive_stop": False,
        "zone_choice": "worst",
        "comfort_temperature": 24,
        "comfort_band": 1,
        "ignore_band": 0.3,
        "earliest_start": 180,
        "latest_start": 10,
        "earliest_stop": 60,
        "start_margin": 1,
        "occupy_zones": False,
        "coast_with": "nothing",
    }


async def test_blueprint_with_equipment_of_nobody_is_refused_visibly(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(
        hass,
        from_blueprint(
            "chiller_add_subtract", plant=entry.entry_id, chillers=["no_such_device"]
        ),
    )
    issue = f"automation_refused_{entry.entry_id}_chiller_add_subtract_1"
    await eventually(lambda: ir.async_get(hass).async_get_issue(DOMAIN, issue))
    assert (await get_plan(hass, entry))["automations"] == []


async def test_dynamic_setpoint_registers(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    metadata, config = await made(
        hass,
        entry,
        "dynamic_setpoint",
        zones=[device(hass, entry, "zone_3"), device(hass, entry, "zone_1")],
        ignored_requests=0,
        trim_interval={"minutes": 2},
    )
    assert metadata == {
        "outputs": [
            "plant.chilled_water_supply_temperature_setpoint",
            "plant.chilled_water_differential_pressure_setpoint",
        ],
        "zones": ["zone_3", "zone_1"],
        "chillers": [],
    }
    assert config == {
        "method": "trim_and_respond",
        "supply_temperature_minimum": 6.7,
        "supply_temperature_maximum": 10,
        "differential_pressure_minimum": 35,
        "differential_pressure_maximum": 100,
        "ignored_requests": 0,
        "zone_temperature_error": 0.5,
        "supply_air_temperature_setpoint": 13,
        "supply_air_temperature_error": 2,
        "valve_request_on": 95,
        "valve_request_off": 85,
        "outdoor_temperature_low": 22,
        "outdoor_temperature_high": 32,
        "load_low": 40,
        "load_high": 90,
        "delay": 900,
        "trim_interval": 120,
        "trim": 2,
        "respond": 3,
        "respond_maximum": 7,
        "staging_freeze": 900,
        "temperature_rate": 0.2,
        "pressure_rate": 10,
        "pump_share": 5,
        "split": 50,
        "initial": 100,
    }


async def test_smart_ct_registers(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    metadata, config = await made(
        hass,
        entry,
        "smart_ct",
        towers=[device(hass, entry, f"ct_{number}") for number in (2, 1)],
        condenser_pumps=[device(hass, entry, "cdp_1")],
        law="model",
        cells="all",
        cell_hold={"minutes": 20},
    )
    assert metadata == {
        "outputs": ["ct_2", "ct_1", "cdp_1"],
        "towers": ["ct_2", "ct_1"],
        "condenser_pumps": ["cdp_1"],
        "chillers": [],
    }
    assert config == {
        "law": "model",
        "cells": "all",
        "load_tiers": ["40", "70"],
        "condenser_water_setpoint": 29.4,
        "approach": 3.5,
        "setpoint_minimum": 18,
        "setpoint_maximum": 30,
        "fan_speed_minimum": 20,
        "fan_speed_maximum": 100,
        "fan_rate": 10,
        "gain": 8,
        "integral_time": 300,
        "cell_hold": 1200,
        "minimum_cell_flow": 20,
        "condenser_pump_speed": 100,
        "condenser_flow_minimum": 60,
        "pump_rate": 10,
        "condenser_static_head": 35,
        "minimum_lift": 12,
        "design_return_temperature": 35,
        "design_supply_temperature": 6.7,
        "optimise_interval": 600,
        "minimum_saving": 0.3,
        "chiller_curves": "carrier_19xr_1407_vsd",
    }


async def test_forms_leave_pumps_and_zones_to_whom_they_belong(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """No pump chosen, no zone chosen: an empty list, and not a refusal."""
    metadata, _ = await made(
        hass, entry, "smart_ct", towers=[device(hass, entry, "ct_1")]
    )
    assert metadata == {
        "outputs": ["ct_1"],
        "towers": ["ct_1"],
        "condenser_pumps": [],
        "chillers": [],
    }


async def test_chiller_sequence_registers(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    metadata, config = await made(
        hass,
        entry,
        "chiller_sequence",
        chillers=[device(hass, entry, "chiller_2"), device(hass, entry, "chiller_1")],
        method="schedule",
        rotation_days=14,
    )
    assert metadata == {"chillers": ["chiller_2", "chiller_1"]}
    assert config == {
        "method": "schedule",
        "minimum_difference": 1,
        "rotation_days": 14,
        "rotation_start": "2026-01-05",
        "rotation_time": "06:00:00",
        "failure_time": 240,
    }


async def test_schp_control_registers(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    setpoint = point(hass, entry, "plant.chilled_water_differential_pressure_setpoint")
    metadata, config = await made(
        hass,
        entry,
        "schp_control",
        pumps=[device(hass, entry, "schp_1"), device(hass, entry, "schp_2")],
        enable=[point(hass, entry, "plant.enable_command")],
        sensors=[point(hass, entry, "plant.chilled_water_differential_pressure")],
        setpoint_points=[setpoint],
        proof_timeout={"minutes": 1, "seconds": 30},
    )
    assert metadata == {
        "outputs": ["schp_1", "schp_2"],
        "pumps": ["schp_1", "schp_2"],
        "enable": ["plant.enable_command"],
        "sensors": ["plant.chilled_water_differential_pressure"],
        "setpoint_points": ["plant.chilled_water_differential_pressure_setpoint"],
        "flow": "",
    }
    assert config == {
        "standby_pumps": 0,
        "setpoint": 100,
        "gain": 0.1,
        "integral_time": 20,
        "interval": 5,
        "speed_minimum": 30,
        "speed_maximum": 100,
        "fallback_speed": 70,
        "design_flow": 0,
        "flow_offset": 3,
        "flow_hold": 600,
        "failsafe_pressure": 10,
        "failsafe_hold": 300,
        "low_speed": 40,
        "proof_timeout": 90,
        "rotation_hours": 48,
    }


@pytest.mark.parametrize(
    ("role", "value", "inputs"),
    [
        ("plant.enable_command", "on", {}),
        (
            "schp_1.speed_command",
            "42.5",
            {
                "repeat": "once",
                "begin": "2026-11-24 08:00:00",
                "end": "2026-11-24 09:30:00",
            },
        ),
    ],
)
async def test_custom_schedule_registers(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    role: str,
    value: str,
    inputs: dict[str, Any],
) -> None:
    metadata, config = await made(
        hass,
        entry,
        "custom_schedule",
        point=point(hass, entry, role),
        value=value,
        **inputs,
    )
    assert metadata == {"point": role}
    assert (
        config
        == {
            "value": value,
            "repeat": "weekly",
            "begin_time": "12:00:00",
            "end_time": "13:00:00",
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "begin": "",
            "end": "",
        }
        | inputs
    )
