"""Zones: what the plant is there for.

Each has its masses (`zone_masses.py`), what heats them (`gains.py`), and an air
handler with a wet chilled-water coil (`air_side.py`, `coils.py`). All zones of
all scenarios move together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .air_side import AirHandlers
from .arrays import Array, Flags
from .coils import (
    DESIGN_SUPPLY_AIR,
    DESIGN_SUPPLY_WATER,
    DESIGN_WATER_RISE,
    AirSide,
    Coils,
)
from .conductances import coil_conductance
from .gains import USUAL_PEAK, Gains, Heat, ZoneGains
from .psychrometrics import (
    AIR_HEAT,
    VAPOUR_HEAT,
    enthalpy,
    relative_humidity,
    temperature_at,
)
from .water import HEAT_CAPACITY
from .weather_series import HOUR, Air
from .zone_masses import Masses

REFERENCE_TEMPERATURE = USUAL_PEAK
"""Zone temperature at which the rated load is the load, °C."""

OVERSIZE = 1.10
"""Coils are chosen larger than the load they are rated for."""

_SELF_REGULATION = 1.0 / 15.0
"""Share of the rated load that is gone for each kelvin the zone is warmer:
envelope and outdoor air."""

_WEATHER_SHARE = 0.25
"""Share of the load that follows the enthalpy of the outdoor air."""

_UNOCCUPIED_SHARE = 0.3
_LATENT_SHARE = 0.15
"""Share of the load apart from outdoor air that is moisture."""

_OUTDOOR_AIR_SHARE = 0.15
_COIL_TIME = 60.0
"""Seconds for which a coil's cold metal and water go on cooling."""

_STILL_COIL_TIME = 1800.0
"""The same without a fan."""

_COIL_REACH = 0.98
"""Share of the way to saturated air at water temperature that air can go."""

_SPECIFIC_FAN_POWER = 1.35
"""kW for each kg/s of design air: 1.6 kW for each m³/s."""

_HIGHEST_LOAD_DENSITY = 4.0
"""kW on each m² of floor above which the masses of this model mean nothing."""

_NO_FLOW = 1e-4


@dataclass(frozen=True, slots=True)
class ZoneSpec:
    """A zone: rated cooling load in kW, floor in m²."""

    cooling_load: float
    floor_area: float
    gains: Gains | None = None
    """What heats it; without, a share of the rated load."""
    eco_setpoint: float | None = None
    """°C to hold when nobody is there; without, the air handler is off then."""
    reheat: float = 0.0
    """kW of heat that the VAV boxes can give."""
    comfort_limit: float = REFERENCE_TEMPERATURE + 1.0
    """°C above which people complain."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for what cannot be."""
        if not 0.0 < self.cooling_load < 1e6:
            raise ValueError(f"cooling_load: {self.cooling_load!r} kW is no rated load")
        if not self.floor_area * _HIGHEST_LOAD_DENSITY >= self.cooling_load:
            raise ValueError(
                f"floor_area: {self.floor_area:g} m² is too little for"
                f" {self.cooling_load:g} kW"
            )
        if not 0.0 <= self.reheat < 1e6:
            raise ValueError(f"reheat: {self.reheat!r} kW is no heat")
        for name in ("eco_setpoint", "comfort_limit"):
            value = getattr(self, name)
            if value is not None and not 10.0 <= value <= 40.0:
                raise ValueError(f"{name}: {value!r} °C is not between 10 and 40")

    @classmethod
    def from_ratings(cls, ratings: Mapping[str, float]) -> ZoneSpec:
        """Read a plant file's ratings. Raise `ValueError` for nonsense.

        Only `cooling_load` and `floor_area` have usual values; a zone that
        rates one of `GAIN_RATINGS` gets gains of its own.
        """
        load = ratings.get("cooling_load", 500.0)
        usual = cls(load, ratings.get("floor_area", 10.0 * load))
        return cls(
            usual.cooling_load,
            usual.floor_area,
            Gains.from_ratings(ratings),
            ratings.get("eco_setpoint"),
            ratings.get("reheat", usual.reheat),
            ratings.get("comfort_limit", usual.comfort_limit),
        )


class Zones:
    """All zones and their air handlers, (scenarios, zones)."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        "temperature": "°C",
        "structure_temperature": "°C",
        "relative_humidity": "%",
        "supply_air_temperature": "°C",
        "return_temperature": "°C",
        "valve": "1",
        "air_share": "1",
        "cooling": "kW",
        "water_cooling": "kW",
        "fan_power": "kW",
        "reheat_power": "kW",
        "unmet": "K",
        "unmet_kelvin_hours": "K h",
    }
    ACTIONS: ClassVar[Mapping[str, str]] = AirHandlers.ACTIONS

    def __init__(
        self, specs: Sequence[ZoneSpec], scenarios: int, pressure: Array | float
    ) -> None:
        """Take the zones, and the kPa at which the coil branches are sized."""
        shape = (scenarios, len(specs))
        self._pressure = pressure
        self._rated = np.array([spec.cooling_load for spec in specs])
        floor = np.array([spec.floor_area for spec in specs])
        self._comfort_limit = np.array([spec.comfort_limit for spec in specs])
        self.reheat: Array = np.array([spec.reheat for spec in specs])
        """kW of heat that the VAV boxes of each zone can give."""
        self.coils = Coils(OVERSIZE * self._rated)
        self.air = AirHandlers(
            scenarios,
            eco_setpoint=np.array(
                [
                    np.inf if (eco := spec.eco_setpoint) is None else eco
                    for spec in specs
                ]
            ),
            reheat=self.reheat,
            fan_power=_SPECIFIC_FAN_POWER * self.coils.design_air,
        )
        own = np.array([spec.gains is not None for spec in specs])
        self._own = own
        self._all_own, self._any_own = bool(own.all()), bool(own.any())
        self._gains = ZoneGains([spec.gains or Gains() for spec in specs], floor)
        self._outdoor_fixed = own * self._gains.outdoor_air
        self._outdoor_share = ~own * _OUTDOOR_AIR_SHARE
        self._masses = Masses(
            floor,
            scenarios,
            start=REFERENCE_TEMPERATURE,
            infiltration=own * self._gains.infiltration,
            windows=own * self._gains.window_conductance,
            envelope=own * self._gains.envelope_conductance,
        )
        self.supply_air_temperature: Array = np.full(shape, DESIGN_SUPPLY_AIR)
        """°C behind the coil, before the VAV boxes."""
        self.cooling: Array = np.zeros(shape)
        """What the coils take from the air, kW."""
        self.water_cooling: Array = np.zeros(shape)
        """What the water takes from the coils, kW."""
        self.return_temperature: Array = np.full(
            shape, DESIGN_SUPPLY_WATER + DESIGN_WATER_RISE
        )
        """Of the water behind each coil, °C."""
        self.unmet: Array = np.zeros(shape)
        """K above the comfort limit while somebody is there."""
        self.unmet_kelvin_hours: Array = np.zeros(shape)
        self.coil_transfer: Array = np.ones(shape)
        """A fault that may be set: the share of the clean coil's conductance."""
        self.stored_cold: Array = np.zeros(shape)
        """What the metal and water of the coils still can take from air, kJ."""

    @property
    def design_flow(self) -> Array:
        """Water through the open branches at their design pressure, l/s."""
        return self.coils.design_water

    @property
    def conductance(self) -> Array:
        """Hydraulic conductance of coils and valves now, (l/s)/√kPa."""
        return coil_conductance(self.design_flow, self._pressure, self.air.valve)

    @property
    def temperature(self) -> Array:
        """Of the air, °C."""
        return self._masses.temperature

    @property
    def structure_temperature(self) -> Array:
        """Of walls and floors, °C."""
        return self._masses.structure_temperature

    @property
    def humidity_ratio(self) -> Array:
        """Of the air, kg/kg."""
        return self._masses.humidity_ratio

    @property
    def residual(self) -> Array:
        """What the energy balance of the last step lacks, kW: only rounding."""
        return self._masses.residual

    @property
    def relative_humidity(self) -> Array:
        """Relative humidity of the zones, %."""
        return relative_humidity(self.temperature, self.humidity_ratio)

    @property
    def valve(self) -> Array:
        """Positions of the cooling valves, 0 to 1."""
        return self.air.valve

    @property
    def valve_stuck(self) -> Flags:
        """A fault that may be set in place: valves that do not move."""
        return self.air.valve_stuck

    @property
    def air_share(self) -> Array:
        """Air flows as shares of the design."""
        return self.air.air_share

    @property
    def fan_power(self) -> Array:
        """Electrical power of the air handlers, kW; no part of the plant's."""
        return self.air.fan_power

    @property
    def reheat_power(self) -> Array:
        """Heat that the VAV boxes give, kW."""
        return self.air.reheat_power

    def step(
        self,
        seconds: float,
        *,
        time: Array,
        setpoint: Array,
        occupied: Flags,
        load_share: Array,
        weather_factor: Array,
        air: Air,
        water_flow: Array,
        water_entering: Array,
        fixed: bool = False,
        heating_available: Array | float = 1.0,
    ) -> None:
        """Go on for `seconds` from a local time.

        `load_share` is the load as a share of the rated one and
        `weather_factor` 1 at average weather, for zones without gains of their
        own; for all zones when the load is `fixed`. `water_flow` in l/s for
        each zone, `water_entering` in °C, `heating_available` 0 to 1 of what
        the reheat wants.
        """
        temperature, ratio = self.temperature, self.humidity_ratio
        self.air.step(
            seconds,
            setpoint=setpoint,
            occupied=occupied,
            temperature=temperature,
            supply_air_temperature=self.supply_air_temperature,
            heating_available=heating_available,
        )
        outdoor_ratio = air.humidity_ratio[:, None]
        outdoor_temperature = air.dry_bulb[:, None]
        flow = self.air.air_share * self.coils.design_air
        inside = enthalpy(temperature, ratio)
        fresh = np.minimum(self._outdoor_fixed + self._outdoor_share * flow, flow)
        ventilation = enthalpy(outdoor_temperature, outdoor_ratio) - inside
        part = fresh / np.maximum(flow, 1e-9)
        mixed_ratio = ratio + part * (outdoor_ratio - ratio)
        mixed = temperature_at(inside + part * ventilation, mixed_ratio)
        ventilation *= fresh
        mixed_air = self.coils.air_side(flow, mixed, mixed_ratio, self.coil_transfer)
        still = self._cool(seconds, mixed_air, water_flow, water_entering)
        supply, supply_ratio = self.coils.leaving_air(mixed_air, self.cooling - still)
        self.supply_air_temperature = np.where(mixed_air.blown, supply, temperature)
        heat = self._heat(
            time, air, occupied, load_share, weather_factor, ventilation, fixed
        )
        reheat = self.air.reheat_power
        heat_flow = flow * (AIR_HEAT + VAPOUR_HEAT * supply_ratio)
        self._masses.step(
            seconds,
            heat,
            sensible=heat_flow * (supply - temperature) + reheat - still,
            moisture=flow * (supply_ratio - ratio),
            enthalpy=ventilation + reheat - self.cooling,
            outdoor_temperature=outdoor_temperature,
            outdoor_ratio=outdoor_ratio,
            exposed=not fixed,
        )
        over = self.temperature - self._comfort_limit
        self.unmet = np.maximum(over, 0.0) * occupied
        self.unmet_kelvin_hours += (seconds / HOUR) * self.unmet

    def _cool(
        self, seconds: float, air: AirSide, water_flow: Array, water_entering: Array
    ) -> Array:
        """Let water cool the coils and coils the air.

        Return the kW that come out of coils whose fan stands still.
        """
        entering = water_entering[:, None]
        self.water_cooling = self.coils.cooling(air, water_flow, entering)
        flowing = water_flow > _NO_FLOW
        carried = HEAT_CAPACITY * np.maximum(water_flow, _NO_FLOW)
        self.return_temperature = np.where(
            flowing, entering + self.water_cooling / carried, self.return_temperature
        )
        # Cold metal and water stand between the two: what they hold goes on.
        rate = np.where(air.blown, 1.0 / _COIL_TIME, 1.0 / _STILL_COIL_TIME)
        held = self.stored_cold + seconds * self.water_cooling
        given = held * rate / (1.0 + seconds * rate)
        most = _COIL_REACH * self.coils.most_cooling(air, entering)
        given = np.where(air.blown, np.minimum(given, most), given)
        self.stored_cold = held - seconds * given
        self.cooling = given
        return given * ~air.blown

    def _heat(
        self,
        time: Array,
        air: Air,
        occupied: Flags,
        load_share: Array,
        weather_factor: Array,
        ventilation: Array,
        fixed: bool,
    ) -> Heat:
        """Return what heats the zones apart from outdoor air and envelope."""
        if self._all_own and not fixed:
            return self._own_heat(time, air)
        weather = 1.0 - _WEATHER_SHARE + _WEATHER_SHARE * weather_factor
        present = np.where(occupied, 1.0, _UNOCCUPIED_SHARE)
        share = present * (load_share * weather)[:, None] - _SELF_REGULATION * (
            self.temperature - REFERENCE_TEMPERATURE
        )
        # The share is all that the coil shall have to do: what outdoor air
        # brings is part of it.
        inner = self._rated * share - ventilation
        latent = _LATENT_SHARE * np.maximum(inner, 0.0)
        heat = Heat(inner - latent, latent, np.zeros_like(latent))
        if fixed or not self._any_own:
            return heat
        own = self._own_heat(time, air)
        return Heat(
            np.where(self._own, own.sensible, heat.sensible),
            np.where(self._own, own.latent, heat.latent),
            np.where(self._own, own.structure, heat.structure),
        )

    def _own_heat(self, time: Array, air: Air) -> Heat:
        heat = self._gains.at(time, air)
        # The fans' power ends in the air that they move.
        return Heat(heat.sensible + self.air.fan_power, heat.latent, heat.structure)
