"""When chillers take turns, and what people change of one turn.

By the calendar a turn comes at a moment that is known beforehand; by run hours
it comes when one has run longer than the next by a difference, and when that
will be can only be estimated. Either can be moved, given to another chiller or
left out, once: the turn after it comes as if nothing had been changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from .planned import HORIZON, Amendment, Amendments, PlannedAction, occurrence
from .rotation import RotationSchedule, by_least, next_by_least

KIND = "rotation"
_NOTHING = Amendment()
_FAR_BACK = 20
"""Turns in a row that somebody can have left out and be remembered."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is, and how that goes on."""

    order: tuple[str, ...]
    change: float | None = None
    """When it changes next, epoch seconds."""
    following: tuple[str, ...] = ()
    """The order after that, where it is known."""
    planned: tuple[PlannedAction, ...] = ()
    note: str = ""
    """Who changed the turn that led to this order."""


def led_by(order: Sequence[str], lead: str | None) -> tuple[str, ...]:
    """Return an order with somebody at its head, if that is one of them."""
    if lead is None or lead not in order:
        return tuple(order)
    return (lead, *(key for key in order if key != lead))


class CalendarTurns:
    """Turns every so many days, which follow from the clock alone."""

    def __init__(
        self, schedule: RotationSchedule, form: Sequence[str], names: Mapping[str, str]
    ) -> None:
        """`form` is the order of the first turn."""
        self._schedule = schedule
        self._form = tuple(form)
        self._names = names
        self._known: tuple[object, ...] | None = None
        self._turn = Turn(self._form)

    def at(self, now: float, zone: tzinfo, amendments: Amendments) -> Turn:
        """Return whose turn it is."""
        known = (zone, amendments)
        if self._known != known or now >= (self._turn.change or 0.0):
            self._known = known
            self._turn = self._look(now, zone, amendments)
        return self._turn

    def _look(self, now: float, zone: tzinfo, amendments: Amendments) -> Turn:
        count, _ = self._schedule.at(now, zone)

        def amendment(number: int) -> tuple[float, Amendment]:
            moment = self._schedule.moment(number, zone)
            found = amendments.get(occurrence(KIND, moment), _NOTHING)
            return moment if found.at is None else found.at, found

        # A turn can have been moved to before now, but not past the one before.
        number = count + 1
        changed = _NOTHING
        for number in range(count + 1, max(-1, count - _FAR_BACK), -1):
            moment, changed = amendment(number)
            if number == 0 or (moment <= now and not changed.cancelled):
                break
        order = self._order(number, changed)
        planned = tuple(self._planned(now, zone, count, order, amendment))
        coming = [item for item in planned if not item.cancelled and item.at > now]
        change = min((item.at for item in coming), default=None)
        following_number = max(1, count)
        while change is None:
            # None this week: all are left out, or the next one is later than that.
            moment, found = amendment(following_number)
            if moment > now and not found.cancelled:
                change = moment
            following_number += 1
        following = self._order_of(coming[0]) if coming else self._order(count + 1)
        return Turn(order, change, following, planned, changed.note)

    def _order(self, number: int, changed: Amendment = _NOTHING) -> tuple[str, ...]:
        turn = number % len(self._form)
        return led_by(self._form[turn:] + self._form[:turn], changed.equipment)

    @staticmethod
    def _order_of(action: PlannedAction) -> tuple[str, ...]:
        return tuple(action.after) if isinstance(action.after, list) else ()

    def _planned(
        self,
        now: float,
        zone: tzinfo,
        count: int,
        order: tuple[str, ...],
        amendment: Callable[[int], tuple[float, Amendment]],
    ) -> Iterator[PlannedAction]:
        """Yield the turns of the next seven days, those that are left out too."""
        if len(self._form) < 2:
            return
        number = max(1, count)
        while True:
            original = self._schedule.moment(number, zone)
            if original > now + HORIZON:
                return
            moment, changed = amendment(number)
            following = self._schedule.moment(number + 1, zone)
            if moment > now or (changed.cancelled and following > now):
                after = self._order(number, changed)
                yield PlannedAction(
                    id=occurrence(KIND, original),
                    kind=KIND,
                    at=moment,
                    original=original,
                    reason=f"{self._names[after[0]]} takes the lead, by the calendar",
                    until=following,
                    equipment=(after[0],),
                    before=list(order),
                    after=list(after),
                    earliest=amendment(number - 1)[0] if number else None,
                    latest=following,
                    choices=self._form,
                    cancelled=changed.cancelled,
                )
                if not changed.cancelled:
                    order = after
            number += 1


class RunHourTurns:
    """Turns by run hours: who has run least is the next to lead.

    A turn that was given to somebody, or left out, lasts until who leads has
    run for the difference: what the hours say would end it at once.
    """

    def __init__(
        self, tolerance: float, form: Sequence[str], names: Mapping[str, str]
    ) -> None:
        """`tolerance` is the difference in hours; begin in the order of the form."""
        self._tolerance = tolerance
        self._form = tuple(form)
        self._names = names
        self._since: float | None = None
        self._kept: tuple[str, float] | None = None
        """Who leads until it has so many hours, whatever the others have."""
        self._note = ""
        self._known: tuple[object, ...] | None = None
        self._last = Turn(())

    def at(
        self,
        now: float,
        order: tuple[str, ...],
        hours: Mapping[str, float],
        growing: Mapping[str, bool],
        amendments: Amendments,
    ) -> Turn:
        """Return whose turn it is, going on from an order (empty: the first)."""
        if self._since is None:
            self._since = now
        if not order:
            return self._turn(now, by_least(self._form, hours, 0.0), hours, growing)
        changed = amendments.get(occurrence(KIND, self._since), _NOTHING)
        due = self._by_hours(order, hours)
        if changed.at is not None and not changed.cancelled:
            due = order
            if now >= changed.at:
                due = by_least(order, hours, 0.0)
                due = (*order[1:], order[0]) if due == order else due
        if due != order:
            # What was changed is over with it, and not about the next turn.
            happened, changed = changed, _NOTHING
            self._since, self._note, self._kept = now, happened.note, None
            due = order if happened.cancelled else led_by(due, happened.equipment)
            if happened != _NOTHING:
                self._keep(due[0], hours)
        return self._turn(now, due, hours, growing, changed)

    def _keep(self, lead: str, hours: Mapping[str, float]) -> None:
        if lead in hours:
            self._kept = (lead, hours[lead] + self._tolerance)

    def _by_hours(
        self, order: tuple[str, ...], hours: Mapping[str, float]
    ) -> tuple[str, ...]:
        if self._kept is not None:
            lead, until = self._kept
            if lead == order[0] and hours.get(lead, 0.0) < until:
                return order
            self._kept = None
        return by_least(order, hours, self._tolerance)

    def _turn(
        self,
        now: float,
        order: tuple[str, ...],
        hours: Mapping[str, float],
        growing: Mapping[str, bool],
        changed: Amendment = _NOTHING,
    ) -> Turn:
        rest = self._rest(order, hours, growing)
        # To the minute: an estimate that is new each time tells nobody more.
        later = None if rest is None else (now + rest * 3600) // 60 * 60
        known = (order, later, self._since, self._kept, changed)
        if known != self._known:
            self._known = known
            self._last = self._told(order, rest, later, hours, growing, changed)
        return self._last

    def _told(
        self,
        order: tuple[str, ...],
        rest: float | None,
        later: float | None,
        hours: Mapping[str, float],
        growing: Mapping[str, bool],
        changed: Amendment,
    ) -> Turn:
        assert self._since is not None
        at = later if changed.at is None else changed.at
        if at is None:
            return Turn(order, note=self._note)
        then = {
            key: value + ((rest or 0.0) + 1e-6 if growing.get(key) else 0.0)
            for key, value in hours.items()
        }
        following = by_least(order, then, self._tolerance)
        if changed.at is not None and following == order:
            following = (*order[1:], order[0])
        following = led_by(following, changed.equipment)
        action = PlannedAction(
            id=occurrence(KIND, self._since),
            kind=KIND,
            at=at,
            original=at if later is None else later,
            reason=f"{self._names[following[0]]} leads, by run hours",
            equipment=(following[0],),
            before=list(order),
            after=list(following),
            choices=self._form,
            cancelled=changed.cancelled,
            estimated=changed.at is None,
        )
        change = None if changed.cancelled else at
        planned = (action,) if len(self._form) > 1 else ()
        return Turn(order, change, following, planned, self._note)

    def _rest(
        self,
        order: tuple[str, ...],
        hours: Mapping[str, float],
        growing: Mapping[str, bool],
    ) -> float | None:
        """Return in how many hours the order changes, None if that is not known."""
        if self._kept is None:
            return next_by_least(order, hours, self._tolerance, growing)
        lead, until = self._kept
        return until - hours.get(lead, until) if growing.get(lead) else None

    def resume(self) -> dict[str, object]:
        """Return what must survive a restart."""
        return {"since": self._since, "kept": self._kept and list(self._kept)}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on where it was."""
        since, kept = data["since"], data["kept"]
        self._since = None if since is None else float(since)
        self._kept = None if kept is None else (str(kept[0]), float(kept[1]))
