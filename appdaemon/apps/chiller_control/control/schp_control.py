"""SCHP control: the secondary chilled-water pumps of one group of zones.

How many run is decided by the flow ratio with a failsafe (`schp_staging`),
which ones by their run hours (`schp_pumps`), how fast by the differential
pressure at one or several remote sensors (`schp_pressure`). They run while
chilled water is made. Rules: Guideline 36-2021 §5.20.6 and §5.1.15.

The group's `outputs` are whole pumps: Chiller add/subtract, which sees them,
leaves those pumps alone.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .coasting import Coasting
from .decision import Command, Decision, Event, Inputs, iso
from .plan import Plan, PlanAutomation
from .schp_config import Pump, SCHPConfig
from .schp_pressure import Pressure, PressureControl
from .schp_pumps import PumpGroup
from .schp_staging import Observation, PumpStaging, estimated_flow

RESUME_GAP = 900.0
"""After a longer silence it begins from what the pumps do."""


class SCHPControl:
    """One group of secondary pumps."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        config = self._config = SCHPConfig(plan, automation)
        self._group = PumpGroup(
            config.pumps, config.proof_timeout, config.rotation_hours
        )
        self._staging = PumpStaging(config)
        self._pressure = PressureControl(
            config.loop, [sensor.point for sensor in config.sensors], config.interval
        )
        self.interval = config.interval
        self._coasting = Coasting(plan)
        self._enabled: bool | None = None
        self._target: int | None = None
        self._seen = 0
        self._reason = ""
        self._state = ""
        self._resume: Mapping[str, Any] | None = automation.resume
        self.points = self._all_points()

    def _all_points(self) -> frozenset[str]:
        config = self._config
        wanted: set[str | None] = {config.flow, *config.enable}
        if config.follows_plant:
            wanted |= self._coasting.points
        for sensor in config.sensors:
            wanted.update((sensor.point, sensor.setpoint))
        for pump in config.pumps:
            wanted.update(pump.points)
        return frozenset(point for point in wanted if point)

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide which pumps run and how fast."""
        if self._resume is not None:
            # Nothing was reported yet, or by another version: then the pumps
            # themselves say what runs.
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                self._restore(now, self._resume)
            self._resume = None
        events = self._group.observe(now, inputs)
        self._take_enable(now, inputs)
        if self._enabled is None or not self._group.seen:
            message = "It is not known whether the pumps run: nothing is commanded"
            if self._enabled is None:
                message = f"{self._config.enable[0]} is not known: nothing is commanded"
            return Decision((), "holding", {"message": message})
        known = self._group.seen
        if self._target is None or known > self._seen:
            # A pump that is heard of for the first time and runs goes on running.
            self._target = max(self._target or 0, len(self._group.in_service))
        self._seen = known
        pressures = self._pressures(inputs)
        overridden = self._overridden(inputs)
        speed = self._speed(now, inputs, pressures, overridden)
        ratio = self._flow_ratio(inputs, speed, pressures)
        seen = Observation(ratio, speed, _worst(pressures))
        self._stage(now, inputs, seen)
        changes = self._group.step(now, inputs, self._target, self._reason)
        if changes:
            self._staging.start_again()
        events += changes
        commands = self._group.commands(inputs, self._speed_to_set(speed))
        return self._decide(
            now, inputs, commands, pressures, ratio, overridden, tuple(events)
        )

    # What is known

    def _take_enable(self, now: float, inputs: Inputs) -> None:
        """Take over whether there is water to pump; silence changes nothing.

        Cold water that is stored is pumped on, where the plant stopped early for that.
        """
        states = [inputs.on(point) for point in self._config.enable]
        if any(states):
            self._enabled = True
        elif None not in states:
            self._enabled = (
                self._enabled is True
                and self._config.follows_plant
                and self._coasting.until(now, inputs) is not None
            )

    def _pressures(self, inputs: Inputs) -> tuple[Pressure, ...]:
        fixed = self._config.setpoint
        return tuple(
            Pressure(
                sensor.point,
                inputs.number(sensor.point),
                fixed if sensor.setpoint is None else inputs.number(sensor.setpoint),
            )
            for sensor in self._config.sensors
        )

    def _flow_ratio(
        self, inputs: Inputs, speed: float | None, pressures: tuple[Pressure, ...]
    ) -> float | None:
        """Return the flow in % of design; estimated only where no meter is."""
        config = self._config
        flow = inputs.number(config.flow)
        if flow is not None:
            return 100 * flow / config.design_flow
        left = [item.value for item in pressures if item.value is not None]
        if not config.estimates_flow or len(left) < len(pressures):
            return None
        return estimated_flow(
            100.0 if speed is None else speed,
            sum(left) / len(left),
            config.rated_head,
            len(self._group.running) / config.design_pumps,
        )

    def _overridden(self, inputs: Inputs) -> str | None:
        """Return who sets the speeds of all pumps that run, if somebody does."""
        speeds = [
            pump.speed_command.key
            for pump in self._group.in_service
            if pump.speed_command is not None
        ]
        if not speeds or not all(speed in inputs.taken for speed in speeds):
            return None
        return inputs.taken[speeds[0]]

    # What to do

    def _speed(
        self,
        now: float,
        inputs: Inputs,
        pressures: tuple[Pressure, ...],
        overridden: str | None,
    ) -> float | None:
        """Return the speed in %; None before any pump ran, or if it cannot be set."""
        if not self._config.variable_speed:
            return None
        running = self._group.running
        if not running:
            if not self._enabled:
                self._pressure.stop()
            # A pump that takes over goes on at the speed of the one that failed.
            return self._pressure.output
        present = _present(running, inputs)
        if overridden is not None:
            if present is not None:
                self._pressure.follow(present)
            return present
        speed = self._pressure.step(now, pressures, present)
        return self._config.fallback_speed if speed is None else speed

    def _speed_to_set(self, speed: float | None) -> float | None:
        """Return the speed for a pump that starts while none runs, too."""
        loop = self._config.loop
        if not self._config.variable_speed:
            return None
        if speed is None:
            speed = loop.output_minimum
        return min(max(speed, loop.output_minimum), loop.output_maximum)

    def _stage(self, now: float, inputs: Inputs, seen: Observation) -> None:
        """Decide how many pumps there should be."""
        assert self._target is not None
        if not self._enabled:
            if self._target:
                self._reason = self._config.why_off
            self._target = 0
            self._staging.observe(now, 0, None)
            self._staging.by_failsafe = False
            return
        if self._target == 0:
            self._target, self._reason = 1, self._config.why_on
        count = len(self._group.in_service)
        # Somebody may run more of them than are asked for here.
        ready = self._group.settled and count >= self._target
        self._staging.observe(now, count, seen if ready else None)
        if not ready:
            return
        add = self._staging.add(now)
        if add is not None and count < self._group.available(inputs):
            self._reason, self._staging.by_failsafe = add
            self._target = count + 1
        elif add is None and self._target > 1:
            reason = self._staging.remove(now)
            if reason is not None:
                self._reason = reason
                self._target -= 1

    # Report

    def _decide(
        self,
        now: float,
        inputs: Inputs,
        commands: tuple[Command, ...],
        pressures: tuple[Pressure, ...],
        ratio: float | None,
        overridden: str | None,
        events: tuple[Event, ...],
    ) -> Decision:
        missing = self._missing(inputs, pressures)
        state, message = self._describe(inputs, pressures, ratio, overridden, missing)
        if self._state and state != self._state:
            events = (*events, Event(f"loop_{state}", message))
        self._state = state
        running = len(self._group.running)
        due = self._staging.next_change(
            now,
            more=running < self._group.available(inputs),
            less=self._target is not None and self._target > 1,
        )
        speed = self._pressure.output
        return Decision(
            commands=commands,
            state=state,
            attributes={
                "message": message,
                "stage": running,
                "target_stage": self._target,
                "reason": self._reason,
                "speed": None if speed is None else round(speed, 1),
                "sensors": self._pressure.report(pressures),
                "flow": inputs.number(self._config.flow),
                "flow_ratio": None if ratio is None else round(ratio, 1),
                "flow_estimated": self._config.estimates_flow,
                "conditions": self._staging.report(now),
                "next_change": iso(due),
                "pumps": self._group.report(inputs),
                "waiting": [self._group.waiting] if self._group.waiting else [],
                "missing": missing,
                "resume": self._resume_data(now),
            },
            events=events,
        )

    def _missing(self, inputs: Inputs, pressures: tuple[Pressure, ...]) -> list[str]:
        """Return the readings that are wanted and not good."""
        config = self._config
        missing = [item.point for item in pressures if item.value is None]
        missing.extend(
            sensor.setpoint
            for sensor in config.sensors
            if sensor.setpoint and inputs.number(sensor.setpoint) is None
        )
        if config.flow is not None and inputs.number(config.flow) is None:
            missing.append(config.flow)
        return list(dict.fromkeys(missing))

    def _describe(
        self,
        inputs: Inputs,
        pressures: tuple[Pressure, ...],
        ratio: float | None,
        overridden: str | None,
        missing: list[str],
    ) -> tuple[str, str]:
        """Return the state and a sentence about it."""
        group, config = self._group, self._config
        running, total = len(group.running), len(config.pumps)
        waits = f"; {group.waiting}" if group.waiting else ""
        if not self._enabled:
            if group.in_service or group.waiting:
                return "disabled", f"Stops: {config.why_off}{waits}"
            return "disabled", f"Off: {config.why_off}"
        count = f"{running} of {total} pumps"
        if not group.in_service:
            why = [
                f"{pump.name} {reason}"
                for pump in config.pumps
                if (reason := group.unavailable(pump, inputs)) is not None
            ]
            return "holding", f"No pump can run: {'; '.join(why)}"
        speed = self._pressure.output
        at = "" if speed is None else f" at {speed:.0f} %"
        if overridden is not None:
            return "overridden", f"{overridden} sets the speed: {count}{at}{waits}"
        if missing:
            lost = all(None in (item.value, item.setpoint) for item in pressures)
            held = "speed and number of pumps are held" if lost else "held safe"
            if lost and config.variable_speed and speed is None:
                held = f"{config.fallback_speed:.0f} % without a pressure"
            verb = "is" if len(missing) == 1 else "are"
            listed = " and ".join(missing)
            return "holding", f"{listed} {verb} not good: {held}; {count}{at}{waits}"
        flow = "" if ratio is None else f", flow {ratio:.0f} % of design"
        if ratio is not None and config.estimates_flow:
            flow = f", flow about {ratio:.0f} % of design"
        pressure = min(
            pressures, key=lambda item: (item.value or 0) - (item.setpoint or 0)
        )
        against = f"{pressure.value:.0f} kPa at setpoint {pressure.setpoint:.0f}"
        return "controlling", f"{count}{at}: {against}{flow}{waits}"

    # What outlives a restart

    def _resume_data(self, now: float) -> dict[str, object]:
        return {
            "at": now,
            "target": self._target,
            "enabled": self._enabled,
            "reason": self._reason,
            "group": self._group.resume(),
            "staging": self._staging.resume(),
            "pressure": self._pressure.resume(),
        }

    def _restore(self, now: float, data: Mapping[str, Any]) -> None:
        fresh = 0 <= now - float(data["at"]) <= RESUME_GAP
        self._group.restore(data["group"], fresh=fresh)
        if not fresh:
            return
        self._staging.restore(data["staging"])
        self._pressure.restore(data["pressure"])
        self._reason = str(data["reason"])
        self._enabled = data["enabled"]
        self._target = int(data["target"])
        self._seen = self._group.seen


def _present(pumps: tuple[Pump, ...], inputs: Inputs) -> float | None:
    """Return the highest speed of the pumps that run, %."""
    speeds = [inputs.number(pump.speed) for pump in pumps]
    return max((speed for speed in speeds if speed is not None), default=None)


def _worst(pressures: tuple[Pressure, ...]) -> float | None:
    """Return the least kPa above a setpoint; None unless all sensors are good.

    One that is short calls for a pump whatever the others say.
    """
    deviations = [
        item.value - item.setpoint
        for item in pressures
        if item.value is not None and item.setpoint is not None
    ]
    return min(deviations) if len(deviations) == len(pressures) else None
