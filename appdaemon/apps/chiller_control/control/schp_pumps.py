"""Which pumps of a group run: equal run hours, one change at a time, proof.

Told how many pumps are wanted, it starts the one with the least staging run
hours and stops the one with the most (Guideline 36-2021 §5.1.15). It changes
one pump at a time and waits for its proof before it changes another. A pump
that does not prove, or stops by itself, is set aside and the next takes over.
What somebody else runs counts as running and is left to them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .decision import Command, Event, Inputs, duration
from .schp_config import Pump

_PROOF_LOSS = 10.0
"""Seconds that a running pump may be without its proof: contacts bounce."""
_FAILURE_MEMORY = 3600.0
"""Seconds after which a pump that failed is given another chance."""
_LAST_RESORT = 300.0
"""The same where no other pump is left."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A pump that was switched and has not proven it."""

    key: str
    on: bool
    since: float


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    at: float


class PumpGroup:
    """The pumps of one group."""

    def __init__(
        self, pumps: Sequence[Pump], proof_timeout: float, rotation_hours: float
    ) -> None:
        """Know nothing yet of what runs; 0 hours of rotation are none."""
        self._pumps = {pump.key: pump for pump in pumps}
        self._proof_timeout = proof_timeout
        self._rotation_hours = rotation_hours
        self._wanted: set[str] = set()
        self._known: dict[str, bool] = {}
        self._read: dict[str, bool | None] = {}
        self._hours: dict[str, float] = {}
        self._lost_since: dict[str, float] = {}
        self._failures: dict[str, _Failure] = {}
        self._change: _Change | None = None
        self._others: set[str] = set()
        """Pumps that run and that somebody else commands."""
        self._vacancy: str | None = None
        """Why a pump is missing that was in service."""
        self._swap: str | None = None
        """Why there is one pump more than wanted for a moment."""
        self._failed_now = False
        self._why: dict[str, str] = {}
        self.waiting: str | None = None
        """What keeps the next change waiting."""

    # What is known

    def observe(self, now: float, inputs: Inputs) -> list[Event]:
        """Take in what the pumps report; return what failed."""
        events: list[Event] = []
        self._others.clear()
        for key, pump in self._pumps.items():
            hours = inputs.number(pump.run_hours)
            if hours is not None:
                self._hours[key] = hours
            failure = self._failures.get(key)
            if failure is not None and now - failure.at >= _FAILURE_MEMORY:
                del self._failures[key]
            proven = self._read[key] = pump.proven(inputs)
            if proven is not None:
                if proven and key not in self._known:
                    # It ran before anybody knew: as good as the others.
                    self._wanted.add(key)
                self._known[key] = proven
                self._watch(now, pump, proven, inputs, events)
            if self._known.get(key) and key not in self._wanted:
                local = inputs.on(pump.remote_mode) is False
                if local or pump.run in inputs.taken:
                    self._others.add(key)
        self._failed_now = bool(events)
        return events

    def _watch(
        self,
        now: float,
        pump: Pump,
        proven: bool,
        inputs: Inputs,
        events: list[Event],
    ) -> None:
        """Time a pump that should run and does not."""
        changing = self._change is not None and self._change.key == pump.key
        if proven or pump.key not in self._wanted or changing:
            self._lost_since.pop(pump.key, None)
            return
        since = self._lost_since.setdefault(pump.key, now)
        if now - since < _PROOF_LOSS:
            return
        owner = inputs.taken.get(pump.run)
        hold = inputs.holds.get(pump.run)
        reason = f"{pump.name} stopped by itself"
        if owner is not None:
            reason = f"{pump.name} was stopped by {owner}"
        elif hold is not None:
            reason = f"{pump.name} was stopped: {hold}"
        self._fail(now, pump, reason, events, blamed=owner is None)

    def _fail(
        self,
        now: float,
        pump: Pump,
        reason: str,
        events: list[Event],
        *,
        blamed: bool = True,
    ) -> None:
        if blamed:
            self._failures[pump.key] = _Failure(reason, now)
        self._wanted.discard(pump.key)
        self._lost_since.pop(pump.key, None)
        self._why[pump.key] = self._vacancy = reason
        events.append(
            Event(
                "equipment_failed" if blamed else "pump_stopped",
                reason,
                {"equipment": pump.key, "from": "on", "to": "off"},
            )
        )

    @property
    def seen(self) -> int:
        """How many pumps have said whether they run."""
        return len(self._known)

    @property
    def running(self) -> tuple[Pump, ...]:
        """The pumps that run, as last known: silence is not a stop."""
        return tuple(
            pump for key, pump in self._pumps.items() if self._known.get(key, False)
        )

    @property
    def in_service(self) -> tuple[Pump, ...]:
        """The pumps that are wanted, and those that others run."""
        return tuple(
            pump
            for key, pump in self._pumps.items()
            if key in self._wanted or key in self._others
        )

    @property
    def settled(self) -> bool:
        """Whether all do what they should, so that the number on means something."""
        return self._change is None and all(
            self._known.get(key, False) for key in self._wanted
        )

    def unavailable(self, pump: Pump, inputs: Inputs) -> str | None:
        """Return why a pump cannot be started, None if it can."""
        if inputs.on(pump.alarm):
            return "in alarm"
        if pump.key in self._failures:
            return self._failures[pump.key].reason
        if self._read.get(pump.key) is None:
            return "it is not known whether it runs"
        if inputs.on(pump.remote_mode) is False:
            return "switched to local"
        owner = inputs.taken.get(pump.run)
        if owner is not None and not self._known.get(pump.key):
            return f"kept off by {owner}"
        return None

    def available(self, inputs: Inputs) -> int:
        """How many pumps run or could be started."""
        return len(self.in_service) + len(self._idle(inputs))

    def _idle(self, inputs: Inputs) -> list[Pump]:
        """Return the pumps that could be started, the next one first."""
        serving = {pump.key for pump in self.in_service}
        idle = [
            pump
            for pump in self._pumps.values()
            if pump.key not in serving
            and not self._known.get(pump.key, False)
            and self.unavailable(pump, inputs) is None
        ]
        # Where hours are not known the order of the form decides.
        return sorted(idle, key=lambda pump: self._hours.get(pump.key, 0.0))

    # What to do

    def step(self, now: float, inputs: Inputs, target: int, reason: str) -> list[Event]:
        """Bring the number of pumps nearer to `target`, by one change at most."""
        self.waiting = None
        if self._change is not None:
            proven, events = self._await(now, inputs, target)
            if not proven:
                return events
        if self._failed_now:
            # That one went off is the change of this cycle.
            return []
        pump, on, why = self._next(now, inputs, target, reason)
        if pump is None:
            return []
        before = len(self.in_service)
        if on:
            self._wanted.add(pump.key)
            self._vacancy = None
        else:
            self._wanted.discard(pump.key)
            self._swap = None
        self._change = _Change(pump.key, on, now)
        self._why[pump.key] = why
        return [
            Event(
                "pump_started" if on else "pump_stopped",
                f"{pump.name} {'on' if on else 'off'}: {why}",
                {
                    "equipment": pump.key,
                    "from": before,
                    "to": before + (1 if on else -1),
                },
            )
        ]

    def _await(
        self, now: float, inputs: Inputs, target: int
    ) -> tuple[bool, list[Event]]:
        """Return whether the last change is proven, and what came of it if not."""
        change = self._change
        assert change is not None
        pump = self._pumps[change.key]
        read = self._read.get(change.key)
        if read is change.on:
            self._change = None
            return True, []
        hold = inputs.holds.get(pump.run)
        if pump.run in inputs.taken:
            # Somebody else drives it now: what it does is theirs.
            self._wanted.discard(change.key)
            self._change = None
            return False, []
        if not change.on and len(self.in_service) < target:
            # Another one was lost meanwhile, and this one still runs.
            self._wanted.add(change.key)
            self._change, self._why[change.key] = None, "needed again"
            return False, []
        verb = "start" if change.on else "stop"
        self.waiting = f"{pump.name} to {verb}"
        if hold is not None:
            self.waiting = f"{pump.name} is held: {hold}"
        elif read is None:
            self.waiting = f"{pump.name} does not report"
        tripped = change.on and inputs.on(pump.alarm)
        if not tripped and now - change.since < self._proof_timeout:
            return False, []
        if hold is not None and not (change.on and self._idle(inputs)):
            # It will do it when the interlock lets it, and no other can instead.
            return False, []
        events: list[Event] = []
        self._change = None
        if read is not None:
            after = duration(self._proof_timeout)
            told = f"{pump.name} did not {verb} within {after}"
            if tripped:
                told = f"{pump.name} is in alarm"
            elif hold is not None:
                told = f"{pump.name} is held: {hold}"
            if change.on:
                self._fail(now, pump, told, events)
            else:
                data = {"equipment": change.key, "from": "on", "to": "off"}
                events.append(Event("equipment_failed", told, data))
        return False, events

    def _next(
        self, now: float, inputs: Inputs, target: int, reason: str
    ) -> tuple[Pump | None, bool, str]:
        """Return the pump to switch, whether on, and why."""
        service = self.in_service
        ours = [pump for pump in service if pump.key in self._wanted]
        unfit = [pump for pump in ours if inputs.on(pump.alarm)]
        idle = self._idle(inputs)
        if target > 0 and len(service) - len(unfit) < target:
            if idle and len(service) < target:
                why = f"takes over: {self._vacancy}" if self._vacancy else reason
                return idle[0], True, why
            if idle:
                self._swap = f"{unfit[0].name} is in alarm"
                return idle[0], True, f"takes over: {self._swap}"
            if not service:
                return self._last_resort(now, inputs), True, "no other pump is left"
        # The last one of ours stays: a pump in somebody's hand may stop any time.
        if len(service) > target and len(ours) > min(target, 1):
            off = unfit[0] if unfit else self._most_hours(ours)
            return off, False, self._swap or reason
        if target == len(service) and self._rotation_hours and idle and ours:
            old, new = self._most_hours(ours), idle[0]
            ahead = self._hours.get(old.key, 0.0) - self._hours.get(new.key, 0.0)
            known = {old.key, new.key} <= self._hours.keys()
            if known and ahead >= self._rotation_hours:
                self._swap = f"rotation, {old.name} has run {ahead:.0f} h more"
                return new, True, self._swap
        return None, True, ""

    def _most_hours(self, pumps: Iterable[Pump]) -> Pump:
        """Return the pump that is first off; without hours the last of the form."""
        order = list(self._pumps)
        return max(
            pumps,
            key=lambda pump: (self._hours.get(pump.key, 0.0), order.index(pump.key)),
        )

    def _last_resort(self, now: float, inputs: Inputs) -> Pump | None:
        """Return a pump that failed a while ago: better than no water."""
        tried = []
        for key, failure in self._failures.items():
            pump = self._pumps[key]
            fit = self._read.get(key) is False and not inputs.on(pump.alarm)
            ours = pump.run not in inputs.taken
            remote = inputs.on(pump.remote_mode) is not False
            if fit and ours and remote and now - failure.at >= _LAST_RESORT:
                tried.append((failure.at, key))
        if not tried:
            return None
        _, key = min(tried)
        del self._failures[key]
        return self._pumps[key]

    def commands(self, inputs: Inputs, speed: float | None) -> tuple[Command, ...]:
        """Return what every pump should do; `speed` in % for those that run."""
        commands = []
        for key, pump in self._pumps.items():
            wanted = key in self._wanted
            driven = self._known.get(key, False) and pump.run in inputs.taken
            if speed is not None and pump.speed_command and (wanted or driven):
                commands.append(
                    Command(
                        pump.speed_command.key,
                        round(speed, 1),
                        "All pumps of the group at one speed",
                    )
                )
            if not wanted and key not in self._known:
                # It may be running on its own controls; not before it has spoken.
                continue
            why = self._why.get(key) or ("Serves the zones" if wanted else "Not needed")
            commands.append(Command(pump.run, wanted, why))
        return tuple(commands)

    # Report

    def report(self, inputs: Inputs) -> dict[str, dict[str, object]]:
        """Return each pump as an operator looks at it."""
        return {
            key: {
                "state": self._state(key),
                "unavailable": (
                    None if key in self._wanted else self.unavailable(pump, inputs)
                ),
                "run_hours": self._hours.get(key),
                "reason": self._why.get(key),
            }
            for key, pump in self._pumps.items()
        }

    def _state(self, key: str) -> str:
        if self._read.get(key) is None:
            return "unknown"
        runs = self._known.get(key, False)
        if key in self._wanted:
            return "running" if runs else "starting"
        if key in self._others:
            return "run_by_others"
        return "stopping" if runs else "standby"

    def resume(self) -> dict[str, object]:
        """Return what cannot be seen from the plant; JSON types."""
        change = self._change
        return {
            "wanted": sorted(self._wanted),
            "known": dict(self._known),
            "change": change and [change.key, change.on, change.since],
            "failures": {
                key: [failure.reason, failure.at]
                for key, failure in self._failures.items()
            },
            "why": dict(self._why),
        }

    def restore(self, data: Mapping[str, Any], *, fresh: bool) -> None:
        """Go on from `resume`; only from what still counts if it is not `fresh`."""
        for key, (reason, at) in data["failures"].items():
            if key in self._pumps:
                self._failures[key] = _Failure(str(reason), float(at))
        if not fresh:
            return
        self._wanted = {key for key in data["wanted"] if key in self._pumps}
        self._known = {
            key: bool(runs) for key, runs in data["known"].items() if key in self._pumps
        }
        self._why = {key: str(why) for key, why in data["why"].items()}
        if (change := data["change"]) is not None and change[0] in self._pumps:
            self._change = _Change(change[0], bool(change[1]), float(change[2]))
