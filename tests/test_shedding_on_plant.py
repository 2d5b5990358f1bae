"""An event on the simulated plant holds its target whatever else goes wrong."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest

from appdaemon.apps.chiller_control.control.decision import Command, Inputs
from benchmarks.demand_response_parts.site import METER
from benchmarks.energy_parts.closed_loop import Guest
from custom_components.chiller_plant.simulator.drives import Fault
from custom_components.chiller_plant.simulator.worlds import Worlds

from .shedding_plant import BEGINS, ENDS, UNTIL, Event, Holding, blind_from, run

LOST, FROZEN, TRIPS, REPAIRED = BEGINS + 0.5, BEGINS + 0.5, BEGINS + 0.4, BEGINS + 0.9


def frozen(hour: float, inputs: Inputs) -> Inputs:
    """Let the meter show what it showed, and a little too much for the target."""
    if hour < FROZEN:
        return inputs
    return Inputs({**inputs.values, METER: 600.0}, inputs.holds, inputs.taken)


def trips(hour: float, worlds: Worlds, scenario: int) -> None:
    if TRIPS <= hour < TRIPS + 0.02:
        worlds.fault("chiller_2", Fault.TRIP, scenario)
    elif REPAIRED <= hour < REPAIRED + 0.02:
        worlds.fault("chiller_2", Fault.NONE, scenario)


EVENTS: Mapping[str, Event] = {
    "all": Event(0.25),
    "prepared": Event(0.2, precool=1.0),
    "small, prepared": Event(0.1, cooling_only=True, precool=1.0),
    "cooling only": Event(0.15, cooling_only=True, precool=1.0),
    "far too much": Event(0.7, cooling_only=True),
    "zone lost": Event(
        0.12, cooling_only=True, see=blind_from(LOST, "zone_1.temperature")
    ),
    "meter frozen": Event(0.2, see=frozen),
    "chiller trips": Event(0.15, cooling_only=True, happens=trips),
    "operator": Event(
        0.2,
        guests=(
            Guest(
                "operator",
                150,
                Holding((Command("battery.discharge_power_setpoint", 0.0, "by hand"),)),
            ),
        ),
    ),
}


@pytest.fixture(name="without", scope="module")
def played() -> Event:
    return run(EVENTS)


@pytest.mark.parametrize("name", ["all", "prepared", "small, prepared", "cooling only"])
def test_load_is_within_five_percent_in_a_quarter_of_an_hour_and_stays(
    without: Event, name: str
) -> None:
    assert max(abs(off) for off in EVENTS[name].fives()) <= 0.05


@pytest.mark.parametrize("name", [*EVENTS])
def test_no_zone_gets_too_warm_whatever_is_asked_for(without: Event, name: str) -> None:
    if name != "chiller trips":
        assert EVENTS[name].between(BEGINS, UNTIL)[:, 3:6].max() <= 26.0


@pytest.mark.parametrize("name", [*EVENTS])
def test_no_event_starts_a_chiller_that_would_not_be_started(
    without: Event, name: str
) -> None:
    # One that was stopped because hardly any cooling was left may be needed again.
    again = 1 if name in ("chiller trips", "far too much") else 0
    assert EVENTS[name].starts() <= without.starts() + again


@pytest.mark.parametrize("name", [*EVENTS])
def test_everything_is_given_back_without_a_peak(without: Event, name: str) -> None:
    event = EVENTS[name]
    shares = event.between(ENDS, UNTIL)[:, 1]
    quarters = shares[: len(shares) // 15 * 15].reshape(-1, 15).mean(axis=1)
    # Nobody can be promised that where comfort took back what was asked for.
    if name not in ("chiller trips", "far too much"):
        assert quarters.max() <= 1.2
    for one, other in pairwise(event.levels(ENDS, UNTIL)):
        assert sum(one[key] > other[key] >= 0 for key in one) <= 1


def test_event_that_asks_for_too_much_says_so_and_does_what_comfort_allows(
    without: Event,
) -> None:
    event = EVENTS["far too much"]
    told = [str(item.attributes["message"]) for _, item in event.decisions]
    assert any("cannot be reached" in message for message in told)
    assert event.between(BEGINS + 0.25, ENDS)[:, 1].mean() < 0.9


def test_zone_that_nobody_sees_is_not_kept_warm(without: Event) -> None:
    event = EVENTS["zone lost"]
    before = [*event.levels(LOST - 0.1, LOST)][-1]
    assert before["Wards warmer"] > 0
    after = [*event.levels(LOST + 0.2, ENDS)]
    assert all(item["Wards warmer"] == 0 for item in after)
    shown = dict(event.decisions)
    last = shown[max(hour for hour in shown if hour < ENDS)].attributes["measures"]
    rows = {item["name"]: item for item in last}  # type: ignore[attr-defined]
    assert rows["Wards warmer"]["unable"] == "zone_1.temperature is not known"


def test_meter_that_shows_the_same_whatever_is_done_is_not_followed(
    without: Event,
) -> None:
    event = EVENTS["meter frozen"]
    held = [*event.levels(FROZEN + 0.1, ENDS - 0.01)]
    assert all(item == held[0] for item in held)
    told = [str(d.attributes["message"]) for h, d in event.decisions if h < ENDS]
    assert "whatever is done" in told[-1]


def test_chiller_that_trips_is_left_to_its_own_control(without: Event) -> None:
    """It is not started for the event, and the other is not held below its share."""
    event = EVENTS["chiller trips"]
    asked = {c.point for _, d in event.decisions for c in d.commands}
    assert not any(point.endswith("run_command") for point in asked)
    alone = event.between(TRIPS + 0.1, REPAIRED)
    assert (alone[:, 7] < 0.5).all()
    limits = [
        float(command.value)
        for hour, decision in event.decisions
        if TRIPS + 0.1 < hour < REPAIRED
        for command in decision.commands
        if command.point == "chiller_1.demand_limit"
    ]
    assert all(limit > 75.0 for limit in limits)
    assert np.diff(event.between(BEGINS, UNTIL)[:, 7] > 0.5).sum() <= 3


def test_battery_that_an_operator_keeps_is_said_and_made_up_for(
    without: Event,
) -> None:
    event = EVENTS["operator"]
    last = [d for hour, d in event.decisions if hour < ENDS][-1]
    rows = {item["name"]: item for item in last.attributes["measures"]}  # type: ignore[attr-defined]
    assert "operator" in rows["Battery discharging"]["unable"]
    assert max(abs(off) for off in event.fives()) <= 0.05
    values = {
        value
        for hour, key, value in event.commands
        if key.startswith("battery") and BEGINS < hour < ENDS
    }
    assert values <= {0.0}
