"""Plants that share a port, and a plant file that moves what is commanded."""

import asyncio
from pathlib import Path

import rusty_bacnet as rb

from custom_components.chiller_plant.plant.plant_file.reader import parse_plant
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from tests.drivers.bacnet_peers import Device, device, independent_client, slot
from tests.integration.served_plant import operate, set_up, state
from tests.integration.small_site import site_text
from tests.ports import udp_port
from tests.waiting import eventually

PRIORITY = 10


def plant_of(
    peer: Device, key: str, local_port: int, setpoint: str = "analog-output,1"
) -> str:
    """Return a plant of one zone, with its setpoint at this object."""
    declared = peer.as_declared
    return site_text(
        {"floor": (declared.address, declared.instance)},
        {
            f"{key}_zone": {
                "type": "zone",
                "name": f"{key} zone",
                "device": "floor",
                "points": {
                    "temperature": {"object": "analog-input,1"},
                    "temperature_setpoint": {"object": setpoint, "writable": True},
                },
            }
        },
        key=key,
        local_port=local_port,
    )


async def test_two_plants_share_a_port_and_one_goes_on_when_the_other_leaves(
    hass: HomeAssistant,
) -> None:
    port = udp_port()
    async with (
        device("127.0.0.51") as left,
        device("127.0.0.52") as right,
        independent_client() as client,
    ):
        leaving = await set_up(hass, plant_of(left, "left", port))
        staying = await set_up(hass, plant_of(right, "right", port))
        for peer, name, value in ((left, "left", 21.0), (right, "right", 22.0)):
            await operate(hass, f"number.{name}_zone_temperature_setpoint", value)
            written = await slot(client, peer, "analog-output,1", PRIORITY)
            assert written == value

        assert await hass.config_entries.async_unload(leaving.entry_id)
        assert staying.state is ConfigEntryState.LOADED
        await right.measure("analog-input,1", rb.PropertyValue.real(25.5))
        await eventually(lambda: state(hass, "sensor.right_zone_temperature") == "25.5")
        await operate(hass, "number.right_zone_temperature_setpoint", 23.0)
        assert await slot(client, right, "analog-output,1", PRIORITY) == 23.0

        # It may come back at any time.
        assert await hass.config_entries.async_setup(leaving.entry_id)
        await hass.async_block_till_done()
        assert state(hass, "number.left_zone_temperature_setpoint") == "21.0"


async def test_a_command_follows_its_point_to_where_the_plant_file_moves_it(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    hass.config.config_dir = str(tmp_path)
    port = udp_port()
    async with device() as peer, independent_client() as client:
        entry = await set_up(hass, plant_of(peer, "site", port))
        await operate(hass, "number.site_zone_temperature_setpoint", 22.0)
        assert await slot(client, peer, "analog-output,1", PRIORITY) == 22.0

        moved = plant_of(peer, "site", port, "analog-value,1")
        (tmp_path / "plant.yaml").write_text(moved)
        form = await entry.start_reconfigure_flow(hass)
        result = await hass.config_entries.flow.async_configure(
            form["flow_id"], {"path": "plant.yaml"}
        )
        assert result["reason"] == "reconfigure_successful"
        await hass.async_block_till_done()
        assert entry.state is ConfigEntryState.LOADED

        # Nobody would ever have released the old place again.
        assert await slot(client, peer, "analog-output,1", PRIORITY) is None
        assert await slot(client, peer, "analog-value,1", PRIORITY) == 22.0
        desk = entry.runtime_data.coordinator.desk
        status = desk.status("site_zone.temperature_setpoint")
        assert (status.owner, status.owned) == ("operator", True)


async def test_what_is_given_back_for_ever_is_not_written_again_by_a_step_that_waits(
    hass: HomeAssistant,
) -> None:
    port = udp_port()
    async with device() as peer, independent_client() as client:
        entry = await set_up(hass, plant_of(peer, "site", port))
        await operate(hass, "number.site_zone_temperature_setpoint", 22.0)
        commander = entry.runtime_data.coordinator.commander
        moved = plant_of(peer, "site", port, "analog-value,1")

        changed = commander.async_leave(parse_plant(moved, "plant.yaml"))
        await asyncio.gather(
            changed, *(commander.async_step(dict, ()) for _ in range(3))
        )

        assert await slot(client, peer, "analog-output,1", PRIORITY) is None
