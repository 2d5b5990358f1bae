"""A device that is gone is left out, told about once, and soon found again."""

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.drivers.health import (
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    Change,
    DeviceHealth,
    Health,
)


def test_one_missed_poll_changes_nothing() -> None:
    health = DeviceHealth()

    assert health.observe(0, answered=False) is None
    assert not health.is_silent
    assert health.due(0)


def test_silence_and_return_are_told_once() -> None:
    health = DeviceHealth()
    answers = [True, False, False, False, False, True, True, False, True]

    changes = [health.observe(now, answered=told) for now, told in enumerate(answers)]

    assert [change for change in changes if change] == [
        Change.WENT_SILENT,
        Change.CAME_BACK,
    ]
    assert changes[2] is Change.WENT_SILENT
    assert changes[5] is Change.CAME_BACK


@pytest.mark.parametrize(
    ("outage", "noticed_within"),
    [(10, 1.6), (60, 1.6), (120, 2.1), (3600, 60.1), (7 * 86400, LONGEST_PAUSE + 0.1)],
)
def test_return_is_noticed_in_proportion_to_the_outage(
    outage: float, noticed_within: float
) -> None:
    health, now = DeviceHealth(), 0.0
    while now < outage or not health.due(now):
        if health.due(now):
            health.observe(now, answered=False)
        now += 0.1

    assert now - outage <= noticed_within


@given(st.lists(st.tuples(st.floats(0, 1000), st.booleans()), max_size=60))
def test_a_silent_device_is_always_asked_again(steps: list[tuple[float, bool]]) -> None:
    health, now = DeviceHealth(), 1e9
    for pause, answered in steps:
        now += pause
        health.observe(now, answered=answered)

    assert health.due(now + LONGEST_PAUSE)
    assert health.due(now) == (not health.is_silent)
    if health.is_silent:
        assert not health.due(now + SHORTEST_PAUSE - 0.01)
        # The clock of the machine was set back by a day.
        assert health.due(now - 86400)


def test_only_the_silent_one_is_left_out() -> None:
    health = Health(["chiller_1", "chiller_2"])
    for now in (0, 5):
        health.observe(now, "chiller_1", answered=False)
        health.observe(now, "chiller_2", answered=True)

    assert health.silent == {"chiller_1"}
    assert health.probes_due(6) == ()
    assert health.probes_due(6.5) == ("chiller_1",)
    assert health.observe(8, "chiller_1", answered=True) is Change.CAME_BACK
    assert health.silent == set()


def test_probe_is_due_in_every_cycle_after_a_power_cycle() -> None:
    cycle, timeout = 5.0, 3.1
    health = DeviceHealth()
    for started in range(0, 80, 5):
        assert health.due(started)
        health.observe(started + timeout, answered=False)
        assert health.due(started + cycle)
