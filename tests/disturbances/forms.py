"""The forms that the stories fill in: how an operator would run the example plant.

Times of staging are shorter than a site has them, so that a story is short; the
interlocks' are the plant's own.
"""

from typing import Any

from benchmarks.energy_parts.virtual_plan import Automation

CHILLERS = ["chiller_1", "chiller_2", "chiller_3"]
PUMPS = ["schp_1", "schp_2", "schp_3"]
TOWERS = ["ct_1", "ct_2", "ct_3"]
PRESSURE = "plant.chilled_water_differential_pressure"
SUPPLY_SETPOINT = "plant.chilled_water_supply_temperature_setpoint"


class Form(Automation):
    """A form that can be told from others, so that a settled site is shared."""

    def __hash__(self) -> int:
        return hash(repr(self))


def hours(operation: str = "all_day") -> Form:
    """Say when the plant may run."""
    return Form("chiller_plant_schedule", "hours", config={"operation": operation})


def staging(name: str = "staging", **config: Any) -> Form:
    """Add and subtract chillers."""
    return Form(
        "chiller_add_subtract",
        name,
        {"chillers": CHILLERS},
        {
            "stage_hold": 300,
            "minimum_stage_time": 600,
            "proof_timeout": 300,
            "start_hold": 30,
            "stop_flow_delay": 180,
            "supply_temperature_setpoint": 6.7,
            **config,
        },
        priority=1,
    )


def pressure(**config: Any) -> Form:
    """Hold the secondary pressure with the speed of the pumps."""
    return Form(
        "pid_control",
        "pressure",
        {
            "measurement": PRESSURE,
            "setpoint_point": f"{PRESSURE}_setpoint",
            "outputs": [f"{key}.speed_command" for key in PUMPS],
            "enable": [f"{key}.run_status" for key in PUMPS],
        },
        {
            "gain": 0.1,
            "integral_time": 45,
            "output_minimum": 25,
            "output_maximum": 100,
            "interval": 5,
            **config,
        },
        priority=2,
    )


def pumps(**config: Any) -> Form:
    """Run the secondary pumps as a group."""
    return Form(
        "schp_control",
        "pumps",
        {
            "outputs": PUMPS,
            "sensors": [PRESSURE],
            "setpoint_points": [f"{PRESSURE}_setpoint"],
            "flow": "",
            "enable": [],
        },
        {"gain": 0.1, "integral_time": 45, "fallback_speed": 70, **config},
        priority=2,
    )


def reset(**config: Any) -> Form:
    """Trim and respond on what the zones ask for."""
    return Form(
        "dynamic_setpoint",
        "reset",
        {"outputs": [SUPPLY_SETPOINT, f"{PRESSURE}_setpoint"]},
        {
            "method": "trim_and_respond",
            "supply_temperature_minimum": 6.7,
            "supply_temperature_maximum": 9,
            **config,
        },
        priority=2,
    )


def towers(**config: Any) -> Form:
    """Hold the condenser water above the wet bulb."""
    return Form(
        "smart_ct",
        "towers",
        {"outputs": [f"{key}.speed_command" for key in TOWERS]},
        {"law": "wet_bulb_approach", **config},
        priority=3,
    )


PLANT = (hours(), staging(), pressure(), reset(), towers())
"""A plant as most have it."""
