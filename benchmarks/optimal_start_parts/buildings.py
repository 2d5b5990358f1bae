"""The buildings in which ways of starting are compared: light and heavy, tight and leaky.

The zones are those of the simulator, with its weather. In front of their coils is a
loop of water with a chiller that starts as machines do: nothing for some minutes, then
a soft load. All buildings have the same rated load, so that one loop size fits all;
what makes one heavy is how many m² hang on it.
"""

from dataclasses import dataclass

import numpy as np

from custom_components.chiller_plant.simulator.arrays import Array, Flags
from custom_components.chiller_plant.simulator.gains import Gains
from custom_components.chiller_plant.simulator.pipes import Pipe, mix
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY
from custom_components.chiller_plant.simulator.weather_series import (
    HOUR,
    YEAR_START,
    Air,
    WeatherSeries,
)
from custom_components.chiller_plant.simulator.zones import Zones, ZoneSpec

RATED = 500.0
"""kW of each building."""

SETPOINT = 24.0
SUPPLY = 6.7
_LITRES = 5.0 * RATED
_PRESSURE = 50.0
"""kPa across the coils while pumps run."""

_LEAST_FLOW = 0.4
"""Share of the design flow that the chiller gets through its bypass."""

_SOFT_START, _SOFT_RATE = 0.1, 0.1 / 60.0
"""Share of capacity with which a chiller begins, and what it adds in a second."""

_WARMING = 20.0 * HOUR
"""Seconds in which standing water nears the building: pipes, coils, leaking valves."""

_ROOM = 28.0


@dataclass(frozen=True, slots=True)
class Building:
    """One building and how it is used."""

    name: str
    floor_area: float
    """m²: 250 kJ/K each."""
    gains: Gains
    opening: float
    """Hours after midnight."""
    closing: float
    days_off: tuple[int, ...]
    """Days of the week, Monday 0."""
    dead_time: float
    """Minutes from start to the first cold water."""
    capacity: float
    """Of the chiller, as a share of the rated load."""


BUILDINGS = (
    Building(
        "light office",
        3000.0,
        Gains(window_share=0.12, weekend_share=0.0),
        8.0,
        18.0,
        (5, 6),
        12.0,
        1.15,
    ),
    Building(
        "glass tower",
        3600.0,
        Gains(
            window_share=0.2,
            envelope_transmittance=0.3,
            infiltration=0.3,
            weekend_share=0.0,
        ),
        8.0,
        19.0,
        (5, 6),
        15.0,
        1.05,
    ),
    Building(
        "shop",
        3800.0,
        Gains(
            people_density=6.0,
            infiltration=0.5,
            lighting_density=14.0,
            weekend_share=1.0,
        ),
        9.0,
        21.0,
        (),
        10.0,
        1.1,
    ),
    Building(
        "school",
        4500.0,
        Gains(
            people_density=4.0,
            equipment_density=5.0,
            infiltration=0.3,
            window_share=0.12,
            weekend_share=0.0,
        ),
        7.5,
        16.5,
        (5, 6),
        18.0,
        1.1,
    ),
    Building(
        "heavy office",
        6000.0,
        Gains(envelope_transmittance=0.15, equipment_density=8.0, window_share=0.12),
        8.0,
        18.0,
        (6,),
        15.0,
        1.1,
    ),
    Building(
        "heavy archive",
        7500.0,
        Gains(
            people_density=20.0,
            equipment_density=4.0,
            lighting_density=6.0,
            window_share=0.05,
            weekend_share=0.0,
        ),
        8.5,
        17.5,
        (5, 6),
        20.0,
        1.0,
    ),
)


class Site:
    """All buildings under all ways of starting; arrays are (scenarios,).

    Scenario `p * buildings + b` is building `b` under way `p`. Each scenario carries the zones
    of all buildings, since one set of zones belongs to all scenarios of the
    simulator; its own is looked at, and its own alone takes water.
    """

    def __init__(self, ways: int, days: int, seed: int) -> None:
        """Make weather for `days` days and fill pipes."""
        count = len(BUILDINGS)
        self.scenarios = ways * count
        self.building = np.tile(np.arange(count), ways)
        self._row = np.arange(self.scenarios)
        specs = [ZoneSpec(RATED, item.floor_area, item.gains) for item in BUILDINGS]
        self._zones = Zones(specs, self.scenarios, _PRESSURE)
        self._own = np.zeros((self.scenarios, count))
        self._own[self._row, self.building] = 1.0
        self._supply = Pipe(0.5 * _LITRES, _ROOM, self.scenarios, nodes=3)
        self._return = Pipe(0.5 * _LITRES, _ROOM, self.scenarios, nodes=3)
        self._design = self._zones.design_flow[0]
        self._capacity = np.array(
            [BUILDINGS[b].capacity * RATED for b in self.building]
        )
        self._dead_time = np.array([60.0 * item.dead_time for item in BUILDINGS])
        hours = YEAR_START + HOUR * np.arange(24.0 * (days + 1) + 1.0, dtype=np.float64)
        outdoor = [
            WeatherSeries.tropical(seed + index).at(hours) for index in range(count)
        ]
        self._weather = np.array(
            [[getattr(air, name) for air in outdoor] for name in Air.__slots__]
        )
        self._random = np.random.default_rng(seed)
        self._delay = self._dead_time[self.building]
        self.air = self._air(0.0)
        self.new_day()

    def new_day(self) -> None:
        """Draw how long the start takes today; the same under every way."""
        count = len(BUILDINGS)
        drawn = self._dead_time + self._random.normal(0.0, 180.0, count)
        self._delay = np.maximum(drawn, 120.0)[self.building]

    @property
    def temperature(self) -> Array:
        """Of the zone, °C."""
        return np.asarray(self._zones.temperature[self._row, self.building])

    def _air(self, time: float) -> Air:
        hour = time / HOUR
        index = int(hour)
        before, after = self._weather[:, :, index], self._weather[:, :, index + 1]
        now = before + (hour - index) * (after - before)
        return Air(*now[:, self.building])

    def step(self, seconds: float, time: float, running: Array) -> None:
        """Go on; `time` since the first midnight, `running` seconds, 0 where off."""
        self.air = self._air(time)
        on: Flags = running > 0.0
        flows = self._zones.conductance * np.sqrt(_PRESSURE) * self._own
        flows *= on[:, None]
        taken = flows.sum(axis=1)
        flow = np.maximum(taken, _LEAST_FLOW * self._design) * on
        entering = self._return.outlet_temperature
        cooling = self._cooling(running)
        carried = np.maximum(flow, 1e-6) * HEAT_CAPACITY
        leaving = np.maximum(entering - cooling / carried, np.minimum(SUPPLY, entering))
        standing = ~on * (0.5 * _LITRES * HEAT_CAPACITY / _WARMING)
        self._supply.step(
            seconds, flow, leaving, standing * (_ROOM - self._supply.outlet_temperature)
        )
        self._zones.step(
            seconds,
            time=np.full(self.scenarios, YEAR_START + time),
            setpoint=np.full(self._own.shape, SETPOINT),
            occupied=np.repeat(on[:, None], len(BUILDINGS), axis=1),
            load_share=np.zeros(self.scenarios),
            weather_factor=np.zeros(self.scenarios),
            air=self.air,
            water_flow=flows,
            water_entering=self._supply.outlet_temperature,
        )
        streams = np.column_stack((flows, flow - taken))
        warmed = np.column_stack(
            (self._zones.return_temperature, self._supply.outlet_temperature)
        )
        self._return.step(
            seconds,
            flow,
            mix(streams, warmed, entering.copy()),
            standing * (_ROOM - self._return.outlet_temperature),
        )

    def _cooling(self, running: Array) -> Array:
        """Return the kW that each chiller can give after so many seconds."""
        since = running - self._delay
        share = np.minimum(_SOFT_START + _SOFT_RATE * since, 1.0)
        return np.asarray(self._capacity * share * (since > 0.0))
