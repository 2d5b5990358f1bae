"""What a single value of a plant file may be that says where something is."""

import ipaddress
import re

import voluptuous as vol

from ..model import RegisterKind, RegisterRange
from .values import NotOneOf, number, one_of

BACNET_PORT = 47808
MODBUS_PORT = 502
MAXIMUM_INSTANCE = 4_194_302  # 4194303 stands for "any" (BACnet 12.11)

_MOST_STATES = 100
_OBJECT = re.compile(r"([a-z-]{1,40}),([0-9]{1,7})", re.ASCII)
_STATION = re.compile(r"([0-9]{1,5}):([0-9]{1,3}|0x[0-9a-f]{2,14}|[0-9.:]{9,21})")

BACNET_INPUTS = ("analog-input", "binary-input", "multi-state-input")
BACNET_OBJECTS = (
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


def interface(value: object) -> str:
    """Accept address/prefix of an interface of ours."""
    if isinstance(value, str) and "/" in value:
        try:
            ipaddress.IPv4Interface(value)
        except ValueError:
            pass
        else:
            return value
    raise vol.Invalid("expected address/prefix of our interface, as in 10.0.0.5/24")


def host(value: object) -> str:
    """Accept the name or the address of a server."""
    if not isinstance(value, str) or not re.fullmatch(
        r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?", value
    ):
        raise vol.Invalid("expected a host name or an IP address")
    return value


def bacnet_station(value: object) -> str:
    """Accept host:port, or network:mac of a station behind a router.

    The router's own address may follow, where it cannot be found by broadcast.
    """
    if isinstance(value, str):
        station_text, behind, router = value.partition("@")
        if behind and _STATION.fullmatch(station_text):
            return f"{bacnet_station(station_text)}@{bacnet_host(router)}"
        address, _, port = value.partition(":")
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            station = _STATION.fullmatch(value)
            if station and 1 <= int(station[1]) <= 65534:
                return value
        else:
            if not port and ":" not in value:
                return f"{address}:{BACNET_PORT}"
            if re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= 65535:
                return value
    raise vol.Invalid(
        "expected address:port as in 10.0.0.7:47808, network:mac as in 2:17, or "
        "with its router as in 2:17@10.0.0.1:47808"
    )


def bacnet_host(value: object) -> str:
    """Accept host:port of a device on an IP network."""
    station = bacnet_station(value)
    if station.count(".") != 3 or station.partition(":")[0].isdigit():
        raise vol.Invalid("expected address:port as in 10.0.0.7:47808")
    return station


def register_ranges(value: object) -> tuple[RegisterRange, ...]:
    """Accept `{holding: [[0, 99], [200, 240]]}`."""
    expected = "expected {register table: [[first, last], ...]}"
    if not isinstance(value, dict):
        raise vol.Invalid(expected)
    place = number(0, 65535, whole=True)
    found: list[RegisterRange] = []
    for name, ranges in value.items():
        kind = one_of(RegisterKind)(name)
        if not isinstance(ranges, list):
            raise vol.Invalid(expected)
        for ends in ranges:
            if not isinstance(ends, list) or len(ends) != 2:
                raise vol.Invalid(expected)
            first, last = (place(end) for end in ends)
            if first > last:  # type: ignore[operator]
                raise vol.Invalid(expected)
            new = RegisterRange(kind, first, last)  # type: ignore[arg-type]
            if any(_overlap(new, other) for other in found):
                raise vol.Invalid("expected ranges that do not overlap")
            found.append(new)
    return tuple(found)


def _overlap(one: RegisterRange, other: RegisterRange) -> bool:
    return (
        one.kind is other.kind and one.first <= other.last and other.first <= one.last
    )


def bit_field(value: object) -> tuple[int, int]:
    """Accept `[first, last]`, both within a register of 16 bits."""
    expected = "expected [first, last], two bits from 0 to 15"
    if not isinstance(value, list) or len(value) != 2:
        raise vol.Invalid(expected)
    bit = number(0, 15, whole=True)
    first, last = (bit(end) for end in value)
    if first >= last:  # type: ignore[operator]
        raise vol.Invalid(expected)
    return first, last  # type: ignore[return-value]


def states(value: object) -> tuple[tuple[int, bool], ...]:
    """Accept `{1: false, 2: true, 3: true}`: at least one of each."""
    expected = "expected {number: true or false, ...} with at least one of each"
    if not isinstance(value, dict) or not 2 <= len(value) <= _MOST_STATES:
        raise vol.Invalid(expected)
    found: dict[int, bool] = {}
    for key, means in value.items():
        # Every key of a document is a text.
        if not re.fullmatch("[0-9]{1,5}", str(key)) or int(key) > 65535:
            raise vol.Invalid("expected whole numbers from 0 to 65535", [key])
        if not isinstance(means, bool):
            raise vol.Invalid("expected true or false", [key])
        found[int(key)] = means
    if len(found) < len(value) or len(set(found.values())) < 2:
        raise vol.Invalid(expected)
    return tuple(found.items())


def write_priority(value: object) -> object:
    """Accept the slot of a priority array that is ours to write."""
    # 6 belongs to the minimum on and off times of the object itself (BACnet 19.2.3).
    if value == 6:
        raise vol.Invalid("6 is reserved for minimum on and off times: use 8 to 16")
    return number(1, 16, whole=True)(value)


def bacnet_object(value: object) -> tuple[str, int]:
    """Accept "type,number" of an object that has a present value."""
    found = _OBJECT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise vol.Invalid('expected "type,number" as in "analog-input,1"')
    if found[1] not in BACNET_OBJECTS:
        raise NotOneOf(found[1], BACNET_OBJECTS)
    if (instance := int(found[2])) > MAXIMUM_INSTANCE:
        raise vol.Invalid(f"expected an object number from 0 to {MAXIMUM_INSTANCE}")
    return found[1], instance
