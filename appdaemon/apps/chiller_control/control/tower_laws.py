"""What the condenser water should be, or the fans do, by laws of few numbers.

Pure arithmetic; °C, K, and shares of the design for loads and speeds.
"""

from dataclasses import dataclass
from math import atan, sqrt

LAWS = ("fixed", "wet_bulb_approach", "lift", "braun", "model")

DESIGN_RANGE = 5.2
"""K that the condenser water falls in the towers at design (G36 §5.20.12: until
it is measured, half of it is believed)."""


@dataclass(frozen=True, slots=True)
class LiftLaw:
    """Guideline 36-2021 §5.20.12.2: the lift that a part-load ratio deserves.

    In a climate whose wet bulb stays high the target is out of reach, and the
    fans run at their highest: there the other laws are the better choice.
    """

    minimum: float
    maximum: float

    def lift(self, part_load_ratio: float) -> float:
        """Return the target of leaving condenser minus chilled water, K."""
        slope = 1.1 * (self.maximum - self.minimum)
        target = slope * part_load_ratio + self.maximum - slope
        return min(max(target, self.minimum), self.maximum)

    @staticmethod
    def fan_cap(part_load_ratio: float) -> float:
        """Return the highest fan speed: 70 % without load, 100 % from half load."""
        return 0.7 + 0.3 * min(max(part_load_ratio / 0.5, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class BraunLaw:
    """Near-optimal air flow by load alone, for fans of variable speed.

    Braun, in ASHRAE Handbook HVAC Applications, chapter "Supervisory control
    strategies and optimization".
    """

    knee: float
    """Part-load ratio of the plant whose optimum is the design air flow, / √3."""

    @classmethod
    def of(
        cls,
        chiller_power: float,
        fan_power: float,
        sensitivity: float = 0.0224,
        approach_and_range: float = 8.5,
    ) -> "BraunLaw":
        """Estimate it from the design.

        `sensitivity` is the rise of the chillers' power for each kelvin of
        condenser water, as a share; approach and range are the design's sum.
        """
        gain = chiller_power / fan_power * sensitivity * approach_and_range
        return cls(1.0 / sqrt(gain))

    def air_flow(self, part_load_ratio: float) -> float:
        """Return the air flow of all cells as a share of their design."""
        cap = sqrt(3.0) * self.knee
        share = 1.0 - (cap - part_load_ratio) / (2.0 * self.knee)
        return min(max(share, 0.0), 1.0)


def wet_bulb(temperature: float, relative_humidity: float) -> float:
    """Return the wet bulb in °C from dry bulb (°C) and relative humidity (%).

    Stull, J. Appl. Meteor. Climatol. 50 (2011) 2267: within 1 K from 5 to 99 %
    at sea level; in warm and humid air within 0.3 K.
    """
    t, rh = temperature, min(max(relative_humidity, 5.0), 99.0)
    return float(
        t * atan(0.151977 * sqrt(rh + 8.313659))
        + atan(t + rh)
        - atan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * atan(0.023101 * rh)
        - 4.686035
    )
