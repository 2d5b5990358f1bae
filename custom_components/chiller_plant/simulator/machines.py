"""Everything that stands in the plant room and around it, moved together."""

from collections.abc import Mapping

import numpy as np

from ..plant.roles import EquipmentType
from . import fleets
from .arrays import Array, Flags
from .chillers import Chillers
from .commands import Commands
from .drives import Drives, Fault, Valves
from .layout import Layout
from .meters import Meters, SheddableCircuits
from .plant_model import PlantModel
from .settings import SimulationSettings
from .weather_series import WeatherSeries

_HEAT_SOURCE = EquipmentType.HEAT_SOURCE
_CIRCUIT = EquipmentType.SHEDDABLE_CIRCUIT
_TANK = EquipmentType.THERMAL_STORAGE
_BATTERY = EquipmentType.BATTERY
_STILL = 1e-3
"""l/s below which water stands."""


type _Fleet = Chillers | Drives | Valves


class Machines:
    """The plant's model and what stands beside it."""

    def __init__(
        self,
        layout: Layout,
        settings: SimulationSettings,
        weather: WeatherSeries,
        scenarios: int,
    ) -> None:
        """Build them. Raise `SimulationError` for an unfit plant."""
        self._layout = layout
        self.model = model = PlantModel(layout, settings, weather, scenarios)
        self.boilers = fleets.boilers(layout, scenarios, model.rated_reheat)
        self.circuits = SheddableCircuits(fleets.circuit_powers(layout), scenarios)
        self.tanks = fleets.storages(layout, _TANK, scenarios)
        self.batteries = fleets.storages(layout, _BATTERY, scenarios)
        self.meters = Meters(layout, scenarios)
        self._fleets: Mapping[EquipmentType, _Fleet] = {
            EquipmentType.CHILLER: model.chillers,
            EquipmentType.PRIMARY_CHILLED_WATER_PUMP: model.primary_pumps,
            EquipmentType.SECONDARY_CHILLED_WATER_PUMP: model.secondary_pumps,
            EquipmentType.CONDENSER_WATER_PUMP: model.condenser_pumps,
            EquipmentType.COOLING_TOWER: model.towers.fans,
            EquipmentType.VALVE: model.valves,
        }

    def step(self, seconds: float, time: Array, commands: Commands) -> None:
        """Go on for `seconds` from the local times `time`."""
        model = self.model
        if self._layout.machines[_HEAT_SOURCE]:
            self.boilers.step(
                seconds,
                run=commands.is_on(_HEAT_SOURCE, "run_command"),
                setpoint=commands.number(_HEAT_SOURCE, "supply_temperature_setpoint"),
                demand=model.zones.reheat_power.sum(axis=1),
            )
            model.heating_available = self.boilers.heating_available
        if self._layout.machines[_TANK]:
            # Only water that flows takes the cold away or brings it.
            flows = (model.primary_flow > _STILL)[:, None]
            self.tanks.step(
                seconds,
                time,
                commands.number(_TANK, "discharge_power_setpoint") * flows,
                able=flows,
            )
            model.stored_cooling = self.tanks.power.sum(axis=1)
        if self._layout.machines[_BATTERY]:
            self.batteries.step(
                seconds, time, commands.number(_BATTERY, "discharge_power_setpoint")
            )
        model.step(seconds, time, commands)
        if self._layout.machines[_CIRCUIT]:
            self.circuits.step(run=commands.is_on(_CIRCUIT, "run_command"))
        if self._layout.machines[EquipmentType.METER]:
            self.meters.step(
                seconds,
                (
                    model.chillers.power,
                    model.primary_pumps.power,
                    model.secondary_pumps.power,
                    model.condenser_pumps.power,
                    model.towers.fans.power,
                    self.boilers.power,
                    self.circuits.power,
                    -self.batteries.power,
                    model.zones.fan_power,
                ),
                model.chillers.cooling,
                model.cooling_load,
            )

    def faults_of(self, equipment: str) -> tuple[Fault, ...]:
        """Return the faults that a machine can have: none, for most that stand still."""
        item = self._layout.plant.equipment.get(equipment)
        fleet = self._fleets.get(item.type) if item is not None else None
        return fleet.FAULTS if fleet is not None else ()

    def fault(self, scenario: int | slice, equipment: str, fault: Fault) -> None:
        """Give a machine a fault. Raise `KeyError` for one that cannot have it."""
        if fault not in self.faults_of(equipment):
            raise KeyError(equipment)
        kind = self._layout.plant.equipment[equipment].type
        fleet = self._fleets[kind]
        fleet.fault[scenario, self._layout.column[equipment]] = fault

    def foul(self, scenario: int | slice, chiller: str, kelvin: float) -> None:
        """Make a condenser dirty. Raise `KeyError` for what is no chiller."""
        if chiller not in self._layout.keys(EquipmentType.CHILLER):
            raise KeyError(chiller)
        self.model.chillers.fouling[scenario, self._layout.column[chiller]] = kelvin

    def with_flag(self, name: str) -> tuple[str, ...]:
        """Return the chillers and motors of the first scenario that say `name`.

        `name` is `running` or `alarm`.
        """
        found: list[str] = []
        for kind, fleet in self._fleets.items():
            if not isinstance(fleet, Valves):
                flags: Flags = getattr(fleet, name)[0]
                keys = self._layout.keys(kind)
                found += [keys[column] for column in np.flatnonzero(flags).tolist()]
        return tuple(found)
