"""What an automation says that it drives, point by point.

A form lets people choose machines where that is more natural than points. The
automation that drives them and those that leave them to it must understand
the same by that, so it is said here once.
"""

from collections.abc import Mapping

from .plan import Plan, PlanAutomation

DRIVEN_ROLES: Mapping[str, tuple[str, ...]] = {
    "cooling_tower": ("speed_command", "run_command"),
    "condenser_water_pump": ("speed_command",),
    "secondary_chilled_water_pump": ("speed_command", "run_command"),
}
"""What a machine in `outputs` stands for, by its type: those of its points that
have one of these roles and can be set."""


def driven_points(plan: Plan, automation: PlanAutomation) -> tuple[str, ...]:
    """Return the points that `outputs` of an automation names.

    Points stand for themselves, also those that the plan does not have: whether
    one can be driven is for the automation's own controller to judge.
    """
    found: dict[str, None] = {}
    for name in automation.names("outputs"):
        equipment = plan.equipment.get(name)
        if equipment is None:
            found[name] = None
            continue
        roles = DRIVEN_ROLES.get(equipment.type, ())
        found.update(
            (point, None)
            for role in roles
            if (point := equipment.command(role)) is not None
        )
    return tuple(found)
