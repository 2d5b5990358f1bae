"""PID control as an automation: what it holds, releases, follows and refuses."""

from dataclasses import replace
from typing import Any

from chiller_control.control.decision import ControlRefused, Decision, Inputs, Value
from chiller_control.control.pid_control import PidControl
from factories import first, loop, plan_of
import pytest

PRESSURE = "plant.chilled_water_differential_pressure"


def controller(**config: Any) -> PidControl:
    plan = plan_of(loop(**config))
    return PidControl(plan, first(plan))


def readings(pressure: float | None = 100.0, **more: Value | None) -> Inputs:
    values: dict[str, Value | None] = {
        PRESSURE: pressure,
        "schp_1.run_status": True,
        "schp_2.run_status": False,
        "schp_1.speed": 63.0,
        "schp_2.speed": 0.0,
    }
    values |= {key.replace("__", "."): value for key, value in more.items()}
    return Inputs(values)


def outputs(decision: Decision) -> dict[str, Value]:
    return {command.point: command.value for command in decision.commands}


def test_loop_starts_from_the_present_speed() -> None:
    decision = controller().step(0, readings())
    assert outputs(decision) == {
        "schp_1.speed_command": 63.0,
        "schp_2.speed_command": 63.0,
    }


def test_loop_raises_the_speed_while_the_pressure_is_low() -> None:
    loop_ = controller()
    speeds = [
        outputs(loop_.step(5.0 * n, readings(100)))["schp_1.speed_command"]
        for n in range(5)
    ]
    assert speeds == sorted(speeds) and speeds[-1] > speeds[0]


def test_loop_holds_its_output_while_the_measurement_is_not_good() -> None:
    loop_ = controller()
    for n in range(3):
        before = loop_.step(5.0 * n, readings(100))
    for n in range(3, 100):
        held = loop_.step(5.0 * n, readings(None))
    assert outputs(held) == outputs(before)
    assert held.state == "holding"
    assert PRESSURE in str(held.attributes["message"])
    back = loop_.step(500.0, readings(100))
    assert outputs(back) == outputs(before), "no bump when it comes back"
    assert back.events[0].event == "loop_controlling"


def test_loop_commands_nothing_before_anything_was_measured() -> None:
    decision = controller().step(0, readings(None))
    assert decision.commands == () and decision.state == "holding"


def test_loop_hands_its_outputs_back_while_no_pump_runs() -> None:
    loop_ = controller()
    loop_.step(0, readings())
    off = loop_.step(5, readings(schp_1__run_status=False))
    assert off.state == "disabled" and off.commands == ()


def test_loop_goes_on_while_it_is_not_known_whether_a_pump_runs() -> None:
    loop_ = controller()
    loop_.step(0, readings())
    unknown = loop_.step(5, readings(schp_1__run_status=None, schp_2__run_status=None))
    assert unknown.state == "controlling" and unknown.commands


def test_loop_follows_an_operator_and_goes_on_from_there() -> None:
    loop_ = controller()
    loop_.step(0, readings())
    taken = {
        "schp_1.speed_command": "Operator",
        "schp_2.speed_command": "Operator",
    }
    for n in range(1, 200):
        following = loop_.step(
            5.0 * n, replace(readings(60, schp_1__speed=42.0), taken=taken)
        )
    assert following.state == "overridden"
    assert "Operator" in str(following.attributes["message"])
    back = loop_.step(1000.0, readings(60, schp_1__speed=42.0))
    assert outputs(back)["schp_1.speed_command"] == 42.0


def test_setpoint_may_come_from_a_point() -> None:
    data = loop()
    point = "plant.chilled_water_supply_temperature_setpoint"
    data["metadata"]["setpoint_point"] = point
    plan = plan_of(data)
    loop_ = PidControl(plan, first(plan))
    assert (
        loop_.step(0, Inputs({**readings().values, point: 80.0})).attributes["setpoint"]
        == 80.0
    )
    held = loop_.step(5, Inputs({**readings().values, point: None}))
    assert held.state == "holding" and point in str(held.attributes["message"])


def test_output_keeps_within_the_limits_of_the_point() -> None:
    loop_ = controller(output_minimum=0)
    for n in range(200):
        decision = loop_.step(5.0 * n, readings(200))
    assert outputs(decision)["schp_1.speed_command"] == 25.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"config": {"gain": "much"}}, "gain is not a number"),
        ({"config": {"gain": -1}}, "gain is -1; at least 0"),
        ({"config": {"action": "sideways"}}, "'reverse' or 'direct'"),
        ({"config": {"setpoint": None}}, "setpoint is missing"),
        ({"config": {"output_maximum": 20}}, "nothing is left"),
        ({"metadata": {"outputs": []}}, "no output"),
        ({"metadata": {"measurement": ""}}, "no measurement"),
        ({"metadata": {"measurement": "boiler.heat"}}, "no point boiler.heat"),
        ({"metadata": {"outputs": ["schp_1.speed"]}}, "can be set"),
        ({"metadata": {"outputs": ["schp_1.run_command"]}}, "not a number"),
    ],
)
def test_a_form_that_cannot_work_is_refused(
    changes: dict[str, dict[str, Any]], says: str
) -> None:
    data = loop()
    for part, fields in changes.items():
        data[part] |= fields
    plan = plan_of(data)
    with pytest.raises(ControlRefused, match=says):
        PidControl(plan, first(plan))


def test_loop_brings_the_pressure_to_its_setpoint_and_keeps_it_there() -> None:
    """Pumps on a loop whose valves close half-way; read one poll late."""
    loop_ = controller(gain=0.1, integral_time=20)
    speed, pressures = 63.0, []
    for n in range(240):
        # Pressure goes with the square of the speed, less what the loop takes.
        resistance = 0.020 if n < 120 else 0.028
        drawn = pressures[-1] if pressures else 80.0
        commands = outputs(loop_.step(5.0 * n, readings(drawn, schp_1__speed=speed)))
        wanted = float(commands["schp_1.speed_command"])
        speed += max(-10.0, min(10.0, wanted - speed))
        pressures.append(resistance * speed**2)
    for settled in (pressures[60:120], pressures[180:]):
        assert all(abs(pressure - 120) < 0.05 * 120 for pressure in settled)
