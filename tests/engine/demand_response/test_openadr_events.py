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
                "tolerance": {"tolerance": {"startafter": timedelta(minutes=10)}},
                "ramp_up_period": timedelta(minutes=5),
                "recovery_period": timedelta(minutes=7),
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


def test_a_share_of_the_load_is_percent_in_our_words() -> None:
    event = openadr3.grid_event(
        new_event(
            intervals=[
                {"payloads": [{"type": "CONTROL_PERCENT_OFFSET", "values": [-0.15]}]}
            ]
        ),
        "grid",
    )
    assert event.signals == (Signal("percent_offset", (Interval(3600.0, -15.0),)),)


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
            "cannot be read",
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
