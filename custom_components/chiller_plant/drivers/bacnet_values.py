"""What a value of the product is on a BACnet wire, and the other way round."""

import math
from typing import Any

from bacpypes3.basetypes import BinaryPV, ErrorType
from bacpypes3.primitivedata import Null, Real

from ..plant.model import Point, Value
from ..plant.units import to_internal, to_wire
from .bacnet_network import describe_error

_BINARY = frozenset({"binary-input", "binary-output", "binary-value"})
_ANALOG = frozenset({"analog-input", "analog-output", "analog-value"})
_LARGEST_REAL = 3.4028234e38


class Unusable(ValueError):
    """A value that must not be used; the text says why, for people."""


def from_wire(point: Point, object_type: str, present_value: Any, flags: Any) -> Value:
    """Return a present value in the unit of the point's role.

    Raises `Unusable` for a value that must not be
    used: an error of the device, a value that the device itself says it does
    not trust, no number, or a kind that does not fit the role.
    """
    if isinstance(present_value, ErrorType):
        raise Unusable(describe_error(present_value))
    if present_value is None or isinstance(present_value, Null):
        raise Unusable("it has no present value")
    # Where the flags cannot be read, the value is all that there is.
    if flags is not None and not isinstance(flags, ErrorType):
        _, fault, _, out_of_service = (*flags, 0, 0, 0, 0)[:4]
        if fault:
            raise Unusable("the device reports a fault of this object")
        if out_of_service:
            raise Unusable("it is out of service at the device")
    try:
        number = float(present_value)
    except TypeError, ValueError:
        raise Unusable(f"{present_value!s} is not a number") from None
    if not math.isfinite(number):
        raise Unusable(f"{number} is not a number that can be used")
    quantity = point.role.quantity
    if quantity.is_boolean:
        if object_type not in _BINARY | _ANALOG:
            raise Unusable(f"{object_type} cannot be read as on or off")
        return number != 0
    return to_internal(quantity, point.wire_unit, number)


def to_present_value(point: Point, object_type: str, value: Value) -> Any:
    """Return a value as the type that the object takes.

    Raises `Unusable` where there is none.
    """
    if object_type in _BINARY:
        if value not in (0, 1):
            raise Unusable(f"{value} is neither on nor off")
        return BinaryPV(int(value))
    if object_type not in _ANALOG:
        raise Unusable(f"objects of type {object_type} cannot be commanded")
    number = to_wire(point.role.quantity, point.wire_unit, float(value))
    if not abs(number) <= _LARGEST_REAL:
        raise Unusable(f"{value} is not a number that can be sent")
    return Real(number)
