"""Optimal stop: how long a building stays within comfort once the plant is off.

The same as a start, the other way round: a way to go (to the limit of comfort), a weather
that drives it, minutes that were measured. So the same models learn it, beside
the two that the trade has for it; and of what they say, the margin is taken off.

Two kinds of drift are seen. A *coast* begins while people are there; what
follows an ordinary stop is slower, because the building empties. Until coasts
are known, half of the latter is believed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .models import DecayedMean, LinearGradient, Model, Recent, Regression
from .recovery import Conditions, Mode, Recovery
from .selector import FIRST_DAYS, HISTORY, Estimate, Selector

_EMPTY_SHARE = 0.5
"""Of the time that an empty building takes, what one with people is given."""

_LEAST_DRIVE = 2.0
"""K between outdoors and the limit below which the formula means nothing."""


class SiemensStop:
    """OE − 25·HR·d/f of a controller of the trade: retention times way over drive.

    `HR` is the building's retention; the drive `f` is outdoors beyond the limit. The
    constant and the retention are one coefficient here, learnt as a decayed mean.
    """

    name = "siemens_stop"

    def __init__(self) -> None:
        """Begin with nothing."""
        self._retention: float | None = None

    def learn(self, recovery: Recovery) -> None:
        """Take one drift."""
        retention = recovery.minutes / self._factor(recovery.conditions)
        before = retention if self._retention is None else self._retention
        self._retention = before + 0.2 * (retention - before)

    def minutes(self, conditions: Conditions) -> float | None:
        """Return the formula."""
        if self._retention is None:
            return None
        return self._retention * self._factor(conditions)

    @staticmethod
    def _factor(conditions: Conditions) -> float:
        return max(conditions.distance, 0.1) / max(-conditions.load, _LEAST_DRIVE)


@dataclass(frozen=True, slots=True)
class Drift:
    """What was measured after a stop."""

    recovery: Recovery
    """The way from the zone at the stop to the limit; `reached` is false where it
    was still within comfort when nobody looked any more."""
    coasting: bool
    """Whether people were there."""


def towards(zone: float, limit: float, outdoor: float | None, mode: Mode) -> Conditions:
    """Return a drift as a way: what cools is warmed by the weather, and so on."""
    return Conditions(
        zone, limit, outdoor, 0.0, "heating" if mode == "cooling" else "cooling"
    )


def _models() -> list[Model]:
    return [Regression(), LinearGradient(), SiemensStop(), DecayedMean(), Recent()]


class DriftSelector:
    """The drift of one building: what was cooled gets warm, what was heated cold."""

    def __init__(self, drifts: Iterable[Drift] = ()) -> None:
        """Learn a history, oldest first."""
        self._selectors: dict[tuple[Mode, bool], Selector] = {}
        for drift in sorted(drifts, key=lambda item: item.recovery.at)[-HISTORY:]:
            self.learn(drift)

    def learn(self, drift: Drift) -> None:
        """Take one drift."""
        self._of(drift.recovery.conditions.mode, drift.coasting).learn(drift.recovery)

    def _of(self, mode: Mode, coasting: bool) -> Selector:
        return self._selectors.setdefault((mode, coasting), Selector(_models()))

    def estimate(self, conditions: Conditions) -> Estimate | None:
        """Return how long comfort lasts; None as long as too little is known.

        A zone that is beyond the limit lasts no minute.
        """
        if conditions.distance <= 0.0:
            return None
        coast = self._of(conditions.mode, True).estimate(conditions)
        if coast is not None and coast.days >= FIRST_DAYS:
            return coast
        empty = self._of(conditions.mode, False).estimate(conditions)
        if empty is None:
            return None
        return Estimate(
            _EMPTY_SHARE * empty.minutes,
            _EMPTY_SHARE * empty.spread,
            f"{empty.model}_of_empty_building",
            empty.days,
        )


def enough_for(estimate: Estimate, margin: float) -> float:
    """Return the minutes that comfort lasts unless the error is `margin` spreads."""
    return max(0.0, estimate.minutes - margin * estimate.spread)
