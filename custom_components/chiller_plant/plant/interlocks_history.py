"""What each machine has been doing: how long it ran, stood, how often it started.

Taken from its proven status where that can be relied on, else from what it was
commanded to. A machine seen for the first time counts as having stopped (or
started) just then: that costs one minimum off time, once, and nothing is known
that would say otherwise. One that was never read counts as in need of flow.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .interlocks_view import View
from .model import Equipment
from .steady_time import past

HOUR = 3600.0
PROOF_TIME = 300.0
"""Seconds to wait for a start to be proven where the plant file says nothing."""
_STARTS_KEPT = 100


class LockKind(StrEnum):
    """Why a machine was stopped, or its start taken back."""

    FLOW = "flow"
    START = "start"
    ALARM = "alarm"


@dataclass(slots=True)
class History:
    """One machine; all times are steady ones."""

    running: bool | None = None
    """None: never looked at."""
    run_since: float = 0.0
    worked_until: float | None = None
    """When it was last running or starting, or was switched off."""
    active_until: float | None = None
    """When it was last, or may have been, in need of flow."""
    starts: list[float] = field(default_factory=list)
    """Starts of the last hour."""
    pending: float | None = None
    """When we started it, while that is not proven."""
    changed_at: float | None = None
    """When it last changed between off and on."""
    expecting: bool = False
    """We changed it, and its status has not shown that yet."""
    flow_since: float | None = None
    """Since when its flow is proven without a break."""
    flow_lost_since: float | None = None
    lock: LockKind | None = None
    locked_at: float = 0.0
    foreign: bool = False
    """Somebody else ran it when it was locked, and may do so again."""

    def observe(self, machine: Equipment, view: View) -> None:
        """Take in one look at the plant."""
        time = view.time
        status = view.status(machine)
        if status and self.running and self.pending is None:
            self._runs_on(time)
            return
        has_status = status is not None or view.status_point(machine) is not None
        running = status
        if running is None:
            running = self._ran_on(has_status, machine, view)
        if self.running is None and status is None and has_status and not running:
            self.active_until = time  # for all we know it runs
            return
        if self.running is None:
            self.worked_until = self.run_since = time
        elif running and not self.running:
            self.run_since = time
            self._changed(machine, time)
            if self.pending is None:
                self.count_start(time)
        elif self.running and not running:
            self.worked_until = self.active_until = time
            self._changed(machine, time)
        self.running = running
        if status is True or not has_status:
            if self.pending is not None:
                self.run_since = time
            self.pending = None
        if running or self.pending is not None:
            self._runs_on(time)
            return
        self.forget_starts(time)
        if view.maybe_on(machine):
            self.active_until = time

    def _runs_on(self, time: float) -> None:
        self.worked_until = self.active_until = time
        self.forget_starts(time)

    def forget_starts(self, time: float) -> None:
        """Let go of what was more than an hour ago."""
        if self.starts and time - self.starts[0] >= HOUR:
            self.starts = [start for start in self.starts if time - start < HOUR]

    def _ran_on(self, has_status: bool, machine: Equipment, view: View) -> bool:
        """Whether a machine that does not say so is taken to run."""
        # A status that is lost says nothing new: what ran runs on.
        return True in view.confirmed(machine) or (has_status and self.running is True)

    def _changed(self, machine: Equipment, time: float) -> None:
        """Note that the status changed.

        A status that changes without our doing counts only every other time,
        so that a chattering contact does not keep the others off for ever.
        """
        change_time = machine.interlocks.change_time
        if (
            self.expecting
            or self.changed_at is None
            or time - self.changed_at >= 2 * change_time
        ):
            self.changed_at = time
        self.expecting = False

    def flow_wait(self, machine: Equipment, time: float) -> float:
        """Return the seconds until flow counts as proven."""
        proof_time = machine.interlocks.flow_proof_time
        if self.flow_since is None:
            return max(proof_time, 1.0)
        return max(proof_time - (time - self.flow_since), 0.0)

    def off_wait(self, machine: Equipment, time: float) -> float:
        """Return the seconds until the machine has stood long enough."""
        since = time - (self.worked_until or 0.0)
        return max(machine.interlocks.minimum_off_time - since, 0.0)

    def count_start(self, time: float) -> None:
        """Note a start."""
        self.starts.append(time)
        del self.starts[:-_STARTS_KEPT]

    def took(self, time: float, *, was: bool, on: bool, has_status: bool) -> None:
        """Note that the wire took an on or off; `was`: it may have been on."""
        if on and self.running is not True:
            self.count_start(time)
            self.run_since = time
            self.worked_until = self.active_until = time
            self.pending = time
        elif on:
            return
        elif was or self.running:
            self.worked_until = self.active_until = time
            self.pending = None
        else:
            return
        self.changed_at = time
        self.expecting = has_status

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {
            "running": self.running,
            "starts": list(self.starts),
            "expecting": self.expecting,
            "foreign": self.foreign,
            "lock": None if self.lock is None else self.lock.value,
            **{name: getattr(self, name) for name in _TIMES},
        }

    def restore(self, time: float, data: dict[str, Any]) -> None:
        """Take what `as_dict` gave; a time that makes no sense is now."""
        running = data.get("running")
        self.running = running if isinstance(running, bool) else None
        starts = data.get("starts")
        self.starts = sorted(
            start
            for value in (starts if isinstance(starts, list) else [])[-_STARTS_KEPT:]
            if (start := past(value, time)) is not None
        )
        self.expecting = data.get("expecting") is True
        self.foreign = data.get("foreign") is True
        lock = data.get("lock")
        self.lock = LockKind(lock) if lock in list(LockKind) else None
        for name in _TIMES:
            value = past(data.get(name), time)
            if value is None and (name in _NEVER_NONE or data.get(name) is not None):
                value = None if name in _PROOFS else time
            setattr(self, name, value)
        if self.running is not None and self.worked_until is None:
            self.worked_until = self.active_until = time


_NEVER_NONE = ("run_since", "locked_at")
_PROOFS = ("flow_since",)
_TIMES = (
    *_NEVER_NONE,
    *_PROOFS,
    "worked_until",
    "active_until",
    "pending",
    "changed_at",
    "flow_lost_since",
)
