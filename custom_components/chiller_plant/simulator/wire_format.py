"""How a value of the product lies in the registers of a simulated unit.

Written apart from the driver's own codec on purpose: the two are each other's
test.
"""

from collections.abc import Sequence
import struct

from ..plant.model import ModbusAddress, Point, RegisterType, Value
from ..plant.units import to_internal, to_wire

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
_BITS = {
    RegisterType.UINT16: (0, 2**16 - 1),
    RegisterType.INT16: (-(2**15), 2**15 - 1),
    RegisterType.UINT32: (0, 2**32 - 1),
    RegisterType.INT32: (-(2**31), 2**31 - 1),
    RegisterType.UINT64: (0, 2**64 - 1),
    RegisterType.INT64: (-(2**63), 2**63 - 1),
}


def _modbus(point: Point) -> ModbusAddress:
    if not isinstance(point.address, ModbusAddress):
        raise TypeError(f"{point.key} has no Modbus address")
    return point.address


def mask(point: Point) -> int | None:
    """Return the bits of its register that are a point's; None: all of it."""
    address = _modbus(point)
    if address.bit is not None:
        return 1 << address.bit
    if address.bits is None:
        return None
    first, last = address.bits
    return (2 << last) - (1 << first)


def raw_limits(point: Point) -> tuple[float, float] | None:
    """Return the lowest and highest raw number; None: a floating-point one."""
    if (part := mask(point)) is not None:
        return 0, part // (part & -part)
    return _BITS.get(_modbus(point).type)


def to_registers(point: Point, value: Value) -> tuple[int, ...]:
    """Return a value's 16-bit registers; what does not fit is clamped."""
    address = _modbus(point)
    number = _number_for(point, address, value)
    if (part := mask(point)) is not None:
        lowest = (part & -part).bit_length() - 1
        return (max(0, min(part >> lowest, round(number))) << lowest,)
    if address.type in _BITS:
        low, high = _BITS[address.type]
        number = max(low, min(high, round(number)))
    packed = struct.pack(_FORMATS[address.type], number)
    words = struct.unpack(f">{address.type.registers}H", packed)
    return words if address.word_order == "big" else words[::-1]


def _number_for(point: Point, address: ModbusAddress, value: Value) -> float:
    if not point.role.quantity.is_boolean:
        wire = to_wire(point.role.quantity, point.wire_unit, float(value))
        return (wire - address.offset) / address.scale
    for state, means in address.states:
        if means == bool(value):
            return state
    return int(bool(value))


def from_registers(point: Point, words: Sequence[int]) -> Value:
    """Return what lies in these registers; a state that is not listed is off."""
    address = _modbus(point)
    if (part := mask(point)) is not None:
        raw: float = (words[0] & part) // (part & -part)
    else:
        ordered = words if address.word_order == "big" else words[::-1]
        packed = struct.pack(f">{len(ordered)}H", *ordered)
        (raw,) = struct.unpack(_FORMATS[address.type], packed)
    quantity = point.role.quantity
    if quantity.is_boolean:
        return dict(address.states).get(int(raw), not address.states and raw != 0)
    return to_internal(quantity, point.wire_unit, raw * address.scale + address.offset)
