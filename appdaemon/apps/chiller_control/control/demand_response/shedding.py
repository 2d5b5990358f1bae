"""Holds the load at its target with the measures that a site has.

The first measures follow from their estimates, all others from the meter: what
was done and cannot be seen yet is taken off what is still missing, so that the
loop neither waits nor does twice what once would do. Comfort always wins, a
measure that cannot be used is said and left out, and a meter that falls silent
leaves things as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..decision import Command, Decision, Event, Inputs
from .load_ahead import ROOMS_SHOW, SHOWS, least_ahead
from .measure_story import changes, rows
from .measures import (
    PACE,
    Candidate,
    Measure,
    Use,
    chillers_in_use,
    commands,
    empty,
    left_kw,
    may_step_back,
    move,
    on_its_way,
    remember,
    spared,
    spent,
)
from .precooling import Precooling
from .requested_load import RequestedLoad
from .shedding_terms import Demand, SheddingSettings

_AWAITED = 1
"""Levels of a slow measure for which a later one is not begun."""
_ROUNDING = 1e-6
_ENOUGH = 2.0
"""Longest recoveries after which the load is not waited for any more."""
_MORE = 0.08
"""Share of the baseline that the rebound may be larger by after one of them."""
_SURGE = 0.05
"""Share of the baseline above the limit of the rebound at which it is slowed down."""


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
        self._measures = sorted(measures, key=lambda item: item.order)
        self._meter = meter
        self._demand = demand
        self._settings = settings or SheddingSettings()
        self._uses = {item.key: Use() for item in self._measures}
        self._unable: dict[str, str] = {}
        self._last: float | None = None
        self._shown: float | None = None
        self._read = float("-inf")
        """When the meter last showed something else."""
        self._ended: float | None = None
        self._stepped_back = float("-inf")
        self._slowed = float("-inf")
        self._wait = 0.0
        """Seconds until the next step back after the event."""
        self._events: list[Event] = []
        self._changed: dict[str, tuple[int, str]] = {}
        """Levels that changed in this step, as they were before it, and why."""
        self._precooling = precooling
        self._usual: dict[str, float] = {}
        """Setpoints that were lowered ahead of the event, as they are usually."""
        self._restore(resume or {})

    @property
    def points(self) -> frozenset[str]:
        """What it reads: the meter, zones, and what it raises."""
        wanted = {self._meter}
        for measure in self._measures:
            wanted.update(measure.points)
            wanted.update(item.point for item in measure.comfort)
            wanted.update(measure.loads)
            if measure.charge is not None:
                wanted.add(measure.charge)
        if self._precooling is not None:
            wanted |= self._precooling.points
        return frozenset(wanted)

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide what is commanded now (epoch seconds)."""
        self._events = []
        self._changed = {}
        self._count(now)
        meter = inputs.number(self._meter)
        if meter != self._shown:
            self._shown, self._read = meter, now
        demand = self._demand(now)
        self._look(now, inputs)
        self._keep_comfort(now, inputs)
        asked = demand.asked if demand is not None else None
        cooled: tuple[Command, ...] = ()
        if asked is not None and demand is not None:
            self._ended = None
            self._end_precooling(now, inputs)
            message = self._hold(now, inputs, meter, demand, asked)
        else:
            message = self._give_back(now, inputs, meter, demand)
            cooled, message = self._precool(now, meter, inputs, message)
        used = [item for item in self._measures if self._uses[item.key].level]
        if not used:
            self._ended = None
        state = "shedding" if asked else "recovering" if used else "idle"
        if cooled:
            state = "precooling"
        given = list(cooled)
        for measure in used:
            given += commands(measure, self._uses[measure.key])
        self._events += changes(self._measures, self._uses, self._changed)
        return Decision(
            tuple(given),
            state,
            self._attributes(message, meter, demand, asked),
            tuple(self._events),
        )

    def available_kw(self, now: float, inputs: Inputs) -> float:
        """Return what could be shed in addition now, by estimate; at most the load."""
        self._look(now, inputs)
        usable = [
            item for item in self._measures if self._usable(now, item, inputs) is None
        ]
        cooling = chillers_in_use(self._measures, inputs)
        total = left_kw(usable, self._uses, cooling)
        meter = inputs.number(self._meter)
        return total if meter is None else min(total, max(meter, 0.0))

    # What may be used.

    def _count(self, now: float) -> None:
        if self._last is not None and now > self._last:
            for use in self._uses.values():
                use.burden += max(use.level, 0) * (now - self._last)
        self._last = now

    def _look(self, now: float, inputs: Inputs) -> None:
        """Find what cannot do what it was asked for, and what was used too long."""
        self._unable = {}
        for measure in self._measures:
            for point in measure.points:
                if point in inputs.taken:
                    self._unable[measure.key] = f"{inputs.taken[point]} commands it"
                elif point in inputs.holds:
                    self._unable[measure.key] = inputs.holds[point]
            use = self._uses[measure.key]
            reason = empty(measure, use, inputs)
            if reason is not None:
                self._unable.setdefault(measure.key, reason)
                # Not known is not empty: what was asked for goes on.
                if inputs.number(measure.charge) is not None:
                    self._set(now, measure, 0, reason)
            if (
                measure.longest_on is not None
                and use.begun is not None
                and now - use.begun >= measure.longest_on
            ):
                self._set(now, measure, 0, "it was used as long as it may be")

    def _usable(self, now: float, measure: Measure, inputs: Inputs) -> str | None:
        """Return why no further level of a measure may be used, None if one may."""
        use = self._uses[measure.key]
        if measure.key in self._unable:
            return self._unable[measure.key]
        if spent(measure, use):
            return "it is used in full"
        if use.level == 0 and now - use.given_back < measure.recovery:
            return "it recovers"
        if use.level < 0:
            # What is left of cooling ahead is given up first, however warm it is.
            return None
        for zone in measure.comfort:
            temperature = inputs.number(zone.point)
            if temperature is None:
                return f"{zone.point} is not known"
            if temperature > zone.warmest - self._settings.comfort_return:
                return f"{zone.point} is {temperature:.1f} °C, nearly too warm"
        return None

    def _keep_comfort(self, now: float, inputs: Inputs) -> None:
        for measure in self._measures:
            use = self._uses[measure.key]
            if use.level <= 0:
                continue
            for zone in measure.comfort:
                temperature = inputs.number(zone.point)
                if temperature is None or temperature <= zone.warmest:
                    continue
                why = f"{zone.point} is {temperature:.1f} °C: comfort goes first"
                if measure.own_zone:
                    self._set(now, measure, 0, why)
                elif now - use.changed >= self._settings.comfort_interval:
                    self._set(now, measure, use.level - 1, why)
                break

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
            return (
                f"The meter {self._meter} says nothing: what is shed stays as it is"
                f" until it does. Asked for: {asked.reason}."
            )
        coming = self._coming(now)
        missing = meter - asked.target_kw - coming
        # What was added may be seen already: only the meter says that it is too much.
        spare = asked.target_kw - meter + min(coming, 0.0)
        band = self._settings.deadband * demand.baseline_kw
        if missing > band:
            missing -= self._add(now, inputs, missing)
        elif spare > band:
            self._remove(now, spare)
        if missing > band:
            return (
                f"{asked.target_kw:.0f} kW cannot be reached: {missing:.0f} kW are"
                f" missing and nothing more may be used. Asked for: {asked.reason}."
            )
        return (
            f"Held at {asked.target_kw:.0f} kW of {demand.baseline_kw:.0f} kW."
            f" Asked for: {asked.reason}."
        )

    def _coming(self, now: float) -> float:
        """Return what was done and the meter cannot show yet, kW."""
        return on_its_way(now, self._measures, self._uses, self._read)

    def _add(self, now: float, inputs: Inputs, missing: float) -> float:
        """Use more until the estimates cover what is missing; return the sum, kW."""
        brought = 0.0
        usable = [
            Candidate(measure, self._uses[measure.key])
            for measure in self._measures
            if self._usable(now, measure, inputs) is None
        ]
        while brought < missing:
            found = [
                item
                for item in usable
                if not spent(item.measure, item.use)
                and now - item.use.changed >= PACE[item.measure.kind]
                and not spared(item, usable)
                and self._can_begin(item.measure, inputs)
            ]
            if not found:
                break
            first = min(
                found,
                key=lambda item: (
                    # The cold that was stored is used before anything else.
                    item.measure.order if item.use.level >= 0 else 0,
                    # Then what fits, and where nothing does, what does so best.
                    max(item.measure.capacity_kw, missing - brought),
                    item.use.level,
                    item.use.burden,
                    item.measure.key,
                ),
            )
            # What goes before it and only takes its time is waited for.
            coming = sum(
                item.measure.capacity_kw
                * min(item.measure.levels - item.use.level, _AWAITED)
                for item in usable
                if item.measure.order < first.measure.order
                and item.use.level
                and now - item.use.changed < PACE[item.measure.kind]
            )
            if brought + coming >= missing:
                break
            brought += first.measure.capacity_kw
            self._set(
                now, first.measure, first.use.level + 1, f"{missing:.0f} kW too much"
            )
        return brought

    def _can_begin(self, measure: Measure, inputs: Inputs) -> bool:
        use = self._uses[measure.key]
        if use.level:
            return True
        reason = remember(measure, use, inputs, self._usual)
        if reason is not None:
            self._unable[measure.key] = reason
        return reason is None

    def _remove(self, now: float, spare: float) -> None:
        """Give back what was used last, as long as the target is still kept."""
        found = [
            Candidate(measure, use)
            for measure in self._measures
            if (use := self._uses[measure.key]).level > 0
            and may_step_back(now, measure, use)
            and measure.capacity_kw <= spare
        ]
        if not found:
            return
        last = max(
            found,
            key=lambda item: (
                item.measure.order,
                item.use.level,
                item.use.burden,
                item.measure.key,
            ),
        )
        self._set(now, last.measure, last.use.level - 1, f"{spare:.0f} kW to spare")

    # Before the event.

    def _precool(
        self, now: float, meter: float | None, inputs: Inputs, message: str
    ) -> tuple[tuple[Command, ...], str]:
        if self._precooling is None:
            return (), message
        self._precooling.watch(now, inputs, kept=False)
        if any(use.level for use in self._uses.values()):
            return (), message
        self._usual = {}
        given, told, events = self._precooling.step(now, meter, inputs)
        self._events += events
        return given, told or message

    def _end_precooling(self, now: float, inputs: Inputs) -> None:
        """Go on from setpoints that are lowered: to give them back sheds load."""
        if self._precooling is None:
            return
        lowered = self._precooling.end(now, inputs)
        self._precooling.watch(now, inputs, kept=True)
        if not lowered:
            return
        self._usual = {point: before for point, (before, _) in lowered.items()}
        for measure in self._measures:
            use = self._uses[measure.key]
            if (
                measure.kind != "raise"
                or use.level
                or measure.step <= 0.0
                or measure.key in self._unable
                or not set(measure.points) <= lowered.keys()
            ):
                continue
            steps = min(lowered[point][1] for point in measure.points) / measure.step
            use.level = -min(int(steps + _ROUNDING), measure.levels)
            use.before = {point: lowered[point][0] for point in measure.points}

    # After the event.

    def _give_back(
        self, now: float, inputs: Inputs, meter: float | None, demand: Demand | None
    ) -> str:
        for measure in self._measures:
            if self._uses[measure.key].level < 0:
                self._set(now, measure, 0, "the event is over")
        used = [item for item in self._measures if self._uses[item.key].level]
        if not used:
            return "Nothing is asked for."
        if self._ended is None:
            self._ended = now
            self._stepped_back = float("-inf")
        waiting = f"{len(used)} measures are still to be given back"
        # Nobody waits for ever: after a while more load is let come, and in the end
        # any, but even then not all at once.
        waited = (now - self._ended) / self._settings.longest_recovery
        # A limit on chillers keeps the rebound low, so it is lifted last.
        ready = [
            item
            for item in [item for item in used if item.kind != "limit"] or used
            if may_step_back(now, item, self._uses[item.key])
        ]
        if waited < _ENOUGH and meter is not None and demand is not None:
            more = _MORE * demand.baseline_kw if waited >= 1.0 else 0.0
            soon = self._limit(now, SHOWS, demand) + more
            if meter >= soon + _SURGE * demand.baseline_kw:
                self._slow_down(now, inputs)
            coming = meter - self._coming(now)
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
        first = min(ready, key=lambda item: -self._uses[item.key].burden)
        self._stepped_back = now
        # A small part of a measure is waited for as much less, unless it is rooms
        # that get colder: what that takes shows late.
        self._wait = self._settings.release_interval
        if first.kind != "raise":
            self._wait /= first.levels
        elif waited < _ENOUGH:
            self._wait *= 2.0
        self._set(now, first, self._uses[first.key].level - 1, "the event is over")
        return f"{waiting}, one after the other."

    def _limit(self, now: float, ahead: float, demand: Demand) -> float:
        """Return the load that there may be while what is given back shows, kW."""
        least = least_ahead(self._demand, now, ahead)
        return self._settings.rebound * (demand.baseline_kw if least is None else least)

    def _slow_down(self, now: float, inputs: Inputs) -> None:
        """Let rooms that got colder too fast for the load wait a little longer."""
        assert self._ended is not None
        if now - self._slowed < self._settings.release_interval:
            return
        found = [
            Candidate(item, self._uses[item.key])
            for item in self._measures
            if item.kind == "raise"
            and (
                self._uses[item.key].level
                or self._uses[item.key].given_back >= self._ended
            )
            and now - self._uses[item.key].changed >= PACE[item.kind]
            and self._usable(now, item, inputs) is None
            and self._can_begin(item, inputs)
        ]
        if not found:
            return
        first = min(
            found,
            key=lambda item: (item.measure.order, item.use.level, item.use.burden),
        )
        self._slowed = now
        why = "the load comes back faster than it may"
        self._set(now, first.measure, first.use.level + 1, why)

    # What is told.

    def _set(self, now: float, measure: Measure, level: int, why: str) -> None:
        use = self._uses[measure.key]
        if level == use.level:
            return
        was, _ = self._changed.get(measure.key, (use.level, why))
        self._changed[measure.key] = was, why
        move(now, measure, use, level)

    def _attributes(
        self,
        message: str,
        meter: float | None,
        demand: Demand | None,
        asked: RequestedLoad | None,
    ) -> dict[str, object]:
        return {
            "message": message,
            "baseline_kw": None if demand is None else round(demand.baseline_kw, 1),
            "target_kw": None if asked is None else round(asked.target_kw, 1),
            "meter_kw": meter,
            "measures": rows(self._measures, self._uses, self._unable),
            "resume": {
                "uses": {
                    key: use.as_dict() for key, use in self._uses.items() if use.level
                },
                "ended": self._ended,
                "precooling": self._precooling and self._precooling.resume,
            },
        }

    def _restore(self, resume: Mapping[str, Any]) -> None:
        stored = resume.get("uses")
        for measure in self._measures:
            try:
                use = Use.restored(stored[measure.key], measure)  # type: ignore[index]
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
            missing = measure.kind == "raise" and set(measure.points) - set(use.before)
            if not missing:
                self._uses[measure.key] = use
        ended = resume.get("ended")
        self._ended = float(ended) if isinstance(ended, int | float) else None
        before = resume.get("precooling")
        if self._precooling is not None and isinstance(before, Mapping):
            self._precooling.restore(before)
