"""Whether each utility's server is reached."""

from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.const import EntityCategory
from homeassistant.util import dt as dt_util

from ..data import ChillerPlantData
from .entity import DemandResponseEntity, utility_device_info
from .settings import Connection

REGISTERED = "registered"


class ConnectionSensor(DemandResponseEntity, BinarySensorEntity):
    """The connection to one utility."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset({"heard"})

    def __init__(self, data: ChillerPlantData, connection: Connection) -> None:
        """Show one connection."""
        super().__init__(data, "utility")
        self._id = connection.id
        self._attr_unique_id = f"{data.plant.key}.utility.{connection.id}"
        self._attr_device_info = utility_device_info(data, connection)

    @property
    def _health(self) -> dict[str, Any]:
        return (
            self._room.connection_health.get(self._id, {}) if self._room.heard else {}
        )

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether we are registered there; unknown while the engine is silent."""
        stands = self._health.get("stands")
        return None if stands is None else stands == REGISTERED

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """How the connection stands, and why."""
        health = self._health
        return {
            "stands": health.get("stands"),
            "why": health.get("why"),
            "since": _time(health.get("since")),
            "heard": _time(health.get("heard")),
            "registrations": health.get("registrations"),
            "clock_difference": health.get("skew"),
            "reports_waiting": health.get("waiting"),
            "reports_dropped": health.get("dropped"),
        }


def _time(moment: float | None) -> str | None:
    if not moment:
        return None
    local = dt_util.as_local(dt_util.utc_from_timestamp(moment))
    return local.isoformat(timespec="seconds")
