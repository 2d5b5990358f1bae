"""What all plants of a portfolio take and could shed together, as entities.

The control engine reads them too: they are what the utility is told while a plant
leads others. Each says whom its sum holds, and whom it does not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfPower

from ..data import ChillerPlantData
from ..plant.demand_response.portfolio_sum import Total
from .entity import DemandResponseEntity
from .portfolio import FIGURES
from .portfolio_lead import Sums


@dataclass(frozen=True, kw_only=True)
class SumDescription(SensorEntityDescription):
    """A sum in kW."""

    total_fn: Callable[[Sums], Total]


_SUMS = (
    SumDescription(key=FIGURES["power"], total_fn=lambda sums: sums.load),
    SumDescription(key=FIGURES["baseline"], total_fn=lambda sums: sums.baseline),
    SumDescription(key=FIGURES["available"], total_fn=lambda sums: sums.more),
)


def portfolio_sensors(data: ChillerPlantData) -> Iterator[SensorEntity]:
    """Yield the sensors of a portfolio that is led here."""
    for item in _SUMS:
        yield SumSensor(data, item)


class SumSensor(DemandResponseEntity, SensorEntity):
    """One sum, unknown while nothing of it is known."""

    entity_description: SumDescription
    _attr_device_class = SensorDeviceClass.POWER
    _attr_native_unit_of_measurement = UnitOfPower.KILO_WATT
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_suggested_display_precision = 1

    def __init__(self, data: ChillerPlantData, item: SumDescription) -> None:
        """Take the sum."""
        super().__init__(data, item.key)
        self.entity_description = item

    @property
    def _total(self) -> Total:
        return self.entity_description.total_fn(self._room.portfolio.lead.sums)

    @property
    @override
    def native_value(self) -> float | None:
        """The sum."""
        kw = self._total.kw
        return None if kw is None else round(kw, 2)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Whom it holds, whom it does not and why, and what all of them shed."""
        total = self._total
        return {
            "plants": list(total.plants),
            "left_out": dict(total.left_out),
            "used_kw": self._room.portfolio.lead.sums.used_kw,
        }
