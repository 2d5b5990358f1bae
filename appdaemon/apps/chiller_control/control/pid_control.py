"""PID control: one loop that drives one or several outputs to the same value.

It holds its last output while its measurement is not good, and starts from
what the outputs do at that moment, so that neither a restart nor a handover
moves them.
"""

from collections.abc import Callable, Mapping
from functools import partial

from .decision import Command, ControlRefused, Decision, Event, Inputs, Value
from .pid import Pid, PidSettings, PidTerms
from .plan import Plan, PlanAutomation, PlanPoint
from .report import Report

LONGEST_STEP = 10
"""A gap of more intervals than this is a new start, not one long step."""


class PidControl:
    """One PID automation."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        self._plan = plan
        self._name = automation.name
        self._measurement = _single(plan, automation, "measurement")
        if self._measurement is None:
            raise ControlRefused("no measurement is chosen", "measurement")
        self._reason = f"{self._name} holds {self._measurement} at its setpoint"
        self._setpoint_point = _single(plan, automation, "setpoint_point")
        self._setpoint = None if self._setpoint_point else automation.number("setpoint")
        self._outputs = tuple(
            _known(plan, key, "outputs") for key in automation.names("outputs")
        )
        if not self._outputs:
            raise ControlRefused("no output is chosen", "outputs")
        for output in self._outputs:
            if not output.writable or output.boolean:
                raise ControlRefused(
                    f"{output.key} is not a number that can be set", "outputs"
                )
        self._enable = tuple(
            _known(plan, key, "enable").key for key in automation.names("enable")
        )
        self.interval = automation.number("interval", 5.0, minimum=0.1)
        self._pid = Pid(_settings(automation, self._outputs))
        self._output: float | None = None
        self._terms: PidTerms | None = None
        self._last_step: float | None = None
        self._state = ""
        self._was_enabled = not self._enable

    @property
    def points(self) -> frozenset[str]:
        """The points of the loop, and the speeds that its outputs cause."""
        wanted = {self._measurement, self._setpoint_point, *self._enable}
        wanted.update(output.key for output in self._outputs)
        wanted.update(self._present(output) for output in self._outputs)
        return frozenset(key for key in wanted if key)

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide the output."""
        measurement = inputs.number(self._measurement)
        setpoint = (
            self._setpoint
            if self._setpoint_point is None
            else inputs.number(self._setpoint_point)
        )
        if not self._enabled(inputs):
            self._output = self._terms = self._last_step = None
            names = " or ".join(self._enable)
            return self._decide(
                "disabled", lambda: f"Off: waiting for {names}", measurement, setpoint
            )
        if measurement is None or setpoint is None:
            missing = self._setpoint_point if setpoint is None else self._measurement
            self._last_step = None
            held = (
                "no output yet"
                if self._output is None
                else f"holding {self._output:.1f}"
            )
            return self._decide(
                "holding",
                lambda: f"{missing} is not good: {held}",
                measurement,
                setpoint,
            )
        if all(output.key in inputs.taken for output in self._outputs):
            # Follow the one who drives, to go on from there when handed back.
            self._output = self._pid.within(self._present_output(inputs))
            self._terms = self._last_step = None
            owner = inputs.taken[self._outputs[0].key]
            return self._decide(
                "overridden",
                lambda: f"{owner} sets the output: following at {self._output:.1f}",
                measurement,
                setpoint,
            )
        self._advance(now, inputs, measurement, setpoint)
        return self._decide(
            "controlling",
            lambda: (
                f"{measurement:.4g} at setpoint {setpoint:.4g}, "
                f"output {self._output:.0f} %"
            ),
            measurement,
            setpoint,
        )

    def _enabled(self, inputs: Inputs) -> bool:
        """Whether any enabling point is on; an unknown one changes nothing."""
        if not self._enable:
            return True
        states = [inputs.on(point) for point in self._enable]
        if any(states):
            self._was_enabled = True
        elif None not in states:
            self._was_enabled = False
        return self._was_enabled

    def _advance(
        self, now: float, inputs: Inputs, measurement: float, setpoint: float
    ) -> None:
        elapsed = None if self._last_step is None else now - self._last_step
        if elapsed is None or not 0 <= elapsed <= LONGEST_STEP * self.interval:
            output = self._output
            if output is None:
                output = self._present_output(inputs)
            self._terms = self._pid.start(measurement, setpoint, output)
        elif elapsed < self.interval * 0.99:
            return
        else:
            self._terms = self._pid.update(measurement, setpoint, elapsed)
        self._last_step = now
        self._output = self._terms.output

    def _present_output(self, inputs: Inputs) -> float:
        """Return the highest of what the outputs do now, in their own units."""
        present = []
        for output in self._outputs:
            value = inputs.number(self._present(output))
            if value is None:
                value = inputs.number(output.key)
            if value is not None:
                present.append(value)
        return max(present, default=self._pid.settings.output_minimum)

    def _present(self, output: PlanPoint) -> str | None:
        """Return the reading that shows what an output does: a drive's speed."""
        equipment, _, role = output.key.partition(".")
        reading = self._plan.equipment[equipment].point(role.removesuffix("_command"))
        return reading or output.key

    def _decide(
        self,
        state: str,
        message: Callable[[], str],
        measurement: float | None,
        setpoint: float | None,
    ) -> Decision:
        """Return the decision; `message` says why when somebody looks."""
        commands: tuple[Command, ...] = ()
        if self._output is not None:
            value: Value = round(self._output, 1)
            commands = tuple(
                [Command(output.key, value, self._reason) for output in self._outputs]
            )
        events: tuple[Event, ...] = ()
        if self._state and state != self._state:
            events = (Event(f"loop_{state}", message()),)
        self._state = state
        report = Report(partial(self._attributes, message, measurement, setpoint))
        return Decision(commands, state, report, events)

    def _attributes(
        self,
        message: Callable[[], str],
        measurement: float | None,
        setpoint: float | None,
    ) -> Mapping[str, object]:
        terms = self._terms
        return {
            "message": message(),
            "measurement": measurement,
            "setpoint": setpoint,
            "output": None if self._output is None else round(self._output, 2),
            "error": (
                None
                if measurement is None or setpoint is None
                else round(setpoint - measurement, 3)
            ),
            "proportional": None if terms is None else round(terms.proportional, 3),
            "integral": None if terms is None else round(terms.integral, 3),
            "derivative": None if terms is None else round(terms.derivative, 3),
            "limited": None if terms is None else terms.limited,
        }


def _settings(
    automation: PlanAutomation, outputs: tuple[PlanPoint, ...]
) -> PidSettings:
    action = automation.config.get("action", "reverse")
    if action not in ("reverse", "direct"):
        raise ControlRefused(
            f"action is {action!r}; it is 'reverse' or 'direct'", "action"
        )
    low = automation.number("output_minimum", 0.0)
    high = automation.number("output_maximum", 100.0)
    low = max([low, *(point.low for point in outputs if point.low is not None)])
    high = min([high, *(point.high for point in outputs if point.high is not None)])
    if low >= high:
        raise ControlRefused(
            f"nothing is left between the lowest output {low:g} and the highest "
            f"{high:g}; the limits of the output points count too",
            "output_minimum",
            "output_maximum",
        )
    return PidSettings(
        gain=automation.number("gain", minimum=0.0),
        integral_time=automation.number("integral_time", 0.0, minimum=0.0),
        derivative_time=automation.number("derivative_time", 0.0, minimum=0.0),
        output_minimum=low,
        output_maximum=high,
        reverse=action == "reverse",
    )


def _single(plan: Plan, automation: PlanAutomation, key: str) -> str | None:
    names = automation.names(key)
    return _known(plan, names[0], key).key if names else None


def _known(plan: Plan, key: str, field: str) -> PlanPoint:
    try:
        return plan.points[key]
    except KeyError:
        raise ControlRefused(f"{field}: the plant has no point {key}", field) from None
