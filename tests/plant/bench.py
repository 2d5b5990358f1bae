"""A plant on a bench: machines that follow what is on their wire, in their time.

It knows nothing of arbiter or interlocks. Machines can fail to start, be put
in hand, trip or lose a reading; the wire can refuse, or lose the answer.
"""

from dataclasses import dataclass, field
from typing import Protocol

from custom_components.chiller_plant.plant.command_desk import (
    CommandDesk,
    Notice,
    Order,
    Request,
)
from custom_components.chiller_plant.plant.model import Plant, Value
from custom_components.chiller_plant.plant.reading import Quality, Reading, Readings
from custom_components.chiller_plant.plant.roles import EquipmentType

from .factories import make_chiller_plant


class Watcher(Protocol):
    """Somebody beside the desk."""

    def look(self, readings: Readings) -> None:
        """See what the desk is about to see."""

    def order(self, order: Order) -> None:
        """See an order before it is carried out."""

    def looked(self) -> None:
        """See the plant after all orders of a step."""


DELAY = 4.0
"""Seconds until a machine has followed its command."""


@dataclass
class Machine:
    """What really happens, whoever is told about it."""

    key: str
    on: bool = False
    follows_at: float | None = None
    hand: bool | None = None
    broken: bool = False


@dataclass
class Bench:
    """A plant, its desk, and somebody who carries orders out."""

    plant: Plant
    desk_of: type[CommandDesk] = CommandDesk
    now: float = 1_000_000.0
    offset: float = 0.0
    """How far the clock of the house is off."""
    desk: CommandDesk = field(init=False)
    slots: dict[str, Value] = field(default_factory=dict)
    """What of ours is on each wire."""
    wire: str = "takes"
    """`takes`, `refuses` or `takes silently` (the answer is lost)."""
    stale: set[str] = field(default_factory=set)
    by_hand: dict[str, str] = field(default_factory=dict)
    """Points that somebody has set by hand, and how they say so."""
    write_only: bool = False
    """Whether no command can be read back."""
    chiller_delay: float = DELAY
    alarms: set[str] = field(default_factory=set)
    no_flow: set[str] = field(default_factory=set)
    """Flow statuses that read false whatever runs."""
    watched_by: Watcher | None = None
    """Who sees what the desk sees, and what it does."""
    orders: list[tuple[float, Order]] = field(default_factory=list)
    told: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = self.desk_of(self.plant)
        self.machines = {
            key: Machine(key)
            for key, item in self.plant.equipment.items()
            if item.type is not EquipmentType.PLANT
        }
        for machine in self.machines.values():
            machine.on = self.commanded(machine.key)

    # --- the machines

    def commanded(self, key: str) -> bool:
        """Whether what is on its wire lets the machine run."""
        points = self.plant.equipment[key].points
        for role in ("run_command", "open_command"):
            if role in points:
                on = self.slots.get(points[role].key, points[role].release)
                speed = points.get("speed_command")
                if (
                    speed is not None
                    and not key.startswith("ct")
                    and not self.slots.get(speed.key, 100.0)
                ):
                    return False
                return bool(on)
        return False

    def _run_machines(self) -> None:
        for machine in self.machines.values():
            goal = self.commanded(machine.key) and not machine.broken
            if machine.hand is not None:
                goal = machine.hand
            if goal == machine.on:
                machine.follows_at = None
            elif machine.follows_at is None:
                slow = machine.key.startswith("chiller")
                delay = self.chiller_delay if slow else DELAY
                machine.follows_at = self.now + delay
            elif self.now >= machine.follows_at:
                machine.on = goal
                machine.follows_at = None

    def flow(self, chiller: str, role: str) -> bool:
        """Whether water flows: its valve is open and a pump runs."""
        item = self.plant.equipment[chiller]
        kind = role.replace("flow_status", "pumps")
        return (
            f"{chiller}.{role}" not in self.no_flow
            and all(self.machines[key].on for key in item.served_by["valves"])
            and any(self.machines[key].on for key in item.served_by[kind])
        )

    def read(self) -> dict[str, Reading]:
        """Return all points as they read now."""
        readings = {}
        for key, point in self.plant.points.items():
            role = point.role.name
            value: Value | None = None
            if role in ("run_status", "open_status"):
                value = self.machines[point.equipment].on
            elif role == "alarm":
                value = point.equipment in self.alarms
            elif role.endswith("flow_status"):
                value = self.flow(point.equipment, role)
            elif point.role.commandable and not self.write_only:
                value = self.slots.get(key, point.release)
            if value is not None:
                quality = Quality.STALE if key in self.stale else Quality.GOOD
                if key in self.by_hand:
                    quality = Quality.OVERRIDDEN
                readings[key] = Reading(
                    value, quality, self.wall, self.by_hand.get(key)
                )
        return readings

    # --- time, and the one who carries orders out

    @property
    def wall(self) -> float:
        """The clock of the house."""
        return self.now + self.offset

    def step(self) -> tuple[Order, ...]:
        """Let the desk look once, and carry out what it says."""
        readings = self.read()
        if self.watched_by is not None:
            self.watched_by.look(readings)
        orders = self.desk.step(self.wall, readings)
        for order in orders:
            self.carry_out(order)
        if self.watched_by is not None:
            self.watched_by.looked()
        self.told += self.desk.drain_notices()
        return orders

    def carry_out(self, order: Order) -> None:
        key = order.point.key
        self.orders.append((self.now, order))
        if self.watched_by is not None:
            self.watched_by.order(order)
        if self.wire != "refuses":
            if order.value is None:
                self.slots.pop(key, None)
            else:
                self.slots[key] = order.value
            self._run_machines()
        if self.wire == "takes":
            self.desk.written(self.wall, order)
        else:
            self.desk.failed(self.wall, order, "the device does not answer")

    def run(self, seconds: float, every: float = 5.0) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + every, end)
            self._run_machines()
            self.step()

    def ask(
        self,
        point: str,
        value: Value,
        priority: int = 150,
        source: str = "operator",
        lease: float | None = None,
    ) -> None:
        self.desk.request(self.wall, Request(point, value, priority, source, "", lease))

    def serve(self, value: bool = True, number: int | None = None) -> None:
        """Ask for all pumps, valves and towers, or those of one number."""
        for key in self.machines:
            points = self.plant.equipment[key].points
            if self.plant.equipment[key].type is EquipmentType.CHILLER or (
                number is not None and not key.endswith(f"_{number}")
            ):
                continue
            for role in ("open_command", "run_command"):
                if role in points:
                    self.ask(points[role].key, value)

    def hold(self, point: str) -> str | None:
        return self.desk.status(point).hold

    def kinds(self) -> list[str]:
        return [notice.kind.value for notice in self.told]


def idle_plant(chillers: int = 2, *, lead_release: bool = False) -> Bench:
    """Return a plant that has been watched for longer than any minimum off time."""
    bench = Bench(make_chiller_plant(chillers, lead_release=lead_release))
    bench.run(1000, every=20)
    return bench


def running_plant(chillers: int = 2) -> Bench:
    """Return a plant whose chillers have all run longer than their minimum run time."""
    bench = idle_plant(chillers)
    bench.serve()
    bench.run(60)
    for n in range(1, chillers + 1):
        bench.ask(f"chiller_{n}.run_command", True)
        bench.run(200)
    bench.run(700, every=20)
    assert all(bench.machines[f"chiller_{n + 1}"].on for n in range(chillers))
    bench.orders.clear()
    bench.told.clear()
    return bench
