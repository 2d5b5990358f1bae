"""What Home Assistant is told of an automation: on change, and now and then.

A report that does not get through is due again; what happened meanwhile waits.
"""

from collections.abc import Mapping, Sequence
import json
from typing import Any

from .control.decision import Command, Decision
from .control.plan import Plan, PlanAutomation
from .control.planned import PlannedAction
from .house import Caller

REPORT_INTERVAL = 15.0
"""Seconds after which a state is reported although it did not change."""
IDLE = "idle"
"""The state of an automation that may run, but not today."""
MOST_EQUIPMENT = 20
"""Machines that an event is told of, where it is about more."""
WAITING_EVENTS = 20
"""Events kept for an automation whose reports do not get through."""


class Reporting:
    """The reports of one app: heartbeats, where nothing else is said."""

    def __init__(self, caller: Caller) -> None:
        """Report through this caller."""
        self._caller = caller
        self._heard_at: float | None = None

    def beat(self, now: float, plan: Plan) -> None:
        """Show that the app is alive if nothing else did lately; raises NoAnswer."""
        if self._heard_at is None or now - self._heard_at >= REPORT_INTERVAL:
            self.report(now, plan, {})

    def report(self, now: float, plan: Plan, report: Mapping[str, Any]) -> bool:
        """Return whether a report was taken; raises NoAnswer."""
        if not self._caller.call("report_state", {"plant": plan.entry_id, **report}):
            return False
        self._heard_at = now
        return True


class Account:
    """What was told of one automation, and what still has to be."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._state: str | None = None
        """What it last was, until now."""
        self._said: tuple[object, ...] | None = None
        self._said_at: float | None = None
        self._events: list[Mapping[str, Any]] = []
        self._planned: tuple[PlannedAction, ...] | None = None
        """What was last reported of what it is about to do."""

    @property
    def empty(self) -> bool:
        """Whether nothing was told of it as it is now."""
        return self._said is None

    def renew(self) -> None:
        """Tell everything anew: it is not the automation that it was."""
        self._said = self._planned = None

    def say(
        self,
        now: float,
        reporting: Reporting,
        plan: Plan,
        automation: PlanAutomation,
        decision: Decision,
    ) -> None:
        """Report what an automation does if that is due; raises NoAnswer."""
        state, attributes = decision.state, decision.attributes
        planned = decision.planned
        self._events.extend(
            {
                "equipment": _equipment(automation, decision.commands, plan),
                "from": self._state,
                "to": state,
                **event.data,
                "event": event.event,
                "reason": event.reason,
                "at": now,
            }
            for event in decision.events
        )
        self._state = state
        del self._events[:-WAITING_EVENTS]
        said = (state, attributes.get("stage"), attributes.get("waiting"))
        due = (
            self._said_at is None
            or said != self._said
            or self._events
            or planned != self._planned
            or (now - self._said_at >= REPORT_INTERVAL and state != IDLE)
        )
        if not due:
            return
        report: dict[str, Any] = {
            "automation": automation.entity_id,
            "state": state[:255],
            "attributes": dict(attributes),
        }
        if "resume" in attributes:
            # AppDaemon drops every null on its way to Home Assistant; a text it
            # leaves alone.
            report["attributes"]["resume"] = json.dumps(attributes["resume"])
        if self._events:
            report["events"] = list(self._events)
        if planned != self._planned:
            # As a text, for its nulls.
            report["planned"] = json.dumps([item.as_dict() for item in planned])
        if reporting.report(now, plan, report):
            self._said, self._said_at = said, now
            self._planned = planned
            self._events.clear()


def _equipment(
    automation: PlanAutomation, commands: Sequence[Command], plan: Plan
) -> str | list[str]:
    """Return the equipment that an automation is about, a key or several.

    What it commands; while that is nothing, what its form names.
    """
    points = [command.point for command in commands]
    if not points:
        points = [
            name for key in automation.metadata for name in _names(automation, key)
        ]
    keys = dict.fromkeys(point.partition(".")[0] for point in points)
    named = [key for key in keys if key in plan.equipment][:MOST_EQUIPMENT]
    return (
        named[0]
        if len(named) == 1
        else named or [item.key for item in plan.of_type("plant")]
    )


def _names(automation: PlanAutomation, key: str) -> Sequence[str]:
    value = automation.metadata[key]
    named = [value] if isinstance(value, str) else value
    return [item for item in named or () if isinstance(item, str)]
