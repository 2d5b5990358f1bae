"""A utility's events are kept by the clock, whatever the utility does afterwards."""

from dataclasses import replace
import json

from chiller_control.control.demand_response.event_book import (
    KEPT,
    MOST_EVENTS,
    MOST_TEXT,
    WANTED_AGAIN,
    EventBook,
)
from chiller_control.control.demand_response.grid_event import (
    MORE_LOAD,
    EventRefused,
    GridEvent,
    Interval,
    Signal,
)
from chiller_control.control.demand_response.requested_load import (
    Terms,
    level_of_price,
    not_possible,
    requested_load,
)
from hypothesis import given, strategies as st
import pytest

NOW = 1_800_000_000.0
HOUR = 3600.0
SITE = "kspo"


def signal(kind: str = "simple", *values: float, step: float = 2 * HOUR) -> Signal:
    return Signal(kind, tuple(Interval(step, value) for value in values or (2.0,)))  # type: ignore[arg-type]


def event(identity: str = "a", **changes: object) -> GridEvent:
    given = {
        "id": identity,
        "source": "utility",
        "modification": 0,
        "rank": 1,
        "start": NOW + HOUR,
        "duration": 2 * HOUR,
        "signals": (signal(),),
        "created": NOW,
    }
    return GridEvent(**(given | changes))  # type: ignore[arg-type]


def test_an_event_begins_and_ends_by_the_clock_alone() -> None:
    book = EventBook(SITE)
    told = book.receive(event(start=NOW + 3 * HOUR, recovery=HOUR), NOW)
    assert told is not None
    assert told.what == "received"
    key = told.event.key
    stands = [book.status(key, NOW + hour * HOUR) for hour in (0, 2.5, 3, 4.9, 5, 6)]
    assert stands == ["far", "near", "active", "active", "recovery", "completed"]
    assert book.current(NOW) is None
    current = book.current(NOW + 4 * HOUR)
    assert current is not None
    assert current.event.key == key
    following = book.next(NOW)
    assert following is not None
    assert following.event.key == key


def test_the_same_event_told_twice_is_one() -> None:
    book = EventBook(SITE)
    assert book.receive(event(), NOW)
    assert book.receive(event(), NOW) is None
    told = book.receive(event(modification=1, duration=HOUR), NOW)
    assert told is not None
    assert told.what == "modified"
    assert book.receive(event(modification=0), NOW) is None
    assert book.status("utility:a", NOW + 2.5 * HOUR) == "completed"


def test_a_modification_keeps_what_the_operator_answered() -> None:
    book = EventBook(SITE)
    book.receive(event(), NOW)
    assert book.opt("utility:a", "out", "mustRun").what == "opted_out"
    book.receive(event(modification=1), NOW)
    assert book.current(NOW + 2 * HOUR) is None
    assert book.next(NOW) is None
    book.opt("utility:a", "in", "participating")
    assert book.current(NOW + 2 * HOUR) is not None


def test_a_cancelled_or_shortened_event_ends_at_once() -> None:
    book = EventBook(SITE)
    book.receive(event(), NOW)
    during = NOW + 1.5 * HOUR
    assert book.cancel("utility:a", during, "cancelled by the utility")
    assert book.cancel("utility:a", during, "again") is None
    assert book.current(during) is None

    book.receive(event("b"), NOW)
    told = book.receive(event("b", modification=1, duration=600.0), during)
    assert told is not None
    assert told.what == "cancelled"
    assert book.current(during) is None


def test_an_ended_event_that_is_wanted_again_unchanged_is_kept_again() -> None:
    book = EventBook(SITE)
    book.receive(event(), NOW)
    ends = (
        lambda: book.withdraw("utility", (), NOW + 60.0, "withdrawn"),
        lambda: [book.cancel("utility:a", NOW + 180.0, "its connection was removed")],
    )
    for end in ends:
        assert [item.what for item in end() if item] == ["cancelled"]
        assert book.current(NOW + 1.5 * HOUR) is None
        again = book.receive(event(), NOW + 120.0)
        assert again is not None
        assert (again.what, again.why) == ("modified", WANTED_AGAIN)
        assert book.entries["utility:a"].received == NOW
        assert book.current(NOW + 1.5 * HOUR) is not None
    assert book.receive(event(), NOW + 240.0) is None


def test_who_opted_out_stays_out_when_the_event_is_wanted_again() -> None:
    book = EventBook(SITE)
    book.receive(event(), NOW)
    book.opt("utility:a", "out", "mustRun")
    book.cancel("utility:a", NOW, "withdrawn")
    assert book.receive(event(), NOW)
    assert book.entries["utility:a"].why == "mustRun"
    assert book.current(NOW + 1.5 * HOUR) is None


def test_an_event_that_is_over_by_now_does_not_come_back() -> None:
    book = EventBook(SITE)
    book.receive(event(), NOW)
    book.cancel("utility:a", NOW, "withdrawn")
    assert book.receive(event(), NOW + 4 * HOUR) is None
    assert book.status("utility:a", NOW + 4 * HOUR) == "cancelled"


def test_what_was_cancelled_with_a_higher_number_is_not_begun_by_a_lower_one() -> None:
    book = EventBook(SITE)
    book.receive(event(modification=3), NOW)
    book.cancel("utility:a", NOW, "cancelled", 4)
    assert book.receive(event(modification=3), NOW) is None
    with pytest.raises(EventRefused, match="number 3 after 4, with which it was canc"):
        book.check_repeated(event(modification=3))
    assert book.receive(event(modification=5), NOW)
    assert book.current(NOW + 1.5 * HOUR) is not None
    with pytest.raises(EventRefused, match="what was modified last counts"):
        book.check_repeated(event(modification=4))


def test_what_a_server_lists_counts_though_it_is_older_than_what_was_known() -> None:
    """A server of OpenADR 3 that was restored from a backup."""
    book = EventBook(SITE)
    newer, older = event(modification=7, duration=HOUR), event(modification=5)
    book.receive(newer, NOW, listed=True)
    assert book.receive(older, NOW) is None
    told = book.receive(older, NOW, listed=True)
    assert told is not None
    assert told.what == "modified"
    assert book.entries["utility:a"].event == older
    assert book.receive(older, NOW, listed=True) is None


def test_of_two_events_the_first_in_rank_counts() -> None:
    book = EventBook(SITE)
    book.receive(event("late", start=NOW + 1.5 * HOUR), NOW)
    book.receive(event("early"), NOW)
    book.receive(event("urgent", rank=0, start=NOW + 2 * HOUR, duration=HOUR), NOW)

    def counts(hour: float) -> str:
        entry = book.current(NOW + hour * HOUR)
        assert entry is not None
        return entry.event.id

    assert [counts(hour) for hour in (1.6, 2.1, 3.2)] == ["early", "urgent", "late"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"duration": 0.0}, "no duration"),
        ({"duration": -1.0}, "which is no time"),
        ({"start": float("nan")}, "which is no time"),
        ({"start": NOW - 5 * HOUR}, "over already"),
        ({"duration": 30 * 86400.0}, "at most 7"),
        ({"signals": ()}, "none of its signals"),
        ({"signals": (signal("simple", 7.0),)}, "none of 0, 1, 2, 3"),
        ({"signals": (signal("load_setpoint", -5.0),)}, "less than no load"),
        ({"signals": (signal("simple", 1.0, step=HOUR),)}, "nothing for the last 3600"),
        ({"signals": (signal("price", float("inf")),)}, "has no value"),
        ({"signals": (Signal("simple", ()),)}, "says nothing"),
        ({"signals": (signal("load_delta", 50.0),)}, "asks for more load"),
        ({"signals": (signal("load_delta", 0.0, 50.0, step=HOUR),)}, "more load"),
        ({"signals": (signal("load_multiplier", 1.2),)}, "asks for more load"),
        ({"signals": (signal("percent_offset", 10.0),)}, "asks for more load"),
        ({"signals": (signal("level_offset", 1.0),)}, "asks for more load"),
        ({"id": ""}, "its id is empty"),
        ({"id": 300 * "x"}, "longer than 255 characters"),
        ({"id": "a\x00b"}, "cannot be shown"),
        ({"id": "a\ud800"}, "cannot be shown"),
        ({"start": 9e9}, "after the year 2100"),
        ({"recovery": 8 * 86400.0}, "its recovery lasts 8 days"),
        ({"randomise": 8 * 86400.0}, "its randomisation lasts 8 days"),
    ],
)
def test_what_nobody_could_take_part_in_is_refused(
    changes: dict[str, object], said: str
) -> None:
    book = EventBook(SITE)
    with pytest.raises(EventRefused, match=said):
        book.receive(event(**changes), NOW)
    assert not book.entries


def test_a_refused_modification_leaves_what_was_known() -> None:
    book = EventBook(SITE)
    book.receive(event(), NOW)
    with pytest.raises(EventRefused):
        book.receive(event(modification=1, signals=()), NOW)
    assert book.current(NOW + 2 * HOUR) is not None


def test_an_event_that_asks_for_more_load_than_before_asks_for_less_no_longer() -> None:
    book = EventBook(SITE)
    less, more = signal("load_delta", -50.0), signal("load_delta", 50.0)
    book.receive(event(signals=(less,)), NOW)
    told = book.receive(event(modification=1, signals=(more,)), NOW)
    assert told is not None
    assert (told.what, told.why) == ("cancelled", MORE_LOAD)
    assert book.entries["utility:a"].opt == "out"
    assert book.current(NOW + 1.5 * HOUR) is None
    # Each poll brings it again.
    assert book.receive(event(modification=1, signals=(more,)), NOW + 60.0) is None
    assert book.receive(event(modification=2, signals=(less,)), NOW + 120.0)
    entry = book.current(NOW + 1.5 * HOUR)
    assert entry is not None
    assert entry.opt == "in"


def test_who_opted_out_stays_out_whatever_is_asked_for_in_between() -> None:
    book = EventBook(SITE)
    less, more = signal("load_delta", -50.0), signal("load_delta", 50.0)
    book.receive(event(signals=(less,)), NOW)
    book.opt("utility:a", "out", "mustRun")
    book.receive(event(modification=1, signals=(more,)), NOW)
    assert book.receive(event(modification=2, signals=(less,)), NOW)
    assert book.current(NOW + 1.5 * HOUR) is None
    assert book.entries["utility:a"].why == "mustRun"


def test_a_cancellation_of_before_ends_nothing() -> None:
    book = EventBook(SITE)
    book.receive(event(modification=3), NOW)
    with pytest.raises(
        EventRefused, match="cancelled with modification number 2 after"
    ):
        book.cancel("utility:a", NOW, "cancelled", 2)
    assert book.current(NOW + 1.5 * HOUR) is not None
    # Some servers do not count on when they cancel.
    assert book.cancel("utility:a", NOW, "cancelled", 3)


def test_steps_that_ask_for_more_load_ask_for_nothing_and_say_so() -> None:
    told = event(signals=(signal("load_delta", -50.0, 50.0, step=HOUR),))
    book = EventBook(SITE)
    assert book.receive(told, NOW)
    less, more = NOW + 1.5 * HOUR, NOW + 2.5 * HOUR
    assert requested_load(told, SITE, less, 500.0, Terms()) is not None
    assert not_possible(told, SITE, less) is None
    assert requested_load(told, SITE, more, 500.0, Terms()) is None
    assert not_possible(told, SITE, more) == "+50 kW: more load is not possible here"


def test_the_book_is_bounded_and_forgets_what_is_long_over() -> None:
    book = EventBook(SITE)
    for number in range(MOST_EVENTS):
        book.receive(event(str(number)), NOW)
    with pytest.raises(EventRefused, match="known already"):
        book.receive(event("more"), NOW)
    # The oldest of what is over makes room before its time.
    over = NOW + 3 * HOUR
    assert book.receive(event("more", start=over + HOUR), over)
    assert len(book.entries) == MOST_EVENTS
    assert "utility:0" not in book.entries
    later = over + HOUR + KEPT
    assert len(book.forget(later)) == MOST_EVENTS - 1
    assert list(book.entries) == ["utility:more"]


def test_the_book_is_never_longer_than_home_assistant_keeps() -> None:
    book = EventBook(SITE)
    steps = signal("load_delta", *(-1234.5 - n for n in range(1000)), step=7.2)

    def fill(name: str, *signals: Signal) -> int:
        for number in range(MOST_EVENTS):
            book.receive(event(f"{name} {number}", signals=signals), NOW)
        return len(book.entries)

    for name, filled in (("long", steps), ("short", signal())):
        with pytest.raises(EventRefused, match="no more can be kept"):
            fill(name, filled)
        assert len(json.dumps(book.as_dict())) <= MOST_TEXT


def test_all_of_it_survives_a_restart_and_damage_is_told() -> None:
    book = EventBook(SITE)
    book.receive(event(randomise=600.0, comment="hot"), NOW)
    book.receive(event("b"), NOW)
    book.opt("utility:b", "out", "economic")
    book.cancel("utility:a", NOW + 1, "gone")
    stored = json.loads(json.dumps(book.as_dict()))
    again = EventBook(SITE)
    assert again.restore(stored) == []
    assert again.entries == book.entries

    damaged = [
        *stored,
        {"event": {}},
        {**stored[0], "event": {**stored[0]["event"], "start": "x"}},
    ]
    third = EventBook(SITE)
    assert len(third.restore(damaged)) == 2
    assert third.entries == book.entries
    assert EventBook(SITE).restore("nonsense") == []


@given(st.floats(0, 7200), st.text(max_size=8), st.text(max_size=8))
def test_a_randomised_start_is_within_its_time_and_always_the_same(
    randomise: float, identity: str, site: str
) -> None:
    told = event(identity, randomise=randomise)
    begin = told.begins(site)
    assert told.start <= begin <= told.start + randomise
    assert begin == replace(told, modification=5).begins(site)
    assert told.ends(site) == begin + told.duration


def test_sites_begin_at_times_of_their_own() -> None:
    begins = {event(randomise=3600.0).begins(f"site {n}") for n in range(50)}
    assert len(begins) == 50


@pytest.mark.parametrize(
    ("kind", "value", "target"),
    [
        ("simple", 1.0, 450.0),
        ("simple", 2.0, 400.0),
        ("simple", 3.0, 300.0),
        ("load_setpoint", 320.0, 320.0),
        ("load_delta", -120.0, 380.0),
        ("load_delta", -900.0, 0.0),
        ("load_multiplier", 0.7, 350.0),
        ("capacity", 0.5, 400.0),
        ("percent_offset", -15.0, 425.0),
        ("level_offset", -1.0, 450.0),
        ("price", 0.4, 400.0),
    ],
)
def test_every_signal_is_a_load_in_the_end(
    kind: str, value: float, target: float
) -> None:
    terms = Terms(prices=((0.2, 1), (0.35, 2)), capacity_kw=800.0)
    told = event(signals=(signal(kind, value),))
    asked = requested_load(told, SITE, NOW + 1.5 * HOUR, 500.0, terms)
    assert asked is not None
    assert asked.target_kw == pytest.approx(target)
    assert asked.reduction_kw == pytest.approx(500.0 - target)


def test_the_most_exact_signal_is_obeyed() -> None:
    told = event(signals=(signal("simple", 3.0), signal("load_setpoint", 480.0)))
    asked = requested_load(told, SITE, NOW + 1.5 * HOUR, 500.0, Terms())
    assert asked is not None
    assert asked.target_kw == 480.0


def test_nothing_is_asked_before_after_or_at_level_zero() -> None:
    told = event(signals=(signal("simple", 0.0, 2.0, step=HOUR),))
    hours = [
        requested_load(told, SITE, NOW + hour * HOUR, 500.0, Terms()) is not None
        for hour in (0.9, 1.5, 2.5, 3.0)
    ]
    assert hours == [False, False, True, False]
    assert level_of_price(0.1, Terms(prices=((0.2, 1),))) == 0


def test_a_ramp_goes_to_the_target_step_by_step() -> None:
    told = event(ramp=600.0, signals=(signal("load_setpoint", 300.0),))
    targets = []
    for minute in (0, 5, 10, 60):
        asked = requested_load(told, SITE, told.start + 60 * minute, 500.0, Terms())
        assert asked is not None
        targets.append(asked.target_kw)
    assert targets == pytest.approx([500.0, 400.0, 300.0, 300.0])
