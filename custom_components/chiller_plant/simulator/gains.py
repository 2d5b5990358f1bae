"""What heats and moistens a zone: people, lights, plugs, sun, envelope, outdoors.

A zone that says what is in it has gains of its own; any other takes a share of
its rated cooling load. Both are kW at an hour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from .arrays import Array
from .psychrometrics import enthalpy, saturated_humidity_ratio
from .weather_series import DAY, HOUR, Air

_SENSIBLE_PERSON = 0.075
_LATENT_PERSON = 0.055
"""kW each, at work at a desk."""

_RADIANT_SHARE = 0.4
"""Share of the gains and of the sun that warms the structure first."""

_FACADE_SHARE = 0.4
"""Sun on an average window as a share of that on the horizontal: sides face
every way, and the sun of the tropics stands high."""

_STOREY = 3.0
_AIR_DENSITY = 1.2

_IDLE_SHARE = 0.2
"""Share of lights and plugs that is on when nobody is there."""

_WEEK = 7 * 24

# Share of the people that are there, by hour of the day.
_OFFICE = (
    *(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.3, 0.8, 0.95, 0.95, 0.95),
    *(0.6, 0.8, 0.95, 0.95, 0.95, 0.8, 0.4, 0.2, 0.1, 0.05, 0.0, 0.0),
)
_WEEKEND_SHARE = 0.25

USUAL_PEAK = 24.0
"""Temperature in °C of a zone at its rated load."""


@dataclass(frozen=True, slots=True)
class Gains:
    """What is in a zone, by the m² of floor where nothing else is said."""

    people_density: float = 9.0
    """m² for each person at most; 0 for nobody."""
    lighting_density: float = 9.0
    """W/m²."""
    equipment_density: float = 12.0
    """W/m² of plugs."""
    outdoor_air: float = 0.55
    """l/s for each m² while the air handler runs."""
    window_share: float = 0.2
    """m² of windows for each m² of floor."""
    solar_heat_gain_coefficient: float = 0.3
    window_transmittance: float = 2.8
    """W/(m² K)."""
    envelope_transmittance: float = 0.2
    """W/K through walls and roof for each m² of floor."""
    infiltration: float = 0.1
    """Changes of air an hour."""
    profile: tuple[float, ...] = _OFFICE
    """Share of the people that are there, by hour of a working day."""
    weekend_share: float = _WEEKEND_SHARE

    def __post_init__(self) -> None:
        """Raise `ValueError` for what cannot be."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, float | int) and not 0.0 <= value < 1e6:
                raise ValueError(f"{item.name}: {value!r} is no number from 0 on")
        if len(self.profile) != 24 or not all(0 <= part <= 1 for part in self.profile):
            raise ValueError("profile: 24 shares between 0 and 1 are needed")

    @classmethod
    def from_ratings(cls, ratings: Mapping[str, float]) -> Gains | None:
        """Read them from a plant file's ratings; `None` where there are none."""
        said = {name: ratings[name] for name in GAIN_RATINGS if name in ratings}
        return replace(cls(), **said) if said else None  # type: ignore[arg-type]


GAIN_RATINGS = tuple(item.name for item in fields(Gains) if item.name != "profile")
"""Ratings of a zone that give it gains of its own."""


@dataclass(slots=True)
class Heat:
    """Heat into a zone, kW."""

    sensible: Array
    latent: Array
    structure: Array
    """What the structure takes first."""


class ZoneGains:
    """The gains of several zones, (scenarios, zones)."""

    def __init__(self, gains: Sequence[Gains], floor_area: Array) -> None:
        """Take what is in the zones and their m²."""
        people = np.array(
            [
                1.0 / item.people_density if item.people_density else 0.0
                for item in gains
            ]
        )
        self._people = people * floor_area
        self._electric = _column(gains, "lighting_density") * floor_area / 1000.0
        self._electric += _column(gains, "equipment_density") * floor_area / 1000.0
        windows = _column(gains, "window_share") * floor_area
        self._sun = (
            windows * _column(gains, "solar_heat_gain_coefficient") * _FACADE_SHARE
        ) / 1000.0
        self.window_conductance = (
            windows * _column(gains, "window_transmittance") / 1000.0
        )
        """kW/K between outdoors and the air."""
        self.envelope_conductance = (
            _column(gains, "envelope_transmittance") * floor_area / 1000.0
        )
        """kW/K between outdoors and the structure."""
        self.outdoor_air = (
            _column(gains, "outdoor_air") * floor_area * _AIR_DENSITY / 1000.0
        )
        """kg/s that the air handlers take from outdoors."""
        self.infiltration = (
            _column(gains, "infiltration") * _STOREY * floor_area * _AIR_DENSITY / HOUR
        )
        """kg/s that come by themselves."""
        working = np.array([item.profile for item in gains]).T
        free = working * _column(gains, "weekend_share")
        self._week = np.concatenate([working] * 5 + [free] * 2)

    def occupancy(self, time: Array) -> Array:
        """Return the share of the people that are there, (scenarios, zones)."""
        # 1 January 1970 was a Thursday.
        hour = (time + 3.0 * DAY) / HOUR % _WEEK
        index = hour.astype(np.int64)
        before = self._week[index]
        after = self._week[(index + 1) % _WEEK]
        return np.asarray(before + (hour - index)[:, None] * (after - before))

    def at(self, time: Array, air: Air) -> Heat:
        """Return the gains at local times, envelope and outdoor air apart."""
        present = self.occupancy(time)
        people = self._people * present
        electric = self._electric * (_IDLE_SHARE + (1.0 - _IDLE_SHARE) * present)
        sensible = electric + _SENSIBLE_PERSON * people + self._sun * air.solar[:, None]
        structure = _RADIANT_SHARE * sensible
        return Heat(sensible - structure, _LATENT_PERSON * people, structure)


def _column(gains: Sequence[Gains], name: str) -> Array:
    return np.array([getattr(item, name) for item in gains], dtype=np.float64)


def load_share(profile: Sequence[float] | Array, time: Array) -> Array:
    """Return the share of rated load at local times, between hours too.

    `profile` has 24 shares of a day.
    """
    table = np.asarray(profile, dtype=np.float64)
    hour = time % DAY / HOUR
    index = hour.astype(np.int64) % len(table)
    before = table[index]
    after = table[(index + 1) % len(table)]
    return np.asarray(before + (hour - np.floor(hour)) * (after - before))


_INSIDE = float(
    enthalpy(np.array(USUAL_PEAK), saturated_humidity_ratio(np.array(13.0)))
)


def weather_factor(air: Air, usual: Air) -> Array:
    """Return how much heavier than usual the weather weighs: 1 on average.

    By enthalpy over that of a zone; `usual` is the mean of the series.
    """
    factor = (air.enthalpy - _INSIDE) / np.maximum(usual.enthalpy - _INSIDE, 5.0)
    return np.asarray(np.maximum(np.minimum(factor, 2.0), -0.5))
