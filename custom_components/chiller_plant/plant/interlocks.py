"""Stands between what is wanted and the machines.

No source, however wrong or however many at once, short-cycles a compressor,
starts one without proven flow, or takes the water from one that runs. Rules
and their default numbers follow ASHRAE Guideline 36, section 5.20, and what
chiller makers ask for. A reading that was lost never stops a machine; it only
keeps one from being started.

- `judge` holds a change back, with the reason and the time left.
- `pins` hold a machine off whoever wants it on: its flow was lost, its start
  was not proven, or it has tripped on an alarm. A pin ends when the minimum
  off time is over and flow is proven again, or when nobody wants it on.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .interlocks_flow import flow_problem, lost_flow, needed_for, point_name
from .interlocks_history import HOUR, PROOF_TIME, History, LockKind
from .interlocks_view import COMPRESSORS, View, command_roles, is_on
from .model import Equipment, Plant, Point, PointKey, Value
from .notices import NoticeBoard, NoticeKind
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


@dataclass(frozen=True, slots=True)
class Hold:
    """Why something is not sent yet. `code` stays while the text counts down."""

    code: str
    text: str


class Interlocks:
    """The rules that no request gets around."""

    def __init__(
        self, plant: Plant, wires: Wires, board: NoticeBoard, settle: float
    ) -> None:
        """Watch this plant."""
        self._plant = plant
        self._wires = wires
        self._board = board
        self._settle = settle
        self._compressors = plant.of_type(*COMPRESSORS)
        self._histories = {
            machine.key: History()
            for machine in plant.equipment.values()
            if "run_command" in machine.points or machine.type in COMPRESSORS
        }
        self._servers = {
            key
            for machine in self._compressors
            for keys in machine.served_by.values()
            for key in keys
        }
        self._view = self._look(0.0, {})

    def _look(self, time: float, readings: Readings) -> View:
        return View(self._plant, self._wires, self._settle, time, readings)

    # --- what is seen

    def observe(
        self, time: float, readings: Readings, wanted_on: Collection[PointKey]
    ) -> None:
        """Look at the plant; done before anything is judged.

        `wanted_on` are the points that would be on if there were no pins.
        """
        view = self._view = self._look(time, readings)
        for key, history in self._histories.items():
            machine = self._plant.equipment[key]
            history.observe(machine, view)
            self._check_start(machine, history, view)
        for machine in self._compressors:
            history = self._histories[machine.key]
            others = [user for user in self._users(time) if user is not machine]
            if flow_problem(machine, others, view) is not None:
                history.flow_since = None
            elif history.flow_since is None:
                history.flow_since = time
            self._check_flow(machine, history, view)
            self._check_alarm(machine, history, view)
            self._check_lock(machine, history, view, wanted_on)

    def _users(self, time: float) -> list[Equipment]:
        """Return the machines that need flow, or did a short time ago."""
        return [
            machine
            for machine in self._compressors
            if (until := self._histories[machine.key].active_until) is not None
            and (until >= time or time - until < machine.interlocks.flow_keep_time)
        ]

    def _check_start(self, machine: Equipment, history: History, view: View) -> None:
        """Take back a start that was not proven in time."""
        if history.pending is None:
            return
        limit = machine.interlocks.start_proof_time
        if view.time - history.pending < (limit or PROOF_TIME):
            return
        if limit and view.status(machine) is not False:
            return  # a lost status proves nothing, in either direction
        history.pending = None
        if not limit:
            return
        text = f"{machine.name} did not start within {duration(limit)}"
        if machine.type in COMPRESSORS:
            text += "; its start is taken back"
            self._lock(machine, history, LockKind.START, text)
        elif "run_command" in machine.points:
            self._post(NoticeKind.START_FAILED, machine, text)

    def _check_flow(self, machine: Equipment, history: History, view: View) -> None:
        """Stop a machine whose water has stopped."""
        water = lost_flow(machine, view)
        if water is None or not (history.running or view.ordered_on(machine)):
            history.flow_lost_since = None
            return
        if history.flow_lost_since is None:
            history.flow_lost_since = view.time
        if view.time - history.flow_lost_since >= machine.interlocks.flow_loss_time:
            self._lock(
                machine,
                history,
                LockKind.FLOW,
                f"{machine.name} stopped: {water} flow was lost",
            )

    def _check_alarm(self, machine: Equipment, history: History, view: View) -> None:
        """Take the command from a machine that tripped.

        Else it would start by surprise when somebody resets the alarm. One that
        runs on in spite of its alarm knows better than we.
        """
        if (
            view.good(f"{machine.key}.alarm") is True
            and view.status(machine) is False
            and view.ordered_on(machine)
        ):
            self._lock(
                machine,
                history,
                LockKind.ALARM,
                f"{machine.name} has stopped on an alarm; its command is taken back",
            )

    def _lock(
        self, machine: Equipment, history: History, kind: LockKind, text: str
    ) -> None:
        if history.lock is not None or "run_command" not in machine.points:
            return
        history.lock = kind
        history.locked_at = self._view.time
        history.pending = None
        failed = kind is LockKind.START
        self._post(
            NoticeKind.START_FAILED if failed else NoticeKind.FORCED_STOP, machine, text
        )

    def _check_lock(
        self,
        machine: Equipment,
        history: History,
        view: View,
        wanted_on: Collection[PointKey],
    ) -> None:
        if history.lock is None:
            return
        if (
            history.lock is not LockKind.FLOW
            and view.status(machine) is True
            and view.time - history.run_since >= _RUNS_AFTER_ALL
        ):
            # Taking the command back came too late, or did not arrive.
            self._unlock(machine, history, "runs after all")
            return
        if not view.surely_off(machine) or history.running:
            return  # it has not done its work yet
        point = machine.points["run_command"]
        if point.key in wanted_on:
            least = PROOF_TIME if history.lock is LockKind.START else 0.0
            if view.time - history.locked_at < least:
                return
            if (
                self._off_wait(machine, history)
                or self._flow_wait(machine, history)
                or view.good(f"{machine.key}.alarm") is True
            ):
                return
        self._unlock(machine, history, "may start again")

    def _unlock(self, machine: Equipment, history: History, why: str) -> None:
        history.lock = None
        self._post(NoticeKind.LOCK_CLEARED, machine, f"{machine.name} {why}")

    def _post(self, kind: NoticeKind, machine: Equipment, text: str) -> None:
        self._board.post(kind, machine.points["run_command"], text)

    def pins(self) -> Mapping[PointKey, Hold]:
        """Return the run commands that are held off whoever wants them on."""
        why = {
            LockKind.FLOW: "flow was lost",
            LockKind.START: "its last start was not proven",
            LockKind.ALARM: "it stopped on an alarm",
        }
        return {
            f"{key}.run_command": Hold(
                f"lock_{history.lock.value}",
                f"{self._plant.equipment[key].name} held off: {why[history.lock]}; "
                "waits for its minimum off time and proven flow",
            )
            for key, history in self._histories.items()
            if history.lock is not None
        }

    def cannot_wait(self, point: Point) -> bool:
        """Whether a pinned machine is stopped even before its minimum run time.

        Only for want of water; one that runs well in spite of a failed start
        or an alarm is not stopped short.
        """
        history = self._histories[point.equipment]
        machine = self._plant.equipment[point.equipment]
        return history.lock is LockKind.FLOW or self._view.status(machine) is not True

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
        self._moves(machine, history, moving)
        return None

    def _judge_start(
        self, change: Change, users: list[Equipment], moving: list[Equipment]
    ) -> Hold | None:
        machine, history = self._machine(change)
        view = self._view
        if view.surely_on(machine):
            return None  # only the one who says so changes
        hold = self._readiness_hold(machine, history, users)
        if hold is None and not history.running:
            hold = (
                self._off_hold(machine, history)
                or self._starts_hold(machine, history)
                or self._turn_hold(machine, moving, "start")
            )
        if hold is not None:
            return hold
        self._moves(machine, history, moving)
        if machine not in users:
            users.append(machine)
        return None

    def _moves(
        self, machine: Equipment, history: History, moving: list[Equipment]
    ) -> None:
        """Note that a machine is about to change state.

        What was sent before without an answer is not news: a dead controller
        must not keep the other chillers from their turn for ever.
        """
        moving.append(machine)
        if not self._wires.of(machine.points["run_command"].key).in_doubt:
            history.changed_at = self._view.time

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
            value = view.good(point)
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
        wait = self._flow_wait(machine, history)
        if wait:
            return _start_hold(
                machine,
                "flow_proof",
                f"flow must be proven without a break, {duration(wait)} left",
            )
        return None

    def _flow_wait(self, machine: Equipment, history: History) -> float:
        """Return the seconds until flow counts as proven."""
        proof_time = machine.interlocks.flow_proof_time
        if history.flow_since is None:
            return max(proof_time, 1.0)
        return max(proof_time - (self._view.time - history.flow_since), 0.0)

    def _off_wait(self, machine: Equipment, history: History) -> float:
        """Return the seconds until the machine has stood long enough."""
        since = self._view.time - (history.worked_until or 0.0)
        return max(machine.interlocks.minimum_off_time - since, 0.0)

    def _off_hold(self, machine: Equipment, history: History) -> Hold | None:
        wait = self._off_wait(machine, history)
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
            return Hold("needed", f"{machine.name} {what} held: {needs}")
        hold = self._judge_motor(change)
        if hold is None:
            stopping.add(machine.key)
        return hold

    def _need(self, user: Equipment) -> str:
        until = self._histories[user.key].active_until or 0.0
        passed = self._view.time - until
        if passed <= 0:
            return f"{user.name} needs it"
        left = user.interlocks.flow_keep_time - passed
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
        for key, row in data.items() if isinstance(data, dict) else ():
            if key in self._histories and isinstance(row, dict):
                self._histories[key].restore(time, row)


_RUNS_AFTER_ALL = 60.0
"""Seconds after which a machine does not merely run out."""
_VALVE_ROLES = ("open_command", "position_command")


def _start_hold(machine: Equipment, code: str, why: str) -> Hold:
    return Hold(code, f"{machine.name} start held: {why}")
