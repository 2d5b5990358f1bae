"""A meter that is read less often than the loop decides shows nothing in between."""

from chiller_control.control.decision import Inputs
from chiller_control.control.demand_response.measures import Measure
from chiller_control.control.demand_response.requested_load import RequestedLoad
from chiller_control.control.demand_response.shedding import Shedding
from chiller_control.control.demand_response.shedding_terms import Demand
import pytest

NOW = 1_800_000_000.0
METER = "meter.power"
CIRCUITS = tuple(
    Measure(
        f"circuit_{number}",
        f"Circuit {number}",
        "switch_off",
        (f"circuit_{number}.run_command",),
        1,
        20.0,
    )
    for number in range(8)
)


def off_after(seconds: int, *, read_every: float, brings: float = 20.0) -> int:
    """Return how many circuits are off when 60 of 400 kW are asked for."""
    asked = RequestedLoad(340.0, 60.0, "less")
    shedding = Shedding(CIRCUITS, METER, lambda at: Demand(400.0, asked))
    shown, read, off = 400.0, NOW, 0
    for step in range(seconds // 5 + 1):
        now = NOW + 5.0 * step
        if now - read >= read_every:
            shown, read = 400.0 - brings * off, now
        on = {point: True for item in CIRCUITS for point in item.points}
        decision = shedding.step(now, Inputs({**on, METER: shown}))
        off = len(decision.commands)
    return off


@pytest.mark.parametrize("read_every", [5.0, 12.0, 30.0, 45.0])
def test_what_is_right_is_not_done_again_before_the_meter_was_read(
    read_every: float,
) -> None:
    for seconds in (5, 20, 29, 60, 300):
        assert off_after(seconds, read_every=read_every) == 3


def test_what_brings_less_than_expected_is_made_up_when_the_meter_says_so() -> None:
    assert off_after(25, read_every=30.0, brings=15.0) == 3
    assert off_after(120, read_every=30.0, brings=15.0) == 4


def test_a_meter_that_stays_where_it_is_whatever_is_done_is_not_followed() -> None:
    """All would be switched off for it, one after the other."""
    assert off_after(600, read_every=30.0, brings=0.0) == 3
    assert off_after(600, read_every=30.0, brings=0.5) == 8
