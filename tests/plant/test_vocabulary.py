"""Every word of ours has a word of the two vocabularies that others speak."""

import re

import pytest

from custom_components.chiller_plant.plant.roles import ROLES, EquipmentType
from custom_components.chiller_plant.plant.vocabulary import EQUIPMENT_NAMES, ROLE_NAMES

_ROLES = [(kind, role) for kind, roles in ROLES.items() for role in roles.values()]


def test_every_equipment_type_has_names():
    assert set(EQUIPMENT_NAMES) == set(EquipmentType)


@pytest.mark.parametrize("kind", EquipmentType)
def test_every_role_has_names_and_no_name_is_without_a_role(kind):
    assert set(ROLE_NAMES[kind]) == set(ROLES[kind])


@pytest.mark.parametrize(
    ("kind", "role"), _ROLES, ids=lambda value: getattr(value, "name", value)
)
def test_names_say_what_the_role_does(kind, role):
    names = ROLE_NAMES[kind][role.name]

    # A commanded point is a command or a setpoint in Haystack, any other a sensor.
    assert names.haystack.split()[-1] in (
        ("cmd", "sp") if role.commandable else ("sensor",)
    )
    assert re.fullmatch(r"[A-Z][A-Za-z]*(_[A-Z][A-Za-z]*)+|Alarm", names.brick)
    if role.commandable:
        assert names.brick.endswith(("Command", "Setpoint"))
    else:
        assert names.brick.endswith(("Sensor", "Status", "Alarm"))


def test_water_is_leaving_and_entering_as_brick_has_it_since_1_3():
    old = re.compile(r"Water.*(Supply|Return|Discharge)|(Supply|Return).*Water")
    for names in (names for roles in ROLE_NAMES.values() for names in roles.values()):
        assert not old.search(names.brick)


def test_haystack_names_of_one_equipment_differ():
    for roles in ROLE_NAMES.values():
        haystack = [names.haystack for names in roles.values()]
        assert len(set(haystack)) == len(haystack)
