"""Holds the load at its target with the measures that a site has.

The first measures follow from their estimates, all others from the meter: what
was done and cannot be seen yet is taken off what is still missing, so that the
loop neither waits nor does twice what once would do. Comfort always wins, a
measure that cannot be used is said and left out, and a meter that falls silent or
shows nothing of what is done leaves things as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..decision import Command, Decision, Event, Inputs
from .giving_back import GivingBack
from .measures import (
    PACE,
    Candidate,
    Measure,
    Use,
    brings,
    chillers_in_use,
    least_levels,
    left_kw,
    may_step_back,
    spared,
)
from .measures_in_use import MeasuresInUse
from .meter_seen import MeterSeen
from .precooling import Precooling
from .requested_load import RequestedLoad
from .shedding_terms import Demand, SheddingSettings

_AWAITED = 1
"""Levels of a slow measure for which a later one is not begun."""
_DOUBTFUL = 0.5
"""Share of what should be shed by estimate below which the meter itself is in doubt."""


class Shedding:
    """One site's measures against its meter; commands in the demand-response band."""

    def __init__(
        self,
        measures: Sequence[Measure],
        meter: str,
        demand: Callable[[float], Demand | None],
        settings: SheddingSettings | None = None,
        resume: Mapping[str, Any] | None = None,
        precooling: Precooling | None = None,
    ) -> None:
        """Take measures, the point of the meter (kW) and who knows the demand.

        `demand(now)` returns None where not even a baseline is known.
        """
        self._meter = meter
        self._demand = demand
        self._settings = settings or SheddingSettings()
        self._in_use = MeasuresInUse(measures, self._settings)
        self._giving_back = GivingBack(self._in_use, demand, self._settings)
        self._seen = MeterSeen()
        self._precooling = precooling
        self._restore(resume or {})

    @property
    def points(self) -> frozenset[str]:
        """What it reads: the meter, zones, and what it raises."""
        wanted = {self._meter} | self._in_use.points
        if self._precooling is not None:
            wanted |= self._precooling.points
        return frozenset(wanted)

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide what is commanded now (epoch seconds)."""
        meter = inputs.number(self._meter)
        self._seen.see(now, meter)
        demand = self._demand(now)
        self._in_use.begin_step(now, inputs)
        asked = demand.asked if demand is not None else None
        cooled: tuple[Command, ...] = ()
        events: tuple[Event, ...] = ()
        if asked is not None and demand is not None:
            self._giving_back.ended = None
            self._end_precooling(now, inputs)
            message = self._hold(now, inputs, meter, demand, asked)
        else:
            message = self._giving_back.step(
                now, inputs, meter, self._seen.read, demand
            )
            cooled, message, events = self._precool(now, meter, inputs, message)
        used = self._in_use.used
        if not used:
            self._giving_back.ended = None
        state = "shedding" if asked else "recovering" if used else "idle"
        if cooled:
            state = "precooling"
        return Decision(
            (*cooled, *self._in_use.commands),
            state,
            {
                "message": message,
                "baseline_kw": None if demand is None else round(demand.baseline_kw, 1),
                "target_kw": None if asked is None else round(asked.target_kw, 1),
                "meter_kw": meter,
                "measures": self._in_use.rows(now, inputs),
                "resume": self._resume,
            },
            (*events, *self._in_use.events),
        )

    def available_kw(self, now: float, inputs: Inputs) -> float:
        """Return what could be shed in addition now, by estimate; at most the load."""
        self._in_use.look(now, inputs)
        usable = [item.measure for item in self._in_use.usable(now, inputs)]
        cooling = chillers_in_use(self._in_use.measures, inputs)
        total = left_kw(usable, self._in_use.uses, cooling)
        meter = inputs.number(self._meter)
        return total if meter is None else min(total, max(meter, 0.0))

    # The loop against the meter.

    def _hold(
        self,
        now: float,
        inputs: Inputs,
        meter: float | None,
        demand: Demand,
        asked: RequestedLoad,
    ) -> str:
        if meter is None:
            self._use_cold(now)
            return (
                f"The meter {self._meter} says nothing: what is shed stays as it is"
                f" until it does. Asked for: {asked.reason}."
            )
        coming = self._in_use.coming(now, self._seen.read, inputs)
        least, most = self._seen.bounds(now)
        missing = least - asked.target_kw - coming
        # What was added may be seen already: only the meter says that it is too much.
        spare = asked.target_kw - most + min(coming, 0.0)
        band = self._settings.deadband * abs(demand.baseline_kw)
        if max(missing, spare) > band and self._seen.stuck(now):
            return (
                f"The meter {self._meter} shows {meter:g} kW whatever is done: what is"
                " shed stays as it is until it shows something else. Asked for:"
                f" {asked.reason}."
            )
        if missing > band:
            missing -= self._add(now, inputs, missing)
        elif spare > band:
            self._remove(now, spare)
        if missing > band:
            return (
                f"{asked.target_kw:.0f} kW cannot be reached: {missing:.0f} kW are"
                " missing and nothing more may be used."
                f"{self._doubt(demand.baseline_kw - meter)}"
                f" Asked for: {asked.reason}."
            )
        return (
            f"Held at {asked.target_kw:.0f} kW of {demand.baseline_kw:.0f} kW."
            f" Asked for: {asked.reason}."
        )

    def _add(self, now: float, inputs: Inputs, missing: float) -> float:
        """Use more until the estimates cover what is missing; return the sum, kW."""
        brought = 0.0
        usable = self._in_use.usable(now, inputs)
        ready = [
            item
            for item in usable
            if now - item.use.changed >= PACE[item.measure.kind]
            and self._in_use.can_begin(item.measure, inputs)
        ]
        while brought < missing:
            least = least_levels(usable)
            found = [
                item
                for item in ready
                if now - item.use.changed >= PACE[item.measure.kind]
                and not item.done
                and not spared(item, least)
            ]
            if not found:
                break
            first = min(
                found,
                key=lambda item: (
                    # The cold that was stored is used before anything else.
                    item.measure.order if item.use.level >= 0 else 0,
                    # Then what fits, and where nothing does, what does so best.
                    max(brings(item.measure), missing - brought),
                    item.use.level,
                    item.use.burden,
                    item.measure.key,
                ),
            )
            # What goes before it and only takes its time is waited for.
            coming = sum(
                item.measure.capacity_kw * min(item.most - item.use.level, _AWAITED)
                for item in usable
                if item.measure.order < first.measure.order
                and item.use.level
                and now - item.use.changed < PACE[item.measure.kind]
            )
            if brought + coming >= missing:
                break
            brought += brings(first.measure)
            self._seen.acted(now)
            self._in_use.set(
                now, first.measure, first.use.level + 1, f"{missing:.0f} kW too much"
            )
        return brought

    def _remove(self, now: float, spare: float) -> None:
        """Give back what was used last, as long as the target is still kept.

        Where none of that may be, cold that was given up too fast is kept instead.
        """
        left = spare
        while left > 0.0:
            found = [
                Candidate(measure, use, measure.levels)
                for measure in self._in_use.measures
                if (use := self._in_use.uses[measure.key]).level > -use.cold
                and may_step_back(now, measure, use)
                and measure.capacity_kw <= left
            ]
            if not found:
                break
            last = max(
                found,
                key=lambda item: (
                    item.use.level > 0,
                    item.measure.order,
                    item.use.level,
                    item.use.burden,
                    item.measure.key,
                ),
            )
            self._seen.acted(now)
            self._in_use.set(
                now, last.measure, last.use.level - 1, f"{spare:.0f} kW to spare"
            )
            left -= brings(last.measure)

    def _use_cold(self, now: float) -> None:
        """Give up the cold that is left: nothing is cooled ahead in an event."""
        for measure in self._in_use.used:
            use: Use = self._in_use.uses[measure.key]
            if use.level < 0 and now - use.changed >= PACE[measure.kind]:
                self._in_use.set(now, measure, use.level + 1, "the event has begun")

    def _doubt(self, shown: float) -> str:
        """Say it where the meter shows little of what should be shed."""
        used = sum(
            item.capacity_kw * max(self._in_use.uses[item.key].level, 0)
            for item in self._in_use.measures
        )
        if shown >= _DOUBTFUL * used:
            return ""
        return (
            f" By estimate {used:.0f} kW are shed, of which the meter shows"
            f" {max(shown, 0.0):.0f}: does it measure all of them?"
        )

    # Before the event.

    def _precool(
        self, now: float, meter: float | None, inputs: Inputs, message: str
    ) -> tuple[tuple[Command, ...], str, tuple[Event, ...]]:
        if self._precooling is None:
            return (), message, ()
        self._precooling.watch(now, inputs, kept=False)
        if self._in_use.used:
            return (), message, ()
        self._in_use.usual = {}
        given, told, events = self._precooling.step(now, meter, inputs)
        return given, told or message, events

    def _end_precooling(self, now: float, inputs: Inputs) -> None:
        if self._precooling is None:
            return
        lowered = self._precooling.end(now, inputs)
        self._precooling.watch(now, inputs, kept=True)
        if lowered:
            self._in_use.start_cold(lowered)

    # Across a restart.

    @property
    def _resume(self) -> dict[str, Any]:
        return {
            "uses": self._in_use.resume,
            "ended": self._giving_back.ended,
            "precooling": self._precooling and self._precooling.resume,
        }

    def _restore(self, resume: Mapping[str, Any]) -> None:
        self._in_use.restore(resume.get("uses"))
        ended = resume.get("ended")
        if isinstance(ended, int | float):
            self._giving_back.ended = float(ended)
        before = resume.get("precooling")
        if self._precooling is not None and isinstance(before, Mapping):
            self._precooling.restore(before)
