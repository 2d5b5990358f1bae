"""The highest priority wins, and nothing outlives its lease."""

from collections.abc import Iterable
import json
import math

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.arbiter import (
    MAXIMUM_SOURCES,
    PRIORITIES,
    Arbiter,
    CommandRefused,
    Request,
)

from .factories import make_chiller_plant

PLANT = make_chiller_plant()
PUMP = "pchp_1.run_command"
SETPOINT = "chiller_1.chilled_water_supply_temperature_setpoint"


def ask(
    value: object = True,
    priority: int = 5,
    source: str = "app",
    lease: float | None = None,
    point: str = PUMP,
) -> Request:
    return Request(point, value, priority, source, "", lease)  # type: ignore[arg-type]


def heard(arbiter: Arbiter, point: str = PUMP) -> str | None:
    slot = arbiter.winner(point)
    return None if slot is None else slot.request.source


def test_operator_wins_over_automation_and_gives_back() -> None:
    arbiter = Arbiter(PLANT)
    arbiter.request(0, ask(True, 5, "app"))
    arbiter.request(1, ask(False, 150, "operator"))
    arbiter.request(2, ask(True, 5, "app"))
    assert heard(arbiter) == "operator"
    assert arbiter.release("operator", None) == (PUMP,)
    assert heard(arbiter) == "app"


def test_newest_of_equals_wins_but_a_refresh_does_not_overtake() -> None:
    arbiter = Arbiter(PLANT)
    arbiter.request(0, ask(True, 5, "first"))
    arbiter.request(1, ask(False, 5, "second"))
    arbiter.request(2, ask(True, 5, "first"))
    assert heard(arbiter) == "second"
    arbiter.request(3, ask(False, 5, "first"))
    assert heard(arbiter) == "second", "two loops that move do not take turns"
    arbiter.release("first", None)
    arbiter.request(4, ask(True, 5, "first"))
    assert heard(arbiter) == "first", "it began anew"


def test_newest_wish_wins_among_those_who_ask_once() -> None:
    for priority in (50, 100):
        arbiter = Arbiter(PLANT)
        arbiter.request(0, ask(True, priority, "first"))
        arbiter.request(1, ask(False, priority, "second"))
        arbiter.request(2, ask(False, priority, "first"))
        assert heard(arbiter) == "first"


def test_person_who_repeats_himself_means_it() -> None:
    arbiter = Arbiter(PLANT)
    arbiter.request(0, ask(True, 150, "panel"))
    arbiter.request(1, ask(False, 150, "voice"))
    arbiter.request(2, ask(True, 150, "panel"))
    assert heard(arbiter) == "panel"


def test_automation_always_has_a_lease() -> None:
    arbiter = Arbiter(PLANT)
    for priority in (1, 9, 50):
        arbiter.request(0, ask(priority=priority, source=str(priority)))
    arbiter.expire(59.9)
    assert heard(arbiter) == "50"
    assert len(arbiter.expire(60)) == 3
    assert heard(arbiter) is None


def test_refresh_prolongs_a_lease() -> None:
    arbiter = Arbiter(PLANT)
    for now in (0, 50, 100):
        arbiter.request(now, ask())
    assert arbiter.expire(159) == ()
    assert len(arbiter.expire(160)) == 1


def test_clock_set_back_does_not_prolong_a_lease() -> None:
    arbiter = Arbiter(PLANT)
    arbiter.request(100_000, ask())
    assert arbiter.expire(10) == ()
    assert len(arbiter.expire(70)) == 1


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ask(point="pchp_9.run_command"), "unknown_point"),
        (ask(point="pchp_1.run_status"), "not_writable"),
        (ask(priority=10), "bad_priority"),
        (ask(priority=True), "bad_priority"),
        (ask(priority=5.0), "bad_priority"),  # type: ignore[arg-type]
        (ask(source=" "), "bad_source"),
        (ask(source="x" * 256), "bad_source"),
        (ask(1), "not_boolean"),
        (ask("on"), "not_boolean"),
        (ask(None), "not_boolean"),
        (ask(True, point=SETPOINT), "not_a_number"),
        (ask(math.nan, point=SETPOINT), "not_a_number"),
        (ask(math.inf, point=SETPOINT), "not_a_number"),
        (ask(10**400, point=SETPOINT), "not_a_number"),
        (ask("7", point=SETPOINT), "not_a_number"),
        (ask(4.4, point=SETPOINT), "out_of_limits"),
        (ask(15.1, point=SETPOINT), "out_of_limits"),
        (ask(lease=0), "bad_lease"),
        (ask(lease=-1), "bad_lease"),
        (ask(lease=math.nan), "bad_lease"),
        (ask(lease=math.inf), "bad_lease"),
        (ask(lease=1e9), "bad_lease"),
    ],
)
def test_what_makes_no_sense_is_refused(request_: Request, code: str) -> None:
    arbiter = Arbiter(PLANT)
    with pytest.raises(CommandRefused) as refused:
        arbiter.request(0, request_)
    assert refused.value.code == code
    assert refused.value.placeholders["point"] == request_.point
    assert request_.point in str(refused.value)
    assert not arbiter.winners


def test_many_sources_do_not_shut_out_one_that_matters() -> None:
    arbiter = Arbiter(PLANT)
    for number in range(MAXIMUM_SOURCES):
        arbiter.request(0, ask(source=f"app {number}", lease=1000))
    with pytest.raises(CommandRefused, match="32 sources"):
        arbiter.request(0, ask(source="one more"))
    arbiter.request(0, ask(False, 200, "safety"))
    assert heard(arbiter) == "safety"
    assert len(arbiter.as_list()) == MAXIMUM_SOURCES


requests = st.builds(
    ask,
    value=st.booleans(),
    priority=st.sampled_from(sorted(PRIORITIES)),
    source=st.sampled_from("abcde"),
    lease=st.one_of(st.none(), st.floats(1, 200)),
)
events = st.lists(
    st.tuples(
        st.floats(0, 100),
        st.one_of(requests, st.sampled_from(["release a", "release b", "restart"])),
    ),
    max_size=25,
)


def test_restart_alone_takes_nothing_from_the_engine() -> None:
    arbiter = Arbiter(PLANT)
    arbiter.request(0, ask(source="engine"))
    arbiter.request(0, ask(False, 9, "short", lease=10))
    stored = json.loads(json.dumps(arbiter.as_list()))
    later = Arbiter(PLANT)
    later.restore(300, stored)
    assert not later.expire(309)
    assert [slot.request.source for slot in later.expire(310)] == ["short"]
    assert not later.expire(359)
    assert [slot.request.source for slot in later.expire(360)] == ["engine"]


@given(events=events)
@settings(max_examples=300, deadline=None)
def test_highest_priority_always_wins_and_no_expired_lease_holds(
    events: Iterable[tuple[float, Request | str]],
) -> None:
    """By an oracle that keeps a plain list of who said what until when."""
    arbiter = Arbiter(PLANT)
    said: dict[str, tuple[int, int, float, bool | float, float]] = {}
    now = 0.0
    for order, (wait, event) in enumerate(events):
        now += wait
        if event == "restart":
            said = {
                who: (*row[:2], max(row[2], now + min(row[4], 60.0)), *row[3:])
                for who, row in said.items()
            }
        said = {who: row for who, row in said.items() if row[2] > now}
        if isinstance(event, Request):
            lease = event.lease
            if lease is None:
                lease = 60.0 if event.priority <= 50 else math.inf
            old = said.get(event.source)
            place = order
            if old and event.priority < 150 and old[0] == event.priority:
                if event.priority <= 9 or old[3] is event.value:
                    place = old[1]
            arbiter.request(now, event)
            said[event.source] = (
                event.priority,
                place,
                now + lease,
                event.value,
                lease,
            )
        elif event == "restart":
            stored = json.loads(json.dumps(arbiter.as_list()))
            arbiter = Arbiter(PLANT)
            arbiter.restore(now, stored)
        else:
            who = event.removeprefix("release ")
            arbiter.release(who, None)
            said.pop(who, None)
        arbiter.expire(now)
        best = max(said.items(), key=lambda item: item[1][:2], default=None)
        assert heard(arbiter) == (None if best is None else best[0])
