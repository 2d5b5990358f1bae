"""Which pumps, towers and valves have to run for a chiller.

Interlocks and the staging of chillers need it. Unless a person knows better,
headered pumps and towers serve every chiller, and a valve the one whose number
it has in its name.
"""

from collections.abc import Mapping
import re
from typing import Any

import voluptuous as vol

from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ..plant.commissioning.found import ProposedEquipment
from ..plant.plant_file.equipment import SERVICES
from ..plant.roles import EquipmentType

_OWN = "valves"
_NUMBER = re.compile(r"\d+")


def services(
    machines: Mapping[str, ProposedEquipment],
) -> dict[str, dict[str, ProposedEquipment]]:
    """Return the machines that can be of each kind of service to a chiller."""
    return {
        service: {
            key: machine for key, machine in machines.items() if machine.type in types
        }
        for service, types in SERVICES[EquipmentType.CHILLER].items()
    }


def serving_fields(
    chiller: ProposedEquipment, machines: Mapping[str, ProposedEquipment]
) -> dict[vol.Marker, Any]:
    """Return the fields of a chiller, one for each service that there is."""
    return {
        vol.Required(service, default=_usual(chiller, service, found)): SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=key, label=machine.name)
                    for key, machine in found.items()
                ],
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        )
        for service, found in services(machines).items()
        if found
    }


def chosen_services(answers: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what a person chose."""
    return {service: tuple(keys) for service, keys in answers.items() if keys}


def without(
    served_by: Mapping[str, tuple[str, ...]] | None,
    machines: Mapping[str, ProposedEquipment],
) -> Mapping[str, tuple[str, ...]] | None:
    """Return what serves a chiller without machines that were dropped since."""
    if served_by is None:
        return None
    kept = {
        service: tuple(key for key in keys if key in machines)
        for service, keys in served_by.items()
    }
    return {service: keys for service, keys in kept.items() if keys}


def _usual(
    chiller: ProposedEquipment,
    service: str,
    found: Mapping[str, ProposedEquipment],
) -> list[str]:
    if chiller.served_by is not None:
        return [key for key in chiller.served_by.get(service, ()) if key in found]
    if service != _OWN:
        return list(found)
    numbers = _NUMBER.findall(chiller.name)
    return [
        key
        for key, machine in found.items()
        if _NUMBER.findall(machine.name) == numbers
    ]
