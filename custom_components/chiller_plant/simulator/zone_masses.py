"""What heat and moisture are kept in: the air, furniture and structure of zones."""

from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .gains import Heat
from .psychrometrics import AIR_HEAT, EVAPORATION_HEAT, VAPOUR_HEAT

_AIR_CAPACITY = 50.0
"""kJ/K for each m² of floor: air and furniture."""

_STRUCTURE_CAPACITY = 200.0
_COUPLING = 0.004
"""kW/K between air and structure for each m² of floor."""

_MOIST_MASS = 5.0
"""kg of air for each m² of floor as far as moisture goes: the air, and what its
furniture takes up."""

_STARTING_RATIO = 0.0095


@dataclass(slots=True)
class _Step:
    """What the last step had, for its energy balance: kW, °C, kg/s, kW/K."""

    seconds: float
    heat: Heat
    enthalpy: Array
    temperature: Array
    structure: Array
    outdoor: Array
    leaks: Array
    wetter: Array
    leak_conductance: Array
    envelope: Array


class Masses:
    """Air and structure of all zones, two masses and the air's moisture."""

    def __init__(
        self,
        floor_area: Array,
        scenarios: int,
        *,
        start: float,
        infiltration: Array,
        windows: Array,
        envelope: Array,
    ) -> None:
        """Take m², °C to begin with, kg/s of outdoor air, and kW/K outwards."""
        shape = (scenarios, len(floor_area))
        self._infiltration = infiltration
        self._windows = windows
        self._envelope = envelope
        self._coupling = _COUPLING * floor_area
        self._air_capacity = _AIR_CAPACITY * floor_area
        self._structure_capacity = _STRUCTURE_CAPACITY * floor_area
        self._moist_mass = _MOIST_MASS * floor_area
        self.temperature: Array = np.full(shape, start)
        """Of the air, °C."""
        self.structure_temperature: Array = np.full(shape, start)
        """Of walls and floors, °C."""
        self.humidity_ratio: Array = np.full(shape, _STARTING_RATIO)
        """Of the air, kg/kg."""
        self._step: _Step | None = None

    def step(
        self,
        seconds: float,
        heat: Heat,
        *,
        sensible: Array,
        moisture: Array,
        enthalpy: Array,
        outdoor_temperature: Array,
        outdoor_ratio: Array,
        exposed: bool,
    ) -> None:
        """Move both masses and the moisture on.

        `sensible` kW and `moisture` kg/s are what the air handlers bring,
        `enthalpy` is both together in kW as they have it, for the balance.
        Without being `exposed` the zones have nothing to do with outdoors.
        """
        temperature, structure = self.temperature, self.structure_temperature
        ratio = self.humidity_ratio
        infiltration = exposed * self._infiltration
        envelope = exposed * self._envelope
        leak_conductance = AIR_HEAT * infiltration + exposed * self._windows
        leaks = infiltration * (outdoor_ratio - ratio)
        evaporation = EVAPORATION_HEAT + VAPOUR_HEAT * temperature
        wetter = heat.latent / evaporation + moisture + leaks
        self.humidity_ratio = ratio + (seconds / self._moist_mass) * wetter
        # Both masses solved together: implicit, stable, and nothing is lost.
        rate = seconds / self._air_capacity
        structure_rate = seconds / self._structure_capacity
        coupling = self._coupling
        first = temperature + rate * (
            heat.sensible + sensible + leak_conductance * outdoor_temperature
        )
        second = structure + structure_rate * (
            heat.structure + envelope * outdoor_temperature
        )
        own = 1.0 + rate * (coupling + leak_conductance)
        structure_own = 1.0 + structure_rate * (coupling + envelope)
        self.temperature = (structure_own * first + rate * coupling * second) / (
            own * structure_own - rate * structure_rate * coupling**2
        )
        self.structure_temperature = (
            second + structure_rate * coupling * self.temperature
        ) / structure_own
        self._step = _Step(
            seconds,
            heat,
            enthalpy,
            temperature,
            structure,
            outdoor_temperature,
            leaks,
            wetter,
            leak_conductance,
            envelope,
        )

    @property
    def residual(self) -> Array:
        """What the energy balance of the last step lacks, kW: only rounding."""
        step = self._step
        if step is None or step.seconds <= 0.0:
            return np.zeros_like(self.temperature)
        evaporation = EVAPORATION_HEAT + VAPOUR_HEAT * step.temperature
        gained = (
            step.heat.sensible
            + step.heat.latent
            + step.heat.structure
            + step.enthalpy
            + step.leak_conductance * (step.outdoor - self.temperature)
            + step.leaks * evaporation
            + step.envelope * (step.outdoor - self.structure_temperature)
        )
        kept = (
            self._air_capacity * (self.temperature - step.temperature)
            + self._structure_capacity * (self.structure_temperature - step.structure)
        ) / step.seconds
        return np.asarray(gained - kept - step.wetter * evaporation)
