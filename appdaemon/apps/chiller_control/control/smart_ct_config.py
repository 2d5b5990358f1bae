"""The form of a tower group: what it drives, by which law, between which limits."""

from dataclasses import dataclass

from .decision import ControlRefused
from .driven_points import DRIVEN_ROLES, driven_points
from .plan import Plan, PlanAutomation, PlanEquipment, PlanPoint
from .plant_ratings import LEAST_CONDENSER_FLOW, choice, plant_ratings
from .tower_laws import LAWS

CELL_CHOICES = ("chillers", "all", "load_tiers")
_DRIVES = ("cooling_tower", "condenser_water_pump")


@dataclass(frozen=True, slots=True)
class Drive:
    """A fan or a pump with its speed; points by key, None where it has none."""

    key: str
    name: str
    speed: PlanPoint | None
    run: str | None
    """The run command, where this automation may give it."""
    status: str | None
    alarm: str | None
    present: str | None
    """Where its speed can be seen."""

    @property
    def points(self) -> tuple[str, ...]:
        """All that is read of it."""
        speed = self.speed.key if self.speed else None
        wanted = (speed, self.run, self.status, self.alarm, self.present)
        return tuple(point for point in wanted if point is not None)


class SmartCTConfig:
    """What an integrator chose; checked once."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Read it; raise ControlRefused if it cannot be run."""
        number = automation.number
        config = automation.config
        self.law = choice(config.get("law") or "wet_bulb_approach", "law", LAWS)
        self.cell_choice = choice(
            config.get("cells") or "chillers", "cells", CELL_CHOICES
        )
        self.load_tiers = _tiers(config.get("load_tiers"))
        self.setpoint = number("condenser_water_setpoint", 29.4)
        self.approach = number("approach", 3.5, minimum=0.0)
        self.setpoint_minimum = number("setpoint_minimum", 18.0)
        self.setpoint_maximum = number(
            "setpoint_maximum", 30.0, minimum=self.setpoint_minimum
        )
        self.minimum_lift = number("minimum_lift", 12.0, minimum=0.0)
        self.design_return = number("design_return_temperature", 35.0)
        self.design_supply = number("design_supply_temperature", 6.7)
        if self.design_return - self.design_supply <= self.minimum_lift:
            raise ControlRefused(
                "design_return_temperature less design_supply_temperature is not "
                f"above minimum_lift {self.minimum_lift:g} K",
                "design_return_temperature",
                "design_supply_temperature",
                "minimum_lift",
            )
        self.fan_minimum = number("fan_speed_minimum", 20.0, minimum=0.0, maximum=100.0)
        self.fan_maximum = number(
            "fan_speed_maximum", 100.0, minimum=self.fan_minimum, maximum=100.0
        )
        self.fan_rate = number("fan_rate", 10.0, minimum=0.1) / 60.0
        self.pump_rate = number("pump_rate", 10.0, minimum=0.1) / 60.0
        self.gain = number("gain", 8.0, minimum=0.0)
        self.integral_time = number("integral_time", 300.0, minimum=1.0)
        self.pump_speed = number("condenser_pump_speed", 100.0, minimum=0, maximum=100)
        self.flow_minimum = number(
            "condenser_flow_minimum", 60.0, minimum=LEAST_CONDENSER_FLOW, maximum=100.0
        )
        self.static_head = number("condenser_static_head", 35.0, minimum=0.0)
        self.minimum_cell_flow = number(
            "minimum_cell_flow", 20.0, minimum=0.0, maximum=100.0
        )
        self.cell_hold = number("cell_hold", 600.0, minimum=0.0)
        self.optimise_interval = number("optimise_interval", 600.0, minimum=60.0)
        self.minimum_saving = number("minimum_saving", 0.3, minimum=0.0)
        self.chillers = _chillers(plan, automation)
        self.cells, self.pumps = _drives(
            plan, automation, run=self.cell_choice != "chillers"
        )
        if not self.cells:
            raise ControlRefused("no cooling tower is chosen", "towers")
        self.drives_fans = any(cell.speed for cell in self.cells)
        self.drives_cells = any(cell.run for cell in self.cells)
        self.drives_pumps = bool(self.pumps)
        if self.law != "fixed" and not self.drives_fans:
            raise ControlRefused(
                "no tower that is chosen has a fan speed to set; choose the fixed law",
                "towers",
            )
        lows = [cell.speed.low for cell in self.cells if cell.speed]
        self.may_stop_fans = all(low is None or low <= 0 for low in lows)
        self.fan_minimum = max([self.fan_minimum, *(low for low in lows if low)])
        self.fan_maximum = max(self.fan_minimum, self.fan_maximum)
        self.capacity = sum(
            item.ratings.get("cooling_capacity", 0.0) for item in self.chillers
        )
        if self.capacity <= 0:
            raise ControlRefused("no chiller has a cooling_capacity in the plant file")
        self.ratings = plant_ratings(
            plan,
            automation,
            self.chillers,
            [plan.equipment[cell.key] for cell in self.cells],
            drives_pumps=self.drives_pumps,
            fan_minimum=self.fan_minimum,
            fan_maximum=self.fan_maximum,
        )


def _tiers(value: object) -> tuple[float, ...]:
    """Return the loads in % above which a cell more runs."""
    if value is None or value == "":
        return (40.0, 70.0)
    try:
        tiers = tuple(float(item) for item in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise ControlRefused(
            f"load_tiers are not numbers: {value!r}", "load_tiers"
        ) from None
    if list(tiers) != sorted(tiers):
        raise ControlRefused(f"load_tiers do not rise: {value!r}", "load_tiers")
    return tiers


def _chillers(plan: Plan, automation: PlanAutomation) -> tuple[PlanEquipment, ...]:
    keys = automation.names("chillers") or tuple(
        item.key for item in plan.of_type("chiller")
    )
    for key in keys:
        if key not in plan.equipment or plan.equipment[key].type != "chiller":
            raise ControlRefused(
                f"chillers: the plant has no chiller {key}", "chillers"
            )
    if not keys:
        raise ControlRefused("the plant has no chiller")
    return tuple(plan.equipment[key] for key in dict.fromkeys(keys))


def _drives(
    plan: Plan, automation: PlanAutomation, *, run: bool
) -> tuple[tuple[Drive, ...], tuple[Drive, ...]]:
    """Return the cells and the condenser pumps that the outputs name.

    Without `run` the cells are run by whoever runs the chillers.
    """
    for name in automation.names("outputs"):
        item = plan.equipment.get(name)
        if item is not None and item.type not in _DRIVES:
            raise ControlRefused(
                f"{item.name} is neither a tower nor a condenser-water pump",
                "towers",
            )
    roles: dict[str, set[str]] = {}
    for name in driven_points(plan, automation):
        key, _, role = name.partition(".")
        point = plan.points.get(name)
        if point is None or not point.writable:
            raise ControlRefused(
                f"outputs: {name} is not a point that can be set", "towers"
            )
        kind = plan.equipment[key].type
        if kind not in _DRIVES or role not in DRIVEN_ROLES[kind]:
            raise ControlRefused(
                f"outputs: {name} is neither fan speed or run command of a tower nor "
                "the speed of a condenser-water pump",
                "towers",
            )
        roles.setdefault(key, set()).add(role)
    found: dict[str, list[Drive]] = {kind: [] for kind in _DRIVES}
    for key, names in roles.items():
        item = plan.equipment[key]
        found[item.type].append(
            Drive(
                key=key,
                name=item.name,
                speed=item.points["speed_command"]
                if "speed_command" in names
                else None,
                run=f"{key}.run_command" if run and "run_command" in names else None,
                status=item.point("run_status") or item.point("run_command"),
                alarm=item.point("alarm"),
                present=item.point("speed") or item.point("speed_command"),
            )
        )
    towers, pumps = (tuple(found[kind]) for kind in _DRIVES)
    return towers, pumps
