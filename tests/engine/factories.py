"""A plan of chillers on headers, and a small plant that carries it out.

The plan is as the integration hands it out. The plant reacts: what is
commanded starts, opens and cools.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from chiller_control.control.decision import Decision, Inputs, Owner, Value
from chiller_control.control.plan import Plan, PlanAutomation, parse_plan

BANGKOK = ZoneInfo("Asia/Bangkok")

_BOOLEAN = (
    "run_command",
    "run_status",
    "alarm",
    "open_command",
    "open_status",
    "enable_command",
)
_DRIVE = ("run_command", "speed_command", "run_status", "alarm", "speed")
_LIMITS = {
    "speed_command": (25.0, 100.0, "%"),
    "chilled_water_supply_temperature_setpoint": (4.5, 15.0, "°C"),
}


def _points(key: str, roles: Iterable[str]) -> dict[str, Any]:
    points = {}
    for role in roles:
        boolean = role in _BOOLEAN
        writable = role.endswith(("_command", "_setpoint", "sequence_position"))
        domain = {
            (True, True): "switch",
            (True, False): "binary_sensor",
            (False, True): "number",
            (False, False): "sensor",
        }[boolean, writable]
        low, high, unit = _LIMITS.get(role, (None, None, None))
        points[role] = {
            "entity_id": f"{domain}.{key}_{role}",
            "writable": writable,
            "boolean": boolean,
            "low": low,
            "high": high,
            "unit": unit,
        }
    return points


def _machine(key: str, name: str, kind: str, roles: Iterable[str]) -> dict[str, Any]:
    return {
        "type": kind,
        "name": name,
        "ratings": {},
        "served_by": {},
        "points": _points(key, roles),
    }


def equipment(chillers: int = 2) -> dict[str, Any]:
    """Return the equipment of a plan."""
    numbers = range(1, chillers + 1)
    items = {
        "plant": _machine(
            "plant",
            "Plant",
            "plant",
            (
                "enable_command",
                "chilled_water_supply_temperature",
                "chilled_water_supply_temperature_setpoint",
                "chilled_water_return_temperature",
                "chilled_water_flow",
                "chilled_water_differential_pressure",
            ),
        )
    }
    for n in numbers:
        items[f"chiller_{n}"] = _machine(
            f"chiller_{n}",
            f"Chiller {n}",
            "chiller",
            (
                "run_command",
                "run_status",
                "alarm",
                "load",
                "demand_limit",
                "chilled_water_supply_temperature_setpoint",
                "sequence_position",
                "staging_run_hours",
                "staging_starts",
            ),
        ) | {
            "ratings": {"cooling_capacity": 1400.0},
            "served_by": {
                "chilled_water_pumps": [f"pchp_{i}" for i in numbers],
                "condenser_water_pumps": [f"cdp_{i}" for i in numbers],
                "cooling_towers": [f"ct_{i}" for i in numbers],
                "valves": [f"chilled_water_valve_{n}", f"condenser_water_valve_{n}"],
            },
        }
    for n in numbers:
        for side in ("chilled", "condenser"):
            key = f"{side}_water_valve_{n}"
            items[key] = _machine(
                key,
                f"{side.title()}-water valve {n}",
                "valve",
                ("open_command", "open_status"),
            )
        for prefix, kind in (
            ("pchp", "primary_chilled_water_pump"),
            ("schp", "secondary_chilled_water_pump"),
            ("cdp", "condenser_water_pump"),
            ("ct", "cooling_tower"),
        ):
            key = f"{prefix}_{n}"
            items[key] = _machine(key, f"{prefix.upper()} {n}", kind, _DRIVE)
    return items


def automation(control_type: str, **fields: Any) -> dict[str, Any]:
    """One automation of a plan."""
    name = fields.pop("name", control_type)
    return {
        "id": name,
        "entity_id": f"automation.{name}",
        "name": name.replace("_", " ").capitalize(),
        "control_type": control_type,
        "priority": fields.pop("priority", 5),
        "metadata": fields.pop("metadata", {}),
        "config": fields.pop("config", {}),
        "reported": fields.pop("reported", None),
    }


STAGING_CONFIG = {
    "stage_up_threshold": 90,
    "stage_down_threshold": 80,
    "stage_hold": 900,
    "minimum_stage_time": 900,
    "supply_temperature_error": 1.0,
    "proof_timeout": 300,
    "pump_speed": 100,
    "condenser_pump_speed": 90,
    "tower_fan_speed": 80,
    "supply_temperature_setpoint": 7.0,
    "start_hold": 30,
    "stop_flow_delay": 180,
}


def staging(chillers: int = 2, **config: Any) -> dict[str, Any]:
    """Return a staging automation."""
    return automation(
        "chiller_add_subtract",
        name="staging",
        metadata={"chillers": [f"chiller_{n}" for n in range(1, chillers + 1)]},
        config=STAGING_CONFIG | config,
    )


def loop(**config: Any) -> dict[str, Any]:
    """Return a differential-pressure loop on the secondary pumps."""
    return automation(
        "pid_control",
        name="pressure",
        metadata={
            "measurement": "plant.chilled_water_differential_pressure",
            "setpoint_point": "",
            "outputs": ["schp_1.speed_command", "schp_2.speed_command"],
            "enable": ["schp_1.run_status", "schp_2.run_status"],
        },
        config={
            "setpoint": 120,
            "gain": 0.2,
            "integral_time": 30,
            "derivative_time": 0,
            "action": "reverse",
            "output_minimum": 30,
            "output_maximum": 100,
            "interval": 5,
        }
        | config,
    )


def plan_data(
    *automations: dict[str, Any], chillers: int = 2, revision: str = "1"
) -> dict[str, Any]:
    """Return a plan as `chiller_plant.get_plan` answers it."""
    return {
        "plant": {
            "key": "two_chillers",
            "name": "Two chillers",
            "entry_id": "entry",
            "command_lease": 60,
            "poll_interval": 0.05,
        },
        "revision": revision,
        "date": "2026-11-21",
        "profile": "Weekday",
        "profile_source": "day_type",
        "automations": list(automations),
        "equipment": equipment(chillers),
    }


def plan_of(*automations: dict[str, Any], chillers: int = 2) -> Plan:
    """Return a parsed plan."""
    return parse_plan(plan_data(*automations, chillers=chillers))


def first(plan: Plan) -> PlanAutomation:
    """Return the automation that a test is about."""
    return plan.automations[0]


@dataclass
class SmallPlant:
    """A plant that reacts: proofs follow commands, water follows the chillers."""

    chillers: int = 2
    load: float = 500.0
    """Cooling that the building asks for, in kW."""
    start_time: float = 10.0
    """Seconds from a command to its proof."""
    now: float = 1_700_000_000.0
    broken: set[str] = field(default_factory=set)
    """Machines that never prove that they run."""
    silent: set[str] = field(default_factory=set)
    owners: dict[str, Owner] = field(default_factory=dict)
    """Points that are not good."""
    holds: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    commands: dict[str, Value] = field(default_factory=dict)
    values: dict[str, Value | None] = field(default_factory=dict)
    log: list[tuple[float, str, Value]] = field(default_factory=list)
    _due: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, item in equipment(self.chillers).items():
            for role in item["points"]:
                self.values[f"{key}.{role}"] = False if role in _BOOLEAN else 0.0
        self.values["plant.enable_command"] = True
        self.values["plant.chilled_water_supply_temperature"] = 14.0
        self.values["plant.chilled_water_supply_temperature_setpoint"] = 7.0

    @property
    def inputs(self) -> Inputs:
        """What a controller reads now."""
        values = {
            key: None if key in self.silent else value
            for key, value in self.values.items()
        }
        return Inputs(
            values,
            dict(self.holds),
            dict(self.taken),
            BANGKOK,
            owners=dict(self.owners),
        )

    def take(self, decision: Decision) -> None:
        """Carry out a decision; what is not in it is off."""
        wanted = {item.point: item.value for item in decision.commands}
        for point, value in wanted.items():
            if self.commands.get(point) != value:
                self.log.append((self.now, point, value))
        self.commands = wanted

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        for point, value in self.commands.items():
            machine, _, role = point.partition(".")
            if point in self.holds:
                continue
            self.values[point] = value
            status = {"run_command": "run_status", "open_command": "open_status"}.get(
                role
            )
            if status is None:
                continue
            proof = f"{machine}.{status}"
            if value and machine in self.broken:
                self.values[proof] = False
            elif self.values[proof] == value:
                self._due.pop(proof, None)
            elif self.now >= self._due.setdefault(proof, self.now + self.start_time):
                self.values[proof] = value
                self._due.pop(proof)
        self._cool()

    def _cool(self) -> None:
        running = self.running("chiller_", "run_status")
        pumps = self.running("schp_", "run_status")
        capacity = 1400.0 * running
        flow = 60.0 * pumps
        supply = self.values["plant.chilled_water_supply_temperature"]
        assert isinstance(supply, float)
        target = 7.0 + max(0.0, self.load - capacity) / 100
        self.values["plant.chilled_water_supply_temperature"] = (
            supply + (min(target, 20.0) - supply) * 0.1
        )
        # The coils take what they need at the setpoint.
        self.values["plant.chilled_water_flow"] = flow
        self.values["plant.chilled_water_return_temperature"] = (
            7.0 + self.load / (flow * 4.19) if flow else 14.0
        )
        for n in range(1, self.chillers + 1):
            self.values[f"chiller_{n}.load"] = (
                100 * self.load / capacity
                if self.values[f"chiller_{n}.run_status"]
                else 0.0
            )

    def running(self, prefix: str, role: str) -> int:
        """How many machines prove that they run or are open."""
        return sum(
            value is True
            for key, value in self.values.items()
            if key.startswith(prefix) and key.endswith(role)
        )

    def states(self) -> Mapping[str, str]:
        """Return the states of all entities."""
        return {
            point["entity_id"]: _state(self.values[f"{key}.{role}"])
            for key, item in equipment(self.chillers).items()
            for role, point in item["points"].items()
        }


def _state(value: Value | None) -> str:
    if value is None:
        return "unavailable"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
