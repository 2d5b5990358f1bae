"""The air handlers of the zones, with their own controllers, and the boiler.

Each recirculates zone air with a minimum of outdoor air (no economiser: in the
tropics outdoor air never is the colder one), cools it in a coil, and sends it
through VAV boxes that can reheat. Zone temperature commands the air flow,
supply air temperature the cooling valve; a thermostat chooses between comfort
and eco.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from .arrays import Array, Flags
from .coils import DESIGN_SUPPLY_AIR
from .water import HEAT_CAPACITY

HIGHEST_SUPPLY_AIR = 18.0
LEAST_AIR_SHARE = 0.3

_VALVE_GAIN = 0.03
_VALVE_INTEGRAL_TIME = 90.0
_VALVE_STROKE = 60.0
_AIR_GAIN = 0.5
_AIR_INTEGRAL_TIME = 900.0

_ECO_BAND = 0.5
"""K around the eco setpoint between which the air handler starts and stops."""

_REHEAT_BELOW = 1.5
_REHEAT_BAND = 1.0
"""Reheat begins so many K below the setpoint and is full a band lower."""

_USEFUL_COLD = 2.0
"""K under zone temperature at which a coil without water is not worth its fan."""

_FAN_CURVE = (0.0013, 0.1470, 0.9506, -0.0998)
"""Share of rated fan power by air share: variable speed with static pressure
reset, ASHRAE 90.1 appendix G."""

_BOILER_EFFICIENCY = 0.88
_BOILER_ROOM = 28.0
_BOILER_VOLUME = 5.0
"""Litres of water for each kW."""

_BOILER_LOSS = 0.00025
"""Share of the rated heat lost through the jacket for each kelvin."""

_BURNER_BAND = 3.0
"""K below the setpoint at which the burner is full on."""

_USEFUL_WARMTH = 20.0
"""K of the water above its room with which reheat coils give all they can."""


class Loops:
    """Small PI controllers of the kind every zone controller has.

    Output 0 to 1; the integral stops where the output does.
    """

    def __init__(
        self, gain: float, integral_time: float, start: float, shape: tuple[int, int]
    ) -> None:
        """Take the gain in 1/K, seconds, and the output to begin with."""
        self._gain = gain
        self._rate = 1.0 / integral_time
        self.integral: Array = np.full(shape, start)

    def step(self, seconds: float, error: Array) -> Array:
        """Return the outputs for errors (measured minus wanted, K)."""
        part = self._gain * error
        self.integral += (seconds * self._rate) * part
        _bound(self.integral)
        part += self.integral
        return _bound(part)

    def release(self, kept: Flags) -> None:
        """Forget where a controller is not kept on."""
        self.integral *= kept


def _bound(values: Array) -> Array:
    """Keep values between 0 and 1, in place."""
    np.maximum(values, 0.0, out=values)
    np.minimum(values, 1.0, out=values)
    return values


class AirHandlers:
    """Thermostats, fans, cooling valves and reheat of all zones."""

    ACTIONS: ClassVar[Mapping[str, str]] = {"setpoint": "°C", "occupied": "state"}

    def __init__(
        self, scenarios: int, *, eco_setpoint: Array, reheat: Array, fan_power: Array
    ) -> None:
        """Take °C (infinite: off in eco), kW of heat and kW of each zone."""
        shape = (scenarios, len(reheat))
        self._eco_setpoint = eco_setpoint
        self._has_eco = bool(np.isfinite(eco_setpoint).any())
        self._reheat = reheat
        self._has_reheat = bool(reheat.any())
        self._rated_fan = fan_power
        self.air_share: Array = np.full(shape, 0.5)
        """Air flow as a share of the design."""
        self.valve: Array = np.full(shape, 0.3)
        self.valve_stuck: Flags = np.zeros(shape, dtype=np.bool_)
        """A fault that may be set: the valve stays where it is."""
        self.reheat_power: Array = np.zeros(shape)
        """Heat of the VAV boxes, kW."""
        self.fan_power: Array = np.zeros(shape)
        """Electrical power, kW."""
        self.cools: Flags = np.ones(shape, dtype=np.bool_)
        """Whether the coil may have water: comfort, or eco that has need."""
        self._eco_cools: Flags = np.zeros(shape, dtype=np.bool_)
        self.coasts: Flags = np.zeros(shape, dtype=np.bool_)
        """Whether only the cold left in the coil is used up."""
        self._air_loops = Loops(_AIR_GAIN, _AIR_INTEGRAL_TIME, 0.5, shape)
        self._valve_loops = Loops(_VALVE_GAIN, _VALVE_INTEGRAL_TIME, 0.3, shape)

    def step(
        self,
        seconds: float,
        *,
        setpoint: Array,
        occupied: Flags,
        temperature: Array,
        supply_air_temperature: Array,
        heating_available: Array | float = 1.0,
    ) -> None:
        """Set air, valves and reheat by what thermostats and sensors say."""
        wanted = setpoint
        cools = occupied.copy()
        if self._has_eco:
            # Between the two limits of the band what was stays.
            begun = temperature > self._eco_setpoint + _ECO_BAND
            going = self._eco_cools & (temperature > self._eco_setpoint - _ECO_BAND)
            self._eco_cools = (begun | going) & ~occupied
            cools |= self._eco_cools
            wanted = np.where(occupied, setpoint, self._eco_setpoint)
            wanted = np.where(np.isfinite(wanted), wanted, setpoint)
        # Passive cooling: when eco begins the valve closes, the fan goes on
        # as long as what is left in the coil cools.
        useful = supply_air_temperature < temperature - _USEFUL_COLD
        self.coasts = ~cools & (self.cools | self.coasts) & useful
        self.cools = cools
        error = temperature - wanted
        demand = self._air_loops.step(seconds, error)
        air = np.maximum(demand, LEAST_AIR_SHARE)
        # Below least air flow the supply air is let warm up instead.
        spare = np.maximum(LEAST_AIR_SHARE - demand, 0.0)
        spare *= (HIGHEST_SUPPLY_AIR - DESIGN_SUPPLY_AIR) / LEAST_AIR_SHARE
        position = self._valve_loops.step(
            seconds, supply_air_temperature - DESIGN_SUPPLY_AIR - spare
        )
        position *= cools
        air *= cools
        air += LEAST_AIR_SHARE * self.coasts
        self.air_share = air
        self._air_loops.release(cools)
        self._valve_loops.release(cools)
        travel = seconds / _VALVE_STROKE
        move = np.maximum(np.minimum(position - self.valve, travel), -travel)
        move *= ~self.valve_stuck
        self.valve = self.valve + move
        none, first, second, third = _FAN_CURVE
        self.fan_power = self._rated_fan * (
            none * (air > 0.0) + air * (first + air * (second + air * third))
        )
        if self._has_reheat:
            short = (-_REHEAT_BELOW - error) / _REHEAT_BAND
            self.reheat_power = (
                self._reheat * _bound(short) * cools * _by_zone(heating_available)
            )


def _by_zone(value: Array | float) -> Array | float:
    return value if isinstance(value, float) else value[:, None]


class Boilers:
    """Boilers that heat the reheat water of all zones."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        "running": "state",
        "power": "kW",
        "fuel_power": "kW",
        "supply_temperature": "°C",
    }
    ACTIONS: ClassVar[Mapping[str, str]] = {"run": "state", "setpoint": "°C"}

    def __init__(
        self, rated_heat: Array, auxiliary_power: Array, scenarios: int
    ) -> None:
        """Take kW of heat, and kW for burner and pump, of each boiler."""
        shape = (scenarios, len(rated_heat))
        self._rated = rated_heat
        self._auxiliary = auxiliary_power
        self._capacity = _BOILER_VOLUME * HEAT_CAPACITY * rated_heat
        self.supply_temperature: Array = np.full(shape, _BOILER_ROOM)
        """Leaving water, °C."""
        self.running: Flags = np.zeros(shape, dtype=np.bool_)
        self.power: Array = np.zeros(shape)
        """Electrical power, kW."""
        self.fuel_power: Array = np.zeros(shape)
        """Heat of the fuel, kW."""

    @property
    def heating_available(self) -> Array:
        """What the reheat coils get of the heat they want, 0 to 1, (scenarios,)."""
        return np.asarray((self._rated * self._useful).sum(axis=1) / self._rated.sum())

    @property
    def _useful(self) -> Array:
        return _bound((self.supply_temperature - _BOILER_ROOM) / _USEFUL_WARMTH)

    def step(
        self, seconds: float, *, run: Flags, setpoint: Array, demand: Array
    ) -> None:
        """Hold the water's temperature while it gives `demand` kW, (scenarios,).

        `demand` is what the reheat coils took, by `heating_available`.
        """
        self.running = run.copy()
        before = self.supply_temperature
        able = self._rated * self._useful
        given = demand[:, None] * able / np.maximum(able.sum(axis=1), 1e-6)[:, None]
        lost = _BOILER_LOSS * self._rated * (before - _BOILER_ROOM)
        heat = self._rated * run * _bound((setpoint - before) / _BURNER_BAND)
        rate = (heat - given - lost) / self._capacity
        self.supply_temperature = before + seconds * rate
        self.power = run * self._auxiliary
        self.fuel_power = heat / _BOILER_EFFICIENCY
