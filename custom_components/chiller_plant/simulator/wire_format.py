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
    RegisterType.FLOAT32: ">f",
}
_BITS = {
    RegisterType.UINT16: (0, 2**16 - 1),
    RegisterType.INT16: (-(2**15), 2**15 - 1),
    RegisterType.UINT32: (0, 2**32 - 1),
    RegisterType.INT32: (-(2**31), 2**31 - 1),
}


def _modbus(point: Point) -> ModbusAddress:
    if not isinstance(point.address, ModbusAddress):
        raise TypeError(f"{point.key} has no Modbus address")
    return point.address


def to_registers(point: Point, value: Value) -> tuple[int, ...]:
    """Return a number's 16-bit registers; what does not fit is clamped."""
    address = _modbus(point)
    wire = to_wire(point.role.quantity, point.wire_unit, float(value))
    scaled = (wire - address.offset) / address.scale
    if address.type is RegisterType.FLOAT32:
        packed = struct.pack(">f", scaled)
    else:
        low, high = _BITS[address.type]
        packed = struct.pack(_FORMATS[address.type], max(low, min(high, round(scaled))))
    words = struct.unpack(f">{address.type.registers}H", packed)
    return words if address.word_order == "big" else words[::-1]


def from_registers(point: Point, words: Sequence[int]) -> float:
    """Return the number that lies in these registers."""
    address = _modbus(point)
    ordered = words if address.word_order == "big" else words[::-1]
    packed = struct.pack(f">{len(ordered)}H", *ordered)
    (raw,) = struct.unpack(_FORMATS[address.type], packed)
    return to_internal(
        point.role.quantity, point.wire_unit, raw * address.scale + address.offset
    )
