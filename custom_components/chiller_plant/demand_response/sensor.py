"""What demand response does, what is asked of the plant, and what it could give."""

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
from homeassistant.const import UnitOfPower
from homeassistant.util import dt as dt_util

from ..data import ChillerPlantData
from .entity import DemandResponseEntity, attributes_of
from .known_event import STATES
from .room import DemandResponseRoom
from .words import asked


@dataclass(frozen=True, kw_only=True)
class FigureDescription(SensorEntityDescription):
    """A figure in kW."""

    value_fn: Callable[[DemandResponseRoom], float | None]


def _attribute(name: str) -> Callable[[DemandResponseRoom], float | None]:
    def value(room: DemandResponseRoom) -> float | None:
        found = room.attributes.get(name)
        return found if isinstance(found, int | float) else None

    return value


def _requested(room: DemandResponseRoom) -> float | None:
    baseline, target = (
        _attribute("baseline_kw")(room),
        _attribute("target_kw")(room),
    )
    if target is None:
        # Nothing is asked for.
        return 0.0
    return None if baseline is None else baseline - target


_FIGURES = (
    FigureDescription(key="demand_response_requested", value_fn=_requested),
    FigureDescription(
        key="demand_response_available", value_fn=lambda room: room.available_kw
    ),
    FigureDescription(
        key="demand_response_baseline", value_fn=_attribute("baseline_kw")
    ),
    FigureDescription(key="demand_response_target", value_fn=_attribute("target_kw")),
)


def demand_response_sensors(data: ChillerPlantData) -> Iterator[SensorEntity]:
    """Yield the sensors of demand response."""
    yield StateSensor(data)
    yield NextEventSensor(data)
    for figure in _FIGURES:
        yield FigureSensor(data, figure)


class StateSensor(DemandResponseEntity, SensorEntity):
    """What demand response does now, and with which measures."""

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_options = list(STATES)
    _unrecorded_attributes = frozenset({"measures", "portfolio"})

    def __init__(self, data: ChillerPlantData) -> None:
        """Show the state."""
        super().__init__(data, "demand_response")

    @property
    @override
    def native_value(self) -> str:
        """One of `STATES`."""
        return self._room.state

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Why, what the load should be, and how far each measure is used."""
        return {
            **attributes_of(
                self._room.attributes if self._room.heard else {},
                "message",
                "baseline_kw",
                "target_kw",
                "meter_kw",
                "measures",
            ),
            "portfolio": self._room.portfolio.shown(dt_util.utcnow().timestamp()),
            "meter": self._room.meter,
            "warmest": self._room.settings.warmest,
        }


class NextEventSensor(DemandResponseEntity, SensorEntity):
    """When the event that runs or comes next begins."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP

    def __init__(self, data: ChillerPlantData) -> None:
        """Show the time."""
        super().__init__(data, "demand_response_next_event")

    @property
    @override
    def native_value(self) -> datetime | None:
        """Its begin at this site, unknown without one that is taken part in."""
        event = self._room.next_event()
        return None if event is None else dt_util.utc_from_timestamp(event.begins)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Which one it is."""
        event = self._room.next_event()
        if event is None:
            return {"event": None}
        outdoor = self._room.forecast.outdoor(event.begins, event.ends)
        ends = dt_util.as_local(dt_util.utc_from_timestamp(event.ends))
        return {
            "event": event.key,
            "utility": event.source,
            "ends": ends.isoformat(timespec="seconds"),
            "asked": asked(event.signals),
            "asked_now": event.asked_now,
            "opt": self._room.opt_of(event),
            "why": event.why,
            "test": event.test,
            "outdoor": None if outdoor is None else round(outdoor, 1),
            "forecast_trouble": self._room.forecast.trouble,
        }


class FigureSensor(DemandResponseEntity, SensorEntity):
    """One figure in kW, unknown while nobody tells."""

    entity_description: FigureDescription
    _attr_device_class = SensorDeviceClass.POWER
    _attr_native_unit_of_measurement = UnitOfPower.KILO_WATT
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_suggested_display_precision = 1

    def __init__(self, data: ChillerPlantData, figure: FigureDescription) -> None:
        """Take the figure."""
        super().__init__(data, figure.key)
        self.entity_description = figure

    @property
    @override
    def native_value(self) -> float | None:
        """The figure."""
        if not self._room.heard:
            return None
        value = self.entity_description.value_fn(self._room)
        return None if value is None else round(value, 2)
