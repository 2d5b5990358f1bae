"""Which pumps move how much water through what: headers, circuits, mains.

Pumps of a group stand in parallel on one header and press against a common
resistance and parallel branches. All groups of all scenarios are solved at
once. Pumps that turn alike meet their system in closed form; where speeds or
sizes differ, a Newton search that cannot miss finds the flows.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from .arrays import Array, Flags
from .conductances import isolation_conductance
from .drives import STROKE_TIME, Columns, Pumps

_COMMON_SHARE = 0.25
"""Share of a circuit's friction that lies in piping common to all branches."""

_LEAST_FRICTION = 0.2
"""Share of the rated head that is friction, however high the static head."""

_REMOTE_SHARE = 0.48
"""Share of the rated head that remains for the farthest zones at design flow."""

_CLOSED = 1e-6
_TINY = 1e-100
_ROOT_OF_TINY = 1e-50
_SEARCH_STEPS = 8
_CLOSE = 1e-7
"""A Newton step this small, of the whole, leaves an error of its square."""


class Header:
    """Groups of parallel pumps, each on a header of its own."""

    def __init__(
        self,
        pumps: Pumps,
        pump_index: Sequence[int],
        pump_group: Sequence[int] | None,
        branch_group: Sequence[int] | None,
        branches: int,
    ) -> None:
        """Take which of the fleet's pumps and which branches are on which header.

        None stands for one header. Raise `ValueError` for one without a pump
        or without a branch.
        """
        self.pumps = pumps
        group_of_pump = list(pump_group) if pump_group else [0] * len(pump_index)
        group_of_branch = list(branch_group) if branch_group else [0] * branches
        groups = 1 + max([*group_of_pump, *group_of_branch], default=0)
        if not set(range(groups)) == set(group_of_pump) == set(group_of_branch):
            raise ValueError("every header needs a pump and a branch")
        members = [
            [at for at, own in enumerate(group_of_pump) if own == group]
            for group in range(groups)
        ]
        widest = max(len(own) for own in members)
        self.groups = groups
        self.branch_group = np.array(group_of_branch, dtype=np.intp)
        self._columns: Columns = np.array(pump_index, dtype=np.intp)
        if list(pump_index) == list(range(pumps.speed.shape[1])):
            self._columns = slice(None)
        # Pumps by header, narrower ones filled up with pumps that make nothing.
        scenarios = pumps.speed.shape[0]
        self._pump_at = np.zeros((groups, widest), dtype=np.intp)
        self._shut_off: Array = np.zeros((scenarios, groups, widest))
        self._capability: Array = np.zeros((scenarios, groups, widest))
        self._slots = np.zeros(len(pump_index), dtype=np.intp)
        rated = np.zeros(groups)
        for group, own in enumerate(members):
            for place, at in enumerate(own):
                pump = pump_index[at]
                self._pump_at[group, place] = pump
                self._shut_off[:, group, place] = pumps.curves.shut_off[:, pump]
                self._capability[:, group, place] = pumps.curves.capability[:, pump]
                self._slots[at] = group * widest + place
                rated[group] += pumps.curves.head[0, pump] / len(own)
        self.rated_head: Array = rated
        """kPa that the pumps of each header are rated at, on average."""
        self._membership: Array = np.zeros((groups, branches))
        self._membership[self.branch_group, np.arange(branches)] = 1.0
        self._each: Array = np.ones(widest)
        shape = (scenarios, groups)
        self.flow: Array = np.zeros(shape)
        """l/s through each header."""
        self.branch_pressure: Array = np.zeros(shape)
        """kPa across the branches of each header."""

    def by_group(self, values: Array) -> Array:
        """Return what the branches' values come to for each header."""
        # Not `@`: its last digit would depend on the number of scenarios.
        total: Array = np.vecdot(values[..., None, :], self._membership)
        return total

    def solve(
        self,
        conductances: Array,
        common: Array,
        static: float,
        beside: Array | float = 0.0,
    ) -> Array:
        """Find the flow (S, m) of each branch at the speeds of this moment.

        `common` is the resistance of each header in kPa/(l/s)², `static` kPa
        that must be lifted first; `beside` is the conductance of a bypass.
        """
        speed = self.pumps.speed.take(self._pump_at, axis=1)
        pressure = speed * speed
        pressure *= self._shut_off
        # Reductions over an axis of three cost numpy more than columns do.
        strongest = pressure[..., 0]
        for place in range(1, pressure.shape[2]):
            strongest = np.maximum(strongest, pressure[..., place])
        total = self.by_group(conductances) + beside
        passable = np.maximum(total, _CLOSED)
        resistance = common + 1.0 / (passable * passable)
        turning = pressure > static
        helping = self._capability * turning
        whole = np.vecdot(helping, self._each)
        root = np.maximum(strongest - static, 0.0)
        root /= resistance * whole * whole + 1.0
        np.sqrt(root, out=root)
        flows = helping * root[..., None]
        uneven = pressure != strongest[..., None]
        uneven &= turning
        if np.count_nonzero(uneven):
            rows = uneven[..., 0]
            for place in range(1, uneven.shape[2]):
                rows = rows | uneven[..., place]
            flows[rows] = unequal_flows(
                pressure[rows] - static, helping[rows], resistance[rows]
            )
        flows *= (total > _CLOSED)[..., None]
        self.flow = np.vecdot(flows, self._each)
        share = self.flow / passable
        self.branch_pressure = np.where(
            total > _CLOSED, share * share, np.maximum(strongest - static, 0.0)
        )
        self.pumps.take_flow(
            flows.reshape(len(flows), -1).take(self._slots, axis=1), self._columns
        )
        through: Array = conductances * share.take(self.branch_group, axis=1)
        return through

    @property
    def heating(self) -> Array:
        """Power of the pumps that ends as heat in the moving water, kW (S,)."""
        shaft = self.pumps.shaft_power[:, self._columns]
        moving = self.pumps.flow[:, self._columns] > 0.0
        heating: Array = np.vecdot(shaft, moving)
        return heating


def unequal_flows(pressure: Array, capability: Array, resistance: Array) -> Array:
    """Return the flows (k, p) of parallel pumps of different strength.

    `pressure` is what each makes at no flow, above the static head; each gives
    `capability`·√(pressure - head) through a check valve into a system of
    `resistance`·flow².

    With the weakest pump that delivers known, head = its pressure - leg² makes
    the balance of heads a convex and rising function of `leg`, so that Newton's
    steps from above go down to its root and never past it.
    """
    # A pump delivers if, at its own pressure, the system takes more than the
    # stronger pumps give.
    above = np.maximum(pressure[:, None, :] - pressure[:, :, None], 0.0)
    given = np.vecdot(np.sqrt(above), capability[:, None, :])
    delivering = (resistance[:, None] * given * given < pressure) & (capability > 0.0)
    capability = capability * delivering
    weakest = np.where(delivering, pressure, np.inf).min(axis=1)
    spare = np.maximum(pressure - weakest[:, None], _TINY)
    # Legs add up to at least what their sums, squared and added, have as root.
    least = np.vecdot(capability, np.sqrt(spare))
    each = np.ones(capability.shape[1])
    whole = np.vecdot(capability, each)
    square = weakest - resistance * least * least
    square /= 1.0 + resistance * whole * whole
    leg = np.sqrt(np.maximum(square, _TINY))
    for _ in range(_SEARCH_STEPS):
        square = leg * leg
        legs = np.sqrt(spare + square[:, None])
        flow = np.vecdot(capability, legs)
        rise = np.vecdot(capability / legs, each)
        drag = resistance * flow
        change = (drag * flow + square - weakest) / (2.0 * leg * (drag * rise + 1.0))
        leg = np.maximum(leg - change, _ROOT_OF_TINY)
        if change.max() <= _CLOSE * leg.min():
            break
    flows: Array = capability * np.sqrt(spare + (leg * leg)[:, None])
    return flows


class MinimumFlowBypass:
    """Valves from the supply to the return of headers, one each.

    Their own controllers open them while pumps run and the headers' flow is
    below the least one.
    """

    OBSERVABLES: ClassVar = {"position": "1", "flow": "l/s"}

    def __init__(self, minimum_flow: Sequence[float] | Array, scenarios: int) -> None:
        """Take the least flow of each header, l/s."""
        self.minimum_flow: Array = np.asarray(minimum_flow, dtype=np.float64)
        self.position: Array = np.zeros((scenarios, len(self.minimum_flow)))
        self.flow: Array = np.zeros_like(self.position)

    def step(self, seconds: float, flow: Array, pumping: Flags) -> None:
        """Move by how far `flow` of each header is from the least one."""
        travel = seconds / STROKE_TIME
        short = (self.minimum_flow - flow) / self.minimum_flow
        short *= pumping
        self.position += travel * np.minimum(np.maximum(short, -1.0), 1.0)
        np.maximum(self.position, 0.0, out=self.position)
        np.minimum(self.position, 1.0, out=self.position)


class Circuit:
    """Parallel pumps, a header, parallel branches with isolation valves."""

    OBSERVABLES: ClassVar = {"flow": "l/s", "heating": "kW"}

    def __init__(
        self,
        pumps: Pumps,
        pump_index: Sequence[int],
        branches: Sequence[float] | Array,
        static_head: float = 0.0,
        minimum_flow_bypass: MinimumFlowBypass | None = None,
        *,
        pump_group: Sequence[int] | None = None,
        branch_group: Sequence[int] | None = None,
    ) -> None:
        """Size the branches so that all pumps together meet the design.

        `branches` are design flows in l/s, `static_head` is in kPa. With
        groups given there are several headers, each with its own pumps.
        """
        design: Array = np.asarray(branches, dtype=np.float64)
        self.header = Header(pumps, pump_index, pump_group, branch_group, len(design))
        self.bypass = minimum_flow_bypass
        self._static = static_head
        rated = self.header.rated_head
        friction = np.maximum(rated - static_head, _LEAST_FRICTION * rated)
        scenarios = pumps.speed.shape[0]
        common = _COMMON_SHARE * friction / self.header.by_group(design) ** 2
        self._common: Array = np.tile(common, (scenarios, 1))
        drop = (1.0 - _COMMON_SHARE) * friction
        full = design / np.sqrt(drop[self.header.branch_group])
        self._full: Array = np.tile(full, (scenarios, 1))
        self._bypass_full: Array = np.zeros_like(drop)
        if minimum_flow_bypass is not None:
            self._bypass_full = minimum_flow_bypass.minimum_flow / np.sqrt(drop)
        self.flows: Array = np.zeros((scenarios, len(design)))
        """l/s through each branch."""
        self.flow: Array = np.zeros(scenarios)
        """l/s through all branches, without the bypass."""

    @property
    def heating(self) -> Array:
        """Power of the pumps that ends as heat in the water, kW (S,)."""
        return self.header.heating

    def step(self, seconds: float) -> None:
        """Let the bypass follow the flow of the last solution."""
        if self.bypass is not None:
            self.bypass.step(
                seconds, self.header.flow, self.header.branch_pressure > 0.0
            )

    def solve(self, branch_positions: Array) -> Array:
        """Return the flow (S, m) of each branch at positions 0 to 1."""
        beside: Array | float = 0.0
        if self.bypass is not None:
            beside = isolation_conductance(self._bypass_full, self.bypass.position)
        self.flows = self.header.solve(
            isolation_conductance(self._full, branch_positions),
            self._common,
            self._static,
            beside,
        )
        self.flow = np.vecdot(self.flows, np.ones(self.flows.shape[1]))
        if self.bypass is not None:
            self.bypass.flow = self.header.flow - self.header.by_group(self.flows)
        return self.flows


class Distribution:
    """Secondary pumps, mains, and the zones at their far ends."""

    OBSERVABLES: ClassVar = {
        "flow": "l/s",
        "heating": "kW",
        "differential_pressure": "kPa",
    }

    def __init__(
        self,
        pumps: Pumps,
        pump_index: Sequence[int],
        zones: Sequence[float] | Array,
        *,
        pump_group: Sequence[int] | None = None,
        zone_group: Sequence[int] | None = None,
    ) -> None:
        """Size each main so that the rated head leaves its zones theirs.

        `zones` are the design flows of the zones in l/s.
        """
        design: Array = np.asarray(zones, dtype=np.float64)
        self.header = Header(pumps, pump_index, pump_group, zone_group, len(design))
        rated = self.header.rated_head
        left = remote_pressure(rated)
        main = (rated - left) / self.header.by_group(design) ** 2
        self._main: Array = np.tile(main, (pumps.speed.shape[0], 1))
        self.remote_pressure: Array = left[self.header.branch_group]
        """kPa at which each zone's branch passes its design flow (z,)."""
        self.flows: Array = np.zeros((pumps.speed.shape[0], len(design)))
        """l/s through each zone's branch."""
        self.flow: Array = np.zeros(pumps.speed.shape[0])
        """l/s of all secondary pumps."""

    @property
    def differential_pressure(self) -> Array:
        """Pressure over the branches of each group, kPa (S, groups), remote."""
        return self.header.branch_pressure

    @property
    def heating(self) -> Array:
        """Power of the pumps that ends as heat in the water, kW (S,)."""
        return self.header.heating

    def solve(self, conductances: Array) -> Array:
        """Return the flow (S, z) of each zone at (l/s)/√kPa of its branch."""
        self.flows = self.header.solve(conductances, self._main, 0.0)
        self.flow = np.vecdot(self.flows, np.ones(self.flows.shape[1]))
        return self.flows


def remote_pressure(rated_head: Array) -> Array:
    """Return the kPa that remain for the farthest zones at design flow."""
    return _REMOTE_SHARE * rated_head
