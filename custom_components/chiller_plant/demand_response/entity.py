"""What the entities of demand response share.

They are there as soon as somebody has to do with demand response, without a
restart of the plant, and gone when nobody has any more.
"""

from collections.abc import Callable, Iterable
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..const import DOMAIN
from ..data import ChillerPlantConfigEntry, ChillerPlantData
from ..entity import plant_device_info
from ..plant.model import Plant
from .room import DemandResponseRoom
from .settings import Connection


def utility_identifier(plant: Plant, connection_id: str) -> tuple[str, str]:
    """Return what the device of a connection to a utility is known by."""
    return (DOMAIN, f"{plant.key}.utility.{connection_id}")


def utility_device_info(data: ChillerPlantData, connection: Connection) -> DeviceInfo:
    """Return the device of a connection to a utility."""
    return DeviceInfo(
        identifiers={utility_identifier(data.plant, connection.id)},
        name=connection.name,
        model=f"OpenADR {connection.protocol}",
        via_device_id=data.plant_device_id,
    )


class DemandResponseEntity(Entity):
    """An entity of the plant's device that shows what the room knows."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, data: ChillerPlantData, key: str) -> None:
        """`key` tells it apart from the plant's other entities."""
        self._room = data.demand_response
        self._attr_translation_key = key
        self._attr_unique_id = f"{data.plant.key}.plant.{key}"
        self._attr_device_info = plant_device_info(data.plant)
        self._shown: object = None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the room."""
        self._shown = self._shows()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, self._room.signal, self._told)
        )

    def _shows(self) -> object:
        """Return what it shows, to be compared."""
        return (
            self.available,
            getattr(self, "native_value", None),
            getattr(self, "is_on", None),
            self.extra_state_attributes,
        )

    @callback
    def _told(self, *_: object) -> None:
        # The engine tells every few seconds what mostly did not change.
        if (shows := self._shows()) != self._shown:
            self._shown = shows
            self.async_write_ha_state()


@callback
def async_follow_demand_response(
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[ChillerPlantData], Iterable[Entity]],
    wanted: Callable[[DemandResponseRoom], bool] = lambda room: room.used,
) -> None:
    """Add entities while they are wanted: the plant has to do with demand response."""
    data = entry.runtime_data
    room = data.demand_response
    there: list[Entity] = []

    @callback
    def follow() -> None:
        if wanted(room) and not there:
            there.extend(make(data))
            async_add_entities(there)
        elif there and not wanted(room):
            registry = er.async_get(room.hass)
            for entity in there:
                if entity.registry_entry is not None:
                    registry.async_remove(entity.entity_id)
            there.clear()

    follow()
    entry.async_on_unload(async_dispatcher_connect(room.hass, room.signal, follow))


@callback
def async_follow_connections(
    entry: ChillerPlantConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[ChillerPlantData, Connection], Entity],
) -> None:
    """Add an entity for each connection to a utility; Home Assistant removes it."""
    data = entry.runtime_data
    room = data.demand_response
    there: set[str] = set()

    @callback
    def follow() -> None:
        current = {connection.id for connection in room.connections}
        there.intersection_update(current)
        for connection in room.connections:
            if connection.id not in there:
                there.add(connection.id)
                async_add_entities(
                    [make(data, connection)], config_subentry_id=connection.id
                )

    follow()
    entry.async_on_unload(async_dispatcher_connect(room.hass, room.signal, follow))


def attributes_of(source: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return some attributes, None for those that are not told."""
    return {name: source.get(name) for name in names}
