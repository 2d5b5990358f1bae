"""One look at the plant: what is commanded, what is proven, what is unknown.

Here lies the difference between "may be on" and "is surely on". Flow is kept
for a machine that may be on, and counted only from one that surely is.
"""

from dataclasses import dataclass

from .model import Equipment, Plant, PointKey, Value
from .reading import MISSING, Quality, Readings
from .roles import EquipmentType
from .wire import Wire, Wires

VALVE_SHUT = 20.0
"""% of stroke below which a valve counts as shut."""
VALVE_OPEN = 50.0
"""% of stroke from which a valve without open status counts as open."""

FLOW_STATUSES = ("chilled_water_flow_status", "condenser_water_flow_status")
COMPRESSORS = (EquipmentType.CHILLER, EquipmentType.HEAT_SOURCE)
_TOWER = EquipmentType.COOLING_TOWER


def is_on(role: str, value: Value) -> bool:
    """Whether a command of this role lets a machine serve."""
    if role == "position_command":
        return value >= VALVE_SHUT
    return value > 0


def command_roles(equipment: Equipment) -> tuple[str, ...]:
    """Return the roles that can take a machine out of service.

    A tower fan may stand still while its tower serves: water runs over it.
    """
    if equipment.type is EquipmentType.VALVE:
        roles: tuple[str, ...] = ("open_command", "position_command")
    elif equipment.type is _TOWER or equipment.type in COMPRESSORS:
        roles = ("run_command",)
    else:
        roles = ("run_command", "speed_command")
    return tuple(role for role in roles if role in equipment.points)


@dataclass(frozen=True, slots=True)
class _Watched:
    """Where to look at one machine; every look asks, and it never changes."""

    status: PointKey | None
    """Where it says itself whether it serves."""
    is_stroke: bool
    """It says so as a position in %."""
    status_point: PointKey | None
    run: Wire | None
    """The wire of its run command."""
    serving: tuple[tuple[str, Wire], ...]
    """Those that can take it out of service, with their roles."""
    flows: tuple[PointKey, ...]
    """Where it says itself that water flows."""
    alarm: PointKey | None


def _watched(machine: Equipment, wires: Wires) -> _Watched:
    points = machine.points
    is_valve = machine.type is EquipmentType.VALVE
    proofs = ("open_status", "position") if is_valve else ("run_status",)
    proof = next((role for role in proofs if role in points), None)
    shown = ("run_status", "open_status", "position")
    return _Watched(
        points[proof].key if proof is not None else None,
        proof == "position",
        next((points[role].key for role in shown if role in points), None),
        wires.of(points["run_command"].key) if "run_command" in points else None,
        tuple((role, wires.of(points[role].key)) for role in command_roles(machine)),
        tuple(points[role].key for role in FLOW_STATUSES if role in points),
        points["alarm"].key if "alarm" in points else None,
    )


class View:
    """The plant at one moment of steady time; `look` is the next moment."""

    def __init__(self, plant: Plant, wires: Wires, settle: float) -> None:
        """See nothing yet."""
        self.plant = plant
        self.time = 0.0
        self._now = 0.0
        self._wires = wires
        self._settle = settle
        self._readings: Readings = {}
        self._watched = {
            key: _watched(item, wires) for key, item in plant.equipment.items()
        }
        watched = self._watched.values()
        self._proofs = tuple(
            key
            for item in watched
            for key in (None if item.is_stroke else item.status, *item.flows)
            if key is not None
        )
        self._strokes = tuple(
            item.status for item in watched if item.is_stroke and item.status
        )
        self._alarms = tuple(item.alarm for item in watched if item.alarm)
        self._commands = tuple(
            (wire.point.key, VALVE_SHUT if role == "position_command" else None, wire)
            for item in watched
            for role, wire in item.serving
        )
        self._serving: dict[str, bool] = {}
        """What `serves` found; nothing is written while a look lasts."""
        self._proven: dict[tuple[str, ...], frozenset[str]] = {}
        """The same of `proven`."""

    def look(self, time: float, readings: Readings, now: float) -> None:
        """Keep what was read; `now` in epoch seconds."""
        self.time = time
        self._now = now
        self._readings = readings
        self._serving.clear()
        self._proven.clear()

    @property
    def lag(self) -> float:
        """Seconds by which steady time is behind the clock, but for a constant."""
        return self._now - self.time

    def settled(self) -> object | None:
        """Return all that a look is judged by; what is equal is judged alike.

        None: something is on its way, and time alone may change what is seen.
        """
        get = self._readings.get
        good = Quality.GOOD
        seen: list[object] = [
            reading.value if (reading := get(key, MISSING)).quality is good else None
            for key in self._proofs
        ]
        for key in self._strokes:
            stroke = self.proof(key)
            seen.append(
                None if stroke is None else (stroke < VALVE_SHUT, stroke >= VALVE_OPEN)
            )
        seen += [get(key, MISSING).good for key in self._alarms]
        latest = self.time - self._settle
        for key, shut, wire in self._commands:
            if wire.sent:
                return None
            reading = get(key, MISSING)
            read = reading.value if reading.quality is good else reading.good
            on = None if read is None else read > 0 if shut is None else read >= shut
            owned = wire.owned
            if owned:
                value = wire.value
                if value is None:
                    return None
                ordered = value > 0 if shut is None else value >= shut
                if on is None:
                    on = ordered
                elif on is not ordered:
                    return None
            elif wire.at is not None and wire.at > latest:
                return None
            seen.append((owned, on, wire.on_at))
        return seen

    def anything_just_on(self) -> bool:
        """Whether a status may still be from before its machine was switched on."""
        return any(
            wire.on_at is not None and self._just_on(wire.on_at, item.status_point)
            for item in self._watched.values()
            for _, wire in item.serving
        )

    def good(self, point: PointKey) -> Value | None:
        """Return the value of a point if it can be relied on."""
        return self._readings.get(point, MISSING).good

    def proof(self, point: PointKey) -> Value | None:
        """Return what was measured; None: nothing, or not reliably.

        What a hand has set stands for a measurement everywhere else, but it
        proves no flow: it neither lets a machine start nor stops one.
        """
        reading = self._readings.get(point, MISSING)
        return reading.value if reading.quality is Quality.GOOD else None

    def quality(self, point: PointKey) -> str:
        """Return for people why a point cannot be relied on."""
        return self._readings.get(point, MISSING).quality.value.replace("_", " ")

    def status(self, machine: Equipment) -> bool | None:
        """Return what the machine itself says; None: nothing, or not reliably."""
        watched = self._watched[machine.key]
        value = None if watched.status is None else self.proof(watched.status)
        if value is None:
            return None
        return value >= VALVE_OPEN if watched.is_stroke else bool(value)

    def status_point(self, machine: Equipment) -> PointKey | None:
        """Return the point by which a machine says that it serves."""
        return self._watched[machine.key].status_point

    def maybe_on(self, machine: Equipment) -> bool:
        """Whether the machine may be commanded on."""
        wire = self._watched[machine.key].run
        return wire is not None and any(self._possible(wire))

    def confirmed(self, machine: Equipment) -> list[Value | None]:
        """Return what it is commanded to, leaving out what nobody confirmed."""
        wire = self._watched[machine.key].run
        if wire is None:
            return []
        return wire.confirmed(self.time, self._settle, self.good(wire.point.key))

    def surely_on(self, machine: Equipment) -> bool:
        """Whether it is commanded on whatever is not known."""
        wire = self._watched[machine.key].run
        return wire is not None and all(self._possible(wire))

    def surely_off(self, machine: Equipment, role: str = "run_command") -> bool:
        """Whether it is commanded off whatever is not known."""
        if role not in machine.points:
            return True
        return all(
            value is not None and not is_on(role, value)
            for value in self._possible(self._wires.of(machine.points[role].key))
        )

    def ordered_on(self, machine: Equipment) -> bool:
        """Whether we ourselves have switched it on, and not off again."""
        wire = self._watched[machine.key].run
        return wire is not None and wire.owned and wire.value is True

    def _possible(self, wire: Wire) -> list[Value | None]:
        return wire.possible(self.time, self._settle, self.good(wire.point.key))

    def serves(self, machine: Equipment) -> bool:
        """Whether the machine provably serves, and nothing is stopping it."""
        known = self._serving.get(machine.key)
        if known is None:
            known = self._serving[machine.key] = self._serves(machine)
        return known

    def proven(self, machines: tuple[str, ...]) -> frozenset[str]:
        """Return those of some machines, by their keys, that serve."""
        known = self._proven.get(machines)
        if known is None:
            equipment = self.plant.equipment
            known = self._proven[machines] = frozenset(
                [key for key in machines if self.serves(equipment[key])]
            )
        return known

    def _serves(self, machine: Equipment) -> bool:
        watched = self._watched[machine.key]
        status = self.status(machine)
        if status is not True and watched.status_point is not None:
            return False
        for _, wire in watched.serving:
            since = wire.on_at
            if since is not None and self._just_on(since, watched.status_point):
                return False
        sure = status is True or bool(watched.serving)
        for role, wire in watched.serving:
            for value in self._possible(wire):
                if value is None:
                    sure = sure and status is True
                elif not is_on(role, value):
                    return False
        return sure

    def _just_on(self, since: float, status: PointKey | None) -> bool:
        """Whether its status may still be from before it was switched off and on."""
        passed = self.time - since
        if passed < self.plant.poll_interval:
            return True
        read_at = None if status is None else self._readings.get(status, MISSING).at
        return read_at is not None and self._now - read_at > passed
