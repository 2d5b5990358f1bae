"""The ways to control a plant that are compared, each as filled-in forms.

One table: what a way differs in is a row, not code. All ways run the same
start and stop sequences, schedules and loops; they differ in when they stage,
what they reset, and how they run pumps and towers.
"""

from collections.abc import Callable, Mapping

from appdaemon.apps.chiller_control.control.chiller_add_subtract import (
    ChillerAddSubtract,
)
from appdaemon.apps.chiller_control.control.chiller_curves import CHILLER_CURVES
from appdaemon.apps.chiller_control.control.chiller_plant_schedule import (
    ChillerPlantSchedule,
)
from appdaemon.apps.chiller_control.control.decision import Controller
from appdaemon.apps.chiller_control.control.dynamic_setpoint import DynamicSetpoint
from appdaemon.apps.chiller_control.control.pid_control import PidControl
from appdaemon.apps.chiller_control.control.plan import Plan, PlanAutomation
from appdaemon.apps.chiller_control.control.smart_ct import SmartCT
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.roles import EquipmentType

from .virtual_plan import Automation

CONTROL_INTERVAL = 60.0
"""Seconds between two decisions."""

COLDEST_SUPPLY, WARMEST_SUPPLY = 6.2, 9.0
"""°C; the same for all who reset it, and for the bound. The coldest is half a
kelvin under the design's, for days on which the building needs more than that."""

_PRESSURE = "chilled_water_differential_pressure_setpoint"

BUILD: Mapping[str, Callable[[Plan, PlanAutomation], Controller]] = {
    "chiller_plant_schedule": ChillerPlantSchedule,
    "chiller_add_subtract": ChillerAddSubtract,
    "dynamic_setpoint": DynamicSetpoint,
    "smart_ct": SmartCT,
    "pid_control": PidControl,
}
"""The controller of each control type."""


def _keys(plant: Plant, kind: EquipmentType, role: str = "") -> list[str]:
    return [
        f"{item.key}.{role}" if role else item.key
        for item in plant.of_type(kind)
        if not role or role in item.points
    ]


def _pressures(plant: Plant) -> dict[str, float]:
    """Return the pressures of the reset: those that the plant file gives the point.

    At most what holds when nobody resets it, which is the design's.
    """
    point = plant.of_type(EquipmentType.PLANT)[0].points[_PRESSURE]
    assert point.low is not None
    assert isinstance(point.release, int | float)
    return {
        "differential_pressure_minimum": point.low,
        "differential_pressure_maximum": point.release,
    }


def _machine(plant: Plant) -> dict[str, str | float]:
    """Return what the forms say of the chillers, as their data sheet has it.

    The lift may fall as far as the machine's own curves were published for; the
    12 K of Guideline 36 are for machines of which nothing is known.
    """
    curves = str(plant.simulation.get("chiller_curves", next(iter(CHILLER_CURVES))))
    coldest = CHILLER_CURVES[curves].condenser[0]
    return {"chiller_curves": curves, "minimum_lift": coldest - WARMEST_SUPPLY}


def _always_on() -> Automation:
    return Automation(
        "chiller_plant_schedule", "schedule", config={"operation": "all_day"}
    )


def _staging(plant: Plant, **config: float | str) -> Automation:
    return Automation(
        "chiller_add_subtract",
        "staging",
        {"chillers": _keys(plant, EquipmentType.CHILLER)},
        {
            "stage_up_threshold": 90,
            "stage_down_threshold": 80,
            "stage_hold": 900,
            "minimum_stage_time": 900,
            "supply_temperature_error": 1.0,
            "proof_timeout": 600,
            "start_hold": 30,
            "stop_flow_delay": 180,
            "supply_temperature_setpoint": 6.7,
            "pump_speed": 100,
            "condenser_pump_speed": 100,
            "tower_fan_speed": 100,
            **config,
        },
        priority=1,
    )


def _loop(
    name: str,
    plant: Plant,
    measurement: str,
    setpoint: str,
    kind: EquipmentType,
    **config: float | str,
) -> Automation:
    return Automation(
        "pid_control",
        name,
        {
            "measurement": measurement,
            "setpoint_point": setpoint,
            "outputs": _keys(plant, kind, "speed_command"),
            "enable": _keys(plant, kind, "run_status"),
        },
        {"interval": CONTROL_INTERVAL, **config},
        priority=2,
    )


def _pressure_loop(plant: Plant) -> Automation:
    return _loop(
        "secondary_pressure",
        plant,
        "plant.chilled_water_differential_pressure",
        "plant.chilled_water_differential_pressure_setpoint",
        EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
        action="reverse",
        gain=0.10,
        integral_time=60,
        output_minimum=25,
        output_maximum=100,
    )


def _condenser_loop(plant: Plant) -> Automation:
    return _loop(
        "condenser_water",
        plant,
        "plant.condenser_water_supply_temperature",
        "plant.condenser_water_supply_temperature_setpoint",
        EquipmentType.COOLING_TOWER,
        action="direct",
        gain=10.0,
        integral_time=600,
        output_minimum=20,
        output_maximum=100,
    )


def _fixed(plant: Plant) -> tuple[Automation, ...]:
    """Hold the design's setpoints all year, as most plants do."""
    return (
        _always_on(),
        _staging(plant),
        _pressure_loop(plant),
        _condenser_loop(plant),
    )


def _reset(plant: Plant, **config: float | str) -> Automation:
    """Trim and respond on what the zones ask for, within the same comfort."""
    return Automation(
        "dynamic_setpoint",
        "reset",
        {
            "outputs": [
                "plant.chilled_water_supply_temperature_setpoint",
                "plant.chilled_water_differential_pressure_setpoint",
            ]
        },
        {
            "method": "trim_and_respond",
            "supply_temperature_minimum": COLDEST_SUPPLY,
            "supply_temperature_maximum": WARMEST_SUPPLY,
            "ignored_requests": 0,
            **config,
        },
        priority=2,
    )


def _towers(plant: Plant, *roles: str, **config: float | str) -> Automation:
    outputs = _keys(plant, EquipmentType.COOLING_TOWER, "speed_command")
    if "cells" in roles:
        outputs += _keys(plant, EquipmentType.COOLING_TOWER, "run_command")
    if "pumps" in roles:
        outputs += _keys(plant, EquipmentType.CONDENSER_WATER_PUMP, "speed_command")
    return Automation("smart_ct", "towers", {"outputs": outputs}, config, priority=3)


def _guideline36(plant: Plant) -> tuple[Automation, ...]:
    """Follow ASHRAE Guideline 36: resets, staging by lift, return water by load."""
    return (
        _always_on(),
        _staging(plant, staging="lift", design_lift=28),
        _pressure_loop(plant),
        _reset(plant, pump_share=100),
        _towers(plant, law="lift", cells="chillers"),
    )


def _ours(plant: Plant) -> tuple[Automation, ...]:
    """Let the plant's own model choose cells, speeds and the next stage.

    Zones ask for more when they or their supply air get too warm, and not when
    their valves are open: an open valve throttles nothing away.
    """
    return (
        _always_on(),
        _staging(
            plant,
            staging="model",
            stage_up_threshold=115,
            stage_down_threshold=88,
            start_saving=15,
            primary_flow="follow",
            primary_flow_minimum=55,
            **_machine(plant),
        ),
        _pressure_loop(plant),
        _reset(
            plant,
            **_pressures(plant),
            split=60,
            trim_interval=120,
            trim=1,
            respond=1.5,
            respond_maximum=3,
            valve_request_on=100,
            valve_request_off=95,
            supply_air_temperature_error=0.2,
            zone_temperature_error=0.2,
        ),
        _towers(
            plant,
            "cells",
            "pumps",
            law="model",
            cells="all",
            minimum_cell_flow=10,
            condenser_flow_minimum=56,
            **_machine(plant),
        ),
    )


CONTROLS: Mapping[str, Callable[[Plant], tuple[Automation, ...]]] = {
    "fixed": _fixed,
    "guideline36": _guideline36,
    "ours": _ours,
}
"""The automations of each way, by the name it is asked for with."""
