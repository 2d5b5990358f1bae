"""What a device reports of an object, by our own reading of its octets.

The stack takes a third of a millisecond to make objects of one report before
anybody has seen its value, and a plant may send a thousand of them in a moment.
Nearly all are built alike: the present value and the status flags of an object,
on its own or from behind a router (BACnet 6.2, 13.1, 20.1 and J.2). Those are
read here. Whatever differs from that in a single octet is left to the stack.
"""

from collections.abc import Callable
import struct
from typing import Any, NamedTuple

from bacpypes3.basetypes import StatusFlags
from bacpypes3.constructeddata import AnyAtomic
from bacpypes3.pdu import Address

from .bacnet_read_multiple import PRESENT_VALUE, STATUS_FLAGS, Place
from .bacnet_values import Answer

_TO_US = b"\x81\x0a"
_VERSION = 0x01
_FROM_BEHIND_A_ROUTER = 0x08
_CONTROL = 0x07
"""The bits of the control octet that change nothing: priority, and whether an
answer is expected."""
_CONFIRMED, _UNCONFIRMED = 1, 2
_UNSEGMENTED = (0x00, 0x02)
"""A confirmed request in one piece, whatever its device could take."""
_DEVICE = 8
_INSTANCE = 0x3FFFFF
_LEAST = 5
"""Octets without which there is nothing to look at."""


class Notification(NamedTuple):
    """What a device says of one of its objects."""

    source: Address
    process: int
    """The subscriber, by its own number."""
    device: int
    """Instance of the device that says it."""
    place: Place
    remaining: int
    """Seconds for which it goes on reporting; 0: it does not say."""
    answer: Answer | None
    """None: nothing is said of the present value."""


class Datagram(NamedTuple):
    """A report as it came, before anybody knows from whom."""

    station: tuple[int, bytes] | None
    """Network and address of a device behind a router."""
    invoke: int | None
    """What it is acknowledged by; None: it need not be."""
    process: int
    device: int
    place: Place
    remaining: int
    answer: Answer


def read_datagram(data: bytes) -> Datagram | None:
    """Return the report in a datagram; None: it is for the stack to read."""
    try:
        return _read(data)
    except IndexError, struct.error:
        return None


def acknowledgement(station: tuple[int, bytes] | None, invoke: int) -> bytes:
    """Return the datagram that tells a device that its report was heard."""
    if station is None:
        way = b"\x01\x00"
    else:
        network, address = station
        way = (
            b"\x01\x20" + network.to_bytes(2) + bytes((len(address),)) + address
        ) + b"\xff"
    return _TO_US + (len(way) + 7).to_bytes(2) + way + bytes((0x20, invoke, _CONFIRMED))


def as_told(notification: Any) -> Notification:
    """Return what the stack has read as what it says."""
    kind, instance = notification.monitoredObjectIdentifier
    return Notification(
        notification.pduSource,
        int(notification.subscriberProcessIdentifier),
        int(notification.initiatingDeviceIdentifier[1]),
        (int(kind), int(instance)),
        int(notification.timeRemaining or 0),
        _answer(notification.listOfValues or ()),
    )


def _answer(items: Any) -> Answer | None:
    # By number, because devices and stacks spell the names in several ways.
    said = {
        int(item.propertyIdentifier): item.value
        for item in items
        if item.propertyArrayIndex is None
    }
    if PRESENT_VALUE not in said:
        return None
    try:
        value = said[PRESENT_VALUE].cast_out(AnyAtomic).get_value()
        flags = said.get(STATUS_FLAGS)
        return Answer(value, None if flags is None else flags.cast_out(StatusFlags))
    except Exception as error:  # noqa: BLE001, what a device sends makes the stack raise anything
        return Answer(
            failure=f"it reported what makes no sense ({type(error).__name__})"
        )


def _read(data: bytes) -> Datagram | None:
    if (
        data[:2] != _TO_US
        or int.from_bytes(data[2:4]) != len(data)
        or data[4] != _VERSION
    ):
        return None
    control, at = data[5], 6
    station = None
    if control & ~_CONTROL:
        if control & ~_CONTROL != _FROM_BEHIND_A_ROUTER:
            return None
        length = data[8]
        station = int.from_bytes(data[6:8]), data[9 : 9 + length]
        if not length or station[0] in (0, 0xFFFF):
            return None
        at = 9 + length
    invoke = None
    if data[at] == 0x10 and data[at + 1] == _UNCONFIRMED:
        at += 2
    elif data[at] in _UNSEGMENTED and data[at + 3] == _CONFIRMED:
        invoke = data[at + 2]
        at += 4
    else:
        return None
    process, at = _number(data, at, 0)
    if process < 0 or data[at] != 0x1C or data[at + 5] != 0x2C:
        return None
    device, place = _TWO_OBJECTS.unpack_from(data, at + 1)
    remaining, at = _number(data, at + 10, 3)
    if device >> 22 != _DEVICE or remaining < 0 or data[at] != 0x4E:
        return None
    answer = _values(data, at + 1)
    if answer is None:
        return None
    return Datagram(
        station,
        invoke,
        process,
        device & _INSTANCE,
        (place >> 22, place & _INSTANCE),
        remaining,
        answer,
    )


def _number(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return a number under a context tag, -1 if it is none, and what is behind it."""
    length = data[at] - (tag << 4 | 0x08)
    if not 1 <= length <= 4:
        return -1, at
    end = at + 1 + length
    return int.from_bytes(data[at + 1 : end]), end


def _values(data: bytes, at: int) -> Answer | None:
    """Return a present value, and flags if there are any, that end the datagram."""
    value: Any = None
    flags: tuple[bool, ...] | None = None
    last = len(data) - 1
    while at < last:
        if data[at] != 0x09 or data[at + 2] != 0x2E:
            return None
        name, kind = data[at + 1], data[at + 3]
        at += 4
        if name == PRESENT_VALUE and value is None:
            if kind == 0x44:
                # A Real, as nearly all are.
                value = _REAL.unpack_from(data, at)[0]
                at += 4
            elif (decode := _KINDS.get(kind)) is not None:
                length = _OCTETS[kind]
                value = decode(data[at : at + length])
                at += length
            else:
                return None
        elif name == STATUS_FLAGS and flags is None:
            # Four bits in one octet.
            if kind != 0x82 or data[at] != 4:
                return None
            flags = _FLAGS[data[at + 1] >> 4]
            at += 2
        else:
            return None
        if data[at] != 0x2F:
            return None
        at += 1
    if value is None or at != last or data[at] != 0x4F:
        return None
    return Answer(value, flags)


_REAL = struct.Struct(">f")
_DOUBLE = struct.Struct(">d")
_TWO_OBJECTS = struct.Struct(">IxI")
_FLAGS = tuple(
    tuple(bool(bits >> place & 1) for place in (3, 2, 1, 0)) for bits in range(16)
)


def _double(content: bytes) -> Any:
    # The octet before it is the length, which has no room in the tag.
    if content[0] != 8:
        raise IndexError
    return _DOUBLE.unpack(content[1:])[0]


def _signed(content: bytes) -> int:
    return int.from_bytes(content, signed=True)


_KINDS: dict[int, Callable[[bytes], Any]] = {
    0x10: lambda content: False,
    0x11: lambda content: True,
    0x55: _double,
    **dict.fromkeys(range(0x21, 0x25), int.from_bytes),
    **dict.fromkeys(range(0x31, 0x35), _signed),
    **dict.fromkeys(range(0x91, 0x95), int.from_bytes),
}
"""By the whole octet of the tag (20.2.1): kind and length."""
_OCTETS = {kind: 9 if kind == 0x55 else kind & 7 for kind in _KINDS} | {0x11: 0}
