"""What a person who searches a fault wants to see, without who and where."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant

from .const import CONF_PLANT_FILE_NAME, CONF_SOURCE
from .coordinator import DeviceStatus
from .data import ChillerPlantConfigEntry

# Addresses tell where a building's network can be entered, reasons name people.
_REDACTED = {
    "address",
    "by",
    "callback_listen",
    "callback_url",
    "client_id",
    "client_secret",
    "closed",
    "host",
    "last_failure",
    "local_address",
    "passphrase",
    "reason",
    "silent_reason",
    "token_url",
    "unit",
    "url",
    "why",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ChillerPlantConfigEntry
) -> dict[str, Any]:
    """Return the state of the links, the points and the commands."""
    data = entry.runtime_data
    coordinator = data.coordinator
    return async_redact_data(
        {
            "plant": {
                "key": data.plant.key,
                "source": entry.data[CONF_SOURCE],
                "file_name": entry.data[CONF_PLANT_FILE_NAME],
                "poll_interval": data.plant.poll_interval,
                "command_lease": data.plant.command_lease,
                "equipment": {
                    item.key: item.type.value for item in data.plant.equipment.values()
                },
            },
            "last_update_success": coordinator.last_update_success,
            "links": coordinator.links.diagnostics(),
            "silent_devices": sorted(coordinator.silent),
            "devices": {
                device: _described(coordinator.device_status(device))
                for device in coordinator.links.devices
            },
            "readings": {
                key: {
                    "value": reading.value,
                    "quality": reading.quality.value,
                    "at": reading.at,
                    "detail": reading.detail,
                }
                for key, reading in coordinator.data.readings.items()
            },
            "commands": coordinator.desk.as_dict(),
            "counters": coordinator.counters.as_dict(),
            "demand_response": data.demand_response.diagnostics(),
        },
        _REDACTED,
    )


def _described(status: DeviceStatus) -> dict[str, Any]:
    return {
        "silent_reason": status.silent_reason,
        "last_good": status.last_good,
        "points_per_second": status.points_per_second,
        "traffic": asdict(status.traffic),
        "quality": {quality.value: count for quality, count in status.quality.items()},
    }
