"""What stands beside the plant and is counted: meters, circuits that can be shed."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from ..plant.roles import EquipmentType
from .arrays import Array, Flags
from .layout import Layout

_POWERED = (
    EquipmentType.CHILLER,
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
    EquipmentType.CONDENSER_WATER_PUMP,
    EquipmentType.COOLING_TOWER,
    EquipmentType.HEAT_SOURCE,
    EquipmentType.SHEDDABLE_CIRCUIT,
    EquipmentType.BATTERY,
    EquipmentType.ZONE,
)
_OF_THE_PLANT = _POWERED[:5]
_SECONDS_AN_HOUR = 3600.0


class SheddableCircuits:
    """Loads that are on or off."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {"running": "bool", "power": "kW"}
    ACTIONS: ClassVar[Mapping[str, str]] = {"run": "bool"}

    def __init__(self, rated_power: Array, scenarios: int) -> None:
        """Take the electrical powers in kW."""
        self._rated_power = rated_power
        self.running: Flags = np.zeros((scenarios, len(rated_power)), dtype=np.bool_)

    @property
    def power(self) -> Array:
        """Electrical power, kW."""
        return self.running * self._rated_power

    def step(self, *, run: Flags) -> None:
        """Switch."""
        self.running = run


class Meters:
    """Count what they measure; kW and kWh."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        "power": "kW",
        "energy": "kWh",
        "cooling_power": "kW",
        "cooling_energy": "kWh",
    }

    def __init__(self, layout: Layout, scenarios: int) -> None:
        """Find out what each meter measures, and begin at zero."""
        items = layout.machines[EquipmentType.METER]
        machines = [item.key for kind in _POWERED for item in layout.machines[kind]]
        chillers = layout.keys(EquipmentType.CHILLER)
        plant = {item.key for kind in _OF_THE_PLANT for item in layout.machines[kind]}
        self._electrical = np.zeros((len(machines), len(items)))
        self._cooling = np.zeros((len(chillers) + 1, len(items)))
        for column, item in enumerate(items):
            for key in item.measures:
                if layout.plant.equipment[key].type is EquipmentType.PLANT:
                    self._electrical[
                        [machine in plant for machine in machines], column
                    ] += 1.0
                    self._cooling[-1, column] += 1.0
                elif key in machines:
                    self._electrical[machines.index(key), column] += 1.0
                if key in chillers:
                    self._cooling[chillers.index(key), column] += 1.0
        shape = (scenarios, len(items))
        self.power: Array = np.zeros(shape)
        self.cooling_power: Array = np.zeros(shape)
        self.energy: Array = np.zeros(shape)
        self.cooling_energy: Array = np.zeros(shape)

    def step(
        self,
        seconds: float,
        powers: tuple[Array, ...],
        chiller_cooling: Array,
        cooling_load: Array,
    ) -> None:
        """Take the electrical powers of all fleets, and both coolings, in kW.

        Fleets in the order chillers, primary, secondary and condenser pumps,
        towers, heat sources, circuits, batteries (below 0 while they give), zones'
        air handlers.
        """
        self.power = np.concatenate(powers, axis=1) @ self._electrical
        self.cooling_power = (
            chiller_cooling @ self._cooling[:-1]
            + cooling_load[:, np.newaxis] * self._cooling[-1]
        )
        hours = seconds / _SECONDS_AN_HOUR
        self.energy += self.power * hours
        self.cooling_energy += self.cooling_power * hours
