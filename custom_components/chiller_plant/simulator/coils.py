"""Chilled-water coils that dry the air they cool.

Effectiveness on enthalpy for a wet surface, on temperature for a dry one,
whichever cools more (Braun, Klein, Mitchell 1989, "Effectiveness models for
cooling towers and cooling coils"); the state of the leaving air by the bypass
factor of the air side. Counterflow.

Pure: everything broadcasts, the last axis is that of the coils. Air in kg/s of
dry air, water in l/s, heat in kW. The heat of the condensate that drains away
(below 1 % of the cooling) is not counted.
"""

from dataclasses import dataclass

import numpy as np

from .arrays import Array, Flags
from .psychrometrics import (
    AIR_HEAT,
    EVAPORATION_HEAT,
    VAPOUR_HEAT,
    enthalpy,
    saturated_enthalpy,
    saturation_temperature,
    temperature_at,
)
from .water import HEAT_CAPACITY

DESIGN_WATER_RISE = 5.6
DESIGN_SUPPLY_WATER = 6.7
DESIGN_SUPPLY_AIR = 13.0
DESIGN_MIXED_AIR = 24.9
"""°C of zone air at 24 °C with 15 % outdoor air of 30 °C."""

DESIGN_MIXED_HUMIDITY = 0.0108
"""kg/kg of zone air at half saturation with 15 % of 24 °C dew point."""

_DESIGN_ENTHALPY_DROP = 17.5
"""kJ/kg from there to air of 13 °C that leaves a wet coil."""

# Transfer units on the air side at design (a bypass factor of 0.09), and on the
# water side as a multiple of the design water flow's heat capacity: a little
# less than the design rise needs, as coils are after some years.
_AIR_SIDE_UNITS = 2.4
_WATER_SIDE_UNITS = 1.7

_AIR_EXPONENT = 0.6
_WATER_EXPONENT = 0.8
_LEAST = 1e-4
"""Share of the design flow below which nothing flows."""

_TINY = 1e-9
_SEARCH_STEPS = 32


@dataclass(frozen=True, slots=True)
class Duty:
    """What a coil does: kW, and how air and water leave it."""

    cooling: Array
    leaving_temperature: Array
    leaving_humidity_ratio: Array
    water_leaving: Array


@dataclass(slots=True)
class AirSide:
    """The air at coils: kg/s, °C, kg/kg, kJ/kg."""

    flow: Array
    """Never 0; `blown` tells."""
    blown: Flags
    temperature: Array
    humidity_ratio: Array
    enthalpy: Array
    units: Array
    """Transfer units between the air and the surface."""
    transfer: Array | float


def _effectiveness(resistance: Array, ratio: Array) -> Array:
    """Return what a counterflow exchanger moves of what the air could give.

    `resistance` is one over the transfer units and `ratio` that of the capacity
    flows, both with the air's capacity flow below: larger than 1 where the
    water's is smaller.
    """
    # At equal flows the formula is 0/0: a ratio beside it is as good.
    spare = 1.0 - ratio
    spare += 1e-7
    decay = np.exp(np.minimum(spare / -resistance, 60.0))
    return np.asarray((1.0 - decay) / (1.0 - (1.0 - spare) * decay))


class Coils:
    """The coils of all zones, by the kW they are chosen for."""

    def __init__(self, design_cooling: Array) -> None:
        """Take kW of each coil at design air and water."""
        self.design_air = design_cooling / _DESIGN_ENTHALPY_DROP
        """Dry air, kg/s."""
        self.design_water = design_cooling / (HEAT_CAPACITY * DESIGN_WATER_RISE)
        """Water through the open branch, l/s."""
        self._design_capacity = self.design_water * HEAT_CAPACITY
        self._inside = _WATER_SIDE_UNITS * self._design_capacity

    def air_side(
        self,
        flow: Array,
        temperature: Array,
        humidity_ratio: Array,
        transfer: Array | float = 1.0,
    ) -> AirSide:
        """Return what the coils see of air in kg/s, °C and kg/kg.

        `transfer` is the share of the clean coil's conductance.
        """
        share = np.maximum(flow / self.design_air, _LEAST)
        units = share ** (_AIR_EXPONENT - 1.0) * (_AIR_SIDE_UNITS * transfer)
        return AirSide(
            flow=share * self.design_air,
            blown=share > _LEAST,
            temperature=temperature,
            humidity_ratio=humidity_ratio,
            enthalpy=enthalpy(temperature, humidity_ratio),
            units=units,
            transfer=transfer,
        )

    def cooling(self, air: AirSide, water_flow: Array, water_entering: Array) -> Array:
        """Return the kW that go from the air to the water, less than 0 from it."""
        share = np.maximum(water_flow / self.design_water, _LEAST)
        inside = share**_WATER_EXPONENT * self._inside * air.transfer
        ratio = air.flow / (share * self._design_capacity)
        across = air.flow / inside
        outside = 1.0 / air.units
        # kJ/kg for each kelvin of saturated air between the water and the air's
        # wet bulb: so the water can become as warm as that, and no warmer.
        drive = np.maximum(air.enthalpy - saturated_enthalpy(water_entering), _TINY)
        rise = np.maximum(saturation_temperature(air.enthalpy) - water_entering, _TINY)
        heat = drive / rise
        wet = drive * _effectiveness(outside + across * heat, ratio * heat)
        # The same for a surface that stays dry.
        heat = AIR_HEAT + VAPOUR_HEAT * air.humidity_ratio
        dry = heat * _effectiveness(outside + across * heat, ratio * heat)
        dry = dry * (air.temperature - water_entering)
        # Water that is warmer than the air heats it, and wets nothing.
        cooling = np.where(drive > _TINY, np.maximum(wet, dry), dry)
        return np.asarray(air.flow * cooling * (air.blown & (share > _LEAST)))

    def most_cooling(self, air: AirSide, coldest: Array) -> Array:
        """Return the kW that saturate the air at the temperature `coldest`."""
        drop = np.maximum(air.enthalpy - saturated_enthalpy(coldest), 0.0)
        return np.asarray(air.flow * drop)

    def leaving_air(self, air: AirSide, cooling: Array) -> tuple[Array, Array]:
        """Return °C and kg/kg of air from which `cooling` kW were taken.

        Exact in enthalpy: what the air has lost is what was taken.
        """
        bypass = np.exp(-air.units)
        drop = cooling / air.flow
        leaving = air.enthalpy - drop
        surface = saturation_temperature(air.enthalpy - drop / (1.0 - bypass))
        temperature = surface + bypass * (air.temperature - surface)
        ratio = (leaving - AIR_HEAT * temperature) / (
            EVAPORATION_HEAT + VAPOUR_HEAT * temperature
        )
        ratio = np.maximum(np.minimum(ratio, air.humidity_ratio), 0.0)
        return temperature_at(leaving, ratio), ratio

    def duty(
        self,
        air_flow: Array,
        air_temperature: Array,
        air_humidity_ratio: Array,
        water_flow: Array,
        water_entering: Array,
        transfer: Array | float = 1.0,
    ) -> Duty:
        """Return what the coils do in steady operation."""
        air = self.air_side(air_flow, air_temperature, air_humidity_ratio, transfer)
        cooling = self.cooling(air, water_flow, water_entering)
        temperature, ratio = self.leaving_air(air, cooling)
        water = HEAT_CAPACITY * np.maximum(water_flow, _LEAST * self.design_water)
        return Duty(cooling, temperature, ratio, water_entering + cooling / water)

    def water_flow_needed(
        self,
        load: Array,
        supply_temperature: Array | float,
        *,
        air_temperature: Array | float = DESIGN_MIXED_AIR,
        air_humidity_ratio: Array | float = DESIGN_MIXED_HUMIDITY,
        air_share: Array | float = 1.0,
        sensible: bool = False,
    ) -> tuple[Array, Flags]:
        """Return the l/s of water of a temperature that carry a load in kW.

        The second answer is whether the open branch passes that much; where it
        does not the first is its design flow. `sensible` takes the load as the
        sensible part only, which is all that a zone's temperature needs.
        """
        air = self._air(air_share, air_temperature, air_humidity_ratio)
        entering = np.asarray(supply_temperature, dtype=np.float64)
        shape = np.broadcast_shapes(
            np.shape(load), entering.shape, air.flow.shape, air.enthalpy.shape
        )
        low, high = np.zeros(shape), np.ones(shape)
        feasible = (
            self._part(air, self.design_water, entering, sensible=sensible) >= load
        )
        for _ in range(_SEARCH_STEPS):
            middle = 0.5 * (low + high)
            flow = middle * self.design_water
            enough = self._part(air, flow, entering, sensible=sensible) >= load
            high = np.where(enough, middle, high)
            low = np.where(enough, low, middle)
        needed = np.where(np.asarray(load) <= 0.0, 0.0, high)
        return np.asarray(needed * self.design_water), feasible

    def highest_supply_temperature(
        self,
        load: Array,
        water_flow: Array | None = None,
        *,
        air_temperature: Array | float = DESIGN_MIXED_AIR,
        air_humidity_ratio: Array | float = DESIGN_MIXED_HUMIDITY,
        air_share: Array | float = 1.0,
        sensible: bool = False,
        coldest: float = 4.5,
        warmest: float = 18.0,
    ) -> Array:
        """Return the warmest water in °C with which a flow carries a load in kW.

        Without a flow that of the open branch. The answer is `coldest` also
        where even that cannot carry it: `water_flow_needed` tells.
        """
        air = self._air(air_share, air_temperature, air_humidity_ratio)
        flow = self.design_water if water_flow is None else water_flow
        shape = np.broadcast_shapes(
            np.shape(load), flow.shape, air.flow.shape, air.enthalpy.shape
        )
        low, high = np.full(shape, coldest), np.full(shape, warmest)
        for _ in range(_SEARCH_STEPS // 2):
            middle = 0.5 * (low + high)
            enough = self._part(air, flow, middle, sensible=sensible) >= load
            low = np.where(enough, middle, low)
            high = np.where(enough, high, middle)
        return low

    def _air(
        self,
        air_share: Array | float,
        air_temperature: Array | float,
        air_humidity_ratio: Array | float,
    ) -> AirSide:
        return self.air_side(
            np.asarray(air_share) * self.design_air,
            np.asarray(air_temperature, dtype=np.float64),
            np.asarray(air_humidity_ratio, dtype=np.float64),
        )

    def _part(
        self, air: AirSide, flow: Array, entering: Array, *, sensible: bool
    ) -> Array:
        """Return the cooling, or the sensible part of it, kW."""
        cooling = self.cooling(air, flow, entering)
        if not sensible:
            return cooling
        leaving, _ = self.leaving_air(air, cooling)
        heat = AIR_HEAT + VAPOUR_HEAT * air.humidity_ratio
        return air.flow * heat * (air.temperature - leaving)
