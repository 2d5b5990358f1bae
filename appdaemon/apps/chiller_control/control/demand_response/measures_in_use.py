"""The measures of a site while they are used: how far, what cannot be, what may be.

Comfort, empty storages and the longest times are kept here, whatever the loop
against the meter wants.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..decision import Command, Event, Inputs, duration
from .measure_story import changes, rows
from .measures import (
    PACE,
    Candidate,
    Measure,
    Use,
    commands,
    empty,
    most_levels,
    move,
    on_its_way,
    remember,
    share_limit,
)
from .shedding_terms import SheddingSettings

_ROUNDING = 1e-6
_EARLY = 0.15
"""K below the warmest temperature from which on measures step back: a room goes on
getting warmer for some minutes."""
_COOLED = 0.4
"""K by which a room is warmer than its setpoint where it is cooled as it can be."""
LOST = 600.0
"""Seconds after which a zone whose temperature is not known any more is taken for too
warm: nobody would see it get so."""


class MeasuresInUse:
    """All measures of a site, by order."""

    def __init__(self, measures: Sequence[Measure], settings: SheddingSettings) -> None:
        """Begin with none in use."""
        self.measures = sorted(measures, key=lambda item: item.order)
        self.uses = {item.key: Use() for item in self.measures}
        self.usual: dict[str, float] = {}
        """Setpoints that were lowered ahead of the event, as they are usually."""
        self._settings = settings
        self._unable: dict[str, str] = {}
        """What cannot be used, and what is commanded in vain; why."""
        self._changed: dict[str, tuple[int, str]] = {}
        """Levels that changed in this step, as they were before it, and why."""
        self._lost: dict[str, float] = {}
        """Since when temperatures of zones are not known."""
        self._last: float | None = None

    @property
    def points(self) -> set[str]:
        """What they read and command."""
        wanted: set[str] = set()
        for measure in self.measures:
            wanted.update(measure.points)
            wanted.update(item.point for item in measure.comfort)
            wanted.update(measure.loads)
            if measure.charge is not None:
                wanted.add(measure.charge)
        return wanted

    @property
    def used(self) -> list[Measure]:
        """Those that are used, or still lowered from cooling ahead."""
        return [item for item in self.measures if self.uses[item.key].level]

    def begin_step(self, now: float, inputs: Inputs) -> None:
        """Look what can be done now, and take back what must be."""
        self._changed = {}
        if self._last is not None and now > self._last:
            for use in self.uses.values():
                use.burden += max(use.level, 0) * (now - self._last)
        self._last = now
        self._watch(now, inputs)
        self.look(now, inputs)
        self._keep_comfort(now, inputs)

    def look(self, now: float, inputs: Inputs) -> None:
        """Find what cannot do what it was asked for, and what was used too long."""
        self._unable = {}
        for measure in self.measures:
            use = self.uses[measure.key]
            reason = _hindered(measure, inputs)
            if reason is not None:
                self._unable[measure.key] = reason
            if measure.kind == "limit" and use.level:
                share_limit(measure, use, inputs)
            most = most_levels(measure, inputs)
            if 0 < most < use.level:
                self.set(now, measure, most, "it is nearly empty")
            reason = empty(measure, use, inputs)
            if reason is not None:
                self._unable.setdefault(measure.key, reason)
                # Not known is not empty: what was asked for goes on.
                if inputs.number(measure.charge) is not None:
                    self.set(now, measure, 0, reason)
            if (
                measure.longest_on is not None
                and use.begun is not None
                and now - use.begun >= measure.longest_on
            ):
                self.set(now, measure, 0, "it was used as long as it may be")

    def usable(self, now: float, inputs: Inputs) -> list[Candidate]:
        """Return what may be used further."""
        candidates = [
            Candidate(item, self.uses[item.key], most_levels(item, inputs))
            for item in self.measures
            if self._cannot(item, inputs) is None
            and self._waits(now, item, inputs) is None
        ]
        return [item for item in candidates if not item.done]

    def can_begin(self, measure: Measure, inputs: Inputs) -> bool:
        """Keep what setpoints are before a first level; whether that can be."""
        use = self.uses[measure.key]
        if use.level or use.cold:
            return True
        reason = remember(measure, use, inputs, self.usual)
        if reason is not None:
            self._unable[measure.key] = reason
        return reason is None

    def set(self, now: float, measure: Measure, level: int, why: str) -> None:
        """Bring a measure to another level."""
        use = self.uses[measure.key]
        if level == use.level:
            return
        was, _ = self._changed.get(measure.key, (use.level, why))
        self._changed[measure.key] = was, why
        move(now, measure, use, level)

    def start_cold(self, lowered: Mapping[str, tuple[float, float]]) -> None:
        """Go on from setpoints that are lowered: to give them back sheds load.

        `lowered` has what each setpoint was before, and by how much it is lowered.
        """
        self.usual = {point: before for point, (before, _) in lowered.items()}
        for measure in self.measures:
            use = self.uses[measure.key]
            if (
                measure.kind != "raise"
                or use.level
                or measure.step <= 0.0
                or measure.key in self._unable
                or not measure.points
                or not set(measure.points) <= lowered.keys()
            ):
                continue
            steps = min(lowered[point][1] for point in measure.points) / measure.step
            use.cold = min(int(steps + _ROUNDING), measure.levels)
            use.level = -use.cold
            use.before = {point: lowered[point][0] for point in measure.points}

    def end_cold(self, now: float, why: str) -> None:
        """Give back what is still lowered from cooling ahead."""
        for measure in self.measures:
            use = self.uses[measure.key]
            use.cold = 0
            if use.level < 0:
                self.set(now, measure, 0, why)
            elif use.level == 0:
                use.before.clear()

    def coming(self, now: float, read: float, inputs: Inputs) -> float:
        """Return what was done and the meter cannot show yet, kW."""
        return on_its_way(now, self.measures, self.uses, read, inputs)

    @property
    def commands(self) -> list[Command]:
        """What all of them command."""
        return [
            command
            for measure in self.used
            for command in commands(measure, self.uses[measure.key])
        ]

    @property
    def events(self) -> list[Event]:
        """What changed in this step."""
        return changes(self.measures, self.uses, self._changed)

    def rows(self, now: float, inputs: Inputs) -> list[dict[str, object]]:
        """Return every measure as people see it, in JSON types."""
        return rows(
            self.measures,
            self.uses,
            {item.key: self._cannot(item, inputs) for item in self.measures},
            {item.key: self._waits(now, item, inputs) for item in self.measures},
        )

    def _watch(self, now: float, inputs: Inputs) -> None:
        for measure in self.measures:
            for zone in measure.comfort:
                if inputs.number(zone.point) is None:
                    self._lost.setdefault(zone.point, now)
                else:
                    self._lost.pop(zone.point, None)

    def _cannot(self, measure: Measure, inputs: Inputs) -> str | None:
        """Return why no further level of a measure can be used, None if one can."""
        if measure.key in self._unable:
            return self._unable[measure.key]
        if self.uses[measure.key].level < 0:
            # What is left of cooling ahead is given up whoever sees the zone.
            return None
        for zone in measure.comfort:
            if inputs.number(zone.point) is None:
                return f"{zone.point} is not known"
        return None

    def _waits(self, now: float, measure: Measure, inputs: Inputs) -> str | None:
        """Return why no further level may be used for a while, None if one may."""
        use = self.uses[measure.key]
        if use.level < 0:
            return None
        if use.level == 0 and now - use.given_back < measure.recovery:
            left = measure.recovery - (now - use.given_back)
            return f"it recovers, for {duration(left)}"
        for zone in measure.comfort:
            temperature = inputs.number(zone.point)
            if (
                temperature is not None
                and temperature > zone.warmest - self._settings.comfort_return
            ):
                return f"{zone.point} is {temperature:.1f} °C, nearly too warm"
        return None

    def _keep_comfort(self, now: float, inputs: Inputs) -> None:
        for measure in self.measures:
            use = self.uses[measure.key]
            if use.level <= 0:
                continue
            why, beyond = self._too_warm(now, measure, inputs)
            if why is None:
                continue
            waits = self._settings.comfort_interval
            if measure.own_zone:
                waits = PACE[measure.kind]
            if measure.own_zone and beyond:
                self.set(now, measure, 0, why)
            elif now - use.changed >= waits and not _cooled(measure, use, inputs):
                self.set(now, measure, use.level - 1, why)

    def _too_warm(
        self, now: float, measure: Measure, inputs: Inputs
    ) -> tuple[str | None, bool]:
        """Return why a measure has to step back, and whether that is late already."""
        early: str | None = None
        for zone in measure.comfort:
            temperature = inputs.number(zone.point)
            if temperature is None:
                if now - self._lost[zone.point] >= LOST:
                    why = f"{zone.point} is not known any more: comfort goes first"
                    return why, True
                continue
            why = f"{zone.point} is {temperature:.1f} °C: comfort goes first"
            if temperature > zone.warmest:
                return why, True
            if temperature > zone.warmest - _EARLY:
                early = why
        return early, False

    # Across a restart.

    @property
    def resume(self) -> dict[str, Any]:
        """What it needs to go on after a restart, in JSON types."""
        return {
            key: stored for key, use in self.uses.items() if (stored := use.as_dict())
        }

    def restore(self, stored: object) -> None:
        """Take back what `resume` was; what cannot be understood is left out."""
        if not isinstance(stored, Mapping):
            return
        for measure in self.measures:
            try:
                use = Use.restored(stored[measure.key], measure)
            except (AttributeError, KeyError, TypeError, ValueError):
                continue
            missing = measure.kind == "raise" and set(measure.points) - set(use.before)
            if not missing or not use.level:
                self.uses[measure.key] = use


def _cooled(measure: Measure, use: Use, inputs: Inputs) -> bool:
    """Whether a room is cooled already: less of a measure would only be a peak later."""
    if not measure.own_zone or measure.kind != "raise":
        return False
    temperatures = [inputs.number(zone.point) for zone in measure.comfort]
    known = [item for item in temperatures if item is not None]
    setpoints = [float(item.value) for item in commands(measure, use)]
    return bool(known) and max(setpoints) <= min(known) - _COOLED


def _hindered(measure: Measure, inputs: Inputs) -> str | None:
    """Return what keeps a measure from its points.

    Limits hold for each chiller by itself: one that is not there hinders no other.
    """
    reasons = []
    for point in measure.points:
        if point in inputs.taken:
            reasons.append(f"{inputs.taken[point]} commands it")
        elif point in inputs.holds:
            reasons.append(inputs.holds[point])
        elif inputs.values.get(point) is None:
            reasons.append(f"{point} is not known")
    if measure.kind == "limit" and len(reasons) < len(measure.points):
        return None
    return reasons[0] if reasons else None
