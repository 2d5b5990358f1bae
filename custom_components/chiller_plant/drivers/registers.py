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
    RegisterType.FLOAT32: ">f",
}
BIT_KINDS = frozenset({RegisterKind.COIL, RegisterKind.DISCRETE_INPUT})


def width(address: ModbusAddress) -> int:
    """Return how many places a value takes in its table."""
    return 1 if address.kind in BIT_KINDS else address.type.registers


def decode(point: Point, address: ModbusAddress, raw: Sequence[int]) -> Value:
    """Return what `width` registers or bits say, in the unit of the role.

    Raises `ValueError` for a floating-point register that holds no number.
    """
    if address.kind in BIT_KINDS:
        return bool(raw[0])
    if address.bit is not None:
        return bool(raw[0] >> address.bit & 1)
    words = raw if address.word_order == "big" else raw[::-1]
    packed = struct.pack(f">{len(words)}H", *words)
    number = struct.unpack(_FORMATS[address.type], packed)[0]
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a number that can be used")
    quantity = point.role.quantity
    if quantity.is_boolean:
        return bool(number != 0)
    return to_internal(
        quantity, point.wire_unit, number * address.scale + address.offset
    )


def encode(point: Point, address: ModbusAddress, value: Value) -> list[int]:
    """Return the registers that say a value given in the unit of the role.

    Raises `PointRefused` for a value that does not fit.
    """
    number = float(value)
    if not point.role.quantity.is_boolean:
        number = to_wire(point.role.quantity, point.wire_unit, number)
        number = (number - address.offset) / address.scale
    try:
        packed = struct.pack(
            _FORMATS[address.type],
            number if address.type is RegisterType.FLOAT32 else round(number),
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
