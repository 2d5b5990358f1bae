"""A tower group at a plant that follows it, moved by a test."""

import json
from typing import Any

from chiller_control.control.decision import Decision, Inputs, Value
from chiller_control.control.smart_ct import SmartCT
from factories import first
from whole_plant import commands, form, readings, whole_plan

FANS = [f"ct_{n}.speed_command" for n in (1, 2, 3)]
CELLS = [f"ct_{n}.run_command" for n in (1, 2, 3)]
PUMPS = [f"cdp_{n}.speed_command" for n in (1, 2, 3)]
SETPOINT = "plant.condenser_water_supply_temperature_setpoint"
WATER = "plant.condenser_water_supply_temperature"


class Towers:
    """A tower group and its readings, moved by the test minute by minute."""

    def __init__(
        self, outputs: list[str] | None = None, running: int = 1, **config: Any
    ) -> None:
        outputs = FANS if outputs is None else outputs
        self.form = form("smart_ct", {"outputs": outputs}, config)
        self.plan = whole_plan(self.form)
        self.controller = SmartCT(self.plan, first(self.plan))
        self.values = readings(running=running)
        self.now = 1_700_000_000.0
        self.taken: dict[str, str] = {}
        self.decision = Decision((), "", {})
        self.events: list[str] = []

    def put(self, **values: Value | None) -> "Towers":
        self.values |= {key.replace("__", "."): v for key, v in values.items()}
        return self

    def running(self, chillers: int) -> "Towers":
        """Let so many chillers run, each with a pump and a cell from staging."""
        for n in (1, 2, 3):
            for kind in ("chiller", "cdp", "pchp"):
                self.values[f"{kind}_{n}.run_status"] = n <= chillers
                self.values[f"{kind}_{n}.run_command"] = n <= chillers
            self.values[f"chiller_{n}.load"] = 70.0 if n <= chillers else 0.0
        return self

    def step(self, seconds: float = 60.0) -> dict[str, Value]:
        self.now += seconds
        inputs = Inputs(self.values, {}, self.taken)
        self.decision = self.controller.step(self.now, inputs)
        self.events += [event.event for event in self.decision.events]
        wanted = commands(self.decision)
        for n in (1, 2, 3):
            # Staging keeps a cell for each chiller; drives follow at once.
            on = bool(self.values[f"chiller_{n}.run_command"])
            on = bool(wanted.get(f"ct_{n}.run_command", on))
            self.values[f"ct_{n}.run_status"] = on
            for kind in ("ct", "cdp"):
                speed = wanted.get(f"{kind}_{n}.speed_command")
                if speed is not None and self.values[f"{kind}_{n}.run_status"]:
                    self.values[f"{kind}_{n}.speed"] = speed
        return wanted

    def go(self, minutes: int) -> dict[str, Value]:
        for _ in range(minutes):
            wanted = self.step()
        return wanted

    def restart(self, silence: float = 0.0) -> "Towers":
        attributes = json.loads(json.dumps(dict(self.decision.attributes)))
        self.form["reported"] = {"state": "", "attributes": attributes, "at": 0}
        self.plan = whole_plan(self.form)
        self.controller = SmartCT(self.plan, first(self.plan))
        self.now += silence
        return self

    @property
    def fan(self) -> float:
        return float(commands(self.decision)["ct_1.speed_command"])

    @property
    def pump(self) -> float:
        return float(commands(self.decision)["cdp_1.speed_command"])

    @property
    def cells(self) -> set[str]:
        return {key for key in CELLS if commands(self.decision).get(key)}

    @property
    def message(self) -> str:
        return str(self.decision.attributes["message"])


def model(running: int = 1, **config: Any) -> Towers:
    return Towers([*FANS, *CELLS, *PUMPS], running, law="model", cells="all", **config)
