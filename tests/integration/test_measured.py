"""What is measured and what follows from it, as sensors."""

import json

from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from tests.integration.planning import get_plan
from tests.integration.served_plant import ServedPlant, set_up, state
from tests.waiting import eventually


def number(hass: HomeAssistant, entity_id: str) -> float:
    """Return a sensor's number, -1 while it has none."""
    shown = state(hass, entity_id)
    return -1.0 if shown in ("unknown", "unavailable") else float(shown)


async def test_a_running_plant_shows_load_efficiency_stage_and_run_hours(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    # Left to itself, the plant's lead chiller starts on its own controls.
    await eventually(lambda: state(hass, "sensor.two_chillers_stage") == "1", 20)
    await eventually(lambda: number(hass, "sensor.two_chillers_cop") > 1, 30)
    load = number(hass, "sensor.two_chillers_cooling_load")
    tons = number(hass, "sensor.two_chillers_cooling_load_in_tons")
    assert abs(load / tons - 3.517) < 0.01
    # The water in the loop cools the zones before the chiller does.
    await eventually(lambda: number(hass, "sensor.chiller_1_efficiency") > 0.1, 30)
    await eventually(
        lambda: number(hass, "sensor.two_chillers_power_of_chillers") > 10, 30
    )
    assert number(hass, "sensor.chiller_2_electric_power") == 0
    assert state(hass, "sensor.chiller_2_efficiency") == "unknown"
    assert state(hass, "sensor.chiller_1_starts") == "1"
    await eventually(lambda: number(hass, "sensor.pchp_1_run_hours") > 0, 40)

    # What decides who is next is read by the engine as if it were measured,
    # and can be set back without touching the machine's life.
    plan = await get_plan(hass, entry)
    figures = plan["equipment"]["chiller_1"]["points"]
    assert figures["staging_run_hours"] == {
        "entity_id": "sensor.chiller_1_staging_run_hours",
        "writable": False,
        "boolean": False,
        "low": 0.0,
        "high": None,
        "unit": "h",
    }
    assert figures["sequence_position"]["entity_id"] == (
        "number.chiller_1_sequence_position"
    )
    assert state(hass, "number.chiller_1_sequence_position") == "0"
    assert "staging_starts" not in plan["equipment"]["plant"]["points"]
    assert state(hass, "sensor.chiller_1_staging_starts") == "1"
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": "button.chiller_1_reset_staging_run_hours_and_starts"},
        blocking=True,
    )
    await eventually(lambda: state(hass, "sensor.chiller_1_staging_starts") == "0")
    assert state(hass, "sensor.chiller_1_starts") == "1"

    energy = hass.states.get("sensor.plant_meter_energy")
    assert energy is not None
    assert energy.attributes["state_class"] == "total_increasing"
    assert energy.attributes["unit_of_measurement"] == "kWh"
    supply = hass.states.get("sensor.two_chillers_chilled_water_supply_temperature")
    assert supply is not None
    assert supply.attributes["device_class"] == "temperature"
    assert supply.attributes["quality"] == "good"


async def test_a_value_out_of_range_is_unknown_rather_than_wrong(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    believable = (
        'chilled_water_return_temperature: {object: "analog-input,2", limits: [-5, 50]}'
    )
    text = served.text.replace(believable, believable.replace("-5, 50", "40, 50"))
    assert text != served.text
    await set_up(hass, text)
    sensor = hass.states.get("sensor.chiller_1_chilled_water_return_temperature")
    assert sensor is not None
    assert sensor.state == "unknown"
    assert sensor.attributes["quality"] == "out_of_range"
    # Nothing is made up from it either.
    assert state(hass, "sensor.chiller_1_cooling_load") == "unknown"


async def test_diagnostics_tell_the_state_but_not_the_addresses(
    hass: HomeAssistant, served: ServedPlant, hass_client: ClientSessionGenerator
) -> None:
    entry = await set_up(hass, served.text)
    told = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert told["readings"]["chiller_1.run_status"]["quality"] == "good"
    assert told["plant"]["equipment"]["chiller_1"] == "chiller"
    assert told["silent_devices"] == []
    assert "127.0.0." not in json.dumps(told)
