"""How a value lies in the registers of a Modbus unit."""

from collections.abc import Sequence
import math
import struct

from ..plant.model import ModbusAddress, Point, RegisterKind, RegisterType, Value
from ..plant.units import to_internal, to_wire
from .driver import PointRefused

_FORMATS = {
    RegisterType.UINT16: ">H",
    RegisterType.INT16: ">h",
    RegisterType.UINT32: ">I",
    RegisterType.INT32: ">i",
    RegisterType.UINT64: ">Q",
    RegisterType.INT64: ">q",
    RegisterType.FLOAT32: ">f",
    RegisterType.FLOAT64: ">d",
}
_FLOATING = (RegisterType.FLOAT32, RegisterType.FLOAT64)
BIT_KINDS = frozenset({RegisterKind.COIL, RegisterKind.DISCRETE_INPUT})


def width(address: ModbusAddress) -> int:
    """Return how many places a value takes in its table."""
    return 1 if address.kind in BIT_KINDS else address.type.registers


def decode(point: Point, address: ModbusAddress, raw: Sequence[int]) -> Value:
    """Return what `width` registers or bits say, in the unit of the role.

    Raises `ValueError` for what is no number, or no state that is listed.
    """
    if address.kind in BIT_KINDS:
        return bool(raw[0])
    if address.bit is not None:
        return bool(raw[0] >> address.bit & 1)
    number = _number(address, raw)
    quantity = point.role.quantity
    if quantity.is_boolean:
        return _meaning(address, number)
    value = to_internal(
        quantity, point.wire_unit, number * address.scale + address.offset
    )
    # Also where what came was a number, and its scale made it too large.
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number that can be used")
    return value


def _number(address: ModbusAddress, raw: Sequence[int]) -> float:
    if address.bits is not None:
        first, last = address.bits
        return raw[0] >> first & (1 << last - first + 1) - 1
    words = raw if address.word_order == "big" else raw[::-1]
    packed = struct.pack(f">{len(words)}H", *words)
    number: float = struct.unpack(_FORMATS[address.type], packed)[0]
    return number


def _meaning(address: ModbusAddress, number: float) -> bool:
    if not address.states:
        return number != 0
    for state, means in address.states:
        if state == number:
            return means
    listed = ", ".join(str(state) for state, _ in address.states)
    raise ValueError(
        f"{number:g} is none of the states that the plant file lists ({listed})"
    )


def encode(point: Point, address: ModbusAddress, value: Value) -> list[int]:
    """Return the registers that say a value given in the unit of the role.

    Raises `PointRefused` for a value that does not fit.
    """
    number = float(value)
    if point.role.quantity.is_boolean:
        if address.states:
            number = next(state for state, means in address.states if means == value)
    else:
        number = to_wire(point.role.quantity, point.wire_unit, number)
        number = (number - address.offset) / address.scale
    try:
        packed = struct.pack(
            _FORMATS[address.type],
            number if address.type in _FLOATING else round(number),
        )
    except struct.error, OverflowError, ValueError:
        packed = b""
    if not packed or not math.isfinite(number):
        raise PointRefused(
            f"{point.key}: {value} does not fit register {address.address} "
            f"({address.type} with scale {address.scale:g} and offset "
            f"{address.offset:g}); check the value and the point's type and scale"
        )
    words = list(struct.unpack(f">{len(packed) // 2}H", packed))
    return words if address.word_order == "big" else words[::-1]
