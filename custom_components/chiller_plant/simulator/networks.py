"""Which pumps move how much water through what: chillers, towers, zones."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from .arrays import Array
from .conductances import isolation_conductance
from .drives import Pumps
from .headers import Header, MinimumFlowBypass

_COMMON_SHARE = 0.25
"""Share of a circuit's friction that lies in piping common to all branches."""

_LEAST_FRICTION = 0.2
"""Share of the rated head that is friction, however high the static head."""

_REMOTE_SHARE = 0.48
"""Share of the rated head that remains for the farthest zones at design flow."""


class Circuit:
    """Parallel pumps, a header, parallel branches with isolation valves."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {"flow": "l/s", "heating": "kW"}

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
        self.header = Header(
            pumps,
            pump_index,
            pump_group,
            branch_group,
            len(design),
            minimum_flow_bypass,
        )
        self._static = static_head
        rated = self.header.rated_head
        friction = np.maximum(rated - static_head, _LEAST_FRICTION * rated)
        scenarios = pumps.speed.shape[0]
        common = _COMMON_SHARE * friction / self.header.by_group(design) ** 2
        self._common: Array = np.tile(common, (scenarios, 1))
        drop = (1.0 - _COMMON_SHARE) * friction
        full = design / np.sqrt(drop[self.header.branch_group])
        self._full: Array = np.tile(full, (scenarios, 1))
        if minimum_flow_bypass is not None:
            minimum_flow_bypass.fit(drop)
        self.flows: Array = np.zeros((scenarios, len(design)))
        """l/s through each branch."""
        self.flow: Array = np.zeros(scenarios)
        """l/s through all branches, without the bypass."""

    @property
    def heating(self) -> Array:
        """Power of the pumps that ends as heat in the water, kW (S,)."""
        return self.header.heating

    def step(self, seconds: float) -> None:
        """Let the bypass, if there is one, follow the last solution."""
        self.header.step(seconds)

    def solve(self, branch_positions: Array) -> Array:
        """Return the flow (S, m) of each branch at positions 0 to 1."""
        self.flows = self.header.solve(
            isolation_conductance(self._full, branch_positions),
            self._common,
            self._static,
        )
        self.flow = np.vecdot(self.flows, np.ones(self.flows.shape[1]))
        return self.flows


class Distribution:
    """Secondary pumps, mains, and the zones at their far ends."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        "flow": "l/s",
        "heating": "kW",
        "differential_pressure": "kPa",
    }

    def __init__(
        self,
        pumps: Pumps,
        pump_index: Sequence[int],
        zones: Sequence[float] | Array,
        minimum_flow_bypass: MinimumFlowBypass | None = None,
        *,
        pump_group: Sequence[int] | None = None,
        zone_group: Sequence[int] | None = None,
    ) -> None:
        """Size each main so that the rated head leaves its zones theirs.

        `zones` are the design flows of the zones in l/s; a bypass is at the
        far end of each main, beside the zones.
        """
        design: Array = np.asarray(zones, dtype=np.float64)
        self.header = Header(
            pumps,
            pump_index,
            pump_group,
            zone_group,
            len(design),
            minimum_flow_bypass,
        )
        rated = self.header.rated_head
        left = remote_pressure(rated)
        if minimum_flow_bypass is not None:
            minimum_flow_bypass.fit(left)
        main = (rated - left) / self.header.by_group(design) ** 2
        self._main: Array = np.tile(main, (pumps.speed.shape[0], 1))
        self.remote_pressure: Array = left[self.header.branch_group]
        """kPa at which each zone's branch passes its design flow (z,)."""
        self.flows: Array = np.zeros((pumps.speed.shape[0], len(design)))
        """l/s through each zone's branch."""
        self.flow: Array = np.zeros(pumps.speed.shape[0])
        """l/s of all secondary pumps, through zones and bypass."""

    @property
    def differential_pressure(self) -> Array:
        """Pressure over the branches of each group, kPa (S, groups), remote."""
        return self.header.branch_pressure

    @property
    def heating(self) -> Array:
        """Power of the pumps that ends as heat in the water, kW (S,)."""
        return self.header.heating

    def step(self, seconds: float) -> None:
        """Let the bypass, if there is one, follow the last solution."""
        self.header.step(seconds)

    def solve(self, conductances: Array) -> Array:
        """Return the flow (S, z) of each zone at (l/s)/√kPa of its branch."""
        self.flows = self.header.solve(conductances, self._main, 0.0)
        self.flow = np.vecdot(self.header.flow, np.ones(self.header.groups))
        return self.flows


def remote_pressure(rated_head: Array) -> Array:
    """Return the kPa that remain for the farthest zones at design flow."""
    return _REMOTE_SHARE * rated_head
