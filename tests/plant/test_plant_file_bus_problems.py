"""What a plant file says wrongly about the bus is said, and where."""

import pytest

from custom_components.chiller_plant.plant.plant_file import PlantFileError, parse_plant
from tests.plant.plant_texts import (
    NAME,
    SMALL,
    UNIT,
    problems_of,
    small,
    with_pump_points,
)

# --- what is wrong


def plant_keys(keys: str) -> str:
    return small(why=f"{NAME} -> {keys}, {NAME}")


def unit_keys(keys: str) -> str:
    return small(why=f"{UNIT} -> {{unit: 1, {keys}}}")


def network_keys(keys: str) -> str:
    return small(why=f"local_address -> {keys}\n    local_address")


def chiller_object(keys: str) -> str:
    return small(why=f'"binary-output,1" -> {keys}')


def pump_point(point: str, keys: str) -> str:
    return with_pump_points(f"{point}: {{register: {keys}}}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            plant_keys("normal_poll_interval: 3"),
            (
                "plant.normal_poll_interval: 3 s is shorter than the interval of what "
                "is read more often (at least 5)"
            ),
        ),
        (
            plant_keys("slow_poll_interval: 20, normal_poll_interval: 40"),
            (
                "plant.slow_poll_interval: 20 s is shorter than the interval of what "
                "is read more often (at least 40)"
            ),
        ),
        (
            plant_keys("slow_poll_interval: 0"),
            "plant.slow_poll_interval: found 0 (expected a number from 1 to 86400)",
        ),
        (
            pump_point("speed", "input, address: 2, poll: fasst"),
            "equipment.pump.points.speed.poll: found 'fasst' (did you mean 'fast'?)",
        ),
        (
            with_pump_points("speed_command: {release: 1, poll: fast}"),
            "speed_command.poll: 'poll' without an address",
        ),
        (
            pump_point("speed", "input, address: 2, poll: slow, frozen_after: 500"),
            (
                "speed.frozen_after: 500 s is less than two readings "
                "(0 for never, or at least 600)"
            ),
        ),
        (
            pump_point("run_status", "coil, address: 2, frozen_after: 600"),
            "'frozen_after' for 'run_status', which is true or false (remove it)",
        ),
        (
            pump_point("speed", "input, address: 2, frozen_after: -1"),
            "speed.frozen_after: found -1 (expected a number from 0 to 86400)",
        ),
        (
            pump_point("run_status", "input, address: 2, states: {1: yes, x: no}"),
            "states.x: found false (expected whole numbers from 0 to 65535)",
        ),
        (
            pump_point("run_status", "input, address: 2, states: {1: yes, 70000: no}"),
            "states.70000: found false (expected whole numbers from 0 to 65535)",
        ),
        (
            pump_point("run_status", "input, address: 2, states: {1: yes, 2: 'off'}"),
            "states.2: found 'off' (expected true or false)",
        ),
        (
            pump_point("run_status", "input, address: 2, states: {1: yes, 2: yes}"),
            "states: found a mapping (expected {number: true or false, ...} with at ",
        ),
        (
            pump_point("run_status", "input, address: 2, states: {1: yes, 01: no}"),
            "states: found a mapping (expected {number: true or false, ...} with at ",
        ),
        (
            pump_point("run_status", "input, address: 2, states: [1, 2]"),
            "states: found [1, 2] (expected {number: true or false, ...}",
        ),
        (
            pump_point("speed", "input, address: 2, states: {1: yes, 2: no}"),
            "'states' for 'speed', which is a number (remove it)",
        ),
        (
            pump_point("run_status", "coil, address: 2, states: {0: no, 1: yes}"),
            "'states' of a coil (remove it)",
        ),
        (
            pump_point(
                "run_status", "input, address: 2, bit: 3, states: {0: no, 1: yes}"
            ),
            "'states' of one bit (remove it)",
        ),
        (
            pump_point(
                "run_status", "input, address: 2, bits: [0, 1], states: {0: no, 4: yes}"
            ),
            "states: bits 0 to 1 cannot hold the state 4 (0 to 3)",
        ),
        (
            pump_point(
                "run_status",
                "input, address: 2, type: int16, states: {0: no, 40000: yes}",
            ),
            "states: type int16 cannot hold the state 40000 (0 to 32767)",
        ),
        (
            chiller_object('"multi-state-output,1"'),
            "a multi-state object without 'states' (states: {1: false, 2: true})",
        ),
        (
            chiller_object('"multi-state-output,1", states: {0: no, 1: yes}'),
            "states: found the state 0 (states from 1 (BACnet))",
        ),
        (
            chiller_object('"binary-output,1", states: {1: no, 2: yes}'),
            "'states' of a binary-output (remove it)",
        ),
        (
            chiller_object('"multi-state-output,1", states: {1: no, 2: yes}').replace(
                "  pump:",
                "  other:\n    type: chiller\n    name: O\n    device: controller\n"
                '    points: {run_status: {object: "multi-state-output,1", '
                "states: {1: no, 3: yes}}}\n  pump:",
            ),
            (
                "other.points.run_status: overlaps the value of 'chiller.run_command' "
                "with another type or states"
            ),
        ),
        (
            chiller_object('"binary-input,1", priority_array: no'),
            "'priority_array' of a binary-input (remove it)",
        ),
        (
            chiller_object('"binary-value,1", priority_array: no'),
            "priority_array: no priority array and no 'release'",
        ),
        (
            pump_point("run_status", "coil, address: 2, priority_array: no"),
            "priority_array: 'priority_array' is for BACnet (remove it)",
        ),
        (
            chiller_object('"binary-value,1", bits: [0, 3]'),
            "bits: 'bits' is for Modbus (remove it)",
        ),
        (
            pump_point("speed", "input, address: 2, bits: [7, 4]"),
            "bits: found [7, 4] (expected [first, last], two bits from 0 to 15)",
        ),
        (
            pump_point("speed", "input, address: 2, bits: [4, 16]"),
            "bits: found [4, 16] (expected a whole number from 0 to 15)",
        ),
        (
            pump_point("speed", "input, address: 2, bits: [4, 7], type: int16"),
            "bits: 'bits' of type int16 (type: uint16)",
        ),
        (
            pump_point("run_status", "input, address: 2, bits: [4, 7], bit: 3"),
            "bits: both 'bit' and 'bits' (one of them)",
        ),
        (
            pump_point("run_status", "coil, address: 2, bits: [4, 7]"),
            "bits: 'bits' of a coil (remove it)",
        ),
        (
            pump_point(
                "speed_command", "holding, address: 2, bits: [4, 7], writable: yes"
            ),
            "a field of bits cannot be commanded",
        ),
        (
            pump_point(
                "speed_command", "holding, address: 2, bits: [4, 7], release: 3"
            ),
            "'release' of a field of bits (remove it)",
        ),
        (
            pump_point("speed", "holding, address: 1, bits: [0, 7]"),
            (
                "speed: overlaps the value of 'pump.run_command' with another type or "
                "states (the same type and states, or another address)"
            ),
        ),
        (
            with_pump_points(
                "speed_command: {register: holding, address: 2}",
                "speed: {register: holding, address: 2, bits: [0, 7]}",
            ),
            "speed: overlaps the value of 'pump.speed_command' with another type",
        ),
        (
            with_pump_points(
                "speed: {register: holding, address: 2, bits: [0, 7]}",
                "speed_command: {register: holding, address: 2}",
            ),
            "speed_command: overlaps the value of 'pump.speed' with another type",
        ),
        (
            pump_point("power", "input, address: 65533, type: uint64"),
            "address: type uint64 at 65533 (at most 65532)",
        ),
        (
            pump_point("run_status", "input, address: 2, type: int64"),
            "type: found 'int64' for 'run_status'",
        ),
        (
            pump_point("speed", "holding, address: 2, write_function: multiple"),
            "'write_function' of a point that is not commanded (remove it)",
        ),
        (
            pump_point(
                "speed_command",
                "holding, address: 2, type: uint32, write_function: multiple",
            ),
            "type uint32 is always written with function 16 (remove it)",
        ),
        (
            pump_point("speed_command", "holding, address: 2, write_function: both"),
            "write_function: found 'both' (allowed: single, multiple)",
        ),
        (unit_keys("message_spacing: 60"), "found 60 (expected a number from 0 to 10)"),
        (
            unit_keys("watchdog_timeout: 1"),
            (
                "connections.drives.devices.drive.watchdog_timeout: found 1 "
                "(expected a number from 3 to 86400)"
            ),
        ),
        (
            unit_keys("ranges: {holding: [[9, 3]]}"),
            "ranges: found a mapping (expected {register table: [[first, last], ...]})",
        ),
        (
            unit_keys("ranges: {holdings: [[0, 3]]}"),
            "ranges: found 'holdings' (did you mean 'holding'?)",
        ),
        (
            unit_keys("ranges: {holding: [[0, 9], [9, 20]]}"),
            "ranges: found a mapping (expected ranges that do not overlap)",
        ),
        (
            unit_keys("ranges: {coil: [[0, 65536]]}"),
            "ranges: found a mapping (expected a whole number from 0 to 65535)",
        ),
        (
            network_keys("bbmd: '2:17'"),
            "connections.bms.bbmd: found '2:17' (expected address:port",
        ),
        (network_keys("bbmd: 10.0.0.5"), "bbmd: 10.0.0.5:47808 is our own address"),
        (
            network_keys("bbmd_lifetime: 60"),
            "bbmd_lifetime: 'bbmd_lifetime' without 'bbmd' (remove it)",
        ),
        (
            network_keys("bbmd: 10.1.0.1\n    bbmd_lifetime: 5"),
            "bbmd_lifetime: found 5 (expected a whole number from 30 to 65535)",
        ),
    ],
    ids=lambda value: value if "\n" not in value else "",
)
def test_what_is_wrong_is_said(text: str, problem: str) -> None:
    told = problems_of(text)
    assert any(problem in line for line in told), told
    assert len(told) <= 2, told


def test_what_is_wrong_is_found_at_its_line() -> None:
    text = SMALL.replace(UNIT, "\n        unit: 1\n        watchdog_timeout: 1")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "watchdog" in row)
    with pytest.raises(PlantFileError) as error:
        parse_plant(text, "site.yaml")

    assert str(error.value).startswith(
        f"site.yaml:{line}: connections.drives.devices.drive.watchdog_timeout: "
    )
