"""The two loops of a tower group: water by fans, and lift by holding them back."""

from .pid import Pid, PidSettings
from .smart_ct_config import SmartCTConfig

LONGEST_STEP = 300.0
"""Seconds after which a loop starts anew instead of making one long step."""
FAN_DEAD_BAND = 0.6
"""K (1 °F) around the setpoint, by which fans are stopped and started (G36)."""
FAN_STOP_TIME = 300.0
FAN_REST_TIME = 60.0
_HEAD_GAIN = 10.0
_HEAD_INTEGRAL_TIME = 300.0


class FanLoop:
    """Condenser water to its setpoint by the fans' speed."""

    def __init__(self, config: SmartCTConfig) -> None:
        """Begin with the fans on."""
        self._config = config
        self._pid = Pid(
            PidSettings(
                config.gain,
                config.integral_time,
                0.0,
                config.fan_minimum,
                config.fan_maximum,
                reverse=False,
            )
        )
        self.stopped = False
        self.since: float | None = None
        """Since when the fans could be stopped, or have been."""

    def clear(self) -> None:
        """Let the fans be on."""
        self.stopped, self.since = False, None

    def step(
        self,
        now: float,
        elapsed: float | None,
        measured: float,
        setpoint: float,
        present: float | None,
    ) -> float:
        """Return the speed in percent, `elapsed` seconds after the last."""
        if elapsed is None or not 0 <= elapsed <= LONGEST_STEP:
            begin = self._config.fan_maximum if present is None else present
            speed = self._pid.start(measured, setpoint, begin).output
        else:
            speed = self._pid.update(measured, setpoint, elapsed).output
        self._stop(now, measured - setpoint, speed)
        return speed

    def _stop(self, now: float, error: float, speed: float) -> None:
        """G36-2021 §5.20.12.2: stop fans that do too much at their slowest."""
        if self.stopped:
            since = now if self.since is None else self.since
            if now - since >= FAN_REST_TIME and error > FAN_DEAD_BAND:
                self.clear()
        elif speed > self._config.fan_minimum or error >= -FAN_DEAD_BAND:
            self.since = None
        elif self.since is None:
            self.since = now
        elif self._config.may_stop_fans and now - self.since >= FAN_STOP_TIME:
            self.stopped, self.since = True, now


class HeadPressure:
    """G36-2021 §5.20.10: keep the lift that the chillers need.

    The first half of its output takes the fans from their highest speed to
    their lowest, the second the condenser pumps from theirs to their least.
    """

    def __init__(self, minimum_lift: float) -> None:
        """Take the lift in K."""
        self._minimum = minimum_lift
        self._pid = Pid(PidSettings(_HEAD_GAIN, _HEAD_INTEGRAL_TIME, 0.0, 0.0, 100.0))
        self.output = 0.0

    def step(self, elapsed: float | None, lift: float | None) -> None:
        """Move the output; as it is while the lift is not known."""
        if lift is None:
            return
        if elapsed is None or not 0 <= elapsed <= LONGEST_STEP:
            self.output = self._pid.start(lift, self._minimum, self.output).output
        else:
            self.output = self._pid.update(lift, self._minimum, elapsed).output

    @property
    def fans(self) -> float:
        """How far fans are held back, 0 to 1."""
        return min(self.output / 50.0, 1.0)

    @property
    def pumps(self) -> float:
        """How far pumps are held back, 0 to 1."""
        return min(max(self.output / 50.0 - 1.0, 0.0), 1.0)
