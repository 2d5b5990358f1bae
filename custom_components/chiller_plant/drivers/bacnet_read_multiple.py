"""ReadPropertyMultiple by our own reading of its octets.

The stack builds an object for every tag of an answer, which costs a fifth of a
millisecond a point and holds the event loop for ten milliseconds an answer:
with thousands of points it is that, not the wire, which decides how fast a
plant is read. What is asked here is simple enough to be read directly
(BACnet 15.7, encoding 20.2): numbers, flags and lists of both.
"""

from collections.abc import Callable, Iterable, Sequence
import struct
from typing import Any, NamedTuple

from bacpypes3.apdu import ComplexAckPDU, ConfirmedRequestPDU
from bacpypes3.basetypes import ErrorType
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import Null

READ_PROPERTY_MULTIPLE = 14

PRESENT_VALUE = 85
PRIORITY_ARRAY = 87
STATUS_FLAGS = 111

type Place = tuple[int, int]
"""An object: number of its type, and its instance."""

_OPEN, _CLOSE = 6, 7
_INSTANCE = 0x3FFFFF


class RawRequest(ConfirmedRequestPDU):  # type: ignore[misc]
    """A request whose answer is handed over as it came, without decoding."""


class Other(NamedTuple):
    """A value of a kind that no point has."""

    kind: int
    """Number of its application tag (20.2.1.4), or of the tag around it."""

    def __str__(self) -> str:
        """Say what it is, for people."""
        return f"a value of kind {self.kind}"


def request(
    address: Address, places: Iterable[Place], properties: Sequence[int]
) -> RawRequest:
    """Return the request for the same properties of several objects."""
    wanted = b"".join(bytes((0x09, name)) for name in properties)
    body = b"".join(
        b"\x0c" + (kind << 22 | instance).to_bytes(4) + b"\x1e" + wanted + b"\x1f"
        for kind, instance in places
    )
    return RawRequest(READ_PROPERTY_MULTIPLE, None, body, destination=address)


def decode(answer: ComplexAckPDU) -> dict[tuple[int, int, int], Any]:
    """Return what each property (type, instance, property) is.

    A number, a tuple of flags, `Null`, `Other`, a list where it is several,
    or the `ErrorType` that there is instead. Raises `ValueError` for an answer
    that is cut off or not built as it should be.
    """
    data = bytes(answer.pduData)
    found: dict[tuple[int, int, int], Any] = {}
    at, end = 0, len(data)
    try:
        while at < end:
            at = _object(data, at, found)
    except (IndexError, struct.error) as error:
        raise ValueError("the answer is cut off") from error
    return found


def _object(data: bytes, at: int, found: dict[tuple[int, int, int], Any]) -> int:
    if data[at] != 0x0C or data[at + 5] != 0x1E:
        raise ValueError("no object where one should be")
    identifier = int.from_bytes(data[at + 1 : at + 5])
    kind, instance = identifier >> 22, identifier & _INSTANCE
    at += 6
    while data[at] != 0x1F:
        tag, length, at = _tag(data, at)
        if tag != 2:
            raise ValueError("no property where one should be")
        name = int.from_bytes(data[at : at + length])
        at += length
        if data[at] & 0xF8 == 0x38:
            # An index that nobody asked for.
            _, length, at = _tag(data, at)
            at += length
        if data[at] == 0x4E:
            values, at = _values(data, at + 1, 0x4F)
            found[kind, instance, name] = values[0] if len(values) == 1 else values
        elif data[at] == 0x5E:
            error, at = _values(data, at + 1, 0x5F)
            found[kind, instance, name] = ErrorType(
                errorClass=int(error[0]), errorCode=int(error[1])
            )
        else:
            raise ValueError("no value where one should be")
    return at + 1


def _tag(data: bytes, at: int) -> tuple[int, int, int]:
    """Return a tag's number, the length in it, and where its content begins."""
    first = data[at]
    at += 1
    number, length = first >> 4, first & 7
    if number == 15:
        number = data[at]
        at += 1
    if length == 5:
        length = data[at]
        at += 1
        if length == 254:
            length = int.from_bytes(data[at : at + 2])
            at += 2
        elif length == 255:
            length = int.from_bytes(data[at : at + 4])
            at += 4
    return number, length, at


def _values(data: bytes, at: int, closing: int) -> tuple[list[Any], int]:
    """Return the values up to a closing tag, and where it goes on behind it."""
    values: list[Any] = []
    while (first := data[at]) != closing:
        if first == 0x44:
            # A Real, as nearly all are.
            values.append(_REAL.unpack_from(data, at + 1)[0])
            at += 5
        elif first & 0x08:
            number, length, at = _tag(data, at)
            values.append(Other(number))
            at = _behind(data, at) if first & 7 == _OPEN else at + length
        else:
            kind, length, at = _tag(data, at)
            if kind == 1:
                # A Boolean is its own length.
                values.append(bool(length))
                continue
            content = data[at : at + length]
            at += length
            if len(content) < length:
                raise ValueError("the answer is cut off")
            decode_kind = _KINDS.get(kind)
            values.append(Other(kind) if decode_kind is None else decode_kind(content))
    return values, at + 1


def _behind(data: bytes, at: int) -> int:
    """Return where it goes on behind what an opening tag has opened."""
    depth = 1
    while depth:
        context, marker = data[at] & 0x08, data[at] & 7
        number, length, at = _tag(data, at)
        if context and marker == _OPEN:
            depth += 1
        elif context and marker == _CLOSE:
            depth -= 1
        elif context or number != 1:
            at += length
    return at


def _flags(content: bytes) -> tuple[bool, ...]:
    unused, bits = content[0], content[1:]
    number = len(bits) * 8
    whole = int.from_bytes(bits)
    return tuple(
        bool(whole >> (number - 1 - place) & 1) for place in range(number - unused)
    )


_REAL = struct.Struct(">f")
_KINDS: dict[int, Callable[[bytes], Any]] = {
    0: lambda content: Null(()),
    2: int.from_bytes,
    3: lambda content: int.from_bytes(content, signed=True),
    4: lambda content: struct.unpack(">f", content)[0],
    5: lambda content: struct.unpack(">d", content)[0],
    8: _flags,
    9: int.from_bytes,
}
