"""A plant file that is right becomes a plant; one that is wrong says why."""

from pathlib import Path

import pytest

from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    ModbusAddress,
    Plant,
    RegisterKind,
    RegisterType,
)
from custom_components.chiller_plant.plant.plant_file import load_plant, parse_plant
from custom_components.chiller_plant.plant.plant_file.interlock_defaults import DEFAULTS
from custom_components.chiller_plant.plant.roles import EquipmentType
from tests.plant.plant_texts import EXAMPLE, SMALL


@pytest.fixture(name="plant", scope="module")
def example_plant() -> Plant:
    return load_plant(EXAMPLE)


def test_the_example_is_a_plant(plant: Plant) -> None:
    assert plant.key == "two_chillers"
    assert len(plant.of_type(EquipmentType.CHILLER)) == 2
    assert len(plant.of_type(EquipmentType.COOLING_TOWER)) == 2
    assert len(plant.points) == 138
    # A place in the order of starting, of which the file does not speak.
    place = plant.points["chiller_1.sequence_position"]
    assert place.address is None and place.release == 0 and place.writable
    assert plant.points["chiller_2.load"] is plant.equipment["chiller_2"].points["load"]
    assert plant.simulation["chilled_water_volume"] == 12


def test_points_take_address_and_limits_from_their_template(plant: Plant) -> None:
    point = plant.points["chiller_2.chilled_water_supply_temperature_setpoint"]
    assert point.address == BacnetAddress(
        "bms", "chiller_2_controller", "analog-value", 1
    )
    assert (point.low, point.high, point.release) == (4.5, 15.0, 6.7)
    assert point.writable


def test_a_points_own_keys_go_before_those_of_the_template(plant: Plant) -> None:
    assert plant.points["chiller_1.run_command"].release is True
    assert plant.points["chiller_2.run_command"].release is False
    speed = plant.points["pchp_1.speed_command"]
    assert (speed.release, speed.low) == (100.0, 25.0)
    assert speed.address == ModbusAddress(
        "drives", "pchp_1_drive", RegisterKind.HOLDING, 2, scale=0.01
    )


def test_variables_fill_a_template(plant: Plant) -> None:
    addresses = [
        plant.points[f"condenser_water_valve_{number}.open_command"].address
        for number in (1, 2)
    ]
    assert addresses == [
        BacnetAddress("bms", "plant_controller", "binary-output", number)
        for number in (3, 4)
    ]


def test_a_point_may_be_on_another_device_than_its_equipment(plant: Plant) -> None:
    address = plant.points["ct_2.leaving_water_temperature"].address
    assert address == BacnetAddress("bms", "plant_controller", "analog-input", 8)


def test_a_point_without_an_address_is_held_by_the_integration(plant: Plant) -> None:
    point = plant.points["plant.enable_command"]
    assert (point.address, point.writable, point.release) == (None, True, True)


def test_what_is_only_measured_is_not_writable(plant: Plant) -> None:
    assert not plant.points["chiller_1.load"].writable
    assert not plant.points["plant_power.energy"].writable
    energy = plant.points["plant_power.energy"].address
    assert isinstance(energy, ModbusAddress)
    assert energy.type is RegisterType.FLOAT32


def test_interlocks_come_from_the_file_or_from_the_type() -> None:
    plant = parse_plant(
        SMALL.replace(
            "    name: Pump\n",
            "    name: Pump\n    interlocks: {minimum_off_time: 5}\n",
        ),
        "plant.yaml",
    )
    assert plant.equipment["chiller"].interlocks == DEFAULTS[EquipmentType.CHILLER]
    pump = plant.equipment["pump"].interlocks
    default = DEFAULTS[EquipmentType.PRIMARY_CHILLED_WATER_PUMP]
    assert pump.minimum_off_time == 5
    assert pump.maximum_starts_per_hour == default.maximum_starts_per_hour


def test_what_is_not_said_has_a_default() -> None:
    plant = parse_plant(SMALL, "plant.yaml")
    assert plant.profiles == ("Weekday", "Weekend", "Holiday")
    assert plant.day_types["friday"] == "Weekday"
    assert plant.day_types["sunday"] == "Weekend"
    assert plant.day_types["holiday"] == "Holiday"
    assert (plant.poll_interval, plant.command_lease) == (5, 60)
    bms = plant.connections["bms"]
    assert isinstance(bms, BacnetConnection)
    assert bms.devices["controller"].address == "10.0.0.7:47808"


def test_a_day_goes_before_its_group() -> None:
    plant = parse_plant(
        f"{SMALL}profiles: [A, B]\nday_types: {{friday: B, weekdays: A, weekends: B}}\n",
        "plant.yaml",
    )
    assert list(plant.day_types.values()) == ["A", "A", "A", "A", "B", "B", "B"]


def test_holidays_have_a_profile_only_where_it_is_said() -> None:
    days = "weekdays: Weekday, weekends: Weekend"
    plant = parse_plant(f"{SMALL}day_types: {{{days}}}\n", "plant.yaml")
    assert "holiday" not in plant.day_types
    plant = parse_plant(
        f"{SMALL}day_types: {{{days}, holiday: Holiday}}\n", "plant.yaml"
    )
    assert plant.day_types["holiday"] == "Holiday"


def test_a_point_that_names_its_own_kind_of_address_drops_the_templates() -> None:
    text = SMALL.replace(
        "    device: controller\n    points:\n"
        '      run_command: {object: "binary-output,1"}\n',
        "    template: t\n    points:\n"
        "      run_command: {device: drive, register: coil, address: 7}\n",
    )
    text += 'templates: {t: {device: controller, points: {run_command: {object: "binary-output,1", release: true}}}}\n'
    point = parse_plant(text, "plant.yaml").points["chiller.run_command"]
    assert point.address == ModbusAddress("drives", "drive", RegisterKind.COIL, 7)
    assert point.release is True


def test_one_register_may_carry_several_commanded_bits_and_their_feedback() -> None:
    plant = parse_plant(
        SMALL
        + "      run_status: {register: holding, address: 1, bit: 0}\n"
        + "      alarm: {register: holding, address: 1, bit: 1}\n",
        "plant.yaml",
    )
    assert {"run_status", "alarm"} <= set(plant.equipment["pump"].points)


def test_two_points_may_read_one_register_in_two_ways() -> None:
    plant = parse_plant(
        SMALL
        + "      speed: {register: input, address: 1}\n"
        + "      alarm: {register: input, address: 1, bit: 1}\n",
        "plant.yaml",
    )
    assert {"speed", "alarm"} <= set(plant.equipment["pump"].points)


def test_a_commandable_role_on_an_input_is_only_read() -> None:
    text = SMALL.replace("binary-output", "binary-input")
    assert not parse_plant(text, "plant.yaml").points["chiller.run_command"].writable


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text(SMALL, encoding="utf-8-sig")
    assert load_plant(tmp_path / "plant.yaml").key == "small"
