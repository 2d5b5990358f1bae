"""Writes the plant file of a proposal that a person has looked at.

What a proposal cannot know is left for the person, with a comment where it goes:
what serves a chiller, what a setpoint falls back to. Nothing of that is guessed,
and a chiller whose flow nobody can prove is read but not commanded.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from ..model import BacnetConnection, BacnetDevice, States
from ..plant_file.equipment import PLANT_KEY, SERVICES
from ..plant_file.wire_values import BACNET_INPUTS
from ..roles import ROLES, EquipmentType, Quantity, Role
from ..units import UNITS
from .export import connection_lines
from .found import (
    BacnetSettings,
    FoundDevice,
    FoundObject,
    Match,
    Proposal,
    ProposedEquipment,
)
from .states import states_of
from .yaml_text import comment, entry, flow, scalar

_LIMITS: dict[str, tuple[float | None, float | None]] = {
    "chilled_water_supply_temperature": (-10, 60),
    "chilled_water_return_temperature": (-10, 60),
    "chilled_water_supply_temperature_setpoint": (4.5, 15),
    "chilled_water_differential_pressure": (0, 1000),
    "chilled_water_differential_pressure_setpoint": (20, 300),
    "condenser_water_supply_temperature_setpoint": (18, 32),
    "demand_limit": (40, 100),
    "state_of_charge": (0, 100),
    "load": (0, 130),
    "speed_command": (25, 100),
    "temperature_setpoint": (16, 30),
    "supply_temperature": (-10, 150),
    "supply_temperature_setpoint": (20, 90),
    "outdoor_temperature": (-50, 60),
    "wet_bulb_temperature": (-50, 60),
}
"""The range of a command, and in which a reading is believed, in our units."""
_LIMITS_OF_QUANTITY: dict[Quantity, tuple[float | None, float | None]] = {
    Quantity.TEMPERATURE: (-10, 80),
    Quantity.FLOW: (0, None),
    Quantity.POWER: (0, None),
    Quantity.ENERGY: (0, None),
    Quantity.PERCENT: (0, 110),
    Quantity.RELATIVE_HUMIDITY: (0, 100),
    # Edges of clouds may send more than the sun itself; at night a pyranometer shows
    # a little less than nothing.
    Quantity.IRRADIANCE: (-20, 1600),
}
_MOST_TEXT = 100
_HEAD = (
    "Made from what was found on the network and what a person made of it.",
    "",
    "A commanded point without 'release' falls back to the relinquish default of its",
    "object when nobody commands it: look it up in the controller, and write it as",
    "'release' where that is known. Limits are usual ones: narrow them to the machine.",
)


def plant_file_text(
    *,
    key: str,
    name: str,
    connection: BacnetSettings,
    devices: Sequence[FoundDevice],
    proposal: Proposal,
) -> str:
    """Return a plant file that `parse_plant` accepts.

    Only devices with a point are written. Raises `ValueError` for one of them that
    has no address; two roles of one object and the like are the reader's to refuse.
    """
    used = {m.object.device for e in proposal.equipment for m in e.roles.values()}
    written: dict[str, BacnetDevice] = {}
    for device in devices:
        if device.key in used:
            if not device.address:
                raise ValueError(f"device '{device.key}' has no address")
            written[device.key] = BacnetDevice(
                device.key, device.address, device.instance
            )
    bacnet = BacnetConnection(
        key=connection.key,
        local_address=connection.local_address,
        local_port=connection.local_port,
        instance=connection.instance,
        write_priority=connection.write_priority,
        devices=written,
        bbmd=connection.bbmd,
        bbmd_lifetime=connection.bbmd_lifetime,
    )
    lines = [
        *comment(_HEAD),
        "",
        "plant:",
        *entry("key", key, 2),
        *entry("name", _line(name) or key, 2),
        "",
        "connections:",
        *connection_lines(bacnet),
        "",
    ]
    body = _plant_lines(proposal)
    for item in proposal.equipment:
        body += _equipment_lines(item, proposal)
    lines += ["equipment:", *body] if body else ["equipment: {}"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _line(text: str) -> str:
    plain = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(plain.split())[:_MOST_TEXT]


def _plant_lines(proposal: Proposal) -> list[str]:
    """Return the plant itself where nothing was found of it but it has chillers."""
    types = {item.type for item in proposal.equipment}
    if EquipmentType.PLANT in types or EquipmentType.CHILLER not in types:
        return []
    return [
        "  plant:",
        "    type: plant",
        "    name: Plant",
        "    points:",
        *comment(("Without an object: held here. Off until it is asked for.",), 6),
        "      enable_command: {release: false}",
    ]


def _equipment_lines(item: ProposedEquipment, proposal: Proposal) -> list[str]:
    key = PLANT_KEY if item.type is EquipmentType.PLANT else item.key
    device = _usual_device(item)
    lines = [*comment(item.notes, 2), f"  {scalar(key)}:"]
    lines += entry("type", str(item.type), 4)
    lines += entry("name", _line(item.name) or key, 4)
    if device is not None:
        lines += entry("device", device, 4)
    if item.type is EquipmentType.CHILLER:
        lines += _served_by(item, proposal)
    unproven = (
        item.type is EquipmentType.CHILLER
        and item.served_by is None
        and "chilled_water_flow_status" not in item.roles
    )
    points: list[str] = []
    for name, role in ROLES[item.type].items():
        if (match := item.roles.get(name)) is not None:
            points += _point_lines(
                role, match, device, unproven and name == "run_command"
            )
    if item.type is EquipmentType.PLANT and "enable_command" not in item.roles:
        points += comment(
            ("Without an object: held here. Off until it is asked for.",), 6
        )
        points.append("      enable_command: {release: false}")
    return (
        [*lines, "    points:", *points]
        if any(not line.lstrip().startswith("#") for line in points)
        else [*lines, *points]
    )


def _usual_device(item: ProposedEquipment) -> str | None:
    devices = Counter(match.object.device for match in item.roles.values())
    return devices.most_common(1)[0][0] if devices else None


def _served_by(item: ProposedEquipment, proposal: Proposal) -> list[str]:
    if item.served_by:
        return entry("served_by", dict(item.served_by), 4)
    if item.served_by is not None:
        return []
    possible = {
        service: [each.key for each in proposal.equipment if each.type in kinds]
        for service, kinds in SERVICES[item.type].items()
    }
    possible = {service: keys for service, keys in possible.items() if keys}
    return comment(
        (
            "What must run for it; keep what is true of the piping and remove the '#':",
            "served_by:",
            *(f"  {service}: {flow(keys)}" for service, keys in possible.items()),
        ),
        4,
    )


def _point_lines(
    role: Role, match: Match, device: str | None, unproven: bool
) -> list[str]:
    found = match.object
    keys: dict[str, object] = {}
    if found.device != device:
        keys["device"] = found.device
    keys["object"] = found.identifier
    notes: list[str] = []
    states: States | None = ()
    if found.object_type.startswith("multi-state") and role.quantity.is_boolean:
        states = states_of(role, found.states)
        if states is None:
            texts = ", ".join(f"{n} {text}" for n, text in enumerate(found.states, 1))
            notes = [
                f"{role.name}: {flow(keys)}  what are its states? ({_line(texts)})",
            ]
            return comment(notes, 6)
        keys["states"] = {str(number): value for number, value in states}
    keys |= _unit_keys(role, found, notes)
    low, high = _limits(role)
    if not role.quantity.is_boolean and (low is not None or high is not None):
        keys["limits"] = [low, high]
    if role.commandable and found.object_type not in BACNET_INPUTS:
        if unproven:
            keys["writable"] = False
            notes.append(
                "Read only: no flow status and no 'served_by' that proves its flow."
            )
        elif found.commandable is False:
            keys["writable"] = False
            notes.append("Read only: the point list says that it cannot be set.")
        elif found.commandable is None and found.object_type.endswith("-value"):
            notes.append(
                "If it has no priority array: priority_array: false, and a 'release'."
            )
    said = _line(
        f"{found.name}: {found.description}" if found.description else found.name
    )
    return [
        *comment(notes, 6),
        f"      {role.name}: {flow(keys)}" + (f"  # {said}" if said else ""),
    ]


def _unit_keys(
    role: Role, found: FoundObject, notes: list[str]
) -> Mapping[str, object]:
    if role.quantity.is_boolean:
        return {}
    if found.unit is None or found.unit not in UNITS.get(role.quantity, {}):
        said = f"'{_line(found.wire_unit)}'" if found.wire_unit else "not known"
        notes.append(f"Its unit is {said}; taken as {role.quantity.unit}.")
        return {}
    # The first of a quantity's units are its own, under one or more names.
    unit = UNITS[role.quantity][found.unit]
    return {} if (unit.factor, unit.offset) == (1.0, 0.0) else {"unit": found.unit}


def _limits(role: Role) -> tuple[float | None, float | None]:
    found = _LIMITS.get(role.name)
    return found or _LIMITS_OF_QUANTITY.get(role.quantity, (None, None))
