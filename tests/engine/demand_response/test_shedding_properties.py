"""Whatever meter, rooms and events do, no measure is used beyond what it may be."""

from chiller_control.control.decision import Inputs, Value
from chiller_control.control.demand_response.measures import Comfort, Measure
from chiller_control.control.demand_response.requested_load import RequestedLoad
from chiller_control.control.demand_response.shedding import Shedding
from chiller_control.control.demand_response.shedding_terms import Demand
from hypothesis import given, settings, strategies as st

NOW = 1_800_000_000.0
MINUTE = 60.0
BASELINE = 500.0
METER = "meter.power"
WARMEST = 26.0
ROOMS = ("room_1.temperature", "room_2.temperature")
COMFORT = tuple(Comfort(point, WARMEST) for point in ROOMS)

FOUNTAIN = Measure(
    "fountain", "Fountain", "switch_off", ("fountain.run_command",), 1, 30.0,
    least_on=300.0, longest_on=1800.0, recovery=600.0,
)  # fmt: skip
BATTERY = Measure(
    "battery", "Battery", "discharge", ("battery.setpoint",), 1, 10.0,
    levels=8, step=10.0, charge="battery.charge", least_on=120.0,
)  # fmt: skip
WARMER = tuple(
    Measure(
        f"room_{n}", f"Room {n}", "raise", (f"room_{n}.setpoint",), 2, 8.0,
        levels=10, step=0.5, bound=27.0, comfort=(COMFORT[n - 1],), own_zone=True,
        least_on=300.0, recovery=900.0,
    )
    for n in (1, 2)
)  # fmt: skip
LIMIT = Measure(
    "limit", "Limit", "limit", ("chiller_1.limit", "chiller_2.limit"), 3, 20.0,
    levels=8, step=5.0, bound=50.0, comfort=COMFORT,
    loads=("chiller_1.load", "chiller_2.load"), least_on=300.0,
)  # fmt: skip
ALL = (FOUNTAIN, BATTERY, *WARMER, LIMIT)
BOUNDS = {
    "battery.setpoint": (0.0, 80.0),
    "room_1.setpoint": (24.0, WARMEST),
    "room_2.setpoint": (24.0, WARMEST),
    "chiller_1.limit": (50.0, 100.0),
    "chiller_2.limit": (50.0, 100.0),
}

minutes = st.tuples(
    st.none() | st.floats(-500, 2000),  # meter
    st.none() | st.floats(20, 30),  # room 1
    st.none() | st.floats(20, 30),  # room 2
    st.none() | st.floats(-100, 600),  # target
    st.none() | st.floats(0, 100),  # charge
    st.none() | st.floats(0, 100),  # load of chiller 2
    st.booleans(),  # whether the engine is started anew
)


@settings(max_examples=150, deadline=None)
@given(st.lists(minutes, min_size=5, max_size=70))
def test_measures_keep_their_bounds_times_and_comfort_and_leave_nothing_behind(
    story: list[tuple[float | None, ...]],
) -> None:
    asked: float | None = None

    def demand(now: float) -> Demand:
        wanted = None if asked is None else RequestedLoad(asked, BASELINE - asked, "")
        return Demand(BASELINE, wanted)

    shedding = Shedding(ALL, METER, demand)
    since: dict[str, float] = {}
    ended: dict[str, float] = {}
    values: dict[str, Value | None] = {
        "fountain.run_command": True, "battery.setpoint": 0.0,
        "room_1.setpoint": 24.0, "room_2.setpoint": 24.0,
        "chiller_1.limit": 100.0, "chiller_2.limit": 100.0, "chiller_1.load": 80.0,
    }  # fmt: skip
    now = NOW
    for meter, room_1, room_2, target, charge, load, anew in story:
        now += MINUTE
        asked = target
        values |= {
            METER: meter, ROOMS[0]: room_1, ROOMS[1]: room_2,
            "battery.charge": charge, "chiller_2.load": load,
        }  # fmt: skip
        decision = shedding.step(now, Inputs(dict(values)))
        given_ = {command.point: command.value for command in decision.commands}
        for point, value in given_.items():
            if point in BOUNDS:
                low, high = BOUNDS[point]
                assert low <= float(value) <= high
        for room, measure in zip((room_1, room_2), WARMER, strict=True):
            if room is not None and room > WARMEST:
                assert measure.points[0] not in given_
        if charge is not None and charge <= BATTERY.reserve:
            assert "battery.setpoint" not in given_
        _keep_times(now, given_, since, ended, charge)
        if anew:
            resume = decision.attributes["resume"]
            assert isinstance(resume, dict)
            shedding = Shedding(ALL, METER, demand, resume=resume)
    # The event is over, the load and the rooms are as usual.
    asked = None
    values |= {METER: 300.0, ROOMS[0]: 24.0, ROOMS[1]: 24.0, "battery.charge": 80.0}
    for _ in range(240):
        now += MINUTE
        decision = shedding.step(now, Inputs(dict(values)))
    assert decision.commands == ()
    assert decision.state == "idle"


def _keep_times(
    now: float,
    given_: dict[str, Value],
    since: dict[str, float],
    ended: dict[str, float],
    charge: float | None,
) -> None:
    """Least and longest times, and recovery, are kept but for comfort and charge."""
    for measure in (FOUNTAIN, BATTERY, *WARMER):
        point = measure.points[0]
        on, was = point in given_, point in since
        if on and not was:
            assert now - ended.get(point, -1e18) >= measure.recovery
            since[point] = now
        if on and measure.longest_on is not None:
            assert now - since[point] < measure.longest_on
        if was and not on:
            used = now - since.pop(point)
            ended[point] = now
            full = charge is not None and charge > 15.0
            if measure is FOUNTAIN or (measure is BATTERY and full):
                assert used >= measure.least_on
