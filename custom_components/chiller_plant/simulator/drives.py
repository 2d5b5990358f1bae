"""Motors on frequency converters, and the valves beside them.

Fleets: arrays over (scenarios, machines), as `arrays` says.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, Flags
from .pump_curves import PumpCurves

RAMP_TIME = 40.0
"""Seconds from standstill to full speed."""

STROKE_TIME = 60.0
"""Seconds a valve takes from closed to open."""

_OPEN = 0.95
_TURNING = 0.02

type Columns = slice | NDArray[np.intp]
"""Which machines of a fleet."""


class Fault(IntEnum):
    """What can be wrong with a machine, on command."""

    NONE = 0
    FAIL_TO_START = 1
    TRIP = 2
    HAND = 3
    """The converter stands in hand at a speed of its own and hears no command."""
    STUCK = 4
    """The actuator stays where it is."""

    @property
    def word(self) -> str:
        """What people call it: `fail_to_start`."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Fault:
        """Return the fault that people call so. Raise `KeyError` for none."""
        return cls[word.upper()]


class Drives:
    """Motors on frequency converters; speeds 0 to 1 of rated."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        "speed": "1",
        "power": "kW",
        "running": "bool",
        "alarm": "bool",
        "remote": "bool",
    }
    ACTIONS: ClassVar[Mapping[str, str]] = {"run": "bool", "speed": "1"}
    FAULTS: ClassVar[tuple[Fault, ...]] = (
        Fault.NONE,
        Fault.FAIL_TO_START,
        Fault.TRIP,
        Fault.HAND,
    )

    def __init__(self, rated_power: Sequence[float] | Array, scenarios: int) -> None:
        """Take each motor's electrical power at rated speed and load in kW."""
        self.rated_power: Array = np.asarray(rated_power, dtype=np.float64)
        shape = (scenarios, len(self.rated_power))
        # One row a scenario: numpy multiplies equal shapes three times faster.
        self._rated: Array = np.tile(self.rated_power, (scenarios, 1))
        self.speed: Array = np.zeros(shape)
        self.power: Array = np.zeros(shape)
        self.alarm: Flags = np.zeros(shape, dtype=np.bool_)
        self.fault: NDArray[np.int8] = np.zeros(shape, dtype=np.int8)
        """A `Fault` each."""
        self.hand_speed: Array = np.ones(shape)
        """What a converter in hand turns its motor at."""

    @property
    def running(self) -> Flags:
        """Whether the converter reports its motor turning."""
        return self.speed > _TURNING

    @property
    def remote(self) -> Flags:
        """Whether the converter hears commands."""
        remote: Flags = self.fault != Fault.HAND
        return remote

    def step(self, seconds: float, *, run: Flags, speed: Array) -> None:
        """Ramp towards `speed`; a trip coasts down until it is reset by off."""
        if np.count_nonzero(self.fault) or np.count_nonzero(self.alarm):
            hand = self.fault == Fault.HAND
            self.alarm &= run
            self.alarm |= self.fault == Fault.TRIP
            speed = np.where(hand, self.hand_speed, speed)
            run = ((run & (self.fault == Fault.NONE)) | hand) & ~self.alarm
        target = np.minimum(speed, 1.0)
        np.maximum(target, 0.0, out=target)
        target *= run
        travel = seconds / RAMP_TIME
        # Written so that it lands on the target exactly: pumps that were told
        # the same are then found to turn alike.
        np.maximum(target, self.speed - travel, out=target)
        np.minimum(target, self.speed + travel, out=self.speed)

    def settle(self, run: Flags, speed: Array) -> None:
        """Begin as if they had been commanded like this for long."""
        self.step(RAMP_TIME, run=run, speed=speed)


class Fans(Drives):
    """Tower fans: power goes with the cube of the speed."""

    def step(self, seconds: float, *, run: Flags, speed: Array) -> None:
        """Ramp, and take power by the fan law."""
        super().step(seconds, run=run, speed=speed)
        np.multiply(self.speed, self.speed, out=self.power)
        self.power *= self.speed
        self.power *= self._rated


class Pumps(Drives):
    """Centrifugal pumps: speed follows the drive, flow the system."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        **Drives.OBSERVABLES,
        "flow": "l/s",
        "head": "kPa",
    }

    def __init__(
        self,
        flow: Sequence[float] | Array,
        head: Sequence[float] | Array,
        power: Sequence[float] | Array,
        scenarios: int,
    ) -> None:
        """Take the rated points: l/s, kPa and electrical kW."""
        super().__init__(power, scenarios)
        self.curves = PumpCurves(
            np.tile(flow, (scenarios, 1)), np.tile(head, (scenarios, 1))
        )
        self.flow: Array = np.zeros_like(self.speed)
        self.shaft_power: Array = np.zeros_like(self.speed)
        """kW that reach the impellers; all of it ends as heat in the water."""

    @property
    def head(self) -> Array:
        """Pressure that each pump makes now, kPa."""
        return self.curves.head_at(self.flow, self.speed)

    @property
    def clipped(self) -> Flags:
        """Where the flow lies outside the published part of the power curve."""
        return self.curves.outside(self.flow, self.speed)

    def take_flow(self, flow: Array, columns: Columns = slice(None)) -> None:
        """Take the flows in l/s that the system lets through `columns`."""
        self.flow[:, columns] = flow
        shaft, electrical = self.curves.power_shares(
            flow, self.speed[:, columns], columns
        )
        rated = self._rated[:, columns]
        self.shaft_power[:, columns] = shaft * rated
        self.power[:, columns] = electrical * rated


class Valves:
    """Valves with slow actuators; positions 0 to 1."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {"position": "1", "is_open": "bool"}
    ACTIONS: ClassVar[Mapping[str, str]] = {"position": "1"}
    FAULTS: ClassVar[tuple[Fault, ...]] = (Fault.NONE, Fault.STUCK)

    def __init__(
        self, machines: int, scenarios: int, stroke: float = STROKE_TIME
    ) -> None:
        """Take how many there are, and the seconds from closed to open."""
        self.position: Array = np.zeros((scenarios, machines))
        self.fault: NDArray[np.int8] = np.zeros((scenarios, machines), dtype=np.int8)
        """A `Fault` each."""
        self._stroke = stroke

    @property
    def is_open(self) -> Flags:
        """Whether the end switch for open is made."""
        return self.position >= _OPEN

    def step(self, seconds: float, *, position: Array) -> None:
        """Travel towards `position` for a while."""
        target = np.minimum(position, 1.0)
        np.maximum(target, 0.0, out=target)
        if np.count_nonzero(self.fault):
            target = np.where(self.fault == Fault.STUCK, self.position, target)
        travel = seconds / self._stroke
        np.maximum(target, self.position - travel, out=target)
        np.minimum(target, self.position + travel, out=self.position)

    def settle(self, position: Array) -> None:
        """Begin as if they had been commanded like this for long."""
        self.step(self._stroke, position=position)
