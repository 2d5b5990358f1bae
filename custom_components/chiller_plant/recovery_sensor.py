"""What adaptive start and stop expected and what came of it, as entities.

Added when a schedule of the plant is adaptive: without one they would never show
anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfTemperature, UnitOfTime
from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .data import ChillerPlantConfigEntry, ChillerPlantData
from .plan_entity import PlanEntity
from .recoveries import SCHEDULE, START, STOP, Measured, adaptive


@dataclass(frozen=True, kw_only=True)
class RecoveryDescription(SensorEntityDescription):
    """A figure of the newest start or stop."""

    kind: str
    value_fn: Callable[[Measured], float | None]


type Value = Callable[[Measured], float | None]


def _minutes(key: str, kind: str, value: Value) -> RecoveryDescription:
    return RecoveryDescription(
        key=key,
        kind=kind,
        value_fn=value,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        suggested_display_precision=0,
    )


def _temperature(key: str, kind: str, value: Value) -> RecoveryDescription:
    return RecoveryDescription(
        key=key,
        kind=kind,
        value_fn=value,
        device_class=SensorDeviceClass.TEMPERATURE,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
    )


_FIGURES = (
    _minutes("start_minutes", START, lambda last: last.minutes),
    _minutes("start_minutes_expected", START, lambda last: last.predicted),
    _minutes("start_minutes_error", START, lambda last: last.error),
    _minutes("start_minutes_late", START, lambda last: last.late_minutes),
    _temperature("start_zone_temperature", START, lambda last: last.zone),
    _temperature("start_outdoor_temperature", START, lambda last: last.outdoor),
    _minutes("stop_minutes", STOP, lambda last: last.minutes),
    _minutes("stop_minutes_expected", STOP, lambda last: last.predicted),
    _minutes("stop_minutes_error", STOP, lambda last: last.error),
    _temperature("stop_zone_temperature", STOP, lambda last: last.zone),
    _temperature("stop_outdoor_temperature", STOP, lambda last: last.outdoor),
)


@callback
def async_follow_recoveries(
    entry: ChillerPlantConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors as soon as a schedule is adaptive."""
    data = entry.runtime_data
    room = data.plan
    added = False

    @callback
    def follow() -> None:
        nonlocal added
        if added or not any(
            item.control_type == SCHEDULE and adaptive(item.config)
            for item in room.store.decisions.registrations.values()
        ):
            return
        added = True
        async_add_entities(RecoverySensor(data, figure) for figure in _FIGURES)

    follow()
    entry.async_on_unload(
        async_dispatcher_connect(room.hass, room.signal("plan"), follow)
    )


class RecoverySensor(PlanEntity, SensorEntity):
    """A figure of the newest start or stop that was learnt from."""

    entity_description: RecoveryDescription
    _signals = ("recoveries",)
    _attr_state_class = SensorStateClass.MEASUREMENT

    def __init__(self, data: ChillerPlantData, figure: RecoveryDescription) -> None:
        """Take the figure."""
        super().__init__(data, figure.key)
        self.entity_description = figure

    @property
    def _last(self) -> Measured | None:
        return self._room.recoveries.last(self.entity_description.kind)

    @property
    @override
    def native_value(self) -> float | None:
        """The newest, unknown until there is one."""
        last = self._last
        return None if last is None else self.entity_description.value_fn(last)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """What it was measured with."""
        last = self._last
        if last is None:
            return {}
        return {
            "measured_at": dt_util.utc_from_timestamp(last.at).isoformat(),
            "zone_temperature": last.zone,
            "target_temperature": last.setpoint,
            "outdoor_temperature": last.outdoor,
            "off_hours": last.off_hours,
            "reached": last.reached,
            "recoveries": self._room.recoveries.count(last.kind),
        }
