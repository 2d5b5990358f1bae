"""Which pumps move water through which machines, and how much.

Read from `served_by` of the plant file: chillers that share a pump share a
header; pumps of their own make circuits of their own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..plant.model import Equipment, Plant
from ..plant.roles import EquipmentType
from .drive import Pump, Valve
from .hydraulics import conductance, operating_point, parallel_resistance
from .zone import Zone

_COMMON_SHARE = 0.25
"""Share of a circuit's friction that lies in piping common to all branches."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A machine's water side: its design flow in l/s, its valves in series."""

    design_flow: float
    valves: tuple[Valve, ...]

    @property
    def position(self) -> float:
        """How far the branch is open, 0 to 1."""
        return min((valve.position for valve in self.valves), default=1.0)


class Circuit:
    """Parallel pumps, a header, parallel branches with isolation valves."""

    def __init__(
        self,
        pumps: Mapping[str, Pump],
        branches: Mapping[str, Branch],
        static_head: float = 0.0,
    ) -> None:
        """Size the branches so that all pumps together meet the design."""
        self.pumps = pumps
        self.branches = branches
        self.flows = dict.fromkeys(branches, 0.0)
        """Flow through each branch, l/s."""
        self._static = static_head
        rated = sum(pump.curve.head for pump in pumps.values()) / len(pumps)
        self._friction = max(rated - static_head, 0.2 * rated)
        design = sum(branch.design_flow for branch in branches.values())
        self._common = _COMMON_SHARE * self._friction / design**2

    @property
    def flow(self) -> float:
        """Total flow, l/s."""
        return sum(self.flows.values())

    @property
    def heating(self) -> float:
        """Pump power that ends as heat in the water, kW."""
        return sum(pump.power for pump in self.pumps.values() if pump.flow > 0.0)

    def solve(self) -> None:
        """Find the flows at the speeds and valve positions of this moment."""
        drop = (1.0 - _COMMON_SHARE) * self._friction
        conductances = {
            key: conductance(branch.design_flow, drop, branch.position)
            for key, branch in self.branches.items()
        }
        total = sum(conductances.values())
        point = operating_point(
            [(pump.curve, pump.speed) for pump in self.pumps.values()],
            parallel_resistance(tuple(conductances.values()), self._common),
            self._static,
        )
        for pump, flow in zip(self.pumps.values(), point.flows, strict=True):
            pump.pump(flow)
        for key, value in conductances.items():
            self.flows[key] = point.flow * value / total if total > 0.0 else 0.0


class Distribution:
    """Secondary pumps, a main, and the zones at its far end."""

    def __init__(self, pumps: Mapping[str, Pump], zones: Mapping[str, Zone]) -> None:
        """Size the main so that the rated head leaves the zones theirs."""
        self.pumps = pumps
        self.flows = dict.fromkeys(zones, 0.0)
        """Flow through each zone's coil, l/s."""
        self.differential_pressure = 0.0
        """kPa across the branches, where the remote sensor is."""
        self._zones = zones
        rated = sum(pump.curve.head for pump in pumps.values()) / len(pumps)
        design = sum(zone.design_flow for zone in zones.values())
        self._main = (rated - remote_pressure(rated)) / design**2

    @property
    def flow(self) -> float:
        """Total flow, l/s."""
        return sum(self.flows.values())

    @property
    def heating(self) -> float:
        """Pump power that ends as heat in the water, kW."""
        return sum(pump.power for pump in self.pumps.values() if pump.flow > 0.0)

    def solve(self) -> None:
        """Find flows and pressure at this moment's speeds and valves."""
        conductances = {key: zone.conductance for key, zone in self._zones.items()}
        total = sum(conductances.values())
        point = operating_point(
            [(pump.curve, pump.speed) for pump in self.pumps.values()],
            parallel_resistance(tuple(conductances.values()), self._main),
        )
        for pump, flow in zip(self.pumps.values(), point.flows, strict=True):
            pump.pump(flow)
        self.differential_pressure = max(0.0, point.head - self._main * point.flow**2)
        for key, value in conductances.items():
            self.flows[key] = point.flow * value / total if total > 0.0 else 0.0


def remote_pressure(rated_head: float) -> float:
    """Return the kPa that remain for the farthest zones at design flow."""
    return 0.48 * rated_head


def is_condenser_valve(chiller: Equipment, valve: str) -> bool:
    """Return whether a valve of this chiller is on its condenser side.

    Its key says so; of two valves that do not say, the second one is.
    """
    valves = chiller.served_by.get("valves", ())
    if any("condenser" in key for key in valves):
        return "condenser" in valve
    return len(valves) == 2 and valve == valves[1]


def circuits_of(
    plant: Plant,
    service: str,
    pump_type: EquipmentType,
    pumps: Mapping[str, Pump],
    branch_of: Callable[[Equipment], Branch],
    static_head: float = 0.0,
) -> tuple[Circuit, ...]:
    """Group chillers and the pumps of one `service` into circuits.

    A chiller that names no pumps is served by all pumps of the type.
    """
    everything = tuple(item.key for item in plant.of_type(pump_type))
    served = {
        chiller.key: set(chiller.served_by.get(service, ()) or everything)
        for chiller in plant.of_type(EquipmentType.CHILLER)
    }
    result: list[Circuit] = []
    for group in _joined(served.values()):
        chillers = [key for key, keys in served.items() if keys & group]
        result.append(
            Circuit(
                {key: pumps[key] for key in pumps if key in group},
                {key: branch_of(plant.equipment[key]) for key in chillers},
                static_head,
            )
        )
    return tuple(result)


def _joined(sets: Iterable[set[str]]) -> list[set[str]]:
    """Merge sets that have members in common."""
    groups: list[set[str]] = []
    for keys in sets:
        touching = [group for group in groups if group & keys]
        groups = [group for group in groups if not group & keys]
        groups.append(keys.union(*touching))
    return groups
