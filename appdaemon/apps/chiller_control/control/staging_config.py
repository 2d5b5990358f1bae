"""The numbers of a staging automation, and the speeds that follow from them."""

from .decision import ControlRefused
from .driven_points import driven_points
from .plan import Plan, PlanAutomation, PlanPoint
from .staging_plant import COOLING_TOWERS, Machine, StagingPlant

STAGINGS = ("load", "lift", "model")
PRIMARY_FLOWS = ("fixed", "follow")


class StagingConfig:
    """The numbers that an operator tunes; checked once."""

    def __init__(self, automation: PlanAutomation) -> None:
        """Read them; raise ControlRefused if one is not possible."""
        number = automation.number
        self.staging = automation.config.get("staging") or STAGINGS[0]
        if self.staging not in STAGINGS:
            raise ControlRefused(
                f"staging is {self.staging!r}; it is one of {', '.join(STAGINGS)}",
                "staging",
            )
        self.minimum_lift = number("minimum_lift", 12.0, minimum=0.0)
        self.design_lift = number("design_lift", 28.0)
        if self.design_lift <= self.minimum_lift:
            raise ControlRefused(
                f"design_lift {self.design_lift:g} K is not above minimum_lift "
                f"{self.minimum_lift:g} K",
                "design_lift",
                "minimum_lift",
            )
        self.up = number("stage_up_threshold", 90.0, minimum=1.0, maximum=200.0)
        self.down = number("stage_down_threshold", 80.0, minimum=0.0, maximum=200.0)
        if self.down >= self.up:
            raise ControlRefused(
                f"stage_down_threshold {self.down:g} % is not below stage_up_threshold "
                f"{self.up:g} %: chillers would come and go",
                "stage_down_threshold",
                "stage_up_threshold",
            )
        self.start_saving = number("start_saving", 15.0, minimum=0.0, maximum=50.0)
        self.stage_hold = number("stage_hold", 900.0, minimum=0.0)
        self.minimum_stage_time = number("minimum_stage_time", 900.0, minimum=0.0)
        self.error = number("supply_temperature_error", 1.0, minimum=0.0)
        self.proof_timeout = number("proof_timeout", 300.0, minimum=1.0)
        self.start_hold = number("start_hold", 30.0, minimum=0.0)
        self.stop_flow_delay = number("stop_flow_delay", 180.0, minimum=0.0)
        self.setpoint = number("supply_temperature_setpoint", 7.0)
        self.pump_speed = number("pump_speed", 100.0, minimum=0.0, maximum=100.0)
        self.primary_flow = automation.config.get("primary_flow") or PRIMARY_FLOWS[0]
        if self.primary_flow not in PRIMARY_FLOWS:
            raise ControlRefused(
                f"primary_flow is {self.primary_flow!r}; it is one of "
                f"{', '.join(PRIMARY_FLOWS)}",
                "primary_flow",
            )
        self.primary_flow_minimum = number(
            "primary_flow_minimum", 60.0, minimum=55.0, maximum=100.0
        )
        self.condenser_pump_speed = number(
            "condenser_pump_speed", 100.0, minimum=0.0, maximum=100.0
        )
        self.tower_fan_speed = number(
            "tower_fan_speed", 100.0, minimum=0.0, maximum=100.0
        )


def configured_speeds(
    plan: Plan, automation: PlanAutomation, plant: StagingPlant, config: StagingConfig
) -> dict[str, tuple[str, float]]:
    """Speed point and value by run command, but for speeds that a loop drives."""
    driven = driven_by_others(plan, automation)
    values = {
        "condenser_water_pump": config.condenser_pump_speed,
        "cooling_tower": config.tower_fan_speed,
    }

    def speed(machine: Machine) -> float:
        value = values.get(plan.equipment[machine.key].type, config.pump_speed)
        return limited(value, plan.points[machine.speed_command or ""])

    return {
        machine.command: (machine.speed_command, speed(machine))
        for machine in plant.machines
        if machine.command
        and machine.speed_command
        and machine.speed_command not in driven
    }


def shared_cells(
    plan: Plan, automation: PlanAutomation, plant: StagingPlant
) -> frozenset[str]:
    """Return the towers that another automation may run besides."""
    driven = driven_by_others(plan, automation)
    return frozenset(
        key for key in plant.keys(COOLING_TOWERS) if f"{key}.run_command" in driven
    )


def driven_by_others(plan: Plan, automation: PlanAutomation) -> frozenset[str]:
    """Return the points that other automations say they drive."""
    return frozenset(
        point
        for other in plan.automations
        if other.id != automation.id
        for point in driven_points(plan, other)
    )


def limited(value: float, point: PlanPoint) -> float:
    """Return the nearest value that the point takes."""
    low = value if point.low is None else max(value, point.low)
    return round(low if point.high is None else min(low, point.high), 2)
