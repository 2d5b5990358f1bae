"""Which machine a name speaks of: `CH-1 CHWST` of chiller 1, `PCHP2-SPD` of a pump.

A number makes a machine of a word. Without one the words stay with the whole plant,
or with the one machine that the device itself is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..roles import EquipmentType
from .naming import is_number

_STRONG = {
    "chiller": EquipmentType.CHILLER,
    "tower": EquipmentType.COOLING_TOWER,
    "boiler": EquipmentType.HEAT_SOURCE,
    "pump": None,  # By the water that it moves.
    "ahu": EquipmentType.ZONE,
    "vav": EquipmentType.ZONE,
    "fcu": EquipmentType.ZONE,
}
_WEAK = {
    "valve": EquipmentType.VALVE,
    "zone": EquipmentType.ZONE,
    "meter": EquipmentType.METER,
    "circuit": EquipmentType.SHEDDABLE_CIRCUIT,
    "battery": EquipmentType.BATTERY,
}
"""Machines of their own only where nothing bigger is named before."""
_PUMP_WORDS = frozenset(
    (
        "primary",
        "secondary",
        "tertiary",
        "chilled",
        "condenser",
        "hot",
        "domestic",
        "water",
    )
)
_VALVE_WORDS = frozenset(
    ("chilled", "condenser", "water", "isolation", "hot", "bypass")
)
_PLACES = frozenset(("plant", "system", "campus", "building", "site", "roof", "level"))
"""Where a machine is, before its name; says nothing about the point."""
_FOREIGN = frozenset(("hot", "domestic", "tertiary", "bypass"))

_NAMES = {
    EquipmentType.CHILLER: ("chiller", "Chiller"),
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP: ("pchp", "PCHP"),
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP: ("schp", "SCHP"),
    EquipmentType.CONDENSER_WATER_PUMP: ("cdp", "CDP"),
    EquipmentType.COOLING_TOWER: ("ct", "CT"),
    EquipmentType.HEAT_SOURCE: ("boiler", "Boiler"),
    EquipmentType.METER: ("meter", "Meter"),
    EquipmentType.SHEDDABLE_CIRCUIT: ("circuit", "Circuit"),
    EquipmentType.THERMAL_STORAGE: ("thermal_storage", "Thermal storage"),
    EquipmentType.BATTERY: ("battery", "Battery"),
    EquipmentType.PLANT: ("plant", "Plant"),
    EquipmentType.WEATHER_STATION: ("weather", "Weather station"),
    EquipmentType.ZONE: ("zone", "Zone"),
    EquipmentType.VALVE: ("valve", "Valve"),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine, by what identifies it."""

    type: EquipmentType
    key: str
    name: str
    number: str | None = None
    guessed: str | None = None
    """What was guessed about it, for a person."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a name says: the machine, and the words about it."""

    machine: Machine | None
    rest: tuple[str, ...]
    foreign: str | None = None
    """A machine that has no place in the plant file, in words."""


def machine(
    kind: EquipmentType, number: str | None, prefix: str | None = None
) -> Machine:
    """Return a machine of this type and number."""
    key, name = _NAMES[kind]
    if prefix is not None:
        key, name = prefix, prefix.upper() if len(prefix) <= 3 else prefix.capitalize()
    if number is not None:
        key, name = f"{key}_{number.replace(' ', '_')}", f"{name} {number.upper()}"
    return Machine(kind, key, name, number=number)


def read_name(words: Sequence[str]) -> Reading:
    """Return the machine that a name speaks of, and what is said about it."""
    found: tuple[int, int, Machine] | None = None
    strong: Machine | None = None
    index = 0
    while index < len(words):
        word = words[index]
        if (kind := _STRONG.get(word, _WEAK.get(word))) is not None or word == "pump":
            number, end = _number(words, index)
            begin = index
            if word == "pump":
                begin = _qualified(words, index, _PUMP_WORDS)
                pump = _pump(words[begin:index], number)
                if isinstance(pump, str):
                    return Reading(None, (), pump)
                if number is None:
                    if strong is not None:
                        text = f"a pump of {strong.name}, whose number is not said"
                        return Reading(None, (), text)
                    index += 1
                    continue
                found, strong = (begin, end, pump), pump
            elif word == "valve" and (number is not None or strong is not None):
                begin = _qualified(words, index, _VALVE_WORDS)
                own = set(words[begin:index])
                # "CHW ISO VLV" and "VLV CHW" are both met.
                valve = _valve(own, number, strong)
                if isinstance(valve, str):
                    return Reading(None, (), valve)
                if valve is not None:
                    lower = found[0] if found else begin
                    kept = (*words[:lower], *_between(words, found, begin))
                    return Reading(valve, (*kept, *words[end:]))
            elif number is not None and kind is not None:
                prefix = word if kind is EquipmentType.ZONE else None
                if word in _WEAK and strong is not None:
                    if kind is EquipmentType.ZONE and strong.type is kind and found:
                        joined = machine(
                            kind, f"{strong.number} {number}", _word(strong)
                        )
                        found, strong = (found[0], end, joined), joined
                    # Else a part of the bigger machine, and its words stay.
                else:
                    found = (begin, end, machine(kind, number, prefix))
                    if word in _STRONG:
                        strong = found[2]
            index = max(end, index + 1)
            continue
        index += 1
    if found is None:
        return Reading(None, tuple(words))
    begin, end, which = found
    rest = (*(word for word in words[:begin] if word not in _PLACES), *words[end:])
    if which.type is EquipmentType.COOLING_TOWER:
        rest = tuple(word for word in rest if word != "fan")
    return Reading(which, rest)


def _word(which: Machine) -> str:
    return which.key.partition("_")[0]


def _between(
    words: Sequence[str], found: tuple[int, int, Machine] | None, begin: int
) -> Sequence[str]:
    return words[found[1] : begin] if found else ()


def _number(words: Sequence[str], index: int) -> tuple[str | None, int]:
    """Return the number of the word at `index`, and where it ends."""
    end = index + 1
    if end < len(words) and words[end] == "fan":
        end += 1
    if end < len(words) and is_number(words[end]):
        number = words[end]
        end += 1
        # VAV-1-02 and AHU 2-3.
        if words[index] in ("vav", "fcu", "zone"):
            while end < len(words) and is_number(words[end]):
                number = f"{number} {words[end]}"
                end += 1
        return number, end
    if index == 1 and is_number(words[0]):
        return words[0], index + 1
    return None, index + 1


def _qualified(words: Sequence[str], index: int, allowed: frozenset[str]) -> int:
    while index > 0 and words[index - 1] in allowed:
        index -= 1
    return index


def _pump(qualifiers: Sequence[str], number: str | None) -> Machine | str:
    said = set(qualifiers)
    if said & _FOREIGN:
        return f"a {' '.join(qualifiers)} pump"
    if "condenser" in said:
        return machine(EquipmentType.CONDENSER_WATER_PUMP, number)
    if "secondary" in said:
        return machine(EquipmentType.SECONDARY_CHILLED_WATER_PUMP, number)
    if "primary" in said:
        return machine(EquipmentType.PRIMARY_CHILLED_WATER_PUMP, number)
    if "chilled" in said:
        found = machine(EquipmentType.PRIMARY_CHILLED_WATER_PUMP, number)
        return Machine(
            found.type,
            found.key,
            found.name,
            number=number,
            guessed="its name does not say primary or secondary: taken as primary",
        )
    return "a pump that does not say which water it moves"


def _valve(
    own: set[str], number: str | None, owner: Machine | None
) -> Machine | str | None:
    """Return the valve; text where it has no place; None for a part of a zone."""
    if owner is not None and owner.type is EquipmentType.ZONE:
        return None
    if own & _FOREIGN:
        return "a bypass or hot-water valve"
    side = next((each for each in ("chilled", "condenser") if each in own), None)
    if owner is None:
        key = f"{side}_water_valve_{number}" if side else f"valve_{number}"
        name = (
            f"{side.capitalize()}-water valve {number}" if side else f"Valve {number}"
        )
        return Machine(EquipmentType.VALVE, key, name, number=number)
    if owner.type is EquipmentType.CHILLER and side:
        place = owner.number if number is None else f"{owner.number}_{number}"
        key = f"{side}_water_valve_{place}"
        name = f"{side.capitalize()}-water valve {(place or '').replace('_', ' ')}"
        return Machine(EquipmentType.VALVE, key, name, place)
    key = f"{owner.key}_valve" + (f"_{number}" if number else "")
    name = f"{owner.name} valve" + (f" {number}" if number else "")
    return Machine(EquipmentType.VALVE, key, name, number)
