"""A schedule with adaptive times, and a building that it is to keep comfortable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
import json
from typing import Any

from chiller_control.control.chiller_plant_schedule import ChillerPlantSchedule
from chiller_control.control.decision import Decision, Inputs, Owner
from chiller_control.control.plan import PlanAutomation, parse_plan
from chiller_control.control.planned import Amendment
from factories import BANGKOK, automation, first, plan_data

ZONES = ("east", "west")
MONDAY = datetime(2026, 11, 23, tzinfo=BANGKOK)
CONFIG = {
    "operation": "between_times",
    "start_time": "08:00:00",
    "stop_time": "18:00:00",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "adaptive_start": True,
    "adaptive_stop": False,
    "comfort_temperature": 24.0,
    "earliest_start": 180,
    "latest_start": 10,
    "earliest_stop": 60,
    "start_margin": 1.0,
}


def zone(key: str) -> dict[str, Any]:
    def point(role: str, *, boolean: bool = False) -> dict[str, Any]:
        return {
            "entity_id": f"sensor.{key}_{role}",
            "writable": boolean,
            "boolean": boolean,
            "low": None,
            "high": None,
            "unit": "°C",
        }

    return {
        "type": "zone",
        "name": key.title(),
        "ratings": {},
        "served_by": {},
        "points": {
            "temperature": point("temperature"),
            "temperature_setpoint": point("temperature_setpoint"),
            "occupied_command": point("occupied_command", boolean=True),
        },
    }


def weather() -> dict[str, Any]:
    station = zone("roof") | {"type": "weather_station"}
    station["points"] = {"outdoor_temperature": station["points"]["temperature"]}
    return station


def started(day: int, minutes: float, *, way: float = 3.0, off: float = 14.0) -> dict:
    """Return a start as the integration keeps it."""
    return {
        "kind": "start",
        "at": (MONDAY - timedelta(days=30 - day)).timestamp(),
        "minutes": minutes,
        "zone": 24.0 + way,
        "setpoint": 24.0,
        "outdoor": 28.0,
        "off_hours": off,
        "heating": False,
        "reached": True,
    }


def stopped(day: int, minutes: float) -> dict[str, Any]:
    return started(day, minutes) | {
        "kind": "stop",
        "zone": 24.0,
        "setpoint": 25.0,
        "off_hours": 0.0,
        "heating": True,
        "coasting": True,
    }


HOT: dict[str, float | None] = {"east": 30.0, "west": 30.0}
STARTS = [started(day, 60.0 + day % 3) for day in range(1, 21)]
STOPS = [stopped(day, 40.0 + day % 3) for day in range(1, 21)]


@dataclass
class Building:
    """A schedule and two zones that it is to keep comfortable."""

    history: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    temperatures: dict[str, float | None] = field(
        default_factory=lambda: {"east": 27.0, "west": 26.0}
    )
    outdoor: float | None = 28.0
    taken: dict[str, str] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)
    enabled: bool | None = None
    """What the plant's enable reads; None: it cannot be read."""
    heats: bool = False
    """Whether the plant has a boiler."""
    time_zone: tzinfo = BANGKOK
    amendments: dict[str, Amendment] = field(default_factory=dict)
    idle_days: frozenset[date] = frozenset()
    """Days on which another profile runs."""
    now: datetime = MONDAY
    minutes_a_kelvin: float = 20.0
    """What the building takes once the plant is on."""
    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    decision: Decision | None = None
    resume: str = "{}"

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start the engine anew with what was reported, as the integration keeps it."""
        item = automation(
            "chiller_plant_schedule",
            config=CONFIG | self.config,
            metadata=self.metadata,
            reported={"attributes": {"resume": self.resume}},
        ) | {"history": self.history}
        data = plan_data(item)
        data["equipment"] |= {key: zone(key) for key in ZONES} | {"roof": weather()}
        if self.heats:
            data["equipment"]["boiler"] = zone("boiler") | {"type": "heat_source"}
        plan = parse_plan(data)
        self.automation: PlanAutomation = first(plan)
        self.schedule = ChillerPlantSchedule(plan, self.automation)

    def step(self) -> Decision:
        values: dict[str, Any] = {
            f"{key}.temperature": value for key, value in self.temperatures.items()
        }
        values["roof.outdoor_temperature"] = self.outdoor
        values["plant.enable_command"] = self.enabled
        self.decision = decision = self.schedule.step(
            self.now.timestamp(),
            Inputs(
                values,
                holds=self.holds,
                taken=self.taken,
                time_zone=self.time_zone,
                amendments=self.amendments,
                idle_days=self.idle_days,
                owners=self.owners,
            ),
        )
        self.resume = json.dumps(decision.attributes.get("resume", {}))
        self.events += [(item.event, item.data) for item in decision.events]
        return decision

    def until(self, hour: int, minute: int = 0, *, day: int = 0) -> Decision:
        """Go on minute by minute; the zones cool while the plant is on."""
        end = MONDAY + timedelta(days=day, hours=hour, minutes=minute)
        decision = self.step()
        while self.now < end:
            self.now += timedelta(minutes=1)
            decision = self.step()
            change = -1.0 / self.minutes_a_kelvin if decision.state == "on" else 0.0
            for key, value in self.temperatures.items():
                if value is not None:
                    self.temperatures[key] = max(min(value, 23.9), value + change)
        return decision

    def goes_on_at(self, *, latest: int = 9) -> datetime:
        """Return when the plant is started."""
        while self.step().state == "off":
            self.now += timedelta(minutes=1)
            assert self.now < MONDAY + timedelta(hours=latest)
        return self.now

    def told_hours(self) -> list[str]:
        """Return what is planned within three days, as a person reads it."""
        assert self.decision is not None
        told = []
        for item in self.decision.planned:
            when = datetime.fromtimestamp(item.at, BANGKOK)
            if item.kind == "stop" and when.date() == self.now.date():
                told.append(f"{when:%a %H:%M}")
            elif item.kind == "start" and when < self.now + timedelta(days=3):
                told.append(f"{when:%a}")
        return told

    def told(self, name: str) -> list[Mapping[str, object]]:
        return [data for event, data in self.events if event == name]


def at(hour: int, minute: int = 0) -> datetime:
    return MONDAY + timedelta(hours=hour, minutes=minute)
