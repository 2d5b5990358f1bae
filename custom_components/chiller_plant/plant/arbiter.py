"""Decides who commands a point: everybody asks, the highest priority is heard.

One slot a source for each point, so that a source that lets go gives the point
back to the next one, and nobody has to remember what somebody else wanted.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
import math
from typing import Any

from .model import Plant, Point, PointKey, Value

MAXIMUM_SOURCES = 32
"""Slots of one point; a plant has a handful."""
MAXIMUM_LEASE = 86400.0
"""Seconds. A longer wish is a standing order and belongs to a person."""
_TEXT = 255


class Band(IntEnum):
    """What a priority stands for; automations have 1 to 9."""

    AUTOMATION_LOW = 1
    AUTOMATION_HIGH = 9
    DEMAND_RESPONSE = 50
    CUSTOM_SCHEDULE = 100
    OPERATOR = 150
    SAFETY = 200


PRIORITIES = frozenset(
    {
        *range(Band.AUTOMATION_LOW, Band.AUTOMATION_HIGH + 1),
        Band.DEMAND_RESPONSE,
        Band.CUSTOM_SCHEDULE,
        Band.OPERATOR,
        Band.SAFETY,
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a source wants of a point.

    `lease` is in seconds; None holds until it is released. Automations and
    demand response always have one (the plant's, unless they say otherwise),
    so that nothing they asked for outlives them.
    """

    point: PointKey
    value: Value
    priority: int
    source: str
    reason: str = ""
    lease: float | None = None


class CommandRefused(ValueError):
    """A request that cannot be taken, whatever the plant does.

    `code` and `placeholders` are for a translation; the text is for people.
    """

    def __init__(self, code: str, text: str, **placeholders: str) -> None:
        """Keep what a translation needs."""
        super().__init__(text)
        self.code = code
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class Slot:
    """A request that was taken."""

    request: Request
    order: int
    """Rises with every new wish; who goes on with one keeps its place."""
    since: float
    """Epoch seconds of that wish."""
    until: float | None
    """Epoch seconds at which the lease ends."""

    def expired(self, now: float) -> bool:
        """Whether the lease is over."""
        return self.until is not None and now >= self.until


def checked_request(plant: Plant, request: Request) -> Request:
    """Return the request as it is kept, or raise `CommandRefused`."""
    point = plant.points.get(request.point)
    if point is None:
        raise CommandRefused(
            "unknown_point",
            f"{request.point}: this plant has no such point",
            point=str(request.point),
        )
    if not commandable(point):
        raise CommandRefused(
            "not_writable",
            f"{point.key}: this point cannot be commanded",
            point=point.key,
        )
    source = str(request.source).strip()
    if not source or len(source) > _TEXT:
        raise CommandRefused(
            "bad_source",
            f"{point.key}: a request says who asks, in 1 to {_TEXT} characters",
            point=point.key,
        )
    priority = request.priority
    if (
        isinstance(priority, bool)
        or not isinstance(priority, int)
        or priority not in PRIORITIES
    ):
        raise CommandRefused(
            "bad_priority",
            f"{point.key}: priority {priority!r} is none of 1-9, 50, 100, 150, 200",
            point=point.key,
            priority=str(priority),
        )
    value = checked_value(point, request.value)
    reason = str(request.reason)[:_TEXT]
    lease = _checked_lease(plant, request)
    if (
        value is request.value
        and type(priority) is int
        and source is request.source
        and reason is request.reason
        and lease is request.lease
    ):
        return request  # as nearly always: there is nothing to put right
    return Request(point.key, value, int(priority), source, reason, lease)


def commandable(point: Point) -> bool:
    """Whether the point takes commands (one without address is held by us)."""
    return point.role.commandable and (point.writable or point.address is None)


def checked_value(point: Point, value: object) -> Value:
    """Return the value in the point's own type, within its limits."""
    if point.role.quantity.is_boolean:
        if isinstance(value, bool):
            return value
        raise CommandRefused(
            "not_boolean",
            f"{point.key}: {value!r} is not on or off (true or false)",
            point=point.key,
            value=str(value),
        )
    number = _number(value)
    if not math.isfinite(number):
        raise CommandRefused(
            "not_a_number",
            f"{point.key}: {value!r} is not a number",
            point=point.key,
            value=str(value),
        )
    low = -math.inf if point.low is None else point.low
    high = math.inf if point.high is None else point.high
    if not low <= number <= high:
        raise CommandRefused(
            "out_of_limits",
            f"{point.key}: {number:g} is outside its limits, {low:g} to {high:g}",
            point=point.key,
            value=f"{number:g}",
            low=f"{low:g}",
            high=f"{high:g}",
        )
    return number


def _number(value: object) -> float:
    """Return a value as a number; not a number for what is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    return math.nan


def _checked_lease(plant: Plant, request: Request) -> float | None:
    lease = request.lease
    if lease is None:
        if request.priority <= Band.DEMAND_RESPONSE:
            return plant.command_lease
        return None
    if (
        isinstance(lease, bool)
        or not isinstance(lease, (int, float))
        or not 0 < lease <= MAXIMUM_LEASE
    ):
        raise CommandRefused(
            "bad_lease",
            f"{request.point}: a lease is between 0 and {MAXIMUM_LEASE:g} seconds, "
            f"not {lease!r}",
            point=request.point,
            lease=str(lease),
        )
    return float(lease)


def _highest(slots: Mapping[str, Slot]) -> Slot:
    """Return the slot of the highest priority, the newest of them."""
    if len(slots) == 1:
        return next(iter(slots.values()))
    return max(slots.values(), key=lambda slot: (slot.request.priority, slot.order))


def _holds_its_place(now: float, old: Slot, request: Request) -> bool:
    """Whether a request goes on with what its source wanted before."""
    if old.expired(now) or old.request.priority != request.priority:
        return False
    if request.priority <= Band.AUTOMATION_HIGH:
        return True
    return request.priority < Band.OPERATOR and old.request.value == request.value


class Arbiter:
    """The slots of every point, and whose turn it is."""

    def __init__(self, plant: Plant) -> None:
        """Nobody has asked for anything yet."""
        self._plant = plant
        self._slots: dict[PointKey, dict[str, Slot]] = {}
        self._winners: dict[PointKey, Slot] = {}
        """Who is heard; kept, because it is asked far more often than it changes."""
        self._order = 0
        self._latest = -math.inf
        """The latest time that was heard of, and the end of the first lease: none
        is over before it unless the clock was set back."""
        self._first_end = -math.inf

    def request(self, now: float, request: Request) -> None:
        """Take a request or raise `CommandRefused`.

        Among equal priorities the newest wish wins. To ask for the same again
        is a refresh and does not overtake, nor does an automation that holds its
        point and moves it, else two automations of one priority would fight: the
        one that began last is heard. Only a person who repeats himself means it.
        """
        request = checked_request(self._plant, request)
        slots = self._slots.setdefault(request.point, {})
        old = slots.get(request.source)
        if old is None and len(slots) >= MAXIMUM_SOURCES:
            self._make_room(now, slots, request)
        until = None if request.lease is None else now + request.lease
        self._latest = max(self._latest, now)
        if until is not None:
            self._first_end = min(self._first_end, until)
        if old is not None and _holds_its_place(now, old, request):
            since = old.since if old.request.value == request.value else now
            slots[request.source] = slot = Slot(request, old.order, since, until)
            if self._winners.get(request.point) is old:
                self._winners[request.point] = slot
            return
        self._order += 1
        slots[request.source] = Slot(request, self._order, now, until)
        self._winners[request.point] = _highest(slots)

    def _make_room(self, now: float, slots: dict[str, Slot], request: Request) -> None:
        """Someone who matters more is never shut out by many who matter less."""
        victim = min(
            slots.values(),
            key=lambda slot: (not slot.expired(now), slot.request.priority, slot.order),
        )
        if not victim.expired(now) and victim.request.priority >= request.priority:
            raise CommandRefused(
                "too_many_sources",
                f"{request.point}: {MAXIMUM_SOURCES} sources command this point "
                "already; release some",
                point=request.point,
            )
        del slots[victim.request.source]

    def release(
        self, source: str | None, points: Collection[PointKey] | None
    ) -> tuple[PointKey, ...]:
        """Drop the slots of a source (None: of all) and return their points."""
        released: list[PointKey] = []
        for key in list(self._slots) if points is None else dict.fromkeys(points):
            slots = self._slots.get(key, {})
            gone = [name for name in slots if source is None or name == source]
            for name in gone:
                del slots[name]
            if gone:
                released.append(key)
        self._tidy(released)
        return tuple(released)

    def expire(self, now: float) -> tuple[Slot, ...]:
        """Drop every lease that is over and return them.

        A clock that was set back does not make a lease longer than it was.
        """
        if self._latest <= now < self._first_end:
            self._latest = now
            return ()
        gone: list[Slot] = []
        first_end = math.inf
        for slots in self._slots.values():
            for source, slot in list(slots.items()):
                if slot.expired(now):
                    gone.append(slots.pop(source))
                    continue
                lease = slot.request.lease
                if (
                    lease is not None
                    and slot.until is not None
                    and slot.until - now > lease
                ):
                    slot = slots[source] = replace(slot, until=now + lease)
                if slot.until is not None:
                    first_end = min(first_end, slot.until)
        self._latest, self._first_end = now, first_end
        self._tidy(list(self._slots))
        return tuple(gone)

    def winner(self, point: PointKey) -> Slot | None:
        """Return the slot that commands the point, if any."""
        return self._winners.get(point)

    @property
    def winners(self) -> Mapping[PointKey, Slot]:
        """`winner` of every point that somebody wants something of."""
        return self._winners

    def _tidy(self, changed: Iterable[PointKey]) -> None:
        """Find out who is heard, where somebody let go."""
        for key in changed:
            if slots := self._slots[key]:
                self._winners[key] = _highest(slots)
            else:
                del self._slots[key]
                self._winners.pop(key, None)

    def as_list(self) -> list[dict[str, Any]]:
        """Return all slots as JSON types, oldest wish first."""
        slots = [slot for by in self._slots.values() for slot in by.values()]
        return [
            {
                "point": slot.request.point,
                "value": slot.request.value,
                "priority": slot.request.priority,
                "source": slot.request.source,
                "reason": slot.request.reason,
                "lease": slot.request.lease,
                "since": slot.since,
                "until": slot.until,
            }
            for slot in sorted(slots, key=lambda slot: slot.order)
        ]

    def restore(self, now: float, data: object) -> None:
        """Take what `as_list` gave; leave out what makes no sense.

        Every lease lasts for at least the plant's `command_lease` from now, so
        that whoever holds it can refresh it.
        """
        for row in data if isinstance(data, list) else []:
            if not isinstance(row, Mapping):
                continue
            try:
                request = checked_request(
                    self._plant,
                    Request(
                        row["point"],
                        row["value"],
                        row["priority"],
                        row["source"],
                        row["reason"],
                        row["lease"],
                    ),
                )
                slots = self._slots.setdefault(request.point, {})
                if len(slots) >= MAXIMUM_SOURCES:
                    continue
                until = None
                if request.lease is not None:
                    until = min(float(row["until"]), now + request.lease)
                    if math.isnan(until):
                        continue
                    # Nobody could refresh it while we were away, and the devices
                    # kept it: a restart alone must not take it from the engine.
                    grace = min(request.lease, self._plant.command_lease)
                    until = max(until, now + grace)
                since = float(row["since"])
                if not math.isfinite(since):
                    since = now
            except CommandRefused, KeyError, TypeError, ValueError, OverflowError:
                continue
            self._order += 1
            slots[request.source] = Slot(request, self._order, since, until)
        self._first_end = -math.inf
        self._tidy(list(self._slots))
