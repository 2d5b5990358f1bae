"""The whole plant, put together from a plant file and moved through time."""

from collections.abc import Callable
from typing import Protocol

from ..plant.model import Equipment, Plant
from ..plant.roles import EquipmentType
from .chiller import Chiller
from .chiller_curves import ChillerRating
from .circuits import (
    Branch,
    Distribution,
    circuits_of,
    is_condenser_valve,
    remote_pressure,
)
from .drive import Pump, Valve
from .hydraulics import PumpCurve
from .settings import SimulationError, SimulationSettings, rating
from .tower import TowerCell
from .water import HEAT_CAPACITY, Pipe, decouple, mix
from .weather import OutdoorAir, Weather
from .zone import REFERENCE_TEMPERATURE, Zone

TOWER_STATIC_HEAD = 35.0
"""kPa that the condenser pumps lift the water to the tower's basins."""

_STARTING_WATER = 14.0
_STARTING_APPROACH = 4.0
_SPILL = 0.05

_NEEDED = (
    EquipmentType.CHILLER,
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
    EquipmentType.CONDENSER_WATER_PUMP,
    EquipmentType.COOLING_TOWER,
    EquipmentType.ZONE,
)


class Commands(Protocol):
    """What every machine is told at this moment."""

    def is_on(self, equipment: str, role: str) -> bool:
        """Return a true/false command."""

    def number(self, equipment: str, role: str) -> float:
        """Return a command in the unit of its role."""


class PlantModel:
    """Every machine and the water between them.

    Primary-secondary with a decoupler: each chiller has its branch, the
    zones hang on the secondary main, all cells share one basin.
    """

    def __init__(
        self, plant: Plant, settings: SimulationSettings, weather: Weather
    ) -> None:
        """Build the machines. Raise `SimulationError` for a missing kind."""
        for needed in _NEEDED:
            if not plant.of_type(needed):
                raise SimulationError(
                    f"{plant.key}: only primary-secondary plants with water-cooled"
                    f" chillers can be simulated; this one has no {needed}"
                )
        self._plant = plant
        self._settings = settings
        self._weather = weather
        self.outdoor = weather.mean
        self.fixed_load: float | None = None
        """Share of the rated load of every zone, in place of the profile."""
        self._condenser_start = self.outdoor.wet_bulb + _STARTING_APPROACH
        self.valves = {item.key: Valve() for item in plant.of_type(EquipmentType.VALVE)}
        self.primary_pumps = self._pumps(EquipmentType.PRIMARY_CHILLED_WATER_PUMP)
        self.secondary_pumps = self._pumps(EquipmentType.SECONDARY_CHILLED_WATER_PUMP)
        self.condenser_pumps = self._pumps(EquipmentType.CONDENSER_WATER_PUMP)
        self.pumps = self.primary_pumps | self.secondary_pumps | self.condenser_pumps
        self.chillers = {
            item.key: self._chiller(item)
            for item in plant.of_type(EquipmentType.CHILLER)
        }
        self.towers = {
            item.key: TowerCell(
                rating(item, "water_flow", 75.71),
                rating(item, "fan_power", 22.0),
                self._condenser_start,
            )
            for item in plant.of_type(EquipmentType.COOLING_TOWER)
        }
        head = sum(pump.curve.head for pump in self.secondary_pumps.values())
        pressure = remote_pressure(head / len(self.secondary_pumps))
        self.zones = {
            item.key: Zone(
                rating(item, "cooling_load", 500.0),
                rating(item, "floor_area", 10.0 * rating(item, "cooling_load", 500.0)),
                pressure,
            )
            for item in plant.of_type(EquipmentType.ZONE)
        }
        self.distribution = Distribution(self.secondary_pumps, self.zones)
        self.chilled_circuits = circuits_of(
            plant,
            "chilled_water_pumps",
            EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
            self.primary_pumps,
            self._branch_of(condenser=False),
        )
        self.condenser_circuits = circuits_of(
            plant,
            "condenser_water_pumps",
            EquipmentType.CONDENSER_WATER_PUMP,
            self.condenser_pumps,
            self._branch_of(condenser=True),
            TOWER_STATIC_HEAD,
        )
        self.chilled_flows = dict.fromkeys(self.chillers, 0.0)
        self.condenser_flows = dict.fromkeys(self.chillers, 0.0)
        volume, cold = settings.chilled_water_volume, _STARTING_WATER
        self._primary_supply = Pipe(0.15 * volume, cold)
        self.supply = Pipe(0.30 * volume, cold, nodes=3)
        self.return_main = Pipe(0.40 * volume, cold, nodes=3)
        self.primary_return = Pipe(0.15 * volume, cold)
        volume, warm = settings.condenser_water_volume, self._condenser_start
        self.condenser_supply = Pipe(0.20 * volume, warm)
        self.condenser_return = Pipe(0.20 * volume, warm)
        self.basin = Pipe(0.60 * volume, warm)

    def _pumps(self, kind: EquipmentType) -> dict[str, Pump]:
        return {
            item.key: Pump(
                PumpCurve(rating(item, "flow", 60.0), rating(item, "head", 200.0)),
                rating(item, "power", 18.0),
            )
            for item in self._plant.of_type(kind)
        }

    def _chiller(self, item: Equipment) -> Chiller:
        usual = ChillerRating()
        capacity = rating(item, "cooling_capacity", usual.capacity)
        scale = capacity / usual.capacity
        return Chiller(
            ChillerRating(
                capacity,
                rating(
                    item,
                    "coefficient_of_performance",
                    usual.coefficient_of_performance,
                ),
                rating(item, "chilled_water_flow", scale * usual.chilled_water_flow),
                rating(
                    item, "condenser_water_flow", scale * usual.condenser_water_flow
                ),
                rating(item, "minimum_load_ratio", usual.minimum_load_ratio),
            ),
            _STARTING_WATER,
            self._condenser_start,
        )

    def _branch_of(self, *, condenser: bool) -> Callable[[Equipment], Branch]:
        def branch(chiller: Equipment) -> Branch:
            plate = self.chillers[chiller.key].rating
            return Branch(
                plate.condenser_water_flow if condenser else plate.chilled_water_flow,
                tuple(
                    self.valves[key]
                    for key in chiller.served_by.get("valves", ())
                    if is_condenser_valve(chiller, key) is condenser
                ),
            )

        return branch

    def settle(self, commands: Commands) -> None:
        """Begin with every motor and valve where its command has it."""
        for key, valve in self.valves.items():
            valve.position = self._valve_command(key, commands)
        for key, pump in self.pumps.items():
            pump.settle(*_drive_command(key, commands))
        for key, tower in self.towers.items():
            run, speed = _drive_command(key, commands)
            tower.fan.settle(run, speed)
            tower.valve.position = 1.0 if run else 0.0

    def _valve_command(self, key: str, commands: Commands) -> float:
        roles = self._plant.equipment[key].points
        if "open_command" not in roles and "position_command" in roles:
            return commands.number(key, "position_command") / 100.0
        return 1.0 if commands.is_on(key, "open_command") else 0.0

    def step(self, seconds: float, time: float, commands: Commands) -> None:
        """Go on for `seconds` (at most 5) from the local time `time`."""
        self.outdoor = self._weather.at(time)
        for key, valve in self.valves.items():
            valve.step(seconds, self._valve_command(key, commands))
        for key, pump in self.pumps.items():
            pump.step(seconds, *_drive_command(key, commands))
        for key, tower in self.towers.items():
            tower.step(seconds, *_drive_command(key, commands))
        self._solve_flows()
        self._step_chillers(seconds, commands)
        self._step_chilled_water(seconds)
        self._step_zones(seconds, time, commands)
        self._step_condenser_water(seconds)

    def _solve_flows(self) -> None:
        for circuit in self.chilled_circuits:
            circuit.solve()
            self.chilled_flows |= circuit.flows
        for circuit in self.condenser_circuits:
            circuit.solve()
            self.condenser_flows |= circuit.flows
        self.distribution.solve()

    def _step_chillers(self, seconds: float, commands: Commands) -> None:
        entering = self.primary_return.outlet_temperature
        condenser_entering = self.condenser_supply.outlet_temperature
        for key, chiller in self.chillers.items():
            chiller.step(
                seconds,
                run=commands.is_on(key, "run_command"),
                setpoint=commands.number(
                    key, "chilled_water_supply_temperature_setpoint"
                ),
                demand_limit=commands.number(key, "demand_limit") / 100.0,
                chilled_water=(self.chilled_flows[key], entering),
                condenser_water=(self.condenser_flows[key], condenser_entering),
            )

    def _step_chilled_water(self, seconds: float) -> None:
        primary = sum(self.chilled_flows.values())
        leaving = mix(
            (
                (self.chilled_flows[key], chiller.supply_temperature)
                for key, chiller in self.chillers.items()
            ),
            self._primary_supply.outlet_temperature,
        )
        self._primary_supply.step(seconds, primary, leaving)
        secondary = self.distribution.flow
        supply, returned = decouple(
            primary,
            self._primary_supply.outlet_temperature,
            secondary,
            self.return_main.outlet_temperature,
        )
        self.supply.step(seconds, secondary, supply, self.distribution.heating)
        gathered = mix(
            (
                (self.distribution.flows[key], zone.return_temperature)
                for key, zone in self.zones.items()
            ),
            self.return_main.inlet_temperature,
        )
        self.return_main.step(seconds, secondary, gathered)
        heating = sum(circuit.heating for circuit in self.chilled_circuits)
        self.primary_return.step(seconds, primary, returned, heating)

    def _step_zones(self, seconds: float, time: float, commands: Commands) -> None:
        share, weather = self.load_share(time)
        for key, zone in self.zones.items():
            zone.step(
                seconds,
                setpoint=commands.number(key, "temperature_setpoint"),
                occupied=commands.is_on(key, "occupied_command"),
                share=share,
                outdoor=self.outdoor,
                weather_factor=weather,
                water=(self.distribution.flows[key], self.supply.outlet_temperature),
            )

    def load_share(self, time: float) -> tuple[float, float]:
        """Return the share of rated load and the factor for the weather.

        A fixed load is exactly that share, whatever the weather.
        """
        if self.fixed_load is not None:
            return self.fixed_load, 1.0
        usual = self._weather.mean.enthalpy
        inside = OutdoorAir(REFERENCE_TEMPERATURE, 13.0).enthalpy
        factor = (self.outdoor.enthalpy - inside) / max(usual - inside, 5.0)
        return self._settings.load_share(time), max(-0.5, min(2.0, factor))

    def _step_condenser_water(self, seconds: float) -> None:
        flow = sum(self.condenser_flows.values())
        leaving = mix(
            (
                (self.condenser_flows[key], chiller.condenser_leaving_temperature)
                for key, chiller in self.chillers.items()
            ),
            self.condenser_return.outlet_temperature,
        )
        heating = sum(circuit.heating for circuit in self.condenser_circuits)
        self.condenser_return.step(seconds, flow, leaving, heating)
        entering = self.condenser_return.outlet_temperature
        # With every cell's valve shut the water still has to go somewhere.
        shares = {
            key: max(tower.valve.position, 0.0) for key, tower in self.towers.items()
        }
        if sum(shares.values()) < _SPILL:
            shares = dict.fromkeys(shares, 1.0)
        total = sum(shares.values())
        wet_bulb = self.outdoor.wet_bulb
        for key, tower in self.towers.items():
            tower.cool(flow * shares[key] / total, entering, wet_bulb)
        cooled = mix(
            ((tower.flow, tower.leaving_temperature) for tower in self.towers.values()),
            self.basin.outlet_temperature,
        )
        self.basin.step(seconds, flow, cooled)
        self.condenser_supply.step(seconds, flow, self.basin.outlet_temperature)

    @property
    def cooling_load(self) -> float:
        """Heat that the secondary water brings back, kW."""
        rise = self.return_main.outlet_temperature - self.supply.inlet_temperature
        return self.distribution.flow * HEAT_CAPACITY * rise

    @property
    def power(self) -> float:
        """Electrical power of the whole plant, kW."""
        return (
            sum(chiller.power for chiller in self.chillers.values())
            + sum(pump.power for pump in self.pumps.values())
            + sum(tower.fan.power for tower in self.towers.values())
        )


def _drive_command(key: str, commands: Commands) -> tuple[bool, float]:
    run = commands.is_on(key, "run_command")
    return run, commands.number(key, "speed_command") / 100.0
