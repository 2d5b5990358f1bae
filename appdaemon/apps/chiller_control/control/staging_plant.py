"""The machines that a staging automation starts and stops, and how they prove it.

Taken from the plan's equipment: a chiller names what serves it, and whether
its pumps and towers are headered (shared lists) or its own follows from that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .decision import DEMAND_RESPONSE, ControlRefused, Inputs, Value
from .plan import Plan, PlanAutomation, PlanEquipment

CHILLED_WATER_PUMPS = "chilled_water_pumps"
CONDENSER_WATER_PUMPS = "condenser_water_pumps"
COOLING_TOWERS = "cooling_towers"
SHARED_SERVICES = {
    CHILLED_WATER_PUMPS: "chilled-water pump",
    CONDENSER_WATER_PUMPS: "condenser-water pump",
    COOLING_TOWERS: "cooling tower",
}
OPEN_POSITION = 90.0
"""A modulating valve counts as open from this position, in percent."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Something that is switched on and off, or opened and closed."""

    key: str
    name: str
    command: str | None
    """None where only the machine's own controls can switch it."""
    on: Value
    off: Value
    status: str | None
    alarm: str | None
    speed_command: str | None
    verb: str

    @property
    def points(self) -> Iterable[str]:
        """What is read of it."""
        wanted = (self.command, self.status, self.alarm)
        return (point for point in wanted if point is not None)

    def proven(self, inputs: Inputs) -> bool | None:
        """Whether it reports that it runs (is open); None if not known.

        Without a status its command as read back from the device stands in.
        """
        point = self.status or self.command
        value = inputs.values.get(point) if point else None
        if value is None or isinstance(value, bool):
            return value
        return value >= OPEN_POSITION


@dataclass(frozen=True, slots=True, eq=False)
class Chiller:
    """A chiller and what serves it; the same only as itself."""

    key: str
    name: str
    machine: Machine
    capacity: float
    """Design cooling capacity in kW; 0 if the plant file has none."""
    valves: tuple[Machine, ...]
    shared: Mapping[str, tuple[Machine, ...]]
    setpoint_command: str | None
    load: str | None
    demand_limit: str | None
    remote_mode: str | None
    position: str | None
    """Where its place in the order of starting is read."""


@dataclass(frozen=True, slots=True)
class StagingPlant:
    """All that one staging automation commands."""

    chillers: tuple[Chiller, ...]
    secondary_pumps: tuple[Machine, ...]

    def limited(self, inputs: Inputs) -> bool:
        """Whether demand response limits chillers now."""
        owners = [inputs.owners.get(item.demand_limit or "") for item in self.chillers]
        return any(owner and owner.priority == DEMAND_RESPONSE for owner in owners)

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Everything that serves chillers, valves first, each once."""
        found: dict[str, Machine] = {}
        for chiller in self.chillers:
            found.update((valve.key, valve) for valve in chiller.valves)
        for kind in SHARED_SERVICES:
            for chiller in self.chillers:
                found.update((item.key, item) for item in chiller.shared.get(kind, ()))
            if kind == CHILLED_WATER_PUMPS:
                found.update((pump.key, pump) for pump in self.secondary_pumps)
        return tuple(found.values())

    def neighbours(self, chiller: Chiller, kind: str) -> tuple[str, ...]:
        """Return the keys of the chillers on the same header of a service."""
        return tuple(
            other.key
            for other in self.chillers
            if other != chiller and set(other.shared[kind]) & set(chiller.shared[kind])
        )

    def keys(self, kind: str) -> frozenset[str]:
        """Return the keys of all machines of one shared service."""
        return frozenset(
            item.key for chiller in self.chillers for item in chiller.shared[kind]
        )


def still_flowing(
    plant: StagingPlant,
    served: Sequence[Chiller],
    assigned: Mapping[str, Mapping[str, Machine]],
) -> list[Chiller]:
    """Return the chillers that stopped, and whose chilled water can flow on."""
    return [
        item
        for item in plant.chillers
        if item not in served and CHILLED_WATER_PUMPS in assigned.get(item.key, {})
    ]


def names_of(
    chillers: Iterable[Chiller], assigned: Mapping[str, Mapping[str, Machine]]
) -> dict[str, str]:
    """Return the names of what is assigned to chillers, by key."""
    return {
        machine.key: machine.name
        for chiller in chillers
        for machine in assigned[chiller.key].values()
    }


def assigned_from(
    keys: Mapping[str, Mapping[str, str]], machines: Mapping[str, Machine]
) -> dict[str, dict[str, Machine]]:
    """Return what was assigned to chillers, from the keys that were kept."""
    return {
        chiller: {
            kind: machines[key] for kind, key in chosen.items() if key in machines
        }
        for chiller, chosen in keys.items()
    }


def staging_plant(plan: Plan, automation: PlanAutomation) -> StagingPlant:
    """Find the machines of an automation; raises ControlRefused."""
    keys = automation.names("chillers")
    if not keys:
        raise ControlRefused("no chiller is chosen", "chillers")
    chillers = []
    for key in dict.fromkeys(keys):
        equipment = plan.equipment.get(key)
        if equipment is None or equipment.type != "chiller":
            raise ControlRefused(
                f"chillers: the plant has no chiller {key}", "chillers"
            )
        chillers.append(_chiller(plan, equipment))
    # A whole machine among the outputs of another automation is that one's alone.
    driven = {
        name
        for other in plan.automations
        if other.id != automation.id
        for name in other.names("outputs")
    }
    return StagingPlant(
        chillers=tuple(chillers),
        secondary_pumps=tuple(
            _motor(item)
            for item in plan.of_type("secondary_chilled_water_pump")
            if item.key not in driven
        ),
    )


def _chiller(plan: Plan, equipment: PlanEquipment) -> Chiller:
    machine = _motor(equipment)
    if machine.command is None:
        raise ControlRefused(f"{equipment.name} has no run_command to set", "chillers")

    def serving(kind: str) -> tuple[PlanEquipment, ...]:
        found = []
        for key in equipment.served_by.get(kind, ()):
            if key not in plan.equipment:
                raise ControlRefused(
                    f"{equipment.name} is served by unknown {key}", "chillers"
                )
            found.append(plan.equipment[key])
        return tuple(found)

    return Chiller(
        key=machine.key,
        name=machine.name,
        machine=machine,
        capacity=equipment.ratings.get("cooling_capacity", 0.0),
        valves=tuple(_valve(item) for item in serving("valves")),
        shared={
            kind: tuple(_motor(item) for item in serving(kind))
            for kind in SHARED_SERVICES
        },
        setpoint_command=equipment.command("chilled_water_supply_temperature_setpoint"),
        load=equipment.point("load"),
        demand_limit=equipment.point("demand_limit"),
        remote_mode=equipment.point("remote_mode"),
        position=equipment.point("sequence_position"),
    )


def _motor(equipment: PlanEquipment) -> Machine:
    return Machine(
        key=equipment.key,
        name=equipment.name,
        command=equipment.command("run_command"),
        on=True,
        off=False,
        status=equipment.point("run_status"),
        alarm=equipment.point("alarm"),
        speed_command=equipment.command("speed_command"),
        verb="run",
    )


def _valve(equipment: PlanEquipment) -> Machine:
    switched = equipment.command("open_command")
    return Machine(
        key=equipment.key,
        name=equipment.name,
        command=switched or equipment.command("position_command"),
        on=True if switched else 100.0,
        off=False if switched else 0.0,
        status=equipment.point("open_status") or equipment.point("position"),
        alarm=None,
        speed_command=None,
        verb="open",
    )
