"""Smart CT: how many tower cells run, how fast their fans, how warm their water.

A law says what the condenser water should be, or at once what the fans do:

- `fixed`: one setpoint;
- `wet_bulb_approach`: so many kelvin above the wet bulb;
- `lift`: what lift the part-load ratio deserves (Guideline 36-2021 §5.20.12);
- `braun`: air flow by load alone, near the optimum;
- `model`: the cheapest fan speed, cells and condenser flow by a search over
  the plant's own ratings (`near_optimal`), every ten minutes or when load,
  weather or stage have moved, and only if it saves something to change.

The first three control the water to the setpoint with the fans; the others set
the fans and report the setpoint that they expect.

Who commands what. `outputs` of this automation names everything that it drives.
Fan speeds and condenser-pump speeds in it are its own: Chiller add/subtract,
which sees the same list, leaves them alone. Cells are shared. Staging needs a
proven cell for each chiller before it starts it, and goes on commanding exactly
those; this automation, where `outputs` names run commands of towers and `cells`
is not just as many as chillers, commands *on* the cells that it wants at its
own, higher priority, and never any cell off: a cell that it lets go is what
staging says it is. So there are never fewer cells than chillers, a chiller can
be started and stopped with this automation gone, and with no chiller running
the towers are staging's alone. Staging does not wait for a shared cell to stop,
and does not report that it did not.

A cell's own control opens its isolation valve with its run command and starts
the fan after that; it counts as running when it proves it.

Condenser pumps all run at one speed, never below the flow that keeps the flow
switches made, and at full speed while a chiller is being started. Guideline
36's head-pressure loop limits the fans first, then the pumps, where the lift
would fall below what the chillers need.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from .decision import Command, Decision, Event, Inputs, iso
from .plan import Plan, PlanAutomation
from .plant_ratings import pump_speed
from .report import Report
from .smart_ct_aims import Aims
from .smart_ct_config import Drive, SmartCTConfig
from .smart_ct_loops import (
    FAN_DEAD_BAND,
    FAN_REST_TIME,
    FAN_STOP_TIME,
    FanLoop,
    HeadPressure,
)
from .smart_ct_readings import SmartCTReadings

RESUME_GAP = 900.0
"""After a longer silence it begins from what the drives do."""

_WHY = {
    "fixed": "fixed condenser-water setpoint",
    "wet_bulb_approach": "approach to the wet bulb",
    "lift": "lift for the part-load ratio",
    "braun": "near-optimal air flow for the load",
    "model": "least power of chillers, towers and pumps",
}


class SmartCT:
    """One tower group."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        config = self._config = SmartCTConfig(plan, automation)
        self._reason = f"{automation.name}: {_WHY[config.law]}"
        self._readings = SmartCTReadings(plan, config)
        plants = plan.of_type("plant")
        self._setpoint_command = (
            plants[0].command("condenser_water_supply_temperature_setpoint")
            if plants
            else None
        )
        self._aims = Aims(plan, config, self._readings, self._setpoint_command)
        self._fans = FanLoop(config)
        self._head = HeadPressure(config.minimum_lift)
        self._speeds = tuple(
            drive.speed.key
            for drive in (*config.cells, *config.pumps)
            if drive.speed is not None
        )
        self._made_of: object = None
        self._made: tuple[Command, ...] = ()
        self._least_pump_speed = self._speed_for(config.flow_minimum)
        self._stepped_at: float | None = None
        """When the loops were last stepped; None: they start anew."""
        self._moved_at: float | None = None
        """When the speeds were last as they are."""
        self._fan_speed: float | None = None
        self._pump_speed: float | None = None
        self._cells: tuple[str, ...] = ()
        self._cell_count = 0
        self._cells_since: float | None = None
        self._state = ""
        self._resume: Mapping[str, Any] | None = automation.resume
        self.points = self._readings.points

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide cells, fan speed, pump speed and setpoint."""
        if self._resume is not None:
            # Nothing was reported yet, or by another version: then the drives
            # themselves say where to begin.
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                self._restore(now, self._resume)
            self._resume = None
        self._readings.observe(now, inputs)
        self._begin(inputs)
        if not self._readings.running:
            return self._rest(now)
        if self._all_taken(inputs):
            return self._follow(now, inputs)
        elapsed = None if self._stepped_at is None else now - self._stepped_at
        fallback = self._aims.ask(now, inputs, self._cell_count)
        self._choose_cells(now, inputs)
        self._head.step(elapsed, self._readings.lift)
        passed = 0.0 if self._moved_at is None else max(0.0, now - self._moved_at)
        self._set_fans(now, elapsed, passed)
        self._set_pumps(passed)
        self._stepped_at = self._moved_at = now
        state = "holding" if fallback else "controlling"
        return self._decision(now, state, partial(self._message, fallback))

    # Where it begins

    def _begin(self, inputs: Inputs) -> None:
        """Take over the speeds that are there."""
        if self._fan_speed is None:
            self._fan_speed = self._present(self._config.cells, inputs)
        if self._pump_speed is None and self._config.drives_pumps:
            self._pump_speed = self._present(self._config.pumps, inputs)

    def _present(self, drives: tuple[Drive, ...], inputs: Inputs) -> float | None:
        """Return the highest speed of those that run, None if none does."""
        speeds = [
            value
            for drive in drives
            if drive.speed is not None
            and self._readings.runs(drive, inputs)
            and (value := inputs.number(drive.present)) is not None
        ]
        return max(speeds, default=None)

    def _rest(self, now: float) -> Decision:
        """Wait for a chiller: fans slow, pumps at full speed, towers staging's."""
        self._fan_speed = self._config.fan_minimum
        if self._config.drives_pumps:
            self._pump_speed = max(self._config.pump_speed, self._least_pump_speed)
        self._fans.clear()
        self._aims.clear()
        self._head.output = 0.0
        self._cells, self._cell_count, self._cells_since = (), 0, None
        self._stepped_at, self._moved_at = None, now
        return self._decision(now, "off", lambda: "Off: no chiller runs")

    def _all_taken(self, inputs: Inputs) -> bool:
        taken = inputs.taken
        return bool(taken and self._speeds) and all(
            key in taken for key in self._speeds
        )

    def _follow(self, now: float, inputs: Inputs) -> Decision:
        """Follow the one who drives, to go on from there when handed back."""
        fan = self._present(self._config.cells, inputs)
        self._fan_speed = self._fan_speed if fan is None else fan
        pump = self._present(self._config.pumps, inputs)
        self._pump_speed = self._pump_speed if pump is None else pump
        self._stepped_at, self._moved_at = None, now
        owner = next(
            inputs.taken[cell.speed.key]
            for cell in self._config.cells
            if cell.speed is not None
        )
        return self._decision(
            now, "overridden", lambda: f"{owner} sets the fans: following"
        )

    # The cells

    def _choose_cells(self, now: float, inputs: Inputs) -> None:
        config, readings = self._config, self._readings
        usable = [cell for cell in config.cells if not inputs.on(cell.alarm)]
        chillers = len(readings.running)
        if not config.drives_cells:
            self._cell_count = sum(readings.runs(cell, inputs) for cell in usable)
            return
        wanted = self._wanted_cells(chillers, len(usable))
        since = self._cells_since
        held = since is not None and now - since < config.cell_hold
        if wanted != self._cell_count and (not held or self._cell_count < chillers):
            self._cell_count, self._cells_since = wanted, now
        # Those that run stay, the last of the list goes first.
        order = sorted(usable, key=lambda cell: not readings.runs(cell, inputs))
        self._cells = tuple(
            cell.key for cell in order[: self._cell_count] if cell.run is not None
        )

    def _wanted_cells(self, chillers: int, usable: int) -> int:
        config = self._config
        if self._aims.aim.cells is not None:
            wanted = self._aims.aim.cells
        elif config.cell_choice == "load_tiers" and self._readings.load is not None:
            percent = 100.0 * self._readings.load / config.capacity
            wanted = 1 + sum(percent > tier for tier in config.load_tiers)
        else:
            wanted = usable
        ratings = config.ratings
        least_water = ratings.minimum_cell_flow * ratings.cell_flow
        if least_water > 0:
            flow = (
                chillers * ratings.condenser_flow * (self._aims.aim.flow or 100.0) / 100
            )
            wanted = min(wanted, int(flow / least_water + 1e-6))
        return min(max(wanted, chillers), usable)

    # Speeds

    def _set_fans(self, now: float, elapsed: float | None, passed: float) -> None:
        config, aim, present = self._config, self._aims.aim, self._fan_speed
        measured = self._readings.entering
        target = aim.fan_speed
        if target is not None:
            self._fans.clear()
        elif measured is not None and aim.setpoint is not None:
            target = self._fans.step(now, elapsed, measured, aim.setpoint, present)
        elif present is not None:
            target = present
        else:
            # Nothing says how warm the water is, nor what was done before.
            target = config.fan_maximum
        span = config.fan_maximum - config.fan_minimum
        cap = min(self._aims.fan_cap(), config.fan_maximum - self._head.fans * span)
        target = max(config.fan_minimum, min(target, cap))
        self._fan_speed = _nearer(present, target, config.fan_rate * passed)

    def _set_pumps(self, passed: float) -> None:
        config, flow = self._config, self._aims.aim.flow
        if not config.drives_pumps:
            return
        least = self._least_pump_speed
        target = config.pump_speed if flow is None else self._speed_for(flow)
        target = max(least, target - self._head.pumps * (target - least))
        if self._readings.starting:
            # Whatever valve opens now, nobody's flow switch may break.
            self._pump_speed = max(config.pump_speed, least)
        else:
            self._pump_speed = _nearer(
                self._pump_speed, target, config.pump_rate * passed
            )

    def _speed_for(self, flow: float) -> float:
        """Return the pump speed for a flow, both in percent."""
        share = self._config.ratings.static_share
        return 100.0 * pump_speed(flow / 100.0, share)

    # Report

    def _message(self, fallback: str | None) -> str:
        optimum = self._aims.optimum
        notes = "; ".join(self._readings.notes)
        if optimum is not None and not optimum.feasible:
            notes = "more load than the model finds a way to carry"
        setpoint = self._aims.aim.setpoint
        aim = "" if setpoint is None else f"condenser water to {setpoint:.1f} °C, "
        fan = "off" if self._fans.stopped else f"{self._fan_speed or 0.0:.0f} %"
        text = f"{aim}{self._cell_count} cells at {fan}"
        if self._pump_speed is not None:
            text += f", pumps {self._pump_speed:.0f} %"
        if fallback:
            return f"{fallback}: {text}"
        return f"{text} ({notes})" if notes else text

    def _commands(self) -> tuple[Command, ...]:
        """Return what is commanded; the same object while it is the same."""
        setpoint = self._aims.aim.setpoint
        made_of = (
            None if setpoint is None else round(setpoint, 1),
            0.0 if self._fans.stopped else round(self._fan_speed or 0.0, 1),
            None if self._pump_speed is None else round(self._pump_speed, 1),
        )
        if (*made_of, self._cells) != self._made_of:
            self._made_of = (*made_of, self._cells)
            self._made = self._make(*made_of)
        return self._made

    def _make(
        self, setpoint: float | None, fan: float, speed: float | None
    ) -> tuple[Command, ...]:
        commands, reason = [], self._reason
        if self._setpoint_command is not None and setpoint is not None:
            commands.append(Command(self._setpoint_command, setpoint, reason))
        commands.extend(
            Command(cell.speed.key, _limited(cell, fan), reason)
            for cell in self._config.cells
            if cell.speed is not None
        )
        commands.extend(
            Command(cell.run, True, reason)
            for cell in self._config.cells
            if cell.run is not None and cell.key in self._cells
        )
        if speed is not None:
            commands.extend(
                Command(pump.speed.key, _limited(pump, speed), reason)
                for pump in self._config.pumps
                if pump.speed is not None
            )
        return tuple(commands)

    def _decision(self, now: float, state: str, message: Callable[[], str]) -> Decision:
        events: tuple[Event, ...] = ()
        if self._state and state != self._state:
            events = (Event(f"towers_{state}", message()),)
        self._state = state
        report = Report(partial(self._attributes, now, message))
        return Decision(self._commands(), state, report, events)

    def _attributes(
        self, now: float, message: Callable[[], str]
    ) -> Mapping[str, object]:
        readings, optimum = self._readings, self._aims.optimum
        return {
            "message": message(),
            "law": self._config.law,
            "setpoint": self._aims.aim.setpoint,
            "condenser_water": readings.entering,
            "wet_bulb": None
            if readings.wet_bulb is None
            else round(readings.wet_bulb, 2),
            "load": None if readings.load is None else round(readings.load, 1),
            "cells": self._cell_count,
            "fan_speed": 0.0 if self._fans.stopped else _rounded(self._fan_speed),
            "pump_speed": _rounded(self._pump_speed),
            "optimum": None
            if optimum is None
            else {
                "power": round(optimum.power, 1),
                "cells": optimum.cells,
                "fan_speed": round(100.0 * optimum.fan_speed, 1),
                "condenser_flow": round(100.0 * optimum.condenser_flow, 1),
                "feasible": optimum.feasible,
                "clipped": optimum.clipped,
                "next_search": iso(self._aims.search_at),
            },
            "conditions": self._conditions(now),
            "notes": list(readings.notes),
            "resume": self._resume_data(now),
        }

    def _conditions(self, now: float) -> list[Mapping[str, object]]:
        """Return what is waited for, with value, threshold and time."""
        config, readings = self._config, self._readings
        lift = readings.lift
        hold = FAN_REST_TIME if self._fans.stopped else FAN_STOP_TIME
        held = 0.0 if self._fans.since is None else now - self._fans.since
        sign = 1.0 if self._fans.stopped else -1.0
        setpoint = self._aims.aim.setpoint
        since = self._cells_since
        return [
            {
                "name": "minimum_lift",
                "label": "Lift",
                "value": _rounded(lift),
                "threshold": config.minimum_lift,
                "unit": "K",
                "compare": "below",
                "met": lift is not None and lift < config.minimum_lift,
                "remaining": None,
            },
            {
                "name": "fans_on" if self._fans.stopped else "fans_off",
                "label": "Condenser water",
                "value": _rounded(readings.entering),
                "threshold": None
                if setpoint is None
                else round(setpoint + sign * FAN_DEAD_BAND, 1),
                "unit": "°C",
                "compare": "above" if self._fans.stopped else "below",
                "met": self._fans.since is not None,
                "remaining": None
                if self._fans.since is None
                else round(max(0.0, hold - held)),
            },
            {
                "name": "cells",
                "label": "Cells wanted",
                "value": self._aims.aim.cells,
                "threshold": self._cell_count,
                "unit": None,
                "compare": "differs",
                "met": self._aims.aim.cells not in (None, self._cell_count),
                "remaining": None
                if since is None
                else round(max(0.0, config.cell_hold - (now - since))),
            },
        ]

    # What outlives a restart

    def _resume_data(self, now: float) -> dict[str, object]:
        return {
            "at": now,
            "fan_speed": self._fan_speed,
            "pump_speed": self._pump_speed,
            "fan_stopped": self._fans.stopped,
            "fan_since": self._fans.since,
            "cells": list(self._cells),
            "cell_count": self._cell_count,
            "cells_since": self._cells_since,
            "head": self._head.output,
            "readings": self._readings.resume(),
        }

    def _restore(self, now: float, data: Mapping[str, Any]) -> None:
        """Go on from the last report."""
        if not 0 <= now - data["at"] <= RESUME_GAP:
            return
        known = {cell.key for cell in self._config.cells}
        cells = tuple(key for key in data["cells"] if key in known)
        count, head = int(data["cell_count"]), float(data["head"])
        fan, pump = data["fan_speed"], data["pump_speed"]
        self._readings.restore(data["readings"])
        self._fan_speed = None if fan is None else float(fan)
        if self._config.drives_pumps:
            self._pump_speed = None if pump is None else float(pump)
        self._fans.stopped = bool(data["fan_stopped"]) and self._config.may_stop_fans
        self._fans.since = data["fan_since"]
        self._cells, self._cell_count = cells, min(count, len(self._config.cells))
        self._cells_since = data["cells_since"]
        self._head.output = head
        self._moved_at = float(data["at"])


def _nearer(present: float | None, target: float, most: float) -> float:
    """Return what is at most so far from the present on the way to the target."""
    if present is None:
        return target
    return min(max(target, present - most), present + most)


def _limited(drive: Drive, speed: float) -> float:
    """Return the nearest speed that the drive takes."""
    point = drive.speed
    assert point is not None
    low = speed if point.low is None else max(speed, point.low)
    return low if point.high is None else min(low, point.high)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
