"""What a value of the product is on a BACnet wire, and the other way round."""

import math
from typing import Any, NamedTuple

from bacpypes3.basetypes import BinaryPV, ErrorType
from bacpypes3.primitivedata import Null, Real, Unsigned

from ..plant.model import BacnetAddress, Point, States, Value
from ..plant.units import to_internal, to_wire
from .bacnet_failures import describe_error

_ANALOG = {"analog-input": 0, "analog-output": 1, "analog-value": 2}
_BINARY = {"binary-input": 3, "binary-output": 4, "binary-value": 5}
_MULTI_STATE = {
    "multi-state-input": 13,
    "multi-state-output": 14,
    "multi-state-value": 19,
}
OBJECT_TYPES = {**_ANALOG, **_BINARY, **_MULTI_STATE}
"""The number of each type of object that a point can be (BACnet 21)."""

_LARGEST_REAL = 3.4028234e38
_NO_STATES = "a multi-state object needs its states in the plant file"


class Answer(NamedTuple):
    """What a device said of an object; `failure` where it said nothing."""

    value: Any = None
    flags: Any = None
    failure: str | None = None


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
    if (known := _flags(flags)) is not None:
        _, fault, _, out_of_service = known
        if fault:
            raise Unusable("the device reports a fault of this object")
        if out_of_service:
            raise Unusable("it is out of service at the device")
    try:
        number = float(present_value)
    except TypeError, ValueError:
        what = "a list" if isinstance(present_value, list) else present_value
        raise Unusable(f"{what!s} is not a number") from None
    if not math.isfinite(number):
        raise Unusable(f"{number} is not a number that can be used")
    if states := _states(point):
        for state, means in states:
            if state == number:
                return means
        raise Unusable(f"{number:g} is none of its states ({_in_words(states)})")
    if object_type in _MULTI_STATE:
        raise Unusable(_NO_STATES)
    quantity = point.role.quantity
    if quantity.is_boolean:
        return number != 0
    return to_internal(quantity, point.wire_unit, number)


def overridden(flags: Any) -> str | None:
    """Return how an object is put out of effect by hand, if it is."""
    if (known := _flags(flags)) is not None and known[2]:
        return "overridden at the device"
    return None


def to_present_value(point: Point, object_type: str, value: Value) -> Any:
    """Return a value as the type that the object takes.

    Raises `Unusable` where there is none.
    """
    number: float = value
    if states := _states(point):
        if value not in (0, 1):
            raise Unusable(f"{value} is neither on nor off")
        number = next(state for state, means in states if means == bool(value))
    if object_type in _BINARY:
        if number not in (0, 1):
            raise Unusable(f"{number} is neither on nor off")
        return BinaryPV(int(number))
    if object_type in _MULTI_STATE:
        if not states:
            raise Unusable(_NO_STATES)
        return Unsigned(int(number))
    if object_type not in _ANALOG:
        raise Unusable(f"objects of type {object_type} cannot be commanded")
    if not states:
        number = to_wire(point.role.quantity, point.wire_unit, float(value))
    if not abs(number) <= _LARGEST_REAL:
        raise Unusable(f"{value} is not a number that can be sent")
    return Real(number)


def slot_in_use(
    slots: list[Any], below: int, object_type: str
) -> tuple[int, str] | None:
    """Return the first slot in use before `below` (1 to 16), and what is in it."""
    for number, held in enumerate(slots[: below - 1], 1):
        if not isinstance(held, Null):
            if object_type in _BINARY:
                return number, "on" if held else "off"
            return number, f"{held:g}" if isinstance(held, float) else str(held)
    return None


def _flags(flags: Any) -> tuple[Any, Any, Any, Any] | None:
    """In alarm, fault, overridden, out of service; None: nobody knows."""
    if flags is None or isinstance(flags, ErrorType):
        return None
    try:
        in_alarm, fault, by_hand, out_of_service = (*flags, 0, 0, 0, 0)[:4]
    except TypeError:
        return None
    return in_alarm, fault, by_hand, out_of_service


def _states(point: Point) -> States:
    return point.address.states if isinstance(point.address, BacnetAddress) else ()


def _in_words(states: States) -> str:
    return ", ".join(f"{state} {'on' if means else 'off'}" for state, means in states)
