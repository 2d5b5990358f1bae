"""What two points of a plant file must not share."""

from collections.abc import Iterable, Mapping

from ..model import Address, BacnetAddress, Equipment, ModbusAddress, Point
from .problems import KeyPath, Problems

type _Slot = tuple[object, ...]


def check_addresses(equipment: Mapping[str, Equipment], problems: Problems) -> None:
    """Note points that would command, or misread, each other's value.

    Two points may read one address. Only one may command it, and registers
    that are commanded are not at the same time something else; bits of one
    register may be commanded each by its own point.
    """
    seen: dict[_Slot, Point] = {}
    commanded: dict[_Slot, Point] = {}
    for item in equipment.values():
        for name, point in item.points.items():
            path = ("equipment", item.key, "points", name)
            if point.address is None:
                continue
            if isinstance(point.address, BacnetAddress):
                slots: Iterable[_Slot] = [_bacnet_slot(point.address)]
                rivals: Iterable[_Slot] = slots
            else:
                slots, rivals = _modbus_slots(point.address)
            _check(point, path, rivals, seen, commanded, problems)
            for slot in slots:
                seen.setdefault(slot, point)
                if point.writable:
                    commanded.setdefault(slot, point)


def _check(
    point: Point,
    path: KeyPath,
    rivals: Iterable[_Slot],
    seen: Mapping[_Slot, Point],
    commanded: Mapping[_Slot, Point],
    problems: Problems,
) -> None:
    for slot in rivals:
        if point.writable and (other := commanded.get(slot)):
            found = f"'{other.key}' commands the same address"
            if isinstance(point.address, ModbusAddress) and not _same_value(
                point, other
            ):
                found = f"'{other.key}' commands an overlapping register"
            problems.add(path, found, "one point that commands an address")
            return
        other = seen.get(slot) if point.writable else commanded.get(slot)
        if other and not _same_value(point, other):
            problems.add(
                path,
                f"overlaps the value of '{other.key}' with another type or states",
                "the same type and states, or another address",
            )
            return


def _same_value(one: Point, other: Point) -> bool:
    """Whether two points mean the same thing on the wire."""
    return _meaning(one.address) == _meaning(other.address)


def _meaning(address: Address | None) -> tuple[object, ...]:
    if not isinstance(address, ModbusAddress):
        return () if address is None else (address.states,)
    order = address.word_order if address.type.registers > 1 else None
    kind = (address.type, order, address.bit, address.bits)
    return (address.address, *kind, address.states)


def _bacnet_slot(address: BacnetAddress) -> _Slot:
    return (address.device, address.object_type, address.object_instance)


def _modbus_slots(address: ModbusAddress) -> tuple[list[_Slot], list[_Slot]]:
    """Return what an address takes, and what it must not meet.

    A bit takes itself and a share of its register, a field of bits each of
    them; a whole value meets both whole values and bits, a bit meets whole
    values and the same bit.
    """
    registers: list[_Slot] = [
        (address.device, address.kind, address.address + index)
        for index in range(address.type.registers)
    ]
    first, last = address.bits or (address.bit, address.bit)
    if first is None or last is None:
        whole: list[_Slot] = [(*register, "whole") for register in registers]
        return whole, [*whole, *((*register, "bits") for register in registers)]
    register = registers[0]
    bits: list[_Slot] = [(*register, bit) for bit in range(first, last + 1)]
    return [*bits, (*register, "bits")], [*bits, (*register, "whole")]
