"""What is wrong in a plant file is said, all of it, and where."""

from pathlib import Path
import subprocess
import sys

import pytest

from custom_components.chiller_plant.plant.plant_file import (
    PlantFileError,
    load_plant,
    parse_plant,
)
from tests.plant.plant_texts import (
    EXAMPLE,
    ROOT,
    SMALL,
    problems_of,
    small,
    with_pump_points,
)


def test_all_problems_are_told_at_once_in_file_order_with_line_and_key() -> None:
    text = EXAMPLE.read_text()
    for before, after in (
        ("poll_interval: 5", "poll_intervall: 5"),
        ("release: 6.7}", "release: 60}"),
        ("device: chiller_2_controller", "device: chiler_2_controller"),
        ("weekends: Weekend", "weekends: Weekand"),
    ):
        text = text.replace(before, after, 1)

    with pytest.raises(PlantFileError) as error:
        parse_plant(text, "plant.yaml")

    assert str(error.value).splitlines() == [
        (
            "plant.yaml:15: plant.poll_intervall: unknown key "
            "(did you mean 'poll_interval'?)"
        ),
        (
            "plant.yaml:77: templates.chiller.points."
            "chilled_water_supply_temperature_setpoint.release: 60 is outside the limits "
            "(4.5 to 15)"
        ),
        (
            "plant.yaml:153: equipment.chiller_2.device: device 'chiler_2_controller' is "
            "not defined (did you mean 'chiller_2_controller'?)"
        ),
        (
            "plant.yaml:348: day_types.weekends: profile 'Weekand' is not defined "
            "(did you mean 'Weekend'?)"
        ),
    ]


def test_the_same_mistake_of_a_template_is_told_once_for_all_its_users() -> None:
    text = EXAMPLE.read_text().replace("address: 32, bit: 3", "address: 32, bit: 33", 1)
    assert problems_of(text) == [
        (
            "templates.drive.points.alarm.bit: found 33 "
            "(expected a whole number from 0 to 15)"
        )
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("- a\n", "found ['a'] (expected a mapping)"),
        ("plant: [\n", "this is not YAML"),
        ("a: 1\n--- \nb: 2\n", "a second document"),
        ("plant: &a {b: *a}\n", "'*a' is an alias"),
        ("plant: !secret x\n", "the tag '!secret'"),
        ("? [a]\n: b\n", "a key that is a mapping or a list"),
        (f"{SMALL}plant: {{}}\n", "plant: given twice, first on line 1"),
        (small(why="name: Small} -> nam: Small}"), "did you mean 'name'?"),
        (small(why="name: Small} -> name: 3}"), "plant.name: found 3"),
        (small(why="name: Small -> poll_interval: 50, name: Small"), "two polls"),
        (small(why="bacnet_ip -> bacnet"), "did you mean 'bacnet_ip'?"),
        (small(why="10.0.0.5/24 -> 10.0.0.5"), "as in 10.0.0.5/24"),
        (small(why="10.0.0.7 -> 10.0.0.777"), "as in 10.0.0.7:47808"),
        (small(why="10.0.0.7 -> 10.0.0.5"), "10.0.0.5:47808 is our own local port"),
        (small(why="instance: 1} -> instance: 4190001}"), "is our own"),
        (
            small(
                why="instance: 1} -> instance: 1}\n      b: {address: '2:7', instance: 1}"
            ),
            "connections.bms.devices.b.instance: the instance 1 is that of 'controller'",
        ),
        (
            small(why="local_address -> write_priority: 6\n    local_address"),
            "6 is reserved",
        ),
        (
            small(why="drive: {unit: 1} -> controller: {unit: 1}"),
            "a device of 'bms' too",
        ),
        (small(why="drive: {unit -> drive: {unti"), "did you mean 'unit'?"),
        (small(why="type: chiller -> type: chillr"), "did you mean 'chiller'?"),
        (small(why="  pump: ->   Pump:"), "lower-case letters"),
        (small(why="  pump: ->   plant:"), "'plant' is the key of the type 'plant'"),
        (small(why="run_command: {object -> run_comand: {object"), "'run_command'?"),
        (
            small(why="device: drive -> template: t"),
            "equipment.pump.template: template 't' is not defined",
        ),
        (small(why="device: drive -> model: x"), "equipment.pump: no device"),
        (small(why="device: drive -> device: controller"), "speaks bacnet_ip"),
        (small(why='"binary-output,1" -> "binary-output"'), '"type,number"'),
        (small(why="binary-output -> analog-output"), "which is true or false"),
        (small(why="holding -> coils"), "did you mean 'coil'?"),
        (small(why="holding, -> coil,"), "'bit' of a coil"),
        (small(why="bit: 0} -> bit: 0, release: 1}"), "found 1 for 'run_command'"),
        (small(why="bit: 0} -> bit: 0, limits: [0, 1]}"), "'limits' for 'run_command'"),
        (
            small(why="register: holding -> writable: yes, register: input"),
            "a Modbus input register cannot be commanded",
        ),
        (
            small(why='"binary-output,1" -> "binary-input,1", writable: true'),
            "a BACnet binary-input cannot be commanded",
        ),
        (
            small(why='"binary-output,1" -> "binary-input,1", release: true'),
            "'release' of a BACnet binary-input",
        ),
        (
            small(
                why="    name: Chiller -> "
                "    served_by: {valves: [pump]}\n    name: Chiller"
            ),
            "'pump' is a primary_chilled_water_pump (expected a valve)",
        ),
        (
            small(
                why="    name: Chiller -> "
                "    served_by: {valve: [pump]}\n    name: Chiller"
            ),
            "did you mean 'valves'?",
        ),
        (
            small(
                why="    name: Chiller -> "
                "    served_by: {chilled_water_pumps: [pumps]}\n    name: Chiller"
            ),
            "chilled_water_pumps[0]: equipment 'pumps' is not defined (did you mean",
        ),
        (
            f"{SMALL}  meter: {{type: meter, name: M, measures: [meter]}}\n",
            "measures itself",
        ),
        (
            f"{SMALL}  meter: {{type: meter, name: M, measures: [pum]}}\n",
            "did you mean 'pump'?",
        ),
        (
            with_pump_points("speed: {register: holding, address: 2, bit: 1}"),
            "a bit for",
        ),
        (with_pump_points("speed: {register: coil, address: 2}"), "found 'coil'"),
        (with_pump_points("speed: {register: holding}"), "'address' is missing"),
        (with_pump_points("speed: {}"), "points.speed: no address"),
        (with_pump_points("speed_command: {}"), "neither an address nor a 'release'"),
        (
            with_pump_points("speed: {register: input, address: 2, limits: [9, 9]}"),
            "found [9, 9]",
        ),
        (
            with_pump_points("speed: {register: input, address: 2, writable: true}"),
            "'speed' is for reading",
        ),
        (
            with_pump_points("power: {register: input, address: 2, unit: KW}"),
            "did you mean 'kW'?",
        ),
        (
            with_pump_points("speed: {register: input, address: 2, scale: 0}"),
            "speed.scale: found 0",
        ),
        (
            with_pump_points(
                "speed_command: {register: holding, address: 1}",
            ),
            "'pump.run_command' commands an overlapping register",
        ),
        (
            with_pump_points(
                "speed_command: {register: holding, address: 8}",
                "power: {register: holding, address: 7, type: float32}",
            ),
            "points.power: overlaps the value of 'pump.speed_command'",
        ),
        (
            SMALL.replace("device: controller", "device: drive").replace(
                'object: "binary-output,1"', "register: holding, address: 1, bit: 0"
            ),
            "equipment.pump.points.run_command: 'chiller.run_command' commands",
        ),
        (f"{SMALL}profiles: []\n", "profiles: found an empty list"),
        (f"{SMALL}profiles: [A, A]\n", "every name once"),
        (f"{SMALL}day_types: {{weekdays: Weekday}}\n", "no profile for saturday"),
        (
            f"{SMALL}templates: {{t: {{colour: red}}}}\n",
            "templates.t.colour: unknown key",
        ),
        (
            f"{SMALL}    interlocks: {{minimum_of_time: 3}}\n",
            "did you mean 'minimum_off_time'?",
        ),
        (f"{SMALL}    measures: [chiller]\n", "'measures' of a primary"),
        (f"{SMALL}    served_by: {{valves: []}}\n", "'served_by' of a primary"),
        (f"{SMALL}    variables: {{n: 1}}\n", "variables without a template"),
    ],
    ids=lambda value: value if "\n" not in value else "",
)
def test_what_is_wrong_is_said(text: str, problem: str) -> None:
    told = problems_of(text)
    assert any(problem in line for line in told), told
    assert len(told) <= 2, told


def test_a_variable_that_is_missing_is_named() -> None:
    text = EXAMPLE.read_text().replace(
        "variables: {number: 3}", "variables: {nr: 3}", 1
    )
    assert problems_of(text) == [
        (
            "equipment.condenser_water_valve_1.variables: "
            "the variable 'number' of its template is missing (variables: {number: …})"
        )
    ]


def test_a_broken_section_does_not_blame_those_that_refer_to_it() -> None:
    text = EXAMPLE.read_text().replace("protocol: bacnet_ip", "protocol: bacnet", 1)
    assert problems_of(text) == [
        "connections.bms.protocol: found 'bacnet' (did you mean 'bacnet_ip'?)"
    ]


def test_a_file_that_cannot_be_read_is_a_problem_too(tmp_path: Path) -> None:
    with pytest.raises(PlantFileError, match="cannot be read: No such file"):
        load_plant(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"plant:\n  name: K\xfchlung\n")
    with pytest.raises(PlantFileError, match=r"^latin\.yaml:2: found bytes"):
        load_plant(tmp_path / "latin.yaml")


STANDALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import voluptuous
from plant import plant_file
print(voluptuous.__file__)
for text in sys.stdin.read().split("=====\\n"):
    try:
        plant_file.parse_plant(text, "plant.yaml")
        print("right")
    except plant_file.PlantFileError as error:
        print(error)
"""


def test_voluptuous_itself_says_the_same_as_home_assistants_replacement() -> None:
    """Beside Home Assistant `import voluptuous` is another library."""
    texts = [
        SMALL,
        small(why="name: Small} -> nam: Small, poll_interval: x}"),
        small(why="instance: 1} -> instance: -1, x: {}}"),
        small(why="bit: 0} -> bit: yes, limits: [1, 2, 3], type: uint8}"),
        f"{SMALL}    measures: [Chiller, 3]\n    interlocks: {{change_time: -1}}\n",
        f"{SMALL}profiles: [A, 3]\n",
        f"{SMALL}    ratings: {{power: .nan, flow: x, Bad: 1}}\n",
    ]
    here = []
    for text in texts:
        try:
            parse_plant(text, "plant.yaml")
            here.append("right")
        except PlantFileError as error:
            here.append(str(error))

    package = ROOT / "custom_components/chiller_plant"
    there = subprocess.run(
        [sys.executable, "-c", STANDALONE, str(package)],
        input="=====\n".join(texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.splitlines()

    assert "probatio" not in there[0]
    assert there[1:] == "\n".join(here).splitlines()
    assert here[0] == "right" and "right" not in here[1:]
