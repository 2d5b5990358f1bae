"""What was commanded and is not proven: since when, and when that is a failure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .decision import duration
from .staging_plant import Machine

FAILURE_MEMORY = 3600.0
"""Seconds after which a machine that did not prove is given another chance."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A machine that did not do what it was told, and when that was found."""

    reason: str
    at: float
    silent: bool = False
    """Whether all that is known is that it says nothing."""


class Unproven(NamedTuple):
    """A machine that is not yet what it is commanded to be."""

    machine: Machine
    on: bool
    hold: str | None
    """Why an interlock holds it back."""
    read: bool | None
    """What it says of itself."""
    as_told: bool
    """Whether it is silent now, and was so when it was last heard."""

    @property
    def label(self) -> str:
        """What is waited for, by a name."""
        return self.machine.key if self.on else f"stop {self.machine.key}"

    def text(self) -> str:
        """Say what is waited for."""
        name = self.machine.name
        if self.hold is not None:
            return f"{name} is held: {self.hold}"
        if self.read is None:
            return f"{name} does not report"
        if self.machine.verb == "open":
            return f"{name} to {'open' if self.on else 'close'}"
        return f"{name} to {'start' if self.on else 'stop'}"


class Proofs:
    """Times what is waited for, and remembers what did not come."""

    def __init__(self, timeout: float) -> None:
        """Wait for nothing yet; `timeout` in seconds."""
        self._timeout = timeout
        self._since: dict[str, float] = {}
        self._overdue: set[str] = set()
        self.failures: dict[str, Failure] = {}

    def heard(self, key: str, *, proven: bool) -> None:
        """Forget a failure that is over: it runs, or it was only not heard."""
        failure = self.failures.get(key)
        if failure is not None and (proven or failure.silent):
            del self.failures[key]

    def forget(self, now: float) -> None:
        """Give another chance to what failed long ago."""
        for key, failure in list(self.failures.items()):
            if now - failure.at >= FAILURE_MEMORY:
                del self.failures[key]

    def stopping(self, now: float, key: str) -> float | None:
        """Return for how long a machine has been told to stop; None if not."""
        since = self._since.get(f"stop {key}")
        return None if since is None else now - since

    def watch(
        self, now: float, unproven: Iterable[Unproven]
    ) -> list[tuple[Machine, str]]:
        """Time all that is unproven; return what has just failed, and how."""
        waiting: dict[str, float] = {}
        overdue: set[str] = set()
        failed = []
        for item in unproven:
            label = item.label
            since = self._since.get(label, now)
            if item.hold is not None or item.as_told:
                # Held by an interlock, or silent after it did it: not its failure.
                since = now
            waiting[label] = since
            if now - since >= self._timeout:
                overdue.add(label)
                if label not in self._overdue:
                    failed.append((item.machine, self._fail(now, item)))
        self._since, self._overdue = waiting, overdue
        return failed

    def _fail(self, now: float, item: Unproven) -> str:
        machine = item.machine
        off = "close" if machine.verb == "open" else "stop"
        verb = machine.verb if item.on else off
        time = duration(self._timeout)
        reason = f"{machine.name} did not {verb} within {time}"
        if item.read is None:
            reason = f"{machine.name} was told to {verb} and is silent for {time}"
        if item.on:
            self.failures[machine.key] = Failure(reason, now, item.read is None)
        return reason

    def resume(self) -> dict[str, object]:
        """Return what must outlive a restart; JSON types."""
        return {
            "waiting_since": dict(self._since),
            "failures": {
                key: [failure.reason, failure.at, failure.silent]
                for key, failure in self.failures.items()
            },
        }

    def restore(
        self, data: Mapping[str, Any], known: Collection[str], *, fresh: bool
    ) -> None:
        """Go on from `resume`; without the waiting if it is not `fresh`."""
        for key, (reason, at, silent) in data.get("failures", {}).items():
            if key in known:
                self.failures[key] = Failure(str(reason), float(at), bool(silent))
        if fresh:
            for label, at in data.get("waiting_since", {}).items():
                self._since[label] = float(at)
