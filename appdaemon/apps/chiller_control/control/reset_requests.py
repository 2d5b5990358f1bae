"""What zones ask of the chilled-water plant.

Guideline 36-2021 §5.16.16.2: an air handling unit asks for colder water or more
pressure when its supply air stays too warm, and once when its valve is nearly
open. Zones whose air side is not on the bus show the same by their own
temperature. A supply air that is too warm counts only while the valve is
opening: before that, the zone has not yet taken what it could.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .decision import Inputs
from .plan import PlanEquipment

REQUEST_HOLD = 120.0
"""Seconds for which air must be too warm before it counts."""

_WARM_AIR = ((3.0, 3), (2.0, 2))
"""K above the setpoint of the supply air, and the requests that it makes.
Before these, the error that is allowed makes one."""

_WARM_ZONE = ((2.0, 3), (1.0, 2))
"""Times the allowed error of the zone, and the requests that it makes."""


@dataclass(frozen=True, slots=True)
class RequestSettings:
    """Valve positions in %, temperatures in °C and K."""

    valve_on: float
    valve_off: float
    supply_air: float
    air_error: float
    zone_error: float


class ZoneRequests(NamedTuple):
    """What all zones ask together."""

    total: int
    by_zone: Mapping[str, int]
    unknown: tuple[str, ...]
    """Zones that say nothing."""
    highest_valve: float | None


class _Held:
    """How long a temperature has been above each of its levels."""

    def __init__(self, levels: tuple[tuple[float, int], ...]) -> None:
        self._levels = levels
        self._since: list[float | None] = [None] * len(levels)
        self._lowest = min(level for level, _ in levels)
        self._below = True
        """Whether it is below all of them."""

    def observe(self, now: float, excess: float | None, unit: float = 1.0) -> int:
        """Return the requests that the excess (K) makes now."""
        if excess is None or excess <= self._lowest * unit:
            if not self._below:
                self._below, self._since = True, [None] * len(self._levels)
            return 0
        self._below, requests = False, 0
        for index, (level, count) in enumerate(self._levels):
            if excess <= level * unit:
                self._since[index] = None
                continue
            since = self._since[index]
            if since is None:
                self._since[index] = now
            elif now - since >= REQUEST_HOLD:
                requests = max(requests, count)
        return requests


class _Zone:
    def __init__(self, equipment: PlanEquipment, settings: RequestSettings) -> None:
        self.key = equipment.key
        self.valve = equipment.point("cooling_valve_position")
        self.supply_air = equipment.point("supply_air_temperature")
        self.temperature = equipment.point("temperature")
        self.setpoint = equipment.point("temperature_setpoint")
        self.occupied = equipment.point("occupied_command")
        self.points = tuple(
            point
            for point in (
                self.valve,
                self.supply_air,
                self.temperature,
                self.setpoint,
                self.occupied,
            )
            if point is not None
        )
        self.valve_high = False
        self.warm_air = _Held((*_WARM_AIR, (settings.air_error, 1)))
        self.warm_zone = _Held(_WARM_ZONE)

    def observe(
        self, now: float, inputs: Inputs, settings: RequestSettings
    ) -> tuple[int | None, float | None]:
        """Return its requests (None: it says nothing) and its valve position."""
        if inputs.on(self.occupied) is False:
            self.valve_high = False
            self.warm_air.observe(now, None)
            self.warm_zone.observe(now, None)
            return 0, None
        valve = inputs.number(self.valve)
        if valve is not None:
            limit = settings.valve_off if self.valve_high else settings.valve_on
            self.valve_high = valve > limit
        air = inputs.number(self.supply_air)
        zone = inputs.number(self.temperature)
        setpoint = inputs.number(self.setpoint)
        opened = valve is None or valve > settings.valve_off
        air_excess = None if air is None or not opened else air - settings.supply_air
        zone_excess = (
            None if zone is None or setpoint is None or not opened else zone - setpoint
        )
        if valve is None and air is None and zone_excess is None:
            return None, None
        requests = self.warm_air.observe(now, air_excess)
        requests = max(
            requests, self.warm_zone.observe(now, zone_excess, settings.zone_error)
        )
        return max(requests, 1 if self.valve_high else 0), valve


class ResetRequests:
    """The requests of the zones of one plant."""

    def __init__(
        self, zones: tuple[PlanEquipment, ...], settings: RequestSettings
    ) -> None:
        """Take the zones that count."""
        self._zones = tuple(_Zone(zone, settings) for zone in zones)
        self._settings = settings
        self.points = frozenset(point for zone in self._zones for point in zone.points)

    def observe(self, now: float, inputs: Inputs) -> ZoneRequests:
        """Look at all zones."""
        by_zone: dict[str, int] = {}
        unknown: list[str] = []
        highest: float | None = None
        for zone in self._zones:
            requests, valve = zone.observe(now, inputs, self._settings)
            if requests is None:
                unknown.append(zone.key)
                continue
            by_zone[zone.key] = requests
            if valve is not None and (highest is None or valve > highest):
                highest = valve
        return ZoneRequests(sum(by_zone.values()), by_zone, tuple(unknown), highest)

    def resume(self) -> list[str]:
        """Return the zones whose valve request stands; JSON types."""
        return [zone.key for zone in self._zones if zone.valve_high]

    def restore(self, data: Any) -> None:
        """Go on from `resume`."""
        for zone in self._zones:
            zone.valve_high = zone.key in data
