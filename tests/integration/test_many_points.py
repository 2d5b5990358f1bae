"""A plant of many points: what changes is shown, and nothing else is touched."""

import asyncio
from collections import Counter
from collections.abc import Iterator
import gc
from time import perf_counter
from typing import Any

import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.publisher import Publisher
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from tests.drivers.bacnet_peers import Device, device
from tests.integration.served_plant import set_up, state
from tests.integration.small_site import site_text
from tests.waiting import eventually

ZONES = 30


def building(peer: Device) -> str:
    """Return a plant of many zones, all on one controller."""
    declared = peer.as_declared
    return site_text(
        {"floor": (declared.address, declared.instance)},
        {
            f"zone_{number}": {
                "type": "zone",
                "name": f"Zone {number}",
                "device": "floor",
                "points": {
                    "temperature": {"object": f"analog-input,{2 * number - 1}"},
                    "relative_humidity": {"object": f"analog-input,{2 * number}"},
                },
            }
            for number in range(1, ZONES + 1)
        },
    )


def count_writes(hass: HomeAssistant, of: str | None = None) -> Counter[str]:
    """Count how often each entity of a zone writes its state from now on.

    `of` counts only writes of that state.
    """
    writes: Counter[str] = Counter()

    @callback
    def is_of_zone(data: object) -> bool:
        return ".zone_" in data["entity_id"]  # type: ignore[index]

    @callback
    def wrote(event: Event[dict[str, Any]]) -> None:
        entity_id = event.data["entity_id"]
        if of is None or hass.states.is_state(entity_id, of):
            writes[entity_id] += 1

    for kind in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED):
        hass.bus.async_listen(kind, wrote, event_filter=is_of_zone)
    return writes


async def test_only_what_changed_is_written(hass: HomeAssistant) -> None:
    async with device(inputs=2 * ZONES) as peer:
        entry = await set_up(hass, building(peer))
        coordinator = entry.runtime_data.coordinator
        shown = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        assert sum(".zone_" in item.entity_id for item in shown) >= 3 * ZONES

        writes = count_writes(hass)
        rounds = 0

        @callback
        def count_round() -> None:
            nonlocal rounds
            rounds += 1

        coordinator.async_add_listener(count_round)
        await eventually(lambda: rounds >= 4)
        assert not writes

        await peer.measure("analog-input,9", rb.PropertyValue.real(23.5))
        await eventually(lambda: state(hass, "sensor.zone_5_temperature") == "23.5")
        rounds = 0
        await eventually(lambda: rounds >= 3)
        assert writes == {"sensor.zone_5_temperature": 1, "climate.zone_5": 1}


async def test_a_device_that_falls_silent_takes_all_its_entities_with_it_once(
    hass: HomeAssistant,
) -> None:
    async with device(inputs=2 * ZONES) as peer:
        entry = await set_up(hass, building(peer))
        coordinator = entry.runtime_data.coordinator
        writes = count_writes(hass, STATE_UNAVAILABLE)
        await peer.stop()
        await eventually(lambda: "floor" in coordinator.silent)
        await eventually(lambda: len(writes) >= 3 * ZONES)
        # Once as silent; once more at most, where its values became stale later.
        assert max(writes.values()) <= 2
        await peer.start()
        await eventually(lambda: state(hass, "sensor.zone_5_temperature") == "9.0", 60)


@pytest.fixture
def nothing_settled() -> Iterator[None]:
    """Take back, for one test, what the tests of Home Assistant settled before it."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.usefixtures("nothing_settled")
async def test_what_a_large_plant_is_made_of_is_not_searched_again_until_it_is_unloaded(
    hass: HomeAssistant,
) -> None:
    zones = {
        f"hall_{number}": {
            "type": "zone",
            "name": f"Hall {number}",
            "points": {
                "temperature_setpoint": {"release": 24, "limits": [18, 30]},
                "occupied_command": {"release": False},
            },
        }
        for number in range(500)
    }
    async with device(inputs=2) as peer:
        declared = peer.as_declared
        hall = {
            "type": "zone",
            "name": "Zone",
            "device": "floor",
            "points": {"temperature": {"object": "analog-input,1"}},
        }
        devices = {"floor": (declared.address, declared.instance)}
        small = await set_up(hass, site_text(devices, {"zone": hall}))
        assert gc.get_freeze_count() == 0
        assert await hass.config_entries.async_remove(small.entry_id)

        entry = await set_up(hass, site_text(devices, {"zone": hall, **zones}))
        assert gc.get_freeze_count() > 100 * len(zones)
        assert state(hass, "number.hall_7_temperature_setpoint") == "24.0"
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert gc.get_freeze_count() == 0

        assert await hass.config_entries.async_setup(entry.entry_id)
        assert gc.get_freeze_count() > 100 * len(zones)
        await hass.async_stop(force=True)
        assert gc.get_freeze_count() == 0


async def test_who_commands_waits_for_what_was_commanded_alone() -> None:
    publisher, told = Publisher(), []
    publisher.listen(["command"], lambda: told.append("command"))
    for number in range(50):

        def show(number: int = number) -> None:
            # As long as many entities take to be written.
            until = perf_counter() + 0.002
            while perf_counter() < until:
                pass
            told.append(number)

        publisher.listen([number], show)
    publisher.touch(range(50))
    everything = asyncio.create_task(publisher.async_publish())
    await eventually(lambda: told)
    publisher.touch(["command"], first=True)
    await publisher.async_publish_first()

    assert told[-1] == "command"
    assert len(told) < 51
    assert not everything.done()
    await everything
    assert not publisher.pending
    assert len(told) == 51
