"""Templates that come with the product, each used by a minimal plant."""

import pytest

from custom_components.chiller_plant.plant.model import Plant, Protocol
from custom_components.chiller_plant.plant.plant_file import PlantFileError, parse_plant
from custom_components.chiller_plant.plant.plant_file.shipped import shipped_templates
from custom_components.chiller_plant.plant.roles import ROLES

_CONNECTIONS = {
    Protocol.BACNET_IP: (
        "protocol: bacnet_ip, local_address: 10.0.0.5/24, instance: 1, "
        'devices: {device: {address: "10.0.0.7:47808", instance: 7}}'
    ),
    Protocol.MODBUS_TCP: (
        "protocol: modbus_tcp, host: gateway, devices: {device: {unit: 1}}"
    ),
}
_VARIABLES = {"unit": "°F", "speed_scale": "0.02"}


def plant_text(key: str, **changes: str) -> str:
    shipped = shipped_templates()[key]
    used = {n: v for n, v in _VARIABLES.items() if f"{{{n}}}" in str(shipped.template)}
    variables = changes.get(
        "variables", ", ".join(f"{n}: {v}" for n, v in used.items())
    )
    return f"""
plant: {{key: site, name: Site}}
connections:
  bus: {{{_CONNECTIONS[shipped.protocol]}}}
equipment:
  machine:
    type: {changes.get("type", shipped.types[0])}
    name: Machine
    template: {changes.get("template", key)}
    device: device
    variables: {{{variables}}}
    points: {{{changes.get("points", "")}}}
"""


def plant_of(key: str, **changes: str) -> Plant:
    return parse_plant(plant_text(key, **changes), "site.yaml")


def problems(key: str, **changes: str) -> list[str]:
    with pytest.raises(PlantFileError) as caught:
        plant_of(key, **changes)
    return [str(each) for each in caught.value.problems]


def test_the_equipment_of_the_facts_is_shipped():
    assert set(shipped_templates()) == {
        "abb_ach550",
        "carrier_30rap",
        "carrier_30xv",
        "danfoss_fc102",
        "trane_pic",
        "yaskawa_z1000",
        "york_ylaa",
        "york_yvaa",
    }


@pytest.mark.parametrize("key", shipped_templates())
def test_every_template_makes_a_machine_of_every_type_it_is_for(key):
    shipped = shipped_templates()[key]
    for kind in shipped.types:
        machine = plant_of(key, type=kind).equipment["machine"]
        assert machine.points
        assert machine.manufacturer
        for point in machine.points.values():
            # A commanded number has limits, a started Modbus machine a release.
            if point.writable and not point.role.quantity.is_boolean:
                assert point.low is not None and point.high is not None
            elif point.writable and shipped.protocol is Protocol.MODBUS_TCP:
                assert point.release is False


@pytest.mark.parametrize("key", shipped_templates())
def test_every_template_says_where_it_is_from(key):
    shipped = shipped_templates()[key]
    assert "page" in shipped.source
    assert shipped.notes
    assert shipped.watchdog
    assert set(shipped.template["points"]) <= set(ROLES[shipped.types[0]])


def test_a_point_of_the_plant_file_goes_before_that_of_the_template():
    machine = plant_of(
        "carrier_30xv", points="run_command: {priority_array: false, release: false}"
    ).equipment["machine"]
    run = machine.points["run_command"]
    assert not run.address.priority_array
    assert run.release is False


def test_a_template_of_the_plant_file_goes_before_a_shipped_one():
    text = plant_text("carrier_30xv", variables="")
    own = "templates: {carrier_30xv: {points: {run_command: {object: 'binary-value,77'}}}}"
    machine = parse_plant(f"{own}{text}", "site.yaml").equipment["machine"]
    assert machine.points["run_command"].address.object_instance == 77
    assert machine.points.keys() == {"run_command", "sequence_position"}


def test_a_name_that_is_nearly_right_is_suggested():
    [problem] = problems("york_yvaa", template="york_yva")
    assert "did you mean 'york_yvaa'?" in problem


def test_the_unit_that_the_source_does_not_say_must_be_given():
    [problem] = problems("york_ylaa", variables="")
    assert "the variable 'unit' of its template is missing" in problem


def test_what_is_wrong_within_a_shipped_template_names_it_and_the_equipment():
    found = problems("york_ylaa", variables="unit: furlong")
    assert len(found) == 3
    assert all(
        "equipment.machine.shipped template york_ylaa.points." in each
        and "site.yaml:6:" in each
        for each in found
    )


def test_a_drive_is_no_chiller():
    [problem] = problems("abb_ach550", type="chiller")
    assert "the shipped template 'abb_ach550' for a chiller" in problem
    assert "only for a primary_chilled_water_pump or" in problem


def test_a_template_of_another_protocol_than_the_device_is_one_problem():
    text = plant_text("trane_pic").replace(
        _CONNECTIONS[Protocol.MODBUS_TCP], _CONNECTIONS[Protocol.BACNET_IP]
    )
    with pytest.raises(PlantFileError) as caught:
        parse_plant(text, "site.yaml")
    assert len(caught.value.problems) == 1
