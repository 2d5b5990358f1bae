"""Setting a plant up, leaving it, and finding it again."""

from typing import Any

from custom_components.chiller_plant.plant.command_desk import CommandDesk
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

SETPOINT = "number.wards_temperature_setpoint"
POINT = "zone_1.temperature_setpoint"


async def test_every_point_is_an_entity_of_its_equipments_device(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    plant = entry.runtime_data.plant
    entities = {
        item.unique_id: item
        for item in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
        if item.domain in ("sensor", "binary_sensor", "number", "switch")
    }
    devices = dr.async_get(hass)
    for point in plant.points.values():
        entity = entities[f"{plant.key}.{point.key}"]
        assert state(hass, entity.entity_id) not in ("unknown", "unavailable")
        assert entity.entity_id.endswith(point.role.name), entity.entity_id
        device = devices.async_get(str(entity.device_id))
        assert device is not None
        if point.equipment == "plant":
            assert device.name == plant.name
        else:
            assert device.name == plant.equipment[point.equipment].name
            assert isinstance(device, dr.DeviceEntry)
            assert device.via_device_id == entry.runtime_data.plant_device_id


async def test_a_plant_of_which_nothing_answers_is_tried_again(
    hass: HomeAssistant,
) -> None:
    entry = entry_for(example_text())
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "nothing_answers"
    assert "chiller_1_controller" in str(entry.reason)


async def test_a_reload_leaves_the_plant_and_its_owners_alone(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    await operate(hass, SETPOINT, 22.0)
    await eventually(lambda: served.commanded(POINT) == 22.0)

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert served.commanded(POINT) == 22.0

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    owner = hass.states.get(SETPOINT)
    assert owner is not None
    assert owner.state == "22.0"
    assert owner.attributes["owner"] == "operator"
    assert served.commanded(POINT) == 22.0


async def test_what_is_owned_is_on_disk_before_it_is_on_the_wire(
    hass: HomeAssistant, served: ServedPlant, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up(hass, served.text)
    plant = entry.runtime_data.plant
    driver = entry.runtime_data.coordinator.links.driver_of(plant.points[POINT])
    write = driver.write
    owned_after_a_crash: list[bool] = []

    async def written_after_a_look_at_the_disk(point: Any, value: Any) -> None:
        stored = hass_storage[f"chiller_plant.{entry.entry_id}"]["data"]
        desk = CommandDesk(plant)
        desk.restore(0.0, stored["commands"])
        owned_after_a_crash.append(desk.status(point.key).owned)
        await write(point, value)

    driver.write = written_after_a_look_at_the_disk
    await operate(hass, SETPOINT, 22.0)
    assert owned_after_a_crash == [True]


async def test_a_disabled_plant_is_handed_back(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    await operate(hass, SETPOINT, 22.0)
    await eventually(lambda: served.commanded(POINT) == 22.0)

    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    assert served.commanded(POINT) == 24.0


async def test_a_removed_plant_is_handed_back_and_forgotten(
    hass: HomeAssistant, served: ServedPlant, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up(hass, served.text)
    await operate(hass, SETPOINT, 22.0)
    await operate(hass, "number.ct_2_speed_command", 60.0)
    await eventually(lambda: served.commanded("ct_2.speed_command") == 60.0)

    await hass.config_entries.async_remove(entry.entry_id)
    assert served.commanded(POINT) == 24.0
    assert served.commanded("ct_2.speed_command") == 80.0
    assert not [key for key in hass_storage if entry.entry_id in key]


async def test_what_a_removed_plant_leaves_behind_is_said(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    await operate(hass, SETPOINT, 22.0)
    await eventually(lambda: served.commanded(POINT) == 22.0)
    await served.unplug("zone_controller")

    await hass.config_entries.async_remove(entry.entry_id)
    issue = ir.async_get(hass).async_get_issue(
        "chiller_plant", f"{entry.entry_id}.left_behind"
    )
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert "analog-value 11" in issue.translation_placeholders["points"]


async def test_equipment_that_left_the_plant_file_loses_its_device(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    begin = served.text.index("  zone_3:\n")
    end = served.text.index("  chiller_1_power:\n")
    smaller = served.text[:begin] + served.text[end:].replace(" zone_3,", "")
    devices = dr.async_get(hass)
    before = len(dr.async_entries_for_config_entry(devices, entry.entry_id))

    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "plant_file": smaller}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    after = dr.async_entries_for_config_entry(devices, entry.entry_id)
    assert len(after) == before - 1
    assert "Offices" not in {device.name for device in after}


async def test_a_stopping_home_assistant_writes_nothing_and_forgets_nothing(
    hass: HomeAssistant, served: ServedPlant, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up(hass, served.text)
    await operate(hass, SETPOINT, 22.0)
    await eventually(lambda: served.commanded(POINT) == 22.0)

    await hass.async_stop(force=True)
    assert served.commanded(POINT) == 22.0
    stored = hass_storage[f"chiller_plant.{entry.entry_id}"]["data"]
    assert [slot["point"] for slot in stored["commands"]["slots"]] == [POINT]
    assert stored["counters"].keys() >= {"chiller_1", "pchp_1", "ct_2"}
