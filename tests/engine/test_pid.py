"""The arithmetic of a loop: within its limits, without a bump, never wound up."""

from chiller_control.control.pid import Pid, PidSettings
from hypothesis import given, settings, strategies as st
import pytest

SETTINGS = st.builds(
    PidSettings,
    gain=st.floats(0.01, 50),
    integral_time=st.one_of(st.just(0.0), st.floats(1, 2000)),
    derivative_time=st.one_of(st.just(0.0), st.floats(0.1, 200)),
    output_minimum=st.floats(0, 40),
    output_maximum=st.floats(50, 100),
    reverse=st.booleans(),
)
READING = st.floats(-200, 500)


def pressure_loop(**changes: float | bool) -> PidSettings:
    """Return the settings of a loop that a test changes in one place."""
    return PidSettings(
        **{
            "gain": 0.5,
            "integral_time": 30,
            "derivative_time": 0,
            "output_minimum": 30,
            "output_maximum": 100,
            **changes,
        }
    )


@given(SETTINGS, READING, st.lists(st.tuples(READING, READING, st.floats(0, 600))))
@settings(max_examples=150, deadline=None)
def test_output_is_always_within_its_limits(
    tuning: PidSettings, first: float, steps: list[tuple[float, float, float]]
) -> None:
    loop = Pid(tuning)
    outputs = [loop.start(first, 100, 60).output]
    outputs += [loop.update(*step).output for step in steps]
    assert all(
        tuning.output_minimum <= output <= tuning.output_maximum for output in outputs
    )


@given(SETTINGS, READING, READING, st.floats(40, 50))
@settings(max_examples=150, deadline=None)
def test_loop_starts_at_the_output_that_is_there(
    tuning: PidSettings, measurement: float, setpoint: float, output: float
) -> None:
    assert Pid(tuning).start(measurement, setpoint, output).output == pytest.approx(
        output, abs=1e-6
    )


def test_integral_is_not_wound_up_by_an_hour_at_the_limit() -> None:
    loop = Pid(pressure_loop())
    loop.start(60, 120, 100)
    for _ in range(720):
        terms = loop.update(60, 120, 5)
    assert terms.output == 100
    # The pressure passes its setpoint: the pump slows down within a minute.
    outputs = [loop.update(130, 120, 5).output for _ in range(12)]
    assert outputs[-1] < 95
    assert terms.integral <= 100


def test_output_rises_below_setpoint_when_reverse_and_falls_when_direct() -> None:
    for reverse, sign in ((True, 1), (False, -1)):
        loop = Pid(pressure_loop(reverse=reverse))
        loop.start(120, 120, 60)
        assert (loop.update(110, 120, 5).output - 60) * sign > 0


def test_derivative_answers_the_measurement_and_not_the_setpoint() -> None:
    loop = Pid(pressure_loop(derivative_time=20, gain=0.1))
    loop.start(120, 120, 60)
    assert loop.update(120, 140, 5).derivative == 0
    assert loop.update(125, 140, 5).derivative < 0


def test_derivative_of_a_ramp_settles_at_gain_times_derivative_time_times_slope() -> (
    None
):
    loop = Pid(pressure_loop(derivative_time=20, gain=0.1, output_minimum=-1000))
    loop.start(0, 0, 60)
    for n in range(1, 60):
        terms = loop.update(-0.5 * n, 0, 1)
    assert terms.derivative == pytest.approx(0.1 * 20 * 0.5, rel=0.01)


def test_step_response_is_that_of_the_isa_form() -> None:
    """K·e at once and another K·e after each integral time."""
    loop = Pid(pressure_loop(gain=1, integral_time=50, output_minimum=0))
    loop.start(100, 100, 40)
    for _ in range(50):
        terms = loop.update(95, 100, 1)
    assert terms.output == pytest.approx(40 + 5 + 5)
