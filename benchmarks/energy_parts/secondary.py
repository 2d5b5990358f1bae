"""What the coils bear, and what it takes to bring them their water.

The bound may choose any supply temperature and any pressure, as long as the
zones stay comfortable. What that leaves is found here with the model's own
coils, zones and pumps: every load at every supply temperature with every number
and speed of secondary pumps, all held until nothing moves any more.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.roles import EquipmentType
from custom_components.chiller_plant.simulator import fleets
from custom_components.chiller_plant.simulator.air_side import LEAST_AIR_SHARE
from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.coils import DESIGN_SUPPLY_AIR
from custom_components.chiller_plant.simulator.layout import Layout
from custom_components.chiller_plant.simulator.networks import Distribution
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY
from custom_components.chiller_plant.simulator.weather_series import WeatherSeries
from custom_components.chiller_plant.simulator.zones import Zones

WARMER = 0.2
"""K above its setpoint that a zone may be: held as well as controllers hold it."""
WARMER_AIR = 0.5
"""K above its setpoint that supply air may be. Without it a bound could starve
the coils: the zones would stay cool, but moist, and for the price of more fans."""
_SETPOINT = 24.0
_LOADS = np.arange(0.1, 1.25, 0.1)
_SPEEDS = np.arange(0.20, 1.001, 0.04)
_STEP = 10.0
_HELD = 3 * 3600.0


@dataclass(frozen=True)
class SecondaryTable:
    """The least secondary pump power at each load and supply temperature.

    The coldest supply comes first, the setting that pumps most last.
    """

    supplies: Array
    """°C (k,)."""
    heat: Array
    """kW that the return brings back, pumps' heat included (loads, k, settings)."""
    power: Array
    flow: Array
    """kW and l/s, of the same shape."""
    warmest: Array
    """K by which the warmest zone is above its setpoint."""
    warm_air: Array
    """K by which the warmest supply air is above its setpoint."""
    fans: Array
    """kW that the air handlers' fans take."""

    def at(self, load: Array) -> tuple[Array, Array]:
        """Return least power and its flow (hours, k) for loads in kW.

        Infinite power where no setting keeps the zones comfortable. A load that
        is too much even for the coldest water gets it, with all that pumps give.
        """
        shape = (len(load), len(self.supplies))
        least = np.full(shape, np.inf)
        flow = np.zeros(shape)
        for column, setting in product(*map(range, self.heat.shape[1:])):
            heat = self.heat[:, column, setting]
            # Where a zone is too warm at one load, it is at every higher one.
            warmest = np.maximum.accumulate(self.warmest[:, column, setting])
            warm_air = np.maximum.accumulate(self.warm_air[:, column, setting])
            power = np.interp(load, heat, self.power[:, column, setting])
            power[np.interp(load, heat, warmest) > WARMER] = np.inf
            power[np.interp(load, heat, warm_air) > WARMER_AIR] = np.inf
            better = power < least[:, column]
            least[better, column] = power[better]
            flow[better, column] = np.interp(
                load[better], heat, self.flow[:, column, setting]
            )
        hopeless = ~np.isfinite(least).any(axis=1)
        heat = self.heat[:, 0, -1]
        least[hopeless, 0] = np.interp(load[hopeless], heat, self.power[:, 0, -1])
        flow[hopeless, 0] = np.interp(load[hopeless], heat, self.flow[:, 0, -1])
        return least, flow


def secondary_table(
    plant: Plant, weather: WeatherSeries, supplies: Array
) -> SecondaryTable:
    """Try all loads at these supply temperatures, at the weather's mean air."""
    layout = Layout(plant)
    mains = layout.distribution
    count = len(layout.machines[EquipmentType.SECONDARY_CHILLED_WATER_PUMP])
    settings = [
        (number, speed) for number in range(1, count + 1) for speed in _SPEEDS.tolist()
    ]
    shape = (len(_LOADS), len(supplies), len(settings))
    rows = np.indices(shape).reshape(3, -1)
    scenarios = rows.shape[1]
    share = _LOADS[rows[0]]
    supply = supplies[rows[1]]
    chosen = np.array(settings)[rows[2]]
    # The n-th pump of each main, so that several mains run alike.
    place = [
        sum(other == group for other in mains.pump_group[:index])
        for index, group in enumerate(mains.pump_group)
    ]
    rank = np.empty(count)
    rank[list(mains.pump_index)] = place
    pumps = fleets.pumps(layout, EquipmentType.SECONDARY_CHILLED_WATER_PUMP, scenarios)
    pumps.settle(rank[None, :] < chosen[:, :1], np.repeat(chosen[:, 1:], count, axis=1))
    specs = fleets.zone_specs(layout)
    distribution = Distribution(
        pumps,
        mains.pump_index,
        Zones(specs, 1, 1.0).design_flow,
        pump_group=mains.pump_group,
        zone_group=mains.user_group,
    )
    zones = Zones(specs, scenarios, distribution.remote_pressure)
    wide = (scenarios, len(specs))
    air = weather.mean
    still = {
        "setpoint": np.full(wide, _SETPOINT),
        "occupied": np.ones(wide, dtype=np.bool_),
        "load_share": share,
        "weather_factor": np.ones(scenarios),
        "time": np.zeros(scenarios),
    }
    for _ in range(round(_HELD / _STEP)):
        flows = distribution.solve(zones.conductance)
        carried = HEAT_CAPACITY * np.maximum(distribution.flow, 1e-3)
        zones.step(
            _STEP,
            air=air,
            water_flow=flows,
            water_entering=supply + distribution.heating / carried,
            fixed=True,
            **still,
        )
    heat = zones.water_cooling.sum(axis=1) + distribution.heating
    # At the least air flow the air handlers let supply air warm up on purpose.
    warm_air = (zones.supply_air_temperature - DESIGN_SUPPLY_AIR) * (
        zones.air_share > LEAST_AIR_SHARE
    )
    warmest = (zones.temperature - _SETPOINT).max(axis=1)
    return SecondaryTable(
        supplies,
        heat.reshape(shape),
        pumps.power.sum(axis=1).reshape(shape),
        distribution.flow.reshape(shape).copy(),
        warmest.reshape(shape),
        warm_air.max(axis=1).reshape(shape),
        zones.fan_power.sum(axis=1).reshape(shape),
    )
