"""What was found on a network or in a point list, and what it is taken to be.

A proposal is only that: a person sees it, with the reason of every match, and
corrects it before a plant file is made of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..roles import EquipmentType

COMMANDABLE_TYPES = frozenset(
    {
        "analog-output",
        "analog-value",
        "binary-output",
        "binary-value",
        "multi-state-output",
        "multi-state-value",
    }
)
"""The BACnet object types that can be commanded at all."""


@dataclass(frozen=True, slots=True)
class FoundObject:
    """One object of a device."""

    device: str
    """The key of its `FoundDevice`."""
    object_type: str
    """With hyphens, as in `analog-input`."""
    instance: int
    name: str
    description: str | None = None
    unit: str | None = None
    """A name of `units.UNITS`; None: none, or one that is not known there."""
    wire_unit: str | None = None
    """The unit as it was found, for people."""
    commandable: bool | None = None
    """Whether it has a priority array or is said to be settable; None: not known."""
    states: tuple[str, ...] = ()
    """The names of the states of a multi-state object, the first is state 1; of
    a binary object inactive and active."""
    present_value: float | bool | None = None

    @property
    def identifier(self) -> str:
        """Return what a plant file calls it, as in `analog-input,1`."""
        return f"{self.object_type},{self.instance}"


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """One BACnet device and its objects."""

    key: str
    """A name for the plant file: lower-case letters, digits and `_`."""
    address: str
    """`host:port` or `net:mac`; empty where a point list does not say it."""
    instance: int
    name: str
    vendor: str | None = None
    model: str | None = None
    objects: tuple[FoundObject, ...] = ()


@dataclass(frozen=True, slots=True)
class BacnetSettings:
    """How we are on the network where the devices were found."""

    local_address: str
    """`ip/prefix` of the interface to bind."""
    instance: int
    """Our own device instance number."""
    local_port: int = 47808
    write_priority: int = 10
    bbmd: str | None = None
    bbmd_lifetime: int = 300
    key: str = "bms"


@dataclass(frozen=True, slots=True)
class Match:
    """An object that is taken to be a role."""

    object: FoundObject
    score: float
    """0 to 1; 1 where a person chose it."""
    reason: str
    """Why, for a person."""


@dataclass(frozen=True, slots=True)
class ProposedEquipment:
    """One machine as it is proposed."""

    key: str
    name: str
    type: EquipmentType
    roles: Mapping[str, Match] = field(default_factory=dict)
    """By role name."""
    notes: tuple[str, ...] = ()
    """What a person should look at: for example two objects that could both be
    the same role, of which none was taken."""
    served_by: Mapping[str, tuple[str, ...]] | None = None
    """The keys of the equipment that must run for a chiller, by kind of service
    (`Equipment.served_by`), as a person chose them; None: nobody was asked."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that is proposed, and the objects that are not."""

    equipment: tuple[ProposedEquipment, ...]
    unmatched: tuple[FoundObject, ...]
    notes: tuple[str, ...] = ()
