"""Zones: what the plant is there for.

Each is two thermal masses (air with furniture, structure), an air handling
unit with a chilled-water coil, and its own two controllers: zone temperature
on the air flow, supply air temperature on the cooling valve.
"""

from dataclasses import dataclass
from math import exp

from .hydraulics import coil_conductance
from .water import HEAT_CAPACITY
from .weather import OutdoorAir, humidity_ratio, saturation_pressure

REFERENCE_TEMPERATURE = 24.0
"""Zone temperature at which the rated load is the load, °C."""

DESIGN_WATER_RISE = 5.6
DESIGN_SUPPLY_WATER = 6.7
DESIGN_SUPPLY_AIR = 13.0
HIGHEST_SUPPLY_AIR = 18.0
OVERSIZE = 1.10
"""Coils are chosen larger than the load they are rated for."""

_SELF_REGULATION = 1.0 / 15.0
"""Share of the rated load that is gone for each kelvin the zone is warmer:
envelope and outdoor air."""

_WEATHER_SHARE = 0.25
"""Share of the load that follows the enthalpy of the outdoor air."""

_UNOCCUPIED_SHARE = 0.3
_OUTDOOR_AIR_SHARE = 0.15
_AIR_CAPACITY = 50.0
"""kJ/K for each m² of floor: air and furniture."""

_MASS_CAPACITY = 200.0
_MASS_COUPLING = 0.004
"""kW/K between air and structure for each m² of floor."""

_LEAST_AIR_FLOW = 0.3
_COIL_LAG = 60.0
_WATER_SIDE_SHARE = 0.3
"""Share of the coil's thermal resistance that lies on its water side."""

_MOISTURE_TIME = 900.0
_VALVE_GAIN = 0.03
_VALVE_INTEGRAL_TIME = 90.0
_AIR_GAIN = 0.5
_AIR_INTEGRAL_TIME = 900.0


@dataclass(slots=True)
class Loop:
    """A small PI controller of the kind every zone controller has.

    Output 0 to 1; the integral stops where the output does.
    """

    gain: float
    integral_time: float
    integral: float = 0.0

    def step(self, seconds: float, error: float) -> float:
        """Return the output for `error` (measured minus wanted, K)."""
        self.integral += self.gain * error * seconds / self.integral_time
        self.integral = max(0.0, min(1.0, self.integral))
        return max(0.0, min(1.0, self.integral + self.gain * error))


def _effectiveness(transfer: float, smaller: float, larger: float) -> float:
    """Return the effectiveness of a counterflow exchanger; all in kW/K."""
    units, ratio = transfer / smaller, smaller / larger
    if ratio > 0.999:
        return units / (1.0 + units)
    decay = exp(-units * (1.0 - ratio))
    return (1.0 - decay) / (1.0 - ratio * decay)


# UA of the coil, as a multiple of its design air capacity flow: a little less
# than the design rise needs, as coils are after some years.
_DESIGN_TRANSFER = 1.22


class Zone:
    """One zone and its air handling unit; rated cooling load in kW."""

    def __init__(self, rated_load: float, floor_area: float, pressure: float) -> None:
        """Take kW, m², and the kPa at which the coil branch is sized."""
        self.rated_load = rated_load
        self.temperature = REFERENCE_TEMPERATURE
        self.supply_air_temperature = DESIGN_SUPPLY_AIR
        self.valve = 0.3
        self.cooling = 0.0
        self.gain = 0.0
        self.return_temperature = DESIGN_SUPPLY_WATER + DESIGN_WATER_RISE
        self._mass = REFERENCE_TEMPERATURE
        self._moisture = 0.0095
        self._floor = floor_area
        self._design_flow = OVERSIZE * rated_load / (HEAT_CAPACITY * DESIGN_WATER_RISE)
        self._design_pressure = pressure
        self._design_air = (
            OVERSIZE * rated_load / (REFERENCE_TEMPERATURE + 1.0 - DESIGN_SUPPLY_AIR)
        )
        self._air_share = 0.5
        self._air_loop = Loop(_AIR_GAIN, _AIR_INTEGRAL_TIME, 0.5)
        self._valve_loop = Loop(_VALVE_GAIN, _VALVE_INTEGRAL_TIME, 0.3)

    @property
    def design_flow(self) -> float:
        """Water through the open branch at its design pressure, l/s."""
        return self._design_flow

    @property
    def conductance(self) -> float:
        """Hydraulic conductance of coil and valve now, (l/s)/√kPa."""
        return coil_conductance(self._design_flow, self._design_pressure, self.valve)

    @property
    def relative_humidity(self) -> float:
        """Relative humidity of the zone, %."""
        highest = humidity_ratio(saturation_pressure(self.temperature))
        return min(100.0, 100.0 * self._moisture / highest)

    def step(
        self,
        seconds: float,
        *,
        setpoint: float,
        occupied: bool,
        share: float,
        outdoor: OutdoorAir,
        weather_factor: float,
        water: tuple[float, float],
    ) -> None:
        """Go on for `seconds`.

        `share` is the load as a share of the rated one, `weather_factor` 1 at
        average weather, `water` the (l/s, °C) that the branch gets.
        """
        self._control(seconds, setpoint, occupied)
        mixed = self.temperature + _OUTDOOR_AIR_SHARE * max(
            -10.0, min(10.0, outdoor.dry_bulb - self.temperature)
        )
        air = self._air_share * self._design_air
        self._cool(seconds, water, air, mixed)
        self._dry(seconds, outdoor)
        present = share if occupied else share * _UNOCCUPIED_SHARE
        weather = 1.0 - _WEATHER_SHARE + _WEATHER_SHARE * weather_factor
        self.gain = self.rated_load * (
            present * weather
            - _SELF_REGULATION * (self.temperature - REFERENCE_TEMPERATURE)
        )
        # Both masses solved together: semi-implicit, stable at any step.
        air_rate = seconds / (_AIR_CAPACITY * self._floor)
        mass_rate = seconds / (_MASS_CAPACITY * self._floor)
        coupling = _MASS_COUPLING * self._floor
        heat = self.gain - self.cooling
        self.temperature = (
            self.temperature + air_rate * (heat + coupling * self._mass)
        ) / (1.0 + air_rate * coupling)
        self._mass = (self._mass + mass_rate * coupling * self.temperature) / (
            1.0 + mass_rate * coupling
        )

    def _control(self, seconds: float, setpoint: float, occupied: bool) -> None:
        """Air flow by zone temperature, valve by supply air temperature."""
        if not occupied:
            self._air_share = self.valve = 0.0
            self._air_loop.integral = self._valve_loop.integral = 0.0
            return
        demand = self._air_loop.step(seconds, self.temperature - setpoint)
        self._air_share = max(_LEAST_AIR_FLOW, demand)
        # Below least air flow the supply air is let warm up instead.
        spare = max(0.0, _LEAST_AIR_FLOW - demand) / _LEAST_AIR_FLOW
        wanted = DESIGN_SUPPLY_AIR + spare * (HIGHEST_SUPPLY_AIR - DESIGN_SUPPLY_AIR)
        position = self._valve_loop.step(seconds, self.supply_air_temperature - wanted)
        travel = seconds / 60.0
        self.valve += max(-travel, min(travel, position - self.valve))

    def _cool(
        self, seconds: float, water: tuple[float, float], air: float, mixed: float
    ) -> None:
        flow, entering = water
        if flow <= 1e-4 or air <= 0.0 or mixed <= entering:
            cooling = 0.0
        else:
            carried = flow * HEAT_CAPACITY
            air_side = (air / self._design_air) ** -0.6
            water_side = (flow / self._design_flow) ** -0.8
            transfer = (
                _DESIGN_TRANSFER
                * self._design_air
                / (
                    (1.0 - _WATER_SIDE_SHARE) * air_side
                    + _WATER_SIDE_SHARE * water_side
                )
            )
            smaller, larger = min(carried, air), max(carried, air)
            cooling = (
                _effectiveness(transfer, smaller, larger) * smaller * (mixed - entering)
            )
        lag = seconds / _COIL_LAG
        self.cooling = (self.cooling + lag * cooling) / (1.0 + lag)
        if flow > 1e-4:
            carried = max(flow, 0.01 * self._design_flow) * HEAT_CAPACITY
            self.return_temperature = min(entering + self.cooling / carried, 40.0)
        supply = mixed - self.cooling / air if air > 0.0 else self.temperature
        supply = max(supply, entering if flow > 1e-4 else DESIGN_SUPPLY_WATER)
        self.supply_air_temperature = (self.supply_air_temperature + lag * supply) / (
            1.0 + lag
        )

    def _dry(self, seconds: float, outdoor: OutdoorAir) -> None:
        """Follow the moisture: coils leave nearly saturated air."""
        supplied = 0.95 * humidity_ratio(
            saturation_pressure(min(self.supply_air_temperature, outdoor.dew_point))
        )
        outside = humidity_ratio(saturation_pressure(outdoor.dew_point))
        towards = 0.92 * supplied + 0.08 * outside
        rate = seconds * max(self._air_share, 0.02) / _MOISTURE_TIME
        self._moisture = (self._moisture + rate * towards) / (1.0 + rate)
