"""Who stands on which header, read from `served_by` of the plant file.

Machines that share a pump share a header; pumps of their own make headers of
their own. One that names no pumps is served by all of their kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..plant.model import Equipment, Plant
from ..plant.roles import EquipmentType
from .arrays import Array


@dataclass(frozen=True, slots=True)
class Groups:
    """Pumps and those they serve, by header.

    `pump_index` counts pumps in the order of the file; `pump_group` and
    `user_group` say which header each of these pumps and each user is on.
    """

    pump_index: tuple[int, ...]
    pump_group: tuple[int, ...]
    user_group: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many headers there are."""
        return 1 + max(self.user_group, default=-1)


def groups_of(
    plant: Plant, users: EquipmentType, service: str, pumps: EquipmentType
) -> Groups:
    """Group machines of a kind with the pumps of one `service`.

    Chillers and zones both call it `chilled_water_pumps`; the type says which
    of the pumps are meant. A pump that nobody names is on no header.
    """
    keys = [item.key for item in plant.of_type(pumps)]
    served = [
        {key for key in user.served_by.get(service, ()) if key in keys} or set(keys)
        for user in plant.of_type(users)
    ]
    headers: list[set[str]] = []
    for own in served:
        touching = [header for header in headers if header & own]
        headers = [header for header in headers if not header & own]
        headers.append(own.union(*touching))
    # Numbered in the order of the users in the file.
    headers.sort(
        key=lambda header: [bool(header & own) for own in served], reverse=True
    )
    placed = [
        (index, group)
        for index, key in enumerate(keys)
        for group, header in enumerate(headers)
        if key in header
    ]
    return Groups(
        tuple(index for index, _ in placed),
        tuple(group for _, group in placed),
        tuple(
            group
            for own in served
            for group, header in enumerate(headers)
            if header & own
        ),
    )


class BranchValves:
    """The isolation valves in series in each branch."""

    def __init__(self, members: Sequence[Sequence[int]]) -> None:
        """Take, for each branch, which valves of the fleet are in it."""
        self._widest = max((len(own) for own in members), default=0)
        # A branch with fewer valves names one of its own again.
        self._index = np.array(
            [
                [*own, *([*own] or [0]) * self._widest][: self._widest]
                for own in members
            ],
            dtype=np.intp,
        )
        self._free: Array = np.array([0.0 if own else 1.0 for own in members])

    def positions(self, valves: Array) -> Array:
        """Return how far (S, m) the branches are open, by valves (S, v).

        The least open valve of a branch counts; one without valves is open.
        """
        if not self._widest:
            return np.broadcast_to(self._free, (len(valves), len(self._free)))
        least: Array = valves.take(self._index, axis=1).min(axis=2)
        return np.maximum(least, self._free)


def branch_valves(plant: Plant, *, condenser: bool) -> BranchValves:
    """Return the valves of the chillers' branches on one of their sides."""
    keys = [item.key for item in plant.of_type(EquipmentType.VALVE)]
    return BranchValves(
        [
            [
                keys.index(key)
                for key in chiller.served_by.get("valves", ())
                if is_condenser_valve(chiller, key) is condenser
            ]
            for chiller in plant.of_type(EquipmentType.CHILLER)
        ]
    )


def is_condenser_valve(chiller: Equipment, valve: str) -> bool:
    """Return whether a valve of this chiller is on its condenser side.

    Its key says so; of two valves that do not say, the second one is.
    """
    valves = chiller.served_by.get("valves", ())
    if any("condenser" in key for key in valves):
        return "condenser" in valve
    return len(valves) == 2 and valve == valves[1]
