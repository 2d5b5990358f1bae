"""Whatever comes in whatever order, the same is asked for at the same time.

A model is held against the book: of each event the newest that was told counts, and of
several at one time the first in rank, then in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
import json
from typing import TypeAlias

from chiller_control.control.demand_response.event_book import EventBook, Told
from chiller_control.control.demand_response.grid_event import (
    EventRefused,
    GridEvent,
    Interval,
    Signal,
    asks_for_more,
)
from chiller_control.control.demand_response.requested_load import Terms, requested_load
from hypothesis import given, settings, strategies as st

NOW = 1_800_000_000.0
HOUR = 3600.0
SITE = "kspo"
BASELINE = 500.0
TIMES = [NOW + 1000.0 * number for number in range(45)]
SOURCE = "utility"


@dataclass(frozen=True)
class Cancelled:
    """An event that its utility cancelled, with the number that it did it with."""

    id: str
    modification: int

    @property
    def key(self) -> str:
        return f"{SOURCE}:{self.id}"


Message: TypeAlias = GridEvent | Cancelled


@st.composite
def versions(draw: st.DrawFn, identity: str, number: int) -> Message:
    """Return what the modification of an event with this number may be."""
    if number and draw(st.integers(0, 4)) == 0:
        return Cancelled(identity, number)
    more = number > 0 and draw(st.integers(0, 5)) == 0
    steps = draw(
        st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), min_size=1, max_size=4)
    )
    duration = draw(st.sampled_from([0.5, 1.0, 3.0])) * HOUR
    return GridEvent(
        id=identity,
        source=SOURCE,
        modification=number,
        rank=draw(st.integers(0, 3)),
        start=NOW + draw(st.integers(1, 8)) * HOUR,
        duration=duration,
        signals=(
            Signal("load_delta", (Interval(duration, 50.0),))
            if more
            else Signal(
                "simple", tuple(Interval(duration / len(steps), one) for one in steps)
            ),
        ),
        created=NOW,
        randomise=draw(st.sampled_from([0.0, 600.0])),
        ramp=draw(st.sampled_from([0.0, 900.0])),
        test=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def stories(draw: st.DrawFn) -> list[list[Message]]:
    """Return for each event what it is told as, from the first to the newest."""
    return [
        [draw(versions(name, number)) for number in range(draw(st.integers(1, 4)))]
        for name in ("a", "b", "c")
    ]


def restarted(book: EventBook) -> EventBook:
    again = EventBook(SITE)
    assert again.restore(json.loads(json.dumps(book.as_dict()))) == []
    assert again.entries == book.entries
    return again


def heard(book: EventBook, message: Message) -> None:
    """Take a message as the 2.0b side does."""
    try:
        if isinstance(message, Cancelled):
            book.cancel(message.key, NOW, "cancelled", message.modification)
        else:
            book.check_repeated(message)
            book.receive(message, NOW)
    except EventRefused:
        # Something of before; it is said, and does not count.
        pass


def listed(book: EventBook, event: GridEvent) -> Told | None:
    """Take an event of a list as the side of OpenADR 3 does."""
    try:
        return book.receive(event, NOW, listed=True)
    except EventRefused:
        return None


def asked(events: Sequence[GridEvent], out: frozenset[str]) -> list[float | None]:
    """Return the load that is asked for at each time, by the model."""
    wanted = []
    for at in TIMES:
        active = [
            event
            for event in events
            if not event.test
            and not asks_for_more(event)
            and event.id not in out
            and event.begins(SITE) <= at < event.ends(SITE)
        ]
        first = min(
            active, key=lambda item: (item.rank, item.start, item.key), default=None
        )
        wanted.append(None if first is None else _target(first, at))
    return wanted


def told_by(book: EventBook) -> list[float | None]:
    found = []
    for at in TIMES:
        entry = book.current(at)
        found.append(None if entry is None else _target(entry.event, at))
    return found


def _target(event: GridEvent, at: float) -> float | None:
    load = requested_load(event, SITE, at, BASELINE, Terms())
    return None if load is None else load.target_kw


OUTS = st.frozensets(st.sampled_from("abc"))


@given(stories(), OUTS, st.data())
@settings(max_examples=120, deadline=None)
def test_any_order_with_repetitions_and_restarts_comes_to_the_same(
    story: list[list[Message]], out: frozenset[str], data: st.DataObject
) -> None:
    """Later messages of an event come in any order after the first."""
    firsts = [versions[0] for versions in story]
    later = [message for versions in story for message in versions[1:]]
    arriving = [
        *data.draw(st.permutations(firsts)),
        *data.draw(st.permutations(later)),
        *data.draw(st.lists(st.sampled_from(firsts + later), max_size=6)),
    ]
    book = EventBook(SITE)
    for number, message in enumerate(arriving):
        heard(book, message)
        if number == len(firsts) - 1:
            for name in out:
                book.opt(f"{SOURCE}:{name}", "out", "mustRun")
        if data.draw(st.booleans()):
            book = restarted(book)
    newest = [versions[-1] for versions in story]
    counting = [event for event in newest if isinstance(event, GridEvent)]
    assert told_by(book) == asked(counting, out)


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3),
        min_size=1,
        max_size=8,
    ),
    stories(),
    OUTS,
    st.data(),
)
@settings(max_examples=120, deadline=None)
def test_what_a_server_lists_last_is_what_counts_whatever_it_listed_before(
    lists: list[dict[str, int]],
    story: list[list[Message]],
    out: frozenset[str],
    data: st.DataObject,
) -> None:
    """A server of OpenADR 3: deleted, listed again, changed, restored, flapping."""
    known = {
        versions[0].id: [item for item in versions if isinstance(item, GridEvent)]
        for versions in story
    }
    book = EventBook(SITE)
    decided: set[str] = set()
    shown: list[GridEvent] = []
    for listing in lists:
        shown = [
            known[name][min(number, len(known[name]) - 1)]
            for name, number in listing.items()
        ]
        for event in data.draw(st.permutations(shown)):
            listed(book, event)
        book.withdraw(SOURCE, {event.key for event in shown}, NOW, "withdrawn")
        for event in shown:
            if event.id in out - decided and event.key in book.entries:
                book.opt(event.key, "out", "mustRun")
                decided.add(event.id)
        # Asked again, the server says nothing new.
        for event in shown:
            assert listed(book, event) is None
        if data.draw(st.booleans()):
            book = restarted(book)
    assert told_by(book) == asked(shown, frozenset(decided))


@given(stories(), st.lists(st.sampled_from(TIMES), max_size=8))
@settings(max_examples=60, deadline=None)
def test_time_alone_changes_nothing_of_what_is_asked(
    story: list[list[Message]], looks: list[float]
) -> None:
    """To look, to forget and to restart between two times has no say in it."""
    events = [item for versions in story for item in versions[:1]]
    book, other = EventBook(SITE), EventBook(SITE)
    for event in events:
        assert isinstance(event, GridEvent)
        book.receive(event, NOW)
        other.receive(event, NOW)
    for at in sorted(looks):
        book.forget(at)
        book = restarted(book)
        for event in events:
            assert isinstance(event, GridEvent)
            # Servers say it again with each poll, also when it is over.
            assert book.receive(event, at) is None
        assert book.current(at) == other.current(at)
    assert told_by(book) == told_by(other)


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_of_overlapping_events_the_order_of_arrival_has_no_say(
    ranks: list[int], order: list[int]
) -> None:
    events = [
        GridEvent(
            id=str(number),
            source=SOURCE,
            modification=0,
            rank=rank,
            start=NOW + HOUR,
            duration=(number + 1) * HOUR,
            signals=(Signal("load_setpoint", (Interval(5 * HOUR, 100.0 * rank),)),),
            created=NOW,
        )
        for number, rank in enumerate(ranks)
    ]
    book = EventBook(SITE)
    for number in order:
        book.receive(replace(events[number]), NOW)
    assert told_by(book) == asked(events, frozenset())
