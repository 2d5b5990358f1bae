"""A plant made of what is found on the network, as a person clicks through it."""

import socket
from typing import Any

import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.flows import discovery
from custom_components.chiller_plant.links import bacnet_networks
from custom_components.chiller_plant.plant.model import BacnetAddress, BacnetConnection
from custom_components.chiller_plant.plant.plant_file import parse_plant
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.drivers.bacnet_peers import device, i_am, station
from tests.integration.forms import Walk, add_plant
from tests.integration.served_plant import ServedPlant, operate, set_up, state
from tests.ports import udp_port
from tests.waiting import eventually

LOOPBACK = {"local_address": "127.0.0.1/8", "instance": 4190009}


@pytest.fixture(autouse=True)
def _listen_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody on loopback is behind a slow router."""
    monkeypatch.setattr(discovery, "LISTEN", 0.5)


def addresses(served: ServedPlant) -> list[str]:
    """Return where the controllers of the example are."""
    connection = served.simulation.plant.connections["bms"]
    assert isinstance(connection, BacnetConnection)
    return [item.address for item in connection.devices.values()]


async def look(hass: HomeAssistant, *places: str, **changes: Any) -> Walk:
    """Ask at these addresses who is there."""
    walk = await add_plant(hass, "discover")
    assert walk.step == "discover"
    await walk.submit(
        **{**LOOPBACK, "local_port": udp_port(), "addresses": list(places), **changes}
    )
    await walk.wait()
    return walk


async def test_a_plant_is_found_corrected_and_runs(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    walk = await look(hass, *addresses(served))
    assert walk.step == "devices"
    assert len(walk.options("devices")) == 4
    await walk.submit()
    await walk.wait()
    assert walk.step == "machines"
    assert {"chiller_1", "zone_3", "ct_2"} <= set(walk.options("keep"))
    assert not hass.config_entries.async_entries("chiller_plant")

    kept = [key for key in walk.options("keep") if key != "weather"]
    await walk.submit(keep=kept, check=["chiller_2", "zone_1", "zone_2"])
    # The first is right, but for what it is called.
    assert walk.step == "machine"
    assert walk.told["machine"] == "Chiller 2"
    assert "'chiller_2.run_status' is a name of this role" in walk.told["reasons"]
    await walk.submit(name="East chiller")
    # The second has a role that is not to be ours.
    assert walk.told["machine"] == "Zone 1"
    offered = walk.options("temperature_setpoint")
    assert "zone_2.temperature_setpoint (zone_controller analog-value,21)" in offered
    assert not any("analog-input,11" in item for item in offered)
    assert not any("binary-value,11" in item for item in offered)
    await walk.submit(name="Wards", occupied_command="Not there")
    # The third is left out.
    assert walk.told["left"] == "0"
    await walk.submit(keep=False)

    assert walk.step == "more"
    assert "East chiller" in walk.told["machines"]
    await walk.choose("serving")
    assert walk.told["chiller"] == "Chiller 1"
    assert walk.defaults() == {
        "cooling_towers": ["ct_1", "ct_2"],
        "valves": ["chilled_water_valve_1", "condenser_water_valve_1"],
    }
    await walk.submit()
    assert walk.told["chiller"] == "East chiller"
    await walk.submit(
        cooling_towers=["ct_2"],
        valves=["chilled_water_valve_2", "condenser_water_valve_2"],
    )
    assert walk.step == "summary"
    assert "weather.outdoor_temperature" in walk.told["left_out"]
    assert "zone_1.occupied_command" in walk.told["left_out"]
    await walk.submit(name=" ")
    assert walk.errors == {"base": "no_name"}
    await walk.submit(name="Hospital")
    assert walk.shown["type"] is FlowResultType.CREATE_ENTRY, walk.shown
    await hass.async_block_till_done()

    entry = walk.shown["result"]
    assert entry.title == "Hospital"
    assert entry.unique_id == "hospital"
    assert entry.state is ConfigEntryState.LOADED
    plant = parse_plant(entry.data["plant_file"], "hospital.yaml")
    original = served.simulation.plant
    for key, point in plant.points.items():
        found, wanted = point.address, original.points[key].address
        if isinstance(found, BacnetAddress) and isinstance(wanted, BacnetAddress):
            assert (found.object_type, found.object_instance) == (
                wanted.object_type,
                wanted.object_instance,
            ), key
    assert plant.equipment["chiller_2"].name == "East chiller"
    assert plant.equipment["chiller_2"].served_by["cooling_towers"] == ("ct_2",)
    assert "zone_1.occupied_command" not in plant.points
    assert not {"zone_2", "weather"} & plant.equipment.keys()

    await operate(hass, "number.wards_temperature_setpoint", 22.5)
    await eventually(lambda: served.commanded("zone_1.temperature_setpoint") == 22.5)
    await eventually(lambda: state(hass, "number.wards_temperature_setpoint") == "22.5")
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_device_without_segmentation_is_mapped_by_hand(
    hass: HomeAssistant,
) -> None:
    async with device(
        inputs=120, segmentation_supported=rb.Segmentation.NONE
    ) as controller:
        walk = await look(hass, controller.address)
        await walk.submit()
        await walk.wait()
        # Names like AI1 say nothing.
        if walk.step == "machines":
            await walk.submit(keep=[], check=[])
        assert walk.step == "more"
        assert walk.shown["menu_options"] == ["add_machine"]
        await walk.choose("add_machine")
        await walk.submit(name="Ward 3", type="zone", devices=["controller"])
        assert walk.step == "machine"
        assert "AI120 (controller analog-input,120)" in walk.options("temperature")
        await walk.submit(temperature="AI999 (controller analog-input,999)")
        assert walk.errors == {"temperature": "unknown_object"}
        await walk.submit(temperature="AI120", temperature_setpoint="AO1")
        assert walk.errors == {"temperature_setpoint": "object_does_not_fit"}
        await walk.submit(
            temperature="AI120", temperature_setpoint="AV1 (controller analog-value,1)"
        )
        assert walk.step == "more"
        await walk.choose("serving")
        assert walk.step == "summary"
        await walk.submit(name="North wing")
        assert walk.shown["type"] is FlowResultType.CREATE_ENTRY, walk.shown
        await hass.async_block_till_done()
        entry = walk.shown["result"]
        reading = entry.runtime_data.coordinator.reading("ward_3.temperature")
        assert reading.value == 120.0
        await hass.config_entries.async_unload(entry.entry_id)


async def test_type_of_a_machine_decides_which_roles_are_asked_for(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    walk = await look(hass, *addresses(served))
    await walk.submit()
    await walk.wait()
    await walk.submit(check=["ct_1"])
    assert "leaving_water_temperature" in walk.defaults()
    await walk.submit(type="zone", leaving_water_temperature="Not there")
    assert walk.step == "machine"
    assert walk.defaults()["type"] == "zone"
    assert "leaving_water_temperature" not in walk.defaults()
    assert not any(
        "analog-input,7" in item for item in walk.options("relative_humidity")
    )
    # Objects of another device are offered once it is chosen.
    first = "zone_1.temperature (zone_controller analog-input,11)"
    assert first not in walk.options("temperature")
    await walk.submit(devices=["zone_controller"])
    assert walk.step == "machine"
    assert first in walk.options("temperature")
    await walk.submit(type="plant")
    assert walk.errors == {"type": "one_plant"}
    walk.close()


async def test_nobody_answers(hass: HomeAssistant) -> None:
    walk = await look(hass, "127.0.0.57:9")
    assert walk.step == "discover"
    assert walk.errors == {"base": "nobody_answered"}
    # What was filled in is still there.
    assert walk.defaults()["addresses"] == ["127.0.0.57:9"]
    assert walk.defaults()["instance"] == 4190009


async def test_port_of_another_program_is_said(hass: HomeAssistant) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", udp_port()))
        port = other.getsockname()[1]
        walk = await look(hass, "127.0.0.57:9", local_port=port)
    assert walk.step == "discover"
    assert walk.errors == {"base": "cannot_open_network"}
    assert f"another program uses UDP port {port}" in walk.told["problems"]


async def test_address_of_another_machine_is_said(hass: HomeAssistant) -> None:
    walk = await look(hass, local_address="192.0.2.7/24")
    assert walk.errors == {"base": "cannot_open_network"}
    assert "this machine has no address 192.0.2.7/24" in walk.told["problems"]


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("local_address", "10.0.0.5", "bad_local_address"),
        ("local_address", "gateway", "bad_local_address"),
        ("bbmd", "10.0.0.5", "bad_bbmd"),
        ("addresses", ["controller.example"], "bad_address"),
        ("addresses", [f"127.0.0.{n}" for n in range(101)], "bad_address"),
        ("highest_instance", -1, None),
    ],
)
async def test_form_of_the_network_says_what_is_wrong(
    hass: HomeAssistant, field: str, value: Any, error: str | None
) -> None:
    walk = await add_plant(hass, "discover")
    answers = {**LOOPBACK, "lowest_instance": 7, field: value}
    if error is None:
        answers |= {"highest_instance": 6}
        error = "bad_range"
    await walk.submit(**answers)
    assert walk.step == "discover"
    assert walk.errors == {field: error}


async def test_dialog_that_is_closed_frees_the_port(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "LISTEN", 30.0)
    port = udp_port()
    walk = await add_plant(hass, "discover")
    await walk.submit(**LOOPBACK, local_port=port)
    assert walk.shown["type"] is FlowResultType.SHOW_PROGRESS
    await eventually(lambda: not is_free(port))
    walk.close()
    await eventually(lambda: is_free(port))


async def test_network_of_a_running_plant_is_shared_with_it(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    bms = entry.runtime_data.plant.connections["bms"]
    walk = await add_plant(hass, "discover")
    begun = walk.defaults()
    assert begun["local_address"] == bms.local_address
    assert begun["local_port"] == bms.local_port
    assert begun["instance"] == bms.instance
    await walk.submit(addresses=addresses(served))
    await walk.wait()
    assert len(walk.options("devices")) == 4
    walk.close()
    assert bacnet_networks(hass).network(bms).is_open
    await operate(hass, "number.wards_temperature_setpoint", 21.5)
    await eventually(lambda: served.commanded("zone_1.temperature_setpoint") == 21.5)
    # Another identity on the same port would take the plant's answers away.
    other = await look(
        hass, *addresses(served), local_port=bms.local_port, instance=bms.instance + 1
    )
    assert other.errors == {"base": "cannot_open_network"}


async def test_device_that_says_nothing_of_itself_can_be_seen_but_not_mapped(
    hass: HomeAssistant,
) -> None:
    def announce(data: bytes) -> list[bytes]:
        return [i_am(77)] if data[6:8] == b"\x10\x08" else []

    async with station(answer=announce) as silent:
        walk = await look(hass, silent.address)
        assert walk.step == "devices"
        assert walk.options("devices") == [f"77@{silent.address}"]
        assert walk.defaults()["devices"] == []
        await walk.submit()
        assert walk.errors == {"base": "no_device"}
        await walk.submit(devices=walk.options("devices"))
        await walk.wait()
        assert walk.step == "devices"
        assert walk.errors == {"base": "no_objects"}
        assert silent.address in walk.told["problems"]
        walk.close()


def is_free(port: int) -> bool:
    """Return whether a UDP port can be bound."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
