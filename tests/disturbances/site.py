"""A site in virtual time: plant, bus, desk and control engine, and nobody watching.

All of it is what runs at a site, but Home Assistant and the wire between:
readings are judged as they are there, the engine's own automations read and
command by its own rules, the arbiter and the interlocks stand before the
machines. The bus is a table that a story may spoil.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import cache
import gc
import json
from math import ceil
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from appdaemon.apps.chiller_control.control.chiller_add_subtract import (
    ChillerAddSubtract,
)
from appdaemon.apps.chiller_control.control.chiller_plant_schedule import (
    ChillerPlantSchedule,
)
from appdaemon.apps.chiller_control.control.dynamic_setpoint import DynamicSetpoint
from appdaemon.apps.chiller_control.control.pid_control import PidControl
from appdaemon.apps.chiller_control.control.plan import Plan
from appdaemon.apps.chiller_control.control.schp_control import SCHPControl
from appdaemon.apps.chiller_control.control.smart_ct import SmartCT
from appdaemon.apps.chiller_control.engine import Build, Engine
from appdaemon.apps.chiller_control.house import CallFailed, NoAnswer
from benchmarks.energy_parts.virtual_plan import Automation, virtual_plan
from custom_components.chiller_plant.drivers.driver import ReadReport
from custom_components.chiller_plant.observations import Observations
from custom_components.chiller_plant.plant.arbiter import (
    Band,
    CommandRefused,
    Request,
    commandable,
)
from custom_components.chiller_plant.plant.command_desk import CommandDesk, Notice
from custom_components.chiller_plant.plant.model import Plant, PointKey, Value
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.plant.reading import MISSING, Quality, Reading
from custom_components.chiller_plant.plant.roles import EquipmentType
from custom_components.chiller_plant.simulator.commands import released_value
from custom_components.chiller_plant.simulator.drives import Fault
from custom_components.chiller_plant.simulator.world import World
from tests.disturbances.rules import Rules

POLL = 5.0
"""Seconds between two looks at the plant, as in the example's plant file."""
NINE_O_CLOCK = 1_780_304_400.0
"""Monday, 1 June 2026, 09:00, as seconds of the plant's local time."""
EXAMPLES = Path(__file__).parents[2] / "examples"

BUILD: Mapping[str, Build] = {
    "chiller_plant_schedule": ChillerPlantSchedule,
    "chiller_add_subtract": ChillerAddSubtract,
    "dynamic_setpoint": DynamicSetpoint,
    "smart_ct": SmartCT,
    "pid_control": PidControl,
    "schp_control": SCHPControl,
}


@cache
def plant_of(name: str = "three_chillers") -> Plant:
    """Return the plant of an example."""
    return load_plant(EXAMPLES / name / "plant.yaml")


@dataclass(frozen=True)
class Told:
    """Something that an automation said it did."""

    at: float
    source: str
    event: str
    reason: str
    data: Mapping[str, Any]


@dataclass
class House:
    """What the engine reads and calls, in Home Assistant's place."""

    site: Site
    answers: bool = True

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        return self.site.entity(entity_id)

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        if not self.answers:
            raise NoAnswer("nobody is there")
        self.site.called(action, data)

    def tell(self, message: str) -> None:
        self.site.log.append(message)


@dataclass
class Site:
    """A plant with its automation; a story moves time and spoils things."""

    plant: Plant
    automations: tuple[Automation, ...]
    start: float = NINE_O_CLOCK
    load: float = 0.5
    """Share of every zone's rating."""
    silent: set[str] = field(default_factory=set)
    """Devices that do not answer."""
    lost: set[PointKey] = field(default_factory=set)
    """Points that are not answered."""
    spoiled: dict[PointKey, Callable[[float], Value]] = field(default_factory=dict)
    """What becomes of a reading on its way."""
    told: list[Told] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    orders: list[tuple[float, PointKey, Value | None, str]] = field(
        default_factory=list
    )
    log: list[str] = field(default_factory=list)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = World(self.plant, self.start)
        self.world.fix_load(self.load)
        self.truth = self.world.values()
        """What is true at the machines, as of the last step."""
        self.observations = Observations(self.plant)
        self.desk = CommandDesk(self.plant)
        self.rules = Rules(self.plant)
        self.held: dict[PointKey, Value | None] = {
            key: point.release
            for key, point in self.plant.points.items()
            if point.address is None
        }
        self.revision = 0
        self.engine_runs = True
        self.saved: str = json.dumps(self.desk.as_dict())
        self.house = House(self)
        self.engines = self._new_engines()
        self._plan_now()

    # --- time

    @property
    def now(self) -> float:
        """Epoch seconds; the plant stands in UTC."""
        return self.world.time

    def run(
        self, seconds: float, until: Callable[[Site], object] | None = None
    ) -> bool:
        """Let time pass; end early, and say so, once something has happened."""
        for _ in range(ceil(seconds / POLL)):
            self.step()
            if until is not None and until(self):
                return True
        return False

    def step(self) -> None:
        """Let one poll pass: read, command, decide, command."""
        self._pass()
        self.poll()
        self.act()
        if self.engine_runs:
            for engine in self.engines.values():
                engine.cycle(self.now)

    def stand(self, seconds: float) -> None:
        """Let time pass with nobody at the bus: Home Assistant is away."""
        for _ in range(ceil(seconds / POLL)):
            self._pass()

    def _pass(self) -> None:
        self.world.advance(POLL)
        self.truth = self.world.values()
        self.rules.check(self.now, self.truth)

    def poll(self) -> None:
        """Read every point that answers."""
        report = ReadReport()
        for key, value in self.truth.items():
            address = self.plant.points[key].address
            assert address is not None
            if address.device in self.silent or key in self.lost:
                continue
            spoil = self.spoiled.get(key)
            report.values[key] = value if spoil is None else spoil(float(value))
        points = [point for point in self.plant.points.values() if point.address]
        self.observations.take(self.now, points, report)
        self.observations.age(self.now)

    def act(self) -> None:
        """Carry out what the desk decides, as the commander does."""
        self._show_held()
        orders = [
            order
            for order in self.desk.step(self.now, self.observations.readings)
            if order.point.address is None
            or order.point.address.device not in self.silent
        ]
        if orders:
            # On the disk before it is on the wire.
            self.saved = json.dumps(self.desk.as_dict())
        for order in orders:
            point, value = order.point, order.value
            self.orders.append((self.now, point.key, value, order.source))
            if point.address is None:
                self.held[point.key] = point.release if value is None else value
            else:
                given = released_value(point) if value is None else value
                self.rules.ordered(
                    self.now, point, given, forced=order.source == "interlock"
                )
                self.world.command(point.key, given)
                self.truth[point.key] = given
            self.desk.written(self.now, order)
        if orders:
            self._show_held()
        self.notices += self.desk.drain_notices()

    def _show_held(self) -> None:
        held = {
            key: MISSING if value is None else Reading(value, Quality.GOOD, self.now)
            for key, value in self.held.items()
        }
        self.observations.hold(held)

    # --- what the engine sees

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        """Show a point as its entity does."""
        reading = self.observations.readings[entity_id]
        attributes: dict[str, Any] = {"quality": reading.quality.value}
        point = self.plant.points[entity_id]
        if commandable(point):
            status = self.desk.status(entity_id)
            attributes |= {
                "owner": status.owner,
                "owner_priority": status.priority,
                "hold": status.hold,
            }
        value = reading.good
        if isinstance(value, bool):
            state = "on" if value else "off"
        else:
            state = "unknown" if value is None else str(round(value, 4))
        return {"state": state, "attributes": attributes}

    def called(self, action: str, data: Mapping[str, Any]) -> None:
        """Take a call of the engine."""
        if action == "report_state":
            if "automation" in data:
                # As it goes over the wire and onto the disk.
                self.reports[data["automation"]] = json.loads(json.dumps(data))
                for event in data.get("events", ()):
                    self.told.append(
                        Told(
                            event["at"],
                            data["automation"],
                            event["event"],
                            event["reason"],
                            event,
                        )
                    )
            return
        points = data.get("entity_id")
        if action == "release":
            self.desk.release(self.now, source=data["source"], points=points)
        else:
            self.request(
                points or (),
                data["value"],
                data["priority"],
                data["source"],
                data["reason"],
                data["lease"],
            )
        self.act()

    def request(
        self,
        points: Sequence[PointKey],
        value: Value,
        priority: int = Band.OPERATOR,
        source: str = "operator",
        reason: str = "",
        lease: float | None = None,
    ) -> None:
        """Ask for a value, as anybody may."""
        try:
            for key in points:
                wish = Request(key, value, priority, source, reason, lease)
                self.desk.request(self.now, wish)
        except CommandRefused as refused:
            raise CallFailed(str(refused)) from refused

    # --- plans

    def _new_engines(self) -> dict[str, Engine]:
        return {
            kind: Engine(kind, build, self.house, UTC) for kind, build in BUILD.items()
        }

    def use(self, *automations: Automation) -> None:
        """Have another profile from now on."""
        self.automations = automations
        self._plan_now()

    def _plan_now(self) -> None:
        self.revision += 1
        plan = self._plan()
        for engine in self.engines.values():
            engine.take_plan(plan)

    def _plan(self) -> Plan:
        plan = virtual_plan(
            self.plant,
            self.automations,
            interval=POLL,
            lease=self.plant.command_lease,
        )
        resumed = []
        for item in plan.automations:
            report = self.reports.get(item.entity_id, {})
            resume = report.get("attributes", {}).get("resume")
            resumed.append(
                replace(item, resume=json.loads(resume) if resume else {}),
            )
        return replace(plan, revision=str(self.revision), automations=tuple(resumed))

    # --- what may happen to programs

    def restart_engine(self, away: float) -> None:
        """Kill AppDaemon and start it again."""
        self.engine_runs = False
        self.run(away)
        self.engines = self._new_engines()
        self._plan_now()
        self.engine_runs = True

    def restart_home_assistant(self, away: float) -> None:
        """Kill Home Assistant in the middle; what is not on the disk is gone."""
        learned = json.dumps(self.observations.judge.as_dict())
        kept, reports = self.saved, json.dumps(self.reports)
        self.stand(away)
        self.observations = Observations(self.plant)
        self.observations.judge.restore(json.loads(learned))
        self.desk = CommandDesk(self.plant)
        self.desk.restore(self.now, json.loads(kept))
        for key in self.held:
            status = self.desk.status(key)
            release = self.plant.points[key].release
            self.held[key] = release if status.on_wire is None else status.on_wire
        self.reports = json.loads(reports)
        # AppDaemon stops its apps with Home Assistant and starts them after it.
        self.engines = self._new_engines()
        self._plan_now()

    # --- what a story looks at

    def value(self, key: PointKey) -> Value:
        """Return what is true at a point on the wire."""
        return self.truth[key]

    def number(self, key: PointKey) -> float:
        """Return a number that is true at a point on the wire."""
        return float(self.value(key))

    def on(self, key: PointKey) -> bool:
        """Return whether a point on the wire is on."""
        return bool(self.value(key))

    @property
    def running(self) -> set[str]:
        """The chillers that run."""
        return {
            item.key
            for item in self.plant.of_type(EquipmentType.CHILLER)
            if self.truth[f"{item.key}.run_status"]
        }

    @property
    def supply_temperature(self) -> float:
        """What leaves the plant, °C."""
        return self.number("plant.chilled_water_supply_temperature")

    def state(self, automation: str) -> str:
        """Return what an automation reported last."""
        return str(self.reports[f"automation.{automation}"]["state"])

    def said(self, automation: str, attribute: str = "message") -> Any:
        """Return an attribute of what an automation reported last."""
        return self.reports[f"automation.{automation}"]["attributes"][attribute]

    def events(self, *names: str, since: float = 0.0) -> list[Told]:
        """Return what automations said they did."""
        return [
            item
            for item in self.told
            if item.at >= since and (not names or item.event in names)
        ]

    def switched(self, role: str, since: float = 0.0) -> list[tuple[PointKey, Value]]:
        """Return the changes of some commands on the wire, in their order."""
        found = []
        last: dict[PointKey, Value] = {}
        for at, key, value, _ in self.orders:
            point = self.plant.points[key]
            if point.role.name != role or point.address is None:
                continue
            given = released_value(point) if value is None else value
            if at >= since and last.get(key) != given:
                found.append((key, given))
            last[key] = given
        return found

    def fault(self, equipment: str, fault: Fault) -> None:
        """Give a machine a fault."""
        self.world.fault(equipment, fault)


@cache
def _settled(plant: str, load: float, forms: tuple[Automation, ...]) -> Site:
    site = Site(plant_of(plant), forms, load=load)
    site.run(60 * 60)
    site.rules.complete()
    return site


def running_site(
    forms: tuple[Automation, ...], *, load: float = 0.5, plant: str = "three_chillers"
) -> Site:
    """Return a site that has been running for a while; each story gets its own."""
    settled = _settled(plant, load, forms)
    # Plants and forms are shared: nothing changes in them.
    shared = {id(item): item for item in (settled.plant, *settled.automations)}
    return deepcopy(settled, {**shared, **_copied_views(settled.world)})


def _copied_views(world: World) -> dict[int, np.ndarray]:
    """Return copies of all arrays that share memory, which go on sharing it.

    The simulator writes through one and reads through another; by itself a deep
    copy would make strangers of them.
    """
    copies: dict[int, np.ndarray] = {}
    seen: set[int] = set()
    stack: list[object] = [world]
    while stack:
        item = stack.pop()
        if id(item) in seen or isinstance(item, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(item))
        if not isinstance(item, np.ndarray):
            stack += gc.get_referents(item)
        elif isinstance(item.base, np.ndarray) and item.base.flags.c_contiguous:
            whole = copies.setdefault(id(item.base), item.base.copy())
            offset = item.ctypes.data - item.base.ctypes.data
            copies[id(item)] = np.ndarray(
                item.shape, item.dtype, whole, offset, item.strides
            )
    return copies
