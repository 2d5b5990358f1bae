"""What the forms of the blueprints offer, as the frontend filters it."""

from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import yaml as yaml_util
from tests.integration.planning import BLUEPRINTS, point
from tests.integration.served_plant import ServedPlant, set_up

FILES = sorted(BLUEPRINTS.glob("*.yaml"))


@pytest.fixture
async def entry(hass: HomeAssistant, served: ServedPlant) -> MockConfigEntry:
    return await set_up(hass, served.text)


async def test_form_offers_chillers_only(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    blueprint = yaml_util.load_yaml_dict(BLUEPRINTS / "chiller_add_subtract.yaml")
    fields = blueprint["blueprint"]["input"]["equipment"]["input"]
    (wanted,) = fields["chillers"]["selector"]["device"]["filter"]
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert [item.name for item in devices if item.model_id == wanted["model_id"]] == [
        "Chiller 1",
        "Chiller 2",
    ]


async def test_forms_offer_equipment_of_their_kind_only(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)

    def offered(form: str, section: str, name: str) -> list[str | None]:
        blueprint = yaml_util.load_yaml_dict(BLUEPRINTS / f"{form}.yaml")
        field = blueprint["blueprint"]["input"][section]["input"][name]
        (wanted,) = field["selector"]["device"]["filter"]
        return [item.name for item in devices if item.model_id == wanted["model_id"]]

    assert offered("smart_ct", "equipment", "towers") == ["CT 1", "CT 2"]
    assert offered("smart_ct", "equipment", "condenser_pumps") == ["CDP 1", "CDP 2"]
    assert offered("dynamic_setpoint", "requests", "zones") == [
        "Wards",
        "Clinics",
        "Offices",
    ]


def entities_offered(
    hass: HomeAssistant, entry: MockConfigEntry, field: dict[str, Any]
) -> set[str]:
    """Return what an entity selector offers, as the frontend filters."""
    offered = set()
    for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        state = hass.states.get(item.entity_id)
        if state is None or item.hidden:
            continue
        has = {
            "integration": item.platform,
            "domain": item.domain,
            "device_class": state.attributes.get("device_class"),
            "unit_of_measurement": state.attributes.get("unit_of_measurement"),
        }
        for wanted in field["selector"]["entity"]["filter"]:
            lists = {
                name: value if isinstance(value, list) else [value]
                for name, value in wanted.items()
            }
            if all(has[name] in values for name, values in lists.items()):
                offered.add(item.entity_id)
    return offered


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_form_offers_no_diagnostic_entity(
    hass: HomeAssistant, entry: MockConfigEntry, path: Path
) -> None:
    """Also none of those that are disabled until somebody searches a fault."""
    registry = er.async_get(hass)
    blueprint = Blueprint(
        yaml_util.load_yaml_dict(path),
        path=path.name,
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )
    for item in er.async_entries_for_config_entry(registry, entry.entry_id):
        if item.disabled:
            hass.states.async_set(
                item.entity_id,
                "1",
                {
                    "device_class": item.original_device_class,
                    "unit_of_measurement": item.unit_of_measurement,
                },
            )
    for name, field in blueprint.inputs.items():
        if "entity" not in (field or {}).get("selector", {}):
            continue
        offered = entities_offered(hass, entry, field)
        assert offered, name
        diagnostic = {
            entity_id
            for entity_id in offered
            if registry.async_get(entity_id).entity_category is not None
        }
        assert not diagnostic, name


async def test_loop_is_offered_all_that_a_loop_can_use(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    blueprint = yaml_util.load_yaml_dict(BLUEPRINTS / "pid_control.yaml")
    sections = blueprint["blueprint"]["input"]
    equipment = sections["equipment"]["input"]
    setpoint = sections["setpoint_section"]["input"]["setpoint_point"]
    for field, keys in (
        (
            equipment["measurement"],
            (
                "plant.chilled_water_differential_pressure",
                "plant.chilled_water_flow",
                "plant.condenser_water_supply_temperature",
                "zone_1.cooling_valve_position",
                "zone_1.relative_humidity",
            ),
        ),
        (equipment["outputs"], ("ct_1.speed_command", "schp_2.speed_command")),
        (
            equipment["enable"],
            (
                "schp_1.run_status",
                "chilled_water_valve_1.open_status",
                "plant.enable_command",
            ),
        ),
        (
            setpoint,
            (
                "plant.chilled_water_differential_pressure_setpoint",
                "zone_2.temperature_setpoint",
            ),
        ),
    ):
        wanted = {point(hass, entry, key) for key in keys}
        assert wanted <= entities_offered(hass, entry, field)
