"""What makes a machine stop against all wishes, and keeps it off for a while.

- Its water was lost for longer than `flow_loss_time`.
- Its start was not proven within `start_proof_time`: the command is taken back,
  else it might start later, when nobody expects it.
- It stopped on an alarm: the same.

It is kept off until the minimum off time is over and flow is proven again
(after a failed start at least five minutes), or until nobody wants it on. One
that somebody else had run is only let go when its flow is proven.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .interlocks_flow import lost_flow
from .interlocks_history import PROOF_TIME, History, LockKind
from .interlocks_view import COMPRESSORS, View
from .model import Equipment, Plant, Point, PointKey
from .notices import NoticeBoard, NoticeKind
from .steady_time import duration

LOCKED, FREE = "locked", "free"
_RUNS_AFTER_ALL = 60.0
"""Seconds after which a machine does not merely run out."""

_WHY = {
    LockKind.FLOW: "flow was lost",
    LockKind.START: "its last start was not proven",
    LockKind.ALARM: "it stopped on an alarm",
}


@dataclass(frozen=True, slots=True)
class Hold:
    """Why something is not sent yet. `code` stays while the text counts down."""

    code: str
    text: str


class Locks:
    """The machines that are held off."""

    def __init__(
        self, plant: Plant, histories: Mapping[str, History], board: NoticeBoard
    ) -> None:
        """Nothing is held off yet."""
        self._plant = plant
        self._histories = histories
        self._board = board

    def check(
        self,
        machine: Equipment,
        history: History,
        view: View,
        wanted_on: Collection[PointKey],
    ) -> None:
        """Lock or unlock a machine after one look at the plant."""
        self._check_flow(machine, history, view)
        self._check_alarm(machine, history, view)
        self._check_lock(machine, history, view, wanted_on)

    def check_start(self, machine: Equipment, history: History, view: View) -> None:
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
            self._lock(machine, history, LockKind.START, text, view)
        elif "run_command" in machine.points:
            self._post(NoticeKind.START_FAILED, machine, text)

    def _check_flow(self, machine: Equipment, history: History, view: View) -> None:
        """Stop a machine whose water has stopped."""
        water = None
        if history.running or view.ordered_on(machine):
            water = lost_flow(machine, view)
        if water is None:
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
                view,
            )

    def _check_alarm(self, machine: Equipment, history: History, view: View) -> None:
        """Take the command from a machine that tripped.

        Else it would start by surprise when somebody resets the alarm. One that
        runs on in spite of its alarm knows better than we.
        """
        if (
            view.ordered_on(machine)
            and view.status(machine) is False
            and view.good(f"{machine.key}.alarm") is True
        ):
            self._lock(
                machine,
                history,
                LockKind.ALARM,
                f"{machine.name} has stopped on an alarm; its command is taken back",
                view,
            )

    def _lock(
        self,
        machine: Equipment,
        history: History,
        kind: LockKind,
        text: str,
        view: View,
    ) -> None:
        if history.lock is not None or "run_command" not in machine.points:
            return
        history.lock = kind
        history.locked_at = view.time
        history.foreign = not view.ordered_on(machine)
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
                history.off_wait(machine, view.time)
                or history.flow_wait(machine, view.time)
                or view.good(f"{machine.key}.alarm") is True
            ):
                return
        self._unlock(machine, history, "may start again")

    def _unlock(self, machine: Equipment, history: History, why: str) -> None:
        history.lock = None
        self._post(NoticeKind.LOCK_CLEARED, machine, f"{machine.name} {why}")

    def _post(self, kind: NoticeKind, machine: Equipment, text: str) -> None:
        unlocked = kind is NoticeKind.LOCK_CLEARED
        self._board.post(
            kind,
            machine.points["run_command"],
            text,
            before=LOCKED if unlocked else True,
            after=FREE if unlocked else False,
        )

    def pins(self) -> Mapping[PointKey, Hold]:
        """Return the run commands that are held off whoever wants them on."""
        return {
            f"{key}.run_command": self._hold(key, history.lock)
            for key, history in self._histories.items()
            if history.lock is not None
        }

    def pin(self, point: PointKey) -> Hold | None:
        """Return why a point is held off; None: it is not."""
        key, _, role = point.partition(".")
        history = self._histories.get(key)
        if role != "run_command" or history is None or history.lock is None:
            return None
        return self._hold(key, history.lock)

    def _hold(self, machine: str, lock: LockKind) -> Hold:
        return Hold(
            f"lock_{lock.value}",
            f"{self._plant.equipment[machine].name} held off: {_WHY[lock]}; "
            "waits for its minimum off time and proven flow",
        )

    def foreign(self, point: Point) -> bool:
        """Whether somebody else may run a pinned machine if we let it go."""
        return self._histories[point.equipment].foreign

    def cannot_wait(self, point: Point, view: View) -> bool:
        """Whether a pinned machine is stopped even before its minimum run time.

        Only for want of water; one that runs well in spite of a failed start
        or an alarm is not stopped short.
        """
        history = self._histories[point.equipment]
        machine = self._plant.equipment[point.equipment]
        return history.lock is LockKind.FLOW or view.status(machine) is not True
