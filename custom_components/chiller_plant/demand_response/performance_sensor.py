"""What came of the newest event, as entities.

The energy is a total that begins anew with each event: its long-term statistics
add up what all events saved. They take the first value for where it begins, so that it
is 0 before there was any.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, UnitOfEnergy, UnitOfPower
from homeassistant.util import dt as dt_util

from ..data import ChillerPlantData
from ..plant.demand_response.record import EventRecord
from .entity import DemandResponseEntity

_SHOWN = (
    "event",
    "name",
    "source",
    "begins",
    "ends",
    "opt",
    "test",
    "baseline_kw",
    "requested_kw",
    "target_kw",
    "actual_kw",
    "achieved_kw",
    "shed_percent",
    "energy_kwh",
    "method",
    "confidence",
    "eligible",
    "samples",
    "covered",
    "why",
)


@dataclass(frozen=True, kw_only=True)
class PerformanceDescription(SensorEntityDescription):
    """A figure of the newest event."""

    value_fn: Callable[[EventRecord], float | None]
    before: float | None = None
    """What it is until there was an event."""


_FIGURES = (
    PerformanceDescription(
        key="demand_response_achieved",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        suggested_display_precision=1,
        value_fn=lambda record: record.achieved_kw,
    ),
    PerformanceDescription(
        key="demand_response_shed",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=lambda record: record.shed_percent,
    ),
    PerformanceDescription(
        key="demand_response_energy",
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=1,
        value_fn=lambda record: record.energy_kwh,
        before=0.0,
    ),
)


def performance_sensors(data: ChillerPlantData) -> Iterator[SensorEntity]:
    """Yield the sensors of the newest event."""
    for figure in _FIGURES:
        yield PerformanceSensor(data, figure)


class PerformanceSensor(DemandResponseEntity, SensorEntity):
    """A figure of the newest event that is over."""

    entity_description: PerformanceDescription

    def __init__(self, data: ChillerPlantData, figure: PerformanceDescription) -> None:
        """Take the figure."""
        super().__init__(data, figure.key)
        self.entity_description = figure

    @property
    def _latest(self) -> EventRecord | None:
        return self._room.settlement.store.latest

    @property
    @override
    def native_value(self) -> float | None:
        """The figure of the newest event."""
        latest = self._latest
        if latest is None:
            known = self._room.settlement.store.read
            return self.entity_description.before if known else None
        return self.entity_description.value_fn(latest)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """When the event began that the energy is of."""
        latest = self._latest
        if latest is None or self.state_class is None:
            return None
        return dt_util.utc_from_timestamp(latest.begins)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """The whole event."""
        latest = self._latest
        if latest is None:
            return {}
        told = latest.told()
        return {name: told[name] for name in _SHOWN}
