"""Chiller add/subtract: how many chillers run, and which.

Staging after ASHRAE Guideline 36-2021 §5.20.4: in the lowest stage when the
plant is enabled, up by one on efficiency or failsafe, down by one when the next
lower stage is enough; every stage lasts a minimum time, and what is not
available is skipped. The start and stop sequences are `staging_sequence`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from .coasting import Coasting
from .decision import Command, Decision, Event, Inputs, duration, iso
from .plan import Plan, PlanAutomation
from .planned import PlannedAction
from .report import Report
from .staging_conditions import StagingConditions, required_capacity
from .staging_config import StagingConfig, shared_cells
from .staging_order import HandOver, StagingOrder
from .staging_outputs import StagingOutputs
from .staging_planned import DOWN, UP, StagingOccurrences
from .staging_plant import Chiller, StagingPlant, staging_plant
from .staging_report import change, chiller_state, what_is_missing, who_cannot
from .staging_rest import Rest
from .staging_sequence import StagingSequence
from .staging_step import SequenceSettings, SequenceStep
from .staging_thresholds import StagingThresholds

RESUME_GAP = 300.0
"""After a longer silence a condition cannot be said to have held meanwhile."""
_SUPPLY = "chilled_water_supply_temperature"
_SETPOINT = "chilled_water_supply_temperature_setpoint"


class ChillerAddSubtract:
    """One staging automation."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        self._plan = plan
        self._plant: StagingPlant = staging_plant(plan, automation)
        self._config = StagingConfig(automation)
        plant = next(iter(plan.of_type("plant")), None)

        def point(role: str) -> str | None:
            return plant.point(role) if plant else None

        self._enable_point = point("enable_command")
        self._supply_point = point(_SUPPLY)
        self._return_point = point("chilled_water_return_temperature")
        self._flow_point = point("chilled_water_flow")
        self._setpoint_point = point(_SETPOINT)
        self._sequence = StagingSequence(
            self._plant,
            SequenceSettings(self._config.proof_timeout, self._config.stop_flow_delay),
            shared_cells(plan, automation, self._plant),
        )
        self._rest = Rest(self._sequence)
        self._coasting = Coasting(plan)
        self._thresholds = StagingThresholds(
            plan, automation, self._plant, self._config
        )
        self._conditions = StagingConditions(self._config)
        self._occurrences = StagingOccurrences(self._conditions)
        self._order = StagingOrder(plan, self._plant.chillers)
        self._handover = HandOver()
        self._wanted: tuple[Chiller, ...] = ()
        self._seen: set[str] = set()
        self._ran: set[str] = set()
        self._unloading: set[str] = set()
        self._enabled: bool | None = None
        self._enabled_since: float | None = None
        self._stage_since: float | None = None
        self._settled = False
        self._reached: int | None = None
        self._reason = ""
        self._outputs = StagingOutputs(plan, automation, self._plant, self._config)
        self._threshold_note = ""
        self._resume: Mapping[str, Any] | None = automation.resume
        self.points = self._all_points()

    def _all_points(self) -> frozenset[str]:
        """Return everything that proves, measures or forbids."""
        wanted: set[str | None] = {
            self._enable_point,
            self._supply_point,
            self._return_point,
            self._flow_point,
            self._setpoint_point,
            *self._thresholds.points,
            *self._order.points,
            *self._outputs.primary.points,
            *self._coasting.points,
        }
        for chiller in self._plant.chillers:
            wanted.update(chiller.machine.points)
            wanted.update((chiller.load, chiller.demand_limit, chiller.remote_mode))
        for machine in self._plant.machines:
            wanted.update(machine.points)
        return frozenset(point for point in wanted if point)

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide what runs."""
        if self._resume is not None:
            # Nothing was reported yet, or by another version: then the plant
            # itself says what runs.
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                self._restore(now, self._resume)
            self._resume = None
        events: list[Event] = []
        self._rest.observe(now, inputs)
        if self._order.observe(now, inputs):
            # No hot swap: who runs, runs on (Guideline 36-2021 §5.1.15).
            self._wanted = self._order.of(self._wanted)
            self._conditions.start_again()
        self._take_enable(now, inputs, events)
        if self._enabled is None:
            message = f"{self._enable_point} is not known: nothing is commanded"
            return Decision((), "holding", {"message": message})
        self._adopt(inputs)
        setpoint = self._setpoint(inputs)
        self._measure(now, inputs, setpoint)
        self._occurrences.take(now, inputs.amendments)
        excluded = self._choose(now, inputs, events)
        until = self._coasting.until(now, inputs)
        self._sequence.coasts = until is not None
        step = self._rest.step(now, inputs, self._wanted, self._reason)
        events.extend(step.events)
        pumps = self._sequence.coasting_pumps
        events.extend(self._coasting.tell(now, inputs, until, pumps))
        self._settle(now, events)
        self._outputs.primary.step(now, inputs, self._running(), self._settled)
        commands = self._outputs.commands(setpoint, step.commands)
        return self._decision(now, inputs, commands, step, excluded, events)

    # Enable

    def _take_enable(self, now: float, inputs: Inputs, events: list[Event]) -> None:
        if self._enable_point is None:
            enabled: bool | None = True
        else:
            enabled = inputs.on(self._enable_point)
        if enabled is None or enabled == self._enabled:
            return
        began = self._enabled is None
        # What still runs when the plant is enabled goes on running.
        self._seen.clear()
        self._enabled = enabled
        self._enabled_since = now if enabled else None
        if began and all(
            self._sequence.reports(item.key) for item in self._plant.chillers
        ):
            # Enabled before control began, and nothing more is to be learned.
            self._enabled_since = now - self._config.start_hold
        if enabled:
            return
        if self._wanted or self._running():
            self._reason = "Plant stop: the plant is not enabled"
            data = change(self._running(), len(self._running()), 0)
            events.append(Event("plant_stop", self._reason, data))
        self._wanted = ()
        self._new_stage()
        self._sequence.failures.clear()

    def _adopt(self, inputs: Inputs) -> None:
        """Let the plant say what stage it is in, where it knows better.

        What runs when it is first seen, and is not told to stop, stays. What
        ran before a restart and was handed back meanwhile is let go. What
        somebody of a higher priority keeps running is part of the stage.
        """
        wanted = list(self._wanted)
        self._unloading.clear()
        for chiller in self._plant.chillers:
            key, command = chiller.key, chiller.machine.command
            if not self._sequence.reports(key):
                continue
            runs = self._sequence.runs(key)
            stops = inputs.on(command) is False
            if runs and stops:
                self._unloading.add(key)
            if runs and (command in inputs.taken or key not in self._seen):
                if not stops and chiller not in wanted:
                    wanted.append(chiller)
            elif key in self._ran and not runs and stops and chiller in wanted:
                wanted.remove(chiller)
            self._ran.discard(key)
            self._seen.add(key)
        if self._enabled and wanted != list(self._wanted):
            self._wanted = self._order.of(wanted)
            names = " and ".join(item.name for item in self._wanted) or "Nothing"
            self._reason = f"{names} running, and not by this automation"
            self._new_stage()

    # Stages

    def _measure(self, now: float, inputs: Inputs, setpoint: float) -> None:
        """Look at the conditions of the stage."""
        capacities = [item.capacity for item in self._wanted]
        thresholds = self._thresholds.at(now, inputs, capacities)
        self._threshold_note = thresholds.note
        self._conditions.observe(
            now,
            capacities if self._settled else None,
            required_capacity(
                inputs,
                (self._flow_point, self._return_point),
                setpoint,
                self._running(),
            ),
            inputs.number(self._supply_point),
            setpoint,
            thresholds[:5],
            self._plant.limited(inputs),
        )

    def _choose(
        self, now: float, inputs: Inputs, events: list[Event]
    ) -> dict[str, str]:
        """Decide which chillers should run; return why others cannot."""
        excluded = {}
        for chiller in self._plant.chillers:
            why = self._rest.unavailable(chiller, inputs)
            why = why or self._order.why_not(chiller)
            if why is not None and not self._sequence.runs(chiller.key):
                excluded[chiller.key] = why
        if not self._enabled:
            return excluded
        self._replace(excluded, events)
        if not self._wanted:
            self._start(now, excluded, events)
        elif self._settled and not self._hand_over(inputs, excluded, events):
            self._change_stage(now, excluded, events)
        return excluded

    def _hand_over(
        self, inputs: Inputs, excluded: Mapping[str, str], events: list[Event]
    ) -> bool:
        """Let a chiller go that lost its place, once another one runs for it."""
        leaving = self._order.leaving(self._wanted, inputs)
        other = self._handover.step(self._wanted, leaving, self._next(excluded))
        if other is None:
            return False
        self._wanted = self._order.of(other.wanted)
        self._begin(other.event, other.reason, other.chiller, events)
        return True

    def _replace(self, excluded: Mapping[str, str], events: list[Event]) -> None:
        """Put the next available chiller in the place of one that cannot run."""
        for chiller in [item for item in self._wanted if item.key in excluded]:
            self._wanted = tuple(item for item in self._wanted if item != chiller)
            why = f"{chiller.name} is left out: {excluded[chiller.key]}"
            spare = self._next(excluded)
            if spare is not None:
                why = f"{spare.name} replaces {chiller.name}: {excluded[chiller.key]}"
                self._wanted = self._order.of((*self._wanted, spare))
            self._reason = why
            self._new_stage()
            data = change((chiller,), chiller.key, spare.key if spare else "nobody")
            events.append(Event("chiller_excluded", why, data))

    def _start(
        self, now: float, excluded: Mapping[str, str], events: list[Event]
    ) -> None:
        since = self._enabled_since
        if since is None or now - since < self._config.start_hold:
            return
        if not self._order.is_known(now):
            return
        lead = self._next(excluded)
        if lead is None:
            return
        self._wanted = (lead,)
        self._reason = (
            f"Plant start with {lead.name}: "
            f"enabled for {duration(self._config.start_hold)}"
        )
        self._new_stage()
        events.append(Event("plant_start", self._reason, change((lead,), 0, 1)))

    def _change_stage(
        self, now: float, excluded: Mapping[str, str], events: list[Event]
    ) -> None:
        since = self._stage_since
        if since is None or now - since < self._config.minimum_stage_time:
            return
        if (why := self._conditions.stage_up(now)) is not None:
            if spares := self._spares(excluded):
                spare, note = self._occurrences.chosen(now, UP, spares)
                self._wanted = self._order.of((*self._wanted, spare))
                self._begin("stage_up", f"{why}{note}", spare, events)
        elif (
            len(self._wanted) > 1
            # One that is silent is not relied on to carry what another one leaves.
            and all(self._sequence.reports(item.key) for item in self._wanted)
            and (why := self._conditions.stage_down(now)) is not None
        ):
            last, note = self._occurrences.chosen(now, DOWN, self._wanted[::-1])
            self._wanted = tuple(item for item in self._wanted if item != last)
            self._begin("stage_down", f"{why}{note}", last, events)

    def _begin(
        self, event: str, reason: str, chiller: Chiller, events: list[Event]
    ) -> None:
        self._reason = reason
        self._new_stage()
        data = change((chiller,), len(self._running()), len(self._wanted))
        events.append(Event(event, reason, {**data, "stage": data["to"]}))

    def _spares(self, excluded: Mapping[str, str]) -> list[Chiller]:
        """Return who could be added, the next one first."""
        passed = {*excluded, *self._order.left_out}
        found = [
            item
            for item in self._order.chillers
            if item not in self._wanted and item.key not in passed
        ]
        # Who is being stopped must rest before it can be started again.
        return sorted(found, key=lambda item: item.key in self._unloading)

    def _next(self, excluded: Mapping[str, str]) -> Chiller | None:
        return next(iter(self._spares(excluded)), None)

    def _running(self) -> tuple[Chiller, ...]:
        return tuple([c for c in self._order.chillers if self._sequence.runs(c.key)])

    def _new_stage(self) -> None:
        self._settled = False
        self._stage_since = None
        self._conditions.start_again()

    def _settle(self, now: float, events: list[Event]) -> None:
        """Notice that a change is complete: only then does the stage begin."""
        if self._running() != self._wanted:
            self._settled = False
            return
        if self._settled:
            return
        self._settled = True
        if self._stage_since is None:
            self._stage_since = now
            names = " and ".join(item.name for item in self._wanted)
            text = f"{names} running" if names else "All chillers are off"
            data = change(self._wanted, self._reached, len(self._wanted))
            events.append(Event("stage_reached", text, {**data, "stage": data["to"]}))
        self._reached = len(self._wanted)

    # Commands

    def _setpoint(self, inputs: Inputs) -> float:
        """Return the supply temperature to hold, in °C.

        The plant's setpoint where there is one: who sets it also sets the chillers.
        """
        setpoint = inputs.number(self._setpoint_point)
        return self._config.setpoint if setpoint is None else setpoint

    # Report

    def _decision(
        self,
        now: float,
        inputs: Inputs,
        commands: tuple[Command, ...],
        step: SequenceStep,
        excluded: Mapping[str, str],
        events: Sequence[Event],
    ) -> Decision:
        missing = self._missing(inputs)
        state, say = self._state(now, step, excluded, missing)

        def attributes() -> Mapping[str, object]:
            required = self._conditions.required
            return {
                "message": say(),
                "stage": len(self._running()),
                "target_stage": len(self._wanted),
                "stage_since": iso(self._stage_since),
                "minimum_stage_remaining": self._minimum_remaining(now),
                "reason": self._reason,
                "conditions": self._conditions.report(now),
                "staging": self._config.staging,
                "thresholds": self._threshold_note,
                "primary_pump_speed": self._outputs.primary.speed,
                "notes": self._outputs.primary.notes,
                "capacity_required": None if required is None else round(required, 1),
                "stage_capacity": sum(item.capacity for item in self._wanted),
                "chillers": {
                    item.key: chiller_state(
                        item,
                        self._sequence,
                        self._wanted,
                        excluded,
                        self._order.why_not(item),
                    )
                    for item in self._order.chillers
                },
                "waiting": list(step.waiting),
                "missing": missing,
                "resume": self._resume_data(now),
            }

        report, planned = Report(attributes), self._planned(excluded)
        return Decision(commands, state, report, tuple(events), planned)

    def _planned(self, excluded: Mapping[str, str]) -> tuple[PlannedAction, ...]:
        since = self._stage_since if self._settled and self._wanted else None
        return self._occurrences.planned(
            None if since is None else since + self._config.minimum_stage_time,
            self._wanted,
            lambda: self._spares(excluded),
        )

    def _missing(self, inputs: Inputs) -> list[str]:
        """Return the points without which no stage change can be decided."""
        wanted = [self._enable_point, self._supply_point]
        wanted += [item.machine.status for item in self._wanted]
        if self._flow_point and self._return_point:
            wanted += [self._flow_point, self._return_point]
        else:
            wanted += [item.load for item in self._running()]
        return what_is_missing(wanted, inputs, self._wanted)

    def _state(
        self,
        now: float,
        step: SequenceStep,
        excluded: Mapping[str, str],
        missing: Sequence[str],
    ) -> tuple[str, Callable[[], str]]:
        """Return the state, and how to say it when somebody looks."""
        waits = f"; waiting for {step.waiting[0]}" if step.waiting else ""
        running = self._running()
        if not self._enabled:
            if running:
                return "stopping", lambda: f"{self._reason}{waits}"
            if self._sequence.coasting_pumps:
                return "coasting", lambda: f"Chillers off: {self._coasting.why}{waits}"
            return "off", lambda: f"Off: the plant is not enabled{waits}"
        if not self._wanted:
            if excluded and len(excluded) == len(self._plant.chillers):
                who = who_cannot(self._plant.chillers, excluded)
                return "no_chiller", lambda: f"No chiller can run: {who}"
            remaining = self._config.start_hold - (now - (self._enabled_since or now))
            return "starting", lambda: f"Plant start in {duration(max(0.0, remaining))}"
        if len(running) < len(self._wanted):
            state = "staging_up" if running else "starting"
            return state, lambda: f"{self._reason}{waits}"
        if running != self._wanted:
            return "staging_down", lambda: f"{self._reason}{waits}"
        stage = len(self._wanted)
        if missing:
            bad = ", ".join(missing)
            return "holding", lambda: f"Stage {stage} held: {bad} not good"
        if excluded and self._conditions.stage_up(now) is not None:
            who = who_cannot(self._plant.chillers, excluded)
            return "running", lambda: f"Stage {stage}: more is needed, but {who}"
        return "running", lambda: f"Stage {stage}: {self._conditions.summary()}"

    def _minimum_remaining(self, now: float) -> int | None:
        if self._stage_since is None or not self._wanted:
            return None
        over = self._stage_since + self._config.minimum_stage_time
        return round(max(0.0, over - now))

    # What outlives a restart

    def _resume_data(self, now: float) -> dict[str, object]:
        return {
            "at": now,
            "wanted": [item.key for item in self._wanted],
            "enabled": self._enabled,
            "enabled_since": self._enabled_since,
            "stage_since": self._stage_since,
            "reason": self._reason,
            "conditions": self._conditions.resume() if self._settled else {},
            "sequence": self._sequence.resume(),
            "order": self._order.resume(),
            "handover": self._handover.resume(),
        }

    def _restore(self, now: float, data: Mapping[str, Any]) -> None:
        """Go on from the last report; what runs now decides what was reached."""
        fresh = 0 <= now - data["at"] <= RESUME_GAP
        self._sequence.restore(data["sequence"], fresh=fresh)
        self._order.restore(data["order"])
        self._enabled = data.get("enabled")
        self._enabled_since = data.get("enabled_since")
        self._reason = data.get("reason", "")
        if not fresh:
            return
        self._wanted = tuple(
            item for item in self._order.chillers if item.key in data["wanted"]
        )
        self._handover.restore(data["handover"])
        self._ran = set(data["sequence"]["running"])
        self._stage_since = data.get("stage_since")
        self._settled = self._stage_since is not None
        self._conditions.restore(data["at"], data["conditions"])
