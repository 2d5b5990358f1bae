"""Chiller sequence: which chillers run in which order, and when they take turns.

It starts and stops nothing. It gives each chiller a place in the order, as a
point that everybody can see and an operator can set; staging starts the first
that does not run and stops the last that does. So a change of the order is no
hot swap (Guideline 36-2021 §5.1.15): who runs, runs on until fewer are needed.

The chiller that can run and has the least staging run hours (or starts, or
whose turn it is by the calendar, or who stands first in the form) is the first.
One that is in alarm, failed or out of reach is last, the latest of them last of
all, until it has been well again for a while.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Any

from .decision import Command, ControlRefused, Decision, Event, Inputs, duration, iso
from .plan import Plan, PlanAutomation
from .planned import Amendments, PlannedAction
from .rotation import RotationSchedule, by_least
from .sequence_members import Member, fails_before_staging_gives_up, member_of
from .turns import CalendarTurns, RunHourTurns, Turn

METHODS = {
    "run_hours": "least run hours first",
    "starts": "fewest starts first",
    "schedule": "by the calendar",
    "manual": "as set",
}
_COUNTED = {"run_hours": "staging_run_hours", "starts": "staging_starts"}
UNKNOWN_TIME = 60.0
"""Seconds of silence after which a chiller cannot be counted on."""
RECOVERY_TIME = 60.0
"""Seconds that a chiller must be well before it gets its place back."""
FAILURE_MEMORY = 3600.0
"""Seconds after which one that did not start is given another chance."""


@dataclass(slots=True)
class _Fault:
    """Why a chiller is last, and since when."""

    reason: str
    since: float
    well_since: float | None = None


class ChillerSequence:
    """One sequence of one plant."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        config = automation.config
        self._method = config.get("method") or "run_hours"
        if self._method not in tuple(METHODS):
            raise ControlRefused(
                f"method is {self._method!r}; it is one of {', '.join(METHODS)}",
                "method",
            )
        keys = automation.names("chillers")
        if not keys:
            raise ControlRefused("no chiller is chosen", "chillers")
        self._members = {
            key: member_of(plan, key, _COUNTED.get(self._method))
            for key in dict.fromkeys(keys)
        }
        self._tolerance = 0.0
        if self._method == "run_hours":
            # Below that, two counters that are read one after the other would
            # decide.
            self._tolerance = automation.number("minimum_difference", 1.0, minimum=0.05)
        names = {key: item.name for key, item in self._members.items()}
        self._calendar: CalendarTurns | None = None
        if self._method == "schedule":
            days = automation.number("rotation_days", 7.0, minimum=1.0, maximum=366.0)
            schedule = RotationSchedule(config, days)
            self._calendar = CalendarTurns(schedule, tuple(self._members), names)
        self._by_hours = RunHourTurns(self._tolerance, tuple(self._members), names)
        self._turn = Turn(())
        self._failure_time = automation.number("failure_time", 240.0, minimum=1.0)
        fails_before_staging_gives_up(plan, self._members, self._failure_time)
        self._base: tuple[str, ...] = ()
        """The order of turns, whoever is faulted or set by hand."""
        self._order: tuple[str, ...] | None = None
        self._faults: dict[str, _Fault] = {}
        self._runs: dict[str, bool] = {}
        self._silent_since: dict[str, float] = {}
        self._refusing_since: dict[str, float] = {}
        self._failed_at: dict[str, float] = {}
        self._set_by: dict[str, tuple[str, int]] = {}
        self._resume: Mapping[str, Any] | None = automation.resume
        self.points = frozenset(
            point
            for item in self._members.values()
            for point in (
                item.position,
                item.amount,
                item.run_command,
                item.status,
                item.alarm,
                item.remote_mode,
            )
            if point
        )

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide the order."""
        if self._resume is not None:
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                self._restore(self._resume)
            self._resume = None
        events: list[Event] = []
        for item in self._members.values():
            self._observe(now, inputs, item, events)
        amounts = self._amounts(inputs)
        self._take_turns(now, inputs, amounts)
        self._hear_operators(inputs, events)
        order = self._placed()
        if self._order is not None and order != self._order:
            events.append(self._changed(self._order, order))
        self._order = order
        return self._decision(now, inputs, amounts, self._turn.change, events)

    # Who can run

    def _observe(
        self, now: float, inputs: Inputs, item: Member, events: list[Event]
    ) -> None:
        running = inputs.on(item.status)
        if running is None and item.status is not None:
            self._silent_since.setdefault(item.key, now)
        else:
            self._silent_since.pop(item.key, None)
        if running is not None:
            self._runs[item.key] = running
        reason = self._why_not(now, inputs, item, running)
        fault = self._faults.get(item.key)
        if reason is not None:
            if fault is None:
                self._faults[item.key] = _Fault(reason, now)
                text = f"{item.name} is moved to the end: {reason}"
                data = {"equipment": item.key, "from": self._position(item.key)}
                events.append(
                    Event("chiller_faulted", text, {**data, "to": len(self._members)})
                )
            else:
                fault.reason, fault.well_since = reason, None
        elif fault is not None:
            if fault.well_since is None:
                fault.well_since = now
            if now - fault.well_since >= RECOVERY_TIME:
                del self._faults[item.key]
                text = f"{item.name} can run again"
                data = {"equipment": item.key, "from": "excluded", "to": "standby"}
                events.append(Event("chiller_back", text, data))

    def _why_not(
        self, now: float, inputs: Inputs, item: Member, running: bool | None
    ) -> str | None:
        """Return why a chiller cannot be counted on, None if it can."""
        if inputs.on(item.alarm):
            return "in alarm"
        if inputs.on(item.remote_mode) is False:
            return "switched to local"
        silent = self._silent_since.get(item.key)
        if silent is not None and now - silent >= UNKNOWN_TIME:
            return "it is not known whether it runs"
        command = item.run_command
        if command is not None and inputs.on(command) is False:
            if (owner := inputs.taken.get(command)) is not None:
                return f"kept off by {owner}"
        if running or item.key in self._silent_since:
            self._refusing_since.pop(item.key, None)
            if running:
                self._failed_at.pop(item.key, None)
        elif command is not None and item.status is not None:
            if inputs.on(command) is True and command not in inputs.holds:
                since = self._refusing_since.setdefault(item.key, now)
                if now - since >= self._failure_time:
                    self._failed_at[item.key] = now
            else:
                self._refusing_since.pop(item.key, None)
        failed = self._failed_at.get(item.key)
        if failed is not None and now - failed < FAILURE_MEMORY:
            return f"did not run within {duration(self._failure_time)} of its command"
        return None

    # Whose turn it is

    def _amounts(self, inputs: Inputs) -> dict[str, float]:
        """Return the run hours or starts that are known."""
        found = {key: inputs.number(item.amount) for key, item in self._members.items()}
        return {key: value for key, value in found.items() if value is not None}

    def _take_turns(
        self, now: float, inputs: Inputs, amounts: Mapping[str, float]
    ) -> None:
        """Bring the order of turns up to date."""
        form, zone = tuple(self._members), inputs.time_zone
        if self._calendar is not None:
            self._turn = self._calendar.at(now, zone, inputs.amendments)
        elif self._method == "run_hours":
            self._turn = self._by_hours.at(
                now, self._base, amounts, self._runs, inputs.amendments
            )
        elif self._method in _COUNTED:
            self._turn = Turn(by_least(self._base or form, amounts, 0.0))
        else:
            self._turn = Turn(form)
        self._base = self._turn.order

    def ahead(
        self, now: float, zone: tzinfo, amendments: Amendments
    ) -> tuple[PlannedAction, ...]:
        """Return the turns of the next seven days that are known beforehand."""
        if self._calendar is None:
            return ()
        return self._calendar.at(now, zone, amendments).planned

    def _hear_operators(self, inputs: Inputs, events: list[Event]) -> None:
        """Take over places that somebody of a higher priority sets."""
        before, self._set_by = self._set_by, {}
        for key, item in self._members.items():
            owner = inputs.taken.get(item.position)
            place = inputs.number(item.position)
            if owner is None or place is None:
                continue
            self._set_by[key] = (owner, round(place))
            if before.get(key) != self._set_by[key]:
                where = f"at {place:.0f}" if place else "out of the order"
                text = f"{item.name} is set {where} by {owner}"
                data = {"equipment": key, "from": self._position(key)}
                events.append(
                    Event("sequence_overridden", text, {**data, "to": round(place)})
                )

    def _placed(self) -> tuple[str, ...]:
        """Return the order: turns, then the faulted, around what is set by hand."""
        well = [key for key in self._base if key not in self._faults]
        last = sorted(
            (key for key in self._base if key in self._faults),
            key=lambda key: self._faults[key].since,
        )
        order = [key for key in (*well, *last) if key not in self._set_by]
        fixed = sorted(
            (place, key) for key, (_, place) in self._set_by.items() if place > 0
        )
        for place, key in fixed:
            order.insert(place - 1, key)
        return tuple(order)

    # What is said

    def _position(self, key: str) -> int:
        """Return a chiller's place until now, 0 if it has none."""
        order = self._order or ()
        return order.index(key) + 1 if key in order else 0

    def _changed(self, before: Sequence[str], order: Sequence[str]) -> Event:
        text = f"{self._names(order)} instead of {self._names(before)}"
        if order and before and order[0] != before[0]:
            text = f"{self._members[order[0]].name} leads: {text}"
        return Event(
            "sequence_changed",
            f"{text} ({METHODS[self._method]}){self._turn.note}",
            {
                "equipment": order[0] if order else None,
                "from": list(before),
                "to": list(order),
            },
        )

    def _names(self, keys: Sequence[str]) -> str:
        return ", ".join(self._members[key].name for key in keys) or "nobody"

    def _commands(self) -> tuple[Command, ...]:
        why = METHODS[self._method]
        return tuple(
            Command(item.position, float(place), f"Place {place}: {why}")
            for key, item in self._members.items()
            for place in (self._position(key),)
        )

    def _decision(
        self,
        now: float,
        inputs: Inputs,
        amounts: Mapping[str, float],
        change: float | None,
        events: Sequence[Event],
    ) -> Decision:
        order = self._order or ()
        missing = [
            item.amount
            for key, item in self._members.items()
            if item.amount and key not in amounts
        ]
        chillers = {
            key: {
                "name": item.name,
                "position": self._position(key),
                **self._state_of(key),
                **({} if item.amount is None else {self._method: amounts.get(key)}),
            }
            for key, item in self._members.items()
        }
        states = [item["state"] for item in chillers.values()]
        state = "running" if "running" in states else "standby"
        if all(item == "excluded" for item in states):
            state = "no_chiller"
        elif missing or "unknown" in states:
            state = "holding"
        return Decision(
            commands=self._commands(),
            state=state,
            attributes={
                "message": self._message(
                    now, inputs.time_zone, change, missing, amounts
                ),
                "method": self._method,
                "lead": order[0] if order else None,
                "order": list(order),
                "chillers": chillers,
                "next_rotation": iso(change),
                "starts_to_rotation": self._starts_left(amounts),
                "next_lead": self._next_lead() if change is not None else None,
                "conditions": self._conditions(amounts),
                "missing": missing,
                "resume": self._resume_data(),
            },
            events=tuple(events),
            planned=self._turn.planned,
        )

    def _state_of(self, key: str) -> dict[str, str | None]:
        """Say what a chiller is doing, and why it is not in the order."""
        reason = None
        if (fault := self._faults.get(key)) is not None:
            reason = fault.reason
        elif key in self._set_by:
            owner, place = self._set_by[key]
            where = "out of the order" if place < 1 else f"at {place}"
            reason = f"set {where} by {owner}"
        if self._runs.get(key) and key in self._silent_since:
            why = "silent; it ran when it was last heard"
            return {"state": "unknown", "reason": why}
        if self._runs.get(key):
            return {"state": "running", "reason": reason}
        out = fault is not None or self._position(key) == 0
        return {"state": "excluded" if out else "standby", "reason": reason}

    def _starts_left(self, amounts: Mapping[str, float]) -> int | None:
        """Return after how many more starts of who leads another one does.

        When that is, nobody knows beforehand: it is planned for no time.
        """
        if self._method != "starts" or not all(
            key in amounts for key in self._base[:2]
        ):
            return None
        counts = [amounts[key] for key in self._base[:2]]
        return int(counts[1] - counts[0]) + 1 if len(counts) == 2 else None

    def _next_lead(self) -> str | None:
        """Return who leads after the next change by the calendar."""
        if self._calendar is None:
            return None
        after = self._turn.following
        return next((key for key in after if key not in self._faults), None)

    def _conditions(self, amounts: Mapping[str, float]) -> list[dict[str, object]]:
        """Return what keeps each two neighbours from changing places."""
        if self._method not in _COUNTED:
            return []
        return [
            {
                "condition": f"{one} before {other}",
                "value": round(amounts[one] - amounts[other], 2),
                "threshold": self._tolerance,
                "unit": "h" if self._method == "run_hours" else None,
            }
            for one, other in pairwise(self._base)
            if one in amounts and other in amounts
        ]

    def _message(
        self,
        now: float,
        zone: tzinfo,
        change: float | None,
        missing: Sequence[str],
        amounts: Mapping[str, float],
    ) -> str:
        text = f"{self._names(self._order or ())} ({METHODS[self._method]})"
        if missing:
            return f"{text}; {', '.join(missing)} not good"
        if (starts := self._starts_left(amounts)) is not None:
            return f"{text}; next change after {starts} more start{'s'[: starts > 1]}"
        if change is None:
            return text
        local = datetime.fromtimestamp(change, zone)
        today = datetime.fromtimestamp(now, zone).date()
        near = abs((local.date() - today).days) < 7
        when = local.strftime("%a %H:%M" if near else "%Y-%m-%d %H:%M")
        about = "" if self._calendar is not None else "about "
        return f"{text}; next change {about}{when}"

    # What outlives a restart

    def _resume_data(self) -> dict[str, object]:
        return {
            "base": list(self._base),
            "order": list(self._order or ()),
            "faults": {
                key: [fault.reason, fault.since] for key, fault in self._faults.items()
            },
            "failed_at": dict(self._failed_at),
            "turns": self._by_hours.resume(),
        }

    def _restore(self, data: Mapping[str, Any]) -> None:
        """Go on from the last report, as far as the form still says the same."""
        base = tuple(data["base"])
        if set(base) == set(self._members) and len(base) == len(self._members):
            self._base = base
            order = tuple(data["order"])
            if set(order) <= set(base) and len(set(order)) == len(order):
                self._order = order
        for key, (reason, since) in data["faults"].items():
            if key in self._members:
                self._faults[key] = _Fault(str(reason), float(since))
        for key, at in data["failed_at"].items():
            if key in self._members:
                self._failed_at[key] = float(at)
        self._by_hours.restore(data["turns"])
