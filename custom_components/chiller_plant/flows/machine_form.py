"""The form of one proposed machine: what it is, and which object is which role."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import voluptuous as vol

from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ..plant.commissioning.found import (
    COMMANDABLE_TYPES,
    FoundDevice,
    FoundObject,
    Match,
    ProposedEquipment,
)
from ..plant.roles import ROLES, EquipmentType, Role
from ..plant.units import unit_names

CONF_KEEP = "keep"
CONF_NAME = "name"
CONF_TYPE = "type"
CONF_DEVICES = "devices"
NOT_THERE = "Not there"
"""Values are what people read: a field with a search shows them as they are."""

_BY_HAND = "chosen by hand"
_SURE = 0.8


class Catalogue:
    """All objects of the devices that a person chose."""

    def __init__(self, devices: Iterable[FoundDevice]) -> None:
        """Know these devices."""
        self.devices = {device.key: device for device in devices}
        self._objects = {
            _id(item): item
            for device in self.devices.values()
            for item in device.objects
        }

    def object_of(self, value: str) -> FoundObject | None:
        """Return the object that a field names; None if there is none.

        A person may also write the name of an object, where it is the only one.
        """
        wanted = value.strip()
        if (found := self._objects.get(wanted)) is not None:
            return found
        named = [item for item in self._objects.values() if item.name == wanted]
        return named[0] if len(named) == 1 else None

    def fields(
        self, machine: ProposedEquipment, devices: Sequence[str]
    ) -> dict[vol.Marker, Any]:
        """Return the fields of a machine whose objects are in `devices`."""
        fields: dict[vol.Marker, Any] = {
            vol.Required(CONF_KEEP, default=True): BooleanSelector(),
            vol.Required(CONF_NAME, default=machine.name): TextSelector(),
            vol.Required(CONF_TYPE, default=machine.type.value): type_field(),
            vol.Required(CONF_DEVICES, default=list(devices)): self.device_field(),
        }
        offered = [item for key in devices for item in self.devices[key].objects]
        for role in ROLES[machine.type].values():
            match = machine.roles.get(role.name)
            chosen = NOT_THERE if match is None else _id(match.object)
            fields[vol.Required(role.name, default=chosen)] = SelectSelector(
                SelectSelectorConfig(
                    options=[
                        SelectOptionDict(value=NOT_THERE, label=NOT_THERE),
                        *self._options(role, match, offered),
                    ],
                    # Without it there would be no search among hundreds of objects.
                    custom_value=True,
                    mode=SelectSelectorMode.DROPDOWN,
                )
            )
        return fields

    def device_field(self) -> SelectSelector:
        """Return a field for some of the devices."""
        return SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(
                        value=key,
                        label=key if key == device.name else f"{device.name} ({key})",
                    )
                    for key, device in self.devices.items()
                ],
                multiple=True,
                mode=SelectSelectorMode.DROPDOWN,
            )
        )

    def _options(
        self, role: Role, match: Match | None, offered: Sequence[FoundObject]
    ) -> Iterator[SelectOptionDict]:
        if match is not None and match.object not in offered:
            yield _option(match.object)
        for item in offered:
            if fits(role, item) or (match is not None and match.object == item):
                yield _option(item)


def devices_of(machine: ProposedEquipment) -> list[str]:
    """Return the devices in which the objects of a machine are."""
    return list(dict.fromkeys(match.object.device for match in machine.roles.values()))


def fits(role: Role, item: FoundObject) -> bool:
    """Return whether an object is of a kind that can be this role at all."""
    if role.commandable and item.object_type not in COMMANDABLE_TYPES:
        return False
    if role.quantity.is_boolean:
        return not item.object_type.startswith("analog")
    if not item.object_type.startswith("analog"):
        return False
    # Where the unit tells nothing, a person knows better.
    return item.unit is None or item.unit in unit_names(role.quantity)


def type_field() -> SelectSelector:
    """Return a field for what a machine is."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[kind.value for kind in EquipmentType],
            translation_key="equipment_type",
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def corrected(
    machine: ProposedEquipment,
    answers: Mapping[str, Any],
    catalogue: Catalogue,
    errors: dict[str, str],
) -> ProposedEquipment:
    """Return a machine as a person filled it in, with `errors` by field."""
    kind = EquipmentType(answers[CONF_TYPE])
    name = str(answers[CONF_NAME]).strip()
    if not name:
        errors[CONF_NAME] = "no_name"
    roles = {}
    for role in ROLES[kind].values():
        # A field that was not in the form keeps what is proposed.
        value = answers.get(role.name)
        proposed = machine.roles.get(role.name)
        if value is None:
            if proposed is not None:
                roles[role.name] = proposed
            continue
        if value == NOT_THERE:
            continue
        if (item := catalogue.object_of(value)) is None:
            errors[role.name] = "unknown_object"
        elif proposed is not None and proposed.object == item:
            roles[role.name] = replace(proposed, score=1.0)
        elif not fits(role, item):
            errors[role.name] = "object_does_not_fit"
        else:
            roles[role.name] = Match(item, 1.0, _BY_HAND)
    return replace(machine, name=name, type=kind, roles=roles)


def reasons(machine: ProposedEquipment) -> str:
    """Return why each role was proposed, as a list for people."""
    lines = [f"- {note}" for note in machine.notes]
    for role, match in machine.roles.items():
        found = match.object.identifier
        if match.object.name not in match.reason:
            found = f"{match.object.name} ({found})"
        lines.append(f"- {role.replace('_', ' ')}: {found}, {match.reason}")
    return "\n".join(lines)


def unsure_points(machine: ProposedEquipment) -> int:
    """Return how many points of a machine may well be wrong."""
    return sum(match.score < _SURE for match in machine.roles.values())


def summary_of(machine: ProposedEquipment) -> str:
    """Return a machine in one line."""
    kind = machine.type.value.replace("_", " ")
    unsure = unsure_points(machine)
    points = "1 point" if len(machine.roles) == 1 else f"{len(machine.roles)} points"
    text = f"{machine.name}: {kind}, {points}"
    return f"{text}, {unsure} of them not sure" if unsure else text


def shown(item: FoundObject) -> str:
    """Return an object as a person recognises it."""
    value = item.present_value
    if isinstance(value, bool):
        state = "active" if value else "inactive"
        if len(item.states) == 2 and item.states[value]:
            state = item.states[value]
    elif value is None:
        state = ""
    else:
        state = f"{value:.6g} {item.wire_unit or ''}".rstrip()
        if item.object_type.startswith("multi") and 0 < value <= len(item.states):
            state = item.states[int(value) - 1]
    parts = [item.name, item.description or "", item.identifier, state]
    return " · ".join(part for part in parts if part)


def _option(item: FoundObject) -> SelectOptionDict:
    return SelectOptionDict(value=_id(item), label=shown(item))


def _id(item: FoundObject) -> str:
    return f"{item.name} ({item.device} {item.identifier})"
