"""The models: each says how many minutes a recovery will take, and learns from it.

Names M1 to M4 are those of the Pacific Northwest National Laboratory's optimal
start applications (VOLTTRON, `optimal_start_models.py`, 2024); theirs are in °F, here
everything is °C and K. Where they take the coefficient of the first degree from a
recording within the recovery, here it is fitted to whole recoveries, for that is
what a site keeps.
"""

from collections import deque
from math import log
from statistics import median
from typing import Protocol

from .least_squares import RecursiveLeastSquares
from .recovery import Conditions, Recovery

TOLERANCE = 0.3
"""K from the setpoint at which a zone counts as being there."""

_KEPT = 0.9
"""What a mean keeps of what it was when a day is added: the last ten days count
for two thirds."""

_SHORTEST_WAY = 0.2
"""K; less is noise of a sensor, and minutes divided by it mean nothing."""

_USUAL_RATE = 25.0
"""Minutes for each K, before anything is known."""


class Model(Protocol):
    """One way to say how long it takes."""

    name: str

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery."""

    def minutes(self, conditions: Conditions) -> float | None:
        """Return minutes, None as long as nothing can be said."""


class Recent:
    """The middle of the last five: what any formula has to beat."""

    name = "recent"

    def __init__(self, days: int = 5) -> None:
        """Begin with nothing."""
        self._last: deque[float] = deque(maxlen=days)

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery."""
        self._last.append(recovery.minutes)

    def minutes(self, conditions: Conditions) -> float | None:
        """Return minutes, whatever the conditions."""
        return median(self._last) if self._last else None


class DecayedMean:
    """The decayed mean of the minutes."""

    name = "mean"

    def __init__(self, kept: float = 0.64) -> None:
        """`kept` of what it was when a day is added."""
        self._kept = kept
        self._sum = self._weight = 0.0

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery."""
        self._sum = self._kept * self._sum + recovery.minutes
        self._weight = self._kept * self._weight + 1.0

    def minutes(self, conditions: Conditions) -> float | None:
        """Return minutes, whatever the conditions."""
        return self._sum / self._weight if self._weight else None


class LinearGradient:
    """M0: minutes for each kelvin, as simple controllers have it."""

    name = "linear_gradient"

    def __init__(self) -> None:
        """Begin with nothing."""
        self._minutes = self._way = 0.0

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery; a long way says more about the rate than a short one."""
        self._minutes = _KEPT * self._minutes + recovery.minutes
        self._way = _KEPT * self._way + recovery.conditions.distance

    def minutes(self, conditions: Conditions) -> float | None:
        """Return rate times way."""
        if self._way < _SHORTEST_WAY:
            return None
        return conditions.distance * self._minutes / self._way


class Quadratic:
    """M1 ("Johnson"): t = c1·z² + c2, z the way in K."""

    name = "quadratic"

    def __init__(self) -> None:
        """Begin with what an office is like."""
        self._fit = RecursiveLeastSquares(
            (5.0, 40.0), doubt=(40.0, 120.0), forgetting=0.85
        )
        self._mean = DecayedMean()

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery."""
        self._fit.learn(self._features(recovery.conditions), recovery.minutes, 15.0)
        self._mean.learn(recovery)

    def minutes(self, conditions: Conditions) -> float | None:
        """Return the parabola; the mean where that would fall with the way."""
        if self._fit.coefficients[0] < 0.0:
            return self._mean.minutes(conditions)
        return self._fit.answer(self._features(conditions))

    @staticmethod
    def _features(conditions: Conditions) -> tuple[float, float]:
        return conditions.distance**2, 1.0


class Carrier:
    """M2: a rate that is corrected by how far outdoors is from where it gives out.

    Theirs is z/(c·(100 − To)/(100 − To of training)) in °F for cooling, and with 0 °F
    for heating: singular there, so that the correction is bounded here.
    """

    name = "carrier"
    _GIVES_OUT = {"cooling": 37.8, "heating": -17.8}

    def __init__(self) -> None:
        """Begin with nothing."""
        self._gradient = LinearGradient()
        self._outdoor: float | None = None

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery."""
        self._gradient.learn(recovery)
        if (outdoor := recovery.conditions.outdoor) is not None:
            before = outdoor if self._outdoor is None else self._outdoor
            self._outdoor = _KEPT * before + (1.0 - _KEPT) * outdoor

    def minutes(self, conditions: Conditions) -> float | None:
        """Return rate times way times correction."""
        usual = self._gradient.minutes(conditions)
        if usual is None or conditions.outdoor is None or self._outdoor is None:
            return usual
        limit = self._GIVES_OUT[conditions.mode]
        now, then = abs(limit - conditions.outdoor), abs(limit - self._outdoor)
        return usual * min(2.0, max(0.5, then / max(now, 1.0)))


class Siemens:
    """M3 as its authors meant it: t = c1·z + c2·z·f/10, f what outdoors adds in K.

    Both coefficients are fitted, neither is negative, and `f` keeps its sign: mild
    weather makes it shorter. The tutorial's variant is in `tutorial_compat.py`.
    """

    name = "siemens"

    def __init__(self) -> None:
        """Begin with a usual rate and nothing known of outdoors."""
        self._fit = RecursiveLeastSquares(
            (_USUAL_RATE, 0.0), doubt=(60.0, 30.0), forgetting=0.9
        )
        self._gradient = LinearGradient()

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery."""
        self._fit.learn(self._features(recovery.conditions), recovery.minutes, 15.0)
        self._gradient.learn(recovery)

    def minutes(self, conditions: Conditions) -> float | None:
        """Return the formula; without outdoors where that would count backwards."""
        rate, outdoor = self._fit.coefficients
        if rate + outdoor * conditions.load / 10.0 < 0.0 or outdoor < 0.0:
            return self._gradient.minutes(conditions)
        return self._fit.answer(self._features(conditions))

    @staticmethod
    def _features(conditions: Conditions) -> tuple[float, float]:
        way = conditions.distance
        return way, way * conditions.load / 10.0


class FirstOrder:
    """M4: the way shrinks by the same share in each minute.

    t = ln(tolerance/way)/ln α; the decay of each recovery follows from its whole
    length, and is averaged.
    """

    name = "first_order"

    def __init__(self) -> None:
        """Begin with nothing."""
        self._decay: float | None = None

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery."""
        decay = self._logarithm(recovery.conditions) / recovery.minutes
        before = decay if self._decay is None else self._decay
        self._decay = before + 0.2 * (decay - before)

    def minutes(self, conditions: Conditions) -> float | None:
        """Return the time until what is left of the way is the tolerance."""
        if self._decay is None:
            return None
        return self._logarithm(conditions) / self._decay

    @staticmethod
    def _logarithm(conditions: Conditions) -> float:
        # A way within the tolerance still needs the machines to start.
        return log((conditions.distance + TOLERANCE) / TOLERANCE)


class Regression:
    """Minutes from way, outdoors, how long the plant was off and whether a day was.

    The loop that has to be pulled down first and the dead time of the start
    sequence are its constant. Until it has seen a week it leans on the mean of
    the minutes.
    """

    name = "regression"
    _WEEK = 7

    def __init__(self) -> None:
        """Begin with a usual building."""
        self._fit = RecursiveLeastSquares(
            (15.0, _USUAL_RATE, 0.0, 0.0, 0.0), doubt=(30.0, 25.0, 5.0, 20.0, 30.0)
        )
        self._mean = DecayedMean()
        self._days = 0

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery."""
        self._fit.learn(self._features(recovery.conditions), recovery.minutes, 12.0)
        self._mean.learn(recovery)
        self._days += 1

    def minutes(self, conditions: Conditions) -> float | None:
        """Return what the regression says, with the mean in the first week."""
        mean = self._mean.minutes(conditions)
        if mean is None:
            return None
        if self._fit.coefficients[1] < 0.0:
            # A longer way cannot take less time: what it saw was something else.
            return mean
        said = self._fit.answer(self._features(conditions))
        known = min(1.0, self._days / self._WEEK)
        return known * said + (1.0 - known) * mean

    @staticmethod
    def _features(conditions: Conditions) -> tuple[float, ...]:
        return (
            1.0,
            conditions.distance,
            conditions.load,
            min(conditions.off_hours, 72.0) / 24.0,
            float(conditions.after_day_off),
        )


def all_models() -> list[Model]:
    """Return one of each, before anything is learnt."""
    return [
        Regression(),
        Quadratic(),
        Siemens(),
        FirstOrder(),
        LinearGradient(),
        Carrier(),
        DecayedMean(),
        Recent(),
    ]
