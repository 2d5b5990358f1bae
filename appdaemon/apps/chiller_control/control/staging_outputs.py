"""The setpoints and speeds that go with what a staging automation switches."""

from collections.abc import Sequence

from .decision import Command
from .plan import Plan, PlanAutomation
from .primary_flow import PrimaryFlow
from .staging_config import StagingConfig, configured_speeds, limited
from .staging_plant import StagingPlant

_SETPOINT = "chilled_water_supply_temperature_setpoint"


class StagingOutputs:
    """Adds setpoints and speeds to the commands of the sequence."""

    def __init__(
        self,
        plan: Plan,
        automation: PlanAutomation,
        plant: StagingPlant,
        config: StagingConfig,
    ) -> None:
        """Find what is set, and what another automation sets instead."""
        self._plan, self._plant = plan, plant
        plants = plan.of_type("plant")
        self._speeds = {
            run: Command(point, value, "Configured speed")
            for run, (point, value) in configured_speeds(
                plan, automation, plant, config
            ).items()
        }
        self.primary = PrimaryFlow(plan, plant, config)
        self._follows = frozenset(
            machine.command
            for machine in plant.machines
            if self.primary.follows and machine.key in self.primary.pumps
        )
        self._setpoint: float | None = None
        self._setpoints: tuple[Command, ...] = ()
        self._made_of: tuple[Sequence[Command], float, float | None] | None = None
        self._made: tuple[Command, ...] = ()
        point = plants[0].command(_SETPOINT) if plants else None
        self._design = (
            ()
            if point is None
            else (
                Command(
                    point,
                    limited(config.setpoint, plan.points[point]),
                    "Design setpoint",
                ),
            )
        )

    def commands(
        self, setpoint: float, commands: Sequence[Command]
    ) -> tuple[Command, ...]:
        """Return all commands; a speed before what it is the speed of is on.

        The same object while they are the same.
        """
        made_of = (commands, setpoint, self.primary.speed)
        if made_of != self._made_of:
            self._made_of = made_of
            self._made = tuple(self._make(setpoint, commands))
        return self._made

    def _make(self, setpoint: float, commands: Sequence[Command]) -> list[Command]:
        if setpoint != self._setpoint:
            self._setpoint = setpoint
            self._setpoints = (
                *self._design,
                *(
                    Command(
                        chiller.setpoint_command,
                        limited(setpoint, self._plan.points[chiller.setpoint_command]),
                        "Plant setpoint",
                    )
                    for chiller in self._plant.chillers
                    if chiller.setpoint_command is not None
                ),
            )
        result = list(self._setpoints)
        for command in commands:
            speed = self._speeds.get(command.point) if command.value is True else None
            if speed is not None:
                if command.point in self._follows and self.primary.speed is not None:
                    speed = Command(
                        speed.point,
                        limited(self.primary.speed, self._plan.points[speed.point]),
                        "Follows the secondary flow",
                    )
                result.append(speed)
            result.append(command)
        return result
