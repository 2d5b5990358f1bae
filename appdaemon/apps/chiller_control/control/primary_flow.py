"""How fast the primary pumps run: as much water as the building takes.

What primary pumps move beyond the secondary flow goes round through the
decoupler for nothing; what they lack comes back to the building warm. So they
follow the secondary flow a little above it, but never below what the chillers'
evaporators need, and at their configured speed while a chiller changes.

No loop to be tuned: flow goes with speed, so that the speed that moves the
wanted flow follows from what the present speed moves.
"""

from collections.abc import Mapping, Sequence

from .decision import Inputs
from .plan import Plan
from .staging_config import StagingConfig
from .staging_plant import CHILLED_WATER_PUMPS, Chiller, StagingPlant

MARGIN = 1.03
"""Primary over secondary flow, for what flow meters are uncertain by."""
RATE = 10.0 / 60.0
"""% of speed a second."""
_DEAD_BAND = 0.02
_LARGEST_STEP = 1.25
"""Of the present speed, for a flow meter that is not believed at once."""


class PrimaryFlow:
    """The speed of the primary pumps of one plant."""

    def __init__(self, plan: Plan, plant: StagingPlant, config: StagingConfig) -> None:
        """Find the flows, and the speeds as the drives show them."""
        self._config = config
        plants = plan.of_type("plant")
        self._secondary = plants[0].point("chilled_water_flow") if plants else None
        self._flows: Mapping[str, tuple[str | None, float]] = {
            item.key: (
                plan.equipment[item.key].point("chilled_water_flow"),
                plan.equipment[item.key].ratings.get("chilled_water_flow", 0.0),
            )
            for item in plant.chillers
        }
        self.pumps = plant.keys(CHILLED_WATER_PUMPS)
        self._speeds = tuple(
            point
            for key in sorted(self.pumps)
            if (point := plan.equipment[key].point("speed")) is not None
        )
        self.follows = config.primary_flow == "follow"
        wanted = [self._secondary, *self._speeds]
        wanted.extend(point for point, _ in self._flows.values())
        self.points = frozenset(
            point for point in wanted if point is not None and self.follows
        )
        self.speed: float | None = None
        self._at: float | None = None
        self.note = ""

    def step(
        self, now: float, inputs: Inputs, running: Sequence[Chiller], settled: bool
    ) -> float:
        """Return the speed in percent."""
        full = self._config.pump_speed
        self.note = ""
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        if not self.follows or not running:
            self.speed = full
            return full
        present = self.speed
        if present is None:
            # Begin with what the pumps do.
            speeds = [inputs.number(point) or 0.0 for point in self._speeds]
            present = self.speed = max(speeds, default=0.0) or full
            return present
        if not settled:
            self.speed = full
            return full
        ratio = self._ratio(inputs, running)
        if ratio is None:
            self.note = "primary or secondary flow not known: configured pump speed"
            target = full
        elif abs(ratio - 1.0) <= _DEAD_BAND:
            target = present
        else:
            target = present * min(max(ratio, 1.0 / _LARGEST_STEP), _LARGEST_STEP)
        most = RATE * passed
        # Up at once: water that is short comes back to the building warm.
        low = present - most
        self.speed = min(max(target, low), full)
        return self.speed

    @property
    def notes(self) -> list[str]:
        """What is not as it should be."""
        return [self.note] if self.note else []

    def _ratio(self, inputs: Inputs, running: Sequence[Chiller]) -> float | None:
        """Return the wanted flow over the present one; None if not known."""
        secondary = inputs.number(self._secondary)
        if secondary is None:
            return None
        moved = least = 0.0
        for chiller in running:
            point, rated = self._flows[chiller.key]
            flow = inputs.number(point)
            if flow is None or rated <= 0:
                return None
            moved += flow
            least += self._config.primary_flow_minimum / 100.0 * rated
        if moved <= 0:
            return None
        return max(MARGIN * secondary, least) / moved
