"""Windows of time that people may change one by one.

A schedule gives windows; each begin and each end is an occurrence that can be
moved or cancelled. Windows that follow one another without a gap are one: in
the middle of it nothing happens that could be changed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from itertools import pairwise
from math import inf

from .planned import HORIZON, Amendment, Amendments, PlannedAction, occurrence

Window = tuple[float, float]
"""Begin and end, epoch seconds."""
_NOTHING = Amendment()
_DAY = 86400.0
"""Seconds for which windows are worked out."""


@dataclass(frozen=True, slots=True)
class Span:
    """A window as it is now, and as its rule has it."""

    begin: float
    end: float
    planned: Window
    first: Amendment = _NOTHING
    """What was changed of its begin."""
    last: Amendment = _NOTHING
    """What was changed of its end."""

    @property
    def skipped(self) -> bool:
        """Whether it does not happen at all."""
        return self.first.cancelled or self.end <= self.begin

    def covers(self, now: float) -> bool:
        """Whether it is going on."""
        return not self.skipped and self.begin <= now < self.end


def joined(windows: Iterable[Window]) -> list[Window]:
    """Return windows in their order, those without a gap as one."""
    result: list[Window] = []
    for begin, end in sorted(windows):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result


def amended(
    windows: Sequence[Window], kinds: tuple[str, str], amendments: Amendments
) -> list[Span]:
    """Return joined windows with what was changed of them.

    `kinds` are the kinds of occurrence that begin and end one. Where an end is
    cancelled, the window goes on until the next one begins.
    """
    spans: list[Span] = []
    for begin, end in windows:
        first = amendments.get(occurrence(kinds[0], begin), _NOTHING)
        last = amendments.get(occurrence(kinds[1], end), _NOTHING)
        spans.append(
            Span(
                begin if first.at is None else first.at,
                end if last.at is None else last.at,
                (begin, end),
                first,
                last,
            )
        )
    for index, (span, following) in enumerate(pairwise(spans)):
        if span.last.cancelled:
            spans[index] = replace(span, end=max(span.end, following.begin))
    return spans


@dataclass(frozen=True, slots=True)
class Said:
    """What the begin or the end of a window does."""

    reason: str
    equipment: str
    before: object
    after: object
    choices: tuple[str, ...] = ()


class Agenda:
    """The windows of one schedule, with what people changed of them.

    Worked out once a day, and when somebody changes something.
    """

    def __init__(
        self,
        kinds: tuple[str, str],
        windows: Callable[[date, tzinfo], Iterable[Window]],
        say: Callable[[bool, Span], Said],
        *,
        once: bool = False,
    ) -> None:
        """`windows` are those around a day; `say` tells a begin (True) or an end.

        But for what happens `once`, a last end that is further ahead than is told
        is that of all that was looked at, and no end of anything.
        """
        self._kinds = kinds
        self._windows = windows
        self._say = say
        self._once = once
        self._looked_at: tuple[date, tzinfo, Amendments] | None = None
        self._planned: tuple[PlannedAction, ...] = ()
        self._planned_until = 0.0
        self.spans: list[Span] = []
        self.horizon: float | None = None
        self.zone: tzinfo = UTC

    def forget(self) -> None:
        """Work the windows out anew at the next look: what they follow from changed."""
        self._looked_at = None

    def look(
        self, now: float, zone: tzinfo, amendments: Amendments
    ) -> tuple[PlannedAction, ...]:
        """Return the begins and ends that are to come, the first one first."""
        day = datetime.fromtimestamp(now, zone).date()
        looked_at = (day, zone, amendments)
        if looked_at != self._looked_at:
            self._looked_at, self.zone = looked_at, zone
            windows = joined(self._windows(day, zone))
            self.spans = amended(windows, self._kinds, amendments)
            last = windows[-1][1] if windows else 0.0
            endless = not self._once and last > now + HORIZON + _DAY
            self.horizon = last if endless else None
            self._planned_until = now
        if now >= self._planned_until:
            self._planned = self._told(now)
            self._planned_until = min(
                [item.at for item in self._planned if item.at > now]
                + [span.end for span in self.spans if span.end > now],
                default=inf,
            )
        return self._planned

    def now(self, now: float) -> Span | None:
        """Return what is going on."""
        return next((item for item in self.spans if item.covers(now)), None)

    def end_of(self, now: float) -> float:
        """Return when what goes on now ends, whatever follows at once; else now."""
        end = now
        for span in sorted(self.spans, key=_begin):
            if span.covers(end):
                end = span.end
        return end

    def following(self, now: float) -> Span | None:
        """Return the next one that has not begun."""
        to_come = [item for item in self.spans if not item.skipped and item.begin > now]
        return min(to_come, key=_begin, default=None)

    def why_over(self, planned: Window | None) -> Amendment:
        """Return what was changed so that a window is over."""
        for span in self.spans:
            if span.planned == planned:
                return span.first if span.first.cancelled else span.last
        return _NOTHING

    def _told(self, now: float) -> tuple[PlannedAction, ...]:
        found = []
        for index, span in enumerate(self.spans):
            if span.planned[1] <= now and span.end <= now:
                continue
            others = [
                item for item in self.spans if item is not span and not item.skipped
            ]
            if span.first.cancelled or (
                span.begin > now
                and not any(item.begin < span.begin <= item.end for item in others)
            ):
                found.append(self._action(True, index))
            if span.skipped or span.planned[1] == self.horizon:
                continue
            if span.last.cancelled or not any(
                item.begin <= span.end < item.end for item in others
            ):
                found.append(self._action(False, index))
        found = [item for item in found if item.at <= now + HORIZON]
        return tuple(sorted(found, key=lambda item: item.at))

    def _action(self, begin: bool, index: int) -> PlannedAction:
        span = self.spans[index]
        earlier = [item.end for item in self.spans[:index] if not item.skipped]
        later = [item.begin for item in self.spans[index + 1 :] if not item.skipped]
        before, after = (earlier[-1] if earlier else None), next(iter(later), None)
        said = self._say(begin, span)
        kind, original = self._kinds[not begin], span.planned[not begin]
        cancelled = (span.first if begin else span.last).cancelled
        at = span.begin if begin else span.end
        return PlannedAction(
            id=occurrence(kind, original),
            kind=kind,
            at=original if cancelled else at,
            original=original,
            reason=said.reason,
            until=span.end if begin else after,
            equipment=(said.equipment,),
            before=said.before,
            after=said.after,
            earliest=before if begin else span.begin,
            latest=span.end if begin else after,
            choices=said.choices,
            cancelled=cancelled,
        )


def _begin(span: Span) -> float:
    return span.begin
