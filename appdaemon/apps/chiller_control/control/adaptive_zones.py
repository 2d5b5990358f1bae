"""The zones that an adaptive schedule goes by: which one counts, and which way it goes."""

from statistics import fmean

from .adaptive_config import AVERAGE, AdaptiveConfig, adaptive_zones, disturbing_points
from .decision import Inputs, Owner
from .optimal_start.drift import towards
from .optimal_start.recovery import Conditions, Mode
from .plan import Plan, PlanAutomation


class Zones:
    """Those that an operator named; temperatures in °C."""

    def __init__(
        self, plan: Plan, automation: PlanAutomation, config: AdaptiveConfig
    ) -> None:
        """Find them; raise ControlRefused if there is none."""
        self._config = config
        zones = adaptive_zones(plan, automation)
        self._temperatures = [str(zone.point("temperature")) for zone in zones]
        self._disturbing = disturbing_points(plan, zones)
        self._heats = bool(plan.of_type("heat_source"))
        self.occupied = [
            point for zone in zones if (point := zone.command("occupied_command"))
        ]
        """What starts their air handlers."""
        self.points = (*self._temperatures, *self._disturbing)
        """What is read of them."""

    def known(self, inputs: Inputs) -> list[float]:
        """Return the temperatures that are measured now."""
        known = [inputs.number(point) for point in self._temperatures]
        return [value for value in known if value is not None]

    def owners(self, inputs: Inputs) -> dict[str, Owner]:
        """Return who commands what makes a difference to what is measured."""
        return {
            point: owner
            for point in self._disturbing
            if (owner := inputs.owners.get(point)) is not None
        }

    def mode(self, zone: float) -> Mode:
        """Return what a zone needs, as far as the plant can."""
        cold = zone < self._config.comfort_temperature - self._config.ignore_band
        return "heating" if self._heats and cold else "cooling"

    def temperature(self, inputs: Inputs) -> float | None:
        """Return the one to go by, None if no zone is known."""
        values = self.known(inputs)
        if not values or self._config.zone_choice == AVERAGE:
            return fmean(values) if values else None
        warmest, coldest = max(values), min(values)
        target = self._config.comfort_temperature
        if self._heats and target - coldest > max(0.0, warmest - target):
            return coldest
        return warmest

    def last_there(self, inputs: Inputs, mode: Mode) -> float | None:
        """Return the one that a start waits for, None if no zone is known."""
        values = self.known(inputs)
        if not values or self._config.zone_choice == AVERAGE:
            return fmean(values) if values else None
        return max(values) if mode == "cooling" else min(values)

    def first_out(self, inputs: Inputs, mode: Mode) -> float | None:
        """Return the one that is nearest to the limit after a stop."""
        values = self.known(inputs)
        # What gets warm is told as a building that is heated, see `towards`.
        return (max(values) if mode == "heating" else min(values)) if values else None

    def drift(self, inputs: Inputs, outdoor: float | None) -> Conditions | None:
        """Return how far zones are from leaving comfort; None: nothing is measured."""
        values = self.known(inputs)
        if not values:
            return None
        warmest, coldest = max(values), min(values)
        target, band = self._config.comfort_temperature, self._config.comfort_band
        colder = outdoor is None or outdoor < coldest
        if self.mode(coldest) == "heating" and colder:
            return towards(coldest, target - band, outdoor, "heating")
        return towards(warmest, target + band, outdoor, "cooling")
