"""What only the simulator needs to know of a plant.

The `simulation` section of the plant file, with defaults that suit a plant
which says nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal, get_args

from ..plant.model import Plant
from .curve_sets import CURVE_SETS
from .layout import SimulationError
from .weather_series import WeatherError, WeatherSeries

type ChillerModel = Literal["reformulated", "eir"]

_USUAL_CURVES = "carrier_19xr_1407_vsd"

# Share of the rated load by hour of the day: an office that never is empty.
_LOAD_PROFILE = (
    *(0.25, 0.25, 0.25, 0.25, 0.25, 0.30, 0.40, 0.55, 0.70, 0.80, 0.85, 0.90),
    *(0.90, 0.95, 1.00, 0.95, 0.90, 0.80, 0.65, 0.50, 0.40, 0.35, 0.30, 0.25),
)


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """Volumes in litres (None: after the plant's size), weather, load, curves."""

    chilled_water_volume: float | None
    condenser_water_volume: float | None
    secondary_minimum_flow: float
    """l/s that a bypass keeps in each secondary main; 0: there is none."""

    weather: Callable[[], WeatherSeries]
    """Makes the weather: a year of it takes a moment."""

    load_profile: tuple[float, ...]
    """Share of the rated load at each hour of the day."""

    chiller_curves: str
    chiller_model: ChillerModel


def _number(
    section: Mapping[str, object], path: str, name: str, default: float
) -> float:
    value = section.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SimulationError(f"{path}.{name}: a number is needed, not {value!r}")
    return float(value)


def _volume(section: Mapping[str, object], name: str) -> float | None:
    if name not in section:
        return None
    litres = 1000.0 * _number(section, "simulation", name, 0.0)
    if litres <= 0.0:
        raise SimulationError(f"simulation.{name}: a volume in m³ above 0 is needed")
    return litres


def _secondary_minimum_flow(section: Mapping[str, object]) -> float:
    flow = _number(section, "simulation", "secondary_minimum_flow", 0.0)
    if not 0.0 <= flow < inf:
        raise SimulationError(
            "simulation.secondary_minimum_flow: a flow in l/s is needed, 0 for no"
            f" bypass, not {flow:g}"
        )
    return flow


def _word(
    section: Mapping[str, object], name: str, words: tuple[str, ...], usual: str
) -> str:
    value = section.get(name, usual)
    if value not in words:
        raise SimulationError(
            f"simulation.{name}: {value!r} is unknown; there are: {', '.join(words)}"
        )
    return str(value)


def _daily(section: Mapping[str, object]) -> Callable[[], WeatherSeries]:
    numbers = {
        name: _number(section, "simulation.weather", name, usual)
        for name, usual in (
            ("mean_temperature", 29.0),
            ("daily_swing", 4.0),
            ("dew_point", 24.0),
        )
    }
    return lambda: WeatherSeries.daily(**numbers)


def _tropical(section: Mapping[str, object]) -> Callable[[], WeatherSeries]:
    seed = int(_number(section, "simulation.weather", "seed", 1.0))
    return lambda: WeatherSeries.tropical(seed)


def _desert(section: Mapping[str, object]) -> Callable[[], WeatherSeries]:
    seed = int(_number(section, "simulation.weather", "seed", 1.0))
    return lambda: WeatherSeries.desert(seed)


def _epw(section: Mapping[str, object]) -> Callable[[], WeatherSeries]:
    file = section.get("file")
    if not isinstance(file, str):
        raise SimulationError(
            f"simulation.weather.file: the path of an EPW file is needed, not {file!r}"
        )

    def read() -> WeatherSeries:
        try:
            return WeatherSeries.from_epw(Path(file))
        except (WeatherError, OSError) as error:
            raise SimulationError(f"simulation.weather.file: {error}") from error

    return read


_WEATHER: Mapping[
    str, Callable[[Mapping[str, object]], Callable[[], WeatherSeries]]
] = {"daily": _daily, "tropical": _tropical, "desert": _desert, "epw": _epw}


def _weather(section: Mapping[str, object]) -> Callable[[], WeatherSeries]:
    weather = section.get("weather", {})
    if not isinstance(weather, Mapping):
        raise SimulationError(f"simulation.weather: not a mapping: {weather!r}")
    kind = weather.get("kind", "daily")
    if kind not in _WEATHER:
        raise SimulationError(
            f"simulation.weather.kind: {kind!r} is unknown; there are:"
            f" {', '.join(_WEATHER)}"
        )
    return _WEATHER[str(kind)](weather)


def _load_profile(section: Mapping[str, object]) -> tuple[float, ...]:
    profile = section.get("load_profile", _LOAD_PROFILE)
    if (
        not isinstance(profile, list | tuple)
        or len(profile) != 24
        or not all(
            isinstance(share, int | float) and 0.0 <= share <= 1.5 for share in profile
        )
    ):
        raise SimulationError(
            "simulation.load_profile: 24 shares of the rated load (0 to 1.5) are"
            f" needed, one an hour, not {profile!r}"
        )
    return tuple(float(share) for share in profile)


def read_settings(plant: Plant) -> SimulationSettings:
    """Read the simulation section. Raise `SimulationError` for nonsense."""
    section = plant.simulation
    models: tuple[ChillerModel, ...] = get_args(ChillerModel.__value__)
    model = _word(section, "chiller_model", models, models[0])
    return SimulationSettings(
        chilled_water_volume=_volume(section, "chilled_water_volume"),
        condenser_water_volume=_volume(section, "condenser_water_volume"),
        secondary_minimum_flow=_secondary_minimum_flow(section),
        weather=_weather(section),
        load_profile=_load_profile(section),
        chiller_curves=_word(
            section, "chiller_curves", tuple(CURVE_SETS), _USUAL_CURVES
        ),
        chiller_model="eir" if model == "eir" else "reformulated",
    )
