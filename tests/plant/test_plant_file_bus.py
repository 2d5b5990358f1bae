"""What a plant file says about the bus: how often, which bits, which states."""

from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    ModbusAddress,
    ModbusConnection,
    Plant,
    RegisterKind,
    RegisterRange,
    RegisterType,
)
from custom_components.chiller_plant.plant.plant_file import parse_plant
from custom_components.chiller_plant.plant.roles import PollTier
from tests.plant.plant_texts import NAME, UNIT, small, with_pump_points

EVERYTHING = """\
plant:
  key: bus
  name: Bus
  poll_interval: 5
  normal_poll_interval: 30
  slow_poll_interval: 300
connections:
  bms:
    protocol: bacnet_ip
    local_address: 10.0.0.5/24
    instance: 4190001
    bbmd: 10.1.0.1:47808
    bbmd_lifetime: 120
    devices:
      controller: {address: "2:17", instance: 1, watchdog_timeout: 300}
  drives:
    protocol: modbus_tcp
    host: 10.0.0.8
    devices:
      drive:
        unit: 1
        message_spacing: 0.02
        watchdog_timeout: 30
        ranges: {holding: [[0, 99], [200, 240]], input: [[0, 31]]}
equipment:
  chiller:
    type: chiller
    name: Chiller
    device: controller
    points:
      run_command:
        object: "multi-state-value,1"
        states: {1: false, 2: true, 3: true}
        priority_array: false
        release: false
        poll: fast
      run_status: {object: "multi-state-input,1", states: {1: false, 2: true}}
      chilled_water_supply_temperature:
        {object: "analog-input,1", poll: normal, frozen_after: 3600}
  pump:
    type: primary_chilled_water_pump
    name: Pump
    device: drive
    points:
      run_command: {register: holding, address: 1, bit: 0, write_function: multiple}
      run_status: {register: input, address: 1, bits: [0, 1], states: {0: false, 3: true}}
      speed_command: {register: holding, address: 2, type: float64, word_order: little}
      speed: {register: input, address: 4, type: int64, poll: slow, scale: 0.1}
      power: {register: input, address: 8, bits: [4, 11], frozen_after: 0}
"""
"""Every key that says something about the bus."""


def right(text: str) -> Plant:
    return parse_plant(text, "plant.yaml")


def pump_address(point: str, keys: str) -> object:
    """Return the address of a point of the pump that is written so."""
    plant = right(with_pump_points(f"{point}: {{register: {keys}}}"))
    return plant.points[f"pump.{point}"].address


def test_every_key_has_its_place() -> None:
    # And the chiller's place in the order of starting, which no file needs to name.
    assert len(right(EVERYTHING).points) == 8 + 1


# --- how often


def test_intervals_that_are_not_said_fit_those_that_are() -> None:
    def intervals(keys: str) -> list[float]:
        plant = right(small(why=f"{NAME} -> {keys}, {NAME}"))
        return [plant.interval(tier) for tier in PollTier]

    assert intervals("command_lease: 60") == [5, 30, 300]
    assert intervals("poll_interval: 60, command_lease: 300") == [60, 60, 300]
    assert intervals("slow_poll_interval: 10") == [5, 10, 10]
    assert intervals("normal_poll_interval: 600") == [5, 600, 600]


def test_a_point_says_how_often_it_is_read_and_when_it_is_frozen() -> None:
    plant = right(
        with_pump_points("speed: {register: input, address: 2, poll: slow}")
        + "      power: {register: input, address: 3, frozen_after: 3600}\n"
    )
    assert plant.points["pump.speed"].tier is PollTier.SLOW
    assert plant.points["pump.power"].frozen_after == 3600
    assert plant.points["pump.power"].tier is plant.points["pump.power"].role.tier


# --- how values lie in registers


def test_states_say_what_the_numbers_of_an_enumeration_mean() -> None:
    address = pump_address(
        "run_status", "holding, address: 9, states: {1: false, 2: true, 3: true}"
    )
    assert isinstance(address, ModbusAddress)
    assert address.states == ((1, False), (2, True), (3, True))


def test_a_multi_state_object_says_what_its_states_mean() -> None:
    plant = right(
        small(why='"binary-output,1" -> "multi-state-value,1", states: {1: no, 2: yes}')
    )
    assert plant.points["chiller.run_command"].address == BacnetAddress(
        "bms",
        "controller",
        "multi-state-value",
        1,
        states=((1, False), (2, True)),
    )


def test_a_field_of_bits_may_be_a_number_or_an_enumeration() -> None:
    assert pump_address("speed", "holding, address: 9, bits: [4, 7]") == ModbusAddress(
        "drives", "drive", RegisterKind.HOLDING, 9, bits=(4, 7)
    )
    address = pump_address(
        "run_status", "input, address: 9, bits: [0, 1], states: {0: no, 3: yes}"
    )
    assert isinstance(address, ModbusAddress)
    assert (address.bits, address.states) == ((0, 1), ((0, False), (3, True)))


def test_a_commandable_role_in_a_field_of_bits_is_only_read() -> None:
    text = with_pump_points(
        "speed_command: {register: holding, address: 9, bits: [0, 7]}"
    )
    assert not right(text).points["pump.speed_command"].writable


def test_values_of_four_registers_end_at_the_end_of_the_table() -> None:
    address = pump_address("power", "input, address: 65532, type: float64")
    assert isinstance(address, ModbusAddress)
    assert address.type is RegisterType.FLOAT64


def test_a_field_of_bits_may_lie_beside_commanded_bits_and_over_what_is_only_read() -> (
    None
):
    plant = right(
        with_pump_points("speed: {register: holding, address: 1, bits: [8, 15]}")
        + "      power: {register: input, address: 7}\n"
        + "      alarm: {register: input, address: 7, bits: [0, 3], "
        + "states: {0: no, 9: yes}}\n"
    )
    assert {"speed", "power", "alarm"} <= set(plant.equipment["pump"].points)


def test_one_register_may_be_commanded_and_read_with_the_same_states() -> None:
    states = "address: 9, states: {0: no, 4: yes}"
    plant = right(
        small(why=f"address: 1, bit: 0 -> {states}")
        + f"      run_status: {{register: holding, {states}}}\n"
    )
    assert "run_status" in plant.equipment["pump"].points


def test_a_command_may_be_written_with_the_function_for_several_registers() -> None:
    plant = right(small(why="bit: 0 -> bit: 0, write_function: multiple"))
    address = plant.points["pump.run_command"].address
    assert isinstance(address, ModbusAddress)
    assert address.write_function == "multiple"


# --- devices


def test_a_unit_says_its_pace_its_watchdog_and_what_it_has_without_gaps() -> None:
    plant = right(
        small(
            why=f"{UNIT} -> {{unit: 1, message_spacing: 0.05, watchdog_timeout: 30, "
            "ranges: {holding: [[0, 99], [200, 240]], coil: [[0, 7]]}}"
        )
    )
    drives = plant.connections["drives"]
    assert isinstance(drives, ModbusConnection)
    drive = drives.devices["drive"]
    assert (drive.message_spacing, drive.watchdog_timeout) == (0.05, 30)
    assert drive.ranges == (
        RegisterRange(RegisterKind.HOLDING, 0, 99),
        RegisterRange(RegisterKind.HOLDING, 200, 240),
        RegisterRange(RegisterKind.COIL, 0, 7),
    )


def test_a_bacnet_device_has_a_watchdog_and_a_network_a_bbmd() -> None:
    plant = right(
        small(
            why="instance: 1} -> instance: 1, watchdog_timeout: 300}",
            bbmd="local_address -> bbmd: 10.1.0.1\n    bbmd_lifetime: 60\n"
            "    local_address",
        )
    )
    bms = plant.connections["bms"]
    assert isinstance(bms, BacnetConnection)
    assert (bms.bbmd, bms.bbmd_lifetime) == ("10.1.0.1:47808", 60)
    assert bms.devices["controller"].watchdog_timeout == 300


def test_an_object_without_a_priority_array_is_released_to_a_value() -> None:
    plant = right(
        small(why='output,1" -> value,1", priority_array: no, release: false')
    )
    point = plant.points["chiller.run_command"]
    assert isinstance(point.address, BacnetAddress)
    assert (point.address.priority_array, point.release) == (False, False)
