"""What the tests of profiles, dates and automations share."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
import shutil
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.lookup import entity_of_point
from custom_components.chiller_plant.plan import EVENT_PLAN_CHANGED
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.integration.served_plant import set_up
from tests.waiting import eventually

UNCONNECTED = """
plant: {key: two_chillers, name: Two chillers, poll_interval: 5, command_lease: 60}
connections: {}
equipment:
  plant: {type: plant, name: Plant, points: {enable_command: {release: true}}}
profiles: [Weekday, Weekend, Holiday]
day_types: {weekdays: Weekday, weekends: Weekend}
"""
"""A plant without a wire: where time jumps, no telegram is to be late."""

ALL_PROFILES = ("Weekday", "Weekend", "Holiday")

REPOSITORY = Path(__file__).parents[2]
BLUEPRINTS = REPOSITORY / "blueprints" / "automation" / "chiller_plant"
"""The folder of ours."""


def entity(hass: HomeAssistant, platform: str, key: str) -> str:
    """Return the entity id of one of the plant's own entities."""
    found = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"two_chillers.plant.{key}"
    )
    assert found is not None
    return found


def point(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> str:
    """Return the entity id of a point."""
    plant = entry.runtime_data.plant
    found = entity_of_point(hass, plant, plant.points[key])
    assert found is not None
    return found


def device(hass: HomeAssistant, entry: MockConfigEntry, equipment: str) -> str:
    """Return the device id of a piece of equipment."""
    wanted = (DOMAIN, f"two_chillers.{equipment}")
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return next(item.id for item in devices if wanted in item.identifiers)


async def get_plan(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Ask for the plan as the control engine does."""
    response = await call(hass, entry, "get_plan")
    assert response is not None
    return response


async def call(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    action: str,
    *,
    response: bool = True,
    **data: Any,
) -> dict[str, Any] | None:
    """Call one of the integration's actions for this plant."""
    answer: dict[str, Any] | None = await hass.services.async_call(
        DOMAIN,
        action,
        {"plant": entry.entry_id, **data},
        blocking=True,
        return_response=response,
    )
    return answer


def plan_changes(hass: HomeAssistant) -> list[Event]:
    """Collect the announcements of changed plans from now on."""
    return async_capture_events(hass, EVENT_PLAN_CHANGED)


def copy_blueprints(hass: HomeAssistant) -> None:
    """Put our blueprints where Home Assistant looks for them."""
    shutil.copytree(
        REPOSITORY / "blueprints",
        Path(hass.config.config_dir) / "blueprints",
        dirs_exist_ok=True,
    )


async def automate(
    hass: HomeAssistant, *automations: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Set up automations as the configuration has them."""
    assert await async_setup_component(
        hass, "automation", {"automation": list(automations)}
    )
    await hass.async_block_till_done()
    return [dict(item) for item in automations]


def from_blueprint(name: str, **inputs: Any) -> dict[str, Any]:
    """Return an automation made from one of our blueprints."""
    return {
        "id": f"{name}_1",
        "alias": name.replace("_", " "),
        "use_blueprint": {"path": f"chiller_plant/{name}.yaml", "input": inputs},
    }


def plain(name: str, entry: MockConfigEntry, **data: Any) -> dict[str, Any]:
    """Return an automation that registers without a blueprint."""
    return {
        "id": name,
        "alias": name,
        "triggers": [
            {"trigger": "chiller_plant.sync", "options": {"plant": entry.entry_id}}
        ],
        "actions": [
            {
                "action": "chiller_plant.apply_automation",
                "data": {
                    "plant": entry.entry_id,
                    "automation": "{{ this.entity_id }}",
                    "control_type": "pid_control",
                    **data,
                },
            }
        ],
    }


async def registered(
    hass: HomeAssistant, entry: MockConfigEntry, *automations: str
) -> None:
    """Wait until automations have registered by their trigger."""
    registrations = entry.runtime_data.plan.store.decisions.registrations
    await eventually(lambda: set(automations) <= set(registrations))


async def register_plain(
    hass: HomeAssistant, entry: MockConfigEntry, *automations: str
) -> None:
    """Set up automations without a blueprint, and wait until they have registered."""
    await automate(hass, *(plain(name, entry) for name in automations))
    await registered(hass, entry, *automations)


async def pass_to(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, moment: datetime
) -> None:
    """Let it become a moment (local time), and what is timed happen."""
    freezer.move_to(moment.replace(tzinfo=dt_util.get_default_time_zone()))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    # What is announced, is announced a moment later.
    freezer.tick(timedelta(seconds=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def set_up_on(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, moment: datetime, zone: str
) -> MockConfigEntry:
    """Set up an unconnected plant at a local time in a time zone."""
    await hass.config.async_set_time_zone(zone)
    freezer.move_to(moment.replace(tzinfo=dt_util.get_default_time_zone()))
    return await set_up(hass, UNCONNECTED)


async def in_all_profiles(
    hass: HomeAssistant, entry: MockConfigEntry, **priorities: int
) -> None:
    """Put automations into every profile, with these priorities."""
    for name in ALL_PROFILES:
        await call(
            hass,
            entry,
            "save_profile",
            name=name,
            automations=[
                {"automation": f"automation.{key}", "priority": priority}
                for key, priority in priorities.items()
            ],
        )
