"""Dynamic setpoint: chilled water no colder, and pumped no harder, than asked for.

Guideline 36-2021 §5.20.5: one reset between 0 and 100 %, by trim & respond on
the requests of the zones. At 100 % the water is coldest and the pressure
highest; from there the water is warmed first, and only then the pressure
lowered: a chiller saves more by a kelvin than a pump by a few kPa, until pumps
take more than that is worth (`reset_path`). Instead of
the zones, the outdoor air or the load may reset the temperature; the pressure
then stays at its highest, since neither says which valve is short of water.

While the plant changes its stage the setpoints stand still (§5.20.5.2): what
zones ask for then says nothing about the setpoints.

It commands the plant's setpoints at its own priority, above the design setpoint
that Chiller add/subtract commands; the chillers follow the plant's setpoint,
and a PID loop on the pumps its pressure. No one else resets them.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from .decision import Command, ControlRefused, Decision, Event, Inputs, iso
from .dynamic_setpoint_config import (
    METHODS,
    PRESSURE,
    TEMPERATURE,
    ResetOutput,
    chiller_points,
    outputs,
    request_settings,
    reset_range,
    trim_settings,
)
from .plan import Plan, PlanAutomation
from .report import Report
from .reset_path import PressurePrice, ResetPath
from .reset_requests import ResetRequests, ZoneRequests
from .staging_conditions import AVERAGING_TIME, RollingMean, capacity_requirement
from .trim_and_respond import TrimAndRespond

RESUME_GAP = 900.0
"""After a longer silence a reset begins from the setpoints that are there."""
LONGEST_CHANGE = 1800.0
"""Seconds after which a chiller that does not do what it is told is no stage
change any more, but a fault that others report."""
NOT_REACHED = 1.0
"""K above its setpoint from which warmer water is not asked for."""
LAGS = 0.5
"""The same, from which colder water is not asked for while there is too little."""


class DynamicSetpoint:
    """One reset of one plant's setpoints."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        number = automation.number
        self._name = automation.name
        self._method = automation.config.get("method") or METHODS[0]
        if self._method not in METHODS:
            raise ControlRefused(
                f"method is {self._method!r}; it is one of {', '.join(METHODS)}",
                "method",
            )
        plants = plan.of_type("plant")
        if not plants:
            raise ControlRefused("the plan has no plant")
        plant = plants[0]
        self._temperature, self._pressure = outputs(plan, automation)
        self._outputs = tuple(
            (output, output.point.key, output.point.key.partition(".")[2])
            for output in (self._temperature, self._pressure)
            if output
        )
        self._made_of: object = None
        self._made: tuple[Command, ...] = ()
        self._path = ResetPath(
            number("split", 50.0, minimum=0.0, maximum=100.0)
            if self._temperature and self._pressure
            else 0.0
            if self._temperature
            else 100.0
        )
        self._trim = TrimAndRespond(trim_settings(automation))
        zones = automation.names("zones") or [
            item.key for item in plan.of_type("zone") if item.points
        ]
        unknown = [key for key in zones if key not in plan.equipment]
        if unknown:
            raise ControlRefused(f"zones: the plant has no {unknown[0]}", "zones")
        if self._method == "trim_and_respond" and not zones:
            raise ControlRefused(
                "no zone is there to ask for anything; choose a reset by outdoor "
                "air or by load",
                "method",
            )
        self._requests = ResetRequests(
            tuple(plan.equipment[key] for key in zones), request_settings(automation)
        )
        self._low, self._high = reset_range(automation, self._method)
        stations = plan.of_type("weather_station")
        self._outdoor = next(
            (p for s in stations if (p := s.point("outdoor_temperature"))), None
        )
        self._flow = plant.point("chilled_water_flow")
        self._supply = plant.point("chilled_water_supply_temperature")
        self._return = plant.point("chilled_water_return_temperature")
        if self._method == "outdoor_air" and self._outdoor is None:
            raise ControlRefused(
                "no weather station measures the outdoor temperature", "method"
            )
        if self._method == "load" and not (self._flow and self._return):
            raise ControlRefused(
                "the plant measures no chilled-water flow and return temperature",
                "method",
            )
        self._load = RollingMean(AVERAGING_TIME)
        keys = automation.names("chillers") or [
            item.key for item in plan.of_type("chiller")
        ]
        self._chillers = chiller_points(plan, keys)
        self._capacity = sum(
            plan.equipment[key].ratings.get("cooling_capacity", 0.0) for key in keys
        )
        if self._method == "load" and self._capacity <= 0:
            raise ControlRefused("no chiller has a cooling_capacity", "method")
        worth = number("pump_share", 5.0, minimum=0.1, maximum=100.0)
        self._price = (
            PressurePrice(plan, tuple(keys), worth)
            if self._method == "trim_and_respond" and worth < 100.0
            else None
        )
        self._freeze = number("staging_freeze", 900.0, minimum=0.0)
        self._running: dict[str, bool] = {}
        self._changing_since: float | None = None
        self._frozen_until: float | None = None
        self._reset: float | None = None
        self._values: dict[str, float] = {}
        self._at: float | None = None
        self._state = ""
        self._resume: Mapping[str, Any] | None = automation.resume
        self.points = self._wanted_points()

    def _wanted_points(self) -> frozenset[str]:
        wanted = {self._supply}
        wanted.update(point for pair in self._chillers.values() for point in pair)
        wanted.update(key for _, key, _ in self._outputs)
        if self._method == "trim_and_respond":
            wanted.update(self._requests.points)
            wanted.update(self._price.points if self._price else ())
        elif self._method == "outdoor_air":
            wanted.add(self._outdoor)
        else:
            wanted.update((self._flow, self._return))
        return frozenset(point for point in wanted if point)

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide the setpoints."""
        if self._resume is not None:
            # Nothing was reported yet, or by another version: then the
            # setpoints that are there are the beginning.
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                self._restore(now, self._resume)
            self._resume = None
        begun = self._watch_stage(now, inputs)
        if all(key in inputs.taken for _, key, _ in self._outputs):
            return self._follow(now, inputs)
        requests: ZoneRequests | None = None
        missing: str | None = None
        if not any(self._running.values()):
            self._trim.stop()
            self._reset = self._trim.value
            state, message = "off", "Off: no chiller runs"
        else:
            if self._reset is None or (begun and self._trim.next_at is None):
                self._begin(now, inputs, begun)
            requests, missing = self._advance(now, inputs)
            state, message = self._say(now, requests, missing)
        self._move(now, inputs)
        return self._decide(now, inputs, state, message, requests, missing)

    # The stage

    def _watch_stage(self, now: float, inputs: Inputs) -> bool:
        """Notice stage changes; return whether the plant has just started."""
        ran = any(self._running.values())
        first = not self._running
        changed = changing = False
        for key, (status, command) in self._chillers.items():
            runs = inputs.on(status)
            if runs is None:
                # Silence is not a stop.
                continue
            changed |= self._running.get(key, runs) != runs
            self._running[key] = runs
            wanted = inputs.on(command)
            changing |= wanted is not None and wanted != runs
        runs_now = any(self._running.values())
        if not runs_now:
            self._changing_since = self._frozen_until = None
            return False
        if not ran:
            # The start of the plant has its own delay.
            self._changing_since = self._frozen_until = None
            return not first
        if changing and self._changing_since is None:
            self._changing_since = now
        if changed or (changing and self._frozen_until is None):
            self._frozen_until = (self._changing_since or now) + self._freeze
        if not changing:
            self._changing_since = None
        return False

    def _frozen(self, now: float) -> bool:
        since = self._changing_since
        if since is not None and now - since < LONGEST_CHANGE:
            return True
        if self._frozen_until is not None and now >= self._frozen_until:
            self._frozen_until = None
        return self._frozen_until is not None

    # The reset

    def _begin(self, now: float, inputs: Inputs, started: bool) -> None:
        """Begin from the initial reset, or from the setpoints that are there."""
        present = None if started else self._present_reset(inputs)
        self._trim.begin(now, present)
        self._reset = self._trim.value

    def _present_reset(self, inputs: Inputs) -> float | None:
        """Return the reset that the present setpoints mean."""
        shares: list[float | None] = []
        for output in (self._temperature, self._pressure):
            value = inputs.number(output.point.key) if output else None
            if output is None or value is None or output.at_zero == output.at_full:
                shares.append(None)
            else:
                share = (value - output.at_zero) / (output.at_full - output.at_zero)
                shares.append(min(max(share, 0.0), 1.0))
        return self._path.reset_of(*shares)

    def _advance(
        self, now: float, inputs: Inputs
    ) -> tuple[ZoneRequests | None, str | None]:
        """Move the reset; return the requests, and what is not known."""
        frozen = self._frozen(now)
        if self._method == "trim_and_respond":
            requests = self._requests.observe(now, inputs)
            if frozen or not requests.by_zone:
                self._trim.hold(now)
                return requests, None if requests.by_zone else "no zone reports"
            may_trim = not requests.unknown and self._reached(inputs)
            self._exchange(now, inputs)
            if self._price and self._price.short and not self._reached(inputs, LAGS):
                # Colder water does not come, and more of it is the building's
                # own return: only another chiller helps, no setpoint does.
                self._trim.hold(now)
            else:
                self._reset = self._trim.step(now, requests.total, may_trim=may_trim)
            return requests, None
        value = self._measure(now, inputs)
        if value is None:
            point = self._outdoor if self._method == "outdoor_air" else self._flow
            return None, f"{point} is not good"
        if not frozen:
            share = (value - self._low) / (self._high - self._low)
            split = self._path.split
            self._reset = split + min(max(share, 0.0), 1.0) * (100.0 - split)
        return None, None

    def _exchange(self, now: float, inputs: Inputs) -> None:
        """Let colder water take the place of pressure that is not worth it."""
        if self._price is None or self._reset is None or self._at is None:
            return
        price = self._price.observe(now, inputs, self._running)
        if price is not None:
            self._path.trade(min(now - self._at, RESUME_GAP), self._reset, price)

    def _measure(self, now: float, inputs: Inputs) -> float | None:
        if self._method == "outdoor_air":
            return inputs.number(self._outdoor)
        required = capacity_requirement(
            inputs.number(self._flow),
            inputs.number(self._return),
            inputs.number(self._supply),
        )
        if required is None:
            self._load.clear()
            return None
        return 100 * self._load.add(now, required) / self._capacity

    def _reached(self, inputs: Inputs, error: float = NOT_REACHED) -> bool:
        """Whether the plant reaches what it is asked for already, within K."""
        if self._temperature is None:
            return True
        supply = inputs.number(self._supply)
        setpoint = self._values.get(TEMPERATURE)
        if supply is None or setpoint is None:
            return True
        return supply <= setpoint + error

    # The setpoints

    def _target(self, output: ResetOutput) -> float:
        """Return a setpoint at the present reset."""
        reset = 100.0 if self._reset is None else self._reset
        cold, pressure = self._path.at(reset)
        share = cold if output is self._temperature else pressure
        return output.at_zero + share * (output.at_full - output.at_zero)

    def _move(self, now: float, inputs: Inputs) -> None:
        """Bring the setpoints nearer to where they should be."""
        elapsed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        for output, key, role in self._outputs:
            target = self._target(output)
            value = self._values.get(role)
            if value is None or key in inputs.taken:
                value = inputs.number(key)
            if value is not None:
                value, most = output.within(value), output.rate * elapsed
                target = min(max(target, value - most), value + most)
            self._values[role] = target

    def _follow(self, now: float, inputs: Inputs) -> Decision:
        """Follow the one who sets them, to go on from there when handed back."""
        for output, key, role in self._outputs:
            value = inputs.number(key)
            if value is not None:
                self._values[role] = output.within(value)
        present = self._present_reset(inputs)
        self._trim.begin(now, present)
        self._reset, self._at = self._trim.value, now
        owner = inputs.taken[self._outputs[0][1]]
        message = f"{owner} sets the setpoints: following"
        return self._decide(now, inputs, "overridden", message, None, None)

    # Report

    def _say(
        self, now: float, requests: ZoneRequests | None, missing: str | None
    ) -> tuple[str, str]:
        reset = f"reset {self._reset:.0f} %"
        if missing is not None:
            return "holding", f"{missing}: holding at {reset}"
        if self._frozen(now):
            return "frozen", f"The stage is changing: holding at {reset}"
        if requests is None:
            return "controlling", f"{self._method.replace('_', ' ')}: {reset}"
        ignored = self._trim.settings.ignored
        total = requests.total
        word = "request" if total == 1 else "requests"
        message = f"{total} {word} ({ignored:g} ignored): {reset}"
        if requests.unknown:
            message += f"; no warmer, since {', '.join(requests.unknown)} is silent"
        if self._price is not None and self._price.short:
            message += "; the building takes more water than the chillers get"
        return "controlling", message

    def _decide(
        self,
        now: float,
        inputs: Inputs,
        state: str,
        message: str,
        requests: ZoneRequests | None,
        missing: str | None,
    ) -> Decision:
        values = [
            round(self._values[role], output.digits)
            for output, _, role in self._outputs
        ]
        if (message, values) != self._made_of:
            # The same object while it is the same.
            self._made_of, reason = (message, values), f"{self._name}: {message}"
            self._made = tuple(
                Command(key, value, reason)
                for (_, key, _), value in zip(self._outputs, values, strict=True)
            )
        events: tuple[Event, ...] = ()
        if self._state and state != self._state:
            events = (Event(f"setpoint_{state}", message),)
        self._state = state
        report = Report(partial(self._attributes, now, message, requests, missing))
        return Decision(self._made, state, report, events)

    def _attributes(
        self,
        now: float,
        message: str,
        requests: ZoneRequests | None,
        missing: str | None,
    ) -> Mapping[str, object]:
        due = self._trim.next_at
        attributes: dict[str, object] = {
            "message": message,
            "method": self._method,
            "reset": None if self._reset is None else round(self._reset, 1),
            "supply_temperature_setpoint": self._rounded(TEMPERATURE, 2),
            "differential_pressure_setpoint": self._rounded(PRESSURE, 1),
            "pump_share": self._pump_share(),
            "frozen_until": iso(self._frozen_until),
            "missing": [] if missing is None else [missing],
            "resume": {
                "at": now,
                "reset": self._reset,
                "trim": self._trim.resume(),
                "values": dict(self._values),
                "knee": self._path.knee,
                "running": dict(self._running),
                "frozen_until": self._frozen_until,
                "changing_since": self._changing_since,
                "requests": self._requests.resume(),
            },
        }
        if requests is not None:
            ignored = self._trim.settings.ignored
            attributes["requests"] = dict(requests.by_zone)
            attributes["highest_valve"] = requests.highest_valve
            attributes["conditions"] = [
                {
                    "name": "requests",
                    "label": "Requests of the zones",
                    "value": requests.total,
                    "threshold": ignored,
                    "unit": None,
                    "compare": "above",
                    "met": requests.total > ignored,
                    "remaining": None if due is None else round(max(0.0, due - now)),
                }
            ]
        return attributes

    def _pump_share(self) -> float | None:
        share = None if self._price is None else self._price.share
        return None if share is None else round(share, 1)

    def _rounded(self, role: str, digits: int) -> float | None:
        value = self._values.get(role)
        return None if value is None else round(value, digits)

    def _restore(self, now: float, data: Mapping[str, Any]) -> None:
        """Go on from the last report."""
        if not 0 <= now - data["at"] <= RESUME_GAP:
            return
        reset = data["reset"]
        values = {
            role: float(value)
            for role, value in data["values"].items()
            if role in (TEMPERATURE, PRESSURE)
        }
        self._path.restore(data)
        self._trim.restore(data["trim"])
        self._reset = None if reset is None else float(reset)
        self._values = values
        self._running = {
            key: bool(runs)
            for key, runs in data["running"].items()
            if key in self._chillers
        }
        self._frozen_until = data.get("frozen_until")
        self._changing_since = data.get("changing_since")
        self._requests.restore(data["requests"])
        self._at = float(data["at"])
