"""The "Model 3 optimal start" of a widely copied tutorial, figure for figure.

Kept so that a site that used it can see its numbers again, and so that it can be
measured against. It controls nothing here, because the formula is defective:

- `b` cancels: the term is `b·ΔT·ΔTo/b`. The paper behind it divides by a fixed
  coefficient (a controller of the trade prints "/10"), not by `b` itself.
- `a_n·ΔT` *is* the observed time for ΔT > 0, so that `d_n = −ΔT·ΔTo` always: `d`
  learns nothing about minutes. What is left is
  `t = a·ΔT + ΔT·ΔTo − (decayed mean of ΔT·ΔTo)`: one minute for each °F², whatever
  the building. In °C the same building gets 1/3.24 of that.
- Seven days at a forgetting factor of 0.1 move the parameters half of the way from
  their defaults (1 − 0.9⁷ = 52 %): in the tutorial's own example, where recoveries took 108 to 125
  minutes, the formula says 818, and the printed "180.00" is only the clamp.
- |·| hides the sign: in cooling ΔT is negative, and so is the first term.
- ΔT = 0 and ΔTo = 0 divide by zero (those days are left out here).

Temperatures are °F, for the formula means nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Day(NamedTuple):
    """A day of the tutorial: °F at the early check, and minutes."""

    zone: float
    outdoor: float
    minutes: float


@dataclass(slots=True)
class TutorialModel3:
    """The tutorial's three parameters."""

    setpoint: float = 70.0
    a: float = 10.0
    b: float = 5.0
    d: float = 0.0
    forgetting_factor: float = 0.1
    earliest: float = 180.0
    latest: float = 10.0

    def learn(self, days: Iterable[Day]) -> None:
        """Move the parameters, day by day in the order given."""
        for day in days:
            way, outdoor = self.setpoint - day.zone, self.setpoint - day.outdoor
            if way == 0.0 or outdoor == 0.0:
                continue
            a = abs(day.minutes / way)
            b = abs(day.minutes / (way * outdoor))
            d = day.minutes - (a * way + b * way * outdoor / b) if b else day.minutes
            self.a += self.forgetting_factor * (a - self.a)
            self.b += self.forgetting_factor * (b - self.b)
            self.d += self.forgetting_factor * (d - self.d)

    def unclamped(self, zone: float, outdoor: float) -> float:
        """Return the minutes that the formula says."""
        way, against = self.setpoint - zone, self.setpoint - outdoor
        return self.a * way + self.b * way * against / self.b + self.d

    def minutes(self, zone: float, outdoor: float) -> float:
        """Return minutes before opening, within the bounds."""
        return min(self.earliest, max(self.latest, self.unclamped(zone, outdoor)))
