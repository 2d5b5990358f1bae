"""Reading many objects of a device in as few requests as it allows."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from bacpypes3.apdu import ComplexAckPDU
from bacpypes3.basetypes import PropertyIdentifier
from bacpypes3.primitivedata import ObjectIdentifier

from .bacnet_device import Device
from .bacnet_failures import (
    Busy,
    Garbled,
    NotUnderstood,
    Refused,
    RequestFailed,
    TooMuch,
)
from .bacnet_read_multiple import (
    PRESENT_VALUE,
    PRIORITY_ARRAY,
    STATUS_FLAGS,
    Place,
    decode,
    request,
)
from .bacnet_values import Answer

_PRIORITY_ARRAY_OCTETS = 92
"""That an object's priority array takes at most, with sixteen numbers in it."""
_FLAGS_EACH = 4
"""Readings of one object at a time for which its flags are asked once: each costs
a request of its own."""
_LEFT_OUT = "the device left it out of its answer"


type Answered = Callable[[Mapping[Place, Answer]], None]


async def read_values(device: Device, places: Iterable[Place], told: Answered) -> None:
    """Read present values and status flags.

    `told` is called with what is known, as soon as it is. Raises
    `DeviceSilent`; what was told before stays true.
    """
    waiting = deque(places)

    async def work() -> None:
        while waiting:
            size = min(device.batch(), len(waiting))
            batch = [waiting.popleft() for _ in range(size)]
            if device.reads_several:
                try:
                    told(await _read_several(device, batch))
                    continue
                except TooMuch:
                    if size > 1:
                        device.was_too_much(size)
                        waiting.extendleft(reversed(batch))
                        continue
                except Busy as error:
                    told(dict.fromkeys(batch, Answer(failure=error.reason)))
                    continue
                except NotUnderstood:
                    device.reads_several = False
                except RequestFailed:
                    # One of them spoils it for all; the next reading tries again.
                    pass
            for place in batch:
                told({place: await _read_one(device, place)})

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(device.in_flight, len(waiting))):
                group.create_task(work())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def read_priority_arrays(
    device: Device, places: Sequence[Place]
) -> dict[Place, list[Any]]:
    """Return the sixteen slots of those objects that have them.

    Empty slots are `Null`. Raises `DeviceSilent` or `RequestFailed`.
    """
    found: dict[Place, list[Any]] = {}
    waiting = deque(places)
    while waiting:
        size = min(device.batch(_PRIORITY_ARRAY_OCTETS), len(waiting))
        batch = [waiting.popleft() for _ in range(size)]
        try:
            if not device.reads_several:
                found[batch[0]] = await _read_slots(device, batch[0])
                continue
            answer = await _ask_several(device, batch, (PRIORITY_ARRAY,))
        except NotUnderstood:
            if not device.reads_several:
                return found
            device.reads_several = False
            waiting.extendleft(reversed(batch))
            continue
        except Refused:
            # One of them has no such thing, and this device says so for all.
            for place in batch:
                with suppress(Refused):
                    found[place] = await _read_slots(device, place)
            continue
        except TooMuch:
            if size == 1:
                continue
            device.was_too_much(size, _PRIORITY_ARRAY_OCTETS)
            waiting.extendleft(reversed(batch))
            continue
        for place in batch:
            slots = answer.get((*place, PRIORITY_ARRAY))
            if isinstance(slots, list):
                found[place] = slots
    return found


async def _read_several(device: Device, batch: Sequence[Place]) -> dict[Place, Answer]:
    found = await _ask_several(device, batch, (PRESENT_VALUE, STATUS_FLAGS))
    answers = {}
    for place in batch:
        kind, instance = place
        value = found.get((kind, instance, PRESENT_VALUE))
        answers[place] = (
            Answer(failure=_LEFT_OUT)
            if value is None
            else Answer(value, found.get((kind, instance, STATUS_FLAGS)))
        )
    return answers


async def _ask_several(
    device: Device, batch: Sequence[Place], properties: Sequence[int]
) -> dict[tuple[int, int, int], Any]:
    answer = await device.read(
        lambda application: application.request(
            request(device.address, batch, properties)
        )
    )
    if not isinstance(answer, ComplexAckPDU):
        raise Garbled("an answer that makes no sense")
    try:
        return decode(answer)
    except (ValueError, TypeError) as error:
        raise Garbled(f"an answer that makes no sense ({error})") from error


async def _read_slots(device: Device, place: Place) -> list[Any]:
    slots = await device.read(
        lambda application: application.read_property(
            device.address, ObjectIdentifier(place), _PRIORITY_ARRAY
        )
    )
    # Each is a choice of kinds, of which one is there.
    return [
        next(
            held
            for kind in (*_KINDS_OF_SLOTS, "null")
            if (held := getattr(slot, kind, None)) is not None or kind == "null"
        )
        for slot in slots
    ]


_KINDS_OF_SLOTS = ("real", "enumerated", "unsigned", "integer", "double", "boolean")
_PRIORITY_ARRAY = PropertyIdentifier(PRIORITY_ARRAY)
_PRESENT_VALUE = PropertyIdentifier(PRESENT_VALUE)
_STATUS_FLAGS = PropertyIdentifier(STATUS_FLAGS)


async def _read_one(device: Device, place: Place) -> Answer:
    identifier = ObjectIdentifier(place)

    async def read(name: PropertyIdentifier) -> Any:
        return await device.read(
            lambda application: application.read_property(
                device.address, identifier, name
            )
        )

    try:
        value = await read(_PRESENT_VALUE)
    except RequestFailed as error:
        return Answer(failure=error.reason)
    left, flags = device.status_flags.get(place, (0, None))
    if left == 0:
        try:
            flags = await read(_STATUS_FLAGS)
        except RequestFailed:
            flags = None
        # That something is wrong is looked after each time, until it is over.
        left = 1 if flags is not None and any(flags) else _FLAGS_EACH
    device.status_flags[place] = left - 1, flags
    return Answer(value, flags)
