"""What the keys of one point on a Modbus unit have to do with each other."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..model import RegisterKind, RegisterType, States
from ..roles import Role

BIT_TABLES = (RegisterKind.COIL, RegisterKind.DISCRETE_INPUT)
_REGISTER_KEYS = ("type", "word_order", "bit", "bits", "states")
_HIGHEST = {RegisterType.UINT16: 0xFFFF, RegisterType.INT16: 0x7FFF}

type Finding = tuple[str, str, str]
"""The key (empty: the point), what was found, and what is allowed."""


def modbus_findings(
    given: Mapping[str, object],
    keys: Mapping[str, Any],
    kind: RegisterKind,
    role: Role,
    role_text: str,
) -> Iterator[Finding]:
    """Yield what is wrong between the keys of a point in this table.

    `given` are the keys as they stand in the file, `keys` those of them that
    are right by themselves, with the defaults of the rest.
    """
    if kind in BIT_TABLES:
        for key in _REGISTER_KEYS:
            if key in given:
                yield key, f"'{key}' of a {kind}", "remove it"
        if not role.quantity.is_boolean:
            yield "register", f"found '{kind}' for {role_text}", "holding, input"
    else:
        yield from _register_findings(given, keys, role, role_text)
    if keys.get("scale") == 0:
        yield "scale", "found 0", "any other number"


def _register_findings(
    given: Mapping[str, object],
    keys: Mapping[str, Any],
    role: Role,
    role_text: str,
) -> Iterator[Finding]:
    kind: RegisterType = keys.get("type", RegisterType.UINT16)
    boolean = role.quantity.is_boolean
    last = 65536 - kind.registers
    if boolean and kind.registers > 1:
        yield "type", f"found '{kind}' for {role_text}", "uint16, int16"
    elif keys.get("address", 0) > last:
        yield "address", f"type {kind} at {keys['address']}", f"at most {last}"
    if "bit" in given and not boolean:
        yield "bit", f"a bit for {role_text}", "remove 'bit'"
    if "bits" in given and "bit" in given:
        yield "bits", "both 'bit' and 'bits'", "one of them"
    if "bits" in given and kind is not RegisterType.UINT16:
        yield "bits", f"'bits' of type {kind}", "type: uint16"
    if "bit" in given and "states" in given:
        yield "states", "'states' of one bit", "remove it"
    elif boolean:
        yield from _state_findings(keys.get("states", ()), keys.get("bits"), kind)
    if kind.registers > 1 and "write_function" in given:
        found = f"type {kind} is always written with function 16"
        yield "write_function", found, "remove it"


def _state_findings(
    states: States, bits: tuple[int, int] | None, kind: RegisterType
) -> Iterator[Finding]:
    highest = _HIGHEST.get(kind, 0xFFFF)
    if bits is not None:
        first, last = bits
        highest = 2 ** (last - first + 1) - 1
    for state, _ in states:
        if state > highest:
            where = f"type {kind}" if bits is None else f"bits {bits[0]} to {bits[1]}"
            yield "states", f"{where} cannot hold the state {state}", f"0 to {highest}"
            return
