"""Differential-pressure control: one loop for each sensor, the highest demand wins.

Guideline 36-2021 §5.20.6: where several remote sensors are controlled to, each
has its own loop and the pumps take the highest output, all at the same speed.
A sensor that is lost goes on demanding what it last did: were it left out, the
zone behind it would be starved without anybody seeing it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .pid import Pid, PidSettings

_LONGEST_STEP = 10
"""A gap of more intervals than this is a new start, not one long step."""


class Pressure(NamedTuple):
    """A sensor's reading and its setpoint, kPa; None what is not good."""

    point: str
    value: float | None
    setpoint: float | None


@dataclass(slots=True)
class _Loop:
    pid: Pid
    demand: float | None = None
    """Speed in %; None until the sensor was good once."""
    last_step: float | None = None


class PressureControl:
    """The speed of all pumps of a group, in %."""

    def __init__(
        self, settings: PidSettings, sensors: Sequence[str], interval: float
    ) -> None:
        """Begin without a speed."""
        self._settings = settings
        self._interval = interval
        self._loops = {sensor: _Loop(Pid(settings)) for sensor in sensors}
        self.output: float | None = None

    def step(
        self, now: float, pressures: Sequence[Pressure], present: float | None
    ) -> float | None:
        """Return the speed; it starts at `present`, what the pumps do now.

        None while no sensor has been good since the pumps were started.
        """
        start = self.output if self.output is not None else present
        if start is None:
            start = self._settings.output_minimum
        demands = []
        for pressure in pressures:
            loop = self._loops[pressure.point]
            self._advance(now, loop, pressure, start)
            if loop.demand is not None:
                demands.append(loop.demand)
        if demands:
            self.output = max(demands)
        return self.output

    def _advance(
        self, now: float, loop: _Loop, pressure: Pressure, start: float
    ) -> None:
        _, value, setpoint = pressure
        if value is None or setpoint is None:
            loop.last_step = None
            return
        elapsed = None if loop.last_step is None else now - loop.last_step
        if elapsed is None or not 0 <= elapsed <= _LONGEST_STEP * self._interval:
            begin = start if loop.demand is None else loop.demand
            loop.demand = loop.pid.start(value, setpoint, begin).output
        elif elapsed < self._interval * 0.99:
            return
        else:
            loop.demand = loop.pid.update(value, setpoint, elapsed).output
        loop.last_step = now

    def follow(self, speed: float) -> None:
        """Take what somebody else drives, to go on from there."""
        self.output = loop_output = min(
            max(speed, self._settings.output_minimum), self._settings.output_maximum
        )
        for loop in self._loops.values():
            loop.demand, loop.last_step = loop_output, None

    def stop(self) -> None:
        """Forget the speed: the pumps stand."""
        self.output = None
        for loop in self._loops.values():
            loop.demand = loop.last_step = None

    def report(self, pressures: Sequence[Pressure]) -> list[dict[str, object]]:
        """Return each sensor as an operator looks at it."""
        return [
            {
                "point": pressure.point,
                "value": pressure.value,
                "setpoint": pressure.setpoint,
                "demand": _rounded(self._loops[pressure.point].demand),
                "held": pressure.value is None or pressure.setpoint is None,
            }
            for pressure in pressures
        ]

    def resume(self) -> dict[str, object]:
        """Return what must outlive a restart; JSON types."""
        return {
            "output": self.output,
            "demands": {key: loop.demand for key, loop in self._loops.items()},
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from `resume`."""
        output = data["output"]
        self.output = None if output is None else float(output)
        for key, loop in self._loops.items():
            demand = data["demands"].get(key)
            loop.demand = None if demand is None else float(demand)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
