"""Commands from people and automations, down to the wire and back."""

from collections.abc import Mapping
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from tests.integration.served_plant import ServedPlant, operate, set_up, state
from tests.waiting import eventually

SETPOINT = "number.wards_temperature_setpoint"
POINT = "zone_1.temperature_setpoint"
PLANT_SETPOINT = "number.two_chillers_chilled_water_supply_temperature_setpoint"


async def command(hass: HomeAssistant, **data: Any) -> Mapping[str, Any]:
    """Call the action and return what became of its first point."""
    response: Any = await hass.services.async_call(
        "chiller_plant", "command", data, blocking=True, return_response=True
    )
    first: Mapping[str, Any] = response["commands"][0]
    return first


async def release(hass: HomeAssistant, **data: Any) -> list[str]:
    """Call the action and return the points that were let go."""
    response: Any = await hass.services.async_call(
        "chiller_plant", "release", data, blocking=True, return_response=True
    )
    released: list[str] = response["released"]
    return released


def attributes(hass: HomeAssistant, entity_id: str) -> Mapping[str, Any]:
    """Return an entity's attributes."""
    found = hass.states.get(entity_id)
    assert found is not None
    return found.attributes


async def test_an_operator_wins_over_an_automation_and_hands_back(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    automation = {"source": "automation.night", "priority": 5, "reason": "Night"}
    answer = await command(hass, entity_id=SETPOINT, value=26, **automation)
    assert answer == {
        "entity_id": SETPOINT,
        "point": POINT,
        "owner": "automation.night",
        "owner_priority": 5,
        "value": 26.0,
        "hold": None,
    }
    await eventually(lambda: served.commanded(POINT) == 26.0)

    await operate(hass, SETPOINT, 21.5)
    await eventually(lambda: served.commanded(POINT) == 21.5)
    await eventually(lambda: state(hass, SETPOINT) == "21.5")
    assert state(hass, "sensor.wards_command_owner") == "operator"

    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": "button.wards_return_to_automatic"},
        blocking=True,
    )
    await eventually(lambda: served.commanded(POINT) == 26.0)
    assert attributes(hass, SETPOINT)["owner"] == "automation.night"

    assert await release(hass, entity_id=SETPOINT, source="automation.night") == [POINT]
    await eventually(lambda: served.commanded(POINT) == 24.0)
    assert state(hass, "sensor.wards_command_owner") == "nobody"


async def test_a_lease_that_nobody_refreshes_is_relinquished(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    await command(
        hass, entity_id=SETPOINT, value=26, priority=5, source="engine", lease=2
    )
    await eventually(lambda: served.commanded(POINT) == 26.0)
    await eventually(lambda: served.commanded(POINT) == 24.0)
    await eventually(lambda: attributes(hass, SETPOINT)["owner"] is None)


async def test_automations_always_have_a_lease(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    desk = entry.runtime_data.coordinator.desk
    await command(hass, entity_id=SETPOINT, value=26, priority=9, source="engine")
    status = desk.status(POINT)
    assert status.lease_end - status.since == entry.runtime_data.plant.command_lease
    await command(hass, entity_id=SETPOINT, value=26, priority=100, source="schedule")
    assert desk.status(POINT).lease_end is None


async def test_a_held_switch_shows_where_the_equipment_is_and_why(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    await operate(hass, "switch.chiller_2_run_command", True)
    assert state(hass, "switch.chiller_2_run_command") == "off"
    assert served.commanded("chiller_2.run_command") is False
    shown = attributes(hass, "switch.chiller_2_run_command")
    assert shown["owner"] == "operator"
    assert shown["requested_value"] is True
    assert "held" in shown["hold"]


async def test_the_operators_name_is_in_the_reason(
    hass: HomeAssistant, served: ServedPlant, hass_admin_user: MockUser
) -> None:
    entry = await set_up(hass, served.text)
    hass_admin_user.name = "Anna"
    await hass.services.async_call(
        "climate",
        "set_temperature",
        {"entity_id": "climate.wards", "temperature": 22},
        blocking=True,
        context=Context(user_id=hass_admin_user.id),
    )
    status = entry.runtime_data.coordinator.desk.status(POINT)
    assert status.reason == "set in Home Assistant by Anna"
    await eventually(lambda: attributes(hass, "climate.wards")["temperature"] == 22)
    assert attributes(hass, "climate.wards")["owner"] == "operator"


async def test_a_zone_is_a_thermostat(hass: HomeAssistant, served: ServedPlant) -> None:
    await set_up(hass, served.text)
    shown = attributes(hass, "climate.wards")
    assert state(hass, "climate.wards") == "cool"
    assert shown["temperature"] == 24
    assert (shown["min_temp"], shown["max_temp"]) == (18, 30)
    assert 20 < shown["current_temperature"] < 30
    assert shown["hvac_action"] in ("cooling", "idle")

    await hass.services.async_call(
        "climate", "turn_off", {"entity_id": "climate.wards"}, blocking=True
    )
    await eventually(lambda: state(hass, "climate.wards") == "off")
    assert served.commanded("zone_1.occupied_command") is False


async def test_a_setpoint_that_the_integration_holds_is_commanded_like_any_other(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    assert state(hass, PLANT_SETPOINT) == "6.7"
    await operate(hass, PLANT_SETPOINT, 8.0)
    assert state(hass, PLANT_SETPOINT) == "8.0"

    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, PLANT_SETPOINT) == "8.0"

    assert await release(hass) == ["plant.chilled_water_supply_temperature_setpoint"]
    assert state(hass, PLANT_SETPOINT) == "6.7"


async def test_what_cannot_be_commanded_is_refused_with_the_reason(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    for entity_id, value, key in (
        (SETPOINT, 99, "out_of_limits"),
        (SETPOINT, True, "not_a_number"),
        ("switch.wards_occupied_command", 1, "not_boolean"),
        ("sensor.wards_temperature", 20, "not_commandable"),
        ("climate.wards", 20, "not_a_point"),
        ("light.nowhere", True, "not_a_point"),
    ):
        with pytest.raises(ServiceValidationError) as refused:
            await command(hass, entity_id=entity_id, value=value)
        assert refused.value.translation_key == key


async def test_a_command_of_several_points_is_taken_whole_or_not_at_all(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    with pytest.raises(ServiceValidationError):
        await command(hass, entity_id=[SETPOINT, "number.ct_1_speed_command"], value=22)
    assert attributes(hass, SETPOINT)["owner"] is None


async def test_the_action_refuses_what_makes_no_sense(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    for wrong in (
        {"value": "20"},
        {"value": float("nan")},
        {"value": 20, "priority": 42},
        {"value": 20, "source": ""},
        {"value": 20, "lease": 0},
        {"value": 20, "lease": 1e9},
        {},
    ):
        with pytest.raises(vol.Invalid):
            await command(hass, entity_id=SETPOINT, **wrong)


async def test_a_user_without_permission_commands_nothing(
    hass: HomeAssistant, served: ServedPlant, hass_read_only_user: MockUser
) -> None:
    await set_up(hass, served.text)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "chiller_plant",
            "command",
            {"entity_id": SETPOINT, "value": 20},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert attributes(hass, SETPOINT)["owner"] is None


async def test_the_plants_button_returns_all_of_it(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    await operate(hass, SETPOINT, 21.0)
    await operate(hass, PLANT_SETPOINT, 8.0)
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": "button.two_chillers_return_all_to_automatic"},
        blocking=True,
    )
    assert state(hass, PLANT_SETPOINT) == "6.7"
    await eventually(lambda: served.commanded(POINT) == 24.0)
    await eventually(lambda: state(hass, SETPOINT) == "24.0")
