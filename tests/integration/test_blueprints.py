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
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import yaml as yaml_util
from tests.integration.planning import (
    REPOSITORY,
    automate,
    copy_blueprints,
    device,
    from_blueprint,
    point,
    registered,
)
from tests.integration.served_plant import ServedPlant, set_up
from tests.waiting import eventually

FOLDER = REPOSITORY / "blueprints" / "automation" / "chiller_plant"
FILES = sorted(FOLDER.glob("*.yaml"))


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
        minimum_stage_time={"hours": 1, "minutes": 2, "seconds": 3},
    )
    assert metadata == {"chillers": ["chiller_2", "chiller_1"]}
    assert config == {
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
    assert metadata == {}
    assert config == {
        "operation": "between_times",
        "start_time": "06:00:00",
        "stop_time": "19:30:00",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    }


async def test_form_offers_chillers_only(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    blueprint = yaml_util.load_yaml_dict(FOLDER / "chiller_add_subtract.yaml")
    fields = blueprint["blueprint"]["input"]["equipment"]["input"]
    (wanted,) = fields["chillers"]["selector"]["device"]["filter"]
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert [item.name for item in devices if item.model_id == wanted["model_id"]] == [
        "Chiller 1",
        "Chiller 2",
    ]


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
    assert entry.runtime_data.plan.store.decisions.registrations == {}
