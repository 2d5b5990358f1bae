"""A start or a stop that is being watched, until what came of it is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .decision import DEMAND_RESPONSE, OPERATOR, Event, Owner
from .optimal_start.drift import Drift
from .optimal_start.models import TOLERANCE
from .optimal_start.recovery import Conditions, Mode, Recovery, recovery_from
from .optimal_start.selector import Estimate

WATCHED = 150.0
"""Minutes after opening in which a zone is waited for, and after a stop."""

BLIND = 10.0
"""Minutes without zone temperatures after which nothing is measured any more."""


@dataclass(slots=True)
class Watch:
    """One of them; times in epoch seconds."""

    kind: str
    """`start` or `stop`."""
    at: float
    hour: float
    """Begin or end of the hours that it is about."""
    conditions: Conditions
    predicted: float | None = None
    model: str | None = None
    coasting: bool = False
    """Of a stop: whether it is before the end of the hours."""
    excluded: str | None = None
    """Why nothing can be learnt from it."""
    seen: float = 0.0
    """When a zone was last measured."""
    zones: int = 0
    """How many were measured when it began."""
    held: frozenset[str] = frozenset()
    """Points that people held then: what always is so is how the plant is."""

    def look_who_commands(self, owners: Mapping[str, Owner]) -> None:
        """Leave it out if an event is shed for, or a person did something since."""
        for point, owner in owners.items():
            if owner.priority == DEMAND_RESPONSE:
                self.excluded = f"demand response commanded {point}"
            elif owner.priority >= OPERATOR and point not in self.held:
                self.excluded = f"{owner.name} commanded {point}"

    def over(self, now: float, zone: float | None) -> Event | None:
        """Return what came of it, None as long as that is not known."""
        minutes = (now - self.at) / 60.0
        if now - self.seen > 60.0 * BLIND:
            self.excluded = "the zones were not measured all the time"
        if zone is not None:
            self.seen = now
        there = zone is not None and self._is_there(zone)
        if not there and now < self._last:
            return None
        return self.event(now, minutes, reached=there)

    @property
    def _last(self) -> float:
        """Return until when it is watched: while it says something of its kind."""
        if self.coasting:
            return self.hour
        return 60.0 * WATCHED + (self.hour if self.kind == "start" else self.at)

    def cut(self, now: float, why: str | None = None) -> Event:
        """Return what is known although it was not waited for the end."""
        if why is not None:
            self.excluded = why
        return self.event(now, (now - self.at) / 60.0, reached=False)

    def event(self, now: float, minutes: float, *, reached: bool) -> Event:
        """Tell what came of it."""
        error = (now - self.hour) / 60.0 if self.kind == "start" else None
        return Event(
            "recovery" if self.kind == "start" else "drift",
            self._sentence(minutes, reached, error),
            {
                "started_at": self.at,
                "minutes": round(minutes, 1),
                "predicted": None
                if self.predicted is None
                else round(self.predicted, 1),
                "model": self.model,
                "late_minutes": None if error is None else round(error, 1),
                "zone": round(self.conditions.zone, 2),
                "setpoint": round(self.conditions.setpoint, 2),
                "outdoor": self.conditions.outdoor,
                "off_hours": round(self.conditions.off_hours, 2),
                "heating": self.conditions.mode == "heating",
                "reached": reached,
                "coasting": self.coasting,
                "excluded": self.excluded,
            },
        )

    def _is_there(self, zone: float) -> bool:
        left = zone - self.conditions.setpoint
        if self.conditions.mode == "heating":
            left = -left
        # A drift goes all the way to its limit.
        return left <= (TOLERANCE if self.kind == "start" else 0.0)

    def _sentence(self, minutes: float, reached: bool, error: float | None) -> str:
        if self.excluded is not None:
            return f"Not learnt from: {self.excluded}"
        likely = (
            "" if self.predicted is None else f", {self.predicted:.0f} were expected"
        )
        if self.kind == "stop":
            what = "Comfort lasted" if reached else "Comfort lasted at least"
            return f"{what} {minutes:.0f} min after the stop{likely}"
        if not reached:
            return f"Not at the setpoint {minutes:.0f} min after the start{likely}"
        assert error is not None
        when = f"{abs(error):.0f} min {'after' if error > 0 else 'before'} the hours"
        return f"At the setpoint {minutes:.0f} min after the start{likely}; {when}"

    def as_dict(self) -> dict[str, object]:
        """Return what is needed to go on after a restart."""
        conditions = self.conditions
        return {
            "kind": self.kind,
            "at": self.at,
            "hour": self.hour,
            "zone": conditions.zone,
            "setpoint": conditions.setpoint,
            "outdoor": conditions.outdoor,
            "off_hours": conditions.off_hours,
            "mode": conditions.mode,
            "predicted": self.predicted,
            "model": self.model,
            "coasting": self.coasting,
            "excluded": self.excluded,
            "seen": self.seen,
            "zones": self.zones,
            "held": sorted(self.held),
        }


def watch_from(data: Any) -> Watch | None:
    """Read what `as_dict` gave, None if there is nothing."""
    if not isinstance(data, Mapping):
        return None
    try:
        mode: Mode = "heating" if data["mode"] == "heating" else "cooling"
        predicted, outdoor = data.get("predicted"), data.get("outdoor")
        return Watch(
            kind="stop" if data["kind"] == "stop" else "start",
            at=float(data["at"]),
            hour=float(data["hour"]),
            conditions=Conditions(
                float(data["zone"]),
                float(data["setpoint"]),
                None if outdoor is None else float(outdoor),
                float(data["off_hours"]),
                mode,
            ),
            predicted=None if predicted is None else float(predicted),
            model=data.get("model"),
            coasting=bool(data.get("coasting")),
            excluded=data.get("excluded"),
            seen=float(data.get("seen") or data["at"]),
            zones=int(data.get("zones") or 0),
            held=frozenset(map(str, data.get("held") or ())),
        )
    except (KeyError, TypeError, ValueError):
        return None


def held_by_people(owners: Mapping[str, Owner]) -> frozenset[str]:
    """Return the points that people command."""
    return frozenset(
        point for point, owner in owners.items() if owner.priority >= OPERATOR
    )


def starts_of(history: tuple[Mapping[str, Any], ...]) -> list[Recovery]:
    """Return what starts have taught."""
    found = [recovery_from(item) for item in history if item.get("kind") == "start"]
    return [item for item in found if item is not None]


def drifts_of(history: tuple[Mapping[str, Any], ...]) -> list[Drift]:
    """Return what stops have taught."""
    found = [
        (recovery_from(item), item.get("coasting") is True)
        for item in history
        if item.get("kind") == "stop"
    ]
    return [Drift(item, coasting) for item, coasting in found if item is not None]


def sureness(estimate: Estimate | None, days: int) -> str:
    """Say how sure an estimate is, for people."""
    if estimate is None:
        return f"not known yet ({days} recoveries)"
    word = "sure" if estimate.days >= 15 and estimate.spread <= 15.0 else "learning"
    return (
        f"{word}: ± {estimate.spread:.0f} min ({estimate.model}, "
        f"{estimate.days} recoveries)"
    )
