"""The form of a dynamic setpoint: what it resets, between which limits, by what."""

from collections.abc import Sequence
from typing import NamedTuple

from .decision import ControlRefused
from .plan import Plan, PlanAutomation, PlanPoint
from .reset_requests import RequestSettings
from .trim_and_respond import TrimSettings

METHODS = ("trim_and_respond", "outdoor_air", "load")
TEMPERATURE = "chilled_water_supply_temperature_setpoint"
PRESSURE = "chilled_water_differential_pressure_setpoint"


class ResetOutput(NamedTuple):
    """A setpoint between what it is at 0 % and at 100 % of the reset."""

    point: PlanPoint
    at_zero: float
    at_full: float
    rate: float
    """Largest change a second."""
    digits: int

    def within(self, value: float) -> float:
        """Return the nearest value that the reset may have."""
        low, high = sorted((self.at_zero, self.at_full))
        return min(max(value, low), high)


def trim_settings(automation: PlanAutomation) -> TrimSettings:
    """Return how it is trimmed; raises ControlRefused."""
    number = automation.number
    return TrimSettings(
        initial=number("initial", 100.0, minimum=0.0, maximum=100.0),
        delay=number("delay", 900.0, minimum=0.0),
        interval=number("trim_interval", 300.0, minimum=1.0),
        ignored=number("ignored_requests", 2.0, minimum=0.0),
        trim=-number("trim", 2.0, minimum=0.0, maximum=100.0),
        respond=number("respond", 3.0, minimum=0.0, maximum=100.0),
        respond_maximum=number("respond_maximum", 7.0, minimum=0.0, maximum=100.0),
    )


def request_settings(automation: PlanAutomation) -> RequestSettings:
    """Return what counts as a request; raises ControlRefused."""
    number = automation.number
    on = number("valve_request_on", 95.0, minimum=0.0, maximum=100.0)
    return RequestSettings(
        valve_on=on,
        valve_off=number("valve_request_off", 85.0, minimum=0.0, maximum=on),
        supply_air=number("supply_air_temperature_setpoint", 13.0),
        air_error=number("supply_air_temperature_error", 2.0, minimum=0.1),
        zone_error=number("zone_temperature_error", 0.5, minimum=0.01),
    )


def reset_range(automation: PlanAutomation, method: str) -> tuple[float, float]:
    """Return the outdoor temperature, or load, at 0 % and 100 % of the reset.

    Raises ControlRefused.
    """
    if method == "load":
        name, low, high = "load", 40.0, 90.0
    else:
        name, low, high = "outdoor_temperature", 22.0, 32.0
    low = automation.number(f"{name}_low", low)
    high = automation.number(f"{name}_high", high)
    if low >= high:
        raise ControlRefused(
            f"{name}_low {low:g} is not below {name}_high {high:g}",
            f"{name}_low",
            f"{name}_high",
        )
    return low, high


def outputs(
    plan: Plan, automation: PlanAutomation
) -> tuple[ResetOutput | None, ResetOutput | None]:
    """Return the temperature and the pressure setpoint; raises ControlRefused."""
    number = automation.number
    plant = plan.of_type("plant")[0]
    names = automation.names("outputs") or [
        point
        for role in (TEMPERATURE, PRESSURE)
        if (point := plant.command(role)) is not None
    ]
    found: dict[str, ResetOutput] = {}
    for name in names:
        output = plan.points.get(name)
        role = name.partition(".")[2]
        if output is None or not output.writable or role not in (TEMPERATURE, PRESSURE):
            raise ControlRefused(
                f"outputs: {name} is not a setpoint that can be reset", "outputs"
            )
        if role in found:
            raise ControlRefused(f"outputs: {role} is there twice", "outputs")
        if role == TEMPERATURE:
            coldest = number("supply_temperature_minimum", 6.7)
            warmest = number("supply_temperature_maximum", 10.0)
            limits = "supply_temperature_minimum", "supply_temperature_maximum"
            rate = number("temperature_rate", 0.2, minimum=0.001) / 60.0
            at_full, at_zero, digits = coldest, warmest, 2
        else:
            at_zero = number("differential_pressure_minimum", 35.0, minimum=0.0)
            at_full = number("differential_pressure_maximum", 100.0)
            limits = "differential_pressure_minimum", "differential_pressure_maximum"
            rate = number("pressure_rate", 10.0, minimum=0.001) / 60.0
            coldest, warmest, digits = at_zero, at_full, 1
        if coldest > warmest:
            raise ControlRefused(f"{limits[0]} is above {limits[1]}", *limits)
        at_zero, at_full = (_within(output, value) for value in (at_zero, at_full))
        found[role] = ResetOutput(output, at_zero, at_full, rate, digits)
    if not found:
        raise ControlRefused("the plant has no setpoint that can be reset", "outputs")
    return found.get(TEMPERATURE), found.get(PRESSURE)


def _within(point: PlanPoint, value: float) -> float:
    low = value if point.low is None else max(value, point.low)
    return low if point.high is None else min(low, point.high)


def chiller_points(
    plan: Plan, keys: Sequence[str]
) -> dict[str, tuple[str | None, str | None]]:
    """Return the points of status and command by chiller; raises ControlRefused."""
    chillers = {}
    for key in keys:
        equipment = plan.equipment.get(key)
        if equipment is None or equipment.type != "chiller":
            raise ControlRefused(
                f"chillers: the plant has no chiller {key}", "chillers"
            )
        command = equipment.point("run_command")
        chillers[key] = (equipment.point("run_status") or command, command)
    if not chillers:
        raise ControlRefused("the plant has no chiller")
    return chillers
