"""A device that is gone is left out, told about once, and soon found again."""

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.drivers.health import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
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


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("outage", "noticed_within"),
    [(3, 5), (15, 5), (60, 18), (3600, LONGEST_PAUSE), (7 * 86400, LONGEST_PAUSE)],
)
def test_return_is_noticed_in_proportion_to_the_outage(
    outage: float, noticed_within: float, chance: float
) -> None:
    health, now = DeviceHealth(lambda: chance), 0.0
    while now < outage or not health.due(now):
        if health.due(now):
            health.observe(now, answered=False)
        now += 0.1

    assert now - outage <= noticed_within + 0.1


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 4.0), (0.5, 4.5), (1.0, 5.0)])
def test_what_died_together_is_not_probed_together(chance: float, pause: float) -> None:
    health = DeviceHealth(lambda: chance)
    health.observe(0, answered=False)
    health.observe(5, answered=False)

    assert not health.due(5 + pause - 0.01)
    assert health.due(5 + pause + 0.01)


def test_waiting_for_a_probe_in_vain_is_a_part_of_the_pause() -> None:
    health = DeviceHealth(lambda: 0.5)
    health.observe(0, answered=False)
    health.observe(7.5, answered=False, took=2.5)
    assert health.next_probe(7.5) == pytest.approx(2.0)
    # However slow it is, others have their turn.
    health.observe(15, answered=False, took=30)
    assert health.next_probe(15) == pytest.approx(1.0)


def test_device_that_announces_itself_is_asked_at_once() -> None:
    health = Health(["chiller_1", "chiller_2"])
    for device in ("chiller_1", "chiller_2"):
        for now in (0, 5):
            health.observe(now, device, answered=False)

    health.heard_from("chiller_2")
    health.heard_from("chiller_9")

    assert health.probes_due(5.1) == ("chiller_2",)
    assert health.silent == {"chiller_1", "chiller_2"}


@given(st.lists(st.tuples(st.floats(0, 1000), st.booleans()), max_size=60))
def test_a_silent_device_is_always_asked_again(steps: list[tuple[float, bool]]) -> None:
    health, now = DeviceHealth(), 1e9
    for pause, answered in steps:
        now += pause
        health.observe(now, answered=answered)

    assert health.due(now + LONGEST_PAUSE)
    assert health.due(now) == (not health.is_silent)
    if health.is_silent:
        assert not health.due(now + 0.8 * FIRST_PAUSE - 0.01)
        # The clock of the machine was set back by a day.
        assert health.due(now - 86400)


def test_only_the_silent_one_is_left_out() -> None:
    health = Health(["chiller_1", "chiller_2"], chance=lambda: 0.5)
    for now in (0, 5):
        health.observe(now, "chiller_1", answered=False)
        health.observe(now, "chiller_2", answered=True)

    assert health.silent == {"chiller_1"}
    assert health.probes_due(6) == ()
    assert health.probes_due(9.6) == ("chiller_1",)
    assert health.observe(10, "chiller_1", answered=True) is Change.CAME_BACK
    assert health.silent == set()
