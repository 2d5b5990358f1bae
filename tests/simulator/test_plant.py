"""The whole simulated plant: balances, behaviour, and that it never runs away."""

from collections.abc import Mapping
from math import isfinite

import pytest

from custom_components.chiller_plant.plant.model import Plant, PointKey, Value
from custom_components.chiller_plant.plant.plant_file import parse_plant
from custom_components.chiller_plant.plant.roles import EquipmentType
from custom_components.chiller_plant.simulator.drives import Fault
from custom_components.chiller_plant.simulator.layout import SimulationError
from custom_components.chiller_plant.simulator.weather_series import WeatherSeries
from custom_components.chiller_plant.simulator.world import World
from custom_components.chiller_plant.simulator.worlds import Worlds
from tests.simulator.plants import EXAMPLE, command_all, dedicated, example, world

HOUR = 3600.0


def settled(load: float, *, machines: int = 1) -> World:
    """Return the example after three hours at a load, with so many chillers."""
    subject = world()
    if machines == 2:
        command_all(subject, True)
    subject.fix_load(load)
    subject.fix_weather(WeatherSeries.steady(30.0, 24.0))
    subject.advance(3 * HOUR)
    return subject


def test_left_alone_the_lead_chiller_cools_the_building() -> None:
    subject = world(time=HOUR)
    subject.advance(4 * HOUR)
    values = subject.values()
    assert values["chiller_1.run_status"] is True
    assert values["chiller_2.run_status"] is False
    assert values["plant.chilled_water_supply_temperature"] == pytest.approx(
        6.7, abs=0.2
    )
    assert values["zone_1.temperature"] == pytest.approx(24.0, abs=0.5)


@pytest.mark.parametrize(("load", "machines"), [(0.4, 1), (0.7, 2), (0.9, 2)])
def test_what_the_chillers_take_is_what_the_zones_and_pumps_give(
    load: float, machines: int
) -> None:
    model = settled(load, machines=machines).model
    taken = model.chillers.cooling.sum()
    zones = model.zones.cooling.sum()
    pumps = (model.distribution.heating + model.chilled_circuit.heating).sum()
    assert zones == pytest.approx(load * 2300.0, rel=0.01)
    assert taken == pytest.approx(zones + pumps, rel=0.01)
    assert model.cooling_load[0] == pytest.approx(zones, rel=0.01)


@pytest.mark.parametrize(("load", "machines"), [(0.4, 1), (0.9, 2)])
def test_what_the_towers_reject_is_cooling_plus_power(
    load: float, machines: int
) -> None:
    model = settled(load, machines=machines).model
    given = (model.chillers.cooling + model.chillers.power).sum()
    given += model.condenser_circuit.heating.sum()
    assert model.towers.heat.sum() == pytest.approx(given, rel=0.01)


@pytest.mark.parametrize(("load", "machines"), [(0.5, 1), (0.8, 2), (0.95, 2)])
def test_efficiency_and_temperature_difference_are_those_of_a_real_plant(
    load: float, machines: int
) -> None:
    model = settled(load, machines=machines).model
    assert 0.55 < 3.517 * model.power[0] / model.cooling_load[0] < 0.85
    rise = model.return_temperature - model.supply_temperature
    assert 5.0 < rise[0] < 8.0


def test_power_falls_on_a_dry_day() -> None:
    subject = settled(0.5)
    humid = subject.model.power[0]
    subject.fix_weather(WeatherSeries.steady(25.0, 14.0))
    subject.advance(2 * HOUR)
    assert subject.model.power[0] < 0.9 * humid


def test_one_chiller_too_few_shows_as_warm_supply() -> None:
    model = settled(0.9).model
    assert model.secondary_flow[0] > model.primary_flow[0]
    assert model.supply_temperature[0] > 8.0
    assert model.chillers.load.sum() > 0.95


def pressure_of(subject: World) -> float:
    """Return the differential pressure at the far end, kPa."""
    return float(subject.model.lowest_differential_pressure[0])


@pytest.mark.parametrize("load", [0.5, 0.7])
def test_differential_pressure_setpoint_is_within_reach_of_the_pumps(
    load: float,
) -> None:
    subject = settled(load, machines=2)
    speed = 60.0
    for _ in range(400):
        pressure = pressure_of(subject)
        speed = max(25.0, min(100.0, speed + 0.03 * (120.0 - pressure)))
        subject.command("schp_1.speed_command", speed)
        subject.command("schp_2.speed_command", speed)
        subject.advance(20.0)
    assert pressure_of(subject) == pytest.approx(120, abs=2)
    assert 40.0 < speed < 90.0


def test_more_secondary_speed_is_more_pressure_at_the_far_end() -> None:
    subject = settled(0.5)
    pressures = []
    for speed in (50.0, 70.0, 90.0):
        subject.command("schp_1.speed_command", speed)
        subject.advance(60.0)
        pressures.append(pressure_of(subject))
    assert pressures == sorted(pressures)
    assert pressures[2] > 2 * pressures[0]


def test_a_warmer_zone_setpoint_sheds_load() -> None:
    subject = settled(0.5)
    before = subject.model.cooling_load[0]
    for zone in ("zone_1", "zone_2", "zone_3"):
        subject.command(f"{zone}.temperature_setpoint", 26.0)
    subject.advance(900.0)
    assert subject.model.cooling_load[0] < 0.8 * before
    subject.advance(10 * HOUR)
    assert subject.values()["zone_1.temperature"] == pytest.approx(26.0, abs=0.3)


def test_an_unoccupied_zone_takes_no_water() -> None:
    subject = settled(0.5)
    subject.command("zone_1.occupied_command", False)
    subject.advance(600.0)
    assert subject.model.distribution.flows[0, 0] == pytest.approx(0.0, abs=0.01)


def test_without_the_plant_zones_warm_up_and_stay_within_reason() -> None:
    subject = world()
    command_all(subject, False)
    subject.fix_load(1.0)
    subject.advance(24 * HOUR)
    assert 30.0 < float(subject.values()["zone_1.temperature"]) < 42.0
    assert subject.model.power[0] == 0.0


def test_a_chiller_does_not_start_while_its_valve_is_shut() -> None:
    subject = world()
    command_all(subject, False)
    subject.advance(600.0)
    command_all(subject, True)
    subject.command("condenser_water_valve_2.open_command", False)
    subject.advance(250.0)
    values = subject.values()
    assert values["chiller_1.run_status"] is True
    assert values["chiller_2.run_status"] is False
    assert values["chiller_2.condenser_water_flow_status"] is False


def test_stopping_the_condenser_pump_trips_the_running_chiller() -> None:
    subject = settled(0.5)
    subject.command("cdp_1.run_command", False)
    subject.advance(60.0)
    assert subject.values()["chiller_1.alarm"] is True


def test_meters_count_what_they_measure() -> None:
    subject = settled(0.5)
    before = subject.values()
    subject.advance(HOUR)
    after = subject.values()
    for meter in ("chiller_1_power", "plant_power"):
        counted = float(after[f"{meter}.energy"]) - float(before[f"{meter}.energy"])
        assert counted == pytest.approx(float(after[f"{meter}.power"]), rel=0.03)
    assert after["plant_power.power"] > after["chiller_1_power.power"]


def _in_range(values: Mapping[PointKey, Value], when: str) -> None:
    for key, value in values.items():
        assert isfinite(value), f"{when}: {key}"
        if key.endswith("temperature"):
            assert 3.0 < value < 45.0, f"{when}: {key} = {value}"
        if key.endswith("relative_humidity"):
            assert 20.0 < value <= 100.0, f"{when}: {key} = {value}"


def test_days_of_switching_stay_in_range() -> None:
    """Seven plants, in each of which another machine is switched each hour."""
    turns = ["chiller_2", "pchp_2", "schp_2", "cdp_2", "ct_2", "schp_1", "pchp_1"]
    subject = Worlds(example(), [7 * HOUR] * len(turns))
    on = {key: key.endswith("_1") for key in turns}
    told = [dict(on) for _ in turns]
    for hour in range(24):
        for scenario, commands in enumerate(told):
            key = turns[(scenario + hour) % len(turns)]
            commands[key] = not commands[key]
            subject.command(scenario, f"{key}.run_command", commands[key])
            speed = 25.0 + (hour + scenario) * 13 % 75
            subject.command(scenario, "ct_1.speed_command", speed)
        subject.advance(HOUR)
        for scenario in range(len(turns)):
            _in_range(subject.values(scenario), f"plant {scenario}, hour {hour}")


def _after_half_an_hour_in(seconds: float) -> tuple[float, float, float]:
    subject = World(example(), 7 * HOUR)
    subject.fix_load(0.5)
    subject.fix_weather(WeatherSeries.steady(30.0, 24.0))
    for _ in range(round(0.5 * HOUR / seconds)):
        subject.advance(seconds)
    model = subject.model
    return (
        float(model.cooling_load[0]),
        float(model.power[0]),
        float(model.supply_temperature[0]),
    )


@pytest.mark.parametrize("seconds", [0.5, 24.0, 60.0])
def test_the_pace_of_asking_does_not_change_the_plant(seconds: float) -> None:
    assert _after_half_an_hour_in(seconds) == pytest.approx(
        _after_half_an_hour_in(2.0), rel=0.01
    )


@pytest.mark.parametrize("chillers", [1, 3])
def test_plants_with_dedicated_pumps_and_no_valves_run_too(chillers: int) -> None:
    subject = World(dedicated(chillers), 7 * HOUR)
    subject.fix_load(0.8)
    subject.advance(4 * HOUR)
    values = subject.values()
    assert all(values[f"ch{n}.run_status"] for n in range(1, chillers + 1))
    assert subject.model.supply_temperature[0] == pytest.approx(6.7, abs=0.2)
    assert subject.model.chilled_circuit.header.groups == chillers


def test_every_addressed_point_of_the_example_has_a_value_of_its_kind() -> None:
    plant = example()
    values = world(plant).values()
    addressed = {key for key, point in plant.points.items() if point.address}
    assert set(values) == addressed
    for key, value in values.items():
        assert isinstance(value, bool) is plant.points[key].role.quantity.is_boolean


def test_values_are_as_fine_as_their_registers() -> None:
    subject = world()
    subject.advance(1234.5)
    values = subject.values()
    power = float(values["pchp_1.power"])
    assert power == pytest.approx(round(power, 1))
    temperature = float(values["plant.chilled_water_return_temperature"])
    assert temperature == round(temperature, 2)


def test_faults_are_only_for_machines_that_have_them() -> None:
    subject = world()
    subject.fault("schp_1", Fault.TRIP)
    subject.advance(60.0)
    assert subject.values()["schp_1.alarm"] is True
    with pytest.raises(KeyError):
        subject.fault("zone_1", Fault.TRIP)


def test_a_plant_that_lacks_a_kind_of_machine_is_refused_with_its_name() -> None:
    plant = example()
    lacking = Plant(
        **{
            name: getattr(plant, name)
            for name in Plant.__dataclass_fields__
            if name != "equipment"
        },
        equipment={
            key: item
            for key, item in plant.equipment.items()
            if item.type is not EquipmentType.COOLING_TOWER
        },
    )
    with pytest.raises(SimulationError, match="cooling_tower"):
        World(lacking, 0.0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("load_profile: [1, 2]", "load_profile"),
        ("weather: 30", "weather"),
        ("chilled_water_volume: much", "chilled_water_volume"),
        ("chilled_water_volume: -3", "chilled_water_volume"),
        ("load_profile: [" + "2, " * 24 + "]", "load_profile"),
        ("weather: {kind: lunar}", "tropical"),
        ("weather: {kind: epw}", "weather.file"),
        ("weather: {kind: epw, file: nowhere.epw}", "nowhere.epw"),
        ("chiller_curves: bogus", "carrier_19xr_1407_vsd"),
        ("chiller_model: bogus", "reformulated"),
    ],
)
def test_nonsense_in_the_simulation_section_is_named(wrong: str, named: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").split("\nsimulation:")[0]
    plant = parse_plant(f"{text}\nsimulation:\n  {wrong}\n", "plant.yaml")
    with pytest.raises(SimulationError, match=named):
        World(plant, 0.0)


@pytest.mark.parametrize(
    "section",
    [
        "weather: {kind: tropical, seed: 3}",
        "chiller_model: eir",
        "chiller_curves: york_yt_1758_vanes",
    ],
)
def test_what_the_simulation_section_chooses_runs(section: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").split("\nsimulation:")[0]
    subject = World(
        parse_plant(f"{text}\nsimulation:\n  {section}\n", "plant.yaml"), 9 * HOUR
    )
    usual = world(time=9 * HOUR)
    for each in (subject, usual):
        each.advance(1800.0)
    assert subject.values()["chiller_1.run_status"] is True
    assert subject.model.power[0] != usual.model.power[0]
