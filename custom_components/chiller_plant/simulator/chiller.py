"""A chiller with its own control: start-up, unloading, safeties.

The machine protects itself whatever it is told. Nothing here knows the
interlocks of the product, which have to work beside such machines.
"""

from enum import Enum, auto
from math import inf

from .chiller_curves import (
    MAXIMUM_PART_LOAD,
    ChillerRating,
    available_capacity,
    electrical_power,
)
from .drive import Fault
from .water import HEAT_CAPACITY, Pipe

FLOW_PROOF_TIME = 30.0
PRE_LUBRICATION_TIME = 60.0
NO_FLOW_ALARM_TIME = 300.0
"""A start that finds no flow for this long ends in an alarm."""

STOP_TO_START_TIME = 180.0
START_TO_START_TIME = 900.0

SOFT_LOAD_RATE = 0.10 / 60.0
"""Part-load ratio a second while loading."""

SOFT_LOAD_START = 0.10
SOFT_LOAD_CAP = 0.40
SOFT_LOAD_CAP_TIME = 180.0
UNLOAD_TIME = 45.0
LOAD_LAG = 60.0
"""Time constant in which vanes and speed follow the load, s."""

FLOW_LOSS_TIME = 3.0
FLOW_SWITCH_MAKES = 0.50
FLOW_SWITCH_BREAKS = 0.40
HIGH_CONDENSER_TEMPERATURE = 43.0
_LOWEST_BELOW_SETPOINT = 1.0
_STANDBY_SHARE = 0.02
"""Share of the rated power that an idling compressor takes."""


class ChillerState(Enum):
    """Where the machine is in its own sequence."""

    OFF = auto()
    STARTING = auto()
    RUNNING = auto()
    UNLOADING = auto()
    TRIPPED = auto()


class FlowSwitch:
    """Makes above half of the rated flow, breaks a little below."""

    def __init__(self, rated_flow: float) -> None:
        """Take the rated flow in l/s."""
        self._rated = rated_flow
        self.made = False
        self.time_broken = inf

    def step(self, seconds: float, flow: float) -> None:
        """Look at the flow in l/s."""
        limit = FLOW_SWITCH_BREAKS if self.made else FLOW_SWITCH_MAKES
        self.made = flow > limit * self._rated
        self.time_broken = 0.0 if self.made else self.time_broken + seconds


class Chiller:
    """One chiller; temperatures in °C, flows in l/s, heat and power in kW."""

    def __init__(self, rating: ChillerRating, water: float, condenser: float) -> None:
        """Stand still, full of water of these two temperatures."""
        self.rating = rating
        self.state = ChillerState.OFF
        self.fault = Fault.NONE
        self.alarm = False
        self.cooling = 0.0
        self.power = 0.0
        self.evaporator_switch = FlowSwitch(rating.chilled_water_flow)
        self.condenser_switch = FlowSwitch(rating.condenser_water_flow)
        self._evaporator = Pipe(20.0 * rating.chilled_water_flow, water)
        self._condenser = Pipe(20.0 * rating.condenser_water_flow, condenser)
        self._time_in_state = 0.0
        self._time_flow_proven = 0.0
        self._since_start = inf
        self._since_stop = inf

    @property
    def running(self) -> bool:
        """Whether the compressor turns."""
        return self.state in (ChillerState.RUNNING, ChillerState.UNLOADING)

    @property
    def load(self) -> float:
        """Cooling as a share of the rated capacity."""
        return self.cooling / self.rating.capacity

    @property
    def supply_temperature(self) -> float:
        """Leaving chilled water, °C."""
        return self._evaporator.outlet_temperature

    @property
    def condenser_leaving_temperature(self) -> float:
        """Leaving condenser water, °C."""
        return self._condenser.outlet_temperature

    def step(
        self,
        seconds: float,
        *,
        run: bool,
        setpoint: float,
        demand_limit: float,
        chilled_water: tuple[float, float],
        condenser_water: tuple[float, float],
    ) -> None:
        """Go on for `seconds`.

        Waters are (flow l/s, entering °C); `demand_limit` is a share of the
        full load.
        """
        flow, entering = chilled_water
        condenser_flow, condenser_entering = condenser_water
        self.evaporator_switch.step(seconds, flow)
        self.condenser_switch.step(seconds, condenser_flow)
        proven = self.evaporator_switch.made and self.condenser_switch.made
        self._time_flow_proven = self._time_flow_proven + seconds if proven else 0.0
        self._sequence(seconds, run)
        self._carry(seconds, setpoint, demand_limit, flow, entering)
        self.power = self._electrical_power(condenser_flow, condenser_entering)
        self._evaporator.step(seconds, flow, entering, -self.cooling)
        self._condenser.step(
            seconds, condenser_flow, condenser_entering, self.cooling + self.power
        )

    def _enter(self, state: ChillerState) -> None:
        if self.running:
            self._since_stop = 0.0
        self.state = state
        self._time_in_state = 0.0
        if state is ChillerState.RUNNING:
            self._since_start = 0.0

    def _sequence(self, seconds: float, run: bool) -> None:
        """Move through start, run, unload and trip."""
        self._time_in_state += seconds
        self._since_start += seconds
        self._since_stop += seconds
        if self.fault is Fault.TRIP or self._unsafe():
            if self.state is not ChillerState.TRIPPED:
                self._enter(ChillerState.TRIPPED)
            self.alarm = True
        match self.state:
            case ChillerState.OFF if run and self._may_restart():
                self._enter(ChillerState.STARTING)
            case ChillerState.STARTING if not run:
                self._enter(ChillerState.OFF)
            case ChillerState.STARTING if self.fault is not Fault.FAIL_TO_START:
                if (
                    self._time_in_state >= PRE_LUBRICATION_TIME
                    and self._time_flow_proven >= FLOW_PROOF_TIME
                ):
                    self._enter(ChillerState.RUNNING)
                elif (
                    self._time_in_state >= NO_FLOW_ALARM_TIME
                    and self._time_flow_proven < FLOW_PROOF_TIME
                ):
                    self._enter(ChillerState.TRIPPED)
                    self.alarm = True
            case ChillerState.RUNNING if not run:
                self._enter(ChillerState.UNLOADING)
            case ChillerState.UNLOADING if self._time_in_state >= UNLOAD_TIME:
                self._enter(ChillerState.OFF)
            case ChillerState.TRIPPED if not run and self.fault is not Fault.TRIP:
                self.alarm = False
                self._enter(ChillerState.OFF)

    def _may_restart(self) -> bool:
        return (
            self._since_stop >= STOP_TO_START_TIME
            and self._since_start >= START_TO_START_TIME
        )

    def _unsafe(self) -> bool:
        return self.running and (
            self.evaporator_switch.time_broken >= FLOW_LOSS_TIME
            or self.condenser_switch.time_broken >= FLOW_LOSS_TIME
            or self.condenser_leaving_temperature > HIGH_CONDENSER_TEMPERATURE
        )

    def _load_limit(self, demand_limit: float) -> float:
        """Return the part-load ratio that the machine allows itself."""
        if self.state is not ChillerState.RUNNING:
            return 0.0
        limit = SOFT_LOAD_START + SOFT_LOAD_RATE * self._time_in_state
        if self._time_in_state < SOFT_LOAD_CAP_TIME:
            limit = min(limit, SOFT_LOAD_CAP)
        return max(0.0, min(limit, demand_limit, MAXIMUM_PART_LOAD))

    def _carry(
        self,
        seconds: float,
        setpoint: float,
        demand_limit: float,
        flow: float,
        entering: float,
    ) -> None:
        """Take heat out of the chilled water."""
        if not self.running:
            self.cooling = 0.0
            return
        capacity = available_capacity(
            self.rating, self.supply_temperature, self.condenser_leaving_temperature
        )
        carried = flow * HEAT_CAPACITY
        wanted = max(0.0, carried * (entering - setpoint))
        wanted = min(wanted, capacity * self._load_limit(demand_limit))
        lag = seconds / (
            LOAD_LAG if self.state is ChillerState.RUNNING else UNLOAD_TIME / 4.0
        )
        cooling = (self.cooling + lag * wanted) / (1.0 + lag)
        coldest = carried * (entering - setpoint + _LOWEST_BELOW_SETPOINT)
        self.cooling = max(0.0, min(cooling, coldest))

    def _electrical_power(self, flow: float, entering: float) -> float:
        if not self.running:
            return 0.0
        standby = (
            _STANDBY_SHARE
            * self.rating.capacity
            / self.rating.coefficient_of_performance
        )
        return max(
            standby,
            electrical_power(
                self.rating, self.cooling, self.supply_temperature, entering, flow
            ),
        )
