"""Storages give what they hold, no more, and are full again in the morning."""

import numpy as np
import pytest

from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import parse_plant
from custom_components.chiller_plant.simulator.world import World
from tests.simulator.plants import EXAMPLE, example, world

HOUR = 3600.0
TANK = """
  tank:
    type: thermal_storage
    name: Tank
    device: building_controller
    ratings: {power: 400, capacity: 800}
    points:
      discharge_power_setpoint:
        {register: holding, address: 40, scale: 0.1, limits: [0, 400], release: 0}
      state_of_charge: {register: input, address: 40, scale: 0.1}
      power: {register: input, address: 41, type: int16, scale: 0.1}

profiles:"""


def with_tank() -> Plant:
    text = EXAMPLE.read_text().replace("\nprofiles:", TANK, 1)
    return parse_plant(text, "plant.yaml")


def test_a_battery_relieves_the_meter_until_it_is_empty() -> None:
    site = world(time=10 * HOUR)
    site.advance(HOUR)
    before = site.values()["site_power.power"]
    site.command("battery.discharge_power_setpoint", 80.0)
    site.advance(30.0)
    values = site.values()
    assert values["battery.power"] == 80.0
    assert values["battery.run_status"] is True
    assert before - values["site_power.power"] == pytest.approx(80.0, abs=5.0)

    site.advance(3 * HOUR)
    values = site.values()
    assert values["battery.state_of_charge"] == 0.0
    assert values["battery.power"] == 0.0
    assert values["battery.run_status"] is False


def test_a_battery_charges_at_night_and_only_if_nobody_asks() -> None:
    site = world(time=10 * HOUR)
    site.command("battery.discharge_power_setpoint", 100.0)
    site.advance(13 * HOUR)
    assert site.values()["battery.state_of_charge"] == 0.0
    site.command("battery.discharge_power_setpoint", 0.0)
    site.advance(HOUR)
    values = site.values()
    assert values["battery.power"] == -50.0
    assert 15.0 < values["battery.state_of_charge"] < 30.0
    site.advance(8 * HOUR)
    assert site.values()["battery.state_of_charge"] == 100.0


def test_a_tank_takes_its_cooling_off_the_chillers() -> None:
    plant = with_tank()
    site = World(plant, 9 * HOUR, longest_step=10.0)
    other = World(plant, 9 * HOUR, longest_step=10.0)
    for each in (site, other):
        each.fix_load(0.4)
        each.advance(3 * HOUR)
    site.command("tank.discharge_power_setpoint", 300.0)
    for each in (site, other):
        each.advance(0.5 * HOUR)
    values, usual = site.values(), other.values()
    assert values["tank.power"] == 300.0
    relieved = other.model.chillers.cooling.sum() - site.model.chillers.cooling.sum()
    assert relieved == pytest.approx(300.0, rel=0.1)
    assert values["site_power.power"] < usual["site_power.power"] - 20.0
    assert values["tank.state_of_charge"] == pytest.approx(81.2, abs=0.3)


def test_the_site_meter_counts_air_handlers_and_circuits_besides_the_plant() -> None:
    site = world(example(), 12 * HOUR)
    site.advance(HOUR)
    values = site.values()
    fans = float(np.sum(site.model.zones.fan_power))
    assert fans > 20.0
    rest = values["site_power.power"] - values["plant_power.power"]
    assert rest == pytest.approx(fans + 30.0 + 60.0 + 15.0, abs=1.0)
    site.command("water_heaters.run_command", False)
    site.advance(10.0)
    assert site.values()["water_heaters.power"] == 0.0
    assert site.values()["water_heaters.run_status"] is False
