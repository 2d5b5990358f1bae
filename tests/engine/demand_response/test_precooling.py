"""A building is cooled ahead of an event, and nobody pays for it with a peak."""

from collections.abc import Mapping
import json

from chiller_control.control.decision import Decision, Inputs, Value
from chiller_control.control.demand_response.measures import Comfort, Measure
from chiller_control.control.demand_response.precooling import (
    Coming,
    Learned,
    PrecooledZone,
    Precooling,
    PrecoolSettings,
    lead_of,
    outdoor_of,
    parse_forecast,
)
from chiller_control.control.demand_response.requested_load import RequestedLoad
from chiller_control.control.demand_response.shedding import Shedding
from chiller_control.control.demand_response.shedding_terms import Demand

NOW = 1_800_000_000.0
HOUR = 3600.0
BEGINS = NOW + 3 * HOUR
METER = "meter.power"
ZONES = tuple(
    PrecooledZone(
        f"Zone {number}",
        f"zone_{number}.temperature_setpoint",
        f"zone_{number}.temperature",
    )
    for number in (1, 2)
)
MEASURES = tuple(
    Measure(
        f"zone_{number}",
        f"Zone {number}",
        "raise",
        (f"zone_{number}.temperature_setpoint",),
        2,
        4.0,
        levels=10,
        step=0.2,
        bound=26.0,
        comfort=(Comfort(f"zone_{number}.temperature", 26.0),),
        own_zone=True,
    )
    for number in (1, 2)
)


class Building:
    """Two zones that follow their setpoints, and a load that pays for it."""

    def __init__(self, **settings: float) -> None:
        self.settings = PrecoolSettings(**settings)
        self.now = NOW
        self.coming: Coming | None = Coming(BEGINS, BEGINS + 2 * HOUR, 31.0)
        self.asked: float | None = None
        self.meter: float | None = 400.0
        self.per_kelvin = 20.0
        self.temperatures = {zone.temperature: 24.0 for zone in ZONES}
        self.taken: Mapping[str, str] = {}
        self.events: list[str] = []
        self.shedding = self.build()

    def build(self, resume: Mapping[str, object] | None = None) -> Shedding:
        precooling = Precooling(self.settings, ZONES, lambda now: self.coming)
        return Shedding(
            MEASURES, METER, self.demand, resume=resume, precooling=precooling
        )

    def demand(self, now: float) -> Demand | None:
        if self.asked is None:
            return None
        return Demand(400.0, RequestedLoad(self.asked, 400.0 - self.asked, "less"))

    def minute(self) -> Decision:
        self.now += 60.0
        readings: dict[str, Value | None] = {
            METER: self.meter,
            **self.temperatures,
            **{zone.setpoint: 24.0 for zone in ZONES},
        }
        decision = self.shedding.step(self.now, Inputs(readings, taken=self.taken))
        json.dumps(decision.attributes)
        self.events += [event.event for event in decision.events]
        if self.meter is not None:
            self.meter = 400.0
        for zone in ZONES:
            setpoint = self.setpoints(decision).get(zone.setpoint, 24.0)
            if self.meter is not None:
                self.meter -= self.per_kelvin * (setpoint - 24.0)
            off = setpoint - self.temperatures[zone.temperature]
            self.temperatures[zone.temperature] += 0.05 * off
        return decision

    @staticmethod
    def setpoints(decision: Decision) -> dict[str, float]:
        return {command.point: float(command.value) for command in decision.commands}

    def until(self, at: float) -> list[Decision]:
        found = []
        while self.now < at:
            found.append(self.minute())
        return found


def test_zones_get_colder_before_the_event_and_not_too_early() -> None:
    site = Building(lead=2 * HOUR, setpoint_drop=1.0)
    early = site.until(BEGINS - 2 * HOUR - 60.0)
    assert all(decision.state == "idle" for decision in early)
    decision = site.until(BEGINS - 60.0)[-1]
    assert decision.state == "precooling"
    assert set(site.setpoints(decision).values()) == {23.0}
    assert max(site.temperatures.values()) < 23.2
    assert site.events == ["precool_begun"]


def test_the_cold_is_used_step_by_step_and_setpoints_end_where_they_were() -> None:
    site = Building(setpoint_drop=1.0)
    site.until(BEGINS - 60.0)
    site.coming, site.asked = None, 390.0
    first = site.minute()
    assert first.state == "shedding"
    # No setpoint jumps: all at once would be far more than is asked for.
    assert all(22.9 < value < 23.5 for value in site.setpoints(first).values())
    site.until(BEGINS + 2 * HOUR)
    site.asked = None
    last = site.until(BEGINS + 5 * HOUR)[-1]
    assert last.commands == ()
    raised = site.shedding.step(site.now, Inputs({METER: 400.0}))
    assert raised.state == "idle"


def test_the_load_does_not_pass_its_limit_for_it() -> None:
    site = Building(setpoint_drop=2.0, peak_kw=430.0)
    site.per_kelvin = 30.0
    loads = []
    while site.now < BEGINS - 60.0:
        site.minute()
        assert site.meter is not None
        loads.append(site.meter)
    assert max(loads) < 430.0 + 2 * 30.0 * 0.1 + 1e-6
    assert max(loads) > 415.0


def test_no_setpoint_is_lowered_below_what_people_stand() -> None:
    site = Building(setpoint_drop=3.0, coldest=23.2, rise=1.0)
    for decision in site.until(BEGINS - 60.0):
        assert all(value >= 23.2 for value in site.setpoints(decision).values())
    assert site.setpoints(decision)


def test_an_event_that_is_cancelled_gives_setpoints_back_at_once() -> None:
    site = Building()
    site.until(BEGINS - HOUR)
    assert site.minute().commands
    site.coming = None
    decision = site.minute()
    assert decision.commands == ()
    assert decision.state == "idle"
    assert site.events[-1] == "precool_ended"


def test_it_is_not_begun_shortly_before_or_without_the_meter() -> None:
    site = Building()
    site.coming = Coming(NOW + 600.0, NOW + HOUR, 31.0)
    assert site.minute().commands == ()
    site = Building()
    site.meter = None
    site.until(BEGINS - HOUR)
    assert site.minute().commands == ()
    assert "meter" in str(site.minute().attributes["message"])


def test_a_zone_that_somebody_commands_is_left_alone() -> None:
    site = Building()
    site.taken = {ZONES[0].setpoint: "operator"}
    decision = site.until(BEGINS - 60.0)[-1]
    assert set(site.setpoints(decision)) == {ZONES[1].setpoint}
    site.coming, site.asked = None, 380.0
    assert set(site.setpoints(site.minute())) == {ZONES[1].setpoint}


def test_a_restart_goes_on_cooling_and_knows_what_setpoints_were() -> None:
    site = Building(setpoint_drop=1.0)
    site.until(BEGINS - 1800.0)
    before = site.minute()
    stored = json.loads(json.dumps(before.attributes["resume"]))
    site.shedding = site.build(stored)
    after = site.minute()
    assert site.setpoints(after) == site.setpoints(before)
    for garbage in ({"precooling": 3}, {"precooling": {"begins": "x", "limit": 1}}):
        site.shedding = site.build(garbage)
        site.minute()


def test_how_far_follows_from_the_forecast_and_from_how_the_building_warms() -> None:
    settings = PrecoolSettings(setpoint_drop=1.5)
    hot = Coming(BEGINS, BEGINS + 2 * HOUR, 32.0)
    whole = lead_of(hot, Learned(), settings)
    assert whole is not None
    assert whole.drop == 1.5
    mild = lead_of(Coming(BEGINS, BEGINS + 2 * HOUR, 24.0), Learned(), settings)
    assert mild is not None
    assert mild.drop == 0.75
    assert lead_of(Coming(BEGINS, BEGINS + HOUR, 17.0), Learned(), settings) is None
    heavy = lead_of(hot, Learned(warming=0.3), settings)
    assert heavy is not None
    assert heavy.drop == 0.6
    # A building that cools slowly begins earlier, never before its lead.
    quick = lead_of(hot, Learned(cooling=4.0, warming=0.3), settings)
    slow = lead_of(hot, Learned(cooling=0.5, warming=0.3), settings)
    assert quick is not None
    assert slow is not None
    assert slow.start < quick.start
    assert slow.start >= BEGINS - settings.lead


def test_it_learns_how_fast_zones_cool_and_warm() -> None:
    site = Building(setpoint_drop=1.0)
    site.until(BEGINS - 60.0)
    site.coming, site.asked = None, 370.0
    site.until(BEGINS + HOUR)
    resume = site.minute().attributes["resume"]
    assert isinstance(resume, dict)
    learned = resume["precooling"]
    assert 0.1 < learned["cooling"] < 3.0
    assert 0.1 <= learned["warming"] < 3.0


def test_a_rate_that_was_learned_on_mild_days_is_not_believed_on_a_hot_one() -> None:
    settings = PrecoolSettings(setpoint_drop=1.5)
    hot = Coming(BEGINS, BEGINS + 2 * HOUR, 32.0)
    mild = Coming(BEGINS, BEGINS + 2 * HOUR, 24.0)
    learned_mild = Learned(warming=0.2, worth=0.5)
    drops = [
        lead.drop
        for coming in (mild, hot)
        if (lead := lead_of(coming, learned_mild, settings)) is not None
    ]
    assert drops == [0.4, 0.8]
    unknown = lead_of(Coming(BEGINS, BEGINS + 2 * HOUR), learned_mild, settings)
    assert unknown is not None
    assert unknown.drop == 0.4


def test_mild_event_is_cooled_ahead_less_and_a_cool_one_not_at_all() -> None:
    lowest = {}
    for outdoor in (16.0, 24.0, 33.0, None):
        site = Building(setpoint_drop=1.0)
        site.coming = Coming(BEGINS, BEGINS + 2 * HOUR, outdoor)
        decision = site.until(BEGINS - 60.0)[-1]
        lowest[outdoor] = min(site.setpoints(decision).values(), default=24.0)
        if outdoor == 16.0:
            assert "16 °C" in str(decision.attributes["message"])
    assert lowest == {16.0: 24.0, 24.0: 23.5, 33.0: 23.0, None: 23.0}


def test_a_forecast_that_turns_mild_gives_back_what_was_cooled_already() -> None:
    site = Building(setpoint_drop=1.0)
    site.until(BEGINS - 1800.0)
    assert site.minute().state == "precooling"
    site.coming = Coming(BEGINS, BEGINS + 2 * HOUR, 15.0)
    assert site.minute().commands == ()
    assert site.events[-1] == "precool_ended"


def test_weather_in_which_it_was_learned_is_kept_over_a_restart() -> None:
    site = Building(setpoint_drop=1.0)
    site.coming = Coming(BEGINS, BEGINS + 2 * HOUR, 27.0)
    site.until(BEGINS - 60.0)
    stored = json.loads(json.dumps(site.minute().attributes["resume"]))
    site.shedding = site.build(stored)
    site.coming, site.asked = None, 370.0
    site.until(BEGINS + HOUR)
    resume = site.minute().attributes["resume"]
    assert isinstance(resume, dict)
    assert resume["precooling"]["worth"] == 0.75


def test_mean_of_a_forecast_needs_most_of_the_event() -> None:
    rows = parse_forecast([[0.0, HOUR, 30.0], [HOUR, 2 * HOUR, 34.0]])
    assert outdoor_of(rows, 0.0, 2 * HOUR) == 32.0
    assert outdoor_of(rows, HOUR, 2.5 * HOUR) == 34.0
    assert outdoor_of(rows, 1.5 * HOUR, 3 * HOUR) is None
    for garbage in (None, 3, "x", [[1.0]], [["a", "b", "c"]]):
        assert parse_forecast(garbage) == ()
