"""Chillers with their own control: start-up, unloading, safeties.

The machines protect themselves whatever they are told. Nothing here knows the
interlocks of the product, which have to work beside such machines.

A fleet: arrays over (scenarios, machines), as `arrays` says. What a machine
takes follows the water that is in it: the leaving temperatures of its two water
nodes, so that no step has to solve for them. When they stand still, that is the
fixed point of `ChillerPerformance.power`.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, Flags
from .chiller_performance import ChillerPerformance, ChillerRating
from .drives import Fault
from .water import HEAT_CAPACITY

FLOW_PROOF_TIME = 30.0
PRE_LUBRICATION_TIME = 60.0
NO_FLOW_ALARM_TIME = 300.0
"""A start that finds no flow for this long ends in an alarm."""

STOP_TO_START_TIME = 180.0
START_TO_START_TIME = 900.0

SOFT_LOAD_RATE = 0.10 / 60.0
"""Part-load ratio a second while loading."""

SOFT_LOAD_START = 0.10
"""With the rate above: 40 % after three minutes, all after nine."""

UNLOAD_TIME = 45.0
LOAD_LAG = 60.0
"""Time constant in which vanes and speed follow the load, s."""

FLOW_LOSS_TIME = 3.0
FLOW_SWITCH_MAKES = 0.50
FLOW_SWITCH_BREAKS = 0.40
HIGH_CONDENSER_TEMPERATURE = 43.0
LOW_SUPPLY_TEMPERATURE = 2.5
_LOWEST_BELOW_SETPOINT = 1.0
_STANDBY_SHARE = 0.02
"""Share of the rated power that an idling compressor takes."""

_WATER_TIME = 20.0
"""Seconds in which the rated flow goes through a heat exchanger."""

_AMBIENT = 28.0
_INSULATION_TIME = 500.0 * 3600.0
"""Seconds in which standing water nears the ambient."""

_LONG_AGO = 1e9


class ChillerState(IntEnum):
    """Where a machine is in its own sequence."""

    OFF = 0
    STARTING = 1
    RUNNING = 2
    UNLOADING = 3
    TRIPPED = 4


class Chillers:
    """Chillers side by side; temperatures in °C, flows in l/s, heat and power in kW."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        "running": "bool",
        "alarm": "bool",
        "state": "ChillerState",
        "load": "1",
        "cooling": "kW",
        "power": "kW",
        "supply_temperature": "°C",
        "condenser_leaving_temperature": "°C",
        "evaporator_flow_proven": "bool",
        "condenser_flow_proven": "bool",
        "starts": "1",
        "run_seconds": "s",
        "clipped": "bool",
    }
    ACTIONS: ClassVar[Mapping[str, str]] = {
        "run": "bool",
        "setpoint": "°C",
        "demand_limit": "1",
    }
    FAULTS: ClassVar[tuple[Fault, ...]] = (
        Fault.NONE,
        Fault.FAIL_TO_START,
        Fault.TRIP,
    )

    def __init__(
        self,
        ratings: Sequence[ChillerRating],
        scenarios: int,
        water: float,
        condenser: Array | float,
    ) -> None:
        """Stand still, full of water of these two temperatures.

        `condenser` is one temperature or one a scenario.
        """
        shape = (scenarios, len(ratings))
        self.performance = ChillerPerformance(ratings, scenarios)
        self.state: NDArray[np.int8] = np.zeros(shape, dtype=np.int8)
        """A `ChillerState` each."""

        self.fault: NDArray[np.int8] = np.zeros(shape, dtype=np.int8)
        """A `Fault` each."""

        self.alarm: Flags = np.zeros(shape, dtype=np.bool_)
        self.running: Flags = np.zeros(shape, dtype=np.bool_)
        """Whether the compressor turns."""

        self.clipped: Flags = np.zeros(shape, dtype=np.bool_)
        """Whether a running machine left the range of its curves in this step."""

        self.cooling: Array = np.zeros(shape)
        self.power: Array = np.zeros(shape)
        self.fouling: Array = np.zeros(shape)
        """Kelvin that a dirty condenser adds to what its compressor sees."""

        self.starts: NDArray[np.int64] = np.zeros(shape, dtype=np.int64)
        self.run_seconds: Array = np.zeros(shape)
        self.evaporator_flow_proven: Flags = np.zeros(shape, dtype=np.bool_)
        self.condenser_flow_proven: Flags = np.zeros(shape, dtype=np.bool_)
        """Whether the flow switches are made."""

        self._standby = _STANDBY_SHARE * self.performance.rated_power
        self._entering_counts = not self.performance.sees_leaving.all()
        self._begin_with_water(water, condenser)
        # One array, so that one addition lets all clocks go on.
        self._clocks: Array = np.full((4, *shape), _LONG_AGO)
        self._time_in_state: Array = self._clocks[0]
        self._since_start: Array = self._clocks[1]
        self._since_stop: Array = self._clocks[2]
        self._time_flow_proven: Array = self._clocks[3]
        self._time_flow_proven[:] = 0.0

    def _begin_with_water(self, water: float, condenser: Array | float) -> None:
        """Fill both heat exchangers; the first axis is evaporator, condenser."""
        rated_flow = np.stack(
            [self.performance.chilled_water_flow, self.performance.condenser_water_flow]
        )
        both = rated_flow.shape
        self._makes = FLOW_SWITCH_MAKES * rated_flow
        self._breaks = FLOW_SWITCH_BREAKS * rated_flow
        self._volume = np.maximum(_WATER_TIME * rated_flow, 1.0)
        self._switches: Flags = np.zeros(both, dtype=np.bool_)
        self._time_broken: Array = np.full(both, _LONG_AGO)
        self._flow: Array = np.zeros(both)
        self._entering: Array = np.full(both, water)
        self._entering[1] = np.reshape(condenser, (-1, 1))
        self._heat: Array = np.zeros(both)
        self._seconds = 1.0
        self._take_water(self._entering.copy())
        self._water_before = self._water

    def _take_water(self, water: Array) -> None:
        self._water = water
        self.supply_temperature: Array = water[0]
        self.condenser_leaving_temperature: Array = water[1]

    @property
    def load(self) -> Array:
        """Cooling as a share of the rated capacity."""
        share: Array = self.cooling / self.performance.capacity
        return share

    @property
    def residual(self) -> Array:
        """Heat of the last step that the balance of a machine misses, kW.

        What both waters, the room and the motor bring in, less what is stored.
        """
        gained = self._flow * (self._entering - self._water)
        gained += self._volume * (
            (_AMBIENT - self._water) / _INSULATION_TIME
            - (self._water - self._water_before) / self._seconds
        )
        balance: Array = (
            HEAT_CAPACITY * gained.sum(axis=0)
            + self.performance.motor_efficiency * self.power
        )
        return balance

    def step(
        self,
        seconds: float,
        *,
        run: Flags,
        setpoint: Array | float,
        demand_limit: Array | float,
        chilled_water_flow: Array,
        chilled_water_entering: Array | float,
        condenser_water_flow: Array,
        condenser_water_entering: Array | float,
    ) -> None:
        """Go on for `seconds`; `demand_limit` is a share of the full load."""
        self._flow[0] = chilled_water_flow
        self._flow[1] = condenser_water_flow
        self._entering[0] = chilled_water_entering
        self._entering[1] = condenser_water_entering
        self._clocks += seconds
        self._look_at_flow(seconds)
        seen = self.condenser_leaving_temperature + self.fouling
        self._sequence(run, self._unsafe(seen))
        if self._entering_counts:
            cooler = self._entering[1] - self.condenser_leaving_temperature
            seen += (1.0 - self.performance.sees_leaving) * cooler
        self._carry(seconds, seen, setpoint, demand_limit)
        self._move_water(seconds)
        self.run_seconds = self.run_seconds + seconds * self.running

    def _look_at_flow(self, seconds: float) -> None:
        """Let the flow switches make and break; hysteresis keeps them still."""
        limit = np.where(self._switches, self._breaks, self._makes)
        made = self._flow > limit
        self._switches = made
        self._time_broken += seconds
        self._time_broken *= ~made
        self.evaporator_flow_proven = made[0]
        self.condenser_flow_proven = made[1]
        self._time_flow_proven *= made[0] & made[1]

    def _unsafe(self, condensing: Array) -> Flags:
        lost = self._time_broken >= FLOW_LOSS_TIME
        unsafe: Flags = self.running & (
            lost[0]
            | lost[1]
            | (condensing > HIGH_CONDENSER_TEMPERATURE)
            | (self.supply_temperature < LOW_SUPPLY_TEMPERATURE)
        )
        return unsafe

    def _sequence(self, run: Flags, unsafe: Flags) -> None:
        """Move through start, run, unload and trip."""
        # Most of the time every machine is where its command wants it.
        where_wanted = self.state == np.multiply(run, ChillerState.RUNNING)
        if where_wanted.all() and not (unsafe.any() or self.fault.any()):
            return
        broken = self.fault == Fault.TRIP
        tripping = broken | unsafe
        state = np.where(tripping, np.int8(ChillerState.TRIPPED), self.state)
        waiting = (state == ChillerState.STARTING) & run
        waiting &= self.fault != Fault.FAIL_TO_START
        flowing = self._time_flow_proven >= FLOW_PROOF_TIME
        restart = self._since_stop >= STOP_TO_START_TIME
        restart &= self._since_start >= START_TO_START_TIME
        starting = (state == ChillerState.OFF) & run & restart
        turning = waiting & flowing & (self._time_in_state >= PRE_LUBRICATION_TIME)
        dry = waiting & ~flowing & (self._time_in_state >= NO_FLOW_ALARM_TIME)
        unloading = (state == ChillerState.RUNNING) & ~run
        unloaded = (state == ChillerState.UNLOADING) & (
            self._time_in_state >= UNLOAD_TIME
        )
        given_up = (state == ChillerState.STARTING) & ~run
        reset = (state == ChillerState.TRIPPED) & ~run & ~broken
        state[starting] = ChillerState.STARTING
        state[turning] = ChillerState.RUNNING
        state[dry] = ChillerState.TRIPPED
        state[unloading] = ChillerState.UNLOADING
        state[unloaded | given_up | reset] = ChillerState.OFF
        self.alarm = (self.alarm | tripping | dry) & ~reset
        entered = state != self.state
        self._time_in_state[entered] = 0.0
        self._since_stop[entered & self.running] = 0.0
        self._since_start[turning] = 0.0
        self.starts = self.starts + turning
        self._take_state(state)

    def _take_state(self, state: NDArray[np.int8]) -> None:
        self.state = state
        self.running = (state == ChillerState.RUNNING) | (
            state == ChillerState.UNLOADING
        )

    def _carry(
        self,
        seconds: float,
        seen: Array,
        setpoint: Array | float,
        demand_limit: Array | float,
    ) -> None:
        """Take heat out of the chilled water, and power for it."""
        performance = self.performance
        full = performance.full_load(self.supply_temperature, seen)
        limit = self._time_in_state * SOFT_LOAD_RATE
        limit += SOFT_LOAD_START
        limit = np.minimum(limit, demand_limit)
        limit = np.minimum(limit, performance.maximum_load_ratio)
        limit = np.maximum(limit, 0.0)
        loading = self.state == ChillerState.RUNNING
        limit *= loading
        carried = self._flow[0] * HEAT_CAPACITY
        too_warm = self._entering[0] - setpoint
        wanted = np.maximum(carried * too_warm, 0.0)
        wanted = np.minimum(wanted, full.capacity * limit)
        lag = np.where(loading, seconds / LOAD_LAG, seconds / (UNLOAD_TIME / 4.0))
        cooling = (self.cooling + lag * wanted) / (1.0 + lag)
        coldest = carried * (too_warm + _LOWEST_BELOW_SETPOINT)
        cooling = np.maximum(np.minimum(cooling, coldest), 0.0)
        cooling *= self.running
        part = performance.part_load(full, cooling)
        self.cooling = cooling
        self.power = np.maximum(part.power, self._standby) * self.running
        self.clipped = part.clipped & self.running

    def _move_water(self, seconds: float) -> None:
        """Semi-implicit: stable for any flow and any step."""
        self._heat[0] = -self.cooling
        self._heat[1] = self.cooling + self.performance.motor_efficiency * self.power
        per_volume = seconds / self._volume
        drift = seconds / _INSULATION_TIME
        share = self._flow * per_volume
        water = share * self._entering
        water += self._water
        water += self._heat * (per_volume / HEAT_CAPACITY)
        water += drift * _AMBIENT
        share += 1.0 + drift
        water /= share
        self._water_before = self._water
        self._seconds = seconds
        self._take_water(water)

    def settle(
        self,
        run: Flags,
        *,
        supply: Array | float | None = None,
        load: Array | float = 0.0,
    ) -> None:
        """Begin as if the machines had been commanded like this for long.

        Those told to run have started long ago and have their flow proven;
        `supply` is the water in them, °C, and `load` a share of the rated
        capacity. Condensers begin at their steady temperature at rated flow.
        """
        self._take_state(np.multiply(run, ChillerState.RUNNING, dtype=np.int8))
        self.alarm = np.zeros_like(self.alarm)
        self._clocks[:] = _LONG_AGO
        self._switches = np.broadcast_to(run, self._switches.shape)
        self._time_broken = np.where(self._switches, 0.0, _LONG_AGO)
        self.evaporator_flow_proven = self.condenser_flow_proven = self._switches[0]
        self._time_flow_proven *= self.evaporator_flow_proven
        water = self._water.copy()
        if supply is not None:
            water[0] = np.where(run, supply, water[0])
        cooling: Array = self.performance.capacity * load * run
        self.cooling = cooling
        steady = self.performance.power(
            self.cooling,
            water[0],
            water[1],
            self.performance.condenser_water_flow,
            self.fouling,
        )
        power: Array = np.maximum(steady.power, self._standby) * run
        self.power = power
        water[1] = np.where(run, steady.condenser_leaving, water[1])
        self._take_water(water)
