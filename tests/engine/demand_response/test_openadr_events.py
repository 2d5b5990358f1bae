"""What utilities send, in either protocol, becomes the same event or a clear refusal."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chiller_control.control.demand_response import openadr2, openadr3
from chiller_control.control.demand_response.event_book import EventBook
from chiller_control.control.demand_response.grid_event import (
    EventRefused,
    Interval,
    Signal,
)
from chiller_control.control.demand_response.requested_load import Terms, requested_load
from hypothesis import given, strategies as st
import pytest
from utility_events import NOW, START, new_event


def old_event(**changes: Any) -> dict[str, Any]:
    """Return an event as the 2.0b library gives it."""
    descriptor = {
        "event_id": "e1",
        "modification_number": 0,
        "event_status": "far",
        "market_context": "http://market",
        "priority": 1,
        "test_event": False,
        "vtn_comment": "hot",
        "created_date_time": START - timedelta(hours=2),
    }
    period = {"dtstart": START, "duration": timedelta(hours=2)}
    signals = [
        {
            "signal_name": "SIMPLE",
            "signal_type": "level",
            "intervals": [
                {
                    "dtstart": START,
                    "duration": timedelta(hours=2),
                    "signal_payload": 2.0,
                }
            ],
        },
        {
            "signal_name": "LOAD_DISPATCH",
            "signal_type": "setpoint",
            "intervals": [
                {"duration": timedelta(hours=1), "signal_payload": 320.5},
                {"duration": timedelta(hours=1), "signal_payload": 300.0},
            ],
        },
    ]
    return {
        "event_descriptor": descriptor | changes.get("descriptor", {}),
        "active_period": period | changes.get("period", {}),
        "event_signals": changes.get("signals", signals),
    }


def test_an_event_of_2_0b_is_read_with_all_its_signals() -> None:
    event = openadr2.grid_event(
        old_event(
            period={
                "tolerance": {"tolerate": {"startafter": timedelta(minutes=10)}},
                "ramp_up": timedelta(minutes=5),
                "recovery": timedelta(minutes=7),
            }
        ),
        "utility",
    )
    assert event.key == "utility:e1"
    assert (event.start, event.duration) == (START.timestamp(), 7200.0)
    assert (event.randomise, event.ramp, event.recovery) == (600.0, 300.0, 420.0)
    assert event.signal() == Signal(
        "load_setpoint", (Interval(3600.0, 320.5), Interval(3600.0, 300.0))
    )
    assert (event.rank, event.test, event.comment) == (1, False, "hot")


def test_no_priority_comes_after_every_priority() -> None:
    none = openadr2.grid_event(old_event(descriptor={"priority": 0}), "u")
    assert none.rank > openadr2.grid_event(old_event(), "u").rank
    none = openadr3.grid_event(new_event(priority=None), "u")
    assert none.rank > openadr3.grid_event(new_event(priority=99), "u").rank


def test_a_cancelled_event_of_2_0b_is_known_as_such() -> None:
    assert not openadr2.is_cancelled(old_event())
    assert openadr2.is_cancelled(old_event(descriptor={"event_status": "cancelled"}))


def test_an_event_of_3_is_read_interval_by_interval() -> None:
    event = openadr3.grid_event(new_event(), "grid")
    assert (event.start, event.duration, event.rank) == (START.timestamp(), 7200.0, 0)
    assert event.signals == (
        Signal("simple", (Interval(3600.0, 2.0), Interval(3600.0, 1.0))),
    )
    assert EventBook("site").receive(event, NOW)


def test_a_later_modification_of_3_is_taken_for_one() -> None:
    book = EventBook("site")
    book.receive(openadr3.grid_event(new_event(), "grid"), NOW)
    later = new_event(modificationDateTime="2026-06-24T12:00:00.5Z")
    told = book.receive(openadr3.grid_event(later, "grid"), NOW)
    assert told is not None
    assert told.what == "modified"
    assert book.receive(openadr3.grid_event(new_event(), "grid"), NOW) is None


def test_what_intervals_leave_open_nothing_is_asked_for() -> None:
    event = openadr3.grid_event(
        new_event(
            intervals=[
                {
                    "intervalPeriod": {
                        "start": "2026-06-24T14:00:00Z",
                        "duration": "PT30M",
                    },
                    "payloads": [{"type": "DISPATCH_SETPOINT", "values": [0.3]}],
                },
                {
                    "intervalPeriod": {
                        "start": "2026-06-24T16:00:00+01:00",
                        "duration": "PT1H",
                    },
                    "payloads": [
                        {"type": "DISPATCH_SETPOINT", "values": [0.4]},
                        {"type": "GHG", "values": [500]},
                    ],
                },
            ],
            payloadDescriptors=[
                {"payloadType": "DISPATCH_SETPOINT", "units": "MW", "objectType": "X"}
            ],
        ),
        "grid",
    )
    assert event.signals == (
        Signal(
            "load_setpoint",
            (Interval(1800.0, 300.0), Interval(1800.0, None), Interval(3600.0, 400.0)),
        ),
    )
    assert event.duration == 7200.0


def test_an_event_that_begins_at_once_begins_when_it_was_made() -> None:
    event = openadr3.grid_event(
        new_event(
            intervalPeriod={"start": "0000-01-01T00:00:00Z", "duration": "PT15M"},
        ),
        "grid",
    )
    assert event.start == datetime(2026, 6, 24, 12, tzinfo=UTC).timestamp()


def test_what_comes_at_once_after_another_interval_follows_it() -> None:
    at_once = {"start": "0001-01-01T00:00:00Z"}
    event = openadr3.grid_event(
        new_event(
            intervals=[
                {"intervalPeriod": at_once, "payloads": _says(SIMPLE=[level])}
                for level in (1, 2, 3)
            ],
        ),
        "grid",
    )
    assert event.start == START.timestamp()
    assert event.signals == (
        Signal("simple", tuple(Interval(3600.0, level) for level in (1.0, 2.0, 3.0))),
    )


def _says(**values: list[float]) -> list[dict[str, Any]]:
    return [{"type": name, "values": several} for name, several in values.items()]


def test_a_higher_offset_of_the_level_asks_for_less_in_3() -> None:
    event = openadr3.grid_event(
        new_event(intervals=[{"payloads": _says(CONTROL_LEVEL_OFFSET=[2])}]), "grid"
    )
    assert event.signals == (Signal("level_offset", (Interval(3600.0, -2.0),)),)
    asked = requested_load(event, "site", START.timestamp(), 100.0, Terms())
    assert asked is not None
    assert asked.target_kw == 80.0


def test_an_offset_that_the_standard_gives_two_meanings_is_not_acted_on() -> None:
    offset = {"CONTROL_LEVEL_OFFSET_PERCENT": [-0.5]}
    event = openadr3.grid_event(
        new_event(intervals=[{"payloads": _says(**offset)}]), "grid"
    )
    with pytest.raises(EventRefused, match="none of its signals is known"):
        EventBook("site").receive(event, NOW)
    event = openadr3.grid_event(
        new_event(intervals=[{"payloads": _says(**offset, SIMPLE=[1])}]), "grid"
    )
    assert event.signals == (Signal("simple", (Interval(3600.0, 1.0),)),)


def test_several_values_of_one_type_share_the_time_of_their_interval() -> None:
    event = openadr3.grid_event(
        new_event(
            intervals=[
                {"payloads": _says(PRICE=[0.17, 0.03, 0.11], SIMPLE=[2])},
                {"payloads": _says(PRICE=[0.2], SIMPLE=[0, 1])},
            ]
        ),
        "grid",
    )
    assert {signal.kind: signal.intervals for signal in event.signals} == {
        "price": (
            Interval(1200.0, 0.17),
            Interval(1200.0, 0.03),
            Interval(1200.0, 0.11),
            Interval(3600.0, 0.2),
        ),
        "simple": (
            Interval(3600.0, 2.0),
            Interval(1800.0, 0.0),
            Interval(1800.0, 1.0),
        ),
    }
    assert EventBook("site").receive(event, NOW)


def test_of_several_types_the_most_exact_one_counts() -> None:
    event = openadr3.grid_event(
        new_event(
            intervals=[
                {"payloads": _says(PRICE=[0.9], SIMPLE=[3], DISPATCH_SETPOINT=[70])}
            ]
        ),
        "grid",
    )
    asked = requested_load(event, "site", START.timestamp(), 100.0, Terms())
    assert asked is not None
    assert asked.target_kw == 70.0


def test_a_type_that_only_some_intervals_say_does_not_silence_the_others() -> None:
    event = openadr3.grid_event(
        new_event(
            intervals=[
                {"payloads": _says(SIMPLE=[2], DISPATCH_SETPOINT=[70])},
                {"payloads": _says(SIMPLE=[1])},
                {"payloads": _says(GHG=[500])},
            ]
        ),
        "grid",
    )
    assert event.signals == (
        Signal(
            "simple",
            (Interval(3600.0, 2.0), Interval(3600.0, 1.0), Interval(3600.0, None)),
        ),
    )


@pytest.mark.parametrize(
    ("duration", "values"),
    [
        ("PT1H", [(3600.0, 2.0)]),
        ("PT90M", [(3600.0, 2.0), (1800.0, 1.0)]),
        ("PT2H", [(3600.0, 2.0), (3600.0, 1.0)]),
        ("PT3H", [(3600.0, 2.0), (3600.0, 1.0), (3600.0, 2.0)]),
        ("PT5H30M", [*(2 * [(3600.0, 2.0), (3600.0, 1.0)]), (3600.0, 2.0), (1800.0, 1.0)]),
    ],
)  # fmt: skip
def test_the_duration_of_an_event_cuts_its_intervals_short_or_repeats_them(
    duration: str, values: list[tuple[float, float]]
) -> None:
    event = openadr3.grid_event(new_event(duration=duration), "grid")
    assert event.signals == (
        Signal("simple", tuple(Interval(*value) for value in values)),
    )
    assert event.duration == sum(lasts for lasts, _ in values)
    assert EventBook("site").receive(event, NOW)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"intervals": []}, "no intervals"),
        ({"intervals": None}, "no intervals"),
        ({"intervalPeriod": {"duration": "PT1H"}}, "nowhere when it begins"),
        (
            {"intervalPeriod": {"start": "2026-06-24T14:00:00", "duration": "PT1H"}},
            "no time zone",
        ),
        (
            {"intervalPeriod": {"start": "2026-06-24T14:00:00Z", "duration": "P1Y"}},
            "no duration of weeks",
        ),
        (
            {"intervals": [{"payloads": [{"type": "SIMPLE", "values": []}]}]},
            "no value of its SIMPLE",
        ),
        (
            {
                "intervals": [
                    {"payloads": [{"type": name, "values": [1]}]}
                    for name in ("SIMPLE", "PRICE")
                ]
            },
            r"different things \(SIMPLE, PRICE\)",
        ),
        ({"duration": "-PT1H"}, "its duration is"),
        ({"duration": "P8D"}, "its duration is 8 days"),
        (
            {
                "duration": "P7D",
                "intervalPeriod": {"start": "2026-06-24T14:00:00Z", "duration": "PT1M"},
            },
            "over 1000 steps",
        ),
        (
            {"intervalPeriod": {"start": "2026-06-24T14:00:00Z", "duration": "P9999Y"}},
            "no end",
        ),
        (
            {
                "payloadDescriptors": [
                    {"payloadType": "DISPATCH_SETPOINT", "units": "RT"}
                ]
            },
            "no unit of power",
        ),
        ({"createdDateTime": "yesterday"}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_in_3_is_refused_by_name(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(EventRefused, match=said):
        openadr3.grid_event(new_event(**changes), "grid")


def test_overlapping_intervals_are_refused() -> None:
    twice = {
        "intervalPeriod": {"start": "2026-06-24T14:00:00Z", "duration": "PT1H"},
        "payloads": [{"type": "SIMPLE", "values": [1]}],
    }
    with pytest.raises(EventRefused, match="overlap"):
        openadr3.grid_event(new_event(intervals=[twice, twice]), "grid")


@pytest.mark.parametrize(
    "changes",
    [
        {"period": {"dtstart": START.replace(tzinfo=None)}},
        {"period": {"dtstart": "soon"}},
        {"period": {"duration": None}, "signals": None},
        {"descriptor": {"modification_number": "x"}},
        {
            "signals": [
                {"signal_name": "SIMPLE", "signal_type": "level", "intervals": [{}]}
            ]
        },
    ],
)
def test_what_cannot_be_read_in_2_0b_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EventRefused, match="cannot be read"):
        openadr2.grid_event(old_event(**changes), "utility")


def test_signals_that_nobody_here_knows_leave_nothing_to_take_part_in() -> None:
    event = openadr2.grid_event(
        old_event(
            signals=[
                {
                    "signal_name": "CHARGE_STATE",
                    "signal_type": "setpoint",
                    "intervals": [],
                }
            ]
        ),
        "utility",
    )
    with pytest.raises(EventRefused, match="none of its signals"):
        EventBook("site").receive(event, NOW)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("PT1H", 3600),
        ("P1DT30M", 88200),
        ("PT0S", 0),
        ("P2W", 1209600),
        ("-PT5M", -300),
    ],
)
def test_durations_are_read(said: str, seconds: float) -> None:
    assert openadr3.seconds_of(said) == seconds


@pytest.mark.parametrize("said", ["", "P", "PT", "1H", "P1M", "PT1X", "P1DT"])
def test_what_is_no_duration_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        openadr3.seconds_of(said)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(sorted(new_event())), _json)
def test_garbage_in_any_field_is_refused_or_harmless(field: str, garbage: Any) -> None:
    try:
        event = openadr3.grid_event(new_event(**{field: garbage}), "grid")
        EventBook("site").receive(event, NOW)
    except EventRefused:
        return
