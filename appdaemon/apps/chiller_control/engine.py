"""One control type at work: plan in, commands and reports out.

Knows nothing of AppDaemon: it is given the house (what can be read and called)
and the time. So one automation that fails, a call that is refused or a plan
that changes can be tried without any of the machinery around it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from math import inf
from typing import Any, Protocol

from .control.coasting import coasts
from .control.decision import Controller, ControlRefused, Decision, Planner
from .control.plan import Plan, PlanAutomation
from .control.planned import PlannedAction
from .house import Caller, House, NoAnswer
from .readings import read
from .reporting import IDLE, Account, Reporting
from .sender import Sender

RETRY_INTERVAL = 2.0
"""Seconds after which a plan is asked for again, while there is none."""
LEAST_INTERVAL = 1.0
"""Seconds; whatever a form says, loops are not worked out more often."""
HANDOVER_POLLS = 2
HANDOVER_TIME = 10.0
"""Seconds. Nothing is handed back for so long after a new plan: another automation,
perhaps of another app, may want the same, and a gap between the two would stop a
machine. Another app asks for the plan when we do, but may have to wait for a slow
Home Assistant; what it takes over must not have been given up by then."""


class Build(Protocol):
    """Makes the controller of an automation; raises ControlRefused."""

    def __call__(self, plan: Plan, automation: PlanAutomation) -> Controller:
        """Make it."""


@dataclass(slots=True)
class _Running:
    """One automation of the plan and what is known of it."""

    automation: PlanAutomation
    sender: Sender
    account: Account = field(default_factory=Account)
    controller: Controller | None = None
    refused: ControlRefused | None = None
    decision: Decision | None = None
    planner: Planner | None = None
    """Its controller, if that can say ahead what it will do."""


class Engine:
    """Runs all automations of one control type in one plant."""

    def __init__(
        self, control_type: str, build: Build, house: House, time_zone: tzinfo
    ) -> None:
        """Begin without a plan."""
        self._control_type = control_type
        self._build = build
        self._house = house
        self._caller = Caller(house)
        self._reporting = Reporting(self._caller)
        self._time_zone = time_zone
        self._plan: Plan | None = None
        self._running: dict[str, _Running] = {}
        self._idle: dict[str, _Running] = {}
        """Automations that may run, but not today: made to see whether they can be."""
        self._leaving: set[str] = set()
        self._handover = False
        """Whether the plan is new."""
        self._handover_end = -inf

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
                self._running[entity_id] = self._begin(self._new(automation))
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
            item.entity_id: self._begin(self._new(item))
            for item in plan.idle
            if item.control_type == self._control_type
        }

    def _new(self, automation: PlanAutomation) -> _Running:
        return _Running(automation, Sender(self._caller, automation.entity_id))

    def _begin(self, running: _Running) -> _Running:
        assert self._plan is not None
        running.controller = running.refused = running.planner = None
        running.account.renew()
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
                elif running.account.empty or running.planner is not None:
                    ahead = self._ahead(now, running)
                    self._say(now, running, Decision((), IDLE, {}, planned=ahead))
            self._reporting.beat(now, self._plan)
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
            if self._caller.call("release", data):
                self._leaving.discard(entity_id)

    def _cycle(self, now: float, running: _Running) -> None:
        assert self._plan is not None
        if running.refused is not None:
            self._release(now, running, set())
            self._refuse(now, running, running.refused)
            return
        assert running.controller is not None
        automation = running.automation
        try:
            inputs = read(
                self._house,
                self._plan.points,
                running.controller.points,
                automation.priority,
                self._time_zone,
                automation.amendments,
                automation.idle_days,
            )
            decision = running.controller.step(now, inputs)
        except Exception as err:  # noqa: BLE001 - one loop must not stop the others
            message = _fault(err)
            self._say(now, running, _undecided(running, "fault", {"message": message}))
            self._caller.complain(f"{automation.name} failed: {message}")
            return
        running.decision = decision
        self._release(now, running, {command.point for command in decision.commands})
        running.sender.command(now, decision.commands, automation.priority, self._plan)
        self._say(now, running, decision)

    def _release(self, now: float, running: _Running, wanted: set[str]) -> None:
        assert self._plan is not None
        if now >= self._handover_end:
            running.sender.release(wanted, self._plan)

    def _refuse(self, now: float, running: _Running, why: ControlRefused) -> None:
        attributes = {"message": str(why), "fields": list(why.fields)}
        self._say(now, running, _undecided(running, "refused", attributes))
        self._caller.complain(f"{running.automation.name} is refused: {why}")

    def _ahead(self, now: float, running: _Running) -> tuple[PlannedAction, ...]:
        """Return what an automation will do on the days on which it runs."""
        if running.planner is None:
            return ()
        try:
            return running.planner.ahead(
                now, self._time_zone, running.automation.amendments
            )
        except Exception as err:  # noqa: BLE001 - one form must not stop the others
            self._caller.complain(f"{running.automation.name} failed: {_fault(err)}")
            return ()

    def _say(self, now: float, running: _Running, decision: Decision) -> None:
        assert self._plan is not None
        running.account.say(
            now, self._reporting, self._plan, running.automation, decision
        )


def _undecided(
    running: _Running, state: str, attributes: Mapping[str, object]
) -> Decision:
    """Return what is said of an automation that decided nothing now."""
    last = running.decision
    return Decision(last.commands if last else (), state, attributes)


def _same(one: PlanAutomation, other: PlanAutomation) -> bool:
    """Whether two are the same but for what a controller is told while it runs."""
    told: dict[str, Any] = {
        "priority": 0,
        "resume": {},
        "amendments": {},
        "idle_days": frozenset(),
    }
    return replace(one, **told) == replace(other, **told)


def _others(plan: Plan | None, control_type: str) -> object:
    """Return what a controller may look at of the automations of other types."""
    if plan is None:
        return None
    return [
        (
            item.entity_id,
            dict(item.metadata),
            item.config.get("proof_timeout"),
            (dict(item.config), item.amendments) if coasts(item) else None,
        )
        for item in plan.automations
        if item.control_type != control_type
    ]


def _fault(err: Exception) -> str:
    return f"{type(err).__name__}: {err}"
