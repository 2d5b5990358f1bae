"""Motors on frequency converters, and the valves beside them."""

from dataclasses import dataclass
from enum import StrEnum

from .hydraulics import PumpCurve

RAMP_TIME = 40.0
"""Seconds from standstill to full speed."""

STROKE_TIME = 60.0
"""Seconds a valve takes from closed to open."""

_OPEN = 0.95
_TURNING = 0.02


class Fault(StrEnum):
    """What can be wrong with a machine, on command."""

    NONE = "none"
    FAIL_TO_START = "fail_to_start"
    TRIP = "trip"


@dataclass(slots=True)
class Valve:
    """An isolation valve with a slow actuator; positions 0 to 1."""

    position: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the end switch for open is made."""
        return self.position >= _OPEN

    def step(self, seconds: float, wanted: float) -> None:
        """Travel towards `wanted` for a while."""
        travel = seconds / STROKE_TIME
        self.position += max(-travel, min(travel, wanted - self.position))
        self.position = max(0.0, min(1.0, self.position))


class Drive:
    """A motor on a frequency converter; speeds 0 to 1 of rated."""

    def __init__(self, rated_power: float) -> None:
        """Take the electrical power at rated speed and load in kW."""
        self.rated_power = rated_power
        self.speed = 0.0
        self.power = 0.0
        self.alarm = False
        self.fault = Fault.NONE

    @property
    def running(self) -> bool:
        """Whether the converter reports its motor turning."""
        return self.speed > _TURNING

    def step(self, seconds: float, run: bool, wanted: float) -> None:
        """Ramp towards `wanted`; a trip coasts down until it is reset by off."""
        if self.fault is Fault.TRIP:
            self.alarm = True
        elif not run:
            self.alarm = False
        may_run = run and not self.alarm and self.fault is Fault.NONE
        target = max(0.0, min(1.0, wanted)) if may_run else 0.0
        travel = seconds / RAMP_TIME
        self.speed += max(-travel, min(travel, target - self.speed))

    def settle(self, run: bool, wanted: float) -> None:
        """Begin as if it had been commanded like this for long."""
        self.step(RAMP_TIME, run, wanted)


class Pump(Drive):
    """A centrifugal pump: its speed follows the drive, its flow the system."""

    def __init__(self, curve: PumpCurve, rated_power: float) -> None:
        """Take the curve at rated speed and the electrical power in kW."""
        super().__init__(rated_power)
        self.curve = curve
        self.flow = 0.0

    def pump(self, flow: float) -> None:
        """Take the flow in l/s that the system lets through."""
        self.flow = flow
        self.power = self.rated_power * self.curve.power_share(flow, self.speed)


class Fan(Drive):
    """A tower fan: power goes with the cube of the speed."""

    def step(self, seconds: float, run: bool, wanted: float) -> None:
        """Ramp, and take power by the fan law."""
        super().step(seconds, run, wanted)
        self.power = self.rated_power * self.speed**3
