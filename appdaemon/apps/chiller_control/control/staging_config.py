"""The numbers of a staging automation, and the speeds that follow from them."""

from .plan import Plan, PlanAutomation, PlanPoint
from .staging_plant import Machine, StagingPlant


class StagingConfig:
    """The numbers that an operator tunes; checked once."""

    def __init__(self, automation: PlanAutomation) -> None:
        """Read them; raise ControlRefused if one is not possible."""
        number = automation.number
        self.up = number("stage_up_threshold", 90.0, minimum=1.0, maximum=200.0)
        self.down = number("stage_down_threshold", 80.0, minimum=0.0, maximum=200.0)
        self.stage_hold = number("stage_hold", 900.0, minimum=0.0)
        self.minimum_stage_time = number("minimum_stage_time", 900.0, minimum=0.0)
        self.error = number("supply_temperature_error", 1.0, minimum=0.0)
        self.proof_timeout = number("proof_timeout", 300.0, minimum=1.0)
        self.start_hold = number("start_hold", 30.0, minimum=0.0)
        self.stop_flow_delay = number("stop_flow_delay", 180.0, minimum=0.0)
        self.setpoint = number("supply_temperature_setpoint", 7.0)
        self.pump_speed = number("pump_speed", 100.0, minimum=0.0, maximum=100.0)
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
    driven = {
        point
        for other in plan.automations
        if other.id != automation.id
        for point in other.names("outputs")
    }
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


def limited(value: float, point: PlanPoint) -> float:
    """Return the nearest value that the point takes."""
    low = value if point.low is None else max(value, point.low)
    return round(low if point.high is None else min(low, point.high), 2)
