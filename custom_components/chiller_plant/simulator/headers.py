"""Parallel pumps on headers, against what lies behind them.

Pumps of a group stand on one header and press against a common resistance and
parallel branches. All headers of all scenarios are solved at once. Pumps that
turn alike meet their system in closed form; where speeds or sizes differ, a
Newton search that cannot miss finds the flows.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, Flags
from .conductances import isolation_conductance
from .drives import STROKE_TIME, Columns, Fault, Pumps, Valves

_CLOSED = 1e-6
_TINY = 1e-100
_ROOT_OF_TINY = 1e-50
_SEARCH_STEPS = 8
_CLOSE = 1e-7
"""A Newton step this small, of the whole, leaves an error of its square."""


class MinimumFlowBypass:
    """Valves beside the branches of headers, one each.

    Their own controllers open them while pumps run and the headers' flow is
    below the least one. One that is stuck a little open is a leaking bypass.
    """

    OBSERVABLES: ClassVar[Mapping[str, str]] = {"position": "1", "flow": "l/s"}
    ACTIONS: ClassVar[Mapping[str, str]] = {}
    FAULTS: ClassVar[tuple[Fault, ...]] = Valves.FAULTS

    def __init__(self, minimum_flow: Sequence[float] | Array, scenarios: int) -> None:
        """Take the least flow of each header, l/s."""
        self.minimum_flow: Array = np.asarray(minimum_flow, dtype=np.float64)
        self.valves = Valves(len(self.minimum_flow), scenarios)
        self.flow: Array = np.zeros_like(self.position)
        self._full: Array = np.zeros_like(self.minimum_flow)

    @property
    def position(self) -> Array:
        """How far each is open, 0 to 1."""
        return self.valves.position

    @property
    def fault(self) -> NDArray[np.int8]:
        """A `Fault` each."""
        return self.valves.fault

    @property
    def conductance(self) -> Array:
        """What each lets through now, (l/s)/√kPa."""
        return isolation_conductance(self._full, self.valves.position)

    def fit(self, pressure: Array) -> None:
        """Choose valves that pass the least flow at these kPa when open."""
        self._full = self.minimum_flow / np.sqrt(pressure)

    def step(self, seconds: float, flow: Array, pumping: Flags) -> None:
        """Move by how far `flow` of each header is from the least one."""
        short = (self.minimum_flow - flow) / self.minimum_flow
        short *= pumping
        short *= seconds / STROKE_TIME
        self.valves.step(seconds, position=self.valves.position + short)


class Header:
    """Groups of parallel pumps, each on a header of its own."""

    def __init__(
        self,
        pumps: Pumps,
        pump_index: Sequence[int],
        pump_group: Sequence[int] | None,
        branch_group: Sequence[int] | None,
        branches: int,
        bypass: MinimumFlowBypass | None = None,
    ) -> None:
        """Take which of the fleet's pumps and which branches are on which header.

        None stands for one header. Raise `ValueError` for one without a pump
        or without a branch.
        """
        self.pumps = pumps
        self.bypass = bypass
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

    def step(self, seconds: float) -> None:
        """Let the bypass follow the flow of the last solution."""
        if self.bypass is not None:
            self.bypass.step(seconds, self.flow, self.branch_pressure > 0.0)

    def solve(self, conductances: Array, common: Array, static: float) -> Array:
        """Find the flow (S, m) of each branch at the speeds of this moment.

        `common` is the resistance of each header in kPa/(l/s)², `static` kPa
        that must be lifted first.
        """
        speed = self.pumps.speed.take(self._pump_at, axis=1)
        pressure = speed * speed
        pressure *= self._shut_off
        # Reductions over an axis of three cost numpy more than columns do.
        strongest = pressure[..., 0]
        for place in range(1, pressure.shape[2]):
            strongest = np.maximum(strongest, pressure[..., place])
        total = self.by_group(conductances)
        if self.bypass is not None:
            total += self.bypass.conductance
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
        if self.bypass is not None:
            self.bypass.flow = self.bypass.conductance * share
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
