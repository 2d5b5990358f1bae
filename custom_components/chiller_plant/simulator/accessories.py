"""Machines beside the plant: meters, heat sources, circuits that can be shed."""

from .water import Pipe

_HEAT_SOURCE_TIME = 300.0
_AMBIENT = 28.0


class Meter:
    """Counts what it measures; kW and kWh."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.power = 0.0
        self.energy = 0.0
        self.cooling_power = 0.0
        self.cooling_energy = 0.0

    def step(self, seconds: float, power: float, cooling: float) -> None:
        """Take electrical power and cooling of this moment in kW."""
        self.power = power
        self.cooling_power = cooling
        self.energy += power * seconds / 3600.0
        self.cooling_energy += cooling * seconds / 3600.0


class HeatSource:
    """A boiler, as far as anybody sees from outside."""

    def __init__(self, auxiliary_power: float) -> None:
        """Take the electrical power of burner and pump in kW."""
        self._auxiliary_power = auxiliary_power
        self._water = Pipe(1000.0, _AMBIENT)
        self.running = False

    @property
    def power(self) -> float:
        """Electrical power, kW."""
        return self._auxiliary_power if self.running else 0.0

    @property
    def supply_temperature(self) -> float:
        """Leaving water, °C."""
        return self._water.outlet_temperature

    def step(self, seconds: float, run: bool, setpoint: float) -> None:
        """Near the setpoint, or the ambient when off."""
        self.running = run
        flow = 1000.0 / _HEAT_SOURCE_TIME
        self._water.step(seconds, flow, setpoint if run else _AMBIENT)


class SheddableCircuit:
    """A load that is on or off."""

    def __init__(self, rated_power: float) -> None:
        """Take the electrical power in kW."""
        self._rated_power = rated_power
        self.running = False

    @property
    def power(self) -> float:
        """Electrical power, kW."""
        return self._rated_power if self.running else 0.0

    def step(self, run: bool) -> None:
        """Switch."""
        self.running = run
