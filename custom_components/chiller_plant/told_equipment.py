"""Where each piece of equipment is found, as the control engine gets it.

It is nearly all of a plan: with five thousand points it takes tens of
milliseconds to write down and to tell apart from another one, and the engine
asks with every report whether the plan is still the same. So it is kept until
Home Assistant names an entity otherwise; nothing else in it ever changes.
"""

from typing import Any

from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .counters import STAGING, is_counted
from .lookup import entity_of_figure, entity_of_point
from .plant.model import Equipment, Plant, Point
from .revision import revision_of

type Told = dict[str, dict[str, Any]]


class ToldEquipment:
    """The equipment of one plant, with the entities of its points."""

    def __init__(self, hass: HomeAssistant, plant: Plant) -> None:
        """Keep nothing before `async_start`."""
        self._hass = hass
        self._plant = plant
        self._follows = False
        self._kept: tuple[Told, str] | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Keep what is told from now on; return what ends that."""
        stop_listening = self._hass.bus.async_listen(
            er.EVENT_ENTITY_REGISTRY_UPDATED, self._registry_changed
        )
        self._follows = True

        @callback
        def stop() -> None:
            stop_listening()
            self._follows = False
            self._kept = None

        return stop

    @property
    def told(self) -> Told:
        """What the engine gets, by the key of the equipment; not to be changed."""
        return self._current()[0]

    @property
    def revision(self) -> str:
        """Changes whenever anything in it does."""
        return self._current()[1]

    def point(self, point: Point) -> dict[str, Any]:
        """Return where a point is."""
        return {
            "entity_id": entity_of_point(self._hass, self._plant, point),
            "writable": point.writable,
            "boolean": point.role.quantity.is_boolean,
            "low": point.low,
            "high": point.high,
            "unit": point.role.quantity.unit,
        }

    @callback
    def _registry_changed(
        self, event: Event[er.EventEntityRegistryUpdatedData]
    ) -> None:
        # Area, icon and such are changed far more often, and are told to nobody.
        if event.data["action"] != "update" or "entity_id" in event.data["changes"]:
            self._kept = None

    def _current(self) -> tuple[Told, str]:
        if (current := self._kept) is None:
            told = {
                item.key: self._equipment(item)
                for item in self._plant.equipment.values()
            }
            current = told, revision_of(told)
            if self._follows:
                self._kept = current
        return current

    def _equipment(self, item: Equipment) -> dict[str, Any]:
        return {
            "type": item.type.value,
            "name": item.name,
            "ratings": dict(item.ratings),
            "served_by": {kind: list(keys) for kind, keys in item.served_by.items()},
            "points": {
                **{role: self.point(point) for role, point in item.points.items()},
                **self._figures(item),
            },
        }

    def _figures(self, equipment: Equipment) -> dict[str, dict[str, Any]]:
        """Return what is worked out here and decided by there, as if measured."""
        if not is_counted(equipment):
            return {}
        return {
            figure: {
                "entity_id": entity_of_figure(
                    self._hass, self._plant, equipment, figure
                ),
                "writable": False,
                "boolean": False,
                "low": 0.0,
                "high": None,
                "unit": unit,
            }
            for figure, unit in STAGING.items()
        }
