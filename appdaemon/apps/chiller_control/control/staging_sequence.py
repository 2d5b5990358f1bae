"""Starting and stopping chillers with what serves them, in order.

Told which chillers should run, the sequence says what every machine should do
now. It keeps no step counter: it looks at what is proven and allows the next
thing. So it goes on from wherever the plant stands, after a restart or after
somebody else has switched a machine.

Guideline 36-2021 §5.20.2: on in the order isolation valves, pumps, tower, then
(all proven) the chiller; off in the opposite order, the water flowing on for a
while after the compressor stopped. One chiller changes at a time.

On a header that flows for another chiller, the pump comes before the valve and
goes after it (§5.20.4.16): an open path without its pump takes water from the
chiller that runs, which at slow pumps is enough to break its flow switch.

Tower cells that another automation may run too (Smart CT names their run
commands in its outputs) are asked for where a chiller needs one, and otherwise
left to it: nothing waits for them to stop.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .decision import Command, Event, Inputs
from .staging_plant import (
    CHILLED_WATER_PUMPS,
    CONDENSER_WATER_PUMPS,
    COOLING_TOWERS,
    SHARED_SERVICES,
    Chiller,
    Machine,
    StagingPlant,
    assigned_from,
    names_of,
    still_flowing,
)
from .staging_proofs import Proofs, Unproven
from .staging_step import SequenceSettings, SequenceStep

NOT_NEEDED = "Not needed now"
SERVES_BUILDING = "Serves the building"
STORED = "the building with what is stored"
VALVE_CLOSING_TIME = 90.0
"""Seconds that an isolation valve may take to close: that it is not open any
more is all that its status says."""


class StagingSequence:
    """The start and stop sequence of one plant."""

    def __init__(
        self,
        plant: StagingPlant,
        settings: SequenceSettings,
        shared_cells: frozenset[str] = frozenset(),
    ) -> None:
        """Know nothing yet of what runs.

        `shared_cells` are the keys of towers that somebody else may run too.
        """
        self.plant = plant
        self.settings = settings
        self._machines = plant.machines
        self._towers = plant.keys(COOLING_TOWERS)
        self._shared_cells = shared_cells
        self._valves_of_pump: dict[str, set[str]] = {}
        for chiller in plant.chillers:
            for kind in (CHILLED_WATER_PUMPS, CONDENSER_WATER_PUMPS):
                for pump in chiller.shared[kind]:
                    valves = self._valves_of_pump.setdefault(pump.key, set())
                    valves.update(valve.key for valve in chiller.valves)
        self._neighbours = {
            (chiller.key, kind): plant.neighbours(chiller, kind)
            for chiller in plant.chillers
            for kind in SHARED_SERVICES
        }
        self._motors = {item.key for item in self._machines if item.verb == "run"}
        self._serving = False
        """Whether anybody needs water."""
        self.coasts = False
        """Whether chilled water is to flow on although its chillers stopped."""
        self._coasting: list[Chiller] = []
        self.coasting_pumps: dict[str, str] = {}
        """The pumps that run for that alone: names by key."""
        self._everything = {
            machine.key: machine
            for machine in (*self._machines, *(item.machine for item in plant.chillers))
        }
        self._known: dict[str, bool] = {}
        self._read: dict[str, bool | None] = {}
        self._may_run: set[str] = set()
        """Told to run, and not heard of since."""
        self._usable_now: dict[str, bool] = {}
        """What `_usable` found since the last look at the machines."""
        self._assigned: dict[str, dict[str, Machine]] = {}
        self._secondary: tuple[Machine, ...] = ()
        self._changed_for: dict[str, str] = {}
        """Why each chiller was last started or stopped."""
        self.stopped_at: dict[str, float] = {}
        self._commanded: dict[str, Command] = {}
        """What was last said of each point."""
        self._proofs = Proofs(settings.proof_timeout)
        self.failures = self._proofs.failures
        self.changing: str | None = None

    # What is known

    def observe(self, now: float, inputs: Inputs) -> None:
        """Take in what the machines report, before anything is decided."""
        self._usable_now.clear()
        for key, machine in self._everything.items():
            proven = machine.proven(inputs)
            self._read[key] = proven
            if proven is None:
                continue
            self._may_run.discard(key)
            self._proofs.heard(key, proven=proven)
            if not proven and self._known.get(key):
                self.stopped_at[key] = now
            self._known[key] = proven
        self._proofs.forget(now)

    def runs(self, key: str) -> bool:
        """Whether a machine runs, as last known: silence is not a stop."""
        return self._known.get(key, False)

    def may_run(self, key: str) -> bool:
        """Whether a machine runs for all that is known: it is left its water."""
        return self.runs(key) or key in self._may_run

    def reports(self, key: str) -> bool:
        """Whether a machine says at this moment whether it runs."""
        return self._read.get(key) is not None

    def unavailable(self, chiller: Chiller, inputs: Inputs) -> str | None:
        """Return why a chiller cannot be started, None if it can."""
        machine = chiller.machine
        assert machine.command is not None
        if inputs.on(machine.alarm):
            return "in alarm"
        if machine.key in self.failures:
            return self.failures[machine.key].reason
        if self._read.get(machine.key) is None and not self._on(machine):
            return "it is not known whether it runs"
        if inputs.on(chiller.remote_mode) is False:
            return "switched to local"
        owner = inputs.taken.get(machine.command)
        if owner is not None and inputs.on(machine.command) is False:
            return f"kept off by {owner}"
        for valve in chiller.valves:
            if valve.key in self.failures:
                return self.failures[valve.key].reason
        for kind, label in SHARED_SERVICES.items():
            if chiller.shared[kind] and not any(self._free(chiller, kind, inputs)):
                return f"no {label} is available for it"
        return None

    # What to do

    def step(
        self, now: float, inputs: Inputs, wanted: Sequence[Chiller], reason: str
    ) -> SequenceStep:
        """Return what every machine should do so that `wanted` run, only they."""
        step = SequenceStep()
        served = self._served(now, wanted)
        self._serving = bool(served)
        flowing = still_flowing(self.plant, served, self._assigned)
        self._coasting = flowing if self.coasts else []
        served += self._coasting
        self._assign(served, inputs)
        self.coasting_pumps = names_of(self._coasting, self._assigned)
        self._serve(now, inputs, served, step)
        self._switch_chillers(now, inputs, wanted, reason, step)
        self._commanded = {command.point: command for command in step.commands}
        self._watch(now, inputs, step)
        self._usable_now.clear()
        return step

    def _served(self, now: float, wanted: Sequence[Chiller]) -> list[Chiller]:
        """Return the chillers that need water: those that run first, so they keep it."""

        def needs_water(chiller: Chiller) -> bool:
            if chiller in wanted or self.may_run(chiller.key):
                return True
            stopped = self.stopped_at.get(chiller.key)
            return stopped is not None and now - stopped < self.settings.stop_flow_delay

        served = [item for item in self.plant.chillers if needs_water(item)]
        return sorted(served, key=lambda item: not self.may_run(item.key))

    def _assign(self, served: Sequence[Chiller], inputs: Inputs) -> None:
        """Give each chiller one machine of each shared service.

        A machine that already runs is kept, whichever it is: pumps are not
        swapped because of a restart.
        """
        previous = self._assigned
        self._assigned = {}
        for chiller in served:
            kept = previous.get(chiller.key, {})
            chosen = self._assigned.setdefault(chiller.key, {})
            water_only = (CHILLED_WATER_PUMPS,)
            for kind in water_only if chiller in self._coasting else SHARED_SERVICES:
                machine = self._choose(chiller, kind, inputs, kept.get(kind))
                if machine is not None:
                    chosen[kind] = machine
        count = max(1, len(served)) if served else 0
        usable = [
            item for item in self.plant.secondary_pumps if self._usable(item, inputs)
        ]
        usable.sort(key=lambda item: not self._on(item))
        self._secondary = tuple(usable[:count])

    def _choose(
        self, chiller: Chiller, kind: str, inputs: Inputs, kept: Machine | None
    ) -> Machine | None:
        first = None
        for item in self._free(chiller, kind, inputs):
            if kept is not None and item.key == kept.key:
                return item
            if first is None or (self._on(item) and not self._on(first)):
                first = item
        return first

    def _free(self, chiller: Chiller, kind: str, inputs: Inputs) -> Iterator[Machine]:
        """Yield the machines that could serve a chiller and serve no other."""
        taken = [
            chosen[kind].key
            for key, chosen in self._assigned.items()
            if key != chiller.key and kind in chosen
        ]
        for item in chiller.shared[kind]:
            if item.key not in taken and self._usable(item, inputs):
                yield item

    def _usable(self, machine: Machine, inputs: Inputs) -> bool:
        known = self._usable_now.get(machine.key)
        if known is None:
            known = (
                machine.key not in self.failures
                and not inputs.on(machine.alarm)
                and (self._read.get(machine.key) is not None or self._on(machine))
            )
            self._usable_now[machine.key] = known
        return known

    def _on(self, machine: Machine) -> bool:
        if self.runs(machine.key):
            return True
        said = self._commanded.get(machine.command or "")
        return said is not None and said.value == machine.on

    def _serve(
        self, now: float, inputs: Inputs, served: Sequence[Chiller], step: SequenceStep
    ) -> None:
        """Valves, pumps and towers, each when what comes before it is proven."""
        needed = self._needed(served)
        allowed = self._allowed_on(served)
        for machine in self._machines:
            key = machine.key
            if key in needed:
                on = key in allowed or self.runs(key)
                reason = f"Serves {needed[key]}"
            else:
                on = self.runs(key) and self._must_wait_off(now, machine, needed)
                failed = self.failures.get(key)
                reason = failed.reason if failed else NOT_NEEDED
                if inputs.on(machine.alarm):
                    reason = f"{machine.name} is in alarm"
            self._command(machine, on, reason, step)

    def _needed(self, served: Sequence[Chiller]) -> dict[str, str]:
        """Return what serves whom."""
        needed: dict[str, str] = {}
        for chiller in served:
            whom = STORED if chiller in self._coasting else chiller.name
            for machine in (*chiller.valves, *self._assigned[chiller.key].values()):
                needed[machine.key] = whom
        for pump in self._secondary:
            needed[pump.key] = "the building"
        return needed

    def _allowed_on(self, served: Sequence[Chiller]) -> set[str]:
        """Return what may start now."""
        allowed: set[str] = set()
        water = False
        for chiller in served:
            assigned = self._assigned[chiller.key]
            is_open = self._all_proven(chiller.valves)
            water = water or is_open
            may_open = True
            for kind in (CHILLED_WATER_PUMPS, CONDENSER_WATER_PUMPS):
                if kind not in assigned:
                    continue
                key = assigned[kind].key
                if self._flows(chiller, kind):
                    allowed.add(key)
                    may_open = may_open and self._read.get(key) is True
                elif is_open:
                    allowed.add(key)
            if may_open:
                allowed.update(valve.key for valve in chiller.valves)
            pump = assigned.get(CONDENSER_WATER_PUMPS)
            if COOLING_TOWERS in assigned and (
                pump is None or self._read.get(pump.key) is True
            ):
                allowed.add(assigned[COOLING_TOWERS].key)
        if water:
            allowed.update(pump.key for pump in self._secondary)
        return allowed

    def _flows(self, chiller: Chiller, kind: str) -> bool:
        """Whether a chiller that runs shares these pumps."""
        return any(map(self.runs, self._neighbours[chiller.key, kind]))

    def _must_wait_off(
        self, now: float, machine: Machine, needed: Mapping[str, str]
    ) -> bool:
        """Whether something that stops before it still runs."""
        if machine.key in self._towers:
            return False
        before: frozenset[str] | set[str] = self._towers
        if needed:
            valves = self._valves_of_pump.get(machine.key, set())
            if any(self._closing(now, key) for key in valves - needed.keys()):
                return True
            before = (self._towers - self._shared_cells) | valves
        elif machine.verb == "open":
            before = self._motors
        return any(
            self.runs(key) and not self._stuck(now, key)
            for key in before - needed.keys()
        )

    def _closing(self, now: float, valve: str) -> bool:
        """Whether a valve was open a short time ago."""
        since = self.stopped_at.get(valve)
        return since is not None and now - since < VALVE_CLOSING_TIME

    def _switch_chillers(
        self,
        now: float,
        inputs: Inputs,
        wanted: Sequence[Chiller],
        reason: str,
        step: SequenceStep,
    ) -> None:
        """Start or stop one chiller; the others stay as they are."""
        starting = [item for item in wanted if not self.runs(item.key)]
        stopping = [
            item
            for item in reversed(self.plant.chillers)
            if self.runs(item.key) and item not in wanted
        ]
        if self.changing not in [item.key for item in (*starting, *stopping)]:
            self.changing = None
        if self.changing is None:
            ready = [item for item in starting if self._ready(item, step)]
            due = [
                *ready,
                *(item for item in stopping if not self._stuck(now, item.key)),
            ]
            if due:
                self.changing = due[0].key
        for chiller in self.plant.chillers:
            machine = chiller.machine
            changes = chiller.key == self.changing
            if chiller in starting:
                on = changes and not self._lost(chiller)
            else:
                on = self.runs(chiller.key) and not (chiller in stopping and changes)
            if chiller in starting or chiller in stopping:
                self._changed_for[chiller.key] = reason or NOT_NEEDED
            why = self._changed_for.get(chiller.key, SERVES_BUILDING)
            self._command(
                machine, on, why if self.runs(chiller.key) or on else NOT_NEEDED, step
            )

    def _ready(self, chiller: Chiller, step: SequenceStep) -> bool:
        """Whether all that must be proven before a start is proven."""
        assigned = self._assigned[chiller.key]
        needed = [*chiller.valves, *assigned.values()]
        for other, machines in self._assigned.items():
            # Headers are shared: water is enough only if it is for all.
            if other != chiller.key and self.runs(other):
                needed.extend(machines.values())
        missing = [
            kind
            for kind in SHARED_SERVICES
            if chiller.shared[kind] and kind not in assigned
        ]
        unproven = [item for item in needed if self._read.get(item.key) is not True]
        step.waiting.extend(
            f"no {SHARED_SERVICES[kind]} for {chiller.name}" for kind in missing
        )
        return not missing and not unproven

    def _lost(self, chiller: Chiller) -> bool:
        """Whether something that was proven for a start is proven no more."""
        needed = [*chiller.valves, *self._assigned[chiller.key].values()]
        return any(self._read.get(item.key) is False for item in needed)

    def _stuck(self, now: float, key: str) -> bool:
        """Whether a machine was told to stop long ago, and did not."""
        since = self._proofs.stopping(now, key)
        return since is not None and since >= self.settings.proof_timeout

    def _all_proven(self, machines: Iterable[Machine]) -> bool:
        return all(self._read.get(item.key) is True for item in machines)

    def _command(
        self, machine: Machine, on: bool, reason: str, step: SequenceStep
    ) -> None:
        if machine.command is None:
            return
        if not on and machine.key not in self._known:
            # It may be running on its own controls; not before it has spoken.
            return
        value = machine.on if on else machine.off
        said = self._commanded.get(machine.command)
        if said is None or said.value != value or said.reason != reason:
            said = Command(machine.command, value, reason)
        step.commands.append(said)

    # What does not come

    def _watch(self, now: float, inputs: Inputs, step: SequenceStep) -> None:
        """Time what was commanded and is not proven; name what is waited for."""
        unproven = []
        for key, machine in self._everything.items():
            said = self._commanded.get(machine.command or "")
            if said is None:
                continue
            on, read = said.value == machine.on, self._read.get(key)
            if read is not None and read == on:
                continue
            if not on and self._serving and key in self._shared_cells:
                continue
            hold = inputs.holds.get(machine.command or "")
            if on and read is None and hold is None:
                self._may_run.add(key)
            as_told = read is None and self._known.get(key) == on
            unproven.append(Unproven(machine, on, hold, read, as_told))
        step.waiting.extend(item.text() for item in unproven)
        for machine, reason in self._proofs.watch(now, unproven):
            if self.changing == machine.key:
                self.changing = None
            data = {"equipment": machine.key, "from": "commanded", "to": "failed"}
            step.events.append(Event("equipment_failed", reason, data))

    # What outlives a restart

    def resume(self) -> dict[str, object]:
        """Return what cannot be seen from the plant; JSON types."""
        return {
            "running": sorted(key for key, runs in self._known.items() if runs),
            "idle": sorted(key for key, runs in self._known.items() if not runs),
            "may_run": sorted(self._may_run),
            "changing": self.changing,
            "changed_for": dict(self._changed_for),
            "assigned": {
                key: {kind: machine.key for kind, machine in chosen.items()}
                for key, chosen in self._assigned.items()
            },
            "on": sorted(
                key
                for key, item in self._everything.items()
                if (said := self._commanded.get(item.command or "")) is not None
                and said.value == item.on
            ),
            "stopped_at": {
                key: at
                for key, at in self.stopped_at.items()
                if key not in self._motors
            },
            **self._proofs.resume(),
        }

    def restore(self, data: Mapping[str, Any], *, fresh: bool) -> None:
        """Go on from `resume`; only times that still count if it is not `fresh`."""
        for key, at in data.get("stopped_at", {}).items():
            self.stopped_at[key] = float(at)
        self._proofs.restore(data, self._everything.keys(), fresh=fresh)
        if not fresh:
            return
        self._changed_for = {
            key: str(reason) for key, reason in data.get("changed_for", {}).items()
        }
        for state, runs in (("running", True), ("idle", False)):
            for key in data.get(state, ()):
                if key in self._everything:
                    self._known[key] = runs
        self._assigned = assigned_from(data.get("assigned", {}), self._everything)
        for key in data.get("on", ()):
            machine = self._everything.get(key)
            if machine is not None and machine.command is not None:
                said = Command(machine.command, machine.on, "")
                self._commanded[machine.command] = said
        self._may_run.update(data.get("may_run", ()))
        self.changing = data.get("changing")
