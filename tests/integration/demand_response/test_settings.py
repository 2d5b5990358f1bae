"""What people decide about demand response in the options of a plant."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.integration.demand_response.site import (
    GRID,
    Board,
    set_up_site,
    told,
    utility,
)

ANSWERS = {
    "take_part": True,
    "opt": "out",
    "meter": "chiller_meter.power",
    "level_1": 5,
    "level_2": 15,
    "level_3": 30,
    "price_1": 0.25,
    "price_3": 0.6,
    "capacity_kw": 500,
    "baseline_method": "four_of_five",
}
COMFORT = {
    "warmest": 27.5,
    "comfort_return": 0.4,
    "release_interval": 5,
    "rebound": 110,
    "longest_recovery": 3,
    "precool": True,
    "lead": 90,
    "setpoint_drop": 1.5,
    "coldest": 21,
    "weather": "weather.town",
}
ZONES = {
    "use": True,
    "order": 3,
    "step": 0.5,
    "levels": 4,
    "bound": 26.5,
    "capacity_kw": 9,
    "least_on": 20,
    "longest_on": 90,
    "recovery": 30,
}


async def form(
    hass: HomeAssistant, entry: MockConfigEntry, page: str, **answers: Any
) -> dict[str, Any]:
    """Fill in one of the forms."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    for chosen in ("demand_response", page):
        flow = await hass.config_entries.options.async_configure(
            flow["flow_id"], {"next_step_id": chosen}
        )
    assert flow["type"] is FlowResultType.FORM
    result = await hass.config_entries.options.async_configure(flow["flow_id"], answers)
    await hass.async_block_till_done()
    return dict(result)


async def test_what_was_decided_reaches_the_engine(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    before = (await told(hass, entry))["revision"]
    result = await form(hass, entry, "answers", **ANSWERS)
    assert result["reason"] == "demand_response_decided"
    await form(hass, entry, "comfort", **COMFORT)
    await form(hass, entry, "measure_zone", **ZONES)
    await form(
        hass,
        entry,
        "measure_circuit",
        use=False,
        order=1,
        least_on=5,
        recovery=0,
    )
    answer = await told(hass, entry)
    assert answer["revision"] != before
    settings = answer["settings"]
    assert settings["opt"] == "out"
    assert settings["meter"] == "chiller_meter.power"
    assert settings["levels"] == [0.05, 0.15, 0.3]
    assert settings["prices"] == [[0.25, 1], [0.6, 3]]
    assert settings["capacity_kw"] == 500
    assert settings["baseline_method"] == "four_of_five"
    assert settings["shedding"] == {
        "deadband": 0.02,
        "comfort_return": 0.4,
        "comfort_interval": 120.0,
        "release_interval": 300.0,
        "rebound": 1.1,
        "longest_recovery": 10_800.0,
    }
    assert settings["precool"] == {
        "lead": 5400.0,
        "setpoint_drop": 1.5,
        "coldest": 21,
        "weather": "weather.town",
        "zones": [
            {
                "name": "Offices",
                "setpoint": "zone_1.temperature_setpoint",
                "temperature": "zone_1.temperature",
            }
        ],
    }
    measures = {row["key"]: row for row in answer["measures"]}
    assert "circuit:fountain" not in measures
    zone = measures["zone:zone_1"]
    assert zone["comfort"][0]["warmest"] == 27.5
    assert (zone["order"], zone["step"], zone["levels"]) == (3, 0.5, 4)
    assert (zone["bound"], zone["capacity_kw"]) == (26.5, 9.0)
    assert (zone["least_on"], zone["longest_on"], zone["recovery"]) == (
        1200.0,
        5400.0,
        1800.0,
    )
    # It is all there after a restart, and shown by the form.
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await told(hass, entry))["measures"] == answer["measures"]


async def test_forms_are_of_the_equipment_that_there_is(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    menu = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"next_step_id": "demand_response"}
    )
    assert menu["menu_options"] == [
        "answers",
        "comfort",
        "measure_circuit",
        "measure_zone",
        "measure_chilled_water",
        "measure_demand_limit",
        "telemetry",
        "portfolio",
    ]


@pytest.mark.parametrize(
    ("step", "answers", "field", "error"),
    [
        ("answers", ANSWERS | {"level_2": 40}, "level_3", "levels_not_rising"),
        ("answers", ANSWERS | {"price_2": 0.7}, "price_3", "prices_not_rising"),
        ("answers", ANSWERS | {"price_2": 0.25}, "price_2", "prices_not_rising"),
        (
            "comfort",
            COMFORT | {"coldest": 27.5},
            "coldest",
            "coldest_not_below_warmest",
        ),
        (
            "measure_zone",
            ZONES | {"longest_on": 10},
            "longest_on",
            "longest_below_least",
        ),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    hass: HomeAssistant,
    machines: Board,
    step: str,
    answers: dict[str, Any],
    field: str,
    error: str,
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    result = await form(hass, entry, step, **answers)
    assert result["errors"] == {field: error}
    assert entry.options == {}


async def test_topics_begin_with_what_may_be_part_of_one(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    result = await form(hass, entry, "telemetry", mqtt=True, prefix="a/#", interval=60)
    assert result["errors"] == {"mqtt": "no_mqtt", "prefix": "not_a_topic"}
    hass.config.components.add("mqtt")
    result = await form(hass, entry, "telemetry", mqtt=True, prefix="a/#", interval=60)
    assert result["errors"] == {"prefix": "not_a_topic"}
    await form(hass, entry, "telemetry", mqtt=True, prefix="/site/one/", interval=60)
    assert entry.options["demand_response"]["mqtt"] == {
        "prefix": "site/one",
        "interval": 60,
    }


async def test_meter_that_is_gone_from_the_plant_file_is_none(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(
        hass, machines, utility("Grid", GRID, "grid"), options={"meter": "old.power"}
    )
    assert (await told(hass, entry))["settings"]["meter"] == "plant_meter.power"
