"""What a BACnet device has: its objects with names, units, states and values.

Only the kinds of objects that can be a point are looked at. Whether one can be
commanded is told by its kind alone, never by what could not be read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Any, NamedTuple

from bacpypes3.basetypes import PropertyIdentifier
from bacpypes3.primitivedata import ObjectIdentifier

from ..plant.commissioning.bacnet_units import unit_of
from ..plant.commissioning.found import FoundDevice, FoundObject
from .bacnet_discovery import DeviceHeard, Progress
from .bacnet_failures import NoAnswer, RequestFailed
from .bacnet_interview import Interview, Wanted, text_of
from .bacnet_network import BacnetNetwork
from .driver import DeviceSilent

MOST_OBJECTS = 5000
"""Of one device; more than a plant's controller has."""
_KINDS = {
    int(ObjectIdentifier((name, 0))[0]): name
    for name in (
        "analog-input",
        "analog-output",
        "analog-value",
        "binary-input",
        "binary-output",
        "binary-value",
        "multi-state-input",
        "multi-state-output",
        "multi-state-value",
    )
}
_OBJECT_LIST = PropertyIdentifier("object-list")


class _Place(NamedTuple):
    kind: str
    instance: int

    @property
    def identifier(self) -> ObjectIdentifier:
        return ObjectIdentifier((self.kind, self.instance))

    @property
    def properties(self) -> tuple[str, ...]:
        """What is read of such an object."""
        of_kind: tuple[str, ...] = ("units",)
        if self.kind.startswith("binary"):
            of_kind = ("inactive-text", "active-text")
        elif self.kind.startswith("multi-state"):
            of_kind = ("state-text",)
        return ("object-name", "description", *of_kind, "present-value")


@dataclass(frozen=True, slots=True)
class Inventory:
    """A device with its objects, and what a person should know of the list."""

    device: FoundDevice
    notes: tuple[str, ...] = ()


async def objects_of(
    network: BacnetNetwork,
    device: DeviceHeard,
    key: str,
    progress: Progress | None = None,
) -> Inventory:
    """Return all objects of a device that can be points.

    `key` is what the plant file will call the device. Raises `DeviceSilent`.
    """
    shown = f"{device.name or key} ({device.address})"
    interview = Interview(network, device.address, device.longest_apdu)
    try:
        listed, total = await _listed(interview, device, progress)
        places = [place for item in listed if (place := _place(item)) is not None]
        wanted = [
            Wanted(place.identifier, PropertyIdentifier(name))
            for place in places
            for name in place.properties
        ]

        def report(over: int) -> None:
            if progress is not None:
                progress(over, len(wanted))

        said = await interview.ask(wanted, report)
    except RequestFailed as error:
        raise DeviceSilent(f"{shown} does not answer: {error.reason}") from error
    answers = {
        (str(item.target), str(item.name)): value for item, value in said.items()
    }
    return Inventory(
        FoundDevice(
            key,
            device.address,
            device.instance,
            device.name or f"device {device.instance}",
            device.vendor,
            device.model,
            tuple(_object(key, place, answers) for place in places),
        ),
        tuple(_notes(shown, total, listed, places)),
    )


async def _listed(
    interview: Interview, device: DeviceHeard, progress: Progress | None
) -> tuple[Sequence[Any], int]:
    """Return identifiers of a device's objects, and how many it says it has."""
    identifier = ObjectIdentifier(("device", device.instance))
    whole = Wanted(identifier, _OBJECT_LIST)
    try:
        listed = (await interview.ask([whole])).get(whole)
    except NoAnswer:
        # Too long a list may be what it has no answer for.
        listed = None
    if listed is not None:
        return list(listed)[:MOST_OBJECTS], len(listed)
    size = Wanted(identifier, _OBJECT_LIST, 0)
    answer = await interview.ask([size])
    total = int(answer.get(size, 0))
    elements = [
        Wanted(identifier, _OBJECT_LIST, index)
        for index in range(1, min(total, MOST_OBJECTS) + 1)
    ]

    def report(over: int) -> None:
        if progress is not None:
            progress(over, len(elements))

    found = await interview.ask(elements, report)
    return [found[item] for item in elements if item in found], total


def _place(identifier: Any) -> _Place | None:
    """Return kind and instance of an object that can be a point."""
    try:
        kind, instance = int(identifier[0]), int(identifier[1])
    except TypeError, ValueError, IndexError:
        return None
    name = _KINDS.get(kind)
    return None if name is None else _Place(name, instance)


def _object(
    device: str, place: _Place, answers: Mapping[tuple[str, str], Any]
) -> FoundObject:
    def said(name: str) -> Any:
        return answers.get((str(place.identifier), str(PropertyIdentifier(name))))

    code = said("units")
    unit, wire_unit = unit_of(None if code is None else int(code))
    states: Iterable[Any] = ()
    if place.kind.startswith("multi-state"):
        states = said("state-text") or ()
    elif said("inactive-text") is not None and said("active-text") is not None:
        states = (said("inactive-text"), said("active-text"))
    return FoundObject(
        device=device,
        object_type=place.kind,
        instance=place.instance,
        name=text_of(said("object-name")) or f"{place.kind} {place.instance}",
        description=text_of(said("description")),
        unit=unit,
        wire_unit=wire_unit,
        commandable=_commandable(place.kind),
        states=tuple(text_of(state) or "" for state in states),
        present_value=_value(place.kind, said("present-value")),
    )


def _commandable(kind: str) -> bool | None:
    """Return whether such objects have a priority array; None: some have."""
    if kind.endswith("-input"):
        return False
    return True if kind.endswith("-output") else None


def _value(kind: str, value: Any) -> float | bool | None:
    try:
        number = float(value)
    except TypeError, ValueError:
        return None
    if kind.startswith("binary"):
        return number != 0
    return number if math.isfinite(number) else None


def _notes(
    shown: str, total: int, listed: Sequence[Any], places: Sequence[_Place]
) -> Iterator[str]:
    if total > len(listed):
        yield (f"{shown} has {total} objects; only {len(listed)} of them were read")
    if not places:
        yield f"{shown} has no object that can be a point"
