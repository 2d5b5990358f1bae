"""The whole plant, put together from a plant file and moved through time."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from ..plant.roles import EquipmentType
from . import fleets
from .arrays import Array, Flags
from .chillers import Chillers
from .commands import Commands
from .drives import Pumps, Valves
from .gains import load_share, weather_factor
from .headers import MinimumFlowBypass
from .layout import Layout
from .networks import Distribution
from .pipes import Pipe, decouple, mix
from .settings import SimulationSettings
from .towers import CoolingTowers
from .water import HEAT_CAPACITY
from .weather_series import Air, WeatherSeries
from .zones import Zones

_STARTING_WATER = 14.0
_STARTING_APPROACH = 4.0
_LITRES_A_KILOWATT = 5.0
_SECONDS_AN_HOUR = 3600.0
_INSTANT = 1e-3
"""Seconds; a shorter step moves nothing."""

CHILLER = EquipmentType.CHILLER
PRIMARY_PUMP = EquipmentType.PRIMARY_CHILLED_WATER_PUMP
SECONDARY_PUMP = EquipmentType.SECONDARY_CHILLED_WATER_PUMP
CONDENSER_PUMP = EquipmentType.CONDENSER_WATER_PUMP
TOWER = EquipmentType.COOLING_TOWER
VALVE = EquipmentType.VALVE
ZONE = EquipmentType.ZONE

COMPONENTS = (
    "chillers",
    "primary_pumps",
    "secondary_pumps",
    "condenser_pumps",
    "towers",
)
"""What takes electrical power."""

_POWERED = (CHILLER, PRIMARY_PUMP, SECONDARY_PUMP, CONDENSER_PUMP, TOWER)


class PlantModel:
    """Every machine and the water between them, in each scenario.

    Primary-secondary with a decoupler: each chiller has its branch, the zones
    hang on one or several secondary mains, all cells share one basin.
    """

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        "supply_temperature": "°C",
        "return_temperature": "°C",
        "primary_return_temperature": "°C",
        "primary_flow": "l/s",
        "secondary_flow": "l/s",
        "lowest_differential_pressure": "kPa",
        "zone_differential_pressure": "kPa",
        "condenser_supply_temperature": "°C",
        "condenser_return_temperature": "°C",
        "condenser_flow": "l/s",
        "chilled_water_flow": "l/s",
        "condenser_water_flow": "l/s",
        "cooling_load": "kW",
        "power": "kW",
        "remote": "bool",
        "never": "bool",
    }

    def __init__(
        self,
        layout: Layout,
        settings: SimulationSettings,
        weather: WeatherSeries,
        scenarios: int,
    ) -> None:
        """Build the machines. Raise `SimulationError` for nonsense on a plate."""
        self._layout = layout
        self._settings = settings
        self.weather = weather
        self.fixed_weather: WeatherSeries | None = None
        """What is outside in place of the weather."""
        self.fixed_load: float | None = None
        """Share of the rated load of every zone, in place of the profile."""
        self.outdoor: Air = weather.at(np.zeros(scenarios))
        warm = float(weather.mean.wet_bulb[0]) + _STARTING_APPROACH
        cold = _STARTING_WATER
        self.remote: Flags = np.ones(scenarios, dtype=np.bool_)
        self.never: Flags = np.zeros(scenarios, dtype=np.bool_)
        ratings = fleets.chiller_ratings(layout, settings)
        self.rated_cooling: Array = np.array([rating.capacity for rating in ratings])
        """kW of each chiller."""
        self.rated_efficiency: Array = np.array(
            [rating.coefficient_of_performance for rating in ratings]
        )
        """Coefficient of performance of each chiller at its rating."""
        self.valves = Valves(len(layout.machines[VALVE]), scenarios)
        self.chillers = Chillers(ratings, scenarios, cold, warm)
        self.primary_pumps = fleets.pumps(layout, PRIMARY_PUMP, scenarios)
        self.secondary_pumps = fleets.pumps(layout, SECONDARY_PUMP, scenarios)
        self.condenser_pumps = fleets.pumps(layout, CONDENSER_PUMP, scenarios)
        self.towers = fleets.towers(layout, scenarios, warm)
        self._drives: Mapping[EquipmentType, Pumps | CoolingTowers] = {
            PRIMARY_PUMP: self.primary_pumps,
            SECONDARY_PUMP: self.secondary_pumps,
            CONDENSER_PUMP: self.condenser_pumps,
            TOWER: self.towers,
        }
        self.chilled_circuit = fleets.chilled_circuit(
            layout, ratings, self.primary_pumps
        )
        self.condenser_circuit = fleets.condenser_circuit(
            layout, ratings, self.condenser_pumps
        )
        specs = fleets.zone_specs(layout)
        mains = layout.distribution
        least = settings.secondary_minimum_flow
        self.bypass = (
            MinimumFlowBypass(np.full(mains.count, least), scenarios) if least else None
        )
        """At the far end of each secondary main, where there is one."""
        self.distribution = Distribution(
            self.secondary_pumps,
            mains.pump_index,
            Zones(specs, 1, 1.0).design_flow,
            self.bypass,
            pump_group=mains.pump_group,
            zone_group=mains.user_group,
        )
        self.zones = Zones(specs, scenarios, self.distribution.remote_pressure)
        self._zone_group = np.array(mains.user_group, dtype=np.intp)
        self.rated_reheat = sum(spec.reheat for spec in specs)
        """Heat that the zones' VAV boxes can take, kW."""
        litres = _LITRES_A_KILOWATT * sum(rating.capacity for rating in ratings)

        volume = settings.chilled_water_volume or litres
        self.primary_supply = Pipe(0.15 * volume, cold, scenarios)
        self.supply = Pipe(0.30 * volume, cold, scenarios, nodes=3)
        self.return_main = Pipe(0.30 * volume, cold, scenarios, nodes=3)
        self.primary_return = Pipe(0.25 * volume, cold, scenarios)
        volume = settings.condenser_water_volume or litres
        self.condenser_supply = Pipe(0.20 * volume, warm, scenarios)
        self.condenser_return = Pipe(0.20 * volume, warm, scenarios)
        self.basin = Pipe(0.60 * volume, warm, scenarios)

        # A loop has to begin somewhere: what is drawn from its last pipe before
        # that pipe moves on differs from what leaves it. kJ, given back in the
        # step after it, so that no step makes or loses heat.
        self._chilled_water_owed: Array = np.zeros(scenarios)
        self._condenser_water_owed: Array = np.zeros(scenarios)
        self.stored_cooling: Array | float = 0.0
        """Cold that a storage gives the water before the chillers, kW."""
        self.heating_available: Array | float = 1.0
        """Share of the reheat that the boilers can give."""
        self.primary_flow: Array = np.zeros(scenarios)
        self.condenser_flow: Array = np.zeros(scenarios)
        self.cooling_load: Array = np.zeros(scenarios)
        """Heat that the secondary water brings back, kW."""
        counts = [len(layout.machines[kind]) for kind in _POWERED]
        self._first = np.cumsum([0, *counts[:-1]])
        self._powers: Array = np.zeros((scenarios, sum(counts)))
        self._power: Array = np.zeros((scenarios, len(COMPONENTS)))
        self._energy: Array = np.zeros((scenarios, len(COMPONENTS)))
        self.cooling_energy: Array = np.zeros(scenarios)
        """kWh of heat that the secondary water brought back."""
        self.water_used: Array = np.zeros(scenarios)
        """Litres that the towers took."""
        self.clipped_seconds: Mapping[str, Array] = {
            name: np.zeros(scenarios) for name in ("chillers", "towers")
        }
        """Seconds in which a machine left the range of its published curves."""

    # --- what can be observed

    @property
    def chilled_water_flow(self) -> Array:
        """Through each chiller's evaporator, l/s."""
        return self.chilled_circuit.flows

    @property
    def condenser_water_flow(self) -> Array:
        """Through each chiller's condenser, l/s."""
        return self.condenser_circuit.flows

    @property
    def secondary_flow(self) -> Array:
        """Through all zones, l/s."""
        return self.distribution.flow

    @property
    def supply_temperature(self) -> Array:
        """Chilled water behind the decoupler, °C."""
        return self.supply.inlet_temperature

    @property
    def return_temperature(self) -> Array:
        """Chilled water from the zones, °C."""
        return self.return_main.outlet_temperature

    @property
    def primary_return_temperature(self) -> Array:
        """Chilled water that enters the chillers, °C."""
        return self.primary_return.outlet_temperature

    @property
    def condenser_supply_temperature(self) -> Array:
        """Condenser water that enters the chillers, °C."""
        return self.condenser_supply.outlet_temperature

    @property
    def condenser_return_temperature(self) -> Array:
        """Condenser water that enters the towers, °C."""
        return self.condenser_return.outlet_temperature

    @property
    def zone_differential_pressure(self) -> Array:
        """Pressure across the branches of each zone's main, kPa."""
        return self.distribution.differential_pressure[:, self._zone_group]

    @property
    def lowest_differential_pressure(self) -> Array:
        """Pressure at the main that has least, kPa."""
        lowest: Array = self.distribution.differential_pressure.min(axis=1)
        return lowest

    @property
    def chilled_water_heat(self) -> Array:
        """Heat that all chilled water outside the chillers holds above 0 °C, kJ."""
        pipes = (self.primary_supply, self.supply, self.return_main)
        held: Array = np.add.reduce([pipe.heat for pipe in pipes])
        return held + self.primary_return.heat - self._chilled_water_owed

    @property
    def condenser_water_heat(self) -> Array:
        """The same of all condenser water, kJ."""
        held = self.condenser_supply.heat + self.condenser_return.heat
        return held + self.basin.heat - self._condenser_water_owed

    @property
    def power(self) -> Array:
        """Electrical power of the whole plant, kW."""
        total: Array = self._power.sum(axis=1)
        return total

    @property
    def power_by_component(self) -> Mapping[str, Array]:
        """Electrical power, kW."""
        return dict(zip(COMPONENTS, self._power.T, strict=True))

    @property
    def energy(self) -> Mapping[str, Array]:
        """Electricity since the beginning, kWh."""
        return dict(zip(COMPONENTS, self._energy.T, strict=True))

    def load_share(self, time: Array) -> tuple[Array, Array]:
        """Return the share of rated load and the factor for the weather.

        A fixed load is exactly that share, whatever the weather.
        """
        if self.fixed_load is not None:
            return np.full_like(time, self.fixed_load), np.ones_like(time)
        return (
            load_share(self._settings.load_profile, time),
            weather_factor(self.outdoor, self.weather.mean),
        )

    # --- time

    def settle(self, commands: Commands) -> None:
        """Begin with every motor and valve where its command has it."""
        self.valves.settle(self._valve_positions(commands))
        for kind, drives in self._drives.items():
            drives.settle(commands.is_on(kind, "run_command"), _speed(commands, kind))

    def _valve_positions(self, commands: Commands) -> Array:
        """Return positions; a valve that has only a position command follows it."""
        return np.where(
            commands.modulating,
            0.01 * commands.number(VALVE, "position_command"),
            commands.number(VALVE, "open_command"),
        )

    def step(self, seconds: float, time: Array, commands: Commands) -> None:
        """Go on for `seconds` (at most 15) from the local times `time`."""
        self.outdoor = (self.fixed_weather or self.weather).at(time)
        if self.valves.position.size:
            self.valves.step(seconds, position=self._valve_positions(commands))
        for kind, drives in self._drives.items():
            drives.step(
                seconds,
                run=commands.is_on(kind, "run_command"),
                speed=_speed(commands, kind),
            )
        self.distribution.step(seconds)
        self._solve_flows()
        self.condenser_supply.step(
            seconds, self.condenser_flow, self.basin.outlet_temperature
        )
        self._step_chillers(seconds, commands)
        self._step_chilled_water(seconds, time, commands)
        self._step_condenser_water(seconds)
        self._count(seconds)

    def _solve_flows(self) -> None:
        positions = self.valves.position
        self.chilled_circuit.solve(
            self._layout.chilled_water_valves.positions(positions)
        )
        self.condenser_circuit.solve(
            self._layout.condenser_water_valves.positions(positions)
        )
        self.primary_flow = self.chilled_circuit.flow
        self.condenser_flow = self.condenser_circuit.flow
        self.distribution.solve(self.zones.conductance)

    def _step_chillers(self, seconds: float, commands: Commands) -> None:
        self.chillers.step(
            seconds,
            run=commands.is_on(CHILLER, "run_command"),
            setpoint=commands.number(
                CHILLER, "chilled_water_supply_temperature_setpoint"
            ),
            demand_limit=0.01 * commands.number(CHILLER, "demand_limit"),
            chilled_water_flow=self.chilled_circuit.flows,
            chilled_water_entering=self.primary_return.outlet_temperature[:, None],
            condenser_water_flow=self.condenser_circuit.flows,
            condenser_water_entering=self.condenser_supply.outlet_temperature[:, None],
        )

    def _step_chilled_water(
        self, seconds: float, time: Array, commands: Commands
    ) -> None:
        """Chillers to zones and back, in the order in which the water goes.

        So every pipe hands on what its own balance says has left it.
        """
        primary, secondary = self.primary_flow, self.distribution.flow
        leaving = mix(
            self.chilled_circuit.flows,
            self.chillers.supply_temperature,
            self.primary_supply.outlet_temperature,
        )
        self.primary_supply.step(seconds, primary, leaving)
        cold = self.primary_supply.outlet_temperature
        drawn = self.return_main.outlet_temperature.copy()
        supply, _ = decouple(primary, cold, secondary, drawn)
        self.supply.step(seconds, secondary, supply, self.distribution.heating)
        self._step_zones(seconds, time, commands)
        self.return_main.step(seconds, secondary, self._gathered())
        warm = self.return_main.outlet_temperature
        _, returned = decouple(primary, cold, secondary, warm)
        entered = self.primary_return.outlet_temperature.copy()
        self.primary_return.step(
            seconds,
            primary,
            returned,
            self.chilled_circuit.heating
            - self.stored_cooling
            - self._chilled_water_owed / max(seconds, _INSTANT),
        )
        backwards = np.maximum(secondary - primary, 0.0)
        self._chilled_water_owed = (seconds * HEAT_CAPACITY) * (
            primary * (entered - self.primary_return.outlet_temperature)
            + backwards * (drawn - warm)
        )
        self.cooling_load = (
            secondary * HEAT_CAPACITY * (warm - self.supply.inlet_temperature)
        )

    def _gathered(self) -> Array:
        """Return the water that comes from all zones and past them, °C."""
        flows, temperatures = self.distribution.flows, self.zones.return_temperature
        if self.bypass is not None:
            past = self.bypass.flow
            untouched = np.broadcast_to(
                self.supply.outlet_temperature[:, None], past.shape
            )
            flows = np.concatenate((flows, past), axis=1)
            temperatures = np.concatenate((temperatures, untouched), axis=1)
        return mix(flows, temperatures, self.return_main.inlet_temperature)

    def _step_zones(self, seconds: float, time: Array, commands: Commands) -> None:
        share, factor = self.load_share(time)
        self.zones.step(
            seconds,
            time=time,
            setpoint=commands.number(ZONE, "temperature_setpoint"),
            occupied=commands.is_on(ZONE, "occupied_command"),
            load_share=share,
            weather_factor=factor,
            air=self.outdoor,
            water_flow=self.distribution.flows,
            water_entering=self.supply.outlet_temperature,
            fixed=self.fixed_load is not None,
            heating_available=self.heating_available,
        )

    def _step_condenser_water(self, seconds: float) -> None:
        flow = self.condenser_flow
        leaving = mix(
            self.condenser_circuit.flows,
            self.chillers.condenser_leaving_temperature,
            self.condenser_return.outlet_temperature,
        )
        self.condenser_return.step(
            seconds, flow, leaving, self.condenser_circuit.heating
        )
        through = self.towers.share_out(flow)
        self.towers.cool(
            through, self.condenser_return.outlet_temperature, self.outdoor.wet_bulb
        )
        cooled = mix(
            through, self.towers.leaving_temperature, self.basin.outlet_temperature
        )
        drawn = self.basin.outlet_temperature.copy()
        self.basin.step(
            seconds, flow, cooled, -self._condenser_water_owed / max(seconds, _INSTANT)
        )
        self._condenser_water_owed = (
            seconds * HEAT_CAPACITY * flow * (drawn - self.basin.outlet_temperature)
        )

    def _count(self, seconds: float) -> None:
        hours = seconds / _SECONDS_AN_HOUR
        fleets_power = (
            self.chillers.power,
            self.primary_pumps.power,
            self.secondary_pumps.power,
            self.condenser_pumps.power,
            self.towers.power,
        )
        np.concatenate(fleets_power, axis=1, out=self._powers)
        self._power = np.add.reduceat(self._powers, self._first, axis=1)
        self._energy += self._power * hours
        self.cooling_energy += self.cooling_load * hours
        for name, fleet in (("chillers", self.chillers), ("towers", self.towers)):
            self.clipped_seconds[name][fleet.clipped.any(axis=1)] += seconds
        self.water_used += self.towers.water_use.sum(axis=1) * seconds


def _speed(commands: Commands, kind: EquipmentType) -> Array:
    return 0.01 * commands.number(kind, "speed_command")
