"""One control type at work: plan in, commands and reports out.

Knows nothing of AppDaemon: it is given the house (what can be read and called)
and the time. So one automation that fails, a call that is refused or a plan
that changes can be tried without any of the machinery around it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
import json
from math import inf, isfinite
from typing import Any, Protocol

from .control.decision import (
    Command,
    Controller,
    ControlRefused,
    Decision,
    Event,
    Inputs,
    Planner,
    Value,
)
from .control.plan import Plan, PlanAutomation, PlanPoint
from .control.planned import PlannedAction
from .units import to_unit

RETRY_INTERVAL = 2.0
"""Seconds after which a plan is asked for again, while there is none."""
LEAST_INTERVAL = 1.0
"""Seconds; whatever a form says, loops are not worked out more often."""
REPORT_INTERVAL = 15.0
"""Seconds after which a state is reported although it did not change."""
IDLE = "idle"
"""The state of an automation that may run, but not today."""
HANDOVER_POLLS = 2
HANDOVER_TIME = 10.0
"""Seconds. Nothing is handed back for so long after a new plan: another automation,
perhaps of another app, may want the same, and a gap between the two would stop a
machine. Another app asks for the plan when we do, but may have to wait for a slow
Home Assistant; what it takes over must not have been given up by then."""
MOST_EQUIPMENT = 20
"""Machines that an event is told of, where it is about more."""
WAITING_EVENTS = 20
"""Events kept for an automation whose reports do not get through."""


class Build(Protocol):
    """Makes the controller of an automation; raises ControlRefused."""

    def __call__(self, plan: Plan, automation: PlanAutomation) -> Controller:
        """Make it."""


class CallFailed(Exception):
    """A call that Home Assistant refused."""


class NoAnswer(CallFailed):
    """A call that Home Assistant did not answer in time."""


class House(Protocol):
    """What the engine can do in Home Assistant."""

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        """Return state and attributes of an entity, None if there is none."""

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        """Call an action of the integration; raises CallFailed, NoAnswer."""

    def tell(self, message: str) -> None:
        """Tell whoever reads the engine's log."""


@dataclass(slots=True)
class _Sent:
    """A command that the integration took."""

    value: Value
    priority: int
    at: float


@dataclass(slots=True)
class _Running:
    """One automation of the plan and what is known of it."""

    automation: PlanAutomation
    controller: Controller | None = None
    refused: ControlRefused | None = None
    sent: dict[str, _Sent] = field(default_factory=dict)
    decision: Decision | None = None
    reported: tuple[object, ...] | None = None
    reported_at: float | None = None
    events: list[Mapping[str, Any]] = field(default_factory=list)
    planner: Planner | None = None
    """Its controller, if that can say ahead what it will do."""
    state: str | None = None
    """What it last was, until now."""
    planned: tuple[PlannedAction, ...] | None = None
    """What was last reported of what it is about to do."""


class Engine:
    """Runs all automations of one control type in one plant."""

    def __init__(
        self, control_type: str, build: Build, house: House, time_zone: tzinfo
    ) -> None:
        """Begin without a plan."""
        self._control_type = control_type
        self._build = build
        self._house = house
        self._time_zone = time_zone
        self._plan: Plan | None = None
        self._running: dict[str, _Running] = {}
        self._idle: dict[str, _Running] = {}
        """Automations that may run, but not today: made to see whether they can be."""
        self._leaving: set[str] = set()
        self._handover = False
        """Whether the plan is new."""
        self._handover_end = -inf
        self._heard_at: float | None = None
        self._complaints: set[str] = set()

    def take_plan(self, plan: Plan) -> None:
        """Take over a new plan; automations that are unchanged go on untouched."""
        if self._plan is not None and plan.revision == self._plan.revision:
            return
        changed = self._plan is None or plan.equipment != self._plan.equipment
        changed = changed or _others(plan, self._control_type) != _others(
            self._plan, self._control_type
        )
        self._plan = plan
        self._handover = True
        mine = {
            item.entity_id: item
            for item in plan.automations
            if item.control_type == self._control_type
        }
        self._leaving.update(self._running.keys() - mine.keys())
        self._leaving -= mine.keys()
        previous, self._running = self._running, {}
        for entity_id, automation in mine.items():
            old = previous.get(entity_id)
            if old is None:
                self._running[entity_id] = self._begin(_Running(automation))
            elif changed or not _same(old.automation, automation):
                latest = old.decision.attributes.get("resume") if old.decision else None
                if isinstance(latest, Mapping):
                    automation = replace(automation, resume=latest)
                old.automation = automation
                self._running[entity_id] = self._begin(old)
            else:
                old.automation = automation
                self._running[entity_id] = old
        self._idle = {
            item.entity_id: self._begin(_Running(item))
            for item in plan.idle
            if item.control_type == self._control_type
        }

    def _begin(self, running: _Running) -> _Running:
        assert self._plan is not None
        running.controller = running.refused = running.reported = None
        running.planner = running.planned = None
        try:
            running.controller = self._build(self._plan, running.automation)
            if isinstance(running.controller, Planner):
                running.planner = running.controller
        except ControlRefused as err:
            running.refused = err
        except Exception as err:  # noqa: BLE001 - one form must not stop the others
            running.refused = ControlRefused(_fault(err))
        return running

    @property
    def interval(self) -> float:
        """Seconds from one cycle to the next that today's plan asks for.

        As often as the plant is read; and where a loop is to be worked out more
        often, because what it measures is reported by itself, so often.
        """
        if self._plan is None:
            return RETRY_INTERVAL
        interval = self._plan.poll_interval
        for running in self._running.values():
            wished = getattr(running.controller, "interval", None)
            if wished is not None:
                interval = min(interval, max(LEAST_INTERVAL, wished))
        return interval

    def cycle(self, now: float) -> None:
        """Decide and command once."""
        if self._plan is None:
            return
        try:
            if self._handover:
                self._handover = False
                patience = max(HANDOVER_POLLS * self._plan.poll_interval, HANDOVER_TIME)
                # What is not refreshed any more must not run out meanwhile.
                patience = min(patience, self._plan.command_lease / 3)
                self._handover_end = now + patience
            for running in self._running.values():
                self._cycle(now, running)
            self._leave(now)
            for running in self._idle.values():
                if running.refused is not None:
                    self._refuse(now, running, running.refused)
                elif running.reported is None or running.planner is not None:
                    self._say(now, running, IDLE, {}, (), self._ahead(now, running))
            if self._heard_at is None or now - self._heard_at >= REPORT_INTERVAL:
                self._report(now, {})
        except NoAnswer:
            # What was not sent is due again in the next cycle; waiting for
            # every single call would only make that later.
            return

    def _leave(self, now: float) -> None:
        """Hand back all that automations commanded which are not in the plan."""
        assert self._plan is not None
        if now < self._handover_end:
            return
        for entity_id in sorted(self._leaving):
            data = {"source": entity_id, "plant": self._plan.entry_id}
            if self._try("release", data):
                self._leaving.discard(entity_id)

    def _cycle(self, now: float, running: _Running) -> None:
        name = running.automation.name
        if running.refused is not None:
            self._release(now, running, set())
            self._refuse(now, running, running.refused)
            return
        assert running.controller is not None
        try:
            inputs = self._inputs(running)
            decision = running.controller.step(now, inputs)
        except Exception as err:  # noqa: BLE001 - one loop must not stop the others
            message = _fault(err)
            self._say(now, running, "fault", {"message": message}, ())
            self._complain(f"{name} failed: {message}")
            return
        running.decision = decision
        self._release(now, running, {command.point for command in decision.commands})
        self._command(now, running, decision.commands)
        self._say(
            now,
            running,
            decision.state,
            decision.attributes,
            decision.events,
            decision.planned,
        )

    def _refuse(self, now: float, running: _Running, why: ControlRefused) -> None:
        attributes = {"message": str(why), "fields": list(why.fields)}
        self._say(now, running, "refused", attributes, ())
        self._complain(f"{running.automation.name} is refused: {why}")

    def _ahead(self, now: float, running: _Running) -> tuple[PlannedAction, ...]:
        """Return what an automation will do on the days on which it runs."""
        if running.planner is None:
            return ()
        try:
            return running.planner.ahead(
                now, self._time_zone, running.automation.amendments
            )
        except Exception as err:  # noqa: BLE001 - one form must not stop the others
            self._complain(f"{running.automation.name} failed: {_fault(err)}")
            return ()

    # In

    def _inputs(self, running: _Running) -> Inputs:
        assert self._plan is not None and running.controller is not None
        values: dict[str, Value | None] = {}
        holds: dict[str, str] = {}
        taken: dict[str, str] = {}
        for key in running.controller.points:
            point = self._plan.points.get(key)
            entity = (
                self._house.entity(point.entity_id)
                if point is not None and point.entity_id is not None
                else None
            )
            if point is None or entity is None:
                values[key] = None
                continue
            attributes = entity.get("attributes") or {}
            values[key] = value_of(point, entity.get("state"), attributes)
            if hold := attributes.get("hold"):
                holds[key] = str(hold)
            priority = attributes.get("owner_priority")
            if priority is not None and priority > running.automation.priority:
                taken[key] = str(attributes.get("owner") or "somebody else")
        amendments = running.automation.amendments
        return Inputs(values, holds, taken, self._time_zone, amendments)

    # Out

    def _command(
        self, now: float, running: _Running, commands: Sequence[Command]
    ) -> None:
        """Send what is new or due again; alike commands in one call."""
        assert self._plan is not None
        priority = running.automation.priority
        refresh = self._plan.command_lease / 3
        unknown = [
            command.point for command in commands if not self._entities([command])
        ]
        if unknown:
            self._complain(
                f"{running.automation.name} cannot command {', '.join(unknown)}: "
                "it has no enabled entity"
            )
        due: dict[tuple[type, Value, str], list[Command]] = {}
        for command in commands:
            sent = running.sent.get(command.point)
            if command.point not in unknown and (
                sent is None
                or sent.value != command.value
                or sent.priority != priority
                or now - sent.at >= refresh
            ):
                like = (type(command.value), command.value, command.reason)
                due.setdefault(like, []).append(command)
        for group in due.values():
            taken = self._send(running, group)
            if not taken and len(group) > 1:
                # One that is refused must not keep the others from being sent.
                for command in group:
                    if self._send(running, [command]):
                        running.sent[command.point] = _Sent(
                            command.value, priority, now
                        )
            elif taken:
                for command in group:
                    running.sent[command.point] = _Sent(command.value, priority, now)

    def _send(self, running: _Running, group: Sequence[Command]) -> bool:
        assert self._plan is not None
        return self._try(
            "command",
            {
                "entity_id": self._entities(group),
                "value": group[0].value,
                "priority": running.automation.priority,
                "source": running.automation.entity_id,
                "lease": self._plan.command_lease,
                "reason": group[0].reason,
            },
        )

    def _entities(self, commands: Sequence[Command]) -> list[str]:
        assert self._plan is not None
        points = [self._plan.points.get(command.point) for command in commands]
        return [item.entity_id for item in points if item and item.entity_id]

    def _release(self, now: float, running: _Running, wanted: set[str]) -> None:
        """Hand back what the automation commanded and does not want any more."""
        assert self._plan is not None
        unwanted = sorted(running.sent.keys() - wanted)
        if not unwanted or now < self._handover_end:
            return
        entities = self._entities([Command(key, False, "") for key in unwanted])
        data = {"source": running.automation.entity_id, "entity_id": entities}
        if not entities or self._try("release", data):
            for key in unwanted:
                del running.sent[key]

    def _say(
        self,
        now: float,
        running: _Running,
        state: str,
        attributes: Mapping[str, object],
        events: Sequence[Event],
        planned: tuple[PlannedAction, ...] = (),
    ) -> None:
        """Report on change, and now and then to show that it is alive."""
        assert self._plan is not None
        running.events.extend(
            {
                "equipment": _equipment(running, self._plan),
                "from": running.state,
                "to": state,
                **event.data,
                "event": event.event,
                "reason": event.reason,
                "at": now,
            }
            for event in events
        )
        running.state = state
        del running.events[:-WAITING_EVENTS]
        said = (state, attributes.get("stage"), attributes.get("waiting"))
        due = (
            running.reported_at is None
            or said != running.reported
            or running.events
            or planned != running.planned
            or (now - running.reported_at >= REPORT_INTERVAL and state != IDLE)
        )
        if not due:
            return
        report: dict[str, Any] = {
            "automation": running.automation.entity_id,
            "state": state[:255],
            "attributes": dict(attributes),
        }
        if "resume" in attributes:
            # AppDaemon drops every null on its way to Home Assistant; a text it
            # leaves alone.
            report["attributes"]["resume"] = json.dumps(attributes["resume"])
        if running.events:
            report["events"] = list(running.events)
        if planned != running.planned:
            # As a text, for its nulls.
            report["planned"] = json.dumps([item.as_dict() for item in planned])
        if self._report(now, report):
            running.reported, running.reported_at = said, now
            running.planned = planned
            running.events.clear()

    def _report(self, now: float, report: Mapping[str, Any]) -> bool:
        assert self._plan is not None
        if not self._try("report_state", {"plant": self._plan.entry_id, **report}):
            return False
        self._heard_at = now
        return True

    def _try(self, action: str, data: Mapping[str, Any]) -> bool:
        """Call; a failure is told once, until the same call works again."""
        about = data.get("automation") or data.get("source") or "heartbeat"
        topic = f"{action} {about} {data.get('entity_id', '')}"
        try:
            self._house.call(action, data)
        except CallFailed as err:
            self._complain(f"{action} failed for {about}: {err}", topic)
            if isinstance(err, NoAnswer):
                raise
            return False
        self._complaints.discard(topic)
        return True

    def _complain(self, message: str, topic: str | None = None) -> None:
        if len(self._complaints) > 200:
            self._complaints.clear()
        if (topic or message) not in self._complaints:
            self._complaints.add(topic or message)
            self._house.tell(message)


def value_of(
    point: PlanPoint, state: object, attributes: Mapping[str, Any]
) -> Value | None:
    """Return what an entity shows as the point's value, None if it is not good.

    What somebody set by hand is computed with: it is there for that.
    """
    if attributes.get("quality", "good") not in ("good", "overridden"):
        return None
    if point.boolean:
        return {"on": True, "off": False}.get(str(state))
    try:
        number = float(str(state))
    except ValueError:
        return None
    if not isfinite(number):
        return None
    return to_unit(number, attributes.get("unit_of_measurement"), point.unit)


def _same(one: PlanAutomation, other: PlanAutomation) -> bool:
    """Whether two are the same but for what a controller is told while it runs."""
    told: dict[str, Any] = {"priority": 0, "resume": {}, "amendments": {}}
    return replace(one, **told) == replace(other, **told)


def _equipment(running: _Running, plan: Plan) -> str | list[str]:
    """Return the equipment that an automation is about, a key or several.

    What it commands; while that is nothing, what its form names.
    """
    commands = running.decision.commands if running.decision else ()
    points = [command.point for command in commands]
    if not points:
        points = [
            name for key in running.automation.metadata for name in _names(running, key)
        ]
    keys = dict.fromkeys(point.partition(".")[0] for point in points)
    named = [key for key in keys if key in plan.equipment][:MOST_EQUIPMENT]
    return (
        named[0]
        if len(named) == 1
        else named or [item.key for item in plan.of_type("plant")]
    )


def _names(running: _Running, key: str) -> Sequence[str]:
    value = running.automation.metadata[key]
    named = [value] if isinstance(value, str) else value
    return [item for item in named or () if isinstance(item, str)]


def _others(plan: Plan | None, control_type: str) -> object:
    """Return what a controller may look at of the automations of other types."""
    if plan is None:
        return None
    return [
        (item.entity_id, dict(item.metadata), item.config.get("proof_timeout"))
        for item in plan.automations
        if item.control_type != control_type
    ]


def _fault(err: Exception) -> str:
    return f"{type(err).__name__}: {err}"
