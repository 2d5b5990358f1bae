"""Adaptive start and stop of a chiller plant schedule.

The hours of the schedule are then those in which people are to be comfortable: the
plant starts before them, as early as this building has been taking lately, and may
stop before they end where what is stored lasts. Both are worked out again and again until they
happen, and then stay: an estimate that falls while the zone is cooling must not
stop the plant again.

What is not known is decided for comfort: without a history, or without the temperature of any
zone, the plant starts as early as it may and stops when the hours end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from .adaptive_config import PUMPS, adaptive_config, outdoor_point
from .adaptive_recovery import (
    Watch,
    drifts_of,
    held_by_people,
    starts_of,
    sureness,
    watch_from,
)
from .adaptive_zones import Zones
from .decision import Command, Event, Inputs, iso
from .optimal_start.drift import DriftSelector, enough_for
from .optimal_start.recovery import Conditions
from .optimal_start.selector import Estimate, Selector, learn_all
from .plan import Plan, PlanAutomation
from .planned import PlannedAction
from .spans import Agenda, Span

_USUAL_NIGHT = 12.0
"""Hours, where nobody knows when the plant stopped."""

_UNSEEN = 600.0
"""Seconds without a look after which what happened meanwhile is not known."""

_SHORTEST_COAST = 5.0
"""Minutes; stopping for less is not worth a stop."""

_ROUNDED = 300.0
"""Seconds to which a start that is only estimated is told."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """What the schedule does because of it."""

    on: bool
    reason: str | None
    """Why the plant is on or off outside its hours or within them."""
    until: float | None
    """When that changes, epoch seconds."""
    attributes: Mapping[str, object]
    commands: tuple[Command, ...]
    events: tuple[Event, ...]


class AdaptiveTimes:
    """The starts and stops of one schedule."""

    def __init__(self, plan: Plan, automation: PlanAutomation, enable: str) -> None:
        """Learn the history; raise ControlRefused for a form that cannot work."""
        config = adaptive_config(automation)
        self.wanted = config is not None
        if config is None:
            return
        self._config = config
        self._enable = enable
        self._zones = Zones(plan, automation, config)
        self._outdoor = outdoor_point(plan)
        self._starts = starts_of(automation.history)
        self._selectors = learn_all(self._starts)
        drifts = drifts_of(automation.history)
        self._drifts = DriftSelector(drifts)
        self._stopped = max((item.recovery.at for item in drifts), default=None)
        """The newest stop that was learnt: perhaps of another profile's schedule."""
        resumed: object = automation.resume.get("adaptive")
        resume: Mapping[str, Any] = resumed if isinstance(resumed, Mapping) else {}
        self._off_since = _number(resume.get("off_since"))
        self._early = _number(resume.get("early"))
        """The begin of the hours for which the plant was started."""
        self._coast = _number(resume.get("coast"))
        """The end of the hours before which the plant was stopped."""
        self._gave_up = _number(resume.get("gave_up"))
        """The end of the hours for which that turned out to be too early."""
        self._watch = watch_from(resume.get("watch"))
        was_on = resume.get("was_on")
        self._was_on = was_on if isinstance(was_on, bool) else None
        self._seen = _number(resume.get("seen"))
        self._why = str(resume.get("why") or "")
        self._estimated: tuple[Span, float] | None = None
        self._told: tuple[object, ...] = ()
        self._planned: tuple[PlannedAction, ...] = ()

    @property
    def points(self) -> frozenset[str]:
        """What it reads."""
        if not self.wanted:
            return frozenset()
        points = [self._enable, *self._zones.points]
        return frozenset([*points, self._outdoor] if self._outdoor else points)

    def step(self, now: float, inputs: Inputs, agenda: Agenda) -> Adapted:
        """Decide whether the plant is on, given the hours."""
        span, following = agenda.now(now), agenda.following(now)
        if inputs.on(self._enable) is True and self._was_on is False:
            # Whoever runs it: this is no time off.
            self._off_since = now
        zone = self._zones.temperature(inputs)
        outdoor = inputs.number(self._outdoor)
        attributes: dict[str, object] = {}
        self._estimated = None
        on, reason, until = span is not None, None, None
        end = agenda.end_of(now)
        if span is not None:
            self._coasts(now, span, end, inputs, outdoor, attributes)
            if self._coast == end:
                on, reason, until = False, self._why, end
        elif following is not None:
            off = self._off_hours(now, agenda, following.begin)
            until = self._starts_early(now, following, zone, outdoor, off, attributes)
            if self._early == following.begin:
                on, reason = True, self._why
                until = agenda.end_of(following.begin)
        events = [*self._watched(now, inputs, on)]
        self._turned(now, on, span, following, agenda, inputs, outdoor)
        attributes |= {
            "zone_temperature": None if zone is None else round(zone, 1),
            "recoveries": len(self._starts),
            "resume": {"adaptive": self._resume()},
        }
        return Adapted(
            on=on,
            reason=reason,
            until=until,
            attributes=attributes,
            commands=tuple(
                Command(point, True, self._why)
                for point in self._zones.occupied
                if self._config.occupy_zones and on and span is None
            ),
            events=tuple(events),
        )

    def planned(self, planned: tuple[PlannedAction, ...]) -> tuple[PlannedAction, ...]:
        """Return what the schedule will do, with the next start where it is now."""
        if not self._config.start or self._estimated is None:
            return planned
        span, at = self._estimated
        told = (planned, span, at)
        if told != self._told:
            self._told = told
            self._planned = tuple(
                replace(item, at=at, original=at, estimated=True)
                if item.kind == "start" and item.original == span.planned[0]
                else item
                for item in planned
            )
        return self._planned

    # The start

    def _starts_early(
        self,
        now: float,
        span: Span,
        zone: float | None,
        outdoor: float | None,
        off: float,
        attributes: dict[str, object],
    ) -> float | None:
        """Start, if it is time to; what a person moved stays where they put it.

        Return when it will be time, as far as that is known.
        """
        config = self._config
        if not config.start or span.first.at is not None:
            return None
        ahead = (span.begin - now) / 60.0
        started = self._was_on and self._early is not None and self._early > now
        if started and ahead <= config.earliest_start:
            # Also for hours that were moved since.
            self._early = span.begin
        if self._early == span.begin:
            return None
        minutes, estimate, why = self._minutes(now, span, zone, outdoor, off)
        at = span.begin - 60.0 * minutes
        told = round(max(now, at) / _ROUNDED) * _ROUNDED
        self._estimated = (span, told)
        attributes |= {
            "estimated_start": iso(at),
            "estimated_minutes": round(minutes, 1),
            "likely_minutes": estimate and round(estimate.minutes, 1),
            "estimate_spread": estimate and round(estimate.spread, 1),
            "estimate_model": estimate and estimate.model,
            "sureness": sureness(estimate, len(self._starts)),
        }
        if ahead <= min(minutes, config.earliest_start):
            self._early = span.begin
            self._why = f"Plant on {ahead:.0f} min before the hours: {why}"
            self._estimated = None
        return told

    def _minutes(
        self,
        now: float,
        span: Span,
        zone: float | None,
        outdoor: float | None,
        off: float,
    ) -> tuple[float, Estimate | None, str]:
        """Return minutes before the hours, what they are from, and why."""
        config = self._config
        if zone is None:
            return (
                config.earliest_start,
                None,
                "as early as allowed, no zone can be measured",
            )
        if (span.begin - now) / 60.0 > config.earliest_start and self._starts:
            # What the zones have now says nothing about next morning.
            alike = [
                item.conditions
                for item in self._starts
                if (item.conditions.after_day_off)
                == (Conditions(zone, zone, None, off).after_day_off)
            ]
            usual = alike or [item.conditions for item in self._starts]
            mode = usual[-1].mode
            way = median(item.distance for item in usual[-5:])
            zone = config.comfort_temperature + (way if mode == "cooling" else -way)
        mode = self._zones.mode(zone)
        conditions = Conditions(zone, config.comfort_temperature, outdoor, off, mode)
        if conditions.distance <= config.ignore_band:
            return config.latest_start, None, "the zones are at their temperature"
        selector = self._selectors.get(mode) or Selector()
        estimate = selector.estimate(conditions)
        if estimate is None:
            return config.earliest_start, None, "as early as allowed, nothing learnt"
        minutes = estimate.with_margin(config.margin)
        bounded = min(config.earliest_start, max(config.latest_start, minutes))
        return (
            bounded,
            estimate,
            f"{estimate.minutes:.0f} min are likely, {sureness(estimate, 0)}",
        )

    def _off_hours(self, now: float, agenda: Agenda, begin: float) -> float:
        """Return for how long the plant will have been off when it may start."""
        at = max(now, begin - 60.0 * self._config.earliest_start)
        since = self._off_since
        if since is None:
            ends = [item.end for item in agenda.spans if not item.skipped]
            since = max((end for end in ends if end <= now), default=None)
        if self._stopped is not None and self._stopped <= at:
            since = self._stopped if since is None else max(since, self._stopped)
        return _USUAL_NIGHT if since is None else max(0.0, (at - since) / 3600.0)

    # The stop

    def _coasts(
        self,
        now: float,
        span: Span,
        end: float,
        inputs: Inputs,
        outdoor: float | None,
        attributes: dict[str, object],
    ) -> None:
        """Stop early, if comfort lasts to the end of the hours; go on if it does not."""
        config = self._config
        if not config.stop or span.last.at is not None or span.last.cancelled:
            self._coast = None
            return
        drift = self._zones.drift(inputs, outdoor)
        lost = drift is None or drift.distance <= 0.0
        ahead = (end - now) / 60.0
        if self._coast == end:
            if lost:
                # Comfort wins, and is not risked again on the same day.
                self._coast, self._gave_up = None, end
                self._why = "Plant on again: the zones left the comfort band"
            return
        if drift is None or not _SHORTEST_COAST <= ahead <= config.earliest_stop:
            return
        estimate = self._drifts.estimate(drift)
        enough = None if estimate is None else enough_for(estimate, config.margin)
        attributes |= {
            "comfort_lasts_minutes": enough and round(enough, 1),
            "drift_sureness": sureness(estimate, 0),
        }
        if enough is not None and enough >= ahead and self._gave_up != end:
            self._coast = end
            self._why = (
                f"Plant off {ahead:.0f} min before the end of the hours: comfort lasts"
                f" {enough:.0f} min, {sureness(estimate, 0)}"
            )
            if config.coast_with == PUMPS:
                self._why += "; chilled-water pumps go on until then"

    def pumps_go_on_until(self, now: float, agenda: Agenda) -> float | None:
        """Return the end of the hours, if pumps go on after an early stop now."""
        if not self.wanted or not self._config.stop or self._config.coast_with != PUMPS:
            return None
        span = agenda.now(now)
        if span is None or span.last.at is not None or span.last.cancelled:
            return None
        end = agenda.end_of(now)
        return end if end - now <= 60.0 * self._config.earliest_stop else None

    # What comes of it

    def _watched(self, now: float, inputs: Inputs, on: bool) -> list[Event]:
        """Return what came of what is watched, if that is known."""
        watch = self._watch
        if watch is None:
            return []
        counts = (
            self._zones.last_there if watch.kind == "start" else self._zones.first_out
        )
        zone = counts(inputs, watch.conditions.mode)
        if len(self._zones.known(inputs)) < watch.zones:
            # The one that is missing may be the one that takes longest.
            zone = None
        watch.look_who_commands(self._zones.owners(inputs))
        if self._enable in inputs.taken:
            watch.excluded = f"{inputs.taken[self._enable]} commanded the plant"
        elif self._enable in inputs.holds:
            watch.excluded = f"the plant was held: {inputs.holds[self._enable]}"
        event = watch.over(now, zone)
        if event is None and on != (watch.kind == "start"):
            # A start that was stopped, or a drift that a start ended.
            why = "the plant was stopped" if watch.kind == "start" else None
            event = watch.cut(now, why)
        if event is None:
            return []
        self._watch = None
        return [event]

    def _turned(
        self,
        now: float,
        on: bool,
        span: Span | None,
        following: Span | None,
        agenda: Agenda,
        inputs: Inputs,
        outdoor: float | None,
    ) -> None:
        """Begin to watch what turned on or off now."""
        seen, self._seen = self._seen, now
        turned = self._was_on is not None and on != self._was_on
        self._was_on = on
        if not turned:
            return
        if seen is None or now - seen > _UNSEEN:
            # It turned while nobody looked: when, only the hours can say.
            self._off_since = None
            return
        end = agenda.end_of(now)
        if on:
            hours = following if span is None else span
            zone = self._zones.temperature(inputs)
            # What ran already is no start.
            runs = inputs.on(self._enable) is True or self._gave_up == end
            if zone is not None and hours is not None and not runs:
                conditions = Conditions(
                    zone,
                    self._config.comfort_temperature,
                    outdoor,
                    self._off_hours(now, agenda, now),
                    self._zones.mode(zone),
                )
                self._watch_start(now, hours, conditions, inputs)
            self._off_since = None
            return
        self._off_since = now
        drift = self._zones.drift(inputs, outdoor)
        if drift is None or drift.distance <= 0.0:
            return
        coasting = span is not None and self._coast == end
        estimate = self._drifts.estimate(drift)
        self._watch = Watch(
            "stop",
            now,
            end if coasting else now,
            drift,
            estimate.minutes if estimate else None,
            estimate.model if estimate else None,
            coasting,
            seen=now,
            zones=len(self._zones.known(inputs)),
            held=held_by_people(self._zones.owners(inputs)),
        )

    def _watch_start(
        self,
        now: float,
        span: Span,
        conditions: Conditions,
        inputs: Inputs,
    ) -> None:
        if conditions.distance <= self._config.ignore_band:
            return
        selector = self._selectors.get(conditions.mode)
        estimate = selector.estimate(conditions) if selector else None
        self._watch = Watch(
            "start",
            now,
            span.begin,
            conditions,
            estimate.minutes if estimate else None,
            estimate.model if estimate else None,
            seen=now,
            zones=len(self._zones.known(inputs)),
            held=held_by_people(self._zones.owners(inputs)),
        )

    def _resume(self) -> dict[str, object]:
        return {
            "off_since": self._off_since,
            "early": self._early,
            "coast": self._coast,
            "gave_up": self._gave_up,
            "watch": None if self._watch is None else self._watch.as_dict(),
            "was_on": self._was_on,
            "seen": self._seen,
            "why": self._why,
        }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
