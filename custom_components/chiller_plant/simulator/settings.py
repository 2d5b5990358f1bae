"""What only the simulator needs to know of a plant.

The `simulation` section of the plant file, with defaults that suit a plant
which says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..plant.model import Equipment, Plant
from ..plant.roles import EquipmentType
from .weather import SECONDS_A_DAY, SECONDS_AN_HOUR, Weather

_LITRES_A_KILOWATT = 5.0

# Share of the rated load by hour of the day: an office that never is empty.
_LOAD_PROFILE = (
    *(0.25, 0.25, 0.25, 0.25, 0.25, 0.30, 0.40, 0.55, 0.70, 0.80, 0.85, 0.90),
    *(0.90, 0.95, 1.00, 0.95, 0.90, 0.80, 0.65, 0.50, 0.40, 0.35, 0.30, 0.25),
)


class SimulationError(ValueError):
    """A plant that cannot be simulated; the text says what it lacks."""


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """Volumes in litres, weather, and the day's load."""

    chilled_water_volume: float
    condenser_water_volume: float
    weather: Weather
    load_profile: tuple[float, ...]

    def load_share(self, time: float) -> float:
        """Return the share of rated load at a local time, between hours too."""
        hour = time % SECONDS_A_DAY / SECONDS_AN_HOUR
        first = int(hour)
        profile = self.load_profile
        before = profile[first % len(profile)]
        after = profile[(first + 1) % len(profile)]
        return before + (hour - first) * (after - before)


def rating(equipment: Equipment, name: str, default: float) -> float:
    """Return a name-plate figure, or a usual one where the file has none."""
    value = equipment.ratings.get(name, default)
    return value if value > 0.0 else default


def _number(section: Mapping[str, object], name: str, default: float) -> float:
    value = section.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SimulationError(f"simulation.{name}: a number is needed, not {value!r}")
    return float(value)


def read_settings(plant: Plant) -> SimulationSettings:
    """Read the simulation section. Raise `SimulationError` for nonsense."""
    section = plant.simulation
    capacity = sum(
        rating(item, "cooling_capacity", 1407.0)
        for item in plant.of_type(EquipmentType.CHILLER)
    )
    litres = _LITRES_A_KILOWATT * capacity
    weather = section.get("weather", {})
    if not isinstance(weather, Mapping):
        raise SimulationError(f"simulation.weather: not a mapping: {weather!r}")
    usual = Weather()
    profile = section.get("load_profile", _LOAD_PROFILE)
    if (
        not isinstance(profile, list | tuple)
        or len(profile) != 24
        or not all(isinstance(share, int | float) for share in profile)
    ):
        raise SimulationError(
            "simulation.load_profile: 24 shares of the rated load are needed, one an"
            f" hour, not {profile!r}"
        )
    return SimulationSettings(
        chilled_water_volume=1000.0
        * _number(section, "chilled_water_volume", litres / 1000.0),
        condenser_water_volume=1000.0
        * _number(section, "condenser_water_volume", litres / 1000.0),
        weather=Weather(
            mean_temperature=_number(
                weather, "mean_temperature", usual.mean_temperature
            ),
            daily_swing=_number(weather, "daily_swing", usual.daily_swing),
            dew_point=_number(weather, "dew_point", usual.dew_point),
        ),
        load_profile=tuple(float(share) for share in profile),
    )
