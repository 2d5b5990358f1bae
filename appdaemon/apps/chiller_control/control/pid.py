"""The arithmetic of one PID loop.

The form is the ISA standard one, `u = K (e + 1/Ti ∫e dt + Td de/dt)`, as in
Åström and Hägglund, *Advanced PID Control* (ISA, 2006), chapter 3: derivative
on the measurement through a first-order filter, and anti-windup by
back-calculation of the integral.
"""

from dataclasses import dataclass
from math import sqrt

DERIVATIVE_FILTER = 10.0
"""N: the derivative acts up to N / Td radians a second (Åström and Hägglund
recommend 2 to 20)."""


@dataclass(frozen=True, slots=True)
class PidSettings:
    """How a loop is tuned.

    `gain` is in units of output for a unit of error, times in seconds; an
    integral time of 0 leaves the integral out. `reverse` means that the output
    rises when the measurement is below its setpoint.
    """

    gain: float
    integral_time: float
    derivative_time: float
    output_minimum: float
    output_maximum: float
    reverse: bool = True


@dataclass(frozen=True, slots=True)
class PidTerms:
    """The output of a loop and the parts that it was made of."""

    output: float
    proportional: float
    integral: float
    derivative: float
    limited: bool
    """Whether the parts add up to more, or less, than the output may be."""


class Pid:
    """One loop; `start` it from the output that is there, then `update` it."""

    def __init__(self, settings: PidSettings) -> None:
        """Do nothing yet: `start` says from where."""
        self.settings = settings
        self._integral = 0.0
        self._derivative = 0.0
        self._measurement = 0.0

    def start(self, measurement: float, setpoint: float, output: float) -> PidTerms:
        """Begin at `output`: the integral takes what the error does not explain."""
        proportional = self._error(measurement, setpoint) * self.settings.gain
        self._integral = self.within(output) - proportional
        self._derivative = 0.0
        self._measurement = measurement
        return self._terms(proportional)

    def update(self, measurement: float, setpoint: float, elapsed: float) -> PidTerms:
        """Return the output `elapsed` seconds after the last one."""
        settings = self.settings
        error = self._error(measurement, setpoint)
        proportional = settings.gain * error
        self._derive(measurement, elapsed)
        if settings.integral_time > 0:
            self._integral += proportional * elapsed / settings.integral_time
            unlimited = proportional + self._integral + self._derivative
            excess = unlimited - self.within(unlimited)
            tracking = sqrt(settings.integral_time * settings.derivative_time)
            tracking = tracking or settings.integral_time
            self._integral -= excess * min(1.0, elapsed / tracking)
        self._measurement = measurement
        return self._terms(proportional)

    def _derive(self, measurement: float, elapsed: float) -> None:
        settings = self.settings
        if settings.derivative_time <= 0 or elapsed <= 0:
            self._derivative = 0.0
            return
        change = measurement - self._measurement
        if settings.reverse:
            change = -change
        spread = settings.derivative_time + DERIVATIVE_FILTER * elapsed
        self._derivative = (
            settings.derivative_time * self._derivative
            + settings.gain * settings.derivative_time * DERIVATIVE_FILTER * change
        ) / spread

    def _error(self, measurement: float, setpoint: float) -> float:
        error = setpoint - measurement
        return error if self.settings.reverse else -error

    def within(self, value: float) -> float:
        """Return the nearest value that the output may have."""
        low, high = self.settings.output_minimum, self.settings.output_maximum
        return min(max(value, low), high)

    def _terms(self, proportional: float) -> PidTerms:
        unlimited = proportional + self._integral + self._derivative
        output = self.within(unlimited)
        return PidTerms(
            output=output,
            proportional=proportional,
            integral=self._integral,
            derivative=self._derivative,
            limited=output != unlimited,
        )
