"""What each automation is doing, as the control engine reports it."""

from dataclasses import asdict
from typing import Any, override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .data import ChillerPlantConfigEntry, ChillerPlantData
from .plan_entity import PlanEntity
from .profile_store import Registration
from .refusals import REFUSED

NOT_IN_PLAN = "not_in_plan"


@callback
def async_follow_automations(
    entry: ChillerPlantConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a sensor for each automation that registers, drop it when that is gone."""
    data = entry.runtime_data
    room = data.plan
    known: set[str] = set()

    @callback
    def follow() -> None:
        registrations = room.store.decisions.registrations
        async_add_entities(
            AutomationSensor(data, item)
            for key, item in registrations.items()
            if key not in known
        )
        registry = er.async_get(room.hass)
        for gone in known - set(registrations):
            entity_id = registry.async_get_entity_id(
                "sensor", DOMAIN, _unique_id(data, gone)
            )
            if entity_id is not None:
                registry.async_remove(entity_id)
        known.clear()
        known.update(registrations)

    follow()
    entry.async_on_unload(
        async_dispatcher_connect(room.hass, room.signal("plan"), follow)
    )


def _unique_id(data: ChillerPlantData, automation_id: str) -> str:
    return f"{data.plant.key}.plant.automation.{automation_id}"


class AutomationSensor(PlanEntity, SensorEntity):
    """The state of one automation; nothing while the engine is not heard."""

    _signals = ("plan", "reports", "engine")
    # What the engine needs to go on after a restart is not history.
    _unrecorded_attributes = frozenset({"resume"})

    def __init__(self, data: ChillerPlantData, item: Registration) -> None:
        """Take the automation's name."""
        super().__init__(data, "automation")
        self._attr_unique_id = _unique_id(data, item.id)
        self._attr_translation_placeholders = {"automation": item.name}
        self._id = item.id
        self._control_type = item.control_type

    @property
    @override
    def available(self) -> bool:
        """Whether somebody is there to say what the automation does."""
        return self._room.engine.alive or not self._room.is_planned(self._id)

    @property
    @override
    def native_value(self) -> str | None:
        """As reported; what is refused says so also on days on which it would not run."""
        if self._refused:
            return REFUSED
        if not self._room.is_planned(self._id):
            return NOT_IN_PLAN
        report = self._room.store.reports.get(self._id)
        return None if report is None else report.state

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """As reported, and what it was made from."""
        attributes: dict[str, Any] = {"control_type": self._control_type}
        if refused := self._refused:
            problems = self._room.refusals.of(self._id)
            return {
                "message": refused,
                "problems": [asdict(problem) for problem in problems],
                **attributes,
            }
        report = self._room.store.reports.get(self._id)
        if report is not None and self._room.is_planned(self._id):
            attributes = {**report.attributes, **attributes}
        return attributes

    @property
    def _refused(self) -> str:
        """Why its form cannot be carried out."""
        problems = self._room.refusals.of(self._id)
        item = self._room.store.decisions.registrations.get(self._id)
        known = "" if item is None else item.refused
        return "; ".join(str(problem) for problem in problems) or known

    @callback
    @override
    def _told(self, *named: object) -> None:
        if not named or named == (self._id,):
            super()._told()
