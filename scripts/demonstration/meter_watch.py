"""What the wire says of the load and of the rooms, once a second."""

import asyncio
from dataclasses import dataclass, field
from statistics import fmean
import time

from custom_components.chiller_plant.plant.roles import EquipmentType

from .stack import Stack
from .story import StepFailed, wait_until
from .wire import Wire

METER = "site_power.power"
STEADY = 60.0
"""Seconds; a mean over them is the load at a moment."""

_KEPT_LOAD = 0.015
"""Share by which a load may move and is still called steady."""
_BASELINE_SECONDS = 300.0
_STEADY_SECONDS = 600


@dataclass(slots=True)
class MeterWatch:
    """Remembers the meter and the zones of one plant."""

    stack: Stack
    wire: Wire
    loads: list[tuple[float, float]] = field(default_factory=list)
    """When, kW."""
    zones: list[tuple[float, str, float]] = field(default_factory=list)
    """When, which, °C."""

    async def run(self) -> None:
        """Read the meter and the zones once a second until cancelled."""
        zones = [
            f"{zone.key}.temperature"
            for zone in self.stack.plant.of_type(EquipmentType.ZONE)
        ]
        while True:
            values = await self.wire.read([METER, *zones])
            now = time.time()
            if isinstance(load := values.get(METER), float | int):
                self.loads.append((now, float(load)))
            self.zones += [
                (now, zone, float(at))
                for zone in zones
                if isinstance(at := values.get(zone), float | int)
            ]
            await asyncio.sleep(1.0)

    def mean(self, since: float, until: float) -> float:
        """Return the mean load over a time, kW. Raises StepFailed."""
        found = [load for at, load in self.loads if since <= at < until]
        if not found:
            raise StepFailed("the meter said nothing on the wire")
        return fmean(found)

    def warmest(self, since: float, until: float) -> dict[str, float]:
        """Return the highest temperature of each zone over a time, °C."""
        found: dict[str, float] = {}
        for at, zone, warm in self.zones:
            if since <= at <= until:
                found[zone] = max(found.get(zone, warm), warm)
        return found

    async def steady(self, since: float) -> str:
        """Wait until the load has been steady for long enough since a moment."""
        begin = max(since, self.loads[0][0])

        async def is_steady() -> bool:
            now = time.time()
            if now - begin < _BASELINE_SECONDS:
                return False
            thirds = [
                self.mean(now - share * _BASELINE_SECONDS / 3, now)
                for share in (1, 2, 3)
            ]
            return max(thirds) - min(thirds) <= _KEPT_LOAD * thirds[0]

        async def now() -> str:
            return f"{self.loads[-1][1]:.0f} kW" if self.loads else "nothing read"

        await wait_until(is_steady, _STEADY_SECONDS, "the load is steady", now)
        end = time.time()
        return f"{self.mean(end - STEADY, end):.0f} kW at the meter's own wire"
