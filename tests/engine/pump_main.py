"""A main with secondary pumps: what they move follows their number and speed."""

from dataclasses import dataclass, field
from typing import Any

from chiller_control.control.decision import Decision, Inputs, Value
from chiller_control.control.plan import PlanAutomation, parse_plan
from chiller_control.control.schp_control import SCHPControl
from factories import automation, plan_data

PRESSURE = "plant.chilled_water_differential_pressure"
FLOW = "plant.chilled_water_flow"
PUMPS = ("schp_1", "schp_2", "schp_3")
RATED_FLOW = 60.0
RATED_PRESSURE = 200.0
"""kPa that the pumps make at full speed and no flow, at the sensor."""


def pump_plan(revision: str = "1", **form: Any) -> dict[str, Any]:
    """Return a plan with one group of three pumps; `form` may change any field."""
    metadata = {
        "outputs": list(PUMPS),
        "sensors": [],
        "setpoint_points": [],
        "flow": "",
        "enable": [],
    }
    config: dict[str, Any] = {"setpoint": 100, "gain": 0.2, "integral_time": 15}
    for name, value in form.items():
        (metadata if name in metadata else config)[name] = value
    data = plan_data(
        automation("schp_control", name="pumps", metadata=metadata, config=config),
        chillers=3,
        revision=revision,
    )
    for key in PUMPS:
        equipment = data["equipment"][key]
        equipment["ratings"] = {"flow": RATED_FLOW}
        equipment["points"]["staging_run_hours"] = {
            "entity_id": f"sensor.{key}_staging_run_hours",
            "writable": False,
            "boolean": False,
            "low": 0.0,
            "high": None,
            "unit": "h",
        }
    return data


def controller(data: dict[str, Any]) -> tuple[SCHPControl, PlanAutomation]:
    """Build the controller of a plan."""
    plan = parse_plan(data)
    return SCHPControl(plan, plan.automations[0]), plan.automations[0]


@dataclass
class PumpMain:
    """Pumps that follow what they are told, and the water that they move."""

    data: dict[str, Any] = field(default_factory=pump_plan)
    demand: float = 40.0
    """l/s that the valves take at 100 kPa."""
    now: float = 1_700_000_000.0
    start_time: float = 6.0
    poll: float = 2.0
    broken: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    holds: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    values: dict[str, Value | None] = field(default_factory=dict)
    events: list[tuple[float, str, str]] = field(default_factory=list)
    switched: list[tuple[float, str, bool]] = field(default_factory=list)
    last: Decision | None = None

    def __post_init__(self) -> None:
        """Let everything stand, with chillers that run."""
        self.control, _ = controller(self.data)
        for key in self.control.points:
            boolean = key.endswith(("run_command", "run_status", "alarm"))
            self.values.setdefault(key, False if boolean else 0.0)
        self.values["chiller_1.run_status"] = True
        self._commands: dict[str, Value] = {}
        self._told_at: dict[str, float] = {}

    @property
    def running(self) -> set[str]:
        """The pumps that turn."""
        return {key for key in PUMPS if self.values[f"{key}.run_status"]}

    @property
    def message(self) -> str:
        """What the controller says."""
        assert self.last is not None
        return str(self.last.attributes["message"])

    def attribute(self, name: str) -> Any:
        """Return what the controller reports."""
        assert self.last is not None
        return self.last.attributes[name]

    @property
    def inputs(self) -> Inputs:
        """What the controller reads."""
        values = {
            key: None if key in self.silent else value
            for key, value in self.values.items()
        }
        return Inputs(values, dict(self.holds), dict(self.taken))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self.step()

    def step(self) -> Decision:
        """Let one poll pass."""
        self.now += self.poll
        self._turn()
        self.last = self.control.step(self.now, self.inputs)
        self.events += [
            (self.now, event.event, event.reason) for event in self.last.events
        ]
        commands = {item.point: item.value for item in self.last.commands}
        for point, value in commands.items():
            if point.endswith("run_command") and self._commands.get(point) != value:
                self._told_at[point] = self.now
                if point in self._commands or value:
                    self.switched.append((self.now, point, bool(value)))
        self._commands = commands
        return self.last

    def restart(self) -> None:
        """Start the engine anew, from what was reported last."""
        assert self.last is not None
        self.data["automations"][0]["reported"] = {"attributes": self.last.attributes}
        self.control, _ = controller(self.data)

    def _turn(self) -> None:
        for point, value in self._commands.items():
            pump, _, role = point.partition(".")
            if point in self.taken:
                continue
            if role == "speed_command":
                self.values[f"{pump}.speed"] = self.values[point] = value
                continue
            if point in self.holds:
                continue
            self.values[point] = value
            on = bool(value) and pump not in self.broken
            if on == self.values[f"{pump}.run_status"]:
                continue
            if not on or self.now - self._told_at.get(point, 0.0) >= self.start_time:
                self.values[f"{pump}.run_status"] = on
        for pump in self.broken:
            self.values[f"{pump}.run_status"] = False
        self._flow()

    def _flow(self) -> None:
        turning = [
            float(self.values[f"{key}.speed"] or 0) / 100 for key in self.running
        ]
        number, ratio = len(turning), max(turning, default=0.0)
        # Head r² h0 - a (q/n)², valves q = k √p.
        k2 = self.demand**2 / 100.0
        a = 0.4 * RATED_PRESSURE / RATED_FLOW**2
        head = RATED_PRESSURE * ratio**2
        pressure = head / (1 + a * k2 / number**2) if number else 0.0
        self.values[PRESSURE] = round(pressure, 2)
        self.values[FLOW] = round((k2 * pressure) ** 0.5, 2)
        for key in PUMPS:
            hours = self.values[f"{key}.staging_run_hours"]
            if key in self.running and hours is not None:
                self.values[f"{key}.staging_run_hours"] = hours + self.poll / 3600


def main(**form: Any) -> PumpMain:
    """Return a main whose form says this."""
    return PumpMain(pump_plan(**form))


def started(demand: float = 40.0, **form: Any) -> PumpMain:
    """Return a main that has settled with one pump."""
    pumps = main(**form)
    pumps.demand = demand
    pumps.run(120)
    assert len(pumps.running) == 1
    return pumps
