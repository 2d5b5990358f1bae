"""What is found becomes machines: nearly all that is clear, and no wrong command."""

from collections import Counter
import dataclasses

import pytest

from custom_components.chiller_plant.plant.commissioning.found import (
    FoundDevice,
    FoundObject,
    Proposal,
)
from custom_components.chiller_plant.plant.commissioning.propose import propose
from custom_components.chiller_plant.plant.roles import ROLES, EquipmentType
from tests.plant.commissioning.point_lists import LISTS


def found(name: str, kind: str = "binary-output", **fields) -> FoundObject:
    return FoundObject("dev", kind, fields.pop("instance", 1), name, **fields)


def device(*objects: FoundObject, name: str = "DDC-7", **fields) -> FoundDevice:
    return FoundDevice(
        "dev",
        "",
        7,
        name,
        objects=tuple(
            dataclasses.replace(each, instance=number)
            for number, each in enumerate(objects)
        ),
        **fields,
    )


def roles(proposal: Proposal) -> dict[str, str]:
    return {
        f"{item.key}.{role}": match.object.name
        for item in proposal.equipment
        for role, match in item.roles.items()
    }


@pytest.mark.parametrize("name", LISTS)
def test_nine_of_ten_points_are_found_and_no_command_is_wrong(name):
    point_list = LISTS[name]
    proposal = propose(point_list.devices)
    got = {
        (match.object.device, match.object.identifier): (
            f"{item.key}.{role}",
            ROLES[item.type][role].commandable,
        )
        for item in proposal.equipment
        for role, match in item.roles.items()
    }

    right = sum(
        got.get(place, ("", None))[0] == what
        for place, what in point_list.expected.items()
    )
    wrong_commands = {
        place: what
        for place, (what, commandable) in got.items()
        if commandable and point_list.expected.get(place) != what
    }
    wrong = [
        place
        for place, (what, _) in got.items()
        if point_list.expected.get(place) != what
    ]

    assert right >= 0.9 * len(point_list.expected)
    assert wrong_commands == {}
    # Of what is proposed at all.
    assert len(wrong) <= 0.1 * len(got)


@pytest.mark.parametrize("name", LISTS)
def test_every_object_is_in_one_place(name):
    devices = LISTS[name].devices
    proposal = propose(devices)
    places = Counter(
        (each.device, each.identifier)
        for each in [
            *proposal.unmatched,
            *(m.object for item in proposal.equipment for m in item.roles.values()),
        ]
    )
    assert places == Counter(
        (each.device, each.identifier)
        for each in (o for d in devices for o in d.objects)
    )
    assert len({item.key for item in proposal.equipment}) == len(proposal.equipment)


@pytest.mark.parametrize("name", LISTS)
def test_every_match_says_why(name):
    for item in propose(LISTS[name].devices).equipment:
        for match in item.roles.values():
            assert match.object.name in match.reason or "described as" in match.reason
            assert 0.7 <= match.score <= 1


_DANGEROUS = [
    found("CH-1 DISABLE"),
    found("CH-1 STOP CMD"),
    found("CH-1 E-STOP", "binary-value"),
    found("CH-1 EMSTOP", "binary-value"),
    found("CH-1 ENABLE STATUS", "binary-value"),
    found("CH-1 ALARM RESET CMD"),
    found("CH-1 COMP 1 CMD"),
    found("CH-1 COND FAN 1 CMD"),
    found("CH-1 EVAP PUMP S/S"),
    found("CH-1 CHWP CMD"),
    found("CH-1 LEAD CMD"),
    found("CH-1 OCC CMD", "binary-value"),
    found("CH-1 TEST CMD"),
    found("CH-1 FREE COOLING ENABLE"),
    found("CH-1 S/S", commandable=False),
    found("CH-1 S/S", "binary-input"),
    # Active is off: a start would be a stop.
    found("CH-1 S/S", states=("On", "Off")),
    found("CH-1 CMD", states=("Enabled", "Disabled")),
    found("CH-1 CMD", "multi-state-value", states=("Auto", "Off", "On")),
    found("CH-1 CMD", "multi-state-value"),
    found("CH-1 CHWST SP", "analog-value"),
    found("CH-1 CHWST SP", "analog-value", unit="%", wire_unit="percent"),
    found("CH-1 CHWST SP", "analog-input", unit="°C"),
    found("CH-1 CHWST SP", "analog-value", unit="°C", commandable=False),
    found("CH-1 CHWST SP MAX", "analog-value", unit="°C"),
    found("CH-1 CHWST SP RESET", "analog-value", unit="°C"),
    found("CH-1 ACTIVE CHWST SP", "analog-value", unit="°C"),
    found("CH-1 CHWST HI LIMIT", "analog-value", unit="°C"),
    found("CH-1 CDWST SP", "analog-value", unit="°C"),
    found("PUMP 3 CMD"),
    found("HWP-1 CMD"),
    found("CT-1 FAN 2 CMD"),
    found("CT-1 SUMP HEATER CMD"),
    found("SCHWP-1 SPD CMD", "analog-output", wire_unit="hertz"),
    found("SCHWP-1 MIN SPD", "analog-value", unit="%"),
    found("SCHWP-1 SPD SIGNAL", "analog-output"),
    found("CHW BYPASS VLV CMD", "analog-output", unit="%"),
    found("AHU-1 SF CMD"),
    found("ZONE 1 HTG SP", "analog-value", unit="°C"),
    found("ZONE 1 UNOCC CLG SP", "analog-value", unit="°C"),
    found("PLANT STOP"),
    found("SPARE"),
    found(""),
]


@pytest.mark.parametrize("each", _DANGEROUS, ids=lambda each: each.name)
def test_what_might_move_the_wrong_thing_is_not_proposed(each):
    proposal = propose([device(each)])
    commanded = [
        f"{item.key}.{role}"
        for item in proposal.equipment
        for role in item.roles
        if ROLES[item.type][role].commandable
    ]
    assert commanded == []


def test_of_two_that_could_be_one_role_none_is_taken_and_a_note_says_so():
    proposal = propose([device(found("CH-1 CMD"), found("CHILLER 1 CMD"))])
    [chiller] = proposal.equipment
    assert chiller.roles == {}
    assert chiller.notes == (
        "'CH-1 CMD' and 'CHILLER 1 CMD' could both be run_command: none was taken",
    )
    assert len(proposal.unmatched) == 2


def test_a_multi_state_alarm_is_taken_with_what_its_states_mean():
    alarm = found("CH-1 ALM", "multi-state-input", states=("Normal", "Alert", "Alarm"))
    [chiller] = propose([device(alarm)]).equipment
    assert "true is Alarm" in chiller.roles["alarm"].reason


def test_a_temperature_without_a_unit_is_shown_with_the_doubt():
    [chiller] = propose([device(found("CH-1 CHWST", "analog-input"))]).equipment
    match = chiller.roles["chilled_water_supply_temperature"]
    assert "its unit is not known, taken as °C" in match.reason


def test_a_pump_that_says_neither_primary_nor_secondary_is_taken_as_primary_and_said():
    [pump] = propose([device(found("CHWP-1 CMD"))]).equipment
    assert pump.type is EquipmentType.PRIMARY_CHILLED_WATER_PUMP
    assert pump.notes == (
        "its name does not say primary or secondary: taken as primary",
    )


def test_points_of_one_machine_in_two_devices_come_together():
    bms = device(found("CH-1 S/S"))
    own = FoundDevice(
        "own", "", 8, "CH-1",
        objects=(FoundObject("own", "analog-input", 1, "CHWST", unit="°C"),),
    )  # fmt: skip
    assert set(roles(propose([bms, own]))) == {
        "chiller_1.run_command",
        "chiller_1.chilled_water_supply_temperature",
    }


def test_ten_thousand_objects_are_judged():
    objects = [
        FoundObject("dev", "analog-input", n, f"VAV-{n // 4}-{n} ZN-T", unit="°C")
        for n in range(10_000)
    ]
    proposal = propose([FoundDevice("dev", "", 7, "DDC", objects=tuple(objects))])
    assert len(proposal.equipment) == 10_000
