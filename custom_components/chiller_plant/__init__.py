"""Runs a chilled-water plant from Home Assistant."""

from functools import partial

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from . import issues
from .action_log import async_setup_action_log
from .actions import async_report_notice
from .bus_entity import bus_identifier
from .bus_health import BusHealth
from .command_refresh import async_keep_commands
from .commander import Commander
from .const import (
    CONF_PLANT_FILE,
    CONF_PLANT_FILE_NAME,
    CONF_SOURCE,
    DOMAIN,
    LOGGER,
    PLATFORMS,
)
from .coordinator import PlantCoordinator
from .data import ChillerPlantConfigEntry, ChillerPlantData
from .day_services import async_setup_day_services
from .demand_response.entity import utility_identifier
from .demand_response.http import async_setup_http
from .demand_response.memory import async_remove_memory
from .demand_response.performance_left import async_left_rows
from .demand_response.performance_services import async_setup_performance_services
from .demand_response.portfolio import async_remove_portfolio
from .demand_response.room import DemandResponseRoom
from .demand_response.services import async_setup_demand_response_services
from .demand_response.settlement_memory import async_remove_settlement
from .demand_response.waiting import async_remove_waiting
from .entity import equipment_identifier, plant_device_info, plant_identifier
from .exchange_services import async_setup_exchange_services
from .history import async_setup_history
from .installation import async_get_installer
from .links import async_open_links, async_temporary_links
from .plan import PlanRoom
from .plan_services import async_setup_plan_services
from .planned import async_remove_planned
from .planned_services import async_setup_planned_services
from .plant.model import Plant
from .plant.notices import Notice
from .plant.plant_file import PlantFileError, parse_plant
from .profile_store import async_remove_profiles
from .services import async_setup_services
from .settled_memory import async_settle_memory
from .storage import PlantStore, async_load_stored, async_remove_stored

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all plants share: the actions, and what removed plants left."""
    async_setup_services(hass)
    async_setup_plan_services(hass)
    async_setup_planned_services(hass)
    async_setup_action_log(hass)
    async_setup_day_services(hass)
    async_setup_exchange_services(hass)
    async_setup_demand_response_services(hass)
    async_setup_performance_services(hass)
    async_setup_http(hass)
    async_setup_history(hass)
    await async_left_rows(hass)
    issues.forget_those_of_disabled_plants(hass)
    return True


async def async_setup_entry(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry
) -> bool:
    """Set up one plant."""
    plant = await _async_plant(hass, entry)
    links = await async_open_links(hass, entry, plant, entry.data[CONF_SOURCE])
    plan = PlanRoom(hass, entry, plant)
    coordinator = PlantCoordinator(
        hass, entry, plant, links, partial(async_report_notice, hass, plan)
    )
    await coordinator.async_config_entry_first_refresh()
    coordinator.async_start()
    entry.async_on_unload(async_keep_commands(hass, coordinator))
    await plan.async_start()
    entry.async_on_unload(plan.async_stop)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, **plant_device_info(plant)
    )
    bus = BusHealth(coordinator)
    entry.async_on_unload(bus.async_start())
    demand_response = DemandResponseRoom(hass, entry, plant, plan, coordinator)
    await demand_response.async_start()
    entry.async_on_unload(demand_response.async_stop)
    entry.runtime_data = ChillerPlantData(
        plant, coordinator, plan, bus, device.id, demand_response
    )
    _remove_stale_devices(hass, entry, plant)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    async def async_stop(_event: Event) -> None:
        await coordinator.async_shutdown()
        coordinator.store.async_save_soon()
        coordinator.quality_store.async_save_some_time()
        await links.async_close()

    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_stop)
    )
    plan.async_ready()
    demand_response.async_ready()
    async_settle_memory(hass, entry, plant)
    # A recorder may take its time; the plant does not wait for it.
    entry.async_create_background_task(
        hass, plan.recoveries.async_load(), f"{DOMAIN} recoveries of {plant.key}"
    )
    # Beside the plant: whatever is wrong with files must not keep it from running.
    entry.async_create_task(hass, async_get_installer(hass).async_offer())
    return True


async def async_unload_entry(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry
) -> bool:
    """Leave the plant as it is; hand it back if it will not be looked after."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    coordinator = entry.runtime_data.coordinator
    if entry.disabled_by is not None:
        await coordinator.commander.async_hand_back(coordinator.commander.owned)
    await coordinator.async_shutdown()
    await coordinator.store.async_save_now()
    await coordinator.quality_store.async_save_now()
    issues.clear_all(hass, entry.entry_id)
    return True


async def async_remove_entry(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry
) -> None:
    """Give back what we own on the bus: nobody will remember it after this."""
    issues.clear_all(hass, entry.entry_id)
    if hass.config_entries.async_entries(DOMAIN) in ([], [entry]):
        async_get_installer(hass).async_withdraw()
    stored = await async_load_stored(hass, entry.entry_id)
    if stored is not None:
        store = PlantStore(hass, entry.entry_id, lambda: stored)
        try:
            plant = await _async_plant(hass, entry)
        except ConfigEntryError:
            LOGGER.exception("What is commanded could not be given back")
        else:
            async with async_temporary_links(
                hass, plant, entry.data[CONF_SOURCE]
            ) as links:
                commander = Commander(plant, links, store, _ignore)
                commander.restore(stored["commands"])
                left = await commander.async_hand_back(commander.owned)
            issues.raise_left_behind(hass, entry.entry_id, plant, left)
    await async_remove_stored(hass, entry.entry_id)
    await async_remove_profiles(hass, entry.entry_id)
    await async_remove_planned(hass, entry.entry_id)
    await async_remove_memory(hass, entry.entry_id)
    await async_remove_settlement(hass, entry.entry_id)
    await async_remove_portfolio(hass, entry.entry_id)
    await async_remove_waiting(hass, entry.entry_id)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Let a person delete a device whose equipment is gone from the plant file."""
    return not _is_current(entry, entry.runtime_data.plant, device)


async def _async_plant(hass: HomeAssistant, entry: ChillerPlantConfigEntry) -> Plant:
    try:
        return await hass.async_add_executor_job(
            parse_plant, entry.data[CONF_PLANT_FILE], entry.data[CONF_PLANT_FILE_NAME]
        )
    except PlantFileError as error:
        # It was accepted by an older version of us.
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="invalid_plant_file",
            translation_placeholders={"problems": str(error)},
        ) from error


def _remove_stale_devices(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry, plant: Plant
) -> None:
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if not _is_current(entry, plant, device):
            registry.async_remove_device(device.id)


def _ignore(_notice: Notice) -> None:
    """Nobody is left to be told."""


def _is_current(
    entry: ChillerPlantConfigEntry, plant: Plant, device: dr.DeviceEntry
) -> bool:
    known = {plant_identifier(plant)}
    known |= {utility_identifier(plant, key) for key in entry.subentries}
    known |= {
        equipment_identifier(plant, equipment) for equipment in plant.equipment.values()
    }
    known |= {
        bus_identifier(plant, key)
        for connection in plant.connections.values()
        for key in connection.devices
    }
    return bool(known & device.identifiers)
