"""How a value lies in the registers of a Modbus unit."""

from collections.abc import Callable, Sequence
from math import isfinite
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


type Decoder = Callable[[Sequence[int]], Value]


def decoder(point: Point, address: ModbusAddress) -> Decoder:
    """Return what turns `width` registers or bits into the unit of the role.

    What it returns raises `ValueError` for what is no number, or no state that
    is listed. Made once for each point: a large unit has a thousand of them.
    """
    if address.kind in BIT_KINDS:
        return lambda raw: bool(raw[0])
    if (bit := address.bit) is not None:
        return lambda raw: bool(raw[0] >> bit & 1)
    number = _number_in(address)
    quantity = point.role.quantity
    if quantity.is_boolean:
        return lambda raw: _meaning(address, number(raw))
    scale, offset, unit = address.scale, address.offset, point.wire_unit

    def value(raw: Sequence[int]) -> float:
        found = to_internal(quantity, unit, number(raw) * scale + offset)
        # Also where what came was a number, and its scale made it too large.
        if not isfinite(found):
            raise ValueError(f"{found} is not a number that can be used")
        return found

    return value


def _number_in(address: ModbusAddress) -> Callable[[Sequence[int]], float]:
    if address.bits is not None:
        first, last = address.bits
        mask = (1 << last - first + 1) - 1
        return lambda raw: raw[0] >> first & mask
    if address.type is RegisterType.UINT16:
        return lambda raw: raw[0]
    pack = struct.Struct(f">{address.type.registers}H").pack
    unpack = struct.Struct(_FORMATS[address.type]).unpack
    if address.word_order == "little":
        return lambda raw: unpack(pack(*raw[::-1]))[0]
    return lambda raw: unpack(pack(*raw))[0]


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
    if not packed or not isfinite(number):
        raise PointRefused(
            f"{point.key}: {value} does not fit register {address.address} "
            f"({address.type} with scale {address.scale:g} and offset "
            f"{address.offset:g}); check the value and the point's type and scale"
        )
    words = list(struct.unpack(f">{len(packed) // 2}H", packed))
    return words if address.word_order == "big" else words[::-1]
