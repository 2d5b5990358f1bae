"""The one door through which every command goes to a machine.

Requests come in, the arbiter says whose turn it is, the interlocks say what a
machine can bear now, and what is left is handed out as orders for the wire.
Nothing is sent from here: whoever carries an order out says how it went.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .arbiter import Arbiter, Band, CommandRefused, Request, Slot
from .interlocks import NEEDED, Change, Interlocks
from .interlocks_locks import Hold
from .interlocks_view import is_on
from .model import Plant, Point, PointKey, Value
from .notices import GIVEN_BACK, Notice, NoticeBoard, NoticeKind
from .read_back import ReadBack, point_name, shown
from .reading import Readings
from .roles import EquipmentType
from .steady_time import SteadyClock, duration
from .wire import RETRY_LAST, Wire, Wires

__all__ = [
    "Band",
    "CommandDesk",
    "CommandRefused",
    "CommandStatus",
    "Notice",
    "NoticeKind",
    "Order",
    "Request",
]

INTERLOCK = "interlock"
"""The source of what nobody asked for: forced stops."""


@dataclass(frozen=True, slots=True)
class Order:
    """Something to put on the wire now; `value` None releases the point."""

    point: Point
    value: Value | None
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class CommandStatus:
    """Who commands a point, and how far that has got. Times in epoch seconds."""

    point: PointKey
    owner: str | None
    """The source that is heard; None: nobody wants anything."""
    priority: int | None
    value: Value | None
    """What the owner wants."""
    on_wire: Value | None
    """What was last written and not released; None: nothing of ours."""
    owned: bool
    """Whether something of ours is, or may be, on the wire."""
    reason: str
    since: float | None
    lease_end: float | None
    hold: str | None
    """Why it is not sent yet, for people."""
    mismatch: Value | None
    """What the device reads back, when that is not what was written."""


class CommandDesk:
    """Arbiter, interlocks and what is on the wire, of one plant.

    `step` is called after every reading of the plant and after every request,
    never while orders of an earlier step are still being carried out. An order
    that is neither `written` nor `failed` afterwards is offered again.
    """

    def __init__(self, plant: Plant) -> None:
        """Nothing was asked for, nothing is on the wire."""
        self._plant = plant
        self._clock = SteadyClock(plant)
        self._arbiter = Arbiter(plant)
        self._wires = Wires(plant)
        self._board = NoticeBoard()
        self._settle = max(3 * plant.poll_interval, 15.0)
        self._interlocks = Interlocks(plant, self._wires, self._board, self._settle)
        self._read_back = ReadBack(plant, self._wires, self._board, self._settle)
        self._holds: dict[PointKey, Hold] = {}

    # --- wishes

    def request(self, now: float, request: Request) -> None:
        """Take a request, or raise `CommandRefused`; `step` acts on it."""
        self._arbiter.request(now, request)

    def release(
        self,
        now: float,
        *,
        source: str | None = None,
        points: Collection[PointKey] | None = None,
    ) -> tuple[PointKey, ...]:
        """Let go what a source (None: all) wants of points (None: of all).

        Returns the points of which something was let go.
        """
        self._board.now = now
        return self._arbiter.release(source, points)

    # --- orders

    def step(self, now: float, readings: Readings) -> tuple[Order, ...]:
        """Return what has to go to the wire now, in this order.

        `readings` are all points of the plant as last read. Without `written`
        or `failed` in between, the same inputs give the same orders.
        """
        time = self._clock.advance(now)
        self._board.now = now
        self._readings = readings
        for expired in self._arbiter.expire(now):
            self._tell_expired(expired)
        pinned = filter(self._would_be_on, self._interlocks.locks.pins())
        self._interlocks.observe(time, readings, set(pinned))
        self._read_back.compare(time, readings)

        orders: dict[PointKey, Order] = {}
        changes: list[Change] = []
        holds: dict[PointKey, Hold] = {}
        pins = self._interlocks.locks.pins()
        winners = self._arbiter.winners
        for key, wire in self._wires:
            slot = winners.get(key)
            pin = pins.get(key) if pins else None
            if pin is None:
                if slot is None:
                    if not wire.ours:
                        continue
                elif wire.value == slot.request.value and wire.is_settled:
                    continue
            order, at_once = self._wanted(wire, slot, pin)
            if not self._has_to_be_written(time, wire, order.value):
                wire.ramp_at = None
                continue
            order = self._ramped(time, wire, order, readings)
            if wire.ramp_at is not None and wire.owned and order.value == wire.value:
                if not wire.in_doubt:
                    continue  # a ramp that has just begun
            hold = self._backing_off(time, wire, order, urgent=at_once)
            if hold is not None:
                holds[key] = hold
                continue
            orders[key] = order
            target = wire.after_release() if order.value is None else order.value
            changes.append(Change(wire.point, order.value, target, at_once))

        verdicts = self._interlocks.judge(changes)
        holds.update({key: hold for key, hold in verdicts.items() if hold is not None})
        for key, pin in pins.items():
            winner = winners.get(key)
            if winner is not None and winner.request.value is True:
                holds.setdefault(key, pin)
        self._tell_holds(holds)
        allowed = [
            *self._kept(verdicts),
            *(orders[key] for key, hold in verdicts.items() if hold is None),
        ]
        for order in allowed:
            self._wires.of(order.point.key).offer(order.value)
        return tuple(allowed)

    def _kept(self, verdicts: Mapping[PointKey, Hold | None]) -> Iterator[Order]:
        """Yield what has to be said again, because the opposite may have arrived.

        A stop that nobody confirmed, of a machine that turns out to be needed.
        """
        for key, hold in verdicts.items():
            wire = self._wires.of(key)
            if hold is None or hold.code != NEEDED or not wire.in_doubt:
                continue
            for value in (wire.value if wire.owned else None, *reversed(wire.sent)):
                left = wire.after_release() if value is None else value
                if left is not None and is_on(wire.point.role.name, left):
                    yield Order(wire.point, value, hold.text, INTERLOCK)
                    break

    def _would_be_on(self, key: PointKey) -> bool:
        """Whether a pinned run command is wanted on, or not surely off if let go."""
        slot = self._arbiter.winner(key)
        if slot is None:
            wire = self._wires.of(key)
            left = wire.after_release()
            return left is not False or self._interlocks.locks.foreign(wire.point)
        return slot.request.value is True

    def _wanted(
        self, wire: Wire, slot: Slot | None, pin: Hold | None
    ) -> tuple[Order, bool]:
        """Return what should be on the wire, and whether that waits for nothing."""
        point = wire.point
        at_once = pin is not None and self._interlocks.cannot_wait(point)
        if pin is not None and self._would_be_on(point.key):
            return Order(point, False, pin.text, INTERLOCK), at_once
        if slot is None:
            reason = "nobody commands it any more"
            return Order(point, None, reason, INTERLOCK), at_once
        request = slot.request
        if request.priority >= Band.SAFETY and request.value is False:
            at_once = True
        return Order(point, request.value, request.reason, request.source), at_once

    def _has_to_be_written(self, time: float, wire: Wire, value: Value | None) -> bool:
        if wire.in_doubt:
            return True
        if value is None:
            return wire.owned
        if not wire.owned or wire.value != value:
            return True
        return (
            wire.mismatch is not None
            and time >= wire.rewrite_at
            # Writing changes nothing there, and nothing is gained by insisting.
            and not wire.overridden
            and not self._never_sent_again(wire.point)
        )

    def _never_sent_again(self, point: Point) -> bool:
        """Say no for compressors: one that was stopped at its panel stays off."""
        equipment = self._plant.equipment[point.equipment]
        return point.role.name == "run_command" and equipment.type in (
            EquipmentType.CHILLER,
            EquipmentType.HEAT_SOURCE,
        )

    def _ramped(
        self, time: float, wire: Wire, order: Order, readings: Readings
    ) -> Order:
        """Return the order, moved only as far as the point's ramp allows."""
        ramp = wire.point.ramp
        wish = order.value
        if not ramp or wish is None or isinstance(wish, bool):
            return order
        reading = readings.get(wire.point.key)
        start = wire.value if wire.owned else None if reading is None else reading.good
        if start is None:
            start = wire.value if wire.at is not None else wire.point.release
        if start is None or start == wish:
            return order
        if wire.ramp_at is None:
            wire.ramp_at = time
        step = ramp * min(time - wire.ramp_at, self._clock.longest_gap)
        value = min(max(wish, start - step), start + step)
        return Order(order.point, value, order.reason, order.source)

    def _backing_off(
        self, time: float, wire: Wire, order: Order, *, urgent: bool
    ) -> Hold | None:
        """Return a hold while the wire has not got over the last failure."""
        wait = wire.wait(time, urgent=urgent)
        # A stop does not wait for something else that failed.
        if not wait or (order.value is False and not wire.refused_off):
            return None
        return Hold(
            "write_failed",
            f"{point_name(self._plant, wire.point)}: writing failed, "
            f"next attempt in {duration(wait)}",
        )

    def written(self, now: float, order: Order) -> None:
        """Note that the wire took an order."""
        time = self._clock.advance(now)
        self._board.now = now
        wire = self._wires.of(order.point.key)
        again = wire.owned and not wire.in_doubt and wire.value == order.value
        before = self._present(wire)
        self._interlocks.took(time, order.point, order.value)
        if wire.mismatch is not None and wire.value == order.value:
            wire.rewrite_at = time + min(
                self._settle * 2.0 ** min(wire.rewrites, 10), RETRY_LAST
            )
            wire.rewrites += 1
        wire.took(time, order.value)
        if wire.ramp_at is not None:
            wire.ramp_at = time
        if again:
            return
        if order.value is None:
            self._board.post(
                NoticeKind.RELEASED,
                order.point,
                f"{point_name(self._plant, order.point)} released",
                order.source,
                before=before,
                after=GIVEN_BACK,
            )
            return
        slot = self._arbiter.winner(order.point.key)
        if wire.ramp_at is not None and slot and slot.request.value != order.value:
            return  # a step on the way, of which there may be hundreds
        self._board.post(
            NoticeKind.WRITTEN,
            order.point,
            partial(_told_as_written, self._plant, order),
            order.source,
            before=before,
            after=order.value,
        )

    def _present(self, wire: Wire) -> Value | None:
        """Return what a point has, or had last; None where that is not known."""
        if wire.owned:
            return wire.value
        reading = self._readings.get(wire.point.key)
        return wire.value if reading is None else reading.good

    def failed(self, now: float, order: Order, error: str) -> None:
        """Note that the wire did not take an order, or did not say so.

        It is offered again later, if it is still wanted and still allowed.
        """
        time = self._clock.advance(now)
        self._board.now = now
        wire = self._wires.of(order.point.key)
        wire.offer(order.value)
        wire.refused(time, order.value)
        if wire.failures == 1:
            self._board.post(
                NoticeKind.WRITE_FAILED,
                order.point,
                f"{point_name(self._plant, order.point)} was not written: "
                f"{str(error)[:200]}; it is tried again",
                order.source,
                before=self._present(wire),
                after=GIVEN_BACK if order.value is None else order.value,
            )

    # --- what came of it

    def status(self, point: PointKey) -> CommandStatus:
        """Return who commands a point; KeyError where the plant has none."""
        wire = self._wires.of(point)
        slot = self._arbiter.winner(point)
        pin = self._interlocks.locks.pin(point)
        hold = self._holds.get(point)
        request = slot.request if slot is not None else None
        owner = request.source if request is not None else INTERLOCK if pin else None
        reason = request.reason if request is not None else pin.text if pin else ""
        return CommandStatus(
            point=point,
            owner=owner,
            priority=request.priority if request is not None else None,
            value=request.value if request is not None else False if pin else None,
            on_wire=wire.value if wire.owned else None,
            owned=wire.ours,
            reason=reason,
            since=slot.since if slot is not None else None,
            lease_end=slot.until if slot is not None else None,
            hold=hold.text if hold is not None else None,
            mismatch=wire.mismatch,
        )

    @property
    def held(self) -> Mapping[PointKey, str]:
        """Return why, for people, of each point whose command is held back."""
        return {key: hold.text for key, hold in self._holds.items()}

    def undisputed(self, point: PointKey) -> Value | None:
        """Return what is on the wire of a point; see `Wire.undisputed`."""
        return self._wires.of(point).undisputed

    def _busy(self, pins: Iterable[PointKey]) -> set[PointKey]:
        """Return the points that are commanded, have been, or are held off."""
        busy = {wire.point.key for wire in self._wires.ours()}
        busy.update(self._arbiter.winners, pins)
        return busy

    def statuses(self) -> dict[PointKey, CommandStatus]:
        """Return `status` of every point with anything to tell; few of a plant."""
        busy = self._busy(self._interlocks.locks.pins())
        return {key: self.status(key) for key in busy | self._holds.keys()}

    def ownership(self) -> frozenset[tuple[PointKey, str | None, bool]]:
        """Return who commands what, and where something of ours is on the wire."""
        pins = self._interlocks.locks.pins()
        found = []
        for key in self._busy(pins):
            slot = self._arbiter.winner(key)
            owner = INTERLOCK if key in pins else None
            if slot is not None:
                owner = slot.request.source
            found.append((key, owner, self._wires.of(key).ours))
        return frozenset(found)

    def drain_notices(self) -> tuple[Notice, ...]:
        """Return what happened since the last call, oldest first."""
        return self._board.drain()

    def _tell_expired(self, slot: Slot) -> None:
        request = slot.request
        point = self._plant.points[request.point]
        self._board.post(
            NoticeKind.LEASE_EXPIRED,
            point,
            f"{point_name(self._plant, point)}: the lease of {request.source} is over",
            request.source,
            before=request.value,
            after=GIVEN_BACK,
        )

    def _tell_holds(self, holds: dict[PointKey, Hold]) -> None:
        """Post each hold when it begins, and when it is over."""
        for key, hold in holds.items():
            old = self._holds.get(key)
            if old is None or old.code != hold.code:
                self._tell_hold(NoticeKind.HELD, key, hold.text)
        for key in self._holds.keys() - holds.keys():
            name = point_name(self._plant, self._plant.points[key])
            self._tell_hold(NoticeKind.HOLD_ENDED, key, f"{name}: no longer held")
        self._holds = holds

    def _tell_hold(self, kind: NoticeKind, key: PointKey, text: str) -> None:
        slot = self._arbiter.winner(key)
        self._board.post(
            kind,
            self._plant.points[key],
            text,
            slot.request.source if slot is not None else None,
            before=self._present(self._wires.of(key)),
            after=slot.request.value if slot is not None else GIVEN_BACK,
        )

    # --- across a restart

    def as_dict(self) -> dict[str, Any]:
        """Return all that a restart must not forget, as JSON types."""
        return {
            "clock": self._clock.as_dict(),
            "slots": self._arbiter.as_list(),
            "wires": self._wires.as_dict(),
            "interlocks": self._interlocks.as_dict(),
            "holds": {key: [hold.code, hold.text] for key, hold in self._holds.items()},
        }

    def restore(self, now: float, data: object) -> None:
        """Take what `as_dict` gave; called on a new desk, before any step.

        Never raises: what makes no sense is left out, and where that leaves
        something unknown, the machines are protected as if it were bad.
        """
        if not isinstance(data, Mapping):
            return
        self._board.now = now
        self._clock.restore(data.get("clock"))
        time = self._clock.time
        self._arbiter.restore(now, data.get("slots"))
        self._wires.restore(time, data.get("wires"))
        self._interlocks.restore(time, data.get("interlocks"))
        holds = data.get("holds")
        for key, row in holds.items() if isinstance(holds, Mapping) else ():
            match row:
                case [str(code), str(text)] if key in self._plant.points:
                    self._holds[key] = Hold(code, text)


def _told_as_written(plant: Plant, order: Order) -> str:
    name, reason = point_name(plant, order.point), order.reason
    told = f"{name} {shown(order.point, order.value)}"
    return f"{told}: {reason}" if reason else told
