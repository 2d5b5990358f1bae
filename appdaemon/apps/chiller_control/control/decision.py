"""What a control type is given and what it answers.

A controller decides and someone else acts: it gets the readings that it asked
for and the time, and returns commands, a state for people to read, and what
happened. It does no I/O and reads no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from math import inf
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from .planned import Amendments, PlannedAction

Value: TypeAlias = bool | float


class Owner(NamedTuple):
    """Who has the last word on a point."""

    priority: float
    name: str


DEMAND_RESPONSE = 50
"""The priority of what is done for an event of demand response."""
OPERATOR = 150
"""The priority of a person."""
AT_THE_DEVICE = Owner(inf, "somebody at the device")
"""Who set a point by hand where it is."""


class ControlRefused(ValueError):
    """An automation that cannot be run as it is configured; says why.

    `fields` are the fields of the form that it is about, as the blueprint calls
    them: whoever tells a person has their labels.
    """

    def __init__(self, message: str, *fields: str) -> None:
        """Say why."""
        super().__init__(message)
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Inputs:
    """The readings of one control cycle, by point key.

    A value that is not good is None: nothing may be computed with it.
    """

    values: Mapping[str, Value | None]
    holds: Mapping[str, str] = field(default_factory=dict)
    """Commanded points that the interlocks hold back, with the reason."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Points that somebody of a higher priority commands now, with the name."""
    time_zone: tzinfo = UTC
    amendments: Amendments = field(default_factory=dict)
    """What people changed of what this automation is about to do."""
    idle_days: frozenset[date] = frozenset()
    """Days around today on which this automation is not in the profile."""
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """Who commands the points that are commanded now, whoever that is."""

    def number(self, point: str | None) -> float | None:
        """Return a number, None if it is not known."""
        value = self.values.get(point) if point is not None else None
        return None if value is None or isinstance(value, bool) else value

    def on(self, point: str | None) -> bool | None:
        """Return an on/off state, None if it is not known."""
        value = self.values.get(point) if point is not None else None
        return value if isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Command:
    """A value that a point should have as long as it is in the decision."""

    point: str
    value: Value
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the automation did, and why.

    `data` has `equipment` (a key or several), `from` and `to`; more where it helps.
    """

    event: str
    reason: str
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """All that an automation wants now.

    `commands` is complete: a point that is no longer in it is handed back.
    `attributes` holds JSON types only; `attributes["message"]` says in a
    sentence what is going on, and `attributes["resume"]`, where there is one,
    is what the controller needs to go on after a restart.
    """

    commands: tuple[Command, ...]
    state: str
    attributes: Mapping[str, object]
    events: tuple[Event, ...] = ()
    planned: tuple[PlannedAction, ...] = ()
    """What it is about to do; the same object as long as it is the same."""


class Controller(Protocol):
    """One running automation.

    One that may have to be worked out more often than the plant is read has an
    `interval` besides, in seconds.
    """

    @property
    def points(self) -> frozenset[str]:
        """The points that it wants to read."""

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide what should be commanded now (epoch seconds)."""


@runtime_checkable
class Planner(Protocol):
    """A controller that knows without readings what it will do on days to come."""

    def ahead(
        self, now: float, zone: tzinfo, amendments: Amendments
    ) -> tuple[PlannedAction, ...]:
        """Return what it would do if it ran, the first one first."""


def iso(at: float | None) -> str | None:
    """Return epoch seconds as an ISO time in UTC."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def duration(seconds: float) -> str:
    """Return a duration as a person would say it: `15 min`, `30 s`."""
    if seconds >= 7200:
        return f"{seconds / 3600:.3g} h"
    if seconds >= 120:
        return f"{seconds / 60:.3g} min"
    return f"{seconds:.0f} s"
