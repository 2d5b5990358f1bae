"""The load falls to its target and stays there, and nobody gets too warm."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
import json
from random import Random

from chiller_control.control.decision import Decision, Inputs, Value
from chiller_control.control.demand_response.measures import Comfort, Measure
from chiller_control.control.demand_response.requested_load import RequestedLoad
from chiller_control.control.demand_response.shedding import Shedding
from chiller_control.control.demand_response.shedding_terms import (
    Demand,
    SheddingSettings,
)
from hypothesis import given, settings, strategies as st

NOW = 1_800_000_000.0
BASELINE = 500.0
METER = "meter.power"

FOUNTAIN = Measure(
    "fountain", "Fountain", "switch_off", ("fountain.run_command",), 1, 15.0
)
ZONES = tuple(
    Measure(
        f"zone_{number}",
        f"Zone {number}",
        "raise",
        (f"zone_{number}.temperature_setpoint",),
        2,
        8.0,
        levels=4,
        step=0.5,
        bound=26.0,
        comfort=(Comfort(f"zone_{number}.temperature", 26.0),),
        own_zone=True,
    )
    for number in (1, 2, 3)
)
LIMIT = Measure(
    "limit",
    "Demand limit",
    "limit",
    ("chiller_1.demand_limit", "chiller_2.demand_limit"),
    3,
    15.0,
    levels=10,
    step=5.0,
    bound=50.0,
    comfort=tuple(item.comfort[0] for item in ZONES),
)
ALL = (FOUNTAIN, *ZONES, LIMIT)


def known(*measures: Measure, **values: Value | None) -> Inputs:
    """Return readings by point, `__` for a dot; what measures command can be read."""
    points: dict[str, Value | None] = {
        point: measure.kind == "switch_off" or 100.0
        for measure in measures
        for point in measure.points
    }
    told = {key.replace("__", "."): value for key, value in values.items()}
    return Inputs({**points, **told})


class Site:
    """A load that answers to what is commanded, late and not as estimated."""

    def __init__(
        self, *, share: float = 0.8, seed: int = 1, warmest: float = 26.0
    ) -> None:
        self.share = share
        self.warmest = warmest
        self.dice = Random(seed)
        self.load = BASELINE
        self.now = NOW
        self.asked: float | None = None
        self.values: dict[str, Value | None] = {
            "fountain.run_command": True,
            "chiller_1.demand_limit": 100.0,
            "chiller_2.demand_limit": 100.0,
        }
        for number in (1, 2, 3):
            self.values[f"zone_{number}.temperature_setpoint"] = 24.0
            self.values[f"zone_{number}.temperature"] = 24.0
        self.rest = dict(self.values)
        self.shedding = self.build()
        self.meter_works = True
        self.taken: Mapping[str, str] = {}
        self.events: list[str] = []

    def build(self, resume: Mapping[str, object] | None = None) -> Shedding:
        measures = [
            replace(
                item,
                comfort=tuple(replace(at, warmest=self.warmest) for at in item.comfort),
            )
            for item in ALL
        ]
        return Shedding(measures, METER, self.demand, SheddingSettings(), resume)

    def demand(self, now: float) -> Demand:
        asked = self.asked
        return Demand(
            BASELINE,
            None
            if asked is None
            else RequestedLoad(asked, BASELINE - asked, f"a load of {asked:.0f} kW"),
        )

    def minute(self) -> Decision:
        self.now += 60.0
        readings = dict(self.values)
        readings[METER] = (
            self.load + self.dice.uniform(-3, 3) if self.meter_works else None
        )
        decision = self.shedding.step(self.now, Inputs(readings, taken=self.taken))
        json.dumps(decision.attributes)
        self.events += [event.event for event in decision.events]
        commanded = {command.point: command.value for command in decision.commands}
        off = 15.0 if commanded.get("fountain.run_command") is False else 0.0
        raised = 0.0
        for number in (1, 2, 3):
            key = f"zone_{number}.temperature_setpoint"
            setpoint = float(commanded.get(key, 24.0))
            raised += 16.0 * (setpoint - 24.0)
            room = self.values[f"zone_{number}.temperature"]
            assert isinstance(room, float)
            room += (setpoint - room) * 0.05
            self.values[f"zone_{number}.temperature"] = room
        limit = float(commanded.get("chiller_1.demand_limit", 100.0))
        limited = 3.0 * (100.0 - limit)
        aim = BASELINE - self.share * (off + raised + limited)
        self.load += (aim - self.load) * 0.25
        return decision

    def minutes(self, count: int) -> list[float]:
        loads = []
        for _ in range(count):
            self.minute()
            loads.append(self.load)
        return loads


def test_the_load_is_at_its_target_in_a_quarter_of_an_hour_and_stays() -> None:
    for share in (0.6, 0.8, 1.0, 1.3):
        site = Site(share=share, warmest=27.0)
        site.minutes(5)
        site.asked = 400.0
        loads = site.minutes(120)
        # Where rooms bring much less than they are estimated at, some minutes later.
        reached = 15 if share >= 0.8 else 20
        assert all(abs(load - 400.0) <= 0.05 * 400.0 for load in loads[reached:]), share
        assert len(site.events) < 60


def test_measures_come_in_their_order_and_zones_share_the_burden() -> None:
    site = Site()
    site.minutes(2)
    site.asked = 455.0
    site.minutes(60)
    decision = site.minute()
    state = {item["name"]: item["level"] for item in decision.attributes["measures"]}  # type: ignore[attr-defined]
    assert state["Fountain"] == 1
    assert state["Demand limit"] == 0
    levels = [state[f"Zone {number}"] for number in (1, 2, 3)]
    assert max(levels) - min(levels) <= 1


def test_after_the_event_all_is_given_back_without_a_peak() -> None:
    site = Site()
    site.minutes(2)
    site.asked = 400.0
    site.minutes(60)
    site.asked = None
    assert site.minute().state == "recovering"
    loads = site.minutes(120)
    decision = site.minute()
    assert decision.state == "idle"
    assert decision.commands == ()
    assert max(loads) < 1.05 * BASELINE
    # One step after the other, not all at once.
    assert max(b - a for a, b in pairwise(loads)) < 15.0


def test_a_zone_that_gets_too_warm_is_given_back_at_once() -> None:
    site = Site()
    site.minutes(2)
    site.asked = 440.0
    site.minutes(20)
    site.values["zone_2.temperature"] = 26.3
    decision = site.minute()
    assert "zone_2.temperature_setpoint" not in {c.point for c in decision.commands}
    assert any("comfort goes first" in event.reason for event in decision.events)


def test_a_limit_on_the_chillers_steps_back_while_any_zone_is_too_warm() -> None:
    site = Site()
    site.minutes(2)
    site.asked = 330.0
    site.minutes(40)
    site.rest = dict(site.values)

    def limit(decision: Decision) -> float:
        given = {command.point: command.value for command in decision.commands}
        return float(given.get("chiller_1.demand_limit", 100.0))

    before = limit(site.minute())
    for _ in range(20):
        for number in (1, 2, 3):
            site.values[f"zone_{number}.temperature"] = 26.5
        decision = site.minute()
    assert limit(decision) > before
    assert "cannot be reached" in str(decision.attributes["message"])


def test_a_meter_that_falls_silent_leaves_what_is_shed() -> None:
    site = Site()
    site.minutes(2)
    site.asked = 420.0
    site.minutes(30)
    held = site.minute().commands
    site.meter_works = False
    for _ in range(10):
        decision = site.minute()
        assert decision.commands == held
    assert "says nothing" in str(decision.attributes["message"])


def test_what_somebody_else_commands_is_said_and_the_others_do_more() -> None:
    site = Site()
    site.taken = {"fountain.run_command": "operator"}
    site.minutes(2)
    site.asked = 440.0
    loads = site.minutes(40)
    assert abs(loads[-1] - 440.0) <= 22.0
    decision = site.minute()
    rows = {item["name"]: item for item in decision.attributes["measures"]}  # type: ignore[attr-defined]
    assert rows["Fountain"]["level"] == 0
    assert rows["Fountain"]["unable"] == "operator commands it"


def test_an_unknown_temperature_leaves_its_zone_alone() -> None:
    site = Site()
    site.values["zone_1.temperature_setpoint"] = None
    site.minutes(2)
    site.asked = 450.0
    for _ in range(20):
        decision = site.minute()
        assert not any(c.point.startswith("zone_1") for c in decision.commands)


def test_a_restart_goes_on_where_it_was() -> None:
    site = Site()
    site.minutes(2)
    site.asked = 420.0
    site.minutes(30)
    before = site.minute()
    stored = json.loads(json.dumps(before.attributes["resume"]))
    site.shedding = site.build(stored)
    again = site.minute()
    assert {(c.point, c.value) for c in again.commands} >= {
        (c.point, c.value) for c in before.commands if c.point.startswith("zone")
    }
    # Setpoints go back to what they were before all of it, not before the restart.
    site.asked = None
    site.minutes(150)
    assert site.minute().commands == ()


def test_what_is_stored_may_be_garbage() -> None:
    site = Site()
    garbage: tuple[dict[str, object], ...] = (
        {"uses": 3},
        {"uses": {"limit": {"level": "x"}}},
        {
            "uses": {
                "zone_1": {
                    "level": 1,
                    "changed": 0,
                    "begun": 0,
                    "before": {},
                    "burden": 0,
                }
            }
        },
        {"ended": "soon"},
    )
    for stored in garbage:
        site.shedding = site.build(stored)
        assert site.minute().commands == ()


def test_a_measure_is_not_used_longer_than_it_may_be_and_then_recovers() -> None:
    short = Measure(
        "fountain", "Fountain", "switch_off", ("fountain.run_command",), 1, 100.0,
        longest_on=600.0, recovery=1800.0,
    )  # fmt: skip
    demand = Demand(BASELINE, RequestedLoad(400.0, 100.0, "a load"))
    shedding = Shedding([short], METER, lambda now: demand)
    on = [
        bool(
            shedding.step(
                NOW + 60 * minute, known(short, meter__power=500.0 + minute % 2)
            ).commands
        )
        for minute in range(60)
    ]
    assert on[:10] == [True] * 10
    assert not any(on[10:39])
    assert any(on[40:])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(0, 900)),
            st.one_of(st.none(), st.floats(20, 30)),
            st.one_of(st.none(), st.floats(0, 500)),
        ),
        max_size=60,
    )
)
def test_whatever_happens_commands_stay_within_bounds_and_comfort_wins(
    minutes: list[tuple[float | None, float | None, float | None]],
) -> None:
    asked: float | None = None

    def demand(now: float) -> Demand:
        wanted = None if asked is None else RequestedLoad(asked, BASELINE - asked, "")
        return Demand(BASELINE, wanted)

    shedding = Shedding(ALL, METER, demand)
    for minute, (meter, room, target) in enumerate(minutes):
        asked = target
        values: dict[str, Value | None] = {METER: meter}
        for number in (1, 2, 3):
            values[f"zone_{number}.temperature_setpoint"] = 24.0
            values[f"zone_{number}.temperature"] = room
        decision = shedding.step(NOW + 60.0 * minute, Inputs(values))
        for command in decision.commands:
            if command.point.endswith("setpoint"):
                assert 24.0 < float(command.value) <= 26.0
                assert room is None or room <= 26.0
            if command.point.endswith("limit"):
                assert 50.0 <= float(command.value) < 100.0


BATTERY = Measure(
    "battery", "Battery", "discharge", ("battery.discharge_power_setpoint",), 1, 25.0,
    levels=4, step=25.0, charge="battery.state_of_charge", reserve=10.0,
)  # fmt: skip


def test_an_empty_storage_is_said_and_left_out_and_the_others_go_on() -> None:
    demand = Demand(BASELINE, RequestedLoad(450.0, 50.0, "a load"))
    shedding = Shedding([BATTERY, FOUNTAIN], METER, lambda now: demand)
    seen = []
    for minute, charge in enumerate((60.0, 30.0, 10.5, 10.0, 10.2, 12.0, 16.0)):
        decision = shedding.step(
            NOW + 60.0 * minute,
            known(
                BATTERY,
                FOUNTAIN,
                meter__power=470.0 + minute % 2,
                battery__state_of_charge=charge,
            ),
        )
        rows = {item["name"]: item for item in decision.attributes["measures"]}  # type: ignore[attr-defined]
        seen.append((rows["Battery"]["level"] > 0, rows["Battery"]["unable"]))
        assert rows["Fountain"]["level"] == 1 or minute < 1
    assert seen[:3] == [(True, None)] * 3
    assert seen[3] == (False, "it is empty: 10 %, 10 % are kept")
    # Not until there is something in it that is worth it.
    assert [used for used, _ in seen[4:]] == [False, False, True]


def test_a_storage_whose_charge_is_not_known_is_not_begun_but_goes_on() -> None:
    demand = Demand(BASELINE, RequestedLoad(450.0, 50.0, "a load"))
    shedding = Shedding([BATTERY], METER, lambda now: demand)
    blind = known(BATTERY, meter__power=470.0)
    assert shedding.step(NOW, blind).commands == ()
    seen = known(BATTERY, meter__power=470.0, battery__state_of_charge=80.0)
    given = shedding.step(NOW + 60.0, seen).commands
    assert given
    assert shedding.step(NOW + 120.0, blind).commands == given


def test_what_is_too_large_is_not_switched_off_for_what_is_left() -> None:
    sizes = {"ventilation": 30.0, "heaters": 60.0, "fountain": 15.0}
    circuits = [
        Measure(name, name, "switch_off", (f"{name}.run_command",), 1, kw)
        for name, kw in sizes.items()
    ]
    battery = replace(BATTERY, capacity_kw=5.0, levels=20, step=5.0)
    usual = 367.0
    for target in range(170, 360, 10):
        asked = RequestedLoad(float(target), usual - target, "a load")
        demand = Demand(usual, asked)
        shedding = Shedding([*circuits, battery], METER, lambda now, d=demand: d)  # type: ignore[misc]
        load = usual
        for minute in range(15):
            given = shedding.step(
                NOW + 60.0 * minute,
                known(
                    *circuits,
                    battery,
                    meter__power=load,
                    battery__state_of_charge=60.0,
                ),
            ).commands
            load = usual - sum(
                sizes[command.point.partition(".")[0]]
                if command.value is False
                else float(command.value)
                for command in given
            )
        assert abs(load - target) <= 0.02 * usual


def test_no_more_could_be_shed_than_there_is_load() -> None:
    shedding = Shedding([BATTERY, FOUNTAIN], METER, lambda now: None)

    def available(load: float | None) -> float:
        seen = known(
            BATTERY, FOUNTAIN, meter__power=load, battery__state_of_charge=60.0
        )
        return shedding.available_kw(NOW, seen)

    assert available(400.0) == available(None) == 115.0
    assert available(70.0) == 70.0
    assert available(-20.0) == 0.0


def test_of_chillers_that_stand_nothing_could_be_shed() -> None:
    limit = Measure(
        "limit", "Demand limit", "limit", ("chiller_1.demand_limit",), 1, 20.0,
        levels=8, step=5.0, bound=50.0, loads=("chiller_1.load", "chiller_2.load"),
    )  # fmt: skip
    shedding = Shedding([limit, FOUNTAIN], METER, lambda now: None)

    def available(*loads: float | None) -> float:
        first, second = loads
        seen = known(
            limit,
            FOUNTAIN,
            meter__power=900.0,
            chiller_1__load=first,
            chiller_2__load=second,
        )
        return shedding.available_kw(NOW, seen)

    fountain = FOUNTAIN.capacity_kw
    assert available(0.0, 0.0) == fountain
    assert available(100.0, 100.0) == fountain + 8 * 20.0
    assert available(80.0, None) == available(80.0, 0.0) == fountain + 0.4 * 8 * 20.0
    # Where nobody knows what they carry, the ratings are what there is to go by.
    assert available(None, None) == fountain + 8 * 20.0


def test_a_limit_is_taken_off_what_the_chillers_carry() -> None:
    limit = Measure(
        "limit", "Demand limit", "limit", ("chiller_1.demand_limit",), 1, 20.0,
        levels=8, step=5.0, bound=50.0, loads=("chiller_1.load", "chiller_2.load"),
    )  # fmt: skip
    demand = Demand(BASELINE, RequestedLoad(300.0, 200.0, "a load"))
    shedding = Shedding([limit], METER, lambda now: demand)
    given = []
    for minute in range(20):
        inputs = known(
            limit,
            meter__power=490.0 + minute % 2,
            chiller_1__load=72.0,
            chiller_2__load=0.0,
        )
        commands = shedding.step(NOW + 60.0 * minute, inputs).commands
        given.append([command.value for command in commands])
    assert given[0] == [67.0]
    assert given[-1] == [50.0]
    # Once at its lowest it is used in full, however many steps are left.
    demand = Demand(BASELINE, None)
    low = known(limit, meter__power=300.0)
    levels = shedding.step(NOW + 1300.0, low).attributes["measures"]
    assert levels[0]["level"] <= 5  # type: ignore[index]
