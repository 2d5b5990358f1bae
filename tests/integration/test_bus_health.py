"""How well each controller can be reached, and what of it a person must repair."""

from contextlib import closing
from datetime import datetime
import json
import re
import socket
from typing import Any

from bacpypes3.primitivedata import Real
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.chiller_plant.entity import TRADE_NAMES
from custom_components.chiller_plant.plant.quality import IN_LOCAL_MODE
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from tests.integration.served_plant import (
    ServedPlant,
    entry_for,
    example_text,
    operate,
    set_up,
    state,
)
from tests.waiting import eventually

CONNECTIVITY = "binary_sensor.zone_controller_connectivity"
LOOKED_AT_AGAIN = 90.0
"""Figures of a device are looked at twice a minute."""


def attributes(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    """Return an entity's attributes."""
    found = hass.states.get(entity_id)
    assert found is not None, entity_id
    return dict(found.attributes)


def devices(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, dr.DeviceEntry]:
    """Return the devices of a plant by their names."""
    found = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return {str(item.name): item for item in found if isinstance(item, dr.DeviceEntry)}


def issues(hass: HomeAssistant, kind: str) -> list[dict[str, str]]:
    """Return what our repair issues of a kind say."""
    return [
        dict(issue.translation_placeholders or {})
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == "chiller_plant" and issue.translation_key == kind
    ]


def local_port(text: str) -> int:
    """Return the UDP port from which the plant is reached."""
    found = re.search(r"local_port: (\d+)", text)
    assert found is not None
    return int(found[1])


async def test_every_controller_is_a_device_apart_from_its_machines(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    found = devices(hass, entry)
    for name, model, number in (
        ("Chiller 1 controller", "BACnet device", "instance 1001"),
        ("Zone controller", "BACnet device", "instance 1004"),
        ("Pchp 1 drive", "Modbus unit", "unit 1"),
    ):
        assert found[name].model == model
        assert found[name].model_id == number
        assert found[name].via_device_id == entry.runtime_data.plant_device_id
        # The forms of the blueprints choose equipment by it.
        assert found[name].model_id not in TRADE_NAMES.values()
    assert found["Chiller 1"].id != found["Chiller 1 controller"].id
    keys = [
        key
        for connection in entry.runtime_data.plant.connections.values()
        for key in connection.devices
    ]
    assert len(found) == len(entry.runtime_data.plant.equipment) + len(keys)


async def test_a_controller_with_the_name_of_its_machine_is_told_apart(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    text = served.text.replace("chiller_1_controller", "chiller_1")
    text = text.replace("pchp_1_drive", "pchp_1")
    found = devices(hass, await set_up(hass, text))
    assert {
        "Chiller 1",
        "Chiller 1 controller",
        "PCHP 1",
        "Pchp 1 unit",
    } <= found.keys()


async def test_a_silent_controller_is_told_at_once_and_when_it_is_back(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    assert state(hass, CONNECTIVITY) == "on"
    assert attributes(hass, CONNECTIVITY)["reason"] is None
    last_answer = "sensor.zone_controller_last_answer"
    answered = datetime.fromisoformat(state(hass, last_answer))
    assert state(hass, "sensor.zone_controller_timeouts") == "0"

    await served.unplug("zone_controller")
    await eventually(lambda: state(hass, CONNECTIVITY) == "off")
    assert "zone_controller" in attributes(hass, CONNECTIVITY)["reason"]
    assert datetime.fromisoformat(state(hass, last_answer)) >= answered
    assert int(state(hass, "sensor.zone_controller_timeouts")) > 0
    assert state(hass, "binary_sensor.plant_controller_connectivity") == "on"
    await eventually(
        lambda: (
            int(state(hass, "sensor.zone_controller_points_not_good"))
            == attributes(hass, "sensor.zone_controller_points_not_good")["stale"]
            == attributes(hass, "sensor.zone_controller_points_not_good")["points"]
            > 0
        ),
        LOOKED_AT_AGAIN,
    )

    await served.plug_in("zone_controller")
    await eventually(lambda: state(hass, CONNECTIVITY) == "on")
    await eventually(
        lambda: state(hass, "sensor.zone_controller_points_not_good") == "0",
        LOOKED_AT_AGAIN,
    )


async def test_points_that_are_not_good_are_counted_and_say_why(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    believable = (
        'chilled_water_return_temperature: {object: "analog-input,2", limits: [-5, 50]}'
    )
    text = served.text.replace(believable, believable.replace("-5, 50", "40, 50"))
    await set_up(hass, text)
    sensor = "sensor.chiller_1_chilled_water_return_temperature"
    assert attributes(hass, sensor)["quality"] == "out_of_range"
    assert (
        "°C is below the limit of 40 °C" in attributes(hass, sensor)["quality_reason"]
    )
    count = "sensor.chiller_1_controller_points_not_good"
    assert state(hass, count) == "1"
    assert attributes(hass, count)["out_of_range"] == 1
    assert attributes(hass, count)["missing"] == 0
    good = attributes(hass, "sensor.chiller_1_load")
    assert good["quality"] == "good"
    assert "quality_reason" not in good


async def test_figures_that_change_all_the_time_are_shown_when_somebody_wants_them(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    registry = er.async_get(hass)
    wanted = {
        f"sensor.{device}_{figure}"
        for device in ("zone_controller", "pchp_1_drive")
        for figure in ("latency", "requests_waiting", "points_per_second")
    }
    wanted.add("sensor.zone_controller_subscriptions")
    assert registry.async_get("sensor.pchp_1_drive_subscriptions") is None
    for entity_id in wanted:
        assert hass.states.get(entity_id) is None
        registry.async_update_entity(entity_id, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    for device in ("zone_controller", "pchp_1_drive"):
        assert float(state(hass, f"sensor.{device}_latency")) > 0
        assert float(state(hass, f"sensor.{device}_points_per_second")) > 0
        assert float(state(hass, f"sensor.{device}_requests_waiting")) >= 0
    assert float(state(hass, "sensor.zone_controller_subscriptions")) >= 0


async def test_a_controller_that_left_the_plant_file_leaves_the_devices(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    assert "Zone controller" in devices(hass, entry)
    renamed = served.text.replace("zone_controller", "room_controller")
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "plant_file": renamed}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert "Zone controller" not in devices(hass, entry)
    assert "Room controller" in devices(hass, entry)


async def test_a_port_that_another_program_has_is_one_issue_that_says_so(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    port = local_port(served.text)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("127.0.0.1", port))
        entry = await set_up(hass, served.text)
        assert entry.state is ConfigEntryState.LOADED
        await eventually(lambda: issues(hass, "closed_connection"))
        (told,) = issues(hass, "closed_connection")
        assert told["connection"] == "bms"
        assert told["address"] == f"127.0.0.1/8, UDP port {port}"
        assert f"another program uses UDP port {port}" in told["reason"]
        assert "choose another local_port" in told["reason"]
        assert "zone_controller" in told["devices"]
        await eventually(lambda: state(hass, CONNECTIVITY) == "off")
        await eventually(
            lambda: "zone_controller" in entry.runtime_data.coordinator.silent
        )
        # One fault, not one for each controller; the drives go on.
        assert issues(hass, "silent_device") == []
        assert state(hass, "binary_sensor.pchp_1_drive_connectivity") == "on"
    await eventually(lambda: issues(hass, "closed_connection") == [], 60)
    await eventually(lambda: state(hass, CONNECTIVITY) == "on", 60)


async def test_an_address_that_this_machine_does_not_have_is_an_issue(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    text = served.text.replace("127.0.0.1/8", "192.0.2.1/24")
    await set_up(hass, text)
    (told,) = issues(hass, "closed_connection")
    assert "192.0.2.1/24" in told["address"]
    assert "this machine has no address 192.0.2.1/24" in told["reason"]
    assert "set local_address to one of its own" in told["reason"]


@pytest.mark.parametrize("end", ["removed", "disabled"])
async def test_a_plant_that_cannot_start_for_it_says_why_until_nobody_wants_it(
    hass: HomeAssistant, end: str
) -> None:
    """Nothing else answers either: the plant is tried again and again."""
    text = example_text().replace("127.0.0.1/8", "192.0.2.1/24")
    entry = entry_for(text)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert [told["connection"] for told in issues(hass, "closed_connection")] == ["bms"]
    if end == "removed":
        await hass.config_entries.async_remove(entry.entry_id)
    else:
        await hass.config_entries.async_set_disabled_by(
            entry.entry_id, ConfigEntryDisabler.USER
        )
    assert issues(hass, "closed_connection") == []


async def test_a_machine_in_local_mode_is_information_and_no_issue(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    """Chiller 2 stands; here that is what its mode is read from."""
    status = 'run_status: {object: "binary-input,1"}\n'
    text = served.text.replace(
        status, status + '      remote_mode: {object: "binary-input,1"}\n', 1
    )
    entry = await set_up(hass, text)
    coordinator = entry.runtime_data.coordinator
    setpoint = "chiller_2.chilled_water_supply_temperature_setpoint"
    number = "number.chiller_2_chilled_water_supply_temperature_setpoint"
    await eventually(lambda: attributes(hass, number)["quality"] == "overridden")
    assert attributes(hass, number)["quality_reason"] == IN_LOCAL_MODE
    assert attributes(hass, "sensor.chiller_2_load")["quality"] == "good"
    # What is set there is shown and used.
    assert float(state(hass, number)) == 6.7

    await operate(hass, number, 8.0)
    await eventually(lambda: served.commanded(setpoint) == 8.0)
    server = served.simulation.servers["chiller_2_controller"]
    there = server._objects[setpoint]  # type: ignore[attr-defined]
    await there.write_property("presentValue", Real(12.0), None, 8)
    await eventually(lambda: float(state(hass, number)) == 12.0)
    await eventually(lambda: setpoint in coordinator.commander.mismatches, 60)
    assert issues(hass, "mismatch") == []


async def test_a_higher_priority_is_named_where_a_command_has_no_effect(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await set_up(hass, served.text)
    number = "number.wards_temperature_setpoint"
    setpoint = "zone_1.temperature_setpoint"
    await operate(hass, number, 22.0)
    await eventually(lambda: served.commanded(setpoint) == 22.0)
    server = served.simulation.servers["zone_controller"]
    there = server._objects[setpoint]  # type: ignore[attr-defined]
    await there.write_property("presentValue", Real(28.0), None, 8)
    await eventually(lambda: attributes(hass, number)["quality"] == "overridden", 60)
    assert "8" in attributes(hass, number)["quality_reason"]
    await eventually(lambda: float(state(hass, number)) == 28.0, 60)
    await eventually(
        lambda: (
            [told["reason"] for told in issues(hass, "mismatch")]
            == [attributes(hass, number)["quality_reason"]]
        )
    )


async def test_diagnostics_tell_how_each_device_behaves_but_not_where_it_is(
    hass: HomeAssistant, served: ServedPlant, hass_client: ClientSessionGenerator
) -> None:
    entry = await set_up(hass, served.text)
    await served.unplug("zone_controller")
    await eventually(lambda: state(hass, CONNECTIVITY) == "off")
    told = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    plant = told["devices"]["plant_controller"]
    assert plant["silent_reason"] is None
    assert plant["traffic"]["requests"] > 0
    assert plant["traffic"]["latency"] > 0
    assert plant["quality"]["good"] > 0
    assert told["devices"]["zone_controller"]["traffic"]["timeouts"] > 0
    assert told["devices"]["zone_controller"]["silent_reason"] == "**REDACTED**"
    assert "127.0.0." not in json.dumps(told)
