"""When a plant needs another chiller, or one less.

Guideline 36-2021 §5.20.4: stage up on *efficiency* (the capacity requirement is
a large share of what the stage was designed for) or on the *failsafe* (the
supply is too warm), each for a time; stage down when the next lower stage could
carry the load, for a time, and the failsafe is not true.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .decision import Inputs, duration, iso
from .staging_config import StagingConfig
from .staging_plant import Chiller
from .staging_trend import LoadTrend

AVERAGING_TIME = 300.0
"""Seconds over which the capacity requirement is averaged (§5.20.4.8)."""
WATER_KJ_PER_LITRE_KELVIN = 4.19


def capacity_requirement(
    flow: float | None, return_temperature: float | None, setpoint: float | None
) -> float | None:
    """Return the cooling in kW that brings the flow (l/s) to the setpoint (°C).

    Guideline 36 §5.20.4.8; never negative; None if an input is not known.
    """
    if flow is None or return_temperature is None or setpoint is None:
        return None
    warmer = return_temperature - setpoint
    return max(0.0, flow * WATER_KJ_PER_LITRE_KELVIN * warmer)


def required_capacity(
    inputs: Inputs,
    measured_by: tuple[str | None, str | None],
    setpoint: float,
    running: Iterable[Chiller],
) -> float | None:
    """Return the capacity requirement in kW, None if it is not known.

    From the plant's flow and return temperature where it has them, else
    from what the running chillers say that they carry.
    """
    flow, back = measured_by
    if flow and back:
        return capacity_requirement(inputs.number(flow), inputs.number(back), setpoint)
    total = 0.0
    for chiller in running:
        load = inputs.number(chiller.load)
        if load is None:
            return None
        total += load / 100 * chiller.capacity
    return total


class RollingMean:
    """The mean of what was seen in the last `window` seconds."""

    def __init__(self, window: float) -> None:
        """Begin without a sample."""
        self._window = window
        self._times: deque[float] = deque(maxlen=2000)
        self._values: deque[float] = deque(maxlen=2000)

    def add(self, now: float, value: float) -> float:
        """Take one more sample and return the mean."""
        times, values = self._times, self._values
        times.append(now)
        values.append(value)
        oldest = now - self._window
        while times[0] < oldest:
            times.popleft()
            values.popleft()
        return sum(values) / len(values)

    def clear(self) -> None:
        """Forget the samples: what they were taken of is over."""
        self._times.clear()
        self._values.clear()


@dataclass(slots=True)
class Condition:
    """Something that must be so for a time before it counts.

    `value` is None while it cannot be known; then the time starts again.
    """

    name: str
    label: str
    unit: str
    above: bool
    hold: float
    threshold: float = 0.0
    value: float | None = None
    since: float | None = None
    amended_at: float | None = None
    """When it is to count instead, if it is so until then."""

    def observe(self, now: float, value: float | None, threshold: float) -> None:
        """Compare, and keep the time since which it is so."""
        self.value, self.threshold = value, threshold
        if not self.met:
            self.since = None
        elif self.since is None:
            self.since = now

    @property
    def met(self) -> bool:
        """Whether it is so at this moment."""
        if self.value is None:
            return False
        if self.above:
            return self.value > self.threshold
        return self.value < self.threshold

    def elapsed(self, now: float) -> bool:
        """Whether it has been so for long enough."""
        if self.since is None:
            return False
        if self.amended_at is not None:
            return now >= self.amended_at
        return now - self.since >= self.hold

    def report(self, now: float) -> Mapping[str, object]:
        """Return it as an operator looks at it; times in seconds."""
        held = 0.0 if self.since is None else now - self.since
        remaining = self.hold - held
        if self.amended_at is not None:
            remaining = self.amended_at - now
        return {
            "name": self.name,
            "label": self.label,
            "value": None if self.value is None else round(self.value, 2),
            "threshold": round(self.threshold, 2),
            "unit": self.unit,
            "compare": "above" if self.above else "below",
            "met": self.met,
            "since": iso(self.since),
            "hold": self.hold,
            "remaining": round(max(0.0, remaining)) if self.met else None,
        }


class StagingConditions:
    """The conditions of one plant, for whatever stage it is in."""

    def __init__(self, config: StagingConfig) -> None:
        """Begin with nothing observed."""
        self._config = config
        hold = config.stage_hold
        self._up = Condition("stage_up_load", "Load of this stage", "%", True, hold)
        self._failsafe = Condition(
            "stage_up_failsafe", "Supply temperature", "°C", True, hold
        )
        self._down = Condition(
            "stage_down_load", "Load of the next lower stage", "%", False, hold
        )
        self._mean = RollingMean(min(AVERAGING_TIME, hold))
        self._trend = LoadTrend()
        self._stage = 0
        self._limited = False
        self.required: float | None = None
        """Capacity requirement in kW, averaged while a stage lasts."""

    @property
    def ups(self) -> tuple[Condition, Condition]:
        """Return the conditions that add a chiller."""
        return self._up, self._failsafe

    @property
    def down(self) -> Condition:
        """Return the condition that takes one off."""
        return self._down

    @property
    def load(self) -> float | None:
        """The load of this stage in percent of its design capacity."""
        return self._up.value

    def observe(
        self,
        now: float,
        capacities: Sequence[float] | None,
        required: float | None,
        supply: float | None,
        setpoint: float,
        thresholds: tuple[float, float, float, float, float] | None = None,
        limited: bool = False,
    ) -> None:
        """Look at a stage of chillers of these capacities (kW).

        `thresholds` are the loads in percent that add a chiller; that take one
        off; that take one off while the load falls and will soon be below the
        second; that add one while the load rises and will soon be above the
        last; and the most that the stage carries. Where they are not those of
        the config.

        While demand response limits chillers, load and warm water say nothing about
        what the plant needs: one more chiller would take back what is shed.

        During a change there is no stage (None), and nothing counts: the load
        of neither stage can be told from a plant between them.
        """
        self._stage = len(capacities or ())
        if required is None or capacities is None:
            self._mean.clear()
            self._trend.clear()
            self.required = required
        else:
            self.required = self._mean.add(now, required)
            self._trend.observe(now, self.required)
        if not capacities:
            capacities, supply = (), None
        config = self._config
        up, down, falling, rising, most = thresholds or (
            *(config.up, config.down, config.down),
            *(config.up, config.up),
        )
        total = sum(capacities)
        ahead = _share(self._trend.rises_to, total)
        if ahead is not None and ahead > most:
            up = min(up, rising)
        self._up.observe(now, _share(self.required, total), up)
        self._failsafe.observe(now, supply, setpoint + config.error)
        self._limited = limited
        if limited:
            self._up.since = self._failsafe.since = None
        lower = sum(capacities[:-1])
        ahead = _share(self._trend.falls_to, lower)
        if ahead is not None and ahead < down:
            down = max(down, falling)
        self._down.observe(now, _share(self.required, lower), down)

    def start_again(self) -> None:
        """Let all times start again: another stage has begun."""
        for condition in (self._up, self._failsafe, self._down):
            condition.since = None

    def stage_up(self, now: float) -> str | None:
        """Return why the plant needs another chiller, None if it does not."""
        if self._up.elapsed(now):
            return (
                f"Stage up: load {self._up.value:.0f} % of stage {self._stage} "
                f"for {duration(self._config.stage_hold)} (limit {self._up.threshold:.3g} %)"
            )
        if self._failsafe.elapsed(now):
            return (
                f"Stage up: supply {self._failsafe.value:.1f} °C "
                f"for {duration(self._config.stage_hold)} (limit {self._failsafe.threshold:.1f} °C)"
            )
        return None

    def stage_down(self, now: float) -> str | None:
        """Return why one chiller less is enough, None if it is not.

        Without the supply temperature nobody knows whether all is well: then
        the stage is kept.
        """
        if self._failsafe.value is None or self._failsafe.met:
            return None
        if not self._down.elapsed(now):
            return None
        return (
            f"Stage down: load {self._down.value:.0f} % of stage {self._stage - 1} "
            f"for {duration(self._config.stage_hold)} "
            f"(limit {self._down.threshold:.3g} %)"
        )

    def summary(self) -> str:
        """Return the load and what it is compared with."""
        if self._up.value is None:
            return "load not known"
        if self._limited:
            return (
                f"load {self._up.value:.0f} % (limited by demand response: none added)"
            )
        return f"load {self._up.value:.0f} % (stage up at {self._up.threshold:.3g} %)"

    def report(self, now: float) -> list[Mapping[str, object]]:
        """Return all conditions as an operator looks at them."""
        return [item.report(now) for item in (self._up, self._failsafe, self._down)]

    def resume(self) -> dict[str, object]:
        """Return what must outlive a restart; JSON types."""
        return {
            "required": self.required,
            **{
                item.name: item.since for item in (self._up, self._failsafe, self._down)
            },
        }

    def restore(self, at: float, data: Mapping[str, Any]) -> None:
        """Go on from `resume` as it was at `at`."""
        if (required := data.get("required")) is not None:
            self._mean.add(at, float(required))
        for condition in (self._up, self._failsafe, self._down):
            condition.since = data.get(condition.name)


def _share(required: float | None, capacity: float) -> float | None:
    """Return a capacity requirement as a percentage of a design capacity."""
    return None if required is None or capacity <= 0 else 100 * required / capacity
