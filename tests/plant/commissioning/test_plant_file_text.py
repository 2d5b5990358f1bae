"""The plant file that comes out of commissioning, and any plant written out again."""

import dataclasses
from pathlib import Path

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.commissioning.export import plant_to_text
from custom_components.chiller_plant.plant.commissioning.found import (
    BacnetSettings,
    FoundDevice,
    FoundObject,
    Match,
    Proposal,
    ProposedEquipment,
)
from custom_components.chiller_plant.plant.commissioning.plant_file_text import (
    plant_file_text,
)
from custom_components.chiller_plant.plant.commissioning.propose import propose
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import load_plant, parse_plant
from custom_components.chiller_plant.plant.roles import EquipmentType
from tests.plant.commissioning.point_lists import LISTS

ROOT = Path(__file__).parents[3]
OURS = BacnetSettings("10.0.0.5/24", 4190001, bbmd="10.1.0.1:47808")


def with_addresses(devices) -> list[FoundDevice]:
    return [
        dataclasses.replace(device, address=f"10.0.0.{number + 20}:47808")
        for number, device in enumerate(devices)
    ]


def written(devices, proposal: Proposal) -> tuple[str, Plant]:
    text = plant_file_text(
        key="site",
        name="Site: east & west",
        connection=OURS,
        devices=with_addresses(devices),
        proposal=proposal,
    )
    return text, parse_plant(text, "site.yaml")


def one(kind: EquipmentType, *objects: tuple[str, FoundObject], **fields):
    device = FoundDevice("dev", "", 7, "DDC", objects=tuple(o for _, o in objects))
    machine = ProposedEquipment(
        "machine",
        "Machine 1",
        kind,
        {role: Match(found, 1.0, "chosen") for role, found in objects},
        **fields,
    )
    return written([device], Proposal((machine,), ()))


def binary(kind="binary-output", **fields) -> FoundObject:
    return FoundObject("dev", kind, fields.pop("instance", 1), "CH-1 S/S", **fields)


@pytest.mark.parametrize("name", LISTS)
def test_what_was_proposed_is_what_the_plant_has(name):
    devices = LISTS[name].devices
    proposal = propose(devices)
    text, plant = written(devices, proposal)

    assert plant.name == "Site: east & west"
    for item in proposal.equipment:
        equipment = plant.equipment[item.key]
        assert equipment.type is item.type
        for role, match in item.roles.items():
            address = equipment.points[role].address
            assert f"{address.object_type},{address.object_instance}" == (
                match.object.identifier
            )
            assert address.device == match.object.device
    # And it can be written out again.
    assert parse_plant(plant_to_text(plant), "again.yaml") == plant
    assert all(len(line) < 240 for line in text.splitlines())


def test_units_of_the_wire_are_named_only_where_they_differ():
    text, plant = written(
        LISTS["abbreviations"].devices, propose(LISTS["abbreviations"].devices)
    )
    chiller = plant.equipment["chiller_1"]
    assert chiller.points["chilled_water_supply_temperature"].wire_unit == "°F"
    assert chiller.points["power"].wire_unit is None
    assert "unit: kW" not in text


def test_a_chiller_whose_flow_nobody_proves_is_read_but_not_commanded():
    _, plant = one(EquipmentType.CHILLER, ("run_command", binary()))
    assert not plant.equipment["machine"].points["run_command"].writable


def test_a_chiller_with_a_flow_status_or_with_servers_is_commanded():
    flow_switch = binary("binary-input", instance=2)
    _, plant = one(
        EquipmentType.CHILLER,
        ("run_command", binary()),
        ("chilled_water_flow_status", flow_switch),
    )
    assert plant.equipment["machine"].points["run_command"].writable

    # A person was asked what serves it, and said.
    _, plant = one(EquipmentType.CHILLER, ("run_command", binary()), served_by={})
    assert plant.equipment["machine"].points["run_command"].writable


def test_what_serves_a_chiller_is_suggested_and_left_to_the_person():
    devices = LISTS["abbreviations"].devices
    text, plant = written(devices, propose(devices))
    assert plant.equipment["chiller_1"].served_by == {}
    assert "    #   chilled_water_pumps: [pchp_1, pchp_2, schp_1]" in text

    [head, _, tail] = text.partition("  chiller_2:")
    filled = head + "  chiller_2:" + tail.replace(
        "    # served_by:", "    served_by:", 1
    ).replace("    #   ", "      ", 4)  # fmt: skip
    chiller = parse_plant(filled, "site.yaml").equipment["chiller_2"]
    assert chiller.served_by["condenser_water_pumps"] == ("cdp_1",)


def test_a_plant_without_points_of_its_own_can_be_enabled_and_starts_off():
    _, plant = one(EquipmentType.CHILLER, ("run_command", binary()))
    enable = plant.equipment["plant"].points["enable_command"]
    assert (enable.address, enable.release) == (None, False)


def test_multi_state_objects_get_what_their_states_mean():
    alarm = binary("multi-state-input", states=("Normal", "Alert", "Alarm"))
    _, plant = one(EquipmentType.CHILLER, ("alarm", alarm))
    states = plant.equipment["machine"].points["alarm"].address.states
    assert states == ((1, False), (2, False), (3, True))


def test_states_that_nobody_understands_are_left_as_a_question():
    status = binary("multi-state-input", states=("Off", "Delay"))
    text, plant = one(EquipmentType.CHILLER, ("run_status", status))
    assert plant.equipment["machine"].points == {}
    assert "what are its states? (1 Off, 2 Delay)" in text


def test_what_cannot_be_set_is_not_commanded():
    fixed = binary("binary-value", commandable=False)
    text, plant = one(EquipmentType.CONDENSER_WATER_PUMP, ("run_command", fixed))
    assert not plant.equipment["machine"].points["run_command"].writable
    assert "it cannot be set" in text


def test_a_device_without_an_address_is_named():
    device = FoundDevice("dev", "", 7, "DDC", objects=(binary(),))
    proposal = Proposal(
        (
            ProposedEquipment(
                "m", "M", EquipmentType.CHILLER, {"run_command": Match(binary(), 1, "")}
            ),
        ),
        (),
    )
    with pytest.raises(ValueError, match="device 'dev' has no address"):
        plant_file_text(
            key="a", name="A", connection=OURS, devices=[device], proposal=proposal
        )


@settings(max_examples=150, deadline=None)
@given(
    name=st.text(max_size=120),
    description=st.text(max_size=120),
    unit=st.one_of(st.none(), st.sampled_from(["°F", "K", "psi", "nonsense"])),
)
def test_any_text_that_was_found_can_be_written(name, description, unit):
    found = FoundObject(
        "dev", "analog-input", 1, name, description, unit, wire_unit=unit
    )
    device = FoundDevice("dev", "", 7, name, objects=(found,))
    machine = ProposedEquipment(
        "machine",
        name,
        EquipmentType.CHILLER,
        {"chilled_water_supply_temperature": Match(found, 1.0, description)},
        (description,),
    )
    _, plant = written([device], Proposal((machine,), (found,)))
    assert "chilled_water_supply_temperature" in plant.equipment["machine"].points


@pytest.mark.parametrize(
    "file",
    [
        ROOT / "examples/two_chillers/plant.yaml",
        ROOT / "custom_components/chiller_plant/two_chillers.yaml",
    ],
    ids=["example", "shipped"],
)
def test_a_plant_written_out_is_the_same_plant(file):
    plant = load_plant(file)
    assert parse_plant(plant_to_text(plant), "out.yaml") == plant


_EVERYTHING = """
plant: {key: all, name: "yes", poll_interval: 1.5, normal_poll_interval: 20}
connections:
  bms:
    protocol: bacnet_ip
    local_address: 10.0.0.5/24
    instance: 1
    bbmd: "10.1.0.1:47808"
    bbmd_lifetime: 60
    devices: {one: {address: "2:17", instance: 5, watchdog_timeout: 300}}
  drives:
    protocol: modbus_tcp
    host: gateway.example
    devices:
      two: {unit: 2, message_spacing: 0.05, watchdog_timeout: 30,
            ranges: {holding: [[0, 99]], coil: [[1, 2], [4, 4]]}}
equipment:
  chiller:
    type: chiller
    name: "12:30"
    device: one
    ratings: {capacity: 1e-5}
    interlocks: {minimum_run_time: 1, maximum_starts_per_hour: 60}
    points:
      run_command: {object: "multi-state-value,1", states: {2: true, 1: false, 3: true}}
      run_status: {device: two, register: input, address: 3, bits: [0, 3], states: {5: true, 0: false}}
      alarm: {device: two, register: holding, address: 4, bit: 3}
      chilled_water_supply_temperature: {object: "analog-input,1", unit: °F, limits: [null, 60], frozen_after: 0}
      demand_limit: {object: "analog-value,2", priority_array: false, release: 100, ramp: 0.5, limits: [40, 100]}
      chilled_water_supply_temperature_setpoint: {object: "analog-value,3", writable: false}
      power: {device: two, register: input, address: 8, type: float64, word_order: little, scale: 0.1, offset: -1, poll: slow}
  pump:
    type: condenser_water_pump
    name: Pump
    device: two
    points:
      run_command: {register: coil, address: 1, write_function: multiple, release: false}
  meter: {type: meter, name: M, device: two, measures: [chiller], points: {energy: {register: input, address: 20, type: uint64}}}
profiles: ["on", "#1", Weekend]
day_types: {weekdays: "on", friday: "#1", weekends: Weekend}
simulation: {a: [1, 2.5, {b: null}], c: {d: "null", e: {}}}
"""


def test_everything_that_a_plant_file_can_say_comes_back():
    plant = parse_plant(_EVERYTHING, "in.yaml")
    assert parse_plant(plant_to_text(plant), "out.yaml") == plant


_FLOATS = st.floats(-1e6, 1e6, allow_nan=False)
_LINES = st.text(
    st.characters(exclude_categories=("C", "Zl", "Zp", "Zs")), min_size=1, max_size=50
).map(lambda text: f"{text} {text}"[:100].strip())


@settings(max_examples=150, deadline=None)
@given(
    name=_LINES,
    low=st.one_of(st.none(), _FLOATS),
    high=st.one_of(st.none(), _FLOATS),
    ramp=st.one_of(st.none(), st.floats(1e-12, 1e6)),
    scale=_FLOATS.filter(bool),
    profile=_LINES,
    value=st.one_of(
        st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
    ),
)
def test_any_name_and_number_comes_back(name, low, high, ramp, scale, profile, value):
    plant = parse_plant(_EVERYTHING, "in.yaml")
    if low is not None and high is not None and low >= high:
        low = None
    chiller = plant.equipment["chiller"]
    power = chiller.points["power"]
    limit = chiller.points["demand_limit"]
    points = {
        **chiller.points,
        "power": dataclasses.replace(
            power,
            low=low,
            high=high,
            address=dataclasses.replace(power.address, scale=scale),
        ),
        "demand_limit": dataclasses.replace(limit, ramp=ramp),
    }
    chiller = dataclasses.replace(chiller, name=name, points=points)
    plant = dataclasses.replace(
        plant,
        name=name,
        equipment={**plant.equipment, "chiller": chiller},
        points={**plant.points, **{point.key: point for point in points.values()}},
        profiles=(profile,),
        day_types=dict.fromkeys(plant.day_types, profile),
        simulation={"value": value},
    )
    assert parse_plant(plant_to_text(plant), "out.yaml") == plant
