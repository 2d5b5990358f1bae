"""One look at the plant: what is commanded, what is proven, what is unknown.

Here lies the difference between "may be on" and "is surely on". Flow is kept
for a machine that may be on, and counted only from one that surely is.
"""

from .model import Equipment, Plant, PointKey, Value
from .reading import MISSING, Quality, Readings
from .roles import EquipmentType
from .wire import Wires

VALVE_SHUT = 20.0
"""% of stroke below which a valve counts as shut."""
VALVE_OPEN = 50.0
"""% of stroke from which a valve without open status counts as open."""

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
        self._roles = {
            key: command_roles(item) for key, item in plant.equipment.items()
        }
        self._serving: dict[str, bool] = {}
        """What `serves` found; nothing is written while a look lasts."""

    def look(self, time: float, readings: Readings, now: float) -> None:
        """Keep what was read; `now` in epoch seconds."""
        self.time = time
        self._now = now
        self._readings = readings
        self._serving.clear()

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
        if machine.type is EquipmentType.VALVE:
            return self._valve_status(machine)
        reading = self._readings.get(f"{machine.key}.run_status")
        if reading is None or reading.quality is not Quality.GOOD:
            return None
        return None if reading.value is None else bool(reading.value)

    def _valve_status(self, valve: Equipment) -> bool | None:
        if "open_status" in valve.points:
            value = self.proof(f"{valve.key}.open_status")
            return None if value is None else bool(value)
        position = self.proof(f"{valve.key}.position")
        return None if position is None else position >= VALVE_OPEN

    def status_point(self, machine: Equipment) -> PointKey | None:
        """Return the point by which a machine says that it serves."""
        for role in ("run_status", "open_status", "position"):
            if role in machine.points:
                return machine.points[role].key
        return None

    def maybe_on(self, machine: Equipment, role: str = "run_command") -> bool:
        """Whether the machine may be commanded on."""
        return any(
            value is not None and is_on(role, value)
            for value in self._possible(machine, role)
        )

    def confirmed(self, machine: Equipment) -> list[Value | None]:
        """Return what it is commanded to, leaving out what nobody confirmed."""
        if "run_command" not in machine.points:
            return []
        wire = self._wires.of(machine.points["run_command"].key)
        return wire.confirmed(self.time, self._settle, self.good(wire.point.key))

    def surely_on(self, machine: Equipment, role: str = "run_command") -> bool:
        """Whether it is commanded on whatever is not known."""
        values = self._possible(machine, role)
        return bool(values) and all(
            value is not None and is_on(role, value) for value in values
        )

    def surely_off(self, machine: Equipment, role: str = "run_command") -> bool:
        """Whether it is commanded off whatever is not known."""
        return all(
            value is not None and not is_on(role, value)
            for value in self._possible(machine, role)
        )

    def ordered_on(self, machine: Equipment) -> bool:
        """Whether we ourselves have switched it on, and not off again."""
        if "run_command" not in machine.points:
            return False
        wire = self._wires.of(machine.points["run_command"].key)
        return wire.owned and wire.value is True

    def _possible(self, machine: Equipment, role: str) -> list[Value | None]:
        if role not in machine.points:
            return []
        wire = self._wires.of(machine.points[role].key)
        return wire.possible(self.time, self._settle, self.good(wire.point.key))

    def serves(self, machine: Equipment) -> bool:
        """Whether the machine provably serves, and nothing is stopping it."""
        known = self._serving.get(machine.key)
        if known is None:
            known = self._serving[machine.key] = self._serves(machine)
        return known

    def _serves(self, machine: Equipment) -> bool:
        status = self.status(machine)
        if status is not True and self.status_point(machine) is not None:
            return False
        roles = self._roles[machine.key]
        for role in roles:
            if self._just_on(machine, role):
                return False
        if status is None:
            return bool(roles) and all(self.surely_on(machine, role) for role in roles)
        for role in roles:
            for value in self._possible(machine, role):
                if value is not None and not is_on(role, value):
                    return False
        return True

    def _just_on(self, machine: Equipment, role: str) -> bool:
        """Whether its status may still be from before it was switched off and on."""
        since = self._wires.of(machine.points[role].key).on_at
        if since is None:
            return False
        passed = self.time - since
        if passed < self.plant.poll_interval:
            return True
        status = self.status_point(machine)
        read_at = None if status is None else self._readings.get(status, MISSING).at
        return read_at is not None and self._now - read_at > passed
