"""Gives back after an event what was used, so that the load comes back without a peak.

One measure after the other, and only while the load has room for it; what gets cold
again too fast waits a little longer.
"""

from collections.abc import Callable

from ..decision import Inputs
from .load_ahead import ROOMS_SHOW, SHOWS, least_ahead
from .measures import PACE, Candidate, Measure, may_step_back
from .measures_in_use import MeasuresInUse
from .shedding_terms import Demand, SheddingSettings

_ENOUGH = 2.0
"""Longest recoveries after which the load is not waited for any more."""
_MORE = 0.08
"""Share of the baseline that the rebound may be larger by after one of them."""
_SURGE = 0.05
"""Share of the baseline above the limit of the rebound at which it is slowed down."""


class GivingBack:
    """The time after one event."""

    def __init__(
        self,
        in_use: MeasuresInUse,
        demand: Callable[[float], Demand | None],
        settings: SheddingSettings,
    ) -> None:
        """Take what is used, who knows the load without the event, and how to."""
        self.ended: float | None = None
        """When the event was over; None while there is nothing to give back."""
        self._in_use = in_use
        self._demand = demand
        self._settings = settings
        self._at_end: dict[str, int] = {}
        """How far rooms were used when it was over: they are not used further."""
        self._stepped_back = float("-inf")
        self._slowed = float("-inf")
        self._wait = 0.0
        """Seconds until the next step back."""

    def step(
        self,
        now: float,
        inputs: Inputs,
        meter: float | None,
        read: float,
        demand: Demand | None,
    ) -> str:
        """Give back what may be, `read` as of `MeterSeen`; return what is going on."""
        self._in_use.end_cold(now, "nothing is asked for any more")
        used = self._in_use.used
        if not used:
            self._at_end = {}
            return "Nothing is asked for."
        if self.ended is None or not self._at_end:
            self._at_end = {
                item.key: self._in_use.uses[item.key].level for item in used
            }
        if self.ended is None:
            self.ended = now
            self._stepped_back = float("-inf")
        waiting = f"{len(used)} measures are still to be given back"
        # Nobody waits for ever: after a while more load is let come, and in the end
        # any, but even then not all at once.
        waited = (now - self.ended) / self._settings.longest_recovery
        uses = self._in_use.uses
        # A limit on chillers keeps the rebound low, so it is lifted last.
        ready = [
            item
            for item in [item for item in used if item.kind != "limit"] or used
            if may_step_back(now, item, uses[item.key])
        ]
        if waited < _ENOUGH and meter is not None and demand is not None:
            more = _MORE * demand.baseline_kw if waited >= 1.0 else 0.0
            soon = self._limit(now, SHOWS, demand) + more
            if meter >= soon + _SURGE * demand.baseline_kw:
                self._slow_down(now, inputs)
            coming = meter - self._in_use.coming(now, read, inputs)
            late = self._limit(now, ROOMS_SHOW, demand) + more
            ready = [
                item
                for item in ready
                if coming < (late if item.kind == "raise" else soon)
            ]
            if coming >= late and not ready:
                return f"{waiting}; the load of {meter:.0f} kW has to fall first."
        if now - self._stepped_back < self._wait or not ready:
            return f"{waiting}, one after the other."
        self._step_back(
            now, min(ready, key=lambda item: -uses[item.key].burden), waited
        )
        return f"{waiting}, one after the other."

    def _step_back(self, now: float, first: Measure, waited: float) -> None:
        self._stepped_back = now
        # A small part of a measure is waited for as much less, unless it is rooms
        # that get colder: what that takes shows late.
        self._wait = self._settings.release_interval
        if first.kind != "raise":
            self._wait /= first.levels
        elif waited < _ENOUGH:
            self._wait *= 2.0
        level = self._in_use.uses[first.key].level - 1
        self._in_use.set(now, first, level, "nothing is asked for any more")

    def _limit(self, now: float, ahead: float, demand: Demand) -> float:
        """Return the load that there may be while what is given back shows, kW."""
        least = least_ahead(self._demand, now, ahead)
        return self._settings.rebound * (demand.baseline_kw if least is None else least)

    def _slow_down(self, now: float, inputs: Inputs) -> None:
        """Let rooms that got colder too fast for the load wait a little longer."""
        if now - self._slowed < self._settings.release_interval:
            return
        found: list[Candidate] = [
            item
            for item in self._in_use.usable(now, inputs)
            if item.measure.kind == "raise"
            and item.use.level < self._at_end.get(item.measure.key, 0)
            and now - item.use.changed >= PACE[item.measure.kind]
            and self._in_use.can_begin(item.measure, inputs)
        ]
        if not found:
            return
        first = min(
            found,
            key=lambda item: (item.measure.order, item.use.level, item.use.burden),
        )
        self._slowed = now
        why = "the load comes back faster than it may"
        self._in_use.set(now, first.measure, first.use.level + 1, why)
