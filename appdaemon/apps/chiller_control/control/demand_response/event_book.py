"""Which events are known, which of them counts now, and who opted out.

A utility is believed when it sends, changes or cancels an event, but never
relied on to say that one begins or ends: that follows from the event itself. All
of it survives a restart.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
import json
from typing import Any, Literal, TypeAlias

from .grid_event import (
    MORE_LOAD,
    EventRefused,
    GridEvent,
    Interval,
    Signal,
    asks_for_more,
    check,
)

Status: TypeAlias = Literal[
    "far", "near", "active", "recovery", "completed", "cancelled"
]
Opt: TypeAlias = Literal["in", "out"]

MOST_EVENTS = 200
MOST_TEXT = 450_000
"""Characters of all events as JSON; Home Assistant keeps half a million."""
KEPT = 7 * 86400.0
"""Seconds for which an event that is over is still known."""
BY_DEFAULT = "by default"
"""Why an event was answered as it was, where nobody did."""
WANTED_AGAIN = "it was ended, and the utility wants it again"
NEAR = 3600.0
"""Seconds before its start from which on an event is near."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, and what was made of it."""

    event: GridEvent
    received: float
    """When it was first heard of: nothing before it was touched by it."""
    opt: Opt
    why: str
    """The reason of the one who opted."""
    cancelled: float | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened to an event."""

    event: GridEvent
    what: Literal["received", "modified", "cancelled", "opted_in", "opted_out"]
    why: str


class EventBook:
    """The events of one site; `site` makes its randomised starts its own."""

    def __init__(self, site: str, opt: Opt = "in") -> None:
        """Begin without events; `opt` is the answer to those that come."""
        self.default_opt: Opt = opt
        """The answer to events that come from now on."""
        self._site = site
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> Mapping[str, Entry]:
        """All known events by key."""
        return self._entries

    def receive(
        self, event: GridEvent, now: float, *, listed: bool = False
    ) -> Told | None:
        """Take an event as it was told; None if nothing is new in it.

        `listed`: the utility said all that it wants now, so nothing that it says is
        of before. Raises `EventRefused` for one that cannot be taken part in; what was
        known of it before then goes on.
        """
        known = self._entries.get(event.key)
        if known is not None:
            newer = event.modification - known.event.modification
            same = event == known.event if listed else newer == 0
            if (newer < 0 and not listed) or (same and known.cancelled is None):
                return None
            if event.ends(self._site) <= now:
                self._count(known, event.modification)
                return self.cancel(event.key, now, "it was shortened and is over")
            if asks_for_more(event):
                # The less that it asked for before is not wanted any more either.
                if known.opt == "in":
                    known = replace(known, opt="out", why=MORE_LOAD)
                self._count(known, event.modification)
                return self.cancel(event.key, now, MORE_LOAD)
        check(event, now)
        if known is None:
            entry = Entry(event, now, self.default_opt, BY_DEFAULT)
        else:
            if known.why == MORE_LOAD:
                known = replace(known, opt=self.default_opt, why=BY_DEFAULT)
            # An operator who opted out meant this event, whatever becomes of it.
            entry = replace(known, event=event, cancelled=None)
        self._make_room(entry, now)
        self._entries[event.key] = entry
        if known is None:
            return Told(event, "received", event.comment)
        if known.cancelled is not None:
            return Told(event, "modified", WANTED_AGAIN)
        return Told(event, "modified", f"modification {event.modification}")

    def _count(self, known: Entry, modification: int) -> None:
        """Note that an event was heard of up to a modification."""
        event = replace(known.event, modification=modification)
        self._entries[event.key] = replace(known, event=event)

    def _make_room(self, entry: Entry, now: float) -> None:
        """Forget the oldest of what is over, as far as that is needed.

        Raises `EventRefused` where that is not enough.
        """
        sizes = {
            key: _size(other)
            for key, other in self._entries.items()
            if key != entry.event.key
        }
        left = MOST_TEXT - _size(entry) - sum(sizes.values())
        over = sorted(
            (
                key
                for key in sizes
                if self.status(key, now) in ("cancelled", "completed")
            ),
            key=lambda key: _over_since(self._entries[key], self._site),
        )
        while len(sizes) >= MOST_EVENTS or left < 0:
            if not over:
                raise EventRefused(
                    f"{len(sizes)} events are known already, and no more can be kept;"
                    " the utility has to cancel some of them"
                )
            left += sizes.pop(over[0])
            del self._entries[over.pop(0)]

    def check_repeated(self, event: GridEvent) -> None:
        """Raise `EventRefused` for what is not in the order of modifications.

        That is another event under the name of one that is known, one that is told as
        it was before, or one that was cancelled.
        """
        known = self._entries.get(event.key)
        if known is None or event.modification > known.event.modification:
            return
        if event.modification < known.event.modification:
            raise EventRefused(
                f"it is sent with modification number {event.modification} after"
                f" {known.event.modification}"
                + (
                    ", with which it was cancelled; one that is wanted again needs a"
                    " higher number"
                    if known.cancelled is not None
                    else "; what was modified last counts"
                )
            )
        if known.cancelled is None and replace(
            event, created=known.event.created, comment=known.event.comment
        ) != (known.event):
            raise EventRefused(
                "it was sent again with other contents and the same modification"
                f" number {event.modification}; what came first counts"
            )

    def cancel(
        self, key: str, now: float, why: str, modification: int | None = None
    ) -> Told | None:
        """Let an event end now; None if there is none to end.

        `modification`: the number with which the utility cancelled it, if it counts.
        Raises `EventRefused` for a number of before.
        """
        entry = self._entries.get(key)
        if entry is None:
            return None
        over = self.status(key, now) in ("cancelled", "completed")
        if modification is not None and modification > entry.event.modification:
            self._count(entry, modification)
            entry = self._entries[key]
        elif modification is not None and modification < entry.event.modification:
            if not over:
                raise EventRefused(
                    f"it is cancelled with modification number {modification} after"
                    f" {entry.event.modification}; what was modified last counts"
                )
        if over:
            return None
        self._entries[key] = replace(entry, cancelled=now)
        return Told(entry.event, "cancelled", why)

    def withdraw(
        self, source: str, listed: Collection[str], now: float, why: str
    ) -> list[Told]:
        """End all events of a source that it does not list any more."""
        told = [self.cancel(key, now, why) for key in self.missing(source, listed, now)]
        return [item for item in told if item is not None]

    def missing(self, source: str, listed: Collection[str], now: float) -> list[str]:
        """Return the events of a source that are not over and that it does not list."""
        return [
            key
            for key, entry in self._entries.items()
            if entry.event.source == source
            and key not in listed
            and self.status(key, now) not in ("cancelled", "completed")
        ]

    def opt(self, key: str, opt: Opt, why: str) -> Told:
        """Answer for an event, before or during it. Raises KeyError."""
        entry = self._entries[key]
        self._entries[key] = replace(entry, opt=opt, why=why)
        return Told(entry.event, "opted_in" if opt == "in" else "opted_out", why)

    def status(self, key: str, now: float) -> Status:
        """Return where an event stands. Raises KeyError."""
        entry = self._entries[key]
        event = entry.event
        if entry.cancelled is not None:
            return "cancelled"
        begin, end = event.begins(self._site), event.ends(self._site)
        if now >= end + event.recovery:
            return "completed"
        if now >= end:
            return "recovery"
        if now >= begin:
            return "active"
        return "near" if now >= begin - NEAR else "far"

    def active(self, now: float) -> list[Entry]:
        """Return the events to be kept now: the first in rank, then the earliest."""
        return sorted(
            self._kept(now, "active"),
            key=lambda entry: (entry.event.rank, entry.event.start, entry.event.key),
        )

    def current(self, now: float) -> Entry | None:
        """Return the event that counts: the first of the active ones."""
        return next(iter(self.active(now)), None)

    def next(self, now: float) -> Entry | None:
        """Return the event that comes next and is taken part in."""
        coming = self._kept(now, "far", "near")
        return min(
            coming,
            key=lambda entry: (entry.event.begins(self._site), entry.event.rank),
            default=None,
        )

    def _kept(self, now: float, *statuses: Status) -> list[Entry]:
        """Return those that are acted on; a test is answered and no more."""
        return [
            entry
            for key, entry in self._entries.items()
            if entry.opt == "in"
            and not entry.event.test
            and self.status(key, now) in statuses
        ]

    def copy(self) -> "EventBook":
        """Return the same events in a book of their own, to look at elsewhere."""
        other = EventBook(self._site, self.default_opt)
        other._entries = dict(self._entries)
        return other

    def forget(self, now: float) -> list[str]:
        """Forget what has long been over; return the keys."""
        gone = [
            key
            for key, entry in self._entries.items()
            if max(
                entry.event.ends(self._site) + entry.event.recovery,
                entry.cancelled or 0.0,
            )
            + KEPT
            <= now
            or (entry.cancelled is not None and entry.cancelled + KEPT <= now)
        ]
        for key in gone:
            del self._entries[key]
        return gone

    def as_dict(self) -> list[dict[str, Any]]:
        """Return all of it, in JSON types."""
        return [asdict(entry) for entry in self._entries.values()]

    def restore(self, stored: object) -> list[str]:
        """Take back what `as_dict` gave; return what could not be understood."""
        lost: list[str] = []
        for item in stored if isinstance(stored, list) else []:
            try:
                entry = _entry(item)
            except (KeyError, TypeError, ValueError) as error:
                lost.append(f"{error!r}")
                continue
            self._entries.setdefault(entry.event.key, entry)
        return lost


def _size(entry: Entry) -> int:
    """Return the most characters of an entry as JSON."""
    return _size_of_event(entry.event) + 6 * len(entry.why) + 200


@lru_cache(maxsize=2 * MOST_EVENTS)
def _size_of_event(event: GridEvent) -> int:
    return len(json.dumps(asdict(event)))


def _over_since(entry: Entry, site: str) -> float:
    ended = entry.event.ends(site) + entry.event.recovery
    return ended if entry.cancelled is None else min(ended, entry.cancelled)


def given_event(data: Mapping[str, Any]) -> GridEvent:
    """Return an event of which `asdict` gave this. Raises KeyError, TypeError."""
    event = dict(data)
    event["signals"] = tuple(
        Signal(
            signal["kind"],
            tuple(Interval(**interval) for interval in signal["intervals"]),
        )
        for signal in event["signals"]
    )
    return GridEvent(**event)


def _entry(data: Mapping[str, Any]) -> Entry:
    if data["opt"] not in ("in", "out"):
        raise ValueError(f"opted {data['opt']!r}")
    cancelled = data.get("cancelled")
    told = given_event(data["event"])
    check(told, float("-inf"))
    return Entry(
        told,
        float(data["received"]),
        data["opt"],
        str(data["why"]),
        None if cancelled is None else float(cancelled),
    )
