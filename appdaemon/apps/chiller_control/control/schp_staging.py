"""When a group of secondary pumps needs another pump, or one less.

Guideline 36-2021 §5.20.6 (flow ratio) with the failsafe of LBL's templates:
with n of N design pumps on, add one when the flow is above n/N - 3 % of design
for ten minutes, take one off when it is at or below (n-1)/N - 3 % for as long.
The failsafe adds one when the pumps are at full speed and the pressure is still
10 kPa short. A pump that came by the failsafe goes when the speed is low and
the pressure fine: its flow never asked for it, so the flow cannot tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from .decision import duration
from .schp_config import SCHPConfig
from .staging_conditions import Condition

_FULL_SPEED = 0.99
"""Of the highest speed."""


_SHUT_OFF_HEAD = 1.25
"""Of the rated head: what a centrifugal pump makes against closed valves."""
_MAIN_LOSS = 0.5
"""Of the rated head: what the mains to remote sensors take at design flow."""


def estimated_flow(
    speed: float, pressure: float, head: float, pumps: float
) -> float | None:
    """Return the flow in % of design where no meter shows it.

    From `speed` (%), the `pressure` (kPa) that is left at the sensors, the rated
    `head` (kPa), and the share of the design number of `pumps` that runs. Pump
    curve and mains are typical ones: good for a decision that takes ten minutes
    and that the failsafe corrects, for nothing else.
    """
    if pumps <= 0:
        return None
    left = _SHUT_OFF_HEAD * head * (speed / 100) ** 2 - pressure
    taken = (_SHUT_OFF_HEAD - 1) * head / pumps**2 + _MAIN_LOSS * head
    return 100 * sqrt(max(left, 0.0) / taken)


@dataclass(frozen=True, slots=True)
class Observation:
    """What pumps do that have settled at a number; None what is not known."""

    flow_ratio: float | None
    """% of the design flow."""
    speed: float | None
    deviation: float | None
    """kPa by which the worst sensor is above (below: negative) its setpoint."""


class PumpStaging:
    """The conditions of one group, for whatever number of pumps is on."""

    def __init__(self, config: SCHPConfig) -> None:
        """Begin with nothing observed."""
        self._config = config
        flow, failsafe = config.flow_hold, config.failsafe_hold
        self._more = Condition("add_flow", "Flow of design", "%", True, flow)
        self._less = Condition("remove_flow", "Flow of design", "%", False, flow)
        self._full = Condition("add_speed", "Pump speed", "%", True, failsafe)
        short = "Pressure against its setpoint"
        self._short = Condition("add_pressure", short, "kPa", False, failsafe)
        self._fine = Condition("remove_pressure", short, "kPa", True, failsafe)
        self._slow = Condition("remove_speed", "Pump speed", "%", False, flow)
        if not config.variable_speed:
            # Pumps that cannot slow down show by pressure that they are too many.
            self._slow = Condition("remove_excess", short, "kPa", True, flow)
        self.by_failsafe = False
        """Whether the last pump came by the failsafe."""

    @property
    def _all(self) -> tuple[Condition, ...]:
        return (
            self._more,
            self._less,
            self._full,
            self._short,
            self._slow,
            self._fine,
        )

    def observe(self, now: float, pumps: int, seen: Observation | None) -> None:
        """Look at so many pumps; None while their number changes."""
        config = self._config
        if seen is None:
            seen = Observation(None, None, None)
        share = 100 / config.design_pumps
        offset, error = config.flow_offset, config.failsafe_pressure
        self._more.observe(now, seen.flow_ratio, pumps * share - offset)
        self._less.observe(now, seen.flow_ratio, (pumps - 1) * share - offset)
        speed = seen.speed if config.variable_speed else None
        full = _FULL_SPEED * config.loop.output_maximum
        self._full.observe(now, speed, full)
        self._short.observe(now, seen.deviation, -error)
        self._fine.observe(now, seen.deviation, -error)
        if config.variable_speed:
            self._slow.observe(now, speed, config.low_speed)
        else:
            self._slow.observe(now, seen.deviation, error)
        if self._more.elapsed(now):
            self.by_failsafe = False

    def start_again(self) -> None:
        """Let all times start again: a pump was added or taken off."""
        for condition in self._all:
            condition.since = None

    def add(self, now: float) -> tuple[str, bool] | None:
        """Return why a pump more is needed and whether the failsafe says so."""
        if self._more.elapsed(now):
            limit = f"(limit {self._more.threshold:.0f} %)"
            held = duration(self._more.hold)
            return f"flow {self._more.value:.0f} % of design for {held} {limit}", False
        fast = not self._config.variable_speed or self._full.elapsed(now)
        if fast and self._short.elapsed(now):
            assert self._short.value is not None
            short, held = -self._short.value, duration(self._short.hold)
            return f"pressure {short:.0f} kPa short at full speed for {held}", True
        return None

    def remove(self, now: float) -> str | None:
        """Return why a pump less is enough, None if it is not.

        With the flow or a sensor lost nobody knows: all pumps are kept.
        """
        metered = self._config.counts_flow
        if metered and not self._less.met:
            return None
        if metered and not self.by_failsafe:
            if not self._less.elapsed(now) or not self._fine.met:
                return None
            return (
                f"flow {self._less.value:.0f} % of design for "
                f"{duration(self._less.hold)} (limit {self._less.threshold:.0f} %)"
            )
        if not (self._slow.elapsed(now) and self._fine.elapsed(now)):
            return None
        what = "speed" if self._config.variable_speed else "pressure"
        return (
            f"{what} {self._slow.value:.0f} {self._slow.unit} for "
            f"{duration(self._slow.hold)} (limit {self._slow.threshold:.0f} "
            f"{self._slow.unit})"
        )

    def next_change(self, now: float, *, more: bool, less: bool) -> float | None:
        """When a pump is added or taken off if all stays as it is."""
        ends = []
        if more:
            ends += [_end(self._more)]
            fast = _end(self._full) if self._config.variable_speed else now
            ends += [_latest(fast, _end(self._short))]
        if less:
            metered = self._config.counts_flow
            if metered and not self.by_failsafe:
                ends += [_end(self._less) if self._fine.met else None]
            elif self._less.met or not metered:
                ends += [_latest(_end(self._slow), _end(self._fine))]
        return min((end for end in ends if end is not None), default=None)

    def report(self, now: float) -> list[Mapping[str, object]]:
        """Return the conditions as an operator looks at them."""
        shown = self._all if self._config.counts_flow else self._all[2:]
        if not self._config.variable_speed:
            shown = tuple(item for item in shown if item is not self._full)
        return [item.report(now) for item in shown]

    def resume(self) -> dict[str, object]:
        """Return what must outlive a restart; JSON types."""
        return {
            "by_failsafe": self.by_failsafe,
            "since": {item.name: item.since for item in self._all},
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from `resume`."""
        self.by_failsafe = bool(data["by_failsafe"])
        for item in self._all:
            since = data["since"].get(item.name)
            item.since = None if since is None else float(since)


def _end(condition: Condition) -> float | None:
    return None if condition.since is None else condition.since + condition.hold


def _latest(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)
