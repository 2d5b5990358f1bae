"""The plant under control, in virtual time and without Home Assistant.

As at a site: readings with their quality go to the controllers, what they
decide goes as requests with a lease to the command desk, and nothing but the
desk's orders reaches a machine. Only the wire is missing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from appdaemon.apps.chiller_control.control.decision import (
    Command,
    Controller,
    Inputs,
    Value,
)
from appdaemon.apps.chiller_control.control.plan import Plan
from custom_components.chiller_plant.plant.arbiter import Request
from custom_components.chiller_plant.plant.command_desk import CommandDesk, NoticeKind
from custom_components.chiller_plant.plant.model import Plant, PointKey
from custom_components.chiller_plant.plant.reading import Quality, Reading
from custom_components.chiller_plant.simulator.commands import released_value
from custom_components.chiller_plant.simulator.worlds import Worlds

from .controls import BUILD, CONTROL_INTERVAL
from .virtual_plan import Automation, virtual_plan

LEASE = 30 * CONTROL_INTERVAL
"""Seconds; a request is refreshed when half of it is over."""

type Give = Callable[[PointKey, Value], None]
"""Takes a command to a machine."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which points are read in each step, and in which order."""

    booleans: tuple[PointKey, ...]
    commands: tuple[PointKey, ...]
    """Numbers that are commanded, as they are read back."""
    measurements: tuple[PointKey, ...]

    @property
    def keys(self) -> tuple[PointKey, ...]:
        """All of them, in the order of a row."""
        return (*self.booleans, *self.commands, *self.measurements)

    def rows(self, worlds: Worlds) -> list[list[Value]]:
        """Return what the devices of each scenario say, a row each."""
        read = worlds.read(self.keys)
        count = len(self.booleans)
        states = (read[:, :count] > 0.5).tolist()
        numbers = read[:, count:].tolist()
        return [[*row, *rest] for row, rest in zip(states, numbers, strict=True)]


def columns(plant: Plant, wanted: frozenset[PointKey]) -> Columns:
    """Return what is read: what the desk looks at, and what controllers want."""
    booleans = []
    commands = []
    measurements = []
    for key, point in plant.points.items():
        if point.address is None:
            continue
        if point.role.quantity.is_boolean:
            booleans.append(key)
        elif point.role.commandable:
            commands.append(key)
        elif key in wanted or point.role.name == "position":
            measurements.append(key)
    return Columns(tuple(booleans), tuple(commands), tuple(measurements))


@dataclass(slots=True)
class _Sent:
    """A request that the desk took."""

    value: Value
    at: float


@dataclass(frozen=True, slots=True)
class Guest:
    """A controller that no form of the plan speaks of."""

    source: str
    priority: int
    controller: Controller


@dataclass(slots=True)
class _Running:
    """One automation at work."""

    source: str
    priority: int
    controller: Controller
    commands: tuple[Command, ...] = ()
    """What it wanted last."""
    due: float = 0.0
    """When the first of that is asked for again, if it stays the same."""
    sent: dict[PointKey, _Sent] = field(default_factory=dict)
    taken: dict[PointKey, str] = field(default_factory=dict)


def plan_of(plant: Plant, automations: Sequence[Automation]) -> Plan:
    """Return the plan of a plant, which all its loops share."""
    return virtual_plan(plant, automations, interval=CONTROL_INTERVAL, lease=LEASE)


class ClosedLoop:
    """The desk and the controllers of one scenario."""

    def __init__(self, plant: Plant, plan: Plan, guests: Sequence[Guest] = ()) -> None:
        """Begin with nothing commanded. Raise `ControlRefused` for a bad form."""
        self.desk = CommandDesk(plant)
        self.notices: Counter[NoticeKind] = Counter()
        """What the desk told so far, by its kind."""
        # Who is heard in the end speaks first, as higher priorities are first in
        # a plan; what is held by the plan itself is then seen in the same step.
        self._running = sorted(
            (
                *(
                    _Running(
                        item.entity_id,
                        item.priority,
                        BUILD[item.control_type](plan, item),
                    )
                    for item in plan.automations
                ),
                *(_Running(g.source, g.priority, g.controller) for g in guests),
            ),
            key=lambda item: -item.priority,
        )
        wanted = frozenset().union(*(item.controller.points for item in self._running))
        self.columns = columns(plant, wanted)
        self._keys = self.columns.keys
        self._held = {
            key: point.release
            for key, point in plant.points.items()
            if point.address is None
        }
        self._askers: dict[PointKey, int] = {}
        self._contested: set[PointKey] = set()
        self._owners_known = False
        """Who is heard changes only when somebody begins or ends to ask."""

    def step(self, now: float, row: Sequence[Value], give: Give) -> None:
        """Decide and command once.

        `row` are the readings of `columns`; `give` is called with each command
        that goes to a machine.
        """
        values, readings = self._seen(now, row)
        holds = self.desk.held
        if not self._owners_known:
            self._owners_known = True
            for running in self._running:
                running.taken = self._taken(running.priority)
        for running in self._running:
            inputs = Inputs(values, holds, running.taken, UTC)
            self._request(now, running, running.controller.step(now, inputs).commands)
        for order in self.desk.step(now, readings):
            point = order.point
            value = order.value
            if point.address is None:
                self._held[point.key] = point.release if value is None else value
            else:
                give(point.key, released_value(point) if value is None else value)
            self.desk.written(now, order)
        for notice in self.desk.drain_notices():
            self.notices[notice.kind] += 1

    def _seen(
        self, now: float, row: Sequence[Value]
    ) -> tuple[dict[PointKey, Value | None], dict[PointKey, Reading]]:
        """Return what was read: numbers for the controllers, readings for the desk.

        The desk looks at states and at what is commanded, nothing else.
        """
        columns, good = self.columns, Quality.GOOD
        values: dict[PointKey, Value | None] = dict(zip(self._keys, row, strict=True))
        values.update(self._held)
        # All that is on reads alike, and all that is off.
        alike = {state: Reading(state, good, now) for state in (False, True)}
        readings = {key: alike[values[key] is True] for key in columns.booleans}
        numbers: dict[Value | None, Reading] = {}
        for key in columns.commands:
            value = values[key]
            reading = numbers.get(value)
            if reading is None:
                reading = numbers[value] = Reading(value, good, now)
            readings[key] = reading
        for key, value in self._held.items():
            if value is not None:
                readings[key] = Reading(value, good, now)
        return values, readings

    def _taken(self, priority: int) -> dict[PointKey, str]:
        """Return the points that somebody of a higher priority commands."""
        taken = {}
        for key in self._contested:
            status = self.desk.status(key)
            if status.priority is not None and status.priority > priority:
                taken[key] = str(status.owner)
        return taken

    def _request(
        self, now: float, running: _Running, commands: tuple[Command, ...]
    ) -> None:
        """Ask for what is new or due again; let go what is not wanted any more."""
        same = commands is running.commands
        if same and now < running.due:
            return
        sent = running.sent
        for command in commands:
            known = sent.get(command.point)
            if known is None:
                sent[command.point] = _Sent(command.value, now)
                self._asks(command.point, 1)
            elif known.value != command.value or now - known.at >= LEASE / 2:
                known.value, known.at = command.value, now
            else:
                continue
            self.desk.request(
                now,
                Request(
                    command.point,
                    command.value,
                    running.priority,
                    running.source,
                    command.reason,
                    LEASE,
                ),
            )
        if len(sent) != len(commands):
            wanted = {command.point for command in commands}
            gone = [key for key in sent if key not in wanted]
            for key in gone:
                del sent[key]
                self._asks(key, -1)
            if gone:
                self.desk.release(now, source=running.source, points=gone)
        running.commands = commands
        asked = (item.at for item in sent.values()) if same else ()
        running.due = min(asked, default=now - LEASE) + LEASE / 2

    def _asks(self, key: PointKey, change: int) -> None:
        self._owners_known = False
        self._askers[key] = self._askers.get(key, 0) + change
        if self._askers[key] > 1:
            self._contested.add(key)
        else:
            self._contested.discard(key)
