"""A chiller that failed, or fell silent, is last until it may try again."""

from chiller_control.control.chiller_sequence import ChillerSequence
from chiller_control.control.decision import ControlRefused
from factories import automation, first, plan_of, staging
import pytest
from three_chillers import NOON, THREE, order, readings, sequence, state_of


def test_faulted_chiller_is_last_and_the_latest_last_of_all() -> None:
    rotation = sequence(method="manual")
    rotation.step(NOON, readings())
    decision = rotation.step(NOON + 5, readings(chiller_1__alarm=True))
    assert order(decision) == ["chiller_2", "chiller_3", "chiller_1"]
    assert state_of(decision, "chiller_1") == ("excluded", "in alarm")
    fault, change = decision.events
    assert (fault.event, change.event) == ("chiller_faulted", "sequence_changed")
    assert fault.data == {"equipment": "chiller_1", "from": 1, "to": 3}
    both = {"chiller_1__alarm": True, "chiller_2__alarm": True}
    decision = rotation.step(NOON + 10, readings(**both))
    assert order(decision) == ["chiller_3", "chiller_1", "chiller_2"]
    decision = rotation.step(NOON + 15, readings(chiller_2__alarm=True))
    assert order(decision)[1] == "chiller_1", "well again, but not for long enough"
    decision = rotation.step(NOON + 80, readings(chiller_2__alarm=True))
    assert order(decision) == ["chiller_1", "chiller_3", "chiller_2"]
    assert decision.events[0].event == "chiller_back"


def test_chiller_that_does_not_start_is_last_until_it_runs() -> None:
    rotation = sequence(method="manual")
    asked = {"chiller_1__run_command": True}
    for second in range(0, 240, 5):
        decision = rotation.step(NOON + second, readings(**asked))
        assert order(decision) == THREE
    decision = rotation.step(NOON + 240, readings(**asked))
    assert order(decision)[-1] == "chiller_1"
    assert state_of(decision, "chiller_1") == (
        "excluded",
        "did not run within 4 min of its command",
    )
    # Staging takes its command back; it is not well for that.
    decision = rotation.step(NOON + 1000, readings())
    assert order(decision)[-1] == "chiller_1"
    rotation.step(NOON + 1100, readings(chiller_1__run_status=True))
    decision = rotation.step(NOON + 1200, readings(chiller_1__run_status=True))
    assert order(decision)[0] == "chiller_1"


def test_chiller_that_is_held_back_has_not_failed() -> None:
    rotation = sequence(method="manual")
    for second in range(0, 2000, 5):
        decision = rotation.step(
            NOON + second,
            readings(
                chiller_1__run_command=True,
                holds={"chiller_1.run_command": "minimum off time, 8 min left"},
            ),
        )
    assert order(decision)[0] == "chiller_1"


def test_chiller_that_failed_gets_another_chance() -> None:
    rotation = sequence(method="manual")
    for second in range(0, 300, 5):
        rotation.step(NOON + second, readings(chiller_1__run_command=True))
    assert order(rotation.step(NOON + 3700, readings()))[-1] == "chiller_1"
    rotation.step(NOON + 3900, readings())
    assert order(rotation.step(NOON + 4000, readings()))[0] == "chiller_1"


def test_silence_for_a_moment_does_not_change_the_order() -> None:
    rotation = sequence(method="manual")
    rotation.step(NOON, readings(chiller_1__run_status=True))
    quiet = readings(chiller_1__run_status=None)
    decision = rotation.step(NOON + 5, quiet)
    assert order(decision)[0] == "chiller_1"
    decision = rotation.step(NOON + 65, quiet)
    assert order(decision)[-1] == "chiller_1"


@pytest.mark.parametrize(
    ("proof_timeout", "failure_time", "refused"),
    [(300, 240, False), (300, 300, True), (200, 240, True), (None, 240, False)],
)
def test_a_failure_is_seen_before_staging_takes_the_start_back(
    proof_timeout: int | None, failure_time: int, refused: bool
) -> None:
    data = automation(
        "chiller_sequence",
        metadata={"chillers": ["chiller_1", "chiller_2"]},
        config={"failure_time": failure_time},
    )
    plan = plan_of(data, staging(proof_timeout=proof_timeout))
    if not refused:
        ChillerSequence(plan, first(plan))
        return
    with pytest.raises(ControlRefused, match="wait for proof of Staging") as said:
        ChillerSequence(plan, first(plan))
    assert said.value.fields == ("failure_time",)


def test_a_staging_of_other_chillers_has_its_own_times() -> None:
    data = automation(
        "chiller_sequence",
        metadata={"chillers": ["chiller_3"]},
        config={"failure_time": 240},
    )
    plan = plan_of(data, staging(proof_timeout=60), chillers=3)
    ChillerSequence(plan, first(plan))
