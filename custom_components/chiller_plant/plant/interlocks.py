"""Stands between what is wanted and the machines.

No source, however wrong or however many at once, short-cycles a compressor,
starts one without proven flow, or takes the water from one that runs. Rules
and their default numbers follow ASHRAE Guideline 36, section 5.20, and what
chiller makers ask for. A reading that was lost never stops a machine; it only
keeps one from being started.

`judge` holds a change back, with the reason and the time left; `locks` hold a
machine off that has to be stopped (see `interlocks_locks`).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from .interlocks_flow import flow_problem, needed_for, point_name
from .interlocks_history import HOUR, PROOF_TIME, History
from .interlocks_locks import Hold, Locks
from .interlocks_rest import Rest
from .interlocks_view import COMPRESSORS, View, command_roles, is_on
from .model import Equipment, Plant, Point, PointKey, Value
from .notices import NoticeBoard
from .reading import Readings
from .steady_time import duration
from .wire import Wires


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is about to be sent."""

    point: Point
    value: Value | None
    """None: a release."""
    target: Value | None
    """What the point is then commanded to; None: not known."""
    at_once: bool = False
    """A safety request or a forced stop, which waits for nothing."""

    @property
    def on(self) -> bool:
        """Whether it lets the machine serve; an unknown release does not."""
        return self.target is not None and is_on(self.point.role.name, self.target)


class Interlocks:
    """The rules that no request gets around."""

    def __init__(
        self, plant: Plant, wires: Wires, board: NoticeBoard, settle: float
    ) -> None:
        """Watch this plant."""
        self._plant = plant
        self._wires = wires
        self._board = board
        self._compressors = plant.of_type(*COMPRESSORS)
        self._motors = tuple(
            machine
            for machine in plant.equipment.values()
            if "run_command" in machine.points or machine.type in COMPRESSORS
        )
        self._histories = {machine.key: History() for machine in self._motors}
        self._servers = {
            key
            for machine in self._compressors
            for keys in machine.served_by.values()
            for key in keys
        }
        self.locks = Locks(plant, self._histories, board)
        self._view = View(plant, wires, settle)
        self._rest = Rest(self._motors, self._compressors, self._histories, self._view)

    # --- what is seen

    def observe(
        self, time: float, readings: Readings, wanted_on: Collection[PointKey]
    ) -> None:
        """Look at the plant; done before anything is judged.

        `wanted_on` are the points that would be on if there were no pins.
        """
        view = self._view
        view.look(time, readings, self._board.now)
        if self._rest.goes_on():
            return
        for machine in self._motors:
            history = self._histories[machine.key]
            history.observe(machine, view)
            if history.pending is not None:
                self.locks.check_start(machine, history, view)
        users = self._users(time)
        for machine in self._compressors:
            history = self._histories[machine.key]
            others = [user for user in users if user is not machine]
            if flow_problem(machine, others, view) is not None:
                history.flow_since = None
            elif history.flow_since is None:
                history.flow_since = time
            self.locks.check(machine, history, view, wanted_on)
        self._rest.begin()

    def _users(self, time: float) -> list[Equipment]:
        """Return the machines that need flow, or did a short time ago."""
        return [
            machine
            for machine in self._compressors
            if (until := self._histories[machine.key].active_until) is not None
            and (until >= time or time - until < machine.interlocks.flow_keep_time)
        ]

    def cannot_wait(self, point: Point) -> bool:
        """Whether a machine that is held off is stopped even at once."""
        return self.locks.cannot_wait(point, self._view)

    # --- what is allowed

    def judge(self, changes: Iterable[Change]) -> dict[PointKey, Hold | None]:
        """Decide which changes may be sent now, in the order of sending.

        Compressors stop first and start last, and are decided first, so that
        no pump is let go that one of them is about to need.
        """
        stops: list[Change] = []
        starts: list[Change] = []
        serving: list[Change] = []
        leaving: list[Change] = []
        for change in changes:
            machine = self._plant.equipment[change.point.equipment]
            if machine.type in COMPRESSORS and change.point.role.name == "run_command":
                (starts if change.on else stops).append(change)
            elif machine.key in self._servers and not change.on:
                leaving.append(change)
            else:
                serving.append(change)
        users = self._users(self._view.time)
        moving: list[Equipment] = []
        verdicts: dict[PointKey, Hold | None] = {}
        started: dict[PointKey, Hold | None] = {}
        # Forced and safety stops come before those that have to take turns.
        for change in sorted(stops, key=lambda change: not change.at_once):
            verdicts[change.point.key] = self._judge_stop(change, moving)
        for change in starts:
            started[change.point.key] = self._judge_start(change, users, moving)
        for change in serving:
            verdicts[change.point.key] = self._judge_motor(change)
        stopping: set[str] = set()
        for change in leaving:
            verdicts[change.point.key] = self._judge_leaving(change, users, stopping)
        return verdicts | started

    def _machine(self, change: Change) -> tuple[Equipment, History]:
        machine = self._plant.equipment[change.point.equipment]
        return machine, self._histories[machine.key]

    def _judge_stop(self, change: Change, moving: list[Equipment]) -> Hold | None:
        machine, history = self._machine(change)
        if self._view.surely_off(machine):
            return None
        if not change.at_once:
            hold = self._run_hold(machine, history) or self._turn_hold(
                machine, moving, "stop"
            )
            if hold is not None:
                return hold
        self._moves(machine, history, moving, on=False)
        return None

    def _judge_start(
        self, change: Change, users: list[Equipment], moving: list[Equipment]
    ) -> Hold | None:
        machine, history = self._machine(change)
        view = self._view
        if view.surely_on(machine) and (
            view.ordered_on(machine) or view.status(machine) is not False
        ):
            # Only the one who says so changes. But to take over one that stands
            # for reasons of its own is to start it.
            return None
        hold = self._readiness_hold(machine, history, users)
        if hold is None and not history.running:
            hold = (
                self._off_hold(machine, history)
                or self._starts_hold(machine, history)
                or self._turn_hold(machine, moving, "start")
            )
        if hold is not None:
            return hold
        self._moves(machine, history, moving, on=True)
        if machine not in users:
            users.append(machine)
        return None

    def _moves(
        self, machine: Equipment, history: History, moving: list[Equipment], *, on: bool
    ) -> None:
        """Note that a machine is about to change state.

        The same, sent again because nobody answered, is not news: a dead
        controller must not keep the other chillers from their turn for ever.
        """
        moving.append(machine)
        self._rest.end()
        time = self._view.time
        wire = self._wires.of(machine.points["run_command"].key)
        if not wire.in_doubt:
            history.changed_at = time
            return
        sent = wire.after_release() if wire.sent[-1] is None else wire.sent[-1]
        if bool(sent) is on:
            return
        history.changed_at = time
        if not on:
            # A start that nobody confirmed is stopped: it may have run meanwhile.
            history.worked_until = history.active_until = time
            history.count_start(time)

    def _readiness_hold(
        self, machine: Equipment, history: History, users: Collection[Equipment]
    ) -> Hold | None:
        """Return why the machine could not run now, or not be seen to run."""
        view = self._view
        for role, bad, text in (
            ("run_status", None, ""),
            ("alarm", True, "its alarm is on"),
            ("remote_mode", False, "it is in local mode"),
        ):
            if role not in machine.points:
                continue
            point = machine.points[role].key
            value = (view.proof if role == "run_status" else view.good)(point)
            if value is None:
                return _start_hold(
                    machine,
                    "reading",
                    f"the reading of {point_name(self._plant, point)} is not good "
                    f"({view.quality(point)})",
                )
            if value is bad:
                return _start_hold(machine, role, text)
        if machine.type not in COMPRESSORS:
            return None
        others = [user for user in users if user is not machine]
        problem = flow_problem(machine, others, view)
        if problem is not None:
            return _start_hold(machine, "flow", problem)
        wait = history.flow_wait(machine, view.time)
        if wait:
            return _start_hold(
                machine,
                "flow_proof",
                f"flow must be proven without a break, {duration(wait)} left",
            )
        return None

    def _off_hold(self, machine: Equipment, history: History) -> Hold | None:
        wait = history.off_wait(machine, self._view.time)
        if not wait:
            return None
        return _start_hold(
            machine, "off_time", f"minimum off time, {duration(wait)} left"
        )

    def _starts_hold(self, machine: Equipment, history: History) -> Hold | None:
        limit = machine.interlocks.maximum_starts_per_hour
        if limit is None or len(history.starts) < limit:
            return None
        if limit <= 0:
            return _start_hold(machine, "starts", "it is allowed no starts")
        wait = HOUR - (self._view.time - history.starts[-limit])
        return _start_hold(
            machine,
            "starts",
            f"{limit} starts an hour are used up, {duration(wait)} left",
        )

    def _run_hold(self, machine: Equipment, history: History) -> Hold | None:
        if not history.running and history.pending is None:
            return None
        run = self._view.time - history.run_since
        wait = machine.interlocks.minimum_run_time - run
        if wait <= 0:
            return None
        return Hold(
            "run_time",
            f"{machine.name} stop held: minimum run time, {duration(wait)} left",
        )

    def _turn_hold(
        self, machine: Equipment, moving: Collection[Equipment], what: str
    ) -> Hold | None:
        """Return which other machine is changing state."""
        for other in self._compressors:
            if other is machine or other.type is not machine.type:
                continue
            history = self._histories[other.key]
            wait = -1.0
            if history.changed_at is not None:
                passed = self._view.time - history.changed_at
                wait = other.interlocks.change_time - passed
            if history.pending is not None:
                # Not longer, or a controller that died keeps the others off.
                limit = other.interlocks.start_proof_time or PROOF_TIME
                wait = max(wait, limit - (self._view.time - history.pending))
            if other in moving or wait > 0:
                left = f", {duration(wait)} left" if wait > 0 else ""
                return Hold(
                    "turn",
                    f"{machine.name} {what} held: {other.name} is changing state{left}",
                )
        return None

    def _judge_motor(self, change: Change) -> Hold | None:
        """Judge what no compressor depends on, or what only helps one."""
        machine = self._plant.equipment[change.point.equipment]
        history = self._histories.get(machine.key)
        if history is None or change.point.role.name != "run_command":
            return None
        if not change.on:
            if self._view.surely_off(machine) or change.at_once:
                return None
            return self._run_hold(machine, history)
        if self._view.surely_on(machine) or history.running:
            return None
        return self._off_hold(machine, history) or self._starts_hold(machine, history)

    def _judge_leaving(
        self, change: Change, users: Collection[Equipment], stopping: set[str]
    ) -> Hold | None:
        """Judge a pump, valve or tower that would no longer serve."""
        machine = self._plant.equipment[change.point.equipment]
        role = change.point.role.name
        if role not in command_roles(machine) or self._view.surely_off(machine, role):
            return self._judge_motor(change)
        needing = needed_for(machine, users, stopping, self._view)
        if needing:
            what = "close" if role in _VALVE_ROLES else "stop"
            needs = ", ".join(map(self._need, needing))
            return Hold(NEEDED, f"{machine.name} {what} held: {needs}")
        hold = self._judge_motor(change)
        if hold is None:
            stopping.add(machine.key)
        return hold

    def _need(self, user: Equipment) -> str:
        passed = self._view.time - (self._histories[user.key].active_until or 0.0)
        left = user.interlocks.flow_keep_time - passed
        if passed <= 0 or left <= 0:  # it runs, or is being started just now
            return f"{user.name} needs it"
        return f"{user.name} needs it for another {duration(left)}"

    # --- what came of it

    def took(self, time: float, point: Point, value: Value | None) -> None:
        """Note that the wire took a value; called before the wire notes it."""
        history = self._histories.get(point.equipment)
        if history is None or point.role.name != "run_command":
            return
        machine = self._plant.equipment[point.equipment]
        wire = self._wires.of(point.key)
        target = wire.after_release() if value is None else value
        if target is True and set(self._view.confirmed(machine)) == {True}:
            return
        self._rest.end()
        history.took(
            time,
            was=self._view.maybe_on(machine),
            on=target is True,
            has_status=self._view.status_point(machine) is not None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {key: history.as_dict() for key, history in self._histories.items()}

    def restore(self, time: float, data: object) -> None:
        """Take what `as_dict` gave."""
        self._rest.end()
        for key, row in data.items() if isinstance(data, dict) else ():
            if key in self._histories and isinstance(row, dict):
                self._histories[key].restore(time, row)


NEEDED = "needed"
"""The code of a hold that keeps a machine running for another."""
_VALVE_ROLES = ("open_command", "position_command")


def _start_hold(machine: Equipment, code: str, why: str) -> Hold:
    return Hold(code, f"{machine.name} start held: {why}")
